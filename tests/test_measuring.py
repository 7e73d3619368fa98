"""Metrics compute in float64, whatever the type of the data, or name its fault."""

from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.sparse import csr_array
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline

from sklearn_lai import LaiMLPRegressorCV
from sklearn_lai.metrics import (
    error_under_noise,
    make_noise_sensitivity_scorer,
    neg_noise_sensitivity,
    noise_sensitivity,
    prediction_variance,
)

rng = np.random.default_rng(0)
Z = rng.normal(size=(400, 3))
SLOPES = np.array([2.0, 0.0, -4.0])


class Slopes:
    """Predicts in float64 by slopes in the units of the data."""

    def __init__(self, unit=1.0):
        self.slopes = SLOPES / unit
        self.types = set()

    def predict(self, X):
        self.types.add(np.asarray(X).dtype)
        return np.asarray(X).astype(np.float64) @ self.slopes


EXPECTED = noise_sensitivity(Slopes(), Z)


@pytest.mark.parametrize(
    ("dtype", "sd"),
    [
        (np.float16, 1e-4),
        (np.float16, 300),
        (np.float32, 1e-25),
        (np.float32, 1e25),
        (np.float64, 1e-200),
        (np.float64, 1e200),
        (np.longdouble, 1.0),
    ],
)
def test_sensitivity_is_that_of_float64_whatever_the_type_and_scale(dtype, sd):
    data = (sd * Z).astype(dtype)
    np.testing.assert_allclose(
        noise_sensitivity(Slopes(sd), data), EXPECTED, rtol=0.01, atol=1e-9
    )
    small = noise_sensitivity(Slopes(sd), data, noise=1e-3)
    np.testing.assert_allclose(1e3 * small, EXPECTED, rtol=0.01, atol=1e-9)
    error = error_under_noise(
        Slopes(sd), data, data.astype(float) @ (SLOPES / sd), noise=1
    )
    assert error == pytest.approx(np.sqrt(20), rel=0.1)


@pytest.mark.parametrize("frame", [np.array, pd.DataFrame, pl.DataFrame])
def test_noise_below_the_resolution_of_the_type_is_seen(frame):
    data = frame(np.add(Z, [1e6, 1e6, 0]).astype(np.float32))
    model = Slopes()
    np.testing.assert_allclose(
        1e3 * noise_sensitivity(model, data, noise=1e-3), EXPECTED, rtol=0.05, atol=1e-6
    )


def test_an_estimator_gets_the_type_of_the_data_where_that_is_enough():
    model = Slopes()
    noise_sensitivity(model, Z.astype(np.float32))
    assert model.types == {np.dtype(np.float32)}


def test_the_curve_of_a_search_is_the_same_in_all_units():
    y = Z @ SLOPES + rng.normal(size=len(Z))
    paths = [
        LaiMLPRegressorCV(
            (4,), ks=2, cv=2, max_iter=3, lai_epochs=3, path_epochs=3, random_state=0
        )
        .fit((Z * 2.0**power).astype(np.float32), y)
        .sensitivity_path_
        for power in (0, 83, -83)
    ]
    for path in paths[1:]:
        np.testing.assert_allclose(path, paths[0], rtol=1e-3)


@pytest.mark.parametrize(
    "convert",
    [
        lambda B: B,
        lambda B: B.astype(object),
        lambda B: SimpleImputer(strategy="most_frequent").fit_transform(
            B.astype(object)
        ),
        lambda B: np.vectorize(lambda b: Decimal(int(b)), otypes=[object])(B),
        lambda B: pd.DataFrame(B.astype(int)).astype("Int64"),
        lambda B: pd.DataFrame(B.astype(int)).astype(object),
        lambda B: pl.DataFrame(B.astype(np.uint8)),
    ],
)
def test_whole_numbers_of_whatever_type_have_noise(convert):
    whole = Z > 0
    expected = noise_sensitivity(Slopes(), whole.astype(float))
    measured = np.asarray(noise_sensitivity(Slopes(), convert(whole)))
    np.testing.assert_allclose(measured, expected, rtol=1e-12)
    assert np.isfinite(neg_noise_sensitivity(Slopes(), convert(whole)))


def test_objects_with_missing_values_are_numbers():
    data = Z.astype(object)
    data[0, 0] = None
    model = make_pipeline(SimpleImputer(), LinearRegression())
    model.fit(Z, Z @ SLOPES)
    assert np.isfinite(noise_sensitivity(model, pd.DataFrame(data))).all()


@pytest.mark.parametrize(
    "data",
    [
        Z.astype(str),
        Z.astype("M8[s]"),
        Z.astype("m8[s]"),
        Z + 1j,
        pd.DataFrame(Z > 0),
        pd.DataFrame(Z.astype(str)),
        pd.DataFrame({name: pd.Categorical([1, 2]) for name in "abc"}),
        pd.DataFrame({name: pd.to_datetime([0, 1]) for name in "abc"}),
    ],
)
@pytest.mark.parametrize("measure", [noise_sensitivity, neg_noise_sensitivity])
def test_data_without_a_number_is_refused(measure, data):
    with pytest.raises(ValueError, match=r"X must have numbers .* got none in (0|'a')"):
        measure(Slopes(), data)


@pytest.mark.parametrize("frame", [np.array, pd.DataFrame, pl.DataFrame])
def test_an_infinite_value_is_named(frame):
    data = Z.copy()
    data[3, 1] = np.inf
    which = "1" if frame is not pl.DataFrame else "'column_1'"
    with pytest.raises(ValueError, match=f"infinite ones in {which}"):
        noise_sensitivity(Slopes(), frame(data))
    with pytest.raises(ValueError, match=f"infinite ones in {which}"):
        neg_noise_sensitivity(Slopes(), frame(data))


def test_noise_too_large_for_the_values_is_named():
    with pytest.raises(ValueError, match=r"noise must be .* got 1e\+308 for column 0"):
        noise_sensitivity(Slopes(), Z, noise=1e308)


class Predicts:
    def __init__(self, value):
        self.value = value

    def predict(self, X):
        return np.full(len(X), self.value)


@pytest.mark.parametrize("value", [np.nan, np.inf, "a", 1j])
@pytest.mark.parametrize("measure", [noise_sensitivity, prediction_variance])
def test_predictions_that_are_no_numbers_are_refused(measure, value):
    with pytest.raises((ValueError, TypeError), match="estimator must predict"):
        measure(Predicts(value), Z)


def test_the_variance_of_float32_predictions_is_that_of_float64():
    for scale in (1e-25, 1e25):
        model = Slopes()
        model.predict = lambda X, scale=scale: (X @ SLOPES * scale).astype(np.float32)
        variance = prediction_variance(model, Z)
        assert variance == pytest.approx(np.var(Z @ SLOPES) * scale**2)


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        (csr_array(Z), TypeError, "X must be dense, got sparse data of type csr_array"),
        (Z[:, 0], ValueError, r"X must be .* two dimensions, .* shape \(400,\)"),
        (None, ValueError, r"X must be .* two dimensions"),
        (Z[:0], ValueError, r"X must have at least one row .* \(0, 3\)"),
        (pl.DataFrame(Z).lazy(), TypeError, r"X must be in memory.*X\.collect\(\)"),
        ([[1, 2], [3]], ValueError, "X must be an array-like of numbers"),
    ],
)
def test_data_that_is_no_table_is_named(data, error, message):
    for measure in (noise_sensitivity, neg_noise_sensitivity, prediction_variance):
        with pytest.raises(error, match=message):
            measure(Slopes(), data)


def test_a_number_is_a_position_whatever_the_columns_are_called():
    data = pd.DataFrame(np.tile(Z, 4)[:, :10], columns=range(10, 20))
    model = Predicts(0.0)
    assert make_noise_sensitivity_scorer(2)(model, data) == 0
    message = r"feature must be a position from 0 to 9, got 12\."
    with pytest.raises(ValueError, match=message):
        make_noise_sensitivity_scorer(12)(model, data)


def test_a_feature_that_is_not_numeric_is_named():
    data = pd.DataFrame({"a": Z[:, 0], "kind": "x"})
    with pytest.raises(ValueError, match="got none in 'kind'"):
        make_noise_sensitivity_scorer("kind")(Predicts(0.0), data)
