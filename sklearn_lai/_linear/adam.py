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
from .._recipe.randomness import RandomState, random_streams
from .._recipe.recipe import OptimizerRecipe
from .._recipe.stages import PlainStage
from .._recipe.watch import Watch
from .._units import Layers, Units
from .._warnings import warn_caller
from .base import BaseLaiLinear
from .moments import Moments
from .path import solve_paths

if TYPE_CHECKING:
    from .._train import Trainer

# Mean error above that of least squares, in shares of that without features, from which
# on the end of training is far from the least loss.
FAR = 0.05
# Features up to which least squares takes no longer than some epochs.
MOST_FEATURES = 500


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
            self._run_stages(
                trainer,
                partial(self._pretrain_linear, trainer, recipe.stage, rng, rows, units),
                self._lai_recipe(self.feature_k_),
                lai_rng,
            )
            vars(self).update(self._attributes_of(trainer.layers()))
            self._record(trainer.model.history)

    def _pretrain_linear(
        self,
        trainer: "Trainer",
        stage: PlainStage,
        rng: RandomState,
        rows: Data,
        units: Units,
    ) -> None:
        """The first stage, with a warning if least squares has a far lower loss."""
        is_stopped = _train.pretrain(trainer, stage, rng)
        history, is_wide = trainer.model.history, rows.X.shape[1] > MOST_FEATURES
        has_stalled = history.pretraining and history.end == "converged"
        if is_stopped or is_wide or not has_stalled:
            return
        trained = trainer.model.parameters
        least, none = (
            trained.new_tensor(np.concatenate(layers).ravel())
            for layers in self._least_squares(rows, units)
        )
        errors = trainer.mean_errors_of(trained, least, none)
        of_trained, of_least, of_none = (error.cpu().numpy() for error in errors)
        if (of_trained > of_least + np.maximum(FAR * of_none, stage.tol)).any():
            warn_caller(
                f"Training stalled after {len(history.pretraining)} epochs of the "
                "first stage, far from the least loss: least squares is lower. Lower "
                f"tol ({self.tol}) and raise max_iter, or try another "
                f"learning_rate_init ({self.learning_rate_init}); keep "
                "standardize=True and fit_intercept=True, or centre the features.",
                ConvergenceWarning,
            )

    def _least_squares(self, rows: Data, units: Units) -> Iterator[list[np.ndarray]]:
        """Coefficients and intercepts in units of training; then with no features."""
        regression = self._plain_regression(Moments.of(*rows))
        no_k = np.full(rows.X.shape[1], np.nan)
        [fit] = next(solve_paths([regression], [no_k], self.norm, self.l1_ratio, 0.0))
        mean = np.average(rows.y, axis=0, weights=rows.sample_weight)
        for coef, intercept in (
            (fit.coef, fit.intercept),
            (np.zeros_like(fit.coef), mean * self.fit_intercept),
        ):
            (coef,), (intercept,) = units.unfold(([coef], [intercept]))
            yield [coef, intercept[None]] if self.fit_intercept else [coef]

    def _attributes_of(self, layers: Layers) -> dict[str, Any]:
        """Fitted attributes that say what the model is."""
        ([coef], [intercept]) = layers
        return self._coef_attributes(coef, intercept, coef.dtype)
