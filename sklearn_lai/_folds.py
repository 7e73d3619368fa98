"""Folds of a cross-validation, listed once, and how scores on them compare."""

from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.model_selection import check_cv

from ._typing import Tolerance
from ._validation import Each, InstanceOf, check, check_not_masked, shown

ANYTHING = InstanceOf(object, "of whatever type")


def list_folds(
    cv: Any,
    X: np.ndarray,
    y: np.ndarray,
    sample_weight: np.ndarray | None,
    groups: Any,
    tolerance: Tolerance,
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Positions of the training and test samples of every fold, all of them checked."""
    counts = np.ones(len(X), dtype=bool) if sample_weight is None else sample_weight > 0
    if isinstance(cv, Integral) and int(cv) > len(X):
        raise ValueError(f"cv must be at most n_samples={len(X)}, got {shown(cv)}.")
    if groups is not None:
        check("groups", groups, Each(ANYTHING, least=len(X), most=len(X)))
    is_list = hasattr(cv, "__iter__") and not hasattr(cv, "split")
    try:
        found = list(cv if is_list else check_cv(cv).split(X, y, groups))
    except TypeError as error:  # of what has the method, but is no splitter
        raise TypeError(f"cv={shown(cv)} cannot split the data: {error}") from error
    folds = [_fold(number, fold, len(X)) for number, fold in enumerate(found)]
    if not folds:
        raise ValueError(f"cv must have at least one fold, got {shown(cv)}.")
    for number, fold in enumerate(folds):
        if not all(counts[part].any() for part in fold):
            raise ValueError(
                f"Fold {number} of cv has no training or no test samples with a "
                "positive sample_weight."
            )
    if tolerance == "1se" and len(folds) < 2:
        raise ValueError("tolerance='1se' needs at least 2 folds, got 1.")
    return folds


def _fold(number: int, fold: Any, n_samples: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions of a fold; raises an error that names it if it has none."""
    every = np.arange(n_samples)
    try:
        train, test = fold
        return every[_index(train)], every[_index(test)]
    except (TypeError, ValueError, IndexError) as error:
        raise ValueError(
            "cv must be an integer, a splitter or an iterable of pairs (train, test), "
            f"each of positions from 0 to {n_samples - 1} or a mask; fold {number} is "
            f"{shown(fold)}: {error}."
        ) from error


def _index(part: Any) -> np.ndarray:
    """Positions or a mask; of an empty list NumPy would make floats."""
    check_not_masked("each part", part)
    part = np.asarray(part)
    return part if part.size else part.astype(int)


@contextmanager
def naming(where: str) -> Iterator[None]:
    """Have an error say where in a cross-validation it is."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"With {where}: {error}") from error


def compare(scores: np.ndarray, tolerance: Tolerance) -> tuple[np.ndarray, float]:
    """Scores to compare candidates by, and from which on one is accurate enough.

    `scores` has shape (n_candidates, n_folds), higher is better; NaN where a candidate
    failed. The tolerance is the standard error of the best mean, or a share of it. In
    shares, a candidate is as far from the best as in the median fold: a single row far
    out may change the score of its fold by more than the tolerance.
    """
    mean = scores.mean(axis=1)
    best = np.nanargmax(mean)
    if tolerance == "1se":
        standard_error = scores[best].std(ddof=1) / np.sqrt(scores.shape[1])
        return mean, float(mean[best] - standard_error)
    with np.errstate(over="ignore"):  # to where all are accurate enough
        lowest = float(mean[best] - tolerance * np.abs(mean[best]))
    if tolerance > 0:
        mean = mean[best] + np.median(scores - scores[best], axis=1)
    return mean, lowest


def take_rows(X: Any, rows: np.ndarray) -> Any:
    """Rows of an array or a DataFrame, of pandas, polars and the like."""
    return X.iloc[rows] if hasattr(X, "iloc") else X[rows]
