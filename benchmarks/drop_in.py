"""Whether the first stage alone is as accurate as MLPRegressor, and how fast it is.

    python benchmarks/drop_in.py --data DIR [DIR ...]

R2 on rows held out, of standardised data, with the default settings of both but for the
solver: the mean over sets and seeds is to differ by at most 0.005. Times are of one
thread, both sides in turn.
"""

import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import sklearn
import torch
from datasets import load, split
from report import make_parser, save_json
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor
from threadpoolctl import threadpool_limits

import sklearn_lai
from sklearn_lai import LaiMLPRegressor

SOLVERS = ["adam", "sgd", "lbfgs"]
N_SEEDS = 5
TARGET = 0.005


def measure(sets):
    """Score and seconds of each class, by set, solver and seed."""
    for name, (X, y) in sets.items():
        for solver in SOLVERS:
            for seed in range(N_SEEDS):
                data, row = split(X, y, seed), {"set": name, "solver": solver}
                models = {
                    "ours": LaiMLPRegressor(solver=solver, lai_epochs=0),
                    "theirs": MLPRegressor(solver=solver),
                }
                for side, model in models.items():
                    start = time.perf_counter()
                    model.set_params(random_state=seed).fit(data.X, data.y)
                    row[f"seconds_{side}"] = time.perf_counter() - start
                    row[f"r2_{side}"] = model.score(data.X_test, data.y_test)
                yield row


def summarise(points, by):
    """Mean scores, their difference and its standard error, and the ratio of times."""
    points = points.assign(
        difference=points["r2_ours"] - points["r2_theirs"],
        ratio=points["seconds_theirs"] / points["seconds_ours"],
    )
    groups = points.groupby(by, sort=False)
    table = groups[["r2_theirs", "r2_ours", "difference"]].mean()
    table["standard_error"] = groups["difference"].sem()
    table["ratio"] = groups["ratio"].median()
    return table.reset_index()


def main():
    parser = make_parser("drop_in", __doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, nargs="*", default=[])
    parser.add_argument("--sets", nargs="+", help="names of the data sets; all if none")
    options = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    with threadpool_limits(1):
        torch.set_num_threads(1)
        points = pd.DataFrame(measure(load(options.data, options.sets)))
    by_set, by_solver = (
        summarise(points, ["solver", "set"]),
        summarise(points, ["solver"]),
    )
    for table in (by_set, by_solver):
        print(table.round(4).to_string(index=False))
    missed = by_solver[by_solver["difference"].abs() > TARGET]["solver"].tolist()
    print(f"over {TARGET}: {', '.join(missed) or 'none'}")
    save_json(
        options.json,
        [sklearn_lai, sklearn, torch, np],
        by_set=by_set.round(5).to_dict("records"),
        by_solver=by_solver.round(5).to_dict("records"),
    )


if __name__ == "__main__":
    main()
