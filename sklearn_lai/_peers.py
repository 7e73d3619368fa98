"""Processes that fit one model together, each to rows of its own."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import reduce
from operator import add
from typing import Any, TypeVar

import numpy as np

T = TypeVar("T")
Rows = TypeVar("Rows", bound=np.ndarray | None)


class Peers:
    """The process by itself; a subclass has others beside it.

    All of them are to call the same methods in the same order.
    """

    rank = 0
    number = 1

    def gather(self, value: T) -> Sequence[T]:
        """The values of all, in the order of the processes."""
        return [value]

    def add_up(self, tensor: Any) -> None:
        """Make a tensor the sum of those of all, with the same bits everywhere."""

    def total(self, value: T) -> T:
        """Sum of the values of all."""
        return reduce(add, self.gather(value))

    def mean(self, means: np.ndarray, weight: float) -> np.ndarray:
        """Mean of the means of all, by their weights."""
        of_all = self.gather((means, weight))
        if len(of_all) == 1:
            return means
        values, weights = zip(*of_all, strict=True)
        return np.average(values, axis=0, weights=weights)

    def rows(self, array: Rows) -> Rows:
        """Rows of the arrays of all; None stays None."""
        return array

    def begin_steps(self) -> None:
        """From now on nobody has to wait for long."""

    @contextmanager
    def agreed(self) -> Iterator[None]:
        """A block without other calls, which fails for all if it fails for one."""
        yield


ALONE = Peers()
