"""What training has made and recorded so far."""

from dataclasses import dataclass
from typing import Any, NamedTuple

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
    """Epochs in their order; `is_warm` is whether an earlier fit went before."""

    epochs: tuple[Epoch, ...] = ()
    is_warm: bool = False

    @property
    def n_iter(self) -> int:
        """Epochs of both stages."""
        return len(self.epochs)

    @property
    def n_pretrain_iter(self) -> int:
        """Epochs of the first stage."""
        return self.n_iter - len(self.lai_loss_curve)

    @property
    def loss_curve(self) -> list[float]:
        """Plain loss of each epoch."""
        return [epoch.loss for epoch in self.epochs]

    @property
    def lai_loss_curve(self) -> list[float]:
        """Lai loss of each epoch of the second stage."""
        return [e.lai_loss for e in self.epochs if e.lai_loss is not None]

    @property
    def validation_scores(self) -> list[float]:
        """Validation score after each epoch, where there was data for it."""
        return [e.score for e in self.epochs if e.score is not None]

    @property
    def best_validation_score(self) -> float | None:
        """Best score of the first stage, whose weights it ends with."""
        scores = self.validation_scores[: self.n_pretrain_iter]
        return max((score for score in scores if score == score), default=None)


class Model(NamedTuple):
    """Parameters of the network, and how they came about."""

    parameters: Tensor
    history: History


# All that training has changed, apart from the device: the model, and the optimiser.
Snapshot = tuple[Model, dict[str, Any]]
