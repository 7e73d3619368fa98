"""What a batch minimises: plain and Lai loss, with their gradients written out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch
from torch import Tensor


class BaseLoss(Protocol):
    """A loss of an error, prediction minus target, by its derivative."""

    @property
    def degree(self) -> int | None:
        """Degree of its homogeneity, None if it is not homogeneous."""

    def derivative(self, error: Tensor) -> Tensor:
        """Derivative of the loss."""


@dataclass(frozen=True)
class SquaredError:
    """Half the square, as MLPRegressor has it.

    This gives `alpha` and `learning_rate_init` the meaning they have there.
    """

    degree = 2

    def derivative(self, error: Tensor) -> Tensor:
        return error


@dataclass(frozen=True)
class AbsoluteError:
    """The magnitude."""

    degree = 1

    def derivative(self, error: Tensor) -> Tensor:
        return torch.sign(error)


@dataclass(frozen=True)
class Quantile:
    """The pinball loss, least at a quantile in (0, 1) of the target."""

    quantile: float
    degree = 1

    def derivative(self, error: Tensor) -> Tensor:
        sign = torch.sign(error)
        return 0.5 * sign + (0.5 - self.quantile) * sign.abs()


@dataclass(frozen=True)
class Huber:
    """Half the square up to a magnitude `delta`, linear beyond."""

    delta: float
    degree = None

    def derivative(self, error: Tensor) -> Tensor:
        return error.clamp(-self.delta, self.delta)


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


class MixedGradient(NamedTuple):
    """Both losses of a batch and the gradient of their weighted sum."""

    plain: Tensor
    lai: Tensor
    outputs: Tensor  # (n_samples, n_outputs)
    slopes: Tensor  # (n_outputs, n_samples, n_features)


class Objective:
    """Plain loss and Lai loss of a batch.

    The losses are those of the module `loss`, means over outputs, halved for the
    squared error; the gradients are those of sums over outputs, as in MLPRegressor.
    `k` has shape (1, n_features) or (n_outputs, n_features), NaN where the direction
    is left out. Make it by `make_objective`.
    """

    def __init__(self, loss: BaseLoss, norm: str, l1_ratio: float, k: Tensor):
        self._loss = loss
        self._norm, self._l1_ratio = NORMS[norm], l1_ratio
        self._is_kept = ~k.isnan()
        self._has_directions = bool(self._is_kept.any())
        self._k = torch.where(self._is_kept, k, 1)
        self._k_2 = self._k.square()[:, None]
        # Tensors of one element: operations with Python numbers make one each time.
        self._constants: dict[float, Tensor] = {}
        self._one = self._constant(1.0)

    def plain(
        self, error: Tensor, weight: float, sample_weight: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Plain loss, and the gradient of its sum over outputs, times `weight`."""
        gradient = self._loss.derivative(error) * self._share(error, sample_weight)
        loss = self._mean(error, gradient)
        return loss, gradient if weight == 1 else gradient * self._constant(weight)

    def mixed(
        self,
        error: Tensor,
        slopes: Tensor,
        plain_weight: float,
        lai_weight: float,
        sample_weight: Tensor | None = None,
    ) -> MixedGradient:
        """Both losses, and the gradient of the sum of them with these weights."""
        if not self._has_directions:
            plain, output_gradient = self.plain(
                error, plain_weight + lai_weight, sample_weight
            )
            return MixedGradient(
                plain, plain, output_gradient, torch.zeros_like(slopes)
            )
        return self._mixed(error, slopes, plain_weight, lai_weight, sample_weight)

    def _mean(self, error: Tensor, gradient: Tensor) -> Tensor:
        """Mean loss over outputs, given the derivatives times shares of samples."""
        raise NotImplementedError

    def _mixed(
        self,
        error: Tensor,
        slopes: Tensor,
        plain_weight: float,
        lai_weight: float,
        sample_weight: Tensor | None,
    ) -> MixedGradient:
        """The same as `mixed`, where there are directions."""
        raise NotImplementedError

    def _geometry(self, slopes: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Squared factor without its scale, and by what its derivative differs.

        The factor's derivative is itself times the product of the last two.
        """
        squares = slopes.square()
        cosine_2 = squares.add(self._one).reciprocal_()
        factor_2 = torch.maximum(squares, self._k_2).mul_(cosine_2)
        bend = torch.where(squares > self._k_2, slopes.reciprocal(), slopes.neg())
        return factor_2, cosine_2, bend

    def _share(self, error: Tensor, sample_weight: Tensor | None) -> Tensor:
        """Share of each sample in a mean; weights are 1 on average over all batches."""
        share = self._constant(1 / len(error))
        return share if sample_weight is None else (sample_weight * share)[:, None]

    def _constant(self, value: float) -> Tensor:
        if value not in self._constants:
            self._constants[value] = self._k_2.new_tensor(value)
        return self._constants[value]


class HomogeneousObjective(Objective):
    """The loss of a multiple of an error is a multiple of its loss.

    So the losses of all directions are one product of matrices. By Euler's theorem a
    loss is ``error * derivative / degree``.
    """

    def __init__(self, loss: BaseLoss, norm: str, l1_ratio: float, k: Tensor):
        super().__init__(loss, norm, l1_ratio, k)
        self._degree = loss.degree or 1
        self._scale = self._is_kept / self._k.clamp(max=1) ** self._degree

    def _mean(self, error: Tensor, gradient: Tensor) -> Tensor:
        total = torch.dot(error.view(-1), gradient.view(-1))
        return total.mul_(self._constant(1 / (self._degree * error.shape[1])))

    def _mixed(
        self,
        error: Tensor,
        slopes: Tensor,
        plain_weight: float,
        lai_weight: float,
        sample_weight: Tensor | None,
    ) -> MixedGradient:
        mean = self._constant(1 / (self._degree * error.shape[1]))
        row_gradient = self._loss.derivative(error) * self._share(error, sample_weight)
        row_loss = (row_gradient * error).mT  # times the degree, as are all up to `lai`
        plain = row_loss.sum() * mean

        factor, cosine_2, bend = self._geometry(slopes)
        if self._degree == 1:
            factor.sqrt_()
        losses = (row_loss[:, None] @ factor)[:, 0].mul_(self._scale)
        norm, direction = self._norm(losses, self._l1_ratio)
        lai = norm * mean

        direction = direction.mul_(self._scale).mul_(self._constant(lai_weight))
        row_weight = (factor @ direction[..., None])[..., 0].mT
        row_weight.add_(self._constant(plain_weight))
        slope_gradient = factor.mul_(cosine_2).mul_(bend)
        slope_gradient.mul_(direction[:, None]).mul_(row_loss[..., None])
        return MixedGradient(plain, lai, row_gradient.mul_(row_weight), slope_gradient)


class HuberObjective(Objective):
    """A loss is ``derivative * (error - derivative / 2)``, of each direction alone."""

    def __init__(self, loss: BaseLoss, norm: str, l1_ratio: float, k: Tensor):
        super().__init__(loss, norm, l1_ratio, k)
        self._scale = (self._is_kept / self._k.clamp(max=1))[:, None]

    def _mean(self, error: Tensor, gradient: Tensor) -> Tensor:
        lever = error - self._loss.derivative(error) / 2
        return torch.dot(lever.view(-1), gradient.view(-1)) / error.shape[1]

    def _mixed(
        self,
        error: Tensor,
        slopes: Tensor,
        plain_weight: float,
        lai_weight: float,
        sample_weight: Tensor | None,
    ) -> MixedGradient:
        share = self._share(error, sample_weight)
        plain, plain_gradient = self.plain(error, plain_weight, sample_weight)

        factor, cosine_2, bend = self._geometry(slopes)
        factor = factor.sqrt_().mul_(self._scale)
        errors = factor * error.mT[..., None]  # (n_outputs, n_samples, n_features)
        gradient = self._loss.derivative(errors)
        lever = errors - gradient / 2
        gradient = gradient * share
        losses = (gradient * lever).sum(1)
        norm, direction = self._norm(losses, self._l1_ratio)
        lai = norm / error.shape[1]

        gradient = gradient * (direction * self._constant(lai_weight))[:, None]
        output_gradient = plain_gradient + (gradient * factor).sum(-1).mT
        slope_gradient = gradient * errors * cosine_2 * bend
        return MixedGradient(plain, lai, output_gradient, slope_gradient)


def make_objective(loss: BaseLoss, norm: str, l1_ratio: float, k: Tensor) -> Objective:
    """The objective whose formulas fit the loss."""
    kind = HuberObjective if loss.degree is None else HomogeneousObjective
    return kind(loss, norm, l1_ratio, k)
