"""Slopes over a distance and the mean error: their gradients are autograd's."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import HIDDEN, flat, outputs, random_layers, to_tensors, with_ones

from sklearn_lai._train.activations import ACTIVATIONS
from sklearn_lai._train.base_losses import BASE_LOSSES, NORMS
from sklearn_lai._train.network import Network
from sklearn_lai._train.objective import make_objective
from sklearn_lai._train.sharing import Part
from sklearn_lai._train.slopes import make_slope_measure
from sklearn_lai.loss import BASE_LOSSES as LOSSES
from sklearn_lai.loss import NORMS as NORMS_OF_LOSSES
from sklearn_lai.loss import input_gradient, lai_factor

K = [[0.3, math.nan, 0.05, 1.5], [1.0, math.nan, 0.2, 0.1], [0.4, 0.2, 2.0, math.nan]]
SEED = 3
SQUARED_ERROR = BASE_LOSSES["squared_error"](1.0, 0.5)


def whole(n_samples):
    """A batch of which there is one part."""
    return Part(0, n_samples, n_samples)


def drawn(n_samples, k, reach):
    """Features and distances that a measure draws with the seed."""
    rng = np.random.default_rng(SEED)
    candidates = np.flatnonzero(~k.isnan().all(0))
    (first,) = rng.integers(len(candidates), size=1)
    features = candidates[(first + np.arange(n_samples)) % len(candidates)]
    return features, reach * rng.standard_normal(n_samples), len(candidates)


def slopes_of(layers, X, y_pred, k, activation, reach):
    """Slopes, NaN where none was measured, and how many each stands for."""
    if reach == 0:
        return input_gradient(y_pred, X), 1
    features, distances, n_candidates = drawn(len(X), k, reach)
    moved = X.detach().clone()
    moved[np.arange(len(X)), features] += torch.from_numpy(distances)
    slope = (outputs(layers, moved, activation) - y_pred) / reach
    slopes = torch.full((*y_pred.shape, X.shape[1]), torch.nan, dtype=X.dtype)
    slopes[np.arange(len(X)), :, features] = slope
    return slopes, n_candidates


def expected_losses(layers, X, y, sample_weight, k, mean_error, problem):
    """Plain and Lai loss, feature by feature, as the definition says."""
    X = X.clone().requires_grad_()
    y_pred = outputs(layers, X, problem["activation"])
    slopes, stands_for = slopes_of(
        layers, X, y_pred, k, problem["activation"], problem["reach"]
    )
    scale = 0.5 if problem["loss"] == "squared_error" else 1.0

    def loss(errors):
        return scale * LOSSES[problem["loss"]](errors, 0.7, 0.8)

    error = y_pred - y
    weight = sample_weight[:, None] / len(X)
    plain = (weight * loss(error)).sum(0).mean()
    if mean_error is not None:
        error = mean_error.expand_as(error)
    of_outputs = []
    for o, k_o in enumerate(k.expand(y.shape[1], -1)):
        of_features = []
        for j in np.flatnonzero(~k_o.isnan()):
            rows = ~slopes[:, o, j].isnan()
            factors = lai_factor(slopes[rows, o, j], k_o[j])
            losses = loss(error[rows, o] * factors) * weight[rows, 0]
            of_features.append(stands_for * losses.sum())
        losses = torch.stack(of_features or [0 * plain])
        of_outputs.append(NORMS_OF_LOSSES[problem["norm"]](losses, 0.4))
    return plain, torch.stack(of_outputs).mean()


def assert_gradients_agree(sizes, k, problem, n_samples=9):
    rng = np.random.default_rng(0)
    X = torch.from_numpy(rng.normal(size=(n_samples, sizes[0])))
    y = torch.from_numpy(rng.normal(size=(n_samples, sizes[-1])))
    sample_weight = torch.ones(n_samples, dtype=torch.float64)
    if problem["weighted"]:
        sample_weight = torch.from_numpy(rng.uniform(0.1, 2, n_samples))
    mean_error = None
    if problem["lai_error"] == "mean":
        mean_error = torch.from_numpy(rng.uniform(0.1, 2, sizes[-1]))
    layers = to_tensors(random_layers(sizes))

    parameters = [[a.clone().requires_grad_() for a in arrays] for arrays in layers]
    losses = expected_losses(parameters, X, y, sample_weight, k, mean_error, problem)
    total = sizes[-1] * (0.9 * losses[0] + 0.5 * losses[1])
    expected = flat(torch.autograd.grad(total, [a for b in parameters for a in b]))

    network = Network(*layers, problem["activation"])
    objective = make_objective(
        BASE_LOSSES[problem["loss"]](0.7, 0.8),
        problem["norm"],
        0.4,
        k,
        mean_error=mean_error,
        reach=problem["reach"],
    )
    measure = make_slope_measure(
        problem["reach"],
        np.flatnonzero(~k.isnan().all(0).numpy()),
        network.parameters,
    )
    measure.draw([whole(n_samples)], np.random.default_rng(SEED))
    batch = with_ones(X), y, sample_weight if problem["weighted"] else None
    with torch.inference_mode():
        found = measure.backpropagate(network, objective, batch, 0.9, 0.5)
    for value, reference in [
        *zip(found, losses, strict=True),
        (network.gradient, expected),
    ]:
        scale = reference.detach().abs().max().clamp_min(1e-30)
        assert ((value - reference).abs().max() / scale).item() < 1e-10


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("lai_error", ["mean", "own"])
@pytest.mark.parametrize("reach", [0.0, 0.3])
@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("loss", BASE_LOSSES)
@pytest.mark.parametrize("k", [[[0.3] * 4], K[:1], K], ids=["same", "one", "outputs"])
def test_explicit_gradient_is_that_of_autograd(
    k, loss, norm, reach, lai_error, weighted
):
    problem = {
        "activation": "tanh",
        "loss": loss,
        "norm": norm,
        "reach": reach,
        "lai_error": lai_error,
        "weighted": weighted,
    }
    assert_gradients_agree([4, 6, 5, 3], torch.tensor(k, dtype=torch.float64), problem)


@pytest.mark.parametrize("hidden", HIDDEN)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_explicit_gradient_is_that_of_autograd_for_every_activation(activation, hidden):
    problem = {
        "activation": activation,
        "loss": "squared_error",
        "norm": "l1",
        "reach": 0.5,
        "lai_error": "mean",
        "weighted": False,
    }
    k = torch.full((1, 4), 0.2, dtype=torch.float64)
    assert_gradients_agree([4, *hidden, 2], k, problem)


@settings(max_examples=60)
@given(
    sizes=st.lists(st.integers(1, 5), min_size=2, max_size=4),
    problem=st.fixed_dictionaries(
        {
            "activation": st.sampled_from(list(ACTIVATIONS)),
            "loss": st.sampled_from(list(BASE_LOSSES)),
            "norm": st.sampled_from(list(NORMS)),
            "reach": st.sampled_from([0.0, 0.1, 1.0]),
            "lai_error": st.sampled_from(["mean", "own"]),
            "weighted": st.booleans(),
        }
    ),
    k=st.lists(st.just(math.nan) | st.floats(0.01, 3), min_size=5, max_size=5),
    n_samples=st.integers(1, 6),
)
def test_explicit_gradient_is_that_of_autograd_for_any_shape(
    sizes, problem, k, n_samples
):
    k = torch.tensor([k[: sizes[0]]], dtype=torch.float64)
    if not k.isnan().all():
        assert_gradients_agree(sizes, k, problem, n_samples)


@pytest.mark.parametrize("n_samples", [1, 7, 12, 25])
def test_features_are_dealt_evenly_and_none_is_preferred(n_samples):
    candidates = np.array([0, 2, 3])
    measure = make_slope_measure(0.3, candidates, torch.zeros(1).double())
    layers = to_tensors(random_layers([4, 1]))
    objective = make_objective(
        SQUARED_ERROR,
        "l2",
        1.0,
        torch.ones(1, 4).double(),
        reach=0.3,
    )
    seen, mixed = [], objective.mixed

    def spy(*arguments):
        seen.append(np.bincount(arguments[-1].drawn[:, 0], minlength=4))
        return mixed(*arguments)

    objective.mixed = spy
    batch = torch.ones(n_samples, 5).double(), torch.zeros(n_samples, 1).double(), None
    measure.draw([whole(n_samples)] * 3000, np.random.default_rng(0))
    network = Network(*layers, "relu")
    for _ in range(3000):
        measure.backpropagate(network, objective, batch, 0.0, 1.0)
    counts = np.array(seen)[:, candidates]
    assert not np.array(seen)[:, 1].any()
    assert (np.ptp(counts, axis=1) <= 1).all()
    np.testing.assert_allclose(counts.mean(0), n_samples / 3, atol=0.05)


def test_expected_square_of_a_linear_slope_is_that_of_the_derivative():
    coef = np.array([0.5, -2.0, 1.0])
    network = Network(*to_tensors(([coef[:, None]], [np.zeros(1)])), "relu")
    seen = []
    objective = make_objective(
        SQUARED_ERROR,
        "l1",
        1.0,
        torch.ones(1, 3).double(),
        reach=0.3,
    )
    mixed = objective.mixed

    def spy(error, changes, *arguments):
        seen.append(changes.flatten().numpy() / 0.3)
        return mixed(error, changes, *arguments)

    objective.mixed = spy
    measure = make_slope_measure(0.3, np.arange(3), network.parameters)
    measure.draw([whole(30_000)], np.random.default_rng(0))
    batch = torch.ones(30_000, 4).double(), torch.zeros(30_000, 1).double(), None
    measure.backpropagate(network, objective, batch, 0.0, 1.0)
    assert np.square(seen).mean() == pytest.approx(np.square(coef).mean(), rel=0.03)


def test_a_step_allocates_no_matrix():
    n_samples, n_features, hidden = 50, 20, 30
    layers = to_tensors(random_layers([n_features, hidden, 1]))
    network = Network(*layers, "relu")
    objective = make_objective(
        SQUARED_ERROR,
        "l1",
        1.0,
        torch.full((1, n_features), 0.3).double(),
        reach=0.5,
        mean_error=torch.ones(1).double(),
    )
    measure = make_slope_measure(0.5, np.arange(n_features), network.parameters)
    measure.draw([whole(n_samples)] * 3, np.random.default_rng(0))
    batch = torch.ones(n_samples, 21).double(), torch.zeros(n_samples, 1).double(), None
    measure.backpropagate(network, objective, batch, 0.99, 0.05)  # makes the buffers
    with torch.profiler.profile(profile_memory=True) as profile:
        measure.backpropagate(network, objective, batch, 0.99, 0.05)
    allocated = [event.cpu_memory_usage for event in profile.events()]
    assert max(allocated) <= 8 * 2 * n_samples  # at most a number or two for each row


@pytest.mark.parametrize("n_samples", [5, 40])
def test_the_sum_over_drawn_features_is_that_over_all_on_average(n_samples):
    """With fewer rows than features, too; the slopes are the same everywhere."""
    n_features, n_batches = 12, 4000
    coef = np.linspace(0.1, 2, n_features)
    network = Network(*to_tensors(([coef[:, None]], [np.zeros(1)])), "identity")
    k = torch.full((1, n_features), 0.3).double()
    one = torch.ones(1).double()
    objective = make_objective(SQUARED_ERROR, "l1", 1.0, k, reach=0.5, mean_error=one)
    measure = make_slope_measure(0.5, np.arange(n_features), network.parameters)
    measure.draw([whole(n_samples)] * n_batches, np.random.default_rng(0))
    batch = torch.ones(n_samples, n_features + 1).double(), torch.zeros(n_samples, 1)
    drawn = [
        measure.backpropagate(
            network, objective, (batch[0], batch[1].double(), None), 0.0, 1.0
        )[1].item()
        for _ in range(n_batches)
    ]
    slopes = coef * np.random.default_rng(1).standard_normal((100_000, 1))
    factors = lai_factor(torch.from_numpy(slopes), 0.3)
    expected = factors.square().mean(0).sum().item() / 2
    assert np.mean(drawn) == pytest.approx(expected, rel=0.02)
