"""How a model is trained."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .._version import __version__
from .stages import PlainStage


@dataclass(frozen=True)
class LossRecipe:
    """A loss by its name, with the parameters that some have."""

    name: str
    huber_delta: float
    quantile: float

    @property
    def is_robust(self) -> bool:
        """Whether it is linear in large errors."""
        return self.name != "squared_error"


@dataclass(frozen=True)
class OptimizerRecipe:
    """An optimiser by the name of its solver, with its options."""

    solver: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Recipe:
    """How the model is trained, but for the second stage.

    `version` is that of the package: what another one has left in `memory` is not
    taken.
    """

    activation: str
    fit_intercept: bool
    loss: LossRecipe
    alpha: float
    optimizer: OptimizerRecipe
    batch_size: int
    shuffle: bool
    device: str
    stage: PlainStage
    version: str = __version__
