"""Both stages of Lai Training on arrays: the only place where NumPy meets torch."""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from sklearn.metrics import r2_score

from ._batches import Batches
from ._inference import predict
from ._network import Network
from ._objective import BaseLoss, Objective, make_objective
from ._scaling import Layers, Units
from ._training import (
    History,
    LaiStage,
    PlainStage,
    Snapshot,
    Trainer,
    pretrain,
    train_lai,
)


@dataclass(frozen=True)
class Task:
    """All that the first stage depends on, and with it most of the second.

    `layers` are the initial weights, in `units`; `rng_state` is the state of the random
    stream of the first stage; `y` has shape (n_samples, n_outputs).
    """

    X: np.ndarray
    y: np.ndarray
    sample_weight: np.ndarray | None
    validation: tuple[np.ndarray, np.ndarray] | None
    layers: Layers
    units: Units
    activation: str
    fit_intercept: bool
    loss: BaseLoss
    alpha: float
    optimizer: partial
    batch_size: int
    shuffle: bool
    stage: PlainStage
    rng_state: Mapping[str, Any]


@dataclass(frozen=True)
class LaiLoss:
    """What only the second stage depends on.

    `k` has shape (n_features,) or (n_outputs, n_features), NaN where left out.
    """

    k: np.ndarray
    norm: str
    l1_ratio: float
    stage: LaiStage


def run_first_stage(task: Task, *, verbose: bool) -> Snapshot:
    """Pretraining; the result depends on the task alone."""
    rng = np.random.default_rng()
    rng.bit_generator.state = task.rng_state
    trainer = _make_trainer(task, _plain_objective(task), verbose=verbose)
    pretrain(trainer, task.stage, rng)
    return trainer.snapshot()


def pretrained_layers(task: Task, pretrained: Snapshot) -> Layers:
    """Weights after the first stage, in the units of the data."""
    network = _make_network(task)
    network.parameters.copy_(pretrained.parameters)
    return task.units.fold(_from_network(network))


def run_second_stage(
    task: Task,
    pretrained: Snapshot,
    lai: LaiLoss,
    rng: np.random.Generator,
    *,
    verbose: bool,
) -> tuple[Layers, History]:
    """Lai Training from there; returns weights in the units of the data."""
    trainer = _make_trainer(task, _objective(task, lai), verbose=verbose)
    trainer.resume(pretrained)
    train_lai(trainer, lai.stage, rng)
    with np.errstate(over="ignore", invalid="ignore"):
        layers = task.units.fold(_from_network(trainer.network))
    if not all(np.isfinite(array).all() for arrays in layers for array in arrays):
        raise ValueError(
            "Training ended with weights that are not finite. Likely cause: steps too "
            "large; lower learning_rate_init "
            f"({task.optimizer.keywords['learning_rate']!r}) or keep standardize=True."
        )
    return layers, trainer.history


def _make_network(task: Task) -> Network:
    coefs, intercepts = (list(map(_to_tensor, arrays)) for arrays in task.layers)
    return Network(coefs, intercepts, task.activation, fit_intercept=task.fit_intercept)


def _make_trainer(task: Task, objective: Objective, *, verbose: bool) -> Trainer:
    network = _make_network(task)
    return Trainer(
        network,
        _make_batches(task),
        objective,
        task.optimizer(network.parameters),
        alpha=task.alpha,
        validation=task.validation
        and _r2_on(*task.validation, task.units, task.activation),
        verbose=verbose,
    )


def _make_batches(task: Task) -> Batches:
    X, weight = task.X, None
    if task.sample_weight is not None:
        normalised = task.sample_weight / task.sample_weight.mean()
        weight = _to_tensor(normalised.astype(X.dtype))
    return Batches(
        _to_tensor(X),
        _to_tensor(task.units.y.standardise(task.y).astype(X.dtype, copy=False)),
        _to_tensor(task.units.X.mean),
        _to_tensor(task.units.X.unit),
        batch_size=min(task.batch_size, len(X)),
        shuffle=task.shuffle,
        add_ones=task.fit_intercept,
        weight=weight,
    )


def _plain_objective(task: Task) -> Objective:
    nowhere = np.full((1, task.X.shape[1]), np.nan, task.X.dtype)
    return make_objective(task.loss, "l2", 0.5, _to_tensor(nowhere))


def _objective(task: Task, lai: LaiLoss) -> Objective:
    """The objective of the second stage; constant features have no direction."""
    k = np.where(task.units.X.is_constant(), np.nan, np.atleast_2d(lai.k))
    return make_objective(
        task.loss, lai.norm, lai.l1_ratio, _to_tensor(k.astype(task.X.dtype))
    )


def _to_tensor(array: np.ndarray) -> torch.Tensor:
    """Tensor over the memory of an array, copied only if its layout is not C's."""
    with warnings.catch_warnings():
        # Nothing writes to the tensor, so a read-only array may stay so.
        warnings.filterwarnings("ignore", "The given NumPy array is not writable")
        return torch.from_numpy(np.ascontiguousarray(array))


def _from_network(network: Network) -> Layers:
    coefs, intercepts = network.layers()
    return [coef.numpy() for coef in coefs], [b.numpy() for b in intercepts]


def _r2_on(
    X: np.ndarray, y: np.ndarray, units: Units, activation: str
) -> Callable[[Network], float]:
    """Score of a network on validation data; NaN where it predicts no number."""
    X, y = units.X.standardise(X), units.y.standardise(y)

    def score(network: Network) -> float:
        y_pred = predict(X, *_from_network(network), activation)
        with np.errstate(over="ignore"):
            return r2_score(y, y_pred) if np.isfinite(y_pred).all() else np.nan

    return score
