"""When a stage ends, and which of its batches have the Lai loss."""

import numpy as np

from .._recipe.record import WHOLE, Patience


class Plateau:
    """MLPRegressor's stopping rule.

    A score has stopped improving when for more than `n_iter_no_change` epochs in a
    row it was not better than the best before by `tol`.
    """

    def __init__(self, tol: float, n_iter_no_change: float, patience: Patience = WHOLE):
        self._tol = tol
        self._n_iter_no_change = n_iter_no_change
        self.patience = patience

    def reached(self, score: float) -> bool:
        """Take the score of an epoch, the higher the better."""
        best, waited = self.patience
        waited = waited + 1 if score < best + self._tol else 0
        self.patience = Patience(max(best, score), waited)
        return waited > self._n_iter_no_change

    def wait_again(self) -> None:
        """Count from 0."""
        self.patience = self.patience._replace(waited=0)


def lai_schedule(
    n_batches: int,
    fraction: float,
    interval: int | None,
    rng: np.random.Generator,
    *,
    n_earlier: int = 0,
) -> np.ndarray:
    """Weights of the plain and the Lai loss in batches of stage 2, (n_batches, 2).

    Every `interval`-th batch has both, the others the plain loss alone. Without
    `interval`, ``round(fraction * n_batches)`` random ones have the Lai loss alone.
    Either way the Lai loss has the weight `fraction` in expectation. Both count the
    batches that went before.
    """
    weights = np.zeros((n_batches, 2))
    if interval is None:
        weights[:, 0] = 1
        first, last = (round(fraction * n) for n in (n_earlier, n_earlier + n_batches))
        weights[rng.choice(n_batches, last - first, replace=False)] = 0, 1
    else:
        weights[:, 0] = 1 - fraction
        weights[(-1 - n_earlier) % interval :: interval, 1] = interval * fraction
    return weights
