"""Errors that outliers have, which count no more than others in the Lai loss.

The Lai loss of a row is its loss times a factor of its slopes, so that by a few large
errors it would decide about all slopes, whatever the loss does with such errors.
"""

import numpy as np
from torch import Tensor

from .._statistics import NORMAL_SHARE, weighted_quantile
from .directions import EVERY, Directions
from .objective import LaiObjective, MixedGradient

# Standard deviations of most errors from which on an error is an outlier's.
OUTLYING = 5.0


def outlier_bound(error: np.ndarray, sample_weight: np.ndarray | None) -> np.ndarray:
    """Magnitude of the errors from which on rows are outliers, by output.

    Infinite if most errors are 0.
    """
    weight = np.ones(len(error)) if sample_weight is None else sample_weight
    typical = [weighted_quantile(column, weight) for column in np.abs(error).T]
    bound = OUTLYING * NORMAL_SHARE * np.array(typical)
    return np.where(bound > 0, bound, np.inf)


class BoundedErrors:
    """A Lai objective in which errors count up to a bound, of shape (n_outputs,)."""

    def __init__(self, objective: LaiObjective, bound: Tensor):
        self._objective = objective
        self._bound = bound

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
        plain, gradient = self._objective.plain(error, plain_weight, sample_weight)
        bounded = error.clamp(-self._bound, self._bound)
        _, lai, outputs, slope_gradient = self._objective.mixed(
            bounded, slopes, 0.0, lai_weight, sample_weight, directions
        )
        gradient = gradient + outputs * (bounded == error)
        return MixedGradient(plain, lai, gradient, slope_gradient)


# What a batch with a Lai loss minimises.
Mixture = LaiObjective | BoundedErrors
