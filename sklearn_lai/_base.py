"""What all estimators share: checks, units, training, and what they record."""

import inspect
import secrets
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from itertools import takewhile
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

from ._callbacks import CallbackSupportMixin
from ._train.base_losses import BASE_LOSSES, NORMS
from ._train.fitting import (
    Data,
    LaiLoss,
    Task,
    layers_of,
    resolve_device,
    run_first_stage,
    run_second_stage,
)
from ._train.training import History, Interrupted, LaiStage, PlainStage, Stopped
from ._train.watch import Watch
from ._units import Layers, Scale, Spread, Units
from ._validation import (
    DEVICE,
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
    "lai_learning_rate_init": POSITIVE,
    "average": Boolean(),
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
    "device": DEVICE,
}


class BaseLaiRegressor(CallbackSupportMixin, RegressorMixin, BaseEstimator):
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

    def _check_epochs(self) -> None:
        if self.pretrain_epochs == self.lai_epochs == 0:
            raise ValueError(
                "pretrain_epochs and lai_epochs are both 0; one must be >= 1."
            )

    def _check_data(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        reset: bool = True,
        weight_name: str = "sample_weight",
    ) -> Data:
        """`X` in a float type, `y` and weights in float64."""
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
        y = y.reshape(len(y), -1).astype(np.float64, copy=False)
        return Data(X, y, self._check_weight(sample_weight, len(X), weight_name))

    def _check_weight(
        self, sample_weight: Any, n_samples: int, name: str
    ) -> np.ndarray | None:
        """Weights of the samples in float64, None if there are none."""
        if sample_weight is None:
            return None
        weight = check_array(
            sample_weight,
            ensure_2d=False,
            dtype=np.float64,
            input_name=name,
        )
        if weight.ndim == 0:
            weight = np.full(n_samples, float(weight))
        if weight.shape != (n_samples,):
            raise ValueError(
                f"{name} must have one weight per sample, shape ({n_samples},), "
                f"got shape {weight.shape}."
            )
        if (weight < 0).any() or not weight.any():
            raise ValueError(
                f"{name} must be >= 0 and not all zero, got weights from "
                f"{weight.min():g} to {weight.max():g}."
            )
        with np.errstate(over="ignore"):
            total = weight.sum()
        if not np.finfo(np.float64).tiny * n_samples <= total < np.inf:
            raise ValueError(
                f"{name} must have a sum that is a normal number, got {total:g}."
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
        data: Data,
        earlier_X: Spread | None = None,
        earlier_y: Spread | None = None,
        *,
        centre: bool = True,
    ) -> Units:
        """Units of training, those of the data without `standardize`.

        They standardise the data together with that of earlier spreads.
        """
        if not self.standardize:
            return Units(Scale.identity(data.X), Scale.identity(data.y))
        X, y = (Spread.of(array, data.sample_weight) for array in data[:2])
        return Units(
            Scale.of_spread(
                X if earlier_X is None else earlier_X + X,
                "X",
                getattr(self, "feature_names_in_", None),
                data.X.dtype,
                centre=centre,
                constant_unit=unit_of_constant_features(centre=centre),
            ),
            Scale.of_spread(
                y if earlier_y is None else earlier_y + y,
                "y",
                None,
                data.y.dtype,
                centre=centre,
                constant_unit=1.0,
            ),
        )

    def _task(
        self,
        data: Data,
        layers: Layers,
        units: Units,
        rng: np.random.Generator,
        *,
        optimizer: partial,
        activation: str = "identity",
        alpha: float = 0.0,
        fit_intercept: bool = True,
        validation: Data | None = None,
    ) -> Task:
        """What is to be trained, from `layers` given in `units`."""
        return Task(
            data=data,
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
            device=resolve_device(self.device, data.X.dtype),
            stage=PlainStage(self.pretrain_epochs, self.tol, self.n_iter_no_change),
            rng_state=rng.bit_generator.state,
        )

    def _lai_loss(
        self,
        k: np.ndarray,
        *,
        error: str = "own",
        reach: float = 0.0,
        is_warm: bool = False,
    ) -> LaiLoss:
        """What the second stage adds to a task."""
        stage = LaiStage(
            epochs=self.lai_epochs,
            fraction=self.lai_fraction,
            interval=self.lai_interval,
            learning_rate=self.lai_learning_rate_init,
            average=self.average,
            is_warm=is_warm,
        )
        return LaiLoss(k, error, reach, self.norm, self.l1_ratio, stage)

    def _train(
        self,
        task: Task,
        lai: LaiLoss,
        rng: np.random.Generator,
        watch: Watch,
        first_stage: Callable = run_first_stage,
    ) -> tuple[Layers, History]:
        """Both stages; after Ctrl-C, if no search is to be stopped, what is done."""
        try:
            try:
                pretrained = first_stage(task, watch=watch)
            except Stopped as stopped:
                pretrained = stopped.snapshot
            return run_second_stage(task, pretrained, lai, rng, watch=watch)
        except Interrupted as interrupted:
            if _is_inside_search():
                raise
            history = interrupted.snapshot.history
            warn_caller(
                f"Training interrupted by user after {history.n_iter} epoch(s), "
                f"{history.n_pretrain_iter} of them pretraining; the model is what "
                "they have made.",
                UserWarning,
            )
            return layers_of(task, interrupted.snapshot.parameters), history

    def _warn_of_collapse(self, k: Any) -> None:
        warn_caller(
            "The Lai loss made the predictions collapse towards a constant: their "
            "variance is under 1 % of the target's, and after pretraining it was "
            f"not. Raise k ({np.asarray(k).tolist()}) or lower lai_fraction "
            f"({self.lai_fraction!r}).",
            ConvergenceWarning,
        )

    def _warn_of(self, history: History, k: Any) -> None:
        """Warn of what went wrong."""
        if history.collapsed:
            self._warn_of_collapse(k)
        if history.lacks_lai_batches:
            warn_caller(
                "No batch of the second stage was to use the Lai loss, so k had no "
                f"effect: it has too few batches for lai_fraction={self.lai_fraction!r}"
                f" and lai_interval={self.lai_interval!r}. Raise lai_epochs "
                f"({self.lai_epochs!r}) or set lai_interval=1.",
                UserWarning,
            )

    def _set_attributes(self, attributes: Mapping[str, Any]) -> None:
        for name, value in attributes.items():
            setattr(self, name, value)

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


def _is_inside_search() -> bool:
    """Whether scikit-learn's model selection is fitting: it would try the next one."""
    return any(name.startswith("sklearn.model_selection") for name in _callers())


def warn_caller(message: str, category: type[Warning]) -> None:
    """Warn where a method of ours was called from outside."""
    inner = ("sklearn_lai.", "sklearn.callback.")
    depth = sum(1 for _ in takewhile(lambda name: name.startswith(inner), _callers()))
    warnings.warn(message, category, stacklevel=1 + depth)


def _callers() -> list[str]:
    """Names of the modules of the calls that led here, the innermost first."""
    names, frame = [], inspect.currentframe()
    while frame := frame and frame.f_back:
        names.append(frame.f_globals.get("__name__", ""))
    return names


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
