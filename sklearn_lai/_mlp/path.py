"""Models along `k` from one pretrained network, and what they do on data held out."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from numbers import Integral
from typing import Annotated, Any, NamedTuple

import numpy as np
from sklearn.metrics import (
    mean_absolute_error,
    mean_pinball_loss,
    root_mean_squared_error,
)

from .. import _inference
from .._base import Data
from .._box import Box
from .._choice_of_k import ChoosesK, Scorer, make_model, score_on
from .._noise import boundary_ratio, multiples
from .._train.randomness import RandomState, random_streams, state_of
from .._train.setup import Recipe, TrainingData, training
from .._train.stages import LaiStage
from .._train.trainer import Trainer
from .._train.training import train_lai
from .._train.watch import Watch
from .._units import Layers
from .._validation import NONE, AnyOf, Number
from .assessment import Assessment, Error, assess
from .base import BaseLaiMLP
from .partial_fit import Progress
from .regressor import LaiMLPRegressor

# Noise in every feature that the ends of a grid of k stand for, in feature standard
# deviations, and the lai_fraction up to which that holds.
LEAST_NOISE, LARGEST_NOISE, LARGEST_FRACTION = 0.05, 1.5, 0.5
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
    """A pretrained network: its trainer, what that trains on, the random streams.

    `seen` is as in `Plan`.
    """

    trainer: Trainer
    data: TrainingData
    rng: RandomState
    lai_rng: np.random.Generator
    seen: Box


class PathMLP(ChoosesK[LaiMLPRegressor], BaseLaiMLP):
    """A perceptron that is trained for many `k` from one pretrained network."""

    path_epochs: Annotated[int | None, AnyOf(NONE, Number(Integral, 1))]

    def _plan(self, rows: Data, seed: int) -> Plan:
        """How the network of these rows is trained."""
        rng, lai_rng = random_streams(seed)
        data = self._from_new_weights(rows, None, rng)
        return Plan(data, self._mlp_recipe(data), rng, lai_rng, Box.of(rows.X))

    def _pretrained(self, trainer: Trainer, plan: Plan) -> Start:
        """The network after the first stage."""
        data, recipe, rng, lai_rng, seen = plan
        self._pretrain(trainer, data, recipe, rng)
        return Start(trainer, data, rng, lai_rng, seen)

    def _follow_path(self, start: Start) -> Iterator[tuple[int, LaiStage]]:
        """Train for every `k`; yields its place in `ks_` and its stage once it ends."""
        if self.path_epochs is None:
            return self._apart(start)
        return self._upwards(start, int(self.path_epochs))

    def _apart(self, start: Start) -> Iterator[tuple[int, LaiStage]]:
        """Each `k` from the pretrained network."""
        trainer, snapshot = start.trainer, start.trainer.snapshot()
        state = state_of(start.lai_rng)
        for place, k in enumerate(self.ks_):
            trainer.resume(snapshot)
            start.lai_rng.bit_generator.state = state
            stage = self._stage_of(k)
            train_lai(trainer, stage, start.lai_rng)
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
            train_lai(start.trainer, stage, start.lai_rng)
            yield place, stage

    def _fitted_model(self, k: float, start: Start) -> LaiMLPRegressor:
        """The model of the trainer now, as if fitted alone."""
        model = make_model(self, LaiMLPRegressor, k)
        model.feature_k_ = model._resolve_k(model.k, start.data.y.shape[1])
        model._split_state = self._split_state
        model._set_fitted(start.trainer)
        model._set_range(start.seen)
        model._set_importances(start.data)
        states = [state_of(start.rng), state_of(start.lai_rng)]
        model._progress = Progress(
            states,
            start.data.units.statistics,
            optimizer=start.trainer.optimizer.state(),
        )
        return model

    def _stage_of(self, k: float) -> LaiStage:
        """The second stage for a `k`; with noise, for a multiple of what follows."""
        stage = self._lai_recipe(self._resolve_k(k))
        return stage if self.noise is None else replace(stage, multiple=k)

    def _resolve_ks(self, start: Start) -> np.ndarray:
        """The `ks` themselves, or as many as they say."""
        if not isinstance(self.ks, Integral):
            return np.array(self.ks, dtype=np.float64)
        if self.noise is not None:
            return multiples(int(self.ks))
        error = float(start.trainer.mean_error().mean()) or 1.0
        sds = start.data.X.std(axis=0, dtype=np.float64)
        sd = 1.0 if self.standardize else float(sds.mean()) or 1.0
        # A fraction of 0 or 1 has no such k, and needs none.
        fraction = min(self.lai_fraction, LARGEST_FRACTION) or LARGEST_FRACTION
        k = boundary_ratio(fraction) * error / sd
        return k / np.geomspace(LEAST_NOISE, LARGEST_NOISE, int(self.ks))

    def _assess_fold(
        self,
        rows: Data,
        X: Any,
        scorer: Scorer | None,
        unit: np.ndarray,
        seed: int,
        fold: tuple[np.ndarray, np.ndarray],
    ) -> list[Assessment]:
        """Train for every `k` on a fold, and look at its test data.

        `X` has the features as the user gave them, for the scorer; `unit` is that of
        each output in the score unless there is one.
        """
        train, test = fold
        held_out = rows.take(test)
        plan = self._plan(rows.take(train), seed)
        copies = list(self._copies(held_out.X, plan.data))
        found = {}
        with training(plan.data, plan.recipe, Watch()) as trainer:
            start = self._pretrained(trainer, plan)
            for place, _ in self._follow_path(start):
                predict = partial(
                    _predict, layers=trainer.layers(), activation=self.activation
                )
                found[place] = assess(predict, held_out, copies, self._error(), unit)
                if scorer is not None:
                    model = self._fitted_model(self.ks_[place], start)
                    score = score_on(scorer, model, X, rows, test)
                    found[place] = found[place]._replace(score=score)
        return [found[place] for place in range(len(self.ks_))]

    def _copies(self, X: np.ndarray, data: TrainingData) -> Iterator[np.ndarray]:
        """The features as they are, or copies with the noise that is expected."""
        if self.noise is None:
            yield X
            return
        unit = np.where(data.units.X.is_constant(), 0, data.units.X.unit)
        sds = self._resolve_noise() * unit
        rng = np.random.default_rng(0)
        for _ in range(N_COPIES):
            yield X + (sds * rng.standard_normal(X.shape)).astype(X.dtype)

    def _error(self) -> Error:
        """The error whose negative is the score unless there is another scorer."""
        if self.loss == "absolute_error":
            return mean_absolute_error
        if self.loss == "quantile":
            return partial(mean_pinball_loss, alpha=self.quantile)
        return root_mean_squared_error


def _predict(X: np.ndarray, layers: Layers, activation: str) -> np.ndarray:
    return _inference.predict(X, *layers, activation)
