"""Models along `k` from one pretrained network, and what they do on data held out."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from numbers import Integral
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import numpy as np
from sklearn.metrics import (
    mean_absolute_error,
    mean_pinball_loss,
    root_mean_squared_error,
)

from .. import _inference, _train
from .._base import Data
from .._box import Box
from .._choice_of_k import ChoosesK, Scorer, make_model, score_on
from .._folds import naming
from .._noise import boundary_ratio, multiples
from .._recipe.data import TrainingData
from .._recipe.randomness import RandomState, random_streams, state_of
from .._recipe.recipe import Recipe
from .._recipe.stages import LaiStage
from .._recipe.watch import Watch
from .._units import Layers, Scale
from .._validation import NONE, AnyOf, Number, as_floats
from .assessment import Assessment, Error, assess, bounded
from .base import BaseLaiMLP
from .partial_fit import Progress
from .regressor import LaiMLPRegressor

if TYPE_CHECKING:
    from .._train import Trainer

# Noise in every feature that the ends of a grid of k stand for, in feature standard
# deviations, and the lai_fraction up to which that holds.
LEAST_NOISE, LARGEST_NOISE, LARGEST_FRACTION = 0.05, 1.5, 0.5
# Sizes of k that float32 can compute with.
LEAST_K, LARGEST_K = 1e-8, 1e8
# The same of boundaries between changes by noise, over the mean error.
LEAST_RATIO, LARGEST_RATIO = 1e-11, 1e8
# Standard deviations from the mean at which predictions have squares, in float32, too.
FARTHEST = 1e15
# Noisy copies of the data held out that the errors are the mean of.
N_COPIES = 5


class Plan(NamedTuple):
    """What is trained on, and how, with the random streams of the stages.

    `seen` is the range of all rows, those that are held out among them.
    """

    data: TrainingData
    recipe: Recipe
    rng: RandomState
    lai_rng: np.random.Generator
    seen: Box


class Start(NamedTuple):
    """A pretrained network, and how it is trained."""

    trainer: "Trainer"
    plan: Plan


class PathMLP(ChoosesK[LaiMLPRegressor], BaseLaiMLP):
    """A perceptron that is trained for many `k` from one pretrained network."""

    path_epochs: Annotated[int | None, AnyOf(NONE, Number(Integral, 1))]

    def _plan(self, rows: Data, seed: int) -> Plan:
        """How the network of these rows is trained."""
        rng, lai_rng = random_streams(seed)
        data = self._from_new_weights(rows, None, rng)
        return Plan(data, self._mlp_recipe(data), rng, lai_rng, Box.of(rows.X))

    def _pretrained(self, trainer: "Trainer", plan: Plan) -> Start:
        """The network after the first stage."""
        self._pretrain(trainer, plan.data, plan.recipe, plan.rng)
        return Start(trainer, plan)

    def _follow_path(self, start: Start) -> Iterator[tuple[int, LaiStage]]:
        """Train for every `k`; yields its place in `ks_` and its stage once it ends."""
        if self.path_epochs is None:
            return self._apart(start)
        return self._upwards(start, int(self.path_epochs))

    def _apart(self, start: Start) -> Iterator[tuple[int, LaiStage]]:
        """Each `k` from the pretrained network."""
        trainer, snapshot = start.trainer, start.trainer.snapshot()
        state = state_of(start.plan.lai_rng)
        for place, k in enumerate(self.ks_):
            trainer.resume(snapshot)
            start.plan.lai_rng.bit_generator.state = state
            stage = self._stage_of(k)
            with naming(f"k={k:g}"):
                _train.train_lai(trainer, stage, start.plan.lai_rng)
            yield place, stage

    def _upwards(self, start: Start, epochs: int) -> Iterator[tuple[int, LaiStage]]:
        """From the smallest `k` on, each from the weights that the one before had last.

        The mean error is that of the pretrained network for all of them.
        """
        mean_error = start.trainer.mean_error().cpu().numpy()
        for place in np.argsort(self.ks_, kind="stable").tolist():
            stage = replace(
                self._stage_of(self.ks_[place]),
                epochs=epochs,
                mean_error=mean_error,
            )
            with naming(f"k={self.ks_[place]:g} of ks"):
                _train.train_lai(start.trainer, stage, start.plan.lai_rng)
            yield place, stage

    def _fitted_model(self, k: float, start: Start) -> LaiMLPRegressor:
        """The model of the trainer now, as if fitted alone."""
        model = make_model(self, LaiMLPRegressor, k)
        model.feature_k_ = model._resolve_k(model.k, start.plan.data.y.shape[1])
        model._split_state = self._split_state
        model._set_fitted(start.trainer)
        model._set_range(start.plan.seen)
        model._set_importances(start.plan.data)
        progress = Progress.of(
            start.trainer, start.plan.data, [start.plan.rng, start.plan.lai_rng]
        )
        multiple = 1.0 if self.noise is None else float(k)
        model._progress = replace(progress, multiple=multiple)
        return model

    def _stage_of(self, k: float) -> LaiStage:
        """The second stage for a `k`; with noise, for a multiple of what follows."""
        stage = self._lai_recipe(self._resolve_k(k))
        if self.noise is None:
            return stage
        ratio = boundary_ratio(self.lai_fraction)
        if not LEAST_RATIO <= k * ratio <= LARGEST_RATIO:
            raise ValueError(
                f"ks must be multiples from {LEAST_RATIO / ratio:.2g} to "
                f"{LARGEST_RATIO / ratio:.2g} with noise and lai_fraction="
                f"{self.lai_fraction!r}, got {k:g}."
            )
        return replace(stage, multiple=k)

    def _resolve_ks(self, start: Start) -> np.ndarray:
        """The `ks` themselves, or as many as they say."""
        if not isinstance(self.ks, Integral):
            return as_floats(self.ks)
        if self.noise is not None:
            return multiples(int(self.ks))
        error = float(start.trainer.mean_error().mean()) or 1.0
        sd = 1.0
        if not self.standardize:
            sds = start.plan.data.X.std(axis=0, dtype=np.float64)
            sd = float(sds.mean()) or 1.0
        # A fraction of 0 or 1 has no such k, and needs none.
        fraction = min(self.lai_fraction, LARGEST_FRACTION) or LARGEST_FRACTION
        k = boundary_ratio(fraction) * error / sd
        if not LEAST_K <= k <= LARGEST_K:
            raise ValueError(
                f"ks around {k:.2g} follow from the error after the first stage, "
                f"{error:.2g}, and lai_fraction ({self.lai_fraction!r}). Likely cause: "
                "one of these, steps too large (lower learning_rate_init, keep beta_2 "
                "near 1), or standardize=False."
            )
        return k / np.geomspace(LEAST_NOISE, LARGEST_NOISE, int(self.ks))

    def _assess_fold(
        self,
        rows: Data,
        X: Any,
        scorer: Scorer | None,
        unit: np.ndarray,
        seed: int,
        number: int,
        fold: tuple[np.ndarray, np.ndarray],
    ) -> list[Assessment]:
        """Train for every `k` on a fold, and look at its test data.

        `X` has the features as the user gave them, for the scorer; `unit` is that of
        each output in the score unless there is one.
        """
        train, test = fold
        held_out = rows.take(test)
        found = {}
        with naming(f"fold {number} of cv"):
            plan = self._plan(rows.take(train), seed)
            _check_near(held_out.X, plan.data.units.X)
            copies = list(self._copies(held_out.X, plan.data))
            with _train.training(plan.data, plan.recipe, Watch()) as trainer:
                start = self._pretrained(trainer, plan)
                for place, _ in self._follow_path(start):
                    k = self.ks_[place]
                    with naming(f"k={k:g}"):
                        predict = partial(
                            _predict,
                            layers=trainer.layers(),
                            activation=self.activation,
                        )
                        one = assess(predict, held_out, copies, self._error(), unit)
                        if scorer is not None:
                            model = self._fitted_model(k, start)
                            score = score_on(scorer, model, X, rows, test)
                            one = one._replace(score=score)
                    found[place] = one
        return [found[place] for place in range(len(self.ks_))]

    def _copies(self, X: np.ndarray, data: TrainingData) -> Iterator[np.ndarray]:
        """The features as they are, or copies with the noise that is expected."""
        if self.noise is None:
            yield X
            return
        unit = np.where(data.units.X.is_constant(), 0, data.units.X.unit)
        noise = self._resolve_noise().times(unit)
        rng = np.random.default_rng(0)
        for _ in range(N_COPIES):
            draws = noise.mixed(rng.standard_normal(X.shape))
            yield X + (noise.sds * draws).astype(X.dtype)

    def _error(self) -> Error:
        """The error whose negative is the score unless there is another scorer."""
        if self.loss == "squared_error":
            return root_mean_squared_error
        if self.loss == "quantile":
            return bounded(partial(mean_pinball_loss, alpha=self.quantile))
        return bounded(mean_absolute_error)


def _check_near(X: np.ndarray, scale: Scale) -> None:
    """Raise an error if rows are so far away that squares of predictions overflow."""
    with np.errstate(over="ignore"):
        distance = np.abs(X - scale.mean).max(axis=0) / scale.unit
    if distance.max() > FARTHEST:
        raise ValueError(
            f"X has test rows {distance.max():.2g} standard deviations of the training "
            f"rows from their mean in column {distance.argmax()}: is a value wrong?"
        )


def _predict(X: np.ndarray, layers: Layers, activation: str) -> np.ndarray:
    return _inference.predict(X, *layers, activation)
