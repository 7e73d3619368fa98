"""Folds of a cross-validation, listed once."""

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
