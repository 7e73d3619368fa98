"""The squared-error Lai objective of a linear model, in second moments.

The slopes of a linear model are its coefficients, the same for every row, so the
objective of Lai Training is a product of two functions of them::

    J(w) = mse(w) * factor(w),   factor(w) = 1 - a + a * || phi(w_j; k_j)**2 ||

The first is quadratic, the second even in every coefficient, with kinks at
``|w_j| = k_j``, on both sides of which it grows.

Source: Y. Lai, "Lai Loss: A Novel Loss for Gradient Control", arXiv:2405.07884.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np

from .error import EPSILON, Gram, Quadratic


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

    @property
    def is_exact(self) -> bool:
        """Whether there is a Lai loss, but no error that it could multiply."""
        return self.mse.is_exact and not self.is_plain

    def objective(self, coef: np.ndarray) -> np.ndarray:
        """Values of J, of one or more vectors of coefficients."""
        coef = np.asarray(coef)
        return self._alone.objective(coef).reshape(coef.shape[:-1])

    def factor(self, coef: np.ndarray) -> np.ndarray:
        """Values of the second factor of J."""
        coef = np.asarray(coef)
        losses = self._alone.direction_losses(coef)
        return self._alone.factor(losses).reshape(coef.shape[:-1])

    @cached_property
    def _alone(self) -> "Batch":
        return Batch.of([self])


@dataclass(frozen=True)
class Batch:
    """Problems in arrays, one a row, so that all are worked on at once.

    They have the number of features and the mixture in common. Of their Gram matrices,
    which are few, `which` has the index. No row depends on others, not even by
    rounding.
    """

    grams: Sequence[Gram]
    matrices: np.ndarray
    roots: np.ndarray
    which: np.ndarray
    goal: np.ndarray
    least: np.ndarray
    least_squares: np.ndarray
    correlation: np.ndarray
    boundary: np.ndarray
    scale: np.ndarray
    lai_fraction: float
    l1_ratio: float

    @classmethod
    def of(cls, problems: Sequence[Problem]) -> Self:
        """Problems with the same `lai_fraction` and `l1_ratio`."""
        grams = {id(problem.mse.gram): problem.mse.gram for problem in problems}
        index = {key: i for i, key in enumerate(grams)}
        errors = [problem.mse for problem in problems]
        return cls(
            grams=list(grams.values()),
            matrices=np.stack([gram.matrix for gram in grams.values()]),
            roots=np.stack(
                [_padded(gram.root, len(gram.matrix)) for gram in grams.values()]
            ),
            which=np.array([index[id(mse.gram)] for mse in errors]),
            goal=np.stack([_padded(mse.goal, len(mse.gram.matrix)) for mse in errors]),
            least=np.array([mse.least for mse in errors]),
            least_squares=np.stack([mse.minimum for mse in errors]),
            correlation=np.stack([mse.correlation for mse in errors]),
            boundary=np.stack([problem.boundary for problem in problems]),
            scale=np.stack([problem.scale for problem in problems]),
            lai_fraction=problems[0].lai_fraction,
            l1_ratio=problems[0].l1_ratio,
        )

    def take(self, rows: np.ndarray) -> Self:
        """The problems of these rows, which may be repeated."""
        return replace(
            self,
            which=self.which[rows],
            goal=self.goal[rows],
            least=self.least[rows],
            least_squares=self.least_squares[rows],
            correlation=self.correlation[rows],
            boundary=self.boundary[rows],
            scale=self.scale[rows],
        )

    def of_each(self, stack: np.ndarray) -> np.ndarray:
        """Of a stack with an item per Gram matrix, that of every row."""
        return stack if len(stack) == 1 else stack[self.which]

    @property
    def power(self) -> np.ndarray:
        """Mean square of every feature."""
        return self.of_each(np.diagonal(self.matrices, axis1=1, axis2=2))

    @property
    def inverses(self) -> np.ndarray:
        """Pseudo-inverses of the Gram matrices."""
        return np.stack([gram.inverse for gram in self.grams])

    def residual(self, coef: np.ndarray) -> np.ndarray:
        """What the mean squared error is the squared length of, but for `least`.

        In terms of the root nothing large cancels, even where the coefficients of least
        squares are large.
        """
        return (self.of_each(self.roots) @ coef[..., None])[..., 0] - self.goal

    def gradient(self, residual: np.ndarray) -> np.ndarray:
        """Gradient of the mean squared error."""
        return 2 * (residual[..., None, :] @ self.of_each(self.roots))[..., 0, :]

    def rounding(self, coef: np.ndarray) -> np.ndarray:
        """What rounding adds to residuals at most."""
        size = self.of_each(np.abs(self.roots)) @ np.abs(coef)[..., None]
        return EPSILON * (size[..., 0] + np.abs(self.goal))

    def gradient_rounding(self, rounding: np.ndarray) -> np.ndarray:
        """What that of the residuals adds to the gradient at most."""
        sizes = self.of_each(np.abs(self.roots))
        return 2 * (rounding[..., None, :] @ sizes)[..., 0, :]

    def value(self, residual: np.ndarray) -> np.ndarray:
        """Mean squared error."""
        return self.least + np.square(residual).sum(axis=-1)

    def direction_losses(self, coef: np.ndarray) -> np.ndarray:
        """phi**2 of every coefficient."""
        return loss(coef, self.boundary, self.scale)

    def factor(self, losses: np.ndarray) -> np.ndarray:
        """Second factor of J, from the losses of the directions."""
        return self.factor_of(losses.sum(axis=-1), np.square(losses).sum(axis=-1))

    def factor_of(self, total: np.ndarray, squares: np.ndarray) -> np.ndarray:
        """Second factor of J, from the sums of the losses and of their squares."""
        norm = self.l1_ratio * total + (1 - self.l1_ratio) * np.sqrt(squares)
        return 1 - self.lai_fraction + self.lai_fraction * norm

    def objective(self, coef: np.ndarray) -> np.ndarray:
        """Values of J."""
        error = self.value(self.residual(coef))
        return error * self.factor(self.direction_losses(coef))


def _padded(rows: np.ndarray, length: int) -> np.ndarray:
    """The rows, and rows of 0 after them."""
    rest = np.zeros((length - len(rows), *rows.shape[1:]))
    return np.concatenate([rows, rest])


def loss(coef: np.ndarray, boundary: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """phi**2 of coefficients."""
    squares = np.square(coef)
    steeper = np.maximum(squares, np.square(boundary))
    return scale * steeper / (1 + squares)
