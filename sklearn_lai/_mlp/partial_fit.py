"""Passes over chunks of data, each from where the one before ended."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Self

import numpy as np

from .. import _inference, _train
from .._base import Data, all_or_nothing, check_data
from .._box import Box
from .._callbacks import available_if
from .._feature_k import K
from .._lai_training import HUGE
from .._peers import Peers
from .._recipe.data import TrainingData
from .._recipe.randomness import RandomState, random_streams, resumed, state_of
from .._recipe.record import Epoch
from .._recipe.stages import PlainStage
from .._recipe.watch import Watch
from .._statistics import ColumnStatistics
from .._typing import KLike
from .._units import Layers, Units, carried, lost_by_folding, with_silent
from .._validation import BOOLEAN
from .._warnings import warn_of_large_loss
from .base import BaseLaiMLP

if TYPE_CHECKING:
    from .._train import Trainer

# A pass over a chunk has a hundredth of the epochs of a fit.
N_SLOPES_OF_PASS = 200
# Share of the rows of a chunk that all rows before it are if they are few.
FEW = 0.1


@dataclass(frozen=True)
class Progress:
    """What a further pass over data goes on from, in arrays and plain numbers.

    `rng_states` are those of the random streams of the stages, `units` those of all
    rows seen. `lost` are the weights in these units, if folding lost some. `optimizer`
    is the state of the last one, None before there is one. `multiple` is that of the
    `k` that follows from noise.
    """

    rng_states: Sequence[Mapping[str, Any]]
    units: Units
    lost: Layers | None = None
    n_lai_batches: int = 0
    optimizer: Mapping[str, Any] | None = None
    multiple: float = 1.0

    @classmethod
    def of(
        cls,
        trainer: "Trainer",
        data: TrainingData,
        rngs: Sequence[RandomState | np.random.Generator],
    ) -> Self:
        """That of a fit."""
        states = [state_of(rng) for rng in rngs]
        return cls(states, data.units).after(trainer)

    def after(self, trainer: "Trainer") -> Self:
        """The same with what the trainer has left."""
        return replace(
            self,
            lost=lost_by_folding(self.units, trainer.standardised_layers()),
            optimizer=trainer.optimizer.state(),
        )


def _has_mini_batches(estimator: BaseLaiMLP) -> bool:
    """Whether there is partial_fit."""
    # Of what is no solver, fit and partial_fit tell.
    if isinstance(estimator.solver, str) and estimator.solver == "lbfgs":
        raise AttributeError(
            "partial_fit is only available for the solvers 'adam' and 'sgd', not for "
            "'lbfgs', which needs all data at once."
        )
    return True


class PartialFitMLP(BaseLaiMLP):
    """A perceptron that data larger than memory can train."""

    k: Annotated[KLike, K]
    distributed: Annotated[bool, BOOLEAN]

    _progress: Progress

    @available_if(_has_mini_batches)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train for one pass over a chunk of data, from the weights so far.

        Every pass is one of Lai Training, with `lai_learning_rate_init`. With
        ``lai_epochs=0``, or while no feature varies, it is one of the first stage, as
        that of MLPRegressor. So data larger than memory trains chunk by chunk, several
        times over. The standardisation is that of all rows seen, of robust losses the
        mean of that of the chunks; rows that are far from a later chunk, or vary far
        more, do not count if they are few beside it, or the first chunk and no larger.
        Its change leaves the function learned so far as it is, but for columns whose
        mean or deviation changes by more than a tenth of a deviation: weights of these
        stay as they are, in standard deviations. The optimiser goes on from the call
        before. Weights are not averaged, and the mean error is that of the chunk before
        its pass. `max_iter`, `average`, `tol`, `n_iter_no_change` and `memory` have no
        effect. Not available with ``solver='lbfgs'``.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Features, dense and finite.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Weights, >= 0 and not all 0; None is 1 for every sample.

        Returns
        -------
        LaiMLPRegressor
            The fitted estimator.

        Raises
        ------
        ValueError
            If the data or a parameter has a value that is not allowed, training
            diverges, or ``early_stopping=True`` or ``distributed=True``. An earlier fit
            is kept.
        TypeError
            If `X` is sparse or a parameter has a wrong type. An earlier fit is kept.

        Warns
        -----
        ConvergenceWarning
            If the Lai loss made the predictions collapse towards a constant, or the
            loss of the pass is over ten times that of a constant prediction.
        UserWarning
            If a feature or target varies by rounding of its size.
        """
        with all_or_nothing(self):
            self._check_parameters()
            if self.distributed:
                raise ValueError(
                    "partial_fit trains in one process: set distributed=False, got "
                    "distributed=True."
                )
            if self.early_stopping:
                raise ValueError(
                    "partial_fit does not support early_stopping=True: a pass has no "
                    "epochs to stop after. Set early_stopping=False."
                )
            is_first = not hasattr(self, "_progress")
            rows = check_data(self, X, y, sample_weight, reset=is_first).with_weight()
            self.feature_k_ = self._resolve_k(self.k, rows.y.shape[1])
            if is_first:
                rngs = random_streams(self._seed())
                data = self._from_new_weights(rows, None, rngs[0])
                states = [state_of(rng) for rng in rngs]
                progress = Progress(states, data.units)
            else:
                progress = self._progress
                data = self._of_further_rows(rows, progress)
            self._warn_of_stuck(data.units)
            watch = Watch(verbose=bool(self.verbose))
            with _train.training(data, self._mlp_recipe(data), watch) as trainer:
                progress = self._run_pass(trainer, progress)
                self._progress = replace(progress, units=data.units).after(trainer)
                self._set_model(trainer)
                self._record_pass(trainer)
            seen = Box.of(rows.X)
            if not is_first:
                seen = seen.joined(Box(self.X_min_, self.X_max_))
            self._set_range(seen)
            self._set_importances(data, N_SLOPES_OF_PASS)
        return self

    def _of_further_rows(self, rows: Data, progress: Progress) -> TrainingData:
        """What is trained on, in the units of all rows seen."""
        self._check_fitted_sizes(rows)
        earlier = progress.units
        if self.standardize != (earlier.statistics is not None):
            raise ValueError(
                "standardize must stay as it was in the calls before, got "
                f"standardize={self.standardize!r}."
            )
        dtype = np.promote_types(rows.X.dtype, self.coefs_[0].dtype)
        rows = rows._replace(X=rows.X.astype(dtype, copy=False))
        statistics = self._statistics(rows)
        if earlier.statistics is not None:
            of_X, of_y = earlier.statistics
            further_X, further_y = statistics
            # Of what a first pass has learned there is little to lose.
            share = 1.0 if self.n_iter_ + self.n_lai_iter_ == 1 else FEW
            statistics = (
                of_X.followed_by(further_X, share),
                of_y.followed_by(further_y, share),
            )
        units = self._units_of(statistics, dtype)
        layers = earlier.unfold((self.coefs_, self.intercepts_), progress.lost)
        return self._from_fitted_weights(rows, units, carried(layers, earlier, units))

    def _of_new_rows(
        self, rows: Data, validation: Data | None, peers: Peers
    ) -> TrainingData:
        """What a warm start trains on, in the units of its own rows, with the peers'.

        Features that hardly vary there keep their units and their weights, and have no
        Lai loss: the rows say nothing of their slopes. With 'sgd', targets that hardly
        vary as a consequence keep their units, too.
        """
        self._check_fitted_sizes(rows)
        of_X, of_y = self._statistics(rows, peers)
        earlier = self._progress.units
        narrow = np.zeros(rows.X.shape[1], dtype=bool)
        if self.standardize and earlier.statistics is not None:
            earlier_X, earlier_y = earlier.statistics
            narrow = of_X.is_narrow(earlier_X)
            of_X = of_X.widened(earlier_X, narrow)
            if narrow.any() and self.solver == "sgd":
                is_expected = self._is_expected(rows, of_y, earlier_y, peers)
                of_y = of_y.widened(earlier_y, is_expected)
        units = self._units_of((of_X, of_y), rows.X.dtype)
        layers = units.unfold((self.coefs_, self.intercepts_))
        if self._progress.lost is not None:
            layers = with_silent(layers, earlier, self._progress.lost)
        data = self._from_fitted_weights(rows, units, layers, validation)
        return replace(data, narrow=narrow)

    def _is_expected(
        self,
        rows: Data,
        of_y: ColumnStatistics,
        earlier: ColumnStatistics,
        peers: Peers,
    ) -> np.ndarray:
        """Which targets are narrow, but not constant, as the predictions for the rows.

        In their own units the last weights are as much larger, and the gradients of
        those before them, by which 'sgd' steps; 'adam' does not depend on their size.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            prediction = _inference.predict(
                rows.X, self.coefs_, self.intercepts_, self.hidden_activation_
            )
        of_rows = ColumnStatistics.of(prediction, rows.sample_weight)
        of_prediction = peers.total(of_rows)
        is_narrow = of_y.is_narrow(earlier) & of_prediction.is_narrow(earlier)
        return is_narrow & ~of_y.is_constant_but_for_rounding()

    def _run_pass(self, trainer: "Trainer", progress: Progress) -> Progress:
        """Train for an epoch; returns what it changes of randomness and schedule."""
        if progress.optimizer is not None:
            trainer.optimizer.resume(progress.optimizer)
        is_lai = self.lai_epochs > 0 and not trainer.is_constant.all()
        states = [*progress.rng_states]
        rng = resumed(states[is_lai])
        if is_lai:
            recipe = self._lai_recipe(self.feature_k_)
            n_earlier = progress.n_lai_batches
            stage = replace(
                recipe,
                epochs=1,
                average=False,
                n_earlier=n_earlier,
                multiple=progress.multiple,
            )
            before = trainer.model
            _train.train_lai(trainer, stage, rng)
            if before.history.is_warm:  # one pass is too few to learn anything
                self._warn_of_collapse(trainer, stage, before)
        else:
            one = PlainStage(1, tol=0, n_iter_no_change=math.inf)
            _train.pretrain(trainer, one, rng)
        states[is_lai] = state_of(rng)
        n_lai_batches = progress.n_lai_batches + is_lai * len(trainer.batches)
        return replace(progress, rng_states=states, n_lai_batches=n_lai_batches)

    def _warn_of_large_pass(self, trainer: "Trainer", epoch: Epoch) -> None:
        """Warn if the loss after a pass is far above that of a constant."""
        # Of a chunk that varies by the standard deviation 1, this is less than HUGE.
        is_large = epoch.loss > HUGE / 2
        if is_large and _train.plain_loss(trainer, trainer.model.parameters) > HUGE:
            warn_of_large_loss(self, HUGE, is_second=epoch.lai_loss is not None)

    def _record_pass(self, trainer: "Trainer") -> None:
        """Add what a pass recorded to the stage that it goes on with.

        That is the second after a `fit` that had one, else the first.
        """
        history = trainer.model.history
        (epoch,) = history.epochs
        self._warn_of_large_pass(trainer, epoch)
        earlier = (self.n_iter_, self.n_lai_iter_) if history.is_warm else (0, 0)
        is_second = epoch.lai_loss is not None and earlier[1] > 0
        recorded = epoch if is_second else Epoch(epoch.loss)
        self._record(replace(history, epochs=(recorded,)))
        self.n_iter_ += earlier[0]
        self.n_lai_iter_ += earlier[1]
        if epoch.lai_loss is not None and not is_second:
            self.lai_loss_curve_.append(epoch.lai_loss)
        self.t_ = (self.t_ if history.is_warm else 0) + len(trainer.batches.X)
