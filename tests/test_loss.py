"""The Lai loss: reference values, derivatives, invariances, wrong input."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import huber
from sklearn.metrics import (
    mean_absolute_error,
    mean_pinball_loss,
    mean_squared_error,
)
from torch.autograd import gradcheck, gradgradcheck

from sklearn_lai.loss import LaiLoss, input_gradient, lai_factor, lai_loss

VECTORS = json.loads((Path(__file__).parent / "lai_vectors.json").read_text())
LOSSES = ["squared_error", "absolute_error", "huber", "quantile"]
NORMS = ["l1", "l2", "elasticnet"]


PLAIN = {
    "squared_error": mean_squared_error,
    "absolute_error": mean_absolute_error,
    "huber": lambda y, y_pred: np.mean(huber(1.0, y_pred - y)),
    "quantile": mean_pinball_loss,
}


def tensor(values):
    return None if values is None else torch.tensor(values, dtype=torch.float64)


def random_problem(n_samples=6, n_outputs=2, n_features=3, seed=0):
    """Predictions, targets and slopes away from every kink."""
    generator = torch.Generator().manual_seed(seed)

    def away_from(value, *shape):
        x = torch.randn(shape, generator=generator, dtype=torch.float64)
        return torch.where((x.abs() - value).abs() < 0.05, x * 1.5 + 0.2, x)

    y_true = away_from(0, n_samples, n_outputs)
    y_pred = y_true + away_from(0, n_samples, n_outputs)
    slope = away_from(0.3, n_samples, n_outputs, n_features)
    return y_pred, y_true, slope


@pytest.mark.parametrize("case", VECTORS["factor"])
def test_factor_has_reference_value(case):
    value = lai_factor(tensor(case["slope"]), case["k"])
    assert value.item() == pytest.approx(case["value"], rel=1e-12)


@pytest.mark.parametrize("case", VECTORS["loss"])
def test_loss_has_reference_value(case):
    value = lai_loss(
        tensor(case["y_pred"]),
        tensor(case["y_true"]),
        tensor(case["slope"]),
        case["k"],
        loss=case["loss"],
        norm=case["norm"],
        l1_ratio=case["l1_ratio"],
        sample_weight=tensor(case["sample_weight"]),
    )
    assert value.item() == pytest.approx(case["value"], rel=1e-12)


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e3))
def test_factor_is_even_bounded_and_smallest_at_k(slope, k):
    value = lai_factor(tensor(slope), k).item()
    assert value == lai_factor(tensor(-slope), k).item()
    lowest = lai_factor(tensor(k), k).item()
    highest = max(max(k, 1), 1 / min(k, 1))
    assert lowest * (1 - 1e-12) <= value <= highest * (1 + 1e-12)


@pytest.mark.parametrize("slope", [1e200, -1e300])
def test_factor_of_a_huge_slope_is_its_limit(slope):
    assert lai_factor(tensor(slope), 0.5).item() == pytest.approx(2)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("k", [0.3, [0.3, None, 1.7]])
def test_gradients_of_both_orders(loss, norm, weighted, k):
    y_pred, y_true, slope = random_problem()
    weight = torch.linspace(0.5, 2, 6, dtype=torch.float64) if weighted else None

    def value(y_pred, slope):
        return lai_loss(
            y_pred, y_true, slope, k, loss=loss, norm=norm, sample_weight=weight
        )

    arguments = (y_pred.requires_grad_(), slope.requires_grad_())
    assert gradcheck(value, arguments)
    assert gradgradcheck(value, arguments)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("error", [0.0, 1.0])
@pytest.mark.parametrize("s", [0.0, 0.3, -0.3, 1e-300, 1e300])
def test_gradients_are_finite_at_kinks(loss, norm, error, s):
    y_pred = torch.full((4,), error, dtype=torch.float64, requires_grad=True)
    slope = torch.full((4, 2), s, dtype=torch.float64, requires_grad=True)
    value = lai_loss(y_pred, torch.zeros_like(y_pred), slope, 0.3, loss=loss, norm=norm)
    for gradient in torch.autograd.grad(value, (y_pred, slope), create_graph=True):
        assert gradient.isfinite().all()


@pytest.mark.parametrize("loss", LOSSES)
def test_without_directions_it_is_the_plain_loss(loss):
    y_pred, y_true, slope = random_problem()
    value = lai_loss(y_pred, y_true, slope, [None] * 3, loss=loss)
    plain = PLAIN[loss](y_true.numpy(), y_pred.numpy())
    assert value.item() == pytest.approx(plain)


@pytest.mark.parametrize("norm", NORMS)
def test_a_direction_left_out_is_as_if_absent(norm):
    y_pred, y_true, slope = random_problem()
    left_out = lai_loss(y_pred, y_true, slope, [0.2, None, 2.0], norm=norm)
    absent = lai_loss(y_pred, y_true, slope[..., [0, 2]], [0.2, 2.0], norm=norm)
    assert left_out == absent
    as_nan = lai_loss(y_pred, y_true, slope, tensor([0.2, math.nan, 2.0]), norm=norm)
    assert as_nan == left_out


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("loss", LOSSES)
def test_weight_two_is_a_row_twice_and_weight_zero_a_row_removed(norm, loss):
    y_pred, y_true, slope = random_problem()
    weight = tensor([2.0, 0, 1, 1, 1, 1])
    rows = [0, 0, 2, 3, 4, 5]
    weighted = lai_loss(
        y_pred, y_true, slope, 0.3, loss=loss, norm=norm, sample_weight=weight
    )
    repeated = lai_loss(
        y_pred[rows], y_true[rows], slope[rows], 0.3, loss=loss, norm=norm
    )
    torch.testing.assert_close(weighted, repeated)


def test_weights_may_have_another_type():
    y_pred, y_true, slope = (x.float() for x in random_problem())
    value, expected = (
        lai_loss(y_pred, y_true, slope, 0.3, sample_weight=torch.ones(6, dtype=dtype))
        for dtype in (torch.int64, torch.float32)
    )
    assert value == expected


@pytest.mark.parametrize("dtype", [torch.int64, torch.float32])
def test_weights_of_another_type_do_not_round_the_losses(dtype):
    y_pred, y_true, slope = random_problem()
    weight = torch.tensor([1, 3, 0, 2, 7, 1])
    value, expected = (
        lai_loss(y_pred, y_true, slope, 0.3, sample_weight=weight.to(weights))
        for weights in (dtype, torch.float64)
    )
    assert value == expected


def test_order_of_rows_and_of_features_does_not_matter():
    y_pred, y_true, slope = random_problem()
    k = tensor([0.1, 0.5, 2.0])
    rows, columns = torch.randperm(6), torch.tensor([2, 0, 1])
    permuted = lai_loss(
        y_pred[rows], y_true[rows], slope[rows][..., columns], k[columns]
    )
    torch.testing.assert_close(permuted, lai_loss(y_pred, y_true, slope, k))


def test_several_outputs_are_averaged():
    y_pred, y_true, slope = random_problem()
    k = torch.tensor([[0.3, 0.1, 2.0], [0.2, 1.0, 0.5]])
    each = [lai_loss(y_pred[:, j], y_true[:, j], slope[:, j], k[j]) for j in range(2)]
    torch.testing.assert_close(
        lai_loss(y_pred, y_true, slope, k), torch.stack(each).mean()
    )


def test_parameters_of_a_loss_are_those_of_scipy_and_scikit_learn():
    y_pred, y_true, slope = random_problem()
    value = lai_loss(y_pred, y_true, slope, math.nan, loss="huber", huber_delta=0.3)
    expected = huber(0.3, (y_pred - y_true).numpy()).mean()
    assert value.item() == pytest.approx(expected)
    value = lai_loss(y_pred, y_true, slope, math.nan, loss="quantile", quantile=0.8)
    expected = mean_pinball_loss(y_true, y_pred, alpha=0.8)
    assert value.item() == pytest.approx(expected)


@pytest.mark.parametrize(
    "k",
    [0.3, [0.3, 0.3], (0.3, 0.3), torch.tensor([0.3, 0.3]), torch.full((2, 2), 0.3)],
)
def test_every_form_of_k_means_the_same(k):
    y_pred, y_true, slope = random_problem(n_features=2)
    expected = lai_loss(y_pred.float(), y_true.float(), slope.float(), 0.3)
    assert lai_loss(y_pred.float(), y_true.float(), slope.float(), k) == expected


def test_input_gradient_of_a_model_and_its_shape():
    layer = torch.nn.Linear(3, 2, dtype=torch.float64)
    X = torch.randn(5, 3, dtype=torch.float64, requires_grad=True)
    slope = input_gradient(layer(X), X)
    torch.testing.assert_close(slope, layer.weight.expand(5, 2, 3))
    torch.testing.assert_close(input_gradient(layer(X)[:, 1], X), slope[:, 1])


def test_module_trains_a_model_towards_k():
    torch.manual_seed(0)
    model = torch.nn.Sequential(
        torch.nn.Linear(1, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1)
    )
    X = torch.linspace(-1, 1, 64)[:, None].requires_grad_()
    y_true = 2 * X.detach()
    criterion, optimizer = LaiLoss(k=0.2), torch.optim.Adam(model.parameters(), 0.02)
    for _ in range(200):
        y_pred = model(X)
        loss = criterion(y_pred, y_true, input_gradient(y_pred, X))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert input_gradient(model(X), X).abs().mean() < 0.5


def test_module_shows_its_parameters():
    assert repr(LaiLoss(k=[0.1, None], norm="l1")) == (
        "LaiLoss(k=[0.1, None], loss='squared_error', huber_delta=1.0, quantile=0.5, "
        "norm='l1', l1_ratio=0.5)"
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"k": 0.0}, r"k must be a finite number > 0 or .*, got 0\.0"),
        ({"k": [0.1, math.inf, 0.1]}, r"k must be .*> 0 or .*, got \[0.1, inf, 0.1\]"),
        ({"k": [0.1, 0.2]}, r"k must be one number, .*\(3,\), .*, got shape \(2,\)"),
        ({"k": [0.3]}, r"k must be one number, .*\(2, 3\), got shape \(1,\)"),
        ({"loss": "poisson"}, r"loss must be one of 'squared_error', .*got 'poisson'"),
        ({"huber_delta": 0.0}, r"huber_delta must be a finite number > 0, got 0.0"),
        ({"quantile": 1.0}, r"quantile must be .* in \(0, 1\), got 1.0"),
        ({"norm": "max"}, r"norm must be one of 'l1', 'l2', 'elasticnet', got 'max'"),
        ({"l1_ratio": 1.5}, r"l1_ratio must be .* in \[0, 1\], got 1.5"),
        ({"y_true": torch.zeros(6)}, r"y_true must have the shape of y_pred, \(6, 2\)"),
        (
            {"slope": torch.zeros(6, 3)},
            r"slope must have the shape of y_pred",
        ),
        ({"y_pred": torch.zeros(6, 2, 1)}, r"y_pred must have shape \(n_samples,\)"),
        ({"sample_weight": torch.ones(6, 1)}, r"sample_weight must have shape \(6,\)"),
    ],
)
def test_wrong_arguments_are_named(change, message):
    y_pred, y_true, slope = random_problem()
    arguments = {"y_pred": y_pred, "y_true": y_true, "slope": slope, "k": 0.3}
    with pytest.raises(ValueError, match=message):
        lai_loss(**{**arguments, **change})


def test_input_gradient_says_what_is_wrong():
    X = torch.zeros(4, 2)
    with pytest.raises(ValueError, match="X must require a gradient"):
        input_gradient(X.sum(1), X)
    X.requires_grad_()
    with pytest.raises(ValueError, match=r"y_pred must have shape .* got shape \(\)"):
        input_gradient(X.sum(), X)


@pytest.mark.parametrize("change", ["copy", "detach", "view", "no_grad"])
def test_slopes_to_a_tensor_the_model_never_saw_are_refused(change):
    X = torch.randn(5, 3, requires_grad=True)
    model, seen = torch.nn.Linear(3, 2), X
    if change == "no_grad":
        with torch.no_grad():
            y_pred = model(X)
    else:
        seen = {"copy": X.clone(), "detach": X.detach(), "view": X[:]}[change]
        y_pred = model(X)
        if not seen.requires_grad:
            seen.requires_grad_()
    with pytest.raises(ValueError, match="X must be the tensor that y_pred was"):
        input_gradient(y_pred, seen)


def test_an_output_that_does_not_depend_on_the_input_has_slope_zero():
    X = torch.randn(5, 3, requires_grad=True)
    y_pred = torch.stack([X.sum(1), torch.ones(5)], dim=1)
    torch.testing.assert_close(input_gradient(y_pred, X)[:, 1], torch.zeros(5, 3))


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("k", [0.3, math.nan])
@pytest.mark.parametrize(
    "weight", [torch.zeros(6), -torch.ones(6), torch.tensor([math.nan] + 5 * [1.0])]
)
def test_weights_that_have_no_mean_are_named(loss, k, weight):
    with pytest.raises(ValueError, match="sample_weight must be finite, >= 0 and not"):
        lai_loss(*random_problem(), k, loss=loss, sample_weight=weight)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
@pytest.mark.parametrize("convert", [float, lambda k: [k] * 3, tensor])
def test_a_k_beyond_the_type_of_the_slopes_is_named(dtype, convert):
    limit = torch.finfo(dtype).max ** 0.5
    problem = [x.to(dtype) for x in random_problem()]
    for k in (limit / 4, 4 / limit):
        assert lai_loss(*problem, convert(k), loss="absolute_error").isfinite()
    for k in (1e200, 1e-200):
        with pytest.raises(ValueError, match="k must be a finite number > 0, from"):
            lai_loss(*problem, convert(k))


@pytest.mark.parametrize(
    "k",
    [{0: 0.1, 1: 0.2, 2: 0.3}, {0.1, 0.2, 0.3}, "0.3", [True, 0.1, 0.2], [[0.1] * 3]],
)
def test_what_is_no_boundary_slope_is_named(k):
    with pytest.raises(TypeError, match="k must be a finite number > 0 or NaN or an"):
        lai_loss(*random_problem(), k)
    with pytest.raises(TypeError, match="k must be a finite number > 0 or NaN or an"):
        LaiLoss(k)


def test_slopes_and_predictions_have_a_float_type():
    y_pred, y_true, slope = random_problem()
    whole = slope.round().long()
    for make in (
        lambda: lai_factor(whole, 0.3),
        lambda: lai_loss(y_pred, y_true, whole, 1),
    ):
        with pytest.raises(
            ValueError, match=r"slope must be a torch\.Tensor of a float"
        ):
            make()
    with pytest.raises(ValueError, match=r"y_pred must be a torch\.Tensor of a float"):
        lai_loss(y_pred.long(), y_true, slope, 1)
    expected = lai_loss(y_pred, y_true.round(), slope, 1)
    assert lai_loss(y_pred, y_true.round().long(), slope, 1) == expected


def test_a_factor_has_the_shape_of_the_slopes():
    assert lai_factor(torch.ones(4, 3), torch.ones(3)).shape == (4, 3)
    with pytest.raises(ValueError, match=r"k must broadcast .* \(3,\), got \(4, 3\)"):
        lai_factor(torch.ones(3), torch.ones(4, 3))


def test_no_predictions_are_refused():
    empty = torch.zeros(0)
    with pytest.raises(ValueError, match="y_pred must have at least one prediction"):
        lai_loss(empty, empty, torch.zeros(0, 2), 0.3)


@pytest.mark.parametrize("k", [1.0, math.nan])
@pytest.mark.parametrize(
    ("dtype", "weight", "n"),
    [
        (torch.float16, 1.0, 100_000),
        (torch.float16, 6e4, 10),
        (torch.bfloat16, 3e38, 10),
        (torch.float32, 1e38, 10),
        (torch.float32, 1e-42, 10),
        (torch.float64, 1e308, 10),
    ],
)
def test_equal_weights_of_any_size_and_number_have_no_influence(k, dtype, weight, n):
    ones = torch.ones(n, dtype=dtype)
    problem = ones, 0 * ones, ones[:, None], k
    found = lai_loss(*problem, sample_weight=weight * ones)
    assert found.dtype == dtype
    torch.testing.assert_close(found, lai_loss(*problem))


def test_weights_beyond_the_type_of_the_losses_are_weights():
    y_pred, y_true, slope = (x.float() for x in random_problem())
    weight = torch.linspace(0.5, 2, 6, dtype=torch.float64)
    found, expected = (
        lai_loss(y_pred, y_true, slope, 0.3, sample_weight=scale * weight)
        for scale in (1e300, 1)
    )
    torch.testing.assert_close(found, expected)


def test_gradients_flow_to_weights():
    y_pred, y_true, slope = random_problem()
    weight = torch.linspace(0.5, 2, 6, dtype=torch.float64, requires_grad=True)

    def value(weight):
        return lai_loss(y_pred, y_true, slope, 0.3, sample_weight=weight)

    assert gradcheck(value, (weight,))


def test_a_mask_may_be_a_weight_but_no_target_and_no_k():
    y_pred, y_true, slope = random_problem()
    mask = torch.tensor([True, False, True, True, False, True])
    found = lai_loss(y_pred, y_true, slope, 0.3, sample_weight=mask)
    kept = lai_loss(y_pred[mask], y_true[mask], slope[mask], 0.3)
    torch.testing.assert_close(found, kept)
    with pytest.raises(ValueError, match=r"y_true must be .* real numbers, got"):
        lai_loss(y_pred, y_true > 0, slope, 0.3)
    with pytest.raises(ValueError, match=r"k must be .* real numbers, got"):
        lai_loss(y_pred, y_true, slope, torch.tensor(True))


@pytest.mark.parametrize("k", [1.0, math.nan])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
@pytest.mark.parametrize("huber_delta", [1e300, 1e-300])
def test_a_huber_delta_beyond_the_type_of_the_errors_is_named(k, dtype, huber_delta):
    problem = [x.to(dtype) for x in random_problem()]
    with pytest.raises(
        ValueError, match=rf"huber_delta must be from .* for errors of {dtype}, got 1e"
    ):
        lai_loss(*problem, k, loss="huber", huber_delta=huber_delta)
    problem = [x.double() for x in problem]
    assert lai_loss(*problem, k, loss="huber", huber_delta=huber_delta).isfinite()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
@pytest.mark.parametrize("share", [1e-300, 1 - 1e-16])
def test_shares_beyond_the_type_of_the_errors_are_rounded(dtype, share):
    problem = [x.to(dtype) for x in random_problem()]
    for which in (
        {"loss": "quantile", "quantile": share},
        {"norm": "elasticnet", "l1_ratio": share},
    ):
        assert lai_loss(*problem, 0.3, **which).isfinite()


@pytest.mark.parametrize("k", [2.0**31, 2.0**-31])
@pytest.mark.parametrize("norm", ["l2", "elasticnet"])
def test_a_norm_of_losses_whose_squares_are_no_numbers_is_one(norm, k):
    expected, found = (
        lai_loss(
            torch.full((3,), 1000.0, dtype=dtype),
            torch.zeros(3, dtype=dtype),
            torch.ones(3, 2, dtype=dtype),
            k=k,
            norm=norm,
        ).item()
        for dtype in (torch.float64, torch.float32)
    )
    assert found == pytest.approx(expected, rel=1e-6)
