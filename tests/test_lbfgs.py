"""solver='lbfgs': both stages on all rows at once."""

import itertools

import numpy as np
import pytest
from common import X, Y, fitted_state, mlp, y
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor
from sklearn.preprocessing import scale

from sklearn_lai import LaiMLPRegressor, LaiMLPRegressorCV
from sklearn_lai._train import lbfgs
from sklearn_lai.metrics import error_under_noise, noise_sensitivity

# Iterations of these tests are few.
pytestmark = pytest.mark.filterwarnings("ignore:lbfgs failed to converge")


def full(**parameters):
    return mlp(solver="lbfgs", **parameters)


@pytest.fixture
def losses(monkeypatch):
    """What was minimised, of each stage."""
    made, make = [], lbfgs._FullLoss

    def spy(*arguments):
        made.append(make(*arguments))
        return made[-1]

    monkeypatch.setattr(lbfgs, "_FullLoss", spy)
    return made


@pytest.mark.parametrize("target", [y, Y])
@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"noise": 0.5},
        {"noise": {0: 1.0}, "feature_k": {1: 0.1}},
        {"reach": 0, "activation": "tanh", "k": 0.5},
        {"reach": 0, "lai_error": "own", "norm": "l2", "activation": "silu"},
        {"lai_error": "own", "norm": "elasticnet", "loss": "huber"},
        {"lai_fraction": 0},
    ],
    ids=str,
)
def test_gradients_are_those_of_the_losses(parameters, target, losses):
    weight = np.random.default_rng(0).uniform(0.5, 2, len(X))
    parameters = {"activation": "tanh", "alpha": 3.0} | parameters
    full(max_iter=2, lai_epochs=2, **parameters).fit(X, target, weight)
    for loss in losses:
        at = loss.trainer.network.parameters.numpy().copy()
        _, gradient = loss(at)
        direction = np.random.default_rng(1).normal(size=at.shape)
        step = 1e-6 * direction
        slope = (loss(at + step)[0] - loss(at - step)[0]) / 2e-6
        assert gradient @ direction == pytest.approx(slope, rel=1e-5)


@pytest.mark.parametrize("activation", ["tanh", "relu", "logistic", "identity"])
def test_plain_training_takes_the_steps_of_mlp_regressor(activation):
    shared = {
        "hidden_layer_sizes": (8,),
        "activation": activation,
        "solver": "lbfgs",
        "alpha": 0.3,
        "tol": 0,
        "warm_start": True,
    }
    theirs = MLPRegressor(**shared, max_iter=1, random_state=0)
    ours = LaiMLPRegressor(**shared, max_iter=1, lai_epochs=0, standardize=False)
    data, target = scale(X), scale(y)
    with pytest.warns(ConvergenceWarning, match="lbfgs failed to converge"):
        theirs.fit(data, target)
    ours.fit(data, target)
    ours.coefs_ = [coef.copy() for coef in theirs.coefs_]
    ours.intercepts_ = [intercept.copy() for intercept in theirs.intercepts_]
    with pytest.warns(ConvergenceWarning, match="lbfgs failed to converge"):
        theirs.set_params(max_iter=6).fit(data, target)
    ours.set_params(max_iter=6).fit(data, target)
    assert ours.n_iter_ == theirs.n_iter_ == 6
    assert ours.loss_ == pytest.approx(theirs.loss_, rel=1e-9)
    np.testing.assert_allclose(ours.predict(data), theirs.predict(data), rtol=1e-6)


def test_each_iteration_is_an_epoch_of_the_record():
    model = full(max_iter=7, lai_epochs=5).fit(X, y)
    assert len(model.loss_curve_) == model.n_iter_ == 7
    assert len(model.lai_loss_curve_) == model.n_lai_iter_ == 5
    assert np.isfinite(model.lai_loss_curve_).all()
    assert (np.diff(model.loss_curve_) <= 0).all()
    assert model.t_ == 7 * len(X)


def test_the_mixture_never_rises():
    fraction = 0.2
    model = full(lai_fraction=fraction, alpha=0.0, lai_epochs=20, k=0.5).fit(X, y)
    plain, lai = np.array(model.lai_plain_loss_curve_), np.array(model.lai_loss_curve_)
    mixture = (1 - fraction) * plain + fraction * lai
    assert (np.diff(mixture) <= 1e-12).all()
    assert mixture[-1] < mixture[0]


@pytest.mark.parametrize("early_stopping", [False, True])
def test_what_is_for_batches_has_no_effect(early_stopping):
    expected = fitted_state(full().fit(X, y))
    changes = {
        "batch_size": 7,
        "shuffle": False,
        "learning_rate_init": 0.5,
        "lai_learning_rate_init": 0.5,
        "momentum": 0.1,
        "lai_interval": None,
        "average": False,
        "n_iter_no_change": 1,
        "early_stopping": early_stopping,
    }
    assert fitted_state(full(**changes).fit(X, y)) == expected


@pytest.mark.parametrize(("limit", "value"), [("max_iter", 3), ("max_fun", 4)])
def test_a_limit_of_the_first_stage_is_told(limit, value):
    model = full(**{"max_iter": 100, limit: value}, tol=0)
    with pytest.warns(ConvergenceWarning, match=rf"lbfgs failed .*{limit} \({value}\)"):
        model.fit(X, y)
    assert model.n_iter_ <= 4


def test_a_line_search_that_finds_nothing_is_told():
    with pytest.warns(ConvergenceWarning, match="no step along its direction leads"):
        full(standardize=False, max_iter=9, lai_epochs=0).fit(X * 1e70, y * 1e148)


def test_a_second_stage_that_ends_early_is_told():
    model = full(max_fun=5, max_iter=2, lai_epochs=50)
    with pytest.warns(
        ConvergenceWarning, match=r"ended the second stage before its 50"
    ):
        model.fit(X, y)
    assert 0 < model.n_lai_iter_ < 50


def test_a_step_of_a_path_that_ends_early_is_told():
    path = LaiMLPRegressorCV((8,), ks=[0.5, 0.3], cv=2, solver="lbfgs", max_fun=8)
    path.set_params(max_iter=2, path_epochs=30, random_state=0)
    with pytest.warns(ConvergenceWarning, match="second stage before its 30 iter"):
        path.fit(X, y)


def test_own_validation_data_is_refused():
    with pytest.raises(ValueError, match=r"need mini-batches.*, got 'lbfgs'"):
        full(early_stopping=True).fit(X, y, X_val=X, y_val=y)


def test_convergence_is_silent(recwarn):
    model = full(max_iter=10_000, tol=1e-3, alpha=10.0, lai_epochs=0).fit(X, y)
    assert model.n_iter_ < 10_000
    assert len(recwarn) == 0


def test_the_order_of_the_rows_does_not_matter_without_random_steps():
    order = np.random.default_rng(0).permutation(len(X))
    shared = {"reach": 0, "activation": "tanh", "max_iter": 10, "lai_epochs": 5}
    first, second = (
        full(**shared).fit(X[rows], y[rows]) for rows in (np.arange(len(X)), order)
    )
    np.testing.assert_allclose(first.predict(X), second.predict(X), rtol=1e-6)


def test_smaller_k_is_smoother():
    shared = {"max_iter": 30, "lai_epochs": 30, "alpha": 1.0, "lai_fraction": 0.01}
    sensitivities = [
        noise_sensitivity(full(k=k, **shared).fit(X, y), X).mean()
        for k in (1.0, 0.1, 0.03)
    ]
    assert sensitivities == sorted(sensitivities, reverse=True)


def test_few_rows_are_not_learned_with_their_noise_by_heart():
    rows, rest = slice(0, 60), slice(60, None)
    shared = {"max_iter": 100, "alpha": 1.0, "hidden_layer_sizes": (50,)}
    errors = []
    for parameters in ({"lai_epochs": 0}, {"noise": 1.0, "lai_epochs": 100}):
        model = full(**shared, **parameters, lai_fraction=0.01).fit(X[rows], y[rows])
        errors.append(error_under_noise(model, X[rest], y[rest], noise=1.0))
    assert errors[1] < 0.8 * errors[0]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_models_have_the_type_of_the_data(dtype):
    model = full().fit(X.astype(dtype), y)
    assert {array.dtype for array in model.coefs_} == {np.dtype(dtype)}


@pytest.mark.parametrize("path_epochs", [None, 4])
def test_a_path_may_be_followed(path_epochs):
    model = LaiMLPRegressorCV(
        (8,),
        ks=[0.5, 0.05],
        cv=2,
        solver="lbfgs",
        alpha=1.0,
        max_iter=20,
        lai_epochs=10,
        path_epochs=path_epochs,
        random_state=0,
    ).fit(X, y)
    assert model.sensitivity_path_[1].mean() < model.sensitivity_path_[0].mean()
    if path_epochs is None:
        single = model.estimator_at(0.05)
        alone = full(
            k=0.05,
            alpha=1.0,
            max_iter=20,
            lai_epochs=10,
            lai_fraction=0.01,
            lai_interval=5,
            batch_size="auto",
            n_iter_no_change=10,
        ).fit(X, y)
        assert fitted_state(single) == fitted_state(alone)


def test_memory_keeps_the_first_stage(tmp_path, capsys):
    expected = fitted_state(full(k=0.5).fit(X, y))
    full(k=0.9, memory=tmp_path).fit(X, y)
    model = full(k=0.5, memory=tmp_path, verbose=True).fit(X, y)
    assert fitted_state(model) == expected
    assert capsys.readouterr().out.count("Iteration") == model.n_lai_iter_


def test_an_interruption_leaves_the_iterations_done(monkeypatch):
    take, counts = lbfgs.Trainer.take_gradient, itertools.count()

    def interrupted(*arguments):
        if next(counts) == 5:
            raise KeyboardInterrupt
        return take(*arguments)

    monkeypatch.setattr(lbfgs.Trainer, "take_gradient", interrupted)
    with pytest.warns(UserWarning, match="interrupted by user after"):
        model = full(max_iter=20).fit(X, y)
    assert 1 <= model.n_iter_ < 20


def test_a_target_that_is_met_ends_at_once():
    model = full(max_iter=1000, warm_start=True).fit(X, y).set_params(tol=1e9)
    assert model.fit(X, y).n_iter_ == 1
