"""Checks of hyperparameters: each estimator declares rules, checked once in fit."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from os import PathLike
from pathlib import Path
from tempfile import TemporaryFile
from types import UnionType
from typing import Any, Protocol

import numpy as np


class Rule(Protocol):
    """What a hyperparameter may be."""

    def allowed(self) -> str:
        """Words for an error message."""

    def has_type(self, value: Any) -> bool:
        """Whether the type is right, whatever the value."""

    def accepts(self, value: Any) -> bool:
        """Whether the value is right, given that its type is."""


@dataclass(frozen=True)
class Number:
    """A number between two bounds; `closed` as in intervals."""

    kind: type
    low: float
    high: float = np.inf
    closed: str = "both"

    def allowed(self) -> str:
        noun = "an integer" if self.kind is Integral else "a finite number"
        if self.high == np.inf:
            sign = ">=" if self.closed in ("both", "left") else ">"
            return f"{noun} {sign} {self.low:g}"
        left = "[" if self.closed in ("both", "left") else "("
        right = "]" if self.closed in ("both", "right") else ")"
        return f"{noun} in {left}{self.low:g}, {self.high:g}{right}"

    def has_type(self, value: Any) -> bool:
        return isinstance(value, self.kind) and not isinstance(value, bool | np.bool_)

    def accepts(self, value: Any) -> bool:
        return (
            math.isfinite(value)
            and self.low <= value <= self.high
            and (value != self.low or self.closed in ("both", "left"))
            and (value != self.high or self.closed in ("both", "right"))
        )


@dataclass(frozen=True)
class OneOf:
    """One of a few values of the type of the first."""

    options: tuple

    def allowed(self) -> str:
        return "one of " + ", ".join(map(repr, self.options))

    def has_type(self, value: Any) -> bool:
        return isinstance(value, type(self.options[0]))

    def accepts(self, value: Any) -> bool:
        return value in self.options


@dataclass(frozen=True)
class Boolean:
    """True or False."""

    def allowed(self) -> str:
        return "True or False"

    def has_type(self, value: Any) -> bool:
        return isinstance(value, bool | np.bool_)

    def accepts(self, value: Any) -> bool:
        return True


@dataclass(frozen=True)
class InstanceOf:
    """Any instance of a class, described in words."""

    kind: type | UnionType
    words: str

    def allowed(self) -> str:
        return self.words

    def has_type(self, value: Any) -> bool:
        return isinstance(value, self.kind)

    def accepts(self, value: Any) -> bool:
        return True


@dataclass(frozen=True)
class Each:
    """A list, tuple or array of at least so many items, each of which keeps a rule."""

    rule: Rule
    least: int = 0
    ndim: int = 1

    def allowed(self) -> str:
        kind = "an array-like" if self.ndim == 1 else f"a {self.ndim}-D array-like"
        length = f" of at least {self.least} item(s)" if self.least else ""
        return f"{kind}{length}, each item {self.rule.allowed()}"

    def has_type(self, value: Any) -> bool:
        is_array_like = hasattr(value, "__array__") or (
            isinstance(value, Sequence) and not isinstance(value, str | bytes)
        )
        items = np.asarray(value, dtype=object)
        return (
            is_array_like
            and items.ndim == self.ndim
            and all(map(self.rule.has_type, items.flat))
        )

    def accepts(self, value: Any) -> bool:
        items = np.asarray(value, dtype=object)
        return len(items) >= self.least and all(map(self.rule.accepts, items.flat))


class AnyOf:
    """Whatever one of several rules accepts."""

    def __init__(self, *rules: Rule):
        self.rules = rules

    def allowed(self) -> str:
        return " or ".join(rule.allowed() for rule in self.rules)

    def has_type(self, value: Any) -> bool:
        return any(rule.has_type(value) for rule in self.rules)

    def accepts(self, value: Any) -> bool:
        return any(rule.has_type(value) and rule.accepts(value) for rule in self.rules)


def check(name: str, value: Any, rule: Rule) -> None:
    """Raise an error that names the parameter, its value and what is allowed."""
    if not rule.has_type(value):
        raise TypeError(
            f"{name} must be {rule.allowed()}, got {value!r} of type "
            f"{type(value).__name__}."
        )
    if not rule.accepts(value):
        raise ValueError(f"{name} must be {rule.allowed()}, got {value!r}.")


@dataclass(frozen=True)
class HasMethod:
    """Any object with a method, described in words."""

    method: str
    words: str

    def allowed(self) -> str:
        return self.words

    def has_type(self, value: Any) -> bool:
        return callable(getattr(value, self.method, None))

    def accepts(self, value: Any) -> bool:
        return True


POSITIVE = Number(Real, 0, closed="neither")
NONE = InstanceOf(type(None), "None")
K = AnyOf(POSITIVE, Each(POSITIVE), Each(POSITIVE, ndim=2))
KS = AnyOf(Number(Integral, 1), Each(POSITIVE, least=1))
FEATURE_K = AnyOf(
    NONE,
    InstanceOf(
        Mapping, "a mapping {column name or position: float or None} or FeatureK"
    ),
)
DEVICE = OneOf(("cpu", "cuda", "mps", "auto"))
MEMORY = AnyOf(
    NONE,
    InstanceOf(str | PathLike, "a folder"),
    HasMethod("cache", "an object with the joblib.Memory interface"),
)
RANDOM_STATE = AnyOf(
    NONE,
    Number(Integral, 0, 2**32 - 1),
    InstanceOf(np.random.RandomState, "a numpy.random.RandomState"),
)


def check_writable(name: str, folder: str) -> None:
    """Make a folder if need be; raise an error that names it if it takes no files."""
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ValueError(
            f"{name} must be a folder that can be written, got {folder!r}: {error}."
        ) from error


def resolve_k(
    k: Any,
    feature_k: Mapping | None,
    n_features: int,
    n_outputs: int,
    names: np.ndarray | None,
) -> np.ndarray:
    """Boundary slope of every feature, or of every output and feature if `k` is 2-D.

    NaN marks a feature that is left out. `k` and `feature_k` keep their rules; `names`
    are those of the columns.
    """
    resolved = np.array(k, dtype=np.float64)
    if resolved.shape not in ((), (n_features,), (n_outputs, n_features)):
        raise ValueError(
            f"k must be one number, one per feature, shape ({n_features},), or one per "
            f"output and feature, shape ({n_outputs}, {n_features}), got {k!r} of "
            f"shape {resolved.shape}."
        )
    if resolved.ndim == 0:
        resolved = np.full(n_features, resolved)
    set_by: dict[int, Any] = {}
    for key, k_j in (feature_k or {}).items():
        j = _column(key, n_features, names)
        if j in set_by:
            raise ValueError(
                f"feature_k names column {j} twice, as {set_by[j]!r} and {key!r}; "
                "give each column once."
            )
        set_by[j] = key
        check(f"feature_k[{key!r}]", k_j, AnyOf(POSITIVE, NONE))
        resolved[..., j] = np.nan if k_j is None else k_j
    return resolved


def _column(key: Any, n_features: int, names: np.ndarray | None) -> int:
    """Position of a column given by name or position."""
    if names is None and isinstance(key, str) and key.isdecimal():
        key = int(key)
    if not isinstance(key, str):
        rule = Number(Integral, 0, n_features - 1)
        check("a key of feature_k that is no column name", key, rule)
        return int(key)
    if names is None:
        raise ValueError(
            f"feature_k has the column name {key!r}, but X has no column names: pass "
            "X as a DataFrame with string column names (inside a pipeline, call "
            "set_output(transform='pandas') on it) or use column positions, "
            f"0 to {n_features - 1}."
        )
    positions = np.flatnonzero(np.asarray(names) == key)
    if len(positions) != 1:
        problem = "is not a column" if len(positions) == 0 else "names several columns"
        raise ValueError(
            f"feature_k has the column name {key!r}, which {problem} of X; its "
            f"columns are {', '.join(map(repr, names.tolist()))}."
        )
    return int(positions[0])
