"""Newton steps on the linear Lai objective, from one of its smooth pieces to the next.

Steps are cut off at the kinks and start from a kink only where J falls: so they end
where J falls along no coordinate, neither within a piece nor out of a kink. Directional
derivatives of J are separable, so that is a stationary point.

Source: D. P. Bertsekas, "Projected Newton Methods for Optimization Problems with Simple
Constraints", SIAM Journal on Control and Optimization 20 (1982).
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple, Self

import numpy as np
from scipy.linalg.lapack import dposv

from .error import EPSILON
from .objective import Batch

# Relative differences of J below this are rounding.
NEGLIGIBLE = 1e-13
# Least share of a Newton step.
SHORTEST = 1e-9
# How often one step holds coefficients in turn at most.
MAX_TURNS = 10
# Features from which on steps are to be cheap: coefficients are held in groups, one
# more for each so many, and matrices are not decomposed.
MANY = 100
# Least eigenvalue that makes a matrix so for certain, relative to the largest.
REGULAR = 1e-10


class Local:
    """J around points, one for each problem, on the smooth pieces into which it falls.

    Arrays have shape (n_problems,) or (n_problems, n_features).
    """

    def __init__(self, batch: Batch, coef: np.ndarray):
        magnitude, squares = np.abs(coef), np.square(coef)
        self.batch, self.coef = batch, coef
        self.sign = np.where(coef < 0, -1.0, 1.0)
        self.losses = batch.direction_losses(coef)
        self.residual = batch.residual(coef)
        self.mse, self.factor = batch.value(self.residual), batch.factor(self.losses)
        self.objective = self.mse * self.factor
        self.mse_gradient = batch.gradient(self.residual)
        self.l2 = np.sqrt(np.square(self.losses).sum(axis=1))
        # d factor / d phi_j**2
        self.weight = batch.lai_fraction * (
            batch.l1_ratio + (1 - batch.l1_ratio) * self.losses / self.l2[:, None]
        )
        # phi**2 is scale - scale * c outside the kinks, scale * k**2 * c inside, with
        # c = 1 / (1 + w**2).
        outside = batch.scale
        inside = -batch.scale * np.square(batch.boundary)
        slope = 2 * magnitude / np.square(1 + squares) * self.weight
        slope *= self.mse[:, None]
        plain = self.factor[:, None] * self.sign * self.mse_gradient
        # Rates of change of J as the magnitude grows.
        outward, inward = plain + slope * outside, plain + slope * inside
        falls_outward = outward < 0
        at_kink = magnitude == batch.boundary
        self.is_outside = np.where(at_kink, falls_outward, magnitude > batch.boundary)
        self.is_free = ~at_kink | falls_outward | (inward > 0)
        self.is_free &= batch.power > 0
        self.rate = np.where(self.is_outside, outward, inward)
        self.branch = np.where(self.is_outside, outside, inside)

    @property
    def optimality(self) -> np.ndarray:
        """Largest rate at which J falls along a coordinate, relative to J.

        Rates that can be rounding count as 0.
        """
        rounding = self.batch.gradient_rounding(self.batch.rounding(self.coef))
        rounding *= self.factor[:, None]
        rate = np.where(self.fall > rounding, self.fall, 0)
        return rate.max(axis=1) / self.objective

    @property
    def fall(self) -> np.ndarray:
        """Rates at which J falls along the coordinates."""
        return np.where(self.is_free, np.abs(self.rate), 0)

    def rounded_up(self, rows: np.ndarray) -> np.ndarray:
        """J of these rows and what rounding adds to it at most."""
        rounding = self.batch.take(rows).rounding(self.coef[rows])
        change = 2 * (np.abs(self.residual[rows]) * rounding).sum(axis=1)
        relative = np.maximum(NEGLIGIBLE, change / self.mse[rows])
        return self.objective[rows] * (1 + relative)

    def step(self) -> tuple[np.ndarray, np.ndarray]:
        """Coefficients after a Newton step within pieces, and where J fell."""
        following, has_fallen = self.coef.copy(), np.zeros(len(self.coef), dtype=bool)
        model, newton = self._model()
        promise = -(model.gradient * newton).sum(axis=1)
        rows = np.flatnonzero(promise > EPSILON**1.5 * self.objective)
        sizes = dict.fromkeys([1 + self.coef.shape[1] // MANY, 1])
        holds: list[Hold] = [_hold_at_once]
        holds += [partial(_hold_in_turn, size=size) for size in sizes]
        for hold in holds:
            if not len(rows):
                break
            target = hold(model.take(rows), newton[rows])
            following[rows], has_fallen[rows] = self._search(rows, target, model)
            rows = rows[~has_fallen[rows]]
        return following, has_fallen

    def _search(
        self, rows: np.ndarray, target: np.ndarray, model: "Model"
    ) -> tuple[np.ndarray, np.ndarray]:
        """Points on the way to targets where J is lower, and for which rows it is."""
        coef, change = self.coef[rows], target - self.coef[rows]
        promise = (model.gradient[rows] * change).sum(axis=1)
        is_lower, length = np.zeros(len(rows), dtype=bool), 1.0
        left = np.flatnonzero(promise < 0)
        while len(left) and length > SHORTEST:
            trial = target[left] if length == 1 else coef[left] + length * change[left]
            batch, here = self.batch.take(rows[left]), self.objective[rows[left]]
            objective = batch.objective(trial)
            falls = objective < here + 1e-4 * length * promise[left]
            if length == 1:
                falls |= self._are_beaten_by(rows[left], trial, objective, falls)
            target[left], is_lower[left] = trial, falls
            left, length = left[~falls], length / 2
        return target, is_lower

    def _are_beaten_by(
        self,
        rows: np.ndarray,
        coef: np.ndarray,
        objective: np.ndarray,
        is_known: np.ndarray,
    ) -> np.ndarray:
        """Whether J is as low there but for rounding, and nearer to a minimum."""
        is_beaten, left = np.zeros_like(is_known), np.flatnonzero(~is_known)
        tried = left[objective[left] <= self.rounded_up(rows[left])]
        if len(tried):
            there = Local(self.batch.take(rows[tried]), coef[tried])
            fall = self.fall[rows[tried]].max(axis=1)
            is_beaten[tried] = there.fall.max(axis=1) < fall / 2
        return is_beaten

    def _model(self) -> tuple["Model", np.ndarray]:
        """Quadratic models of J, which are convex, and their Newton steps."""
        k, is_positive, free = self.batch.boundary, self.sign > 0, self.is_free
        hessian, gradient = self._hessian(), np.where(free, self.rate * self.sign, 0)
        newton, is_convex = _newton(hessian, gradient, free)
        rows = np.flatnonzero(~is_convex)
        if len(rows):
            hessian[rows] = self._convex_hessians(rows, hessian)
            newton[rows], _ = _newton(hessian[rows], gradient[rows], free[rows])
        low = np.where(self.is_outside, np.where(is_positive, k, -np.inf), -k)
        high = np.where(self.is_outside, np.where(is_positive, np.inf, -k), k)
        return Model(hessian, gradient, self.coef, free, low, high), newton

    def _hessian(self) -> np.ndarray:
        """Second derivatives of J on the pieces."""
        batch, coef, weight = self.batch, self.coef, self.weight
        l2_share = (batch.lai_fraction * (1 - batch.l1_ratio) / self.l2)[:, None]
        mse = self.mse[:, None]
        c = 1 / (1 + np.square(coef))
        first = 2 * coef * np.square(c) * self.branch
        second = 2 * (1 - 3 * np.square(coef)) * c**3 * self.branch
        factor_gradient = weight * first
        bend = first * self.losses / self.l2[:, None]
        left = np.stack([self.mse_gradient, factor_gradient, -mse * l2_share * bend], 2)
        right = np.stack([factor_gradient, self.mse_gradient, bend], axis=1)
        hessian = 2 * self.factor[:, None, None] * batch.of_each(batch.matrices)
        hessian += left @ right
        diagonal = mse * (weight * second + l2_share * np.square(first))
        np.einsum("ijj->ij", hessian)[:] += diagonal
        return hessian

    def _convex_hessians(self, rows: np.ndarray, hessian: np.ndarray) -> np.ndarray:
        """Positive definite matrices in place of those of these rows."""
        if hessian.shape[1] > MANY:
            return self._hessians_above(rows)
        convex = map(_with_positive_eigenvalues, hessian[rows], self.is_free[rows])
        return np.stack(list(convex))

    def _hessians_above(self, rows: np.ndarray) -> np.ndarray:
        """Second derivatives of a convex function that touches J.

        For the l1 norm it is nowhere below J outside the kinks, so that whole steps
        lower J: the logarithms of mse and factor are below their tangents, and phi**2
        is below that in w**2.
        """
        batch = self.batch.take(rows)
        c = 1 / (1 + np.square(self.coef[rows]))
        diagonal = 2 * self.mse[rows, None] * self.weight[rows] * np.square(c)
        diagonal *= np.abs(self.branch[rows])
        curvature = 2 * self.factor[rows, None]
        diagonal += REGULAR * curvature * batch.power
        hessian = curvature[..., None] * batch.of_each(batch.matrices)
        np.einsum("ijj->ij", hessian)[:] += diagonal
        return hessian


class Model(NamedTuple):
    """Convex quadratic models of J around points, on pieces with bounds.

    The gradient is 0 along coefficients that are not free.
    """

    hessian: np.ndarray
    gradient: np.ndarray
    coef: np.ndarray
    is_free: np.ndarray
    low: np.ndarray
    high: np.ndarray

    def take(self, rows: np.ndarray) -> Self:
        """The models of these rows."""
        return type(self)(*(values[rows] for values in self))

    def crossing(self, target: np.ndarray) -> np.ndarray:
        """Which coefficients of a target are beyond their bounds."""
        return (target < self.low) | (target > self.high)

    def newton_given(self, change: np.ndarray, is_free: np.ndarray) -> np.ndarray:
        """Newton steps of the free coefficients, given the change of the others."""
        given = np.where(is_free, 0, change)
        rest = self.gradient + (self.hessian @ given[..., None])[..., 0]
        return _newton(self.hessian, rest, is_free)[0]


# What takes models and their Newton steps to targets within the pieces.
Hold = Callable[[Model, np.ndarray], np.ndarray]


def _hold_at_once(model: Model, newton: np.ndarray) -> np.ndarray:
    """Ends of Newton steps in which all that would cross a bound are held there.

    The others solve the Newton equations given those, until none crosses.
    """
    target, is_inside = model.coef + newton, model.is_free.copy()
    crosses = model.crossing(target)
    while (rows := np.flatnonzero(crosses.any(axis=1))).size:
        part, is_inside[rows] = model.take(rows), is_inside[rows] & ~crosses[rows]
        held = target[rows].clip(part.low, part.high)
        step = part.newton_given(held - part.coef, is_inside[rows])
        target[rows] = np.where(is_inside[rows], part.coef + step, held)
        crosses[:] = False
        crosses[rows] = part.crossing(target[rows])
    return target


def _hold_in_turn(model: Model, newton: np.ndarray, size: int) -> np.ndarray:
    """Ends of Newton steps that each end where the first coefficients meet a bound.

    Those, `size` at a time, are held from there on. If they are held one by one, the
    quadratic model falls all the way, which it need not when all are held at once.
    """
    target, is_inside, step = model.coef.copy(), model.is_free.copy(), newton
    for _ in range(MAX_TURNS):
        bound = np.where(step < 0, model.low, model.high)
        with np.errstate(divide="ignore", invalid="ignore"):
            room = np.where(step != 0, (bound - target) / step, np.inf)
        nth = np.partition(room, size - 1, axis=1)[:, size - 1]
        share = np.minimum(1, nth)[:, None]
        is_first = is_inside & (room <= share)
        target = np.where(is_first, bound, target + share * step)
        is_inside &= ~is_first
        goes_on = is_first.any(axis=1) & is_inside.any(axis=1)
        if not goes_on.any():
            break
        given = target - model.coef
        end = model.newton_given(given, is_inside)
        step = np.where(is_inside & goes_on[:, None], end - given, 0)
    return target


def _newton(
    hessian: np.ndarray, gradient: np.ndarray, is_free: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Newton steps of the free coefficients, 0 for the others, where there are any.

    Also returns which of the matrices, of the free ones, are positive definite.
    """
    steps, is_convex = np.zeros_like(gradient), np.ones(len(gradient), dtype=bool)
    for i, is_free_here in enumerate(is_free):
        free = is_free_here.nonzero()[0]
        if len(free):
            matrix = hessian[i].take(free, axis=0).take(free, axis=1)
            _, steps[i, free], failed = dposv(matrix, -gradient[i].take(free))
            is_convex[i] = not failed
    return steps, is_convex


def _with_positive_eigenvalues(hessian: np.ndarray, is_free: np.ndarray) -> np.ndarray:
    """The matrix with eigenvalues of its free block made positive."""
    free = np.ix_(is_free, is_free)
    values, vectors = np.linalg.eigh(hessian[free])
    values = np.abs(values)
    values = np.maximum(values, REGULAR * values.max())
    hessian = hessian.copy()
    hessian[free] = (vectors * values) @ vectors.T
    return hessian
