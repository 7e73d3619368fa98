"""Units: standardised for training, the caller's in the fitted weights."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import DTypeLike

from ._statistics import ColumnStatistics

# For those who search for its words.
MLP_REGRESSOR_SAYS = (
    '(MLPRegressor: "Solver produced non-finite parameter weights. The input data may '
    'contain large values and need to be preprocessed.")'
)

Layers = tuple[list[np.ndarray], list[np.ndarray]]  # coefs, intercepts


@dataclass(frozen=True)
class Scale:
    """Origin and unit of each column of an array, in the array's dtype."""

    mean: np.ndarray
    unit: np.ndarray

    @classmethod
    def standard(
        cls,
        statistics: ColumnStatistics,
        name: str,
        columns: np.ndarray | None = None,
        *,
        centre: bool = True,
        constant_unit: float = 1.0,
        dtype: DTypeLike = np.float64,
    ) -> Self:
        """Mean and standard deviation, or `constant_unit` for a constant column.

        With an infinite unit the column is 0 in these units, and a coefficient of it
        in the caller's. `columns` are the names of the columns of `name`, for errors.
        """
        mean, variance = statistics.mean, statistics.variance
        is_constant = statistics.is_constant_but_for_rounding()
        check_normal(variance, is_constant, name, columns, what="variance")
        unit = np.where(is_constant, constant_unit, np.sqrt(variance))
        mean = mean if centre else np.zeros_like(mean)
        # Rounded here, so that standardising and folding use the same numbers.
        return cls(mean.astype(dtype), unit.astype(dtype))

    def standardise(self, array: np.ndarray) -> np.ndarray:
        """Fresh, C-contiguous array in these units."""
        standardised = np.subtract(array, self.mean, order="C")
        standardised /= self.unit
        return standardised

    def is_constant(self) -> np.ndarray:
        """Which columns are 0 in these units."""
        return np.isinf(self.unit)


Statistics = tuple[ColumnStatistics, ColumnStatistics]  # of X and y


@dataclass(frozen=True)
class Units:
    """Units of the features and of the outputs, and the statistics they come from."""

    X: Scale
    y: Scale
    statistics: Statistics | None = None

    @classmethod
    def identity(cls, X: np.ndarray, y: np.ndarray) -> Self:
        """The units of the data."""
        rows = X[0], y[0]
        of_X, of_y = (Scale(np.zeros_like(row), np.ones_like(row)) for row in rows)
        return cls(of_X, of_y)

    @classmethod
    def of_rows(
        cls,
        X: np.ndarray,
        y: np.ndarray,
        sample_weight: np.ndarray | None = None,
        *,
        earlier: Statistics | None = None,
        names: np.ndarray | None = None,
        centre: bool = True,
    ) -> Self:
        """Standard units of these rows, together with earlier ones."""
        statistics = (
            ColumnStatistics.of(X, sample_weight),
            ColumnStatistics.of(y, sample_weight),
        )
        if earlier is not None:
            statistics = (earlier[0] + statistics[0], earlier[1] + statistics[1])
        return cls.standard(statistics, names=names, centre=centre, dtype=X.dtype)

    @classmethod
    def standard(
        cls,
        statistics: Statistics,
        *,
        names: np.ndarray | None = None,
        centre: bool = True,
        dtype: DTypeLike = np.float64,
    ) -> Self:
        """Standard deviations; `names` are those of the features, for errors.

        Constant features have no influence; uncentred, they are as good as any.
        """
        X = Scale.standard(
            statistics[0],
            "X",
            names,
            centre=centre,
            constant_unit=np.inf if centre else 1.0,
            dtype=dtype,
        )
        return cls(X, Scale.standard(statistics[1], "y", centre=centre), statistics)

    def fold(self, layers: Layers) -> Layers:
        """Weights, given in these units, of the same function in the caller's.

        An output whose target is constant is that constant.
        """
        coefs, intercepts = _cast(layers, np.float64)
        unit = self.y.unit
        if self.statistics is not None:
            unit = np.where(self.statistics[1].is_constant, 0, unit)
        coefs[0] = coefs[0] / self.X.unit[:, None]
        intercepts[0] = intercepts[0] - self.X.mean @ coefs[0]
        coefs[-1] = coefs[-1] * unit
        intercepts[-1] = intercepts[-1] * unit + self.y.mean
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


def check_normal(
    moment: np.ndarray,
    is_exempt: np.ndarray,
    name: str,
    columns: np.ndarray | None,
    *,
    what: str,
) -> None:
    """Check second moments of the columns of an array; `what` they are, for errors."""
    is_wrong = ~np.isfinite(moment) | (moment < np.finfo(moment.dtype).tiny)
    for column in np.flatnonzero(is_wrong & ~is_exempt):
        which = column if columns is None else repr(columns[column])
        problem, words = "small", ""
        if not np.isfinite(moment[column]):
            problem, words = "large", f" {MLP_REGRESSOR_SAYS}"
        raise ValueError(
            f"The values in column {which} of {name} are too {problem} for their "
            f"{what} to be a normal number; rescale the column.{words}"
        )


def _cast(layers: Layers, dtype: DTypeLike) -> Layers:
    """Fresh lists of the weights in a float type."""
    coefs, intercepts = ([array.astype(dtype) for array in arrays] for arrays in layers)
    return coefs, intercepts
