"""The second stage: its error, its step, its average, and what it draws."""

import re
import warnings

import numpy as np
import pytest
import torch
from common import X, Y, fitted_state, mlp, y
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import cross_val_predict, train_test_split

from sklearn_lai import (
    LaiLinearRegressor,
    LaiLinearRegressorCV,
    LaiMLPRegressor,
    LaiMLPRegressorCV,
)
from sklearn_lai._mlp import base as mlp_base
from sklearn_lai._statistics import ColumnStatistics
from sklearn_lai._train import trainer
from sklearn_lai._train.batches import Batches
from sklearn_lai.loss import BASE_LOSSES

weight = np.random.default_rng(0).uniform(0.1, 3, len(X))


@pytest.fixture
def mean_errors(monkeypatch):
    """Mean errors of the objectives that are made, None where errors are own."""
    seen = []
    make = trainer.make_objective

    def spy(*args, mean_error=None, **kwargs):
        seen.append(mean_error)
        return make(*args, mean_error=mean_error, **kwargs)

    monkeypatch.setattr(trainer, "make_objective", spy)
    return seen


def assert_has_mean_loss(mean_error, pretrained, rows, target, weights, **parameters):
    """Whether the loss of the error is the mean loss of a model, in standard units."""
    is_robust = parameters["loss"] != "squared_error"
    of_y = ColumnStatistics.of_most if is_robust else ColumnStatistics.of
    unit = np.sqrt(of_y(target, weights).variance)
    errors = torch.from_numpy((pretrained.predict(rows) - target) / unit)
    loss = BASE_LOSSES[parameters["loss"]]
    options = parameters.get("huber_delta", 1.0), parameters.get("quantile", 0.5)
    losses = loss(errors, *options).numpy()
    np.testing.assert_allclose(
        loss(mean_error, *options), np.average(losses, axis=0, weights=weights)
    )
    assert (mean_error > 0).all()


@pytest.mark.parametrize("weights", [np.ones(len(X)), weight], ids=["equal", "own"])
@pytest.mark.parametrize(
    "parameters",
    [
        {"loss": "squared_error"},
        {"loss": "absolute_error"},
        {"loss": "huber", "huber_delta": 0.1},
        {"loss": "huber", "huber_delta": 10.0},
        {"loss": "quantile", "quantile": 0.8},
    ],
)
def test_the_mean_error_has_the_mean_loss_of_the_pretrained_model(
    parameters, weights, mean_errors
):
    model = mlp(**parameters, max_iter=30)
    model.fit(X, Y, weights)
    mean_error = mean_errors[-1]
    pretrained = model.set_params(lai_epochs=0).fit(X, Y, weights)
    assert_has_mean_loss(mean_error, pretrained, X, Y, weights, **parameters)


def test_the_mean_error_is_that_of_the_best_weights(mean_errors):
    model = mlp(early_stopping=True, max_iter=40, learning_rate_init=0.05)
    rows, X_val, target, y_val = train_test_split(X, Y, random_state=0)
    model.fit(rows, target, X_val=X_val, y_val=y_val)
    assert np.argmax(model.validation_scores_) < 39
    mean_error = mean_errors[-1]
    model.set_params(lai_epochs=0).fit(rows, target, X_val=X_val, y_val=y_val)
    weights = np.ones(len(rows))
    assert_has_mean_loss(mean_error, model, rows, target, weights, loss="squared_error")


def test_a_warm_start_and_a_pass_measure_the_mean_error_anew(mean_errors):
    model = mlp(warm_start=True, max_iter=10).fit(X, y)
    model.fit(X, y)
    model.partial_fit(X, y)
    first, second, of_pass = (error for error in mean_errors if error is not None)
    assert len({first.item(), second.item(), of_pass.item()}) == 3


def test_own_errors_have_no_mean_one(mean_errors):
    mlp(lai_error="own").fit(X, y)
    assert all(error is None for error in mean_errors)


def test_the_average_is_over_the_epochs_of_the_second_half():
    coefs = [mlp(lai_epochs=n, average=False).fit(X, y).coefs_[0] for n in (3, 4, 5)]
    averaged = mlp(lai_epochs=5, average=True).fit(X, y).coefs_[0]
    np.testing.assert_allclose(averaged, np.mean(coefs, axis=0), rtol=1e-12)
    np.testing.assert_array_equal(
        mlp(lai_epochs=1, lai_interval=1).fit(X, y).coefs_[0],
        mlp(lai_epochs=1, lai_interval=1, average=False).fit(X, y).coefs_[0],
    )


def test_partial_fit_takes_no_average():
    passes = [mlp(average=average) for average in (True, False)]
    for _ in range(6):
        for model in passes:
            model.partial_fit(X, y)
    np.testing.assert_array_equal(passes[0].predict(X), passes[1].predict(X))


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_the_step_of_the_second_stage_is_its_own(solver):
    plain = mlp(solver=solver, lai_epochs=0).fit(X, y)
    frozen = mlp(solver=solver, lai_learning_rate_init=1e-300, alpha=0.0)
    np.testing.assert_allclose(
        frozen.fit(X, y).predict(X),
        plain.set_params(alpha=0.0).fit(X, y).predict(X),
        rtol=1e-12,
    )
    slow, fast = (
        mlp(solver=solver, lai_learning_rate_init=step).fit(X, y)
        for step in (0.001, 0.01)
    )
    assert slow.loss_curve_ == fast.loss_curve_
    assert slow.lai_plain_loss_curve_ != fast.lai_plain_loss_curve_


def test_without_a_fraction_nothing_of_the_lai_loss_matters():
    expected = fitted_state(mlp(lai_fraction=0).fit(X, y))
    del expected["feature_k_"]
    for change in [
        {"k": 0.01},
        {"reach": 0},
        {"lai_error": "own"},
        {"lai_interval": 1},
        {"norm": "l2"},
    ]:
        state = fitted_state(mlp(lai_fraction=0, **change).fit(X, y))
        del state["feature_k_"]
        assert state == expected


def test_draws_do_not_depend_on_how_many_processes_there_are():
    serial, parallel = (
        cross_val_predict(mlp(), X, y, cv=3, n_jobs=n_jobs) for n_jobs in (1, 2)
    )
    np.testing.assert_array_equal(serial, parallel)


def test_both_types_have_the_same_draws():
    single = mlp().fit(X.astype(np.float32), y).predict(X.astype(np.float32))
    np.testing.assert_allclose(single, mlp().fit(X, y).predict(X), rtol=1e-2)


@pytest.mark.parametrize("reach", [0, 0.3])
@pytest.mark.parametrize("lai_error", ["mean", "own"])
@pytest.mark.parametrize("lai_interval", [1, None])
def test_a_feature_alone_is_smoothed_alone(reach, lai_error, lai_interval):
    rng = np.random.default_rng(0)
    data = rng.normal(size=(400, 3))
    target = np.sin(2 * data).sum(axis=1) + 0.3 * rng.normal(size=400)
    others = {"feature_k": {0: None, 2: None}, "k": 0.05, "lai_fraction": 0.05}
    stages = {"max_iter": 60, "lai_epochs": 60, "hidden_layer_sizes": (32,)}
    shared = {"reach": reach, "lai_error": lai_error, "lai_interval": lai_interval}
    model = mlp(**shared, **stages, **others).fit(data, target)
    slopes = np.square(model.input_gradient(data)).mean(axis=0)
    plain = model.set_params(lai_fraction=0).fit(data, target).input_gradient(data)
    share = slopes / np.square(plain).mean(axis=0)
    assert share[1] < 0.5 * share[[0, 2]].min()


def test_adam_reaches_the_exact_objective_with_the_defaults():
    exact = LaiLinearRegressor(k=0.1).fit(X, y)
    adam = LaiLinearRegressor(k=0.1, solver="adam", random_state=0).fit(X, y)
    unit = X.std(axis=0) / y.std()
    np.testing.assert_allclose(adam.coef_ * unit, exact.coef_ * unit, atol=0.02)


def test_an_interruption_before_the_second_stage_keeps_the_first(monkeypatch):
    def interrupted(batches):
        raise KeyboardInterrupt

    expected = mlp(lai_epochs=0).fit(X, y).predict(X)
    monkeypatch.setattr(Batches, "in_order", interrupted)  # of the mean error
    model = mlp()
    with pytest.warns(UserWarning, match=r"after 3 epoch\(s\), 3 of them pretraining"):
        model.fit(X, y)
    np.testing.assert_array_equal(model.predict(X), expected)


@pytest.mark.parametrize("loss", ["squared_error", "huber"])
def test_a_stage_that_ends_worse_than_a_constant_is_told(loss, recwarn):
    model = mlp(loss=loss, activation="tanh", max_iter=50, lai_epochs=10)
    model.fit(X, y)
    assert not [w for w in recwarn if "of a constant" in str(w.message)]
    model.set_params(lai_learning_rate_init=1.0, average=False)
    with pytest.warns(
        ConvergenceWarning, match=r"times the loss of a constant.*\(1\.0"
    ):
        model.fit(X, y)
    assert model.score(X, y) < 0


def test_a_first_stage_alone_that_ends_worse_than_a_constant_is_told():
    model = mlp(loss="huber", activation="tanh", max_iter=50, lai_epochs=0)
    model.set_params(learning_rate_init=30.0, tol=0.0)
    with pytest.warns(ConvergenceWarning, match=r"a constant.* learning_rate_init"):
        model.fit(X, y)
    assert model.score(X, y) < 0


@pytest.mark.parametrize(
    "parameters",
    [
        {"learning_rate_init": 1.0, "early_stopping": True, "lai_fraction": 0.0},
        {"learning_rate_init": 3.0, "max_iter": 5, "lai_epochs": 2, "lai_interval": 1},
        {"standardize": False, "offset": 1e12},
    ],
    ids=str,
)
def test_a_first_stage_that_made_it_worse_than_a_constant_is_blamed(parameters):
    offset = parameters.pop("offset", 0.0)
    data, target = load_diabetes(return_X_y=True)
    model = LaiMLPRegressor(random_state=0, **parameters)
    with pytest.warns(ConvergenceWarning, match="constant.*lower learning_rate_init"):
        model.fit(data + offset, target)
    assert model.score(data + offset, target) < -1


@pytest.mark.parametrize("seed", range(3))
def test_a_short_first_stage_from_bad_weights_is_no_fault(seed, monkeypatch):
    layers = mlp_base._glorot_uniform
    monkeypatch.setattr(
        mlp_base,
        "_glorot_uniform",
        lambda *given: tuple([20 * a for a in arrays] for arrays in layers(*given)),
    )
    model = LaiMLPRegressor((3, 3), max_iter=1, lai_epochs=0, random_state=seed)
    assert "of a constant" not in told(model, X, Y)
    assert model.score(X, Y) < -10


def test_passes_that_end_worse_than_a_constant_are_told(recwarn):
    model = mlp(lai_learning_rate_init=3.0, activation="tanh")
    for _ in range(30):
        model.partial_fit(X, y)
    assert model.score(X, y) < -1
    assert any("lower lai_learning_rate_init" in str(w.message) for w in recwarn)


@pytest.mark.parametrize("path_epochs", [2, None])
def test_a_search_that_ends_worse_than_a_constant_is_told(path_epochs):
    shared = {"max_iter": 20, "lai_epochs": 2, "average": False, "random_state": 0}
    model = LaiMLPRegressorCV(ks=2, cv=2, path_epochs=path_epochs, **shared)
    model.set_params(lai_interval=1, lai_learning_rate_init=1.0)
    with pytest.warns(ConvergenceWarning, match="lower lai_learning_rate_init"):
        model.fit(X, y)
    assert model.score(X, y) < 0


@pytest.mark.parametrize(
    "model",
    [
        LaiMLPRegressor(max_iter=1, lai_epochs=0, learning_rate_init=1e200),
        LaiMLPRegressor(max_iter=1, lai_epochs=1, lai_learning_rate_init=1e200),
        LaiMLPRegressor(lai_learning_rate_init=1e100, lai_epochs=1, loss="huber"),
        LaiMLPRegressorCV(path_epochs=1, max_iter=1, lai_learning_rate_init=1e200),
        LaiLinearRegressor(solver="adam", max_iter=1, learning_rate_init=1e308),
    ],
    ids=str,
)
def test_the_last_step_is_looked_at(model):
    # No later loss is; batches of all rows, so that each epoch is a step.
    model.set_params(batch_size=len(X), random_state=0)
    with pytest.raises(ValueError, match=r"Predictions overflow.*learning_rate_init"):
        model.fit(X, y)
    assert not hasattr(model, "n_features_in_")


def test_the_last_step_of_a_pass_is_looked_at():
    model = mlp(lai_learning_rate_init=1e200, batch_size=len(X))
    with pytest.raises(ValueError, match="Predictions overflow"):
        model.partial_fit(X, y)


def told(model, *data):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(*data)
    return " ".join(str(w.message) for w in caught)


@pytest.mark.parametrize("Estimator", [LaiLinearRegressorCV, LaiMLPRegressorCV])
def test_a_constant_that_a_search_chose_is_no_fault(Estimator):
    rng = np.random.default_rng(0)
    model = Estimator(cv=3)
    if Estimator is LaiMLPRegressorCV:
        model.set_params(random_state=0, ks=[1e-3, 1.0], path_epochs=None)
    data, noise = rng.standard_normal((200, 5)), rng.standard_normal(200)
    message = told(model, data, noise)
    assert np.var(model.predict(data)) < 0.05 * np.var(noise)
    assert "collapse" not in message


@pytest.mark.parametrize("Estimator", [LaiLinearRegressorCV, LaiMLPRegressorCV])
def test_a_constant_without_choice_is_told(Estimator):
    model = Estimator(ks=[1e-4, 2e-4], cv=2, lai_fraction=0.5)
    if Estimator is LaiMLPRegressorCV:
        model.set_params(random_state=0, lai_interval=1, path_epochs=30, reach=0)
    message = told(model, X, y)
    assert re.search(r"collapse.*Raise ks \([12]e-04\)|collapse.*ks \(0.000", message)


def test_lbfgs_is_not_told_to_take_smaller_steps():
    data = load_diabetes(return_X_y=True)
    model = LaiMLPRegressor(solver="lbfgs", k=1e3, random_state=0, max_iter=40)
    message = told(model.set_params(lai_epochs=20), *data)
    assert "Likely cause: k (1000.0) above the slopes" in message
    assert "steps" not in message


@pytest.mark.parametrize(
    "model",
    [LaiMLPRegressor(), LaiLinearRegressor(solver="adam"), LaiMLPRegressorCV(cv=2)],
    ids=str,
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_raw_features_too_large_to_train_on_are_named(model, dtype):
    large = X.astype(dtype)
    large[:, 2] *= np.finfo(dtype).max ** 0.3
    with pytest.raises(ValueError, match=r"column 2 of X are too large.*standardize"):
        model.set_params(standardize=False).fit(large, y)
