"""What training has made and recorded so far."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from torch import Tensor


class Epoch(NamedTuple):
    """Losses of an epoch, and the validation score after it, None without data for it.

    `lai_loss` is None in the first stage, NaN if no batch had one.
    """

    loss: float
    lai_loss: float | None = None
    score: float | None = None


class Patience(NamedTuple):
    """The best score of the epochs so far, and how many went by since it was reached.

    The score is that of validation data, else the negative loss.
    """

    best: float = -math.inf
    waited: int = 0


WHOLE = Patience()  # before the first epoch


@dataclass(frozen=True)
class History:
    """Epochs in their order, those of the first stage before those of the second.

    `is_warm` is whether an earlier fit went before. `end` is how the first stage ended:
    by itself, at a limit, where no step led lower, because it diverged, or stopped by
    the watch; `patience` and `learning_rate` are those at its end. `lai_end` is how the
    second ended.
    """

    epochs: tuple[Epoch, ...] = ()
    is_warm: bool = False
    end: Literal["converged", "limit", "stuck", "diverged", "stopped"] = "converged"
    patience: Patience = WHOLE
    learning_rate: float = math.nan
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

    parameters: "Tensor"
    history: History


# All that training has changed, apart from the device: the model, and the optimiser.
Snapshot = tuple[Model, dict[str, Any]]
