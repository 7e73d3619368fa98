"""What the estimators that train in two stages share: recipes, the run, the record."""

import secrets
from collections.abc import Callable
from functools import partial
from numbers import Integral, Real
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from . import _train
from ._base import BaseLaiRegressor, Data
from ._peers import ALONE, Peers
from ._recipe.recipe import LossRecipe, OptimizerRecipe, Recipe
from ._recipe.record import History, Model
from ._recipe.stages import LaiStage, PlainStage
from ._typing import Device, Loss, RandomState
from ._units import Statistics, Units, check_raw, statistics_of
from ._validation import (
    BATCH_SIZE,
    BOOLEAN,
    NONE,
    POSITIVE,
    RANDOM_STATE,
    AnyOf,
    Number,
    OneOf,
    rules_of,
)
from ._warnings import (
    COLLAPSED_SHARE,
    is_inside_search,
    warn_caller,
    warn_of_collapse,
    warn_of_large_loss,
    warn_of_silent,
    warn_of_stuck,
)

if TYPE_CHECKING:
    from ._train import Trainer

# Factor from which on a loss is far above another one.
LARGE = 2.0
HUGE = 10.0  # which is no beginning of training, either
MANY = 10  # epochs of a first stage that is no beginning


class LaiTrainingRegressor(BaseLaiRegressor):
    """Trained by `_train`; a subclass makes the data and the recipe of its model."""

    # Hyperparameters of training.
    lai_interval: Annotated[int | None, AnyOf(Number(Integral, 1), NONE)]
    loss: Annotated[Loss, OneOf.of(Loss)]
    huber_delta: Annotated[float, POSITIVE]
    quantile: Annotated[float, Number(Real, 0, 1, closed="neither")]
    max_iter: Annotated[int, Number(Integral, 0)]
    lai_epochs: Annotated[int, Number(Integral, 0)]
    batch_size: Annotated[int | Literal["auto"], BATCH_SIZE]
    learning_rate_init: Annotated[float, POSITIVE]
    lai_learning_rate_init: Annotated[float, POSITIVE]
    average: Annotated[bool, BOOLEAN]
    shuffle: Annotated[bool, BOOLEAN]
    random_state: Annotated[RandomState, RANDOM_STATE]
    n_iter_no_change: Annotated[float, AnyOf(Number(Integral, 1), OneOf((np.inf,)))]
    verbose: Annotated[bool | int, AnyOf(BOOLEAN, Number(Integral, 0))]
    device: Annotated[Device, OneOf.of(Device)]

    n_lai_iter_: int
    loss_: float
    loss_curve_: list[float]
    lai_loss_curve_: list[float]
    lai_plain_loss_curve_: list[float]

    @property
    def _name_of_lai_epochs(self) -> str:
        """The parameter that has the length of the second stage."""
        return "lai_epochs"

    def _check_epochs(self) -> None:
        name = self._name_of_lai_epochs
        if self.max_iter == getattr(self, name) == 0:
            raise ValueError(f"max_iter and {name} are both 0; one must be >= 1.")

    def _seed(self) -> int:
        """Number that `random_state` stands for."""
        seed = self.random_state
        if isinstance(seed, np.random.RandomState):
            return int(seed.randint(np.iinfo(np.int32).max))
        return secrets.randbits(32) if seed is None else int(seed)

    def _loss_recipe(self) -> LossRecipe:
        return LossRecipe(self.loss, float(self.huber_delta), float(self.quantile))

    def _statistics(self, rows: Data, peers: Peers = ALONE) -> Statistics:
        """Those of the rows of all; of robust losses, those of most targets."""
        robust = self._loss_recipe().is_robust
        return statistics_of(*rows, robust=robust, peers=peers)

    def _units_of(
        self, statistics: Statistics, dtype: np.dtype, centre: bool = True
    ) -> Units:
        """Units of training; those of the data have no origin of their own."""
        if not self.standardize:
            check_raw(statistics[0], self._feature_names(), dtype)
        return Units.of(
            statistics,
            standardize=self.standardize,
            centre=centre and self.standardize,
            fixed=centre,
            names=self._feature_names(),
            dtype=dtype,
        )

    def _recipe(
        self,
        dtype: np.dtype,
        optimizer: OptimizerRecipe,
        *,
        activation: str = "identity",
        alpha: float = 0.0,
        fit_intercept: bool = True,
    ) -> Recipe:
        """How the model is trained in the first stage, on data of this type."""
        self._check_are_of_type(dtype)
        return Recipe(
            activation=activation,
            fit_intercept=fit_intercept,
            loss=self._loss_recipe(),
            alpha=alpha,
            optimizer=optimizer,
            # NumPy's numbers overflow, and torch refuses some of them.
            batch_size=200 if self.batch_size == "auto" else int(self.batch_size),
            shuffle=self.shuffle,
            device=_train.resolve_device(self.device, dtype),
            stage=PlainStage(
                int(self.max_iter), float(self.tol), self.n_iter_no_change
            ),
        )

    def _warn_of_stuck(self, units: Units) -> None:
        """Warn of columns whose unit is a deviation that is hardly one."""
        if units.statistics is not None:
            dtype = units.X.unit.dtype
            warn_of_stuck(units.statistics[0], self._feature_names(), dtype)
            warn_of_silent(units.statistics[1], units.constant_outputs())

    def _check_are_of_type(self, dtype: np.dtype) -> None:
        """Check that the parameters are numbers of the type of the data."""
        info = np.finfo(dtype)
        estimator_class: type = type(self)
        for name, rule in rules_of(estimator_class).items():
            if isinstance(rule, Number) and rule.kind is Real:
                value = float(getattr(self, name, 0.0))
                if value and not info.tiny <= value <= info.max:
                    raise ValueError(
                        f"{name} must be a number that {info.dtype} has, got {value!r};"
                        " pass X as float64."
                    )

    def _lai_recipe(self, k: np.ndarray) -> LaiStage:
        """The second stage, for a resolved `k`."""
        return LaiStage(
            k=k,
            error="own",
            reach=0.0,
            norm=self.norm,
            l1_ratio=float(self.l1_ratio),
            epochs=int(self.lai_epochs),
            fraction=float(self.lai_fraction),
            interval=None if self.lai_interval is None else int(self.lai_interval),
            learning_rate=float(self.lai_learning_rate_init),
            average=self.average,
        )

    def _run_stages(
        self,
        trainer: "Trainer",
        run_first: Callable[[], object],
        stage: LaiStage,
        rng: np.random.Generator,
    ) -> bool:
        """Both stages; after Ctrl-C, if no search is to be stopped, what is done.

        Returns whether there was none.
        """
        try:
            run_first()
            self._warn_of_no_convergence(trainer)
            self._run_lai_stage(trainer, stage, rng)
        except KeyboardInterrupt:
            history = trainer.model.history
            n_epochs = len(history.epochs)
            # Peers may have made other epochs.
            is_alone = trainer.sharing.peers.number == 1
            if n_epochs == 0 or is_inside_search() or not is_alone:
                raise
            warn_caller(
                f"Training interrupted by user after {n_epochs} epoch(s), "
                f"{len(history.pretraining)} of them pretraining; the model is what "
                "they have made.",
                UserWarning,
            )
            return False
        return True

    def _run_lai_stage(
        self, trainer: "Trainer", stage: LaiStage, rng: np.random.Generator
    ) -> None:
        """The second stage, with warnings of what went wrong."""
        before = trainer.model
        _train.train_lai(trainer, stage, rng)
        self._warn_of_second_stage(trainer, stage, before)

    def _warn_of_second_stage(
        self, trainer: "Trainer", stage: LaiStage, before: Model
    ) -> None:
        """Warn of what went wrong since the model was that of the first stage."""
        if not self._warn_of_collapse(trainer, stage, before):
            self._warn_of_large_loss(trainer, before)
        self._warn_of_no_lai_batch(trainer, stage)

    def _warn_of_no_convergence(self, trainer: "Trainer") -> None:
        """Warn, as MLPRegressor does, if the first stage did not end by itself."""
        history = trainer.model.history
        n_epochs = len(history.epochs)
        if history.end in ("limit", "stuck"):
            warn_caller(self._why_not_converged(history), ConvergenceWarning)
        elif history.end == "diverged":
            warn_caller(
                f"Training diverged in epoch {n_epochs}; the model went back to the "
                "weights of its best validation score. Likely cause: steps too large; "
                f"lower learning_rate_init ({self.learning_rate_init}).",
                ConvergenceWarning,
            )

    def _why_not_converged(self, history: History) -> str:
        return (
            f"Stochastic Optimizer: Maximum iterations ({self.max_iter}) reached and "
            "the optimization hasn't converged yet. The first stage ends early where "
            "the loss falls by less than tol in n_iter_no_change epochs: raise "
            "max_iter, or tol."
        )

    def _warn_of_collapse(
        self, trainer: "Trainer", stage: LaiStage, before: Model
    ) -> bool:
        """Warn if predictions hardly vary, which did before the stage, and say so."""
        if stage.fraction == 0 or stage.noise is not None:  # with noise it may be best
            return False
        hardly_varies = partial(_train.hardly_varies, trainer, share=COLLAPSED_SHARE)
        collapsed = hardly_varies(trainer.model.parameters)
        is_trained = before.history.is_warm or len(before.history.epochs) > 0
        if is_trained and collapsed.any():
            collapsed &= ~hardly_varies(before.parameters)
        if collapsed.any():
            warn_of_collapse(self)
        return bool(collapsed.any())

    def _warn_of_large_loss(self, trainer: "Trainer", before: Model) -> None:
        """Warn if the model is far worse than a constant, by the stage that made it so.

        A short first stage may not have got far yet from where it began, which after a
        warm start may be anywhere.
        """
        parameters, history = trainer.model
        if {history.end, history.lai_end} & {"stuck", "diverged"}:  # which is told
            return
        loss, first = _train.plain_loss(trainer, parameters), 1.0
        if history.lai_training:
            first = _train.plain_loss(trainer, before.parameters)
        is_second = loss > LARGE * max(1.0, first) and bool(history.lai_training)
        may_be_large = LARGE
        if history.end == "limit" or len(history.pretraining) < MANY:
            may_be_large = np.inf
            if loss > HUGE and not history.is_warm:
                beginning = _train.plain_loss(trainer, trainer.first_parameters)
                may_be_large = LARGE * beginning
        if is_second or loss > may_be_large:
            warn_of_large_loss(self, loss, is_second=is_second)

    def _warn_of_no_lai_batch(self, trainer: "Trainer", stage: LaiStage) -> None:
        """Warn if a whole stage for the Lai loss had no batch with it."""
        epochs = trainer.model.history.lai_training[-stage.epochs :]
        is_whole = len(epochs) == stage.epochs > 0
        has_lai_loss = any(epoch.lai_loss == epoch.lai_loss for epoch in epochs)
        if stage.fraction > 0 and is_whole and not has_lai_loss:
            name = "k" if stage.noise is None else "noise"
            warn_caller(
                f"No batch of the second stage was to use the Lai loss, so {name} had "
                "no effect: it has too few batches for lai_fraction="
                f"{self.lai_fraction!r} and lai_interval={self.lai_interval!r}. Raise "
                f"{self._name_of_lai_epochs} ({stage.epochs}) or set lai_interval=1.",
                UserWarning,
            )

    def _record(self, history: History) -> None:
        """Set the attributes that tell how training went; curves go on if warm."""
        first, second = history.pretraining, history.lai_training
        self.n_iter_, self.n_lai_iter_ = len(first), len(second)
        self.loss_ = history.epochs[-1].loss
        curves: dict[str, list[Any]] = {
            "loss_curve_": [epoch.loss for epoch in first],
            "lai_loss_curve_": [epoch.lai_loss for epoch in second],
            "lai_plain_loss_curve_": [epoch.loss for epoch in second],
        }
        for name, curve in curves.items():
            self._extend(name, curve, history.is_warm)

    def _extend(self, name: str, curve: list[float], is_warm: bool) -> None:
        """Set a curve, which goes on with an earlier one, not a copy, if warm."""
        earlier = getattr(self, name, None) if is_warm else None
        if earlier is None:
            setattr(self, name, curve)
        else:
            earlier.extend(curve)
