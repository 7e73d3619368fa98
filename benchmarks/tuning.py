"""What shared pretraining saves when k is tuned, as ratios in the same run.

    python benchmarks/tuning.py --json results/tuning.json --figure results/tuning.png

All sides have the same data, folds, epochs (as many in both stages) and one thread, and
take turns; times are medians. The data is random, of the shape of playground_s3e1's
training rows.
"""

import tempfile

import numpy as np
import sklearn
from report import AT_LEAST, AT_MOST, Report, make_parser
from sklearn.model_selection import GridSearchCV
from threadpoolctl import threadpool_limits

import sklearn_lai
from sklearn_lai import LaiMLPRegressor, LaiMLPRegressorCV

N_SAMPLES, N_FEATURES = 29_709, 8
SETTINGS = {
    "hidden_layer_sizes": (64,),
    "batch_size": 200,
    "pretrain_epochs": 10,
    "lai_epochs": 10,
    "n_iter_no_change": np.inf,
    "random_state": 0,
}


def make_data():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((N_SAMPLES, N_FEATURES), np.float32)
    return X, np.sin(X[:, 0]) + X[:, 1:].sum(1) / 4


def grid_search(X, y, ks, memory=None):
    model = LaiMLPRegressor(memory=memory, **SETTINGS)
    scoring = "neg_mean_squared_error"
    return GridSearchCV(model, {"k": ks}, cv=5, scoring=scoring).fit(X, y)


def with_memory(X, y, ks):
    with tempfile.TemporaryDirectory() as folder:
        return grid_search(X, y, ks, memory=folder)


def compare(report):
    X, y = make_data()
    ks = np.geomspace(1, 0.05, 20)
    report.compare(
        "GridSearchCV, 10 k x 5 folds, with memory / without",
        lambda: with_memory(X, y, ks[::2]),
        lambda: grid_search(X, y, ks[::2]),
        AT_MOST,
        0.62,
    )
    report.compare(
        "GridSearchCV / LaiMLPRegressorCV, 20 k x 5 folds",
        lambda: grid_search(X, y, ks),
        lambda: LaiMLPRegressorCV(ks=ks, cv=5, **SETTINGS).fit(X, y),
        AT_LEAST,
        1.8,
    )
    search = grid_search(X, y, ks)
    model = LaiMLPRegressorCV(ks=ks, cv=5, **SETTINGS).fit(X, y)
    assert search.best_params_["k"] == model.k_


def main():
    options = make_parser("tuning", __doc__.splitlines()[0]).parse_args()
    report = Report(options.repeats)
    with threadpool_limits(1):
        compare(report)
    report.save(options.json, options.figure, [sklearn_lai, sklearn, np])


if __name__ == "__main__":
    main()
