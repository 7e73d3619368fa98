"""Random numbers of the two stages: the first draws those of MLPRegressor."""

from collections.abc import Mapping
from typing import Any

import numpy as np

# scikit-learn has no other; the second stage has the modern one.
RandomState = np.random.RandomState
Stream = RandomState | np.random.Generator


def random_streams(seed: int) -> tuple[RandomState, np.random.Generator]:
    """Independent generators of the two stages."""
    of_second = np.random.SeedSequence(seed).spawn(2)[1]
    return RandomState(seed), np.random.default_rng(of_second)


def state_of(stream: Stream) -> Mapping[str, Any]:
    """State of a generator, in arrays and plain numbers."""
    if isinstance(stream, RandomState):
        return stream.get_state(legacy=False)
    return stream.bit_generator.state


def resumed(state: Mapping[str, Any]) -> Any:
    """A generator of the kind that the state is of, which goes on from it."""
    if "gauss" in state:
        legacy = RandomState()
        legacy.set_state(dict(state))
        return legacy
    modern = np.random.default_rng(0)
    modern.bit_generator.state = state
    return modern


class Reshuffled:
    """Orders of rows: each is the one before, shuffled, as in MLPRegressor."""

    def __init__(self, stream: RandomState):
        self._stream = stream
        self._order: np.ndarray | None = None

    def permutation(self, n: int) -> np.ndarray:
        """The next order of `n` rows."""
        places = np.arange(n)
        self._stream.shuffle(places)
        self._order = places if self._order is None else self._order[places]
        return self._order
