"""How training is watched: what is printed, and what is told of every epoch."""

from collections.abc import Callable, Iterator

import numpy as np

# Makes coefficients and intercepts so far, in the units of the data.
MakeLayers = Callable[[], tuple[list[np.ndarray], list[np.ndarray]]]


class Watch:
    """Prints if verbose; a subclass may tell others of the epochs.

    `was_stopped` is whether one of them ended the last stage.
    """

    def __init__(self, *, verbose: bool = False):
        self._verbose = verbose
        self._is_ended = False
        self.was_stopped = False

    def say(self, message: str, *values: float) -> None:
        """Print if verbose."""
        if self._verbose:
            print(message % values)

    def epochs(
        self, stage: str, n_epochs: int, make_layers: MakeLayers | None = None
    ) -> Iterator[int]:
        """Numbers of the epochs of a stage, each to be trained when it is given."""
        self._is_ended = False
        for i in range(n_epochs):
            yield i
            if self._is_ended:
                break

    def end_stage(self) -> None:
        """Make the epoch under way the last of its stage."""
        self._is_ended = True
