"""Units: standardised for training, the caller's in the fitted weights."""

from dataclasses import dataclass
from functools import partial
from typing import Self

import numpy as np
from numpy.typing import DTypeLike

from ._peers import ALONE, Peers
from ._statistics import ColumnStatistics

# Factor between sizes of columns and numbers that the type of the data has not.
MARGIN = 2.0**10
# For those who search for its words.
MLP_REGRESSOR_SAYS = (
    '(MLPRegressor: "Solver produced non-finite parameter weights. The input data may '
    'contain large values and need to be preprocessed.")'
)

# Change of an origin or a unit, in shares of the unit, that is a little.
LITTLE = 0.1

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
        in the caller's. Uncentred, the unit of a constant column is its magnitude.
        `columns` are the names of the columns of `name`, for errors.
        """
        _check_sizes(statistics, name, columns, centre=centre, dtype=dtype)
        mean, is_constant = statistics.mean, statistics.is_constant_but_for_rounding()
        of_constant = np.full_like(mean, constant_unit)
        if not centre:
            of_constant = np.where(mean == 0, 1.0, np.abs(mean))
        unit = np.where(is_constant, of_constant, np.sqrt(statistics.variance))
        mean = mean if centre else np.zeros_like(mean)
        # Rounded here, so that standardising and folding use the same numbers.
        return cls(mean.astype(dtype), unit.astype(dtype))

    @classmethod
    def raw(
        cls,
        statistics: ColumnStatistics,
        name: str,
        columns: np.ndarray | None = None,
        *,
        centre: bool = False,
        fixed: bool = False,
        dtype: DTypeLike = np.float64,
    ) -> Self:
        """The unit 1, and the mean if centred, or of columns that are `fixed`."""
        _check_sizes(statistics, name, columns, centre=centre, dtype=dtype)
        mean = np.where(statistics.is_constant & fixed, statistics.mean, 0.0)
        mean = statistics.mean if centre else mean
        return cls(mean.astype(dtype), np.ones_like(mean, dtype))

    def standardise(self, array: np.ndarray) -> np.ndarray:
        """Fresh, C-contiguous array in these units."""
        standardised = np.subtract(array, self.mean, order="C")
        standardised /= self.unit
        return standardised

    def is_constant(self) -> np.ndarray:
        """Which columns are 0 in these units."""
        return np.isinf(self.unit)


Statistics = tuple[ColumnStatistics, ColumnStatistics]  # of X and y


def statistics_of(
    X: np.ndarray,
    y: np.ndarray,
    sample_weight: np.ndarray | None = None,
    *,
    robust: bool = False,
    peers: Peers = ALONE,
) -> Statistics:
    """Statistics of the rows of all peers.

    `robust` are those of most targets, whatever the others.
    """
    of_X = peers.total(ColumnStatistics.of(X, sample_weight))
    if robust:
        of_all = peers.rows(y), peers.rows(sample_weight)
        return of_X, ColumnStatistics.of_most(*of_all)
    return of_X, peers.total(ColumnStatistics.of(y, sample_weight))


@dataclass(frozen=True)
class Units:
    """Units of the features and of the outputs, and the statistics they come from.

    `silent` outputs are constant but for rounding, and their mean exactly.
    """

    X: Scale
    y: Scale
    statistics: Statistics | None = None
    silent: np.ndarray | None = None

    @classmethod
    def of(
        cls,
        statistics: Statistics,
        *,
        standardize: bool = True,
        centre: bool = True,
        fixed: bool = False,
        names: np.ndarray | None = None,
        dtype: DTypeLike = np.float64,
    ) -> Self:
        """Standard units of data with these statistics, or those of the data itself.

        Constant features have no influence; uncentred, they are as good as any. With
        `fixed`, constant targets are exact in the units of the data, too. `names` are
        those of the features, for errors.
        """
        of_X, of_y = statistics
        is_rounding = of_y.is_constant_but_for_rounding()
        silent = is_rounding if centre else of_y.is_constant & fixed
        if not standardize:
            raw = partial(Scale.raw, centre=centre, dtype=dtype)
            y = raw(of_y, "y", fixed=fixed)
            return cls(raw(of_X, "X", names), y, silent=silent)
        standard = partial(Scale.standard, centre=centre, dtype=dtype)
        X = standard(of_X, "X", names, constant_unit=np.inf)
        y = standard(of_y, "y")
        _check_slopes(X, y, names)
        return cls(X, y, statistics, silent)

    def constant_outputs(self) -> np.ndarray:
        """Which outputs are known to be constant."""
        nothing = np.zeros(len(self.y.unit), dtype=bool)
        return nothing if self.silent is None else self.silent

    def standardise_y(self, y: np.ndarray) -> np.ndarray:
        """Fresh targets in these units; outputs known to be constant are 0."""
        standardised = self.y.standardise(y)
        # Not what rounding of the mean to the type of the data has left.
        standardised[:, self.constant_outputs()] = 0
        return standardised

    def fold(self, layers: Layers) -> Layers:
        """Weights, given in these units, of the same function in the caller's.

        An output whose target is constant is that constant.
        """
        coefs, intercepts = _cast(layers, np.float64)
        unit = np.where(self.constant_outputs(), 0, self.y.unit)
        coefs[0] = coefs[0] / self.X.unit[:, None]
        intercepts[0] = intercepts[0] - self.X.mean @ coefs[0]
        coefs[-1] = coefs[-1] * unit
        intercepts[-1] = intercepts[-1] * unit + self.y.mean
        return _cast((coefs, intercepts), self.X.unit.dtype)

    def unfold(self, layers: Layers, lost: Layers | None = None) -> Layers:
        """Inverse of `fold`; weights that it loses are those of `lost`, or 0."""
        coefs, intercepts = _cast(layers, np.float64)
        intercepts[-1] = (intercepts[-1] - self.y.mean) / self.y.unit
        coefs[-1] = coefs[-1] / self.y.unit
        intercepts[0] = intercepts[0] + self.X.mean @ coefs[0]
        unit = np.where(self.X.is_constant(), 0, self.X.unit)
        coefs[0] = coefs[0] * unit[:, None]
        if lost is not None:
            idle = self.X.is_constant()
            coefs[0][idle] = lost[0][0][idle]
            coefs, intercepts = with_silent((coefs, intercepts), self, lost)
        return _cast((coefs, intercepts), self.X.unit.dtype)


def lost_by_folding(units: Units, layers: Layers) -> Layers | None:
    """Weights in these units, if folding loses some of them."""
    loses = units.X.is_constant().any() or units.constant_outputs().any()
    return layers if loses else None


def with_silent(layers: Layers, earlier: Units, lost: Layers) -> Layers:
    """The layers, with the weights of outputs that were constant in earlier units."""
    coefs, intercepts = _cast(layers, layers[0][0].dtype)
    silent = earlier.constant_outputs()
    coefs[-1][:, silent] = lost[0][-1][:, silent]
    intercepts[-1][silent] = lost[1][-1][silent]
    return coefs, intercepts


def carried(layers: Layers, earlier: Units, units: Units) -> Layers:
    """Weights in new units, made in earlier ones of fewer rows.

    They give the same function, but for columns whose origin or unit has changed by
    more than a little: the function says nothing far from the rows it was made from.
    Those weights stay as they are, in units of training.
    """
    coefs, intercepts = _cast(layers, np.float64)
    ratio, shift, is_near = _change(earlier.X, units.X)
    shift = np.where(is_near, shift, 0.0)
    intercepts[0] = intercepts[0] + shift @ coefs[0]
    coefs[0] = coefs[0] * np.where(is_near, ratio, 1.0)[:, None]
    ratio, shift, is_near = _change(earlier.y, units.y)
    is_near &= ~earlier.constant_outputs()
    ratio, shift = np.where(is_near, ratio, 1.0), np.where(is_near, shift, 0.0)
    coefs[-1] = coefs[-1] / ratio
    intercepts[-1] = (intercepts[-1] - shift) / ratio
    return _cast((coefs, intercepts), units.X.unit.dtype)


def _change(earlier: Scale, scale: Scale) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """New units and origins, in earlier ones, and where they are nearly those."""
    with np.errstate(invalid="ignore"):
        ratio = scale.unit.astype(np.float64) / earlier.unit
        shift = (scale.mean.astype(np.float64) - earlier.mean) / earlier.unit
    is_near = (np.abs(ratio - 1) <= LITTLE) & (np.abs(shift) <= LITTLE)
    return ratio, shift, is_near


def _check_sizes(
    statistics: ColumnStatistics,
    name: str,
    columns: np.ndarray | None,
    *,
    centre: bool,
    dtype: DTypeLike,
) -> None:
    """Raise an error that names a column too small or large to compute with."""
    what = "variance" if centre else "mean square"
    square = statistics.variance if centre else statistics.power
    matters = ~statistics.is_constant_but_for_rounding()
    if not centre:
        matters |= statistics.mean != 0
    info, size = np.finfo(dtype), np.sqrt(square)
    largest = float(info.max) / MARGIN
    is_small = ~statistics.has_normal_sum(square) | (size < MARGIN * info.tiny)
    is_large = ~np.isfinite(square) | (np.maximum(size, statistics.mean) > largest)
    is_large |= statistics.mean < -largest
    for column in np.flatnonzero((is_small | is_large) & matters):
        which = column if columns is None else repr(columns[column])
        problem, more = "small", ""
        weight = " or sample_weight" if statistics.weight < 1 else ""
        if is_large[column]:
            problem, more = "large", f" {MLP_REGRESSOR_SAYS}"
        raise ValueError(
            f"The values in column {which} of {name} are too {problem} for their "
            f"{what} to be a normal number in {info.dtype}; rescale the column{weight}."
            f"{more}"
        )


def check_raw(
    statistics: ColumnStatistics, columns: np.ndarray | None, dtype: DTypeLike
) -> None:
    """Raise an error if features are too large to train on without a unit.

    Optimisers square gradients, which have the squares of the features.
    """
    info, size = np.finfo(dtype), np.sqrt(statistics.power)
    for column in np.flatnonzero(size > (float(info.max) / MARGIN) ** 0.25):
        which = column if columns is None else repr(columns[column])
        raise ValueError(
            f"The values in column {which} of X are too large, {size[column]:.2g}, to "
            f"train on in {info.dtype} with standardize=False: rescale the column, or "
            "set standardize=True."
        )


def _check_slopes(X: Scale, y: Scale, names: np.ndarray | None) -> None:
    """Raise an error if slopes of the size 1, in these units, are too large."""
    unit, info = X.unit.astype(np.float64), np.finfo(X.unit.dtype)
    column = int(unit.argmin())
    with np.errstate(over="ignore"):
        largest = y.unit.max() / unit[column]
    if largest > float(info.max) / MARGIN:
        which = column if names is None else repr(names[column])
        raise ValueError(
            f"Slopes of y to column {which} of X are too large for {info.dtype}: "
            "rescale y or the column, or pass float64 data."
        )


def _cast(layers: Layers, dtype: DTypeLike) -> Layers:
    """Fresh lists of the weights in a float type."""
    coefs, intercepts = ([array.astype(dtype) for array in arrays] for arrays in layers)
    return coefs, intercepts
