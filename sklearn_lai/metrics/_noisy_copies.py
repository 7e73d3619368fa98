"""Copies of a table, of its own type, with noise in some of its columns."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Column:
    """Floats of a numeric column, NaN where they are missing, and their deviation."""

    values: np.ndarray
    sd: float

    def noisy(self, draw: np.ndarray) -> np.ndarray:
        """Values plus noise, drawn in standard deviations of the column."""
        return (self.values + self.sd * draw).astype(self.values.dtype)


def as_table(X: Any) -> Any:
    """`X` if it is a DataFrame, else a 2-D array of it."""
    if hasattr(X, "columns"):
        return X
    array = np.asarray(X)
    if array.ndim != 2:
        raise ValueError(
            "X must be a DataFrame or a dense array-like of two dimensions, got "
            f"{type(X).__name__} of shape {array.shape}."
        )
    return array


def column_names(table: Any) -> np.ndarray | None:
    """Names of the columns, if all of them are strings, as scikit-learn has it."""
    names = list(getattr(table, "columns", []))
    if not names or not all(isinstance(name, str) for name in names):
        return None
    return np.array(names, dtype=object)


def numeric_columns(table: Any, positions: Iterable[int]) -> dict[int, Column]:
    """Those of the columns that are numeric, by position."""
    found = {}
    for j in positions:
        values = _numbers(table, j)
        if values is not None:
            found[j] = Column(values, _deviation(values))
    return found


def _deviation(values: np.ndarray) -> float:
    """Standard deviation; NaN with infinite values, of which NumPy would warn."""
    if np.isnan(values).all():
        return 0.0
    return np.nan if np.isinf(values).any() else float(np.nanstd(values))


def _numbers(table: Any, j: int) -> np.ndarray | None:
    """Values of a column as floats; None if they are categories, booleans or others."""
    column: Any
    if isinstance(table, np.ndarray):
        column, is_numeric = table[:, j], table.dtype.kind in "iuf"
    elif hasattr(table, "iloc"):
        column = table.iloc[:, j]
        is_numeric = column.dtype.kind in "iuf"
    else:
        column = table.to_series(j)
        is_numeric = column.dtype.is_integer() or column.dtype.is_float()
    if not is_numeric:
        return None
    values = np.asarray(column)
    if values.dtype.kind == "O":  # pandas.NA among numbers, before pandas 3
        values = column.to_numpy(np.float64, na_value=np.nan)
    return values if values.dtype.kind == "f" else values.astype(np.float64)


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
