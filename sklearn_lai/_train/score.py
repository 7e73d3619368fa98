"""Score of predictions on validation data: 1 is right, 0 as good as a constant.

It is the coefficient of determination, or for other losses than the squared error its
counterpart, the share of the loss of the best constant that predictions spare.

Source: R. Koenker, J. A. F. Machado, "Goodness of Fit and Related Inference Processes
for Quantile Regression", JASA 94 (1999), for quantiles.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from .._peers import ALONE, Peers
from .._statistics import weighted_quantile
from .base_losses import BaseLoss, Quantile, SquaredError

# Share of the loss of constants in training from which on validation targets vary.
VARIES = 1e-6


@dataclass(frozen=True)
class Score:
    """Score by a loss, the mean over the outputs whose targets vary in training.

    `y` are the validation targets, (n_samples, n_outputs). `of_constants` is the loss
    of the best constants for them, (n_outputs,), and `in_training` that in training:
    the measure of errors where the validation targets of an output do not vary. Among
    `peers`, each has some of these targets.
    """

    loss: BaseLoss
    y: np.ndarray
    sample_weight: np.ndarray | None
    of_constants: np.ndarray
    in_training: np.ndarray
    peers: Peers = ALONE

    @cached_property
    def _measure(self) -> np.ndarray:
        """The loss that counts as a score of 0, by output."""
        varies = self.of_constants > VARIES * self.in_training
        return np.where(varies, self.of_constants, self.in_training)

    def __call__(self, y_pred: np.ndarray) -> float:
        """Score of predictions; NaN if one is no number."""
        losses = self._losses(y_pred)
        if np.isnan(losses).any():
            return math.nan
        counts = self.in_training > 0
        if not counts.any():
            return 0.0
        return float(np.mean(1 - losses[counts] / self._measure[counts]))

    def _losses(self, y_pred: np.ndarray) -> np.ndarray:
        """Mean losses by output, over the samples of all; NaN if one is no number."""
        losses = np.full(self.y.shape[1], math.nan)
        if np.isfinite(y_pred).all():
            losses = mean_losses(self.loss, y_pred - self.y, self.sample_weight)
        weight = self.sample_weight
        total = len(self.y) if weight is None else weight.sum()
        return self.peers.mean(losses, float(total))


def constant_losses(
    loss: BaseLoss, y: np.ndarray, sample_weight: np.ndarray | None
) -> np.ndarray:
    """Mean losses of the best constants, of the Huber loss about the median."""
    weight = np.ones(len(y)) if sample_weight is None else sample_weight
    if isinstance(loss, SquaredError):
        constants = np.average(y, axis=0, weights=weight)
    else:
        share = loss.quantile if isinstance(loss, Quantile) else 0.5
        quantiles = [weighted_quantile(column, weight, share) for column in y.T]
        constants = np.array(quantiles)
    is_constant = (y == y[0]).all(axis=0)
    return np.where(is_constant, 0.0, mean_losses(loss, constants - y, sample_weight))


def mean_losses(
    loss: BaseLoss, error: np.ndarray, sample_weight: np.ndarray | None
) -> np.ndarray:
    """Weighted mean losses of errors, by output."""
    errors = torch.from_numpy(np.asarray(error, dtype=np.float64))
    with np.errstate(over="ignore"):
        losses = (loss.derivative(errors) * loss.lever(errors)).numpy()
    return np.average(losses, axis=0, weights=sample_weight)
