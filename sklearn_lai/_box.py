"""Boxes of inputs: the range of data, and the ends that a user gives."""

import math
from collections.abc import Mapping
from functools import reduce
from numbers import Integral, Real
from typing import Any, NamedTuple, Self

import numpy as np

from ._blocks import row_blocks
from ._columns import OF_SUBSETS, by_position, is_labelled
from ._validation import NONE, AnyOf, Each, InstanceOf, Number, Rule, check

BLOCK_BYTES = 2**20
MAX_BOXES = Number(Integral, 1)


class Box(NamedTuple):
    """Lower and upper ends, (n_features,) each."""

    lower: np.ndarray
    upper: np.ndarray

    @classmethod
    def of(cls, X: np.ndarray) -> Self:
        """The range of rows."""
        row_bytes = X.shape[1] * X.itemsize
        blocks = (X[rows] for rows in row_blocks(len(X), row_bytes, BLOCK_BYTES))
        return reduce(cls.joined, (cls(b.min(axis=0), b.max(axis=0)) for b in blocks))

    @classmethod
    def everywhere(cls, n_features: int) -> Self:
        """All there is."""
        return cls(np.full(n_features, -np.inf), np.full(n_features, np.inf))

    def joined(self, other: "Box") -> Self:
        """The least box that has both."""
        return type(self)(
            np.minimum(self.lower, other.lower), np.maximum(self.upper, other.upper)
        )


class End(Rule):
    """A number, or infinity on the side where the box may be open."""

    def __init__(self, infinity: float):
        self.infinity = infinity

    def allowed(self) -> str:
        return f"a finite number or {self.infinity}"

    def has_type(self, value: Any) -> bool:
        return FINITE.has_type(value)

    def accepts(self, value: Any) -> bool:
        return FINITE.accepts(value) or value == self.infinity


FINITE = Number(Real, -np.inf)
ENDS = {"lower": End(-math.inf), "upper": End(math.inf)}
RULES = {
    name: AnyOf(
        NONE,
        end,
        Each(end),
        InstanceOf(Mapping, "a mapping {column name or position: number or None}"),
    )
    for name, end in ENDS.items()
}


def resolve_box(lower: Any, upper: Any, default: Box, names: np.ndarray | None) -> Box:
    """The box in float64 that a user means; `names` are those of the columns."""
    ends = {"lower": lower, "upper": upper}
    box = Box(
        *(
            _resolve_end(name, value, side.astype(np.float64), names)
            for (name, value), side in zip(ends.items(), default, strict=True)
        )
    )
    for j in np.flatnonzero(box.lower > box.upper)[:1]:
        which = j if names is None else repr(names[j])
        raise ValueError(
            f"lower must be <= upper in every column, got lower={box.lower[j]:g} and "
            f"upper={box.upper[j]:g} in column {which}; where one is not given, it is "
            "the end of the training data."
        )
    return box


def _resolve_end(
    name: str, value: Any, default: np.ndarray, names: np.ndarray | None
) -> np.ndarray:
    """One end of the box in every column."""
    if value is None:
        return default
    check(name, value, RULES[name])
    n_features = len(default)
    if isinstance(value, Mapping) or is_labelled(value, name):
        for j, (key, end) in by_position(value, name, n_features, names).items():
            check(f"{name}[{key!r}]", end, AnyOf(ENDS[name], NONE))
            default[j] = default[j] if end is None else end
        return default
    values = np.asarray(value, dtype=np.float64)
    if values.shape not in ((), (n_features,)):
        raise ValueError(
            f"{name} must be one number, one per feature, shape ({n_features},), or a "
            f"mapping, got {value!r} of shape {values.shape}. {OF_SUBSETS}"
        )
    return np.broadcast_to(values, n_features).copy()
