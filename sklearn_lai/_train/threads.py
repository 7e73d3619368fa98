"""How many threads torch trains with, without a trace left behind."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

import torch

# Multiplications and additions of a batch from which on a second thread pays.
MIN_OPERATIONS = 8_000_000

_lock = Lock()
_n_inside = 0
_n_threads_outside = 1


@contextmanager
def suitable_threads(n_operations: int) -> Iterator[None]:
    """Train on one thread unless a batch has enough operations for several.

    torch's setting belongs to the process and to each thread, so with fits in several
    threads the first one in remembers it for all.
    """
    global _n_inside, _n_threads_outside
    with _lock:
        if _n_inside == 0:
            _n_threads_outside = torch.get_num_threads()
        _n_inside += 1
        torch.set_num_threads(
            1 if n_operations < MIN_OPERATIONS else _n_threads_outside
        )
    try:
        yield
    finally:
        with _lock:
            torch.set_num_threads(_n_threads_outside)
            _n_inside -= 1
