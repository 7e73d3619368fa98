"""LaiLinearRegressor with the exact solver, fitted at once, in parts and merged."""

import numpy as np
import pytest
from common import X, Y, fitted_state, y
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import LinearRegression

from sklearn_lai import LaiLinearRegressor, LaiLinearRegressorCV
from sklearn_lai._linear import descent

exact = LaiLinearRegressor


def weights(n_samples, seed=0):
    return np.random.default_rng(seed).uniform(0.1, 3, n_samples)


@pytest.mark.parametrize("target", [y, Y])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("standardize", [True, False])
def test_plain_training_is_least_squares(target, fit_intercept, weighted, standardize):
    weight = weights(len(X)) if weighted else None
    ours = exact(
        lai_fraction=0, fit_intercept=fit_intercept, standardize=standardize
    ).fit(X, target, weight)
    theirs = LinearRegression(fit_intercept=fit_intercept).fit(X, target, weight)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-10)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, rtol=1e-10)


@pytest.mark.parametrize("condition", [1e2, 1e4, 0.9e6])
@pytest.mark.parametrize("mean", [0, 1e3])
def test_ill_conditioned_predictions_are_those_of_least_squares(condition, mean):
    rng = np.random.default_rng(0)
    left = np.linalg.qr(rng.normal(size=(1000, 10)))[0]
    right = np.linalg.qr(rng.normal(size=(10, 10)))[0]
    data = left * np.geomspace(1, 1 / condition, 10) @ right + mean / 1e3
    target = data @ rng.normal(size=10) + 0.01 * rng.normal(size=1000)
    ours = exact(lai_fraction=0).fit(data, target).predict(data)
    theirs = LinearRegression().fit(data, target).predict(data)
    np.testing.assert_allclose(ours, theirs, atol=1e-6 * np.abs(theirs).max())


@pytest.mark.parametrize("condition", [1e4, 1e5, 1e6])
def test_ill_conditioned_least_squares_are_corrected(condition):
    """Moments alone would lose twice the digits of the condition number."""
    rng = np.random.default_rng(0)
    left = np.linalg.qr(rng.normal(size=(1000, 10)))[0]
    right = np.linalg.qr(rng.normal(size=(10, 10)))[0]
    data = left * np.geomspace(1, 1 / condition, 10) @ right
    target = data @ rng.normal(size=10) + 0.01 * rng.normal(size=1000)
    weight = weights(1000)
    root = np.sqrt(weight)[:, None]
    design = np.column_stack([data, np.ones(1000)]) * root
    q, r = np.linalg.qr(design)
    expected = design / root @ np.linalg.solve(r, q.T @ (target * root[:, 0]))
    ours = exact(lai_fraction=0).fit(data, target, weight).predict(data)
    np.testing.assert_allclose(ours, expected, atol=1e-9 * np.abs(expected).max())


@pytest.mark.filterwarnings("ignore:Least squares fits the training data exactly")
def test_more_features_than_samples_are_interpolated():
    rng = np.random.default_rng(0)
    data, target = rng.normal(size=(20, 50)), rng.normal(size=20)
    data /= data.std(axis=0)
    ours = exact(lai_fraction=0.5).fit(data, target)
    np.testing.assert_allclose(ours.predict(data), target, rtol=1e-8)
    theirs = LinearRegression().fit(data, target)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-10)
    assert ours.objective_ < 1e-25


@pytest.mark.parametrize("norm", ["l1", "l2", "elasticnet"])
def test_predictions_do_not_depend_on_the_units(norm):
    model = exact(k=0.1, lai_fraction=0.1, norm=norm)
    data, target = load_diabetes(return_X_y=True)
    expected = model.fit(data, target).predict(data)
    rng = np.random.default_rng(0)
    factor, shift = rng.lognormal(0, 3, 10), rng.normal(size=10)
    scaled = data * factor + shift
    np.testing.assert_allclose(
        model.fit(scaled, target).predict(scaled), expected, rtol=1e-10
    )
    model.fit(data, 1e-3 * target + 7)
    np.testing.assert_allclose((model.predict(data) - 7) * 1e3, expected, rtol=1e-10)
    powers = np.ldexp(1.0, rng.integers(-60, 60, 10))
    model.fit(data * powers, target * 2.0**40)
    np.testing.assert_array_equal(
        model.coef_, model.fit(data, target).coef_ * 2.0**40 / powers
    )


def test_the_order_of_the_rows_changes_only_rounding():
    model = exact(k=0.1, lai_fraction=0.3).fit(X, y)
    rows = np.random.default_rng(0).permutation(len(X))
    other = clone(model).fit(X[rows], y[rows])
    np.testing.assert_allclose(other.coef_, model.coef_, rtol=1e-10)


def test_collinear_features_lose_their_large_opposite_coefficients():
    data, target = load_diabetes(return_X_y=True)
    unit = data.std(axis=0) / target.std()
    plain = exact(lai_fraction=0).fit(data, target)
    model = exact(k=0.1, lai_fraction=0.01, norm="l2").fit(data, target)
    assert plain.score(data, target) - model.score(data, target) < 0.02
    assert np.abs(plain.coef_ * unit)[4:6].min() > 0.25
    assert np.abs(model.coef_ * unit)[4:6].max() < 0.15


@pytest.mark.parametrize("norm", ["l1", "l2"])
def test_constant_features_change_nothing(norm):
    model = exact(k=0.1, lai_fraction=0.3, norm=norm)
    expected = model.fit(X, y).coef_
    data = np.column_stack([np.full(len(X), 0.1), X, np.ones((len(X), 3))])
    model.fit(data, y)
    np.testing.assert_allclose(model.coef_[1:6], expected, rtol=1e-12)
    np.testing.assert_array_equal(model.coef_[[0, 6, 7, 8]], 0)
    uncentred = exact(k=0.1, lai_fraction=0.3, norm=norm, fit_intercept=False)
    expected = uncentred.fit(X, y).coef_
    zeros = np.zeros((len(X), 2))
    coef = uncentred.fit(np.hstack([zeros, X]), y).coef_
    np.testing.assert_allclose(coef, [0, 0, *expected], rtol=1e-12)


def test_coefficients_too_large_for_single_precision_are_an_error():
    with pytest.raises(ValueError, match=r"too large .* float32"):
        exact().fit(X.astype(np.float32), y * 1e60)


@pytest.mark.parametrize("k", [1e-70, 1e160])
def test_a_k_whose_square_is_no_number_is_an_error(k):
    with pytest.raises(ValueError, match=r"k, ks and .* from 1e-60 to 1e\+60"):
        exact(k=k).fit(X, y)
    assert np.isfinite(exact(k=1e-50, feature_k={0: 1e50}).fit(X, y).objective_)


@pytest.mark.parametrize("lai_fraction", [0.01, 0.3, 1.0])
@pytest.mark.parametrize("k", [0.03, 0.3, 1.0])
# A k of 0.03 asks for it.
@pytest.mark.filterwarnings("ignore:The Lai loss made the predictions collapse")
def test_equal_columns_have_stable_coefficients(lai_fraction, k):
    model = exact(k=k, lai_fraction=lai_fraction)
    data = np.column_stack([X, X[:, 0]])
    expected = model.fit(data, y).coef_
    rng = np.random.default_rng(0)
    for _ in range(5):
        rows = rng.permutation(len(X))
        coef = model.fit(data[rows] * 1.1, y[rows]).coef_ * 1.1
        np.testing.assert_allclose(coef, expected, rtol=1e-6, atol=1e-8)


def test_training_by_adam_approaches_the_exact_solution():
    data, target = load_diabetes(return_X_y=True)
    settings = {"k": 0.15, "lai_fraction": 1.0}
    ours = exact(**settings).fit(data, target)
    adam = exact(
        solver="adam",
        lai_interval=1,
        batch_size=len(data),
        max_iter=2000,
        n_iter_no_change=np.inf,
        lai_epochs=6000,
        learning_rate_init=2e-4,
        lai_learning_rate_init=2e-4,
        random_state=0,
        **settings,
    ).fit(data, target)
    unit = data.std(axis=0) / target.std()
    np.testing.assert_allclose(adam.coef_ * unit, ours.coef_ * unit, atol=2e-3)
    assert 2 * adam.lai_loss_curve_[-1] >= ours.objective_ * (1 - 1e-9)
    assert 2 * adam.lai_loss_curve_[-1] == pytest.approx(ours.objective_, rel=2e-3)


def test_every_target_is_a_problem_of_its_own():
    together = exact(k=0.2, lai_fraction=0.1).fit(X, Y)
    for j in range(Y.shape[1]):
        alone = exact(k=0.2, lai_fraction=0.1).fit(X, Y[:, j])
        np.testing.assert_allclose(together.coef_[j], alone.coef_, rtol=1e-9)
        assert together.objective_[j] == pytest.approx(alone.objective_)


def test_each_feature_has_its_own_k():
    settings = {"lai_fraction": 1.0, "norm": "l1"}
    data, target = X / X.std(axis=0), y / y.std()
    k = [0.05, 0.1, 0.2, 0.3, 0.4]
    by_list = exact(k=k, **settings).fit(data, target)
    by_name = exact(k=0.05, feature_k=dict(enumerate(k)), **settings).fit(data, target)
    np.testing.assert_array_equal(by_list.coef_, by_name.coef_)
    assert np.isclose(np.abs(by_list.coef_), k).any()
    alone = exact(feature_k=dict.fromkeys(range(5)), **settings).fit(data, target)
    np.testing.assert_allclose(
        alone.coef_, LinearRegression().fit(data, target).coef_, rtol=1e-10
    )


@pytest.mark.filterwarnings("ignore:Least squares fits the training data exactly")
# As many rows as features, nearly collinear: no error is left but rounding.
@example(cuts=[5], seed=43592, weighted=True, fit_intercept=False)
@example(cuts=[1, 97, 103], seed=1221, weighted=False, fit_intercept=True)
@settings(max_examples=20)
@given(
    cuts=st.lists(st.integers(1, 119), max_size=4, unique=True),
    seed=st.integers(0, 2**16),
    weighted=st.booleans(),
    fit_intercept=st.booleans(),
)
def test_parts_in_any_order_give_what_fit_gives(cuts, seed, weighted, fit_intercept):
    weight = weights(len(X), seed) if weighted else np.ones(len(X))
    parameters = {"k": 0.2, "lai_fraction": 0.1, "fit_intercept": fit_intercept}
    whole = exact(**parameters).fit(X, Y, weight)
    rng = np.random.default_rng(seed)
    parts = np.split(rng.permutation(len(X)), sorted(cuts))
    gradual, merged = exact(**parameters), None
    for rows in parts:
        part = X[rows], Y[rows], weight[rows]
        gradual.partial_fit(*part)
        alone = exact(**parameters).fit(*part)
        merged = alone if merged is None else merged.merge(alone)
    for model in (gradual, merged):
        np.testing.assert_allclose(model.coef_, whole.coef_, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(model.intercept_, whole.intercept_, rtol=1e-9)
        assert model.n_samples_seen_ == len(X)


def test_partial_fit_keeps_its_result_if_it_fails():
    model = exact().partial_fit(X, y)
    before = fitted_state(model)
    for data, target in [
        (X[:, :3], y),
        (X, Y),
        (np.full_like(X, np.nan), y),
    ]:
        with pytest.raises(ValueError, match=r"features|output|NaN"):
            model.partial_fit(data, target)
        assert fitted_state(model) == before


def test_merge_leaves_the_other_model_as_it_was_and_checks_it():
    model, other = exact().fit(X, y), exact(k=0.1).fit(X, y)
    before = fitted_state(other)
    assert model.merge(other) is model
    assert fitted_state(other) == before
    with pytest.raises(ValueError, match=r"same features, got 5 and 3"):
        model.merge(exact().fit(X[:, :3], y))
    with pytest.raises(ValueError, match=r"must have 1 output\(s\).*got 2"):
        model.merge(exact().fit(X, Y))
    with pytest.raises(ValueError, match="other has solver='adam'"):
        model.merge(exact(solver="adam", lai_epochs=5, lai_interval=1).fit(X, y))
    with pytest.raises(TypeError, match="must be a LaiLinearRegressor, got None"):
        model.merge(None)
    with pytest.raises(NotFittedError):
        model.merge(exact())


def test_only_the_exact_solver_adds_data():
    for parameters in ({"solver": "adam"}, {"loss": "absolute_error"}):
        model = exact(**parameters)
        assert not hasattr(model, "partial_fit")
        assert not hasattr(model, "merge")
    assert hasattr(exact(), "partial_fit")


def test_auto_is_exact_for_the_squared_error():
    assert hasattr(exact().fit(X, y), "optimality_")
    model = exact(loss="absolute_error", random_state=0).fit(X, y)
    assert hasattr(model, "loss_curve_")
    with pytest.raises(ValueError, match="solver='exact' needs loss='squared_error'"):
        exact(solver="exact", loss="absolute_error").fit(X, y)


def test_a_fit_forgets_what_the_last_solver_left():
    model = exact().fit(X, y)
    model.set_params(solver="adam", random_state=0).fit(X, y)
    assert not hasattr(model, "objective_")
    model.set_params(solver="exact").fit(X, y)
    assert not hasattr(model, "loss_curve_")


def test_an_optimality_above_tol_is_a_warning_where_fit_was_called(monkeypatch):
    data, target = load_diabetes(return_X_y=True)
    assert exact(tol=0.0, k=0.1).fit(data, target).optimality_ == 0
    monkeypatch.setattr(descent, "MAX_STEPS", 1)
    with pytest.warns(ConvergenceWarning, match=r"above tol=0\.") as record:
        exact(tol=0.0, k=0.1).fit(data, target)
    assert record[0].filename == __file__


EXACT = "fits the training data exactly, so that k has no effect.*noise.*fewer features"


def exactly_fitted(n_outputs=1):
    rng = np.random.default_rng(0)
    target = rng.normal(size=(20, n_outputs))
    return rng.normal(size=(20, 50)), target[:, 0] if n_outputs == 1 else target


@pytest.mark.parametrize("n_outputs", [1, 2])
def test_an_exact_fit_is_a_warning_where_fit_was_called(n_outputs):
    data, target = exactly_fitted(n_outputs)
    with pytest.warns(UserWarning, match=EXACT) as record:
        model = exact(k=0.1).fit(data, target)
    assert [warning.filename for warning in record] == [__file__]
    np.testing.assert_allclose(model.predict(data), target, atol=1e-8)
    with pytest.warns(UserWarning, match=EXACT):
        exact().fit(X, X @ np.arange(5.0))


@pytest.mark.parametrize(
    "parameters",
    [{"lai_fraction": 0}, {"feature_k": dict.fromkeys(range(50))}, {"noise": 0.3}],
)
def test_an_exact_fit_that_k_could_not_change_is_no_warning(parameters):
    exact(**parameters).fit(*exactly_fitted())


@pytest.mark.parametrize("value", [0.0, 0.1, 1e9])
def test_a_constant_target_is_no_warning(value):
    data, _ = exactly_fitted()
    exact().fit(data, np.full(20, value))
    exact().fit(X, np.full(len(X), value))


def test_collapse_is_a_warning_where_fit_was_called():
    with pytest.warns(
        ConvergenceWarning, match=r"collapse.*Raise k \(0\.01\)"
    ) as record:
        exact(k=0.01, lai_fraction=1.0).fit(X, y)
    assert record[0].filename == __file__


@pytest.mark.parametrize(
    ("weight", "problem"),
    [
        ([1.0], r"one weight per sample, shape \(120,\), got shape \(1,\)"),
        (np.zeros(120), r"not all zero"),
        (-np.ones(120), r">= 0"),
        (np.full(120, np.nan), r"sample_weight contains NaN"),
    ],
)
@pytest.mark.parametrize("solver", ["exact", "adam"])
def test_wrong_weights_are_named(weight, problem, solver):
    with pytest.raises(ValueError, match=problem):
        exact(solver=solver).fit(X, y, weight)


def test_full_batches_of_adam_weigh_samples_as_often_as_they_are_repeated():
    weight = np.random.default_rng(0).integers(0, 4, len(X))
    model = exact(
        solver="adam",
        k=0.1,
        lai_fraction=0.5,
        lai_interval=1,
        max_iter=20,
        lai_epochs=20,
        batch_size=10_000,
        fit_intercept=False,
        random_state=0,
    )
    weighted = model.fit(X, y, weight).coef_
    repeated = model.fit(X.repeat(weight, axis=0), y.repeat(weight)).coef_
    np.testing.assert_allclose(weighted, repeated, rtol=1e-9)
    assert not np.allclose(weighted, model.fit(X, y).coef_)


def lai_objective(data, target, coef, k, lai_fraction):
    """In the units of training, from the rows, in more digits than float64 has."""
    sds, unit = data.std(axis=0), target.std()
    X, y = (data - data.mean(axis=0)) / sds, (target - target.mean()) / unit
    coef = np.array(coef, dtype=np.longdouble) * sds / unit
    losses = np.maximum(np.square(coef), k**2) / (1 + np.square(coef)) / k**2
    mse = np.square(y - X @ coef).mean()
    return float(mse * (1 - lai_fraction + lai_fraction * losses.sum()))


@pytest.mark.parametrize("distance", [1e-3, 1e-5, 1e-7])
@pytest.mark.parametrize("noise", [1e-2, 1e-4, 1e-6, 1e-8])
@pytest.mark.parametrize("offset", [0.0, 100.0])
def test_little_noise_is_told_from_none(distance, noise, offset):
    rng = np.random.default_rng(0)
    x, z, e = rng.normal(size=(3, 200))
    data, target = np.column_stack([x, x + distance * z]), offset + x + noise * e
    model = exact(k=0.1, lai_fraction=0.5).fit(data, target)
    there = lai_objective(data, target, model.coef_, 0.1, 0.5)
    assert there <= lai_objective(data, target, [0.5, 0.5], 0.1, 0.5) * (1 + 1e-9)
    assert 0 < model.objective_ == pytest.approx(there, rel=1e-6)
    # Of the moments alone there is no more to be had than their rounding leaves.
    parts = exact(k=0.1, lai_fraction=0.5).partial_fit(data, target)
    in_parts = lai_objective(data, target, parts.coef_, 0.1, 0.5)
    assert in_parts <= 1.001 * parts.objective_
    assert parts.objective_ <= max(1.01 * there, 1e-11)


def test_parts_of_few_rows_give_what_fit_gives():
    data, target = exactly_fitted()
    with pytest.warns(UserWarning, match=EXACT):
        whole = exact(k=0.1).fit(data, target)
    parts = exact(k=0.1).partial_fit(data[:7], target[:7])
    parts.partial_fit(data[7:], target[7:])
    np.testing.assert_allclose(parts.coef_, whole.coef_, rtol=1e-8)
    assert parts.objective_ == whole.objective_ == 0


@pytest.mark.parametrize("distance", [1e-4, 1e-7, 1e-9])
@pytest.mark.parametrize("standardize", [True, False])
@pytest.mark.parametrize("n_samples", [6, 100])
def test_the_objective_of_nearly_collinear_data_is_that_of_the_rows(
    distance, standardize, n_samples
):
    rng = np.random.default_rng(0)
    x, z, e = rng.normal(size=(3, n_samples))
    data, target = np.column_stack([x, x + distance * z]), x - z**2 + 0.3 * e
    model = exact(k=1.0, lai_fraction=0.5, standardize=standardize).fit(data, target)
    if standardize:
        there = lai_objective(data, target, model.coef_, 1.0, 0.5)
    else:
        residual = (target - model.predict(data)).astype(np.longdouble)
        losses = np.maximum(model.coef_**2, 1) / (1 + model.coef_**2)
        there = np.square(residual).mean() * (0.5 + 0.5 * losses.sum())
    assert model.objective_ == pytest.approx(float(there), rel=1e-7)


@pytest.mark.parametrize("offset", [0.0, 1e5])
@pytest.mark.parametrize("noise", [1e-3, 1e-5, 1e-7])
@pytest.mark.parametrize(
    "model",
    [
        LaiLinearRegressor(k=0.1, lai_fraction=1.0),
        LaiLinearRegressorCV(ks=[0.1], cv=2, lai_fraction=1.0),
    ],
    ids=["one", "path"],
)
def test_the_objective_of_a_small_error_has_its_digits(model, noise, offset):
    rng = np.random.default_rng(2)
    x = rng.standard_normal(200)
    target = x + noise * rng.standard_normal(200)
    model = clone(model).fit((x + offset)[:, None], target)
    x, target = (
        np.longdouble(a) - np.longdouble(a).mean() for a in (x + offset, target)
    )
    sd_x, sd_y = np.sqrt((x**2).mean()), np.sqrt((target**2).mean())
    slope = np.longdouble(model.coef_[0]) * sd_x / sd_y
    mse = ((target / sd_y - slope * x / sd_x) ** 2).mean()
    expected = float(mse * (slope / 0.1) ** 2 / (1 + slope**2))
    assert model.objective_ == pytest.approx(expected, rel=1e-6 + 1e-21 / noise**2)


def test_a_direction_that_moments_cannot_tell_from_none_is_found_in_the_rows():
    rng = np.random.default_rng(0)
    data = rng.standard_normal((12, 2))
    target = data[:, 0] - data[:, 1] ** 2 + 0.3 * rng.standard_normal(12)
    data[:, 1] = data[:, 0] + 1e-7 * data[:, 1]
    model = LaiLinearRegressor().fit(data, target, 10.0 ** -np.arange(12))
    assert model.objective_ == pytest.approx(0.0855760873, rel=1e-6)


def test_rounding_of_the_means_costs_the_objective_no_digits():
    # The first column varies by few of its last digits but for one row.
    rng = np.random.default_rng(15)
    data = rng.standard_normal((6, 2))
    target = data[:, 0] - data[:, 1] ** 2 + 0.3 * rng.standard_normal(6)
    data[0] = 1e6
    data[:, 0] = 1 + 1e-14 * data[:, 0]
    model = LaiLinearRegressor().fit(data, target)
    assert model.objective_ == pytest.approx(0.3176062, rel=1e-5)
