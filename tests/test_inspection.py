"""Displays show what was measured."""

import subprocess
import sys

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from common import FRAME, X, Y, quick, y
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_lai import (
    LaiLinearRegressor,
    LaiLinearRegressorCV,
    LaiMLPRegressor,
    LaiMLPRegressorCV,
)
from sklearn_lai.inspection import (
    LossCurveDisplay,
    SensitivityDisplay,
    SlopeDisplay,
    TradeoffDisplay,
)
from sklearn_lai.metrics import neg_noise_sensitivity, noise_sensitivity
from sklearn_lai.model_selection import smoothest_within

mpl.use("agg")
SCORING = {
    "accuracy": "neg_root_mean_squared_error",
    "smoothness": neg_noise_sensitivity,
}


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def search(grid, tolerance, **parameters):
    rule = smoothest_within(tolerance)
    model = make_pipeline(StandardScaler(), Ridge(**parameters))
    return GridSearchCV(model, grid, scoring=SCORING, refit=rule).fit(FRAME, y)


def labels(display):
    return [text.get_text() for text in display.ax_.get_legend().get_texts()]


def row_names(display):
    """Names of the features, from the top down."""
    return [label.get_text() for label in display.ax_.get_yticklabels()]


def fitted_chooser(target=y, **parameters):
    return LaiMLPRegressorCV(
        (8,), ks=4, cv=2, tolerance=0.1, batch_size=32, random_state=0, **parameters
    ).fit(FRAME, target)


@pytest.mark.parametrize(
    ("parameters", "label"),
    [
        ({}, "RMSE (target units)"),
        ({"noise": 0.5}, "RMSE under noise (target units)"),
        ({"loss": "quantile"}, "pinball loss (target units)"),
        ({"loss": "absolute_error"}, "mean absolute error (target units)"),
        ({"loss": "huber"}, "mean absolute error (target units)"),
        ({"scoring": "r2"}, "$-$r2"),
        ({"scoring": neg_noise_sensitivity}, "$-$score"),
    ],
)
def test_tradeoff_of_a_cv_estimator_shows_its_paths(parameters, label):
    model = fitted_chooser(max_iter=10, path_epochs=4, **parameters)
    display = TradeoffDisplay.from_estimator(model)
    error = -model.score_path_.mean(axis=1)
    points = display.points_.get_offsets()
    np.testing.assert_allclose(points[:, 1], error)
    np.testing.assert_allclose(points[:, 0], model.sensitivity_path_.mean(axis=(1, 2)))
    np.testing.assert_array_equal(display.points_.get_array(), model.ks_)
    assert model.ks_[display.chosen] == model.k_
    assert display.largest_error == pytest.approx(error.min() + 0.1 * abs(error.min()))
    assert display.ax_.get_ylabel() == label


def test_errors_of_several_outputs_are_in_standard_deviations_of_each():
    outputs = np.column_stack([y, 100 * y])
    model = fitted_chooser(outputs, max_iter=10, path_epochs=4)
    display = TradeoffDisplay.from_estimator(model)
    assert display.ax_.get_ylabel() == "RMSE (target sd)"
    assert (display.error < 2).all()


def test_tradeoff_marks_where_one_stands():
    model = fitted_chooser(max_iter=10, path_epochs=4)
    display = TradeoffDisplay.from_estimator(model, at=model.ks_[1])
    assert display.current == 1
    assert labels(display)[1:] == [
        f"chosen: k = {model.k_:.2g}",
        f"k = {model.ks_[1]:.2g}",
    ]
    with pytest.raises(ValueError, match=r"at must be one of ks_, .*got 7"):
        TradeoffDisplay.from_estimator(model, at=7)


@pytest.mark.parametrize("tolerance", [0, 0.02, "1se"])
def test_tradeoff_of_a_search_marks_what_smoothest_within_chose(tolerance):
    grid = {"ridge__alpha": [0.1, 10, 30, 100, 1000]}
    found = search(grid, tolerance)
    display = TradeoffDisplay.from_cv_results(found.cv_results_, tolerance=tolerance)
    assert display.chosen == found.best_index_
    assert display.value_name == "alpha"
    chosen = f"chosen: alpha = {found.best_params_['ridge__alpha']:.2g}"
    assert labels(display) == ["within the tolerance", chosen]
    errors = display.points_.get_offsets()[:, 1]
    mean = found.cv_results_["mean_test_accuracy"]
    if tolerance in (0, "1se"):
        np.testing.assert_array_equal(errors, -mean)
    assert errors[mean.argmax()] == -mean.max()
    rougher = (
        np.delete(display.roughness, found.best_index_)
        < display.roughness[found.best_index_]
    )
    others = np.delete(display.error, found.best_index_)
    assert (others[rougher] > display.largest_error).all()


@pytest.mark.parametrize(
    ("largest_error", "end"), [(2.5, 2.5), (1.7e308, 6), (-1.7e308, 1)]
)
def test_tradeoff_band_leaves_the_points_visible(largest_error, end):
    display = TradeoffDisplay(
        error=[3.0, 1.0, np.nan], roughness=[1.0, 4.0, 0.0], largest_error=largest_error
    ).plot()
    (band,) = display.ax_.patches
    display.figure_.canvas.draw()
    corners = display.ax_.transData.inverted().transform(band.get_window_extent())
    np.testing.assert_allclose(corners[:, 1], [1, end])


def test_tradeoff_line_joins_the_candidates_that_none_beats():
    error = np.array([3.0, 1.0, np.nan, 2.0, 2.5])
    roughness = np.array([1.0, 4.0, 0.0, 2.0, 3.0])
    display = TradeoffDisplay(error=error, roughness=roughness).plot()
    assert display.line_.get_xydata().tolist() == [[1, 3], [2, 2], [4, 1]]


def test_tradeoff_of_several_parameters_has_no_colours():
    grid = {"ridge__alpha": [0.1, 10], "ridge__fit_intercept": [True, False]}
    display = TradeoffDisplay.from_cv_results(search(grid, 0).cv_results_)
    assert display.values is None
    assert len(display.figure_.axes) == 1
    assert "alpha" in labels(display)[1]
    assert "fit_intercept" in labels(display)[1]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.FitFailedWarning")
@pytest.mark.filterwarnings("ignore:One or more of the test scores are non-finite")
def test_tradeoff_skips_failed_candidates():
    found = search({"ridge__alpha": [-1, 10, 1000]}, 0)
    display = TradeoffDisplay.from_cv_results(found.cv_results_)
    assert np.isnan(display.error[0])
    assert display.line_.get_xydata().shape == (2, 2)
    assert display.chosen == found.best_index_


@pytest.mark.parametrize("seed", [0, None, np.random.RandomState(0)])
def test_the_noise_is_the_same_for_all_models(seed):
    model = LinearRegression().fit(X, y)
    models = {"a": model, "b": model}
    found = SensitivityDisplay.from_estimator(models, X, random_state=seed)
    np.testing.assert_array_equal(*found.sensitivities.values())


def test_a_generator_of_noise_goes_on():
    model, rng = LinearRegression().fit(X, y), np.random.RandomState(0)
    first, second = (
        SensitivityDisplay.from_estimator(model, X, random_state=rng) for _ in range(2)
    )
    name = type(model).__name__
    assert (first.sensitivities[name] != second.sensitivities[name]).any()


@pytest.mark.parametrize("target", [y, Y])
def test_sensitivities_are_those_of_the_metric_sorted(target):
    models = {"a": LinearRegression().fit(FRAME, target), "b": Ridge(50)}
    models["b"].fit(FRAME, target)
    display = SensitivityDisplay.from_estimator(models, FRAME, noise=0.5)
    measured = {
        name: np.atleast_2d(noise_sensitivity(model, FRAME, noise=0.5)).mean(axis=0)
        for name, model in models.items()
    }
    order = np.argsort(-np.mean(list(measured.values()), axis=0))
    assert row_names(display) == list(FRAME.columns[order])
    for line, name in zip(display.lines_, models, strict=True):
        assert line.get_label() == name
        np.testing.assert_array_equal(line.get_xdata(), measured[name][order])
        assert (np.diff(line.get_ydata()) == -1).all()
    assert "0.5 SD" in display.ax_.get_xlabel()


def test_sensitivity_shows_the_most_sensitive_numeric_features():
    frame = FRAME.assign(colour="red")
    model = make_pipeline(SelectNumbers(), LinearRegression()).fit(frame, y)
    display = SensitivityDisplay.from_estimator(model, frame)
    assert len(row_names(display)) == 5
    top = SensitivityDisplay.from_estimator(model, frame, max_features=2)
    assert row_names(top) == row_names(display)[:2]
    named = SensitivityDisplay.from_estimator(
        LinearRegression().fit(X, y), X, feature_names=list("vwxyz")
    )
    assert set(row_names(named)) == set("vwxyz")
    assert set(row_names(SensitivityDisplay.from_estimator(model[-1], X))) == set(
        "01234"
    )


class SelectNumbers(StandardScaler):
    def fit(self, X, y=None):
        return super().fit(X.select_dtypes("number"))

    def transform(self, X):
        return super().transform(X.select_dtypes("number"))


def curve(display, name):
    return display.lines_[name].get_xydata()


@pytest.mark.parametrize("warm", [False, True])
def test_loss_curves_are_those_of_the_last_fit(warm):
    model = quick(
        LaiMLPRegressor,
        max_iter=4,
        early_stopping=True,
        warm_start=warm,
    ).fit(X, y)
    if warm:
        model.set_params(lai_epochs=2).fit(X, y)
    display = LossCurveDisplay.from_estimator(model)
    n_lai = model.n_lai_iter_
    assert (model.n_iter_, n_lai) == (4, 2 if warm else 3)
    epochs = np.arange(1, 4 + n_lai + 1)
    losses = model.loss_curve_[-4:] + model.lai_plain_loss_curve_[-n_lai:]
    loss = np.column_stack([epochs, losses])
    np.testing.assert_array_equal(curve(display, "training loss"), loss)
    lai = np.column_stack([epochs[4:], model.lai_loss_curve_[-n_lai:]])
    np.testing.assert_array_equal(curve(display, "Lai loss"), lai)
    scores = model.validation_scores_[-4:] + model.lai_validation_scores_[-n_lai:]
    np.testing.assert_array_equal(curve(display, "validation score")[:, 1], scores)
    assert display.validation_ax_ is not None
    assert display.lines_["end of pretraining"].get_xdata()[0] == 4.5


def test_passes_are_epochs_of_the_loss_curve():
    model = quick(LaiMLPRegressor, lai_interval=1)
    for _ in range(3):
        model.partial_fit(X, y)
    display = LossCurveDisplay.from_estimator(model)
    for name in ("training loss", "Lai loss"):
        assert curve(display, name)[:, 0].tolist() == [1, 2, 3]


def test_lai_losses_of_an_earlier_fit_are_not_drawn():
    model = quick(LaiMLPRegressor, warm_start=True).fit(X, y)
    model.set_params(lai_epochs=0, max_iter=5).fit(X, y)
    display = LossCurveDisplay.from_estimator(model)
    assert list(display.lines_) == ["training loss"]


@pytest.mark.parametrize(
    ("parameters", "names"),
    [
        ({"lai_epochs": 0}, ["training loss"]),
        ({"max_iter": 0}, ["training loss", "Lai loss"]),
        ({"lai_fraction": 0}, ["training loss", "end of pretraining"]),
    ],
)
def test_loss_curve_has_only_what_there_was(parameters, names):
    model = quick(LaiLinearRegressor, **parameters).fit(X, y)
    display = LossCurveDisplay.from_estimator(model)
    assert list(display.lines_) == names
    assert display.validation_ax_ is None


@pytest.mark.parametrize("target", [y, Y])
@pytest.mark.parametrize("standardize", [True, False])
def test_slopes_are_in_the_units_of_k(target, standardize):
    model = quick(LaiMLPRegressor, k=0.4, feature_k={"b": 0.1, "c": None})
    model.set_params(standardize=standardize, learning_rate_init=0.01)
    model.fit(FRAME, target)
    display = SlopeDisplay.from_estimator(model, FRAME, target)
    unit = 1.0
    if standardize:
        spread = np.std(target, axis=0).reshape(-1, 1)
        unit = np.std(X, axis=0) / spread
    slopes = model.input_gradient(FRAME).reshape(len(X), -1, X.shape[1]) * unit
    np.testing.assert_allclose(display.slopes, slopes.reshape(-1, 5), rtol=1e-12)
    np.testing.assert_array_equal(display.k, [0.4, 0.1, np.nan, 0.4, 0.4])
    steepest = np.argsort(-np.abs(display.slopes).mean(axis=0))
    assert row_names(display) == list(FRAME.columns[steepest])


def test_slopes_have_the_k_of_every_output():
    k = np.linspace(0.1, 1, 10).reshape(2, 5)
    model = quick(LaiMLPRegressor, k=k, lai_interval=1).fit(FRAME, Y)
    display = SlopeDisplay.from_estimator(model, FRAME, Y)
    marks = [line for line in display.ax_.lines if line.get_label() == "$\\pm k$"]
    order = ["abcde".index(name) for name in row_names(display)]
    by_row = marks[0].get_xdata().reshape(4, 5)
    np.testing.assert_array_equal(by_row, np.concatenate([-k, k])[:, order])


def test_linear_slopes_in_a_pipeline_are_the_coefficients():
    pipeline = make_pipeline(StandardScaler(), LaiLinearRegressorCV(ks=3))
    pipeline.set_output(transform="pandas").fit(FRAME, y)
    model = pipeline[-1]
    display = SlopeDisplay.from_estimator(pipeline, FRAME, y)
    coef = np.broadcast_to(model.coef_ / np.std(y), X.shape)
    np.testing.assert_allclose(display.slopes, coef)
    np.testing.assert_array_equal(display.k, model.feature_k_)
    assert set(row_names(display)) == set("abcde")


def bounds_drawn(display):
    """Ends of the lines of the bounds by row, (n_rows, 2)."""
    lines = display.ax_.collections[-1].get_segments()
    return np.array([line[:, 0] for line in lines])


@pytest.mark.parametrize("target", [y, Y])
@pytest.mark.parametrize("standardize", [True, False])
def test_slopes_have_their_bounds_in_the_same_units(target, standardize):
    model = quick(LaiMLPRegressor, standardize=standardize).fit(FRAME, target)
    display = SlopeDisplay.from_estimator(model, FRAME, target, max_boxes=7)
    unit = 1.0
    if standardize:
        unit = np.std(X, axis=0) / np.std(target, axis=0).reshape(-1, 1)
    lower, upper = (end * unit for end in model.slope_bounds(max_boxes=7))
    lower, upper = lower.reshape(-1, 5).min(axis=0), upper.reshape(-1, 5).max(axis=0)
    np.testing.assert_allclose(display.bounds, [lower, upper], rtol=1e-12)
    assert (lower <= display.slopes.min(axis=0)).all()
    assert (display.slopes.max(axis=0) <= upper).all()
    order = ["abcde".index(name) for name in row_names(display)]
    reach = np.abs(bounds_drawn(display)).max()
    shown = np.clip(display.bounds, -reach, reach)
    np.testing.assert_allclose(bounds_drawn(display), shown[:, order].T)


def test_slopes_in_a_pipeline_have_the_bounds_of_the_last_step():
    pipeline = make_pipeline(StandardScaler(), quick(LaiMLPRegressor)).fit(FRAME, y)
    display = SlopeDisplay.from_estimator(pipeline, FRAME, y)
    expected = np.array(pipeline[-1].slope_bounds(max_boxes=100)) / np.std(y)
    np.testing.assert_allclose(display.bounds, expected)


def test_slopes_of_robust_losses_are_in_the_units_of_k():
    rng = np.random.default_rng(0)
    data = rng.normal(size=(400, 2))
    target = data[:, 0] + 0.3 * rng.standard_t(1.2, size=400)
    target[:4] = 1e4
    model = quick(LaiMLPRegressor, loss="huber", k=0.1).fit(data, target)
    display = SlopeDisplay.from_estimator(model, data, target)
    unit = 1.4826 * np.median(np.abs(target - np.median(target)))
    expected = model.input_gradient(data) * data.std(axis=0) / unit
    np.testing.assert_allclose(display.slopes, expected, rtol=1e-4)
    np.testing.assert_array_equal(display.k, [0.1, 0.1])
    assert display.unit == "robust target SD per feature SD"


def test_bounds_far_away_are_numbers():
    slopes, k = np.array([[0.1, -0.2], [0.2, 0.1]]), [0.3, np.nan]
    display = SlopeDisplay(
        slopes=slopes, k=k, feature_names=["a", "b"], bounds=[[-0.5, -7.25], [4.0, 0.2]]
    ).plot()
    assert {text.get_text() for text in display.ax_.texts} == {"\N{MINUS SIGN}7.2", "4"}
    np.testing.assert_allclose(bounds_drawn(display), [[-0.5, 0.9], [-0.9, 0.2]])
    assert "bounds" in [text.get_text() for text in display.ax_.get_legend().texts]


def test_bounds_are_left_out_on_demand():
    model = quick(LaiMLPRegressor).fit(FRAME, y)
    display = SlopeDisplay.from_estimator(model, FRAME, y, max_boxes=None)
    assert display.bounds is None
    assert "bounds" not in [text.get_text() for text in display.ax_.get_legend().texts]
    with pytest.raises(ValueError, match=r"max_boxes must be .* got 0"):
        SlopeDisplay.from_estimator(model, FRAME, y, max_boxes=0)


def test_displays_draw_on_given_axes_and_again():
    model = quick(LaiMLPRegressor).fit(FRAME, y)
    results = search({"ridge__alpha": [1, 10]}, 0).cv_results_
    _, axes = plt.subplots(2, 2)
    displays = [
        SlopeDisplay.from_estimator(model, FRAME, y, ax=axes[0, 0]),
        LossCurveDisplay.from_estimator(model, ax=axes[0, 1]),
        SensitivityDisplay.from_estimator(model, FRAME, ax=axes[1, 0]),
        TradeoffDisplay.from_cv_results(results, ax=axes[1, 1]),
    ]
    for display, ax in zip(displays, axes.flat, strict=True):
        assert display.ax_ is ax
        assert display.figure_ is ax.figure
        assert display.plot() is display
        assert display.ax_ is not ax
    displays[0].figure_.canvas.draw()


exact = LaiLinearRegressor().fit(X, y)


@pytest.mark.parametrize(
    ("draw", "error", "message"),
    [
        (lambda: TradeoffDisplay.from_estimator(exact), TypeError, "sensitivity_path_"),
        (
            lambda: TradeoffDisplay.from_estimator(LaiMLPRegressorCV()),
            NotFittedError,
            "not fitted",
        ),
        (
            lambda: TradeoffDisplay.from_cv_results({"mean_test_score": [1]}),
            ValueError,
            "accuracy='accuracy'",
        ),
        (
            lambda: TradeoffDisplay.from_cv_results({}, tolerance=-1),
            ValueError,
            "tolerance.*-1",
        ),
        (lambda: LossCurveDisplay.from_estimator(exact), TypeError, "lai_loss_curve_"),
        (
            lambda: LossCurveDisplay.from_estimator(LaiMLPRegressor()),
            NotFittedError,
            "not fitted",
        ),
        (
            lambda: SlopeDisplay.from_estimator(Ridge(), X, y),
            TypeError,
            "input_gradient.*Ridge",
        ),
        (
            lambda: SlopeDisplay.from_estimator(exact, X, y, feature_names=["a"]),
            ValueError,
            "feature_names.*5 features.*got 1",
        ),
        (
            lambda: SlopeDisplay.from_estimator(exact, X, y, max_features=0),
            ValueError,
            "max_features.*0",
        ),
        (lambda: SensitivityDisplay.from_estimator({}, X), ValueError, "got none"),
        (
            lambda: SensitivityDisplay.from_estimator(exact, X, noise=-1),
            ValueError,
            "noise.*-1",
        ),
        (
            lambda: LossCurveDisplay(loss=[np.nan] * 2, n_pretrain_epochs=1).plot(),
            ValueError,
            "loss must be finite",
        ),
        (
            lambda: SlopeDisplay(slopes=[[np.inf]], k=[0.1], feature_names=["a"]),
            ValueError,
            "slopes must be .* finite numbers",
        ),
    ],
)
def test_bad_input_is_named(draw, error, message):
    with pytest.raises(error, match=message):
        draw()


def test_matplotlib_is_imported_only_to_draw():
    code = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "from sklearn_lai.inspection import TradeoffDisplay\n"
        "display = TradeoffDisplay(error=[1.0], roughness=[1.0])\n"
        "try:\n    display.plot()\n"
        "except ImportError as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert "pip install matplotlib" in done.stdout


def test_tradeoff_of_a_list_of_grids_has_colours_only_if_one_thing_was_varied():
    results = {
        "params": [{"k": 0.1}, {"k": 0.3}, {"norm": "l2"}],
        "mean_test_accuracy": np.array([-1.0, -2.0, -3.0]),
        "mean_test_smoothness": np.array([-3.0, -2.0, -1.0]),
    }
    assert TradeoffDisplay.from_cv_results(results).values is None


@pytest.mark.parametrize(
    ("name", "values", "label"),
    [
        ("batch_size", [128, 130], "chosen: batch_size = 128"),
        ("shuffle", [True, False], "chosen: shuffle = True"),
        ("k", [0.123, 0.3], "chosen: k = 0.12"),
    ],
)
def test_tradeoff_labels_tell_values_apart(name, values, label):
    results = {
        "params": [{name: value} for value in values],
        "mean_test_accuracy": np.array([-1.0, -2.0]),
        "mean_test_smoothness": np.array([-2.0, -1.0]),
    }
    display = TradeoffDisplay.from_cv_results(results)
    assert label in display.ax_.get_legend_handles_labels()[1]


def test_slopes_of_a_pipeline_of_one_step():
    model = make_pipeline(quick(LaiMLPRegressor)).fit(X, y)
    display = SlopeDisplay.from_estimator(model, X, y)
    assert display.slopes.shape == X.shape
