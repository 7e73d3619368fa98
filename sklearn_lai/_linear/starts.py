"""Starts from which descents can reach a lower minimum than one that is known.

J is at least mse times the least factor. So a coefficient can lie beyond a kink, as
seen from least squares, only if the mse of reaching that kink is low enough.
"""

from itertools import product
from typing import NamedTuple, Self

import numpy as np

from .objective import Batch

# Starts besides least squares: fewer with many features, where descents take longer
# and starts hardly ever matter.
MIN_STARTS, MAX_STARTS, AFFORDABLE = 2, 20, 1280
# Coefficients that are started on both sides of their kinks.
N_VARIED = 4


class Kinks(NamedTuple):
    """Kinks of problems, on both sides, with the mse of reaching each beyond the least.

    Arrays have shape (n_problems, 2, n_features); `is_reachable` are those beyond which
    J can be lower than it is known to be.
    """

    place: np.ndarray
    cost: np.ndarray
    is_reachable: np.ndarray

    @classmethod
    def of(cls, batch: Batch, bound: np.ndarray) -> Self:
        """Kinks of problems in which an mse below the bound can win."""
        place = np.stack([batch.boundary, -batch.boundary], axis=1)
        variance = np.diagonal(batch.inverses, axis1=1, axis2=2)
        distance = place - batch.least_squares[:, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            cost = np.square(distance) / batch.of_each(variance)[:, None]
        cost = np.where(np.isnan(cost), 0, cost)
        can_win = batch.least[:, None, None] + cost < bound[:, None, None]
        return cls(place, cost, can_win & (batch.scale > 0)[:, None])


def further_starts(batch: Batch, lowest: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Starts besides least squares, and the problems that they are of, in order."""
    bound = lowest / batch.factor(batch.direction_losses(batch.boundary))
    kinks = Kinks.of(batch, bound)
    n_features = batch.boundary.shape[1]
    n_starts = max(MIN_STARTS, min(MAX_STARTS, AFFORDABLE // n_features**2))
    parts = [_all_at_kinks(batch, kinks)]
    if n_starts > MIN_STARTS:
        parts.append(_some_at_kinks(batch, kinks, bound, n_starts - MIN_STARTS))
    rows, starts = (np.concatenate(part) for part in zip(*parts, strict=True))
    order = np.argsort(rows, kind="stable")
    return rows[order], starts[order]


def _all_at_kinks(batch: Batch, kinks: Kinks) -> tuple[np.ndarray, np.ndarray]:
    """Least squares with all coefficients at the kinks of two choices of signs."""
    starts = []
    for signs in (batch.least_squares, batch.correlation):
        side = np.where(signs < 0, 1, 0)[:, None]
        place = np.take_along_axis(kinks.place, side, axis=1)[:, 0]
        is_reachable = np.take_along_axis(kinks.is_reachable, side, axis=1)[:, 0]
        starts.append(np.where(is_reachable, place, batch.least_squares))
    first = np.flatnonzero(kinks.is_reachable.any(axis=(1, 2)))
    second = first[(starts[0] != starts[1])[first].any(axis=1)]
    return np.append(first, second), np.append(
        starts[0][first], starts[1][second], axis=0
    )


def _some_at_kinks(
    batch: Batch, kinks: Kinks, bound: np.ndarray, n_starts: int
) -> tuple[np.ndarray, np.ndarray]:
    """Least squares with some of the most movable coefficients held at their kinks."""
    cheapest = np.where(kinks.is_reachable, kinks.cost, np.inf).min(axis=1)
    varied = np.argsort(cheapest, axis=1, kind="stable")[:, :N_VARIED]
    along = np.arange(varied.shape[1])
    # Each choice is a place for every varied coefficient: free, or one of the kinks.
    choices = np.array(list(product(range(3), repeat=len(along)))[1:])
    is_open = np.take_along_axis(kinks.is_reachable, varied[:, None], axis=2)
    is_open = np.insert(is_open, 0, True, axis=1)
    rows, choice = np.nonzero(is_open[:, choices, along].all(axis=2))
    change = kinks.place - batch.least_squares[:, None]
    change = np.take_along_axis(change, varied[:, None], axis=2)
    change = np.insert(change, 0, 0.0, axis=1)[rows[:, None], choices[choice], along]
    push = _inverses_of_held(batch, varied, choices > 0)[rows, choice]
    push = (push @ change[..., None])[..., 0]
    mse = batch.least[rows] + (push * change).sum(axis=1)
    kept = mse < bound[rows]
    rows, push, mse = rows[kept], push[kept], mse[kept]
    inverse = batch.inverses[batch.which[:, None], varied]
    start = batch.least_squares[rows] + (push[:, None] @ inverse[rows])[:, 0]
    batch = batch.take(rows)
    objective = mse * batch.factor(batch.direction_losses(start))
    # Rounded, so that the order of equally good ones does not hang on rounding errors.
    order = np.lexsort((np.round(np.log(objective), 9), rows))
    place = np.arange(len(rows)) - np.searchsorted(rows, rows[order])
    order = order[place < n_starts]
    return rows[order], start[order]


def _inverses_of_held(
    batch: Batch, varied: np.ndarray, is_held: np.ndarray
) -> np.ndarray:
    """Pseudo-inverses of the blocks of the inverse for choices of held coefficients.

    Shape (n_problems, n_choices, n_varied, n_varied), 0 for those that are not held.
    """
    held, choice = np.unique(is_held, axis=0, return_inverse=True)
    keys, row = np.unique(
        np.column_stack([batch.which, varied]), axis=0, return_inverse=True
    )
    which, varied = keys[:, 0, None, None], keys[:, 1:]
    inverse = batch.inverses[which, varied[:, :, None], varied[:, None]]
    blocks = inverse[:, None] * (held[:, :, None] & held[:, None])
    solved = np.linalg.pinv(blocks, hermitian=True)
    return solved[row[:, None], choice]
