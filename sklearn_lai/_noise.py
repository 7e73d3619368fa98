"""Noise that is expected in the features: as a user says it, and by feature.

A user gives `noise` as one standard deviation for all features, one each, or as a
mapping of names or positions of columns; `resolve_noise` makes an array of it, with 0
where there is no noise.
"""

from collections.abc import Mapping
from numbers import Real
from typing import Any

import numpy as np

from ._columns import by_position
from ._validation import NONE, AnyOf, Each, InstanceOf, Number, check

SD = Number(Real, 0)
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
    if isinstance(noise, Mapping):
        found = by_position(noise, "noise", n_features, names)
        for j, (key, sd) in found.items():
            check(f"noise[{key!r}]", sd, AnyOf(SD, NONE))
            resolved[j] = sd or 0
    elif noise is not None:
        values = np.asarray(noise, dtype=np.float64)
        if values.shape not in ((), (n_features,)):
            raise ValueError(
                f"noise must be one number, one per feature, shape ({n_features},), or "
                f"a mapping, got {noise!r} of shape {values.shape}."
            )
        resolved[:] = values
    return resolved
