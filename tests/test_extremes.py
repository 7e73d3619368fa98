"""Values whose squares are no numbers, and columns that are constant."""

import re
from contextlib import suppress

import numpy as np
import pandas as pd
import pytest
from common import MODELS, X, mlp, y
from sklearn.base import clone
from sklearn.linear_model import LinearRegression

from sklearn_lai import (
    LaiLinearRegressor,
    LaiLinearRegressorCV,
    LaiMLPRegressor,
    LaiMLPRegressorCV,
)
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


ESTIMATORS = [
    LaiLinearRegressor(),
    LaiLinearRegressor(solver="adam", max_iter=50, lai_epochs=10, random_state=0),
    LaiLinearRegressorCV(ks=[0.1, 0.2], cv=3),
    mlp(max_iter=50, lai_epochs=10),
    LaiMLPRegressorCV(ks=[0.1, 0.2], cv=3, max_iter=20, lai_epochs=10, random_state=0),
]
every = pytest.mark.parametrize("model", ESTIMATORS, ids=lambda m: str(m)[:25])


def refusing(model):
    """The model as it is, and in the units of the data."""
    return clone(model), clone(model).set_params(standardize=False)


@every
@pytest.mark.parametrize("factor", [1e-170, 1e-200, 1e170])
def test_columns_of_no_size_to_compute_with_are_named(model, factor):
    far = X.copy()
    far[:, 2] *= factor
    for one in refusing(model):
        with pytest.raises(ValueError, match="column 2 of X are too"):
            one.fit(far, y)
        with pytest.raises(ValueError, match="column 0 of y are too"):
            one.fit(X, y * factor)


@every
@pytest.mark.parametrize("offset", [0, 100])
@pytest.mark.parametrize("factor", [1e-110, 1e-128, 1e-138])
def test_small_weights_are_as_any_or_an_error_names_them(model, factor, offset):
    weight = np.full(len(X), 2.0**-200)
    for far, target, scale in (
        ((X + offset) * factor, y, 1),
        (X, (y + offset) * factor, factor),
    ):
        one = clone(model)
        if "alpha" in one.get_params():  # counts more beside small weights
            one.set_params(alpha=0)
        expected = one.fit(far, target, np.ones(len(X))).predict(far)
        message = ""
        try:
            one.fit(far, target, weight)
        except ValueError as error:
            message = str(error)
        if message:
            assert re.search("column . of (X|y) .*too small.*sample_weight", message)
            assert factor < 1e-120
        else:
            np.testing.assert_allclose(one.predict(far), expected, atol=1e-9 * scale)


@every
@pytest.mark.parametrize("factor", [1e-40, 1e-37, 1e-30, 1e30, 1e36, 3e37])
def test_float32_is_right_or_an_error_that_names_the_type(model, factor):
    single = X.astype(np.float32)
    expected = clone(model).fit(single, y).predict(single)
    for data, scale in ((single * np.float32(factor), 1), (single, factor)):
        one, message = clone(model), ""
        try:
            one.fit(data, scale * y)
        except ValueError as error:
            message = str(error)
        if message:
            assert re.search("too (small|large) .*float32", message)
            assert not 1e-31 < factor < 1e31
        else:
            error = one.predict(data) / scale - expected
            assert np.abs(error).max() < 1e-3 * np.ptp(y)


@every
def test_last_digits_of_large_values_count(model):
    rng = np.random.default_rng(0)
    far = 1e15 + rng.standard_normal((200, 2))
    target = far @ [1.0, -1.0] + 0.1 * rng.standard_normal(200)
    with pytest.warns(UserWarning, match=r"Feature\(s\) 0, 1 vary by less"):
        model.fit(far, target)
    assert model.score(far, target) > 0.9


@every
@pytest.mark.parametrize("names", [None, list("abcde")])
def test_a_stuck_sensor_is_told(model, names, recwarn):
    stuck = X.copy()
    stuck[:, 1] = 20 + 1e-9 * X[:, 1]
    data = stuck if names is None else pd.DataFrame(stuck, columns=names)
    model.fit(data, y)
    told = [w for w in recwarn if "stuck sensor" in str(w.message)]
    assert len(told) == 1
    assert told[0].filename == __file__
    assert ("'b'" if names else "Feature(s) 1 ") in str(told[0].message)
    recwarn.clear()
    stuck[:, 1] -= 20
    model.fit(stuck, y)
    model.fit(np.where(np.arange(5) == 1, 20, X), y)  # constant, it has no influence
    for exact in (1e9 + np.arange(len(X)), 1.7e9 + 60 * X[:, 1], 5.6e6 + X[:, 1]):
        model.fit(np.column_stack([X, exact]), y)  # spread far above rounding
    assert not [w for w in recwarn if "stuck sensor" in str(w.message)]


@linear_models
@pytest.mark.parametrize("factor", [1024, 1 / 1024, 3.0])
def test_without_an_intercept_the_unit_of_a_constant_column_does_not_matter(
    model, factor
):
    model = clone(model).set_params(fit_intercept=False, standardize=True)
    expected = model.fit(with_column(1.0), y).predict(with_column(1.0))
    found = model.fit(with_column(factor), y).predict(with_column(factor))
    if factor == 3:
        np.testing.assert_allclose(found, expected, rtol=1e-9)
    else:
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("model", [LaiLinearRegressor(), LaiLinearRegressorCV(cv=3)])
@pytest.mark.parametrize("heavy", [0, 59])
def test_rows_beside_one_that_has_nearly_all_weight_count(model, heavy, recwarn):
    # One row tells the means, the others the slopes.
    rng = np.random.default_rng(0)
    features = rng.standard_normal((60, 3))
    target = features @ [3.0, 2.0, 1.0] + 0.1 * rng.standard_normal(60)
    weight = np.full(60, 1e-20)
    weight[heavy] = 1.0
    expected = LinearRegression().fit(features, target, weight).coef_
    found = clone(model).set_params(lai_fraction=0).fit(features, target, weight).coef_
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert not any(issubclass(w.category, RuntimeWarning) for w in recwarn)


@pytest.mark.parametrize("deviation", [4.0, 100.0])
def test_a_column_that_varies_by_a_few_of_its_last_digits_counts(deviation):
    rng = np.random.default_rng(0)
    features = rng.standard_normal((400, 3))
    target = features @ [3.0, 2.0, 1.0]
    features[:, 1] = 1e16 + deviation * features[:, 1]
    for model in (LaiLinearRegressor(), LaiMLPRegressor(random_state=0, lai_epochs=0)):
        with pytest.warns(UserWarning, match="Feature"):
            assert model.fit(features, target).score(features, target) > 0.9


def of_both_signs(largest, dtype):
    """A column whose sums are infinite, of either sign, and NaN."""
    column = np.where(X[:, 0] > 0.5, largest, -largest)
    return np.column_stack([X, column]).astype(dtype)


@every
@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("weight", [None, 1e90, "some"])
@pytest.mark.parametrize(
    "far",
    [
        of_both_signs(1.7e308, np.float64),
        of_both_signs(3.3e38, np.float32),
        np.column_stack([X, 1.7e308 * (np.arange(len(X)) == 0)]),
    ],
)
def test_columns_that_overflow_are_named_without_a_warning_of_numpy(model, far, weight):
    if weight == "some":
        weight = 1.0 + (np.arange(len(X)) % 3)
    for one in refusing(model):
        if far.dtype == np.float64:
            with pytest.raises(ValueError, match="column 5 of X are too large"):
                one.fit(far, y, sample_weight=weight)
        else:
            with suppress(ValueError):  # in the units of the data it may be right
                one.fit(far, y, sample_weight=weight)


@every
@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_targets_that_overflow_are_named_without_a_warning_of_numpy(model):
    far = of_both_signs(1.7e308, np.float64)[:, -1]
    for one in refusing(model):
        with pytest.raises(ValueError, match="column 0 of y are too large"):
            one.fit(X, far)
        with pytest.raises(ValueError, match="column 0 of y are too large"):
            one.fit(X, far.astype(np.longdouble))


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("model", [LaiLinearRegressor(), mlp()])
def test_chunks_that_overflow_are_named_without_a_warning_of_numpy(model):
    far = of_both_signs(1.7e308, np.float64)
    outlier = np.column_stack([X, 1.7e308 * (np.arange(len(X)) == 0)])
    for chunk in (far, outlier, -outlier):
        with pytest.raises(ValueError, match="column 5 of X are too large"):
            clone(model).partial_fit(chunk, y)
        begun = clone(model).partial_fit(np.column_stack([X, X[:, 0]]), y)
        with pytest.raises(ValueError, match="column 5 of X are too large"):
            begun.partial_fit(chunk, y)


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_a_target_that_varies_by_its_rounding_is_warned_of(model):
    rounded = 1e15 + 0.1 * X[:, 0].round()
    rounded[:2] += 0.125  # a last digit
    beside = np.column_stack([y, rounded])
    with pytest.warns(UserWarning, match=r"Column\(s\) 1 of y vary by rounding"):
        fitted = clone(model).fit(X, beside)
    np.testing.assert_allclose(fitted.predict(X)[:, 1], 1e15, rtol=1e-15)


@pytest.mark.parametrize("standardize", [True, False])
@pytest.mark.parametrize(
    ("solver", "digits"), [("exact", 1e-9), ("adam", 0.02)], ids=["exact", "adam"]
)
def test_without_an_intercept_a_constant_target_is_as_any_other(
    solver, digits, standardize
):
    target = np.full(len(X), 5.0)
    plain = LinearRegression(fit_intercept=False).fit(X, target)
    model = LaiLinearRegressor(
        lai_fraction=0,
        solver=solver,
        fit_intercept=False,
        standardize=standardize,
        learning_rate_init=0.01,
        max_iter=2000,
        n_iter_no_change=np.inf,
    ).fit(X, target)
    np.testing.assert_allclose(model.coef_, plain.coef_, rtol=digits)
    assert model.intercept_ == 0
