"""Weighted means and second moments of rows, from one pass over data of any size.

Products are those of deviations from the mean of a few rows, spread over the data,
which lose no more to rounding than those from the mean of all.

Source: T. F. Chan, G. H. Golub, R. J. LeVeque, "Updating Formulae and a Pairwise
Algorithm for Computing Sample Variances", Stanford STAN-CS-79-773 (1979), for `+`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np

# Deviations from a mean, relative to it, that are rounding errors.
ROUNDING = 10 * np.finfo(np.float64).eps
# Predictions with less than this share of the target's variance have collapsed.
COLLAPSED_SHARE = 0.01
# Rows spread over the data whose mean is near enough to that of all.
SAMPLE_ROWS = 1000
# Size of a block of rows, about that of a cache.
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
        if sample_weight is not None and not sample_weight.all():
            rows = np.arange(len(X)) if rows is None else rows
            rows = rows[sample_weight[rows] > 0]
        n_rows = len(X) if rows is None else len(rows)
        n_features, n_columns = X.shape[1], X.shape[1] + y.shape[1]
        blocks = _row_blocks(n_rows, n_columns, rows)
        buffer = np.empty((min(_block_rows(n_columns), n_rows), n_columns + 1))
        # Products of deviations from `origin`, and, with the ones, their sums.
        products = np.zeros((n_columns + 1, n_columns + 1))
        origin, is_constant = np.zeros(n_columns), np.ones(n_columns, dtype=bool)
        if n_rows:
            sample = np.linspace(0, n_rows - 1, min(n_rows, SAMPLE_ROWS)).astype(int)
            sample = sample if rows is None else rows[sample]
            origin = _origin(X[sample], y[sample])
        for chosen, size in blocks:
            data = buffer[:size]
            np.subtract(X[chosen], origin[:n_features], out=data[:, :n_features])
            np.subtract(y[chosen], origin[n_features:], out=data[:, n_features:-1])
            data[:, -1] = 1
            if sample_weight is not None:
                data *= np.sqrt(sample_weight[chosen])[:, None]
            with np.errstate(over="ignore", invalid="ignore"):
                products += data.T @ data
            is_constant[is_constant] = ~data[:, :-1][:, is_constant].any(axis=0)
        weight, sums = products[-1, -1], products[-1, :-1]
        mean = sums / weight if n_rows else sums
        with np.errstate(over="ignore", invalid="ignore"):
            scatter = products[:-1, :-1] - np.outer(mean, sums)
        return cls(
            n_features, n_rows, float(weight), origin + mean, scatter, is_constant
        )

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

    @property
    def n_outputs(self) -> int:
        """How many of the columns are those of y."""
        return len(self.mean) - self.n_features

    def variance(self) -> np.ndarray:
        """Variance of each column."""
        return np.diag(self.scatter) / self.weight

    def is_constant_but_for_rounding(self) -> np.ndarray:
        """Columns whose deviations from their mean are rounding errors."""
        rounding = np.square(ROUNDING * self.mean)
        return self.is_constant | (self.variance() < rounding)

    def mean_products(self, *, centre: bool) -> np.ndarray:
        """Mean products of pairs of columns, of deviations from the mean if centred."""
        products = self.scatter / self.weight
        return products if centre else products + np.outer(self.mean, self.mean)


def residual_products(
    X: np.ndarray,
    y: np.ndarray,
    sample_weight: np.ndarray | None,
    mean: np.ndarray,
    coef: np.ndarray,
    intercept: np.ndarray,
) -> np.ndarray:
    """Mean products of the features' deviations from `mean` and a model's residuals."""
    total, weight, at_mean = np.zeros_like(coef), 0.0, intercept + mean @ coef
    for chosen, size in _row_blocks(len(X), X.shape[1], None):
        deviation = X[chosen] - mean
        residual = y[chosen] - at_mean - deviation @ coef
        if sample_weight is None:
            weight += size
        else:
            residual *= sample_weight[chosen, None]
            weight += sample_weight[chosen].sum()
        total += deviation.T @ residual
    return total / weight


def _block_rows(n_columns: int) -> int:
    return max(1, BLOCK_BYTES // (8 * n_columns))


def _row_blocks(
    n_rows: int, n_columns: int, rows: np.ndarray | None
) -> Iterator[tuple[slice | np.ndarray, int]]:
    """Indices of blocks of all rows or of `rows`, and how many these are."""
    size = _block_rows(n_columns)
    for start in range(0, n_rows, size):
        block = slice(start, min(start + size, n_rows))
        yield (
            block if rows is None else _as_slice(rows[block]),
            block.stop - block.start,
        )


def _origin(X: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Mean of the columns, exactly their value where they are constant."""
    data = np.hstack([X, y]).astype(np.float64)
    return np.where((data == data[0]).all(axis=0), data[0], data.mean(axis=0))


def _as_slice(rows: np.ndarray) -> np.ndarray | slice:
    """A slice, which copies nothing, where the indices are consecutive."""
    is_range = rows[-1] - rows[0] == len(rows) - 1 and (np.diff(rows) == 1).all()
    return slice(rows[0], rows[-1] + 1) if is_range else rows
