"""Output variance and noise sensitivity of any regressor."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sklearn_lai.metrics import noise_sensitivity, prediction_variance

rng = np.random.default_rng(0)
X = rng.normal(5, [1, 3, 0.5], (4000, 3))
y = X @ [2.0, 0.0, -4.0] + 1
MEAN_ABSOLUTE_NORMAL = np.sqrt(2 / np.pi)


def test_sensitivity_of_a_linear_model_has_its_closed_form():
    model = LinearRegression().fit(X, y)
    expected = np.abs(model.coef_) * X.std(0) * MEAN_ABSOLUTE_NORMAL
    measured = noise_sensitivity(model, X)
    np.testing.assert_allclose(measured, expected, rtol=0.02, atol=1e-9)
    half = noise_sensitivity(model, X, noise=0.5)
    np.testing.assert_allclose(half, measured / 2, atol=1e-9)


def test_several_outputs_have_a_row_each():
    model = LinearRegression().fit(X, np.column_stack([y, -2 * y]))
    sensitivity = noise_sensitivity(model, X)
    assert sensitivity.shape == (2, 3)
    np.testing.assert_allclose(sensitivity[1], 2 * sensitivity[0], atol=1e-9)
    np.testing.assert_allclose(
        prediction_variance(model, X), [np.var(y), 4 * np.var(y)]
    )


def test_variance_is_that_of_the_predictions():
    model = LinearRegression().fit(X, y)
    assert prediction_variance(model, X) == pytest.approx(np.var(y))


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_data_frames_keep_type_names_and_values(frame):
    names = ["a", "b", "c"]
    data = frame(dict(zip(names, X.T, strict=True)))
    columns = make_column_transformer((StandardScaler(), names))
    on_frame = make_pipeline(columns, LinearRegression()).fit(data, y)
    on_array = make_pipeline(StandardScaler(), LinearRegression()).fit(X, y)
    np.testing.assert_allclose(
        noise_sensitivity(on_frame, data), noise_sensitivity(on_array, X), atol=1e-9
    )
    np.testing.assert_array_equal(np.asarray(data), X)


@pytest.mark.parametrize("target", [y, np.column_stack([y, -2 * y])])
def test_figures_of_a_data_frame_have_the_names_of_its_columns(target):
    data = pd.DataFrame(X, columns=pd.Index(["a", "b", "c"], name="feature"))
    model = LinearRegression().fit(data, target)
    named = noise_sensitivity(model, data)
    assert type(named) is (pd.Series if target.ndim == 1 else pd.DataFrame)
    pd.testing.assert_index_equal(named.axes[-1], data.columns)
    plain = noise_sensitivity(LinearRegression().fit(X, target), X)
    assert type(plain) is np.ndarray
    np.testing.assert_allclose(named["c"], plain[..., 2], rtol=1e-12)
    polars = pl.DataFrame(X, schema=["a", "b", "c"])
    of_polars = noise_sensitivity(LinearRegression().fit(polars, target), polars)
    assert type(of_polars) is np.ndarray


@pytest.mark.parametrize("measure", [noise_sensitivity, prediction_variance])
def test_a_single_row_has_no_deviation(measure):
    model = LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0])
    with pytest.raises(ValueError, match="X must have at least 2 rows, got 1"):
        measure(model, [[0.5]])


def test_same_seed_same_noise():
    model = LinearRegression().fit(X, y)
    first = noise_sensitivity(model, X)
    np.testing.assert_array_equal(first, noise_sensitivity(model, X))
    assert (first != noise_sensitivity(model, X, random_state=1)).any()


def test_integer_columns_get_noise_too():
    counts = pd.DataFrame({"n": np.arange(200), "m": np.arange(200) % 7})
    model = LinearRegression().fit(counts, 3.0 * counts["n"])
    assert noise_sensitivity(model, counts)["n"] > 100
    assert noise_sensitivity(
        LinearRegression().fit(counts.to_numpy(), 3.0 * counts["n"]), counts.to_numpy()
    )[0] == pytest.approx(noise_sensitivity(model, counts)["n"])


def test_missing_values_stay_missing_and_the_rest_gets_noise():
    data = X.copy()
    data[::10, 0] = np.nan
    model = make_pipeline(SimpleImputer(), LinearRegression()).fit(data, y)
    small, large = (noise_sensitivity(model, data, noise=n)[0] for n in (0.1, 1.0))
    assert large == pytest.approx(10 * small)
    assert large == pytest.approx(noise_sensitivity(model, X)[0] * 0.9, rel=0.02)


def test_columns_that_are_no_numbers_have_no_sensitivity():
    data = pd.DataFrame({"a": X[:, 0], "kind": np.where(X[:, 1] > 5, "u", "v")})
    columns = make_column_transformer(
        (OneHotEncoder(), ["kind"]), remainder="passthrough"
    )
    model = make_pipeline(columns, LinearRegression()).fit(data, y)
    assert np.isnan(noise_sensitivity(model, data)).tolist() == [False, True]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"noise": 0}, "noise must be a finite number > 0, got 0"),
        ({"n_repeats": 0}, "n_repeats must be an integer >= 1, got 0"),
    ],
)
def test_wrong_arguments_are_named(change, message):
    class Zero:
        def predict(self, X):
            return np.zeros(len(X))

    with pytest.raises(ValueError, match=message):
        noise_sensitivity(**{"estimator": Zero(), "X": X, **change})


def test_categories_are_no_numbers_whatever_they_are_called():
    codes = np.arange(len(X)) % 3
    data = pd.DataFrame({"a": X[:, 0], "kind": pd.Categorical(codes)})
    columns = make_column_transformer(
        (OneHotEncoder(), ["kind"]), remainder="passthrough"
    )
    model = make_pipeline(columns, LinearRegression()).fit(data, y)
    assert np.isnan(noise_sensitivity(model, data)).tolist() == [False, True]
