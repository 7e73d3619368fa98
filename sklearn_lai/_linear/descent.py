"""The exact linear solver: the least of the minima that descents find.

Newton steps lead to a stationary point. Since J is blind to signs, it has several:
further starts are tried, and lower points looked for in the planes of pairs of
coefficients that the error couples.
"""

from collections.abc import Iterator
from itertools import islice, product
from typing import NamedTuple

import numpy as np

from .newton import NEGLIGIBLE, Local
from .objective import Problem

# Newton steps of a descent at most, and how often it is left for a lower point.
MAX_STEPS, MAX_JUMPS = 500, 100
# Starts besides least squares: fewer with many features, where descents take longer
# and starts hardly ever matter.
MIN_STARTS, MAX_STARTS, AFFORDABLE = 2, 20, 1280
# Coefficients that are started on both sides of their kinks.
N_VARIED = 4
# Points along a coefficient.
N_POINTS = 33


class Solution(NamedTuple):
    """What `solve` found; `optimality` is as in `Local`."""

    coef: np.ndarray
    objective: float
    optimality: float
    n_iter: int


def solve(problem: Problem) -> Solution:
    """Least squares, then the least minimum of J that descents reach."""
    coef = problem.mse.minimum
    if problem.mse.least == 0:
        return Solution(coef, objective=0.0, optimality=0.0, n_iter=0)
    if problem.is_plain:
        return Solution(coef, float(problem.objective(coef)), optimality=0.0, n_iter=0)
    coef, n_iter = _best_descent(problem)
    objective = float(problem.objective(coef))
    return Solution(coef, objective, Local(problem, coef).optimality, n_iter)


def _best_descent(problem: Problem) -> tuple[np.ndarray, int]:
    """Best of the descents from all starts, and their number of Newton steps."""
    best, n_iter = _descend(problem, problem.mse.minimum)
    lowest = float(problem.objective(best))
    n_features = len(problem.boundary)
    n_starts = max(MIN_STARTS, min(MAX_STARTS, AFFORDABLE // n_features**2))
    for start in islice(_starts(problem, lowest), n_starts):
        coef, n_steps = _descend(problem, start)
        n_iter += n_steps
        objective = float(problem.objective(coef))
        # Of solutions that differ by rounding only, the first: so the choice is stable.
        if objective < lowest * (1 - 10 * NEGLIGIBLE):
            best, lowest = coef, objective
    pairs = problem.mse.gram.collinear_pairs
    for _ in range(MAX_JUMPS if len(pairs) else 0):
        start = _lowest_along_pairs(problem, best, pairs)
        if problem.objective(start) >= lowest * (1 - 10 * NEGLIGIBLE):
            break
        best, n_steps = _descend(problem, start)
        n_iter, lowest = n_iter + n_steps, float(problem.objective(best))
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
        cost = np.square(kinks - w) / np.diag(problem.mse.gram.inverse)
    cost = np.where(np.isnan(cost), 0, cost)
    is_reachable = (problem.mse.least + cost) * least_factor < lowest
    is_reachable &= problem.scale > 0
    if not is_reachable.any():
        return
    for signs in (w, problem.mse.correlation):
        side = np.where(signs < 0, 1, 0), np.arange(len(w))
        yield np.where(is_reachable[side], kinks[side], w)
    starts = np.array(list(_least_squares_at_kinks(problem, kinks, is_reachable, cost)))
    # Rounded, so that the order of equally good ones does not hang on rounding errors.
    rank = np.round(np.log(problem.objective(starts)), 9)
    yield from starts[np.argsort(rank, kind="stable")]


def _least_squares_at_kinks(
    problem: Problem, kinks: np.ndarray, is_reachable: np.ndarray, cost: np.ndarray
) -> Iterator[np.ndarray]:
    """Least squares with some of the most movable coefficients held at their kinks."""
    w, inverse = problem.mse.minimum, problem.mse.gram.inverse
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


def _lowest_along_pairs(
    problem: Problem, coef: np.ndarray, pairs: np.ndarray
) -> np.ndarray:
    """Lowest of points spread over the planes of pairs of coordinates.

    For each value of the first, the second is where it can be best: mse grows with the
    distance to its own minimum, and the factor falls towards the kinks, so the product
    is least between the former and the nearest kink. Points follow the valleys so.
    """
    i, j = (column[:, None, None] for column in pairs.T)
    k, least_squares, gram = (
        problem.boundary,
        problem.mse.minimum,
        problem.mse.gram.matrix,
    )
    slope, losses = problem.mse.gradient(coef), problem.direction_losses(coef)
    reach = 2 * np.maximum(np.abs(least_squares), k)
    reach = (reach[i] + reach[j])[..., 0]
    exact = [column[i[..., 0]] for column in (coef, least_squares, k, -k)]
    first = np.concatenate([reach * np.linspace(-1, 1, 2 * N_POINTS), *exact], axis=1)
    first = first[..., None]
    change_i = first - coef[i]
    with np.errstate(divide="ignore", invalid="ignore"):
        step = -(slope[j] / 2 + gram[i, j] * change_i) / gram[j, j]
    left = coef[j] + np.where(gram[j, j] > 0, step, 0)
    share = np.linspace(0, 1, N_POINTS)
    second = left * (1 - share) + np.copysign(k[j], left) * share
    change_j = second - coef[j]
    mse = (
        problem.mse.value(coef)
        + (slope[i] + gram[i, i] * change_i) * change_i
        + (slope[j] + gram[j, j] * change_j + 2 * gram[i, j] * change_i) * change_j
    )
    loss_i = problem.loss_along(first, i)
    loss_j = problem.loss_along(second, j)
    squared = np.square(losses)
    others_2 = np.maximum(squared.sum() - squared[i] - squared[j], 0)
    values = mse * problem.factor_of(
        losses.sum() - losses[i] - losses[j] + loss_i + loss_j,
        np.sqrt(others_2 + np.square(loss_i) + np.square(loss_j)),
    )
    pair, row, column = _first_lowest(values)
    lowest = coef.copy()
    lowest[pairs[pair]] = first[pair, row, 0], second[pair, row, column]
    return lowest


def _first_lowest(values: np.ndarray) -> tuple[np.intp, ...]:
    """Index of the first of the lowest values, those that differ by rounding included.

    So the choice between equal columns is stable.
    """
    is_lowest = values <= values.min() * (1 + 1e-9)
    return np.unravel_index(is_lowest.argmax(), values.shape)


def _descend(problem: Problem, coef: np.ndarray) -> tuple[np.ndarray, int]:
    """Newton steps until J falls no more, and their number."""
    for n_steps in range(MAX_STEPS):
        local = Local(problem, coef)
        following = local.step()
        if following is None:
            return coef, n_steps
        coef = following
    return coef, MAX_STEPS
