"""Units: standardised for training, the caller's in the fitted weights."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike
from sklearn.preprocessing import StandardScaler
from sklearn.utils import gen_batches

BLOCK_BYTES = 2**23

Layers = tuple[list[np.ndarray], list[np.ndarray]]  # coefs, intercepts


@dataclass(frozen=True)
class Scale:
    """Origin and unit of each column of an array, in the array's dtype."""

    mean: np.ndarray
    unit: np.ndarray

    @classmethod
    def identity(cls, array: np.ndarray) -> "Scale":
        """The columns' own units."""
        n_columns = array.shape[1]
        return cls(np.zeros(n_columns, array.dtype), np.ones(n_columns, array.dtype))

    @classmethod
    def standard(
        cls,
        array: np.ndarray,
        name: str,
        *,
        centre: bool,
        constant_unit: float,
        sample_weight: np.ndarray | None = None,
    ) -> "Scale":
        """Mean and standard deviation, or `constant_unit` for a constant column.

        With an infinite unit the column is 0 in these units, and a coefficient of it
        in the caller's.
        """
        scaler = StandardScaler()
        is_constant = np.ones(array.shape[1], dtype=bool)
        with np.errstate(over="ignore", invalid="ignore"):
            for rows in _row_blocks(array):
                weight = None if sample_weight is None else sample_weight[rows]
                scaler.partial_fit(array[rows], sample_weight=weight)
                is_constant &= (array[rows] == array[0]).all(axis=0)
        _check_variance(scaler.var_, is_constant, name)
        mean = np.where(is_constant, array[0], scaler.mean_)
        # StandardScaler gives unit 1 to what is constant but for rounding.
        is_constant |= (scaler.scale_ == 1) & (scaler.var_ < 0.5)
        unit = np.where(is_constant, constant_unit, scaler.scale_)
        if not centre:
            mean = np.zeros_like(mean)
        # Rounded here, so that standardising and folding use the same numbers.
        return cls(mean.astype(array.dtype), unit.astype(array.dtype))

    @classmethod
    def of_moments(
        cls,
        mean: np.ndarray,
        variance: np.ndarray,
        is_constant: np.ndarray,
        name: str,
        *,
        centre: bool,
        constant_unit: float,
    ) -> "Scale":
        """The same from means and variances."""
        _check_variance(variance, is_constant, name)
        unit = np.where(is_constant, constant_unit, np.sqrt(variance))
        return cls(mean if centre else np.zeros_like(mean), unit)

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


def _check_variance(variance: np.ndarray, is_constant: np.ndarray, name: str) -> None:
    is_wrong = ~np.isfinite(variance) | (variance < np.finfo(variance.dtype).tiny)
    for column in np.flatnonzero(is_wrong & ~is_constant):
        problem = "small" if np.isfinite(variance[column]) else "large"
        raise ValueError(
            f"The values in column {column} of {name} are too {problem} for their "
            "variance to be a normal number; rescale the column."
        )


def _cast(layers: Layers, dtype: DTypeLike) -> Layers:
    """Fresh lists of the weights in a float type."""
    coefs, intercepts = ([array.astype(dtype) for array in arrays] for arrays in layers)
    return coefs, intercepts
