"""Wrong arguments of every public function: an error that names them, or a result.

An error is one of a few types and has the name of the argument; what is accepted gives
finite numbers.
"""

import inspect
import re
import warnings
from collections import Counter
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import torch
from common import X, quick, y
from sklearn.exceptions import NotFittedError

from sklearn_lai import (
    FeatureK,
    LaiLinearRegressor,
    LaiLinearRegressorCV,
    LaiMLPRegressor,
    LaiMLPRegressorCV,
    inspection,
    lai_linear_path,
    loss,
    metrics,
    model_selection,
)

WRONG = {
    "None": None,
    "NaN": np.nan,
    "inf": np.inf,
    "-inf": -np.inf,
    "-1": -1,
    "0": 0,
    "2.0": 2.0,
    "2**70": 2**70,
    "10**400": 10**400,
    "1e308": 1e308,
    "1e-320": 1e-320,
    "fraction": Fraction(1, 3),
    "decimal": Decimal("0.1"),
    "complex": 1j,
    "duration": np.timedelta64(1, "s"),
    "date": np.datetime64("2000-01-01"),
    "True": True,
    "text": "wrong",
    "empty text": "",
    "bytes": b"a",
    "null": "a\0b",
    "[]": [],
    "nested": [[1, 2], [3]],
    "{}": {},
    "keys": {"z": "y"},
    "set": {1, 2},
    "object": object(),
    "array": np.array([1, 2]),
    "text array": np.array(["a", "b"]),
    "NaNs": np.full(len(X), np.nan),
    "empty": np.empty((0, 5)),
    "3-D": np.ones((2, 2, 2)),
    "Series": pd.Series([1.0, 2.0]),
    "frame": pd.DataFrame({"a": ["b"]}),
    "tensor": torch.ones(2, requires_grad=True),
    "function": lambda *args, **kwargs: None,
    "class": LaiMLPRegressor,
    "not fitted": LaiMLPRegressor(),
}
ALLOWED = (TypeError, ValueError, NotFittedError, AttributeError)

LINEAR = LaiLinearRegressor().fit(X, y)
LINEAR_CV = LaiLinearRegressorCV(ks=[1.0, 0.1]).fit(X, y)
MLP = quick(LaiMLPRegressor).fit(X, y)
MLP_CV = quick(LaiMLPRegressorCV, ks=[0.3, 0.1], cv=2, lai_interval=1).fit(X, y)
TENSOR = torch.tensor(X, requires_grad=True)
PREDICTED = TENSOR.sum(1)
RESULTS = {
    "params": [{"alpha": 1.0}, {"alpha": 2.0}],
    "mean_test_accuracy": np.array([-1.0, -2.0]),
    "mean_test_smoothness": np.array([-2.0, -1.0]),
    "split0_test_accuracy": np.array([-1.0, -2.0]),
}
DISPLAYS = {
    inspection.LossCurveDisplay: {"loss": [2.0, 1.0], "n_pretrain_epochs": 1},
    inspection.SensitivityDisplay: {
        "sensitivities": {"m": np.ones(2)},
        "feature_names": ["a", "b"],
    },
    inspection.SlopeDisplay: {
        "slopes": np.ones((3, 2)),
        "k": np.ones(2),
        "feature_names": ["a", "b"],
    },
    inspection.TradeoffDisplay: {"error": [1.0, 2.0], "roughness": [2.0, 1.0]},
}


def fresh(estimator):
    """The bound methods of a copy, which a call may change."""
    return lambda name: getattr(type(estimator)(**estimator.get_params()), name)


def drawn(Display):
    """Make and draw a display: its parameters are those of both."""

    def make(**arguments):
        return Display(**arguments).plot()

    make.__signature__ = inspect.signature(Display)
    return make


def cases():
    """Name, function, right arguments; every other argument has its default."""
    rows = {"estimator": LINEAR, "X": X}
    for name in metrics.__all__:
        needed = {
            "error_under_noise": {**rows, "y": y, "noise": 0.1},
            "make_noise_sensitivity_scorer": {},
            "make_noisy_scorer": {"scoring": "r2", "noise": 0.1},
        }
        yield name, getattr(metrics, name), needed.get(name, rows)
    yield "smoothest_within", model_selection.smoothest_within, {"tolerance": 0.1}
    for make in (
        model_selection.smoothest_within,
        model_selection.most_accurate_within,
    ):
        yield make.__name__, make, {next(iter(inspect.signature(make).parameters)): 0.1}
        rule = make(0.1)
        yield (
            type(rule).__name__,
            type(rule).__call__.__get__(rule),
            {"cv_results": RESULTS},
        )
    slope = loss.input_gradient(PREDICTED, TENSOR).detach()
    batch = {
        "y_pred": PREDICTED.detach(),
        "y_true": torch.tensor(y),
        "slope": slope,
    }
    yield "lai_factor", loss.lai_factor, {"slope": slope, "k": 0.3}
    yield "lai_loss", loss.lai_loss, {**batch, "k": 0.3}
    yield "LaiLoss", loss.LaiLoss, {}
    yield "forward", loss.LaiLoss().forward, batch
    yield "input_gradient", loss.input_gradient, {"y_pred": PREDICTED, "X": TENSOR}
    for Display, arguments in DISPLAYS.items():
        yield Display.__name__, drawn(Display), arguments
        yield f"{Display.__name__}.plot", Display(**arguments).plot, {}
    yield (
        "LossCurveDisplay.from_estimator",
        inspection.LossCurveDisplay.from_estimator,
        {"estimator": MLP},
    )
    yield (
        "SensitivityDisplay.from_estimator",
        inspection.SensitivityDisplay.from_estimator,
        rows,
    )
    yield (
        "SlopeDisplay.from_estimator",
        inspection.SlopeDisplay.from_estimator,
        {**rows, "y": y},
    )
    yield (
        "TradeoffDisplay.from_estimator",
        inspection.TradeoffDisplay.from_estimator,
        {"estimator": MLP_CV},
    )
    yield (
        "TradeoffDisplay.from_cv_results",
        inspection.TradeoffDisplay.from_cv_results,
        {"cv_results": RESULTS},
    )
    yield "lai_linear_path", lai_linear_path, {"X": X, "y": y, "ks": 2}
    data = {"X": X, "y": y}
    for estimator in (LINEAR, LINEAR_CV, MLP, MLP_CV):
        name = type(estimator).__name__
        yield f"{name}.fit", fresh(estimator)("fit"), data
        yield f"{name}.predict", estimator.predict, {"X": X}
        yield f"{name}.input_gradient", estimator.input_gradient, {"X": X}
    early = {**data, "X_val": X, "y_val": y}
    stopping = quick(LaiMLPRegressor, early_stopping=True)
    yield "LaiMLPRegressor.fit early", fresh(stopping)("fit"), early
    for estimator in (LINEAR, MLP):
        name = type(estimator).__name__
        yield f"{name}.partial_fit", fresh(estimator)("partial_fit"), data
    yield "merge", LaiLinearRegressor().fit(X, y).merge, {"other": LINEAR}
    for estimator in (LINEAR_CV, MLP_CV):
        yield "estimator_at", estimator.estimator_at, {"k": 0.1}
    yield "FeatureK", FeatureK, {"slopes": {0: 0.1}}


CASES = list(cases())
# What is stored and not used, or goes by another name where it is used.
UNUSED = {("neg_prediction_variance", "y"), ("neg_noise_sensitivity", "y")}


def arguments_of(function):
    return [
        name
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]


def call(function, arguments):
    positional = [
        arguments.pop(name)
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.kind is parameter.POSITIONAL_ONLY and name in arguments
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*positional, **arguments)


def figures(result):
    """Numbers that a function returned, or that an estimator predicts."""
    if hasattr(result, "predict"):
        return np.asarray(result.predict(X))
    if isinstance(result, torch.Tensor):
        return result.detach().numpy()
    if isinstance(result, float | np.ndarray | pd.Series):
        return np.asarray(result)
    return np.zeros(1)


def outcome(function, arguments, name, value):
    """What becomes of a wrong value: 'named', 'accepted', or what is wrong."""
    try:
        result = call(function, {**arguments, name: value})
    except ALLOWED as error:
        is_named = re.search(rf"\b{name}\b", str(error))
        return "named" if is_named else f"{type(error).__name__}: {error}"
    except Exception as error:  # what must not be
        return f"{type(error).__name__}: {error}"
    return "accepted" if np.isfinite(figures(result)).all() else "not finite"


@pytest.fixture(autouse=True)
def _no_figures():
    yield
    import matplotlib.pyplot as plt

    plt.close("all")


@pytest.mark.parametrize(
    ("name", "function", "arguments"), CASES, ids=[name for name, _, _ in CASES]
)
def test_a_wrong_argument_is_named_or_has_a_finite_result(name, function, arguments):
    import matplotlib.pyplot as plt

    wrong, counts = {}, Counter()
    for argument in arguments_of(function):
        if (name, argument) in UNUSED:
            continue
        for which, value in WRONG.items():
            found = outcome(function, arguments, argument, value)
            counts[found if found in ("named", "accepted") else "wrong"] += 1
            if found not in ("named", "accepted"):
                wrong[argument, which] = found[:200]
            plt.close("all")
    print(name, dict(counts))
    assert not wrong


def test_right_arguments_have_a_finite_result():
    for _, function, arguments in CASES:
        assert np.isfinite(figures(call(function, dict(arguments)))).all()


def test_every_public_function_is_among_them():
    named = {name.partition(".")[0] for name, _, _ in CASES}
    for module in (metrics, model_selection, loss, inspection):
        assert set(module.__all__) <= named
