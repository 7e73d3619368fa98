"""scikit-learn's own checks, and what must hold for both estimators."""

import numpy as np
import pytest
from common import X, Y, estimators, mlp, quick, y
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import DataConversionWarning
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from sklearn_lai import (
    LaiLinearRegressor,
    LaiLinearRegressorCV,
    LaiMLPRegressor,
    LaiMLPRegressorCV,
)


def expected_failures(estimator):
    """Checks that fail, as they do for what else is random by row, and why."""
    check = "check_sample_weight_equivalence_on_dense_data"
    if getattr(estimator, "early_stopping", False):
        passes = [
            "check_fit_score_takes_y",
            "check_n_features_in_after_fitting",
            "check_estimators_partial_fit_n_features",
        ]
        reason = "as with MLPRegressor, there is partial_fit, which raises an error"
        return dict.fromkeys(passes, reason) | {
            check: "which rows are held out depends on how many there are"
        }
    if getattr(estimator, "reach", 0) > 0:
        return {check: "a row given twice has two distances, one of weight 2 has one"}
    return {}


@parametrize_with_checks(
    [
        LaiMLPRegressor(),
        LaiMLPRegressor(reach=0),
        LaiMLPRegressor(
            (20, 10),
            k=0.5,
            norm="elasticnet",
            lai_fraction=0.02,
            lai_interval=None,
            loss="absolute_error",
            activation="gelu",
            solver="sgd",
            learning_rate_init=0.02,
            early_stopping=True,
            standardize=False,
        ),
        LaiLinearRegressor(),
        LaiLinearRegressor(solver="adam", fit_intercept=False),
        LaiLinearRegressor(
            k=0.1, norm="l1", lai_fraction=0.05, fit_intercept=False, standardize=False
        ),
        LaiMLPRegressorCV(ks=2, cv=2, max_iter=50, lai_epochs=10),
        LaiMLPRegressorCV(
            (5,),
            ks=[1.0, 0.3],
            lai_epochs=10,
            reach=0,
            lai_error="own",
            cv=2,
            tolerance=0.1,
            norm="l1",
            activation="tanh",
            learning_rate_init=0.01,
        ),
        LaiLinearRegressorCV(ks=2, cv=2),
        LaiLinearRegressorCV(
            ks=[0.5, 0.1], norm="elasticnet", fit_intercept=False, tolerance=0.1
        ),
        LaiLinearRegressor(
            k=1.5,
            norm="l1",
            lai_interval=1,
            loss="absolute_error",
            fit_intercept=False,
            standardize=False,
            shuffle=False,
        ),
    ],
    expected_failed_checks=expected_failures,
)
# As scikit-learn does for its own estimators: the checks fit data that no model suits.
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
# Some checks have few rows, or a target that is linear.
@pytest.mark.filterwarnings("ignore:Least squares fits the training data exactly")
# check_array_api_input skips itself without SCIPY_ARRAY_API.
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@estimators
@settings(max_examples=25)
@given(
    X_exponents=st.lists(st.integers(-60, 60), min_size=5, max_size=5),
    y_exponents=st.lists(st.integers(-60, 60), min_size=2, max_size=2),
    single=st.booleans(),
)
def test_predictions_follow_the_units_bit_for_bit(
    Estimator, X_exponents, y_exponents, single
):
    X_factor = np.ldexp(1.0, X_exponents)
    y_factor = np.ldexp(1.0, y_exponents[:1] if single else y_exponents)
    target = y[:, None] if single else Y
    rescaled = target * y_factor
    model = quick(Estimator)
    if single:
        target, rescaled, y_factor = target[:, 0], rescaled[:, 0], y_factor[0]
    expected = model.fit(X, target).predict(X) * y_factor
    slope = model.input_gradient(X) * np.expand_dims(y_factor, -1) / X_factor
    model.fit(X * X_factor, rescaled)
    np.testing.assert_array_equal(model.predict(X * X_factor), expected)
    np.testing.assert_array_equal(model.input_gradient(X * X_factor), slope)


@estimators
@pytest.mark.parametrize("value", [0.0, 0.1, 1.0, 1e9])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_constant_feature_has_no_influence(Estimator, value, dtype):
    data = np.column_stack([X, np.full(len(X), value)]).astype(dtype)
    model = quick(Estimator, feature_k={0: 0.1}, k=1.0).fit(data, y)
    assert (model.input_gradient(data)[:, -1] == 0).all()
    assert (model.input_gradient(data)[:, 0] != 0).any()
    changed = data.copy()
    changed[:, -1] += 1
    np.testing.assert_array_equal(model.predict(changed), model.predict(data))


@estimators
def test_units_do_not_matter_in_single_precision_and_beside_constants(Estimator):
    data = np.column_stack([X, np.full(len(X), 0.1)]).astype(np.float32)
    factor = np.ldexp(1.0, [3, -9, 0, 5, 20, -7]).astype(np.float32)
    model = quick(Estimator)
    expected = model.fit(data, y).predict(data)
    np.testing.assert_array_equal(
        model.fit(data * factor, y).predict(data * factor), expected
    )


@estimators
def test_standard_scaler_in_front_changes_only_rounding(Estimator):
    model, X_scaled = quick(Estimator), StandardScaler().fit_transform(X)
    np.testing.assert_allclose(
        model.fit(X, y).predict(X), model.fit(X_scaled, y).predict(X_scaled), rtol=1e-9
    )


@estimators
def test_raw_units_differ_from_standardised_ones(Estimator):
    model = quick(Estimator, standardize=False)
    assert not np.allclose(
        model.fit(X, y).predict(X), model.fit(X * 8, y).predict(X * 8)
    )


@estimators
@pytest.mark.parametrize("target", [y, Y])
def test_input_gradient_is_the_slope_of_predict(Estimator, target):
    activation = {"activation": "tanh"} if Estimator is LaiMLPRegressor else {}
    model = quick(Estimator, **activation).fit(X, target)
    step = 1e-6
    numerical = np.stack(
        [
            (model.predict(X + step * e) - model.predict(X - step * e)) / (2 * step)
            for e in np.eye(X.shape[1])
        ],
        axis=-1,
    )
    slope = model.input_gradient(X)
    assert slope.shape == (*target.shape, X.shape[1])
    np.testing.assert_allclose(slope, numerical, rtol=1e-5, atol=1e-6)


@estimators
@pytest.mark.parametrize(
    ("fit_type", "expected"),
    [(np.float32, np.float32), (np.float64, np.float64), (np.int64, np.float64)],
)
def test_float32_stays_float32_and_all_else_is_float64(Estimator, fit_type, expected):
    data = (10 * X).astype(fit_type)
    model = quick(Estimator).fit(data, y)
    assert model.predict(data).dtype == expected
    assert model.input_gradient(data).dtype == expected


@estimators
@pytest.mark.parametrize("batch_size", ["auto", 1, 7, 10_000])
@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.filterwarnings("ignore:No batch")  # of large ones there are few
def test_any_batch_size_works(Estimator, batch_size, shuffle):
    model = quick(Estimator, batch_size=batch_size, shuffle=shuffle, max_iter=1)
    assert np.isfinite(model.fit(X[:20], y[:20]).predict(X)).all()


@estimators
# So few rows may, with the warning that says so.
@pytest.mark.filterwarnings("ignore:The Lai loss made the predictions collapse")
@pytest.mark.filterwarnings(r"ignore:Feature\(s\) .* vary by less")
@settings(max_examples=25)
@given(
    n_samples=st.integers(1, 12),
    n_features=st.integers(1, 4),
    n_outputs=st.integers(1, 3),
    constant_feature=st.booleans(),
    constant_target=st.booleans(),
    offset=st.sampled_from([0, 1e6, -1e12]),
    unit=st.sampled_from([1e-100, 1, 1e100]),
)
def test_small_and_extreme_data_works(
    Estimator,
    n_samples,
    n_features,
    n_outputs,
    constant_feature,
    constant_target,
    offset,
    unit,
):
    rng = np.random.default_rng(0)
    data = (rng.normal(size=(n_samples, n_features)) + offset) * unit
    target = (rng.normal(size=(n_samples, n_outputs)) + offset) * unit
    if constant_feature:
        data[:, 0] = data[0, 0]
    if constant_target:
        target[:, 0] = target[0, 0]
    model = quick(Estimator, lai_interval=1)
    model.fit(data, target.squeeze(1) if n_outputs == 1 else target)
    assert np.isfinite(model.predict(data)).all()


@estimators
@pytest.mark.parametrize("value", [0.0, 1e-6, 3.0, -1e100])
@pytest.mark.parametrize("trains", ["fit", "partial_fit"])
def test_a_constant_target_is_predicted_exactly(Estimator, value, trains):
    model = LaiLinearRegressor() if Estimator is LaiLinearRegressor else mlp()
    constant = np.full(len(X), value)
    getattr(model, trains)(X, constant)
    np.testing.assert_array_equal(model.predict(X + 1), constant)
    beside = getattr(clone(model), trains)(X, np.column_stack([y, constant]))
    np.testing.assert_array_equal(beside.predict(X + 1)[:, 1], constant)
    assert beside.predict(X)[:, 0].std() > 0


def test_what_was_constant_is_learned_once_it_varies():
    model = mlp(lai_epochs=0).partial_fit(X, np.full(len(X), 3.0))
    for _ in range(100):
        model.partial_fit(X, y)
    assert model.score(X, y) > 0.5


@estimators
@pytest.mark.filterwarnings("ignore:lbfgs failed to converge")
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("kind", [np.int64, np.uint8])
def test_numpy_integers_are_integers(Estimator, solver, kind):
    numbers = {
        "max_iter": 70,
        "lai_epochs": 70,
        "batch_size": 16,
        "lai_interval": 2,
        "random_state": 7,
        "n_iter_no_change": 200,
    }
    if Estimator is LaiMLPRegressor:
        numbers |= {"hidden_layer_sizes": 9, "max_fun": 250}
        numbers |= {"solver": solver}
    elif solver == "lbfgs":
        pytest.skip("LaiLinearRegressor has no lbfgs")
    as_numpy = {
        name: kind(value) if isinstance(value, int) else value
        for name, value in numbers.items()
    }
    expected, found = (
        quick(Estimator, **parameters, k=1.0).fit(X, y).predict(X)
        for parameters in (numbers, as_numpy)
    )
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("kind", [np.int64, np.uint8])
def test_numpy_integers_are_integers_in_a_path(kind):
    shared = {
        "hidden_layer_sizes": 8,
        "max_iter": 5,
        "random_state": 0,
        "batch_size": 9,
    }
    expected, found = (
        LaiMLPRegressorCV(ks=as_int(3), path_epochs=as_int(20), cv=2, **shared)
        .fit(X, y)
        .mse_path_
        for as_int in (int, kind)
    )
    np.testing.assert_array_equal(found, expected)


@estimators
def test_read_only_and_strided_data_works(Estimator):
    expected = quick(Estimator).fit(X, y).predict(X)
    wide = np.repeat(X, 2, axis=1)[:, ::2]
    wide.flags.writeable = False
    for data in (wide, np.asfortranarray(X)):
        model = quick(Estimator).fit(data, y)
        np.testing.assert_allclose(model.predict(data), expected, rtol=1e-9)
    backwards = quick(Estimator, standardize=False).fit(X[::-1], y[::-1])
    assert np.isfinite(backwards.predict(X)).all()


@estimators
def test_column_vector_is_one_target_with_a_warning(Estimator):
    with pytest.warns(DataConversionWarning, match="A column-vector y was passed"):
        model = quick(Estimator).fit(X, y[:, None])
    assert model.predict(X).shape == y.shape


@estimators
def test_k_is_resolved_per_feature(Estimator):
    model = quick(Estimator, k=[0.1, 0.2, 0.3, 0.4, 0.5], feature_k={1: 2.0, -0: None})
    model.fit(X, y)
    np.testing.assert_array_equal(model.feature_k_, [np.nan, 2.0, 0.3, 0.4, 0.5])
    model = quick(Estimator, k=0.7).fit(X, y)
    np.testing.assert_array_equal(model.feature_k_, [0.7] * 5)


@estimators
@pytest.mark.parametrize("norm", ["l1", "l2", "elasticnet"])
def test_lower_k_gives_smaller_slopes_for_every_norm(Estimator, norm):
    slopes = [
        np.abs(
            quick(
                Estimator,
                k=k,
                norm=norm,
                max_iter=60,
                lai_epochs=60,
                learning_rate_init=0.01,
            )
            .fit(X, y)
            .input_gradient(X)
        ).mean()
        for k in (1.0, 0.3, 0.1)
    ]
    assert slopes[0] > slopes[1] > slopes[2]


@estimators
def test_lower_k_of_one_feature_lowers_its_slope_most(Estimator):
    def slopes(feature_k):
        model = quick(
            Estimator,
            k=1.0,
            feature_k=feature_k,
            max_iter=60,
            lai_epochs=60,
            learning_rate_init=0.01,
        )
        return np.abs(model.fit(X, y).input_gradient(X)).mean(0)

    ratio = slopes({3: 0.1}) / slopes(None)
    assert ratio[3] < 0.8
    assert ratio.argmin() == 3


@estimators
def test_pretraining_stops_when_the_loss_does(Estimator):
    model = quick(Estimator, max_iter=50, n_iter_no_change=2, tol=10.0)
    model.fit(X, y)
    assert model.n_iter_ == 4 == len(model.loss_curve_)
    assert model.n_lai_iter_ == model.lai_epochs == len(model.lai_plain_loss_curve_)
    assert model.loss_ == model.lai_plain_loss_curve_[-1]


@pytest.mark.parametrize("value", [1e-6, 1e5 + 0.1, -1e24])
def test_a_constant_output_does_not_change_the_others_in_any_type(value):
    data = X.astype(np.float32)
    beside_zero, beside_value = (
        quick(LaiMLPRegressor).fit(data, np.column_stack([y, np.full(len(y), c)]))
        for c in (0.0, value)
    )
    np.testing.assert_array_equal(
        beside_value.predict(data)[:, 0], beside_zero.predict(data)[:, 0]
    )
    np.testing.assert_array_equal(
        beside_value.predict(data)[:, 1], np.full(len(y), np.float32(value))
    )
