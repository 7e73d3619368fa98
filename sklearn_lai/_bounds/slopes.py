"""Slopes of a network over boxes of inputs: certified intervals.

A slope is a sum over the paths through the network, of products of weights and of
derivatives of activations. Several bounds of it are intersected: followed forwards, as
linear functions of the inputs (`forms`); followed back from the outputs, with the
product of a derivative and the slope of its unit replaced by a line in that slope, and
derivatives by lines in the inputs; and split into the derivatives' middles and the rest
(`coupling`).

Sources: H. Zhang, P. Zhang, C.-J. Hsieh, "RecurJac: An Efficient Recursive Algorithm
for Bounding Jacobian Matrix of Neural Networks and Its Applications", AAAI 2019; Z.
Shi, Y. Wang, H. Zhang, J. Z. Kolter, C.-J. Hsieh, "Efficiently Computing Local
Lipschitz Constants of Neural Networks via Bound Propagation", NeurIPS 2022.
"""

from collections.abc import Iterator, Sequence
from itertools import repeat
from typing import NamedTuple

import numpy as np

from .._inference import input_gradient
from .coupling import Coupling
from .curves import Activation, Interval, Lines, Step, rounding_of
from .forms import MAX_FEATURES, Form
from .preactivations import Boxes, Hidden, Layer, hidden_layers, intersect


class Bounds(NamedTuple):
    """Bounds of slopes, (n_boxes, n_outputs, n_features).

    `widest` is the feature along which to halve the box, lest the bound be loose.
    """

    lower: np.ndarray
    upper: np.ndarray
    widest: np.ndarray


class Paths(NamedTuple):
    """Slopes of what the units of a layer get, (n_boxes, n_features, n_units).

    `size` is what the magnitudes of their terms add up to at most.
    """

    lower: np.ndarray
    upper: np.ndarray
    size: np.ndarray

    def largest(self) -> np.ndarray:
        """The largest magnitude."""
        return np.maximum(np.abs(self.lower), np.abs(self.upper))

    def times(self, derivatives: Interval) -> Interval:
        """Slopes of what the units put out, from those of what they get."""
        corners = [end[:, None] * path for end in derivatives for path in self[:2]]
        return np.minimum.reduce(corners), np.maximum.reduce(corners)


class Sweep(NamedTuple):
    """A network over boxes: its hidden layers, and slopes of these and of the outputs.

    Sums over a layer of coefficient times derivative times path are bounded from there
    back to the inputs; their coefficients have shape (n_boxes, n_outputs, n_units).
    """

    layers: Sequence[Layer]
    hidden: Sequence[Hidden]
    paths: Sequence[Paths]
    boxes: Boxes


class Network(NamedTuple):
    """Weights and activation, for bounds over any boxes.

    `couplings` are those of pairs of hidden layers, from the first pair on.
    """

    layers: Sequence[Layer]
    activation: Activation
    couplings: Sequence[Coupling] = ()

    @classmethod
    def of(
        cls, layers: Sequence[Layer], activation: Activation, boxes: Boxes
    ) -> "Network":
        """The network with couplings that are good for a box."""
        network = cls(layers, activation)
        return network._replace(couplings=_couplings(network._sweep(boxes)))

    def slopes(self, boxes: Boxes) -> Bounds:
        """Bounds of the slopes of every output to every feature."""
        sweep = self._sweep(boxes)
        last = self.layers[-1].coef.T[None]
        upper, lower = self._upper(sweep, last), -self._upper(sweep, -last)
        outputs = Paths(*(np.swapaxes(part, 1, 2) for part in sweep.paths[-1]))
        n_terms = sum(len(layer.coef) for layer in self.layers)
        error = rounding_of(n_terms) * outputs.size
        return Bounds(
            np.fmax(lower - error, outputs.lower),
            np.fmin(upper + error, outputs.upper),
            _widest(sweep),
        )

    def numbers_per_box(self) -> int:
        """The most numbers that a step needs for a box."""
        first, last = self.layers[0].coef, self.layers[-1].coef
        widest = max(len(layer.intercept) for layer in self.layers)
        rows = max(widest, last.shape[1] * len(first))
        return widest * max(rows, len(first) ** 2 if self._has_forms() else 0)

    def _has_forms(self) -> bool:
        """Whether forms are worth what they take, the square of the features."""
        n_features = len(self.layers[0].coef)
        is_smooth = not isinstance(self.activation.derivative, Step)
        return is_smooth and n_features <= MAX_FEATURES

    def slopes_at(self, X: np.ndarray) -> np.ndarray:
        """Slopes at rows, as good as float64 has them."""
        coefs = [layer.coef for layer in self.layers]
        intercepts = [layer.intercept for layer in self.layers]
        return input_gradient(X, coefs, intercepts, self.activation.name)

    def _sweep(self, boxes: Boxes) -> Sweep:
        hidden = hidden_layers(self.layers, self.activation, boxes)
        forms: Iterator[Form | None] = repeat(None)
        if self._has_forms():
            forms = _forms(self.layers, self.activation, hidden, boxes)
        first = self.layers[0]
        paths = [Paths(first.coef[None], first.coef[None], first.magnitude[None])]
        for layer, units, form in zip(self.layers[1:], hidden, forms, strict=False):
            paths.append(_next_paths(layer, paths[-1], units.derivatives, form))
        return Sweep(self.layers, hidden, paths, boxes)

    def _upper(self, sweep: Sweep, coef: np.ndarray, depth: int = -1) -> np.ndarray:
        """Upper bounds of sums over a hidden layer.

        Shape (n_boxes, n_outputs, n_features).
        """
        depth %= len(sweep.hidden)
        followed = _followed_back(sweep, coef, depth)
        if depth == 0:
            return followed
        layer, (low, high) = sweep.layers[depth], sweep.hidden[depth].derivatives
        of_middle = (coef * ((low + high) / 2)[:, None]) @ layer.coef.T
        radius = np.abs(coef) * ((high - low) / 2)[:, None]
        of_middle = self._upper(sweep, of_middle, depth - 1)
        return np.fmin(followed, of_middle + self._rest(sweep, radius, depth))

    def _rest(self, sweep: Sweep, radius: np.ndarray, depth: int) -> np.ndarray:
        """What coefficients within a radius of 0 can add to sums at most."""
        layer = sweep.layers[depth]
        least, most = sweep.paths[depth - 1].times(sweep.hidden[depth - 1].derivatives)
        middle = np.abs((least + most) / 2 @ layer.coef)
        apart = _products(radius, sweep.paths[depth].largest())
        coupled = self.couplings[depth - 1].bound((most - least) / 2, radius)
        coupled = coupled + _products(radius, middle)
        return np.fmin(apart, coupled * (1 + rounding_of(sum(layer.coef.shape))))


def _products(of_outputs: np.ndarray, of_features: np.ndarray) -> np.ndarray:
    """Sums over units of (n_boxes, n_outputs, ...) times (n_boxes, n_features, ...)."""
    return of_outputs @ np.swapaxes(of_features, 1, 2)


def _next_paths(
    layer: Layer, paths: Paths, derivatives: Interval, form: Form | None
) -> Paths:
    """Slopes of the next layer, from those of a layer, and from a form if there is."""
    least, most = paths.times(derivatives)
    middle = (least + most) / 2 @ layer.coef
    radius = (most - least) / 2 @ layer.magnitude
    largest = np.maximum(*map(np.abs, derivatives))[:, None]
    size = (largest * paths.size) @ layer.magnitude
    rounding = rounding_of(2 * sum(layer.coef.shape))
    found = middle - radius, middle + radius
    if form is not None:
        found = intersect(found, form.interval())
    return Paths(found[0] - rounding * size, found[1] + rounding * size, size)


def _forms(
    layers: Sequence[Layer],
    activation: Activation,
    hidden: Sequence[Hidden],
    boxes: Boxes,
) -> Iterator[Form]:
    """Forms of the slopes of every layer but the first."""
    first, ones = layers[0], np.eye(len(layers[0].coef))
    middle, radius = (boxes[0] + boxes[1]) / 2, (boxes[1] - boxes[0]) / 2
    inputs = Form(
        middle @ first.coef + first.intercept,
        (radius[:, :, None] * ones) @ first.coef,
        hidden[0].error,
    )
    zero = np.zeros_like(first.coef)[None]
    slopes = Form(first.coef[None], zero[:, None], zero)
    for place, (layer, units) in enumerate(zip(layers[1:], hidden, strict=True)):
        derivatives = inputs.between(activation.derivative.band(*units.inputs))
        slopes = derivatives.times(slopes).summed(layer.coef, layer.magnitude)
        yield slopes
        if place + 1 < len(hidden):
            outputs = inputs.between(activation.curve.band(*units.inputs))
            inputs = outputs.summed(layer.coef, layer.magnitude)
            inputs = inputs._replace(
                centre=inputs.centre + layer.intercept,
                radius=inputs.radius + hidden[place + 1].error,
            )


def _followed_back(sweep: Sweep, coef: np.ndarray, depth: int) -> np.ndarray:
    """Upper bounds of sums over a hidden layer, by lines in paths and in inputs.

    The bound where derivatives of all units vary apart, or the one where they are
    followed as lines in the inputs.
    """
    apart = together = np.zeros(1)
    coef = coef[:, :, None]  # an axis for features
    of_units = np.zeros(1)  # coefficients of what the units put out
    for place in range(depth, -1, -1):
        units, layer = sweep.hidden[place], sweep.layers[place]
        if place == 0:
            of_derivatives = coef * layer.coef
        else:
            products = _products_below(coef, sweep.paths[place], units.derivatives)
            of_derivatives, of_paths, constant = products
            apart, together = apart + constant, together + constant
            coef = of_paths @ layer.coef.T
        ends = [of_derivatives * end[:, None, None] for end in units.derivatives]
        apart = apart + np.maximum(*ends).sum(axis=-1)
        of_inputs, constant = _lines_above(of_derivatives, units.lines_of_derivatives)
        together = together + constant
        if place < depth:
            added, constant = _lines_above(of_units, units.lines)
            of_inputs, together = of_inputs + added, together + constant
        together = together + _times(of_inputs, layer.intercept[None])
        together = together + _times(np.abs(of_inputs), units.error)
        of_units = of_inputs @ layer.coef.T
    lower, upper = (end[:, None, None] for end in sweep.boxes)
    furthest = of_units * np.where(of_units > 0, upper, lower)
    together = together + np.where(of_units == 0, 0, furthest).sum(axis=-1)
    return np.fmin(apart, together)


def _products_below(
    coef: np.ndarray, paths: Paths, derivatives: Interval
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A line in derivatives and paths above the sum of their products.

    With q = coef * path from l to m, and a derivative d from a to b, ``q d`` is below
    ``b q + l (d - b)`` and below ``a q + m (d - a)``. The mixture of both in which d
    drops out, if there is one, is best where derivatives vary apart.
    """
    low, high = (end[:, None, None] for end in derivatives)
    ends = coef * paths.lower[:, None], coef * paths.upper[:, None]
    least, most = np.minimum(*ends), np.maximum(*ends)
    reach = np.maximum(most, 0) - np.minimum(least, 0)
    share = np.where(reach > 0, np.maximum(most, 0) / reach, 0)
    rest = 1 - share
    constant = -(share * high * least + rest * low * most).sum(axis=-1)
    return share * least + rest * most, coef * (share * high + rest * low), constant


def _lines_above(
    coef: np.ndarray, lines: tuple[Lines, Lines]
) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients and constant of a sum, with the lines above its terms."""
    below, above = lines
    positive, negative = np.maximum(coef, 0), np.minimum(coef, 0)
    slope = positive * above.slope[:, None, None]
    slope = slope + negative * below.slope[:, None, None]
    return slope, _times(positive, above.offset) + _times(negative, below.offset)


def _times(coef: np.ndarray, units: np.ndarray) -> np.ndarray:
    """Sums over units, (n_boxes, n_outputs, n_features)."""
    return (coef @ units[:, None, :, None])[..., 0]


def _couplings(sweep: Sweep) -> list[Coupling]:
    """Couplings of pairs of hidden layers that are good for the first box."""
    coef, found = np.swapaxes(sweep.layers[-1].coef[None], 1, 2), []
    for place in range(len(sweep.hidden) - 1, 0, -1):
        layer, (low, high) = sweep.layers[place], sweep.hidden[place].derivatives
        least, most = sweep.paths[place - 1].times(sweep.hidden[place - 1].derivatives)
        radius = np.abs(coef) * ((high - low) / 2)[:, None]
        found.append(Coupling.of(layer.coef, (most - least)[0] / 2, radius[0]))
        coef = (coef * ((low + high) / 2)[:, None]) @ layer.coef.T
    return found[::-1]


def _widest(sweep: Sweep) -> np.ndarray:
    """The feature that the uncertain derivatives in each slope depend on most.

    Each unit counts by what its derivative can change, and shares that among features
    by what they can change in what it gets.
    """
    radius = sweep.boxes[1] / 2 - sweep.boxes[0] / 2
    radius = np.where(np.isfinite(radius), radius, 0)
    coef = sweep.layers[-1].magnitude.T[None]
    score = np.zeros(1)
    for place in range(len(sweep.hidden) - 1, -1, -1):
        low, high = sweep.hidden[place].derivatives
        steep = sweep.paths[place].largest()
        changes = steep * radius[..., None]
        total = changes.sum(axis=1, keepdims=True)
        shares = np.divide(changes, total, out=np.zeros_like(changes), where=total > 0)
        counts = (coef * (high - low)[:, None])[:, :, None] * steep[:, None]
        score = score + counts @ np.swapaxes(shares, 1, 2)[:, None]
        coef = coef * np.maximum(np.abs(low), np.abs(high))[:, None]
        coef = coef @ sweep.layers[place].magnitude.T
    return score.argmax(axis=-1)
