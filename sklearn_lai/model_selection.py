"""Choice of hyperparameters on the trade-off between accuracy and smoothness."""

from collections.abc import Mapping
from numbers import Real
from typing import Annotated, Any, Self

import numpy as np

from ._folds import compare
from ._typing import Tolerance
from ._validation import (
    STRING,
    TOLERANCE,
    InstanceOf,
    Number,
    check_not_masked,
    checked,
)
from ._warnings import warn_caller

__all__ = ["most_accurate_within", "smoothest_within"]

CV_RESULTS = InstanceOf(Mapping, "the cv_results_ of a search")


@checked
def smoothest_within(
    tolerance: Annotated[Tolerance, TOLERANCE],
    *,
    accuracy: Annotated[str, STRING] = "accuracy",
    smoothness: Annotated[str, STRING] = "smoothness",
) -> "SmoothestWithin":
    """Make a `refit` of a search: the smoothest candidate that is accurate enough.

    Accuracy alone never asks for a smooth model, and smoothness alone is won by a
    constant.

    Parameters
    ----------
    tolerance : float or '1se'
        How far the accuracy of a candidate may be from that of the best mean: a share
        of this mean (of the least error, if negated), >= 0, such as 0.02, in the median
        fold, so that a fold with an outlier does not decide; or its standard error.
    accuracy : str, default='accuracy'
        Key in `scoring` of the score to keep, higher is better.
    smoothness : str, default='smoothness'
        Key in `scoring` of the score to maximise among these candidates, such as that
        of :func:`sklearn_lai.metrics.neg_noise_sensitivity`.

    Returns
    -------
    SmoothestWithin
        For the `refit` of GridSearchCV and the like: takes `cv_results_` and returns
        the index of the candidate, of equally smooth ones the most accurate in the same
        sense. Those that failed on a fold do not count. It can be pickled. The `score`
        of the search is its accuracy; as for every callable `refit`, the search has no
        `best_score_`, which is
        ``search.cv_results_["mean_test_accuracy"][search.best_index_]``.

    Raises
    ------
    ValueError
        If `tolerance` is not allowed; when called, if a metric is missing or all
        candidates failed.
    TypeError
        If a parameter has a wrong type.

    See Also
    --------
    most_accurate_within : The most accurate of those that are smooth enough.

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
    >>> round(search.score(X, y), 1)
    -53.8
    """
    return SmoothestWithin(accuracy, smoothness, tolerance)


@checked
def most_accurate_within(
    max_sensitivity: Annotated[float, Number(Real, 0)],
    *,
    accuracy: Annotated[str, STRING] = "accuracy",
    smoothness: Annotated[str, STRING] = "smoothness",
) -> "MostAccurateWithin":
    """Make a `refit` of a search: the most accurate candidate that is smooth enough.

    Parameters
    ----------
    max_sensitivity : float
        How rough a candidate may be, >= 0: the largest mean of the negated smoothness,
        such as a noise sensitivity in target units.
    accuracy : str, default='accuracy'
        Key in `scoring` of the score to maximise, higher is better.
    smoothness : str, default='smoothness'
        Key in `scoring` of the negated roughness, such as that of
        :func:`sklearn_lai.metrics.neg_noise_sensitivity`.

    Returns
    -------
    MostAccurateWithin
        For the `refit` of GridSearchCV and the like: takes `cv_results_` and returns
        the index of the candidate, of equally accurate ones the smoothest. Those that
        failed on a fold do not count. It can be pickled. For the `score` of the search,
        see :func:`smoothest_within`.

    Raises
    ------
    ValueError
        If `max_sensitivity` is not allowed; when called, if a metric is missing or all
        candidates failed.
    TypeError
        If a parameter has a wrong type.

    Warns
    -----
    UserWarning
        When called, if no candidate is smooth enough; the smoothest is taken, of
        equally smooth ones the most accurate.

    See Also
    --------
    smoothest_within : The smoothest of those that are accurate enough.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sklearn_lai.metrics import neg_noise_sensitivity
    >>> from sklearn_lai.model_selection import most_accurate_within
    >>> X, y = load_diabetes(return_X_y=True)
    >>> search = GridSearchCV(
    ...     Ridge(),
    ...     {"alpha": [0.01, 0.1, 1.0]},
    ...     scoring={
    ...         "accuracy": "neg_root_mean_squared_error",
    ...         "smoothness": neg_noise_sensitivity,
    ...     },
    ...     refit=most_accurate_within(5),
    ... ).fit(X, y)
    >>> search.best_params_
    {'alpha': 1.0}
    """
    return MostAccurateWithin(accuracy, smoothness, max_sensitivity)


class RefitRule(str):
    """A choice by accuracy and smoothness; called with `cv_results_`, the index.

    As a string it is the name of the accuracy, since searches look up by `refit` which
    of their metrics their own `score` is.
    """

    limit: Any
    smoothness: str

    def __new__(cls, accuracy: str, smoothness: str, limit: Any) -> Self:
        rule = super().__new__(cls, accuracy)
        rule.smoothness, rule.limit = smoothness, limit
        return rule

    def __getnewargs__(self) -> tuple:
        return str(self), self.smoothness, self.limit

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({self.limit!r}, accuracy={str(self)!r}, "
            f"smoothness={self.smoothness!r})"
        )

    def __call__(self, cv_results: Mapping[str, Any]) -> int:
        raise NotImplementedError

    def mean_scores(self, cv_results: Mapping[str, Any]) -> tuple[np.ndarray, ...]:
        """Means over the folds of each candidate; both NaN where it failed."""
        scores, smooth = (
            _mean_scores(cv_results, role, name)
            for role, name in {
                "accuracy": str(self),
                "smoothness": self.smoothness,
            }.items()
        )
        failed = ~(np.isfinite(scores) & np.isfinite(smooth))
        if failed.all():
            raise ValueError("No candidate of the search worked on all folds.")
        return np.where(failed, np.nan, scores), np.where(failed, np.nan, smooth)


class SmoothestWithin(RefitRule):
    """What :func:`smoothest_within` makes; `limit` is the tolerance."""

    @checked
    def __call__(self, cv_results: Annotated[Mapping[str, Any], CV_RESULTS]) -> int:
        scores, lowest = self.compare(cv_results)
        _, smooth = self.mean_scores(cv_results)
        candidates = np.flatnonzero(scores >= lowest)
        order = np.lexsort((scores[candidates], smooth[candidates]))
        return int(candidates[order[-1]])

    def compare(self, cv_results: Mapping[str, Any]) -> tuple[np.ndarray, float]:
        """Accuracies to compare by, and from which on one is enough."""
        mean, _ = self.mean_scores(cv_results)
        splits = _split_scores(cv_results, str(self))
        if self.limit == "1se" and len(splits) < 2:
            raise ValueError(
                "tolerance='1se' needs a search with at least 2 folds, got "
                f"{len(splits)}."
            )
        scores = splits if len(splits) else mean[None]
        return compare(np.where(np.isnan(mean), np.nan, scores).T, self.limit)


class MostAccurateWithin(RefitRule):
    """What :func:`most_accurate_within` makes; `limit` is the largest sensitivity."""

    @checked
    def __call__(self, cv_results: Annotated[Mapping[str, Any], CV_RESULTS]) -> int:
        scores, smooth = self.mean_scores(cv_results)
        candidates = np.flatnonzero(-smooth <= self.limit)
        if not len(candidates):
            warn_caller(
                f"No candidate has a sensitivity of at most max_sensitivity="
                f"{self.limit!r}; the smoothest, with {-np.nanmax(smooth):.6g}, is "
                "taken.",
                UserWarning,
            )
            candidates = np.flatnonzero(smooth == np.nanmax(smooth))
        order = np.lexsort((smooth[candidates], scores[candidates]))
        return int(candidates[order[-1]])


def _mean_scores(cv_results: Mapping[str, Any], role: str, name: str) -> np.ndarray:
    key = f"mean_test_{name}"
    if key not in cv_results:
        names = [
            k.removeprefix("mean_test_")
            for k in map(str, cv_results)
            if "mean_test_" in k
        ]
        raise ValueError(
            f"{role}={name!r} must be a metric of the search, which has "
            f"{', '.join(map(repr, names)) or 'none in cv_results'}: give scoring "
            "as a dict with that key."
        )
    check_not_masked(f"cv_results[{key!r}]", cv_results[key])
    return np.asarray(cv_results[key], dtype=np.float64)


def _split_scores(cv_results: Mapping[str, Any], name: str) -> np.ndarray:
    """Scores of all candidates on each fold, shape (n_folds, n_candidates)."""
    splits: list[np.ndarray] = []
    while f"split{len(splits)}_test_{name}" in cv_results:
        splits.append(cv_results[f"split{len(splits)}_test_{name}"])
    return np.array(splits, dtype=np.float64)
