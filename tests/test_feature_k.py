"""FeatureK: each feature's k as a nested parameter."""

import copy
import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
from common import X, estimators, quick, y
from scipy.stats import loguniform
from sklearn.base import clone
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
    np.testing.assert_array_equal(by_object.k_, [0.1, np.nan, 2.0, 0.3, 0.4])
    np.testing.assert_array_equal(by_object.predict(FRAME), by_mapping.predict(FRAME))


@estimators
def test_digits_are_positions_where_there_are_no_names(Estimator):
    model = quick(Estimator, k=0.3, feature_k=FeatureK(**{"1": 0.7})).fit(X, y)
    np.testing.assert_array_equal(model.k_, [0.3, 0.7, 0.3, 0.3, 0.3])
    named = quick(Estimator, k=0.3, feature_k=FeatureK(**{"1": 0.7})).fit(FRAME, y)
    np.testing.assert_array_equal(named.k_, [0.3, 0.3, 0.3, 0.3, 0.7])


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
    assert fitted.k_[list(FRAME).index(name)] == random.best_params_[key]


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
    for k in ({}, {"a": 0.1}, {"b c": None, "a": 1.0}, {"b c": 2.0}):
        assert eval(repr(FeatureK(**k))) == k
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
