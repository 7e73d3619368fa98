"""What a batch minimises: plain and Lai loss, with their gradients written out."""

from typing import NamedTuple

import torch
from torch import Tensor

from .base_losses import NORMS, BaseLoss
from .directions import EVERY, Directions, merged


class MixedGradient(NamedTuple):
    """Both losses of a batch and the gradient of their weighted sum."""

    plain: Tensor
    lai: Tensor
    outputs: Tensor  # (n_samples, n_outputs)
    slopes: Tensor  # of the shape of the slopes


class Objective:
    """Plain loss of a batch: the mean over outputs, halved for the squared error.

    The gradient is that of the sum over outputs, as in MLPRegressor. `like` has the
    type and the device of the outputs.
    """

    def __init__(self, loss: BaseLoss, like: Tensor):
        self.loss = loss
        self._like = like
        # Tensors of one element: operations with Python numbers make one each time.
        self._constants: dict[float, Tensor] = {}

    def plain(
        self, error: Tensor, weight: float, sample_weight: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Plain loss, and the gradient of its sum over outputs, times `weight`."""
        gradient = self.loss.derivative(error) * self._share(error, sample_weight)
        loss = self._mean(error, gradient)
        return loss, gradient if weight == 1 else gradient * self._constant(weight)

    def _mean(self, error: Tensor, gradient: Tensor) -> Tensor:
        """Mean loss over outputs, given the derivatives times shares of samples."""
        n_outputs = error.shape[1]
        if self.loss.degree is None:
            lever = self.loss.lever(error)
            return torch.dot(lever.view(-1), gradient.view(-1)) / n_outputs
        # By Euler's theorem on homogeneous functions, in one operation.
        total = torch.dot(error.view(-1), gradient.view(-1))
        return total.mul_(self._constant(1 / (self.loss.degree * n_outputs)))

    def _share(
        self, error: Tensor, sample_weight: Tensor | None, stands_for: int = 1
    ) -> Tensor:
        """Share of each sample in a mean; weights are 1 on average over all batches."""
        share = self._constant(stands_for / len(error))
        return share if sample_weight is None else (sample_weight * share)[:, None]

    def _constant(self, value: float) -> Tensor:
        if value not in self._constants:
            self._constants[value] = self._like.new_tensor(value)
        return self._constants[value]


class LaiObjective(Objective):
    """Plain loss and Lai loss of a batch, as those of the module `loss`.

    `k` has shape (1, n_directions) or (n_outputs, n_directions), NaN where one is left
    out; a direction is a feature, or a kind of noise. Slopes are given times `unit`, a
    number or one for each direction, of shape (1, n_directions). Make it by
    `make_objective`.
    """

    def __init__(
        self,
        loss: BaseLoss,
        norm: str,
        l1_ratio: float,
        k: Tensor,
        unit: float | Tensor = 1.0,
    ):
        super().__init__(loss, k)
        self._norm, self._l1_ratio = NORMS[norm], l1_ratio
        self._is_kept = ~k.isnan()
        self._has_directions = bool(self._is_kept.any())
        self._k = torch.where(self._is_kept, k, 1)
        self._k_2 = (unit * self._k).square()
        self._unit_2 = torch.as_tensor(unit**2, dtype=k.dtype, device=k.device)

    def mixed(
        self,
        error: Tensor,
        slopes: Tensor,
        plain_weight: float,
        lai_weight: float,
        sample_weight: Tensor | None = None,
        directions: Directions = EVERY,
    ) -> MixedGradient:
        """Both losses, and the gradient of the sum of them with these weights."""
        if not self._has_directions:
            plain, output_gradient = self.plain(
                error, plain_weight + lai_weight, sample_weight
            )
            return MixedGradient(
                plain, plain, output_gradient, torch.zeros_like(slopes)
            )
        return self._mixed(
            error, slopes, plain_weight, lai_weight, sample_weight, directions
        )

    def _mixed(
        self,
        error: Tensor,
        slopes: Tensor,
        plain_weight: float,
        lai_weight: float,
        sample_weight: Tensor | None,
        directions: Directions,
    ) -> MixedGradient:
        """The same as `mixed`, where there are directions."""
        raise NotImplementedError

    def _geometry(self, slopes: Tensor, k_2: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Squared factor without its scale, and two parts of its derivative.

        The derivative of the factor is the factor times their product.
        """
        factor_2, cosine_2, is_steep = squared_factor(slopes, k_2, self._unit_2)
        bend = torch.where(is_steep, self._unit_2 / slopes, slopes.neg())
        return factor_2, cosine_2, bend


class ProductObjective(LaiObjective):
    """Own errors and slopes in every direction, for a homogeneous loss.

    The loss of a multiple of an error is a multiple of its loss, so the losses of all
    directions are one product of matrices. By Euler's theorem a loss is
    ``error * derivative / degree``.
    """

    def __init__(self, loss: BaseLoss, norm: str, l1_ratio: float, k: Tensor):
        super().__init__(loss, norm, l1_ratio, k)
        self._degree = loss.degree or 1
        self._scale = self._is_kept / self._k.clamp(max=1) ** self._degree

    def _mixed(
        self,
        error: Tensor,
        slopes: Tensor,
        plain_weight: float,
        lai_weight: float,
        sample_weight: Tensor | None,
        directions: Directions,
    ) -> MixedGradient:
        mean = self._constant(1 / (self._degree * error.shape[1]))
        row_gradient = self.loss.derivative(error) * self._share(error, sample_weight)
        row_loss = (row_gradient * error).mT  # times the degree, as are all up to `lai`
        plain = row_loss.sum() * mean

        # The factor to the degree of the loss, without its scale.
        power, cosine_2, bend = self._geometry(slopes, self._k_2[:, None])
        if self._degree == 1:
            power.sqrt_()
        losses = (row_loss[:, None] @ power)[:, 0].mul_(self._scale)
        norm, direction = self._norm(losses, self._l1_ratio)
        lai = norm * mean

        direction = direction.mul_(self._scale).mul_(self._constant(lai_weight))
        row_weight = (power @ direction[..., None])[..., 0].mT
        row_weight.add_(self._constant(plain_weight))
        slope_gradient = power.mul_(cosine_2).mul_(bend)
        slope_gradient.mul_(direction[:, None]).mul_(row_loss[..., None])
        return MixedGradient(plain, lai, row_gradient.mul_(row_weight), slope_gradient)


class ElementwiseObjective(LaiObjective):
    """Own errors, each multiplied by the factor of each slope of its sample."""

    def __init__(
        self,
        loss: BaseLoss,
        norm: str,
        l1_ratio: float,
        k: Tensor,
        unit: float | Tensor,
    ):
        super().__init__(loss, norm, l1_ratio, k, unit)
        self._scale = self._is_kept / self._k.clamp(max=1)

    def _mixed(
        self,
        error: Tensor,
        slopes: Tensor,
        plain_weight: float,
        lai_weight: float,
        sample_weight: Tensor | None,
        directions: Directions,
    ) -> MixedGradient:
        plain, output_gradient = self.plain(error, plain_weight, sample_weight)
        share = self._share(error, sample_weight, directions.stands_for)
        factor_2, cosine_2, bend = self._geometry(slopes, directions.at(self._k_2))
        factor = factor_2.sqrt_().mul_(directions.at(self._scale))
        errors = factor * error.mT[..., None]  # of the shape of the slopes
        gradient = self.loss.derivative(errors) * share
        losses = directions.total(
            gradient * self.loss.lever(errors), self._scale.shape[1]
        )
        norm, direction = self._norm(losses, self._l1_ratio)
        lai = norm / len(slopes)

        gradient = gradient * directions.at(direction * self._constant(lai_weight))
        output_gradient = output_gradient + (gradient * factor).sum(-1).mT
        slope_gradient = gradient * errors * cosine_2 * bend
        return MixedGradient(plain, lai, output_gradient, slope_gradient)


class MeanErrorObjective(LaiObjective):
    """One error for all samples of an output, which does not change.

    `mean_error` has shape (n_outputs,). The Lai loss then depends on the slopes alone.
    """

    def __init__(
        self,
        loss: BaseLoss,
        norm: str,
        l1_ratio: float,
        k: Tensor,
        reach: float | Tensor,
        mean_error: Tensor,
    ):
        is_kept = ~k.isnan()
        self._weight = is_kept.to(k.dtype)
        if torch.is_tensor(reach):
            super().__init__(loss, norm, l1_ratio, k, reach)
        else:
            k = merged(k, (is_kept.any(0) | (reach == 0)).nonzero()[:, 0])
            super().__init__(loss, norm, l1_ratio, k, reach or 1.0)
        self._weight_at = self._is_kept.to(k.dtype)
        self._minus_k_2 = -self._k_2
        error = mean_error.view(-1, *[1] * (k.ndim - 1))
        self._level = loss.level(error / self._k.clamp(max=1))
        self._is_sum = norm == "l1"

    def _mixed(
        self,
        error: Tensor,
        slopes: Tensor,
        plain_weight: float,
        lai_weight: float,
        sample_weight: Tensor | None,
        directions: Directions,
    ) -> MixedGradient:
        plain, output_gradient = self.plain(error, plain_weight, sample_weight)
        k_2, minus_k_2 = directions.at(self._k_2), directions.at(self._minus_k_2)
        unit_2 = directions.at(self._unit_2)
        factor_2, cosine_2, is_steep = squared_factor(slopes, k_2, unit_2)
        # Half the derivative of factor_2 is slopes * pull * cosine_2**2.
        pull = torch.where(is_steep, unit_2, minus_k_2)

        losses, derivative = self.loss.of_multiple(directions.at(self._level), factor_2)
        share = self._share(error, sample_weight, directions.stands_for)
        norm, weight = self._norm_of(losses, share, directions)
        lai = norm.mul_(self._constant(1 / len(slopes)))

        weight = weight * self._constant(2 * lai_weight) * derivative
        slope_gradient = cosine_2.mul_(cosine_2).mul_(pull).mul_(slopes).mul_(weight)
        return MixedGradient(plain, lai, output_gradient, slope_gradient)

    def _norm_of(
        self, losses: Tensor, share: Tensor, directions: Directions
    ) -> tuple[Tensor, Tensor]:
        """Norm of the losses of the directions, and its derivatives by each loss."""
        if self._is_sum:  # of all losses, whatever their direction
            weight = directions.at(self._weight_at) * share
            return losses.mul_(weight).sum(), weight
        totals = directions.total(losses.mul_(share), self._weight.shape[1])
        norm, direction = self._norm(totals.mul_(self._weight), self._l1_ratio)
        return norm, directions.at(direction.mul_(self._weight)) * share


def squared_factor(
    slopes: Tensor, k_2: Tensor, unit_2: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Squared factor without its scale, squared cosines, what is steeper than k."""
    squares = slopes * slopes  # faster than square
    cosine_2 = squares.add(unit_2).reciprocal_()
    factor_2 = torch.maximum(squares, k_2).mul_(cosine_2)
    return factor_2, cosine_2, squares > k_2


def make_objective(
    loss: BaseLoss,
    norm: str,
    l1_ratio: float,
    k: Tensor,
    *,
    reach: float = 0.0,
    mean_error: Tensor | None = None,
) -> LaiObjective:
    """The objective whose formulas fit; own errors unless there is a mean error.

    With a reach, slopes are given times it: as the changes of the outputs.
    """
    if mean_error is not None:
        return MeanErrorObjective(loss, norm, l1_ratio, k, reach, mean_error)
    if loss.degree is None or reach > 0:
        return ElementwiseObjective(loss, norm, l1_ratio, k, reach or 1.0)
    return ProductObjective(loss, norm, l1_ratio, k)
