"""The linear model as a network without hidden layers, trained by Adam."""

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from .. import _train
from .._base import Data
from .._lai_training import LaiTrainingRegressor
from .._recipe.data import TrainingData
from .._recipe.randomness import random_streams
from .._recipe.recipe import OptimizerRecipe
from .._recipe.stages import LaiStage
from .._recipe.watch import Watch
from .._units import Layers, Units
from .._warnings import warn_caller
from .base import BaseLaiLinear
from .moments import Moments
from .path import LARGEST_SLOPE, LEAST_SLOPE, solve_paths

if TYPE_CHECKING:
    from .._train import Trainer

# Error above the least, in shares of that of a constant or the least, from which on the
# end of training is far from the least loss.
FAR = 0.03
# Features up to which least squares takes no longer than some epochs, and up to which
# the exact solver does.
MOST_FEATURES = 500
MOST_FEATURES_OF_EXACT = 100


class AdamLinear(BaseLaiLinear, LaiTrainingRegressor):
    """A linear model that mini-batches can train."""

    def _fit_by_adam(self, rows: Data, watch: Watch) -> None:
        """Train in both stages, from coefficients of 0."""
        units = self._units_of(self._statistics(rows), rows.X.dtype, self.fit_intercept)
        self._warn_of_stuck(units)
        sizes, dtype = (rows.X.shape[1], rows.y.shape[1]), rows.X.dtype
        layers = [np.zeros(sizes, dtype)], [np.zeros(sizes[1], dtype)]
        recipe = self._recipe(
            dtype,
            OptimizerRecipe("adam", {"learning_rate": self.learning_rate_init}),
            fit_intercept=self.fit_intercept,
        )
        rng, lai_rng = random_streams(self._seed())
        data = TrainingData(*rows, units, layers)
        with _train.training(data, recipe, watch) as trainer:
            stage = self._lai_recipe(self.feature_k_)
            run_first = partial(_train.pretrain, trainer, recipe.stage, rng)
            if self._run_stages(trainer, run_first, stage, lai_rng):
                self._warn_of_stall(trainer, stage, rows, units)
            vars(self).update(self._attributes_of(trainer.layers()))
            self._record(trainer.model.history)

    def _warn_of_stall(
        self, trainer: "Trainer", stage: LaiStage, rows: Data, units: Units
    ) -> None:
        """Warn if both stages, run to their ends, left the loss far above the least.

        The first may stop early, which is no fault if the second makes it good.
        """
        parameters, history = trainer.model
        is_whole = len(history.lai_training) == stage.epochs
        has_stalled = history.pretraining and history.end == "converged"
        if rows.X.shape[1] > MOST_FEATURES or not (has_stalled and is_whole):
            return
        solutions = self._solutions(rows, units)
        candidates = [parameters.cpu().numpy(), *solutions]
        error, *least = _train.minimised_errors(trainer, stage, candidates)
        lowest = np.min(least, axis=0)
        scale = np.maximum(lowest, _train.constant_errors(trainer))
        if (error > lowest + np.maximum(FAR * scale, self.tol)).any():
            warn_caller(
                f"Training stalled after {len(history.pretraining)} epochs of the "
                "first stage and ended far from the least loss: the exact solver or "
                f"least squares is lower. Lower tol ({self.tol}) and raise max_iter, "
                f"or try another learning_rate_init ({self.learning_rate_init}); keep "
                "standardize=True and fit_intercept=True, or centre the features.",
                ConvergenceWarning,
            )

    def _solutions(self, rows: Data, units: Units) -> Iterator[np.ndarray]:
        """Parameters, in units of training, that minimise the squared error.

        With its Lai loss, too, if that does not take long.
        """
        regression = self._plain_regression(Moments.of(*rows))
        k = np.clip(self.feature_k_, LEAST_SLOPE, LARGEST_SLOPE)
        fractions = [0.0]
        if self.lai_epochs > 0 and rows.X.shape[1] <= MOST_FEATURES_OF_EXACT:
            fractions.append(self.lai_fraction)
        for fraction in fractions:
            [fit] = next(
                solve_paths([regression], [k], self.norm, self.l1_ratio, fraction)
            )
            (coef,), (intercept,) = units.unfold(([fit.coef], [fit.intercept]))
            layers = [coef, intercept[None]] if self.fit_intercept else [coef]
            yield np.concatenate(layers).ravel()

    def _attributes_of(self, layers: Layers) -> dict[str, Any]:
        """Fitted attributes that say what the model is."""
        ([coef], [intercept]) = layers
        return self._coef_attributes(coef, intercept, coef.dtype)
