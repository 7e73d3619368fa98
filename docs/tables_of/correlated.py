"""Noise that features share."""

from collections.abc import Callable
from functools import partial
from statistics import median

from tabular import TABLES, Table, crossed, fall, finding, over, results, table

MODELS = [
    "plain network",
    "network, deviations",
    "network, covariances",
    "noisy batches",
    "linear, deviations",
    "linear, covariances",
]
WORTHWHILE = 0.95  # of the error with deviations alone


def by_noise(kind: str, cell: Callable[[dict], str]) -> Table:
    """A row for every set, a column for every noise."""
    rows = [
        row | {"noise": f"{row['correlation']}, {row['sd']:g} sd"}
        for row in results("correlated")["table"]
    ]
    return crossed(rows, "set", "noise", cell, kind, "correlated")


def gain(kind: str) -> Table:
    """The error with covariances over that with deviations, by seed."""

    def cell(row: dict) -> str:
        return f"{over(row[f'{kind}, ratio'])} ± {100 * row[f'{kind}, ratio se']:.1f}"

    return by_noise(kind, cell)


def errors(model: str) -> Table:
    """The errors of a model."""
    return by_noise(model, lambda row: f"{row[model]:.3f}")


TABLES |= {f"correlated_{kind}": partial(gain, kind) for kind in ("network", "linear")}


@table
def correlated_errors() -> Table:
    """The errors of all models."""
    found = results("correlated")["table"]
    rows = [
        [
            row["set"],
            row["correlation"],
            f"{row['sd']:g}",
            *(f"{row[m]:.3f}" for m in MODELS),
        ]
        for row in found
    ]
    return Table(["set", "noise", "sd", *MODELS], rows, "correlated")


@finding
def found_correlated() -> str:
    """On how many sets covariances are worthwhile, and how they compare."""
    found = results("correlated")["table"]
    strong = [row for row in found if row["sd"] == 1]

    def sets(kind: str) -> int:
        gains = {row["set"] for row in strong if row[f"{kind}, ratio"] < WORTHWHILE}
        return len(gains)

    def typical(kind: str) -> str:
        return fall(median(row[f"{kind}, ratio"] for row in strong) - 1)

    batches = [row["network, covariances"] / row["noisy batches"] for row in found]
    n_sets = len({row["set"] for row in found})
    return (
        f"Yes: under correlated noise of one standard deviation, a network that is "
        f"told the covariances has an error {typical('network')} below that of one "
        f"told the standard deviations, in the median, and a linear model one "
        f"{typical('linear')} below. On {sets('network')} of {n_sets} sets the gain of "
        f"the network is over {fall(WORTHWHILE - 1)} for some of the noises, and on "
        f"{sets('linear')} that of the linear model. From a network trained on batches "
        f"with such noise it differs by {over(median(batches))} in the median of all "
        f"noises, and is at most {100 * (max(batches) - 1):.1f} % above it."
    )
