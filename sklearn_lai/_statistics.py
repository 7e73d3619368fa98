"""Statistics of the columns of data, of parts of it that can be added.

Source: T. F. Chan, G. H. Golub, R. J. LeVeque, "Updating Formulae and a Pairwise
Algorithm for Computing Sample Variances", Stanford STAN-CS-79-773 (1979).
"""

from dataclasses import dataclass
from functools import partial, reduce
from operator import add
from typing import Self

import numpy as np

from ._blocks import row_blocks

# Deviations from a mean, relative to it, that are rounding errors.
ROUNDING = 10 * np.finfo(np.float64).eps
BLOCK_BYTES = 2**23


@dataclass(frozen=True)
class ColumnStatistics:
    """Weighted means and variances of columns, in float64, of rows that can be added.

    Columns are constant if all rows are exactly equal there; their mean is that value.
    """

    weight: float
    mean: np.ndarray
    variance: np.ndarray
    is_constant: np.ndarray

    @classmethod
    def of(cls, array: np.ndarray, sample_weight: np.ndarray | None = None) -> Self:
        """Statistics of the rows of an array; without weights, each has 1."""
        row_bytes = array.shape[1] * array.itemsize
        return reduce(
            add,
            (
                cls._of_block(
                    array[rows], None if sample_weight is None else sample_weight[rows]
                )
                for rows in row_blocks(len(array), row_bytes, BLOCK_BYTES)
            ),
        )

    @classmethod
    def _of_block(cls, block: np.ndarray, weight: np.ndarray | None) -> Self:
        """The same by two passes, of which the second corrects the first."""
        if weight is None:
            total, count = partial(np.sum, axis=0, dtype=np.float64), len(block)
        else:
            # Rounded as the values are, one by one and in their sums.
            rounded = weight.astype(block.dtype, copy=False)
            total = partial(np.matmul, rounded, dtype=np.float64)
            of_columns = np.broadcast_to(rounded[:, None], block.shape)
            count = of_columns.sum(axis=0, dtype=np.float64)
        is_constant = block[0] == block[-1]
        if is_constant.any():
            is_constant = (block == block[0]).all(axis=0)
        with np.errstate(over="ignore", invalid="ignore"):
            mean = total(block) / count
            deviation = block - mean
            excess = total(deviation)
            deviation *= deviation
            variance = (total(deviation) - excess**2 / count) / count
        return cls(
            float(len(block) if weight is None else weight.sum()),
            np.where(is_constant, block[0], mean),
            np.where(is_constant, 0, np.maximum(variance, 0)),  # but for rounding
            is_constant,
        )

    def __add__(self, other: Self) -> Self:
        """Statistics of the rows of both."""
        weight = self.weight + other.weight
        share, difference = other.weight / weight, other.mean - self.mean
        within = (1 - share) * self.variance + share * other.variance
        return type(self)(
            weight,
            self.mean + difference * share,
            within + share * (1 - share) * np.square(difference),
            self.is_constant & other.is_constant & (difference == 0),
        )

    def take(self, columns: slice) -> Self:
        """Statistics of some of the columns."""
        arrays = self.mean, self.variance, self.is_constant
        return type(self)(self.weight, *(array[columns] for array in arrays))

    def is_constant_but_for_rounding(self) -> np.ndarray:
        """Columns whose deviations from their mean are rounding errors."""
        rounding = ROUNDING * np.abs(self.mean)
        return self.is_constant | (np.sqrt(self.variance) < rounding)
