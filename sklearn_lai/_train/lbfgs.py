"""Both stages by SciPy's L-BFGS, on all rows at once."""

import math

import numpy as np
import torch
from scipy.optimize import OptimizeResult, minimize
from torch import Tensor

from .._recipe.randomness import RandomState
from .._recipe.record import Epoch
from .._recipe.stages import LaiStage, PlainStage
from .batches import Batch
from .optimizers import Optimizer
from .trainer import Trainer

# SciPy's statuses of a run that converged, came to a limit, or a callback ended. All
# others are of a line search that found nothing lower.
CONVERGED, AT_LIMIT, STOPPED = 0, 1, 99
# Random steps that slopes are measured over, and from each row at most; a network
# learns few of them by heart.
N_STEPS, MOST_STEPS_OF_ROW = 5_000, 30


class LBFGS(Optimizer):
    """Stands for L-BFGS, with at most so many evaluations of the loss in a stage.

    Nothing of it goes on from one stage to the next.
    """

    _state = ()

    def __init__(self, parameters: Tensor, max_fun: int):
        self.max_fun = max_fun


def pretrain(trainer: Trainer, stage: PlainStage, rng: RandomState) -> bool:
    """Stage 1, until no derivative is above `tol`, or the loss hardly falls."""
    trainer.watch.begin_stage("pretraining", stage.epochs)
    status = _minimise(_FullLoss(trainer), stage.epochs, stage.tol)
    trainer.watch.end_stage()
    if status not in (CONVERGED, STOPPED):
        trainer.note(end="limit" if status == AT_LIMIT else "stuck")
    return status == STOPPED


def train_lai(trainer: Trainer, stage: LaiStage, rng: np.random.Generator) -> None:
    """Stage 2: the mixture on all rows, with steps that are drawn once."""
    n_earlier = len(trainer.model.history.lai_training)
    trainer.set_lai_loss(stage)
    trainer.watch.begin_stage("Lai Training", stage.epochs)
    loss = _FullLoss(trainer, stage.fraction, int(rng.integers(2**63)))
    status = _minimise(loss, stage.epochs, tol=0)
    trainer.watch.end_stage()
    n_epochs = len(trainer.model.history.lai_training) - n_earlier
    is_early = n_epochs < stage.epochs and status not in (CONVERGED, STOPPED)
    at_early_end = "limit" if status == AT_LIMIT else "stuck"
    trainer.note(lai_end=at_early_end if is_early else "whole")


def _minimise(loss: "_FullLoss", n_steps: int, tol: float) -> int:
    """Take so many steps at most, each an epoch of the record; returns the status."""
    trainer, optimizer = loss.trainer, loss.trainer.optimizer
    assert isinstance(optimizer, LBFGS)
    if n_steps == 0:
        return CONVERGED

    def end_step(intermediate_result: OptimizeResult) -> None:
        trainer.watch.begin_epoch()  # only now is it known that there is one
        loss.keep(intermediate_result.x)
        if trainer.end_epoch():
            raise StopIteration

    found = minimize(
        loss,
        trainer.network.parameters.cpu().double().numpy(),
        method="L-BFGS-B",
        jac=True,
        callback=end_step,
        options={"maxiter": n_steps, "maxfun": optimizer.max_fun, "gtol": tol},
    )
    if found.nit == 0:  # no step leads lower
        loss.keep(found.x)
    trainer.network.parameters.copy_(trainer.model.parameters)
    return found.status


class _FullLoss:
    """What a stage minimises, over all rows, by the parameters of the network.

    `fraction` is that of the Lai loss, None in the first stage. The random steps over
    which slopes are measured, of a `seed`, are the same for all parameters.
    """

    def __init__(self, trainer: Trainer, fraction: float | None = None, seed: int = 0):
        self.trainer = trainer
        self._fraction = fraction
        self._seed = seed
        X, y, weight = next(trainer.batches.in_order())
        self._copies = 1
        if fraction and trainer.measures_random_steps():
            self._copies = min(
                math.ceil(N_STEPS / trainer.sharing.n_samples), MOST_STEPS_OF_ROW
            )
        self._part = trainer.sharing.parts[0].times(self._copies)
        self._batch: Batch = X, y, weight
        if self._copies > 1:
            # Those of a row follow each other, so that they have different directions.
            self._batch = (
                X.repeat_interleave(self._copies, 0),
                y.repeat_interleave(self._copies, 0),
                None if weight is None else weight.repeat_interleave(self._copies),
            )
        self._last: tuple[np.ndarray, np.ndarray] = np.empty(0), np.empty(0)

    def __call__(self, parameters: np.ndarray) -> tuple[float, np.ndarray]:
        """Loss and gradient, of the sum over outputs with the penalty."""
        plain, lai, penalty = self._losses(parameters)
        lai_weight = self._fraction or 0
        mixed = (1 - lai_weight) * plain + lai_weight * lai
        total = self._batch[1].shape[1] * mixed + penalty / 2
        gradient = self.trainer.network.gradient.cpu().double().clone()
        return total, gradient.numpy()

    def keep(self, parameters: np.ndarray) -> None:
        """Take the parameters as those of the model, after one more epoch."""
        plain, lai, penalty = self._losses(parameters).tolist()
        trainer = self.trainer
        n_epochs = len(trainer.model.history.epochs) + 1
        if not math.isfinite(plain + lai):
            raise ValueError(
                f"The training loss became {plain + lai} in iteration {n_epochs} of "
                "solver='lbfgs'. Likely cause: large values; keep standardize=True, or "
                "use solver='adam'."
            )
        loss, lai_loss = plain + penalty / 2, None
        trainer.watch.say("Iteration %d, loss = %.8f", n_epochs, loss)
        if self._fraction is not None:
            lai_loss = lai if self._fraction > 0 else math.nan
            trainer.watch.say("Lai loss = %.8f", lai_loss)
        trainer.keep(trainer.network.parameters.clone(), Epoch(loss, lai_loss))

    @torch.inference_mode()
    def _losses(self, parameters: np.ndarray) -> np.ndarray:
        """Plain and Lai loss, and twice the penalty; sets the network's gradient."""
        at, losses = self._last
        if np.array_equal(at, parameters):
            return losses
        network, lai_weight = self.trainer.network, self._fraction or 0
        network.parameters.copy_(torch.from_numpy(parameters))
        if lai_weight > 0:
            rng = np.random.default_rng(self._seed)
            self.trainer.draw([self._part], rng)
        tensors = self.trainer.take_gradient(
            self._batch, self._part, 1 - lai_weight, lai_weight, self._copies
        )
        self._last = parameters.copy(), torch.stack(tensors).cpu().double().numpy()
        return self._last[1]
