"""Lai Training for known noise: what it measures and minimises, the `k` that follows.

Noise that changes a prediction with the error ``e`` by ``s`` makes its squared error
``(e + s)**2 = e**2 + 2 * e * s + s**2``. The plain loss has the first part, the Lai
loss of the change, as if that were a slope, the last; part of their product is added.
"""

import numpy as np
import torch
from torch import Tensor

from .._noise import Noise, boundary_ratio
from .base_losses import SquaredError
from .directions import Directions
from .objective import LaiObjective, MeanErrorObjective, MixedGradient
from .slopes import AlongMixedNoise, AlongNoise, Derivative, SlopeMeasure

# Draws of the noise over which a change counts as a slope. So slopes are small beside
# 1, where the Lai factor is quadratic in them, whatever the units of the target.
DISTANCE = 1e6
# Share of the product that counts. It is zero on average where the model is straight;
# in whole it draws predictions to those for noisy rows, at a cost for clean ones.
PRODUCT_SHARE = 0.75


def boundary_change(lai_fraction: float, mean_error: Tensor) -> Tensor:
    """Boundary between small and large changes under a draw of the noise, by output."""
    least = torch.finfo(mean_error.dtype).tiny ** 0.25  # the square has a square
    return boundary_ratio(lai_fraction) * mean_error.clamp_min(least)


def loss_under_noise(
    noise: Noise, k: np.ndarray, reach: float, boundary: Tensor, mean_error: Tensor
) -> tuple[SlopeMeasure, LaiObjective]:
    """Loss for the noise as a whole, and for each feature with a `k` of its own.

    `k`, of shape (1 or n_outputs, n_features), is NaN but for those features.
    `boundary` has that change for each output, `mean_error` the error.
    """
    own = np.flatnonzero(~np.isnan(k).all(axis=0))
    kinds, distances = reach * np.eye(len(noise.sds))[own], np.full(len(own), reach)
    slopes = boundary.new_tensor(np.broadcast_to(k[:, own], (len(boundary), len(own))))
    if noise:
        kinds, distances = np.vstack([noise.sds, kinds]), np.append(DISTANCE, distances)
        slopes = torch.cat([boundary[:, None] / DISTANCE, slopes], dim=1)
    if len(kinds) == 0:
        nothing = boundary.new_full((1, 1), np.nan)
        return Derivative(), NoiseObjective(nothing, 1.0, mean_error, nothing)
    distance = (
        float(distances[0]) if len(kinds) == 1 else boundary.new_tensor(distances)[None]
    )
    is_noise = boundary.new_tensor(np.arange(len(kinds)) < len(kinds) - len(own))
    sds = boundary.new_tensor(kinds)
    measure = (
        AlongNoise(sds)
        if noise.mixing is None
        else AlongMixedNoise(sds, boundary.new_tensor(noise.mixing))
    )
    return measure, NoiseObjective(slopes, distance, mean_error, is_noise)


class NoiseObjective(MeanErrorObjective):
    """The mean error for the Lai loss, and products of own errors with their changes.

    `is_noise` says which directions have those products, 1 or 0 for each.
    """

    def __init__(
        self, k: Tensor, distance: float | Tensor, mean_error: Tensor, is_noise: Tensor
    ):
        super().__init__(SquaredError(), "l1", 1.0, k, distance, mean_error)
        # The Lai loss has half the square of the change, with a weight of
        # 2 * level / unit**2.
        weight = 2 * self._level / self._unit_2
        self._product_weight = PRODUCT_SHARE * is_noise * weight

    def _mixed(
        self,
        error: Tensor,
        slopes: Tensor,
        plain_weight: float,
        lai_weight: float,
        sample_weight: Tensor | None,
        directions: Directions,
    ) -> MixedGradient:
        mixed = super()._mixed(
            error, slopes, plain_weight, lai_weight, sample_weight, directions
        )
        share = self._share(error, sample_weight, directions.stands_for)
        weight = (
            directions.at(self._product_weight) * share * self._constant(lai_weight)
        )
        output_gradient = (weight * slopes)[..., 0].mT
        product = (output_gradient * error).sum() / (lai_weight * error.shape[1])
        return mixed._replace(
            lai=mixed.lai + product,
            outputs=mixed.outputs + output_gradient,
            slopes=mixed.slopes + weight * error.mT[..., None],
        )
