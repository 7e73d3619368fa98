"""Importances of the features: mean magnitudes of standardised slopes."""

import pickle

import numpy as np
import pandas as pd
import pytest
from common import MODELS, NAMES, X, Y, mlp, y
from sklearn.base import clone
from sklearn.datasets import make_friedman1
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import RFE, SelectFromModel

from sklearn_lai._mlp.base import N_SLOPES
from sklearn_lai._mlp.partial_fit import N_SLOPES_OF_PASS

WEIGHT = np.linspace(0.5, 2, len(X))
networks = pytest.mark.parametrize("name", ["mlp", "mlp-cv"])


def expected(model, data, target, weight=None):
    """By definition, from all rows."""
    target = target.reshape(len(target), -1)
    slopes = np.abs(model.input_gradient(data)).reshape(len(data), -1, data.shape[1])
    sd_X, sd_y = (
        np.sqrt(np.cov(array, rowvar=False, aweights=weight, ddof=0).diagonal())
        if array.shape[1] > 1
        else np.array([np.sqrt(np.cov(array.T, aweights=weight, ddof=0))])
        for array in (data, target)
    )
    mean = np.average(slopes, axis=0, weights=weight)
    return (mean * sd_X / sd_y[:, None]).mean(axis=0)


@networks
@pytest.mark.parametrize("standardize", [True, False])
@pytest.mark.parametrize("target", [y, Y])
@pytest.mark.parametrize("weight", [None, WEIGHT])
def test_they_are_the_mean_slopes_in_standard_deviations(
    name, standardize, target, weight
):
    model = clone(MODELS[name]).set_params(standardize=standardize)
    model.fit(X, target, sample_weight=weight)
    np.testing.assert_allclose(
        model.feature_importances_, expected(model, X, target, weight)
    )


def test_those_of_a_linear_network_are_its_standardised_coefficients():
    model = mlp(hidden_layer_sizes=()).fit(X, y)
    slopes = np.abs(model.coefs_[0][:, 0]) * X.std(axis=0) / y.std()
    np.testing.assert_allclose(model.feature_importances_, slopes)


@networks
def test_they_do_not_depend_on_units(name):
    scales = 2.0 ** np.array([-9, 0, 3, 12, -1])
    model = clone(MODELS[name])
    importances = model.fit(X, y).feature_importances_
    scaled = model.fit(X * scales, y * 64).feature_importances_
    np.testing.assert_array_equal(scaled, importances)


@pytest.mark.parametrize("standardize", [True, False])
def test_constant_features_have_none(standardize):
    constant = np.column_stack([X, np.full(len(X), 7.0)])
    model = mlp(standardize=standardize).fit(constant, y)
    assert model.feature_importances_[-1] == 0
    assert (model.feature_importances_[:-1] > 0).all()


@pytest.mark.parametrize("standardize", [True, False])
def test_a_constant_target_has_a_deviation_of_one(standardize):
    model = mlp(standardize=standardize).fit(X, np.full(len(X), 3.0))
    slopes = np.abs(model.input_gradient(X)).mean(axis=0)
    np.testing.assert_allclose(
        model.feature_importances_, slopes * X.std(axis=0), atol=1e-12
    )


def test_those_of_a_pass_are_of_the_rows_seen():
    model = mlp().partial_fit(X[:60], y[:60]).partial_fit(X[60:], y[60:])
    slopes = np.abs(model.input_gradient(X[60:])).mean(axis=0)
    np.testing.assert_allclose(
        model.feature_importances_, slopes * X.std(axis=0) / y.std()
    )


@pytest.mark.parametrize(
    ("train", "n_slopes"), [("fit", N_SLOPES), ("partial_fit", N_SLOPES_OF_PASS)]
)
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_of_many_rows_some_that_are_evenly_spread_are_enough(
    train, n_slopes, n_outputs
):
    many, target = make_friedman1(3 * n_slopes - 1, n_features=5, random_state=0)
    target = target[:, None] * np.arange(1, n_outputs + 1)
    model = getattr(mlp(lai_epochs=1, k=1.0), train)(many, target.squeeze())
    every = -(-len(many) * n_outputs // n_slopes)
    slopes = np.abs(model.input_gradient(many[::every])).reshape(-1, n_outputs, 5)
    assert n_slopes / 2 < slopes.shape[0] * n_outputs <= n_slopes + n_outputs
    scale = many.std(axis=0) / target.std(axis=0)[:, None]
    np.testing.assert_allclose(
        model.feature_importances_, (slopes.mean(axis=0) * scale).mean(axis=0)
    )
    of_all = expected(model, many, target)
    np.testing.assert_allclose(model.feature_importances_, of_all, rtol=0.2)


def test_each_model_along_k_has_its_own():
    model = clone(MODELS["mlp-cv"]).set_params(ks=[0.5, 0.1])
    model.fit(X, y)
    for k in model.ks_:
        alone = model.estimator_at(k)
        np.testing.assert_allclose(alone.feature_importances_, expected(alone, X, y))
    np.testing.assert_array_equal(
        model.estimator_at(model.k_).feature_importances_, model.feature_importances_
    )


@networks
def test_they_come_with_the_fit_and_travel_with_it(name):
    model = clone(MODELS[name])
    assert not hasattr(model, "feature_importances_")
    arrived = pickle.loads(pickle.dumps(model.fit(X, y)))
    np.testing.assert_array_equal(
        arrived.feature_importances_, model.feature_importances_
    )


# With scikit-learn's selection of features: of ten, the first five have an effect.
MANY, TARGET = make_friedman1(400, n_features=10, noise=0.5, random_state=0)


@networks
@pytest.mark.parametrize("has_names", [False, True])
@pytest.mark.parametrize(
    "Selector",
    [
        lambda model: RFE(model, n_features_to_select=4, step=3),
        lambda model: SelectFromModel(model, max_features=4, threshold=-np.inf),
    ],
    ids=["rfe", "select-from-model"],
)
def test_selectors_find_the_features_that_count(name, has_names, Selector):
    data = pd.DataFrame(MANY, columns=list("abcdefghij")) if has_names else MANY
    longer = {"lai_epochs": 60, "learning_rate_init": 0.02, "hidden_layer_sizes": (32,)}
    longer |= {"path_epochs": 60} if name == "mlp-cv" else {}
    selector = Selector(clone(MODELS[name]).set_params(lai_fraction=0.01, **longer))
    assert set(selector.fit(data, TARGET).get_support(indices=True)) <= set(range(5))
    assert selector.transform(data).shape == (400, 4)
    if has_names:
        assert set(selector.get_feature_names_out()) <= set(NAMES)


def test_a_selector_needs_a_fitted_network():
    with pytest.raises((NotFittedError, ValueError)):
        SelectFromModel(mlp(), prefit=True).transform(X)


@pytest.mark.parametrize("loss", ["absolute_error", "huber", "quantile"])
def test_outliers_of_the_target_are_part_of_its_deviation(loss):
    target = y.copy()
    target[:3] = 1000
    model = mlp(loss=loss).fit(X, target)
    np.testing.assert_allclose(model.feature_importances_, expected(model, X, target))
