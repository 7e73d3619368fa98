"""Noise that is expected in the features: as a user says it, and by feature.

A user gives `noise` as one standard deviation for all features, one each, or as a
mapping of names or positions of columns; `resolve_noise` makes an array of it, with 0
where there is no noise.
"""

import math
from collections.abc import Mapping
from numbers import Real
from typing import Any

import numpy as np

from ._columns import OF_SUBSETS, by_position, is_labelled
from ._validation import NONE, AnyOf, Each, InstanceOf, Number, as_floats, check, shown

# Of the k that follows from noise; the least is its inverse.
LARGEST_MULTIPLE = 4.0
SD = Number(Real, 0, 1e100)  # whose square is a number
NOISE = AnyOf(
    NONE,
    SD,
    Each(SD),
    InstanceOf(Mapping, "a mapping {column name or position: float or None}"),
)


def resolve_noise(noise: Any, n_features: int, names: np.ndarray | None) -> np.ndarray:
    """Standard deviation of the noise in each feature, (n_features,), 0 for none.

    `noise` keeps its rule; `names` are those of the columns.
    """
    resolved = np.zeros(n_features)
    if isinstance(noise, Mapping) or is_labelled(noise, "noise"):
        found = by_position(noise, "noise", n_features, names)
        for j, (key, sd) in found.items():
            check(f"noise[{key!r}]", sd, AnyOf(SD, NONE))
            resolved[j] = sd or 0
    elif noise is not None:
        values = as_floats(noise)
        if values.shape not in ((), (n_features,)):
            raise ValueError(
                "noise must be one number, one per feature of X, shape "
                f"({n_features},), or a mapping, got {shown(noise)} of shape "
                f"{values.shape}. {OF_SUBSETS}"
            )
        resolved[:] = values
    return resolved


def boundary_ratio(lai_fraction: float) -> float:
    """The change by a draw of noise that `k` is to be, over the mean error.

    The Lai loss of a change ``s`` above ``k``, ``e**2 * s**2 / k**2`` with the mean
    error ``e`` and the weight ``a``, is then the expected ``s**2``, which noise adds to
    the squared error, times the weight ``1 - a`` of the plain loss.
    """
    return math.sqrt(lai_fraction / (1 - lai_fraction))


def over_multiple(noise: Any, resolved: np.ndarray, multiple: float) -> Any:
    """The noise for which a multiple of its `k` is the one that follows."""
    if multiple == 1:
        return noise
    return float(noise) / multiple if isinstance(noise, Real) else resolved / multiple


def multiples(n_ks: int) -> np.ndarray:
    """As many multiples of the `k` that follows from noise, 1 among them, falling."""
    above = np.geomspace(1, LARGEST_MULTIPLE, n_ks // 2 + 1)[::-1]
    below = np.geomspace(1, 1 / LARGEST_MULTIPLE, n_ks - n_ks // 2)[1:]
    return np.concatenate([above, below])
