"""Ways to train a network that moves less with its inputs, each with a strength.

All train the same network for as many epochs, in batches of the same size, with Adam at
its defaults, and from the same seed. Lai Training, the gradient penalty and the input
noise act on a pretrained network, in the second half of the epochs; weight decay and
spectral normalisation, which change the network itself, in all of them.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from datasets import Split
from joblib import Memory
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor
from torch.nn.utils.parametrizations import spectral_norm

from sklearn_lai import LaiMLPRegressor

HIDDEN = 64
EPOCHS = 100  # of each half
SMALL, SMALL_BATCH, BATCH = 5000, 32, 200  # rows


@dataclass(frozen=True)
class Task:
    """What every method gets; `cache` is a folder for pretrained networks."""

    data: Split
    seed: int
    cache: str | None = None

    @property
    def batch_size(self) -> int:
        return SMALL_BATCH if len(self.data.X) < SMALL else BATCH


def lai(task: Task, k: float, *, weight_decay: float | None = None, **parameters):
    """Lai Training."""
    epochs = {"pretrain_epochs": EPOCHS, "lai_epochs": EPOCHS}
    if weight_decay is not None:
        parameters["alpha"] = weight_decay * task.batch_size
    model = LaiMLPRegressor(
        (HIDDEN,),
        k=k,
        n_iter_no_change=np.inf,
        batch_size=task.batch_size,
        random_state=task.seed,
        memory=task.cache,
        **(epochs | parameters),
    )
    return model.fit(task.data.X, task.data.y)


def weight_decay(task: Task, strength: float) -> MLPRegressor:
    """MLPRegressor with the penalty `alpha` (divided by the batch size, as it does)."""
    model = MLPRegressor(
        hidden_layer_sizes=(HIDDEN,),
        alpha=strength * task.batch_size,
        max_iter=2 * EPOCHS,
        n_iter_no_change=2 * EPOCHS,
        batch_size=task.batch_size,
        random_state=task.seed,
    )
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
        return model.fit(task.data.X, task.data.y)


class TorchRegressor:
    """A torch module, trained by a plain loop."""

    def __init__(self, module: torch.nn.Module):
        self.module = module
        self.optimizer = torch.optim.Adam(module.parameters(), fused=True)

    def fit(self, task: Task, epochs: int, loss: Callable) -> "TorchRegressor":
        generator = torch.Generator().manual_seed(task.seed)
        X, y = torch.from_numpy(task.data.X), torch.from_numpy(task.data.y)[:, None]
        for _ in range(epochs):
            order = torch.randperm(len(X), generator=generator)
            for rows in order.split(task.batch_size):
                self.optimizer.zero_grad()
                loss(self.module, X[rows], y[rows], generator).backward()
                self.optimizer.step()
        return self

    @torch.inference_mode()
    def predict(self, X: np.ndarray) -> np.ndarray:
        # In training, spectral normalisation goes on with its power iterations.
        return self.module.eval()(torch.from_numpy(X))[:, 0].numpy()


def make_layers(n_features: int, *, bias: bool) -> list[torch.nn.Linear]:
    """The network's layers with MLPRegressor's initial weights (Glorot's)."""
    layers = [torch.nn.Linear(n_features, HIDDEN), torch.nn.Linear(HIDDEN, 1, bias)]
    for layer in layers:
        torch.nn.init.xavier_uniform_(layer.weight)
    return layers


def pretrain(task: Task) -> TorchRegressor:
    """The first half."""
    with torch.random.fork_rng():
        torch.manual_seed(task.seed)
        hidden, output = make_layers(task.data.X.shape[1], bias=True)
    module = torch.nn.Sequential(hidden, torch.nn.ReLU(), output)
    return TorchRegressor(module).fit(task, EPOCHS, squared_error)


def pretrained(task: Task) -> TorchRegressor:
    """A copy of the network after the first half, with the state of its optimiser."""
    return Memory(task.cache, verbose=0).cache(pretrain)(task)


def squared_error(module, X, y, generator):
    return (module(X) - y).square().mean() / 2


def penalised_error(module, X, y, generator, *, strength):
    """Squared error and the mean squared norm of the input gradient."""
    y_pred = module(X.requires_grad_())
    (slopes,) = torch.autograd.grad(y_pred.sum(), X, create_graph=True)
    return (y_pred - y).square().mean() / 2 + strength * slopes.square().sum(1).mean()


def noisy_error(module, X, y, generator, *, scale):
    """Squared error at inputs with Gaussian noise."""
    noise = torch.empty_like(X).normal_(0, scale, generator=generator)
    return squared_error(module, X + noise, y, generator)


def gradient_penalty(task: Task, strength: float) -> TorchRegressor:
    """Double backpropagation (Drucker and Le Cun, 1992) on every batch."""
    loss = partial(penalised_error, strength=strength)
    return pretrained(task).fit(task, EPOCHS, loss)


def input_noise(task: Task, scale: float) -> TorchRegressor:
    """Training with noise (Bishop, 1995)."""
    loss = partial(noisy_error, scale=scale)
    return pretrained(task).fit(task, EPOCHS, loss)


class BoundedNetwork(torch.nn.Module):
    """A network whose slopes have at most a given norm, but for rounding."""

    def __init__(self, n_features: int, bound: float):
        super().__init__()
        hidden, output = map(spectral_norm, make_layers(n_features, bias=False))
        self.layers = torch.nn.Sequential(hidden, torch.nn.ReLU(), output)
        self.bias = torch.nn.Parameter(torch.zeros(1))
        self.bound = bound

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return self.bound * self.layers(X) + self.bias


def spectral_normalisation(task: Task, strength: float) -> TorchRegressor:
    """Spectral normalisation (Miyato et al., 2018); the bound is ``1 / strength``."""
    with torch.random.fork_rng():
        torch.manual_seed(task.seed)
        module = BoundedNetwork(task.data.X.shape[1], 1 / strength)
    return TorchRegressor(module).fit(task, 2 * EPOCHS, squared_error)


def no_lai(task: Task, strength: float) -> LaiMLPRegressor:
    """Plain training in this package."""
    return lai(task, k=1.0, lai_fraction=0)


def no_penalty(task: Task, strength: float) -> TorchRegressor:
    """Plain training in the torch loop."""
    return pretrained(task).fit(task, EPOCHS, squared_error)


class Method(NamedTuple):
    """How to fit a regressor at a strength, and strengths, weakest first.

    The strength of its base is 0. `typical` is the one at which training is timed.
    """

    fit: Callable[[Task, float], Any]
    strengths: np.ndarray
    base: str
    typical: float


KS = np.geomspace(1, 0.03 ** (11 / 9), 12)
DEFAULT = "Lai l1, interval 5"

# Hyperparameters of Lai Training by the name of the curve that k traces.
LAI: dict[str, dict[str, Any]] = {
    f"Lai {norm}, interval {interval}": {"norm": norm, "lai_interval": interval}
    for norm in ("l2", "l1", "elasticnet")
    for interval in (5, 1, None)
} | {
    "Lai l2, interval 5, fraction 0.03": {"norm": "l2", "lai_fraction": 0.03},
    "Lai l2, interval 5, fraction 0.1": {"norm": "l2", "lai_fraction": 0.1},
    "Lai l2, interval 5, and weight decay": {"norm": "l2", "weight_decay": 1e-3},
    "Lai l1, interval 5, from epoch 20": {"norm": "l1", "pretrain_epochs": 20}
    | {"lai_epochs": 2 * EPOCHS - 20},
}
BASES = {
    "no control": no_lai,
    "no control, torch": no_penalty,
    "no control, MLPRegressor": weight_decay,
}
OTHERS = {
    "gradient penalty": Method(
        gradient_penalty, np.geomspace(3e-4, 3, 9), "no control, torch", 0.01
    ),
    "weight decay": Method(
        weight_decay, np.geomspace(1e-4, 1, 9), "no control, MLPRegressor", 0.01
    ),
    "input noise": Method(
        input_noise,
        np.geomspace(0.03, 0.03 ** (-2 / 8), 11),
        "no control, torch",
        0.1,
    ),
    "spectral normalisation": Method(
        spectral_normalisation,
        np.geomspace(1 / 8, 2 ** (7 / 3), 5),
        "no control, torch",
        0.5,
    ),
}
METHODS = {
    name: Method(partial(lai, **parameters), KS, "no control", 0.2)
    for name, parameters in LAI.items()
} | OTHERS
INPUT_GRADIENT_METHODS = [*LAI, "gradient penalty"]
