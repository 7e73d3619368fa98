"""What the hidden units of a network get over boxes of inputs: certified intervals.

Intervals come from the layer below, and from lines around its activations that are
followed back to the inputs; the tighter end counts.

Source: H. Zhang, T.-W. Weng, P.-Y. Chen, C.-J. Hsieh, L. Daniel, "Efficient Neural
Network Robustness Certification with General Activation Functions", NeurIPS 2018.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from .curves import Activation, Interval, Lines, rounding_of

Boxes = tuple[np.ndarray, np.ndarray]  # lower and upper ends, (n_boxes, n_features)


class Layer(NamedTuple):
    """Weights in float64, what is needed of them, and how they round.

    `rounding` is that of a unit, by the network in its own type and by the sums here,
    relative to the sum of magnitudes.
    """

    coef: np.ndarray
    magnitude: np.ndarray
    positive: np.ndarray
    negative: np.ndarray
    intercept: np.ndarray
    rounding: float

    @classmethod
    def of(cls, coef: np.ndarray, intercept: np.ndarray) -> "Layer":
        eps = float(np.finfo(coef.dtype).eps)
        coef, intercept = coef.astype(np.float64), intercept.astype(np.float64)
        return cls(
            coef,
            np.abs(coef),
            np.maximum(coef, 0),
            np.minimum(coef, 0),
            intercept,
            (len(coef) / 2 + 8) * eps + rounding_of(sum(coef.shape)),
        )


class Hidden(NamedTuple):
    """A hidden layer over boxes, arrays (n_boxes, n_units).

    `error` is the rounding of what the units get, `size` the magnitude of the largest
    number that their outputs are computed from.
    """

    inputs: Interval
    outputs: Interval
    derivatives: Interval
    lines: tuple[Lines, Lines]
    lines_of_derivatives: tuple[Lines, Lines]
    error: np.ndarray
    size: np.ndarray


def hidden_layers(
    layers: Sequence[Layer], activation: Activation, boxes: Boxes
) -> list[Hidden]:
    """All hidden layers of a network."""
    found: list[Hidden] = []
    values, size = boxes, _furthest(boxes)
    for depth, layer in enumerate(layers[:-1]):
        error = layer.rounding * (size @ layer.magnitude + np.abs(layer.intercept))
        inputs = _affine(layer, values)
        inputs = inputs[0] - error, inputs[1] + error
        if depth:
            lines = _by_lines(layers[: depth + 1], found, boxes, error)
            inputs = intersect(inputs, lines)
        inputs = without_nan(inputs)
        found.append(_hidden(activation, inputs, error))
        values, size = found[-1].outputs, found[-1].size
    return found


def intersect(first: Interval, second: Interval) -> Interval:
    """What is in both; NaN is no bound."""
    return np.fmax(first[0], second[0]), np.fmin(first[1], second[1])


def without_nan(interval: Interval) -> Interval:
    """The same with infinities in place of bounds that are NaN."""
    low, high = interval
    return np.where(np.isnan(low), -np.inf, low), np.where(np.isnan(high), np.inf, high)


def _hidden(activation: Activation, inputs: Interval, error: np.ndarray) -> Hidden:
    outputs = activation.curve.values(*inputs)
    lines = activation.curve.lines(*inputs)
    furthest = _furthest(inputs)
    sizes = [np.abs(line.slope) * furthest + np.abs(line.offset) for line in lines]
    largest = _furthest(outputs) + 1
    return Hidden(
        inputs,
        outputs,
        activation.derivative.values(*inputs),
        lines,
        activation.derivative.lines(*inputs),
        error,
        np.fmax(largest, _furthest((sizes[0], sizes[1]))),
    )


def _furthest(interval: Interval) -> np.ndarray:
    """The largest magnitude of the finite ends."""
    ends = [np.where(np.isfinite(end), np.abs(end), 0) for end in interval]
    return np.maximum(*ends)


def _affine(layer: Layer, values: Interval) -> Interval:
    """What units get from intervals, apart from rounding."""
    low, high = values
    is_finite = np.isfinite(low) & np.isfinite(high)
    low, high = np.where(is_finite, low, 0), np.where(is_finite, high, 0)
    middle = (low / 2 + high / 2) @ layer.coef + layer.intercept
    radius = (high / 2 - low / 2) @ layer.magnitude
    if is_finite.all():
        return middle - radius, middle + radius
    return _with_infinite(layer, values, (middle - radius, middle + radius))


def _with_infinite(layer: Layer, values: Interval, finite: Interval) -> Interval:
    """The same where some ends are infinite, so that a coefficient of 0 leaves 0."""
    low, high = values
    is_wide = ~(np.isfinite(low) & np.isfinite(high))
    ends = []
    for end, for_positive, for_negative in (
        (finite[0], low, high),
        (finite[1], high, low),
    ):
        for coef, side in (
            (layer.positive, for_positive),
            (layer.negative, for_negative),
        ):
            reached = np.where(is_wide & np.isfinite(side), side, 0) @ coef
            infinite = np.where(np.isinf(side), np.sign(side), 0) @ np.sign(coef)
            end = end + reached
            end = np.where(infinite != 0, np.inf * np.sign(infinite), end)
        ends.append(end)
    return ends[0], ends[1]


def _by_lines(
    layers: Sequence[Layer], hidden: Sequence[Hidden], boxes: Boxes, error: np.ndarray
) -> Interval:
    """What the units of the last layer get, by lines followed back to the inputs."""
    below = _follow(layers, hidden, boxes, side=0)
    above = _follow(layers, hidden, boxes, side=1)
    return below - error, above + error


def _follow(
    layers: Sequence[Layer], hidden: Sequence[Hidden], boxes: Boxes, side: int
) -> np.ndarray:
    """Lower ends with side 0, upper ones with side 1; (n_boxes, n_units)."""
    sign = 2 * side - 1
    last = layers[-1]
    positive, negative = last.positive.T, last.negative.T
    total = np.broadcast_to(last.intercept, (len(boxes[0]), len(last.intercept)))
    for layer, units in zip(layers[-2::-1], hidden[::-1], strict=True):
        same, opposite = units.lines[side], units.lines[1 - side]
        total = (
            total + _times(positive, same.offset) + _times(negative, opposite.offset)
        )
        coef = positive * same.slope[:, None] + negative * opposite.slope[:, None]
        total = total + coef @ layer.intercept
        total = total + sign * _times(np.abs(coef), units.error)
        coef = coef @ layer.coef.T
        positive, negative = np.maximum(coef, 0), np.minimum(coef, 0)
    total = total + _times(positive, boxes[side])
    return total + _times(negative, boxes[1 - side])


def _times(matrices: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Matrices, of each box or of all, times the vector of each box."""
    if matrices.ndim == 2:
        return vectors @ matrices.T
    return (matrices @ vectors[..., None])[..., 0]
