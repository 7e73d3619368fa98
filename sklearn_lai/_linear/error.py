"""The mean squared error of linear models, in second moments."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np

EPSILON = np.finfo(np.float64).eps
# Correlation from which on features count as collinear, and how many pairs at most.
COLLINEAR, MAX_PAIRS = 0.5, 28
# Sizes of slopes whose squares, and products of them, are numbers.
LEAST_SLOPE, LARGEST_SLOPE = 1e-60, 1e60
# Errors up to so many times what rounding changes them by are none.
EXACT = 10


@dataclass(frozen=True)
class Gram:
    """Mean products of the features, (n_features, n_features), decomposed once.

    `triangle` is what gives it as ``triangle.T @ triangle``, if that is known from the
    rows, and with it more digits.
    """

    matrix: np.ndarray
    triangle: np.ndarray | None = None

    @cached_property
    def unit(self) -> np.ndarray:
        """Scale of each feature, on which the matrix has ones on its diagonal."""
        unit = np.sqrt(np.diag(self.matrix))
        return np.where(unit > 0, unit, 1.0)

    @cached_property
    def eigen(self) -> tuple[np.ndarray, np.ndarray]:
        """Eigenvalues of the matrix on that scale, and eigenvectors as columns.

        Those that are 0 but for rounding are left out.
        """
        if self.triangle is not None:
            values, vectors, _ = self._singular
            return np.square(values), vectors
        values, vectors = np.linalg.eigh(self.matrix / self.unit / self.unit[:, None])
        kept = values > len(values) * EPSILON * values[-1]
        return values[kept], vectors[:, kept]

    @cached_property
    def _singular(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Singular values of the triangle on that scale, right and left vectors."""
        left, values, right = np.linalg.svd(self.triangle / self.unit)
        kept = values > EXACT * len(values) * EPSILON * values[0]
        values, right, left = values[kept][::-1], right[kept][::-1], left[:, kept]
        return values, right.T, left[:, ::-1]

    def turned(self, goal: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What `root` times coefficients is where `triangle` times them is near this.

        Also what is left of it, in no direction that is kept.
        """
        left = self._singular[2]
        turned = left.T @ goal
        return turned, goal - left @ turned

    @property
    def rank(self) -> int:
        """Rank of the matrix."""
        return len(self.eigen[0])

    @cached_property
    def condition(self) -> float:
        """Condition number of the matrix on that scale, zeros left out."""
        values, _ = self.eigen
        return float(values[-1] / values[0]) if len(values) else 1.0

    @cached_property
    def inverse(self) -> np.ndarray:
        """Pseudo-inverse of the matrix, on that scale."""
        values, vectors = self.eigen
        scaled = vectors / self.unit[:, None]
        return (scaled / values) @ scaled.T

    @cached_property
    def collinear_pairs(self) -> np.ndarray:
        """Pairs of features that are most correlated, (n_pairs, 2), both ways round.

        Of two features, the pair in any case.
        """
        correlation = np.abs(self.matrix / self.unit / self.unit[:, None])
        first, second = np.triu_indices(len(correlation), k=1)
        strength = correlation[first, second]
        order = np.argsort(-strength, kind="stable")[:MAX_PAIRS]
        kept = order[(strength[order] > COLLINEAR) | (len(correlation) == 2)]
        pairs = np.column_stack([first[kept], second[kept]])
        return np.concatenate([pairs, pairs[:, ::-1]])

    @cached_property
    def root(self) -> np.ndarray:
        """What gives the matrix as ``root.T @ root``."""
        values, vectors = self.eigen
        return np.sqrt(values)[:, None] * vectors.T * self.unit


@dataclass(frozen=True)
class Quadratic:
    """Mean squared error of one target, from second moments.

    `correlation` has the mean products of features and target, shape (n_features,),
    `power` is the mean square of the target. Where rows and not moments tell them,
    `goal_of_rows` is what ``gram.root @ coef`` is for least squares, and `residual` the
    error that it leaves, 0 for one that is none.
    """

    gram: Gram
    correlation: np.ndarray
    power: float
    residual: float | None = None
    goal_of_rows: np.ndarray | None = None

    @classmethod
    def of_root(
        cls, gram: Gram, moments: Self, column: np.ndarray, offset: float
    ) -> Self:
        """The same as from moments, from the column of the target in the triangle.

        `offset` is the mean of the target, whose rounding its deviations have.
        """
        n_features = len(gram.matrix)
        goal, outside = gram.turned(column[:n_features])
        rest = np.append(outside, column[n_features:])
        mse = cls(gram, moments.correlation, moments.power, 0.0, goal)
        size = np.abs(mse.minimum * gram.unit).sum() + np.sqrt(moments.power) + offset
        left = float(np.square(rest).sum())
        is_none = left <= np.square(EXACT * EPSILON * size)
        return replace(mse, residual=0.0 if is_none else left)

    @cached_property
    def goal(self) -> np.ndarray:
        """What ``gram.root @ coef`` is for least squares."""
        if self.goal_of_rows is not None:
            return self.goal_of_rows
        values, vectors = self.gram.eigen
        return vectors.T @ (self.correlation / self.gram.unit) / np.sqrt(values)

    @cached_property
    def minimum(self) -> np.ndarray:
        """Coefficients of least squares; of several, those of minimum norm, on the
        scale of the Gram matrix.
        """
        values, vectors = self.gram.eigen
        return vectors @ (self.goal / np.sqrt(values)) / self.gram.unit

    @property
    def largest_single_slope(self) -> float:
        """Largest slope, in magnitude, of the regressions on one feature each."""
        power, slope = np.diag(self.gram.matrix), np.zeros_like(self.correlation)
        np.divide(self.correlation, power, out=slope, where=power > 0)
        return float(np.abs(slope).max())

    @cached_property
    def least(self) -> float:
        """Mean squared error of least squares.

        What moments cannot tell from 0 is taken to be as much as it may be.
        """
        return max(self._least, self._rounding)

    @property
    def is_exact(self) -> bool:
        """Whether least squares leaves no error, as far as can be told."""
        return self._least <= self._rounding

    @cached_property
    def _least(self) -> float:
        if self.residual is not None:
            return self.residual
        return max(float(self.power - self.goal @ self.goal), 0.0)

    @cached_property
    def _rounding(self) -> float:
        """What relative rounding of the moments changes the error by."""
        if self.residual is not None:
            return 0.0
        values, _ = self.gram.eigen
        length = np.square(self.minimum * self.gram.unit).sum()
        moved = EXACT * EPSILON * (self.power + values.max(initial=0) * length)
        return float(min(moved, self.power))

    def explained(self, coef: np.ndarray) -> float:
        """Mean square of the predictions of one vector of coefficients."""
        return float(np.square(self.gram.root @ coef).sum())
