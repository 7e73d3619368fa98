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

from ._columns import by_position
from ._validation import NONE, POSITIVE, AnyOf, Each, InstanceOf, Number, check

K = AnyOf(POSITIVE, Each(POSITIVE), Each(POSITIVE, ndim=2))
KS = AnyOf(Number(Integral, 1), Each(POSITIVE, least=1))
FEATURE_K = AnyOf(
    NONE,
    InstanceOf(
        Mapping, "a mapping {column name or position: float or None} or FeatureK"
    ),
)


class FeatureK(Mapping[str, float | None]):
    """Boundary slopes of single features, each a nested parameter of its own.

    For `feature_k` of the estimators, in place of a dict: a search over
    ``feature_k__NAME`` then tunes the slope of the feature NAME alone.

    Parameters
    ----------
    **k : float or None
        Boundary slope, > 0, by column name, or by position, from 0, as a string of
        digits, where `X` has no column names. None leaves that direction alone. Names
        that are no identifiers are given as ``FeatureK(**{"my name": 0.1})``. Names
        need not be given here to be set later.

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

    def __init__(self, /, **k: float | None):
        self._k = k

    def __getitem__(self, name: str) -> float | None:
        return self._k[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._k)

    def __len__(self) -> int:
        return len(self._k)

    def __repr__(self) -> str:
        plain = [f"{name}={k!r}" for name, k in self.items() if name.isidentifier()]
        others = {name: k for name, k in self.items() if not name.isidentifier()}
        return f"FeatureK({', '.join(plain + ([f'**{others!r}'] if others else []))})"

    def get_params(self, deep: bool = True) -> dict[str, float | None]:
        """Get the slopes by name.

        Parameters
        ----------
        deep : bool, default=True
            Not used; nested parameters have it.

        Returns
        -------
        dict
            Slope, or None, by name.
        """
        return dict(self._k)

    def set_params(self, /, **params: float | None) -> Self:
        """Set slopes by name, those of further features, too.

        Parameters
        ----------
        **params : float or None
            Slope, or None, by name.

        Returns
        -------
        FeatureK
            This object.
        """
        self._k.update(params)
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
    resolved = np.array(k, dtype=np.float64)
    if resolved.shape not in ((), (n_features,), (n_outputs, n_features)):
        raise ValueError(
            f"k must be one number, one per feature, shape ({n_features},), or one per "
            f"output and feature, shape ({n_outputs}, {n_features}), got {k!r} of "
            f"shape {resolved.shape}."
        )
    if resolved.ndim == 0:
        resolved = np.full(n_features, resolved)
    overrides = by_position(feature_k or {}, "feature_k", n_features, names)
    for j, (key, k_j) in overrides.items():
        check(f"feature_k[{key!r}]", k_j, AnyOf(POSITIVE, NONE))
        resolved[..., j] = np.nan if k_j is None else k_j
    return resolved
