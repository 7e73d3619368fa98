"""How the slopes of a model are distributed over the data."""

from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from .._statistics import ColumnStatistics
from .._tables import check_n_outputs, check_targets
from .._validation import COUNT, NONE, STRING, AnyOf, Figures, FiniteFigures, checked
from . import _plotting

# Shown of each distribution: a thin line, a thick line and a point.
OUTER, INNER = (5, 95), (25, 75)
# Bounds are drawn up to so many times the largest of these, and numbers beyond.
FURTHEST = 3


class SlopeDisplay:
    """Distribution of the slopes to each feature over the data, and +-k.

    A thin line holds the middle 90 % of the rows, a thick one the middle half, a point
    is the median. A grey line ends at the bounds, which no slope in the range of the
    training data is outside of, or at their numbers if they are far away. Make it by
    :meth:`from_estimator`; the parameters are stored as attributes.

    Parameters
    ----------
    slopes : array-like of shape (n_rows, n_features)
        Slopes at each row.
    k : array-like of shape (n_features,) or (n_outputs, n_features)
        Boundary slope of each feature, or of each output and feature, in the same
        units; NaN where there is none.
    feature_names : array-like of str of shape (n_features,)
        Names of the features.
    unit : str, default='target SD per feature SD'
        Unit of the slopes, for the label.
    bounds : array-like of shape (2, n_features), default=None
        Lower and upper bound of the slopes to each feature, in the same units; None
        shows none.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes drawn on.
    figure_ : matplotlib Figure
        Its figure.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn_lai import LaiMLPRegressor
    >>> from sklearn_lai.inspection import SlopeDisplay
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> model = LaiMLPRegressor(random_state=0).fit(X, y)
    >>> display = SlopeDisplay.from_estimator(model, X, y)
    >>> display.slopes.shape
    (442, 10)
    """

    @checked
    def __init__(
        self,
        *,
        slopes: Annotated[ArrayLike, FiniteFigures((2,))],
        k: Annotated[ArrayLike, Figures((1, 2))],
        feature_names: Annotated[ArrayLike, _plotting.FEATURE_NAMES],
        unit: Annotated[str, STRING] = "target SD per feature SD",
        bounds: Annotated[ArrayLike | None, AnyOf(NONE, Figures((2,)))] = None,
    ):
        self.slopes = slopes
        self.k = k
        self.feature_names = feature_names
        self.unit = unit
        self.bounds = bounds

    @classmethod
    @checked
    def from_estimator(
        cls,
        estimator: Annotated[Any, _plotting.ESTIMATOR],
        X: Any,
        y: Any,
        *,
        feature_names: Annotated[
            Sequence[str] | None, AnyOf(NONE, _plotting.FEATURE_NAMES)
        ] = None,
        max_features: Annotated[int, COUNT] = 20,
        max_boxes: Annotated[int | None, AnyOf(NONE, COUNT)] = 100,
        ax: Annotated[Any, _plotting.AXES] = None,
    ) -> "SlopeDisplay":
        """Draw the slopes of a fitted estimator.

        Parameters
        ----------
        estimator : LaiMLPRegressor, LaiLinearRegressor, their CV classes or Pipeline
            Fitted estimator, or a pipeline that ends in one; its slopes are then those
            to the features that the last step gets.
        X : array-like or DataFrame of shape (n_samples, n_features)
            Data on which to find the slopes, best that of the fit.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Its targets. Slopes and `k` are shown in standard deviations of `y` per
            standard deviation of the feature with ``standardize=True``, or in place of
            the former in what robust losses have, 1.4826 times the median deviation
            from the median; all outputs are shown together.
        feature_names : array-like of str of shape (n_features,), default=None
            Names of the features; None is those of the columns of `X`, or positions.
        max_features : int, default=20
            Features to show at most, >= 1: those with the steepest slopes.
        max_boxes : int or None, default=100
            How hard to try for the bounds, >= 1, as in
            :meth:`~sklearn_lai.LaiMLPRegressor.slope_bounds`. They hold over the range
            of the training data, for pipelines as the last step got it, not for rows
            of `X` outside. None shows none.
        ax : matplotlib Axes, default=None
            Axes to draw on; None is a new figure.

        Returns
        -------
        SlopeDisplay
            The display, drawn.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If it has no `input_gradient`, or a parameter has a wrong type.
        ValueError
            If a parameter has a value that is not allowed.
        """
        if isinstance(estimator, Pipeline):
            if len(estimator) > 1:
                X = estimator[:-1].transform(X)
            estimator = estimator[-1]
        if not hasattr(estimator, "input_gradient"):
            raise TypeError(
                "estimator must have an input_gradient method, or be a Pipeline that "
                f"ends in such a one, got {type(estimator).__name__}."
            )
        check_is_fitted(estimator)
        slopes = estimator.input_gradient(X)
        n_rows, n_features = len(slopes), slopes.shape[-1]
        names = _plotting.names_of_features(feature_names, X, n_features)
        slopes, y = slopes.reshape(n_rows, -1, n_features), check_targets(y, n_rows)
        check_n_outputs(y.shape[1], slopes.shape[1], "y", "the estimator")
        unit, scale = "target units per feature unit", np.ones(1)
        if estimator.standardize:
            unit, deviation = "target SD per feature SD", np.std(y, axis=0)
            if getattr(estimator, "loss", "squared_error") != "squared_error":
                unit = "robust target SD per feature SD"
                deviation = np.sqrt(ColumnStatistics.of_most(y).variance)
            sds = np.std(np.asarray(X, dtype=np.float64), axis=0)
            # Of a constant target the unit is 1, as in training.
            scale = sds / np.where(deviation > 0, deviation, 1)[:, None]
        bounds = None
        if max_boxes is not None and hasattr(estimator, "slope_bounds"):
            ends = estimator.slope_bounds(max_boxes=max_boxes)
            lower, upper = (end.reshape(slopes.shape[1:]) * scale for end in ends)
            bounds = np.array([lower.min(axis=0), upper.max(axis=0)])
        display = cls(
            slopes=(slopes * scale).reshape(-1, n_features),
            k=estimator.feature_k_,
            feature_names=names,
            unit=unit,
            bounds=bounds,
        )
        return display.plot(ax, max_features=max_features)

    @checked
    def plot(
        self,
        ax: Annotated[Any, _plotting.AXES] = None,
        *,
        max_features: Annotated[int, COUNT] = 20,
    ) -> "SlopeDisplay":
        """Draw, the feature with the largest mean magnitude first.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None is a new figure.
        max_features : int, default=20
            Features to show at most, >= 1: those with the steepest slopes.

        Returns
        -------
        SlopeDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If `max_features` is not positive, or `slopes` or `k` are not as many as
            `feature_names`.
        TypeError
            If a parameter has a wrong type.
        """
        slopes = np.asarray(self.slopes)
        _plotting.check_lengths(
            "feature_names",
            len(np.asarray(self.feature_names)),
            {"slopes": slopes.T, "k": np.asarray(self.k).T},
        )
        if self.bounds is not None and np.shape(self.bounds) != (2, len(slopes.T)):
            raise ValueError(
                "bounds must have a lower and an upper one for each of the "
                f"{len(slopes.T)} features, shape (2, {len(slopes.T)}), got shape "
                f"{np.shape(self.bounds)}."
            )
        order = _plotting.largest_first(np.abs(slopes).mean(axis=0), max_features)
        names, slopes = np.asarray(self.feature_names)[order], slopes[:, order]
        self.ax_ = ax = _plotting.feature_axes(ax, names)
        self.figure_ = ax.figure
        heights = _plotting.heights(names)
        ax.axvline(0, color=_plotting.GREY, linewidth=0.8)
        handles = [
            ax.hlines(
                heights,
                *np.percentile(slopes, limits, axis=0),
                color=_plotting.BLUE,
                linewidth=width,
                label=f"{limits[1] - limits[0]} % of rows",
            )
            for limits, width in ((OUTER, 1.5), (INNER, 6))
        ]
        handles += ax.plot(
            np.median(slopes, axis=0),
            heights,
            "o",
            color="white",
            markeredgecolor=_plotting.BLUE,
            label="median",
        )
        k = np.atleast_2d(np.asarray(self.k, dtype=np.float64))[:, order]
        handles += ax.plot(
            np.concatenate([-k, k]).ravel(),
            np.tile(heights, 2 * len(k)),
            "|",
            color=_plotting.ORANGE,
            markersize=14,
            markeredgewidth=2,
            label="$\\pm k$",
        )
        if self.bounds is not None:
            bounds = np.asarray(self.bounds, dtype=np.float64)[:, order]
            shown = [np.percentile(slopes, OUTER, axis=0).ravel(), k[np.isfinite(k)]]
            reach = FURTHEST * float(np.abs(np.concatenate(shown)).max())
            handles += self._draw_bounds(ax, heights, bounds, reach)
        ax.set_xlabel(_plotting.as_label(f"slope ({self.unit})"))
        _plotting.legend_above(ax, handles, n_columns=4)
        return self

    def _draw_bounds(
        self, ax: Any, heights: np.ndarray, bounds: np.ndarray, reach: float
    ) -> list[Any]:
        """Thin lines with end marks behind all else; numbers beyond the reach."""
        ends = np.clip(bounds, -reach, reach)
        ax.hlines(heights, *ends, color=_plotting.GREY, linewidth=0.8, zorder=0.9)
        is_beyond = np.abs(bounds) > reach
        for side, row in zip(*np.nonzero(is_beyond), strict=True):
            ax.text(
                ends[side, row],
                heights[row],
                f"{bounds[side, row]:.2g}".replace("-", "\N{MINUS SIGN}"),
                ha=("left", "right")[side],
                va="center",
                fontsize=7,
                color=_plotting.GREY,
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8},
            )
        return ax.plot(
            np.where(is_beyond, np.nan, ends).ravel(),
            np.tile(heights, 2),
            "|",
            color=_plotting.BLACK,
            markersize=7,
            markeredgewidth=1,
            label="bounds",
        )
