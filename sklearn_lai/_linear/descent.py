"""Descents on the linear Lai objective by Newton steps, and the minima they lead to."""

import numpy as np

from .newton import NEGLIGIBLE, Local
from .objective import Batch

# Newton steps of a descent at most.
MAX_STEPS = 500
# Numbers in the matrices of descents that go on together.
TOGETHER = 500_000
# Relative distance to a minimum on the same pieces at which descents end there.
ARRIVED = 0.01


class Minima:
    """The least minima of problems that descents found, the first from least squares.

    `n_iter` has the Newton steps of all descents of a problem.
    """

    def __init__(self, batch: Batch):
        self.batch = batch
        self.coef, self.n_iter = descend(batch, batch.least_squares)
        self.objective = batch.objective(self.coef)

    @property
    def low_enough(self) -> np.ndarray:
        """What J is to be below to be lower by more than rounding."""
        return self.objective * (1 - 10 * NEGLIGIBLE)

    def improve(
        self, rows: np.ndarray, starts: np.ndarray, known: np.ndarray | None = None
    ) -> np.ndarray:
        """Descend from starts of the problems of these rows; return where J fell.

        Descents end where they arrive at known minima.
        """
        batch = self.batch.take(rows)
        coef, n_steps = descend(batch, starts, None if known is None else known[rows])
        np.add.at(self.n_iter, rows, n_steps)
        objective = batch.objective(coef)
        lowest = self.objective.copy()
        np.minimum.at(lowest, rows, objective)
        # Of minima that differ by rounding only, the first: so the choice is stable.
        is_lowest = objective <= lowest[rows] * (1 + 10 * NEGLIGIBLE)
        is_lowest &= (lowest < self.low_enough)[rows]
        coef, objective = coef[is_lowest], objective[is_lowest]
        rows, first = np.unique(rows[is_lowest], return_index=True)
        self.coef[rows], self.objective[rows] = coef[first], objective[first]
        return rows


def descend(
    batch: Batch, coef: np.ndarray, known: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Newton steps until J falls no more, and their numbers.

    Descents also end near known points, on the same pieces.
    """
    coef, n_steps = coef.copy(), np.zeros(len(coef), dtype=int)
    size = max(1, TOGETHER // coef.shape[1] ** 2)
    for left in np.split(np.arange(len(coef)), range(size, len(coef), size)):
        for _ in range(MAX_STEPS):
            if known is not None:
                boundary = batch.boundary[left]
                left = left[~_have_arrived(coef[left], known[left], boundary)]
            if not len(left):
                break
            following, falls = Local(batch.take(left), coef[left]).step()
            left = left[falls]
            coef[left] = following[falls]
            n_steps[left] += 1
    return coef, n_steps


def pieces(coef: np.ndarray, boundary: np.ndarray) -> np.ndarray:
    """Numbers of the pieces that coefficients are in, or of the kinks they are at.

    They differ by 1 from a kink to the pieces that touch it.
    """
    return np.sign(coef) * (2 + np.sign(np.abs(coef) - boundary))


def _have_arrived(
    coef: np.ndarray, known: np.ndarray, boundary: np.ndarray
) -> np.ndarray:
    """Whether points are near known ones, on the same pieces."""
    reach = ARRIVED * np.abs(known).max(axis=1, keepdims=True)
    is_same = pieces(coef, boundary) == pieces(known, boundary)
    return (is_same & (np.abs(coef - known) <= reach)).all(axis=1)
