"""Weighted means and second moments of rows, from one pass over data of any size.

Products are those of deviations from the mean of a few rows, spread over the data,
which lose no more to rounding than those from the mean of all.

Source: T. F. Chan, G. H. Golub, R. J. LeVeque, "Updating Formulae and a Pairwise
Algorithm for Computing Sample Variances", Stanford STAN-CS-79-773 (1979), for `+`.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import scipy.linalg

from .._blocks import row_blocks
from .._statistics import ColumnStatistics
from .._units import Units

# Rows spread over the data whose mean is near enough to that of all.
SAMPLE_ROWS = 1000
# Square of the distance of that mean from the one of all, in variances, from which on
# products lose too many digits to it, and how often the data is then visited at most.
FAR, MOST_PASSES = 1e3, 3
# Size of a block of rows, about that of a cache.
BLOCK_BYTES = 2**20


@dataclass(frozen=True)
class Moments:
    """Moments of the columns of X and y together, in float64.

    `scatter` is the weighted sum of products of deviations from the mean, shape
    (n_columns, n_columns), the square of a deviation being that of `columns`.
    """

    n_features: int
    n_rows: int
    columns: ColumnStatistics
    scatter: np.ndarray

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
        if n_rows == 0:
            zeros, scatter = np.zeros(n_columns), np.zeros((n_columns, n_columns))
            nothing = ColumnStatistics(0.0, zeros, zeros, zeros == 0)
            return cls(n_features, 0, nothing, scatter)
        sample = np.linspace(0, n_rows - 1, min(n_rows, SAMPLE_ROWS)).astype(int)
        sample = sample if rows is None else rows[sample]
        origin = _origin(X[sample], y[sample])
        for _ in range(MOST_PASSES):
            products, is_constant = _products(X, y, sample_weight, rows, origin)
            weight, sums = products[-1, -1], products[-1, :-1]
            with np.errstate(over="ignore", invalid="ignore"):
                shift = sums / weight
                mean, of_shift = origin + shift, np.outer(shift, sums)
                scatter = products[:-1, :-1] - of_shift
                is_near = np.diag(of_shift) <= FAR * np.abs(np.diag(scatter))
            if (is_near | ~np.isfinite(shift)).all():
                break
            origin = mean
        columns = ColumnStatistics(
            float(weight), mean, np.zeros(n_columns), is_constant
        )
        return cls(n_features, n_rows, columns, scatter)._with_variances()

    def __add__(self, other: Self) -> Self:
        """Moments of the rows of both."""
        if self.n_rows == 0 or other.n_rows == 0:
            return self if other.n_rows == 0 else other
        with np.errstate(over="ignore", invalid="ignore"):
            columns = self.columns + other.columns
            difference = other.columns.mean - self.columns.mean
            spread = self.columns.weight * (other.columns.weight / columns.weight)
            scatter = self.scatter + other.scatter
            scatter = scatter + spread * np.outer(difference, difference)
        n_rows = self.n_rows + other.n_rows
        return type(self)(self.n_features, n_rows, columns, scatter)._with_variances()

    def _with_variances(self) -> Self:
        """The same, with the variances of the columns that the scatter has."""
        if self.n_rows == 0:
            return self
        # Below 0 by rounding.
        variance = np.maximum(np.diag(self.scatter), 0) / self.columns.weight
        return replace(self, columns=replace(self.columns, variance=variance))

    @property
    def features(self) -> ColumnStatistics:
        """Statistics of the features."""
        return self.columns.take(slice(self.n_features))

    @property
    def outputs(self) -> ColumnStatistics:
        """Statistics of the outputs."""
        return self.columns.take(slice(self.n_features, None))

    def mean_products(self, *, centre: bool) -> np.ndarray:
        """Mean products of pairs of columns, of deviations from the mean if centred."""
        products, mean = self.scatter / self.columns.weight, self.columns.mean
        with np.errstate(over="ignore", invalid="ignore"):
            return products if centre else products + np.outer(mean, mean)


def triangle(
    X: np.ndarray,
    y: np.ndarray,
    sample_weight: np.ndarray | None,
    units: Units,
) -> np.ndarray:
    """What gives the mean products of all columns as ``R.T @ R``, in these units.

    It is upper triangular, of shape (n_columns, n_columns), and made from rows by
    orthogonal transformations, which lose half the digits that moments lose. With a
    column of ones in front, what rounding of the means has left is taken out.

    Source: G. H. Golub, "Numerical Methods for Solving Linear Least Squares Problems",
    Numerische Mathematik 7 (1965); by blocks of rows.
    """
    is_centred = bool(units.X.mean.any() or units.y.mean.any())
    n_columns = is_centred + X.shape[1] + y.shape[1]
    found, total = np.zeros((n_columns, n_columns)), 0.0
    for rows in row_blocks(len(X), 8 * n_columns, BLOCK_BYTES):
        block = np.hstack([units.X.standardise(X[rows]), units.y.standardise(y[rows])])
        if is_centred:
            block = np.hstack([np.ones((len(block), 1)), block])
        weight = np.ones(len(block)) if sample_weight is None else sample_weight[rows]
        block = block * np.sqrt(weight)[:, None]
        found = with_rows(found, block)
        total += weight.sum()
    return found[is_centred:, is_centred:] / np.sqrt(total)


def with_rows(triangle: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """The triangle of the rows that it is of and of further ones."""
    (found,) = scipy.linalg.qr(np.vstack([triangle, rows]), mode="r")
    return found[: len(triangle)]


def _products(
    X: np.ndarray,
    y: np.ndarray,
    sample_weight: np.ndarray | None,
    rows: np.ndarray | None,
    origin: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Products of deviations from the origin, of ones, too, and constant columns.

    With the ones the products are the sums of deviations, and the sum of weights.
    """
    n_rows, n_features = len(X) if rows is None else len(rows), X.shape[1]
    n_columns = len(origin)
    blocks = list(row_blocks(n_rows, 8 * n_columns, BLOCK_BYTES))
    longest = max(block.stop - block.start for block in blocks)
    buffer = np.empty((longest, n_columns + 1))
    products = np.zeros((n_columns + 1, n_columns + 1))
    is_constant = np.ones(n_columns, dtype=bool)
    for block in blocks:
        chosen = block if rows is None else _as_slice(rows[block])
        data = buffer[: block.stop - block.start]
        np.subtract(X[chosen], origin[:n_features], out=data[:, :n_features])
        np.subtract(y[chosen], origin[n_features:], out=data[:, n_features:-1])
        data[:, -1] = 1
        is_constant[is_constant] = ~data[:, :-1][:, is_constant].any(axis=0)
        with np.errstate(over="ignore", invalid="ignore"):
            if sample_weight is not None:
                data *= np.sqrt(sample_weight[chosen])[:, None]
            products += data.T @ data
    return products, is_constant


def _origin(X: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Mean of the columns, exactly their value where they are constant."""
    data = np.hstack([X, y]).astype(np.float64)
    with np.errstate(over="ignore"):
        return np.where((data == data[0]).all(axis=0), data[0], data.mean(axis=0))


def _as_slice(rows: np.ndarray) -> np.ndarray | slice:
    """A slice, which copies nothing, where the indices are consecutive."""
    is_range = rows[-1] - rows[0] == len(rows) - 1 and (np.diff(rows) == 1).all()
    return slice(rows[0], rows[-1] + 1) if is_range else rows
