"""Figures of `noise.py`: error against noise in all features, and in one."""

from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from noise_methods import (
    BATCHES,
    BOOSTING,
    COPIES,
    DROPPED,
    GIVEN,
    PLAIN,
    RIDGE,
    SETTINGS,
    TUNED_ALPHA,
)

# How the methods of the figure look; the others are in the tables only.
STYLES = {
    GIVEN: {"color": "#D55E00", "linewidth": 2.8, "zorder": 5, "marker": "o"},
    BATCHES: {"color": "#009E73", "linestyle": "--", "zorder": 6, "marker": "v"},
    COPIES: {"color": "#0072B2", "linestyle": "--", "marker": "s"},
    BOOSTING: {"color": "#0072B2", "marker": "s"},
    PLAIN: {"color": "black", "marker": "x"},
    TUNED_ALPHA: {"color": "#777777", "marker": "^"},
    RIDGE: {"color": "#CC79A7", "marker": "D"},
    DROPPED: {"color": "#E69F00", "linestyle": ":", "marker": "P"},
}
# The lines of the short figure, by what its readers call them.
SHORT = {
    PLAIN: "neural network",
    RIDGE: "Ridge",
    BOOSTING: "boosted trees",
    GIVEN: "neural network that is\ntold of the noise",
}
PANELS = {"noise in all features, sd": False, "noise in the most sensitive, sd": True}


def relative_errors(errors: pd.DataFrame) -> pd.DataFrame:
    """Error over the plain network's without noise, the median over the sets.

    Methods that lack a set are left out.
    """
    n_cells = errors.groupby("method").size()
    lacks = n_cells.index[n_cells % errors.set.nunique() > 0]
    errors = errors[~errors.method.isin(lacks)]
    base = errors[(errors.method == PLAIN) & (errors.noise == "0")]
    base = base.set_index("set").error
    shares = errors.assign(share=errors.error / base[errors.set].to_numpy())
    return shares.pivot_table("share", "noise", "method", aggfunc="median")


def draw(errors: pd.DataFrame, path: Path) -> None:
    """A panel for noise in all features, one for noise in one, and the legend."""
    shares = relative_errors(errors)
    figure, axes = plt.subplots(
        1, 2, sharey=True, figsize=(8, 5), width_ratios=(4, 3), layout="constrained"
    )
    for ax, (label, of_one) in zip(axes, PANELS.items(), strict=True):
        settings = {
            sd: name for name, (sd, one) in SETTINGS.items() if one == of_one or sd == 0
        }
        for name, style in STYLES.items():
            if name in shares:
                line = shares[name].reindex(settings.values())
                ax.plot(line.to_numpy(), markersize=5, label=name, **style)
        ax.set_xticks(range(len(settings)), [f"{sd:g}" for sd in settings])
        ax.set(xlabel=label, yscale="log")
        ax.grid(alpha=0.3, which="both")
    axes[0].set_ylabel("error, in that of the plain network\nwithout noise")
    axes[0].yaxis.set_major_formatter("{x:g}")
    axes[0].yaxis.set_minor_formatter("{x:g}")
    handles, labels = axes[1].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=140)


def draw_short(errors: pd.DataFrame, path: Path) -> None:
    """One panel for noise in one feature, with names beside the lines."""
    shares = relative_errors(errors)
    settings = {sd: name for name, (sd, one) in SETTINGS.items() if one or sd == 0}
    figure, ax = plt.subplots(figsize=(6.4, 3.8), layout="constrained")
    lines = {name: shares[name].reindex(settings.values()).to_numpy() for name in SHORT}
    height = 0.0
    for name in sorted(SHORT, key=lambda name: lines[name][-1]):
        line = lines[name]
        style = STYLES[name] | {"linewidth": 4 if name == GIVEN else 2}
        ax.plot(list(settings), line, markersize=6, **style)
        height = max(line[-1], height + 0.17)  # labels do not overlap
        ax.annotate(
            f"{SHORT[name]}, +{line[-1] / line[0] - 1:.0%}",
            (1.03, height),
            va="center",
            annotation_clip=False,
            color=style["color"],
            fontsize=11,
            weight="bold" if name == GIVEN else "normal",
        )
    ax.set(
        xlim=(0, 1.02),
        ylim=(0, None),
        xlabel="noise in the most sensitive input (standard deviations)",
        ylabel="error (1: neural network, no noise)",
    )
    ax.set_xticks(list(settings))
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(axis="y", alpha=0.3)
    figure.savefig(path, dpi=160)
