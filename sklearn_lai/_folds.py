"""Folds of a cross-validation, listed once, and the choice of k by its errors."""

from typing import Any

import numpy as np
from sklearn.model_selection import check_cv


def list_folds(
    cv: Any, X: np.ndarray, y: np.ndarray, groups: Any
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Positions of the training and test samples of every fold."""
    every = np.arange(len(X))
    folds = [
        (every[np.asarray(train)], every[np.asarray(test)])
        for train, test in check_cv(cv).split(X, y, groups)
    ]
    if not folds:
        raise ValueError(f"cv must have at least one fold, got {cv!r}.")
    return folds


def smallest_within(ks: np.ndarray, errors: np.ndarray, tolerance: float) -> np.intp:
    """Index of the smallest k whose error is at most 1 + tolerance times the least."""
    is_within = errors <= (1 + tolerance) * errors.min()
    return np.where(is_within, ks, np.inf).argmin()
