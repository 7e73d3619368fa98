"""The figure of `paper.py`: its claims, and the paper's figures beside them."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from paper_settings import (
    CHOSEN,
    FEATURE,
    FEATURE_GRID,
    FEATURES,
    GRID,
    LOWERED,
    NETWORKS,
    PAPER_SENSITIVITY,
    PAPER_SMOOTHNESS,
    PAPERS,
    PLAIN,
    TO_BEAT,
    TODAYS,
    Setting,
    all_alike,
    changes,
    one_feature,
)

BLUE, ORANGE, GREEN, BLACK = "#0072B2", "#D55E00", "#009E73", "black"


def draw(figures: pd.DataFrame, path: Path) -> None:
    """The claims: variance against k, its price, sensitivities, one feature."""
    figure, axes = plt.subplots(2, 2, figsize=(11.5, 8.6), layout="constrained")
    draw_variance(axes[0, 0], figures)
    draw_price(axes[0, 1], figures)
    draw_features(axes[1, 0], figures)
    draw_one_feature(axes[1, 1], figures)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)


LINES = {
    "like the paper, the paper's form": ("like the paper", PAPERS, GREEN, "D-"),
    "default, the paper's form": ("default", PAPERS, ORANGE, "s-"),
    "default, today's form": ("default", TODAYS, BLUE, "o-"),
}


def along_k(figures, network, way, column) -> pd.DataFrame:
    """Mean and standard deviation of a change, in per cent, along the k of the grid."""
    values = {
        k: 100 * changes(figures, network, all_alike(k, way)[0])[column] for k in GRID
    }
    return pd.DataFrame(values).agg(["mean", "std"]).T


def draw_variance(ax, figures):
    for label, (network, way, colour, style) in LINES.items():
        change = along_k(figures, network, way, "variance")
        ax.plot(GRID, change["mean"], style, color=colour, label=label, markersize=4)
        ax.fill_between(
            GRID,
            change["mean"] - change["std"],
            change["mean"] + change["std"],
            color=colour,
            alpha=0.2,
            linewidth=0,
        )
    plain, first, *_ = PAPER_SMOOTHNESS.values()
    paper = 100 * (first["variance"] / plain["variance"] - 1)
    ax.plot(0.1, paper, "*", color=BLACK, markersize=13, label="the paper, its units")
    ax.axhline(0, color=BLACK, linewidth=0.6)
    ax.set(
        xscale="log",
        xlabel="boundary slope $k$, for all features alike",
        ylabel="variance of the predictions, change in %",
        title="The variance falls as $k$ falls",
    )
    ax.invert_xaxis()
    ax.set_xticks(GRID, [f"{k:g}" for k in GRID])
    ax.minorticks_off()
    ax.legend(fontsize=8)


def draw_price(ax, figures):
    for label, (network, way, colour, style) in LINES.items():
        rmse = along_k(figures, network, way, "bounded_rmse")["mean"]
        variance = along_k(figures, network, way, "variance")["mean"]
        ax.plot(rmse, variance, style, color=colour, label=label, markersize=4)
    paper = pd.DataFrame(PAPER_SMOOTHNESS).T
    paper = 100 * (paper / paper.loc[PLAIN] - 1)
    ax.plot(
        paper["rmse"],
        paper["variance"],
        "*--",
        color=BLACK,
        markersize=10,
        label="the paper",
    )
    ax.axhline(0, color=BLACK, linewidth=0.6)
    ax.axvline(0, color=BLACK, linewidth=0.6)
    ax.set(
        xlabel="RMSE of bounded predictions, change in %",
        ylabel="variance of the predictions, change in %",
        title="What it costs",
        xlim=(-0.6, 6),
        ylim=(-25, 2),
    )
    ax.legend(fontsize=8)


def draw_features(ax, figures):
    free = Setting("default", all_alike(0.2, TODAYS)[0])
    ours = {
        "$k$ 0.2 for all": (free, BLUE, "o"),
        f"$k$ {CHOSEN.name.split()[1]} for {FEATURE} alone": (
            CHOSEN,
            ORANGE,
            "s",
        ),
    }
    papers = {
        "the paper, $k$ 0.1 for all": ("k 0.1", "*"),
        f"the paper, $k$ 0.001 for {FEATURE}": (LOWERED, "P"),
    }
    heights = np.arange(len(FEATURES))[::-1]
    for label, (setting, colour, marker) in ours.items():
        change = 100 * changes(figures, *setting)[FEATURES]
        ax.errorbar(
            change.mean(),
            heights + 0.12,
            xerr=change.std(),
            fmt=marker,
            color=colour,
            label=label,
            capsize=2,
        )
    for label, (name, marker) in papers.items():
        found = PAPER_SENSITIVITY[name]["features"]
        where = [heights[FEATURES.index(feature)] - 0.12 for feature in found]
        values = [100 * value for value in found.values()]
        ax.plot(values, where, marker, color=BLACK, markersize=8, label=label)
    ax.axvline(0, color=BLACK, linewidth=0.6)
    ax.set_yticks(heights, FEATURES)
    ax.set(xlabel="sensitivity to noise in the feature, change in %")
    ax.set_title("Sensitivity, feature by feature")
    ax.legend(fontsize=8)


def draw_one_feature(ax, figures):
    lines = {"default": (BLUE, "o-"), "slow": (ORANGE, "s-")}
    for network, (colour, style) in lines.items():
        rows = [
            100 * changes(figures, network, one_feature(k)[0]) for k in FEATURE_GRID
        ]
        means = pd.DataFrame([row.mean() for row in rows])
        deviations = pd.DataFrame([row.std() for row in rows])
        ax.errorbar(
            means["bounded_rmse"],
            means[FEATURE],
            xerr=deviations["bounded_rmse"],
            yerr=deviations[FEATURE],
            fmt=style,
            color=colour,
            label=f"{network} ({NETWORKS[network].description.split(', ', 1)[1]})",
            capsize=2,
            linewidth=1,
        )
        for k, x, y in zip(
            FEATURE_GRID, means["bounded_rmse"], means[FEATURE], strict=True
        ):
            ax.annotate(f"{k:g}", (x, y), (4, 4), textcoords="offset points", size=8)
    paper = PAPER_SENSITIVITY[LOWERED]
    ax.plot(
        100 * paper["rmse"],
        100 * paper["features"][FEATURE],
        "*",
        color=BLACK,
        markersize=13,
        label="the paper",
    )
    ax.axhspan(-100, 100 * TO_BEAT[FEATURE], color="#F0E442", alpha=0.3, linewidth=0)
    ax.axvline(100 * TO_BEAT["rmse"], color=BLACK, linestyle=":", linewidth=1)
    ax.set(
        xlabel="RMSE of bounded predictions, change in %",
        ylabel=f"sensitivity to noise in {FEATURE}, change in %",
        title=f"The $k$ of {FEATURE} alone, at each point",
        ylim=(-100, 3),
    )
    ax.legend(fontsize=8)
