"""Units: standardised for training, the caller's in the fitted weights."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import DTypeLike
from sklearn.preprocessing import StandardScaler
from sklearn.utils import gen_batches

from ._linear.moments import ROUNDING

BLOCK_BYTES = 2**23

Layers = tuple[list[np.ndarray], list[np.ndarray]]  # coefs, intercepts


@dataclass(frozen=True)
class Spread:
    """Weighted means and variances of columns, in float64, of rows that can be added.

    Columns are constant if all rows are exactly equal there; their mean is that value.
    """

    weight: float
    mean: np.ndarray
    variance: np.ndarray
    is_constant: np.ndarray

    @classmethod
    def of(cls, array: np.ndarray, sample_weight: np.ndarray | None = None) -> "Spread":
        """Spread of the rows of an array."""
        scaler = StandardScaler()
        is_constant = np.ones(array.shape[1], dtype=bool)
        with np.errstate(over="ignore", invalid="ignore"):
            for rows in _row_blocks(array):
                weight = None if sample_weight is None else sample_weight[rows]
                scaler.partial_fit(array[rows], sample_weight=weight)
                is_constant &= (array[rows] == array[0]).all(axis=0)
        mean = np.where(is_constant, array[0], scaler.mean_)
        total = len(array) if sample_weight is None else sample_weight.sum()
        return cls(float(total), mean, scaler.var_, is_constant)

    def __add__(self, other: "Spread") -> "Spread":
        """Spread of the rows of both."""
        total = self.weight + other.weight
        share, difference = other.weight / total, other.mean - self.mean
        within = (1 - share) * self.variance + share * other.variance
        return Spread(
            total,
            self.mean + share * difference,
            within + share * (1 - share) * np.square(difference),
            self.is_constant & other.is_constant & (difference == 0),
        )

    def is_constant_but_for_rounding(self) -> np.ndarray:
        """Columns whose deviations from their mean are rounding errors."""
        rounding = ROUNDING * np.abs(self.mean)
        return self.is_constant | (np.sqrt(self.variance) < rounding)


@dataclass(frozen=True)
class Scale:
    """Origin and unit of each column of an array, in the array's dtype.

    `spread` is that of the data they come from, None if they do not.
    """

    mean: np.ndarray
    unit: np.ndarray
    spread: Spread | None = None

    @classmethod
    def identity(cls, array: np.ndarray) -> "Scale":
        """The columns' own units."""
        n_columns = array.shape[1]
        return cls(np.zeros(n_columns, array.dtype), np.ones(n_columns, array.dtype))

    @classmethod
    def of_moments(
        cls,
        mean: np.ndarray,
        variance: np.ndarray,
        is_constant: np.ndarray,
        name: str,
        columns: np.ndarray | None = None,
        *,
        centre: bool,
        constant_unit: float,
        dtype: DTypeLike = np.float64,
    ) -> "Scale":
        """Mean and standard deviation, or `constant_unit` for a constant column.

        With an infinite unit the column is 0 in these units, and a coefficient of it
        in the caller's.
        """
        _check_variance(variance, is_constant, name, columns)
        unit = np.where(is_constant, constant_unit, np.sqrt(variance))
        mean = mean if centre else np.zeros_like(mean)
        # Rounded here, so that standardising and folding use the same numbers.
        return cls(mean.astype(dtype), unit.astype(dtype))

    @classmethod
    def of_spread(
        cls,
        spread: Spread,
        name: str,
        columns: np.ndarray | None,
        dtype: DTypeLike,
        *,
        centre: bool,
        constant_unit: float,
    ) -> "Scale":
        """The same from a spread; `columns` are the names of the columns of `name`."""
        scale = cls.of_moments(
            spread.mean,
            spread.variance,
            spread.is_constant_but_for_rounding(),
            name,
            columns,
            centre=centre,
            constant_unit=constant_unit,
            dtype=dtype,
        )
        return replace(scale, spread=spread)

    def standardise(self, array: np.ndarray) -> np.ndarray:
        """Fresh, C-contiguous array in these units."""
        standardised = np.subtract(array, self.mean, order="C")
        standardised /= self.unit
        return standardised

    def is_constant(self) -> np.ndarray:
        """Which columns are 0 in these units."""
        return np.isinf(self.unit)


@dataclass(frozen=True)
class Units:
    """Units of the features and of the outputs."""

    X: Scale
    y: Scale

    def fold(self, layers: Layers) -> Layers:
        """Weights, given in these units, of the same function in the caller's."""
        coefs, intercepts = _cast(layers, np.float64)
        coefs[0] = coefs[0] / self.X.unit[:, None]
        intercepts[0] = intercepts[0] - self.X.mean @ coefs[0]
        coefs[-1] = coefs[-1] * self.y.unit
        intercepts[-1] = intercepts[-1] * self.y.unit + self.y.mean
        return _cast((coefs, intercepts), self.X.unit.dtype)

    def unfold(self, layers: Layers) -> Layers:
        """Inverse of `fold`."""
        coefs, intercepts = _cast(layers, np.float64)
        intercepts[-1] = (intercepts[-1] - self.y.mean) / self.y.unit
        coefs[-1] = coefs[-1] / self.y.unit
        intercepts[0] = intercepts[0] + self.X.mean @ coefs[0]
        unit = np.where(self.X.is_constant(), 0, self.X.unit)
        coefs[0] = coefs[0] * unit[:, None]
        return _cast((coefs, intercepts), self.X.unit.dtype)


def _row_blocks(array: np.ndarray) -> Iterator[slice]:
    """Blocks of rows, small enough for intermediate results to need little memory."""
    row_bytes = max(1, array.shape[1] * array.itemsize)
    return gen_batches(len(array), max(1, BLOCK_BYTES // row_bytes))


def _check_variance(
    variance: np.ndarray,
    is_constant: np.ndarray,
    name: str,
    columns: np.ndarray | None,
) -> None:
    is_wrong = ~np.isfinite(variance) | (variance < np.finfo(variance.dtype).tiny)
    for column in np.flatnonzero(is_wrong & ~is_constant):
        problem = "small" if np.isfinite(variance[column]) else "large"
        which = column if columns is None else repr(columns[column])
        raise ValueError(
            f"The values in column {which} of {name} are too {problem} for their "
            "variance to be a normal number; rescale the column."
        )


def _cast(layers: Layers, dtype: DTypeLike) -> Layers:
    """Fresh lists of the weights in a float type."""
    coefs, intercepts = ([array.astype(dtype) for array in arrays] for arrays in layers)
    return coefs, intercepts
