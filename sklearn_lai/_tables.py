"""Data as users pass it: that it is in memory, and numbers.

NumPy would make numbers of text, dates and durations without a word.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.ma import MaskedArray
from sklearn.utils import assert_all_finite

from ._validation import POSITIVE, check, check_not_masked, shown

# Kinds of types of NumPy; what complex numbers are not good for, scikit-learn says.
NUMERIC = "biufc"
TEXT, TIMES = "US", "mM"
MOMENTS: Any = np.timedelta64 | np.datetime64 | date | timedelta


def check_data_is_numeric(name: str, data: Any) -> None:
    """Raise an error that names the data, and the column, where it is no numbers.

    What has another fault, such as a third dimension, is left to scikit-learn.
    """
    if isinstance(data, np.ndarray) and not isinstance(data, MaskedArray):
        if data.dtype.kind in NUMERIC:
            return
    else:
        check_not_masked(name, data)
    check_in_memory(name, data)
    for column, values in _doubtful(name, data):
        text = _first_text(values)
        if values.dtype.kind in TEXT or text is not None:
            raise ValueError(
                f"{column} must have numbers, got text such as {shown(text)}; convert "
                "it explicitly, as by astype(float)."
            )
        if values.dtype.kind in TIMES:
            raise ValueError(
                f"{column} must have numbers, got dates or durations of type "
                f"{values.dtype}; convert them explicitly, as to seconds."
            )
        if values.dtype.kind == "O":
            _check_objects(column, values)


def check_in_memory(name: str, data: Any) -> None:
    """Raise an error for a table of Dask, polars and the like that is not computed."""
    is_table = hasattr(type(data), "columns") or "columns" in getattr(
        data, "__dict__", ()
    )
    for method in ("compute", "collect"):
        if is_table and hasattr(data, method):
            kind = f"{type(data).__module__.partition('.')[0]}.{type(data).__name__}"
            raise TypeError(
                f"{name} must be in memory, got a {kind}, which is not computed; pass "
                f"{name}.{method}()."
            )


def is_frame(data: Any) -> bool:
    """Whether it is a DataFrame, whose columns can be had by their positions."""
    has_columns = hasattr(data, "iloc") or hasattr(data, "to_series")
    return has_columns and hasattr(data, "columns")


def is_numeric(column: Any) -> bool:
    """Whether the type of a column is one of numbers, true and false among them."""
    dtype = column.dtype
    if hasattr(dtype, "is_numeric"):  # polars
        return bool(dtype.is_numeric()) or is_boolean(column)
    return dtype.kind in NUMERIC


def is_boolean(column: Any) -> bool:
    """Whether the type of a column is one of true and false."""
    return getattr(column.dtype, "kind", "") == "b" or str(column.dtype) == "Boolean"


def column_at(table: Any, j: int) -> Any:
    """Column of an array or a DataFrame, of pandas, polars and the like."""
    if isinstance(table, np.ndarray):
        return table[:, j]
    return table.iloc[:, j] if hasattr(table, "iloc") else table.to_series(j)


def check_targets(y: Any, n_samples: int) -> np.ndarray:
    """Targets in float64, shape (n_samples, n_outputs); they are finite numbers."""
    check_data_is_numeric("y", y)
    targets = np.asarray(y)
    if targets.ndim not in (1, 2) or len(targets) != n_samples or not targets.size:
        raise ValueError(
            "y must have shape (n_samples,) or (n_samples, n_outputs) with "
            f"{n_samples} samples as X, got shape {targets.shape}."
        )
    if targets.dtype.kind == "c":
        raise ValueError(f"y must have real numbers, got {shown(y)}.")
    # Sums of what is finite may be infinite, and of infinities NaN.
    with np.errstate(over="ignore", invalid="ignore"):
        targets = targets.astype(np.float64)
        assert_all_finite(targets, input_name="y")
    return targets.reshape(n_samples, -1)


def check_n_outputs(found: int, needed: int, name: str, like: str) -> None:
    """Raise an error that names what has not as many outputs as something else."""
    if found != needed:
        raise ValueError(f"{name} must have {needed} output(s) as {like}, got {found}.")


def check_weight(
    sample_weight: Any, n_samples: int, name: str = "sample_weight"
) -> np.ndarray | None:
    """Weights of the samples in float64, None if there are none."""
    if sample_weight is None:
        return None
    check_data_is_numeric(name, sample_weight)
    values = np.asarray(sample_weight)
    if values.ndim == 0:
        check(name, values[()], POSITIVE)
        values = np.full(n_samples, values)
    if values.shape != (n_samples,):
        raise ValueError(
            f"{name} must have one weight per sample, shape ({n_samples},), got shape "
            f"{values.shape}; or pass one number."
        )
    if values.dtype.kind == "c":
        raise ValueError(f"{name} must have real numbers, got {shown(sample_weight)}.")
    with np.errstate(over="ignore"):
        weight = values.astype(np.float64)
    assert_all_finite(weight, input_name=name)
    if (weight < 0).any() or not weight.any():
        raise ValueError(
            f"{name} must be >= 0 and not all zero, got weights from "
            f"{weight.min():g} to {weight.max():g}."
        )
    with np.errstate(over="ignore"):
        total = weight.sum()
    if not np.finfo(np.float64).tiny * n_samples <= total < np.inf:
        raise ValueError(
            f"{name} must have a sum that is a normal number, got {total:g}."
        )
    return weight


def _doubtful(name: str, data: Any) -> Iterator[tuple[str, np.ndarray]]:
    """What is no array of numbers by its type, with what an error calls it."""
    if is_frame(data):
        for j, label in enumerate(data.columns):
            column = column_at(data, j)
            if not is_numeric(column):
                yield f"Column {label!r} of {name}", np.asarray(column)
        return
    try:
        values = np.asarray(data)
    except Exception as error:  # of whatever library it comes from
        raise ValueError(f"{name} must be an array-like of numbers: {error}") from error
    # Sparse data is an object of no dimension.
    if values.dtype.kind not in NUMERIC and values.ndim > 0:
        yield name, values


def _first_text(values: np.ndarray) -> str | bytes | None:
    """A text among values of any type."""
    if values.dtype.kind not in TEXT + "O":
        return None
    return next((v for v in values.flat if isinstance(v, str | bytes)), None)


def _check_objects(name: str, values: np.ndarray) -> None:
    """Raise an error that has the one of NumPy where objects are no numbers."""
    of_time = next((v for v in values.flat if isinstance(v, MOMENTS)), None)
    if of_time is not None:
        raise ValueError(
            f"{name} must have numbers, got dates or durations such as "
            f"{shown(of_time)}; convert them explicitly, as to seconds."
        )
    try:
        values.astype(np.float64)
    except OverflowError as error:
        raise ValueError(
            f"{name} must have numbers that float64 can hold: {error}."
        ) from error
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name} must have numbers: {error}") from error
