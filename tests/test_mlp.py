"""What only the multilayer perceptron has."""

import pickle

import numpy as np
import pytest
from common import MODELS, X, Y, fitted_state, mlp, y
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import d2_pinball_score, r2_score
from sklearn.model_selection import KFold, cross_val_score
from sklearn.neural_network import MLPRegressor
from sklearn.preprocessing import scale

from sklearn_lai import LaiMLPRegressor
from sklearn_lai._train.trainer import DivergenceError, Trainer


@pytest.mark.parametrize("hidden", [(), 6, (6,), [5, 4], np.array([3, 3, 3])])
@pytest.mark.parametrize("target", [y, Y])
def test_attributes_are_those_of_mlp_regressor(hidden, target):
    ours, theirs = (
        Regressor(hidden_layer_sizes=hidden, tol=10, n_iter_no_change=1, **extra)
        for Regressor, extra in [
            (LaiMLPRegressor, {"lai_epochs": 0}),
            (MLPRegressor, {}),
        ]
    )
    ours.fit(X, target)
    theirs.fit(X, target)
    for mine, yours in zip(ours.coefs_, theirs.coefs_, strict=True):
        assert mine.shape == yours.shape
    for mine, yours in zip(ours.intercepts_, theirs.intercepts_, strict=True):
        assert mine.shape == yours.shape
    for name in ("n_layers_", "n_outputs_", "out_activation_", "n_features_in_"):
        assert getattr(ours, name) == getattr(theirs, name)
    for name in ("validation_scores_", "best_validation_score_"):
        assert getattr(ours, name) is None
    for name in ("n_iter_", "t_"):
        assert getattr(ours, name) == getattr(theirs, name)
    assert len(ours.loss_curve_) == ours.n_iter_
    assert ours.best_loss_ == min(ours.loss_curve_)
    assert ours.predict(X).shape == theirs.predict(X).shape


def test_no_hidden_layer_is_a_linear_model():
    model = mlp(hidden_layer_sizes=()).fit(X, y)
    np.testing.assert_allclose(
        model.input_gradient(X), np.tile(model.coefs_[0][:, 0], (len(X), 1))
    )


def test_early_stopping_takes_the_best_weights_and_scores_both_stages():
    model = mlp(
        early_stopping=True,
        max_iter=200,
        n_iter_no_change=3,
        learning_rate_init=0.05,
        lai_epochs=0,
    ).fit(X, y)
    assert len(model.validation_scores_) == model.n_iter_ < 200
    assert model.best_loss_ is None
    assert model.best_validation_score_ == max(model.validation_scores_)
    assert model.validation_scores_.index(model.best_validation_score_) < (
        model.n_iter_ - 1
    )
    both = clone(model).set_params(lai_epochs=4).fit(X, y)
    assert both.validation_scores_ == model.validation_scores_
    assert len(both.lai_validation_scores_) == 4
    best = model.validation_scores_.index(model.best_validation_score_) + 1
    stopped_there = clone(model).set_params(max_iter=best).fit(X, y)
    np.testing.assert_array_equal(model.predict(X), stopped_there.predict(X))


def test_a_score_that_is_no_number_is_never_the_best(monkeypatch):
    scores = iter([np.nan, 0.1, 0.3, np.nan, 0.2])
    monkeypatch.setattr(
        "sklearn_lai._train.score.Score.__call__", lambda *arguments: next(scores)
    )
    model = mlp(early_stopping=True, max_iter=5, lai_epochs=0).fit(X, y)
    monkeypatch.undo()
    assert model.best_validation_score_ == 0.3
    third = mlp(early_stopping=True, max_iter=3, lai_epochs=0).fit(X, y)
    np.testing.assert_array_equal(model.coefs_[0], third.coefs_[0])


def test_early_stopping_goes_back_where_training_diverges():
    shared = {"early_stopping": True, "solver": "sgd", "learning_rate_init": 1.0}
    model = mlp(**shared, max_iter=50, lai_epochs=0)
    with pytest.warns(ConvergenceWarning, match=r"diverged in epoch .*went back"):
        model.fit(X, y)
    assert np.isnan([model.loss_curve_[-1], model.validation_scores_[-1]]).all()
    assert len(model.validation_scores_) == len(model.loss_curve_) == model.n_iter_ < 50
    assert np.isfinite(model.best_validation_score_)
    best = int(np.nanargmax(model.validation_scores_))
    stopped_there = mlp(**shared, max_iter=best + 1, lai_epochs=0).fit(X, y)
    np.testing.assert_array_equal(model.predict(X), stopped_there.predict(X))


def test_the_second_stage_begins_anew_where_the_first_diverged(monkeypatch):
    shared = {"early_stopping": True, "lai_epochs": 4, "learning_rate_init": 1e-300}
    run, n_run = Trainer.run_epoch, iter(range(100))

    def diverge_in_the_third(*arguments):
        if next(n_run) == 2:
            raise DivergenceError
        return run(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "run_epoch", diverge_in_the_third)
        with pytest.warns(ConvergenceWarning, match="Training diverged in epoch 3"):
            model = mlp(max_iter=5, **shared).fit(X, y)
    # The steps were none, but the optimiser would have gone on from its moments.
    expected = mlp(max_iter=0, **shared).fit(X, y)
    np.testing.assert_allclose(model.lai_loss_curve_, expected.lai_loss_curve_)


def test_a_warm_start_goes_on_from_the_best_weights_of_all():
    model = mlp(early_stopping=True, warm_start=True, max_iter=60, lai_epochs=0)
    model.set_params(learning_rate_init=0.02).fit(X, y)
    best, predicted = model.best_validation_score_, model.predict(X)
    model.set_params(learning_rate_init=3.0).fit(X, y)
    assert max(model.validation_scores_[60:]) < best == model.best_validation_score_
    np.testing.assert_allclose(model.predict(X), predicted)


def test_early_stopping_leaves_the_validation_data_out():
    model = mlp(early_stopping=True, validation_fraction=0.25).fit(X, y)
    assert model.t_ == 90 * model.n_iter_


def test_warm_start_goes_on_from_the_last_weights():
    model = mlp(warm_start=True, hidden_layer_sizes=(8,), alpha=0.0)
    model.fit(X, y)
    first = dict(vars(model))
    steps = {"learning_rate_init": 1e-300, "lai_learning_rate_init": 1e-300}
    model.set_params(**steps).fit(X * 4 + 1, y)
    np.testing.assert_allclose(model.coefs_[0], first["coefs_"][0], rtol=1e-9)
    assert len(model.loss_curve_) == 2 * first["n_iter_"]
    assert model.t_ == 2 * first["t_"]


def test_curves_go_on_with_warm_start():
    model = mlp(warm_start=True, early_stopping=True).fit(X, y).fit(X, y)
    assert len(model.loss_curve_) == len(model.validation_scores_) == 6
    for name in ("loss_curve_", "plain_loss_curve_", "validation_scores_"):
        assert len(getattr(model, f"lai_{name}")) == 6
    assert (model.n_iter_, model.n_lai_iter_) == (3, 3)


def test_a_changed_activation_waits_for_the_next_fit():
    model = mlp(activation="tanh").fit(X, y)
    expected = model.predict(X)
    model.set_params(activation="relu")
    np.testing.assert_array_equal(model.predict(X), expected)
    assert (model.fit(X, y).predict(X) != expected).any()


def test_warm_start_with_data_in_single_precision():
    model = mlp(warm_start=True).fit(X, y)
    assert model.fit(X.astype(np.float32), y).coefs_[0].dtype == np.float32


def test_warm_start_needs_the_same_layers():
    model = mlp(warm_start=True).fit(X, y)
    before = model.predict(X)
    model.set_params(hidden_layer_sizes=(9,))
    with pytest.raises(
        ValueError, match=r"warm_start and partial_fit need .*\[5, 8, 1\].*9"
    ):
        model.fit(X, y)
    np.testing.assert_array_equal(model.predict(X), before)


@pytest.mark.parametrize("activation", ["softplus", "silu", "gelu"])
def test_smooth_activations_learn(activation):
    model = mlp(
        activation=activation,
        lai_fraction=0,
        max_iter=200,
        learning_rate_init=0.01,
    )
    assert model.fit(X, y).score(X, y) > 0.7


def test_weight_decay_shrinks_the_weights():
    small, large = (mlp(alpha=alpha, max_iter=40).fit(X, y) for alpha in (0, 50))
    assert sum((c**2).sum() for c in large.coefs_) < sum(
        (c**2).sum() for c in small.coefs_
    )


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")  # MLPRegressor's max_iter
def test_plain_training_is_as_accurate_as_mlp_regressor_on_diabetes():
    diabetes, target = load_diabetes(return_X_y=True)
    diabetes, target = scale(diabetes), scale(target)

    def mean_score(make):
        return np.mean(
            [
                cross_val_score(make(seed), diabetes, target, cv=KFold(5)).mean()
                for seed in range(5)
            ]
        )

    plain = {"max_iter": 200, "lai_epochs": 0}
    ours = mean_score(lambda seed: LaiMLPRegressor(**plain, random_state=seed))
    theirs = mean_score(lambda seed: MLPRegressor(random_state=seed, max_iter=200))
    assert abs(ours - theirs) < 0.01


def own_validation(**parameters):
    model = mlp(early_stopping=True, **parameters)
    return model.fit(X[:80], y[:80], X_val=X[80:], y_val=y[80:])


def test_own_validation_data_leaves_all_rows_to_training():
    plain = mlp().fit(X[:80], y[:80])
    model = own_validation()
    assert model.t_ == plain.t_
    assert model.loss_curve_[:3] == plain.loss_curve_[:3]


def test_own_validation_data_is_scored_in_both_stages():
    model = own_validation(max_iter=30, learning_rate_init=0.1)
    assert len(model.validation_scores_) == 30
    assert model.best_validation_score_ == max(model.validation_scores_)
    final = r2_score(y[80:], model.predict(X[80:]))
    assert len(model.lai_validation_scores_) == 3
    assert model.lai_validation_scores_[-1] == pytest.approx(final)


def test_own_validation_data_ends_pretraining_only():
    model = mlp(early_stopping=True, tol=10.0, n_iter_no_change=2, max_iter=50)
    model.fit(X[:80], y[:80], X_val=X[80:], y_val=y[80:])
    assert (model.n_iter_, model.n_lai_iter_) == (4, 3)


def test_weights_of_own_validation_data_count():
    weight = np.where(np.arange(40) < 20, 1.0, 0.0)
    model = mlp(early_stopping=True)
    shared = {"X_val": X[80:], "y_val": y[80:]}
    weighted = model.fit(X[:80], y[:80], sample_weight_val=weight, **shared)
    weighted = weighted.validation_scores_
    model.fit(X[:80], y[:80], X_val=X[80:100], y_val=y[80:100])
    assert weighted == pytest.approx(model.validation_scores_)


def test_transformed_targets_are_validated_on_if_they_are_given_so():
    outer = TransformedTargetRegressor(
        mlp(early_stopping=True), func=np.cbrt, inverse_func=lambda z: z**3
    )
    outer.fit(X[:80], y[:80], X_val=X[80:], y_val=np.cbrt(y[80:]))
    inner = mlp(early_stopping=True)
    inner.fit(X[:80], np.cbrt(y[:80]), X_val=X[80:], y_val=np.cbrt(y[80:]))
    assert outer.regressor_.validation_scores_ == inner.validation_scores_


def mean_of_rows_trained_on(model):
    """That of their targets, which tells the rows held out from others."""
    return float(model._progress.units.statistics[1].mean[0])


@pytest.mark.parametrize(
    "random_state", [None, np.random.RandomState(0), 0], ids=["none", "state", "int"]
)
def test_rows_held_out_stay_so_in_a_warm_start(random_state):
    model = mlp(early_stopping=True, warm_start=True, random_state=random_state)
    trained_on = mean_of_rows_trained_on(model.fit(X, y))
    for warm in (model, pickle.loads(pickle.dumps(model))):
        for _ in range(2):
            assert mean_of_rows_trained_on(warm.fit(X, y)) == trained_on
    cold = mean_of_rows_trained_on(model.set_params(warm_start=False).fit(X, y))
    assert (cold == trained_on) == isinstance(random_state, int)


def test_rows_held_out_in_a_warm_start_first_stay_so():
    model = mlp(warm_start=True, random_state=None).fit(X, y)
    model.set_params(early_stopping=True)
    assert len({mean_of_rows_trained_on(model.fit(X, y)) for _ in range(3)}) == 1


def test_a_model_along_k_keeps_its_rows_held_out_in_a_warm_start():
    search = clone(MODELS["mlp-cv"]).set_params(early_stopping=True, random_state=None)
    model = search.fit(X, y).estimator_at(0.3)
    trained_on = mean_of_rows_trained_on(model)
    model.set_params(warm_start=True).fit(X, y)
    assert mean_of_rows_trained_on(model) == trained_on


def test_a_quantile_is_validated_as_one():
    model = own_validation(loss="quantile", quantile=0.9)
    y_pred = model.predict(X[80:])
    expected = d2_pinball_score(y[80:], y_pred, alpha=0.9)
    assert model.lai_validation_scores_[-1] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("early_stopping", "validation", "message"),
    [
        (False, {"X_val": X, "y_val": y}, "X_val and y_val need early_stopping=True"),
        (True, {"X_val": X}, "X_val and y_val need each other; y_val is None"),
        (True, {"y_val": y}, "X_val and y_val need each other; X_val is None"),
        (True, {"sample_weight_val": y}, "sample_weight_val needs X_val and y_val"),
        (True, {"X_val": X, "y_val": Y}, r"y_val must have 1 output\(s\) as y, got 2"),
        (True, {"X_val": X[:1], "y_val": y[:1]}, "X_val must have at least 2 samples"),
        (True, {"X_val": X[:, :2], "y_val": y}, "X_val has 2 features"),
        (
            True,
            {"X_val": X, "y_val": y, "sample_weight_val": y[1:]},
            "sample_weight_val must have one weight per sample",
        ),
    ],
)
def test_wrong_validation_data_is_named(early_stopping, validation, message):
    model = mlp().fit(X, y)
    before = fitted_state(model)
    with pytest.raises(ValueError, match=message):
        model.set_params(early_stopping=early_stopping).fit(X, y, **validation)
    assert fitted_state(model) == before


def test_validation_data_must_fit_the_type_of_the_training_data():
    huge = np.where(X[0, 0] == X, 1e300, X)
    with pytest.raises(ValueError, match="X_val has values that are too large for fl"):
        mlp(early_stopping=True).fit(X.astype(np.float32), y, X_val=huge, y_val=y)


def test_a_constant_model_does_not_collapse_again():
    noise = np.random.default_rng(0).normal(size=len(X))
    model = mlp(warm_start=True, alpha=1e6, max_iter=300, lai_epochs=1)
    model.set_params(lai_interval=1).fit(X, noise)
    assert model.predict(X).var() < 1e-4
    model.partial_fit(X, noise)
    model.set_params(max_iter=0).fit(X, noise)
