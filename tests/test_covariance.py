"""Noise that features share: a matrix of covariances in place of deviations."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from common import FRAME, NAMES, X, Y, least_under_noise, mlp, quick, y
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.datasets import make_friedman1
from sklearn.metrics import mean_squared_error
from sklearn.model_selection import GridSearchCV, KFold

from sklearn_lai import (
    LaiLinearRegressor,
    LaiLinearRegressorCV,
    LaiMLPRegressor,
    LaiMLPRegressorCV,
)
from sklearn_lai._noise import resolve_noise
from sklearn_lai.metrics import error_under_noise, make_noisy_scorer

ESTIMATORS = [
    mlp(),
    quick(LaiMLPRegressorCV, hidden_layer_sizes=(8,), ks=2, cv=2),
    LaiLinearRegressor(),
    LaiLinearRegressorCV(ks=3, cv=2),
]
every_estimator = pytest.mark.parametrize(
    "estimator", ESTIMATORS, ids=lambda estimator: type(estimator).__name__
)


def random_covariance(n_features=5, rank=None, seed=0):
    """Of noise of about 0.5 deviations."""
    root = np.random.default_rng(seed).normal(size=(n_features, rank or n_features))
    return 0.25 * root @ root.T / root.shape[1]


COVARIANCE = random_covariance()


# What a matrix means


@settings(max_examples=50)
@given(
    n_features=st.integers(1, 6),
    rank=st.integers(1, 6),
    size=st.sampled_from([1e-150, 1e-8, 1.0, 1e8, 1e150]),
    seed=st.integers(0, 100),
    dtype=st.sampled_from([np.float64, np.float32]),
)
def test_noise_has_the_covariances(n_features, rank, size, seed, dtype):
    covariance = random_covariance(n_features, rank, seed).astype(dtype)
    if dtype == np.float64:
        covariance *= size
    noise = resolve_noise(covariance, n_features, None)
    eps = 100 * np.finfo(dtype).eps
    sds = np.sqrt(np.diag(covariance))
    np.testing.assert_allclose(
        noise.covariance() / sds / sds[:, None],
        covariance / sds / sds[:, None],
        atol=eps,
    )
    np.testing.assert_allclose(noise.root() @ noise.root().T, noise.covariance())
    coef = np.arange(1.0, 1 + 2 * n_features).reshape(2, -1)
    variances = np.diag(coef @ covariance @ coef.T)
    tolerance = eps * np.square(coef @ sds)
    assert (np.abs(noise.variance_of(coef) - variances) <= tolerance).all()


def test_draws_have_the_covariances():
    noise = resolve_noise(COVARIANCE, 5, None)
    draws = noise.sds * noise.mixed(np.random.default_rng(0).normal(size=(100_000, 5)))
    np.testing.assert_allclose(np.cov(draws.T), COVARIANCE, atol=0.005)


@every_estimator
def test_a_diagonal_is_independent_noise(estimator):
    sds = np.array([0.25, 0.0, 1.0, 0.5, 0.0])
    independent = clone(estimator).set_params(noise=sds).fit(X, y)
    model = clone(estimator).set_params(noise=np.diag(sds**2)).fit(X, y)
    np.testing.assert_array_equal(model.predict(X), independent.predict(X))


@every_estimator
def test_ways_to_say_the_same(estimator):
    noisy = [3, 1, 0]
    whole = np.zeros((5, 5))
    whole[np.ix_(noisy, noisy)] = random_covariance(3)
    names = [NAMES[j] for j in noisy]
    labelled = pd.DataFrame(random_covariance(3), index=names, columns=names)
    same = [whole.tolist(), labelled, labelled.iloc[::-1], labelled[names[::-1]]]
    same.append(pl.DataFrame(random_covariance(3), schema=names))
    expected = clone(estimator).set_params(noise=whole).fit(FRAME, y).predict(FRAME)
    for noise in same:
        model = clone(estimator).set_params(noise=noise).fit(FRAME, y)
        np.testing.assert_array_equal(model.predict(FRAME), expected)


@pytest.mark.parametrize(
    ("noise", "problem"),
    [
        (COVARIANCE[:4], r"shape \(5, 5\).*\(4, 5\)"),
        (COVARIANCE[:4, :4], r"shape \(5, 5\).*\(4, 4\)"),
        (-COVARIANCE, r"variance of noise must be .*0, 1e\+200\], got -"),
        (1e300 * COVARIANCE, "variance of noise must be"),
        (np.tri(5), "symmetric"),
        (np.full((5, 5), 2.0) - np.eye(5), "no covariance above the product"),
        (
            np.full((5, 5), 1e308) * (1 - np.eye(5)) + 1e-200 * np.eye(5),
            "no covariance",
        ),
        (1.3 * np.eye(5) - 0.3, "positive semidefinite"),
        (np.ones((5, 5)) - np.diag([1, 0, 0, 0, 0]), "covariances of 0 where"),
        (np.nan * COVARIANCE, "2-D array-like of finite numbers"),
        (COVARIANCE.astype(str), "2-D array-like of finite numbers"),
        (COVARIANCE[None], "2-D array-like of finite numbers"),
        (pd.DataFrame(COVARIANCE, columns=list("abcdz")), "'z', which is not a column"),
        (pd.DataFrame(COVARIANCE, columns=list("abcda")), "names column 0 twice"),
        (
            pd.DataFrame(COVARIANCE, index=list("abcdd"), columns=NAMES),
            "same features as rows and as columns",
        ),
    ],
)
@pytest.mark.parametrize("how", ["fit", "error", "score"])
def test_what_is_no_covariance_is_refused(noise, problem, how):
    calls = {
        "fit": lambda: LaiLinearRegressor(noise=noise).fit(FRAME, y),
        "error": lambda: error_under_noise(MODEL, FRAME, y, noise=noise),
        "score": lambda: make_noisy_scorer("r2", noise=noise)(MODEL, FRAME, y),
    }
    with pytest.raises(
        (ValueError, TypeError), match=f"(?s)noise .*{problem}|{problem}"
    ):
        calls[how]()


MODEL = LaiLinearRegressor().fit(FRAME, y)


# Linear models


@settings(max_examples=30)
@given(
    rank=st.integers(1, 5),
    seed=st.integers(0, 100),
    weighted=st.booleans(),
    target=st.sampled_from([y, Y]),
)
def test_the_linear_model_has_the_least_under_noise(rank, seed, weighted, target):
    covariance = random_covariance(rank=rank, seed=seed)
    weight = np.random.default_rng(0).uniform(0, 2, len(X)) if weighted else None
    model = LaiLinearRegressor(noise=covariance).fit(X, target, weight)
    coef = least_under_noise(covariance, X, target, weight)
    np.testing.assert_allclose(model.coef_, coef.T, rtol=1e-7, atol=1e-9)


def test_least_squares_is_corrected_under_shared_noise_too():
    rng = np.random.default_rng(0)
    A = rng.normal(size=(200, 3))
    A = np.column_stack([A, A[:, 0] + 1e-6 * rng.normal(size=200)])
    b = A @ [1.0, 2.0, 3.0, 4.0] + rng.normal(size=200)
    shared = np.array([0.1, 0.3, 0.0, 0.1])  # the same error of three features
    model = LaiLinearRegressor(noise=np.outer(shared, shared)).fit(A, b)
    row = shared * A.std(0) * np.sqrt(200)
    rows = np.vstack([A - A.mean(0), row])
    reference = np.linalg.lstsq(rows, np.append(b - b.mean(), 0), rcond=None)[0]
    np.testing.assert_allclose(model.coef_, reference, rtol=1e-3)


def test_parts_and_merged_models_are_the_whole():
    model = LaiLinearRegressor(noise=COVARIANCE)
    whole, parts = clone(model).fit(X, Y), clone(model)
    for rows in np.array_split(np.arange(len(X)), 4):
        parts.partial_fit(X[rows], Y[rows])
    halves = [clone(model).fit(X[i::2], Y[i::2]) for i in range(2)]
    for found in (parts, halves[0].merge(halves[1])):
        np.testing.assert_allclose(found.coef_, whole.coef_, rtol=1e-9)


def test_raw_units_take_the_covariances_in_raw_units():
    model = LaiLinearRegressor(noise=COVARIANCE, standardize=False).fit(X, y)
    sds = X.std(axis=0)
    reference = LaiLinearRegressor(noise=COVARIANCE / sds / sds[:, None]).fit(X, y)
    np.testing.assert_allclose(model.coef_, reference.coef_, rtol=1e-9)


def test_features_with_an_own_slope_leave_the_noise_of_the_others():
    model = LaiLinearRegressor(noise=COVARIANCE, feature_k={1: None, 4: None}).fit(X, y)
    rest = COVARIANCE.copy()
    rest[[1, 4]] = rest[:, [1, 4]] = 0
    expected = LaiLinearRegressor(noise=rest).fit(X, y)
    np.testing.assert_allclose(model.coef_, expected.coef_, rtol=1e-9)


def test_a_model_of_the_path_goes_on_with_its_multiple():
    chooser = LaiLinearRegressorCV(noise=COVARIANCE, ks=[0.5], cv=3).fit(X[:60], y[:60])
    model = chooser.estimator_at(0.5).partial_fit(X[60:], y[60:])
    whole = LaiLinearRegressor(noise=4 * COVARIANCE).fit(X, y)
    np.testing.assert_allclose(model.coef_, whole.coef_, rtol=1e-9)


def test_errors_of_linear_folds_are_those_expected():
    folds = KFold(3)
    model = LaiLinearRegressorCV(noise=COVARIANCE, ks=[0.7], cv=folds).fit(X, y)
    for fold, (train, test) in enumerate(folds.split(X)):
        trained = LaiLinearRegressorCV(noise=COVARIANCE, ks=[0.7], cv=2)
        trained.fit(X[train], y[train])
        coef = trained.coef_ * X[train].std(axis=0)
        error = mean_squared_error(y[test], trained.predict(X[test]))
        error += coef @ COVARIANCE @ coef
        assert model.mse_path_[0, fold] == pytest.approx(error)


# Networks


def test_a_network_without_hidden_layers_agrees_with_the_least_under_noise():
    network = LaiMLPRegressor(
        (),
        noise=COVARIANCE,
        batch_size=len(X),
        max_iter=500,
        lai_epochs=3000,
        lai_interval=1,
        alpha=0,
        learning_rate_init=0.01,
        n_iter_no_change=np.inf,
        random_state=0,
    ).fit(X, y)
    slopes = network.coefs_[0][:, 0] * X.std(axis=0) / y.std()
    expected = least_under_noise(COVARIANCE, X, y) * X.std(axis=0) / y.std()
    np.testing.assert_allclose(slopes, expected, atol=0.03)


@pytest.mark.parametrize("sign", [1, -1])
def test_the_error_under_shared_noise_is_lower(sign):
    X, y = make_friedman1(600, noise=1, random_state=0)
    train, test = slice(400), slice(400, None)
    signs = np.array([1, sign] * 5)
    covariance = 0.5 * (0.9 * np.outer(signs, signs) + 0.1 * np.eye(10))
    common = {"hidden_layer_sizes": 32, "batch_size": 32, "random_state": 0}
    errors = []
    for noise in (covariance, np.sqrt(np.diag(covariance))):
        model = LaiMLPRegressor(noise=noise, **common).fit(X[train], y[train])
        errors.append(error_under_noise(model, X[test], y[test], noise=covariance))
    assert errors[0] < 0.9 * errors[1]


def test_chunks_train_for_shared_noise():
    X, y = make_friedman1(400, noise=1, random_state=0)
    covariance = 0.9 + 0.1 * np.eye(10)
    plain, model = (
        LaiMLPRegressor(16, max_iter=20, batch_size=32, random_state=0, **how)
        for how in ({"lai_fraction": 0}, {"noise": covariance})
    )
    for estimator in (plain, model):
        for rows in np.array_split(np.arange(400), 2) * 60:
            estimator.partial_fit(X[rows], y[rows])
    errors = [error_under_noise(m, X, y, noise=covariance) for m in (model, plain)]
    assert errors[0] < 0.8 * errors[1]


# What holds for all


@every_estimator
def test_the_scale_of_the_data_has_no_effect(estimator):
    scales = 2.0 ** np.arange(-2, 3)
    model = clone(estimator).set_params(noise=COVARIANCE).fit(X, y)
    scaled = clone(model).fit(scales * X, 8 * y)
    np.testing.assert_array_equal(scaled.predict(scales * X), 8 * model.predict(X))


@every_estimator
def test_constant_features_take_no_noise(estimator):
    constant = np.column_stack([X, np.full(len(X), 7.0)])
    whole = random_covariance(6)
    model = clone(estimator).set_params(noise=whole).fit(constant, y)
    expected = clone(estimator).set_params(noise=whole[:5, :5]).fit(X, y)
    if hasattr(model, "coef_"):
        np.testing.assert_allclose(model.coef_, [*expected.coef_, 0], rtol=1e-9)
    assert np.isfinite(model.predict(constant)).all()


def test_the_order_of_the_features_does_not_matter():
    order = [3, 0, 4, 1, 2]
    model = LaiLinearRegressor(noise=COVARIANCE).fit(X, y)
    other = LaiLinearRegressor(noise=COVARIANCE[np.ix_(order, order)])
    other.fit(X[:, order], y)
    np.testing.assert_allclose(other.coef_, model.coef_[order], rtol=1e-9)


@every_estimator
def test_it_is_tuned_as_any_parameter(estimator):
    grid = {"noise": [0.3, COVARIANCE]}
    search = GridSearchCV(estimator, grid, cv=2).fit(X, y)
    assert len(np.unique(search.cv_results_["mean_test_score"])) == 2


# Errors under noise


def test_the_error_of_a_linear_model_is_that_expected():
    measured = error_under_noise(
        MODEL, FRAME, y, noise=COVARIANCE, metric=mean_squared_error, n_repeats=2000
    )
    coef = MODEL.coef_ * X.std(axis=0)
    added = coef @ COVARIANCE @ coef
    assert added > 0.3
    clean = mean_squared_error(y, MODEL.predict(FRAME))
    assert measured == pytest.approx(clean + added, rel=0.02)


def test_columns_that_are_no_numbers_have_no_variance():
    table = FRAME.assign(text="a")

    class Others:
        def predict(self, table):
            return MODEL.predict(table[NAMES])

    noise = pd.DataFrame(COVARIANCE, index=NAMES, columns=NAMES)
    found = error_under_noise(Others(), table, y, noise=noise)
    assert found > error_under_noise(Others(), table, y, noise=0)
    with pytest.raises(ValueError, match="not numeric: 'text'"):
        error_under_noise(Others(), table, y, noise=random_covariance(6))
