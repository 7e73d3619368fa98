"""The squared-error Lai objective of a linear model, minimised exactly.

The slopes of a linear model are its coefficients, the same for every row, so the
objective of Lai Training is a product of two functions of them::

    J(w) = mse(w) * factor(w),   factor(w) = 1 - a + a * || phi(w_j; k_j)**2 ||

The first is quadratic, the second even in every coefficient, with kinks at
``|w_j| = k_j`` that attract solutions. Between kinks J is smooth: Newton steps, cut off
at the next kink, lead to a point from which J falls along no coordinate, neither within
a piece nor out of a kink. Directional derivatives of J are separable, so that is a
stationary point. J can have several of them: lower points along single coordinates are
looked for from there, and several starts tried.

Sources: Y. Lai, "Lai Loss: A Novel Loss for Gradient Control", arXiv:2405.07884;
D. P. Bertsekas, "Projected Newton Methods for Optimization Problems with Simple
Constraints", SIAM Journal on Control and Optimization 20 (1982), for the steps.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, product
from typing import NamedTuple

import numpy as np
from scipy.linalg.lapack import dposv

EPSILON = np.finfo(np.float64).eps
# Relative differences of J below this are rounding.
NEGLIGIBLE = 1e-13
# Least share of a Newton step.
SHORTEST = 1e-9
# Coefficients that one step holds in turn at most.
MAX_TURNS = 10
# Newton steps and jumps along coordinates that a descent takes at most.
MAX_STEPS, MAX_JUMPS = 500, 100
# Starts besides least squares: fewer with many features, where descents take longer
# and starts hardly ever matter.
MIN_STARTS, MAX_STARTS, AFFORDABLE = 2, 10, 600
# Coefficients that are started on both sides of their kinks.
N_VARIED = 3
# Points along each coordinate.
N_POINTS = 33


@dataclass(frozen=True)
class Quadratic:
    """Mean squared error of one target, from second moments.

    `gram` has shape (n_features, n_features), `correlation` (n_features,), and `power`
    is the mean square of the target. `correction` is what rounding of the moments took
    from the minimum, if that is known.
    """

    gram: np.ndarray
    correlation: np.ndarray
    power: float
    correction: np.ndarray | float = 0.0

    @cached_property
    def _eigen(self) -> tuple[np.ndarray, np.ndarray]:
        """Eigenvalues of the Gram matrix with ones on its diagonal, and eigenvectors.

        Those that are 0 but for rounding are left out.
        """
        unit = np.sqrt(np.diag(self.gram))
        unit[unit == 0] = 1
        values, vectors = np.linalg.eigh(self.gram / np.outer(unit, unit))
        kept = values > len(values) * EPSILON * values[-1]
        return values[kept], vectors[:, kept] / unit[:, None]

    @cached_property
    def inverse(self) -> np.ndarray:
        """Pseudo-inverse of the Gram matrix, on the scale of its diagonal."""
        values, vectors = self._eigen
        return (vectors / values) @ vectors.T

    @property
    def condition(self) -> float:
        """Condition number of the Gram matrix with ones on its diagonal."""
        values, _ = self._eigen
        return float(values[-1] / values[0]) if len(values) else 1.0

    @cached_property
    def minimum(self) -> np.ndarray:
        """Coefficients of least squares; of several, those of minimum norm, in units in
        which the Gram matrix has ones on its diagonal.
        """
        return self.inverse @ self.correlation + self.correction

    @cached_property
    def least(self) -> float:
        """Mean squared error of least squares; 0 if it is rounding."""
        least = self.power - self.correlation @ self.minimum
        noise = 10 * len(self.correlation) * EPSILON * self.power
        return float(least) if least > noise else 0.0

    def value(self, coef: np.ndarray) -> np.ndarray:
        """Mean squared errors of one or more vectors of coefficients."""
        change = coef - self.minimum
        return self.least + np.maximum(((change @ self.gram) * change).sum(-1), 0)

    def explained(self, coef: np.ndarray) -> float:
        """Mean square of the predictions of one vector of coefficients."""
        return float(coef @ self.gram @ coef)

    def gradient(self, coef: np.ndarray) -> np.ndarray:
        """Gradient at one vector of coefficients."""
        return 2 * self.gram @ (coef - self.minimum)


@dataclass(frozen=True)
class Problem:
    """Objective of one target; `k` is NaN where a direction is left out."""

    mse: Quadratic
    k: np.ndarray
    lai_fraction: float
    l1_ratio: float

    @cached_property
    def boundary(self) -> np.ndarray:
        """Where the kinks are, shape (n_features,)."""
        return np.where(np.isnan(self.k), 1.0, self.k)

    @cached_property
    def scale(self) -> np.ndarray:
        """Limit of phi**2 for steep slopes; 0 for directions that are left out."""
        return np.where(np.isnan(self.k), 0.0, 1 / np.minimum(self.boundary, 1) ** 2)

    @property
    def is_plain(self) -> bool:
        """Whether least squares is the solution."""
        return self.lai_fraction == 0 or not self.scale.any() or self.mse.least == 0

    def direction_losses(self, coef: np.ndarray) -> np.ndarray:
        """phi**2 of every coefficient."""
        squares = np.square(coef)
        steeper = np.maximum(squares, np.square(self.boundary))
        return self.scale * steeper / (1 + squares)

    def factor(self, losses: np.ndarray) -> np.ndarray:
        """Second factor of J, from the losses of the directions."""
        return self.factor_of(losses.sum(-1), np.sqrt(np.square(losses).sum(-1)))

    def factor_of(self, l1: np.ndarray, l2: np.ndarray) -> np.ndarray:
        """Second factor of J, from both norms of the losses of the directions."""
        norm = self.l1_ratio * l1 + (1 - self.l1_ratio) * l2
        return 1 - self.lai_fraction + self.lai_fraction * norm

    def objective(self, coef: np.ndarray) -> np.ndarray:
        """Values of J, of one or more vectors of coefficients."""
        return self.mse.value(coef) * self.factor(self.direction_losses(coef))


class Solution(NamedTuple):
    """What `solve` found; `optimality` is as in `Rates`."""

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
    optimality = 0.0 if problem.is_plain else _Local(problem, coef).optimality
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
        local = _Local(problem, coef)
        following = local.step()
        if following is None:
            return coef, n_steps
        coef = following
    return coef, MAX_STEPS


class _Local:
    """J around a point, on the smooth pieces into which it falls."""

    def __init__(self, problem: Problem, coef: np.ndarray):
        a, magnitude = problem.lai_fraction, np.abs(coef)
        self.problem, self.coef = problem, coef
        self.sign = np.where(coef < 0, -1.0, 1.0)
        self.losses = problem.direction_losses(coef)
        self.mse, self.factor = problem.mse.value(coef), problem.factor(self.losses)
        self.objective = self.mse * self.factor
        self.mse_gradient = problem.mse.gradient(coef)
        self.l2 = np.sqrt(np.square(self.losses).sum())
        # d factor / d phi_j**2
        self.weight = a * (
            problem.l1_ratio + (1 - problem.l1_ratio) * self.losses / self.l2
        )
        # phi**2 is scale - scale * c outside the kinks, scale * k**2 * c inside, with
        # c = 1 / (1 + w**2).
        outside = problem.scale
        inside = -problem.scale * np.square(problem.boundary)
        slope = 2 * magnitude / np.square(1 + np.square(magnitude)) * self.weight
        plain = self.factor * self.sign * self.mse_gradient
        # Rates of change of J as the magnitude grows.
        outward = plain + self.mse * slope * outside
        inward = plain + self.mse * slope * inside
        at_kink = magnitude == problem.boundary
        self.is_outside = np.where(at_kink, outward < 0, magnitude > problem.boundary)
        self.is_free = ~at_kink | (outward < 0) | (inward > 0)
        self.rate = np.where(self.is_outside, outward, inward)
        self.branch = np.where(self.is_outside, outside, inside)

    @property
    def optimality(self) -> float:
        """Largest rate at which J falls along a coordinate, in either direction."""
        return float(np.abs(self.rate[self.is_free]).max(initial=0))

    def step(self) -> np.ndarray | None:
        """Coefficients after a Newton step within pieces; None if J falls no more."""
        free = self.is_free
        if not free.any():
            return None
        gradient, coef = (self.rate * self.sign)[free], self.coef[free]
        hessian, newton = _convex_newton(self._hessian(), gradient)
        if -(gradient @ newton) <= EPSILON**1.5 * self.objective:
            return None
        low, high = (bound[free] for bound in self._piece())
        for hold in (_hold_at_once, _hold_in_turn):
            target = hold(hessian, gradient, coef, newton, low, high)
            following = self._search(target, gradient)
            if following is not None:
                return following
        return None

    def _search(self, target: np.ndarray, gradient: np.ndarray) -> np.ndarray | None:
        """Point on the way to the target, for the free ones, where J is lower."""
        coef, trial, length = self.coef[self.is_free], self.coef.copy(), 1.0
        promise = gradient @ (target - coef)
        trial[self.is_free] = target
        while promise < 0 and length > SHORTEST:
            objective = self.problem.objective(trial)
            if objective < self.objective + 1e-4 * length * promise:
                return trial
            if length == 1 and self._is_beaten_by(trial):
                return trial
            length /= 2
            trial[self.is_free] = coef + length * (target - coef)
        return None

    def _is_beaten_by(self, coef: np.ndarray) -> bool:
        """Whether J is as low there but for rounding, and nearer to a minimum."""
        local = _Local(self.problem, coef)
        as_low = local.objective <= self.objective * (1 + NEGLIGIBLE)
        return bool(as_low and local.optimality < self.optimality / 2)

    def _piece(self) -> tuple[np.ndarray, np.ndarray]:
        """Bounds of the piece of each coefficient."""
        k, is_positive = self.problem.boundary, self.sign > 0
        low = np.where(self.is_outside, np.where(is_positive, k, -np.inf), -k)
        high = np.where(self.is_outside, np.where(is_positive, np.inf, -k), k)
        return low, high

    def _hessian(self) -> np.ndarray:
        """Second derivatives of J along the free coefficients."""
        free = self.is_free
        l2_share = self.problem.lai_fraction * (1 - self.problem.l1_ratio) / self.l2
        coef, branch, weight = self.coef[free], self.branch[free], self.weight[free]
        mse_gradient = self.mse_gradient[free]
        c = 1 / (1 + np.square(coef))
        first = 2 * coef * np.square(c) * branch
        second = 2 * (1 - 3 * np.square(coef)) * c**3 * branch
        factor_gradient = weight * first
        bend = first * self.losses[free] / self.l2
        left = np.stack([mse_gradient, factor_gradient, -self.mse * l2_share * bend])
        right = np.stack([factor_gradient, mse_gradient, bend])
        hessian = 2 * self.factor * self.problem.mse.gram[free][:, free]
        hessian += left.T @ right
        diagonal = weight * second + l2_share * np.square(first)
        hessian.flat[:: len(coef) + 1] += self.mse * diagonal
        return hessian


def _hold_at_once(
    hessian: np.ndarray,
    gradient: np.ndarray,
    coef: np.ndarray,
    newton: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
) -> np.ndarray:
    """End of a Newton step in which all that would cross a bound are held there.

    The others solve the Newton equations given those, until none crosses.
    """
    target, is_inside = coef + newton, np.ones(len(coef), dtype=bool)
    crosses = (target < low) | (target > high)
    while crosses.any():
        target = np.clip(target, low, high)
        is_inside &= ~crosses
        if not is_inside.any():
            break
        target[is_inside] = coef[is_inside] + _newton_given(
            hessian, gradient, target - coef, is_inside
        )
        crosses = (target < low) | (target > high)
    return target


def _hold_in_turn(
    hessian: np.ndarray,
    gradient: np.ndarray,
    coef: np.ndarray,
    newton: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
) -> np.ndarray:
    """End of Newton steps that each end where the first coefficient meets a bound.

    That one is held from there on. All the way the quadratic model falls, which it need
    not when all are held at once.
    """
    target, is_inside = coef.copy(), np.ones(len(coef), dtype=bool)
    step = newton
    for _ in range(MAX_TURNS):
        bound = np.where(step < 0, low, high)
        with np.errstate(divide="ignore", invalid="ignore"):
            room = np.where(step != 0, (bound - target) / step, np.inf)
        is_first = is_inside & (room <= min(1, room.min()))
        target = np.where(is_first, bound, target + min(1, room.min()) * step)
        is_inside &= ~is_first
        if not is_first.any() or not is_inside.any():
            break
        step = np.zeros_like(coef)
        given = target - coef
        end = _newton_given(hessian, gradient, given, is_inside)
        step[is_inside] = end - given[is_inside]
    return target


def _newton_given(
    hessian: np.ndarray, gradient: np.ndarray, change: np.ndarray, is_free: np.ndarray
) -> np.ndarray:
    """Newton step of the free coefficients, given the change of the others."""
    rest = gradient[is_free] + hessian[is_free][:, ~is_free] @ change[~is_free]
    return _convex_newton(hessian[is_free][:, is_free], rest)[1]


def _convex_newton(
    hessian: np.ndarray, gradient: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The matrix, its eigenvalues made positive if need be, and the Newton step."""
    _, step, is_indefinite = dposv(hessian, -gradient)
    if not is_indefinite:
        return hessian, step
    values, vectors = np.linalg.eigh(hessian)
    values = np.abs(values)
    values = np.maximum(values, 1e-10 * values.max())
    return (vectors * values) @ vectors.T, -vectors @ ((gradient @ vectors) / values)
