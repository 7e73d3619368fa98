"""Errors that outliers have, which count no more than others in the Lai loss.

The Lai loss of a row is its loss times a factor of its slopes, so that by a few large
errors it would decide about all slopes, whatever the loss does with such errors.
"""

from torch import Tensor

from .directions import EVERY, Directions
from .objective import LaiObjective, MixedGradient


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
