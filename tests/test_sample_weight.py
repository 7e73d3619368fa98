"""Weights of samples: what they are equal to, and where they count."""

import warnings
from inspect import signature

import numpy as np
import pytest
from common import X, Y, estimators, fitted_state, quick, y
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import mean_squared_error
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale

from sklearn_lai import LaiMLPRegressor, LaiMLPRegressorCV

weight = np.random.default_rng(0).integers(0, 4, len(X)).astype(float)


def full_batch(Estimator, **parameters):
    """All rows in every step, whose order changes the sums by rounding only."""
    if Estimator is LaiMLPRegressor:
        parameters["reach"] = 0  # a row given twice would have two distances
    return quick(Estimator, batch_size=1000, max_iter=20, lai_interval=1, **parameters)


@estimators
@pytest.mark.parametrize("target", [y, Y])
@pytest.mark.parametrize("loss", ["squared_error", "huber", "quantile"])
def test_a_weight_is_that_many_rows_in_full_batches(Estimator, target, loss):
    alpha = {"alpha": 3.0} if Estimator is LaiMLPRegressor else {}
    model = full_batch(Estimator, loss=loss, **alpha)
    repeats = weight.astype(int)
    expected = model.fit(np.repeat(X, repeats, 0), np.repeat(target, repeats, 0))
    expected = expected.predict(X)
    weighted = model.fit(X, target, weight).predict(X)
    # Without a hidden layer the gradient of the intercept is all rounding, which Adam
    # makes steps of.
    rtol = 1e-6 if Estimator is LaiMLPRegressor else 2e-3
    np.testing.assert_allclose(weighted, expected, rtol=rtol)


@estimators
def test_weight_zero_is_a_row_removed_in_any_batches(Estimator):
    kept = weight > 0
    model = quick(Estimator)
    removed = fitted_state(model.fit(X[kept], y[kept], weight[kept]))
    assert fitted_state(model.fit(X, y, weight)) == removed


@estimators
def test_weights_of_one_and_equal_weights_change_nothing(Estimator):
    alpha = {"alpha": 0.0} if Estimator is LaiMLPRegressor else {}
    model = quick(Estimator, **alpha)
    plain = model.fit(X, y).predict(X)
    for equal in (np.ones(len(X)), np.full(len(X), 7.0)):
        np.testing.assert_allclose(model.fit(X, y, equal).predict(X), plain, rtol=1e-9)


def test_weights_count_in_the_standardisation():
    heavy = np.where(np.arange(len(X)) < 60, 1.0, 1e-9)
    model = full_batch(LaiMLPRegressor)
    weighted = model.fit(X, y, heavy).predict(X)
    alone = model.fit(X[:60], y[:60]).predict(X)
    np.testing.assert_allclose(weighted, alone, rtol=1e-3)


@pytest.mark.skipif(
    "sample_weight" not in signature(MLPRegressor.fit).parameters,
    reason="MLPRegressor has sample_weight since scikit-learn 1.7",
)
def test_weighted_plain_training_takes_the_steps_of_mlp_regressor():
    shared = {
        "hidden_layer_sizes": (7, 4),
        "alpha": 30.0,
        "batch_size": int((weight > 0).sum()),
        "warm_start": True,
        "n_iter_no_change": np.inf,
        "random_state": 0,
    }
    data, target, kept = scale(X), scale(y), weight > 0
    theirs = MLPRegressor(**shared, max_iter=1)
    ours = LaiMLPRegressor(
        **shared, standardize=False, lai_fraction=0, max_iter=1, lai_epochs=0
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # of max_iter
        theirs.fit(data[kept], target[kept], weight[kept])
        ours.fit(data, target, weight)
        ours.coefs_ = [coef.copy() for coef in theirs.coefs_]
        ours.intercepts_ = [intercept.copy() for intercept in theirs.intercepts_]
        theirs.set_params(max_iter=6).fit(data[kept], target[kept], weight[kept])
    ours.set_params(max_iter=6).fit(data, target, weight)
    assert ours.loss_curve_[-6:] == pytest.approx(theirs.loss_curve_[-6:], rel=1e-9)


def test_held_out_rows_keep_their_weights():
    shared = {"early_stopping": True, "max_iter": 5}
    scores = [
        quick(LaiMLPRegressor, **shared).fit(X, y, w).validation_scores_
        for w in (np.ones(len(X)), 1 + weight)
    ]
    assert scores[0] != scores[1]


def test_cv_weighs_training_and_errors():
    shared = {"hidden_layer_sizes": (8,), "batch_size": 16, "random_state": 0}
    shared |= {"max_iter": 3, "lai_epochs": 3}
    apart = {"path_epochs": None, **shared}
    model = LaiMLPRegressorCV(ks=[0.3], cv=KFold(3), **apart).fit(X, y, weight)
    for fold, (train, test) in enumerate(KFold(3).split(X)):
        one = LaiMLPRegressor(k=0.3, **shared)
        y_pred = one.fit(X[train], y[train], weight[train]).predict(X[test])
        expected = mean_squared_error(y[test], y_pred, sample_weight=weight[test])
        assert model.mse_path_[0, fold] == pytest.approx(expected, rel=1e-12)
    kept = weight > 0
    one.fit(X[kept], y[kept], weight[kept])
    np.testing.assert_array_equal(model.coefs_[0], one.coefs_[0])


def test_a_training_fold_without_weight_is_named():
    only_first = (np.arange(len(X)) < 40).astype(float)
    with pytest.raises(
        ValueError, match="Fold 0 of cv has no training or no test samples"
    ):
        LaiMLPRegressorCV((8,), ks=[0.3], cv=KFold(3)).fit(X, y, only_first)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (weight[1:], r"sample_weight must have one weight per sample, shape \(120,\)"),
        (-weight, r"sample_weight must be >= 0 and not all zero, got weights from -3"),
        (
            np.full(len(X), 1e308),
            "sample_weight must have a sum that is a normal num.* got inf",
        ),
        (0 * weight, "sample_weight must be >= 0 and not all zero, got weights from 0"),
    ],
)
@estimators
def test_wrong_weights_are_named(Estimator, value, message):
    with pytest.raises(ValueError, match=message):
        quick(Estimator).fit(X, y, value)


def test_weights_are_routed_through_searches(enable_metadata_routing):
    model = quick(LaiMLPRegressor, lai_interval=1)
    model.set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
    search = GridSearchCV(model, {"k": [0.3, 0.1]}, cv=2)
    search.fit(X, y, sample_weight=weight)
    halves = KFold(2).split(X)
    scores = [
        clone(search.best_estimator_)
        .fit(X[train], y[train], weight[train])
        .score(X[test], y[test], weight[test])
        for train, test in halves
    ]
    assert search.best_score_ == pytest.approx(np.mean(scores), rel=1e-12)
    direct = clone(search.best_estimator_).fit(X, y, weight).predict(X)
    np.testing.assert_array_equal(search.predict(X), direct)


def test_weights_are_routed_through_pipelines(enable_metadata_routing):
    model = quick(LaiMLPRegressor).set_fit_request(sample_weight=True)
    scaler = StandardScaler().set_fit_request(sample_weight=True)
    pipeline = make_pipeline(scaler, model).fit(X, y, sample_weight=weight)
    scaled = StandardScaler().fit(X, sample_weight=weight).transform(X)
    direct = quick(LaiMLPRegressor).fit(scaled, y, weight).predict(scaled)
    np.testing.assert_array_equal(pipeline.predict(X), direct)


def test_validation_data_is_transformed_by_a_pipeline(enable_metadata_routing):
    model = quick(LaiMLPRegressor, early_stopping=True, standardize=False)
    model.set_fit_request(X_val=True, y_val=True)
    pipeline = make_pipeline(StandardScaler(), model)
    try:
        pipeline.set_params(transform_input=["X_val"])
    except ValueError:
        pytest.skip("Pipeline has transform_input since scikit-learn 1.6")
    pipeline.fit(X[:80], y[:80], X_val=X[80:], y_val=y[80:])
    scaler = StandardScaler().fit(X[:80])
    data = [scaler.transform(part) for part in (X[:80], X[80:])]
    direct = quick(LaiMLPRegressor, early_stopping=True, standardize=False)
    direct.fit(data[0], y[:80], X_val=data[1], y_val=y[80:])
    assert pipeline[-1].validation_scores_ == direct.validation_scores_
