"""Training on torch, which is loaded when one of these names is first used."""

from importlib import import_module
from threading import Thread
from typing import TYPE_CHECKING, Any

from .._forks import fork_lock

if TYPE_CHECKING:
    from .diagnosis import hardly_varies, plain_loss
    from .loops import pretrain, train_lai
    from .setup import (
        Stopped,
        packed_pretraining,
        resolve_device,
        run_pretraining,
        training,
        unpacked,
    )
    from .trainer import Trainer

_MODULES = {
    "Stopped": ".setup",
    "Trainer": ".trainer",
    "hardly_varies": ".diagnosis",
    "packed_pretraining": ".setup",
    "plain_loss": ".diagnosis",
    "pretrain": ".loops",
    "resolve_device": ".setup",
    "run_pretraining": ".setup",
    "train_lai": ".loops",
    "training": ".setup",
    "unpacked": ".setup",
}
__all__ = [
    "Stopped",
    "Trainer",
    "hardly_varies",
    "packed_pretraining",
    "plain_loss",
    "pretrain",
    "resolve_device",
    "run_pretraining",
    "train_lai",
    "training",
    "unpacked",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    _load()
    globals()[name] = value = getattr(import_module(_MODULES[name], __name__), name)
    return value


def _load() -> None:
    """Import what trains, in a thread, for Ctrl-C to interrupt who waits for it.

    An import of torch that was interrupted cannot be repeated.
    """
    loader = _Loader()
    loader.start()
    loader.join()
    if isinstance(loader.error, ModuleNotFoundError) and loader.error.name == "torch":
        raise ImportError("Training needs torch: pip install torch.") from loader.error
    if loader.error is not None:
        raise loader.error


class _Loader(Thread):
    """Imports all modules that have the names, while no other thread can fork."""

    error: BaseException | None = None

    def run(self) -> None:
        with fork_lock:
            try:
                for module in set(_MODULES.values()):
                    import_module(module, __name__)
                import_module(".threads", __name__).warm_up()
            except BaseException as error:
                self.error = error
