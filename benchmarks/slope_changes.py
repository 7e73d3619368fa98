"""How much slopes change from row to row, for slopes as derivatives or over a distance.

    python benchmarks/slope_changes.py [--data DIR ...]

The paper asks for second derivatives (section 4). Networks of 64 hidden units, ReLU
and SiLU, are trained on the data sets of `tradeoff.py` along `k`, with own errors or
the mean one and slopes as derivatives (reach 0) or over distances. Slopes are those at
the held-out rows and, for each, at the nearest other one; their change is the mean over
rows and features, in standard deviations. What is compared is the change at an equal
noise sensitivity, interpolated along `k`, over that of the network without a Lai loss.

Every unit adds a line to the file of `--points`, so that a run that was cut short goes
on from there.
"""

import tempfile
import warnings
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import sklearn
import torch
from curves import at_level
from datasets import load, split
from joblib import delayed
from methods import ACTIVATIONS, Architecture, Task, lai
from report import make_parser, save_json
from resume import Lines, add_options
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import root_mean_squared_error
from sklearn.neighbors import NearestNeighbors

import sklearn_lai
from sklearn_lai.metrics import noise_sensitivity

FORMS = {
    f"{error} error, reach {reach}": {"lai_error": error, "reach": reach}
    for error, reach in product(("own", "mean"), (0, 0.3, 1))
}
KS = np.geomspace(0.7, 0.01, 8).round(4).tolist()
NOISE = 0.3  # standard deviations of a feature
LEVELS = (0.8, 0.6, 0.4)  # of the sensitivity without a Lai loss
FIGURES = ["sensitivity", "change", "rmse"]

Unit = tuple[str, str, int]  # set, activation, seed


def figures(model, data) -> list[float]:
    """Noise sensitivity, change of the slopes between neighbours, and error."""
    X, y = data.X_test, data.y_test
    nearest = NearestNeighbors(n_neighbors=1).fit(X).kneighbors(return_distance=False)
    slopes = model.input_gradient(X)
    found = (
        noise_sensitivity(model, X, noise=NOISE).mean(),
        np.abs(slopes - slopes[nearest[:, 0]]).mean(),
        root_mean_squared_error(y, model.predict(X)),
    )
    return [float(f"{value:.5g}") for value in found]


def measure(unit: Unit, X: np.ndarray, y: np.ndarray, cache: str) -> dict:
    """Figures without a Lai loss, and of every form along `k`."""
    torch.set_num_threads(1)
    _, activation, seed = unit
    data = split(X, y, seed)
    task = Task(data, seed, cache, Architecture(activation=activation))
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
        curves = {
            form: [figures(lai(task, k, **parameters), data) for k in KS]
            for form, parameters in FORMS.items()
        }
        plain = lai(task, k=1.0, lai_fraction=0)
    return {"unit": unit, "plain": figures(plain, data), "curves": curves}


def measure_all(sets, units: list[Unit], n_jobs: int, path: Path) -> pd.DataFrame:
    """Figures at every level over the plain ones, a row for each form of a unit."""
    lines = Lines(path, "unit")
    with tempfile.TemporaryDirectory() as cache:
        lines.run_missing(
            units, lambda u: delayed(measure)(u, *sets[u[0]], cache), n_jobs
        )
    rows = [
        (*unit, form, level, *at_level(lines.found[unit]["plain"], curve, level))
        for unit in units
        for form, curve in lines.found[unit]["curves"].items()
        for level in LEVELS
    ]
    return pd.DataFrame(
        rows, columns=["set", "activation", "seed", "form", "level", *FIGURES]
    )


def over_seeds(points: pd.DataFrame) -> pd.DataFrame:
    """Means over the seeds that reach a level, if several do, and standard errors."""
    keys = ["set", "activation", "form", "level"]
    groups = points.groupby(keys, sort=False)[FIGURES[1:]]
    table = groups.mean().join(groups.sem().add_suffix("_se"))
    table = table.assign(seeds=groups.count()["change"]).reset_index()
    return table[table["seeds"] > 1]


def main():
    parser = make_parser("slope_changes", __doc__.splitlines()[0])
    add_options(parser, "slope_changes")
    options = parser.parse_args()

    sets = load(options.data, options.sets)
    units = list(product(sets, ACTIVATIONS, range(options.seeds)))
    table = over_seeds(measure_all(sets, units, options.jobs, options.points))
    print(table.round(3).to_string(index=False))
    save_json(
        options.json,
        [sklearn_lai, sklearn, torch, np],
        seeds=options.seeds,
        ks=KS,
        noise=NOISE,
        rows={key: len(X) for key, (X, _) in sets.items()},
        table=table.round(5).to_dict("records"),
    )


if __name__ == "__main__":
    main()
