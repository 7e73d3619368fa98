"""What the paper claims, what its form gives, and what today's form gives."""

import warnings

import numpy as np
import pandas as pd
import torch
from curves import at_level
from paper_settings import (
    FEATURE,
    FEATURE_GRID,
    FEATURES,
    LOWERED,
    NEIGHBOUR,
    PAPER_SENSITIVITY,
    PAPER_SMOOTHNESS,
    PLAIN,
    TODAYS_LOWERED,
    WAYS,
    all_alike,
    changes,
    one_feature,
    share_of_falls,
    variances,
)
from sklearn.exceptions import ConvergenceWarning

from sklearn_lai import LaiLinearRegressor
from sklearn_lai.loss import lai_factor

SETUPS = ("like the paper", "default")
LOWERED_BY = {"the paper's": LOWERED, "today's": TODAYS_LOWERED}
SLOPES = (0.05, 0.5, 1.0, 2.0, 20.0)  # boundaries of the surfaces of appendix A
STEEPEST = 100.0


def moments(values) -> dict:
    """Mean and standard deviation over the seeds."""
    return {"mean": float(np.mean(values)), "sd": float(np.std(values, ddof=1))}


def at_fall(figures: pd.DataFrame, network: str, names, what: str, level: float):
    """Error over that of MSE alone where a figure has come down to a level of its own.

    Seed by seed, interpolated between the settings.
    """
    columns = [what, "bounded_rmse"]
    plain = figures.loc[network, PLAIN][columns]
    curves = [figures.loc[network, name][columns] for name in names]
    ratios = [
        at_level(row.to_numpy(), [curve.loc[seed] for curve in curves], level)[1]
        for seed, row in plain.iterrows()
    ]
    return moments(np.subtract(ratios, 1))


def of_smoothness(figures: pd.DataFrame, network: str, way: str) -> dict:
    """Section 6.1: how the variance falls along `k`, and at which price."""
    variance = variances(figures, network, way)
    here = changes(figures, network, all_alike(0.1, WAYS[way])[0])
    return {
        "steps that fall": share_of_falls(variance),
        "variance at k 0.1": moments(here["variance"]),
        "rmse at k 0.1": moments(here["bounded_rmse"]),
        "rmse at the paper's variance": at_fall(
            figures, network, list(variance), "variance", 1 + papers_fall()
        ),
    }


def of_sensitivity(figures: pd.DataFrame, network: str, way: str) -> dict:
    """Section 6.2: sensitivities for both settings of the paper."""
    alike = changes(figures, network, all_alike(0.1, WAYS[way])[0])
    lowered = changes(figures, network, LOWERED_BY[way])
    extremes = alike[FEATURES].abs().max(axis=1)
    found = {
        "largest change at k 0.1": moments(extremes),
        "rmse, lowered": moments(lowered["bounded_rmse"]),
        FEATURE: moments(lowered[FEATURE]),
        NEIGHBOUR: moments(lowered[NEIGHBOUR]),
    }
    if network == "default":
        names = [one_feature(k, WAYS[way])[0] for k in FEATURE_GRID]
        level = 1 + PAPER_SENSITIVITY[LOWERED]["features"][FEATURE]
        found["rmse at the paper's fall"] = at_fall(
            figures, network, names, FEATURE, level
        )
    return found


def papers_fall() -> float:
    """The largest fall of the variance that the paper reports."""
    plain, *_, last = PAPER_SMOOTHNESS.values()
    return last["variance"] / plain["variance"] - 1


def of_paper() -> dict:
    """The same figures in the paper."""
    plain, at_01, *_, last = PAPER_SMOOTHNESS.values()
    alike, lowered = PAPER_SENSITIVITY["k 0.1"], PAPER_SENSITIVITY[LOWERED]
    return {
        "steps that fall": 1.0,
        "variance at k 0.1": at_01["variance"] / plain["variance"] - 1,
        "rmse at k 0.1": at_01["rmse"] / plain["rmse"] - 1,
        "rmse at the paper's variance": last["rmse"] / plain["rmse"] - 1,
        "largest change at k 0.1": max(map(abs, alike["features"].values())),
        "rmse, lowered": lowered["rmse"],
        **lowered["features"],
        "rmse at the paper's fall": lowered["rmse"],
    }


def line_of_least_loss(k: float) -> float:
    """Appendix A: slope of the line with the least squared Lai loss, own errors."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, 101)
    y = 3 * x + 4 + rng.normal(size=101)
    model = LaiLinearRegressor(k=k, lai_fraction=1, standardize=False)
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
        return float(model.fit(x[:, None], y).coef_[0])


def slope_of_least_factor(k: float) -> float:
    """The same with the mean error, which is a constant: where the factor is least."""
    slopes = torch.linspace(0, STEEPEST, 200_001, dtype=torch.float64)
    return float(slopes[lai_factor(slopes, k).argmin()])


def side_by_side(figures: pd.DataFrame) -> dict:
    """All of these, and the slopes of appendix A by `k`."""
    forms = {
        f"{way}, {network}": of_smoothness(figures, network, way)
        | of_sensitivity(figures, network, way)
        for network in SETUPS
        for way in WAYS
    }
    surfaces = {
        "the paper's": {f"{k:g}": line_of_least_loss(k) for k in SLOPES},
        "today's": {f"{k:g}": slope_of_least_factor(k) for k in SLOPES},
    }
    return {"the paper": of_paper(), **forms, "surfaces": surfaces}
