"""Models along k from one pretrained network, and what they do on data held out."""

import math
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from numbers import Integral
from types import SimpleNamespace
from typing import Any

import numpy as np
from sklearn.metrics import mean_squared_error

from .. import _inference
from .._base import Data
from .._lai_training import random_streams
from .._noise import boundary_ratio, grid_around
from .._train.setup import TrainingData, make_trainer
from .._train.training import LaiStage, Trainer, train_lai
from .._train.watch import Watch
from .._units import Layers
from ..metrics import noise_sensitivity, prediction_variance

# Quantile of the slopes, on so many rows, that is the largest k of a grid, and the
# share of it that is the least.
SLOPE_QUANTILE, SLOPE_ROWS, LEAST_SHARE = 0.99, 5_000, 0.02
# Noisy copies of the data held out that the errors are the mean of.
N_COPIES = 5


def pretrained(
    model: Any, rows: Data, seed: int, watch: Watch
) -> tuple[TrainingData, Trainer]:
    """The trainer of these rows, after the first stage, and what it trains on."""
    rng, _ = random_streams(seed)
    data = model._from_new_weights(rows, None, rng)
    recipe = model._mlp_recipe(data)
    trainer = make_trainer(data, recipe, watch)
    model._pretrain(trainer, data, recipe, rng)
    return data, trainer


def stage_of(model: Any, k: float) -> LaiStage:
    """The second stage for one `k` for all features, or for the noise as a whole."""
    stage = model._lai_recipe(model._resolve_k(k))
    return stage if model.noise is None else replace(stage, boundary=k)


def resolve_ks(model: Any, data: TrainingData, trainer: Trainer) -> np.ndarray:
    """The boundary slopes themselves, or as many as `ks` says."""
    if not isinstance(model.ks, Integral):
        return np.array(model.ks, dtype=np.float64)
    if model.noise is not None:
        middle = boundary_ratio(model.lai_fraction) * trainer.mean_error().mean()
        return grid_around(float(middle) or 1.0, int(model.ks))
    largest = _largest_slope(data, trainer.layers(), model.activation)
    if model.standardize:
        largest = min(largest, 1.0)
    return np.geomspace(largest, LEAST_SHARE * largest, int(model.ks))


def _largest_slope(data: TrainingData, layers: Layers, activation: str) -> float:
    """Largest slope but for outliers, in magnitude and in units of training."""
    rows = data.X[:: math.ceil(len(data.X) / SLOPE_ROWS)]
    slopes = _inference.input_gradient(rows, *layers, activation)
    unit = np.where(data.units.X.is_constant(), 0, data.units.X.unit)
    slopes = np.abs(slopes * unit / data.units.y.unit[:, None])
    return float(np.quantile(slopes, SLOPE_QUANTILE)) or 1.0


def follow_ks(
    model: Any, rows: Data, train: np.ndarray, test: np.ndarray, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pretrain on a fold, train every k from there, and look at its test data.

    Returns mean squared errors (n_ks, n_outputs), under noise if there is some, noise
    sensitivities (n_ks, n_features) and variances of the predictions (n_ks,).
    """
    X, y, sample_weight = rows.take(test)
    data, trainer = pretrained(model, rows.take(train), seed, Watch())
    start, assessed = trainer.snapshot(), []
    for k in model.ks_:
        trainer.resume(start)
        _, rng = random_streams(seed)
        train_lai(trainer, stage_of(model, k), rng)
        predictor = SimpleNamespace(
            predict=partial(
                _predict, layers=trainer.layers(), activation=model.activation
            )
        )
        of_copies = [
            mean_squared_error(
                y,
                predictor.predict(copy),
                sample_weight=sample_weight,
                multioutput="raw_values",
            )
            for copy in _copies(model, X, data)
        ]
        sensitivity = noise_sensitivity(predictor, X).mean(axis=0)
        variance = float(np.mean(prediction_variance(predictor, X)))
        assessed.append((np.mean(of_copies, axis=0), sensitivity, variance))
    errors, sensitivities, variances = map(np.array, zip(*assessed, strict=True))
    return errors, sensitivities, variances


def _copies(model: Any, X: np.ndarray, data: TrainingData) -> Iterator[np.ndarray]:
    """The features as they are, or copies with the noise that is expected."""
    if model.noise is None:
        yield X
        return
    unit = np.where(data.units.X.is_constant(), 0, data.units.X.unit)
    sds = model._resolve_noise() * unit
    rng = np.random.default_rng(0)
    for _ in range(N_COPIES):
        yield X + (sds * rng.standard_normal(X.shape)).astype(X.dtype)


def _predict(X: np.ndarray, layers: Layers, activation: str) -> np.ndarray:
    return _inference.predict(X, *layers, activation)
