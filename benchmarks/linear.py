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


def run_alone(option, name):
    """What this script prints last when it does one thing in a process of its own."""
    command = [sys.executable, __file__, option, name]
    return float(subprocess.check_output(command, text=True).split()[-1])


def first_fit(name):
    """Seconds of the first fit of a process to large data."""
    X, y = make_data()
    model = PEERS.get(name, LaiLinearRegressor)().fit(X[:1000], y[:1000])
    with threadpool_limits(1):
        start = time.perf_counter()
        model.fit(X, y)
        return time.perf_counter() - start


def first_fits(report):
    """Fits as a script has them: memory has to be had from the system."""
    names = [*PEERS, "LaiLinearRegressor"]
    turns = [
        [run_alone("--first-fit", name) for name in names]
        for _ in range(report.repeats)
    ]
    *peers, ours = np.median(turns, axis=0).tolist()
    for name, theirs, target in zip(PEERS, peers, (10, 5), strict=True):
        report.add(
            f"{name} / LaiLinearRegressor, first fit of a process, 1e6 x 100",
            theirs / ours,
            AT_LEAST,
            target,
            seconds=[theirs, ours],
        )


def fits(report):
    X, y = make_data()
    for name in PEERS:
        report.compare(
            f"{name} / LaiLinearRegressor, later fits, 1e6 x 100",
            lambda peer=PEERS[name]: peer().fit(X, y),
            lambda: LaiLinearRegressor().fit(X, y),
            AT_LEAST,
            1,
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


def collinear_pairs(report):
    """Where most Newton steps meet concave pieces."""
    X, _ = make_data(2000, 350)
    rng = np.random.default_rng(1)
    X = np.hstack([X, X + 0.014 * rng.standard_normal(X.shape)])
    y = X @ rng.normal(size=700) + 10 * rng.normal(size=2000)
    start = time.perf_counter()
    LaiLinearRegressor().fit(X, y)
    report.add(
        "seconds of LaiLinearRegressor, 350 pairs correlated 0.9999, 2e3 x 700",
        time.perf_counter() - start,
        AT_MOST,
        5,
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
        peak = run_alone("--fit-memory", name)
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
    parser.add_argument("--first-fit")
    options = parser.parse_args()
    if options.first_fit:
        print(first_fit(options.first_fit))
        return
    if options.fit_memory:
        print(fit_memory(options.fit_memory))
        return
    warnings.simplefilter("ignore", ConvergenceWarning)
    report = Report(options.repeats)
    first_fits(report)
    with threadpool_limits(1):
        collinear_pairs(report)
        fits(report)
        paths(report)
        grid_search(report)
    memory(report)
    modules = [sklearn_lai, sklearn, np]
    report.save(options.json, options.figure, modules)


if __name__ == "__main__":
    main()
