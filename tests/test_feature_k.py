"""FeatureK: each feature's k as a nested parameter."""

import copy
import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
from common import MODELS, X, estimators, models, quick, y
from scipy.stats import loguniform
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_lai import FeatureK, LaiLinearRegressor, LaiMLPRegressor

FRAME = pd.DataFrame(X, columns=["a", "b c", "d__e", "self", "1"])


@estimators
def test_it_does_what_a_mapping_does(Estimator):
    k = {"a": 0.1, "b c": None, "d__e": 2.0, "self": 0.3, "1": 0.4}
    by_mapping = quick(Estimator, feature_k=k).fit(FRAME, y)
    by_object = quick(Estimator, feature_k=FeatureK(**k)).fit(FRAME, y)
    np.testing.assert_array_equal(by_object.feature_k_, [0.1, np.nan, 2.0, 0.3, 0.4])
    np.testing.assert_array_equal(by_object.predict(FRAME), by_mapping.predict(FRAME))


@estimators
def test_digits_are_positions_where_there_are_no_names(Estimator):
    model = quick(Estimator, k=0.3, feature_k=FeatureK(**{"1": 0.7})).fit(X, y)
    np.testing.assert_array_equal(model.feature_k_, [0.3, 0.7, 0.3, 0.3, 0.3])
    named = quick(Estimator, k=0.3, feature_k=FeatureK(**{"1": 0.7})).fit(FRAME, y)
    np.testing.assert_array_equal(named.feature_k_, [0.3, 0.3, 0.3, 0.3, 0.7])


@estimators
@pytest.mark.parametrize("name", ["a", "b c", "d__e", "self"])
def test_searches_set_slopes_by_name(Estimator, name):
    lai = quick(Estimator, feature_k=FeatureK(a=0.9))
    steps = [("scale", StandardScaler()), ("lai", lai)]
    pipeline = Pipeline(steps).set_output(transform="pandas")
    key = f"lai__feature_k__{name}"
    grid = GridSearchCV(pipeline, {key: [1.0, 0.1, None]}, cv=2).fit(FRAME, y)
    assert dict(grid.best_estimator_["lai"].feature_k)[name] == grid.best_params_[key]
    assert lai.feature_k == {"a": 0.9}
    distributions = {key: loguniform(0.01, 1), "lai__k": loguniform(0.1, 1)}
    random = RandomizedSearchCV(pipeline, distributions, n_iter=3, cv=2, random_state=0)
    fitted = random.fit(FRAME, y).best_estimator_["lai"]
    assert fitted.feature_k_[list(FRAME).index(name)] == random.best_params_[key]


@pytest.mark.parametrize(
    "copied",
    [
        clone,
        copy.deepcopy,
        lambda model: pickle.loads(pickle.dumps(model)),
    ],
)
def test_copies_are_equal_and_independent(copied):
    model = LaiMLPRegressor(feature_k=FeatureK(a=0.1, **{"b c": None}))
    other = copied(model)
    assert other.feature_k == model.feature_k
    other.set_params(feature_k__a=0.5, feature_k__z=2.0)
    assert model.feature_k == {"a": 0.1, "b c": None}
    assert other.get_params()["feature_k__z"] == 2.0
    assert joblib.hash(model) != joblib.hash(other)


def test_its_repr_makes_it_again():
    for k in (
        {},
        {"a": 0.1},
        {"b c": None, "a": 1.0},
        {"b c": 2.0},
        {0: 1.0, "0": 2.0},
    ):
        assert eval(repr(FeatureK(k))) == k
    model = LaiLinearRegressor(feature_k=FeatureK(a=0.1))
    assert repr(model) == "LaiLinearRegressor(feature_k=FeatureK(a=0.1))"
    assert "FeatureK" in model._repr_html_()


@estimators
def test_unknown_names_and_wrong_values_are_named(Estimator):
    model = quick(Estimator, feature_k=FeatureK())
    with pytest.raises(ValueError, match=r"'z', which is not a column.*'a', 'b c'"):
        model.set_params(feature_k__z=0.1).fit(FRAME, y)
    model = quick(Estimator, feature_k=FeatureK(a=-1.0))
    with pytest.raises(ValueError, match=r"feature_k\['a'\] must be .*got -1\.0"):
        model.fit(FRAME, y)
    with pytest.raises(ValueError, match="X has no column names"):
        model.fit(X, y)


@models
@pytest.mark.parametrize("given", [None, {}, {"a": 0.1}])
def test_a_nested_slope_makes_the_object_of_none_and_of_a_dict(model, given):
    before = copy.deepcopy(given)
    model = clone(model).set_params(feature_k=given)
    assert model.set_params(feature_k__self=0.2) is model
    assert model.feature_k == {**(before or {}), "self": 0.2}
    assert given == before
    slopes = model.fit(FRAME, y).feature_k_
    assert slopes[3] == 0.2
    assert clone(model).feature_k == model.feature_k


@models
def test_whole_and_nested_slopes_are_set_in_whatever_order(model):
    nested, whole = {"feature_k__c": 0.2}, {"feature_k": {"a": 0.1}}
    for params in ({**nested, **whole}, {**whole, **nested}):
        assert clone(model).set_params(**params).feature_k == {"a": 0.1, "c": 0.2}
    assert whole == {"feature_k": {"a": 0.1}}


def test_an_object_is_changed_in_place_as_other_nested_parameters():
    shared = FeatureK(a=0.1)
    first, second = (clone(MODELS["exact"]).set_params(feature_k=shared) for _ in "12")
    first.set_params(feature_k__a=0.5)
    assert second.feature_k["a"] == 0.5
    copied = clone(second).set_params(feature_k__a=0.7)
    assert (copied.feature_k["a"], shared["a"]) == (0.7, 0.5)


@models
def test_its_own_parameters_set_it_again(model):
    model = clone(model).set_params(feature_k=FeatureK({0: 0.1, "a": None}))
    params = model.get_params()
    assert params["feature_k__0"] == 0.1
    assert params["feature_k__a"] is None
    assert clone(model).set_params(**params).feature_k == {0: 0.1, "a": None}


def test_a_position_stays_one_whatever_the_names():
    model = LaiLinearRegressor(k=0.3, feature_k={0: 0.1}).set_params(feature_k__a=0.2)
    digits = FRAME.set_axis(["0", "b", "c", "a", "1"], axis=1)[
        ["b", "c", "a", "1", "0"]
    ]
    for one in (model, clone(model), pickle.loads(pickle.dumps(model))):
        slopes = one.fit(digits, y).feature_k_
        np.testing.assert_array_equal(slopes, [0.1, 0.3, 0.2, 0.3, 0.3])
    model.set_params(feature_k__0=0.5, feature_k__1=0.7)
    assert model.feature_k == {0: 0.5, "a": 0.2, "1": 0.7}
    np.testing.assert_array_equal(model.fit(digits, y).feature_k_[[0, 3]], [0.5, 0.7])


def test_a_name_of_digits_comes_before_a_position():
    slopes = FeatureK({0: 0.1, "0": 0.2})
    assert slopes.get_params() == {"0": 0.2}
    assert slopes.set_params(**{"0": 0.3}) == {0: 0.1, "0": 0.3}


@models
@pytest.mark.parametrize("given", [None, {0: 0.9, 1: 0.4}])
def test_positions_are_searched_where_there_are_no_names(model, given):
    grid = {"feature_k__0": [0.5, 0.1]}
    lai = clone(model).set_params(feature_k=given)
    search = GridSearchCV(lai, grid, cv=2, error_score="raise").fit(X, y)
    slopes = search.best_estimator_.feature_k_
    assert slopes[0] == search.best_params_["feature_k__0"]
    assert given is None or slopes[1] == 0.4
    assert lai.feature_k == given


@models
def test_slopes_are_searched_inside_pipelines_and_transformed_targets(model):
    steps = [("scale", StandardScaler()), ("lai", clone(model))]
    pipeline = Pipeline(steps).set_output(transform="pandas")
    target = TransformedTargetRegressor(pipeline, transformer=StandardScaler())
    grid = {"regressor__lai__feature_k__a": [0.5, 0.1]}
    search = GridSearchCV(target, grid, cv=2, error_score="raise").fit(FRAME, y)
    fitted = search.best_estimator_.regressor_["lai"]
    assert fitted.feature_k_[0] == search.best_params_["regressor__lai__feature_k__a"]


def test_a_nested_slope_of_nonsense_is_named():
    for given in ("bmi", 0.1, [0.1]):
        model = LaiLinearRegressor(feature_k=given)
        with pytest.raises(TypeError, match="feature_k must be None or a mapping"):
            model.set_params(feature_k__bmi=0.1)
    with pytest.raises(ValueError, match="Invalid parameter 'feature'"):
        LaiLinearRegressor().set_params(feature__bmi=0.1)
