"""Copies of a table, of its own type, with noise in some of its columns."""

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Number
from typing import Any

import numpy as np

from .._tables import (
    check_in_memory,
    column_at,
    is_boolean,
    is_frame,
    is_numeric,
)
from .._validation import check_not_masked

# Deviations that a draw of noise stays below.
LARGEST_DRAW = 10
# Of the noise, which a type must tell apart at the size of the values.
RESOLUTION = 0.01


@dataclass(frozen=True)
class Column:
    """Numbers of a column, NaN where they are missing, and the noise they are to have.

    `values` are in float64, as is the noise's standard deviation; `dtype` is the type
    in which an estimator gets them: that of the table, unless it is too short for the
    noise.
    """

    values: np.ndarray
    noise: float
    dtype: np.dtype
    is_longer: bool

    @classmethod
    def of(cls, values: np.ndarray, noise: float, name: Any) -> "Column":
        """From values in the type of a table; `noise` is in their deviations."""
        own, values = values.dtype, values.astype(np.float64)
        sd = noise * _deviation(values, name)
        with np.errstate(over="ignore"):
            largest = np.nanmax(np.abs(values), initial=0) + LARGEST_DRAW * sd
        if not np.isfinite(largest):
            raise ValueError(
                f"noise must be such that values with noise are numbers, got {noise!r} "
                f"for column {name!r} of X, whose values are too large for that."
            )
        if own.kind != "f" or (sd > 0 and not _resolves(own, largest, sd)):
            return cls(values, sd, np.dtype(np.float64), own.kind == "f")
        return cls(values, sd, own, False)

    def noisy(self, draw: np.ndarray) -> np.ndarray:
        """Values plus noise, drawn in standard deviations of it."""
        return (self.values + self.noise * draw).astype(self.dtype)


def check_rows_vary(table: Any, why: str) -> None:
    """Check that there are several rows, without which there is no deviation."""
    if len(table) < 2:
        raise ValueError(f"X must have at least 2 rows, got {len(table)}: {why}.")


def as_table(X: Any) -> Any:
    """`X` if it is a DataFrame, else a 2-D array of it."""
    check_in_memory("X", X)
    check_not_masked("X", X)
    if hasattr(X, "tocsr"):
        raise TypeError(
            f"X must be dense, got sparse data of type {type(X).__name__}; pass "
            "X.toarray()."
        )
    if not is_frame(X):
        try:
            X = np.asarray(X)
        except Exception as error:  # of whatever library it comes from
            raise ValueError(f"X must be an array-like of numbers: {error}") from error
    if len(X.shape) != 2:
        raise ValueError(
            "X must be a DataFrame or a dense array-like of two dimensions, got "
            f"{type(X).__name__} of shape {X.shape}."
        )
    if 0 in X.shape:
        raise ValueError(
            f"X must have at least one row and one column, got shape {X.shape}."
        )
    return X


def labels_of(table: Any) -> list:
    """What columns are called: by their names, or by their positions."""
    return list(getattr(table, "columns", range(table.shape[1])))


def column_names(table: Any) -> np.ndarray | None:
    """Names of the columns, if all of them are strings, as scikit-learn has it."""
    names = list(getattr(table, "columns", []))
    if not names or not all(isinstance(name, str) for name in names):
        return None
    return np.array(names, dtype=object)


def numeric_columns(table: Any, noise: Mapping[int, float]) -> dict[int, Column]:
    """Those columns that are numeric, of the ones to have noise, by position."""
    found, labels = {}, labels_of(table)
    for j, sd in noise.items():
        values = _numbers(table, j)
        if values is not None:
            found[j] = Column.of(values, sd, labels[j])
    return found


def in_types_of(columns: Mapping[int, Column], table: Any) -> Any:
    """The table without noise, in types that can have it."""
    if isinstance(table, np.ndarray):
        types = [column.dtype for column in columns.values()]
        return table.astype(np.result_type(table, *types), copy=False)
    longer = {j: column.values for j, column in columns.items() if column.is_longer}
    return with_columns(table, longer) if longer else table


def predictions(estimator: Any, table: Any) -> np.ndarray:
    """Predictions in float64; raises an error if they are no finite numbers."""
    predicted = np.asarray(estimator.predict(table))
    if predicted.dtype.kind not in "biuf" or len(table) != len(
        np.atleast_1d(predicted)
    ):
        raise TypeError(
            f"estimator must predict a number for each of the {len(table)} rows of X, "
            f"got an array of {predicted.dtype} of shape {predicted.shape}."
        )
    predicted = predicted.astype(np.float64, copy=False)
    if not np.isfinite(predicted).all():
        raise ValueError(
            "estimator must predict finite numbers, got infinity, NaN or values too "
            "large for float64."
        )
    return predicted


def _deviation(values: np.ndarray, name: Any) -> float:
    """Standard deviation, without the overflow and underflow of squares."""
    largest = np.nanmax(np.abs(values), initial=0)
    if np.isinf(largest):
        raise ValueError(
            "X must have finite or missing values where it is to have noise, got "
            f"infinite ones in {name!r}."
        )
    if np.isnan(values).all():
        return 0.0
    _, exponent = np.frexp(largest)
    return float(np.ldexp(np.nanstd(np.ldexp(values, -exponent)), exponent))


def _resolves(dtype: np.dtype, largest: float, sd: float) -> bool:
    """Whether a float type tells values apart that differ by a share of the noise."""
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.spacing(dtype.type(largest)) <= RESOLUTION * sd)


def _numbers(table: Any, j: int) -> np.ndarray | None:
    """Values of a column, in a float type if some are missing; None if no numbers.

    True and false are numbers in an array, which may have nothing else for them.
    """
    column = column_at(table, j)
    if is_boolean(column) and not isinstance(table, np.ndarray):
        return None
    if is_numeric(column):
        values = np.asarray(column)
        if values.dtype.kind == "O" and hasattr(table, "iloc"):  # pandas.NA among them
            values = column.to_numpy(np.float64, na_value=np.nan)
    elif column.dtype == object:
        values = np.asarray(column)
    else:
        return None
    if values.dtype.kind == "O":
        return _of_objects(values, is_array=isinstance(table, np.ndarray))
    return values if values.dtype.kind in "biuf" else None


def _of_objects(values: np.ndarray, *, is_array: bool) -> np.ndarray | None:
    """Objects that are numbers or missing, as floats; None if there are others."""
    floats = np.full(len(values), np.nan)
    no_number: Any = complex | np.complexfloating | np.timedelta64
    if not is_array:
        no_number |= bool | np.bool_
    for i, value in enumerate(values):
        if value is None or type(value).__name__ == "NAType":
            continue
        if not isinstance(value, Number | np.bool_) or isinstance(value, no_number):
            return None
        try:
            floats[i] = float(value)  # type: ignore[arg-type]
        except OverflowError:
            floats[i] = np.inf
    return None if np.isnan(floats).all() else floats


def with_columns(table: Any, columns: Mapping[int, np.ndarray]) -> Any:
    """Copy of a table, of its type, with other values in some columns, by position."""
    if isinstance(table, np.ndarray):
        table = table.astype(np.result_type(table, *columns.values()))
        for j, values in columns.items():
            table[:, j] = values
    elif hasattr(table, "iloc"):
        table = table.copy()
        for j, values in columns.items():
            table.isetitem(j, values)
    else:
        table = table.clone()
        for j, values in columns.items():
            old = table.to_series(j)
            has_null = old.null_count() > 0
            new = type(old)(old.name, values, nan_to_null=has_null)
            table.replace_column(j, new)
    return table
