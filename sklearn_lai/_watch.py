"""How training is watched: what is printed, and what is told of every epoch."""

from collections.abc import Callable, Iterator

import numpy as np

# Makes coefficients and intercepts so far, in the units of the data.
MakeLayers = Callable[[], tuple[list[np.ndarray], list[np.ndarray]]]


class Watch:
    """Prints if verbose; a subclass may tell others of the epochs."""

    def __init__(self, *, verbose: bool):
        self._verbose = verbose

    def say(self, message: str, *values: float) -> None:
        """Print if verbose."""
        if self._verbose:
            print(message % values)

    def epochs(
        self, stage: str, n_epochs: int, make_layers: MakeLayers | None = None
    ) -> Iterator[int]:
        """Numbers of the epochs of a stage, each to be trained when it is given."""
        yield from range(n_epochs)


SILENT = Watch(verbose=False)
