"""How tight certified bounds of slopes are, and what they take.

For every feature, the largest slope in magnitude that the bounds allow over the range
of the training data is compared with the steepest that an adversary finds there: 1 is
exact. Intervals alone, layer by layer, are the baseline. Times are those of one
processor, so that what else runs on the machine counts little.
"""

import argparse
import time
import warnings
from itertools import product
from pathlib import Path

import numpy as np
import scipy
import sklearn
from datasets import load
from report import save_json
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

import sklearn_lai
from sklearn_lai import LaiMLPRegressor
from sklearn_lai._bounds.curves import ACTIVATIONS

SETS = ["diabetes", "friedman1", "friedman2", "friedman3"]
NETWORKS = [(64,), (64, 64), (128, 128)]
SHAPES = ["relu", "tanh", "silu"]
BUDGETS = [1, 100, 1000]
# Of the adversary: points to begin with, those that climb for each slope, steps.
N_POINTS, N_CLIMBERS, N_STEPS = 20_000, 20, 60


def intervals(model: LaiMLPRegressor) -> np.ndarray:
    """The most that slopes are in magnitude by intervals alone, (n_features,)."""
    activation = ACTIVATIONS[model.hidden_activation_]
    values, slopes = (model.X_min_, model.X_max_), (model.coefs_[0],) * 2
    for coef, intercept, following in zip(
        model.coefs_[:-1], model.intercepts_[:-1], model.coefs_[1:], strict=True
    ):
        inputs = _sums(values, coef)
        inputs = inputs[0] + intercept, inputs[1] + intercept
        values = activation.curve.values(*inputs)
        corners = [d * s for d in activation.derivative.values(*inputs) for s in slopes]
        slopes = np.minimum.reduce(corners), np.maximum.reduce(corners)
        slopes = _sums(slopes, following)
    return np.maximum(*np.abs(slopes))[:, 0]


def _sums(values: tuple[np.ndarray, np.ndarray], coef: np.ndarray) -> tuple:
    """Weighted sums of intervals."""
    middle = (values[0] + values[1]) / 2 @ coef
    radius = (values[1] - values[0]) / 2 @ np.abs(coef)
    return middle - radius, middle + radius


def steepest(model: LaiMLPRegressor, X: np.ndarray, seed: int) -> np.ndarray:
    """The steepest slopes that random points, corners and climbing find."""
    rng = np.random.default_rng(seed)
    lower, upper = model.X_min_, model.X_max_
    shape = N_POINTS, len(lower)
    inside = rng.uniform(lower, upper, shape)
    corners = np.where(rng.random(shape) < 0.5, lower, upper)
    mixed = np.where(rng.random(shape) < 0.5, inside, corners)
    points = np.vstack([X, inside, corners, mixed])
    slopes = np.abs(model.input_gradient(points))
    best = np.argsort(-slopes, axis=0)[:N_CLIMBERS]
    at, values = points[best], np.take_along_axis(slopes, best, axis=0)
    for step in np.geomspace(0.5, 1e-4, N_STEPS):
        for share in (0.2, 1.0):  # of the features that move
            move = rng.normal(size=at.shape) * step * (upper - lower)
            move *= rng.random(at.shape) < share
            tried = np.clip(at + move, lower, upper)
            found = model.input_gradient(tried.reshape(-1, len(lower)))
            found = np.abs(found).reshape(at.shape)
            found = np.diagonal(found, axis1=1, axis2=2)
            is_steeper = found > values
            at = np.where(is_steeper[..., None], tried, at)
            values = np.where(is_steeper, found, values)
    return values.max(axis=0)


def measure(X: np.ndarray, y: np.ndarray, hidden: tuple, activation: str) -> dict:
    """Ratios of one network, and seconds."""
    model = LaiMLPRegressor(hidden, activation=activation, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X, y)
    reached = steepest(model, X, seed=0)
    on_data = np.abs(model.input_gradient(X)).max(axis=0)
    found = {"intervals": _ratios(intervals(model), reached)}
    for max_boxes in BUDGETS:
        start = time.process_time()
        bounds = model.slope_bounds(max_boxes=max_boxes)
        seconds = time.process_time() - start
        most = np.maximum(*np.abs(bounds))
        if not (reached <= most).all():
            raise AssertionError("a slope is outside of its bounds")
        found[str(max_boxes)] = _ratios(most, reached) | {"seconds": seconds}
    found["over_data"] = _ratios(most, on_data)
    return found


def _ratios(most: np.ndarray, reached: np.ndarray) -> dict:
    ratios = most / reached
    return {"median": float(np.median(ratios)), "largest": float(ratios.max())}


def main() -> None:
    """Measure all networks on all sets, print and save."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--json", type=Path, default="results/slope_bounds.json")
    options = parser.parse_args()
    rows = []
    with threadpool_limits(1):
        for (name, (X, y)), hidden, activation in product(
            load(names=SETS).items(), NETWORKS, SHAPES
        ):
            network = f"({', '.join(map(str, hidden))}{',' * (len(hidden) == 1)})"
            row = {"set": name, "network": network, "activation": activation}
            row |= {"n_features": X.shape[1]} | measure(X, y, hidden, activation)
            rows.append(row)
            print(
                f"{name:10s} {network:10s} {activation:5s}",
                *(
                    f"{key}: {row[key]['median']:.2f} {row[key]['largest']:.2f}"
                    for key in ("intervals", *map(str, BUDGETS), "over_data")
                ),
                f"{row[str(BUDGETS[-1])]['seconds']:.1f} s",
                sep="   ",
                flush=True,
            )
    save_json(options.json, [np, scipy, sklearn, sklearn_lai], rows=rows)


if __name__ == "__main__":
    main()
