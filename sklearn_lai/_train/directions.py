"""Directions in which the slopes of a batch were measured, and which sample had which.

A direction is a feature, or a kind of noise. Slopes of a batch have shape (n_outputs,
n_samples, n_measured). A quantity of the directions, such as `k`, has shape (1 or
n_outputs, n_directions), or (1 or n_outputs, 1, 1), or none, if it is the same for all
that are measured.
"""

from typing import ClassVar, NamedTuple

from torch import Tensor


class EveryDirection:
    """Every sample has the slopes in all directions."""

    stands_for: ClassVar[int] = 1  # how many slopes a measured one stands for

    def at(self, of_directions: Tensor) -> Tensor:
        """The quantity at each slope, in a shape that broadcasts to the slopes'."""
        return of_directions[:, None] if of_directions.ndim == 2 else of_directions

    def total(self, of_slopes: Tensor, n_directions: int) -> Tensor:
        """Sums over the samples, of shape (n_outputs, n_directions)."""
        return of_slopes.sum(1)


class DrawnDirections(NamedTuple):
    """Every sample has the slope in one direction, drawn from `stands_for` ones.

    `drawn` are their positions, of shape (n_samples, 1).
    """

    drawn: Tensor
    stands_for: int

    def at(self, of_directions: Tensor) -> Tensor:
        if of_directions.ndim != 2:
            return of_directions
        return of_directions.index_select(1, self.drawn[:, 0])[..., None]

    def total(self, of_slopes: Tensor, n_directions: int) -> Tensor:
        totals = of_slopes.new_zeros(len(of_slopes), n_directions)
        return totals.index_add_(1, self.drawn[:, 0], of_slopes[..., 0])


Directions = EveryDirection | DrawnDirections
EVERY = EveryDirection()


def merged(of_directions: Tensor, measured: Tensor) -> Tensor:
    """The quantity, in three axes if it is the same at all positions `measured`.

    It may be NaN, which is the same as NaN.
    """
    values = of_directions.index_select(1, measured)
    first = values[:, :1]
    is_same = (values == first) | (values.isnan() & first.isnan())
    return (
        first[..., None].clone() if values.numel() and is_same.all() else of_directions
    )
