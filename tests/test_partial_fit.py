"""partial_fit of the perceptron: passes over chunks, and what they add up to."""

import pickle

import numpy as np
import pytest
from common import X, Y, fitted_state, mlp, y
from sklearn.exceptions import ConvergenceWarning

from sklearn_lai import LaiMLPRegressorCV
from sklearn_lai._train.training import lai_schedule


def passes(model, n, data=X, target=y):
    for _ in range(n):
        model.partial_fit(data, target)
    return model


@pytest.mark.parametrize("target", [y, Y])
@pytest.mark.parametrize("lai_interval", [1, 3, None])
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_passes_over_all_data_are_the_epochs_of_fit(target, lai_interval, solver):
    # The mean error, and what is drawn, would be new in every pass.
    shared = {
        "solver": solver,
        "lai_interval": lai_interval,
        "lai_error": "own",
        "reach": 0,
        "shuffle": False,
    }
    model = mlp(lai_epochs=6, average=False, **shared)
    whole = model.fit(X, target).predict(X)
    losses = model.loss_curve_, [x for x in model.lai_loss_curve_ if x == x]
    gradual = passes(mlp(**shared), 9, X, target)
    assert (gradual.n_iter_, gradual.n_pretrain_iter_) == (9, 3)
    assert gradual.t_ == 9 * len(X)
    if lai_interval is None:  # other random batches, as many of them
        assert len(gradual.loss_curve_) == 9
        return
    np.testing.assert_allclose(gradual.predict(X), whole, rtol=1e-9)
    assert gradual.loss_curve_ == pytest.approx(losses[0])
    assert [x for x in gradual.lai_loss_curve_ if x == x] == pytest.approx(losses[1])


@pytest.mark.parametrize("interval", [1, 4, None])
def test_schedules_of_parts_have_as_many_lai_batches_as_one(interval):
    rng = np.random.default_rng(0)
    whole = lai_schedule(30, 0.13, interval, rng)
    parts = np.concatenate(
        [
            lai_schedule(n, 0.13, interval, rng, n_earlier=earlier)
            for earlier, n in [(0, 7), (7, 1), (8, 15), (23, 7)]
        ]
    )
    assert (parts[:, 1] > 0).sum() == (whole[:, 1] > 0).sum()
    if interval is not None:
        np.testing.assert_array_equal(parts, whole)


def test_new_data_with_other_units_leaves_the_function_as_it_is():
    model = passes(mlp(learning_rate_init=1e-12, lai_learning_rate_init=1e-12), 3)
    before = model.predict(X)
    model.partial_fit(100 * X - 40, 7 * y + 1000)
    np.testing.assert_allclose(model.predict(X), before, rtol=1e-6)


def test_units_are_those_of_all_rows_seen():
    parts = [slice(0, 30), slice(30, 50), slice(50, None)]
    model = mlp()
    for rows in parts:
        model.partial_fit(X[rows], y[rows])
    spread_X, spread_y = model._progress.spreads
    np.testing.assert_allclose(spread_X.mean, X.mean(0))
    np.testing.assert_allclose(spread_X.variance, X.var(0))
    assert spread_y.variance == pytest.approx(y.var())


def test_a_feature_that_starts_to_vary_is_learned():
    data = X.copy()
    data[:, 0] = 0.1
    model = passes(mlp(pretrain_epochs=200), 3, data)
    assert (model.input_gradient(X)[:, 0] == 0).all()
    passes(model, 30)
    assert (model.input_gradient(X)[:, 0] != 0).any()


def test_calls_after_fit_are_lai_training():
    model = mlp().fit(X, y)
    earlier = len(model.lai_loss_curve_)
    passes(model, 2)
    assert len(model.lai_loss_curve_) == earlier + 2
    assert (model.n_pretrain_iter_, model.n_iter_) == (3, 8)
    passes(model.set_params(pretrain_epochs=100), 1)
    assert (model.n_pretrain_iter_, model.n_iter_) == (3, 9)


def test_without_pretraining_every_call_is_lai_training():
    model = passes(mlp(pretrain_epochs=0, lai_epochs=0, k=1.0), 2)
    assert (model.n_pretrain_iter_, model.n_iter_) == (0, 2)
    assert len(model.lai_loss_curve_) == 2


def test_fit_after_partial_fit_starts_anew():
    expected = fitted_state(mlp().fit(X, y))
    assert fitted_state(passes(mlp(), 2).fit(X, y)) == expected


def test_a_failed_pass_changes_nothing():
    model = passes(mlp(), 4)
    before, curve = fitted_state(model), list(model.loss_curve_)
    for data, target, message in [
        (X[:, :3], y, "features"),
        (X, Y, r"layer sizes of the last fit.*\[5, 8, 1\].*\[5, 8, 2\]"),
        (np.full_like(X, np.inf), y, "infinity"),
    ]:
        with pytest.raises(ValueError, match=message):
            model.partial_fit(data, target)
        assert fitted_state(model) == before
    unbroken = passes(mlp(), 5)
    assert fitted_state(model.partial_fit(X, y)) == fitted_state(unbroken)
    assert model.loss_curve_[:-1] == curve


def test_a_pickled_model_goes_on_as_if_it_had_stayed():
    model = passes(mlp(), 4)
    copy = pickle.loads(pickle.dumps(model))
    assert fitted_state(passes(copy, 3)) == fitted_state(passes(model, 3))


def test_single_and_double_precision_may_follow_each_other():
    model = passes(mlp(), 2, X.astype(np.float32))
    assert model.coefs_[0].dtype == np.float32
    assert passes(model, 2).coefs_[0].dtype == np.float64
    assert passes(model, 1, X.astype(np.float32)).coefs_[0].dtype == np.float64


def test_weights_of_a_chunk_count():
    weight = np.random.default_rng(0).integers(0, 3, len(X)).astype(float)
    model = mlp(batch_size=1000, alpha=1.0).partial_fit(X, y, weight)
    repeats = weight.astype(int)
    repeated = mlp(batch_size=1000, alpha=1.0)
    repeated.partial_fit(np.repeat(X, repeats, 0), np.repeat(y, repeats))
    np.testing.assert_allclose(model.predict(X), repeated.predict(X), rtol=1e-9)


def test_collapse_is_told_once():
    model = mlp(
        k=0.001, lai_fraction=1.0, lai_interval=1, learning_rate_init=0.05, alpha=0.0
    )
    passes(model, 3)
    with pytest.warns(ConvergenceWarning, match="collapse") as caught:
        passes(model, 100)
    assert len(caught) == 1
    assert caught[0].filename == __file__


def test_it_is_not_there_where_there_are_no_epochs_to_choose_from():
    assert not hasattr(mlp(early_stopping=True), "partial_fit")
    with pytest.raises(AttributeError, match="partial_fit"):
        mlp(early_stopping=True).partial_fit(X, y)
    assert not hasattr(LaiMLPRegressorCV(), "partial_fit")


def test_standardize_must_not_change_between_calls():
    model = passes(mlp(), 2)
    before = fitted_state(model)
    with pytest.raises(ValueError, match=r"standardize must stay .*=False"):
        passes(model.set_params(standardize=False), 1)
    assert fitted_state(model) == before
    raw = passes(mlp(standardize=False), 2)
    with pytest.raises(ValueError, match=r"standardize must stay .*=True"):
        passes(raw.set_params(standardize=True), 1)
