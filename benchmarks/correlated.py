"""Error under noise that features share, with its covariances given and without.

    python benchmarks/correlated.py --data DIR [DIR ...]

On the data sets of `tradeoff.py`, noise of 0.3 and 1 standard deviations has
correlations of several kinds between the features. Networks and linear models are told
of its deviations alone, as if it were independent, or of its covariances; a torch loop
trains on noisy batches. The error is that under the noise, on the 20 % of the rows held
out, in standard deviations of the target, the mean over five draws.

Every unit adds a line to the file of `--points`, so that a run that was cut short goes
on from there.
"""

import tempfile
import warnings
from collections.abc import Callable
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import sklearn
import torch
from datasets import load, split
from joblib import delayed
from methods import (
    EPOCHS,
    Task,
    TorchRegressor,
    lai_parameters,
    no_lai,
    pretrained,
    squared_error,
)
from report import make_parser, save_json
from resume import Lines, add_options
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

import sklearn_lai
from sklearn_lai import LaiLinearRegressor, LaiMLPRegressor
from sklearn_lai.metrics import error_under_noise

SDS = (0.3, 1.0)
SHARED = 0.9  # correlation of noise in two features
Unit = tuple[str, int]  # set, seed


def in_step(n_features: int) -> np.ndarray:
    """All features err together."""
    return SHARED + (1 - SHARED) * np.eye(n_features)


def in_turn(n_features: int) -> np.ndarray:
    """The same, every second one the other way."""
    signs = (-1.0) ** np.arange(n_features)
    return np.outer(signs, signs) * in_step(n_features)


def of_neighbours(n_features: int) -> np.ndarray:
    """The farther apart two columns are, the less they err together."""
    places = np.arange(n_features)
    return SHARED ** np.abs(places[:, None] - places)


CORRELATIONS: dict[str, Callable[[int], np.ndarray]] = {
    "in step": in_step,
    "in turn": in_turn,
    "neighbours": of_neighbours,
}


def noisy_error(module, X, y, generator, *, root):
    """Squared error at inputs with noise of the covariance ``root @ root.T``."""
    noise = torch.empty_like(X).normal_(generator=generator) @ root.T
    return squared_error(module, X + noise, y, generator)


def noisy_batches(task: Task, covariance: np.ndarray) -> TorchRegressor:
    """Training on noisy batches, with the step and the average of our second stage."""
    root = torch.from_numpy(np.linalg.cholesky(covariance)).float()
    loss = partial(noisy_error, root=root)
    return pretrained(task).fit(task, EPOCHS, loss, ours=True)


def models_for(task: Task, covariance: np.ndarray) -> dict[str, Any]:
    """Fitted models by what they are told."""
    X, y = task.data.X, task.data.y
    told = {"deviations": np.sqrt(np.diag(covariance)), "covariances": covariance}
    models = {"plain network": no_lai(task, 0.0)}
    for name, noise in told.items():
        network = LaiMLPRegressor(noise=noise, **lai_parameters(task))
        models[f"network, {name}"] = network.fit(X, y)
        models[f"linear, {name}"] = LaiLinearRegressor(noise=noise).fit(X, y)
    return models | {"noisy batches": noisy_batches(task, covariance)}


def measure(unit: Unit, X: np.ndarray, y: np.ndarray, cache: str) -> dict:
    """Errors of every model under every noise."""
    torch.set_num_threads(1)
    data = split(X, y, unit[1])
    task = Task(data, unit[1], cache)
    # The metric counts in deviations of the rows it gets, noise in the training rows'.
    unit_of_noise = 1 / data.X_test.std(axis=0, dtype=np.float64)
    points = []
    for kind, sd in product(CORRELATIONS, SDS):
        covariance = sd**2 * CORRELATIONS[kind](data.X.shape[1])
        with (
            threadpool_limits(1),
            warnings.catch_warnings(action="ignore", category=ConvergenceWarning),
        ):
            models = models_for(task, covariance)
        noise = covariance * np.outer(unit_of_noise, unit_of_noise)
        for name, model in models.items():
            error = error_under_noise(model, data.X_test, data.y_test, noise=noise)
            points.append([kind, sd, name, float(f"{error:.6g}")])
    return {"unit": unit, "points": points}


def measure_all(sets, units: list[Unit], n_jobs: int, path: Path) -> pd.DataFrame:
    """Errors of all units, a row each."""
    lines = Lines(path, "unit")
    with tempfile.TemporaryDirectory() as cache:
        lines.run_missing(
            units, lambda u: delayed(measure)(u, *sets[u[0]], cache), n_jobs
        )
    rows = [(*unit, *point) for unit in units for point in lines.found[unit]["points"]]
    return pd.DataFrame(
        rows, columns=["set", "seed", "correlation", "sd", "model", "error"]
    )


def over_seeds(points: pd.DataFrame) -> pd.DataFrame:
    """Mean errors, and those with covariances over those with deviations, by seed."""
    keys = ["set", "correlation", "sd"]
    errors = points.pivot(index=[*keys, "seed"], columns="model", values="error")
    gains = {
        f"{kind}, ratio": errors[f"{kind}, covariances"] / errors[f"{kind}, deviations"]
        for kind in ("network", "linear")
    }
    groups = errors.assign(**gains).groupby(keys, sort=False)
    spread = groups[list(gains)].sem().add_suffix(" se")
    return groups.mean().join(spread).reset_index()


def main():
    parser = make_parser("correlated", __doc__.splitlines()[0])
    add_options(parser, "correlated")
    options = parser.parse_args()

    sets = load(options.data, options.sets)
    units = list(product(sets, range(options.seeds)))
    table = over_seeds(measure_all(sets, units, options.jobs, options.points))
    print(table.round(3).to_string(index=False))
    save_json(
        options.json,
        [sklearn_lai, sklearn, torch, np],
        seeds=options.seeds,
        rows={key: len(X) for key, (X, _) in sets.items()},
        table=table.round(5).to_dict("records"),
    )


if __name__ == "__main__":
    main()
