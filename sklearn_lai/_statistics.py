"""Statistics of the columns of data, of parts of it that can be added.

Source: T. F. Chan, G. H. Golub, R. J. LeVeque, "Updating Formulae and a Pairwise
Algorithm for Computing Sample Variances", Stanford STAN-CS-79-773 (1979).
"""

from dataclasses import dataclass, replace
from functools import partial, reduce
from operator import add
from typing import Self

import numpy as np

from ._blocks import row_blocks

# Deviations from a mean, relative to it, that are rounding errors.
ROUNDING = np.finfo(np.float64).eps
BLOCK_BYTES = 2**23
# Share of an earlier deviation below which a column is narrow.
NARROW = 0.1
# Deviations of a later part of the data from which on an earlier one is unlike it, in
# its own deviation or the distance of its mean.
UNLIKE = 20.0
# Standard deviations of a normal distribution in a median absolute deviation.
NORMAL_SHARE = 1.482602218505602
# Standard deviations of most errors from which on an error is an outlier's.
OUTLYING = 5.0


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
    def of_most(
        cls, array: np.ndarray, sample_weight: np.ndarray | None = None
    ) -> Self:
        """The same of most rows, whatever the others are: medians in place of means.

        The variance is the square of the median deviation from the median, of rows that
        deviate, times what makes it that of a normal distribution.
        """
        weight = np.ones(len(array)) if sample_weight is None else sample_weight
        columns = []
        for column in array.T.astype(np.float64):
            median = weighted_quantile(column, weight)
            deviation = np.abs(column - median)
            deviates = deviation > 0
            unit = 0.0
            if deviates.any():
                typical = weighted_quantile(deviation[deviates], weight[deviates])
                unit = NORMAL_SHARE * typical
            columns.append((median, unit))
        medians, units = np.array(columns).T
        with np.errstate(over="ignore", under="ignore"):
            variance = np.square(units)
        is_constant = (array == array[0]).all(axis=0)
        return cls(float(weight.sum()), medians, variance, is_constant)

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
        share = other.weight / weight
        with np.errstate(over="ignore", invalid="ignore"):
            difference = other.mean - self.mean
            mean = self.mean + difference * share
            within = (1 - share) * self.variance + share * other.variance
            variance = within + share * (1 - share) * np.square(difference)
        return type(self)(
            weight,
            mean,
            variance,
            self.is_constant & other.is_constant & (difference == 0),
        )

    def followed_by(self, other: Self, largest_share: float) -> Self:
        """Statistics of both; of the other alone for columns far wider or away here.

        That is if these rows are at most such a share of the others in weight: their
        columns would count for too long.
        """
        total = self + other
        if self.weight > largest_share * other.weight:
            return total
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            is_wide = np.sqrt(self.variance / other.variance) > UNLIKE
            is_away = np.abs(other.mean - self.mean) / np.sqrt(other.variance) > UNLIKE
        is_like = ~(is_wide | is_away) | other.is_constant
        return type(self)(
            total.weight,
            np.where(is_like, total.mean, other.mean),
            np.where(is_like, total.variance, other.variance),
            np.where(is_like, total.is_constant, other.is_constant),
        )

    def take(self, columns: slice) -> Self:
        """Statistics of some of the columns."""
        arrays = self.mean, self.variance, self.is_constant
        return type(self)(self.weight, *(array[columns] for array in arrays))

    def deviation(self, constant: float) -> np.ndarray:
        """Standard deviation by column, or what stands for it in a constant one."""
        is_constant = self.is_constant_but_for_rounding()
        return np.where(is_constant, constant, np.sqrt(self.variance))

    def is_constant_but_for_rounding(self) -> np.ndarray:
        """Columns whose deviations from their mean are rounding errors.

        Where variances so small have no normal sum, nothing is known of it.
        """
        with np.errstate(over="ignore"):
            rounding = np.square(ROUNDING * self.mean)
        is_known = self.has_normal_sum(rounding)
        return self.is_constant | (is_known & (self.variance < rounding))

    def has_normal_sum(self, squares: np.ndarray) -> np.ndarray:
        """Where the weighted sum of such squares has all digits of float64."""
        return squares * min(self.weight, 1.0) >= np.finfo(np.float64).tiny

    @property
    def power(self) -> np.ndarray:
        """Mean squares of columns."""
        with np.errstate(over="ignore"):
            return self.variance + np.square(self.mean)

    def is_narrow(self, earlier: Self) -> np.ndarray:
        """Which columns vary in a small part of the range of earlier rows alone."""
        varies = ~earlier.is_constant_but_for_rounding()
        return varies & (self.variance < NARROW**2 * earlier.variance)

    def widened(self, earlier: Self, is_narrow: np.ndarray) -> Self:
        """The same, columns that are narrow with the variances of earlier rows."""
        return replace(
            self,
            variance=np.where(is_narrow, earlier.variance, self.variance),
            is_constant=self.is_constant & ~is_narrow,
        )


def outlier_bound(error: np.ndarray, sample_weight: np.ndarray | None) -> np.ndarray:
    """Magnitude of the errors from which on rows are outliers, by output.

    Infinite if most errors are 0.
    """
    weight = np.ones(len(error)) if sample_weight is None else sample_weight
    typical = [weighted_quantile(column, weight) for column in np.abs(error).T]
    bound = OUTLYING * NORMAL_SHARE * np.array(typical)
    return np.where(bound > 0, bound, np.inf)


def weighted_quantile(
    values: np.ndarray, weight: np.ndarray, quantile: float = 0.5
) -> float:
    """Least value up to which there is that share of the weight.

    Of two middle values the mean, so that a median is that of its mirror image.
    """
    order = np.argsort(values, kind="stable")
    values, weight = values[order], weight[order]
    reached = np.cumsum(weight)
    share = quantile * reached[-1]
    place = min(int(np.searchsorted(reached, share)), len(values) - 1)
    if reached[place] == share and place + 1 < len(values):
        return float(values[place] / 2 + values[place + 1] / 2)
    return float(values[place])
