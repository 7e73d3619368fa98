"""What only the linear model has."""

import numpy as np
import pytest
from common import X, Y, quick, y
from sklearn.linear_model import LinearRegression

from sklearn_lai import LaiLinearRegressor


def linear(**parameters):
    return quick(LaiLinearRegressor, **parameters)


@pytest.mark.parametrize("target", [y, Y])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_attributes_are_those_of_linear_regression(target, fit_intercept):
    ours = linear(fit_intercept=fit_intercept).fit(X, target)
    theirs = LinearRegression(fit_intercept=fit_intercept).fit(X, target)
    assert ours.coef_.shape == theirs.coef_.shape
    assert ours.predict(X).shape == theirs.predict(X).shape
    if not fit_intercept:
        np.testing.assert_array_equal(ours.intercept_, np.zeros(target.shape[1:]))
    else:
        assert np.shape(ours.intercept_) == np.shape(theirs.intercept_)


def test_without_intercept_it_reaches_least_squares_through_the_origin():
    model = linear(
        fit_intercept=False,
        lai_fraction=0,
        max_iter=500,
        batch_size=len(X),
        learning_rate_init=0.02,
    ).fit(X, y)
    reference = LinearRegression(fit_intercept=False).fit(X, y)
    np.testing.assert_allclose(model.coef_, reference.coef_, atol=0.02)
    np.testing.assert_array_equal(model.predict(np.zeros((1, 5))), 0)


def test_input_gradient_is_the_coefficients_of_every_row():
    model = linear().fit(X, Y)
    slopes = model.input_gradient(X[:3])
    np.testing.assert_array_equal(slopes, np.stack([model.coef_] * 3))


def test_coefficients_settle_at_the_boundary():
    """A kink attracts: a coefficient whose pull is in balance stops at k exactly."""
    rng = np.random.default_rng(0)
    data = rng.normal(size=(2000, 1))
    target = 0.35 * data[:, 0] + rng.normal(size=2000)
    model = LaiLinearRegressor(
        k=0.2,
        lai_fraction=0.05,
        solver="adam",
        lai_interval=1,
        lai_epochs=200,
        random_state=0,
    ).fit(data, target)
    standardised = model.coef_[0] * data.std() / target.std()
    assert standardised == pytest.approx(0.2, abs=0.01)
