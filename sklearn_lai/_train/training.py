"""Lai Training: plain pretraining, then plain and Lai loss mixed over mini-batches.

Source: Y. Lai, "Lai Loss: A Novel Loss for Gradient Control", arXiv:2405.07884.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from .._linear.moments import COLLAPSED_SHARE
from .batches import Batch, Batches
from .network import Network
from .objective import Objective
from .optimizers import Optimizer
from .slopes import Derivative, SlopeMeasure
from .threads import suitable_threads
from .watch import Watch

# Rows that are enough to tell whether predictions have collapsed.
VARIANCE_ROWS = 5_000


@dataclass(frozen=True)
class PlainStage:
    """Length of the first stage at most, and when it ends earlier."""

    epochs: int
    tol: float
    n_iter_no_change: float


@dataclass(frozen=True)
class LaiStage:
    """Length of the second stage, and what it is made of.

    With `average` its weights are the mean of those at the ends of the epochs of its
    second half. `n_earlier` is how many batches of it went before, in earlier calls;
    `is_warm` is whether the weights were trained in earlier calls.
    """

    epochs: int
    fraction: float
    interval: int | None
    learning_rate: float
    average: bool
    n_earlier: int = 0
    is_warm: bool = False


@dataclass
class History:
    """What training recorded; curves have a value per epoch."""

    loss_curve: list[float] = field(default_factory=list)
    lai_loss_curve: list[float] = field(default_factory=list)
    validation_scores: list[float] = field(default_factory=list)
    best_validation_score: float | None = None
    n_pretrain_iter: int = 0
    collapsed: bool = False
    lacks_lai_batches: bool = False

    @property
    def n_iter(self) -> int:
        """Epochs so far."""
        return len(self.loss_curve)

    def cut(self, n_iter: int) -> None:
        """Forget all but so many epochs."""
        del self.loss_curve[n_iter:], self.validation_scores[n_iter:]
        self.n_pretrain_iter = min(self.n_pretrain_iter, n_iter)
        del self.lai_loss_curve[n_iter - self.n_pretrain_iter :]
        self.best_validation_score = max(
            self.validation_scores[: self.n_pretrain_iter], default=None
        )


class Snapshot(NamedTuple):
    """Copies of all that training has changed."""

    parameters: Tensor
    optimizer: dict[str, Any]
    history: History


class Interrupted(KeyboardInterrupt):
    """Ctrl-C, with what the epochs done have changed."""

    def __init__(self, snapshot: Snapshot):
        super().__init__(snapshot)
        self.snapshot = snapshot


class Stopped(Exception):  # noqa: N818 - no error, as StopIteration
    """A callback ended the first stage, which is not to be kept in memory so."""

    def __init__(self, snapshot: Snapshot):
        super().__init__(snapshot)
        self.snapshot = snapshot


class Plateau:
    """MLPRegressor's stopping rule.

    A score has stopped improving when for more than `n_iter_no_change` epochs in a
    row it was not better than the best before by `tol`.
    """

    def __init__(self, tol: float, n_iter_no_change: float):
        self._tol = tol
        self._patience = n_iter_no_change
        self._best = -math.inf
        self._waited = 0

    def reached(self, score: float) -> bool:
        """Take the score of an epoch, the higher the better."""
        self._waited = self._waited + 1 if score < self._best + self._tol else 0
        self._best = max(self._best, score)
        return self._waited > self._patience


class Trainer:
    """A network with its batches and optimiser, trained epoch by epoch.

    `alpha` is the strength of the L2 penalty, which is divided by the batch size as
    MLPRegressor does. `validation` makes a score of parameters, and `fold` layers in
    the units of the data.
    """

    def __init__(
        self,
        network: Network,
        batches: Batches,
        objective: Objective,
        optimizer: Optimizer,
        *,
        alpha: float,
        validation: Callable[[Tensor], float] | None,
        watch: Watch,
        fold: Callable[[Tensor], tuple[list[np.ndarray], list[np.ndarray]]],
    ):
        self.network = network
        self.batches = batches
        self.validation = validation
        self.watch = watch
        self._fold = fold
        self.history = History()
        # The parameters of the model if training ended here.
        self.kept, self._n_done = network.parameters.clone(), 0
        self._objective = objective
        self._slope_measure: SlopeMeasure = Derivative()
        self._optimizer = optimizer
        # Strength of the penalty per parameter, by batch size.
        self._decay = {
            size: alpha / size * network.is_coef()
            for size in set(batches.sizes().tolist())
            if alpha > 0
        }
        self._nothing = network.parameters.new_zeros(())

    def snapshot(self) -> Snapshot:
        """Copies of all that training has changed so far."""
        return Snapshot(
            self.network.parameters.to("cpu", copy=True),
            self._optimizer.state(),
            deepcopy(self.history),
        )

    def resume(self, snapshot: Snapshot) -> None:
        """Go on from there."""
        self.network.parameters.copy_(snapshot.parameters)
        self._optimizer.resume(snapshot.optimizer)
        self.history = deepcopy(snapshot.history)
        self.keep()
        self.finish_epoch()

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Turn Ctrl-C into `Interrupted` once there is an epoch to keep."""
        try:
            yield
        except KeyboardInterrupt:
            if self._n_done == 0:
                raise
            self.history.cut(self._n_done)
            self.go_back()
            raise Interrupted(self.snapshot()) from None

    def keep(self, share: float = 1.0) -> None:
        """Give the parameters a share in those kept."""
        self.kept.lerp_(self.network.parameters, share)

    def finish_epoch(self) -> None:
        """Note that an epoch is complete, its record too."""
        self._n_done = self.history.n_iter

    def layers(self) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """The model if training ended here."""
        return self._fold(self.kept)

    def go_back(self) -> None:
        """Take the parameters kept."""
        self.network.parameters.copy_(self.kept)

    def set_objective(self, objective: Objective, slope_measure: SlopeMeasure) -> None:
        """Minimise this from now on."""
        self._objective, self._slope_measure = objective, slope_measure

    def set_learning_rate(self, learning_rate: float) -> None:
        """Take steps of this size from now on."""
        self._optimizer.learning_rate = learning_rate

    @torch.inference_mode()
    def mean_error(self) -> Tensor:
        """Error whose loss is the mean plain loss over the data, of each output."""
        loss, total = self._objective.loss, torch.zeros((), dtype=torch.float64)
        with self.interruptible(), _threads_for(self):
            for X, y, weight in self.batches.in_order():
                error = self.network.forward(X).sub_(y)
                losses = loss.derivative(error) * loss.lever(error)
                if weight is not None:
                    losses = losses * weight[:, None]
                total = total + losses.sum(0).cpu().double()
        return loss.inverse(total / len(self.batches.X)).to(self._nothing)

    def epoch(self, weights: np.ndarray, rng: np.random.Generator) -> float:
        """Train and record an epoch; returns the mean Lai loss, NaN if it had none.

        `weights` has a row per batch, as in `lai_schedule`.
        """
        history = self.history
        sizes = self.batches.sizes()
        plain, lai = self._run(weights.tolist(), rng)
        is_lai = weights[:, 1] > 0
        self._check_finite(np.where(is_lai, lai, plain))
        history.loss_curve.append(float(np.average(plain, weights=sizes)))
        self.watch.say(
            "Iteration %d, loss = %.8f", history.n_iter, history.loss_curve[-1]
        )
        if not is_lai.any():
            return math.nan
        return float(np.average(lai[is_lai], weights=sizes[is_lai]))

    def validate(self, parameters: Tensor) -> None:
        """Record the score of parameters, if there is validation data."""
        if self.validation is not None:
            score = self.validation(parameters)
            self.history.validation_scores.append(score)
            self.watch.say("Validation score: %f", score)

    @torch.inference_mode()
    def output_variance(self) -> Tensor:
        """Variance of each output over rows spread over the data."""
        step = math.ceil(len(self.batches.X) / VARIANCE_ROWS)
        rows = replace(
            self.batches,
            X=self.batches.X[::step],
            y=self.batches.y[::step],
            weight=None,
        )
        outputs = [self.network.forward(X).clone() for X, _, _ in rows.in_order()]
        return torch.cat(outputs).var(0, correction=0)

    @torch.inference_mode()
    def _run(
        self, weights: list[list[float]], rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Take the steps; returns plain losses with penalty, and Lai losses."""
        losses: list[Tensor] = []
        is_lai = [lai_weight > 0 for _, lai_weight in weights]
        batches = self.batches.epoch(rng)
        self._slope_measure.draw(self.batches.sizes()[is_lai].tolist(), rng)
        for batch, loss_weights in zip(batches, weights, strict=True):
            losses.extend(self._step(batch, *loss_weights))
        plain, lai, penalty = torch.stack(losses).cpu().double().view(-1, 3).T.numpy()
        return plain + penalty / 2, lai

    def _step(
        self, batch: Batch, plain_weight: float, lai_weight: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Take a step; returns plain loss, Lai loss, and twice the penalty."""
        network, objective = self.network, self._objective
        X, y, sample_weight = batch
        if lai_weight == 0:
            error = network.forward(X).sub_(y)
            plain, output_gradient = objective.plain(error, plain_weight, sample_weight)
            lai = self._nothing
            network.backward(output_gradient)
        else:
            plain, lai = self._slope_measure.backpropagate(
                network, objective, batch, plain_weight, lai_weight
            )
        penalty = self._nothing
        if self._decay:
            decay = network.parameters * self._decay[len(X)]
            network.gradient.add_(decay)
            penalty = torch.dot(network.parameters, decay)
        self._optimizer.step(network.gradient)
        return plain, lai, penalty

    def _check_finite(self, losses: np.ndarray) -> None:
        bad = np.flatnonzero(~np.isfinite(losses))
        if bad.size:
            raise ValueError(
                f"The training loss became {losses[bad[0]]} in epoch "
                f"{self.history.n_iter + 1}, batch {bad[0] + 1} of {len(losses)}. "
                "Likely cause: steps too large; lower learning_rate_init (in the "
                "second stage lai_learning_rate_init, or raise k), or keep "
                "standardize=True."
            )


def pretrain(trainer: Trainer, stage: PlainStage, rng: np.random.Generator) -> None:
    """Stage 1, in place: the plain loss, until it or the validation score is best."""
    with trainer.interruptible(), _threads_for(trainer):
        _pretrain(trainer, stage, rng)


def train_lai(trainer: Trainer, stage: LaiStage, rng: np.random.Generator) -> None:
    """Stage 2, in place: the plain and the Lai loss mixed."""
    pretrained = trainer.network.parameters.clone()
    with trainer.interruptible(), _threads_for(trainer):
        _train_lai(trainer, stage, rng)
        if stage.fraction > 0:
            is_trained = stage.is_warm or trainer.history.n_pretrain_iter > 0
            trainer.history.collapsed = _has_collapsed(
                trainer, pretrained if is_trained else None
            )


def _threads_for(trainer: Trainer) -> AbstractContextManager[None]:
    n_parameters = len(trainer.network.parameters)
    return suitable_threads(trainer.batches.batch_size * n_parameters)


def _pretrain(trainer: Trainer, stage: PlainStage, rng: np.random.Generator) -> None:
    history = trainer.history
    plateau = Plateau(stage.tol, stage.n_iter_no_change)
    weights = np.tile([1.0, 0.0], (len(trainer.batches), 1))
    for _ in trainer.watch.epochs("pretraining", stage.epochs, trainer.layers):
        trainer.epoch(weights, rng)
        trainer.validate(trainer.network.parameters)
        history.n_pretrain_iter = history.n_iter
        if trainer.validation is None:
            quantity, score = "Training loss", -history.loss_curve[-1]
            trainer.keep()
        else:
            quantity, score = "Validation score", history.validation_scores[-1]
            if score >= max(history.validation_scores):
                history.best_validation_score = score
                trainer.keep()
        trainer.finish_epoch()
        if plateau.reached(score):
            trainer.watch.say(
                f"{quantity} did not improve more than tol={stage.tol:f} for "
                f"{stage.n_iter_no_change} consecutive epochs. Pretraining ends."
            )
            trainer.watch.end_stage()
    if trainer.validation is not None:
        trainer.go_back()


def _train_lai(trainer: Trainer, stage: LaiStage, rng: np.random.Generator) -> None:
    n_batches = len(trainer.batches)
    weights = lai_schedule(
        stage.epochs * n_batches,
        stage.fraction,
        stage.interval,
        rng,
        n_earlier=stage.n_earlier,
    )
    trainer.history.lacks_lai_batches = bool(
        stage.fraction > 0 and len(weights) and not weights[:, 1].any()
    )
    weights = weights.reshape(stage.epochs, n_batches, 2)
    trainer.set_learning_rate(stage.learning_rate)
    n_before_average = stage.epochs // 2 if stage.average else stage.epochs
    for i in trainer.watch.epochs("Lai Training", stage.epochs, trainer.layers):
        lai_loss = trainer.epoch(weights[i], rng)
        trainer.history.lai_loss_curve.append(lai_loss)
        trainer.watch.say("Lai loss = %.8f", lai_loss)
        trainer.keep(share=1 / max(1, i + 1 - n_before_average))
        trainer.validate(trainer.kept)
        trainer.finish_epoch()
    trainer.go_back()


def lai_schedule(
    n_batches: int,
    fraction: float,
    interval: int | None,
    rng: np.random.Generator,
    *,
    n_earlier: int = 0,
) -> np.ndarray:
    """Weights of the plain and the Lai loss in batches of stage 2, (n_batches, 2).

    Every `interval`-th batch has both, the others the plain loss alone. Without
    `interval`, ``round(fraction * n_batches)`` random ones have the Lai loss alone.
    Either way the Lai loss has the weight `fraction` in expectation. Both count the
    batches that went before.
    """
    weights = np.zeros((n_batches, 2))
    if interval is None:
        weights[:, 0] = 1
        n_drawn = round(fraction * (n_earlier + n_batches)) - round(
            fraction * n_earlier
        )
        weights[rng.choice(n_batches, n_drawn, replace=False)] = 0, 1
    else:
        weights[:, 0] = 1 - fraction
        weights[(-1 - n_earlier) % interval :: interval, 1] = interval * fraction
    return weights


def _has_collapsed(trainer: Trainer, before: Tensor | None) -> bool:
    """Whether an output hardly varies, though its target does and it did `before`."""
    parameters, y = trainer.network.parameters, trainer.batches.y
    lowest = COLLAPSED_SHARE * y.var(0, correction=0)
    collapsed = trainer.output_variance() < lowest
    if before is None or not collapsed.any():
        return bool(collapsed.any())
    final = parameters.clone()
    parameters.copy_(before)
    collapsed &= trainer.output_variance() >= lowest
    parameters.copy_(final)
    return bool(collapsed.any())
