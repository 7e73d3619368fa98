"""The linear model as a network without hidden layers, trained by Adam."""

from functools import partial
from typing import Any

import numpy as np

from .._base import Data
from .._lai_training import LaiTrainingRegressor
from .._train.optimizers import Adam
from .._train.randomness import random_streams
from .._train.setup import TrainingData, training
from .._train.training import pretrain
from .._train.watch import Watch
from .._units import Layers
from .base import BaseLaiLinear


class AdamLinear(BaseLaiLinear, LaiTrainingRegressor):
    """A linear model that mini-batches can train."""

    def _fit_by_adam(self, rows: Data, watch: Watch) -> None:
        """Train in both stages, from coefficients of 0."""
        units = self._units_of(self._statistics(rows), rows.X.dtype, self.fit_intercept)
        sizes, dtype = (rows.X.shape[1], rows.y.shape[1]), rows.X.dtype
        layers = [np.zeros(sizes, dtype)], [np.zeros(sizes[1], dtype)]
        recipe = self._recipe(
            dtype,
            partial(Adam, learning_rate=self.learning_rate_init),
            fit_intercept=self.fit_intercept,
        )
        rng, lai_rng = random_streams(self._seed())
        with training(TrainingData(*rows, units, layers), recipe, watch) as trainer:
            self._run_stages(
                trainer,
                partial(pretrain, trainer, recipe.stage, rng),
                self._lai_recipe(self.feature_k_),
                lai_rng,
            )
            vars(self).update(self._attributes_of(trainer.layers()))
            self._record(trainer.model.history)

    def _attributes_of(self, layers: Layers) -> dict[str, Any]:
        """Fitted attributes that say what the model is."""
        ([coef], [intercept]) = layers
        return self._coef_attributes(coef, intercept, coef.dtype)
