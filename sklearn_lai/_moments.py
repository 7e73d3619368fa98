"""Weighted means and second moments of rows, from one pass over data of any size.

Source: T. F. Chan, G. H. Golub, R. J. LeVeque, "Updating Formulae and a Pairwise
Algorithm for Computing Sample Variances", Stanford STAN-CS-79-773 (1979), for `+`.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

EPSILON = np.finfo(np.float64).eps
# Predictions with less than this share of the target's variance have collapsed.
COLLAPSED_SHARE = 0.01
# Rows of a block, about as many as a cache holds.
BLOCK_BYTES = 2**20


@dataclass(frozen=True)
class Moments:
    """Moments of the columns of X and y together, in float64.

    `scatter` is the weighted sum of products of deviations from the mean, shape
    (n_columns, n_columns). Columns are constant if all rows are exactly equal there;
    their mean is that value.
    """

    n_features: int
    n_rows: int
    weight: float
    mean: np.ndarray
    scatter: np.ndarray
    is_constant: np.ndarray

    @classmethod
    def of(
        cls,
        X: np.ndarray,
        y: np.ndarray,
        sample_weight: np.ndarray | None = None,
        rows: np.ndarray | None = None,
    ) -> Self:
        """Moments of all rows or of those with the indices `rows`.

        Rows without weight do not count. `y` has shape (n_samples, n_outputs).
        """
        n_features, n_columns = X.shape[1], X.shape[1] + y.shape[1]
        total = cls(
            n_features,
            n_rows=0,
            weight=0.0,
            mean=np.zeros(n_columns),
            scatter=np.zeros((n_columns, n_columns)),
            is_constant=np.ones(n_columns, dtype=bool),
        )
        n_rows = len(X) if rows is None else len(rows)
        block_rows = max(1, BLOCK_BYTES // (8 * n_columns))
        buffer = np.empty((min(block_rows, n_rows), n_columns))
        for start in range(0, n_rows, block_rows):
            block = slice(start, min(start + block_rows, n_rows))
            chosen = block if rows is None else _as_slice(rows[block])
            weight = None if sample_weight is None else sample_weight[chosen]
            data = buffer[: block.stop - block.start]
            data[:, :n_features] = X[chosen]
            data[:, n_features:] = y[chosen]
            total = total._plus_block(data, weight)
        return total

    def __add__(self, other: Self) -> Self:
        """Moments of the rows of both."""
        if self.n_rows == 0 or other.n_rows == 0:
            return self if other.n_rows == 0 else other
        weight = self.weight + other.weight
        difference = other.mean - self.mean
        spread = self.weight * (other.weight / weight)
        return type(self)(
            self.n_features,
            self.n_rows + other.n_rows,
            weight,
            self.mean + difference * (other.weight / weight),
            self.scatter + other.scatter + spread * np.outer(difference, difference),
            self.is_constant & other.is_constant & (difference == 0),
        )

    def __sub__(self, other: Self) -> Self:
        """Moments of the rows of this one without those of the other."""
        weight = self.weight - other.weight
        mean = self.mean + (self.mean - other.mean) * (other.weight / weight)
        difference = other.mean - mean
        spread = weight * (other.weight / self.weight)
        scatter = self.scatter - other.scatter
        scatter -= spread * np.outer(difference, difference)
        # What is left of the variance of a column that is constant now is rounding.
        noise = self.n_rows * EPSILON * np.diag(self.scatter)
        return type(self)(
            self.n_features,
            self.n_rows - other.n_rows,
            weight,
            mean,
            scatter,
            self.is_constant | (np.diag(scatter) <= noise),
        )

    def variance(self) -> np.ndarray:
        """Variance of each column."""
        return np.diag(self.scatter) / self.weight

    def is_constant_but_for_rounding(self) -> np.ndarray:
        """Columns whose deviations from their mean are rounding errors."""
        rounding = np.square(10 * EPSILON * self.mean)
        return self.is_constant | (self.variance() < rounding)

    def mean_products(self, *, centre: bool) -> np.ndarray:
        """Mean products of pairs of columns, of deviations from the mean if centred."""
        products = self.scatter / self.weight
        return products if centre else products + np.outer(self.mean, self.mean)

    def _plus_block(self, data: np.ndarray, weight: np.ndarray | None) -> Self:
        """Add rows; `data` is overwritten."""
        if weight is not None and not weight.all():
            data, weight = data[weight > 0], weight[weight > 0]
        if len(data) == 0:
            return self
        is_constant = data[0] == data[-1]
        is_constant[is_constant] = (data[:, is_constant] == data[0, is_constant]).all(0)
        total = float(len(data) if weight is None else weight.sum())
        mean = (data.sum(0) if weight is None else weight @ data) / total
        mean[is_constant] = data[0, is_constant]
        data -= mean
        if weight is not None:
            data *= np.sqrt(weight)[:, None]
        block = type(self)(
            self.n_features, len(data), total, mean, data.T @ data, is_constant
        )
        return self + block


def _as_slice(rows: np.ndarray) -> np.ndarray | slice:
    """A slice, which copies nothing, where the indices are consecutive."""
    is_range = rows[-1] - rows[0] == len(rows) - 1 and (np.diff(rows) == 1).all()
    return slice(rows[0], rows[-1] + 1) if is_range else rows
