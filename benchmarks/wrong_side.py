"""Slopes on the wrong side of zero, to which the Lai loss is blind.

    python benchmarks/wrong_side.py

The Lai factor does not depend on the sign of a slope (section 4 of the paper), so one
that begins on the wrong side may stay there. Networks of 64 hidden units are trained on
functions with known gradients, after pretraining of several lengths, with slopes as
derivatives or over a distance, own errors or the mean one, along `k`. Of the held-out
rows and of all features that the function depends on there, the share of slopes with
the wrong sign is measured, each weighted by the size of the true slope, or of the
model's; and the error against the function without noise, in its standard deviations.

Every unit adds a line to the file of `--points`, so that a run that was cut short goes
on from there.
"""

import math
import tempfile
import warnings
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import sklearn
import torch
from datasets import N_GENERATED
from joblib import delayed
from report import make_parser, save_json
from resume import Lines, add_options
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import root_mean_squared_error
from sklearn.model_selection import train_test_split

import sklearn_lai
from sklearn_lai import LaiMLPRegressor

PRETRAINING, LAI_EPOCHS = (0, 5, 20, 100), 100
KS = (1.0, 0.5, 0.2, 0.1, 0.05)
FORMS = {
    f"{error} error, reach {reach}": {"lai_error": error, "reach": reach}
    for error, reach in product(("own", "mean"), (0, 0.5))
}
BEFORE, PLAIN = "before", "plain"
POINT = ["function", "pretraining", "seed", "form", "k", "of_true", "of_model", "rmse"]

Unit = tuple[str, int, int]  # function, epochs of pretraining, seed


class Function(NamedTuple):
    """A function of features, uniform between bounds, and the noise of the target."""

    value: Callable[[torch.Tensor], torch.Tensor]
    low: list[float]
    high: list[float]
    noise: float


def friedman1(x):
    wave = 10 * torch.sin(math.pi * x[0] * x[1])
    return wave + 20 * (x[2] - 0.5) ** 2 + 10 * x[3] + 5 * x[4]


def friedman2(x):
    return torch.sqrt(x[0] ** 2 + (x[1] * x[2] - 1 / (x[1] * x[3])) ** 2)


def friedman3(x):
    return torch.atan((x[1] * x[2] - 1 / (x[1] * x[3])) / x[0])


def threshold(x):
    """Flat up to a threshold, steep beyond it, in three of ten features."""
    rises = 10 * torch.relu(x[0] - 0.5) + 8 * torch.relu(x[1] - 0.8)
    return rises - 6 * torch.relu(0.4 - x[2]) - 4 * torch.relu(x[2] - 0.6) + 2 * x[3]


# Those of Friedman (1991), with a third of the standard deviation as noise, or a fifth.
CIRCUIT = [0, 40 * math.pi, 0, 1], [100, 560 * math.pi, 1, 11]
FUNCTIONS = {
    "friedman1": Function(friedman1, [0] * 10, [1] * 10, 1),
    "friedman2": Function(friedman2, *CIRCUIT, 125),
    "friedman3": Function(friedman3, *CIRCUIT, 0.1),
    "threshold": Function(threshold, [0] * 10, [1] * 10, 0.5),
}


class Data(NamedTuple):
    """Rows to train on; held-out ones with values and slopes of the function."""

    X: np.ndarray
    y: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray
    slopes_test: np.ndarray


def make_data(function: Function, seed: int) -> Data:
    """Random rows, standardised, a fifth of them held out."""
    rng = np.random.default_rng(seed)
    X = rng.uniform(function.low, function.high, (N_GENERATED, len(function.low)))
    rows = torch.from_numpy(X).requires_grad_()
    values = function.value(rows.T)
    (slopes,) = torch.autograd.grad(values.sum(), rows)
    y, scale = values.detach().numpy(), X.std(axis=0)
    y, unit = (y - y.mean()) / y.std(), y.std()
    noisy = y + function.noise / unit * rng.standard_normal(len(y))
    split = train_test_split(
        ((X - X.mean(axis=0)) / scale).astype(np.float32),
        noisy.astype(np.float32),
        y,
        slopes.numpy() * scale / unit,
        test_size=0.2,
        random_state=seed,
    )
    X, X_test, y, _, _, y_test, _, slopes_test = split
    return Data(X, y, X_test, y_test, slopes_test)


def wrong_shares(model: LaiMLPRegressor, data: Data) -> tuple[float, float]:
    """Shares of slopes with the wrong sign, by their true size and the model's."""
    slopes, true = model.input_gradient(data.X_test), data.slopes_test
    is_wrong, has_sign = slopes * true < 0, true != 0
    sizes = np.abs(true), np.where(has_sign, np.abs(slopes), 0)
    of_true, of_model = (size[is_wrong].sum() / size.sum() for size in sizes)
    return of_true, of_model


def settings(pretraining: int) -> list[tuple[str, float, dict]]:
    """Form, `k` and parameters of the second stage of every fit of a unit."""
    lai = product(FORMS.items(), KS)
    before = [(BEFORE, 0.0, {"lai_epochs": 0})] if pretraining else []
    return [
        *before,
        (PLAIN, 0.0, {"lai_fraction": 0}),
        *((form, k, parameters | {"k": k}) for (form, parameters), k in lai),
    ]


def measure(unit: Unit, cache: str) -> dict:
    """Shares and errors of every setting."""
    torch.set_num_threads(1)
    name, pretraining, seed = unit
    data = make_data(FUNCTIONS[name], seed)
    shared = {"hidden_layer_sizes": 64, "batch_size": 32, "random_state": seed}
    shared |= {"max_iter": pretraining, "lai_epochs": LAI_EPOCHS, "memory": cache}
    points = []
    for form, k, parameters in settings(pretraining):
        model = LaiMLPRegressor(n_iter_no_change=np.inf, **(shared | parameters))
        with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
            model.fit(data.X, data.y)
        error = root_mean_squared_error(data.y_test, model.predict(data.X_test))
        figures = *wrong_shares(model, data), error
        points.append([form, k, *(float(f"{value:.5g}") for value in figures)])
    return {"unit": unit, "points": points}


def measure_all(units: list[Unit], n_jobs: int, path: Path) -> pd.DataFrame:
    """Figures of every fit, a row each."""
    lines = Lines(path, "unit")
    with tempfile.TemporaryDirectory() as cache:
        lines.run_missing(units, lambda unit: delayed(measure)(unit, cache), n_jobs)
    rows = [(*unit, *point) for unit in units for point in lines.found[unit]["points"]]
    return pd.DataFrame(rows, columns=POINT)


def over_seeds(points: pd.DataFrame) -> pd.DataFrame:
    """Means over the seeds, with the standard errors of them."""
    keys = ["function", "pretraining", "form", "k"]
    groups = points.groupby(keys, sort=False)[POINT[5:]]
    return groups.mean().join(groups.sem().add_suffix("_se")).reset_index()


def main():
    parser = make_parser("wrong_side", __doc__.splitlines()[0])
    add_options(parser, "wrong_side")
    options = parser.parse_args()

    units = list(product(FUNCTIONS, PRETRAINING, range(options.seeds)))
    table = over_seeds(measure_all(units, options.jobs, options.points))
    print(table.round(3).to_string(index=False))
    save_json(
        options.json,
        [sklearn_lai, sklearn, torch, np],
        seeds=options.seeds,
        ks=KS,
        table=table.round(5).to_dict("records"),
    )


if __name__ == "__main__":
    main()
