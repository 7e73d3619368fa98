"""LaiMLPRegressorCV: one pretraining per fold, and every k from there or in turn."""

import pickle
from functools import partial

import numpy as np
import pytest
from common import FRAME, NAMES, X, Y, fitted_state, y
from joblib import parallel_config
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import (
    mean_absolute_error,
    mean_pinball_loss,
    mean_squared_error,
    root_mean_squared_error,
)
from sklearn.model_selection import GroupKFold, KFold, ShuffleSplit
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_lai import FeatureK, LaiMLPRegressor, LaiMLPRegressorCV
from sklearn_lai.metrics import (
    make_noisy_scorer,
    noise_sensitivity,
    prediction_variance,
)

KS = [0.5, 0.2, 0.08]
SETTINGS = {
    "hidden_layer_sizes": (8,),
    "max_iter": 15,
    "lai_epochs": 10,
    "batch_size": 32,
    "lai_fraction": 0.1,
    "learning_rate_init": 0.01,
    "random_state": 0,
}


def search(**parameters):
    """Every k apart, the most accurate one chosen, unless told otherwise."""
    defaults = {"ks": KS, "cv": 3, "path_epochs": None, "tolerance": 0.0}
    return LaiMLPRegressorCV(**{**SETTINGS, **defaults, **parameters})


def path(**parameters):
    """Every k in turn."""
    return search(path_epochs=6, **parameters)


def single(k, **parameters):
    return LaiMLPRegressor(**{**SETTINGS, "k": k, **parameters})


@pytest.mark.parametrize("target", [y, Y])
@pytest.mark.parametrize(
    "cv", [3, KFold(2, shuffle=True, random_state=0), ShuffleSplit(2, random_state=1)]
)
@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {
            "early_stopping": True,
            "solver": "sgd",
            "learning_rate_init": 0.001,
            "lai_interval": None,
        },
    ],
)
# The smallest k may, after so few epochs.
@pytest.mark.filterwarnings("ignore:The Lai loss made the predictions collapse")
def test_paths_are_those_of_single_fits_bit_for_bit(target, cv, parameters):
    model = search(cv=cv, **parameters).fit(X, target)
    folds = list((KFold(cv) if isinstance(cv, int) else cv).split(X))
    shape = (len(KS), len(folds))
    assert model.mse_path_.shape == model.variance_path_.shape == shape
    assert model.sensitivity_path_.shape == (*shape, X.shape[1])
    for fold, (train, test) in enumerate(folds):
        for i, k in enumerate(KS):
            alone = single(k, **parameters).fit(X[train], target[train])
            mse = mean_squared_error(target[test], alone.predict(X[test]))
            assert model.mse_path_[i, fold] == mse
            sensitivity = noise_sensitivity(alone, X[test]).reshape(-1, X.shape[1])
            np.testing.assert_array_equal(
                model.sensitivity_path_[i, fold], sensitivity.mean(axis=0)
            )
            variance = np.mean(prediction_variance(alone, X[test]))
            assert model.variance_path_[i, fold] == pytest.approx(variance, rel=1e-12)


def test_the_model_is_a_plain_fit_with_the_chosen_k():
    model = search().fit(X, y)
    alone = fitted_state(single(model.k_, lai_interval=1).fit(X, y))
    state = fitted_state(search(lai_interval=1, ks=[model.k_]).fit(X, y))
    for name, value in alone.items():
        if name != "k_":
            assert state[name] == value
    assert model.best_score_ == -np.sqrt(model.mse_path_).mean(axis=1).min()


@pytest.mark.parametrize("make", [search, path])
def test_tolerance_takes_the_smallest_k_within_it(make):
    rmse = -make(ks=8).fit(X, y).score_path_
    mean = rmse.mean(axis=1)
    excess = np.median(rmse - rmse[mean.argmin()], axis=1) / mean.min()
    for tolerance in (0.05, 0.5):
        model = make(ks=8, tolerance=tolerance).fit(X, y)
        assert model.k_ == model.ks_[excess <= tolerance].min()
        assert model.best_score_ == -mean[model.ks_ == model.k_]
    assert make(ks=8, tolerance=0).fit(X, y).k_ == model.ks_[mean.argmin()]


def test_a_standard_error_is_that_of_the_most_accurate():
    scores = search(ks=8).fit(X, y).score_path_
    best = scores[scores.mean(axis=1).argmax()]
    allowed = best.mean() - best.std(ddof=1) / np.sqrt(len(best))
    model = search(ks=8, tolerance="1se").fit(X, y)
    assert model.k_ == model.ks_[scores.mean(axis=1) >= allowed].min()


@pytest.mark.parametrize("path_epochs", [None, 80])
def test_smaller_k_is_smoother(path_epochs):
    model = search(
        ks=[1.0, 0.05], max_iter=100, lai_epochs=40, path_epochs=path_epochs
    ).fit(X, y)
    assert model.variance_path_[1].mean() < model.variance_path_[0].mean()
    assert model.sensitivity_path_[1].mean() < model.sensitivity_path_[0].mean()


@pytest.mark.parametrize("target", [y, Y])
@pytest.mark.parametrize("lai_fraction", [0.01, 0.2])
def test_the_grid_stands_for_noise_of_a_twentieth_to_one_and_a_half(
    target, lai_fraction
):
    parameters = {"lai_fraction": lai_fraction, "max_iter": 50}
    model = search(ks=6, **parameters).fit(X, target)
    for noise, k in {0.05: model.ks_[0], 1.5: model.ks_[-1]}.items():
        of_noise = single(0.3, noise=noise, **parameters).fit(X, target)
        assert k == pytest.approx(of_noise.feature_k_.mean())
    np.testing.assert_allclose(np.diff(np.log(model.ks_)), -np.log(30) / 5)


@pytest.mark.parametrize("lai_fraction", [0, 0.01, 1])
def test_there_is_a_grid_where_nothing_follows_from_noise(lai_fraction):
    for data in (X, np.ones_like(X)):
        for standardize in (True, False):
            model = search(
                ks=2, lai_fraction=lai_fraction, standardize=standardize, lai_interval=1
            ).fit(data, np.ones(len(X)))
            assert np.isfinite(model.ks_).all()
            assert (model.ks_ > 0).all()


def test_the_grid_of_raw_data_is_in_its_units():
    ks = search(ks=3).fit(X, y).ks_
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    for scale in (1.0, 4.0):
        model = search(ks=3, standardize=False, learning_rate_init=0.01)
        model.fit(scale * Z, (y - y.mean()) / y.std())
        np.testing.assert_allclose(model.ks_, ks / scale, rtol=0.5)


@pytest.mark.parametrize("make", [search, path])
def test_several_jobs_and_memory_change_nothing(make, tmp_path):
    expected = make().fit(X, y)
    for parameters in ({"n_jobs": 2}, {"memory": str(tmp_path)}):
        model = make(**parameters).fit(X, y)
        np.testing.assert_array_equal(model.mse_path_, expected.mse_path_)
        np.testing.assert_array_equal(model.predict(X), expected.predict(X))
    restored = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(restored.predict(X), model.predict(X))


@pytest.mark.parametrize("seed", [None, np.random.RandomState(0)])
def test_all_folds_share_a_seed_that_is_not_given(seed):
    every = np.arange(len(X))
    model = search(random_state=seed, cv=[(every, every)] * 2).fit(X, y)
    np.testing.assert_array_equal(model.mse_path_[:, 0], model.mse_path_[:, 1])


@pytest.mark.parametrize("make", [search, path])
def test_names_and_groups_reach_it(make):
    model = make(feature_k=FeatureK(b=0.05))
    steps = [("scale", StandardScaler()), ("lai", model)]
    pipeline = Pipeline(steps).set_output(transform="pandas").fit(FRAME, y)
    assert pipeline["lai"].feature_names_in_.tolist() == NAMES
    groups = np.arange(len(X)) % 4
    by_groups = make(cv=GroupKFold(2)).fit(X, y, groups=groups)
    splits = list(GroupKFold(2).split(X, groups=groups))
    by_splits = make(cv=splits).fit(X, y)
    np.testing.assert_array_equal(by_groups.mse_path_, by_splits.mse_path_)


@pytest.mark.parametrize(
    ("parameters", "error", "problem"),
    [
        ({"ks": []}, ValueError, r"ks must be .*at least 1 item.*got \[\]"),
        ({"ks": [0.1, 0.0]}, ValueError, r"ks must be .*> 0, got \[0\.1, 0\.0\]"),
        ({"tolerance": -1}, ValueError, "tolerance must be .*>= 0 or .*'1se', got -1"),
        ({"n_jobs": "two"}, TypeError, "n_jobs must be .*got 'two'"),
        ({"feature_k": {"z": 0.1}}, ValueError, "feature_k has the column name 'z'"),
        ({"cv": []}, ValueError, "cv must have at least one fold"),
        ({"path_epochs": 0}, ValueError, "path_epochs must be None or .*>= 1, got 0"),
        ({"scoring": 3}, TypeError, "scoring must be None or the name of a .*got 3"),
        ({"scoring": "mse"}, ValueError, "'scoring' parameter .* Got 'mse'"),
        (
            {"cv": ShuffleSplit(1), "tolerance": "1se"},
            ValueError,
            "tolerance='1se' needs at least 2 folds, got 1",
        ),
    ],
)
def test_wrong_parameters_are_named(parameters, error, problem):
    model = search(ks=[0.3], cv=2).fit(X, y)
    before = fitted_state(model)
    with pytest.raises(error, match=problem):
        model.set_params(**parameters).fit(X, y)
    assert fitted_state(model) == before
    with pytest.raises(NotFittedError):
        clone(model).predict(X)


@pytest.mark.parametrize(
    ("loss", "error"),
    [
        ("squared_error", root_mean_squared_error),
        ("absolute_error", mean_absolute_error),
    ],
)
@pytest.mark.parametrize("standardize", [True, False])
def test_the_score_of_several_outputs_is_in_deviations_of_each(
    loss, error, standardize
):
    targets, folds = (Y - Y.mean(axis=0)) * [1, 10], list(KFold(2).split(X))
    options = {"loss": loss, "standardize": standardize}
    model = search(ks=[30.0], cv=folds, **options).fit(X, targets)
    for fold, (train, test) in enumerate(folds):
        single = LaiMLPRegressor(k=30.0, **SETTINGS, **options)
        predicted = single.fit(X[train], targets[train]).predict(X[test])
        of_outputs = error(targets[test], predicted, multioutput="raw_values")
        expected = (of_outputs / targets.std(axis=0)).mean()
        assert -model.score_path_[0, fold] == pytest.approx(expected)


def test_a_single_test_row_has_neither_sensitivity_nor_variance():
    model = path(cv=KFold(8)).fit(X[:8], y[:8])
    assert np.isnan(model.sensitivity_path_).all()
    assert np.isnan(model.variance_path_).all()
    assert np.isfinite(model.score_path_).all()


def test_the_choice_does_not_depend_on_the_units_of_an_output():
    noise = np.random.default_rng(0).normal(size=len(X))
    model = search(ks=[1.0, 0.3], lai_epochs=30)
    chosen = [
        model.fit(X, np.column_stack([y, scale * noise])).k_
        for scale in (1.0, 2.0**10, 2.0**-10)
    ]
    assert chosen[0] == chosen[1] == chosen[2] > model.fit(X, noise).k_


# The path


@pytest.mark.parametrize("target", [y, Y])
def test_the_smallest_k_begins_the_path_as_a_short_second_stage(target):
    """And its model is that of a single fit of as many epochs."""
    model = path().fit(X, target)
    alone = single(min(KS), lai_epochs=6).fit(X, target)
    first = model.estimator_at(min(KS))
    assert fitted_state(first) == fitted_state(alone)


def test_the_path_goes_on_from_the_last_weights():
    """Without an average, weights of a k are where the next one begins."""
    whole = path(ks=[0.2, 0.2, 0.2], average=False, lai_interval=1).fit(X, y)
    once = single(0.2, lai_epochs=18, average=False, lai_interval=1).fit(X, y)
    last = whole._models[-1]
    np.testing.assert_allclose(last.predict(X), once.predict(X), rtol=1e-10)
    assert last.n_iter_ == once.n_iter_
    assert last.loss_curve_ == pytest.approx(once.loss_curve_)


def test_the_order_of_the_ks_changes_nothing():
    expected = path(ks=KS).fit(X, y)
    model = path(ks=KS[::-1]).fit(X, y)
    np.testing.assert_array_equal(model.mse_path_, expected.mse_path_[::-1])
    np.testing.assert_array_equal(model.predict(X), expected.predict(X))


def test_folds_are_assessed_by_the_procedure_of_the_refit():
    every = np.arange(len(X))
    model = path(cv=[(every, every)]).fit(X, y)
    for i, k in enumerate(KS):
        y_pred = model.estimator_at(k).predict(X)
        assert model.mse_path_[i, 0] == pytest.approx(mean_squared_error(y, y_pred))


# The slider


@pytest.mark.parametrize("target", [y, Y])
@pytest.mark.parametrize("parameters", [{}, {"early_stopping": True}])
def test_apart_the_model_at_a_k_is_that_of_a_single_fit(target, parameters):
    model = search(**parameters).fit(X, target)
    for k in KS:
        alone = single(k, **parameters).fit(X, target)
        at = model.estimator_at(k)
        assert at.get_params() == alone.get_params()
        assert fitted_state(at) == fitted_state(alone)
        if not parameters:
            for estimator in (at, alone):
                estimator.partial_fit(X, target)
            np.testing.assert_array_equal(at.predict(X), alone.predict(X))


@pytest.mark.parametrize("make", [search, path])
def test_the_slider_stands_at_the_chosen_k_and_moves_from_there(make):
    model = make(ks=5, tolerance=0.05).fit(FRAME, y)
    chosen = model.estimator_at(model.k_)
    np.testing.assert_array_equal(chosen.predict(FRAME), model.predict(FRAME))
    assert chosen.feature_names_in_.tolist() == NAMES
    largest, least = (model.estimator_at(k) for k in model.ks_[[0, -1]])
    assert not np.array_equal(least.predict(FRAME), largest.predict(FRAME))
    printed = float(f"{model.ks_[2]:.6g}")
    assert model.estimator_at(printed).k == model.ks_[2]
    chosen.coefs_[0][:] = 0  # the caller's own
    assert model.estimator_at(model.k_).coefs_[0].any()
    restored = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(
        restored.estimator_at(least.k).predict(FRAME), least.predict(FRAME)
    )


def test_a_k_that_is_not_there_is_named_with_those_that_are():
    with pytest.raises(NotFittedError):
        search().estimator_at(0.5)
    model = search().fit(X, y)
    with pytest.raises(
        ValueError, match=r"k must be one of ks_, 0\.5, 0\.2, 0\.08, got"
    ):
        model.estimator_at(0.3)
    with pytest.raises(TypeError, match="k must be a finite number > 0, got 'a'"):
        model.estimator_at("a")


# Scores


@pytest.mark.parametrize(
    ("loss", "error"),
    [
        ("squared_error", root_mean_squared_error),
        ("huber", mean_absolute_error),
        ("absolute_error", mean_absolute_error),
        ("quantile", partial(mean_pinball_loss, alpha=0.8)),
    ],
)
def test_the_default_score_is_the_error_that_the_loss_is_for(loss, error):
    folds = list(KFold(2).split(X))
    model = search(loss=loss, quantile=0.8, cv=folds).fit(X, y)
    for i, k in enumerate(KS):
        for j, (train, test) in enumerate(folds):
            alone = single(k, loss=loss, quantile=0.8).fit(X[train], y[train])
            assert model.score_path_[i, j] == -error(y[test], alone.predict(X[test]))


@pytest.mark.parametrize("make", [search, path])
@pytest.mark.parametrize("weighted", [False, True])
def test_any_scorer_may_choose(make, weighted):
    weight = np.where(np.arange(len(X)) % 5, 1.0, 0.0) if weighted else None
    default, model = (
        make(scoring=scoring).fit(FRAME, y, sample_weight=weight)
        for scoring in (None, "neg_root_mean_squared_error")
    )
    np.testing.assert_allclose(model.score_path_, default.score_path_, rtol=1e-12)
    scorer = make_noisy_scorer("r2", noise={"b": 1.0})
    noisy = make(scoring=scorer).fit(FRAME, y, sample_weight=weight)
    r2 = make(scoring="r2").fit(FRAME, y, sample_weight=weight)
    assert noisy.score_path_.mean() < r2.score_path_.mean()
    np.testing.assert_array_equal(noisy.mse_path_, default.mse_path_)
    assert noisy.best_score_ == noisy.score_path_.mean(axis=1).max()


def test_scores_that_are_not_numbers_do_not_win():
    def scorer(estimator, X, y):
        return np.nan if estimator.k > 0.3 else -estimator.k

    assert search(scoring=scorer).fit(X, y).k_ == min(KS)
    with pytest.raises(ValueError, match="gave NaN on a fold for each of the ks"):
        search(scoring=lambda *_: np.nan).fit(X, y)


# Backends


@pytest.mark.parametrize("backend", ["multiprocessing", "threading", "loky"])
def test_backends_change_nothing(backend):
    expected = path().fit(X, y)
    with parallel_config(backend, n_jobs=2):
        model = path().fit(X, y)
    np.testing.assert_array_equal(model.mse_path_, expected.mse_path_)
