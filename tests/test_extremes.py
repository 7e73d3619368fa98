"""Values whose squares are no numbers, and columns that are constant."""

import numpy as np
import pytest
from common import X, y

from sklearn_lai import LaiLinearRegressor, LaiLinearRegressorCV
from sklearn_lai._statistics import ColumnStatistics

linear_models = pytest.mark.parametrize(
    "model", [LaiLinearRegressor(), LaiLinearRegressorCV(ks=[0.1, 0.2], cv=3)]
)


def with_column(value):
    return np.column_stack([X, np.full(len(X), value)])


@linear_models
@pytest.mark.parametrize("factor", [1e155, 1e170, 1e-160, 1e-170])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_raw_columns_without_a_square_are_named(model, factor, fit_intercept):
    model = model.set_params(standardize=False, fit_intercept=fit_intercept)
    far = X * np.where(np.arange(X.shape[1]) == 2, factor, 1)
    problem = "large" if factor > 1 else "small"
    with pytest.raises(ValueError, match=f"column 2 of X are too {problem}"):
        model.fit(far, y)
    with pytest.raises(ValueError, match=f"column 0 of y are too {problem}"):
        model.fit(X, y * factor)


@linear_models
@pytest.mark.parametrize("standardize", [True, False])
@pytest.mark.parametrize("value", [1e300, 1e155, 1e-170])
def test_constant_columns_without_a_square_are_named(model, standardize, value):
    model = model.set_params(standardize=standardize, fit_intercept=False)
    with pytest.raises(ValueError, match="column 5 of X are too"):
        model.fit(with_column(value), y)
    model = model.set_params(fit_intercept=True)  # then it has no influence
    expected = model.fit(X, y).predict(X)
    wide = with_column(value)
    np.testing.assert_allclose(model.fit(wide, y).predict(wide), expected)


@linear_models
def test_columns_of_zeros_have_no_influence(model):
    model = model.set_params(standardize=False, fit_intercept=False)
    expected = model.fit(X, y).predict(X)
    zeros = with_column(0.0)
    np.testing.assert_allclose(model.fit(zeros, y).predict(zeros), expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_weighted_constant_columns_have_no_variance(dtype):
    rng = np.random.default_rng(0)
    for n_rows in range(2, 200):
        value = rng.normal() * 10.0 ** rng.integers(-5, 6)
        column = np.full((n_rows, 1), value, dtype)
        statistics = ColumnStatistics.of(column, rng.random(n_rows))
        assert statistics.variance == 0
        assert statistics.mean == column[0]
    nearly = np.where(np.arange(200) % 2, value, value * (1 + 1e-16))[:, None]
    assert ColumnStatistics.of(nearly, rng.random(200)).variance >= 0


@pytest.mark.slow
@pytest.mark.parametrize("distance", [1e-15, 1e-10, 1e-7, 1e-3])
def test_hundreds_of_nearly_equal_pairs_are_solved(distance):
    rng = np.random.default_rng(0)
    single = rng.normal(size=(1500, 350))
    pairs = np.hstack([single, single + distance * rng.normal(size=single.shape)])
    target = single[:, :5].sum(axis=1) + rng.normal(size=1500)
    model = LaiLinearRegressor().fit(pairs, target)
    assert model.score(pairs, target) > 0.8
    assert model.optimality_ <= model.tol
