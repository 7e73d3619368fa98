"""partial_fit of the perceptron: passes over chunks, and what they add up to."""

import pickle
import warnings

import numpy as np
import pytest
from common import X, Y, fitted_state, mlp, y
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import r2_score
from sklearn.neural_network import MLPRegressor
from sklearn.preprocessing import StandardScaler, scale

from sklearn_lai import LaiMLPRegressor, LaiMLPRegressorCV
from sklearn_lai._train.schedule import lai_schedule


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
        "k": 1.0,
        "shuffle": False,
    }
    model = mlp(lai_epochs=6, average=False, **shared).fit(X, target)
    gradual = passes(mlp(**shared, lai_epochs=0), 3, X, target)
    passes(gradual.set_params(lai_epochs=1), 6, X, target)
    assert (gradual.n_iter_, gradual.n_lai_iter_) == (9, 0)
    assert gradual.t_ == 9 * len(X)
    assert len(gradual.loss_curve_) == 9
    if lai_interval is None:  # other random batches, as many of them
        return
    np.testing.assert_allclose(gradual.predict(X), model.predict(X), rtol=1e-9)
    losses = model.loss_curve_ + model.lai_plain_loss_curve_
    assert gradual.loss_curve_ == pytest.approx(losses)
    np.testing.assert_allclose(gradual.lai_loss_curve_, model.lai_loss_curve_)


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


def test_data_of_nearly_the_same_units_leaves_the_function_as_it_is():
    model = passes(mlp(learning_rate_init=1e-12, lai_learning_rate_init=1e-12), 3)
    before = model.predict(X)
    model.partial_fit(1.2 * X - 0.1, 1.2 * y - 0.2 * y.mean())
    assert not np.allclose(model._progress.units.X.unit, X.std(axis=0), rtol=0.02)
    np.testing.assert_allclose(model.predict(X), before, rtol=1e-6)


def test_data_of_other_units_leaves_the_function_of_standard_units_as_it_is():
    def of_standard_units(model):
        units = model._progress.units
        inputs = units.X.mean + units.X.unit * standard
        return units.y.standardise(model.predict(inputs)[:, None])

    standard = np.random.default_rng(0).standard_normal(X.shape)
    model = passes(mlp(learning_rate_init=1e-12, lai_learning_rate_init=1e-12), 1)
    before = of_standard_units(model)
    model.partial_fit(3 * X - 1, 3 * y + 30)
    assert not np.allclose(model._progress.units.X.unit, X.std(axis=0), rtol=0.5)
    np.testing.assert_allclose(of_standard_units(model), before, atol=1e-6)


@pytest.mark.parametrize(
    "parameters", [{}, {"lai_epochs": 0}, {"solver": "sgd"}, {"loss": "huber"}], ids=str
)
@pytest.mark.parametrize("n_quiet", [50, 2000])
def test_a_quiet_chunk_leaves_what_a_fit_has_learned(n_quiet, parameters):
    def rows(n, deviation):
        data = rng.standard_normal((n, 3)) * [1, 1, deviation]
        return data, data.sum(axis=1)

    rng = np.random.default_rng(0)
    day, night, test = rows(2000, 1), rows(n_quiet, 1e-3), rows(1000, 1)
    model = LaiMLPRegressor(random_state=0, max_iter=50, **parameters).fit(*day)
    assert model.partial_fit(*night).score(*test) > 0.9


@pytest.mark.parametrize("parameters", [{}, {"solver": "sgd"}], ids=str)
@pytest.mark.parametrize("kind", ["sorted", "few rows first"])
def test_streams_are_learned_as_with_a_scaler_in_front(kind, parameters):
    rng = np.random.default_rng(0)
    data = rng.standard_normal((3000, 4))
    target = np.sin(2 * data[:, 0]) * 2 + data @ [0, 1, 2, -1]
    if kind == "sorted":
        order = np.argsort(data[:, 0])
        data, target = data[order], target[order]
    chunks = np.split(np.arange(3000), np.arange(300, 3000, 300))
    first = [np.arange(5)] if kind == "few rows first" else []
    ours = LaiMLPRegressor(random_state=0, lai_epochs=0, **parameters)
    theirs = MLPRegressor(random_state=0, **parameters)
    for model in (ours, theirs):
        model.set_params(learning_rate_init=0.005)
    of_X, of_y = StandardScaler(), StandardScaler()
    for rows in [*first, *3 * chunks]:
        ours.partial_fit(data[rows], target[rows])
        features = of_X.partial_fit(data[rows]).transform(data[rows])
        scaled = of_y.partial_fit(target[rows, None]).transform(target[rows, None])
        theirs.partial_fit(features, scaled.ravel())
    predicted = theirs.predict(of_X.transform(data))
    expected = r2_score(of_y.transform(target[:, None]), predicted)
    assert ours.score(data, target) > expected - 0.02


def test_units_are_those_of_all_rows_seen():
    parts = [slice(0, 30), slice(30, 50), slice(50, None)]
    model = mlp()
    for rows in parts:
        model.partial_fit(X[rows], y[rows])
    of_X, of_y = model._progress.units.statistics
    np.testing.assert_allclose(of_X.mean, X.mean(0))
    np.testing.assert_allclose(of_X.variance, X.var(0))
    assert of_y.variance == pytest.approx(y.var())


def test_a_feature_that_starts_to_vary_is_learned():
    data = X.copy()
    data[:, 0] = 0.1
    model = passes(mlp(lai_epochs=0), 3, data)
    assert (model.input_gradient(X)[:, 0] == 0).all()
    passes(model, 30)
    assert (model.input_gradient(X)[:, 0] != 0).any()


def test_passes_after_fit_go_on_with_its_last_stage():
    model = passes(mlp().fit(X, y), 2)
    assert (model.n_iter_, model.n_lai_iter_) == (3, 5)
    assert len(model.lai_loss_curve_) == len(model.lai_plain_loss_curve_) == 5
    assert model.loss_ == model.lai_plain_loss_curve_[-1]
    plain = passes(mlp(lai_epochs=0).fit(X, y), 2)
    assert (plain.n_iter_, plain.n_lai_iter_) == (5, 0)
    assert plain.loss_ == plain.loss_curve_[-1]
    assert plain.best_loss_ == min(plain.loss_curve_)


def test_every_pass_is_lai_training_unless_there_are_no_epochs_of_it():
    model = passes(mlp(k=1.0), 2)
    assert len(model.lai_loss_curve_) == len(model.loss_curve_) == model.n_iter_ == 2
    plain = passes(mlp(lai_epochs=0), 2)
    assert (len(plain.lai_loss_curve_), plain.n_iter_) == (0, 2)


@pytest.mark.parametrize("fits_first", [False, True])
@pytest.mark.parametrize("learning_rate", ["constant", "invscaling"])
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_passes_without_lai_training_are_those_of_mlp_regressor(
    solver, learning_rate, fits_first
):
    shared = {
        "hidden_layer_sizes": (8,),
        "batch_size": 32,
        "shuffle": False,
        "solver": solver,
        "learning_rate": learning_rate,
        "power_t": 0.3,
        "learning_rate_init": 0.02,
        "max_iter": 5,
        "random_state": 0,
    }
    data, target = scale(X), scale(y)
    theirs = MLPRegressor(**shared)
    ours = LaiMLPRegressor(**shared, lai_epochs=0, standardize=False)
    for model in (ours, theirs):
        if fits_first:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                model.fit(data, target)
        passes(model, 5, data, target)
    np.testing.assert_allclose(ours.predict(data), theirs.predict(data), rtol=1e-8)
    assert ours.loss_curve_ == pytest.approx(theirs.loss_curve_)


@pytest.mark.parametrize("learning_rate", ["constant", "invscaling", "adaptive"])
def test_lai_passes_do_not_depend_on_the_step_of_the_first_stage(learning_rate):
    models = [
        passes(mlp(solver="sgd", learning_rate=learning_rate), 4) for _ in range(2)
    ]
    models[1].set_params(learning_rate_init=1e-7)
    expected, found = (passes(model, 3).predict(X) for model in models)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_another_solver_begins_anew():
    model = passes(mlp(solver="sgd", learning_rate_init=0.5, lai_epochs=0), 1)
    before = model.predict(X)
    passes(model.set_params(solver="adam", learning_rate_init=1e-9), 2)
    np.testing.assert_allclose(model.predict(X), before, rtol=1e-5)


def test_passes_are_printed(capsys):
    passes(mlp(verbose=True), 2)
    assert capsys.readouterr().out.count("Iteration") == 2


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
    passes(model.set_params(lai_epochs=0), 3)
    model.set_params(lai_epochs=1)
    with pytest.warns(ConvergenceWarning, match="collapse") as caught:
        passes(model, 100)
    assert len(caught) == 1
    assert caught[0].filename == __file__


def test_there_are_no_passes_without_mini_batches_and_none_to_stop_after():
    with pytest.raises(ValueError, match="partial_fit does not support early_stopping"):
        mlp(early_stopping=True).partial_fit(X, y)
    assert not hasattr(mlp(solver="lbfgs"), "partial_fit")
    with pytest.raises(AttributeError, match="partial_fit"):
        mlp(solver="lbfgs").partial_fit(X, y)
    assert not hasattr(LaiMLPRegressorCV(), "partial_fit")


def test_standardize_must_not_change_between_calls():
    model = passes(mlp(), 2)
    before = fitted_state(model)
    with pytest.raises(ValueError, match=r"standardize must stay .*=False"):
        passes(model.set_params(standardize=False), 1)
    assert fitted_state(model) == before
    raw = passes(mlp(standardize=False, lai_epochs=0), 2)
    with pytest.raises(ValueError, match=r"standardize must stay .*=True"):
        passes(raw.set_params(standardize=True), 1)


def test_passes_without_a_varying_feature_are_those_of_the_first_stage():
    constant = np.ones_like(X)
    ours = LaiMLPRegressor(random_state=0).partial_fit(constant, y)
    plain = LaiMLPRegressor(random_state=0, lai_epochs=0).partial_fit(constant, y)
    np.testing.assert_array_equal(ours.predict(X), plain.predict(X))
    assert ours.lai_loss_curve_ == []
    ours.partial_fit(X, y)
    assert len(ours.lai_loss_curve_) == 1


def in_chunks(first, n_passes=30):
    """R2 on all data after passes over it in parts, the first one another."""
    rng = np.random.default_rng(0)
    data = rng.standard_normal((400, 4))
    target = data @ [2.0, 1.0, -1.0, 0.5] + np.sin(3 * data[:, 0])
    first_data, first_target = first(data[:100].copy(), target[:100].copy())
    model = LaiMLPRegressor(lai_epochs=0, learning_rate_init=0.003, random_state=0)
    model.partial_fit(first_data, first_target)
    for _ in range(n_passes):
        for rows in np.split(rng.permutation(400), 4):
            model.partial_fit(data[rows], target[rows])
    return model.score(data, target)


@pytest.mark.parametrize(
    "first",
    [
        lambda X, y: (X[:1], y[:1]),
        lambda X, y: (X * [0, 1, 1, 1], y),
        lambda X, y: (X * 1e-3, y),
        lambda X, y: (X + np.array([30.0, 0, 0, 0]), y),
        lambda X, y: (X, np.full_like(y, 7.0)),
        lambda X, y: (X, y * 1e-3),
        lambda X, y: (X, y * 1e3),
        lambda X, y: (X[:1], y[:1] + 1e4),
    ],
    ids=[
        "one row",
        "constant X",
        "tiny X",
        "far X",
        "constant y",
        "tiny y",
        "large y",
        "far row",
    ],
)
def test_a_first_chunk_unlike_the_rest_is_recovered_from(first):
    assert in_chunks(first) > in_chunks(lambda X, y: (X, y)) - 0.05


def test_weights_set_from_outside_are_those_of_the_next_pass():
    model = passes(mlp(learning_rate_init=1e-12, lai_learning_rate_init=1e-12), 2)
    model.coefs_ = [coef + 0.1 for coef in model.coefs_]
    before = model.predict(X)
    np.testing.assert_allclose(passes(model, 1).predict(X), before, rtol=1e-6)


@pytest.mark.parametrize("fits", [1, 3])
@pytest.mark.parametrize("share", [0.0, 1e-6, 1e-3, 0.05])
@pytest.mark.parametrize("lai_epochs", [0, 20])
def test_a_warm_start_keeps_what_it_knows_of_a_narrow_column(fits, share, lai_epochs):
    model = mlp(max_iter=200, warm_start=True, lai_epochs=lai_epochs).fit(X, y)
    before = model.score(X, y)
    narrow = X.copy()
    narrow[:, 1] = 0.5 + share * (X[:, 1] - 0.5)
    for _ in range(fits):
        model.set_params(max_iter=20).fit(narrow, model.predict(narrow))
    assert model.score(X, y) > before - 0.1


@pytest.mark.parametrize("value", [0.5, 0.0, 2.0])
def test_a_warm_start_keeps_what_it_knows_of_a_constant_column(value):
    # Nothing but the penalty would move the weights, in many steps as large as others.
    rng = np.random.default_rng(0)
    data = rng.standard_normal((400, 3)) + 0.5
    model = mlp(warm_start=True, max_iter=100, lai_epochs=100, alpha=1e-2)
    model.fit(data, data @ [3.0, 2.0, 1.0])
    before = model.score(data, data @ [3.0, 2.0, 1.0])
    constant = np.where([True, False, False], value, data)
    model.fit(constant, constant @ [3.0, 2.0, 1.0])
    assert model.score(data, data @ [3.0, 2.0, 1.0]) > before - 0.02


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_a_warm_start_keeps_what_it_knows_of_a_column_held_nearly_still(solver, seed):
    def target(data):
        return 2 * data[:, 0] + np.sin(2 * data[:, 1]) + data[:, 2]

    rng = np.random.default_rng(seed)
    data, test, still = (rng.standard_normal((500, 3)) for _ in range(3))
    still[:, 2] = 2 + 1e-3 * rng.standard_normal(500)
    model = LaiMLPRegressor(warm_start=True, random_state=0, solver=solver)
    model.set_params(activation="tanh", max_iter=50, lai_epochs=50).fit(
        data, target(data)
    )
    assert model.fit(still, target(still)).score(test, target(test)) > 0.8


def in_small_part(share, n_idle=0, scale=1.0, dtype=np.float64, **parameters):
    """R2 before and after a warm start on part of the range, and then predictions.

    Idle features have no influence, and go on to vary.
    """
    rng = np.random.default_rng(0)
    data = rng.standard_normal((500, 3 + n_idle))
    part = data * np.array([share] * 3 + [1.0] * n_idle)

    def target(data):
        first, second = np.sin(data[:, 0]) + data[:, 1], data[:, 2] - data[:, 0]
        return scale * np.column_stack([first, 4 * second])

    model = LaiMLPRegressor(warm_start=True, random_state=0, **parameters)
    scores = [
        model.fit(rows.astype(dtype), target(rows)).score(data, target(data))
        for rows in (data, part)
    ]
    return scores, model.predict(data)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("share", [0.05, 1e-3, 1e-6])
@pytest.mark.parametrize("lai_epochs", [0, 20])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n_idle", [0, 1])
def test_a_warm_start_of_sgd_keeps_what_it_knows_around_a_small_part_of_its_range(
    share, lai_epochs, dtype, n_idle
):
    (before, after), _ = in_small_part(
        share, n_idle, dtype=dtype, solver="sgd", lai_epochs=lai_epochs
    )
    assert after > before - 0.05


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_warm_start_in_a_small_part_does_not_depend_on_the_unit_of_y():
    parameters = {"solver": "sgd", "lai_epochs": 5, "max_iter": 30}
    _, expected = in_small_part(1e-3, **parameters)
    _, scaled = in_small_part(1e-3, scale=2.0**-20, **parameters)
    np.testing.assert_array_equal(scaled, expected * 2.0**-20)


def test_a_warm_start_on_rows_whose_predictions_overflow_diverges_without_warnings():
    data = np.random.default_rng(0).standard_normal((200, 2)).astype(np.float32)
    target = np.float32(1e20) * data[:, 0]
    model = mlp(solver="sgd", warm_start=True, lai_epochs=0).fit(data, target)
    with pytest.raises(ValueError, match="The training loss became"):
        model.fit(data * np.array([1e-3, 1e20], np.float32), target)


def test_a_warm_start_with_other_outputs_after_a_constant_column_is_refused():
    model = mlp(warm_start=True).fit(X * [1, 1, 1, 1, 0], y)
    with pytest.raises(ValueError, match="warm_start and partial_fit need the layer"):
        model.fit(X, Y)


def test_a_warm_start_after_a_constant_target_begins_with_new_weights():
    model = mlp(max_iter=200, warm_start=True, lai_epochs=0).fit(X[:50], np.ones(50))
    assert model.fit(X, y).score(X, y) > mlp(max_iter=200).fit(X, y).score(X, y) - 0.1


@pytest.mark.parametrize("lai_epochs", [0, 1])
def test_curves_grow_in_place_and_shrink_if_a_pass_fails(lai_epochs, monkeypatch):
    def fail(*_):
        raise KeyboardInterrupt

    model = passes(mlp(lai_epochs=lai_epochs), 3)
    curves = model.loss_curve_, model.lai_loss_curve_
    before = fitted_state(model)
    with monkeypatch.context() as patch:
        patch.setattr(model, "_set_importances", fail)
        with pytest.raises(KeyboardInterrupt):
            model.partial_fit(X, y)
    assert fitted_state(model) == before
    model.partial_fit(X, y)
    assert curves == (model.loss_curve_, model.lai_loss_curve_)
    assert curves[0] is model.loss_curve_
    assert curves[1] is model.lai_loss_curve_
    assert model.best_loss_ == min(model.loss_curve_)
    assert len(model.loss_curve_) == 4
