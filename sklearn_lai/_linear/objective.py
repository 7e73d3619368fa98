"""The squared-error Lai objective of a linear model, in second moments.

The slopes of a linear model are its coefficients, the same for every row, so the
objective of Lai Training is a product of two functions of them::

    J(w) = mse(w) * factor(w),   factor(w) = 1 - a + a * || phi(w_j; k_j)**2 ||

The first is quadratic, the second even in every coefficient, with kinks at
``|w_j| = k_j``, on both sides of which it grows.

Source: Y. Lai, "Lai Loss: A Novel Loss for Gradient Control", arXiv:2405.07884.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

EPSILON = np.finfo(np.float64).eps
# Correlation from which on features count as collinear, and how many pairs at most.
COLLINEAR, MAX_PAIRS = 0.5, 28


@dataclass(frozen=True)
class Gram:
    """Mean products of the features, (n_features, n_features), decomposed once."""

    matrix: np.ndarray

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
        values, vectors = np.linalg.eigh(self.matrix / self.unit / self.unit[:, None])
        kept = values > len(values) * EPSILON * values[-1]
        return values[kept], vectors[:, kept]

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
    `power` is the mean square of the target. `correction` is what the rounding of the
    moments took from the coefficients of least squares, if that is known, else 0.
    """

    gram: Gram
    correlation: np.ndarray
    power: float
    correction: np.ndarray

    @cached_property
    def goal(self) -> np.ndarray:
        """What ``gram.root @ coef`` is for least squares."""
        values, vectors = self.gram.eigen
        goal = vectors.T @ (self.correlation / self.gram.unit) / np.sqrt(values)
        return goal + self.gram.root @ self.correction

    @cached_property
    def minimum(self) -> np.ndarray:
        """Coefficients of least squares; of several, those of minimum norm, on the
        scale of the Gram matrix.
        """
        values, vectors = self.gram.eigen
        return vectors @ (self.goal / np.sqrt(values)) / self.gram.unit

    @cached_property
    def least(self) -> float:
        """Mean squared error of least squares; 0 if it is rounding."""
        least = self.power - self.goal @ self.goal
        magnified = EPSILON * np.sqrt(self.gram.condition)
        noise = 10 * len(self.correlation) * magnified * self.power
        return float(least) if least > noise else 0.0

    def value(self, coef: np.ndarray) -> np.ndarray:
        """Mean squared errors of one or more vectors of coefficients.

        In terms of the root nothing large cancels, even where the coefficients of least
        squares are large.
        """
        return self.least + np.square(coef @ self.gram.root.T - self.goal).sum(axis=-1)

    def gradient(self, coef: np.ndarray) -> np.ndarray:
        """Gradient at one vector of coefficients."""
        return 2 * (self.gram.root @ coef - self.goal) @ self.gram.root

    def explained(self, coef: np.ndarray) -> float:
        """Mean square of the predictions of one vector of coefficients."""
        return float(np.square(self.gram.root @ coef).sum())


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
        """Whether J has no Lai loss, so that least squares is the solution."""
        return self.lai_fraction == 0 or not self.scale.any()

    def direction_losses(self, coef: np.ndarray) -> np.ndarray:
        """phi**2 of every coefficient, over the last axis."""
        return self.loss_along(coef, np.arange(len(self.boundary)))

    def loss_along(self, coef: np.ndarray, feature: np.ndarray) -> np.ndarray:
        """phi**2 of coefficients of these features."""
        squares = np.square(coef)
        steeper = np.maximum(squares, np.square(self.boundary[feature]))
        return self.scale[feature] * steeper / (1 + squares)

    def factor(self, losses: np.ndarray) -> np.ndarray:
        """Second factor of J, from the losses of the directions."""
        return self.factor_of(
            losses.sum(axis=-1), np.sqrt(np.square(losses).sum(axis=-1))
        )

    def factor_of(self, l1: np.ndarray, l2: np.ndarray) -> np.ndarray:
        """Second factor of J, from both norms of the losses of the directions."""
        norm = self.l1_ratio * l1 + (1 - self.l1_ratio) * l2
        return 1 - self.lai_fraction + self.lai_fraction * norm

    def objective(self, coef: np.ndarray) -> np.ndarray:
        """Values of J, of one or more vectors of coefficients."""
        return self.mse.value(coef) * self.factor(self.direction_losses(coef))
