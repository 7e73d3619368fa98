"""Affine forms: units and their slopes as linear functions of the inputs, to an error.

The inputs of a box are ``centre + radius * t`` with each t in [-1, 1], so a form is
``centre + linear @ t``, to within its radius.
"""

from typing import NamedTuple

import numpy as np

from .curves import Interval, Lines, rounding_of

# Of a few steps in a row, sums over features among them that are no longer than this.
MAX_FEATURES = 50
ROUNDING = rounding_of(MAX_FEATURES)


class Form(NamedTuple):
    """Arrays (n_boxes, ..., n_units); `linear` has an axis for t after the first."""

    centre: np.ndarray
    linear: np.ndarray
    radius: np.ndarray

    def interval(self) -> Interval:
        """The values that it can have."""
        reach = self.reach() * (1 + ROUNDING)
        rounding = ROUNDING * np.abs(self.centre)
        return self.centre - reach - rounding, self.centre + reach + rounding

    def reach(self) -> np.ndarray:
        """The most by which it can be away from its centre."""
        return np.abs(self.linear).sum(axis=1) + self.radius

    def between(self, band: tuple[Lines, Lines]) -> "Form":
        """The form of a function between parallel lines."""
        (slope, low), (_, high) = band
        moved, offset = slope * self.centre, (low + high) / 2
        radius = np.abs(slope) * self.radius + (high - low) / 2
        return Form(
            moved + offset,
            slope[:, None] * self.linear,
            radius + ROUNDING * (np.abs(moved) + np.abs(offset) + radius),
        )

    def times(self, other: "Form") -> "Form":
        """The product with slopes, which have an axis for features more."""
        centre, linear = self.centre[:, None], self.linear[:, :, None]
        size, reach = np.abs(centre), self.reach()[:, None]
        other_size, other_reach = np.abs(other.centre), other.reach()
        radius = size * other.radius + other_size * self.radius[:, None]
        rounding = ROUNDING * (size + reach) * (other_size + other_reach)
        return Form(
            centre * other.centre,
            centre[:, None] * other.linear + linear * other.centre[:, None],
            radius + reach * other_reach + rounding,
        )

    def summed(self, coef: np.ndarray, magnitude: np.ndarray) -> "Form":
        """Sums of the units with weights."""
        rounding = rounding_of(sum(coef.shape))
        size = np.abs(self.centre) + self.reach()
        radius = (self.radius + rounding * size) @ magnitude
        return Form(self.centre @ coef, self.linear @ coef, radius)
