"""From arrays to a trainer, and from its parameters back to arrays."""

import math
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .._inference import predict
from .._peers import ALONE, Peers
from .._recipe.data import TrainingData
from .._recipe.randomness import resumed
from .._recipe.recipe import LossRecipe, OptimizerRecipe, Recipe
from .._recipe.record import History, Snapshot
from .._recipe.watch import Watch
from .._units import Layers, Units
from .base_losses import BASE_LOSSES, BaseLoss
from .batches import Batches
from .lbfgs import LBFGS
from .loops import pretrain
from .network import Network
from .optimizers import SGD, Adam, Optimizer
from .score import Score, constant_losses
from .sharing import Sharing
from .threads import suitable_threads
from .trainer import Trainer

# Rows that are enough to tell what errors are like.
SOME_ROWS = 5_000
# Strength of the penalty beside which losses of standardised data do not count.
LARGEST_ALPHA = 1e10
OPTIMIZERS: Mapping[str, Callable[..., Optimizer]] = {
    "adam": Adam,
    "sgd": SGD,
    "lbfgs": LBFGS,
}


class Stopped(Exception):  # noqa: N818 - no error, as StopIteration
    """The watch ended pretraining, so that its result is not to be kept in `memory`."""


@contextmanager
def training(
    data: TrainingData, recipe: Recipe, watch: Watch, peers: Peers = ALONE
) -> Iterator[Trainer]:
    """The trainer of a fit, not to be used outside, where torch has other threads."""
    n_parameters = sum(array.size for arrays in data.layers for array in arrays)
    with suitable_threads(min(recipe.batch_size, len(data.X)) * n_parameters):
        yield _make_trainer(data, recipe, watch, peers)


def _make_trainer(
    data: TrainingData, recipe: Recipe, watch: Watch, peers: Peers
) -> Trainer:
    """The trainer; the only place where data becomes tensors."""
    to_tensor = partial(_to_tensor, device=recipe.device)
    coefs, intercepts = (list(map(to_tensor, arrays)) for arrays in data.layers)
    network = Network(
        coefs, intercepts, recipe.activation, fit_intercept=recipe.fit_intercept
    )
    sharing = Sharing.of(peers, len(data.X), recipe.batch_size)
    mean_weight, loss = _mean_weight(data, sharing), _make_loss(recipe.loss)
    batches = _make_batches(data, recipe, sharing.batch_size, mean_weight)
    return Trainer(
        network,
        batches,
        sharing,
        _some_of_all(batches, sharing),
        loss,
        _make_optimizer(recipe.optimizer, network.parameters),
        is_constant=data.units.X.is_constant() | data.narrow,
        is_narrow=np.broadcast_to(data.narrow, data.X.shape[1]),
        alpha=_weighted_alpha(recipe.alpha, mean_weight),
        score=_score_of(data, recipe, network, loss, peers),
        fold=partial(_fold, data.units, recipe, network),
        history=History(is_warm=data.is_warm, patience=data.patience),
        n_seen=data.n_seen,
        watch=watch,
    )


def _make_loss(recipe: LossRecipe) -> BaseLoss:
    return BASE_LOSSES[recipe.name](recipe.huber_delta, recipe.quantile)


def _make_optimizer(recipe: OptimizerRecipe, parameters: Tensor) -> Optimizer:
    return OPTIMIZERS[recipe.solver](parameters, **recipe.options)


def _mean_weight(data: TrainingData, sharing: Sharing) -> float | None:
    """That of the samples of all processes."""
    if data.sample_weight is None:
        return None
    return sharing.peers.total(data.sample_weight.sum()) / sharing.n_samples


def _weighted_alpha(alpha: float, mean_weight: float | None) -> float:
    """Strength of the penalty beside weights with the mean 1."""
    weighted = alpha if mean_weight is None else alpha / mean_weight
    if weighted > LARGEST_ALPHA:
        raise ValueError(
            f"alpha ({alpha!r}) over the mean of sample_weight is {weighted:.2g}, so "
            "that the penalty is all that counts: lower alpha, or rescale "
            "sample_weight, if there is one, to a mean of 1."
        )
    return weighted


def run_pretraining(
    data: TrainingData, recipe: Recipe, rng_state: Mapping[str, Any], trainer: Trainer
) -> Snapshot:
    """The first stage; its result depends on the other arguments than the trainer."""
    if pretrain(trainer, recipe.stage, resumed(rng_state)):
        raise Stopped
    return trainer.snapshot()


def resolve_device(name: str, dtype: np.dtype) -> str:
    """Device of torch that `device` stands for; raises an error if it is not there."""
    is_there = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    lacks_type = {"mps"} if dtype == np.float64 else set()
    if name == "auto":
        return next(d for d in is_there if is_there[d] and d not in lacks_type)
    if not is_there[name]:
        raise ValueError(
            f"device={name!r} is not available to torch here; use 'cpu' or 'auto'."
        )
    if name in lacks_type:
        raise ValueError(
            f"device={name!r} has no float64; pass X as float32 or use device='cpu'."
        )
    return name


def _make_batches(
    data: TrainingData, recipe: Recipe, batch_size: int, mean_weight: float | None
) -> Batches:
    X, weight, units = data.X, data.sample_weight, data.units
    y = units.standardise_y(data.y).astype(X.dtype, copy=False)
    if weight is not None:
        weight = (weight / mean_weight).astype(X.dtype)
    to_tensor = partial(_to_tensor, device=recipe.device)
    return Batches(
        to_tensor(X),
        to_tensor(y),
        to_tensor(units.X.mean),
        to_tensor(units.X.unit),
        batch_size=batch_size,
        shuffle=recipe.shuffle,
        add_ones=recipe.fit_intercept,
        weight=None if weight is None else to_tensor(weight),
    )


def _some_of_all(batches: Batches, sharing: Sharing) -> Batches:
    """Batches of some of the rows of all processes, evenly spread."""
    some = batches.some(math.ceil(sharing.n_samples / SOME_ROWS))
    if sharing.peers.number == 1:
        return some

    def of_all(rows: Tensor) -> Tensor:
        return torch.from_numpy(sharing.peers.rows(rows.numpy()))

    weight = None if some.weight is None else of_all(some.weight)
    return replace(some, X=of_all(some.X), y=of_all(some.y), weight=weight)


def _to_tensor(array: np.ndarray, device: str) -> Tensor:
    """Tensor over the memory of an array, copied if its layout is not C's.

    On another device it is a copy there.
    """
    array = np.ascontiguousarray(array)
    if min(array.strides, default=0) < 0:  # of one row, which is contiguous
        array = array.copy()
    if array.flags.writeable:
        return torch.from_numpy(array).to(device)
    with warnings.catch_warnings():
        # Nothing writes to the tensor, so a read-only array may stay so.
        warnings.filterwarnings("ignore", "The given NumPy array is not writable")
        return torch.from_numpy(array).to(device)


def _fold(units: Units, recipe: Recipe, network: Network, parameters: Tensor) -> Layers:
    """Weights in the units of the data."""
    inner = network.arrays(parameters)
    with np.errstate(over="ignore", invalid="ignore"):
        layers = units.fold(inner)
    if not _are_below(layers, np.inf):
        dtype = units.X.unit.dtype
        if _are_below(inner, np.sqrt(np.finfo(dtype).max)):
            raise ValueError(
                f"The weights are too large for {dtype} in the units of "
                "the data: rescale y or the features, or pass float64 data."
            )
        raise ValueError(
            "Solver produced non-finite parameter weights. The input data may contain "
            "large values and need to be preprocessed, or steps are too large: keep "
            "standardize=True, or lower learning_rate_init and lai_learning_rate_init."
        )
    return layers


def _are_below(layers: Layers, bound: float) -> bool:
    return all((np.abs(array) < bound).all() for arrays in layers for array in arrays)


def _score_of(
    data: TrainingData,
    recipe: Recipe,
    network: Network,
    loss: BaseLoss,
    peers: Peers,
) -> Callable[[Tensor], float] | None:
    """Score of parameters on the validation data; NaN if they predict no number."""
    if data.validation is None:
        return None
    X, y, sample_weight = data.validation
    X, y = data.units.X.standardise(X), data.units.standardise_y(y)
    y_train = data.units.standardise_y(data.y)
    of_all = peers.rows(y), peers.rows(sample_weight)
    _check_validation_targets(of_all[0])
    of_training = peers.rows(y_train), peers.rows(data.sample_weight)
    score = Score(
        loss,
        y,
        sample_weight,
        constant_losses(loss, *of_all),
        constant_losses(loss, *of_training),
        peers,
    )

    def score_of(parameters: Tensor) -> float:
        y_pred = predict(X, *network.arrays(parameters), recipe.activation)
        return score(y_pred)

    return score_of


def _check_validation_targets(y: np.ndarray) -> None:
    """Raise an error if squares of targets, in units of training, are no numbers."""
    with np.errstate(over="ignore"):
        total = np.square(y, dtype=np.float64).sum()
    if not np.isfinite(total):
        raise ValueError(
            "y_val has values too far from those of y to compare them: up to "
            f"{np.abs(y).max():.3g} standard deviations of y from its mean."
        )
