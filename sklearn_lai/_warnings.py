"""Warnings: for the line of the caller, and of predictions that have collapsed."""

import inspect
import warnings
from itertools import takewhile
from typing import Any

import numpy as np
from numpy.typing import DTypeLike
from sklearn.exceptions import ConvergenceWarning

from ._statistics import ColumnStatistics

# Share of the target's variance below which predictions have collapsed.
COLLAPSED_SHARE = 0.01
# Share of a feature's size below which its deviation is that of a stuck sensor.
STUCK = 3e-9
# The same in rounding errors of the type of the data.
ROUNDINGS = 4


def warn_of_collapse(estimator: Any) -> None:
    """Say what to change in an estimator."""
    name, k = _name_and_value_of_k(estimator)
    share, alpha = f"{100 * COLLAPSED_SHARE:g} %", getattr(estimator, "alpha", 0)
    warn_caller(
        "The Lai loss made the predictions collapse towards a constant: their "
        f"variance is under {share} of the target's, and after pretraining it was "
        f"not. Raise {name} ({np.asarray(k).tolist()}), or lower lai_fraction "
        f"({estimator.lai_fraction!r}){f' or alpha ({alpha!r})' if alpha else ''}.",
        ConvergenceWarning,
    )


def _name_and_value_of_k(estimator: Any) -> tuple[str, Any]:
    """The parameter that has the `k` of the model, and that."""
    return ("ks", estimator.k_) if hasattr(estimator, "ks") else ("k", estimator.k)


def warn_of_stuck(
    statistics: ColumnStatistics, names: np.ndarray | None, dtype: DTypeLike
) -> None:
    """Warn of features that vary by rounding errors of their size, or hardly more."""
    sds, size = np.sqrt(statistics.variance), np.abs(statistics.mean)
    share = max(STUCK, ROUNDINGS * float(np.finfo(dtype).eps))
    stuck = np.flatnonzero(~statistics.is_constant & (sds < share * size))
    if stuck.size:
        which = stuck.tolist() if names is None else names[stuck].tolist()
        first = stuck[0]
        warn_caller(
            f"Feature(s) {', '.join(map(repr, which))} vary by less than {share:.2g} "
            f"of their size, the first by {sds[first]:.2g} around {size[first]:.6g}, "
            "as what a stuck sensor reports. If it moves again, predictions may be far "
            "off: a deviation in training is what counts as large. Drop them, or if "
            "they are right subtract their mean.",
            UserWarning,
        )


def warn_of_silent(statistics: ColumnStatistics, silent: np.ndarray) -> None:
    """Warn of targets that are taken for constant though they are not quite."""
    silent = np.flatnonzero(silent & ~statistics.is_constant)
    if silent.size:
        first = silent[0]
        warn_caller(
            f"Column(s) {', '.join(map(repr, silent.tolist()))} of y vary by rounding "
            f"of their size, the first by {np.sqrt(statistics.variance[first]):.2g} "
            f"around {statistics.mean[first]:.6g}, and are predicted by their mean. If "
            "that is not rounding, subtract the mean before y is rounded.",
            UserWarning,
        )


def warn_of_large_loss(estimator: Any, loss: float, *, is_second: bool) -> None:
    """Say what to change for a loss in those of a constant, by the stage of a fit."""
    causes = []
    if getattr(estimator, "solver", "adam") != "lbfgs":
        step = "lai_learning_rate_init" if is_second else "learning_rate_init"
        causes.append(
            f"steps too large; lower {step} ({getattr(estimator, step)}), or keep "
            "standardize=True"
        )
    if is_second and estimator.noise is None:
        name, k = _name_and_value_of_k(estimator)
        causes.append(
            f"{name} ({np.asarray(k).tolist()}) above the slopes, which the Lai loss "
            "draws towards it; lower it"
        )
    warn_caller(
        f"Training ended with at least {loss:.3g} times the loss of a constant "
        f"prediction. Likely cause: {'. Or '.join(causes) or 'unusual data'}.",
        ConvergenceWarning,
    )


def warn_caller(message: str, category: type[Warning]) -> None:
    """Warn where a method of ours was called from outside."""
    inner = ("sklearn_lai.", "sklearn.callback.")
    depth = sum(1 for _ in takewhile(lambda name: name.startswith(inner), _callers()))
    warnings.warn(message, category, stacklevel=1 + depth)


def is_inside_search() -> bool:
    """Whether scikit-learn's model selection is fitting: it would try the next one."""
    return any(name.startswith("sklearn.model_selection") for name in _callers())


def _callers() -> list[str]:
    """Names of the modules of the calls that led here, the innermost first."""
    names, frame = [], inspect.currentframe()
    while frame := frame and frame.f_back:
        names.append(frame.f_globals.get("__name__", ""))
    return names
