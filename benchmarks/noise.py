"""Error when the features have noise: `noise` given, tuned models, trees and others.

    python benchmarks/noise.py --data DIR [DIR ...]

Each method of `noise_methods.py` is fitted to the data sets of `tradeoff.py`, for
several seeds of split and training, and predicts the 20 % of the rows held out, with
noise in their features: of several sizes in all of them, and in the one that moves the
plain network most. Noise is in standard deviations of the training rows, errors are
root mean squared errors in those of their target, the mean over five draws.
`noise_tables.py` says what is made of them.

Every fit adds a line to the file of `--points`, so that a run that was cut short goes
on from there. Tables and figure are made of what is there.
"""

import tempfile
import warnings
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import sklearn
import torch
from datasets import load, split
from joblib import delayed
from methods import Task
from noise_figure import draw, draw_short
from noise_methods import METHODS, noises_of
from noise_tables import make_tables
from report import make_parser, save_json
from resume import Lines, add_options
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

import sklearn_lai
from sklearn_lai.metrics import error_under_noise

Unit = tuple[str, str, int]  # set, method, seed


def units_of(sets, methods, n_seeds: int) -> list[Unit]:
    """All units of work, by method."""
    return [(key, m, s) for m, key, s in product(methods, sets, range(n_seeds))]


def measure(unit: Unit, X: np.ndarray, y: np.ndarray, cache: str) -> dict:
    """Errors under all settings of noise that the method is for, and its seconds."""
    torch.set_num_threads(1)
    _, name, seed = unit
    method = METHODS[name]
    data = split(X, y, seed)
    task = Task(data, seed, cache)
    with (
        threadpool_limits(1),
        warnings.catch_warnings(action="ignore", category=ConvergenceWarning),
    ):
        noises = noises_of(task)
        noises = {setting: noises[setting] for setting in method.settings}
        fits = method.run(task, noises)
    # The metric counts in deviations of the rows it gets, noise in the training rows'.
    unit_of_noise = 1 / data.X_test.std(axis=0, dtype=np.float64)
    errors = {}
    for setting, model in fits.models.items():
        noise = noises[setting] * unit_of_noise
        error = error_under_noise(model, data.X_test, data.y_test, noise=noise)
        errors[setting] = float(f"{error:.6g}")
    return {"unit": unit, "seconds": round(fits.seconds, 3), "errors": errors}


def measure_all(
    sets, units: list[Unit], to_do: list[Unit], n_jobs: int, path: Path
) -> pd.DataFrame:
    """Errors of all units that are there once some are done, a row each."""
    lines = Lines(path, "unit")
    with tempfile.TemporaryDirectory() as cache:
        lines.run_missing(
            to_do, lambda u: delayed(measure)(u, *sets[u[0]], cache), n_jobs
        )
    rows = [
        (*unit, lines.found[unit]["seconds"], noise, error)
        for unit in units
        if unit in lines.found
        for noise, error in lines.found[unit]["errors"].items()
    ]
    return pd.DataFrame(
        rows, columns=["set", "method", "seed", "seconds", "noise", "error"]
    )


def print_missing(units: list[Unit], points: pd.DataFrame) -> None:
    """Print how many units each method lacks."""
    found = set(zip(points.set, points.method, points.seed, strict=True))
    missing = pd.Series([unit[1] for unit in units if unit not in found], dtype=str)
    for name, count in missing.value_counts(sort=False).items():
        print(f"missing: {count} units of {name}")


def main():
    parser = make_parser("noise", __doc__.splitlines()[0])
    add_options(parser, "noise")
    parser.add_argument(
        "--methods",
        nargs="*",
        default=list(METHODS),
        choices=list(METHODS),
        metavar="METHOD",
        help="fit only these, by name; with none, make tables of what there is",
    )
    options = parser.parse_args()

    sets = load(options.data, options.sets)
    units = units_of(sets, METHODS, options.seeds)
    to_do = [unit for unit in units if unit[1] in options.methods]
    points = measure_all(sets, units, to_do, options.jobs, options.points)
    tables = make_tables(points)
    for name, table in tables.items():
        print(f"\n{name}\n{table.round(3).to_string(index=False)}")
    print_missing(units, points)
    draw(tables["errors"], options.figure)
    draw_short(
        tables["errors"], options.figure.with_stem(options.figure.stem + "_short")
    )
    save_json(
        options.json,
        [sklearn_lai, sklearn, torch, np],
        seeds=options.seeds,
        jobs=options.jobs,
        rows={key: len(X) for key, (X, _) in sets.items()},
        **{name: table.round(5).to_dict("records") for name, table in tables.items()},
    )


if __name__ == "__main__":
    main()
