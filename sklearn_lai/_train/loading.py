"""The first import of torch, in which no fork and no Ctrl-C may come."""

import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from threading import current_thread, main_thread

from .._forks import fork_lock


def load(modules: Iterable[str]) -> None:
    """Import modules of this package, and take what locks the first product takes.

    Not in a thread of its own: MKL takes locks when a thread ends, and a fork at that
    moment would be stuck in its first product of matrices.
    """
    with fork_lock, _ctrl_c_waits():
        try:
            for module in modules:
                import_module(module, __package__)
        except ModuleNotFoundError as error:
            if error.name == "torch":
                raise ImportError("Training needs torch: pip install torch.") from error
            raise
        import_module(".threads", __package__).warm_up()


@contextmanager
def _ctrl_c_waits() -> Iterator[None]:
    """Hold Ctrl-C back: an import of torch that was interrupted cannot be repeated."""
    handler = signal.getsignal(signal.SIGINT)
    if current_thread() is not main_thread() or handler is None:  # none of Python's
        yield
        return
    has_come = False

    def remember(*_: object) -> None:
        nonlocal has_come
        has_come = True

    signal.signal(signal.SIGINT, remember)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if has_come:
            signal.raise_signal(signal.SIGINT)
