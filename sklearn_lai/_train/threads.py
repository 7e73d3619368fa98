"""How many threads torch trains with, without a trace left behind.

torch computes in the threads of OpenMP, and multiplies matrices in those of MKL where
it has it. Both have a number of them for every thread that asks, so nothing here is
seen in another one. ``torch.set_num_threads`` sets it for all threads to come, too.
"""

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

import torch
from threadpoolctl import ThreadpoolController

from .._forks import is_forked

# Multiplications and additions of a batch from which on a second thread pays.
MIN_OPERATIONS = 8_000_000


@contextmanager
def suitable_threads(n_operations: int) -> Iterator[None]:
    """Train on one thread unless a batch has enough operations for several.

    A forked process has none of the threads that its parent had started, and would wait
    for them, so it trains on one. What the block itself sets is left as it is.
    """
    if n_operations >= MIN_OPERATIONS and not is_forked():
        yield
        return
    torch.get_num_threads()  # sets what a new thread has
    before = [pool.setting() for pool in _pools()]
    # Twice, in case that Ctrl-C comes while the numbers are being set back.
    try:
        try:
            for pool in _pools():
                pool.set(1)
            yield
        finally:
            _restore(before)
    except BaseException:
        _restore(before)
        raise


def warm_up() -> None:
    """Multiply once: the first time takes locks, with which a fork would be stuck."""
    with suitable_threads(0):
        for dtype in (torch.float32, torch.float64):
            matrix = torch.ones(64, 64, dtype=dtype, device="cpu")
            torch.mm(matrix, matrix)


class _Pool(NamedTuple):
    """The number of threads that a library has for the thread that asks.

    What is given to `set` is its `setting`.
    """

    number: Callable[[], int]
    set: Callable[[int], object]
    setting: Callable[[], int]


def _restore(settings: list[int]) -> None:
    for pool, setting in zip(_pools(), settings, strict=True):
        if pool.number() == 1:
            pool.set(setting)


@cache
def _pools() -> tuple[_Pool, ...]:
    """Those that torch computes with, which take a while to find."""
    return tuple(_find_pools())


def _find_pools() -> Iterator[_Pool]:
    for library in ThreadpoolController().select(user_api="openmp").lib_controllers:
        number = library.get_num_threads
        yield _Pool(number, library.set_num_threads, number)
    for path in Path(torch.__file__).parent.glob("lib/libtorch_cpu.*"):
        mkl = ctypes.CDLL(str(path))
        if hasattr(mkl, "MKL_Set_Num_Threads_Local"):
            number = mkl.MKL_Get_Max_Threads
            yield _Pool(number, mkl.MKL_Set_Num_Threads_Local, partial(_of_mkl, number))


def _of_mkl(number: Callable[[], int]) -> int:
    """What MKL is set to: 0 stands for the number of OpenMP."""
    return 0 if number() == torch.get_num_threads() else number()
