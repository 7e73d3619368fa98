"""Error on new data with k, the L2 penalty or both chosen by cross-validation.

    python benchmarks/accuracy.py [--data DIR ...]

The paper hopes that control of slopes generalises better. On 100, 300 and 1000 rows of
the data sets of `tradeoff.py`, networks of 64 hidden units are trained in two stages of
as many steps each. One search over `k`, with the mean error in the Lai loss or each
row's own, and `alpha` has the scores of 5 folds. The least error is taken of all
candidates of a form, of those with the default `alpha`, or of those without a Lai loss;
the plain network with the default `alpha` is among all of these. The same without a
second stage, with the first one twice as long, is training as MLPRegressor does it. The
error is that on all other rows, without noise.

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
from curves import standard_error
from datasets import Split, load, split
from joblib import delayed
from methods import SMALL_BATCH, Task, network_parameters
from report import make_parser, save_json
from resume import Lines, add_options
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import root_mean_squared_error
from sklearn.model_selection import GridSearchCV, KFold

import sklearn_lai
from sklearn_lai import LaiMLPRegressor

SIZES = (100, 300, 1000)
FEWEST_TESTED = 100
STEPS = 1000  # of each stage
DEFAULT_ALPHA = 1e-4
ALPHAS = [DEFAULT_ALPHA, 0.1, 0.5, 2.5]
KS = np.geomspace(0.5, 0.0125, 5).round(4).tolist()
ERRORS = ("mean", "own")
PLAIN, ALPHA, ONE_STAGE = "plain", "alpha", "alpha, one stage"
POINT = ["size", "set", "seed", "choice", "rmse", "k", "alpha"]

Unit = tuple[int, str, int]  # rows to train on, set, seed


def choices(found: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The candidates of a search that each choice has."""
    default, without = found["alpha"] == DEFAULT_ALPHA, found["k"].isna()
    chosen = {PLAIN: found[default & without], ALPHA: found[without]}
    for error in ERRORS:
        of_form = without | (found["lai_error"] == error)
        chosen[f"k, {error} error"] = found[of_form & default]
        chosen[f"k and alpha, {error} error"] = found[of_form]
    return chosen


def search(model: LaiMLPRegressor, grid, data, seed: int) -> pd.DataFrame:
    """Candidates with their mean error over the folds."""
    folds = KFold(5, shuffle=True, random_state=seed)
    scoring = "neg_root_mean_squared_error"
    found = GridSearchCV(model, grid, scoring=scoring, cv=folds, refit=False)
    results = found.fit(data.X, data.y).cv_results_
    candidates = pd.DataFrame(results["params"])
    return candidates.assign(error=-results["mean_test_score"])


def of_unit(unit: Unit, X: np.ndarray, y: np.ndarray) -> tuple[Split, LaiMLPRegressor]:
    """Data to train and to test on, and a network of two stages."""
    size, _, seed = unit
    data = split(X, y, seed, len(X) - size)
    epochs = STEPS * SMALL_BATCH // size
    network = LaiMLPRegressor(
        max_iter=epochs,
        lai_epochs=epochs,
        n_iter_no_change=np.inf,
        **network_parameters(Task(data, seed)),
    )
    return data, network


def measure(unit: Unit, X: np.ndarray, y: np.ndarray) -> dict:
    """Errors on new rows of the candidate that each choice takes."""
    torch.set_num_threads(1)
    data, two = of_unit(unit, X, y)
    seed = unit[2]
    with (
        tempfile.TemporaryDirectory() as cache,
        warnings.catch_warnings(action="ignore", category=ConvergenceWarning),
    ):
        two.set_params(memory=cache)
        one = clone(two).set_params(max_iter=2 * two.max_iter, lai_epochs=0)
        grid = [
            {"alpha": ALPHAS, "lai_fraction": [0]},
            {"alpha": ALPHAS, "k": KS, "lai_error": ERRORS},
        ]
        candidates = choices(search(two, grid, data, seed))
        candidates[ONE_STAGE] = search(one, {"alpha": ALPHAS}, data, seed)
        points = []
        for choice, found in candidates.items():
            best = found.loc[found["error"].idxmin()].drop("error").dropna().to_dict()
            model = one if choice == ONE_STAGE else two
            model = clone(model).set_params(**best).fit(data.X, data.y)
            error = root_mean_squared_error(data.y_test, model.predict(data.X_test))
            chosen = best.get("k"), best["alpha"]
            points.append([choice, float(f"{error:.5g}"), *chosen])
    return {"unit": unit, "points": points}


def units_of(sets, n_seeds: int) -> list[Unit]:
    """Those whose sets have rows enough."""
    return [
        (size, key, seed)
        for seed, key, size in product(range(n_seeds), sets, SIZES)
        if len(sets[key][0]) >= size + FEWEST_TESTED
    ]


def measure_all(sets, n_seeds: int, n_jobs: int, path: Path) -> pd.DataFrame:
    """Errors of all units, a row each."""
    lines, units = Lines(path, "unit"), units_of(sets, n_seeds)
    lines.run_missing(
        units, lambda unit: delayed(measure)(unit, *sets[unit[1]]), n_jobs
    )
    rows = [(*unit, *point) for unit in units for point in lines.found[unit]["points"]]
    return pd.DataFrame(rows, columns=POINT)


def over_seeds(points: pd.DataFrame, base: str) -> pd.DataFrame:
    """Errors over those of a choice, seed by seed: means and standard errors."""
    cells = ["size", "set", "seed"]
    of_base = points[points["choice"] == base].set_index(cells)["rmse"]
    ratios = points.set_index(cells).assign(base=of_base)
    ratios["ratio"] = ratios["rmse"] / ratios["base"]
    groups = ratios.groupby(["size", "set", "choice"], sort=False)["ratio"]
    return groups.agg(ratio="mean", se=standard_error).round(5)


def main():
    parser = make_parser("accuracy", __doc__.splitlines()[0])
    add_options(parser, "accuracy")
    options = parser.parse_args()

    sets = load(options.data, options.sets)
    points = measure_all(sets, options.seeds, options.jobs, options.points)
    table = over_seeds(points, PLAIN).join(
        over_seeds(points, ALPHA).add_suffix(" to alpha")
    )
    print(table["ratio"].unstack("choice").round(3).to_string())
    save_json(
        options.json,
        [sklearn_lai, sklearn, torch, np],
        seeds=options.seeds,
        ks=KS,
        alphas=ALPHAS,
        table=table.reset_index().to_dict("records"),
    )


if __name__ == "__main__":
    main()
