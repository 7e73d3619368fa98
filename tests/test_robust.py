"""Losses that outliers hardly change: units, errors of the Lai loss, scores."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import median_abs_deviation
from sklearn.linear_model import HuberRegressor
from sklearn.metrics import (
    d2_absolute_error_score,
    d2_pinball_score,
    r2_score,
)

from sklearn_lai import LaiLinearRegressor, LaiMLPRegressor, LaiMLPRegressorCV
from sklearn_lai._statistics import ColumnStatistics, weighted_quantile
from sklearn_lai._train.base_losses import BASE_LOSSES
from sklearn_lai._train.score import Score, constant_losses

ROBUST = ["huber", "absolute_error", "quantile"]


def line(n_samples=600):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_samples, 3))
    truth = X @ [1.0, 0.5, 0.2]
    return X, truth, truth + rng.standard_normal(n_samples)


def test_the_unit_of_normal_targets_is_their_deviation():
    y = np.random.default_rng(0).normal(5, 3, (100_001, 1))
    statistics = ColumnStatistics.of_most(y)
    expected = median_abs_deviation(y, scale="normal")
    np.testing.assert_allclose(np.sqrt(statistics.variance), expected, rtol=1e-4)
    np.testing.assert_array_equal(statistics.mean, np.median(y, axis=0))


def test_a_target_of_mostly_zeros_has_the_unit_of_the_others():
    y = np.zeros((100, 1))
    y[:20, 0] = [3, -3] * 10
    statistics = ColumnStatistics.of_most(y)
    assert not statistics.is_constant[0]
    assert np.sqrt(statistics.variance[0]) == pytest.approx(1.4826 * 3, rel=1e-4)


@given(
    values=st.lists(st.integers(-5, 5), min_size=1, max_size=20),
    seed=st.integers(0, 99),
)
def test_a_weight_is_a_number_of_rows(values, seed):
    weight = np.random.default_rng(seed).integers(1, 4, len(values))
    found = weighted_quantile(np.array(values, dtype=float), weight.astype(float))
    assert found == np.median(np.repeat(values, weight))


@pytest.mark.parametrize("loss", ROBUST)
@pytest.mark.parametrize("Estimator", [LaiLinearRegressor, LaiMLPRegressor])
@pytest.mark.parametrize(("n_outliers", "size"), [(6, 500.0), (2, 1e5)])
def test_outliers_hardly_change_the_model(Estimator, loss, n_outliers, size):
    X, truth, y = line()
    outlying = y.copy()
    outlying[:n_outliers] += size
    model = Estimator(loss=loss, max_iter=60, lai_epochs=30, random_state=0)
    clean = np.median(np.abs(model.fit(X, y).predict(X) - truth))
    error = np.median(np.abs(model.fit(X, outlying).predict(X) - truth))
    assert error < 1.5 * clean + 0.05


def test_the_plain_huber_line_is_that_of_huber_regressor():
    X, truth, y = line()
    y[:20] += 500
    ours = LaiLinearRegressor(loss="huber", lai_fraction=0, random_state=0).fit(X, y)
    theirs = HuberRegressor(epsilon=1.0).fit(X, y)
    errors = [np.median(np.abs(m.predict(X) - truth)) for m in (ours, theirs)]
    assert errors[0] < errors[1] + 0.02


@pytest.mark.parametrize("loss", ROBUST)
@pytest.mark.parametrize("Estimator", [LaiLinearRegressor, LaiMLPRegressor])
@pytest.mark.parametrize("lai_error", ["own", "mean"])
def test_exact_powers_of_two_change_nothing(Estimator, loss, lai_error):
    X, _, y = line(100)
    y[0] += 1e6
    model = Estimator(loss=loss, max_iter=3, lai_epochs=8, random_state=0)
    if Estimator is LaiMLPRegressor:
        model.set_params(lai_error=lai_error)
    expected = model.fit(X, y).predict(X)
    scaled = model.fit(X * [2.0**40, 2.0**-30, 1.0], y * 2.0**-50)
    predicted = scaled.predict(X * [2.0**40, 2.0**-30, 1.0])
    np.testing.assert_array_equal(predicted * 2.0**50, expected)


def test_outliers_are_no_reason_to_speak_of_collapse(recwarn):
    X, _, y = line()
    y[:6] += 500
    LaiMLPRegressor(loss="huber", random_state=0, early_stopping=True).fit(X, y)
    assert not [w for w in recwarn if "collapse" in str(w.message)]


def score_of(name, y_train, y, y_pred, weight=None, quantile=0.5):
    loss = BASE_LOSSES[name](1.0, quantile)
    of_constants = constant_losses(loss, y, weight)
    in_training = constant_losses(loss, y_train, None)
    return Score(loss, y, weight, of_constants, in_training)(y_pred)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("squared_error", r2_score),
        ("absolute_error", d2_absolute_error_score),
        ("quantile", d2_pinball_score),
    ],
)
def test_scores_are_those_of_scikit_learn(name, theirs, weighted):
    rng = np.random.default_rng(0)
    y, y_pred = rng.normal(size=(2, 41, 2))
    weight = rng.uniform(0.5, 2, 41) if weighted else None
    ours = score_of(name, y, y, y_pred, weight)
    assert ours == pytest.approx(theirs(y, y_pred, sample_weight=weight), rel=1e-9)


@pytest.mark.parametrize("name", ["squared_error", *ROBUST])
def test_equal_validation_targets_are_measured_by_those_of_training(name):
    rng = np.random.default_rng(0)
    y_train = rng.normal(size=(50, 2))
    y = np.column_stack([np.full(9, 0.3), rng.normal(size=9)])
    y_pred = y.copy()
    assert score_of(name, y_train, y, y_pred) == 1
    y_pred[:, 0] += 0.1
    near = score_of(name, y_train, y, y_pred)
    y_pred[:, 0] += 0.1
    assert -1 < score_of(name, y_train, y, y_pred) < near < 1


def test_an_output_that_is_constant_in_training_has_no_say():
    y_train = np.column_stack([np.ones(9), np.arange(9.0)])
    y = np.column_stack([np.arange(9.0), np.arange(9.0)])
    assert score_of("squared_error", y_train, y, y + np.array([100.0, 0.0])) == 1


def test_outliers_do_not_choose_the_k():
    X, truth, y = line()
    y[:3] = 1e5
    shared = {"ks": 3, "cv": 3, "max_iter": 60, "lai_epochs": 30, "random_state": 0}
    robust = LaiMLPRegressorCV(loss="huber", **shared).fit(X, y)
    error = np.median(np.abs(robust.predict(X) - truth))
    clean = LaiMLPRegressorCV(loss="huber", **shared).fit(X[3:], y[3:])
    assert error < 1.5 * np.median(np.abs(clean.predict(X) - truth)) + 0.05
