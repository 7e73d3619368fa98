"""A Newton step on the linear Lai objective, from one of its smooth pieces to the next.

Steps are cut off at the kinks and start from a kink only where J falls: so they end
where J falls along no coordinate, neither within a piece nor out of a kink. Directional
derivatives of J are separable, so that is a stationary point.

Source: D. P. Bertsekas, "Projected Newton Methods for Optimization Problems with Simple
Constraints", SIAM Journal on Control and Optimization 20 (1982).
"""

import numpy as np
from scipy.linalg.lapack import dposv

from .objective import EPSILON, Problem

# Relative differences of J below this are rounding.
NEGLIGIBLE = 1e-13
# Least share of a Newton step.
SHORTEST = 1e-9
# Coefficients that one step holds in turn at most.
MAX_TURNS = 10


class Local:
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
        self.is_free &= np.diag(problem.mse.gram.matrix) > 0
        self.rate = np.where(self.is_outside, outward, inward)
        self.branch = np.where(self.is_outside, outside, inside)

    @property
    def optimality(self) -> float:
        """Largest rate at which J falls along a coordinate, relative to J."""
        rate = np.abs(self.rate[self.is_free]).max(initial=0)
        return float(rate / self.objective)

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
        local = Local(self.problem, coef)
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
        hessian = 2 * self.factor * self.problem.mse.gram.matrix[free][:, free]
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
