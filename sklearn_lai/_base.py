"""What both estimators share: checks, units, and what they record."""

import secrets
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import Tags
from sklearn.utils.validation import (
    check_array,
    check_is_fitted,
    column_or_1d,
    validate_data,
)

from ._fitting import LaiLoss, Task
from ._objective import BASE_LOSSES, NORMS
from ._scaling import Layers, Scale, Units
from ._training import History, LaiStage, PlainStage
from ._validation import (
    FEATURE_K,
    NONE,
    POSITIVE,
    RANDOM_STATE,
    AnyOf,
    Boolean,
    K,
    Number,
    OneOf,
    Rule,
    check,
    resolve_k,
)

SHARED_RULES: Mapping[str, Rule] = {
    "k": K,
    "feature_k": FEATURE_K,
    "norm": OneOf(tuple(NORMS)),
    "l1_ratio": Number(Real, 0, 1),
    "lai_fraction": Number(Real, 0, 1),
    "lai_interval": AnyOf(Number(Integral, 1), NONE),
    "loss": OneOf(tuple(BASE_LOSSES)),
    "huber_delta": POSITIVE,
    "quantile": Number(Real, 0, 1, closed="neither"),
    "pretrain_epochs": Number(Integral, 0),
    "lai_epochs": Number(Integral, 0),
    "standardize": Boolean(),
    "batch_size": AnyOf(OneOf(("auto",)), Number(Integral, 1)),
    "learning_rate_init": POSITIVE,
    "shuffle": Boolean(),
    "random_state": RANDOM_STATE,
    "tol": Number(Real, 0),
    "n_iter_no_change": AnyOf(Number(Integral, 1), OneOf((np.inf,))),
    "verbose": AnyOf(Boolean(), Number(Integral, 0)),
}


class BaseLaiRegressor(RegressorMixin, BaseEstimator):
    """Shared behaviour; a subclass declares `_rules` and has fit and predict."""

    _rules: ClassVar[Mapping[str, Rule]]
    k_: Any

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def _check_parameters(self) -> None:
        for name, rule in self._rules.items():
            check(name, getattr(self, name), rule)

    def _check_data(
        self, X: Any, y: Any, *, reset: bool = True
    ) -> tuple[np.ndarray, np.ndarray]:
        """`X` in a float type, and `y` of shape (n_samples, n_outputs) in float64."""
        X, y = validate_data(
            self,
            X,
            y,
            multi_output=True,
            y_numeric=True,
            dtype=(np.float64, np.float32),
            reset=reset,
        )
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        return X, y.reshape(len(y), -1).astype(np.float64, copy=False)

    def _check_weight(self, sample_weight: Any, n_samples: int) -> np.ndarray | None:
        """Weights of the samples in float64, None if there are none."""
        if sample_weight is None:
            return None
        weight = check_array(
            sample_weight,
            ensure_2d=False,
            dtype=np.float64,
            input_name="sample_weight",
        )
        if weight.ndim == 0:
            weight = np.full(n_samples, float(weight))
        if weight.shape != (n_samples,):
            raise ValueError(
                f"sample_weight must have one weight per sample, shape ({n_samples},), "
                f"got shape {weight.shape}."
            )
        if (weight < 0).any() or not weight.any():
            raise ValueError(
                "sample_weight must be >= 0 and not all zero, got weights from "
                f"{weight.min():g} to {weight.max():g}."
            )
        return weight

    def _check_features(self, X: Any) -> np.ndarray:
        """Features to predict from."""
        check_is_fitted(self)
        return validate_data(self, X, dtype=(np.float64, np.float32), reset=False)

    def _resolve_k(self, k: Any, n_outputs: int = 1) -> np.ndarray:
        """Boundary slope of every feature, or of every output and feature."""
        names = getattr(self, "feature_names_in_", None)
        return resolve_k(k, self.feature_k, self.n_features_in_, n_outputs, names)

    def _seed(self) -> int:
        """Number that `random_state` stands for."""
        seed = self.random_state
        if isinstance(seed, np.random.RandomState):
            return int(seed.randint(np.iinfo(np.int32).max))
        return secrets.randbits(128) if seed is None else int(seed)

    def _units(
        self,
        X: np.ndarray,
        y: np.ndarray,
        sample_weight: np.ndarray | None = None,
        *,
        centre: bool = True,
    ) -> Units:
        if not self.standardize:
            return Units(Scale.identity(X), Scale.identity(y))
        scale = partial(Scale.standard, centre=centre, sample_weight=sample_weight)
        constant_unit = unit_of_constant_features(centre=centre)
        return Units(
            scale(X, "X", constant_unit=constant_unit),
            scale(y, "y", constant_unit=1.0),
        )

    def _task(
        self,
        X: np.ndarray,
        y: np.ndarray,
        layers: Layers,
        units: Units,
        rng: np.random.Generator,
        sample_weight: np.ndarray | None = None,
        *,
        optimizer: partial,
        activation: str = "identity",
        alpha: float = 0.0,
        fit_intercept: bool = True,
        validation: tuple[np.ndarray, np.ndarray] | None = None,
    ) -> Task:
        """What is to be trained, from `layers` given in `units`."""
        return Task(
            X=X,
            y=y,
            sample_weight=sample_weight,
            validation=validation,
            layers=layers,
            units=units,
            activation=activation,
            fit_intercept=fit_intercept,
            loss=BASE_LOSSES[self.loss](self.huber_delta, self.quantile),
            alpha=alpha,
            optimizer=optimizer,
            batch_size=200 if self.batch_size == "auto" else self.batch_size,
            shuffle=self.shuffle,
            stage=PlainStage(self.pretrain_epochs, self.tol, self.n_iter_no_change),
            rng_state=rng.bit_generator.state,
        )

    def _lai_loss(self, k: np.ndarray) -> LaiLoss:
        """What the second stage adds to a task."""
        if self.pretrain_epochs == self.lai_epochs == 0:
            raise ValueError(
                "pretrain_epochs and lai_epochs are both 0; one must be >= 1."
            )
        stage = LaiStage(self.lai_epochs, self.lai_fraction, self.lai_interval)
        return LaiLoss(k, self.norm, self.l1_ratio, stage)

    def _warn_of_collapse(self, k: Any, stacklevel: int) -> None:
        warnings.warn(
            "The Lai loss made the predictions collapse towards a constant: their "
            "variance is under 1 % of the target's, and after pretraining it was "
            f"not. Raise k ({np.asarray(k).tolist()}) or lower lai_fraction "
            f"({self.lai_fraction!r}).",
            ConvergenceWarning,
            stacklevel=stacklevel,
        )

    def _warn_of(self, history: History, k: Any) -> None:
        """Warn of what went wrong, where the method that calls this was called."""
        if history.collapsed:
            self._warn_of_collapse(k, stacklevel=4)
        if history.lacks_lai_batches:
            warnings.warn(
                "No batch of the second stage was to use the Lai loss, so k had no "
                f"effect: it has too few batches for lai_fraction={self.lai_fraction!r}"
                f" and lai_interval={self.lai_interval!r}. Raise lai_epochs "
                f"({self.lai_epochs!r}) or set lai_interval=1.",
                UserWarning,
                stacklevel=3,
            )

    def _record(self, history: History, *, is_warm: bool = False) -> None:
        """Set the attributes that tell how training went; curves go on if warm."""

        def go_on(name: str, curve: list[float]) -> list[float]:
            return getattr(self, name) + curve if is_warm else curve

        self.n_iter_ = history.n_iter
        self.n_pretrain_iter_ = history.n_pretrain_iter
        self.loss_ = history.loss_curve[-1]
        self.loss_curve_ = go_on("loss_curve_", history.loss_curve)
        self.lai_loss_curve_ = go_on("lai_loss_curve_", history.lai_loss_curve)


def random_streams(seed: int) -> tuple[np.random.Generator, np.random.Generator]:
    """Independent generators of the two stages."""
    pretrain, lai = np.random.SeedSequence(seed).spawn(2)
    return np.random.default_rng(pretrain), np.random.default_rng(lai)


def unit_of_constant_features(*, centre: bool) -> float:
    """Infinite, so that they have no influence; uncentred, they are as good as any."""
    return np.inf if centre else 1.0


@contextmanager
def all_or_nothing(estimator: BaseEstimator) -> Iterator[None]:
    """Give the estimator its attributes back if the block fails."""
    before = dict(vars(estimator))
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise
