"""What is trained on."""

from dataclasses import dataclass

import numpy as np

from .._units import Layers, Units
from .record import WHOLE, Patience


@dataclass(frozen=True)
class TrainingData:
    """What is trained on: arrays in the units of the data, and where to begin.

    `y` has shape (n_samples, n_outputs), `sample_weight` None or (n_samples,).
    `layers` are the initial weights, in `units`, the units of training; `is_warm` says
    whether they are those of an earlier fit, which has seen `n_seen` samples and left
    some `patience`; features that are `narrow` have no Lai loss,
    and keep their weights.
    `validation` has X, y and weights, too.
    """

    X: np.ndarray
    y: np.ndarray
    sample_weight: np.ndarray | None
    units: Units
    layers: Layers
    validation: tuple[np.ndarray, np.ndarray, np.ndarray | None] | None = None
    is_warm: bool = False
    n_seen: int = 0
    narrow: np.ndarray | bool = False
    patience: Patience = WHOLE
