"""Every table and every sentence with figures, a module for each page or two."""

from tabular import FINDINGS, TABLES

from . import (
    accuracy,
    accuracy_curves,
    correlated,
    deploy,
    noise,
    paper,
    slope_bounds,
    slope_changes,
    speed,
    tradeoff,
    vector,
    wrong_side,
)

__all__ = [
    "FINDINGS",
    "TABLES",
    "accuracy",
    "accuracy_curves",
    "correlated",
    "deploy",
    "noise",
    "paper",
    "slope_bounds",
    "slope_changes",
    "speed",
    "tradeoff",
    "vector",
    "wrong_side",
]
