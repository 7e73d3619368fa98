"""Error against smoothness along a search."""

import math
from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import Annotated, Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

from .._choice_of_k import place_of
from .._folds import compare
from .._typing import Tolerance
from .._validation import (
    NONE,
    POSITIVE,
    STRING,
    TOLERANCE,
    AnyOf,
    Each,
    Figures,
    Number,
    check,
    checked,
)
from ..model_selection import CV_RESULTS, smoothest_within
from . import _plotting

PLACE = AnyOf(NONE, Number(Integral, 0))
LIMIT = AnyOf(NONE, Number(Real, -np.inf))

# Of the colour bar.
MAX_TICKS = 8
# What the CV classes score by; robust losses but for this one by the same.
ERRORS = {"squared_error": "RMSE", "quantile": "pinball loss"}


class TradeoffDisplay:
    """Error against smoothness of all candidates of a search, the chosen one marked.

    Make it by :meth:`from_estimator` or :meth:`from_cv_results`; the parameters are
    stored as attributes.

    Parameters
    ----------
    error : array-like of shape (n_candidates,)
        Error of each candidate, lower is better; NaN where it failed.
    roughness : array-like of shape (n_candidates,)
        How much its predictions move, such as their noise sensitivity.
    values : array-like of shape (n_candidates,), default=None
        What was varied, > 0, for the colours; None if several things were.
    chosen : int, default=None
        Position of the candidate to mark.
    largest_error : float, default=None
        Upper end of the band of errors that were accurate enough.
    error_name : str, default='error'
        Label of the error, with its unit.
    roughness_name : str, default='roughness'
        Label of the other axis, with its unit.
    value_name : str, default='k'
        What was varied.
    chosen_name : str, default='chosen'
        What the legend says of the candidate marked.
    current : int, default=None
        Position of another candidate to mark, such as the one in use.
    current_name : str, default='current'
        What the legend says of it.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes drawn on.
    figure_ : matplotlib Figure
        Its figure.
    points_ : matplotlib PathCollection
        The candidates.
    line_ : matplotlib Line2D
        The candidates that no other one beats in both respects.

    See Also
    --------
    sklearn_lai.model_selection.smoothest_within : The choice on this trade-off.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn_lai import LaiMLPRegressorCV
    >>> from sklearn_lai.inspection import TradeoffDisplay
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = LaiMLPRegressorCV(
    ...     ks=4, cv=2, max_iter=20, lai_epochs=20, random_state=0
    ... ).fit(X, y)
    >>> display = TradeoffDisplay.from_estimator(model)
    >>> display.error.shape
    (4,)
    """

    @checked
    def __init__(
        self,
        *,
        error: Annotated[ArrayLike, Figures()],
        roughness: Annotated[ArrayLike, Figures()],
        values: Annotated[ArrayLike | None, AnyOf(NONE, Each(POSITIVE))] = None,
        chosen: Annotated[int | None, PLACE] = None,
        largest_error: Annotated[float | None, LIMIT] = None,
        error_name: Annotated[str, STRING] = "error",
        roughness_name: Annotated[str, STRING] = "roughness",
        value_name: Annotated[str, STRING] = "k",
        chosen_name: Annotated[str, STRING] = "chosen",
        current: Annotated[int | None, PLACE] = None,
        current_name: Annotated[str, STRING] = "current",
    ):
        self.error = error
        self.roughness = roughness
        self.values = values
        self.chosen = chosen
        self.largest_error = largest_error
        self.error_name = error_name
        self.roughness_name = roughness_name
        self.value_name = value_name
        self.chosen_name = chosen_name
        self.current = current
        self.current_name = current_name

    @classmethod
    @checked
    def from_estimator(
        cls,
        estimator: Annotated[Any, _plotting.ESTIMATOR],
        *,
        at: Annotated[float | None, AnyOf(NONE, POSITIVE)] = None,
        ax: Annotated[Any, _plotting.AXES] = None,
    ) -> "TradeoffDisplay":
        """Draw error against mean noise sensitivity along `k`.

        The error is the one that `k` was chosen by: the negated score, with a share of
        it as `tolerance` for all but the best mean as far from that as in the median
        fold.

        Parameters
        ----------
        estimator : LaiMLPRegressorCV
            Fitted estimator. For a search such as GridSearchCV, use
            :meth:`from_cv_results`.
        at : float, default=None
            Another of its `ks_` to mark, such as that of a model from its
            ``estimator_at(k)``.
        ax : matplotlib Axes, default=None
            Axes to draw on; None is a new figure.

        Returns
        -------
        TradeoffDisplay
            The display, drawn.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If it has no `sensitivity_path_`.
        ValueError
            If `at` is not one of its `ks_`.
        """
        check_is_fitted(estimator)
        if not hasattr(estimator, "sensitivity_path_"):
            raise TypeError(
                "estimator must have a sensitivity_path_, as LaiMLPRegressorCV has, "
                f"got {type(estimator).__name__}. For a search, use from_cv_results."
            )
        scores, lowest = compare(estimator.score_path_, estimator.tolerance)
        k = estimator.k_
        display = cls(
            error=-scores,
            roughness=estimator.sensitivity_path_.mean(axis=(1, 2)),
            values=estimator.ks_,
            chosen=place_of(k, estimator.ks_),
            current=None if at is None else place_of(at, estimator.ks_, "at"),
            largest_error=-lowest,
            error_name=_error_name(estimator),
            roughness_name="mean noise sensitivity (target units)",
            chosen_name=f"chosen: k = {k:.2g}",
            current_name=f"k = {at:.2g}" if at is not None else "",
        )
        return display.plot(ax)

    @classmethod
    @checked
    def from_cv_results(
        cls,
        cv_results: Annotated[Mapping[str, Any], CV_RESULTS],
        *,
        tolerance: Annotated[Tolerance, TOLERANCE] = 0.0,
        accuracy: Annotated[str, STRING] = "accuracy",
        smoothness: Annotated[str, STRING] = "smoothness",
        error_name: Annotated[str | None, AnyOf(NONE, STRING)] = None,
        roughness_name: Annotated[str | None, AnyOf(NONE, STRING)] = None,
        ax: Annotated[Any, _plotting.AXES] = None,
    ) -> "TradeoffDisplay":
        """Draw the results of a search with two negated scores.

        The candidate marked is that of ``smoothest_within(tolerance)``.

        Parameters
        ----------
        cv_results : mapping
            `cv_results_` of GridSearchCV, RandomizedSearchCV and the like.
        tolerance : float or '1se', default=0.0
            How far the mean accuracy of a candidate may be from the best one, as in
            :func:`sklearn_lai.model_selection.smoothest_within`.
        accuracy : str, default='accuracy'
            Key in `scoring` of the score to keep, higher is better.
        smoothness : str, default='smoothness'
            Key in `scoring` of the score of smoothness, higher is better.
        error_name : str, default=None
            Label of the negated accuracy, with its unit; None is made from the key.
        roughness_name : str, default=None
            Label of the negated smoothness, with its unit; None is made from the key.
        ax : matplotlib Axes, default=None
            Axes to draw on; None is a new figure.

        Returns
        -------
        TradeoffDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If `tolerance` is not allowed, a metric is missing or all candidates
            failed.
        TypeError
            If a parameter has a wrong type.
        """
        rule = smoothest_within(tolerance, accuracy=accuracy, smoothness=smoothness)
        scores, lowest = rule.compare(cv_results)
        _, smooth = rule.mean_scores(cv_results)
        chosen = rule(cv_results)
        if "params" not in cv_results:
            raise ValueError(
                "cv_results must have the key 'params', as those of a search, got "
                f"{', '.join(map(repr, cv_results))}."
            )
        value_name, values = _only_varied(cv_results["params"])
        params = cv_results["params"][chosen]
        display = cls(
            error=-scores,
            roughness=-smooth,
            values=values,
            chosen=chosen,
            largest_error=-lowest,
            error_name=error_name or f"$-${_plotting.as_text(accuracy)}",
            roughness_name=roughness_name or f"$-${_plotting.as_text(smoothness)}",
            value_name=value_name,
            chosen_name="chosen: " + ", ".join(map(_setting, params.items())),
        )
        return display.plot(ax)

    @checked
    def plot(self, ax: Annotated[Any, _plotting.AXES] = None) -> "TradeoffDisplay":
        """Draw; better is to the left and below.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None is a new figure.

        Returns
        -------
        TradeoffDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If `roughness` or `values` are not as many as `error`, no candidate has both
            figures, or `chosen` or `current` is no position among them.
        TypeError
            If `ax` is no matplotlib Axes.
        """
        error, roughness = self._check_points()
        self.ax_ = ax = _plotting.axes_or_new(ax, height=3.6)
        self.figure_ = ax.figure
        if self.largest_error is not None:
            ax.axhspan(
                *_band(error, self.largest_error),
                color=_plotting.SKY,
                alpha=0.3,
                linewidth=0,
                label="within the tolerance",
            )
        best = _not_beaten(error, roughness)
        (self.line_,) = ax.plot(
            roughness[best], error[best], color=_plotting.GREY, linewidth=1, zorder=1
        )
        self.points_ = self._draw_points(ax, error, roughness)
        marks = {
            "*": (self.chosen, self.chosen_name, 17, _plotting.ORANGE),
            "D": (self.current, self.current_name, 10, _plotting.GREEN),
        }
        for marker, (place, name, size, color) in marks.items():
            if place is not None:
                ax.plot(
                    roughness[place],
                    error[place],
                    marker,
                    markersize=size,
                    color=color,
                    markeredgecolor="black",
                    label=_plotting.as_label(name),
                )
        labels = map(_plotting.as_label, (self.roughness_name, self.error_name))
        ax.set(**dict(zip(("xlabel", "ylabel"), labels, strict=True)))
        if handles := ax.get_legend_handles_labels()[0]:
            _plotting.legend_above(ax, handles, n_columns=2)
        return self

    def _check_points(self) -> tuple[np.ndarray, np.ndarray]:
        """Errors and roughness of the candidates, which belong together."""
        error, roughness = np.asarray(self.error), np.asarray(self.roughness)
        others = {"roughness": roughness}
        if self.values is not None:
            others["values"] = np.asarray(self.values)
        _plotting.check_lengths("error", len(error), others)
        if not (np.isfinite(error) & np.isfinite(roughness)).any():
            raise ValueError(
                "error and roughness must both be finite for one candidate at least."
            )
        for name in ("chosen", "current"):
            place = getattr(self, name)
            if place is not None:
                check(name, place, Number(Integral, 0, len(error) - 1))
        return error, roughness

    def _draw_points(self, ax: Any, error: np.ndarray, roughness: np.ndarray) -> Any:
        """Points, in colours if one thing was varied."""
        outline = {"edgecolor": "black", "linewidth": 0.6, "zorder": 2}
        if self.values is None:
            return ax.scatter(roughness, error, color=_plotting.BLUE, **outline)
        points = ax.scatter(
            roughness, error, c=self.values, norm="log", cmap="viridis", **outline
        )
        ticks = np.unique(self.values)
        ticks = ticks[:: math.ceil(len(ticks) / MAX_TICKS)]
        bar = ax.figure.colorbar(
            points,
            cax=ax.inset_axes((1.03, 0, 0.04, 1)),
            label=_plotting.as_label(self.value_name),
        )
        bar.set_ticks(ticks, labels=[_in_short(value) for value in ticks])
        bar.minorticks_off()
        return points


def _error_name(estimator: Any) -> str:
    """Label of the negated score of an estimator that chose `k`."""
    if estimator.scoring is not None:
        name = estimator.scoring
        return f"$-${_plotting.as_text(name) if isinstance(name, str) else 'score'}"
    name = ERRORS.get(estimator.loss, "mean absolute error")
    under_noise = "" if estimator.noise is None else " under noise"
    unit = "units" if estimator.n_outputs_ == 1 else "sd"
    return f"{name}{under_noise} (target {unit})"


def _band(error: np.ndarray, largest: float) -> tuple[float, float]:
    """Ends of the band up to an error; it ends where it would make all else tiny."""
    finite = error[np.isfinite(error)]
    least, most = finite.min(), finite.max()
    return least, np.clip(largest, least, most + max(most - least, abs(most)))


def _not_beaten(error: np.ndarray, roughness: np.ndarray) -> np.ndarray:
    """Candidates that no other one beats in both respects, the smoothest first."""
    order = np.lexsort((error, roughness))
    order = order[np.isfinite(error[order])]
    least_before = np.minimum.accumulate(error[order])
    return order[np.append(True, np.diff(least_before) < 0)]


def _only_varied(params: Sequence[Mapping[str, Any]]) -> tuple[str, np.ndarray | None]:
    """Name and values of what a search varied, if it is one positive number."""
    # The candidates of a list of grids differ in what they name, too.
    names = [
        name
        for name in dict.fromkeys(name for p in params for name in p)
        if len({str(p.get(name)) for p in params}) > 1
    ]
    if len(names) == 1:
        values = [p.get(names[0]) for p in params]
        is_number = [isinstance(v, Real) and not isinstance(v, bool) for v in values]
        if all(is_number) and (numbers := np.array(values, np.float64)).min() > 0:
            return _short(names[0]), numbers
    return "", None


def _short(name: str) -> str:
    """Name of a parameter without the steps of pipelines."""
    return _plotting.as_text(name.split("__")[-1])


def _setting(item: tuple[str, Any]) -> str:
    name, value = _short(item[0]), item[1]
    is_float = isinstance(value, Real) and not isinstance(value, Integral)
    return f"{name} = {_in_short(value) if is_float else _plotting.as_text(value)}"


def _in_short(value: float) -> str:
    """Two digits, or all of a whole number."""
    is_whole = float(value).is_integer() and abs(value) < 1e6
    return f"{value:.0f}" if is_whole else f"{value:.2g}"
