"""The figure of `tradeoff.py`: a panel for each data set, and one of added times."""

import math
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from methods import DEFAULT

# How the methods of the figure look; the others are in the tables only.
STYLES = {
    DEFAULT: {"color": "#D55E00", "linewidth": 2.4, "zorder": 5, "marker": "o"},
    "gradient penalty": {"color": "#0072B2", "marker": "s"},
    "weight decay": {"color": "#777777", "marker": "^"},
    "input noise": {"color": "#009E73", "marker": "v"},
    "spectral normalisation": {"color": "#CC79A7", "marker": "D"},
}


def draw_curves(ax, curves: pd.DataFrame) -> None:
    """Error against sensitivity of the methods, on one set."""
    for name, style in STYLES.items():
        curve = curves[curves.method == name][["error", "sensitivity"]].to_numpy()
        curve = 100 * np.vstack([(0, 0), curve])
        ax.plot(*curve.T, markersize=4, markevery=slice(1, None), label=name, **style)
    ax.plot(0, 0, "k*", markersize=12, label="no control", zorder=6)
    ax.axvspan(-20, 0, color="black", alpha=0.05, linewidth=0)
    ax.set(xlim=(-11, 11), ylim=(-92, 8))
    ax.grid(alpha=0.3)


def draw_times(ax, times: pd.DataFrame) -> None:
    """Added training time of every method on every set, in plain fits of ours."""
    ours = times[times.method == DEFAULT].set_index("set")
    plain = ours.seconds - ours.added
    for height, (name, style) in enumerate(reversed(STYLES.items())):
        rows = times[times.method == name]
        shares = rows.added.to_numpy() / plain[rows.set].to_numpy()
        look = {"color": style["color"], "marker": style["marker"]}
        ax.plot(shares, [height] * len(shares), linestyle="", alpha=0.6, **look)
        ax.plot(np.median(shares), height, "|", color="black", markersize=18)
    ax.axvline(0, color="black", linewidth=0.8)
    ax.set_yticks([])
    ax.set_title("added time, in plain fits of ours", fontsize=10)
    ax.grid(alpha=0.3, axis="x")


def draw(curves: pd.DataFrame, times: pd.DataFrame, path: Path) -> None:
    """Curves of every set, a panel each, a panel of times, and the legend."""
    sets = curves.set.unique()
    n_columns = math.ceil((len(sets) + 2) / 2)
    figure, axes = plt.subplots(
        2, n_columns, figsize=(2.9 * n_columns, 6.4), layout="constrained"
    )
    panels = list(axes.flat)
    for ax, key in zip(panels, sets, strict=False):
        draw_curves(ax, curves[curves.set == key])
        ax.set_title(key, fontsize=10)
    draw_times(panels[-2], times)
    for ax in [*panels[len(sets) : -2], panels[-1]]:
        ax.set_axis_off()
    panels[-1].legend(*panels[0].get_legend_handles_labels(), loc="center", fontsize=11)
    figure.supxlabel("change of RMSE, % (shaded: more accurate)", fontsize=10)
    figure.supylabel("change of noise sensitivity, %", fontsize=10)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=140)
