"""Directions in which the slopes of a batch were measured, and which sample had which.

Slopes of a batch have shape (n_outputs, n_samples, n_measured). A quantity of the
features, such as `k`, has shape (1 or n_outputs, n_features), or (1 or n_outputs, 1, 1)
if it is the same for all that are measured.
"""

from typing import ClassVar, NamedTuple

from torch import Tensor


class EveryDirection:
    """Every sample has the slopes of all features."""

    stands_for: ClassVar[int] = 1  # how many slopes a measured one stands for

    def at(self, of_features: Tensor) -> Tensor:
        """The quantity at each slope, in a shape that broadcasts to the slopes'."""
        return of_features[:, None] if of_features.ndim == 2 else of_features

    def total(self, of_slopes: Tensor, n_features: int) -> Tensor:
        """Sums over the samples, of shape (n_outputs, n_features)."""
        return of_slopes.sum(1)


class DrawnDirections(NamedTuple):
    """Every sample has the slope of one feature, drawn from `stands_for` ones.

    `features` has shape (n_samples, 1).
    """

    features: Tensor
    stands_for: int

    def at(self, of_features: Tensor) -> Tensor:
        if of_features.ndim != 2:
            return of_features
        return of_features.index_select(1, self.features[:, 0])[..., None]

    def total(self, of_slopes: Tensor, n_features: int) -> Tensor:
        totals = of_slopes.new_zeros(len(of_slopes), n_features)
        return totals.index_add_(1, self.features[:, 0], of_slopes[..., 0])


Directions = EveryDirection | DrawnDirections
EVERY = EveryDirection()


def merged(of_features: Tensor, measured: Tensor) -> Tensor:
    """The quantity, in three axes if it is the same at all positions `measured`.

    It may be NaN, which is the same as NaN.
    """
    values = of_features.index_select(1, measured)
    first = values[:, :1]
    is_same = (values == first) | (values.isnan() & first.isnan())
    return first[..., None].clone() if values.numel() and is_same.all() else of_features
