"""What one run along k saves when k is tuned, and whether its curve is as good.

    python benchmarks/tuning.py --data DIR [DIR ...]

Times: all sides of a comparison have the same data, folds and one thread, and take
turns; times are medians of ratios in the same run. The data is random. Curves: those of
`tuning_curves.py`, of the data sets of the trade-off.
"""

import tempfile
import time
import warnings

import numpy as np
import sklearn
import torch
from datasets import load
from report import AT_LEAST, AT_MOST, Report, make_parser, records
from resume import add_options
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LassoCV
from sklearn.model_selection import GridSearchCV
from threadpoolctl import threadpool_limits
from tuning_curves import compare_curves

import sklearn_lai
from sklearn_lai import (
    LaiLinearRegressor,
    LaiLinearRegressorCV,
    LaiMLPRegressor,
    LaiMLPRegressorCV,
)

N_FEATURES = 8
SCORING = "neg_root_mean_squared_error"
# Layers, rows, number of k, and how many times as long GridSearchCV is to take.
CASES = [
    ((100,), 5_000, 10, 4.5),
    ((100,), 5_000, 20, 5.0),
    ((128, 128), 2_000, 10, 4.0),
]
# Epochs of both stages, none of which ends before: as MLPRegressor has by default, and
# those of the second stage here.
EPOCHS = {"max_iter": 200, "lai_epochs": 100, "n_iter_no_change": np.inf}


def make_data(n_samples, n_features=N_FEATURES):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_samples, n_features), np.float32)
    return X, np.sin(X[:, 0]) + X[:, 1:].sum(1) / 4 + rng.normal(0, 0.3, n_samples)


def grid_search(X, y, ks, **settings):
    model = LaiMLPRegressor(**settings)
    return GridSearchCV(model, {"k": ks}, cv=5, scoring=SCORING).fit(X, y)


def with_memory(X, y, ks, **settings):
    with tempfile.TemporaryDirectory() as folder:
        return grid_search(X, y, ks, memory=folder, **settings)


def apart(X, y, ks, **settings):
    """Every k from the pretrained network."""
    model = LaiMLPRegressorCV(ks=ks, path_epochs=None, tolerance=0, **settings)
    return model.fit(X, y)


def one_run(report, layers, n_samples, n_ks, target):
    X, y = make_data(n_samples)
    ks = np.geomspace(1, 0.02, n_ks)
    settings = {"hidden_layer_sizes": layers, "random_state": 0, **EPOCHS}
    report.compare(
        f"GridSearchCV / LaiMLPRegressorCV, {n_ks} k x 5 folds, {layers}",
        lambda: grid_search(X, y, ks, **settings),
        lambda: LaiMLPRegressorCV(ks=ks, **settings).fit(X, y),
        AT_LEAST,
        target,
    )


def networks(report):
    for case in CASES:
        one_run(report, *case)
    X, y = make_data(2_000)
    ks, settings = np.geomspace(1, 0.02, 10), {"random_state": 0, **EPOCHS}
    report.compare(
        "GridSearchCV, 10 k x 5 folds, with memory / without, (100,)",
        lambda: with_memory(X, y, ks, **settings),
        lambda: grid_search(X, y, ks, **settings),
        AT_MOST,
        0.62,
    )
    search, model = (find(X, y, ks, **settings) for find in (grid_search, apart))
    assert search.best_params_["k"] == model.k_
    slider(report, X, y)


def slider(report, X, y, n_calls=100):
    model = LaiMLPRegressorCV(random_state=0).fit(X, y)
    seconds = []
    for k in np.resize(model.ks_, n_calls):
        start = time.perf_counter()
        model.estimator_at(k)
        seconds.append(time.perf_counter() - start)
    milliseconds = 1000 * float(np.median(seconds))
    report.add("estimator_at, ms, (100,)", milliseconds, AT_MOST, 10)


def linear(report):
    X, y = load_diabetes(return_X_y=True)
    report.compare(
        "LaiLinearRegressorCV() / LassoCV(cv=5), diabetes",
        lambda: LaiLinearRegressorCV().fit(X, y),
        lambda: LassoCV(cv=5).fit(X, y),
        AT_MOST,
        6,
    )
    X, y = make_data(50_000, 30)
    ks = np.geomspace(0.5, 0.01, 25)
    search = GridSearchCV(LaiLinearRegressor(), {"k": ks}, cv=5, scoring=SCORING)
    report.compare(
        "GridSearchCV / LaiLinearRegressorCV, 50,000 x 30, 25 k x 5 folds",
        lambda: search.fit(X, y),
        lambda: LaiLinearRegressorCV(ks=ks, cv=5).fit(X, y),
        AT_LEAST,
        30,
    )


def main():
    parser = make_parser("tuning", __doc__.splitlines()[0])
    add_options(parser, "tuning")
    options = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    report = Report(options.repeats)
    sets = load(options.data, options.sets)
    curves = compare_curves(sets, options.seeds, options.jobs, options.points)
    print(curves.round(2).to_string(index=False))
    with threadpool_limits(1):
        linear(report)
        networks(report)
    modules = [sklearn_lai, sklearn, torch, np]
    rows = records(curves.round(3))
    report.save(options.json, options.figure, modules, curves=rows)


if __name__ == "__main__":
    main()
