"""Ways to train a network that moves less with its inputs, each with a strength.

All train the same network for as many epochs, in batches of the same size, with Adam,
and from the same seed. Lai Training, the gradient penalty and the input noise act on a
pretrained network, in the second half of the epochs; weight decay and spectral
normalisation, which change the network itself, in all of them. The peers have their
defaults, and those of the second half, once more, our step size and average there.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import torch
from datasets import Split
from joblib import Memory
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor
from torch.nn.utils.parametrizations import spectral_norm

from sklearn_lai import LaiMLPRegressor

EPOCHS = 100  # of each half
SMALL, SMALL_BATCH, BATCH = 5000, 32, 200  # rows
STEP = 0.001  # Adam's default, here and there
OUR_STEP, OUR_REACH = 0.003, 0.5  # defaults of the second stage
ACTIVATIONS = {"relu": torch.nn.ReLU, "silu": torch.nn.SiLU}


class Architecture(NamedTuple):
    """Hidden layers and their activation."""

    hidden: tuple[int, ...] = (64,)
    activation: str = "relu"


ONE_LAYER = Architecture()


@dataclass(frozen=True)
class Task:
    """What every method gets; `cache` is a folder for pretrained networks."""

    data: Split
    seed: int
    cache: str | None = None
    architecture: Architecture = ONE_LAYER

    @property
    def batch_size(self) -> int:
        return SMALL_BATCH if len(self.data.X) < SMALL else BATCH


def network_parameters(task: Task) -> dict[str, Any]:
    """Parameters of any regressor that has such a network."""
    return {
        "hidden_layer_sizes": task.architecture.hidden,
        "activation": task.architecture.activation,
        "batch_size": task.batch_size,
        "random_state": task.seed,
    }


def lai_parameters(task: Task) -> dict[str, Any]:
    """Parameters of this package's networks."""
    return network_parameters(task) | {
        "max_iter": EPOCHS,
        "lai_epochs": EPOCHS,
        "n_iter_no_change": np.inf,
        "memory": task.cache,
    }


def lai(task: Task, k: float, **parameters) -> LaiMLPRegressor:
    """Lai Training."""
    model = LaiMLPRegressor(k=k, **(lai_parameters(task) | parameters))
    return model.fit(task.data.X, task.data.y)


def decayed(task: Task, strength: float) -> MLPRegressor:
    """MLPRegressor with the penalty `alpha`, which it divides by the batch size."""
    return MLPRegressor(
        alpha=strength * task.batch_size,
        max_iter=2 * EPOCHS,
        n_iter_no_change=2 * EPOCHS,
        **network_parameters(task),
    )


def weight_decay(task: Task, strength: float) -> MLPRegressor:
    """The same, fitted."""
    model = decayed(task, strength)
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
        return model.fit(task.data.X, task.data.y)


class TorchRegressor:
    """A torch module, trained by a plain loop."""

    def __init__(self, module: torch.nn.Module):
        self.module = module
        self.optimizer = torch.optim.Adam(module.parameters(), STEP, fused=True)

    def fit(
        self,
        task: Task,
        epochs: int,
        loss: Callable,
        *,
        ours: bool = False,
        backward: Callable = torch.Tensor.backward,
    ) -> "TorchRegressor":
        """Train; if `ours`, with our second stage's step and average of the weights.

        `backward` takes what `loss` returns and leaves the gradients.
        """
        average = torch.optim.swa_utils.AveragedModel(self.module)
        if ours:
            self.optimizer.param_groups[0]["lr"] = OUR_STEP
        generator = torch.Generator().manual_seed(task.seed)
        X, y = torch.from_numpy(task.data.X), torch.from_numpy(task.data.y)[:, None]
        for epoch in range(epochs):
            order = torch.randperm(len(X), generator=generator)
            for rows in order.split(task.batch_size):
                self.optimizer.zero_grad()
                backward(loss(self.module, X[rows], y[rows], generator))
                self.optimizer.step()
            if epoch >= epochs // 2:
                average.update_parameters(self.module)
        if ours:
            self.module = average.module
        return self

    @torch.inference_mode()
    def predict(self, X: np.ndarray) -> np.ndarray:
        # In training, spectral normalisation goes on with its power iterations.
        return self.module.eval()(torch.from_numpy(X))[:, 0].numpy()


def make_layers(task: Task, *, bias: bool) -> list[torch.nn.Module]:
    """The network's layers with MLPRegressor's initial weights (Glorot's)."""
    architecture = task.architecture
    sizes = [task.data.X.shape[1], *architecture.hidden, 1]
    layers = []
    for n_in, n_out in pairwise(sizes):
        layers += [torch.nn.Linear(n_in, n_out, bias or n_out > 1)]
        torch.nn.init.xavier_uniform_(layers[-1].weight)
        layers += [ACTIVATIONS[architecture.activation]()]
    return layers[:-1]


def pretrain(task: Task) -> TorchRegressor:
    """The first half."""
    with torch.random.fork_rng():
        torch.manual_seed(task.seed)
        module = torch.nn.Sequential(*make_layers(task, bias=True))
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
    """Squared error at inputs with Gaussian noise, of one scale or one by feature."""
    noise = scale * torch.empty_like(X).normal_(generator=generator)
    return squared_error(module, X + noise, y, generator)


def gradient_penalty(task: Task, strength: float, **options) -> TorchRegressor:
    """Double backpropagation (Drucker and Le Cun, 1992) on every batch."""
    loss = partial(penalised_error, strength=strength)
    return pretrained(task).fit(task, EPOCHS, loss, **options)


def input_noise(task: Task, scale: float | torch.Tensor, **options) -> TorchRegressor:
    """Training with noise (Bishop, 1995)."""
    loss = partial(noisy_error, scale=scale)
    return pretrained(task).fit(task, EPOCHS, loss, **options)


class BoundedNetwork(torch.nn.Module):
    """A network whose slopes have at most a given norm, but for rounding."""

    def __init__(self, task: Task, bound: float):
        super().__init__()
        layers = [
            spectral_norm(layer) if isinstance(layer, torch.nn.Linear) else layer
            for layer in make_layers(task, bias=False)
        ]
        self.layers = torch.nn.Sequential(*layers)
        self.bias = torch.nn.Parameter(torch.zeros(1))
        self.bound = bound

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return self.bound * self.layers(X) + self.bias


def spectral_normalisation(task: Task, strength: float) -> TorchRegressor:
    """Spectral normalisation (Miyato et al., 2018); the bound is ``1 / strength``."""
    with torch.random.fork_rng():
        torch.manual_seed(task.seed)
        module = BoundedNetwork(task, 1 / strength)
    return TorchRegressor(module).fit(task, 2 * EPOCHS, squared_error)


def no_lai(task: Task, strength: float) -> LaiMLPRegressor:
    """Plain training in this package."""
    return lai(task, k=1.0, lai_fraction=0, lai_learning_rate_init=STEP, average=False)


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


DEFAULT = "Lai Training"
KS = np.geomspace(0.5, 0.0125, 10)

# Each of the three choices of the second stage, without the others and with them.
ABLATION: dict[str, dict[str, Any]] = {
    f"{error} error, reach {reach}, {step} step": {"lai_error": error, "reach": reach}
    | ({} if step == "own" else {"lai_learning_rate_init": STEP, "average": False})
    for error in ("own", "mean")
    for reach in (0, OUR_REACH)
    for step in ("same", "own")
    if (error, reach, step) != ("mean", OUR_REACH, "own")  # the default
}
SETTINGS: dict[str, dict[str, Any]] = {
    "reach 0.3": {"reach": 0.3},
    "norm l2": {"norm": "l2"},
    "norm elasticnet": {"norm": "elasticnet"},
    "interval 1": {"lai_interval": 1},
    "interval 10": {"lai_interval": 10},
    "random batches": {"lai_interval": None},
}
LAI = {DEFAULT: {}} | ABLATION | SETTINGS

BASES = {
    "no control": no_lai,
    "no control, torch": no_penalty,
    "no control, MLPRegressor": weight_decay,
}
PENALTIES, SCALES = np.geomspace(3e-4, 3, 9), np.geomspace(0.03, 1.7, 10)
USER = {
    "gradient penalty": Method(gradient_penalty, PENALTIES, "no control, torch", 0.01),
    "input noise": Method(input_noise, SCALES, "no control, torch", 0.1),
    "weight decay": Method(
        weight_decay, np.geomspace(1e-4, 1, 9), "no control, MLPRegressor", 0.01
    ),
    "spectral normalisation": Method(
        spectral_normalisation,
        np.geomspace(1 / 8, 2 ** (7 / 3), 5),
        "no control, torch",
        0.5,
    ),
}
ALIKE = {
    f"{name}, our stage 2": USER[name]._replace(fit=partial(fit, ours=True))
    for name, fit in {
        "gradient penalty": gradient_penalty,
        "input noise": input_noise,
    }.items()
}
METHODS = {
    name: Method(partial(lai, **parameters), KS, "no control", 0.1)
    for name, parameters in LAI.items()
}
METHODS |= USER | ALIKE
