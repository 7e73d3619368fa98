"""Lai Training: its batches, its stages, its randomness, its agreement with peers."""

import re
import warnings
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pytest
import torch
from common import X, Y, estimators, fitted_state, quick, y
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import huber
from scipy.stats import median_abs_deviation
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LinearRegression, QuantileRegressor
from sklearn.model_selection import cross_val_score
from sklearn.neural_network import MLPRegressor
from sklearn.preprocessing import scale

from sklearn_lai import LaiLinearRegressor, LaiMLPRegressor
from sklearn_lai._train.schedule import Plateau, lai_schedule

ROBUST_UNIT = median_abs_deviation(y, scale="normal")


class HuberLine:
    """Line of least Huber loss, by SciPy."""

    def __init__(self, delta):
        self.delta = delta

    def fit(self, X, y):
        X = np.column_stack([X, np.ones(len(X))])
        start = np.linalg.lstsq(X, y, rcond=None)[0]
        self.w = minimize(lambda w: huber(self.delta, X @ w - y).sum(), start).x
        return self

    def predict(self, X):
        return X @ self.w[:-1] + self.w[-1]


@given(
    n_batches=st.integers(0, 500),
    fraction=st.floats(0, 1),
    seed=st.integers(0, 9),
)
def test_random_batches_have_an_exact_share_of_the_stage(n_batches, fraction, seed):
    weights = lai_schedule(n_batches, fraction, None, np.random.default_rng(seed))
    assert weights[:, 1].sum() == round(fraction * n_batches)
    np.testing.assert_array_equal(weights.sum(1), 1)


@given(
    n_intervals=st.integers(1, 50),
    interval=st.integers(1, 9),
    fraction=st.floats(0, 1),
)
def test_every_interval_has_the_mixture_in_sum(n_intervals, interval, fraction):
    n_batches = n_intervals * interval
    weights = lai_schedule(n_batches, fraction, interval, np.random.default_rng(0))
    np.testing.assert_allclose(
        weights.reshape(n_intervals, interval, 2).mean(1),
        np.tile([1 - fraction, fraction], (n_intervals, 1)),
        atol=1e-12,
    )
    assert (np.flatnonzero(weights[:, 1]) % interval == interval - 1).all()


def test_random_batches_differ_between_seeds_and_fall_anywhere():
    drawn = [
        np.flatnonzero(lai_schedule(100, 0.1, None, np.random.default_rng(seed))[:, 1])
        for seed in range(200)
    ]
    counts = np.bincount(np.concatenate(drawn), minlength=100)
    assert counts.min() > 5
    assert counts.max() < 45


@given(st.lists(st.floats(-1, 1), min_size=1), st.integers(1, 5))
def test_plateau_is_where_nothing_improved_for_more_than_n_epochs(scores, patience):
    plateau = Plateau(tol=0.1, n_iter_no_change=patience)
    for epoch, score in enumerate(scores):
        best_before = [max(scores[:i], default=-np.inf) for i in range(epoch + 1)]
        stale = [s < b + 0.1 for s, b in zip(scores, best_before, strict=False)]
        if plateau.reached(score):
            assert all(stale[epoch - patience : epoch + 1])
            break
        assert epoch < patience or not all(stale[epoch - patience :])


@pytest.mark.parametrize(
    "optimizer",
    [
        {},
        {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 0.1},
        {"solver": "sgd"},
        {"solver": "sgd", "momentum": 0.5, "nesterovs_momentum": False},
        {"solver": "sgd", "momentum": 0.0},
        {"solver": "sgd", "learning_rate": "invscaling", "power_t": 0.2},
    ],
)
@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic", "identity"])
@pytest.mark.parametrize("target", [y, Y], ids=["one output", "two outputs"])
def test_plain_training_takes_the_steps_of_mlp_regressor(optimizer, activation, target):
    shared = {
        **optimizer,
        "hidden_layer_sizes": (7, 4),
        "activation": activation,
        "alpha": 3.0,
        "batch_size": 32,
        "learning_rate_init": 0.01,
        "shuffle": False,
        "warm_start": True,
        "n_iter_no_change": np.inf,
    }
    X_scaled, y_scaled = scale(X), scale(target)
    theirs = MLPRegressor(**shared, max_iter=1, random_state=0)
    ours = LaiMLPRegressor(
        **shared,
        standardize=False,
        lai_fraction=0,
        max_iter=1,
        lai_epochs=0,
        lai_learning_rate_init=0.01,
        average=False,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # of max_iter
        theirs.fit(X_scaled, y_scaled)
        ours.fit(X_scaled, y_scaled)
        ours.coefs_ = [coef.copy() for coef in theirs.coefs_]
        ours.intercepts_ = [intercept.copy() for intercept in theirs.intercepts_]
        theirs.set_params(max_iter=6).fit(X_scaled, y_scaled)
    # The second stage has a step size of its own.
    n_lai = 0 if "learning_rate" in optimizer else 2
    ours.set_params(max_iter=6 - n_lai, lai_epochs=n_lai).fit(X_scaled, y_scaled)
    curve = ours.loss_curve_[1:] + ours.lai_plain_loss_curve_
    assert curve == pytest.approx(theirs.loss_curve_[-6:], rel=1e-9)
    np.testing.assert_allclose(
        ours.predict(X_scaled), theirs.predict(X_scaled), rtol=1e-8, atol=1e-9
    )


@pytest.mark.parametrize("seed", [0, 7])
@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"hidden_layer_sizes": (9, 5), "activation": "logistic", "batch_size": 17},
        {"early_stopping": True, "max_iter": 50},
        {"solver": "sgd", "learning_rate": "invscaling", "learning_rate_init": 0.1},
        {"solver": "sgd", "learning_rate": "adaptive", "tol": 0.01},
        {"solver": "lbfgs", "max_iter": 20},
        {"shuffle": False, "alpha": 1.0},
    ],
    ids=str,
)
def test_the_same_seed_gives_the_model_of_mlp_regressor(parameters, seed):
    parameters = {"max_iter": 100, "random_state": seed} | parameters
    data, target = scale(X), scale(y)
    theirs = MLPRegressor(**parameters)
    # Of the rows that are not held out, the deviation is not exactly 1.
    raw = "early_stopping" in parameters
    ours = LaiMLPRegressor(**parameters, lai_epochs=0, standardize=not raw)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        theirs.fit(data, target)
        ours.fit(data, target)
    assert ours.n_iter_ == theirs.n_iter_
    assert ours.loss_ == pytest.approx(theirs.loss_)
    if theirs.solver != "lbfgs":  # which leaves no record there
        assert ours.loss_curve_ == pytest.approx(theirs.loss_curve_)
        assert ours.validation_scores_ == pytest.approx(theirs.validation_scores_)
    np.testing.assert_allclose(ours.predict(data), theirs.predict(data), rtol=1e-6)


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_warm_starts_are_as_patient_as_those_of_mlp_regressor(solver):
    parameters = {
        "solver": solver,
        "warm_start": True,
        "n_iter_no_change": 8,
        "tol": 0.02,
        "random_state": 0,
    }
    data, target = scale(X), scale(y)
    ours = LaiMLPRegressor(**parameters, lai_epochs=0)
    theirs = MLPRegressor(**parameters)
    lengths = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for max_iter in (5, 200, 200):
            for model in (theirs, ours):
                model.set_params(max_iter=max_iter).fit(data, target)
            lengths.append(ours.n_iter_)
            assert ours.loss_curve_ == pytest.approx(theirs.loss_curve_)
    assert lengths[1] < 200
    assert lengths[2] == 1  # nothing is left of the patience
    np.testing.assert_allclose(ours.predict(data), theirs.predict(data), rtol=1e-6)


@pytest.mark.parametrize("nesterovs_momentum", [True, False])
@pytest.mark.parametrize("early_stopping", [True, False])
def test_an_adaptive_step_falls_at_each_plateau_until_it_is_least(
    nesterovs_momentum, early_stopping, capsys
):
    model = quick(
        LaiMLPRegressor,
        solver="sgd",
        learning_rate="adaptive",
        learning_rate_init=0.01,
        nesterovs_momentum=nesterovs_momentum,
        early_stopping=early_stopping,
        tol=10.0,
        n_iter_no_change=1,
        max_iter=100,
        lai_epochs=0,
        verbose=True,
    ).fit(X, y)
    printed = capsys.readouterr().out
    rates = re.findall(r"Setting learning rate to (.+)\.$", printed, re.MULTILINE)
    # 0.01 / 5**6 is below 1e-6: the next plateau ends it.
    expected = [0.01 / 5**i for i in range(1, 7)]
    assert list(map(float, rates)) == pytest.approx(expected, rel=1e-5)
    assert model.n_iter_ == 1 + 7 * 2
    theirs = MLPRegressor(
        hidden_layer_sizes=(8,),
        solver="sgd",
        learning_rate="adaptive",
        learning_rate_init=0.01,
        early_stopping=early_stopping,
        tol=10.0,
        n_iter_no_change=1,
        max_iter=100,
    )
    assert theirs.fit(scale(X), scale(y)).n_iter_ == model.n_iter_


@estimators
def test_pretraining_depends_on_nothing_of_the_second_stage(Estimator):
    def pretrained(**parameters):
        model = quick(Estimator, **parameters).fit(X, y)
        return model.loss_curve_

    expected = pretrained()
    for change in [
        {"k": 0.05},
        {"norm": "l1"},
        {"lai_fraction": 0.9},
        {"lai_interval": None},
        {"feature_k": {0: None}},
        {"lai_epochs": 7},
    ]:
        assert pretrained(**change) == expected


@estimators
def test_second_stage_does_not_depend_on_the_length_of_the_first(Estimator):
    # The streams are independent: the batches of stage 2 are drawn from its own.
    short, long = (
        quick(
            Estimator,
            learning_rate_init=1e-300,
            lai_learning_rate_init=1e-300,
            max_iter=n,
        ).fit(X, y)
        for n in (1, 5)
    )
    assert short.lai_loss_curve_ == long.lai_loss_curve_


@estimators
@pytest.mark.parametrize("random_state", [0, 7])
def test_same_seed_same_result(Estimator, random_state):
    first, second = (
        quick(Estimator, random_state=random_state, lai_interval=None).fit(X, y)
        for _ in range(2)
    )
    assert fitted_state(first) == fitted_state(second)


@estimators
def test_other_seeds_give_other_results(Estimator):
    def predicted(random_state):
        return quick(Estimator, random_state=random_state).fit(X, y).predict(X).tolist()

    generator = np.random.RandomState(0)
    results = [0, 1, generator, generator, None, None]
    results = [predicted(random_state) for random_state in results]
    assert len({tuple(result) for result in results}) == len(results)


@estimators
@pytest.mark.parametrize("random_state", [0, None])
def test_global_generators_and_threads_stay_as_they_are(Estimator, random_state):
    def state():
        name, keys, *rest = np.random.get_state()  # noqa: NPY002 - the global one
        return name, keys.tolist(), rest, torch.get_rng_state().tolist()

    before, n_threads = state(), torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        quick(Estimator, random_state=random_state).fit(X, y)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(n_threads)
    assert state() == before


@estimators
@pytest.mark.parametrize("lai_interval", [1, 3, None])
def test_lai_training_lowers_the_lai_loss(Estimator, lai_interval):
    model = quick(
        Estimator,
        k=0.1,
        lai_fraction=0.3,
        lai_interval=lai_interval,
        max_iter=100,
        lai_epochs=60,
        learning_rate_init=0.01,
    ).fit(X, y)
    curve = np.array(model.lai_loss_curve_)
    curve = curve[np.isfinite(curve)]
    assert curve[-5:].mean() < 0.9 * curve[:5].mean()


@estimators
def test_exact_mixture_and_random_batches_end_near_each_other(Estimator):
    stages = {
        "max_iter": 100,
        "lai_epochs": 200,
        "learning_rate_init": 0.003,
    }
    exact, sampled, plain = (
        quick(Estimator, **stages, **change).fit(X, y)
        for change in ({"lai_interval": 1}, {"lai_interval": None}, {"lai_fraction": 0})
    )

    def mean_slope(model):
        return np.abs(model.input_gradient(X)).mean()

    assert mean_slope(exact) < 0.95 * mean_slope(plain)
    assert mean_slope(sampled) == pytest.approx(mean_slope(exact), rel=0.1)


@estimators
def test_lai_loss_curve_is_nan_where_no_batch_had_one(Estimator):
    model = quick(Estimator, lai_interval=8, lai_epochs=4).fit(X, y)  # 4 batches each
    assert np.isnan(model.lai_loss_curve_).tolist() == [True, False] * 2


@estimators
def test_all_directions_left_out_is_plain_training(Estimator):
    left_out = quick(Estimator, feature_k=dict.fromkeys(range(5)), lai_interval=1)
    plain = quick(Estimator, lai_fraction=0)
    np.testing.assert_allclose(
        left_out.fit(X, y).predict(X), plain.fit(X, y).predict(X), rtol=1e-9
    )
    assert np.isnan(left_out.feature_k_).all()


@estimators
def test_one_full_batch_does_not_depend_on_the_order_of_rows(Estimator):
    # With a reach, rows would be dealt other features and distances.
    order = np.random.default_rng(0).permutation(len(X))
    # Adam would amplify the rounding of a linear intercept's gradient, which is 0.
    special = {"reach": 0}
    if Estimator is LaiLinearRegressor:
        special = {"fit_intercept": False}
    model = quick(Estimator, batch_size=len(X), lai_interval=1, **special)
    predicted = model.fit(X, y).predict(X)
    np.testing.assert_allclose(
        predicted, model.fit(X[order], y[order]).predict(X), rtol=1e-9
    )


@estimators
def test_collapse_warns_and_says_what_to_do(Estimator):
    model = quick(
        Estimator,
        k=np.float64(0.001),  # as from a grid
        lai_fraction=1.0,
        lai_interval=1,
        max_iter=100,
        lai_epochs=100,
        learning_rate_init=0.02,
    )
    with pytest.warns(ConvergenceWarning, match=r"Raise k \(0.001\), or lower lai_fr"):
        model.fit(X, y)
    assert model.predict(X).var() < 0.01 * y.var()


@estimators
def test_collapse_is_reported_where_fit_was_called(Estimator):
    model = quick(
        Estimator,
        k=0.001,
        lai_fraction=1.0,
        lai_interval=1,
        max_iter=0,
        lai_epochs=200,
        learning_rate_init=0.02,
    )
    with pytest.warns(ConvergenceWarning) as caught:
        model.fit(X, y)
    assert caught[0].filename == __file__


@estimators
def test_predictions_that_were_constant_before_do_not_warn(Estimator):
    # Target and features are independent: pretraining has nothing to learn.
    noise = np.random.default_rng(0).normal(size=(4000, 1))
    target = np.random.default_rng(1).normal(size=4000)
    quick(Estimator, k=0.01, lai_fraction=0.5, max_iter=20).fit(noise, target)


@estimators
@pytest.mark.parametrize("lai_interval", [100, None])
def test_a_stage_too_short_for_any_lai_batch_warns(Estimator, lai_interval):
    model = quick(Estimator, lai_interval=lai_interval, lai_fraction=0.01)
    with pytest.warns(UserWarning, match="No batch of the second stage was to use"):
        model.fit(X, y)
    assert np.isnan(model.lai_loss_curve_).all()


@estimators
def test_norms_and_their_mix_train_differently(Estimator):
    options = [("l1", 0.5), ("l2", 0.5), ("elasticnet", 0.2), ("elasticnet", 0.8)]
    losses = [
        quick(Estimator, norm=norm, l1_ratio=l1_ratio, lai_interval=1)
        .fit(X, y)
        .lai_loss_curve_[0]
        for norm, l1_ratio in options
    ]
    l1, l2, low, high = losses
    assert l2 < low < high < l1
    ends = [
        quick(Estimator, norm="elasticnet", l1_ratio=l1_ratio, lai_interval=1)
        for l1_ratio in (0.0, 1.0)
    ]
    assert [model.fit(X, y).lai_loss_curve_[0] for model in ends] == pytest.approx(
        [l2, l1]
    )


def test_fits_in_threads_leave_the_thread_count_alone():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        for _ in range(3):
            with joblib.parallel_config("threading", n_jobs=2):
                cross_val_score(quick(LaiMLPRegressor), X, y)
            with ThreadPoolExecutor(1) as pool:  # a fresh thread takes the process's
                assert pool.submit(torch.get_num_threads).result() == 2
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode])
def test_fit_works_where_torch_records_no_gradients(context):
    expected = quick(LaiMLPRegressor).fit(X, y).predict(X)
    with context():
        predicted = quick(LaiMLPRegressor).fit(X, y).predict(X)
    np.testing.assert_array_equal(predicted, expected)


def test_linear_plain_training_reaches_least_squares():
    model = LaiLinearRegressor(
        lai_fraction=0,
        max_iter=300,
        lai_epochs=0,
        n_iter_no_change=np.inf,
        batch_size=len(X),
    ).fit(X, y)
    reference = LinearRegression().fit(X, y)
    np.testing.assert_allclose(model.coef_, reference.coef_, atol=1e-3)
    assert model.intercept_ == pytest.approx(reference.intercept_, abs=1e-3)


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"loss": "squared_error"}, 3.0),
        ({"loss": "absolute_error"}, 0.0),
        ({"loss": "huber", "huber_delta": 100.0}, 3.0),
        ({"loss": "huber", "huber_delta": 0.01}, 0.0),
        ({"loss": "quantile", "quantile": 0.6}, 0.0),
        ({"loss": "quantile", "quantile": 0.8}, 10.0),
    ],
)
def test_base_loss_decides_between_mean_and_quantiles(parameters, expected):
    target = np.concatenate([np.zeros(70), np.full(30, 10.0)])
    model = LaiLinearRegressor(
        lai_fraction=0, learning_rate_init=0.02, max_iter=400, **parameters
    ).fit(np.zeros((100, 1)), target)
    assert model.predict([[0.0]])[0] == pytest.approx(expected, abs=0.1)


@pytest.mark.parametrize(
    ("parameters", "reference"),
    [
        (
            {"loss": "quantile", "quantile": 0.8},
            QuantileRegressor(quantile=0.8, alpha=0),
        ),
        ({"loss": "huber", "huber_delta": 0.5}, HuberLine(delta=0.5 * ROBUST_UNIT)),
    ],
    ids=["quantile", "huber"],
)
def test_robust_losses_agree_with_a_general_solver(parameters, reference):
    model = quick(
        LaiLinearRegressor,
        lai_fraction=0,
        max_iter=4000,
        learning_rate_init=0.001,
        batch_size=len(X),
        **parameters,
    ).fit(X, y)
    assert np.abs(model.predict(X) - reference.fit(X, y).predict(X)).max() < 0.1


@pytest.mark.parametrize("loss", ["huber", "quantile"])
@estimators
def test_other_base_losses_make_smoother_models(Estimator, loss):
    model = quick(Estimator, loss=loss, max_iter=20, lai_epochs=100)
    plain = model.set_params(lai_fraction=0).fit(X, y).input_gradient(X)
    smooth = clone(model).set_params(lai_fraction=0.3, k=0.2, lai_interval=1)
    slopes = smooth.fit(X, y).input_gradient(X)
    assert np.abs(slopes).mean() < 0.9 * np.abs(plain).mean()


@estimators
def test_k_of_an_output_smooths_that_output(Estimator):
    k = np.full((2, X.shape[1]), 2.0)
    k[1] = 0.2
    model = quick(Estimator, k=k, lai_fraction=0.3, max_iter=20, lai_epochs=60)
    model.fit(X, Y)
    assert model.feature_k_.tolist() == k.tolist()
    slopes = np.abs(model.input_gradient(X)).mean(axis=(0, 2)) / Y.std(axis=0)
    assert slopes[1] < 0.7 * slopes[0]


def test_k_of_an_output_is_that_of_its_own_problem():
    k = np.array([[0.3, 0.1, 0.2, 0.1, 0.3], [0.02, 0.5, 0.1, 1.0, 0.3]])
    both = LaiLinearRegressor(k=k, lai_fraction=0.1, feature_k={0: None}).fit(X, Y)
    for j in range(2):
        alone = LaiLinearRegressor(k=k[j], lai_fraction=0.1, feature_k={0: None})
        np.testing.assert_allclose(
            both.coef_[j], alone.fit(X, Y[:, j]).coef_, rtol=1e-9
        )


IRIS = load_iris().data


@pytest.mark.parametrize("target", [0, 3])
@pytest.mark.parametrize("loss", ["squared_error", "huber"])
def test_a_first_stage_that_the_second_makes_good_is_not_warned_of(loss, target):
    features, y = np.delete(IRIS, target, axis=1), IRIS[:, target]
    model = LaiLinearRegressor(
        solver="adam", loss=loss, k=0.03, max_iter=1000, random_state=0
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(features, y)
    if loss == "squared_error":
        exact = LaiLinearRegressor(k=0.03).fit(features, y)
        coef = model.coef_ * features.std(axis=0) / y.std()
        factor = np.maximum(np.abs(coef), 0.03) / 0.03 / np.sqrt(1 + coef**2)
        lai = 0.99 + 0.01 * (factor**2).sum()
        objective = np.mean((model.predict(features) - y) ** 2) / y.var() * lai
        assert objective < 1.01 * exact.objective_


def test_one_output_that_stalls_in_the_first_stage_alone_is_warned_of():
    model = LaiLinearRegressor(solver="adam", loss="huber", random_state=0)
    model.set_params(lai_epochs=0, max_iter=1000)
    others = [np.zeros(len(IRIS))] * 9
    with pytest.warns(ConvergenceWarning, match="far from the least loss"):
        model.fit(IRIS[:, :3], np.column_stack([IRIS[:, 3], *others]))


@pytest.mark.filterwarnings("ignore:Training ended with")
@pytest.mark.parametrize("loss", ["squared_error", "huber"])
@pytest.mark.parametrize("raw", ["standardize", "fit_intercept"])
def test_a_linear_model_that_stalls_far_from_the_least_loss_warns(loss, raw):
    model = LaiLinearRegressor(solver="adam", loss=loss, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert model.fit(X, y).score(X, y) > 0.5
    with pytest.warns(ConvergenceWarning, match="far from the least loss"):
        model.set_params(**{raw: False}).fit(X + 1000, y)
