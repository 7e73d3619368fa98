"""Checks of parameters: rules in annotations, of estimators and of functions.

An estimator has its hyperparameters checked in fit, a function that is `checked` its
arguments before it runs.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, wraps
from inspect import get_annotations, signature
from numbers import Integral, Real
from os import PathLike, fspath
from pathlib import Path
from tempfile import TemporaryFile
from types import UnionType
from typing import Any, TypeVar, get_args

import numpy as np
from numpy.ma import MaskedArray, is_masked

Function = TypeVar("Function", bound=Callable[..., Any])

# Of what an error shows of a value.
LONGEST = 200
# Integers that arrays can count.
INT64 = np.iinfo(np.int64)
# What is a number to us: torch and NumPy fail on others, such as fractions.
NUMBERS: Mapping[type, tuple[type, ...]] = {
    Integral: (int, np.integer),
    Real: (int, float, np.integer, np.floating),
}


# Sequences that are no lists of numbers.
RAW: Any = str | bytes | bytearray | memoryview


class Rule:
    """What a parameter may be."""

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
        if self.low == -np.inf:
            return noun
        if self.high == np.inf:
            sign = ">=" if self.closed in ("both", "left") else ">"
            return f"{noun} {sign} {self.low:g}"
        left = "[" if self.closed in ("both", "left") else "("
        right = "]" if self.closed in ("both", "right") else ")"
        return f"{noun} in {left}{self.low:g}, {self.high:g}{right}"

    def has_type(self, value: Any) -> bool:
        # Durations of NumPy are integers to it.
        no_number = bool | np.bool_ | np.timedelta64
        return isinstance(value, NUMBERS[self.kind]) and not isinstance(
            value, no_number
        )

    def accepts(self, value: Any) -> bool:
        is_whole = isinstance(value, int | np.integer)
        number = int(value) if is_whole else float(value)
        return (
            (INT64.min <= number <= INT64.max if is_whole else math.isfinite(number))
            and self.low <= number <= self.high
            and (number != self.low or self.closed in ("both", "left"))
            and (number != self.high or self.closed in ("both", "right"))
        )


class NotANumber(Rule):
    """NaN, where nothing is known or meant."""

    def allowed(self) -> str:
        return "NaN"

    def has_type(self, value: Any) -> bool:
        return isinstance(value, float | np.floating)

    def accepts(self, value: Any) -> bool:
        return value != value


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
class HasMethod(Rule):
    """Any instance of a class with a method, described in words."""

    method: str
    words: str

    def allowed(self) -> str:
        return self.words

    def has_type(self, value: Any) -> bool:
        return hasattr(value, self.method) and not isinstance(value, type | RAW)


@dataclass(frozen=True)
class Iterated(Rule):
    """Anything that can be iterated over but text, described in words."""

    words: str

    def allowed(self) -> str:
        return self.words

    def has_type(self, value: Any) -> bool:
        try:
            iter(value)
        except TypeError:  # arrays without dimensions have the method, too
            return False
        return not isinstance(value, type | RAW)


@dataclass(frozen=True)
class Each(Rule):
    """A list, tuple or array of so many items, each of which keeps a rule."""

    rule: Rule
    least: int = 0
    most: float = np.inf
    ndim: int = 1

    def allowed(self) -> str:
        kind = "an array-like" if self.ndim == 1 else f"a {self.ndim}-D array-like"
        length = f" of at least {self.least} item(s)" if self.least else ""
        length += f", at most {self.most}" if self.most < np.inf else ""
        return f"{kind}{length}, each item {self.rule.allowed()}"

    def has_type(self, value: Any) -> bool:
        items = _items(value)
        return (
            items is not None
            and items.ndim == self.ndim
            and all(map(self.rule.has_type, items.flat))
        )

    def accepts(self, value: Any) -> bool:
        items = _items(value)
        return (
            items is not None
            and self.least <= len(items) <= self.most
            and all(map(self.rule.accepts, items.flat))
        )


@dataclass(frozen=True)
class Figures(Rule):
    """An array-like of numbers, infinity and NaN among them, of so many dimensions."""

    ndims: tuple[int, ...] = (1,)

    def allowed(self) -> str:
        dimensions = " or ".join(f"{ndim}-D" for ndim in self.ndims)
        return f"a {dimensions} array-like of numbers"

    def has_type(self, value: Any) -> bool:
        array = self._array(value)
        return array is not None and array.dtype.kind in "iuf"

    def accepts(self, value: Any) -> bool:
        array = self._array(value)
        return array is not None and array.ndim in self.ndims

    def _array(self, value: Any) -> np.ndarray | None:
        if not _is_array_like(value):
            return None
        try:
            return np.asarray(value)
        except Exception:  # of whatever library it comes from
            return None


class FiniteFigures(Figures):
    """The same without infinity and NaN."""

    def allowed(self) -> str:
        return super().allowed().replace("numbers", "finite numbers")

    def accepts(self, value: Any) -> bool:
        return super().accepts(value) and bool(np.isfinite(np.asarray(value)).all())


def _items(value: Any) -> np.ndarray | None:
    """What an array-like has, as it is; None if it is none, or its rows differ."""
    if not _is_array_like(value):
        return None
    try:
        return np.asarray(value, dtype=object)
    except Exception:  # of whatever library it comes from
        return None


def _is_array_like(value: Any) -> bool:
    if isinstance(value, type | RAW):
        return False
    return hasattr(value, "__array__") or isinstance(value, Sequence)


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
    return {name: rule for c in reversed(ours) for name, rule in _annotated(c).items()}


def _annotated(owner: Any) -> dict[str, Rule]:
    """Rules in the annotations of one class or function."""
    return {
        name: rule
        for name, hint in get_annotations(owner).items()
        for rule in getattr(hint, "__metadata__", ())
        if isinstance(rule, Rule)
    }


def checked(function: Function) -> Function:
    """Check arguments by the rules in the annotations, before the function runs."""
    rules, names = _annotated(function), tuple(signature(function).parameters)

    @wraps(function)
    def with_checks(*args: Any, **kwargs: Any) -> Any:
        # Defaults are right, and what the signature does not have Python tells.
        for name, value in (*zip(names, args, strict=False), *kwargs.items()):
            if name in rules:
                check(name, value, rules[name])
        return function(*args, **kwargs)

    return with_checks  # type: ignore[return-value]


def check(name: str, value: Any, rule: Rule) -> None:
    """Raise an error that names the parameter, its value and what is allowed."""
    if not rule.has_type(value):
        raise TypeError(
            f"{name} must be {rule.allowed()}, got {shown(value)} of type "
            f"{type(value).__name__}."
        )
    check_not_masked(name, value)
    if not rule.accepts(value):
        raise ValueError(f"{name} must be {rule.allowed()}, got {shown(value)}.")


def check_not_masked(name: str, value: Any) -> None:
    """Raise an error that names a value with masked items, which NumPy would take."""
    parts = value if isinstance(value, list | tuple) else (value,)
    if any(isinstance(part, MaskedArray) and is_masked(part) for part in parts):
        raise ValueError(
            f"{name} must have no masked values, got {shown(value)}; fill them, as by "
            "filled(), or drop them."
        )


def shown(value: Any) -> str:
    """A value as an error shows it: its middle is left out if it is long."""
    if isinstance(value, int) and not INT64.min <= value <= INT64.max:
        return f"an integer of {value.bit_length()} bits, of which 63 are the most"
    try:
        text = repr(value)
    except Exception:  # of whatever library it comes from
        return f"an object of type {type(value).__name__}"
    half = LONGEST // 2
    return text if len(text) <= LONGEST else f"{text[:half]} ... {text[-half:]}"


POSITIVE = Number(Real, 0, closed="neither")
BOOLEAN = InstanceOf(bool | np.bool_, "True or False")
NONE = InstanceOf(type(None), "None")
TOLERANCE = AnyOf(Number(Real, 0), OneOf(("1se",)))
SCORING = AnyOf(
    InstanceOf(str, "the name of a scikit-learn scorer"),
    HasMethod("__call__", "a callable (estimator, X, y)"),
)
MEMORY = AnyOf(
    NONE,
    InstanceOf(str | PathLike, "a folder"),
    HasMethod("cache", "an object with the joblib.Memory interface"),
)
LAYER_SIZES = AnyOf(Number(Integral, 1), Each(Number(Integral, 1)))
BATCH_SIZE = AnyOf(OneOf(("auto",)), Number(Integral, 1))
RANDOM_STATE = AnyOf(
    NONE,
    Number(Integral, 0, 2**32 - 1),
    InstanceOf(np.random.RandomState, "a numpy.random.RandomState"),
)
JOBS = AnyOf(NONE, Number(Integral, -np.inf))
# A generator would go on between calls, so that no two could be compared.
SEED = AnyOf(NONE, Number(Integral, 0, 2**32 - 1))
STRING = InstanceOf(str, "a string")
COUNT = Number(Integral, 1)
MODEL = HasMethod("predict", "an instance with a predict method, such as a fitted one")
CV = AnyOf(
    NONE,
    Number(Integral, 2),
    HasMethod("split", "a cross-validation splitter"),
    Iterated("an iterable of (train, test) arrays of positions"),
)


def as_floats(values: Any) -> np.ndarray:
    """A number or an array-like of numbers, of whatever library, as float64.

    Objects first: other conversions ask tensors for what they do not have, and make
    masked items no numbers.
    """
    return np.asarray(values, dtype=object).astype(np.float64)


def check_writable(name: str, folder: str | PathLike[str]) -> None:
    """Make a folder if need be; raise an error that names it if it takes no files."""
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=fspath(folder)):
            pass
    except (OSError, ValueError, TypeError) as error:
        raise ValueError(
            f"{name} must be a folder that can be written, got {shown(folder)}: "
            f"{error}."
        ) from error
