"""One network fitted by several processes, each with rows of its own.

torchrun --nproc-per-node=2 fit_in_processes.py
"""

import os

import numpy as np

from sklearn_lai import LaiMLPRegressor

rank, n_processes = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])


def load(part: int, n_parts: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of one part of the data; a file for each would be read here."""
    X = np.random.default_rng(0).normal(size=(6000, 4))[part::n_parts]
    return X, np.sin(X[:, 0]) + X[:, 1:].sum(axis=1)


X, y = load(rank, n_processes)
model = LaiMLPRegressor(random_state=0, distributed=True)
model.fit(X, y)
if rank == 0:  # all have the same model
    print(f"R2 {model.score(X, y):.2f}, trained on {model.t_ // model.n_iter_} rows")
