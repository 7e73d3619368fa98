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
SETTINGS = {"n_iter_no_change": np.inf, "random_state": 0}
# The estimator's defaults, the paper's way of sampling, and a larger network; as many
# epochs in both stages.
CASES = [
    {"hidden_layer_sizes": (100,), "lai_interval": 5, "epochs": 20},
    {"hidden_layer_sizes": (100,), "lai_interval": None, "epochs": 20},
    {"hidden_layer_sizes": (128, 128), "lai_interval": 5, "epochs": 5},
]


def make_data():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((N_SAMPLES, N_FEATURES), np.float32)
    return X, np.sin(X[:, 0]) + X[:, 1:].sum(1) / 4


def grid_search(X, y, ks, **settings):
    model = LaiMLPRegressor(**settings)
    scoring = "neg_mean_squared_error"
    return GridSearchCV(model, {"k": ks}, cv=5, scoring=scoring).fit(X, y)


def with_memory(X, y, ks, **settings):
    with tempfile.TemporaryDirectory() as folder:
        return grid_search(X, y, ks, memory=folder, **settings)


def compare(report, hidden_layer_sizes, lai_interval, epochs):
    X, y = make_data()
    ks = np.geomspace(1, 0.05, 20)
    settings = SETTINGS | {
        "hidden_layer_sizes": hidden_layer_sizes,
        "lai_interval": lai_interval,
        "pretrain_epochs": epochs,
        "lai_epochs": epochs,
    }
    case = f"{hidden_layer_sizes}, lai_interval {lai_interval}"
    report.compare(
        f"GridSearchCV, 10 k x 5 folds, with memory / without, {case}",
        lambda: with_memory(X, y, ks[::2], **settings),
        lambda: grid_search(X, y, ks[::2], **settings),
        AT_MOST,
        0.62,
    )
    report.compare(
        f"GridSearchCV / LaiMLPRegressorCV, 20 k x 5 folds, {case}",
        lambda: grid_search(X, y, ks, **settings),
        lambda: LaiMLPRegressorCV(ks=ks, cv=5, **settings).fit(X, y),
        AT_LEAST,
        1.8,
    )
    search = grid_search(X, y, ks, **settings)
    model = LaiMLPRegressorCV(ks=ks, cv=5, **settings).fit(X, y)
    assert search.best_params_["k"] == model.k_


def main():
    options = make_parser("tuning", __doc__.splitlines()[0]).parse_args()
    report = Report(options.repeats)
    with threadpool_limits(1):
        for case in CASES:
            compare(report, **case)
    report.save(options.json, options.figure, [sklearn_lai, sklearn, np])


if __name__ == "__main__":
    main()
