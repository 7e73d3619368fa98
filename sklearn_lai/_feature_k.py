"""Overrides of k as hyperparameters that searches can set one by one."""

from collections.abc import Iterator, Mapping
from typing import Any, Self


class FeatureK(Mapping):
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

    def __init__(self, /, **k):
        self._k = k

    def __getitem__(self, name: str) -> Any:
        return self._k[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._k)

    def __len__(self) -> int:
        return len(self._k)

    def __repr__(self) -> str:
        plain = [f"{name}={k!r}" for name, k in self.items() if name.isidentifier()]
        others = {name: k for name, k in self.items() if not name.isidentifier()}
        return f"FeatureK({', '.join(plain + ([f'**{others!r}'] if others else []))})"

    def get_params(self, deep: bool = True) -> dict[str, Any]:
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

    def set_params(self, /, **params: Any) -> Self:
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
