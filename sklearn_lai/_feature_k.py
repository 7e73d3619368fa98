"""Boundary slopes by feature: as a user gives them, and as all else takes them.

A user gives `k`, a number, one per feature, or one per output and feature, and in
`feature_k` overrides of it by the names or positions of columns, of which None leaves a
direction alone. `resolve_k` makes one array of both, of shape (n_features,) or
(n_outputs, n_features) if `k` is 2-D, that has NaN where a direction is left out. This
is `feature_k_` of the estimators and `k` of the second stage, of the objectives, there
as a tensor, and of the exact solver.
"""

from collections.abc import Iterator, Mapping
from numbers import Integral
from typing import Any, Self

import numpy as np

from ._columns import OF_SUBSETS, by_position, is_labelled
from ._validation import (
    NONE,
    POSITIVE,
    AnyOf,
    Each,
    InstanceOf,
    Number,
    OneOf,
    as_floats,
    check,
    shown,
)

K = AnyOf(POSITIVE, Each(POSITIVE), Each(POSITIVE, ndim=2))
# More are more than a curve can show, and take for ever.
MOST_KS = 1000
KS = AnyOf(Number(Integral, 1, MOST_KS), Each(POSITIVE, least=1, most=MOST_KS))
MAPPING = InstanceOf(
    Mapping, "a mapping {column name or position: float or None} or FeatureK"
)
FEATURE_K = AnyOf(NONE, MAPPING)
SLOPES = AnyOf(MAPPING, OneOf(((),)))


class FeatureK(Mapping[str | int, float | None]):
    """Boundary slopes of single features, each a nested parameter of its own.

    For `feature_k` of the estimators, in place of a dict: a search over
    ``feature_k__NAME`` then tunes the slope of the feature NAME alone. The estimators
    make one of a dict or None where such a parameter is set.

    Parameters
    ----------
    slopes : mapping of {str or int: float or None}, default=()
        Boundary slopes, > 0, by column name or position, from 0. None leaves that
        direction alone.
    **k : float or None
        The same by column name. Names need not be given here to be set later. A name of
        digits is a position, too, where `X` has no column names, so that
        ``feature_k__0`` is the first feature.

    Raises
    ------
    TypeError
        If `slopes` is no mapping; keys and values are checked where an estimator is
        fitted.

    See Also
    --------
    LaiMLPRegressor : Has the parameter `feature_k`.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sklearn_lai import FeatureK, LaiLinearRegressor
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> model = LaiLinearRegressor(feature_k=FeatureK(age=0.1))
    >>> search = GridSearchCV(model, {"feature_k__bmi": [0.3, 0.1]}).fit(X, y)
    >>> search.best_estimator_.feature_k
    FeatureK(age=0.1, bmi=0.3)
    """

    def __init__(
        self,
        slopes: Mapping[Any, float | None] | tuple[()] = (),
        /,
        **k: float | None,
    ):
        check("slopes", slopes, SLOPES)
        self._k: dict[str | int, float | None] = dict(slopes)
        self._k.update(k.items())

    def __getitem__(self, key: str | int) -> float | None:
        return self._k[key]

    def __iter__(self) -> Iterator[str | int]:
        return iter(self._k)

    def __len__(self) -> int:
        return len(self._k)

    def __repr__(self) -> str:
        words = {key: k for key, k in self.items() if str(key).isidentifier()}
        others = {key: k for key, k in self.items() if key not in words}
        first = [repr(others)] if others else []
        return f"FeatureK({', '.join(first + [f'{w}={words[w]!r}' for w in words])})"

    def __sklearn_clone__(self) -> Self:
        # scikit-learn's own way by get_params would make names of positions.
        return type(self)(self._k)

    def get_params(self, deep: bool = True) -> dict[str, float | None]:
        """Get the slopes by name, or by position as a string of digits.

        Parameters
        ----------
        deep : bool, default=True
            Not used; nested parameters have it.

        Returns
        -------
        dict
            Slope, or None, by name.
        """
        by_name = {key: k for key, k in self.items() if isinstance(key, str)}
        return {**{str(key): k for key, k in self.items()}, **by_name}

    def set_params(self, /, **params: float | None) -> Self:
        """Set slopes by name, those of further features, too.

        Parameters
        ----------
        **params : float or None
            Slope, or None, by name. What `get_params` calls by a string of digits, a
            position, stays one.

        Returns
        -------
        FeatureK
            This object.
        """
        positions = {str(key): key for key in self if not isinstance(key, str)}
        for name, k in params.items():
            self._k[name if name in self else positions.get(name, name)] = k
        return self


def resolve_k(
    k: Any,
    feature_k: Mapping | None,
    n_features: int,
    n_outputs: int,
    names: np.ndarray | None,
) -> np.ndarray:
    """Boundary slope of every feature, or of every output and feature if `k` is 2-D.

    NaN marks a feature that is left out. `k` and `feature_k` keep their rules; `names`
    are those of the columns.
    """
    resolved = _in_order(k, n_features, names)
    if resolved.shape not in ((), (n_features,), (n_outputs, n_features)):
        raise ValueError(
            f"k must be one number, one per feature, shape ({n_features},), or one per "
            f"output and feature, shape ({n_outputs}, {n_features}), got {shown(k)} of "
            f"shape {resolved.shape}. {OF_SUBSETS}"
        )
    if resolved.ndim == 0:
        resolved = np.full(n_features, resolved)
    overrides = by_position(feature_k or {}, "feature_k", n_features, names)
    for j, (key, k_j) in overrides.items():
        check(f"feature_k[{key!r}]", k_j, AnyOf(POSITIVE, NONE))
        resolved[..., j] = np.nan if k_j is None else k_j
    return resolved


def _in_order(k: Any, n_features: int, names: np.ndarray | None) -> np.ndarray:
    """The numbers of `k`, those that go by the names of columns in their order."""
    if not is_labelled(k, "k"):
        return as_floats(k)
    found = by_position(k, "k", n_features, names)
    missing = [j for j in range(n_features) if j not in found]
    if missing:
        which = missing if names is None else [str(names[j]) for j in missing]
        raise ValueError(
            f"k goes by column name and must have all columns of X; it lacks {which}. "
            "Set single columns by feature_k."
        )
    columns = [found[j][1] for j in range(n_features)]
    return np.array(columns, dtype=np.float64).T
