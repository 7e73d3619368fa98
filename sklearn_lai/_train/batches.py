"""Mini-batches: shuffled, gathered and standardised in passing, without a copy of X."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

# Rows are gathered for several batches at once, about as many as a cache holds.
CHUNK_BYTES = 2**20

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

    def sizes(self) -> np.ndarray:
        """Rows of each batch of an epoch."""
        starts = np.arange(0, len(self.X), self.batch_size)
        return np.diff(starts, append=len(self.X))

    def epoch(self, rng: np.random.Generator) -> Iterator[Batch]:
        """Pass over all rows once, in a new order if shuffled."""
        if not self.shuffle:
            return self.in_order()
        return self._visit(torch.from_numpy(rng.permutation(len(self.X))))

    def in_order(self) -> Iterator[Batch]:
        """Pass over all rows once, in their own order."""
        return self._visit(torch.arange(len(self.X)))

    def _visit(self, order: Tensor) -> Iterator[Batch]:
        order, n_features = order.to(self.X.device), self.X.shape[1]
        batch_bytes = self.batch_size * n_features * self.X.element_size()
        chunk_size = self.batch_size * max(1, CHUNK_BYTES // batch_bytes)
        chunk_size = min(chunk_size, len(self.X))
        raw_buffer = self.X.new_empty(chunk_size, n_features)
        X_buffer = self.X.new_ones(chunk_size, n_features + self.add_ones)
        y_buffer = self.y.new_empty(chunk_size, self.y.shape[1])
        for rows in order.split(chunk_size):
            raw, X, y = (b[: len(rows)] for b in (raw_buffer, X_buffer, y_buffer))
            torch.index_select(self.X, 0, rows, out=raw)
            torch.index_select(self.y, 0, rows, out=y)
            torch.sub(raw, self.X_mean, out=X[:, :n_features])
            X[:, :n_features] /= self.X_unit
            yield from zip(
                X.split(self.batch_size),
                y.split(self.batch_size),
                self._weights_of(rows),
                strict=True,
            )

    def _weights_of(self, rows: Tensor) -> Sequence[Tensor | None]:
        """Weights of the batches that make up these rows."""
        if self.weight is None:
            return [None] * math.ceil(len(rows) / self.batch_size)
        return self.weight[rows].split(self.batch_size)
