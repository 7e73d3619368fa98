"""Both stages of Lai Training on arrays: the only place where NumPy meets torch."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from sklearn.metrics import d2_pinball_score, r2_score

from .._inference import predict
from .._units import Layers, Spread, Units
from .base_losses import BaseLoss, Quantile
from .batches import Batches
from .network import Network
from .objective import Objective, make_objective
from .slopes import make_slope_measure
from .training import (
    History,
    LaiStage,
    PlainStage,
    Snapshot,
    Stopped,
    Trainer,
    pretrain,
    train_lai,
)
from .watch import Watch


class Data(NamedTuple):
    """Rows, targets of shape (n_samples, n_outputs), and weights, None for 1 each."""

    X: np.ndarray
    y: np.ndarray
    sample_weight: np.ndarray | None = None

    def take(self, rows: np.ndarray) -> "Data":
        """Some of the rows, those without weight left out."""
        weight = self.sample_weight
        if weight is not None:
            rows = rows[weight[rows] > 0]
            if not len(rows):
                raise ValueError(
                    "sample_weight is 0 for all rows of the training or test set of a "
                    "fold of cv."
                )
            weight = weight[rows]
        return Data(self.X[rows], self.y[rows], weight)

    def with_weight(self) -> "Data":
        """The rows that have a weight; all of them without a copy."""
        if self.sample_weight is None or self.sample_weight.all():
            return self
        return self.take(np.arange(len(self.X)))


@dataclass(frozen=True)
class Task:
    """All that the first stage depends on, and with it most of the second.

    `layers` are the initial weights, in `units`; `rng_state` is the state of the random
    stream of the first stage.
    """

    data: Data
    validation: Data | None
    layers: Layers
    units: Units
    activation: str
    fit_intercept: bool
    loss: BaseLoss
    alpha: float
    optimizer: partial
    batch_size: int
    shuffle: bool
    device: str
    stage: PlainStage
    rng_state: Mapping[str, Any]


@dataclass(frozen=True)
class LaiLoss:
    """What only the second stage depends on.

    `k` has shape (n_features,) or (n_outputs, n_features), NaN where left out. Slopes
    are measured over `reach`, in units of training; 0 is the derivative. `error` is
    'own' or 'mean'.
    """

    k: np.ndarray
    error: str
    reach: float
    norm: str
    l1_ratio: float
    stage: LaiStage


def resolve_device(name: str, dtype: np.dtype) -> str:
    """Device of torch that `device` stands for; raises an error if it is not there."""
    is_there = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    has_type = {"cuda": True, "mps": dtype == np.float32, "cpu": True}
    if name == "auto":
        return next(
            device for device in is_there if is_there[device] and has_type[device]
        )
    if not is_there[name]:
        raise ValueError(
            f"device={name!r} is not available to torch here; use 'cpu' or 'auto'."
        )
    if not has_type[name]:
        raise ValueError(
            f"device={name!r} has no float64; pass X as float32 or use device='cpu'."
        )
    return name


def run_first_stage(task: Task, *, watch: Watch) -> Snapshot:
    """Pretraining; the result depends on the task alone, unless it is `Stopped`."""
    rng = np.random.default_rng()
    rng.bit_generator.state = task.rng_state
    trainer = _make_trainer(task, _plain_objective(task), watch)
    pretrain(trainer, task.stage, rng)
    if watch.was_stopped:
        raise Stopped(trainer.snapshot())
    return trainer.snapshot()


def layers_of(task: Task, parameters: torch.Tensor) -> Layers:
    """Weights from a network's parameters, in the units of the data."""
    return _folded(task, _make_network(task), parameters)


def run_second_stage(
    task: Task,
    pretrained: Snapshot,
    lai: LaiLoss,
    rng: np.random.Generator,
    *,
    watch: Watch,
) -> tuple[Layers, History]:
    """Lai Training from there; returns weights in the units of the data."""
    trainer = _make_trainer(task, _plain_objective(task), watch)
    trainer.resume(pretrained)
    _set_lai_loss(trainer, task, lai)
    train_lai(trainer, lai.stage, rng)
    return trainer.layers(), trainer.history


@dataclass(frozen=True)
class Progress:
    """What a further pass over data goes on from, in arrays and plain numbers.

    `n_passes` is infinite after `fit`. `optimizer` is None where the last one's state
    is not known, `spreads` are those of the features and targets seen so far, None if
    they are not standardised.
    """

    n_passes: float
    n_lai_batches: int
    optimizer: Mapping[str, Any] | None
    spreads: tuple[Spread | None, Spread | None]
    rng_states: Sequence[Mapping[str, Any]]


def run_pass(
    task: Task, lai: LaiLoss | None, progress: Progress, rng: np.random.Generator
) -> tuple[Layers, History, Progress]:
    """One epoch of the second stage, without a Lai loss of the first."""
    trainer = _make_trainer(task, _plain_objective(task), Watch())
    if progress.optimizer is not None:
        state = {
            name: torch.from_numpy(value) if isinstance(value, np.ndarray) else value
            for name, value in progress.optimizer.items()
        }
        trainer.resume(Snapshot(trainer.network.parameters, state, trainer.history))
    n_lai_batches = progress.n_lai_batches
    if lai is None:
        pretrain(trainer, PlainStage(1, tol=0, n_iter_no_change=np.inf), rng)
    else:
        _set_lai_loss(trainer, task, lai)
        train_lai(trainer, lai.stage, rng)
        n_lai_batches += len(trainer.batches)
    state = {
        name: value.numpy() if isinstance(value, torch.Tensor) else value
        for name, value in trainer.snapshot().optimizer.items()
    }
    progress = replace(
        progress,
        n_passes=progress.n_passes + 1,
        n_lai_batches=n_lai_batches,
        optimizer=state,
        spreads=(task.units.X.spread, task.units.y.spread),
    )
    return trainer.layers(), trainer.history, progress


def _folded(task: Task, network: Network, parameters: torch.Tensor) -> Layers:
    """Weights in the units of the data."""
    with np.errstate(over="ignore", invalid="ignore"):
        layers = task.units.fold(_layers(network, parameters))
    if not all(np.isfinite(array).all() for arrays in layers for array in arrays):
        raise ValueError(
            "Training ended with weights that are not finite. Likely cause: steps too "
            "large; lower learning_rate_init "
            f"({task.optimizer.keywords['learning_rate']!r}) and "
            "lai_learning_rate_init, or keep standardize=True."
        )
    return layers


def _make_network(task: Task) -> Network:
    to_tensor = partial(_to_tensor, device=task.device)
    coefs, intercepts = (list(map(to_tensor, arrays)) for arrays in task.layers)
    return Network(coefs, intercepts, task.activation, fit_intercept=task.fit_intercept)


def _make_trainer(task: Task, objective: Objective, watch: Watch) -> Trainer:
    network, weight = _make_network(task), task.data.sample_weight
    return Trainer(
        network,
        _make_batches(task),
        objective,
        task.optimizer(network.parameters),
        alpha=task.alpha if weight is None else task.alpha / weight.mean(),
        validation=task.validation and _score_on(task.validation, task, network),
        watch=watch,
        fold=partial(_folded, task, network),
    )


def _make_batches(task: Task) -> Batches:
    X, y, weight = task.data
    y = task.units.y.standardise(y).astype(X.dtype, copy=False)
    if weight is not None:
        weight = (weight / weight.mean()).astype(X.dtype)
    to_tensor = partial(_to_tensor, device=task.device)
    return Batches(
        to_tensor(X),
        to_tensor(y),
        to_tensor(task.units.X.mean),
        to_tensor(task.units.X.unit),
        batch_size=min(task.batch_size, len(X)),
        shuffle=task.shuffle,
        add_ones=task.fit_intercept,
        weight=None if weight is None else to_tensor(weight),
    )


def _plain_objective(task: Task) -> Objective:
    nowhere = np.full((1, task.data.X.shape[1]), np.nan, task.data.X.dtype)
    k = _to_tensor(nowhere, task.device)
    return make_objective(task.loss, "l2", 0.5, k)


def _set_lai_loss(trainer: Trainer, task: Task, lai: LaiLoss) -> None:
    """Set the objective of the second stage; constant features have no direction."""
    k = np.where(task.units.X.is_constant(), np.nan, np.atleast_2d(lai.k))
    objective = make_objective(
        task.loss,
        lai.norm,
        lai.l1_ratio,
        _to_tensor(k.astype(task.data.X.dtype), task.device),
        mean_error=trainer.mean_error() if lai.error == "mean" else None,
        reach=lai.reach,
    )
    measure = make_slope_measure(
        lai.reach,
        np.flatnonzero(~np.isnan(k).all(axis=0)),
        trainer.network.parameters,
    )
    trainer.set_objective(objective, measure)


def _to_tensor(array: np.ndarray, device: str) -> torch.Tensor:
    """Tensor over the memory of an array, copied if its layout is not C's.

    On another device it is a copy there.
    """
    with warnings.catch_warnings():
        # Nothing writes to the tensor, so a read-only array may stay so.
        warnings.filterwarnings("ignore", "The given NumPy array is not writable")
        return torch.from_numpy(np.ascontiguousarray(array)).to(device)


def _layers(network: Network, parameters: torch.Tensor) -> Layers:
    coefs, intercepts = network.layers(parameters)
    return [coef.cpu().numpy() for coef in coefs], [b.cpu().numpy() for b in intercepts]


def _score_on(
    data: Data, task: Task, network: Network
) -> Callable[[torch.Tensor], float]:
    """Score of parameters on validation data; NaN where they predict no number.

    R2, or its counterpart for a quantile.
    """
    X, y = task.units.X.standardise(data.X), task.units.y.standardise(data.y)
    metric = r2_score
    if isinstance(task.loss, Quantile):
        metric = partial(d2_pinball_score, alpha=task.loss.quantile)

    def score(parameters: torch.Tensor) -> float:
        y_pred = predict(X, *_layers(network, parameters), task.activation)
        if not np.isfinite(y_pred).all():
            return np.nan
        with np.errstate(over="ignore"):
            return metric(y, y_pred, sample_weight=data.sample_weight)

    return score
