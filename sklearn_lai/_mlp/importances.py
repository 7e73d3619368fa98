"""How much each feature counts for a fitted network, by the slopes of its rows."""

import numpy as np

from .._inference import input_gradient
from .._peers import Peers
from .._recipe.data import TrainingData
from .._units import Layers, Statistics


def mean_slopes(
    data: TrainingData,
    layers: Layers,
    activation: str,
    statistics: Statistics,
    n_slopes: int,
    peers: Peers,
) -> np.ndarray:
    """Mean magnitude of the slopes over rows and outputs, in standard deviations.

    At most `n_slopes` of them, one for each output in a row, at rows evenly spread over
    those of all peers.
    """
    n_samples, n_outputs = peers.total(len(data.X)), data.y.shape[1]
    every = slice(None, None, max(1, -(-n_samples * n_outputs // n_slopes)))
    weight = None if data.sample_weight is None else data.sample_weight[every]
    slopes = np.abs(input_gradient(data.X[every], *layers, activation))
    shares = None if weight is None else weight / weight.max()
    mean = np.average(slopes.astype(np.float64), axis=0, weights=shares)
    total = len(slopes) if weight is None else weight.sum()
    by_output = peers.mean(mean, float(total))
    of_X, of_y = statistics
    with np.errstate(over="ignore", invalid="ignore"):
        changes = by_output * of_X.deviation(constant=0)
        return (changes / of_y.deviation(constant=1)[:, None]).mean(axis=0)
