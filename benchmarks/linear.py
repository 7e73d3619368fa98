"""How fast the exact linear solver is, as ratios to scikit-learn in the same run.

    python benchmarks/linear.py --json results/linear.json --figure results/linear.png

Both sides of a comparison have the same data and one thread and take turns; times are
medians. The data is random. Needs 6 GB of memory.
"""

import subprocess
import sys
import time
import warnings
from functools import partial

import numpy as np
import sklearn
from report import AT_LEAST, AT_MOST, Report, make_parser, peak_memory
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LassoCV, LinearRegression, Ridge
from sklearn.model_selection import GridSearchCV
from threadpoolctl import threadpool_limits

import sklearn_lai
from sklearn_lai import LaiLinearRegressor, LaiLinearRegressorCV, lai_linear_path

PEERS = {"LinearRegression": LinearRegression, "Ridge": Ridge}
N_SAMPLES, N_FEATURES = 1_000_000, 100


def make_data(n_samples=N_SAMPLES, n_features=N_FEATURES):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_samples, n_features))
    return X, X @ rng.normal(size=n_features) + 10 * rng.normal(size=n_samples)


def fits(report):
    X, y = make_data()
    for name, target in {"LinearRegression": 10, "Ridge": 5}.items():
        report.compare(
            f"{name} / LaiLinearRegressor, 1e6 x 100",
            lambda peer=PEERS[name]: peer().fit(X, y),
            lambda: LaiLinearRegressor().fit(X, y),
            AT_LEAST,
            target,
        )
    report.compare(
        "LaiLinearRegressorCV, 50 k x 5 folds / one fit, 1e6 x 100",
        lambda: LaiLinearRegressorCV(ks=50, cv=5).fit(X, y),
        lambda: LaiLinearRegressor().fit(X, y),
        AT_MOST,
        3,
    )


def grid_search(report):
    """One turn each: the search takes minutes."""
    X, y = make_data()
    start = time.perf_counter()
    model = LaiLinearRegressorCV(ks=50, cv=5).fit(X, y)
    ours = time.perf_counter() - start
    search = GridSearchCV(
        LaiLinearRegressor(),
        {"k": model.ks_},
        scoring="neg_mean_squared_error",
        cv=5,
    )
    start = time.perf_counter()
    search.fit(X, y)
    theirs = time.perf_counter() - start
    assert search.best_params_["k"] == model.k_
    report.add(
        "GridSearchCV / LaiLinearRegressorCV, 50 k x 5 folds, 1e6 x 100",
        theirs / ours,
        AT_LEAST,
        30,
        seconds=[theirs, ours],
    )


def paths(report):
    X, y = make_data(20_000, 500)
    X[:, 1:] += 0.5 * X[:, :-1]
    report.compare(
        "lai_linear_path, 20 k / LassoCV, 20 alphas, 2e4 x 500",
        lambda: lai_linear_path(X, y, 20),
        lambda: LassoCV(alphas=20).fit(X, y),
        AT_MOST,
        10,
    )
    report.compare(
        "LaiLinearRegressorCV, 20 k / LassoCV, 20 alphas, 2e4 x 500",
        lambda: LaiLinearRegressorCV(ks=20).fit(X, y),
        lambda: LassoCV(alphas=20).fit(X, y),
        AT_MOST,
        10,
    )


def fit_memory(name):
    """Peak memory of a fit beyond its data."""
    X, y = make_data()
    model = PEERS.get(name, LaiLinearRegressor)()
    model.fit(X[:1000], y[:1000])  # what is allocated once
    return peak_memory(partial(model.fit, X, y))


def memory(report):
    for name, target in {"LaiLinearRegressor": 50, **dict.fromkeys(PEERS)}.items():
        command = [sys.executable, __file__, "--fit-memory", name]
        peak = int(subprocess.check_output(command, text=True).split()[-1])
        if target is None:
            print(f"  for comparison, {name}: {peak / 1e6:.0f} MB")
        else:
            report.add(
                f"peak memory of {name} beyond X, MB, 1e6 x 100",
                peak / 1e6,
                AT_MOST,
                target,
            )


def main():
    parser = make_parser("linear", __doc__.splitlines()[0])
    parser.add_argument("--fit-memory")
    options = parser.parse_args()
    if options.fit_memory:
        print(fit_memory(options.fit_memory))
        return
    warnings.simplefilter("ignore", ConvergenceWarning)
    report = Report(options.repeats)
    with threadpool_limits(1):
        fits(report)
        paths(report)
        grid_search(report)
    memory(report)
    modules = [sklearn_lai, sklearn, np]
    report.save(options.json, options.figure, modules)


if __name__ == "__main__":
    main()
