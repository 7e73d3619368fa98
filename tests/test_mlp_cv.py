"""LaiMLPRegressorCV: one pretraining per fold, every k from there, a plain refit."""

import pickle

import numpy as np
import pytest
from common import FRAME, NAMES, X, Y, fitted_state, y
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import mean_squared_error
from sklearn.model_selection import GroupKFold, KFold, ShuffleSplit
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_lai import FeatureK, LaiMLPRegressor, LaiMLPRegressorCV
from sklearn_lai.metrics import noise_sensitivity, prediction_variance

KS = [0.5, 0.2, 0.08]
SETTINGS = {
    "hidden_layer_sizes": (8,),
    "pretrain_epochs": 15,
    "lai_epochs": 10,
    "batch_size": 32,
    "lai_fraction": 0.1,
    "learning_rate_init": 0.01,
    "random_state": 0,
}


def search(**parameters):
    return LaiMLPRegressorCV(**{**SETTINGS, "ks": KS, "cv": 3, **parameters})


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
    assert model.best_score_ == -model.mse_path_.mean(axis=1).min()


def test_tolerance_takes_the_smallest_k_within_it():
    mse = search(ks=8).fit(X, y).mse_path_.mean(axis=1)
    rmse = np.sqrt(mse)
    for tolerance in (0.0, 0.05, 0.5):
        model = search(ks=8, tolerance=tolerance).fit(X, y)
        assert model.k_ == model.ks_[rmse <= (1 + tolerance) * rmse.min()].min()


def test_a_standard_error_is_that_of_the_most_accurate():
    mse = search(ks=8).fit(X, y).mse_path_
    best = mse[mse.mean(axis=1).argmin()]
    allowed = best.mean() + best.std(ddof=1) / np.sqrt(len(best))
    model = search(ks=8, tolerance="1se").fit(X, y)
    assert model.k_ == model.ks_[mse.mean(axis=1) <= allowed].min()


def test_smaller_k_is_smoother():
    model = search(ks=[1.0, 0.05], lai_epochs=40).fit(X, y)
    assert model.variance_path_[1].mean() < model.variance_path_[0].mean()
    assert model.sensitivity_path_[1].mean() < model.sensitivity_path_[0].mean()


def test_the_grid_covers_the_slopes_of_the_pretrained_model():
    model = search(ks=6).fit(X, y)
    pretrained = single(0.3, lai_epochs=0).fit(X, y)
    slopes = np.abs(pretrained.input_gradient(X)) * X.std(axis=0) / y.std()
    largest = min(1.0, np.quantile(slopes, 0.99))
    np.testing.assert_allclose(model.ks_, np.geomspace(largest, largest / 50, 6))
    constant = search(ks=2).fit(X, np.ones(len(X)))
    assert np.isfinite(constant.ks_).all()
    assert (constant.ks_ > 0).all()


def test_several_jobs_and_memory_change_nothing(tmp_path):
    expected = search().fit(X, y)
    for parameters in ({"n_jobs": 2}, {"memory": str(tmp_path)}):
        model = search(**parameters).fit(X, y)
        np.testing.assert_array_equal(model.mse_path_, expected.mse_path_)
        np.testing.assert_array_equal(model.predict(X), expected.predict(X))
    restored = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(restored.predict(X), model.predict(X))


@pytest.mark.parametrize("seed", [None, np.random.RandomState(0)])
def test_all_folds_share_a_seed_that_is_not_given(seed):
    every = np.arange(len(X))
    model = search(random_state=seed, cv=[(every, every)] * 2).fit(X, y)
    np.testing.assert_array_equal(model.mse_path_[:, 0], model.mse_path_[:, 1])


def test_names_and_groups_reach_it():
    model = search(feature_k=FeatureK(b=0.05))
    steps = [("scale", StandardScaler()), ("lai", model)]
    pipeline = Pipeline(steps).set_output(transform="pandas").fit(FRAME, y)
    assert pipeline["lai"].feature_names_in_.tolist() == NAMES
    groups = np.arange(len(X)) % 4
    by_groups = search(cv=GroupKFold(2)).fit(X, y, groups=groups)
    splits = list(GroupKFold(2).split(X, groups=groups))
    by_splits = search(cv=splits).fit(X, y)
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


def test_the_choice_does_not_depend_on_the_units_of_an_output():
    noise = np.random.default_rng(0).normal(size=len(X))
    model = search(ks=[0.5, 0.05], lai_epochs=30)
    chosen = [
        model.fit(X, np.column_stack([y, scale * noise])).k_
        for scale in (1.0, 2.0**10, 2.0**-10)
    ]
    assert chosen[0] == chosen[1] == chosen[2] > model.fit(X, noise).k_
