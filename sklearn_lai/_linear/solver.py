"""The exact linear solver: the least of the minima that descents find.

Newton steps lead from least squares to a stationary point. Since J is blind to signs,
it has several: further starts are tried, lower points looked for in the planes of pairs
of coefficients that the error couples, and along a path the minima of neighbours.
"""

from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np

from .descent import Minima, pieces
from .newton import Local
from .objective import Batch, Problem
from .pairs import lower_points
from .starts import further_starts

# How often minima are left for a lower point in a plane.
MAX_JUMPS = 100


class Solution(NamedTuple):
    """What `solve` found; `optimality` is as in `Local`.

    It is exact if least squares leaves no error that a Lai loss could multiply.
    """

    coef: np.ndarray
    objective: float
    optimality: float
    n_iter: int
    is_exact: bool


def solve(problem: Problem) -> Solution:
    """Least squares, then the least minimum of J that descents reach."""
    return solve_all([[problem]])[0][0]


def solve_all(paths: Sequence[Sequence[Problem]]) -> list[list[Solution]]:
    """Solutions of problems, none of which has a higher J than if solved alone.

    The problems of a path differ in `k` only, each a little from the next. All have the
    same number of features and the same mixture.
    """
    needs_descents = [path[0].mse.least > 0 and not path[0].is_plain for path in paths]
    rest = [path for path, needs in zip(paths, needs_descents, strict=True) if needs]
    found = iter(_solve_by_descents(rest) if rest else [])
    return [
        next(found) if needs else [_least_squares(problem) for problem in path]
        for path, needs in zip(paths, needs_descents, strict=True)
    ]


def _least_squares(problem: Problem) -> Solution:
    """The solution of a problem that least squares solves."""
    coef = problem.mse.minimum
    objective = problem.mse.least * float(problem.factor(coef))
    return Solution(
        coef, objective, optimality=0.0, n_iter=0, is_exact=problem.is_exact
    )


def _solve_by_descents(paths: Sequence[Sequence[Problem]]) -> list[list[Solution]]:
    """Solutions of problems that least squares does not solve."""
    problems = [problem for path in paths for problem in path]
    minima = Minima(Batch.of(problems))
    minima.improve(*further_starts(minima.batch, minima.objective), minima.coef)
    _leave_for_lower_points(minima, np.arange(len(minima.coef)))
    _follow_neighbours(minima, [len(path) for path in paths])
    optimality = Local(minima.batch, minima.coef).optimality
    columns = minima.objective.tolist(), optimality.tolist(), minima.n_iter.tolist()
    is_exact = [problem.is_exact for problem in problems]
    solutions = map(Solution, minima.coef, *columns, is_exact)
    return [list(islice(solutions, len(path))) for path in paths]


def _leave_for_lower_points(minima: Minima, rows: np.ndarray) -> None:
    """Descend from lower points in planes of collinear pairs while there are some."""
    for _ in range(MAX_JUMPS):
        if not len(rows):
            break
        lower, points = lower_points(
            minima.batch.take(rows), minima.coef[rows], minima.low_enough[rows]
        )
        rows = rows[lower]
        minima.improve(rows, points)


def _follow_neighbours(minima: Minima, lengths: Sequence[int]) -> None:
    """Descend from the minima of neighbours while that leads lower.

    What they hold at a kink starts at that of the problem. Neighbours on pieces that
    touch those of a minimum lead to it.
    """
    ends = np.cumsum(lengths)
    rows = np.setdiff1d(np.arange(ends[-1]), ends - 1)
    rows, neighbours = np.append(rows, rows + 1), np.append(rows + 1, rows)
    boundary = minima.batch.boundary
    while len(rows):
        coef, kink = minima.coef[neighbours], boundary[neighbours]
        is_held = np.abs(coef) == kink
        starts = np.where(is_held, np.copysign(boundary[rows], coef), coef)
        own = pieces(minima.coef[rows], boundary[rows])
        is_new = (np.abs(pieces(starts, boundary[rows]) - own) > 1).any(axis=1)
        changed = minima.improve(rows[is_new], starts[is_new], minima.coef)
        _leave_for_lower_points(minima, changed)
        follows = np.isin(neighbours, changed)
        rows, neighbours = rows[follows], neighbours[follows]
