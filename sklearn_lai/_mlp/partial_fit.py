"""Passes over chunks of data, each from where the one before ended."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Self

import numpy as np

from .._base import Data, all_or_nothing, check_data
from .._callbacks import available_if
from .._feature_k import K
from .._lai_training import random_streams
from .._train.setup import TrainingData, generator, make_trainer
from .._train.training import PlainStage, Trainer, pretrain, train_lai
from .._train.watch import Watch
from .._typing import KLike
from .._units import Statistics
from .base import BaseLaiMLP

# A pass over a chunk has a hundredth of the epochs of a fit.
N_SLOPES_OF_PASS = 200


@dataclass(frozen=True)
class Progress:
    """What a further pass over data goes on from, in arrays and plain numbers.

    `n_passes` is infinite after `fit`. `optimizer` is None where the last one's state
    is not known, `statistics` are those of all rows seen, None if they are not
    standardised. `rng_states` are those of the random streams of the stages.
    """

    n_passes: float
    rng_states: Sequence[Mapping[str, Any]] = ()
    statistics: Statistics | None = None
    n_lai_batches: int = 0
    optimizer: Mapping[str, Any] | None = None


def _has_no_early_stopping(estimator: BaseLaiMLP) -> bool:
    """Whether there is partial_fit, which has no epochs to stop after."""
    if estimator.early_stopping:
        raise AttributeError("partial_fit does not support early_stopping=True.")
    return True


class PartialFitMLP(BaseLaiMLP):
    """A perceptron that data larger than memory can train."""

    k: Annotated[KLike, K]

    _progress: Progress

    @available_if(_has_no_early_stopping)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train for one pass over a chunk of data, from the weights so far.

        The first `pretrain_epochs` calls are the first stage, all later ones are Lai
        Training; after `fit`, all calls are. So data larger than memory trains chunk by
        chunk, several times over. The standardisation is that of all rows seen, and its
        change leaves the function learned so far as it is. The optimiser goes on from
        the call before. Weights are not averaged, and the mean error is that of the
        chunk before its pass. `lai_epochs`, `average`, `tol`, `n_iter_no_change` and
        `memory` have no effect. The first chunk should be like the others, since the
        initial weights are in its units. Not available with ``early_stopping=True``.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Features, dense and finite.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights, >= 0 and not all 0; None is 1 for every sample.

        Returns
        -------
        LaiMLPRegressor
            The fitted estimator.

        Raises
        ------
        ValueError
            If the data or a parameter has a value that is not allowed, or training
            diverges. An earlier fit is kept.
        TypeError
            If `X` is sparse or a parameter has a wrong type. An earlier fit is kept.

        Warns
        -----
        ConvergenceWarning
            If the Lai loss made the predictions collapse towards a constant.
        """
        with all_or_nothing(self):
            self._check_parameters()
            is_first = not hasattr(self, "_progress")
            rows = check_data(self, X, y, sample_weight, reset=is_first).with_weight()
            self.feature_k_ = self._resolve_k(self.k, rows.y.shape[1])
            if is_first:
                rngs = random_streams(self._seed())
                data = self._from_new_weights(rows, None, rngs[0])
                progress = Progress(0, [rng.bit_generator.state for rng in rngs])
            else:
                progress = self._progress
                data = self._of_further_rows(rows, progress)
            trainer = make_trainer(data, self._mlp_recipe(data), Watch())
            self._progress = replace(
                self._run_pass(trainer, progress),
                n_passes=progress.n_passes + 1,
                statistics=data.units.statistics,
                optimizer=trainer.optimizer.state(),
            )
            self._count_pass(trainer)
            self._set_importances(data, N_SLOPES_OF_PASS)
        return self

    def _of_further_rows(self, rows: Data, progress: Progress) -> TrainingData:
        """What is trained on, in the units of all rows seen."""
        if self.standardize != (progress.statistics is not None):
            raise ValueError(
                "standardize must stay as it was in the calls before, got "
                f"standardize={self.standardize!r}."
            )
        dtype = np.promote_types(rows.X.dtype, self.coefs_[0].dtype)
        rows = rows._replace(X=rows.X.astype(dtype, copy=False))
        return self._from_fitted_weights(rows, earlier=progress.statistics)

    def _run_pass(self, trainer: Trainer, progress: Progress) -> Progress:
        """Train for an epoch; returns what it changes of randomness and schedule."""
        if progress.optimizer is not None:
            trainer.optimizer.resume(progress.optimizer)
        is_lai = progress.n_passes >= self.pretrain_epochs
        states = [*progress.rng_states]
        rng = generator(states[is_lai])
        if is_lai:
            recipe = self._lai_recipe(self.feature_k_)
            n_earlier = progress.n_lai_batches
            stage = replace(recipe, epochs=1, average=False, n_earlier=n_earlier)
            before = trainer.model
            train_lai(trainer, stage, rng)
            self._warn_of_collapse(trainer, stage, before)
        else:
            pretrain(trainer, PlainStage(1, tol=0, n_iter_no_change=math.inf), rng)
        states[is_lai] = rng.bit_generator.state
        n_lai_batches = progress.n_lai_batches + is_lai * len(trainer.batches)
        return replace(progress, rng_states=states, n_lai_batches=n_lai_batches)

    def _count_pass(self, trainer: Trainer) -> None:
        """Set what a pass gave, and add its records to those before."""
        is_warm = trainer.model.history.is_warm
        n_earlier = (self.n_iter_, self.n_pretrain_iter_) if is_warm else (0, 0)
        self._set_fitted(trainer)
        self.n_iter_ += n_earlier[0]
        self.n_pretrain_iter_ += n_earlier[1]
