"""Lai Training for known noise: what it measures, and the `k` that follows.

To first order, noise adds to the expected squared error the expected square of the
change that it makes in the prediction, so that change is the slope that is measured.
"""

import numpy as np
import torch
from torch import Tensor

from .._noise import boundary_ratio
from .slopes import AlongNoise, Derivative, SlopeMeasure

# Draws of the noise over which a change counts as a slope. So slopes are small beside
# 1, where the Lai factor is quadratic in them, whatever the units of the target.
DISTANCE = 1e6


def boundary_change(lai_fraction: float, mean_error: Tensor) -> Tensor:
    """Boundary between small and large changes under a draw of the noise, by output."""
    least = torch.finfo(mean_error.dtype).tiny ** 0.25  # the square has a square
    return boundary_ratio(lai_fraction) * mean_error.clamp_min(least)


def along_noise(
    noise: np.ndarray, boundary: Tensor, k: np.ndarray, reach: float
) -> tuple[SlopeMeasure, Tensor, Tensor | float]:
    """Measure for the noise as a whole, and for each feature with a `k` of its own.

    `noise` has the standard deviation in each feature, `boundary` that change for each
    output; `k`, of shape (1 or n_outputs, n_features), is NaN but for those features.
    Returns the boundary slope of each direction and output, too, and the distances, or
    the distance, that they are measured over.
    """
    own = np.flatnonzero(~np.isnan(k).all(axis=0))
    kinds, distances = reach * np.eye(len(noise))[own], np.full(len(own), reach)
    own_k = np.broadcast_to(k[:, own], (len(boundary), len(own)))
    slopes = boundary.new_tensor(own_k)
    if noise.any():
        kinds = np.vstack([noise, kinds])
        distances = np.append(DISTANCE, distances)
        slopes = torch.cat([boundary[:, None] / DISTANCE, slopes], dim=1)
    if len(kinds) == 0:
        return Derivative(), boundary.new_tensor(k), 1.0
    measure = AlongNoise(boundary.new_tensor(kinds))
    if len(kinds) == 1:
        return measure, slopes, float(distances[0])
    return measure, slopes, boundary.new_tensor(distances)[None]
