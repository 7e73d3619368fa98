"""Lai Training: plain pretraining, then plain and Lai loss mixed.

Source: Y. Lai, "Lai Loss: A Novel Loss for Gradient Control", arXiv:2405.07884.
"""

from types import ModuleType

import numpy as np

from .._recipe.randomness import RandomState
from .._recipe.stages import LaiStage, PlainStage
from . import lbfgs, stochastic
from .trainer import Trainer


def pretrain(trainer: Trainer, stage: PlainStage, rng: RandomState) -> bool:
    """Stage 1, in place: the plain loss; returns whether the watch ended it.

    It ends with the weights that the model has.
    """
    is_stopped = _loops_of(trainer).pretrain(trainer, stage, rng)
    trainer.check_predictions()
    if is_stopped:
        trainer.note(end="stopped")
    return is_stopped


def train_lai(trainer: Trainer, stage: LaiStage, rng: np.random.Generator) -> None:
    """Stage 2, in place: the plain and the Lai loss mixed.

    The network keeps its last weights, from which a further stage may go on, whatever
    those of the model.
    """
    _loops_of(trainer).train_lai(trainer, stage, rng)
    trainer.check_predictions()


def _loops_of(trainer: Trainer) -> ModuleType:
    """What has both stages for the optimiser."""
    return lbfgs if isinstance(trainer.optimizer, lbfgs.LBFGS) else stochastic
