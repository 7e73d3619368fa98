"""The estimators inside the tools that people use them with."""

import pickle

import matplotlib as mpl
import numpy as np
import pandas as pd
import polars as pl
import pytest
from common import FRAME, NAMES, X, Y, estimators, models, quick, y
from sklearn.base import clone
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import BaggingRegressor
from sklearn.inspection import PartialDependenceDisplay, permutation_importance
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import sklearn_lai
from sklearn_lai import inspection, loss, metrics, model_selection


@estimators
def test_a_pickle_needs_no_torch(Estimator):
    assert b"torch" not in pickle.dumps(quick(Estimator).fit(X, y))


@estimators
def test_clone_and_set_params(Estimator):
    k, feature_k = np.full(5, 0.2), {0: None}
    model = quick(Estimator, k=k, feature_k=feature_k)
    assert model.k is k
    assert model.feature_k is feature_k
    copied = clone(model.fit(X, y))
    assert not hasattr(copied, "k_")
    assert copied.feature_k == feature_k
    np.testing.assert_array_equal(copied.k, k)
    changed = copied.set_params(k=0.5, feature_k=None).fit(X, y)
    np.testing.assert_array_equal(changed.feature_k_, np.full(5, 0.5))


@estimators
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_grid_search_over_arrays_and_mappings(Estimator, n_jobs):
    grid = {
        "lai__k": [0.1, np.full(5, 0.4), [0.1, 0.2, 0.3, 0.4, 0.5]],
        "lai__feature_k": [None, {0: 0.1}, {"b": None, "c": 0.5}],
        "lai__norm": ["l1", "l2"],
    }
    pipeline = Pipeline(
        [("scale", StandardScaler()), ("lai", quick(Estimator))]
    ).set_output(transform="pandas")
    search = GridSearchCV(pipeline, grid, cv=2, n_jobs=n_jobs, error_score="raise")
    search.fit(FRAME, y)
    assert len(search.cv_results_["params"]) == 18
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


@estimators
def test_parallel_and_serial_search_have_the_same_scores(Estimator):
    scores = [
        cross_val_score(quick(Estimator, lai_interval=None), X, y, n_jobs=n_jobs)
        for n_jobs in (1, 2)
    ]
    np.testing.assert_array_equal(*scores)


@models
def test_scores_of_an_outer_validation_see_no_test_rows(model, tmp_path):
    # The last fold first: what a fit left behind would have to be the same rows.
    alone = [
        clone(model).fit(X[train], y[train]).score(X[test], y[test])
        for train, test in reversed(list(KFold(3).split(X)))
    ]
    if "memory" in model.get_params():
        model = clone(model).set_params(memory=str(tmp_path))
    np.testing.assert_array_equal(cross_val_score(model, X, y, cv=3), alone[::-1])


@estimators
@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_feature_k_by_column_name(Estimator, frame):
    data = frame(dict(zip(NAMES, X.T, strict=True)))
    model = quick(Estimator, k=0.3, feature_k={"b": 0.1, "d": None, 4: 2.0}).fit(
        data, y
    )
    np.testing.assert_array_equal(model.feature_k_, [0.3, 0.1, 0.3, np.nan, 2.0])
    assert model.feature_names_in_.tolist() == NAMES
    by_index = quick(Estimator, k=0.3, feature_k={1: 0.1, 3: None, 4: 2.0}).fit(X, y)
    np.testing.assert_allclose(model.predict(data), by_index.predict(X), rtol=1e-9)


@estimators
def test_names_reach_the_model_through_a_column_transformer(Estimator):
    frame = FRAME.assign(region=np.where(X[:, 0] > 0.5, "north", "south"))
    columns = ColumnTransformer(
        [
            ("number", StandardScaler(), NAMES),
            ("region", OneHotEncoder(sparse_output=False), ["region"]),
        ],
        verbose_feature_names_out=False,
    ).set_output(transform="pandas")
    model = make_pipeline(
        columns, quick(Estimator, k=0.3, feature_k={"region_north": 0.05})
    )
    model.fit(frame, y)
    np.testing.assert_array_equal(model[-1].feature_k_, [0.3] * 5 + [0.05, 0.3])


@estimators
def test_inside_meta_estimators(Estimator):
    model = quick(Estimator)
    for wrapped, target in [
        (TransformedTargetRegressor(model, func=np.cbrt, inverse_func=np.power), y),
        (BaggingRegressor(model, n_estimators=3, random_state=0), y),
        (MultiOutputRegressor(model), Y),
    ]:
        if isinstance(wrapped, TransformedTargetRegressor):
            wrapped.set_params(inverse_func=lambda z: z**3)
        assert wrapped.fit(X, target).predict(X).shape == target.shape


@estimators
def test_inspection_tools(Estimator):
    mpl.use("Agg")
    model = quick(Estimator).fit(X, y)
    importance = permutation_importance(model, X, y, n_repeats=2, random_state=0)
    assert importance.importances_mean.shape == (5,)
    display = PartialDependenceDisplay.from_estimator(model, X, [0, (1, 2)])
    assert display.axes_.size >= 2
    mpl.pyplot.close("all")


def test_a_public_name_has_one_import_path():
    doors = [sklearn_lai, inspection, loss, metrics, model_selection]
    names = [name for door in doors for name in door.__all__]
    assert len(names) == len(set(names)) >= 17
    for door in doors:
        seen = {name for name in vars(door) if name in names}
        assert seen == set(door.__all__)
