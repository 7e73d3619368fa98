"""Values for single columns, by their names or positions."""

from collections.abc import Mapping
from numbers import Integral
from typing import Any

import numpy as np

from ._validation import Number, check


def by_position(
    values: Mapping, parameter: str, n_features: int, names: np.ndarray | None
) -> dict[int, tuple[Any, Any]]:
    """Key and value of each column that a mapping names, by its position.

    `names` are those of the columns, if they have some, `parameter` that of the
    mapping, for errors.
    """
    found: dict[int, tuple[Any, Any]] = {}
    for key, value in values.items():
        j = _position(key, parameter, n_features, names)
        if j in found:
            raise ValueError(
                f"{parameter} names column {j} twice, as {found[j][0]!r} and {key!r}; "
                "give each column once."
            )
        found[j] = key, value
    return found


def _position(
    key: Any, parameter: str, n_features: int, names: np.ndarray | None
) -> int:
    if names is None and isinstance(key, str) and key.isdecimal():
        key = int(key)
    if not isinstance(key, str):
        rule = Number(Integral, 0, n_features - 1)
        check(f"a key of {parameter} that is no column name", key, rule)
        return int(key)
    if names is None:
        raise ValueError(
            f"{parameter} has the column name {key!r}, but X has no column names: pass "
            "X as a DataFrame with string column names (inside a pipeline, call "
            "set_output(transform='pandas') on it) or use column positions, "
            f"0 to {n_features - 1}."
        )
    positions = np.flatnonzero(np.asarray(names) == key)
    if len(positions) != 1:
        problem = "is not a column" if len(positions) == 0 else "names several columns"
        raise ValueError(
            f"{parameter} has the column name {key!r}, which {problem} of X; its "
            f"columns are {', '.join(map(repr, names.tolist()))}."
        )
    return int(positions[0])
