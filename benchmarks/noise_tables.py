"""What is made of errors under noise: a cell is a set with a setting of noise.

The error of a cell is the mean over the seeds; methods are compared by the ratio of
their errors, over the seeds that both have.
"""

import pandas as pd
from noise_methods import (
    ALL,
    BATCHES,
    BOOSTING,
    BOTH,
    BY_FORMULA,
    COPIES,
    FOREST,
    GIVEN,
    GIVEN_LINEAR,
    METHODS,
    MULTIPLES,
    PLAIN,
    RIDGE,
    SETTINGS,
    SQUARES,
    TUNED_ALPHA,
)

NO_NOISE = ALL[0]
STRONG = [name for name, (sd, _) in SETTINGS.items() if sd >= 0.3]
GROUPS = {  # of settings, for summaries
    "0.1 and more": ALL[1:],
    "0.3 and more": STRONG,
    "0.1": ["0.1"],
    "0": [NO_NOISE],
}
# What users would take otherwise.
USUAL = [PLAIN, TUNED_ALPHA, RIDGE, FOREST, BOOSTING, BATCHES, COPIES]
PAIRS = [
    *((GIVEN, other) for other in METHODS if other not in (GIVEN, MULTIPLES)),
    *((BOTH, other) for other in USUAL),
    (MULTIPLES, GIVEN),
    (GIVEN_LINEAR, BY_FORMULA),
    (GIVEN_LINEAR, SQUARES),
]


def by_method(points: pd.DataFrame) -> pd.DataFrame:
    """Errors, a row for each set, noise and seed and a column for each method."""
    table = points.pivot(
        index=["set", "noise", "seed"], columns="method", values="error"
    )
    sets = pd.Index(points.set.unique(), name="set")
    order = [name for name in METHODS if name in table]
    table = table[order].reindex(sets, level="set")
    return table.reindex(pd.Index(ALL, name="noise"), level="noise")


def mean_errors(errors: pd.DataFrame) -> pd.DataFrame:
    """Errors of all cells, and the number of seeds behind them."""
    table = errors.melt(ignore_index=False, value_name="error").dropna()
    cells = table.groupby(["set", "noise", "method"], sort=False).error
    return cells.agg(error="mean", seeds="size").reset_index()


def ratios(errors: pd.DataFrame) -> pd.DataFrame:
    """Ratio of the errors of every pair in every cell, and its largest over seeds."""
    tables = []
    for method, rival in PAIRS:
        if not {method, rival} <= set(errors):
            continue
        pair = errors[[method, rival]].dropna()
        cells = ["set", "noise"]
        means = pair.groupby(cells, sort=False).mean()
        of_seeds = (pair[method] / pair[rival]).groupby(cells, sort=False)
        table = pd.DataFrame(
            {"ratio": means[method] / means[rival], "worst_seed": of_seeds.max()}
        )
        tables.append(table.reset_index().assign(method=method, rival=rival))
    return pd.concat(tables, ignore_index=True)


def summarise(cells: pd.DataFrame) -> pd.DataFrame:
    """Every pair over the cells of each group of settings."""
    rows = []
    for (method, rival), pair in cells.groupby(["method", "rival"], sort=False):
        for group, names in GROUPS.items():
            found = pair[pair.noise.isin(names)]
            if len(found):
                rows.append(
                    {
                        "method": method,
                        "rival": rival,
                        "noises": group,
                        "cells": len(found),
                        "lower": float((found.ratio < 1).mean()),
                        "median": found.ratio.median(),
                        "largest": found.ratio.max(),
                        "worst_seed": found.worst_seed.max(),
                    }
                )
    return pd.DataFrame(rows)


def without_noise(errors: pd.DataFrame) -> pd.DataFrame:
    """Error at noise 0 over that of the plain network, by set, for every method."""
    means = errors.xs(NO_NOISE, level="noise").groupby("set", sort=False).mean()
    shares = means.div(means[PLAIN], axis=0).melt(
        ignore_index=False, value_name="ratio"
    )
    return shares.dropna().reset_index()


def times(points: pd.DataFrame) -> pd.DataFrame:
    """Median seconds of a method on each set, and over the plain network's there."""
    units = points.drop_duplicates(["set", "seed", "method"])
    table = units.pivot_table(
        "seconds", ["set", "method"], aggfunc="median", sort=False
    )
    table = table.reset_index()
    of_plain = table[table.method == PLAIN].set_index("set").seconds
    return table.assign(times_plain=table.seconds / of_plain[table.set].to_numpy())


def make_tables(points: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """All tables, of as many points as there are."""
    errors = by_method(points)
    cells = ratios(errors)
    return {
        "errors": mean_errors(errors),
        "ratios": cells,
        "summary": summarise(cells),
        "without_noise": without_noise(errors),
        "times": times(points),
    }
