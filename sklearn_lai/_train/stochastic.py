"""Both stages by mini-batches, epoch by epoch."""

import math

import numpy as np

from .._recipe.randomness import RandomState, Reshuffled
from .._recipe.record import Epoch
from .._recipe.stages import LaiStage, PlainStage
from .schedule import Plateau, lai_schedule
from .trainer import DivergenceError, Trainer


def pretrain(trainer: Trainer, stage: PlainStage, rng: RandomState) -> bool:
    """Stage 1, in place: the plain loss, until it or the validation score stalls.

    It ends with the weights of the best score. Returns whether the watch ended it.
    """
    network, watch = trainer.network, trainer.watch
    orders = Reshuffled(trainer.sharing.shuffles(rng))
    weights = np.tile([1.0, 0.0], (len(trainer.batches), 1))
    plateau = Plateau(stage.tol, stage.n_iter_no_change, trainer.model.history.patience)
    best, n_seen, is_stopped = _score_to_beat(trainer), trainer.n_seen, False
    watch.begin_stage("pretraining", stage.epochs)
    for _ in range(stage.epochs):
        watch.begin_epoch()
        try:
            loss, _ = trainer.run_epoch(weights, orders)
        except DivergenceError:
            if best == -math.inf:  # nothing to go back to
                raise
            _go_back(trainer)
            break
        score = trainer.validate(network.parameters)
        # Without validation data, the last weights are those of the model.
        is_kept = score is None or score > best
        kept = network.parameters.clone() if is_kept else trainer.model.parameters
        best = best if score is None else max(best, score)
        trainer.keep(kept, Epoch(loss, score=score))
        n_seen += trainer.sharing.n_samples
        trainer.optimizer.end_epoch(n_seen)
        is_plateau = plateau.reached(-loss if score is None else score)
        is_end = is_plateau and not _tries_on(trainer, plateau, stage)
        is_stopped = trainer.end_epoch()
        if is_stopped or is_end:
            break
    else:
        trainer.note(end="limit" if stage.epochs else "converged")
    watch.end_stage()
    trainer.note(
        patience=plateau.patience, learning_rate=trainer.optimizer.learning_rate
    )
    network.parameters.copy_(trainer.model.parameters)
    return is_stopped


def _score_to_beat(trainer: Trainer) -> float:
    """Validation score of the weights of an earlier fit, if there are any."""
    if trainer.score is None or not trainer.model.history.is_warm:
        return -math.inf
    score = trainer.score(trainer.network.parameters)
    return -math.inf if math.isnan(score) else score


def _go_back(trainer: Trainer) -> None:
    """End the stage with the weights of the best score, after an epoch that failed."""
    trainer.keep(trainer.model.parameters, Epoch(math.nan, score=math.nan))
    trainer.optimizer.forget()
    trainer.note(end="diverged")
    trainer.watch.end_epoch(trainer.layers)


def _tries_on(trainer: Trainer, plateau: Plateau, stage: PlainStage) -> bool:
    """Say that there is a plateau; whether training goes on with smaller steps."""
    goes_on, then = trainer.optimizer.reacts_to_plateau(), "Stopping."
    if goes_on:
        plateau.wait_again()
        then = f"Setting learning rate to {trainer.optimizer.learning_rate:g}."
    quantity = "Training loss" if trainer.score is None else "Validation score"
    trainer.watch.say(
        f"{quantity} did not improve more than tol={stage.tol:f} for "
        f"{stage.n_iter_no_change} consecutive epochs. {then}"
    )
    return goes_on


def train_lai(trainer: Trainer, stage: LaiStage, rng: np.random.Generator) -> None:
    """Stage 2, in place: the plain and the Lai loss mixed.

    The network keeps its last weights, from which a further stage may go on, whatever
    those of the model.
    """
    network, watch, n_batches = trainer.network, trainer.watch, len(trainer.batches)
    n_before_average = stage.epochs // 2 if stage.average else stage.epochs
    trainer.set_lai_loss(stage)
    orders = trainer.sharing.orders(rng)
    if stage.epochs > 0:
        trainer.optimizer.begin_second_stage(stage.learning_rate)
    weights = lai_schedule(
        stage.epochs * n_batches,
        stage.fraction,
        stage.interval,
        rng,
        n_earlier=stage.n_earlier,
    )
    watch.begin_stage("Lai Training", stage.epochs)
    for i in range(stage.epochs):
        watch.begin_epoch()
        of_epoch = slice(i * n_batches, (i + 1) * n_batches)
        loss, lai_loss = trainer.run_epoch(weights[of_epoch], orders, rng)
        watch.say("Lai loss = %.8f", lai_loss)
        share = 1 / max(1, i + 1 - n_before_average)
        kept = trainer.model.parameters.lerp(network.parameters, share)
        trainer.keep(kept, Epoch(loss, lai_loss, trainer.validate(kept)))
        if trainer.end_epoch():
            break
    watch.end_stage()
