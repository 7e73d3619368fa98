"""Values for columns, by names and positions, and where these are lost."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from common import FRAME, MODELS, NAMES, X, Y, estimators, quick, y
from sklearn.base import clone
from sklearn.ensemble import BaggingRegressor
from sklearn.feature_selection import RFE, SequentialFeatureSelector

from sklearn_lai import LaiLinearRegressor, LaiLinearRegressorCV

KS = [0.1, 0.2, 0.3, 0.4, 0.5]
BACKWARDS = NAMES[::-1]


@estimators
def test_a_series_is_k_by_column_name(Estimator):
    k = pd.Series(KS, index=NAMES)
    for given in (k, k[BACKWARDS]):
        model = quick(Estimator, k=given).fit(FRAME, y)
        np.testing.assert_array_equal(model.feature_k_, KS)
    assert clone(model).fit(FRAME[BACKWARDS], y).feature_k_.tolist() == KS[::-1]


@estimators
def test_a_series_without_names_is_k_by_position(Estimator):
    for k in (pd.Series(KS), pl.Series(KS), pd.Series(KS, index=list("01234"))):
        np.testing.assert_array_equal(quick(Estimator, k=k).fit(X, y).feature_k_, KS)
    by_position = quick(Estimator, k=pl.Series(KS)).fit(FRAME, y)
    np.testing.assert_array_equal(by_position.feature_k_, KS)


@estimators
@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_a_frame_is_k_by_output_and_column_name(Estimator, frame):
    k = np.array([KS, KS[::-1]])
    given = frame(dict(zip(BACKWARDS, k[:, ::-1].T, strict=True)))
    model = quick(Estimator, k=given).fit(FRAME, Y)
    np.testing.assert_array_equal(model.feature_k_, k)
    model = quick(Estimator, k=pd.DataFrame(k)).fit(FRAME, Y)
    np.testing.assert_array_equal(model.feature_k_, k)


@estimators
def test_feature_k_overrides_a_series(Estimator):
    k = pd.Series(KS, index=NAMES)
    model = quick(Estimator, k=k, feature_k={"b": None}).fit(FRAME, y)
    np.testing.assert_array_equal(model.feature_k_, [0.1, np.nan, 0.3, 0.4, 0.5])


@estimators
@pytest.mark.parametrize(
    ("k", "data", "message"),
    [
        (
            pd.Series(KS[:3], NAMES[:3]),
            FRAME,
            r"k .* all columns .* lacks \['d', 'e'\]",
        ),
        (pd.Series(KS[:4], list("0123")), X, r"k .* all columns .* it lacks \[4\]"),
        (
            pd.Series(KS, list("abcdz")),
            FRAME,
            "k has the column name 'z', which is not",
        ),
        (pd.Series(KS, list("abcdd")), FRAME, "k names column 3 twice, as 'd' and 'd'"),
        (pd.Series(KS, NAMES), X, "k has the column name 'a', but X has no column"),
        (pd.Series(KS, [4, 3, 2, 1, 0]), FRAME, r"k has labels .*\[4, 3, .*to_numpy"),
        (
            pd.DataFrame([KS] * 3, columns=NAMES),
            FRAME,
            r"(?s)k must be .*shape \(3, 5\)",
        ),
    ],
)
def test_what_a_labelled_k_lacks_is_named(Estimator, k, data, message):
    with pytest.raises(ValueError, match=message):
        quick(Estimator, k=k).fit(data, y)


def test_labels_of_noise_are_checked_alike():
    for index, message in {"aabcd": "column 0 twice", "abcdz": "'z', which"}.items():
        noise = pd.Series(KS, list(index))
        with pytest.raises(ValueError, match=f"noise .*{message}"):
            LaiLinearRegressor(noise=noise).fit(FRAME, y)
    noise = pd.Series(KS).sort_values(ascending=False)
    with pytest.raises(ValueError, match="noise has labels that are neither"):
        LaiLinearRegressor(noise=noise).fit(FRAME, y)


def test_ks_of_a_series_are_those_in_it():
    ks = pd.Series([0.5, 0.1], index=["high", "low"])
    assert LaiLinearRegressorCV(ks=ks).fit(FRAME, y).ks_.tolist() == [0.5, 0.1]


# Meta-estimators of scikit-learn that pass on arrays, or some of the columns


@pytest.mark.parametrize(
    "params",
    [
        {"feature_k": {"d": 0.1}},
        {"noise": {"d": 0.1}},
        {"k": pd.Series(KS, NAMES)},
    ],
)
@pytest.mark.parametrize("Meta", [RFE, BaggingRegressor])
def test_names_that_a_meta_estimator_lost_are_explained(Meta, params):
    model = clone(MODELS["exact"]).set_params(**params)
    lost = r"BaggingRegressor, .*turn a DataFrame into an array.*only positions"
    with pytest.raises(ValueError, match=rf"(?s)X has no column names.*{lost}"):
        Meta(model).fit(FRAME, y)


@pytest.mark.parametrize(
    "params", [{"feature_k": {4: 0.1}}, {"noise": [0.1] * 5}, {"k": KS}]
)
@pytest.mark.parametrize(
    "wrap",
    [RFE, lambda model: BaggingRegressor(model, max_features=0.5)],
    ids=["rfe", "bagging"],
)
def test_positions_that_do_not_hold_for_some_of_the_columns_are_explained(wrap, params):
    model = clone(MODELS["exact"]).set_params(**params)
    advice = "neither their names nor their positions hold: give one value for all"
    with pytest.raises(ValueError, match=f"by RFE.*{advice}"):
        wrap(model).fit(FRAME, y)


def test_what_the_explanations_advise_works():
    by_position = LaiLinearRegressor(feature_k={3: 0.1})
    bagged = BaggingRegressor(by_position, n_estimators=2).fit(FRAME, y)
    assert [model.feature_k_[3] for model in bagged.estimators_] == [0.1, 0.1]
    for_all = LaiLinearRegressor(k=0.3)
    for selector in (RFE(for_all), SequentialFeatureSelector(for_all)):
        assert selector.fit(FRAME, y).transform(FRAME).shape == (len(X), 2)
