"""Choice of hyperparameters on the trade-off between accuracy and smoothness."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ._typing import Tolerance
from ._validation import TOLERANCE, check

__all__ = ["smoothest_within"]


def smoothest_within(
    tolerance: Tolerance,
    *,
    accuracy: str = "accuracy",
    smoothness: str = "smoothness",
) -> "SmoothestWithin":
    """Make a `refit` of a search: the smoothest candidate that is accurate enough.

    Accuracy alone never asks for a smooth model, and smoothness alone is won by a
    constant.

    Parameters
    ----------
    tolerance : float or '1se'
        How far the mean accuracy of a candidate may be from the best: a share of it (of
        the least error, if negated), >= 0, such as 0.02, or its standard error.
    accuracy : str, default='accuracy'
        Key in `scoring` of the score to keep, higher is better.
    smoothness : str, default='smoothness'
        Key in `scoring` of the score to maximise among these candidates, such as that
        of :func:`sklearn_lai.metrics.neg_noise_sensitivity`.

    Returns
    -------
    SmoothestWithin
        For the `refit` of GridSearchCV and the like: takes `cv_results_` and returns
        the index of the candidate, of equally smooth ones the most accurate. Those that
        failed on a fold do not count. It can be pickled.

    Raises
    ------
    ValueError
        If `tolerance` is not allowed; when called, if a metric is missing or all
        candidates failed.
    TypeError
        If `tolerance` has a wrong type.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sklearn_lai.metrics import neg_noise_sensitivity
    >>> from sklearn_lai.model_selection import smoothest_within
    >>> X, y = load_diabetes(return_X_y=True)
    >>> search = GridSearchCV(
    ...     Ridge(),
    ...     {"alpha": [0.01, 0.1, 1.0]},
    ...     scoring={
    ...         "accuracy": "neg_root_mean_squared_error",
    ...         "smoothness": neg_noise_sensitivity,
    ...     },
    ...     refit=smoothest_within(0.02),
    ... ).fit(X, y)
    >>> search.best_params_
    {'alpha': 0.1}
    """
    check("tolerance", tolerance, TOLERANCE)
    return SmoothestWithin(tolerance, accuracy, smoothness)


@dataclass(frozen=True)
class SmoothestWithin:
    """What :func:`smoothest_within` makes; called with `cv_results_`, the index."""

    tolerance: Tolerance
    accuracy: str
    smoothness: str

    def __call__(self, cv_results: Mapping[str, Any]) -> int:
        scores, smooth = self.mean_scores(cv_results)
        candidates = np.flatnonzero(scores >= self.lowest_score(cv_results))
        order = np.lexsort((scores[candidates], smooth[candidates]))
        return int(candidates[order[-1]])

    def mean_scores(self, cv_results: Mapping[str, Any]) -> tuple[np.ndarray, ...]:
        """Means over the folds of each candidate; both NaN where it failed."""
        scores, smooth = (
            _mean_scores(cv_results, role, name)
            for role, name in {
                "accuracy": self.accuracy,
                "smoothness": self.smoothness,
            }.items()
        )
        failed = ~(np.isfinite(scores) & np.isfinite(smooth))
        if failed.all():
            raise ValueError("No candidate of the search worked on all folds.")
        return np.where(failed, np.nan, scores), np.where(failed, np.nan, smooth)

    def lowest_score(self, cv_results: Mapping[str, Any]) -> float:
        """Mean accuracy from which on a candidate is accurate enough."""
        scores, _ = self.mean_scores(cv_results)
        best = np.nanargmax(scores)
        if self.tolerance != "1se":
            return scores[best] - self.tolerance * abs(scores[best])
        splits = _split_scores(cv_results, self.accuracy)
        if len(splits) < 2:
            raise ValueError(
                "tolerance='1se' needs a search with at least 2 folds, got "
                f"{len(splits)}."
            )
        return scores[best] - splits[:, best].std(ddof=1) / np.sqrt(len(splits))


def _mean_scores(cv_results: Mapping[str, Any], role: str, name: str) -> np.ndarray:
    key = f"mean_test_{name}"
    if key not in cv_results:
        names = [k.removeprefix("mean_test_") for k in cv_results if "mean_test_" in k]
        raise ValueError(
            f"{role}={name!r} must be a metric of the search, which has "
            f"{', '.join(map(repr, names))}: give scoring as a dict with that key."
        )
    return np.asarray(cv_results[key], dtype=np.float64)


def _split_scores(cv_results: Mapping[str, Any], name: str) -> np.ndarray:
    """Scores of all candidates on each fold, shape (n_folds, n_candidates)."""
    splits: list[np.ndarray] = []
    while f"split{len(splits)}_test_{name}" in cv_results:
        splits.append(cv_results[f"split{len(splits)}_test_{name}"])
    return np.array(splits, dtype=np.float64)
