"""How the rows of a batch are shared among the processes of a fit."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple, Self

import numpy as np
import torch
from torch import Tensor

from .._peers import Peers
from .._recipe.randomness import RandomState
from .batches import Orders


class Part(NamedTuple):
    """The rows from `start` to `stop` of a batch of so many rows."""

    start: int
    stop: int
    size: int

    def times(self, copies: int) -> "Part":
        """The same where each row follows itself so many times."""
        return Part(copies * self.start, copies * self.stop, copies * self.size)


@dataclass(frozen=True)
class Sharing:
    """The batches of an epoch, of which every process has a part.

    A batch has the rows of the first process, then those of the second. `batch_size` is
    that of the parts of this process, `n_samples` the rows of all processes.
    """

    peers: Peers
    batch_size: int
    n_samples: int
    parts: Sequence[Part]

    @classmethod
    def of(cls, peers: Peers, n_samples: int, batch_size: int) -> Self:
        """Batches of this size, or nearly, of all rows; this process has some."""
        n_rows = peers.gather(n_samples)
        sizes = part_sizes(n_rows, batch_size)
        parts = []
        for i in range(math.ceil(n_samples / sizes[peers.rank])):
            lengths = [
                min(size, n - i * size) for n, size in zip(n_rows, sizes, strict=True)
            ]
            ends = [0, *accumulate(lengths)]
            parts.append(Part(ends[peers.rank], ends[peers.rank + 1], ends[-1]))
        return cls(peers, sizes[peers.rank], sum(n_rows), parts)

    @cached_property
    def sizes(self) -> np.ndarray:
        """Rows of each batch, those of all processes."""
        return np.array([part.size for part in self.parts])

    def shuffles(self, rng: RandomState) -> RandomState:
        """What shuffles the rows of this process, each differently."""
        if self.peers.number == 1:
            return rng
        seeds = np.random.SeedSequence([rng.randint(2**31), self.peers.rank])
        return RandomState(seeds.generate_state(4))

    def orders(self, rng: np.random.Generator) -> Orders:
        """What orders the rows of this process; others may have more of them."""
        n_processes = self.peers.number
        return rng if n_processes == 1 else rng.spawn(n_processes)[self.peers.rank]

    def add_up(
        self, part: Part, gradient: Tensor, plain: Tensor, lai: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Make a gradient that of the whole batch; returns the losses of it."""
        if self.peers.number == 1:
            return plain, lai
        message = torch.cat([gradient, plain.view(1), lai.view(1)])
        message *= (part.stop - part.start) / part.size
        self.peers.add_up(message)
        gradient.copy_(message[:-2])
        plain, lai = message[-2:].clone()  # a view would keep the whole message
        return plain, lai


def part_sizes(n_rows: Sequence[int], batch_size: int) -> list[int]:
    """Rows that each process has in a batch, such that all have as many batches.

    They are in proportion to its rows, and together the batch size, or nearly.
    """
    total = sum(n_rows)
    sizes = [math.ceil(min(batch_size, total) * n / total) for n in n_rows]
    while True:
        counts = [math.ceil(n / size) for n, size in zip(n_rows, sizes, strict=True)]
        if len(set(counts)) == 1:
            return sizes
        sizes = [math.ceil(n / min(counts)) for n in n_rows]
