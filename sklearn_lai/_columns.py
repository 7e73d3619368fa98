"""Values for single columns, by their names or positions."""

from collections.abc import Iterable, Mapping
from numbers import Integral
from typing import Any

import numpy as np

from ._validation import Number, check

# Ends errors that have this cause where the user has made no mistake in the columns.
OF_SUBSETS = (
    "Where the estimator is fitted to some of the columns, as by RFE, "
    "SequentialFeatureSelector or BaggingRegressor(max_features=...), neither their "
    "names nor their positions hold: give one value for all features, or select "
    "features before."
)


def by_position(
    values: Any, parameter: str, n_features: int, names: np.ndarray | None
) -> dict[int, tuple[Any, Any]]:
    """Key and value of each column that is named, by its position.

    `values` is a mapping, or labelled; with a table, the value is a column of it.
    `names` are those of the columns, if they have some, `parameter` is what errors call
    the values.
    """
    found: dict[int, tuple[Any, Any]] = {}
    for key, value in _items(values):
        j = position_of(key, parameter, n_features, names)
        if j in found:
            raise ValueError(
                f"{parameter} names column {j} twice, as {found[j][0]!r} and {key!r}; "
                "give each column once."
            )
        found[j] = key, value
    return found


def positions_of_rows(
    values: Any, parameter: str, n_features: int, names: np.ndarray | None
) -> list[int]:
    """Position of the column that each row of a labelled table stands for.

    A table without labels of rows, as of polars, has them in the order of its columns.
    """
    labels = list(getattr(values, "index", values.columns))
    return [position_of(label, parameter, n_features, names) for label in labels]


def is_labelled(values: Any, parameter: str) -> bool:
    """Whether it is a Series or DataFrame whose labels are names of the columns.

    Labels that are no names must be those that count, lest their order be forgotten.
    """
    labels = _labels(values)
    if any(isinstance(label, str) for label in labels):
        return True
    if labels != list(range(len(labels))):
        raise ValueError(
            f"{parameter} has labels that are neither names of columns nor 0, 1, 2 and "
            f"so on, {labels!r}; pass {parameter}.to_numpy(), which goes by position."
        )
    return False


def _labels(values: Any) -> list:
    """Labels of the items of a pandas Series, or of the columns of a DataFrame."""
    if hasattr(values, "columns"):
        return list(values.columns)
    return list(values.keys()) if hasattr(values, "keys") else []


def _items(values: Any) -> Iterable[tuple[Any, Any]]:
    """Keys and values of a mapping, or labels and what they stand for."""
    if isinstance(values, Mapping):
        return values.items()
    return zip(_labels(values), np.asarray(values).T, strict=True)


def position_of(
    key: Any, parameter: str, n_features: int, names: np.ndarray | None
) -> int:
    """Position of a column that is given by its name or position."""
    if names is None and isinstance(key, str) and key.isdecimal():
        key = int(key)
    if not isinstance(key, str):
        _check_position(key, parameter, n_features)
        return int(key)
    if names is None:
        raise ValueError(
            f"{parameter} has the column name {key!r}, but X has no column names: pass "
            "X as a DataFrame with string column names (inside a pipeline, call "
            "set_output(transform='pandas') on it) or use column positions, "
            f"0 to {n_features - 1}. AdaBoostRegressor, BaggingRegressor, "
            "RegressorChain and other meta-estimators turn a DataFrame into an array, "
            f"so that only positions are left. {OF_SUBSETS}"
        )
    positions = np.flatnonzero(np.asarray(names) == key)
    if len(positions) != 1:
        problem = "is not a column" if len(positions) == 0 else "names several columns"
        raise ValueError(
            f"{parameter} has the column name {key!r}, which {problem} of X; its "
            f"columns are {', '.join(map(repr, names.tolist()))}."
        )
    return int(positions[0])


def _check_position(key: Any, parameter: str, n_features: int) -> None:
    name = f"a key of {parameter} that is no column name"
    try:
        check(name, key, Number(Integral, 0, n_features - 1))
    except ValueError as error:
        raise ValueError(f"{error} {OF_SUBSETS}") from None
