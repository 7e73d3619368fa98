"""Folds of a cross-validation, listed once, and the choice of k by its errors."""

from typing import Any

import numpy as np
from sklearn.model_selection import check_cv

from ._typing import Tolerance


def list_folds(
    cv: Any,
    X: np.ndarray,
    y: np.ndarray,
    sample_weight: np.ndarray | None,
    groups: Any,
    tolerance: Tolerance,
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Positions of the training and test samples of every fold, all of them checked."""
    every = np.arange(len(X))
    counts = np.ones(len(X), dtype=bool) if sample_weight is None else sample_weight > 0
    folds = [
        (every[_index(train)], every[_index(test)])
        for train, test in check_cv(cv).split(X, y, groups)
    ]
    if not folds:
        raise ValueError(f"cv must have at least one fold, got {cv!r}.")
    for number, fold in enumerate(folds):
        if not all(counts[part].any() for part in fold):
            raise ValueError(
                f"Fold {number} of cv has no training or no test samples with a "
                "positive sample_weight."
            )
    if tolerance == "1se" and len(folds) < 2:
        raise ValueError("tolerance='1se' needs at least 2 folds, got 1.")
    return folds


def _index(part: Any) -> np.ndarray:
    """Positions or a mask; of an empty list NumPy would make floats."""
    part = np.asarray(part)
    return part if part.size else part.astype(int)


def smallest_within(
    ks: np.ndarray, errors: np.ndarray, unit: np.ndarray, tolerance: Tolerance
) -> np.intp:
    """Index of the smallest k whose error is at most `largest_rmse`.

    `errors` are mean squared errors, (n_ks, n_folds, n_outputs), and `unit` has a unit
    of each output, so that the choice does not depend on that of the data.
    """
    errors = (errors / np.square(unit)).mean(axis=2)
    rmse = np.sqrt(errors.mean(axis=1))
    return np.where(rmse <= largest_rmse(errors, tolerance), ks, np.inf).argmin()


def largest_rmse(errors: np.ndarray, tolerance: Tolerance) -> float:
    """Root mean squared error up to which a candidate is accurate enough.

    `errors` are mean squared errors, (n_candidates, n_folds). The tolerance is a share
    of the least root, or the standard error of the least mean.
    """
    mean = errors.mean(axis=1)
    if tolerance != "1se":
        return float((1 + tolerance) * np.sqrt(mean.min()))
    best = mean.argmin()
    standard_error = errors[best].std(ddof=1) / np.sqrt(errors.shape[1])
    return float(np.sqrt(mean[best] + standard_error))
