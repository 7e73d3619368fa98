"""What is wrong with a network after training, from some of the rows."""

import numpy as np
import torch
from torch import Tensor

from .._statistics import ColumnStatistics
from .score import constant_losses, mean_losses
from .trainer import SOME_ROWS, Trainer


@torch.inference_mode()
def hardly_varies(trainer: Trainer, parameters: Tensor, share: float) -> np.ndarray:
    """Outputs with less than this share of y's variance.

    The rows not yet seen only add to the sum of squares, so the first batch of a model
    that does vary most often decides.
    """
    rows, network = trainer.batches.some(SOME_ROWS), trainer.network
    variance = rows.y.var(0, correction=0)
    if trainer.loss.is_robust:
        of_most = ColumnStatistics.of_most(rows.y.cpu().numpy())
        variance = rows.y.new_tensor(of_most.variance)
    floor = share * variance
    outputs, n_seen = torch.empty_like(rows.y), 0
    with network.having(parameters):
        for X, _, _ in rows.in_order():
            network.forward(X, out=outputs[n_seen : n_seen + len(X)])
            n_seen += len(X)
            variance = outputs[:n_seen].var(0, correction=0)
            is_low = variance * (n_seen / len(outputs)) < floor
            if not is_low.any():
                break
    return is_low.cpu().numpy()


@torch.inference_mode()
def plain_loss(trainer: Trainer, parameters: Tensor) -> float:
    """Mean plain loss of these parameters, as a share of that of the best constant.

    NaN if no target varies.
    """
    with trainer.network.having(parameters):
        y, error, weight = trainer.errors_of_some()
    of_constants = constant_losses(trainer.loss, y, weight)
    varies = of_constants > 0
    if not varies.any():
        return np.nan
    losses = mean_losses(trainer.loss, error, weight)
    return float((losses[varies] / of_constants[varies]).mean())
