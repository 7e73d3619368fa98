"""Curves of error against smoothness: in one run along k, and by separate runs.

Area and split are those of `tradeoff.py`: the least change of mean noise sensitivity
within 0 to 5 % more error than without control, the mean over the budgets, of each seed
on the rows held out. Lower is better.
"""

import warnings
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from curves import AREA_BUDGETS, least_sensitivity, standard_error
from datasets import split
from joblib import delayed
from methods import Task, lai_parameters
from resume import Lines
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import root_mean_squared_error

from sklearn_lai import LaiMLPRegressor, LaiMLPRegressorCV
from sklearn_lai.metrics import noise_sensitivity

KS = np.geomspace(0.6, 0.012, 12)
NOISE = 1.0  # standard deviations of a feature
MODES = {"one run": 25, "separate runs": None}  # path_epochs
# Rows of the only fold: what folds do is not asked here.
N_ROWS_OF_FOLD = 64

Unit = tuple[str, str, int]  # set, mode, seed


def figures(model, data) -> tuple[float, float]:
    """Error and mean noise sensitivity on the rows held out."""
    error = root_mean_squared_error(data.y_test, model.predict(data.X_test))
    sensitivity = noise_sensitivity(model, data.X_test, noise=NOISE).mean()
    return float(error), float(sensitivity)


def measure(unit: Unit, X: np.ndarray, y: np.ndarray) -> dict:
    """The curve of a seed, relative to no control, and its area."""
    torch.set_num_threads(1)
    _, mode, seed = unit
    data = split(X, y, seed)
    parameters = lai_parameters(Task(data, seed))
    few = np.arange(N_ROWS_OF_FOLD)
    chooser = LaiMLPRegressorCV(
        ks=KS, path_epochs=MODES[mode], cv=[(few, few)], **parameters
    )
    plain = LaiMLPRegressor(lai_fraction=0, **parameters)
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
        plain.fit(data.X, data.y)
        chooser.fit(data.X, data.y)
    of_plain = figures(plain, data)
    curve = [
        np.divide(figures(chooser.estimator_at(k), data), of_plain) - 1 for k in KS
    ]
    errors, sensitivities = np.transpose(curve).round(5).tolist()
    return {"unit": unit, "error": errors, "sensitivity": sensitivities}


def area(line: dict) -> float:
    """Area of a curve, in %."""
    least = [
        least_sensitivity(line["error"], line["sensitivity"], b) for b in AREA_BUDGETS
    ]
    return 100 * float(np.mean(least))


def compare_curves(sets, n_seeds: int, n_jobs: int, path: Path) -> pd.DataFrame:
    """Mean areas of both by set, and by how many points they differ; the median last.

    `se` is the standard error of the difference over the seeds.
    """
    lines = Lines(path, "unit")
    units = list(product(sets, MODES, range(n_seeds)))
    lines.run_missing(
        units, lambda unit: delayed(measure)(unit, *sets[unit[0]]), n_jobs
    )
    rows = []
    for key in sets:
        one, apart = (
            np.array([area(lines.found[key, mode, s]) for s in range(n_seeds)])
            for mode in MODES
        )
        means = dict(zip(MODES, (one.mean(), apart.mean()), strict=True))
        difference = {"difference": (one - apart).mean()}
        rows.append(
            {"set": key, **means, **difference, "se": standard_error(one - apart)}
        )
    table = pd.DataFrame(rows)
    median = table.drop(columns=["set", "se"]).median()
    return pd.concat([table, pd.DataFrame([{"set": "median", **median}])])
