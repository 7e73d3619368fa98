"""Errors that name the cause: of data, weights, folds and sizes."""

from decimal import Decimal
from fractions import Fraction

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from common import FRAME, X, estimators, models, quick, y
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.datasets import make_regression
from sklearn.linear_model import Ridge

from sklearn_lai import (
    LaiLinearRegressor,
    LaiLinearRegressorCV,
    LaiMLPRegressor,
    LaiMLPRegressorCV,
    lai_linear_path,
)
from sklearn_lai.inspection import (
    SensitivityDisplay,
    SlopeDisplay,
    TradeoffDisplay,
)
from sklearn_lai.metrics import (
    error_under_noise,
    make_noisy_scorer,
    noise_sensitivity,
    prediction_variance,
)
from sklearn_lai.model_selection import smoothest_within


def replaced(array, value, dtype):
    array = array.astype(dtype)
    array.flat[0] = value
    return array


class Lazy:
    """A table as Dask has it."""

    columns = ("a", "b")

    def compute(self):
        return FRAME


DATA = [
    ("y", replaced(y, None, object), "Input y contains NaN"),
    ("y", replaced(y, np.inf, np.longdouble), "Input y contains infinity"),
    ("y", replaced(y, np.longdouble("1e400"), np.longdouble), "Input y contains inf"),
    ("y", replaced(y, 10**400, object), "y must have numbers that float64 can hold"),
    ("y", y.astype(str), "y must have numbers, got text such as"),
    ("y", pd.Series(y).astype(str), "y must have numbers, got text such as"),
    ("y", (10 * y).astype("m8[s]"), "y must have numbers, got dates or durations"),
    ("y", replaced(y, Decimal("NaN"), object), "Input y contains NaN"),
    ("y", np.empty((len(y), 0)), r"y must have shape .*n_outputs >= 1, got"),
    ("X", replaced(X, 10**400, object), "X must have numbers that float64 can hold"),
    ("X", X.astype(str), "X must have numbers, got text such as"),
    ("X", X.astype("S"), "X must have numbers, got text such as"),
    ("X", X.astype(str).tolist(), "X must have numbers, got text such as"),
    ("X", replaced(X, "5", object), "X must have numbers, got text such as '5'"),
    ("X", FRAME.assign(b="5"), "Column 'b' of X must have numbers, got text"),
    (
        "X",
        pl.DataFrame(FRAME.assign(b="5")),
        "Column 'b' of X must have numbers, got t",
    ),
    ("X", (10 * X).astype("M8[s]"), "X must have numbers, got dates or durations"),
    ("X", FRAME.assign(b=pd.Timestamp(0)), "Column 'b' of X must have numbers, got d"),
    ("X", FRAME.assign(b=pd.Timedelta(5)), "Column 'b' of X must have numbers, got d"),
    ("X", pl.DataFrame(FRAME).lazy(), r"X must be in memory.*pass X\.collect\(\)"),
    ("X", Lazy(), r"X must be in memory.*pass X\.compute\(\)"),
    ("y", y * 1j, "y must have real numbers"),
    ("y", csr_array(y[:, None]), "y must be dense"),
    ("X", X[:, 0], "X: Expected 2D array"),
    (
        "sample_weight",
        np.full(len(X), 1e200),
        "sample_weight must have a largest weight",
    ),
    ("X", replaced(X, Decimal("NaN"), object), "Input X contains NaN"),
    ("X", np.empty((len(y), 0)), r"X: Found array with 0 feature\(s\)"),
    ("sample_weight", y.astype(str), "sample_weight must have numbers, got text"),
    ("sample_weight", -1.0, "sample_weight must be a finite number > 0, got"),
    ("sample_weight", [[1]], r"sample_weight must have one weight per sample, shape"),
]


@models
@pytest.mark.parametrize(("name", "value", "message"), DATA)
def test_data_that_is_wrong_is_named(model, name, value, message):
    with pytest.raises((ValueError, TypeError), match=message):
        clone(model).fit(**{"X": X, "y": y, name: value})


def masked(values, n_masked=1):
    """Values of which the first are masked; beneath is what is far off."""
    values = np.array(values, dtype=np.float64)
    values.flat[:n_masked] = 1e6
    mask = np.arange(values.size).reshape(values.shape) < n_masked
    return np.ma.masked_array(values, mask=mask)


@models
@pytest.mark.parametrize("name", ["X", "y", "sample_weight"])
def test_masked_values_of_data_are_named(model, name):
    data = {"X": X, "y": y, "sample_weight": np.ones(len(X))}
    with pytest.raises(ValueError, match=f"^{name} must have no masked values"):
        clone(model).fit(**{**data, name: masked(data[name])})
    with pytest.raises(ValueError, match=f"^{name} must have no masked values"):
        clone(model).fit(**{**data, name: list(masked(data[name][:, None]))})
    unmasked = {key: masked(values, 0) for key, values in data.items()}
    found, expected = clone(model).fit(**unmasked), clone(model).fit(**data)
    predicted = found.predict(masked(X, 0))
    np.testing.assert_array_equal(predicted, expected.predict(X))
    assert not isinstance(predicted, np.ma.MaskedArray)


def validated(**values):
    data = {"X_val": X, "y_val": y, "sample_weight_val": np.ones(len(X))}
    quick(LaiMLPRegressor, early_stopping=True).fit(X, y, **{**data, **values})


def searched(**results):
    """A search whose accuracies are these."""
    smooth = {"mean_test_smoothness": [-2, -1]}
    smoothest_within(0.1)({"params": [{}, {}], **smooth, **results})


LINE = LaiLinearRegressor().fit(X, y)
MLP = quick(LaiMLPRegressor).fit(X, y)
NOISY_SCORER = make_noisy_scorer("r2", noise=0.1)
TAKING_MASKED = [
    ("X", LINE.predict, X),
    ("X", MLP.predict, X),
    ("X", LINE.input_gradient, X),
    ("X", LaiLinearRegressor().partial_fit, X, {"y": y}),
    ("X_val", validated, X),
    ("y_val", validated, y),
    ("sample_weight_val", validated, np.ones(len(X))),
    ("X", noise_sensitivity, X, {"estimator": LINE}),
    ("X", prediction_variance, X, {"estimator": LINE}),
    ("X", error_under_noise, X, {"estimator": LINE, "y": y, "noise": 0.1}),
    ("y", error_under_noise, y, {"estimator": LINE, "X": X, "noise": 0.1}),
    ("noise", error_under_noise, np.ones(5), {"estimator": LINE, "X": X, "y": y}),
    ("y", SlopeDisplay.from_estimator, y, {"estimator": LINE, "X": X}),
    ("y", NOISY_SCORER, y, {"estimator": LINE, "X": X}),
    (
        "sample_weight",
        NOISY_SCORER,
        np.ones(len(X)),
        {"estimator": LINE, "X": X, "y": y},
    ),
    ("lower", MLP.slope_bounds, np.ones(5)),
    ("upper", LINE.slope_bounds, np.ones(5)),
    ("ks", lai_linear_path, np.ones(3), {"X": X, "y": y}),
    ("mean_test_accuracy", searched, np.ones(2)),
]
TAKING_MASKED += [
    (name, lambda Estimator=Estimator, **p: Estimator(**p).fit(X, y), values)
    for Estimator, name, values in [
        (LaiLinearRegressor, "k", np.ones(5)),
        (LaiMLPRegressor, "k", np.ones((1, 5))),
        (LaiLinearRegressor, "noise", np.ones(5)),
        (LaiMLPRegressor, "hidden_layer_sizes", np.ones(2)),
        (LaiLinearRegressorCV, "ks", np.ones(3)),
        (LaiMLPRegressorCV, "ks", np.ones(3)),
    ]
]


@pytest.mark.parametrize(
    ("name", "function", "values", "others"),
    [(*case, {})[:4] for case in TAKING_MASKED],
)
def test_masked_values_of_an_argument_are_named(name, function, values, others):
    values = masked(values)
    if name == "hidden_layer_sizes":
        values = values.astype(int)
    with pytest.raises(ValueError, match=f"{name}.* must have no masked values"):
        function(**{name: values}, **others)


@pytest.mark.parametrize("Estimator", [LaiMLPRegressorCV, LaiLinearRegressorCV])
def test_masked_folds_and_groups_are_named(Estimator):
    parts = np.arange(60), masked(np.arange(60, 120)).astype(int)
    with pytest.raises(ValueError, match=r"(?s)cv must be .* have no masked values"):
        Estimator(ks=1, cv=[parts]).fit(X, y)
    with pytest.raises(ValueError, match="groups must have no masked values"):
        Estimator(ks=1).fit(X, y, groups=masked(np.arange(120)))


@pytest.mark.parametrize("convert", [Fraction, Decimal])
def test_exact_numbers_as_data_are_numbers(convert):
    exact = np.vectorize(lambda x: convert(float(x)), otypes=[object])
    expected = LaiLinearRegressor().fit(X, y)
    model = LaiLinearRegressor().fit(exact(X), exact(y))
    np.testing.assert_array_equal(model.coef_, expected.coef_)
    np.testing.assert_array_equal(model.predict(exact(X)), expected.predict(X))


def test_prediction_names_its_data():
    model = LaiLinearRegressor().fit(FRAME, y)
    for method in (model.predict, model.input_gradient):
        with pytest.raises(ValueError, match="Column 'b' of X must have numbers"):
            method(FRAME.assign(b="5"))


@models
def test_one_weight_for_all_is_that_of_each(model):
    one = clone(model).fit(X, y, sample_weight=2.0)
    each = clone(model).fit(X, y, sample_weight=np.full(len(X), 2.0))
    np.testing.assert_array_equal(one.predict(X), each.predict(X))
    Ridge().fit(X, y, sample_weight=2.0)  # what it is like


def test_huge_float32_weights_are_named():
    with pytest.raises(ValueError, match="sample_weight must have a largest weight"):
        quick(LaiMLPRegressor).fit(X.astype(np.float32), y, np.full(len(X), 1e39))


@pytest.mark.parametrize(
    ("X_val", "y_val", "message"),
    [
        (X * np.nan, y, "Input X_val contains NaN"),
        (X[:, :4], y, "X_val has 4 features, but"),
        (X[:3], y, "X_val and y_val: Found input variables with inconsistent"),
        (X[:, 0], y, "X_val: Expected 2D array"),
        (X, y * np.nan, "Input y_val contains NaN"),
        (X.astype(str), y, "X_val must have numbers, got text"),
        (X, replaced(y, None, object), "Input y_val contains NaN"),
    ],
)
def test_validation_data_has_its_own_name(X_val, y_val, message):
    model = quick(LaiMLPRegressor, early_stopping=True)
    with pytest.raises(ValueError, match=message):
        model.fit(X, y, X_val=X_val, y_val=y_val)


NUMBERS = [10**400, 10**5000, 2**70, Fraction(1, 2), Decimal("0.5"), 1j]
NUMBERS += [np.timedelta64(1, "D"), np.array([1, 2]), pd.Series([1, 2]), FRAME]


@pytest.mark.parametrize("value", NUMBERS, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize(
    ("Estimator", "name"),
    [
        (Estimator, name)
        for Estimator in (
            LaiMLPRegressor,
            LaiLinearRegressor,
            LaiMLPRegressorCV,
            LaiLinearRegressorCV,
        )
        for name in Estimator().get_params()
    ],
)
def test_no_odd_number_or_array_passes_for_a_parameter(Estimator, name, value):
    is_array = isinstance(value, np.ndarray | pd.Series | pd.DataFrame)
    if is_array and name in {"k", "ks", "noise", "hidden_layer_sizes", "cv"}:
        return  # which take arrays
    with pytest.raises(
        (TypeError, ValueError), match=f"{name} must be .*got"
    ) as caught:
        Estimator(**{name: value}).fit(X, y)
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.longdouble])
def test_a_reach_may_be_of_any_float_type(dtype):
    model = quick(LaiMLPRegressor, lai_interval=1)
    expected = clone(model).set_params(reach=0.5).fit(X, y).predict(X)
    found = clone(model).set_params(reach=dtype(0.5)).fit(X, y).predict(X)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("name", ["solver", "loss"])
@pytest.mark.parametrize("method", ["partial_fit", "fit"])
@pytest.mark.parametrize("Estimator", [LaiMLPRegressor, LaiLinearRegressor])
def test_an_array_as_solver_or_loss_is_named_by_every_method(Estimator, name, method):
    model = Estimator(**{name: np.array(["adam", "lbfgs"])})
    with pytest.raises(TypeError, match=f"{name} must be one of"):
        getattr(model, method)(X, y)


@pytest.mark.parametrize("Estimator", [LaiMLPRegressorCV, LaiLinearRegressorCV])
@pytest.mark.parametrize(
    "cv",
    [
        [1, 2],
        [([0, 1], [500])],
        [([0.5], [1])],
        ["ab"],
        [([0], [1], [2])],
        1,
        0,
        -3,
        500,
    ],
)
def test_folds_that_are_none_are_named(Estimator, cv):
    with pytest.raises(ValueError, match=r"cv must be"):
        Estimator(ks=1, cv=cv).fit(X, y)


@pytest.mark.parametrize("Estimator", [LaiMLPRegressorCV, LaiLinearRegressorCV])
def test_what_can_split_something_else_is_named(Estimator):
    with pytest.raises(TypeError, match=r"cv=tensor\(0\.5000\) cannot split the data"):
        Estimator(ks=1, cv=torch.tensor(0.5)).fit(X, y)


@pytest.mark.parametrize("Estimator", [LaiMLPRegressorCV, LaiLinearRegressorCV])
def test_so_many_ks_are_refused(Estimator):
    for ks in (10**7, np.full(10**5, 0.1)):
        with pytest.raises(
            ValueError, match=r"ks must be .* \[1, 1000\] .* at most 1000"
        ):
            Estimator(ks=ks).fit(X, y)


@pytest.mark.parametrize("Estimator", [LaiMLPRegressorCV, LaiLinearRegressorCV])
def test_groups_of_other_length_are_named(Estimator):
    with pytest.raises(
        ValueError, match="groups must be an array-like of at least 120"
    ):
        Estimator(ks=1).fit(X, y, groups=[1, 2])


@pytest.mark.parametrize("sizes", [2**64 - 1, 2**62, (10**7, 10**7), [2**40]])
def test_a_network_that_memory_cannot_hold_is_named(sizes):
    with pytest.raises(ValueError, match="hidden_layer_sizes must"):
        LaiMLPRegressor(sizes).fit(X, y)


@pytest.mark.parametrize("memory", ["a\0b", "x" * 5000, "/dev/null/folder"])
def test_a_folder_that_cannot_be_is_named(memory):
    with pytest.raises(ValueError, match="memory must be a folder that can be written"):
        quick(LaiMLPRegressor, memory=memory).fit(X, y)


def test_float32_that_overflows_is_not_said_to_be_large_steps():
    small = (X * 2.0**-110).astype(np.float32)
    model = quick(LaiMLPRegressor)
    with pytest.raises(
        ValueError, match=r"Slopes of y to column . of X are too large for float32"
    ):
        model.fit(small, y * 2.0**40)
    small = small.astype(np.float64)
    assert np.isfinite(model.fit(small, y).predict(small)).all()


def test_a_search_that_overflows_names_the_fold_and_the_k():
    model = quick(LaiMLPRegressorCV, ks=[0.1], cv=2, lai_learning_rate_init=1e200)
    with pytest.raises(ValueError, match=r"With fold 0 of cv: With k=0\.1 of ks: "):
        model.fit(X, y)


@pytest.mark.parametrize(("name", "value"), [("feature_k", {0: 1e-50}), ("noise", 1e5)])
def test_training_that_overflows_names_what_sets_slopes(name, value):
    model = quick(LaiMLPRegressor, lai_epochs=20, solver="sgd", **{name: value})
    with pytest.raises(ValueError, match=rf"became .* in epoch \d+.* {name}\b"):
        model.fit(X[:12, :2], X[:12, 0] - X[:12, 1] ** 2)


def test_a_linear_search_that_overflows_names_the_fold():
    huge = X.copy()
    huge[-1, 2] = 1e200
    with pytest.raises(ValueError, match=r"With fold 0 of cv: .* column 2 of X"):
        LaiLinearRegressorCV(ks=2, cv=3).fit(huge, y)


def test_more_jobs_than_folds_are_as_many_as_folds():
    model = quick(LaiMLPRegressorCV, ks=[0.3], cv=2, lai_interval=1)
    expected = clone(model).fit(X, y)
    found = clone(model).set_params(n_jobs=10**9).fit(X, y)
    np.testing.assert_array_equal(found.score_path_, expected.score_path_)
    with pytest.raises(ValueError, match="n_jobs"):
        clone(model).set_params(n_jobs=0).fit(X, y)


SCORES = [np.inf, -np.inf, np.float32(np.inf), np.longdouble("-inf")]


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("Estimator", [LaiMLPRegressorCV, LaiLinearRegressorCV])
def test_an_infinite_score_is_named(Estimator, score):
    quick_ones = {"max_iter": 1, "lai_epochs": 1}
    parameters = quick_ones if Estimator is LaiMLPRegressorCV else {}
    model = Estimator(ks=2, cv=2, scoring=lambda *arguments: score, **parameters)
    with pytest.raises(
        ValueError, match="score that scoring returns must be a finite number or NaN"
    ):
        model.fit(X, y)


@pytest.mark.parametrize("nan", [np.nan, np.float32(np.nan)])
def test_a_score_of_nan_is_that_of_a_k_that_failed(nan):
    def score(model, X, y):
        return nan if model.k < 0.5 else 0.0

    assert LaiLinearRegressorCV(ks=[0.1, 1.0], cv=2, scoring=score).fit(X, y).k_ == 1


def test_a_merge_with_another_number_of_outputs_names_it():
    both = np.column_stack([y, y])
    model = LaiLinearRegressor().fit(X, y)
    with pytest.raises(ValueError, match=r"other must have 1 output\(s\) as this"):
        model.merge(LaiLinearRegressor().fit(X, both))
    with pytest.raises(ValueError, match=r"y must have 1 output\(s\) as in earlier"):
        model.partial_fit(X, both)


def test_an_error_under_noise_names_targets_of_other_outputs():
    both = np.column_stack([y, y])
    one, two = LaiLinearRegressor().fit(X, y), LaiLinearRegressor().fit(X, both)
    for model, targets in ((one, both), (two, y)):
        with pytest.raises(ValueError, match=r"y must have . output\(s\) as the est"):
            error_under_noise(model, X, targets, noise=0.1)
    flat = error_under_noise(one, X, y, noise=0.1)
    assert error_under_noise(one, X, y[:, None], noise=0.1) == flat


@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")
def test_predictions_whose_squares_overflow_under_noise_are_explained():
    model, far = LaiLinearRegressor().fit(X, y), 1e150 * X
    scorer = make_noisy_scorer("neg_mean_squared_error", noise=1e6)
    with pytest.raises(ValueError, match=r"scoring .*X, y or noise too large"):
        scorer(model, far, y)
    with pytest.raises(ValueError, match=r"metric .*X, y or noise too large"):
        error_under_noise(model, far, y, noise=1e6)


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_targets_whose_sums_overflow_give_no_warning_before_their_error():
    far = np.where(X[:, 0] > 0.5, 1.7e308, -1.7e308)
    model = LaiLinearRegressor().fit(X, y)
    with pytest.raises(ValueError, match="metric must return finite numbers"):
        error_under_noise(
            model, X, far, noise=0.1, metric=lambda y_true, y_pred: y_true[0] * np.inf
        )


def test_a_merge_with_another_loss_names_it():
    huber = LaiLinearRegressor(loss="huber", max_iter=5).fit(X, y)
    with pytest.raises(ValueError, match=r"other has solver='auto' and loss='huber'"):
        LaiLinearRegressor().fit(X, y).merge(huber)
    with pytest.raises(AttributeError) as caught:
        huber.merge(huber)
    assert "loss='huber'" in str(caught.value.__cause__)


DOLLARS = ["cost_$x_$", "$", "$$", "a$b$c", r"\$", "$\\frac$"]


def test_names_with_dollars_are_drawn_as_they_are(tmp_path):
    features, target = make_regression(60, len(DOLLARS), noise=9, random_state=0)
    frame = pd.DataFrame(features, columns=DOLLARS)
    model = LaiLinearRegressor().fit(frame, target)
    by_name = dict.fromkeys(DOLLARS, model)
    displays = [
        SlopeDisplay.from_estimator(model, frame, target),
        SensitivityDisplay.from_estimator(by_name, frame),
    ]
    results = {
        "params": [{"a$b__$x_$": v} for v in ("$y_$", "$z^$")],
        "mean_test_$a_$": [-1, -2],
        "mean_test_$s_$": [-2, -1],
    }
    displays.append(
        TradeoffDisplay.from_cv_results(results, accuracy="$a_$", smoothness="$s_$")
    )
    displays.append(
        TradeoffDisplay(
            error=[1, 2],
            roughness=[2, 1],
            values=[1, 2],
            chosen=0,
            current=1,
            **{
                f"{name}_name": "$x_$"
                for name in ("error", "roughness", "value", "chosen", "current")
            },
        ).plot()
    )
    for display in displays:
        display.figure_.savefig(tmp_path / "figure.png")
    shown = [label.get_text() for label in displays[0].ax_.get_yticklabels()]
    assert sorted(shown) == sorted(name.replace("$", r"\$") for name in DOLLARS)
    plt.close("all")


def test_labels_keep_formulas_that_are_some():
    display = TradeoffDisplay(error=[1, 2], roughness=[2, 1], error_name="$x^2$").plot()
    assert display.ax_.get_ylabel() == "$x^2$"
    plt.close("all")


def test_halves_of_surrogate_pairs_are_drawn_as_question_marks():
    display = TradeoffDisplay(error=[1, 2], roughness=[2, 1], error_name="a\ud800")
    figure = display.plot().figure_
    figure.canvas.draw()
    assert display.ax_.get_ylabel() == "a?"
    display = SensitivityDisplay(sensitivities={"m": [1]}, feature_names=["\udfff$"])
    display.plot().figure_.canvas.draw()
    assert display.ax_.get_yticklabels()[0].get_text() == r"?\$"
    plt.close("all")


@estimators
def test_slopes_of_lists_are_drawn(Estimator):
    model = quick(Estimator).fit(X.tolist(), y.tolist())
    display = SlopeDisplay.from_estimator(model, X.tolist(), y.tolist())
    expected = SlopeDisplay.from_estimator(model, X, y)
    np.testing.assert_array_equal(display.slopes, expected.slopes)
    with pytest.raises(ValueError, match=r"y must have 1 output\(s\)"):
        SlopeDisplay.from_estimator(model, X, np.column_stack([y, y]))
    plt.close("all")
