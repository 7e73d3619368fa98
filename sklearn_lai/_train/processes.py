"""Processes of torch.distributed, which fit one model together."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from traceback import clear_frames
from typing import TypeVar, cast

import numpy as np
import torch.distributed as dist
from torch import Tensor

from .._peers import Peers, Rows

T = TypeVar("T")

# How long a process waits for the others, which may read and check data, and how long
# in one step.
PATIENCE = timedelta(minutes=30)
TIMEOUT = timedelta(seconds=60)
# What a launcher such as torchrun sets.
LAUNCHED = ("MASTER_ADDR", "MASTER_PORT", "RANK", "WORLD_SIZE")


class Processes(Peers):
    """All processes of the default group, by connections of their own."""

    def __init__(self) -> None:
        with _naming_the_others():
            self._group = dist.new_group(backend="gloo", timeout=PATIENCE)
        self.rank, self.number = dist.get_rank(), dist.get_world_size()

    def gather(self, value: T) -> Sequence[T]:
        values: list[T] = [value] * self.number
        with _naming_the_others():
            dist.all_gather_object(values, value, group=self._group)
        return values

    def add_up(self, tensor: Tensor) -> None:
        with _naming_the_others():
            dist.all_reduce(tensor, group=self._group)

    def rows(self, array: Rows) -> Rows:
        if array is None:
            return array
        return cast(Rows, np.concatenate(self.gather(array)))

    def begin_steps(self) -> None:
        self._group.set_timeout(TIMEOUT)

    @contextmanager
    def agreed(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            with suppress(RuntimeError):  # of others, which matters less
                self.gather(f"{type(error).__name__}: {error}")
            raise
        for rank, problem in enumerate(self.gather("")):
            if problem:
                raise RuntimeError(f"Process {rank} of the fit failed. {problem}")

    def close(self) -> None:
        """End the connections, at which all others fail that still wait for this."""
        # They end with the last reference.
        dist.destroy_process_group(self._group)
        self._group = None


@contextmanager
def all_processes() -> Iterator[Processes]:
    """All processes of the default group, which is made if a launcher says how."""
    if not dist.is_initialized():
        missing = [name for name in LAUNCHED if name not in os.environ]
        if missing:
            raise ValueError(
                "distributed=True needs processes that a launcher such as torchrun "
                "started, or that torch.distributed.init_process_group was called: "
                f"{', '.join(missing)} not set."
            )
        dist.init_process_group("gloo")
    peers = Processes()
    try:
        yield peers
    finally:
        peers.close()


@contextmanager
def _naming_the_others() -> Iterator[None]:
    """Say in the errors of a call that they may come from other processes.

    Its frames forget the group, whose connections end with the last reference.
    """
    try:
        yield
    except BaseException as error:
        clear_frames(error.__traceback__)
        if not isinstance(error, RuntimeError):
            raise
        raise RuntimeError(
            "Another process of the fit failed, ended, or did not answer; look for its "
            "error."
        ) from error
