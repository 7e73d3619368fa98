"""Noise sensitivity per feature, of one or several models."""

from collections.abc import Mapping, Sequence
from functools import partial
from numbers import Integral
from typing import Annotated, Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_random_state

from .._typing import RandomState
from .._validation import (
    COUNT,
    MODEL,
    NONE,
    POSITIVE,
    RANDOM_STATE,
    AnyOf,
    Figures,
    InstanceOf,
    check,
    checked,
)
from ..metrics import noise_sensitivity
from . import _plotting

BY_MODEL = InstanceOf(Mapping, "a mapping {name: of a model}")


class SensitivityDisplay:
    """Noise sensitivity of every feature, several models side by side.

    Make it by :meth:`from_estimator`; the parameters are stored as attributes.

    Parameters
    ----------
    sensitivities : mapping of {str: ndarray of shape (n_features,)}
        Noise sensitivity to each feature by model, in target units; NaN for features
        that are not shown.
    feature_names : array-like of str of shape (n_features,)
        Names of the features.
    noise : float, default=1.0
        Standard deviation of the noise, in standard deviations of the feature; for the
        label.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes drawn on.
    figure_ : matplotlib Figure
        Its figure.
    lines_ : list of matplotlib Line2D
        The points of each model.

    See Also
    --------
    sklearn_lai.metrics.noise_sensitivity : The figures shown.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import LinearRegression, Ridge
    >>> from sklearn_lai.inspection import SensitivityDisplay
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> models = {"OLS": LinearRegression().fit(X, y), "Ridge": Ridge().fit(X, y)}
    >>> display = SensitivityDisplay.from_estimator(models, X)
    >>> display.ax_.get_xlabel()
    'noise sensitivity (target units)'
    """

    @checked
    def __init__(
        self,
        *,
        sensitivities: Annotated[Mapping[str, np.ndarray], BY_MODEL],
        feature_names: Annotated[ArrayLike, _plotting.FEATURE_NAMES],
        noise: Annotated[float, POSITIVE] = 1.0,
    ):
        self.sensitivities = sensitivities
        self.feature_names = feature_names
        self.noise = noise

    @classmethod
    @checked
    def from_estimator(
        cls,
        estimator: Annotated[Any, AnyOf(BY_MODEL, MODEL)],
        X: Any,
        *,
        feature_names: Annotated[
            Sequence[str] | None, AnyOf(NONE, _plotting.FEATURE_NAMES)
        ] = None,
        noise: Annotated[float, POSITIVE] = 1.0,
        n_repeats: Annotated[int, COUNT] = 5,
        random_state: Annotated[RandomState, RANDOM_STATE] = 0,
        max_features: Annotated[int, COUNT] = 20,
        ax: Annotated[Any, _plotting.AXES] = None,
    ) -> "SensitivityDisplay":
        """Draw the noise sensitivity of a fitted regressor, or of several.

        Parameters
        ----------
        estimator : object with a predict method, or mapping of {str: such an object}
            Fitted regressor or pipeline, or several by the names to show.
        X : array-like or DataFrame of shape (n_samples, n_features)
            Data to predict from.
        feature_names : array-like of str of shape (n_features,), default=None
            Names of the features; None is those of the columns of `X`, or positions.
        noise : float, default=1.0
            Standard deviation of the noise, > 0, in standard deviations of the feature.
        n_repeats : int, default=5
            How often to draw the noise, >= 1.
        random_state : int, RandomState instance or None, default=0
            Seed of the noise, the same for all models.
        max_features : int, default=20
            Features to show at most, >= 1: the most sensitive ones.
        ax : matplotlib Axes, default=None
            Axes to draw on; None is a new figure.

        Returns
        -------
        SensitivityDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If there is no estimator, a parameter has a value that is not allowed, or as
            :func:`sklearn_lai.metrics.noise_sensitivity`.
        TypeError
            If a parameter has a wrong type.
        """
        if not isinstance(estimator, Mapping):
            estimator = {type(estimator).__name__: estimator}
        if not estimator:
            raise ValueError("estimator must have at least one model, got none.")
        for name, model in estimator.items():
            check(f"estimator[{name!r}]", model, MODEL)
        if not isinstance(random_state, Integral):
            rng = check_random_state(random_state)
            random_state = rng.randint(np.iinfo(np.int32).max)
        sensitivity = partial(
            noise_sensitivity,
            X=X,
            noise=noise,
            n_repeats=n_repeats,
            random_state=random_state,
        )
        sensitivities = {
            name: np.atleast_2d(sensitivity(model)).mean(axis=0)
            for name, model in estimator.items()
        }
        n_features = len(next(iter(sensitivities.values())))
        names = _plotting.names_of_features(feature_names, X, n_features)
        display = cls(sensitivities=sensitivities, feature_names=names, noise=noise)
        return display.plot(ax, max_features=max_features)

    @checked
    def plot(
        self,
        ax: Annotated[Any, _plotting.AXES] = None,
        *,
        max_features: Annotated[int, COUNT] = 20,
    ) -> "SensitivityDisplay":
        """Draw, the feature with the largest mean over the models first.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None is a new figure.
        max_features : int, default=20
            Features to show at most, >= 1: the most sensitive ones.

        Returns
        -------
        SensitivityDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If `max_features` is not positive, or there are no `sensitivities` or not as
            many as `feature_names`.
        TypeError
            If a parameter has a wrong type.
        """
        n_features = len(np.asarray(self.feature_names))
        if not self.sensitivities:
            raise ValueError("sensitivities must have at least one model, got none.")
        for name, values in self.sensitivities.items():
            called = f"sensitivities[{name!r}]"
            check(called, values, Figures())
            _plotting.check_lengths("feature_names", n_features, {called: values})
        table = np.array(list(self.sensitivities.values()), dtype=np.float64)
        order = _plotting.largest_first(table.mean(axis=0), max_features)
        names, table = np.asarray(self.feature_names)[order], table[:, order]
        self.ax_ = _plotting.feature_axes(ax, names)
        self.figure_ = self.ax_.figure
        heights = _plotting.heights(names)
        self.ax_.hlines(
            heights, table.min(axis=0), table.max(axis=0), color=_plotting.GREY
        )
        self.lines_ = [
            self.ax_.plot(
                values,
                heights,
                linestyle="none",
                label=_plotting.as_text(name),
                **style,
            )[0]
            for name, values, style in zip(
                self.sensitivities, table, _plotting.styles(), strict=False
            )
        ]
        noise = "" if self.noise == 1 else f", noise of {self.noise:g} SD"
        self.ax_.set(xlim=(0, None), xlabel=f"noise sensitivity (target units{noise})")
        if len(self.lines_) > 1:
            _plotting.legend_above(self.ax_, self.lines_, n_columns=3)
        return self
