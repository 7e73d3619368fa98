"""Models along `k` from one pretrained network, and what they do on data held out."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from numbers import Integral
from types import SimpleNamespace
from typing import Annotated

import numpy as np
from sklearn.metrics import mean_squared_error

from .. import _inference
from .._base import Data
from .._feature_k import KS
from .._lai_training import random_streams
from .._noise import multiples
from .._train.setup import TrainingData, make_trainer
from .._train.training import LaiStage, Trainer, train_lai
from .._train.watch import Watch
from .._typing import KsLike
from .._units import Layers
from ..metrics import noise_sensitivity, prediction_variance
from .base import BaseLaiMLP

# Quantile of the slopes, on so many rows, that is the largest k of a grid, and the
# share of it that is the least.
SLOPE_QUANTILE, SLOPE_ROWS, LEAST_SHARE = 0.99, 5_000, 0.02
# Noisy copies of the data held out that the errors are the mean of.
N_COPIES = 5


class PathMLP(BaseLaiMLP):
    """A perceptron that is trained for many `k` from one pretrained network."""

    ks: Annotated[KsLike, KS]

    ks_: np.ndarray

    def _pretrained(
        self, rows: Data, seed: int, watch: Watch
    ) -> tuple[TrainingData, Trainer]:
        """The trainer of these rows, after the first stage, and what it trains on."""
        rng, _ = random_streams(seed)
        data = self._from_new_weights(rows, None, rng)
        recipe = self._mlp_recipe(data)
        trainer = make_trainer(data, recipe, watch)
        self._pretrain(trainer, data, recipe, rng)
        return data, trainer

    def _stage_of(self, k: float) -> LaiStage:
        """The second stage for a `k`; with noise, for a multiple of what follows."""
        stage = self._lai_recipe(self._resolve_k(k))
        return stage if self.noise is None else replace(stage, multiple=k)

    def _resolve_ks(self, data: TrainingData, pretrained: Layers) -> np.ndarray:
        """The `ks` themselves, or as many as they say."""
        if not isinstance(self.ks, Integral):
            return np.array(self.ks, dtype=np.float64)
        if self.noise is not None:
            return multiples(int(self.ks))
        rows = data.X[:: math.ceil(len(data.X) / SLOPE_ROWS)]
        slopes = _inference.input_gradient(rows, *pretrained, self.activation)
        unit = np.where(data.units.X.is_constant(), 0, data.units.X.unit)
        slopes = np.abs(slopes * unit / data.units.y.unit[:, None])
        largest = float(np.quantile(slopes, SLOPE_QUANTILE)) or 1.0
        if self.standardize:
            largest = min(largest, 1.0)
        return np.geomspace(largest, LEAST_SHARE * largest, int(self.ks))

    def _follow_ks(
        self, rows: Data, train: np.ndarray, test: np.ndarray, seed: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Pretrain on a fold, train every k from there, and look at its test data.

        Returns mean squared errors (n_ks, n_outputs), under noise if there is some,
        noise sensitivities (n_ks, n_features) and variances of predictions (n_ks,).
        """
        held_out = rows.take(test)
        data, trainer = self._pretrained(rows.take(train), seed, Watch())
        copies = list(self._copies(held_out.X, data))
        start, assessed = trainer.snapshot(), []
        for k in self.ks_:
            trainer.resume(start)
            _, rng = random_streams(seed)
            train_lai(trainer, self._stage_of(k), rng)
            predict = partial(
                _predict, layers=trainer.layers(), activation=self.activation
            )
            assessed.append(_assess(predict, held_out, copies))
        errors, sensitivities, variances = map(np.array, zip(*assessed, strict=True))
        return errors, sensitivities, variances

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


def _assess(
    predict: Callable[[np.ndarray], np.ndarray], data: Data, copies: list[np.ndarray]
) -> tuple[np.ndarray, np.ndarray, float]:
    """Mean squared errors on copies of the features, sensitivity and variance."""
    errors = [
        mean_squared_error(
            data.y,
            predict(copy),
            sample_weight=data.sample_weight,
            multioutput="raw_values",
        )
        for copy in copies
    ]
    predictor = SimpleNamespace(predict=predict)
    sensitivity = noise_sensitivity(predictor, data.X).mean(axis=0)
    variance = float(np.mean(prediction_variance(predictor, data.X)))
    return np.mean(errors, axis=0), sensitivity, variance


def _predict(X: np.ndarray, layers: Layers, activation: str) -> np.ndarray:
    return _inference.predict(X, *layers, activation)
