"""What training has made and recorded so far."""

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from torch import Tensor


class Epoch(NamedTuple):
    """Losses of an epoch, and the validation score after it, None without data for it.

    `lai_loss` is None in the first stage, NaN if no batch had one.
    """

    loss: float
    lai_loss: float | None = None
    score: float | None = None


@dataclass(frozen=True)
class History:
    """Epochs in their order, those of the first stage before those of the second.

    `is_warm` is whether an earlier fit went before. `end` is how the first stage ended:
    by itself, at a limit, where no step led lower, or because it diverged. `lai_end` is
    how the second did.
    """

    epochs: tuple[Epoch, ...] = ()
    is_warm: bool = False
    end: Literal["converged", "limit", "stuck", "diverged"] = "converged"
    lai_end: Literal["whole", "limit", "stuck"] = "whole"

    @property
    def pretraining(self) -> tuple[Epoch, ...]:
        """Epochs of the first stage."""
        return tuple(epoch for epoch in self.epochs if epoch.lai_loss is None)

    @property
    def lai_training(self) -> tuple[Epoch, ...]:
        """Epochs of the second stage."""
        return self.epochs[len(self.pretraining) :]


class Model(NamedTuple):
    """Parameters of the network, and how they came about."""

    parameters: Tensor
    history: History


# All that training has changed, apart from the device: the model, and the optimiser.
Snapshot = tuple[Model, dict[str, Any]]
