"""What a batch minimises: plain and Lai loss, with their gradients written out."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor


class BaseLoss(NamedTuple):
    """A loss of an error by its derivative and the degree of its homogeneity.

    By Euler's theorem ``loss(e) = e * derivative(e) / degree``.
    """

    derivative: Callable[[Tensor], Tensor]
    degree: int


def _identity(error: Tensor) -> Tensor:
    return error


# MLPRegressor minimises half the squared error, which gives `alpha` and
# `learning_rate_init` the meaning they have there.
BASE_LOSSES: Mapping[str, BaseLoss] = {
    "squared_error": BaseLoss(_identity, degree=2),
    "absolute_error": BaseLoss(torch.sign, degree=1),
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
    `k` has a value per feature, None where the direction is left out.
    """

    def __init__(
        self,
        loss: str,
        norm: str,
        l1_ratio: float,
        k: Sequence[float | None],
        dtype: torch.dtype,
    ):
        self._base = BASE_LOSSES[loss]
        self._norm, self._l1_ratio = NORMS[norm], l1_ratio
        is_kept = torch.tensor([k_j is not None for k_j in k])
        self._has_directions = bool(is_kept.any())
        boundary = torch.tensor([1.0 if k_j is None else k_j for k_j in k], dtype=dtype)
        self._k_2 = boundary.square()
        self._scale = is_kept / boundary.clamp(max=1) ** self._base.degree
        # Tensors of one element: operations with Python numbers make one each time.
        self._constants: dict[float, Tensor] = {}
        self._one = self._constant(1.0)

    def plain(
        self, error: Tensor, weight: float, sample_weight: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Plain loss, and the gradient of its sum over outputs, times `weight`."""
        n_samples, n_outputs = error.shape
        share = self._share(n_samples, sample_weight)
        gradient = self._base.derivative(error) * share
        loss = torch.dot(error.view(-1), gradient.view(-1))
        loss.mul_(self._constant(1 / (self._base.degree * n_outputs)))
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
        n_samples, n_outputs = error.shape
        row_gradient = self._base.derivative(error) * self._share(
            n_samples, sample_weight
        )
        row_loss = (row_gradient * error).mT  # times the degree, as are all up to `lai`
        plain = row_loss.sum() * self._constant(1 / (self._base.degree * n_outputs))

        squares = slopes.square()
        cosine_2 = squares.add(self._one).reciprocal_()
        # The power of the factor that the loss has, but for the scale of its direction.
        factor = torch.maximum(squares, self._k_2).mul_(cosine_2)
        if self._base.degree == 1:
            factor.sqrt_()
        # d factor / d slope = degree * factor * cosine_2 * bend
        bend = torch.where(squares > self._k_2, slopes.reciprocal(), slopes.neg())
        losses = (row_loss[:, None] @ factor)[:, 0].mul_(self._scale)
        norm, direction = self._norm(losses, self._l1_ratio)
        lai = norm * self._constant(1 / (self._base.degree * n_outputs))

        direction = direction.mul_(self._scale).mul_(self._constant(lai_weight))
        row_weight = (factor @ direction[..., None])[..., 0].mT
        row_weight.add_(self._constant(plain_weight))
        slope_gradient = factor.mul_(cosine_2).mul_(bend)
        slope_gradient.mul_(direction[:, None]).mul_(row_loss[..., None])
        return MixedGradient(plain, lai, row_gradient.mul_(row_weight), slope_gradient)

    def _share(self, n_samples: int, sample_weight: Tensor | None) -> Tensor:
        """Share of each sample in a mean; weights are 1 on average over all batches."""
        share = self._constant(1 / n_samples)
        return share if sample_weight is None else (sample_weight * share)[:, None]

    def _constant(self, value: float) -> Tensor:
        if value not in self._constants:
            self._constants[value] = self._k_2.new_tensor(value)
        return self._constants[value]
