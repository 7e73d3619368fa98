"""Training on torch, which is loaded when one of these names is first used."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .loading import load

if TYPE_CHECKING:
    from .diagnosis import constant_errors, hardly_varies, minimised_errors, plain_loss
    from .loops import pretrain, train_lai
    from .processes import all_processes
    from .setup import (
        Stopped,
        resolve_device,
        run_pretraining,
        training,
    )
    from .trainer import Trainer

_MODULES = {
    "Stopped": ".setup",
    "Trainer": ".trainer",
    "all_processes": ".processes",
    "constant_errors": ".diagnosis",
    "hardly_varies": ".diagnosis",
    "minimised_errors": ".diagnosis",
    "plain_loss": ".diagnosis",
    "pretrain": ".loops",
    "resolve_device": ".setup",
    "run_pretraining": ".setup",
    "train_lai": ".loops",
    "training": ".setup",
}
__all__ = [
    "Stopped",
    "Trainer",
    "all_processes",
    "constant_errors",
    "hardly_varies",
    "minimised_errors",
    "plain_loss",
    "pretrain",
    "resolve_device",
    "run_pretraining",
    "train_lai",
    "training",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    load(set(_MODULES.values()))
    globals()[name] = value = getattr(import_module(_MODULES[name], __name__), name)
    return value
