"""Error against noise sensitivity along a strength, and what is made of such curves.

Both are changes relative to the same code without control, of the same seed. Along the
curve of a seed, the least sensitivity within an error budget is interpolated; of a
method, it is the median over the seeds, since a single row far outside all others can
decide the error of a split. The area is its mean over budgets from 0 to 5 %. Methods
are compared seed by seed, by the areas of the seeds.
"""

from itertools import pairwise

import numpy as np
import pandas as pd
from methods import ALIKE, BASES, DEFAULT, LAI, METHODS, USER

NOISES = (0.1, 0.3, 1.0)  # standard deviations of a feature
BUDGETS = (0.01, 0.02, 0.05)  # error allowed beyond that without control
AREA_BUDGETS = np.linspace(0, 0.05, 51)
COMPARISONS = {"as a user": list(USER), "like with like": list(ALIKE)}
POINT = ["set", "network", "method", "seed", "strength", "rmse", *map(str, NOISES)]


def relative(fits: pd.DataFrame) -> pd.DataFrame:
    """Changes of error and of the sensitivities, a row for each size of noise."""
    is_base = fits.method.isin(BASES)
    places = ["set", "network", "seed", "method"]
    bases, points = fits[is_base].set_index(places), fits[~is_base]
    base_names = [METHODS[name].base for name in points.method]
    keys = zip(points.set, points.network, points.seed, base_names, strict=True)
    base = bases.loc[list(keys)]
    changes = {
        name: points[name].to_numpy() / base[name].to_numpy() - 1
        for name in ["rmse", *map(str, NOISES)]
    }
    points = points[[*places, "strength"]].assign(**changes)
    points = points.rename(columns={"rmse": "error"}).melt(
        [*places, "strength", "error"], var_name="noise", value_name="sensitivity"
    )
    return points.assign(noise=points.noise.astype(float))


def over_seeds(points: pd.DataFrame) -> pd.DataFrame:
    """Medians at the strengths that the curves of all seeds reach."""
    groups = points.groupby(
        ["set", "network", "method", "noise", "strength"], sort=False
    )
    medians = groups[["error", "sensitivity"]].median()
    return medians[groups.size() == points.seed.nunique()].reset_index()


def least_sensitivity(error, sensitivity, budget: float) -> float:
    """Least sensitivity along a curve from (0, 0) where the error is within budget.

    NaN if it never is.
    """
    points = [(0.0, 0.0), *zip(error, sensitivity, strict=True)]
    within = [s for e, s in points if e <= budget]
    for (e0, s0), (e1, s1) in pairwise(points):
        if (e0 - budget) * (e1 - budget) < 0:
            within.append(s0 + (s1 - s0) * (budget - e0) / (e1 - e0))
    return min(within, default=np.nan)


def at_level(plain, curve, level: float) -> np.ndarray:
    """Figures along a curve over those without control, at a level of the first one.

    Logarithms are interpolated between the points where the first figure falls to this
    share, from that without control on; NaN if it never does.
    """
    along = np.log(np.array([plain, *curve]) / plain)
    below = np.flatnonzero(along[:, 0] <= np.log(level))
    if not len(below):
        return np.full(len(plain), np.nan)
    before, after = along[below[0] - 1], along[below[0]]
    share = (np.log(level) - before[0]) / (after[0] - before[0])
    return np.exp(before + share * (after - before))


def standard_error(values) -> float:
    """Of a mean over the seeds."""
    return float(np.std(values, ddof=1) / np.sqrt(len(values)))


def summarise(points: pd.DataFrame) -> pd.DataFrame:
    """Least sensitivity at each budget, and area, of every method on every set."""
    rows = []
    keys = ["set", "network", "method", "noise"]
    for key, curve in points.groupby(keys, sort=False):
        seeds = [(one.error, one.sensitivity) for _, one in curve.groupby("seed")]
        row = dict(zip(keys, key, strict=True))
        for budget in BUDGETS:
            row[f"{budget:g}"] = float(
                np.median([least_sensitivity(*one, budget) for one in seeds])
            )
        least = np.array(
            [[least_sensitivity(*one, b) for b in AREA_BUDGETS] for one in seeds]
        )
        areas = least.mean(axis=1)
        row["area"] = float(np.median(least, axis=0).mean())
        rows.append(row | {"se": standard_error(areas), "areas": areas.tolist()})
    return pd.DataFrame(rows)


def compare(summary: pd.DataFrame) -> pd.DataFrame:
    """The default beside the peer of least area, seed by seed, in each comparison."""
    rows = []
    for (key, network, noise), found in summary.groupby(
        ["set", "network", "noise"], sort=False
    ):
        curves = found.set_index("method")
        for comparison, names in COMPARISONS.items():
            peers = curves.loc[curves.index.intersection(names)]
            if peers.empty:
                continue
            best = peers.area.idxmin()
            lead = np.subtract(curves.areas[DEFAULT], curves.areas[best])
            rows.append(
                {
                    "set": key,
                    "network": network,
                    "noise": noise,
                    "comparison": comparison,
                    "default area": curves.area[DEFAULT],
                    "default se": curves.se[DEFAULT],
                    "best": best,
                    "best area": curves.area[best],
                    "best se": curves.se[best],
                    "difference": lead.mean(),
                    "difference se": standard_error(lead),
                }
            )
    return pd.DataFrame(rows)


def settings_table(curves: pd.DataFrame) -> pd.DataFrame:
    """Each setting of Lai Training along k: both figures over the sets.

    The median and the largest error, and the median sensitivity, where all have them.
    """
    groups = curves[curves.method.isin(LAI)].groupby(
        ["method", "noise", "strength"], sort=False
    )
    table = groups.agg(
        error=("error", "median"),
        largest_error=("error", "max"),
        sensitivity=("sensitivity", "median"),
    )
    table = table[groups.size() == curves.set.nunique()]
    return table.reset_index().rename(columns={"strength": "k"})
