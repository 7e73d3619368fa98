"""What is wrong with a network after training."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from .._recipe.stages import LaiStage
from .._statistics import ColumnStatistics
from .score import constant_losses, mean_losses
from .trainer import Trainer


@torch.inference_mode()
def hardly_varies(trainer: Trainer, parameters: Tensor, share: float) -> np.ndarray:
    """Outputs with less than this share of y's variance.

    The rows not yet seen only add to the sum of squares, so the first batch of a model
    that does vary most often decides.
    """
    rows, network = trainer.some, trainer.network
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


@torch.inference_mode()
def minimised_errors(
    trainer: Trainer, stage: LaiStage, candidates: Sequence[np.ndarray]
) -> np.ndarray:
    """Errors whose loss is what both stages minimise, of all rows.

    They are of shape (n_candidates, n_outputs), of parameters in units of training.
    The slopes are derivatives.
    """
    network, n_outputs = trainer.network, trainer.batches.y.shape[1]
    mixtures = [trainer.mixture(stage, output) for output in range(n_outputs)]
    lai_weight = stage.fraction if stage.epochs > 0 else 0.0
    errors = []
    for parameters in candidates:
        total = np.zeros(n_outputs)
        with network.having(network.parameters.new_tensor(parameters)):
            for X, y, weight in trainer.batches.in_order():
                outputs, slopes = network.forward_with_slopes(X)
                error = outputs.sub_(y)
                for i, mixture in enumerate(mixtures):
                    of_one = slice(i, i + 1)
                    plain, lai, *_ = mixture.mixed(
                        error[:, of_one], slopes[of_one], 0.0, 0.0, weight
                    )
                    loss = (1 - lai_weight) * plain + lai_weight * lai
                    total[i] += len(X) * float(loss)
        loss = torch.from_numpy(total / len(trainer.batches.X))
        errors.append(trainer.loss.inverse(loss).numpy())
    return np.array(errors)


@torch.inference_mode()
def constant_errors(trainer: Trainer) -> np.ndarray:
    """Errors whose loss is that of the best constants, by output, of some rows."""
    y, _, weight = trainer.errors_of_some()
    losses = constant_losses(trainer.loss, y, weight)
    return trainer.loss.inverse(torch.from_numpy(losses)).numpy()
