"""Bounds of slopes: no slope within the box is outside, however one looks for it."""

import pickle
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from common import ESTIMATORS, FRAME, MODELS, X, Y, mlp, models, quick, y
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import random_layers
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from sklearn_lai import (
    LaiLinearRegressor,
    LaiMLPRegressor,
    LaiMLPRegressorCV,
    _inference,
)
from sklearn_lai._bounds.coupling import Coupling
from sklearn_lai._bounds.curves import ACTIVATIONS, Curve

ALL = list(_inference.ACTIVATIONS)
BENT = [name for name in ALL if name != "identity"]
HIDDEN = [(9,), (8, 7), (6, 5, 4)]
STEEPEST_DERIVATIVE = 1.13  # of all activations


def model_of(layers, activation, dtype=np.float64):
    """A fitted model with these weights, on data from -1 to 1."""
    coefs, intercepts = ([part.astype(dtype) for part in parts] for parts in layers)
    corners = np.array([-np.ones(len(coefs[0])), np.ones(len(coefs[0]))], dtype)
    target = np.zeros((2, len(intercepts[-1])) if len(intercepts[-1]) > 1 else 2)
    model = LaiMLPRegressor(
        [len(one) for one in intercepts[:-1]], activation=activation, max_iter=1
    )
    model.set_params(lai_epochs=0).fit(corners, target)
    model.coefs_, model.intercepts_ = coefs, intercepts
    return model


def wild_layers(n_features, hidden, n_outputs=1, seed=0, size=2.0):
    """Weights that bend the function much within [-1, 1]."""
    coefs, intercepts = random_layers([n_features, *hidden, n_outputs], seed)
    return [size * coef for coef in coefs], intercepts


def tolerance(model):
    """How far input_gradient can be from the slope in real numbers, (..., n_features).

    But for products of weights alone, what float64 loses is within the rounding of the
    bounds.
    """
    coefs = model.coefs_
    if coefs[0].dtype == np.float64 and model.activation != "identity":
        return 0.0
    size = np.abs(coefs[-1]).T
    for coef in coefs[-2::-1]:
        size = STEEPEST_DERIVATIVE * size @ np.abs(coef).T
    size = size[0] if len(size) == 1 else size
    return (sum(map(len, coefs)) + 16) * np.finfo(coefs[0].dtype).eps * size


def corners_and_inside(lower, upper, rng, n):
    """Points at random, in corners, and in between: some features at an end."""
    shape = (n, len(lower))
    inside = rng.uniform(lower, upper, shape)
    corners = np.where(rng.random(shape) < 0.5, lower, upper)
    return np.vstack(
        [inside, corners, np.where(rng.random(shape) < 0.5, inside, corners)]
    )


def at_kinks(model, points):
    """Points moved along a feature to where a unit of the first layer gets 0."""
    coef, intercept = model.coefs_[0].astype(float), model.intercepts_[0].astype(float)
    row, unit = np.arange(len(points)), np.arange(len(points)) % coef.shape[1]
    feature = np.abs(coef).argmax(axis=0)[unit]
    inputs = points @ coef + intercept
    moved = points.copy()
    moved[row, feature] -= inputs[row, unit] / coef[feature, unit]
    return moved


def steepest(model, lower, upper, seed=0, n=300, n_rounds=15):
    """Least and largest slope that an adversary finds in the box.

    Each slope is climbed from the best points, by random steps that become shorter.
    """
    rng = np.random.default_rng(seed)
    points = corners_and_inside(lower, upper, rng, n)
    points = np.vstack([points, np.clip(at_kinks(model, points), lower, upper)])
    slopes = model.input_gradient(points)
    shape = slopes.shape[1:]
    slopes = slopes.reshape(len(points), -1)
    found = []
    for sign in (-1, 1):
        best = np.argsort(-sign * slopes, axis=0)[:10]  # of every slope
        at, values = points[best], np.take_along_axis(sign * slopes, best, axis=0)
        for step in np.geomspace(0.5, 1e-6, n_rounds):
            moves = rng.normal(size=at.shape) * step * (upper - lower)
            moves *= rng.random(at.shape) < rng.choice([0.3, 1.0])
            tried = np.clip(at + moves, lower, upper)
            new = model.input_gradient(tried.reshape(-1, len(lower)))
            new = new.reshape(*at.shape[:2], -1)
            new = sign * np.diagonal(new, axis1=1, axis2=2)
            is_better = new > values
            at = np.where(is_better[..., None], tried, at)
            values = np.where(is_better, new, values)
        found.append(sign * values.max(axis=0).reshape(shape))
    return found


def assert_holds(model, lower, upper, *budgets):
    """No slope in the box is outside of its bounds, for several numbers of boxes."""
    least, most = steepest(model, lower, upper)
    allowed = tolerance(model)
    for max_boxes in budgets:
        below, above = model.slope_bounds(lower, upper, max_boxes=max_boxes)
        assert (below - allowed <= least).all()
        assert (most <= above + allowed).all()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("hidden", HIDDEN, ids=str)
@pytest.mark.parametrize("activation", ALL)
def test_no_slope_in_the_box_is_outside(activation, hidden, dtype):
    model = model_of(wild_layers(3, hidden, n_outputs=2), activation, dtype)
    for centre, radius in ((0.0, 1.0), (0.3, 0.1), (-2.0, 3.0), (0.5, 1e-4)):
        ends = np.full(3, centre - radius), np.full(3, centre + radius)
        assert_holds(model, *ends, 1, 40)


@pytest.mark.parametrize("activation", BENT)
def test_no_slope_of_large_weights_or_far_inputs_is_outside(activation):
    model = model_of(wild_layers(2, (7, 6), size=30.0), activation)
    assert_holds(model, -np.ones(2), np.ones(2), 50)
    model = model_of(wild_layers(2, (7, 6)), activation)
    assert_holds(model, np.array([-1e4, 3.0]), np.array([1e6, 3.5]), 50)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("unit", [1e-6, 1e6])
@pytest.mark.parametrize("activation", BENT)
def test_no_slope_in_other_units_is_outside(activation, unit, dtype):
    coefs, intercepts = wild_layers(3, (8, 7))
    shift = np.array([0.0, 1e3, -1e3])
    intercepts[0] = intercepts[0] - shift @ coefs[0]
    coefs[0] = coefs[0] / unit
    coefs[-1] = coefs[-1] / unit
    model = model_of((coefs, intercepts), activation, dtype)
    assert_holds(model, unit * (shift - 1), unit * (shift + 1), 30)


@pytest.mark.parametrize("activation", ["relu", "tanh", "silu"])
def test_no_slope_of_a_trained_model_is_outside(activation):
    model = mlp(hidden_layer_sizes=(30, 30), activation=activation, max_iter=100)
    model.fit(X, Y)
    assert_holds(model, X.min(axis=0), X.max(axis=0), 200)


@settings(max_examples=60, deadline=None)
@given(
    activation=st.sampled_from(ALL),
    n_features=st.integers(1, 4),
    hidden=st.lists(st.integers(1, 6), max_size=3),
    n_outputs=st.integers(1, 3),
    max_boxes=st.integers(1, 20),
    dtype=st.sampled_from([np.float32, np.float64]),
    seed=st.integers(0, 10**6),
    ends=st.lists(st.floats(-50, 50), min_size=8, max_size=8),
)
def test_bounds_hold_for_any_shape(
    activation, n_features, hidden, n_outputs, max_boxes, dtype, seed, ends
):
    model = model_of(
        wild_layers(n_features, hidden, n_outputs, seed), activation, dtype
    )
    ends = np.sort(np.reshape(ends, (2, 4)), axis=0)[:, :n_features]
    below, above = model.slope_bounds(*ends, max_boxes=max_boxes)
    points = corners_and_inside(*ends, np.random.default_rng(seed), 50)
    slopes = model.input_gradient(points)
    assert below.shape == above.shape == slopes.shape[1:]
    assert below.dtype == above.dtype == np.float64
    assert (below - tolerance(model) <= slopes).all()
    assert (slopes <= above + tolerance(model)).all()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("hidden", [(), *HIDDEN], ids=str)
@pytest.mark.parametrize("activation", ALL)
def test_one_point_has_its_slope(activation, hidden, dtype):
    model = model_of(wild_layers(3, hidden, n_outputs=2), activation, dtype)
    for point in np.random.default_rng(0).normal(size=(5, 3)):
        below, above = model.slope_bounds(point, point)
        (slope,) = model.input_gradient(point[None])
        rtol = 1e-9 if dtype == np.float64 else 1e-3
        size = np.abs(slope).max()
        np.testing.assert_allclose(below, slope, rtol=0, atol=rtol * size)
        np.testing.assert_allclose(above, slope, rtol=0, atol=rtol * size)


def test_a_point_at_a_kink_has_the_slopes_of_both_sides():
    layers = [np.array([[0.5]]), np.array([[3.0]])], [np.array([-1.0]), np.zeros(1)]
    model = model_of(layers, "relu")
    below, above = model.slope_bounds(2.0, 2.0)
    assert below == pytest.approx(0, abs=1e-12)
    assert above == pytest.approx(1.5)
    assert model.slope_bounds(2.1, 5.0)[0] == pytest.approx(1.5)
    assert model.slope_bounds(-5.0, 1.9)[1] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("hidden", [(), (5,), (6, 5)], ids=str)
def test_identity_has_its_coefficients_to_the_last_digit(hidden):
    coefs, intercepts = wild_layers(3, hidden, n_outputs=2)
    model = model_of((coefs, intercepts), "identity")
    below, above = model.slope_bounds()
    exact = np.linalg.multi_dot([*coefs, np.eye(2)]).T
    np.testing.assert_allclose(below, exact, rtol=1e-13)
    assert (below <= above).all()
    assert (above - below <= 4 * np.spacing(np.abs(exact))).all()
    if not hidden:
        np.testing.assert_array_equal(below, coefs[0].T)
        np.testing.assert_array_equal(above, coefs[0].T)


@pytest.mark.parametrize("target", [y, Y], ids=["single", "several"])
@pytest.mark.parametrize("name", ["adam", "exact", "linear-cv"])
def test_linear_models_have_their_coefficients_in_any_box(name, target):
    model = clone(MODELS[name]).fit(X.astype(np.float32), target)
    for box in ((), (-1e9, 1e9), (0.5, 0.5), (-np.inf, np.inf)):
        for bound in model.slope_bounds(*box):
            np.testing.assert_array_equal(bound, model.coef_)
            assert bound is not model.coef_


@pytest.mark.parametrize("hidden", [(9,), (8, 7)], ids=str)
@pytest.mark.parametrize("activation", BENT)
def test_more_boxes_never_make_bounds_wider(activation, hidden):
    model = model_of(wild_layers(3, hidden, n_outputs=2), activation)
    found = [model.slope_bounds(max_boxes=n) for n in (1, 2, 3, 10, 65, 300)]
    for (below, above), (below_of_more, above_of_more) in pairwise(found):
        assert (below <= below_of_more).all()
        assert (above_of_more <= above).all()
    widths = [(above - below).sum() for below, above in found]
    assert widths[-1] < 0.97 * widths[0]


@pytest.mark.parametrize("hidden", [(9,), (8, 7)], ids=str)
@pytest.mark.parametrize("activation", BENT)
def test_smaller_boxes_have_tighter_bounds(activation, hidden):
    model = model_of(wild_layers(3, hidden, n_outputs=2), activation)
    found = [
        model.slope_bounds(0.2 - radius, 0.2 + radius, max_boxes=50)
        for radius in (4.0, 1.0, 0.25, 1 / 16, 1 / 64)
    ]
    for (below, above), (below_of_part, above_of_part) in pairwise(found):
        assert (below <= below_of_part).all()
        assert (above_of_part <= above).all()


@pytest.mark.parametrize("activation", BENT)
def test_bounds_of_few_features_are_nearly_the_steepest_slopes(activation):
    model = model_of(wild_layers(2, (8, 7)), activation)
    ends = -np.ones(2), np.ones(2)
    below, above = model.slope_bounds(*ends, max_boxes=3000)
    least, most = steepest(model, *ends, n=5000)
    reached = np.maximum(np.abs(least), np.abs(most))
    assert (above - most <= 0.1 * reached).all()
    assert (least - below <= 0.1 * reached).all()


def plain_intervals(model, lower, upper):
    """The most that a slope is in magnitude, by intervals alone."""
    activation = ACTIVATIONS[model.activation]
    values, slopes = (lower, upper), (model.coefs_[0],) * 2
    for place, (coef, intercept) in enumerate(
        zip(model.coefs_[:-1], model.intercepts_[:-1], strict=True)
    ):
        middle, radius = np.add(*values) / 2, np.subtract(*values[::-1]) / 2
        centre, reach = middle @ coef + intercept, radius @ np.abs(coef)
        inputs = centre - reach, centre + reach
        values = activation.curve.values(*inputs)
        corners = [d * s for d in activation.derivative.values(*inputs) for s in slopes]
        least, most = np.minimum.reduce(corners), np.maximum.reduce(corners)
        coef = model.coefs_[place + 1]
        centre, reach = (least + most) / 2 @ coef, (most - least) / 2 @ np.abs(coef)
        slopes = centre - reach, centre + reach
    return np.maximum(*np.abs(slopes)).T


@pytest.mark.parametrize("activation", ["relu", "tanh", "silu"])
def test_bounds_of_two_layers_are_much_tighter_than_by_intervals(activation):
    model = mlp(hidden_layer_sizes=(64, 64), activation=activation, max_iter=100)
    model.fit(X, y)
    plain = plain_intervals(model, model.X_min_, model.X_max_)
    ours = np.maximum(*np.abs(model.slope_bounds(max_boxes=200)))
    assert np.median(ours / plain) < 0.6


@pytest.mark.parametrize("activation", BENT)
def test_powers_of_two_in_the_units_change_nothing_else(activation):
    factors, factor = 2.0 ** np.array([-20, 0, 3, 7, 20]), 2.0**-9
    target = np.column_stack([y, X[:, 0] * y])
    model = mlp(hidden_layer_sizes=(8, 6), activation=activation)
    bounds = model.fit(X, target).slope_bounds(max_boxes=30)
    scaled = model.fit(X * factors, target * factor).slope_bounds(max_boxes=30)
    for one, other in zip(bounds, scaled, strict=True):
        np.testing.assert_array_equal(one * factor / factors, other)


@pytest.mark.parametrize("activation", BENT)
def test_open_boxes_hold_and_are_finite_where_derivatives_are(activation):
    model = model_of(wild_layers(2, (5, 4)), activation)
    below, above = model.slope_bounds(-np.inf, np.inf)
    assert np.isfinite(below).all()
    assert np.isfinite(above).all()
    points = np.random.default_rng(0).standard_cauchy((3000, 2)) * 10
    slopes = model.input_gradient(points)
    assert ((below <= slopes) & (slopes <= above)).all()
    for sign in (-1, 1):
        ends = np.sort(sign * np.array([[0, -1], [np.inf, 1]]), axis=0)
        below, above = model.slope_bounds(*ends, max_boxes=50)
        slopes = model.input_gradient(
            np.column_stack([sign * np.abs(points[:, 0]), np.sin(points[:, 1])])
        )
        assert ((below <= slopes) & (slopes <= above)).all()


def test_the_closed_end_of_an_open_box_counts():
    layers = [np.array([[1.0]]), np.array([[3.0]])], [np.array([1.0]), np.zeros(1)]
    model = model_of(layers, "relu")
    assert model.slope_bounds(0, np.inf)[0] == pytest.approx(3)
    assert model.slope_bounds(-np.inf, -2)[1] == pytest.approx(0)
    assert model.slope_bounds(-np.inf, 0)[0] == pytest.approx(0)


@pytest.mark.parametrize("activation", BENT)
def test_numbers_too_large_make_bounds_infinite_not_wrong(activation):
    coefs, intercepts = wild_layers(2, (5, 4))
    coefs[-1] = coefs[-1] * 1e305
    model = model_of((coefs, intercepts), activation)
    below, above = model.slope_bounds(-1e308, 1e308, max_boxes=5)
    assert not np.isnan([below, above]).any()
    assert (below <= above).all()


@pytest.mark.parametrize("activation", BENT)
@pytest.mark.parametrize("which", ["curve", "derivative"])
def test_curves_are_within_their_ranges_lines_and_bands(activation, which):
    curve = getattr(ACTIVATIONS[activation], which)
    rng = np.random.default_rng(0)
    lower = rng.normal(size=(40, 10)) * np.geomspace(0.01, 30, 10)
    upper = lower + np.exp(rng.normal(size=lower.shape, scale=3))
    z = lower + (upper - lower) * np.linspace(0, 1, 400)[:, None, None]
    if which == "curve":
        value = z.copy()
        _inference.ACTIVATIONS[activation].apply(value)
    else:
        value = _inference.ACTIVATIONS[activation].derivative(z)
    low, high = curve.values(lower, upper)
    assert ((low <= value) & (value <= high)).all()
    is_known = upper - lower < 20  # by the points between
    spread = np.ptp(value, axis=0) + 1e-9
    assert (high - low <= 1.1 * spread)[is_known].all()
    for below, above in (curve.lines(lower, upper), curve.band(lower, upper)):
        assert (below.slope * z + below.offset <= value).all()
        assert (value <= above.slope * z + above.offset).all()
    below, above = curve.band(lower, upper)
    np.testing.assert_array_equal(below.slope, above.slope)


@pytest.mark.parametrize("activation", [name for name in BENT if name != "relu"])
@pytest.mark.parametrize("which", ["curve", "derivative"])
def test_curves_turn_and_bend_only_where_they_say(activation, which):
    curve = getattr(ACTIVATIONS[activation], which)
    assert isinstance(curve, Curve)
    z = np.linspace(-12, 12, 24_001)
    slope = (curve.function(z + 1e-6) - curve.function(z - 1e-6)) / 2e-6
    np.testing.assert_allclose(curve.derivative(z), slope, atol=1e-8)
    for points, values in (
        (curve.turns, curve.derivative(z)),
        (curve.bends, np.gradient(curve.derivative(z), z)),
    ):
        sure = np.abs(values) > 1e-5
        changes = np.flatnonzero(np.diff(np.sign(values[sure])))
        np.testing.assert_allclose(z[sure][changes], sorted(points), atol=0.01)
    for point in curve.bends:  # as exact as a finite difference can tell
        left, middle, right = curve.derivative(point + np.array([-1e-4, 0.0, 1e-4]))
        assert (middle - left) * (right - middle) <= 0
        assert abs(right - left) < 1e-9
    for point in curve.turns:
        assert abs(curve.derivative(np.full(1, point))[0]) < 1e-15


def test_couplings_hold_for_signs_that_are_searched_for():
    rng = np.random.default_rng(0)
    coef = rng.normal(size=(12, 9))
    left, right = np.abs(rng.normal(size=(3, 12))), np.abs(rng.normal(size=(2, 9)))
    coupling = Coupling.of(coef, left, right)
    for _ in range(5):
        bound = coupling.bound(left[None], right[None])[0]
        for (o, j), most in np.ndenumerate(bound):
            signs = np.sign(rng.normal(size=(200, 9)))
            for _ in range(10):
                of_left = np.sign(signs * right[o] @ coef.T)
                signs = np.sign(of_left * left[j] @ coef)
            products = (of_left * left[j] @ coef * signs * right[o]).sum(axis=1)
            assert products.max() <= most < 3 * products.max()
        # The same weights hold for other vectors.
        left, right = left * rng.random(left.shape), right * rng.random(right.shape)


def test_default_box_is_the_range_of_the_training_data():
    for model in (mlp(), mlp(early_stopping=True)):
        model.fit(FRAME, y)
        np.testing.assert_array_equal(model.X_min_, X.min(axis=0))
        np.testing.assert_array_equal(model.X_max_, X.max(axis=0))
    default = model.slope_bounds()
    given = model.slope_bounds(X.min(axis=0), X.max(axis=0))
    np.testing.assert_array_equal(default, given)
    model.fit(X[:50].astype(np.float32), y[:50])
    assert model.X_min_.dtype == np.float32
    np.testing.assert_array_equal(model.X_max_, X[:50].astype(np.float32).max(axis=0))


def test_rows_without_weight_are_not_in_the_box():
    weight = (np.arange(len(X)) < 60).astype(float)
    model = mlp(lai_interval=1).fit(X, y, sample_weight=weight)
    np.testing.assert_array_equal(model.X_max_, X[:60].max(axis=0))
    model.partial_fit(X, y, sample_weight=weight[::-1])
    np.testing.assert_array_equal(model.X_max_, X.max(axis=0))
    weight = (np.arange(len(X)) % 3 > 0).astype(float)
    model = quick(LaiMLPRegressorCV, ks=[0.3], cv=2, lai_interval=1)
    model.fit(X, y, sample_weight=weight)
    np.testing.assert_array_equal(model.X_max_, X[weight > 0].max(axis=0))


def test_partial_fit_makes_the_box_grow():
    model, seen = mlp(lai_interval=1), []
    for rows in (slice(0, 30), slice(30, 40), slice(40, 120)):
        seen.append(X[rows])
        model.partial_fit(X[rows], y[rows])
        np.testing.assert_array_equal(model.X_min_, np.vstack(seen).min(axis=0))
        np.testing.assert_array_equal(model.X_max_, np.vstack(seen).max(axis=0))
    model.fit(X[:20], y[:20]).partial_fit(X[20:30], y[20:30])
    np.testing.assert_array_equal(model.X_max_, X[:30].max(axis=0))
    before = model.X_max_.copy()
    with pytest.raises(ValueError, match="y"):
        model.partial_fit(10 * X, np.full(len(X), np.nan))
    np.testing.assert_array_equal(model.X_max_, before)


def test_models_along_k_have_the_box_of_their_own_rows():
    seen = []

    def scorer(model, X_test, y_test):
        seen.append(model.X_max_)
        return model.score(X_test, y_test)

    model = quick(LaiMLPRegressorCV, ks=[0.3, 0.1], cv=2, lai_interval=1)
    model = model.set_params(scoring=scorer).fit(X, y)
    halves = [X[60:].max(axis=0)] * 2 + [X[:60].max(axis=0)] * 2
    np.testing.assert_array_equal(seen, halves)
    other = model.estimator_at(0.1)
    np.testing.assert_array_equal(other.X_max_, X.max(axis=0))
    assert_holds(other, X.min(axis=0), X.max(axis=0), 20)


@models
def test_bounds_leave_the_estimator_as_it_is_and_are_the_same_again(model):
    model = clone(model).fit(FRAME, Y)
    parameters, state = model.get_params(), pickle.dumps(vars(model))
    bounds = model.slope_bounds(max_boxes=30)
    assert model.get_params() == parameters
    assert pickle.dumps(vars(model)) == state
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(bounds, copy.slope_bounds(max_boxes=30))
    slopes = model.input_gradient(FRAME)
    assert bounds[0].shape == bounds[1].shape == slopes.shape[1:]
    with pytest.raises(NotFittedError):
        clone(model).slope_bounds()


def test_a_constant_feature_has_no_slope():
    constant = X.copy()
    constant[:, 2] = 7.0
    for hidden in ((8,), (8, 5)):
        model = mlp(hidden_layer_sizes=hidden).fit(constant, y)
        below, above = model.slope_bounds()
        assert below[2] == above[2] == 0
        assert (below[[0, 1]] < above[[0, 1]]).all()


@pytest.mark.parametrize(
    "lower",
    [
        {"b": 0.25, "d": None},
        {1: 0.25},
        pd.Series({"d": X[:, 3].min(), "b": 0.25}),
        [*X.min(axis=0)[:1], 0.25, *X.min(axis=0)[2:]],
        pd.Series([*X.min(axis=0)[:1], 0.25, *X.min(axis=0)[2:]]),
    ],
    ids=["names", "positions", "named series", "list", "series"],
)
def test_ends_go_by_name_or_position(lower):
    model = mlp().fit(FRAME, y)
    expected = X.min(axis=0)
    expected[1] = 0.25
    np.testing.assert_array_equal(
        model.slope_bounds(lower), model.slope_bounds(expected, X.max(axis=0))
    )
    one, all_ = model.slope_bounds(0.1, 0.9), model.slope_bounds([0.1] * 5, [0.9] * 5)
    np.testing.assert_array_equal(one, all_)


WRONG = {
    "not a number": ({"lower": np.nan}, ValueError, "lower must be .*got nan"),
    "a NaN": ({"upper": [np.nan] * 5}, ValueError, "upper must be .*finite number"),
    "inf below": ({"lower": np.inf}, ValueError, "lower must be .*-inf.*got inf"),
    "-inf above": ({"upper": -np.inf}, ValueError, "upper must be .*got -inf"),
    "text": ({"lower": "a"}, TypeError, "lower must be .*'a' of type str"),
    "bool": ({"upper": True}, TypeError, "upper must be .*True of type bool"),
    "shape": ({"lower": [0, 0]}, ValueError, r"lower must be .*\(5,\).*shape \(2,\)"),
    "a matrix": ({"upper": np.ones((2, 5))}, TypeError, "upper must be "),
    "crossed": (
        {"lower": 0.5, "upper": {"c": 0.2}},
        ValueError,
        "lower must be <= upper.*lower=0.5 and upper=0.2 in column 'c'",
    ),
    "no such column": ({"lower": {"z": 0.2}}, ValueError, "lower has .*'z'"),
    "no such position": ({"upper": {9: 0.2}}, ValueError, "upper .*got 9"),
    "text by name": ({"upper": {"a": "x"}}, TypeError, r"upper\['a'\] must be"),
    "no boxes": ({"max_boxes": 0}, ValueError, "max_boxes must be .*>= 1, got 0"),
    "half a box": ({"max_boxes": 1.5}, TypeError, "max_boxes must be an integer"),
}


@pytest.mark.parametrize(("parameters", "error", "message"), WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_errors_name_the_end_its_value_and_what_is_allowed(
    Estimator, parameters, error, message
):
    model = quick(Estimator).fit(FRAME, y)
    with pytest.raises(error, match=message):
        model.slope_bounds(**parameters)


def test_an_end_beyond_the_training_data_is_told_apart():
    model = mlp().fit(X, y)
    with pytest.raises(ValueError, match=r"lower=5 and upper=.* column 0; where one"):
        model.slope_bounds(lower=5.0)
    assert LaiLinearRegressor().fit(X, y).slope_bounds(lower=5.0)[0].shape == (5,)
