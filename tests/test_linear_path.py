"""The path of exact solutions, and the choice of k along it."""

import numpy as np
import pytest
from common import FRAME, X, Y, y
from sklearn.base import clone
from sklearn.model_selection import GroupKFold, KFold, ShuffleSplit, TimeSeriesSplit

from sklearn_lai import (
    LaiLinearRegressor,
    LaiLinearRegressorCV,
    lai_linear_path,
)
from sklearn_lai.metrics import make_noisy_scorer

PARAMETERS = {"norm": "elasticnet", "l1_ratio": 0.3, "lai_fraction": 0.2}


@pytest.mark.parametrize("target", [y, Y])
def test_the_path_is_made_of_single_fits(target):
    ks, coefs, optimalities = lai_linear_path(X, target, [0.4, 0.05], **PARAMETERS)
    np.testing.assert_array_equal(ks, [0.4, 0.05])
    for i, k in enumerate(ks):
        model = LaiLinearRegressor(k=k, **PARAMETERS).fit(X, target)
        np.testing.assert_array_equal(coefs[..., i], model.coef_)
        assert optimalities[i] == model.optimality_


def test_the_grid_goes_down_from_the_largest_single_slope():
    ks, _, _ = lai_linear_path(X, y, 5)
    correlation = np.corrcoef(X.T, y)[:-1, -1]
    assert ks[0] == pytest.approx(np.abs(correlation).max())
    np.testing.assert_allclose(ks[1:] / ks[:-1], 100 ** (-1 / 4))
    assert lai_linear_path(X, np.ones(len(X)), 2)[0].tolist() == [1.0, 0.01]


@pytest.mark.filterwarnings("ignore:Column.* rounding:UserWarning")
@pytest.mark.parametrize("standardize", [True, False])
@pytest.mark.parametrize("size", [1e-85, 5.0, 1e15, 1e85])
def test_rounding_of_a_constant_output_is_neither_grid_nor_loss(size, standardize):
    rounded = np.where(X[:, 0] > 0.5, size, np.nextafter(size, np.inf))
    model = LaiLinearRegressorCV(ks=2, standardize=standardize).fit(X, rounded)
    assert model.ks_.tolist() == [1.0, 0.01]
    assert model.objective_ == model.optimality_ == np.abs(model.coef_).max() == 0
    both = clone(model).fit(X, np.column_stack([y, rounded]))
    np.testing.assert_array_equal(both.ks_, clone(model).fit(X, y).ks_)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    "cv",
    [
        3,
        KFold(4, shuffle=True, random_state=0),
        ShuffleSplit(3, random_state=0),
        TimeSeriesSplit(3),
        list(GroupKFold(3).split(X, groups=np.arange(len(X)) % 5)),
    ],
)
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_errors_are_those_of_single_fits_on_the_folds(cv, weighted, fit_intercept):
    weight = np.random.default_rng(0).uniform(0, 2, len(X)) if weighted else None
    parameters = {**PARAMETERS, "fit_intercept": fit_intercept}
    model = LaiLinearRegressorCV(ks=[0.5, 0.08], cv=cv, **parameters)
    model.fit(X, Y, weight)
    folds = cv if isinstance(cv, list) else model_folds(cv)
    assert model.mse_path_.shape == (2, len(folds))
    for fold, (train, test) in enumerate(folds):
        for i, k in enumerate(model.ks_):
            single = LaiLinearRegressor(k=k, **parameters).fit(
                X[train], Y[train], None if weight is None else weight[train]
            )
            errors = np.square(single.predict(X[test]) - Y[test]).mean(axis=1)
            mse = np.average(errors, weights=None if weight is None else weight[test])
            assert model.mse_path_[i, fold] == pytest.approx(mse, rel=1e-9)


def model_folds(cv):
    return list((KFold(cv) if isinstance(cv, int) else cv).split(X, y))


def test_the_chosen_model_is_a_plain_fit():
    model = LaiLinearRegressorCV(ks=8, tolerance=0, **PARAMETERS).fit(X, y)
    assert model.k_ == model.ks_[model.mse_path_.mean(axis=1).argmin()]
    single = LaiLinearRegressor(k=model.k_, **PARAMETERS).fit(X, y)
    np.testing.assert_allclose(model.coef_, single.coef_, rtol=1e-9)
    assert model.objective_ == pytest.approx(single.objective_)
    np.testing.assert_allclose(model.predict(X), single.predict(X))
    np.testing.assert_array_equal(
        model.input_gradient(X[:2]), np.stack([model.coef_] * 2)
    )


# The largest tolerance asks for it.
@pytest.mark.filterwarnings("ignore:The Lai loss made the predictions collapse")
def test_tolerance_takes_the_smallest_k_within_it():
    shared = {"ks": 8, "cv": 3, **PARAMETERS}
    accurate = LaiLinearRegressorCV(tolerance=0, **shared).fit(X, y)
    rmse = -accurate.score_path_
    mean = rmse.mean(axis=1)
    assert accurate.k_ == accurate.ks_[mean.argmin()]
    excess = np.median(rmse - rmse[mean.argmin()], axis=1) / mean.min()
    for tolerance in (0.02, 0.2, 1e6, 1.7e308):
        model = LaiLinearRegressorCV(tolerance=tolerance, **shared).fit(X, y)
        assert model.k_ == accurate.ks_[excess <= tolerance].min()
        assert model.best_score_ == model.score_path_[model.ks_ == model.k_].mean()
    assert model.k_ < accurate.k_


@pytest.mark.filterwarnings("ignore:The Lai loss made the predictions collapse")
@pytest.mark.parametrize("target", [y, Y])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_model_at_a_k_is_that_of_a_single_fit(target, weighted):
    weight = np.random.default_rng(0).uniform(0, 2, len(X)) if weighted else None
    model = LaiLinearRegressorCV(ks=4, **PARAMETERS).fit(FRAME, target, weight)
    for k in model.ks_:
        alone = LaiLinearRegressor(k=k, **PARAMETERS).fit(FRAME, target, weight)
        at = model.estimator_at(k)
        assert at.get_params() == alone.get_params()
        np.testing.assert_allclose(at.coef_, alone.coef_, rtol=1e-9, atol=1e-12)
        np.testing.assert_array_equal(at.feature_k_, alone.feature_k_)
        for estimator in (at, alone):
            estimator.partial_fit(FRAME[:60], target[:60])
        np.testing.assert_allclose(at.coef_, alone.coef_, rtol=1e-9, atol=1e-12)
    chosen = model.estimator_at(model.k_)
    np.testing.assert_array_equal(chosen.predict(FRAME), model.predict(FRAME))
    with pytest.raises(ValueError, match=r"k must be one of ks_, .*got 7\.5"):
        model.estimator_at(7.5)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("noise", [None, {"b": 1.0}])
def test_any_scorer_may_choose(weighted, noise):
    weight = np.where(np.arange(len(X)) % 5, 1.0, 0.0) if weighted else None
    default, model = (
        LaiLinearRegressorCV(ks=4, scoring=scoring).fit(FRAME, y, weight)
        for scoring in (None, "neg_root_mean_squared_error")
    )
    np.testing.assert_allclose(model.score_path_, default.score_path_, rtol=1e-9)
    scorer = make_noisy_scorer("r2", noise={"b": 1.0})
    noisy = LaiLinearRegressorCV(ks=4, scoring=scorer, noise=noise)
    scores = noisy.fit(FRAME, y, weight).score_path_
    r2 = LaiLinearRegressorCV(ks=4, scoring="r2", noise=noise).fit(FRAME, y, weight)
    assert scores.mean() < r2.score_path_.mean()
    assert noisy.best_score_ == scores[noisy.ks_ == noisy.k_].mean()


def test_the_score_of_several_outputs_does_not_depend_on_their_units():
    scores = [
        LaiLinearRegressorCV(ks=[0.5, 0.1]).fit(X, Y * [1, scale]).score_path_
        for scale in (1.0, 2.0**10)
    ]
    np.testing.assert_array_equal(*scores)


@pytest.mark.parametrize("standardize", [True, False])
def test_the_score_of_several_outputs_is_in_deviations_of_each(standardize):
    targets, folds = Y * [1, 1000], list(KFold(3).split(X))
    model = LaiLinearRegressorCV(ks=[30.0], cv=folds, standardize=standardize)
    model.fit(X, targets)
    for fold, (train, test) in enumerate(folds):
        single = LaiLinearRegressor(k=30.0, standardize=standardize)
        error = single.fit(X[train], targets[train]).predict(X[test]) - targets[test]
        of_outputs = np.sqrt(np.square(error).mean(axis=0)) / targets.std(axis=0)
        assert -model.score_path_[0, fold] == pytest.approx(of_outputs.mean())


def test_a_feature_that_is_constant_on_a_fold_has_no_influence_there():
    data = X.copy()
    data[:, 2] = 3.0
    data[:10, 2] = np.arange(10)
    folds = [(np.arange(10, 120), np.arange(10)), (np.arange(60), np.arange(60, 120))]
    model = LaiLinearRegressorCV(ks=[0.3], cv=folds).fit(data, y)
    single = LaiLinearRegressor(k=0.3).fit(data[10:], y[10:])
    assert single.coef_[2] == 0
    mse = np.square(single.predict(data[:10]) - y[:10]).mean()
    assert model.mse_path_[0, 0] == pytest.approx(mse, rel=1e-9)


@pytest.mark.parametrize(
    ("parameters", "error", "problem"),
    [
        ({"ks": []}, ValueError, r"ks must be .*at least 1 item.*got \[\]"),
        (
            {"ks": 0},
            ValueError,
            r"ks must be an integer in \[1, 1000\] or an array-like.*got 0",
        ),
        ({"ks": [0.1, -1.0]}, ValueError, r"ks must be .*> 0, got \[0.1, -1.0\]"),
        ({"ks": "all"}, TypeError, "ks must be .*got 'all' of type str"),
        (
            {"tolerance": -0.1},
            ValueError,
            r"tolerance must be .*>= 0 or .*'1se', got -0\.1",
        ),
        ({"feature_k": {7: 0.1}}, ValueError, "feature_k"),
        ({"scoring": 3}, TypeError, "scoring must be None or the name of a .*got 3"),
    ],
)
def test_wrong_parameters_are_named(parameters, error, problem):
    model = LaiLinearRegressorCV(ks=2).fit(X, y)
    before = model.coef_
    with pytest.raises(error, match=problem):
        model.set_params(**parameters).fit(X, y)
    assert model.coef_ is before
    if not {"tolerance", "scoring"} & set(parameters):
        with pytest.raises(error, match=problem):
            lai_linear_path(X, y, **{"ks": 2, **parameters})


@pytest.mark.parametrize("is_test", [True, False])
def test_a_fold_without_weight_is_an_error(is_test):
    weight = np.ones(len(X))
    weight[:60] = 0 if is_test else 1
    weight[60:] = 1 if is_test else 0
    with pytest.raises(ValueError, match=r"Fold 0 of cv has no training or no test"):
        LaiLinearRegressorCV(ks=2, cv=2).fit(X, y, weight)


def test_an_outlier_in_a_test_fold_costs_no_digits():
    data = X.copy()
    data[5, 0] = 1e8
    model = LaiLinearRegressorCV(ks=[0.3], cv=4).fit(data, y)
    single = LaiLinearRegressor(k=0.3).fit(data[30:], y[30:])
    mse = np.square(single.predict(data[:30]) - y[:30]).mean()
    assert model.mse_path_[0, 0] == pytest.approx(mse, rel=1e-9)


def test_splits_may_be_lists_masks_and_negative():
    every = np.arange(len(X))
    fold = LaiLinearRegressorCV(ks=3, cv=[(every[:80], every[80:])]).fit(X, y)
    for train, test in [
        (every[:80].tolist(), every[80:].tolist()),
        (every < 80, every >= 80),
        (every[:80], every[80:] - len(X)),
    ]:
        other = LaiLinearRegressorCV(ks=3, cv=[(train, test)]).fit(X, y)
        np.testing.assert_allclose(other.mse_path_, fold.mse_path_, rtol=1e-10)
    with pytest.raises(ValueError, match="cv must have at least one fold, got"):
        LaiLinearRegressorCV(cv=[]).fit(X, y)


def test_groups_go_to_the_splitter():
    groups = np.arange(len(X)) % 5
    splits = list(GroupKFold(3).split(X, groups=groups))
    by_groups = LaiLinearRegressorCV(ks=3, cv=GroupKFold(3)).fit(X, y, groups=groups)
    by_splits = LaiLinearRegressorCV(ks=3, cv=splits).fit(X, y)
    np.testing.assert_array_equal(by_groups.mse_path_, by_splits.mse_path_)


def test_the_choice_does_not_depend_on_the_units_of_a_target():
    noise = np.random.default_rng(0).normal(size=len(X))
    model = LaiLinearRegressorCV(ks=[0.5, 0.1], cv=2, lai_fraction=0.1)
    chosen = [
        model.fit(X, np.column_stack([y, scale * noise])).k_
        for scale in (1.0, 2.0**10, 2.0**-10)
    ]
    assert chosen[0] == chosen[1] == chosen[2] > model.fit(X, noise).k_


def test_the_path_of_nearly_collinear_features_is_that_of_single_fits():
    data = np.column_stack([X, X[:, 0] + 1e-6 * X[:, 1] * X[:, 2]])
    parameters = {"lai_fraction": 0.0}
    _, coefs, _ = lai_linear_path(data, y, [0.3], **parameters)
    chosen = LaiLinearRegressorCV(ks=[0.3], **parameters).fit(data, y)
    single = LaiLinearRegressor(k=0.3, **parameters).fit(data, y)
    np.testing.assert_allclose(coefs[:, 0], single.coef_, rtol=1e-9)
    np.testing.assert_allclose(chosen.coef_, single.coef_, rtol=1e-6)


@pytest.mark.parametrize("n_samples", [30, 40])
def test_an_exact_fit_on_all_rows_or_in_a_fold_is_one_warning(n_samples):
    """With 40 rows only the folds have fewer rows than there are features."""
    rng = np.random.default_rng(0)
    data, target = rng.normal(size=(n_samples, 35)), rng.normal(size=n_samples)
    with pytest.warns(UserWarning, match="exactly, so that k has no effect") as record:
        LaiLinearRegressorCV(ks=[0.3, 0.2]).fit(data, target)
    assert [warning.filename for warning in record] == [__file__]
    LaiLinearRegressorCV(ks=[1.0, 0.5], noise=0.3).fit(data, target)
    LaiLinearRegressorCV(ks=[0.3, 0.2], lai_fraction=0.0).fit(data, target)


def test_an_exact_fit_is_a_warning_of_the_path():
    rng = np.random.default_rng(0)
    data, target = rng.normal(size=(10, 12)), rng.normal(size=10)
    with pytest.warns(UserWarning, match="exactly, so that k has no effect") as record:
        lai_linear_path(data, target, 4)
    assert [warning.filename for warning in record] == [__file__]
    lai_linear_path(data, np.ones(10), 4)
