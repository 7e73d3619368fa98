"""Losses of an error, by their derivatives, and norms of the losses of directions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor


class BaseLoss:
    """A loss of an error, prediction minus target.

    `degree` is that of its homogeneity, None if it is not homogeneous. A robust loss is
    linear in large errors.
    """

    degree: ClassVar[int | None]
    is_robust: ClassVar[bool] = True

    def derivative(self, error: Tensor) -> Tensor:
        """Derivative of the loss."""
        raise NotImplementedError

    def lever(self, error: Tensor) -> Tensor:
        """What the derivative is to be multiplied by to give the loss."""
        raise NotImplementedError

    def inverse(self, loss: Tensor) -> Tensor:
        """Error, >= 0, that has this loss."""
        raise NotImplementedError

    def level(self, error: Tensor) -> Tensor:
        """What `of_multiple` takes for an error, which may be made once."""
        return error

    def of_multiple(self, level: Tensor, factor_2: Tensor) -> tuple[Tensor, Tensor]:
        """Loss of an error times a factor, given its square; and derivative by that."""
        errors = factor_2.sqrt() * level
        derivative = self.derivative(errors)
        loss = derivative * self.lever(errors)
        return loss, derivative * errors / (2 * factor_2)


@dataclass(frozen=True)
class SquaredError(BaseLoss):
    """Half the square, as MLPRegressor has it.

    This gives `alpha` and `learning_rate_init` the meaning they have there.
    """

    degree = 2
    is_robust = False

    def derivative(self, error: Tensor) -> Tensor:
        return error

    def lever(self, error: Tensor) -> Tensor:
        return error / 2

    def inverse(self, loss: Tensor) -> Tensor:
        return (2 * loss).sqrt()

    def level(self, error: Tensor) -> Tensor:
        return error * error / 2

    def of_multiple(self, level: Tensor, factor_2: Tensor) -> tuple[Tensor, Tensor]:
        return factor_2 * level, level


@dataclass(frozen=True)
class AbsoluteError(BaseLoss):
    """The magnitude."""

    degree = 1

    def derivative(self, error: Tensor) -> Tensor:
        return torch.sign(error)

    def lever(self, error: Tensor) -> Tensor:
        return error

    def inverse(self, loss: Tensor) -> Tensor:
        return loss


@dataclass(frozen=True)
class Quantile(BaseLoss):
    """The pinball loss, least at a quantile in (0, 1) of the target."""

    quantile: float
    degree = 1

    def derivative(self, error: Tensor) -> Tensor:
        sign = torch.sign(error)
        return 0.5 * sign + (0.5 - self.quantile) * sign.abs()

    def lever(self, error: Tensor) -> Tensor:
        return error

    def inverse(self, loss: Tensor) -> Tensor:
        return loss / (1 - self.quantile)


@dataclass(frozen=True)
class Huber(BaseLoss):
    """Half the square up to a magnitude `delta`, linear beyond."""

    delta: float
    degree = None

    def derivative(self, error: Tensor) -> Tensor:
        return error.clamp(-self.delta, self.delta)

    def lever(self, error: Tensor) -> Tensor:
        return error - self.derivative(error) / 2

    def inverse(self, loss: Tensor) -> Tensor:
        half = self.delta / 2
        return torch.where(
            loss <= half * self.delta, (2 * loss).sqrt(), loss / self.delta + half
        )


# How to make each from `huber_delta` and `quantile`.
BASE_LOSSES: Mapping[str, Callable[[float, float], BaseLoss]] = {
    "squared_error": lambda huber_delta, quantile: SquaredError(),
    "absolute_error": lambda huber_delta, quantile: AbsoluteError(),
    "huber": lambda huber_delta, quantile: Huber(huber_delta),
    "quantile": lambda huber_delta, quantile: Quantile(quantile),
}


def _l1(losses: Tensor, l1_ratio: float) -> tuple[Tensor, Tensor]:
    return losses.sum(), torch.ones_like(losses)


def _l2(losses: Tensor, l1_ratio: float) -> tuple[Tensor, Tensor]:
    norm = torch.linalg.vector_norm(losses, dim=-1, keepdim=True)
    return norm.sum(), losses / norm.clamp_min(torch.finfo(losses.dtype).tiny)


def _elasticnet(losses: Tensor, l1_ratio: float) -> tuple[Tensor, Tensor]:
    l2, direction = _l2(losses, l1_ratio)
    value = l1_ratio * losses.sum() + (1 - l1_ratio) * l2
    return value, l1_ratio + (1 - l1_ratio) * direction


# Norm of losses, never negative, over the last axis, summed; and its gradient.
NORMS: Mapping[str, Callable[[Tensor, float], tuple[Tensor, Tensor]]] = {
    "l1": _l1,
    "l2": _l2,
    "elasticnet": _elasticnet,
}
