"""Recipes of the two stages of training."""

from dataclasses import dataclass

import numpy as np

from .._noise import Noise


@dataclass(frozen=True)
class PlainStage:
    """Recipe of the first stage: its length at most, and when it ends earlier."""

    epochs: int
    tol: float
    n_iter_no_change: float


@dataclass(frozen=True)
class LaiStage:
    """Recipe of the second stage.

    `k` is as `feature_k_`, and `reach` in units of training. With `average` the weights
    are the mean of those at the ends of the epochs of the second half. `n_earlier` is
    how many batches of the stage went before, in earlier calls. `mean_error` is that by
    output if it is known, else that of the network where the stage begins.

    `noise` is that to train for, in units of training, if there is some; `error` then
    is the mean one, and `k` has other features alone. The boundary between small and
    large changes is a `multiple` of that which follows.
    """

    k: np.ndarray
    error: str
    reach: float
    norm: str
    l1_ratio: float
    epochs: int
    fraction: float
    interval: int | None
    learning_rate: float
    average: bool
    noise: Noise | None = None
    multiple: float = 1.0
    n_earlier: int = 0
    mean_error: np.ndarray | None = None
