"""How training is watched: what is printed, and what is told of every epoch."""

from collections.abc import Callable

from .._units import Layers

# Makes coefficients and intercepts so far, in the units of the data.
MakeLayers = Callable[[], Layers]


class Watch:
    """Prints if verbose; a subclass may tell others of the epochs."""

    def __init__(self, *, verbose: bool = False):
        self._verbose = verbose

    def say(self, message: str, *values: float) -> None:
        """Print if verbose."""
        if self._verbose:
            print(message % values)

    def begin_stage(self, name: str, n_epochs: int) -> None:
        """Tell that a stage of so many epochs at most begins."""

    def begin_epoch(self) -> None:
        """Tell that an epoch begins."""

    def end_epoch(self, make_layers: MakeLayers | None = None) -> bool:
        """Tell that it is done; returns whether the stage is to end with it."""
        return False

    def end_stage(self) -> None:
        """Tell that the stage is done."""
