"""Lower points in the planes of pairs of coefficients that the error couples."""

from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np

from .objective import Batch, loss

# Points along a coefficient.
N_POINTS = 33
# Lines that are looked at together, so few that their points stay in the cache.
N_TOGETHER = 1000
# Relative differences of J that do not decide between points, since rounding may.
SAME = 1e-9


class Axis(NamedTuple):
    """One coefficient of each plane: where it is, and what is known along it."""

    coef: np.ndarray
    least_squares: np.ndarray
    kink: np.ndarray
    scale: np.ndarray
    slope: np.ndarray
    power: np.ndarray

    @property
    def reach(self) -> np.ndarray:
        """How far from 0 it may be."""
        return 2 * np.maximum(np.abs(self.least_squares), self.kink)

    def loss(self, coef: np.ndarray) -> np.ndarray:
        """Loss of the direction at these coefficients."""
        return loss(coef, self.kink, self.scale)

    def take(self, planes: np.ndarray) -> Self:
        """The coefficient of these planes."""
        return type(self)(*(values[planes] for values in self))


@dataclass(frozen=True)
class Planes:
    """Planes through points of problems, along two coefficients.

    Arrays have shape (n_planes, 1). `slope` and `power` of the coefficients and their
    `coupling` give the mse from that of the point; `losses` and `squares` are the sums
    of the losses of the other directions and of their squares.
    """

    batch: Batch
    first: Axis
    second: Axis
    coupling: np.ndarray
    mse: np.ndarray
    losses: np.ndarray
    squares: np.ndarray

    @classmethod
    def of(
        cls, batch: Batch, coef: np.ndarray, row: np.ndarray, pairs: np.ndarray
    ) -> Self:
        """Planes through the points of these rows, along pairs (n_planes, 2)."""
        residual, losses = batch.residual(coef), batch.direction_losses(coef)
        known = (
            coef,
            batch.least_squares,
            batch.boundary,
            batch.scale,
            batch.gradient(residual),
            np.broadcast_to(batch.power, coef.shape),
        )
        row, (i, j) = row[:, None], (column[:, None] for column in pairs.T)
        others, squares = (
            values.sum(axis=1)[row] - values[row, i] - values[row, j]
            for values in (losses, np.square(losses))
        )
        return cls(
            batch,
            first=Axis(*(values[row, i] for values in known)),
            second=Axis(*(values[row, j] for values in known)),
            coupling=batch.matrices[batch.which[row], i, j],
            mse=batch.value(residual)[row],
            losses=others,
            squares=np.maximum(squares, 0),
        )

    def take(self, planes: np.ndarray) -> Self:
        """These of the planes, which may be repeated."""
        return type(self)(
            self.batch,
            self.first.take(planes),
            self.second.take(planes),
            self.coupling[planes],
            self.mse[planes],
            self.losses[planes],
            self.squares[planes],
        )

    def values_of_first(self) -> np.ndarray:
        """Values of the first coefficient, spread over its reach."""
        first = self.first
        spread = (first.reach + self.second.reach) * np.linspace(-1, 1, 2 * N_POINTS)
        exact = [first.coef, first.least_squares, first.kink, -first.kink]
        return np.concatenate([spread, *exact], axis=1)

    def least_squares(self, first: np.ndarray) -> np.ndarray:
        """The second coefficient with the least error for these values of the first."""
        gradient = self.second.slope / 2 + self.coupling * (first - self.first.coef)
        has_power = self.second.power > 0
        power = np.where(has_power, self.second.power, 1.0)
        return self.second.coef - np.where(has_power, gradient / power, 0)

    def error(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Mean squared error for these coefficients."""
        i, j = first - self.first.coef, second - self.second.coef
        along_first = (self.first.slope + self.first.power * i) * i
        slope = self.second.slope + 2 * self.coupling * i
        return self.mse + along_first + (slope + self.second.power * j) * j

    def factor(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Second factor of J for these coefficients."""
        i, j = self.first.loss(first), self.second.loss(second)
        return self.batch.factor_of(
            self.losses + i + j, self.squares + np.square(i) + np.square(j)
        )

    def bounds(self, first: np.ndarray) -> np.ndarray:
        """What J is at least for these values of the first coefficient.

        That is the least mse times the least factor, which is at a kink of the second.
        """
        error = self.error(first, self.least_squares(first))
        return error * self.factor(first, self.second.kink)


def lower_points(
    batch: Batch, coef: np.ndarray, lowest: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Problems that have lower points than these in planes of collinear pairs.

    Returns the problems and, for each, the lowest of the points that are looked at if J
    is below `lowest` there.
    """
    of_gram = [gram.collinear_pairs for gram in batch.grams]
    of_row = [of_gram[which] for which in batch.which]
    row = np.repeat(np.arange(len(coef)), [len(pairs) for pairs in of_row])
    pairs = np.concatenate(of_row)
    planes = Planes.of(batch, coef, row, pairs)
    plane, first, second, objective = _lowest_of_lines(planes, lowest[row])
    row, pairs = row[plane], pairs[plane]
    least = np.full(len(coef), np.inf)
    np.minimum.at(least, row, objective)
    # The first of the lowest, so that the choice does not hang on rounding errors.
    is_least = objective <= least[row] * (1 + SAME)
    found, place = np.unique(row[is_least], return_index=True)
    place = np.flatnonzero(is_least)[place]
    points = coef[found].copy()
    there = np.column_stack([first[place], second[place]])
    np.put_along_axis(points, pairs[place], there, axis=1)
    is_lower = batch.take(found).objective(points) < lowest[found]
    return found[is_lower], points[is_lower]


def _lowest_of_lines(
    planes: Planes, lowest: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Lowest points for values of the first coefficient for which J can be below that.

    The second is where it can be best: mse grows with the distance to its own minimum,
    and the factor falls towards the kinks, so the product is least between the former
    and the nearest kink. Points follow the valleys so. Returns the planes of the
    points, both coefficients and J.
    """
    values = planes.values_of_first()
    least_squares = planes.least_squares(values)
    plane, place = np.nonzero(planes.bounds(values) < lowest[:, None])
    first, second, objective = (np.empty(len(plane)) for _ in range(3))
    share = np.linspace(0, 1, N_POINTS)
    for start in range(0, len(plane), N_TOGETHER):
        some = slice(start, start + N_TOGETHER)
        part, index = planes.take(plane[some]), (plane[some], place[some])
        one, other = values[index][:, None], least_squares[index][:, None]
        others = other * (1 - share) + np.copysign(part.second.kink, other) * share
        found = part.error(one, others) * part.factor(one, others)
        is_least = found <= found.min(axis=1, keepdims=True) * (1 + SAME)
        best = np.arange(len(found)), is_least.argmax(axis=1)
        first[some], second[some] = one[:, 0], others[best]
        objective[some] = found[best]
    return plane, first, second, objective
