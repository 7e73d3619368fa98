"""What all estimators share: the checks of parameters and data."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from numbers import Real
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, Self

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils import Tags, assert_all_finite
from sklearn.utils.validation import (
    check_array,
    check_consistent_length,
    check_is_fitted,
    column_or_1d,
    validate_data,
)

from ._box import Box, resolve_box
from ._callbacks import CallbackSupportMixin
from ._columns import by_position
from ._feature_k import FEATURE_K, FeatureK, resolve_k
from ._noise import NOISE, Noise, resolve_noise
from ._saved import from_plain, private_hints, to_plain
from ._tables import check_data_is_numeric, check_weight
from ._typing import FeatureKLike, NoiseLike, Norm
from ._units import MARGIN
from ._validation import BOOLEAN, Number, OneOf, Rule, check, rules_of, shown

# What the other parameters of an estimator with `noise` must be, if it has them.
NOISE_NEEDS = {"loss": "squared_error", "norm": "l1", "lai_error": "mean"}
# Targets whose squares are numbers.
LARGEST_TARGET = 1e150
# The largest weight of a fit, so that what is multiplied or divided by it is a number.
WEIGHTS = 1e-100, 1e100


class Data(NamedTuple):
    """Rows, targets of shape (n_samples, n_outputs), and weights, None for 1 each."""

    X: np.ndarray
    y: np.ndarray
    sample_weight: np.ndarray | None = None

    def that_count(self, rows: np.ndarray) -> np.ndarray:
        """Those of the rows that have a weight."""
        weight = self.sample_weight
        return rows if weight is None else rows[weight[rows] > 0]

    def take(self, rows: np.ndarray) -> "Data":
        """Some of the rows, those without weight left out."""
        rows, weight = self.that_count(rows), self.sample_weight
        return Data(
            self.X[rows], self.y[rows], None if weight is None else weight[rows]
        )

    def with_weight(self) -> "Data":
        """The rows that have a weight; all of them without a copy."""
        if self.sample_weight is None or self.sample_weight.all():
            return self
        return self.take(np.arange(len(self.X)))


class BaseLaiRegressor(CallbackSupportMixin, RegressorMixin, BaseEstimator):
    """Checks; hyperparameters are annotated with the rules that they keep."""

    # Hyperparameters that all have.
    feature_k: Annotated[FeatureKLike, FEATURE_K]
    noise: Annotated[NoiseLike, NOISE]
    norm: Annotated[Norm, OneOf.of(Norm)]
    l1_ratio: Annotated[float, Number(Real, 0, 1)]
    lai_fraction: Annotated[float, Number(Real, 0, 1)]
    tol: Annotated[float, Number(Real, 0)]
    standardize: Annotated[bool, BOOLEAN]

    feature_k_: np.ndarray
    n_features_in_: int
    feature_names_in_: np.ndarray
    n_iter_: int

    if TYPE_CHECKING:
        # scikit-learn makes or has them, without types.
        def set_callbacks(self, *callbacks: Any) -> Self: ...
        def set_fit_request(self, **requests: bool | str | None) -> Self: ...

    def set_params(self, **params: Any) -> Self:
        """Set parameters, nested ones, too, as ``feature_k__NAME``.

        Parameters
        ----------
        **params : dict
            Values by name. ``feature_k__NAME`` sets the slope of one feature, and makes
            a :class:`FeatureK` of a `feature_k` that is a dict or None.

        Returns
        -------
        estimator instance
            This estimator.
        """
        if any(name.startswith("feature_k__") for name in params):
            feature_k = params.get("feature_k", self.feature_k)
            check("feature_k", feature_k, FEATURE_K)
            if not isinstance(feature_k, FeatureK):
                params["feature_k"] = FeatureK(feature_k or {})
        super().set_params(**params)
        return self

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        private = private_hints(type(self)).keys() & state
        return state | {name: to_plain(state[name]) for name in private}

    def __setstate__(self, state: dict[str, Any]) -> None:
        hints = private_hints(type(self))
        private = hints.keys() & state
        own = {name: from_plain(state[name], hints[name]) for name in private}
        super().__setstate__(state | own)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def _check_parameters(self) -> None:
        estimator_class: type = type(self)
        check_parameters(rules_of(estimator_class), vars(self))
        if self.noise is not None:
            self._check_what_noise_needs()

    def _check_what_noise_needs(self) -> None:
        for name, needed in NOISE_NEEDS.items():
            if getattr(self, name, needed) != needed:
                raise ValueError(
                    f"noise needs {name}={needed!r}, got {name}={getattr(self, name)!r}"
                    "; its theory holds for no other. Leave noise out (None), and tune "
                    "k instead."
                )

    def _check_features(self, X: Any) -> np.ndarray:
        """Features to predict from."""
        check_is_fitted(self, "n_features_in_")  # faster than a look at all
        check_data_is_numeric("X", X)
        with _naming_data("X"):
            return validate_data(self, X, dtype=(np.float64, np.float32), reset=False)

    def _resolve_box(self, lower: Any, upper: Any, default: Box) -> Box:
        """The box of inputs that is meant, in float64."""
        return resolve_box(lower, upper, default, self._feature_names())

    def _resolve_k(self, k: Any, n_outputs: int = 1) -> np.ndarray:
        """Boundary slope of every feature, or of every output and feature.

        With `noise`, which is checked, too, only those that `feature_k` has.
        """
        names, n_features = self._feature_names(), self.n_features_in_
        if self.noise is not None:
            self._resolve_noise()
            k = np.nan
        return resolve_k(k, self.feature_k, n_features, n_outputs, names)

    def _resolve_noise(self) -> Noise:
        """The noise in all features."""
        return resolve_noise(self.noise, self.n_features_in_, self._feature_names())

    def _joint_noise(self) -> Noise:
        """The same in the features that `feature_k` does not have."""
        names, n_features = self._feature_names(), self.n_features_in_
        own = by_position(self.feature_k or {}, "feature_k", n_features, names)
        return self._resolve_noise().without(list(own))

    def _feature_names(self) -> np.ndarray | None:
        """Names of the features, if they have some."""
        return getattr(self, "feature_names_in_", None)


def check_parameters(rules: Mapping[str, Rule], values: Mapping[str, Any]) -> None:
    """Check every value that has a rule."""
    for name, rule in rules.items():
        if name in values:
            check(name, values[name], rule)


def check_data(
    estimator: BaseEstimator,
    X: Any,
    y: Any,
    sample_weight: Any = None,
    *,
    reset: bool = True,
    suffix: str = "",
) -> Data:
    """`X` in a float type, `y` and weights in float64.

    The estimator takes the names of the features, if `reset`, or has them checked.
    `suffix` is that of the names of the data.
    """
    _check_form(estimator, X, y, suffix)
    of_X, of_y = "X" + suffix, "y" + suffix
    # Sums of what is finite may be infinite, and of infinities NaN.
    with np.errstate(over="ignore", invalid="ignore"):
        with _naming_data(of_X):
            dtypes = np.float64, np.float32
            X = validate_data(estimator, X, dtype=dtypes, reset=reset)
        with _naming_data(of_y):
            y = check_array(y, ensure_2d=False, input_name="y", estimator=estimator)
        with _naming_data(of_X, of_y):
            check_consistent_length(X, y)
    if y.ndim == 2 and y.shape[1] == 1:
        y = column_or_1d(y, warn=True)
    with np.errstate(over="ignore", invalid="ignore"):
        y = y.reshape(len(y), -1).astype(np.float64, copy=False)
        # Once more: what was finite in a longer type.
        assert_all_finite(y, input_name=of_y)
    largest = min(LARGEST_TARGET, float(np.finfo(X.dtype).max) / MARGIN)
    for column in np.flatnonzero(np.abs(y).max(axis=0) > largest):
        raise ValueError(
            f"The values in column {column} of y{suffix} are too large to compute with "
            f"in {X.dtype}, the type of X; rescale the column."
        )
    return Data(X, y, _check_weight(sample_weight, X, "sample_weight" + suffix))


def _check_form(estimator: BaseEstimator, X: Any, y: Any, suffix: str) -> None:
    """Check what scikit-learn does not, or says without the name of the data."""
    if y is None:
        raise ValueError(
            f"{type(estimator).__name__} requires y to be passed, but the target y is "
            "None."
        )
    for name, data in {"X": X, "y": y}.items():
        check_data_is_numeric(name + suffix, data)
    if hasattr(y, "tocsr"):
        raise TypeError(f"y{suffix} must be dense, got sparse data; pass y.toarray().")
    targets = np.asarray(y)
    is_only_y_empty = not targets.size and 0 not in np.shape(X)[:1]
    if targets.ndim not in (1, 2) or is_only_y_empty:
        raise ValueError(
            f"y{suffix} must have shape (n_samples,) or (n_samples, n_outputs), with "
            f"n_outputs >= 1, got {shown(y)}."
        )
    if targets.dtype.kind == "c":
        raise ValueError(
            f"Complex data not supported: y{suffix} must have real numbers, got "
            f"{shown(y)}."
        )


@contextmanager
def _naming_data(*names: str) -> Iterator[None]:
    """Have errors of scikit-learn, which says X and y, name the data, as X_val."""
    try:
        yield
    except (TypeError, ValueError, OverflowError) as error:
        message = str(error)
        for name in names:
            message = re.sub(rf"\b{name[0]}\b", name, message)
        if not any(re.search(rf"\b{name}\b", message) for name in names):
            message = f"{' and '.join(names)}: {message}"
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(message) from error


def _check_weight(sample_weight: Any, X: np.ndarray, name: str) -> np.ndarray | None:
    """Weights of the samples in float64, the largest of a size to compute with."""
    weight = check_weight(sample_weight, len(X), name)
    info, (least, largest) = np.finfo(X.dtype), WEIGHTS
    least, largest = max(least, float(info.eps**4)), min(largest, float(info.max))
    if weight is not None and not least <= weight.max() <= largest:
        raise ValueError(
            f"{name} must have a largest weight from {least:.2g} to {largest:.2g} with "
            f"{X.dtype} as the type of X, got {weight.max():g}; rescale them."
        )
    return weight


@contextmanager
def all_or_nothing(estimator: BaseEstimator) -> Iterator[None]:
    """Give the estimator its attributes back if the block fails.

    Lists may have got more items; they lose them again.
    """
    before = dict(vars(estimator))
    lengths = [(v, len(v)) for v in before.values() if isinstance(v, list)]
    try:
        yield
    except BaseException:
        for value, length in lengths:
            del value[length:]
        vars(estimator).clear()
        vars(estimator).update(before)
        raise
