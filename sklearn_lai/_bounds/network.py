"""From fitted weights to bounds of their slopes."""

from collections.abc import Sequence
from functools import reduce
from operator import matmul

import numpy as np

from .._box import Box
from .curves import ACTIVATIONS, Interval
from .preactivations import Layer
from .search import divide
from .slopes import Network

# What products in the longest float of the machine lose, as `curves.rounding_of`.
LONG_EPS = np.finfo(np.longdouble).eps


def bound_slopes(
    coefs: Sequence[np.ndarray],
    intercepts: Sequence[np.ndarray],
    activation: str,
    box: Box,
    max_boxes: int,
) -> Interval:
    """Lower and upper bounds of every slope over a box, (n_outputs, n_features) each.

    They hold for the network as a function of real numbers, in exact arithmetic.
    """
    if activation == "identity" or len(coefs) == 1:
        return _product(coefs)
    layers = [Layer.of(*weights) for weights in zip(coefs, intercepts, strict=True)]
    boxes = box.lower[None], box.upper[None]
    with np.errstate(all="ignore"):  # what is not finite becomes an infinite bound
        network = Network.of(layers, ACTIVATIONS[activation], boxes)
        above, below = divide(network, boxes, max_boxes)
    return -below, above


def _product(coefs: Sequence[np.ndarray]) -> Interval:
    """Slopes of a linear network, to within the rounding of the last digit."""
    if len(coefs) == 1:
        slopes = coefs[0].T.astype(np.float64)
        return slopes, slopes.copy()
    long = [coef.astype(np.longdouble) for coef in coefs]
    with np.errstate(all="ignore"):
        product, size = reduce(matmul, long).T, reduce(matmul, map(np.abs, long)).T
        error = 4 * (sum(map(len, coefs)) + 16) * LONG_EPS * size
        lower, upper = product - error, product + error
    return _rounded(lower, -np.inf), _rounded(upper, np.inf)


def _rounded(values: np.ndarray, towards: float) -> np.ndarray:
    """The same in float64, rounded in one direction; NaN is no bound."""
    rounded = values.astype(np.float64)
    is_inside = rounded > values if towards < 0 else rounded < values
    rounded = np.where(is_inside, np.nextafter(rounded, towards), rounded)
    return np.where(np.isnan(rounded), towards, rounded)
