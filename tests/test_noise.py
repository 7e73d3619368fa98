"""Known noise: what is minimised, that nothing else changes, and that it helps."""

import math

import numpy as np
import pandas as pd
import pytest
import torch
from common import FRAME, NAMES, X, Y, least_under_noise, mlp, quick, y
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import flat, outputs, random_layers, to_tensors, with_ones
from sklearn.base import clone
from sklearn.datasets import load_diabetes, make_friedman1
from sklearn.metrics import mean_squared_error
from sklearn.model_selection import GridSearchCV, KFold

from sklearn_lai import (
    LaiLinearRegressor,
    LaiLinearRegressorCV,
    LaiMLPRegressor,
    LaiMLPRegressorCV,
)
from sklearn_lai._noise import Noise, multiples, resolve_noise
from sklearn_lai._train import noise as noise_module
from sklearn_lai._train.network import Network
from sklearn_lai._train.noise import (
    DISTANCE,
    PRODUCT_SHARE,
    boundary_change,
    loss_under_noise,
)
from sklearn_lai._train.sharing import Part
from sklearn_lai.loss import lai_factor

CLASSES = [
    LaiMLPRegressor,
    LaiLinearRegressor,
    LaiMLPRegressorCV,
    LaiLinearRegressorCV,
]
every_class = pytest.mark.parametrize("Estimator", CLASSES)


def small(estimator_class, **parameters):
    """An estimator with `noise` that fits in milliseconds."""
    if estimator_class is LaiMLPRegressor:
        return mlp(**parameters)
    if estimator_class is LaiMLPRegressorCV:
        return quick(
            LaiMLPRegressorCV, hidden_layer_sizes=(8,), ks=3, cv=2, **parameters
        )
    if estimator_class is LaiLinearRegressorCV:
        return LaiLinearRegressorCV(ks=3, cv=2, **parameters)
    return LaiLinearRegressor(**parameters)


def noisy_error(model, X, y, sds, n_repeats=20):
    """Root mean squared error on noisy copies."""
    rng = np.random.default_rng(0)
    copies = [X + sds * rng.standard_normal(X.shape) for _ in range(n_repeats)]
    errors = [mean_squared_error(y, model.predict(copy)) for copy in copies]
    return math.sqrt(np.mean(errors))


# The second stage of a network


def measured(layers, X, y, noise, k, reach, boundary, mean_error, weights):
    """Both losses of a batch, and the gradient of what is minimised."""
    network = Network(*layers, "tanh")
    measure, objective = loss_under_noise(noise, k, reach, boundary, mean_error)
    measure.draw([Part(0, len(X), len(X))], np.random.default_rng(3))
    with torch.inference_mode():
        losses = measure.backpropagate(
            network, objective, (with_ones(X), y, None), *weights
        )
    return *losses, network.gradient


def expected(layers, X, y, noise, k, reach, boundary, mean_error, weights):
    """The same by the definition and automatic differentiation."""
    layers = [[a.clone().requires_grad_() for a in arrays] for arrays in layers]
    own = np.flatnonzero(~np.isnan(k).all(0))
    kinds = [(noise.sds, DISTANCE, boundary / DISTANCE)] if noise else []
    kinds += [
        (
            reach * np.eye(len(noise.sds))[j],
            reach,
            np.broadcast_to(k, (2, k.shape[1]))[:, j],
        )
        for j in own
    ]
    rng = np.random.default_rng(3)
    draws = rng.standard_normal(X.shape)
    if noise.mixing is not None:
        draws = draws @ noise.mixing.T
    first = rng.integers(len(kinds))
    y_pred = outputs(layers, X, "tanh")
    plain = (y_pred - y).square().mean() / 2
    lai = product = 0 * plain
    for i in range(len(X)):
        sds, distance, boundaries = kinds[(first + i) % len(kinds)]
        moved = X[i : i + 1] + torch.from_numpy(sds * draws[i])
        changes = outputs(layers, moved, "tanh")[0] - y_pred[i]
        for o, change in enumerate(changes):
            stands_for = len(kinds) / (2 * len(X))  # samples and outputs
            factor = lai_factor(change / distance, float(boundaries[o]))
            lai = lai + stands_for * (mean_error[o] * factor).square() / 2
            if distance == DISTANCE:
                error = (y_pred - y)[i, o]
                weight = PRODUCT_SHARE * (mean_error[o] / boundary[o]).square()
                product = product + stands_for * weight * error * change
    total = 2 * (weights[0] * plain + weights[1] * (lai + product))
    gradient = torch.autograd.grad(total, [a for arrays in layers for a in arrays])
    return plain.detach(), (lai + product).detach(), flat(gradient)


@settings(max_examples=40)
@given(
    noise=st.lists(st.sampled_from([0.0, 0.1, 1.0, 3.0]), min_size=4, max_size=4),
    k=st.lists(st.just(math.nan) | st.floats(0.01, 3), min_size=4, max_size=4),
    by_output=st.booleans(),
    mixing=st.sampled_from(
        [None, resolve_noise(0.7 + 0.3 * np.eye(4), 4, None).mixing]
    ),
    n_samples=st.integers(1, 9),
)
def test_explicit_gradient_is_that_of_the_definition(
    noise, k, by_output, mixing, n_samples
):
    noise, k = Noise(np.array(noise), mixing), np.array([k, k][: 1 + by_output])
    if not noise and np.isnan(k).all():
        return
    rng = np.random.default_rng(0)
    problem = (
        to_tensors(random_layers([4, 6, 2])),
        torch.from_numpy(rng.normal(size=(n_samples, 4))),
        torch.from_numpy(rng.normal(size=(n_samples, 2))),
        noise,
        k,
        0.5,
        torch.tensor([0.05, 0.2], dtype=torch.float64),
        torch.tensor([0.1, 0.5], dtype=torch.float64),
        (0.9, 0.5),
    )
    for found, reference in zip(measured(*problem), expected(*problem), strict=True):
        torch.testing.assert_close(found, reference, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("lai_fraction", [1e-12, 0.01])
@pytest.mark.parametrize("share", [0, 0.75, 1])
def test_what_is_minimised_is_the_squared_error_under_noise(
    lai_fraction, share, monkeypatch
):
    """With the whole product; without, the clean one and that of the change.

    Both to first order in `lai_fraction`, which says what changes are small.
    """
    monkeypatch.setattr(noise_module, "PRODUCT_SHARE", share)
    layers = to_tensors(random_layers([3, 6, 2]))
    rng = np.random.default_rng(0)
    X, y = (torch.from_numpy(rng.normal(size=(500, size))) for size in (3, 2))
    noise = np.array([0.5, 0.0, 2.0])
    mean_error = torch.tensor([0.7, 1.3], dtype=torch.float64)
    *_, gradient = measured(
        *(layers, X, y, Noise(noise), np.full((1, 3), np.nan), 0.5),
        *(boundary_change(lai_fraction, mean_error), mean_error),
        (1 - lai_fraction, lai_fraction),
    )
    draws = np.random.default_rng(3).standard_normal(X.shape)
    layers = [[a.clone().requires_grad_() for a in arrays] for arrays in layers]
    y_pred, noisy = (
        outputs(layers, x, "tanh") for x in (X, X + torch.from_numpy(noise * draws))
    )
    of_noisy = (noisy - y).square()
    apart = (y_pred - y).square() + (noisy - y_pred).square()
    loss = (share * of_noisy + (1 - share) * apart).mean()
    expected = torch.autograd.grad(loss, [a for arrays in layers for a in arrays])
    expected = (1 - lai_fraction) * flat(expected)
    torch.testing.assert_close(gradient, expected, rtol=1e-7, atol=lai_fraction)


def test_a_network_without_hidden_layers_agrees_with_the_closed_form():
    X, y = load_diabetes(return_X_y=True)
    noise = np.linspace(0, 1, 10)
    network = LaiMLPRegressor(
        (),
        noise=noise,
        batch_size=442,
        max_iter=500,
        lai_epochs=2000,
        lai_interval=1,
        alpha=0,
        learning_rate_init=0.01,
        n_iter_no_change=np.inf,
        random_state=0,
    ).fit(X, y)
    exact = LaiLinearRegressor(noise=noise).fit(X, y)
    slopes = [
        coef * X.std(axis=0) / y.std()
        for coef in (network.coefs_[0][:, 0], exact.coef_)
    ]
    np.testing.assert_allclose(*slopes, atol=0.02)


@pytest.mark.parametrize("noise", [0.3, {0: 1.0}])
def test_the_error_under_the_noise_is_lower(noise):
    X, y = make_friedman1(600, noise=1, random_state=0)
    train, test = slice(400), slice(400, None)
    sds = X.std(axis=0) * (noise if isinstance(noise, float) else np.eye(10)[0])
    common = {"hidden_layer_sizes": 32, "batch_size": 32, "random_state": 0}
    plain = LaiMLPRegressor(lai_fraction=0, **common).fit(X[train], y[train])
    model = LaiMLPRegressor(noise=noise, **common).fit(X[train], y[train])
    error = noisy_error(model, X[test], y[test], sds)
    assert error < 0.93 * noisy_error(plain, X[test], y[test], sds)


def test_raw_targets_and_very_large_noise_count_in_full():
    X, y = make_friedman1(600, noise=1, random_state=0)
    common = {"hidden_layer_sizes": 32, "batch_size": 32, "random_state": 0}
    standard = LaiMLPRegressor(noise={3: 1.0}, **common).fit(X, y)
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    raw = LaiMLPRegressor(
        noise={3: 1.0},
        standardize=False,
        learning_rate_init=0.01,
        lai_learning_rate_init=0.03,
        **common,
    ).fit(Z, 100 * (y - y.mean()) / y.std())
    sds = np.eye(10)[3]
    error = noisy_error(standard, X, y, sds * X.std(axis=0)) / y.std()
    assert noisy_error(raw, Z, 100 * (y - y.mean()) / y.std(), sds) < 110 * error
    ignored = LaiMLPRegressor(noise={3: 1000.0}, **common).fit(X, y)
    assert noisy_error(ignored, X, y, 1000 * sds * X.std(axis=0)) < 1.2 * y.std()


def test_the_slopes_follow_from_the_mean_error():
    pretrained = mlp(lai_epochs=0).fit(X, Y)
    errors = mean_squared_error(
        Y, pretrained.predict(X), multioutput="raw_values"
    ) / Y.var(axis=0)
    model = mlp(noise={0: 0.5, 3: 2.0}, lai_fraction=0.2).fit(X, Y)
    slopes = np.sqrt(0.2 / 0.8 * errors)[:, None] / [0.5, 2.0]
    np.testing.assert_allclose(model.feature_k_[:, [0, 3]], slopes)
    assert np.isnan(model.feature_k_[:, [1, 2, 4]]).all()


def test_chunks_train_for_the_noise():
    X, y = make_friedman1(400, noise=1, random_state=0)
    chunks = np.array_split(np.arange(400), 2)
    plain, model = (
        LaiMLPRegressor(16, max_iter=20, batch_size=32, random_state=0, **how)
        for how in ({"lai_fraction": 0}, {"noise": 1.0})
    )
    for estimator in (plain, model):
        for rows in chunks * 60:
            estimator.partial_fit(X[rows], y[rows])
    sds = X.std(axis=0)
    assert noisy_error(model, X, y, sds) < 0.9 * noisy_error(plain, X, y, sds)
    assert np.isfinite(model.feature_k_).all()


# The exact linear solver


@settings(max_examples=30)
@given(
    noise=st.lists(st.floats(0, 5), min_size=5, max_size=5),
    weighted=st.booleans(),
    target=st.sampled_from([y, Y]),
)
def test_the_linear_model_is_the_generalised_ridge_regression(noise, weighted, target):
    weight = np.random.default_rng(0).uniform(0, 2, len(X)) if weighted else None
    model = LaiLinearRegressor(noise=noise).fit(X, target, weight)
    coef = least_under_noise(np.diag(np.square(noise)), X, target, weight)
    np.testing.assert_allclose(model.coef_, coef.T, rtol=1e-7, atol=1e-9)


def test_least_squares_is_corrected_under_noise_too():
    rng = np.random.default_rng(0)
    A = rng.normal(size=(200, 3))
    A = np.column_stack([A, A[:, 0] + 1e-6 * rng.normal(size=200)])
    b = A @ [1.0, 2.0, 3.0, 4.0] + rng.normal(size=200)
    noise = [0.0, 0.3, 0.0, 0.0]
    model = LaiLinearRegressor(noise=noise).fit(A, b)
    rows = np.vstack([A - A.mean(0), np.diag(noise * A.std(0) * np.sqrt(200))])
    reference = np.linalg.lstsq(rows, np.append(b - b.mean(), np.zeros(4)), rcond=None)
    np.testing.assert_allclose(model.coef_, reference[0], rtol=1e-4)


def test_parts_and_merged_models_are_the_whole():
    whole = LaiLinearRegressor(noise=0.3).fit(X, Y)
    parts = LaiLinearRegressor(noise=0.3)
    for rows in np.array_split(np.arange(len(X)), 4):
        parts.partial_fit(X[rows], Y[rows])
    first, second = (
        LaiLinearRegressor(noise=0.3).fit(X[rows], Y[rows])
        for rows in (slice(50), slice(50, None))
    )
    for model in (parts, first.merge(second)):
        np.testing.assert_allclose(model.coef_, whole.coef_, rtol=1e-9)


def test_own_slopes_hold_beside_the_noise():
    model = LaiLinearRegressor(
        noise=0.3, feature_k={1: 0.05, 2: None}, lai_fraction=0.5
    ).fit(X, y)
    np.testing.assert_array_equal(model.feature_k_, [np.nan, 0.05] + 3 * [np.nan])
    slopes = np.abs(model.coef_ * X.std(axis=0) / y.std())
    assert slopes[1] == pytest.approx(0.05)  # held at the kink
    without = LaiLinearRegressor(noise=[0.3, 0, 0, 0.3, 0.3]).fit(X, y)
    others = [0, 2, 3, 4]
    np.testing.assert_allclose(model.coef_[others], without.coef_[others], rtol=0.1)


def test_raw_units_take_the_noise_in_raw_units():
    model = LaiLinearRegressor(noise=0.3, standardize=False).fit(X, y)
    reference = LaiLinearRegressor(noise=0.3 / X.std(axis=0)).fit(X, y)
    np.testing.assert_allclose(model.coef_, reference.coef_, rtol=1e-9)


# What holds for all


@every_class
def test_ways_to_say_the_same_noise(Estimator):
    sds = [0.3, 0.0, 1.0, 0.0, 0.0]
    reference = small(Estimator, noise=sds).fit(FRAME, y).predict(FRAME)
    for noise in (
        np.array(sds),
        pd.Series(sds),
        {"a": 0.3, "c": 1.0},
        {0: 0.3, 2: 1.0, 4: 0.0, 1: None},
    ):
        model = small(Estimator, noise=noise).fit(FRAME, y)
        np.testing.assert_array_equal(model.predict(FRAME), reference)
    everywhere = small(Estimator, noise=0.3).fit(FRAME, y).predict(FRAME)
    by_name = small(Estimator, noise=dict.fromkeys(NAMES, 0.3)).fit(FRAME, y)
    np.testing.assert_array_equal(by_name.predict(FRAME), everywhere)


@pytest.mark.parametrize("Estimator", CLASSES[:2])
@pytest.mark.parametrize("noise", [0, 0.0, {}, {1: None}, [0] * 5])
def test_no_noise_is_plain_training(Estimator, noise):
    plain = small(Estimator, lai_fraction=0).fit(X, y)
    model = small(Estimator, noise=noise).fit(X, y)
    np.testing.assert_array_equal(model.predict(X), plain.predict(X))


@pytest.mark.parametrize("Estimator", CLASSES[:2])
def test_k_and_reach_have_no_effect(Estimator):
    others = {"k": 0.7, "reach": 0.1} if Estimator is LaiMLPRegressor else {"k": 0.7}
    model = small(Estimator, noise=0.3).fit(X, y)
    other = small(Estimator, noise=0.3, **others).fit(X, y)
    np.testing.assert_array_equal(other.predict(X), model.predict(X))


@every_class
def test_the_scale_of_the_data_has_no_effect(Estimator):
    scales = 2.0 ** np.arange(-2, 3)
    model = small(Estimator, noise=0.3).fit(X, y)
    scaled = clone(model).fit(scales * X, 8 * y)
    np.testing.assert_array_equal(scaled.predict(scales * X), 8 * model.predict(X))


@every_class
def test_constant_features_take_no_noise(Estimator):
    constant = np.column_stack([X, np.full(len(X), 7.0)])
    model = small(Estimator, noise=[0.3] * 5 + [9.0]).fit(constant, y)
    assert np.isfinite(model.predict(constant)).all()
    if Estimator in CLASSES[1::2]:
        assert model.coef_[-1] == 0


@every_class
def test_a_constant_target_leaves_no_error_to_follow_from(Estimator):
    model = small(Estimator, noise=0.5).fit(X, np.full(len(X), 3.0))
    assert np.isfinite(model.predict(X)).all()


@pytest.mark.parametrize("Estimator", CLASSES[:2])
def test_noise_is_tuned_as_any_parameter(Estimator):
    grid = {"noise": [None, 0, 0.3, {"a": 1.0}]}
    search = GridSearchCV(small(Estimator), grid, cv=2).fit(FRAME, y)
    assert search.best_params_["noise"] in grid["noise"]
    assert len(np.unique(search.cv_results_["mean_test_score"])) >= 3


# Chosen by cross-validation


@pytest.mark.parametrize("n_ks", [1, 2, 3, 10, 50])
def test_multiples_fall_from_4_to_a_quarter_and_have_1(n_ks):
    found = multiples(n_ks)
    assert len(found) == n_ks
    assert 1 in found
    assert (np.diff(found) < 0).all()
    if n_ks > 2:
        assert (found[0], found[-1]) == pytest.approx((4, 0.25))


@pytest.mark.parametrize("target", [y, X @ np.arange(1, 6), Y])
def test_the_linear_path_has_the_model_of_the_noise(target):
    model = LaiLinearRegressorCV(noise=0.5, ks=[1.0]).fit(X, target)
    reference = LaiLinearRegressor(noise=0.5).fit(X, target)
    np.testing.assert_allclose(model.coef_, reference.coef_, rtol=1e-9)
    stronger = LaiLinearRegressorCV(noise=0.5, ks=[0.5]).fit(X, target)
    reference = LaiLinearRegressor(noise=1.0).fit(X, target)
    np.testing.assert_allclose(stronger.coef_, reference.coef_, rtol=1e-9)


@pytest.mark.parametrize("noise", [0.5, {0: 0.5, 3: 1.0}])
def test_a_linear_model_of_the_path_goes_on_with_its_multiple(noise):
    sds = np.full(5, 0.5) if noise == 0.5 else np.array([0.5, 0, 0, 1, 0])
    chooser = LaiLinearRegressorCV(noise=noise, ks=[1.0, 0.25], cv=3).fit(
        X[:60], y[:60]
    )
    for k in (1.0, 0.25):
        model, whole = chooser.estimator_at(k), LaiLinearRegressor(noise=sds / k)
        first = clone(whole).fit(X[:60], y[:60])
        np.testing.assert_allclose(model.coef_, first.coef_, rtol=1e-9)
        np.testing.assert_array_equal(
            clone(model).fit(X, y).coef_, whole.fit(X, y).coef_
        )
        model.partial_fit(X[60:], y[60:])
        np.testing.assert_allclose(model.coef_, whole.coef_, rtol=1e-9)


def test_a_network_of_the_path_goes_on_with_its_multiple():
    parameters = {"hidden_layer_sizes": (8,), "ks": [1.0, 0.25], "cv": 2}
    chooser = quick(LaiMLPRegressorCV, noise=0.5, **parameters).fit(X, y)
    model = chooser.estimator_at(0.25)
    error = mean_squared_error(y, model.predict(X)) / y.var()
    model.partial_fit(X, y)
    weight = model.lai_fraction / (1 - model.lai_fraction)
    slope = 0.25 * np.sqrt(weight * error) / 0.5
    np.testing.assert_allclose(model.feature_k_, slope)


@pytest.mark.parametrize("lai_fraction", [0, 0.5, 1])
def test_the_objective_of_a_linear_model_is_the_error_under_the_noise(lai_fraction):
    model = LaiLinearRegressor(noise=0.3, lai_fraction=lai_fraction).fit(X, y)
    coef = model.coef_ * X.std(axis=0)
    expected = mean_squared_error(y, model.predict(X)) + 0.09 * coef @ coef
    assert model.objective_ == pytest.approx(expected / y.var())


@pytest.mark.parametrize("Estimator", CLASSES[2:])
def test_folds_count_the_noise_of_features_with_an_own_slope(Estimator):
    common = {"noise": {0: 3.0}, "feature_k": {0: 5.0}}
    noisy = small(Estimator, **common).fit(X, y)
    clean = small(Estimator, **common | {"noise": 0}).fit(X, y)
    assert (noisy.mse_path_ > 1.1 * clean.mse_path_).all()


def test_errors_of_linear_folds_are_those_expected_under_noise():
    noise, folds = np.array([0.5, 0, 0, 1.0, 0]), KFold(3)
    model = LaiLinearRegressorCV(noise=noise, ks=[0.7], cv=folds).fit(X, y)
    for fold, (train, test) in enumerate(folds.split(X)):
        trained = LaiLinearRegressorCV(noise=noise, ks=[0.7], cv=2).fit(
            X[train], y[train]
        )
        changes = trained.coef_ * noise * X[train].std(axis=0)
        error = mean_squared_error(y[test], trained.predict(X[test]))
        assert model.mse_path_[0, fold] == pytest.approx(error + changes @ changes)


@pytest.mark.parametrize("target", [y, Y])
def test_the_networks_path_has_the_model_of_the_noise(target):
    reference = mlp(noise=0.5).fit(X, target)
    parameters = {"noise": 0.5, "ks": [1.0], "cv": 2, "path_epochs": None}
    model = quick(LaiMLPRegressorCV, hidden_layer_sizes=(8,), **parameters)
    model.fit(X, target)
    np.testing.assert_array_equal(model.predict(X), reference.predict(X))
    np.testing.assert_array_equal(model.feature_k_, reference.feature_k_)
    double = clone(model).set_params(ks=[2.0]).fit(X, target)
    np.testing.assert_allclose(double.feature_k_, 2 * reference.feature_k_)


def test_errors_of_folds_are_those_under_noise():
    folds = KFold(2)
    parameters = {"hidden_layer_sizes": (8,), "cv": folds, "ks": [0.1]}
    model = quick(LaiMLPRegressorCV, noise={0: 2.0}, **parameters).fit(X, y)
    for fold, (train, test) in enumerate(folds.split(X)):
        trained = quick(LaiMLPRegressorCV, noise={0: 2.0}, **{**parameters, "cv": 2})
        trained.fit(X[train], y[train])
        sds = 2 * X[train].std(axis=0) * np.eye(5)[0]
        error = noisy_error(trained, X[test], y[test], sds, 200) ** 2
        clean = mean_squared_error(y[test], trained.predict(X[test]))
        assert model.mse_path_[0, fold] == pytest.approx(error, rel=0.15)
        assert abs(model.mse_path_[0, fold] - error) < abs(clean - error)


# Wrong values


@pytest.mark.parametrize("Estimator", CLASSES[:2])
def test_a_series_by_name_is_a_mapping(Estimator):
    noise = pd.Series({"e": 0.0, "c": 0.0, "a": 2.0})
    model = small(Estimator, noise=noise).fit(FRAME, y)
    reference = small(Estimator, noise={"a": 2.0}).fit(FRAME, y)
    np.testing.assert_array_equal(model.predict(FRAME), reference.predict(FRAME))


def test_an_uncentred_constant_column_takes_no_noise():
    ones = np.column_stack([X, np.ones(len(X))])
    model = LaiLinearRegressor(fit_intercept=False, noise={5: 3.0}).fit(ones, y)
    plain = LaiLinearRegressor(fit_intercept=False, noise=0).fit(ones, y)
    np.testing.assert_allclose(model.coef_, plain.coef_)


def test_constant_features_have_no_slope_that_follows():
    constant = np.column_stack([X, np.full(len(X), 7.0)])
    assert np.isnan(mlp(noise=0.3).fit(constant, y).feature_k_[-1])


@pytest.mark.parametrize("noise", [{"f": 0.1}, [0.1, 0.2]])
def test_wrong_noise_is_found_before_training(noise):
    model = mlp(noise=noise)
    with pytest.raises(ValueError, match="noise"):
        model.partial_fit(FRAME, y)
    assert not hasattr(model, "coefs_")


@every_class
@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"noise": -0.1}, ValueError, "noise must be None or .* got -0.1"),
        ({"noise": np.inf}, ValueError, "noise must be None or .* got inf"),
        ({"noise": "much"}, TypeError, "noise must be None or .* got 'much'"),
        ({"noise": True}, TypeError, "noise must be None or .* got True"),
        ({"noise": [0.1, 0.2]}, ValueError, r"one per feature of X, shape \(5,\)"),
        ({"noise": {"f": 0.1}}, ValueError, "noise has the column name 'f'"),
        ({"noise": {"a": 0.1, 0: 0.1}}, ValueError, "noise names column 0 twice"),
        ({"noise": {"a": -1}}, ValueError, r"noise\['a'\] must be .* got -1"),
        ({"noise": {7: 0.1}}, ValueError, "a key of noise that is no column name"),
        ({"norm": "l2"}, ValueError, "noise needs norm='l1', got norm='l2'"),
    ],
)
def test_wrong_noise_is_named_and_the_earlier_fit_is_kept(
    Estimator, parameters, error, message
):
    model = small(Estimator, noise=0.3).fit(FRAME, y)
    before = model.predict(FRAME)
    with pytest.raises(error, match=message):
        model.set_params(**parameters).fit(FRAME, y)
    np.testing.assert_array_equal(model.predict(FRAME), before)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"loss": "huber"}, "noise needs loss='squared_error', got loss='huber'"),
        ({"lai_fraction": 0}, "needs a lai_fraction in .1e-20, 1., got .*=0"),
        ({"lai_fraction": 1.0}, "needs a lai_fraction in .1e-20, 1., got .*=1.0"),
        ({"lai_fraction": 1e-300}, "a lai_fraction in .1e-20, 1., got .*=1e-300"),
        ({"lai_error": "own"}, "noise needs lai_error='mean', got lai_error='own'"),
        ({"reach": 0, "feature_k": {1: 0.1}}, "reach must be > 0 where feature_k has"),
    ],
)
def test_what_noise_needs_of_a_network(parameters, message):
    with pytest.raises(ValueError, match=message):
        mlp(noise=0.3, **parameters).fit(X, y)


def test_multiples_beyond_what_can_be_computed_are_refused():
    for ks in ([1e-200], [1e200]):
        model = small(LaiMLPRegressorCV, noise=0.3).set_params(ks=ks)
        with pytest.raises(ValueError, match=r"ks must be multiples.* got 1e.200"):
            model.fit(X, y)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"loss": "huber"}, "noise needs loss='squared_error', got loss='huber'"),
        ({"solver": "adam"}, "noise needs solver='exact' or 'auto'"),
    ],
)
def test_what_noise_needs_of_a_linear_model(parameters, message):
    with pytest.raises(ValueError, match=message):
        LaiLinearRegressor(noise=0.3, **parameters).fit(X, y)
