"""Activations and their derivatives over intervals: their range, and lines around them.

Whatever is returned holds in exact arithmetic; rounding is added outwards.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.special import expit

from .. import _inference

EPS = float(np.finfo(np.float64).eps)
# Values of the library functions are right to this, relative to the value plus 1.
ERROR = 16 * EPS
# Beyond it, a curve is the line, or the constant, that it tends to.
FAR = 1000.0
# Cells of the grid on which lines are found; the middle is a point of it.
N_CELLS = 8
MIDDLE = N_CELLS // 2
# Points of a curve are known to this; its changes there are below rounding.
POINT = 1e-9

Interval = tuple[np.ndarray, np.ndarray]
Function = Callable[[np.ndarray], np.ndarray]


def rounding_of(n_terms: int) -> float:
    """More than sums of so many products lose, a few steps in a row, in float64.

    It is relative to the sum of their magnitudes.
    """
    return 4 * (n_terms + 16) * EPS


class Lines(NamedTuple):
    """Lines ``slope * z + offset``."""

    slope: np.ndarray
    offset: np.ndarray


class Curve(NamedTuple):
    """A function of finite numbers, and where its first derivatives change sign.

    It turns where the first one does, and bends where the second one does.
    """

    function: Function
    derivative: Function
    turns: tuple[float, ...] = ()
    bends: tuple[float, ...] = ()

    def values(self, lower: np.ndarray, upper: np.ndarray) -> Interval:
        """Bounds of the function over intervals."""
        low, high = _range(self.function, self.turns, lower, upper)
        return low - ERROR * (np.abs(low) + 1), high + ERROR * (np.abs(high) + 1)

    def lines(self, lower: np.ndarray, upper: np.ndarray) -> tuple[Lines, Lines]:
        """A line below and one above the function, close to it in the middle."""
        cells = Cells.of(self, lower, upper)
        mirrored = cells.mirrored()
        above = cells.line_above(cells.steepness())
        slope, offset = mirrored.line_above(mirrored.steepness())
        return Lines(-slope, -offset), above

    def band(self, lower: np.ndarray, upper: np.ndarray) -> tuple[Lines, Lines]:
        """Two parallels with the function between them, of the slope of its chord."""
        cells = Cells.of(self, lower, upper)
        slope = cells.chord()
        below, above = cells.mirrored().line_above(-slope), cells.line_above(slope)
        return Lines(slope, -below.offset), above


class Step(NamedTuple):
    """The derivative of relu: 0 below 0, 1 above, either at 0."""

    def values(self, lower: np.ndarray, upper: np.ndarray) -> Interval:
        """Bounds of the step over intervals."""
        return (lower > 0).astype(np.float64), (upper >= 0).astype(np.float64)

    def lines(self, lower: np.ndarray, upper: np.ndarray) -> tuple[Lines, Lines]:
        """A line below and one above the step, close to it in the middle."""
        low, high = self.values(lower, upper)
        is_between, middle = low < high, lower + upper
        rises = is_between & (middle > 0) & (upper > 0)
        below = Lines(np.where(rises, (1 - ERROR) / upper, 0.0), low)
        rises = is_between & (middle < 0) & (lower < 0)
        above = Lines(np.where(rises, (1 - ERROR) / -lower, 0.0), high)
        return below, above

    def band(self, lower: np.ndarray, upper: np.ndarray) -> tuple[Lines, Lines]:
        """Two parallels with the step between them; steep ones are no closer."""
        low, high = self.values(lower, upper)
        return Lines(np.zeros_like(low), low), Lines(np.zeros_like(low), high)


class Activation(NamedTuple):
    """An activation and its derivative."""

    name: str
    curve: Curve
    derivative: Curve | Step


class Cells(NamedTuple):
    """Values of a function on a grid, first axis, and its derivative between."""

    places: np.ndarray
    values: np.ndarray
    slope: np.ndarray  # in the middle
    derivatives: Interval
    is_convex: np.ndarray
    is_concave: np.ndarray

    @classmethod
    def of(cls, curve: Curve, lower: np.ndarray, upper: np.ndarray) -> "Cells":
        """The grid over intervals."""
        shares = np.linspace(0, 1, N_CELLS + 1).reshape(-1, *[1] * lower.ndim)
        places = lower + (upper - lower) * shares
        places[-1] = upper
        left, right = places[:-1], places[1:]
        slopes = curve.derivative(places)
        rises, falls = slopes[:-1] <= slopes[1:], slopes[:-1] >= slopes[1:]
        low = np.minimum(slopes[:-1], slopes[1:])
        high = np.maximum(slopes[:-1], slopes[1:])
        bends = np.zeros(left.shape, dtype=bool)
        for bend in curve.bends:
            is_inside = (left <= bend + POINT) & (bend - POINT <= right)
            extreme = curve.derivative(np.full(1, bend))
            low = np.where(is_inside, np.minimum(low, extreme), low)
            high = np.where(is_inside, np.maximum(high, extreme), high)
            bends |= is_inside
        return cls(
            places,
            curve.function(places),
            slopes[MIDDLE],
            (low - 2 * ERROR, high + 2 * ERROR),
            ~bends & rises,
            ~bends & falls,
        )

    def mirrored(self) -> "Cells":
        """The same of the negated function."""
        low, high = self.derivatives
        return self._replace(
            values=-self.values,
            slope=-self.slope,
            derivatives=(-high, -low),
            is_convex=self.is_concave,
            is_concave=self.is_convex,
        )

    def line_above(self, slope: np.ndarray) -> Lines:
        """The lowest line of a slope that is certainly above the function."""
        largest = np.maximum(np.abs(self.places[0]), np.abs(self.places[-1]))
        largest = np.abs(self.values).max(axis=0) + largest + 1
        # Enough for sums over the units of the layer, too.
        rounding = 4 * ERROR + rounding_of(slope.shape[-1])
        return Lines(slope, self._excess(slope) + rounding * largest)

    def chord(self) -> np.ndarray:
        """Slope of the line through both ends."""
        rise, run = (part[-1] - part[0] for part in (self.values, self.places))
        return np.where(run > 0, rise / run, self.slope)

    def steepness(self) -> np.ndarray:
        """Slope, in the middle, of the hull of the function from above."""
        height, slope = self.values[MIDDLE], self.slope
        for i in range(MIDDLE):
            for j in range(MIDDLE + 1, N_CELLS + 1):
                rise = self.values[j] - self.values[i]
                middle = self.values[i] + rise * ((MIDDLE - i) / (j - i))
                is_higher = middle > height
                height = np.where(is_higher, middle, height)
                run = self.places[j] - self.places[i]
                slope = np.where(is_higher & (run > 0), rise / run, slope)
        return slope

    def _excess(self, slope: np.ndarray) -> np.ndarray:
        """The most by which the function is above a line through 0.

        In a cell it is below the lines through its ends with the extreme derivatives.
        """
        at_places = self.values - slope * self.places
        low, high = self.derivatives
        width, rise = np.diff(self.places, axis=0), np.diff(self.values, axis=0)
        way = np.clip((rise - low * width) / (high - low), 0, width)
        at_apex = at_places[:-1] + (high - slope) * way
        has_apex = ~self.is_convex & (low < slope) & (slope < high)
        inside = np.where(has_apex, at_apex, -np.inf)
        return np.maximum(at_places.max(axis=0), inside.max(axis=0))


def _range(
    function: Function,
    points: tuple[float, ...],
    lower: np.ndarray,
    upper: np.ndarray,
) -> Interval:
    """Least and largest value at the ends and at those points that are between."""
    ends = function(lower), function(upper)
    low, high = np.minimum(*ends), np.maximum(*ends)
    for point in points:
        extreme = function(np.full(1, point))
        is_inside = (lower <= point + POINT) & (point - POINT <= upper)
        low = np.where(is_inside, np.minimum(low, extreme), low)
        high = np.where(is_inside, np.maximum(high, extreme), high)
    return low, high


def _value_of(name: str) -> Function:
    def value(z: np.ndarray) -> np.ndarray:
        z = np.maximum(z, -FAR)
        _inference.ACTIVATIONS[name].apply(z)
        return z

    return value


def _derivative_of(name: str) -> Function:
    def derivative(z: np.ndarray) -> np.ndarray:
        return _inference.ACTIVATIONS[name].derivative(np.clip(z, -FAR, FAR))

    return derivative


def _clipped(function: Function) -> Function:
    return lambda z: function(np.clip(z, -FAR, FAR))


def _logistic_second(z: np.ndarray) -> np.ndarray:
    value = expit(z)
    return value * (1 - value) * (1 - 2 * value)


def _tanh_second(z: np.ndarray) -> np.ndarray:
    value = np.tanh(z)
    return -2 * value * (1 - value**2)


def _softplus_second(z: np.ndarray) -> np.ndarray:
    value = expit(z)
    return value * (1 - value)


def _silu_second(z: np.ndarray) -> np.ndarray:
    value = expit(z)
    return value * (1 - value) * (2 + z * (1 - 2 * value))


def _gelu_second(z: np.ndarray) -> np.ndarray:
    return np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi) * (2 - z**2)


def _smooth(
    name: str,
    second: Function,
    turns: tuple[float, ...],
    bends: tuple[float, ...],
    bends_of_derivative: tuple[float, ...],
) -> Activation:
    value, derivative = _value_of(name), _derivative_of(name)
    return Activation(
        name,
        Curve(value, derivative, turns, bends),
        Curve(derivative, _clipped(second), bends, bends_of_derivative),
    )


def _both(*points: float) -> tuple[float, ...]:
    """The points and those on the other side of 0."""
    return *(-point for point in points), *points


# Zeros of the first, second and third derivatives.
SMOOTH = {
    "logistic": (_logistic_second, (), (0.0,), _both(1.3169578969248167)),
    "tanh": (_tanh_second, (), (0.0,), _both(0.6584789484624084)),
    "softplus": (_softplus_second, (), (), (0.0,)),
    "silu": (
        _silu_second,
        (-1.2784645427610738,),
        _both(2.3993572805154677),
        (0.0, *_both(3.4358409935351107)),
    ),
    "gelu": (
        _gelu_second,
        (-0.7517915246935645,),
        _both(1.4142135623730951),
        (0.0, *_both(2.0)),
    ),
}
ACTIVATIONS = {name: _smooth(name, *parts) for name, parts in SMOOTH.items()} | {
    "relu": Activation("relu", Curve(_value_of("relu"), _derivative_of("relu")), Step())
}
