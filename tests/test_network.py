"""The network in torch and in NumPy is one function; its gradients are autograd's."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import (
    HIDDEN,
    N_FEATURES,
    REFERENCES,
    flat,
    random_layers,
    reference,
    to_tensors,
    with_ones,
)

from sklearn_lai import _inference
from sklearn_lai import loss as loss_module
from sklearn_lai._train.activations import ACTIVATIONS
from sklearn_lai._train.base_losses import BASE_LOSSES, NORMS
from sklearn_lai._train.network import Network
from sklearn_lai._train.objective import make_objective


def autograd_gradient(layers, X, y, k, weights, activation, options, sample_weight):
    """Both losses and the gradient of their sum over outputs, by the public loss."""
    layers = [[array.clone().requires_grad_() for array in arrays] for arrays in layers]
    y_pred, slopes = reference(layers, X, activation)
    scale = 0.5 if options["loss"] == "squared_error" else 1.0

    def value(k):
        loss = loss_module.lai_loss(
            y_pred, y, slopes, k, sample_weight=sample_weight, **options
        )
        return scale * loss

    plain, lai = value(torch.full_like(k, torch.nan)), value(k)
    parameters = [*layers[0], *layers[1]]
    total = y.shape[1] * (weights[0] * plain + weights[1] * lai)
    gradients = torch.autograd.grad(total, parameters, materialize_grads=True)
    return plain.detach(), lai.detach(), flat(gradients)


def objective_of(k, *, loss, norm="l2", l1_ratio=0.5, huber_delta=1.0, quantile=0.5):
    base_loss = BASE_LOSSES[loss](huber_delta, quantile)
    return make_objective(base_loss, norm, l1_ratio, torch.atleast_2d(k))


def explicit_gradient(layers, X, y, k, weights, activation, options, sample_weight):
    """The same without automatic differentiation."""
    network = Network(*layers, activation)
    objective = objective_of(k, **options)
    with torch.inference_mode():
        y_pred, slopes = network.forward_with_slopes(with_ones(X))
        error = y_pred - y
        plain, lai, *gradients = objective.mixed(error, slopes, *weights, sample_weight)
        network.backward_with_slopes(*gradients)
    return plain, lai, network.gradient


def assert_gradients_agree(*problem):
    for explicit, automatic in zip(
        explicit_gradient(*problem), autograd_gradient(*problem), strict=True
    ):
        scale = automatic.abs().max().clamp_min(1e-30)
        assert ((explicit - automatic).abs().max() / scale).item() < 1e-10


def problem(sizes, activation, options, k, weights, *, weighted, n_samples=7, seed=0):
    rng = np.random.default_rng(seed)
    X = torch.from_numpy(rng.normal(size=(n_samples, sizes[0])))
    y = torch.from_numpy(rng.normal(size=(n_samples, sizes[-1])))
    sample_weight = torch.from_numpy(rng.uniform(0.1, 2, n_samples))
    sample_weight /= sample_weight.mean()
    return (
        to_tensors(random_layers(sizes, seed)),
        X,
        y,
        k,
        weights,
        activation,
        options,
        sample_weight if weighted else None,
    )


def test_all_sides_know_the_same_names():
    assert ACTIVATIONS.keys() == _inference.ACTIVATIONS.keys() == REFERENCES.keys()
    assert BASE_LOSSES.keys() == loss_module.BASE_LOSSES.keys()
    assert NORMS.keys() == loss_module.NORMS.keys()


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("hidden", HIDDEN)
@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("loss", BASE_LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_explicit_gradient_is_that_of_autograd(
    activation, loss, norm, hidden, n_outputs, weighted
):
    assert_gradients_agree(
        *problem(
            [N_FEATURES, *hidden, n_outputs],
            activation,
            {"loss": loss, "norm": norm, "huber_delta": 0.7, "quantile": 0.8},
            torch.tensor([0.3, torch.nan, 0.05, 1.5], dtype=torch.float64),
            (0.9, 0.5),
            weighted=weighted,
        )
    )


@settings(max_examples=60)
@given(
    sizes=st.lists(st.integers(1, 5), min_size=2, max_size=5),
    activation=st.sampled_from(list(ACTIVATIONS)),
    loss=st.sampled_from(list(BASE_LOSSES)),
    norm=st.sampled_from(list(NORMS)),
    l1_ratio=st.floats(0, 1),
    huber_delta=st.floats(0.1, 3),
    quantile=st.floats(0.05, 0.95),
    k=st.lists(st.just(math.nan) | st.floats(0.01, 3), min_size=5, max_size=5),
    weights=st.sampled_from([(1.0, 0.05), (0.0, 1.0), (0.99, 0.01)]),
    weighted=st.booleans(),
    n_samples=st.integers(1, 6),
    seed=st.integers(0, 10**6),
)
def test_explicit_gradient_is_that_of_autograd_for_any_shape(
    sizes,
    activation,
    loss,
    norm,
    l1_ratio,
    huber_delta,
    quantile,
    k,
    weights,
    weighted,
    n_samples,
    seed,
):
    options = {
        "loss": loss,
        "norm": norm,
        "l1_ratio": l1_ratio,
        "huber_delta": huber_delta,
        "quantile": quantile,
    }
    assert_gradients_agree(
        *problem(
            sizes,
            activation,
            options,
            torch.tensor(k[: sizes[0]], dtype=torch.float64),
            weights,
            weighted=weighted,
            n_samples=n_samples,
            seed=seed,
        )
    )


@pytest.mark.parametrize("loss", BASE_LOSSES)
def test_explicit_gradient_is_that_of_autograd_with_k_per_output(loss):
    k = torch.tensor(
        [[0.3, torch.nan, 0.05, 1.5], [1.0, torch.nan, 0.2, 0.1]], dtype=torch.float64
    )
    sizes, options = [N_FEATURES, 6, 2], {"loss": loss, "norm": "l2"}
    assert_gradients_agree(
        *problem(sizes, "tanh", options, k, (0.9, 0.5), weighted=True)
    )


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("hidden", HIDDEN)
@pytest.mark.parametrize("loss", BASE_LOSSES)
@pytest.mark.parametrize("weighted", [False, True])
def test_plain_step_is_the_mixed_one_without_lai_loss(
    activation, hidden, loss, weighted
):
    layers, X, y, *_, sample_weight = problem(
        [N_FEATURES, *hidden, 2], activation, {}, [], (), weighted=weighted
    )
    network = Network(*layers, activation)
    objective = objective_of(torch.tensor(0.3, dtype=torch.float64), loss=loss)
    y_pred, slopes = network.forward_with_slopes(with_ones(X))
    error = y_pred - y
    plain, gradient = objective.plain(error, 0.7, sample_weight)
    network.backward(gradient)
    after_plain = network.gradient.clone()
    mixed = objective.mixed(error, slopes, 0.7, 0.0, sample_weight)
    network.backward_with_slopes(mixed.outputs, mixed.slopes)
    torch.testing.assert_close(network.gradient, after_plain)
    torch.testing.assert_close(mixed.plain, plain)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("hidden", HIDDEN)
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_values_and_slopes_agree_in_numpy_and_torch(activation, hidden, n_outputs):
    layers = random_layers([N_FEATURES, *hidden, n_outputs])
    X = 3 * np.random.default_rng(1).normal(size=(7, N_FEATURES))
    X_tensor = torch.from_numpy(X)
    network = Network(*to_tensors(layers), activation)
    y_pred, slopes_of_outputs = network.forward_with_slopes(with_ones(X_tensor))
    expected, slopes = reference(to_tensors(layers), X_tensor, activation)
    same = {"rtol": 1e-12, "atol": 1e-13}
    torch.testing.assert_close(y_pred, expected.detach(), **same)
    torch.testing.assert_close(
        slopes_of_outputs.transpose(0, 1), slopes.detach(), **same
    )
    np.testing.assert_allclose(
        _inference.predict(X, *layers, activation), expected.detach(), **same
    )
    np.testing.assert_allclose(
        _inference.input_gradient(X, *layers, activation), slopes.detach(), **same
    )


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_activations_keep_the_type_and_stay_finite(activation, dtype):
    apply, derivative = _inference.ACTIVATIONS[activation]
    z = np.array([-1e4, -50, -1, 0, 1, 50, 1e4], dtype=dtype)
    slope = derivative(z)
    apply(z)
    for result in (z, slope):
        assert result.dtype == dtype
        assert np.isfinite(result).all()


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_trained_activations_stay_finite(activation):
    z = torch.tensor([-1e4, -50, -1, 0, 1, 50, 1e4])
    value, derivative = torch.empty_like(z), torch.empty_like(z)
    ACTIVATIONS[activation].evaluate(z, value, derivative)
    second = ACTIVATIONS[activation].second_derivative(z, value, derivative)
    for result in (value, derivative, torch.zeros(1) if second is None else second):
        assert result.isfinite().all()


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_layers_come_back_as_they_went_in(fit_intercept):
    coefs, intercepts = to_tensors(random_layers([3, 2, 1]))
    network = Network(coefs, intercepts, "relu", fit_intercept=fit_intercept)
    for given_arrays, returned, kept in zip(
        (coefs, intercepts),
        network.layers(network.parameters),
        (1, fit_intercept),
        strict=True,
    ):
        for array, back in zip(given_arrays, returned, strict=True):
            assert torch.equal(back, array * kept)
    assert network.is_coef().sum() == 3 * 2 + 2 * 1
    assert (network.is_coef() == 0).sum() == (2 + 1) * fit_intercept
    mask = network.is_coef_of(np.array([False, True, False]))
    (first, second), _ = network.layers(mask)
    assert first.tolist() == [[0, 0], [1, 1], [0, 0]]
    assert not second.any()


def test_without_intercepts_inputs_have_no_ones():
    coefs, intercepts = to_tensors(random_layers([3, 2, 1]))
    network = Network(coefs, intercepts, "tanh", fit_intercept=False)
    assert network.forward(torch.zeros(4, 3, dtype=torch.float64)).abs().max() == 0
