"""Checks of hyperparameters: each estimator declares rules, checked once in fit."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from inspect import get_annotations
from numbers import Integral, Real
from os import PathLike
from pathlib import Path
from tempfile import TemporaryFile
from types import UnionType
from typing import Any, get_args

import numpy as np

from ._typing import SupportsCache


class Rule:
    """What a hyperparameter may be."""

    def allowed(self) -> str:
        """Words for an error message."""
        raise NotImplementedError

    def has_type(self, value: Any) -> bool:
        """Whether the type is right, whatever the value."""
        raise NotImplementedError

    def accepts(self, value: Any) -> bool:
        """Whether the value is right, given that its type is."""
        return True


@dataclass(frozen=True)
class Number(Rule):
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
class OneOf(Rule):
    """One of a few values of the type of the first."""

    options: tuple

    @classmethod
    def of(cls, literal: Any) -> "OneOf":
        """Whatever a Literal names."""
        return cls(get_args(literal))

    def allowed(self) -> str:
        words = ", ".join(map(repr, self.options))
        return words if len(self.options) == 1 else f"one of {words}"

    def has_type(self, value: Any) -> bool:
        return isinstance(value, type(self.options[0]))

    def accepts(self, value: Any) -> bool:
        return value in self.options


@dataclass(frozen=True)
class InstanceOf(Rule):
    """Any instance of a class, described in words."""

    kind: type | UnionType
    words: str

    def allowed(self) -> str:
        return self.words

    def has_type(self, value: Any) -> bool:
        return isinstance(value, self.kind)


@dataclass(frozen=True)
class Each(Rule):
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


class AnyOf(Rule):
    """Whatever one of several rules accepts."""

    def __init__(self, *rules: Rule):
        self.rules = rules

    def allowed(self) -> str:
        return " or ".join(rule.allowed() for rule in self.rules)

    def has_type(self, value: Any) -> bool:
        return any(rule.has_type(value) for rule in self.rules)

    def accepts(self, value: Any) -> bool:
        return any(rule.has_type(value) and rule.accepts(value) for rule in self.rules)


@cache
def rules_of(owner: type) -> Mapping[str, Rule]:
    """Rules in our annotations of a class, as in ``name: Annotated[float, rule]``."""
    ours = [c for c in owner.__mro__ if c.__module__.startswith("sklearn_lai.")]
    return {
        name: rule
        for c in reversed(ours)
        for name, hint in get_annotations(c).items()
        for rule in getattr(hint, "__metadata__", ())
    }


def check(name: str, value: Any, rule: Rule) -> None:
    """Raise an error that names the parameter, its value and what is allowed."""
    if not rule.has_type(value):
        raise TypeError(
            f"{name} must be {rule.allowed()}, got {value!r} of type "
            f"{type(value).__name__}."
        )
    if not rule.accepts(value):
        raise ValueError(f"{name} must be {rule.allowed()}, got {value!r}.")


POSITIVE = Number(Real, 0, closed="neither")
BOOLEAN = InstanceOf(bool | np.bool_, "True or False")
NONE = InstanceOf(type(None), "None")
TOLERANCE = AnyOf(Number(Real, 0), OneOf(("1se",)))
FUNCTION: Any = Callable  # no class, say type checkers
SCORING = AnyOf(
    InstanceOf(str, "the name of a scikit-learn scorer"),
    InstanceOf(FUNCTION, "a callable (estimator, X, y)"),
)
MEMORY = AnyOf(
    NONE,
    InstanceOf(str | PathLike, "a folder"),
    InstanceOf(SupportsCache, "an object with the joblib.Memory interface"),
)
LAYER_SIZES = AnyOf(Number(Integral, 1), Each(Number(Integral, 1)))
BATCH_SIZE = AnyOf(OneOf(("auto",)), Number(Integral, 1))
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
