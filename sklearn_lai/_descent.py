"""The exact linear solver: the least of the minima that descents find.

Newton steps lead to a stationary point. Since J is blind to signs, it has several:
lower points along single coordinates are looked for from there, and further starts
tried.
"""

from collections.abc import Iterator
from itertools import islice, product
from typing import NamedTuple

import numpy as np

from ._linear_objective import Problem
from ._newton import NEGLIGIBLE, Local

# Newton steps and jumps along coordinates that a descent takes at most.
MAX_STEPS, MAX_JUMPS = 500, 100
# Starts besides least squares: fewer with many features, where descents take longer
# and starts hardly ever matter.
MIN_STARTS, MAX_STARTS, AFFORDABLE = 2, 10, 600
# Coefficients that are started on both sides of their kinks.
N_VARIED = 3
# Points along each coordinate.
N_POINTS = 33


class Solution(NamedTuple):
    """What `solve` found; `optimality` is as in `Local`."""

    coef: np.ndarray
    objective: float
    optimality: float
    n_iter: int


def solve(problem: Problem) -> Solution:
    """Least squares, then the least minimum of J that descents reach."""
    if problem.is_plain:
        coef, n_iter = problem.mse.minimum, 0
    else:
        coef, n_iter = _search(problem)
    optimality = 0.0 if problem.is_plain else Local(problem, coef).optimality
    return Solution(coef, float(problem.objective(coef)), optimality, n_iter)


def _search(problem: Problem) -> tuple[np.ndarray, int]:
    """Best of the descents from all starts, and their number of Newton steps."""
    best, n_iter = _descend_and_jump(problem, problem.mse.minimum)
    lowest = float(problem.objective(best))
    n_features = len(problem.boundary)
    n_starts = max(MIN_STARTS, min(MAX_STARTS, AFFORDABLE // n_features**2))
    for start in islice(_starts(problem, lowest), n_starts):
        coef, n_steps = _descend_and_jump(problem, start)
        n_iter += n_steps
        objective = float(problem.objective(coef))
        # Of solutions that differ by rounding only, the first: so the choice is stable.
        if objective < lowest * (1 - 10 * NEGLIGIBLE):
            best, lowest = coef, objective
    return best, n_iter


def _starts(problem: Problem, lowest: float) -> Iterator[np.ndarray]:
    """Further starts that can win, given the least J so far.

    J is at least mse times the least factor. So a coefficient can lie beyond a kink, as
    seen from least squares, only if the mse of reaching that kink is low enough.
    """
    k, w = problem.boundary, problem.mse.minimum
    least_factor = problem.factor(problem.direction_losses(k))
    kinks = np.array([[1.0], [-1.0]]) * k
    with np.errstate(divide="ignore", invalid="ignore"):
        cost = np.square(kinks - w) / np.diag(problem.mse.inverse)
    cost = np.where(np.isnan(cost), 0, cost)
    is_reachable = (problem.mse.least + cost) * least_factor < lowest
    is_reachable &= problem.scale > 0
    if not is_reachable.any():
        return
    for signs in (w, problem.mse.correlation):
        side = np.where(signs < 0, 1, 0)
        is_moved = np.take_along_axis(is_reachable, side[None], axis=0)[0]
        yield np.where(is_moved, np.take_along_axis(kinks, side[None], axis=0)[0], w)
    starts = np.array(list(_least_squares_at_kinks(problem, kinks, is_reachable, cost)))
    # Rounded, so that the order of equally good ones does not hang on rounding errors.
    rank = np.round(np.log(problem.objective(starts)), 9)
    yield from starts[np.argsort(rank, kind="stable")]


def _least_squares_at_kinks(
    problem: Problem, kinks: np.ndarray, is_reachable: np.ndarray, cost: np.ndarray
) -> Iterator[np.ndarray]:
    """Least squares with some of the most movable coefficients held at their kinks."""
    w, inverse = problem.mse.minimum, problem.mse.inverse
    cheapest = np.where(is_reachable, cost, np.inf).min(0)
    varied = np.argsort(cheapest, kind="stable")[:N_VARIED]
    choices = [[None, *kinks[is_reachable[:, j], j]] for j in varied]
    for choice in product(*choices):
        held = [j for j, kink in zip(varied, choice, strict=True) if kink is not None]
        if held:
            change = np.array([kink for kink in choice if kink is not None]) - w[held]
            yield w + inverse[:, held] @ (
                np.linalg.pinv(inverse[np.ix_(held, held)], hermitian=True) @ change
            )


def _descend_and_jump(problem: Problem, coef: np.ndarray) -> tuple[np.ndarray, int]:
    """Descend from `coef`, and again from lower points along single coordinates."""
    coef, n_iter = _descend(problem, coef)
    for _ in range(MAX_JUMPS):
        lower = _lowest_along_coordinates(problem, coef)
        if problem.objective(lower) >= problem.objective(coef) * (1 - NEGLIGIBLE):
            break
        coef, n_steps = _descend(problem, lower)
        n_iter += n_steps
    return coef, n_iter


def _lowest_along_coordinates(problem: Problem, coef: np.ndarray) -> np.ndarray:
    """Lowest of points spread over where J can be least along each coordinate.

    mse grows with the distance to its own minimum, and the factor falls towards the
    kinks, so the product is least between the former and the nearest kink.
    """
    curvature, slope = np.diag(problem.mse.gram), problem.mse.gradient(coef)
    with np.errstate(divide="ignore", invalid="ignore"):
        left = coef + np.where(curvature > 0, -slope / (2 * curvature), 0)
    points = np.linspace(left, np.copysign(problem.boundary, left), N_POINTS)
    change, squares = points - coef, np.square(points)
    mse = problem.mse.value(coef) + (slope + curvature * change) * change
    k_2, losses = np.square(problem.boundary), problem.direction_losses(coef)
    loss = problem.scale * np.maximum(squares, k_2) / (1 + squares)
    sums = losses.sum() - losses + loss
    squared = np.square(losses)
    norms = np.sqrt(np.maximum(squared.sum() - squared, 0) + np.square(loss))
    values = mse * problem.factor_of(sums, norms)
    best, j = np.unravel_index(values.argmin(), values.shape)
    lowest = coef.copy()
    lowest[j] = points[best, j]
    return lowest


def _descend(problem: Problem, coef: np.ndarray) -> tuple[np.ndarray, int]:
    """Newton steps until J falls no more, and their number."""
    for n_steps in range(MAX_STEPS):
        local = Local(problem, coef)
        following = local.step()
        if following is None:
            return coef, n_steps
        coef = following
    return coef, MAX_STEPS
