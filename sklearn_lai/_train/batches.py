"""Mini-batches: shuffled, gathered and standardised in passing, without a copy of X."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import repeat
from typing import Protocol, Self

import numpy as np
import torch
from torch import Tensor

# Rows are gathered for several batches at once, about as many as a cache holds.
CHUNK_BYTES = 2**20


class Orders(Protocol):
    """Gives orders of rows, as NumPy's generators do."""

    def permutation(self, n: int, /) -> np.ndarray: ...


Batch = tuple[Tensor, Tensor, Tensor | None]


@dataclass(frozen=True)
class Batches:
    """Batches of the rows of `X`, which stays as it is, and of `y`.

    A batch of `X` is in the units ``(X - X_mean) / X_unit`` and has a last column of
    ones with `add_ones`. `y` has shape (n_samples, n_outputs), `weight` None or
    (n_samples,). The last batch of an epoch may be short. A batch is X, y and weight;
    it is valid until the next one is asked for.
    """

    X: Tensor
    y: Tensor
    X_mean: Tensor
    X_unit: Tensor
    batch_size: int
    shuffle: bool
    add_ones: bool
    weight: Tensor | None = None

    def __len__(self) -> int:
        return math.ceil(len(self.X) / self.batch_size)

    @cached_property
    def sizes(self) -> np.ndarray:
        """Rows of each batch of an epoch."""
        starts = np.arange(0, len(self.X), self.batch_size)
        return np.diff(starts, append=len(self.X))

    def some(self, step: int) -> Self:
        """Batches of every so manieth row, in their own order."""
        every = slice(None, None, step)
        weight = None if self.weight is None else self.weight[every]
        return replace(self, X=self.X[every], y=self.y[every], weight=weight)

    def epoch(self, rng: Orders) -> Iterator[Batch]:
        """Pass over all rows once, in a new order if shuffled."""
        if not self.shuffle:
            return self.in_order()
        return self._in(torch.from_numpy(rng.permutation(len(self.X))))

    def in_order(self) -> Iterator[Batch]:
        """Pass over all rows once, in their own order."""
        buffer = self._buffer()
        for X, y, weight in _split(self.X, self.y, self.weight, len(buffer)):
            yield from self._batches(buffer, X, y, weight)

    def _in(self, order: Tensor) -> Iterator[Batch]:
        """Pass over all rows once, in an order."""
        buffer = self._buffer()
        # Used again, since fresh memory for every chunk adds up to that of X: what is
        # freed between small tensors that stay does not go back.
        gathered = self.X.new_empty(len(buffer), self.X.shape[1])
        for rows in order.to(self.X.device).split(len(buffer)):
            yield from self._batches(
                buffer,
                torch.index_select(self.X, 0, rows, out=gathered[: len(rows)]),
                self.y.index_select(0, rows),
                None if self.weight is None else self.weight[rows],
            )

    def _buffer(self) -> Tensor:
        """Ones for the rows of several batches."""
        n_features = self.X.shape[1]
        batch_bytes = self.batch_size * n_features * self.X.element_size()
        chunk_size = self.batch_size * max(1, CHUNK_BYTES // batch_bytes)
        return self.X.new_ones(min(chunk_size, len(self.X)), n_features + self.add_ones)

    def _batches(
        self, buffer: Tensor, X: Tensor, y: Tensor, weight: Tensor | None
    ) -> Iterator[Batch]:
        """Batches of some rows, standardised into the buffer."""
        batch = buffer[: len(X)]
        columns = batch[:, : X.shape[1]]
        torch.sub(X, self.X_mean, out=columns)
        columns /= self.X_unit
        return _split(batch, y, weight, self.batch_size)


def _split(X: Tensor, y: Tensor, weight: Tensor | None, size: int) -> Iterator[Batch]:
    """Consecutive parts, of this many rows."""
    weights = repeat(None) if weight is None else weight.split(size)
    return zip(X.split(size), y.split(size), weights, strict=False)
