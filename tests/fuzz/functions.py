"""Programs that call public functions with right, doubtful and wrong arguments."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from hypothesis import strategies as st
from oracle import finite
from program import Outcome, Program, Step
from values import ALLOWED, call, odd, wrong

SETUP = (
    "rng = np.random.default_rng(0)",
    "X = rng.standard_normal((12, 2))",
    "y = X[:, 0] - X[:, 1] ** 2",
)
TRAINED = (
    "LaiMLPRegressor((2,), max_iter=2, lai_epochs=2, lai_interval=1, random_state=0)"
    ".fit(X, y)"
)
MODELS = [
    "LinearRegression().fit(X, y)",
    "LaiLinearRegressor().fit(X, y)",
    "LinearRegression().fit(X, np.column_stack([y, -y]))",
    TRAINED,
]  # fmt: skip
TABLES = [
    "X", "X.astype('f4')", "X.astype('f2')", "pd.DataFrame(X)", "X.tolist()",
    "pd.DataFrame(X).astype('f4')", "X.round().astype(int)", "X > 0",
        "X.astype(object)",
    "X * [1, 0]", "1e-200 * X", "1e-300 * X", "1e150 * X", "(1e-4 * X).astype('f2')",
    "(300 * X).astype('f2')", "(1e-25 * X).astype('f4')", "(1e25 * X).astype('f4')",
    "X + 1e15", "pd.DataFrame(X).astype('Float64')", "X.astype('>f8')",
    "pl.DataFrame(X)", "np.asfortranarray(X)", "X.astype(np.longdouble)",
]  # fmt: skip
BAD_TABLES = [
    "X * np.nan", "np.where(X > 1, np.inf, X)", "X[0]", "X[..., None]", "csr_array(X)",
    "X[:, :1]", "X[:0]", "X.astype(str)", "X * 1j", "pl.DataFrame(X).lazy()",
    "X[:1]", "X[:2]",
]  # fmt: skip
TARGETS = ["y", "y.tolist()", "pd.Series(y)", "y.astype('f4')", "1e6 * y"]
BAD_TARGETS = ["y[:-1]", "y * np.nan", "y.astype(str)", "np.where(y > 0, None, y)"]
NOISE = ["0.3", "1", "1e-3", "1e3", "np.float32(0.3)", "2", "1e-300", "1e300"]
NOISES = ["[0.3, 0]", "{0: 0.3}", "0", "None", "np.array([0.3, 0.1])",
    "[[0.2, 0.1], [0.1, 0.3]]", "np.full((2, 2), 0.1)", *NOISE]  # fmt: skip
REPEATS = ["2", "1", "np.int64(2)", "np.uint8(3)"]
SEEDS = ["0", "7", "None", "np.int64(3)"]
RESULTS = [
    "{'mean_test_accuracy': [-1.0, -2.0], 'mean_test_smoothness': [-3.0, -1.0], "
    "'split0_test_accuracy': [-1.0, -2.0], 'split1_test_accuracy': [-1.1, -1.9], "
    "'param_k': [0.1, 0.3], 'params': [{'k': 0.1}, {'k': 0.3}]}",
]  # fmt: skip
TENSOR = ["torch.ones(3)", "torch.zeros(3)", "torch.arange(3.0)",
    "torch.ones(3, dtype=torch.float64)",
          "1e3 * torch.ones(3)", "1e-15 * torch.ones(3)"]  # fmt: skip
SLOPE = ["torch.ones(3, 2)", "torch.zeros(3, 2)", "torch.tensor([[0.1, -0.5]] * 3)",
    "1e30 * torch.ones(3, 2)",
         "1e-40 * torch.ones(3, 2)"]  # fmt: skip
TENSOR_K = [
    "0.3",
    "[0.3, None]",
    "torch.tensor(0.3)",
    "torch.tensor([0.3, 0.1])",
    "(0.3, 2)",
    "1e-3",
    "1e5",
]
FIGURE = {"feature_names": ["None", "['a', 'b']", "['cost_$x_$', 'b']",
    "['$', '\\\\']", "np.array(['a', 'b'])"],
          "max_features": ["20", "1", "np.int64(2)"], "ax": ["None"]}  # fmt: skip
LISTS = [
    "[1.0, 0.5]",
    "np.array([1.0, 0.5])",
    "(1.0, 0.5)",
    "pd.Series([1.0, 0.5])",
    "[1, 2]",
]
TEXT = ["'a'", "'$x^2$'"]
LOSS = {name: ALLOWED[name] for name in ("loss", "norm")} | {
    "huber_delta": ["1.0", "0.5", "1e-9", "1e9"],
    "quantile": ["0.5", "0.01"],
    "l1_ratio": ["0.5", "0", "1"],
}
FITTED_CV = (
    "LaiMLPRegressorCV((2,), ks=2, cv=2, max_iter=2, path_epochs=1, lai_interval=1, "
    "random_state=0).fit(X, y)"
)


@dataclass(frozen=True)
class Function:
    """A function, its arguments with allowed values, and what is done with the result.

    `may_be` are arguments with bad values beyond those of `values`.
    """

    name: str
    arguments: Mapping[str, list[str]]
    then: str = ""
    may_be: Mapping[str, list[str]] = field(default_factory=dict)
    optional: frozenset[str] = frozenset()


def _function(
    name: str, needed: Mapping, optional: Mapping, then: str = ""
) -> Function:
    bad = {"X": BAD_TABLES, "y": BAD_TARGETS}
    arguments = {**needed, **optional}
    may_be = {name: bad[name] for name in needed if name in bad}
    return Function(name, arguments, then, may_be, frozenset(optional))


OF_MODEL = {"estimator": MODELS, "X": TABLES}
REPEATED = {"n_repeats": REPEATS, "random_state": SEEDS}
DRAWN = ".figure_.canvas.draw()"
FUNCTIONS = [
    _function("prediction_variance", OF_MODEL, {}),
    _function("neg_prediction_variance", OF_MODEL, {"y": ["None"]}),
    _function("noise_sensitivity", OF_MODEL, {"noise": NOISE, **REPEATED}),
    _function("neg_noise_sensitivity", OF_MODEL, {"y": ["None"]}),
    _function(
        "make_noise_sensitivity_scorer",
        {},
        {"feature": ["None", "0", "1", "np.int64(1)"], "noise": NOISE, **REPEATED},
        "(LinearRegression().fit(X, y), X)",
    ),
    _function(
        "error_under_noise",
        {"estimator": MODELS[:2], "X": TABLES, "y": TARGETS, "noise": NOISES},
        {"metric": ["mean_absolute_error"], **REPEATED,
         "sample_weight": ["None", "np.ones(12)"]},
    ),
    _function(
        "make_noisy_scorer",
        {"scoring": ["'r2'", "'neg_mean_absolute_error'", "neg_prediction_variance"],
            "noise": NOISES},
        REPEATED,
        "(LinearRegression().fit(X, y), X, y)",
    ),
    _function(
        "smoothest_within",
        {"tolerance": ["0.02", "0", "'1se'", "1e300", "1"]},
        {"accuracy": ["'accuracy'"], "smoothness": ["'smoothness'"]},
        f"({RESULTS[0]})",
    ),
    _function(
        "most_accurate_within",
        {"max_sensitivity": ["2", "0", "1e300", "np.float32(2)"]},
        {"accuracy": ["'accuracy'"], "smoothness": ["'smoothness'"]},
        f"({RESULTS[0]})",
    ),
    _function("smoothest_within(0.02)", {"cv_results": RESULTS}, {}),
    _function("most_accurate_within(2)", {"cv_results": RESULTS}, {}),
    _function(
        "lai_linear_path",
        {"X": TABLES, "y": TARGETS},
        {name: ALLOWED[name] for name in ("ks", "feature_k", "norm", "l1_ratio",
                                          "lai_fraction", "fit_intercept",
                                              "standardize")}
        | {"sample_weight": ["None", "np.ones(12)", "2.0"]},
    ),
    _function("lai_factor", {"slope": SLOPE, "k": TENSOR_K}, {}),
    _function(
        "lai_loss",
        {"y_pred": TENSOR, "y_true": TENSOR, "slope": SLOPE, "k": TENSOR_K},
        {**LOSS, "sample_weight": ["None", "torch.ones(3)", "torch.arange(3.0)"]},
    ),
    _function(
        "LaiLoss", {}, {"k": TENSOR_K, **LOSS},
        "(torch.ones(3), torch.zeros(3), torch.ones(3, 2))",
    ),
    _function(
        "input_gradient",
        {"y_pred": ["(tensor ** 2).sum(1)", "tensor @ torch.ones(2, 2)"],
            "X": ["tensor"]},
        {},
    ),
    _function("FeatureK", {"slopes": ["{0: 0.1}", "()", "{1: None}"]}, {}),
    _function("LossCurveDisplay.from_estimator", {"estimator": [TRAINED]},
        {"ax": ["None"]}, DRAWN),
    _function("SensitivityDisplay.from_estimator", OF_MODEL,
        {**FIGURE, "noise": NOISE, **REPEATED}, DRAWN),
    _function(
        "SlopeDisplay.from_estimator",
        {"estimator": MODELS[1::2], "X": TABLES, "y": TARGETS},
        {**FIGURE, "max_boxes": ["None", "1", "np.int64(3)"]},
        DRAWN,
    ),
    _function(
        "TradeoffDisplay.from_estimator",
        {"estimator": [FITTED_CV]},
        {"at": ["None", "0.01", "1e3"], "ax": ["None"]},
        DRAWN,
    ),
    _function(
        "TradeoffDisplay.from_cv_results",
        {"cv_results": RESULTS},
        {"tolerance": ["0.0", "'1se'"], "accuracy": ["'accuracy'"],
            "smoothness": ["'smoothness'"],
         "error_name": ["None", *TEXT], "roughness_name": ["None", *TEXT],
         "ax": ["None"]},
        DRAWN,
    ),
    _function(
        "LossCurveDisplay",
        {"loss": LISTS, "n_pretrain_epochs": ["1", "0", "2"]},
        {"lai_loss": ["()", *LISTS], "validation_scores": ["()", *LISTS], "unit": TEXT},
        f".plot(){DRAWN}",
    ),
    _function(
        "SensitivityDisplay",
        {"sensitivities": ["{'m': np.ones(2)}", "{'cost_$x_$': [1.0, 2.0]}"],
         "feature_names": ["['a', 'b']", "['cost_$x_$', '$']"]},
        {"noise": NOISE},
        f".plot(){DRAWN}",
    ),
    _function(
        "SlopeDisplay",
        {"slopes": ["np.ones((3, 2))", "[[1.0, 2.0]] * 3"], "k": ["[0.1, 0.2]",
            "np.ones((2, 2))", "[np.nan, 1.0]"],
         "feature_names": ["['a', 'b']", "['cost_$x_$', '$']"]},
        {"unit": TEXT, "bounds": ["None", "[[-1, -2], [1.0, np.inf]]",
            "np.ones((2, 2))"]},
        f".plot(){DRAWN}",
    ),
    _function(
        "TradeoffDisplay",
        {"error": LISTS, "roughness": LISTS},
        {"values": ["None", "[0.1, 0.2]"], "chosen": ["None", "0", "1"],
            "largest_error": ["None", "0.7"],
         "error_name": TEXT, "roughness_name": TEXT, "value_name": TEXT,
         "chosen_name": TEXT,
         "current": ["None", "0"], "current_name": TEXT},
        f".plot(){DRAWN}",
    ),
]  # fmt: skip
# Drawing takes a hundred times as long as all else.
QUICK_ONES = [function for function in FUNCTIONS if DRAWN not in function.then]
# Arguments that are there for others to call, and are not looked at.
UNUSED = {("neg_prediction_variance", "y"), ("neg_noise_sensitivity", "y")}
# NaN stands for a column that is no number, and for a direction that is left out.
MAY_BE_NAN = {"noise_sensitivity"}
# The same of arguments, and epochs without a batch that has a Lai loss.
MAY_HAVE_NAN = {"k", "lai_loss", "validation_scores"}
# Arguments without a name in the call.
POSITIONAL = {
    "FeatureK": "slopes",
    "smoothest_within(0.02)": "cv_results",
    "most_accurate_within(2)": "cv_results",
}


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """A function called with arguments of which one or none is doubtful or wrong."""
    is_figure = draw(st.integers(0, 19)) == 19
    function = draw(st.sampled_from(FUNCTIONS if is_figure else QUICK_ONES))
    left_out = (
        draw(st.sets(st.sampled_from(sorted(function.optional))))
        if function.optional
        else set()
    )
    arguments = {
        name: draw(st.sampled_from(codes))
        for name, codes in function.arguments.items()
        if name not in left_out
    }
    kind, what_is_wrong = draw(st.sampled_from(["allowed", "odd", "wrong"])), ""
    if kind != "allowed":
        name = draw(st.sampled_from(sorted(function.arguments)))
        values = odd(name)
        if name in function.may_be:
            values = st.one_of(values, st.sampled_from(function.may_be[name]))
        arguments[name] = draw(values if kind == "odd" else wrong())
        is_left_out = "nan" in arguments[name].lower() and name in MAY_HAVE_NAN
        is_unused = (function.name, name) in UNUSED or is_left_out
        if kind == "wrong" and not is_unused:
            what_is_wrong = f"{name}={arguments[name]} of {function.name}"
    names = frozenset(arguments)
    if kind != "allowed":
        names = frozenset({name}) | _unusual(function, arguments)
    position = POSITIONAL.get(function.name)
    first = [arguments.pop(position)] if position else []
    setup = SETUP
    if function.name == "input_gradient":
        setup = (*setup, "tensor = torch.ones(3, 2, requires_grad=True)")
    checks = [closed_figures]
    is_of_numbers = function.name == "noise_sensitivity" and kind == "allowed"
    if is_of_numbers and "Lai" not in arguments["estimator"]:
        noise = arguments.get("noise", "1.0")
        checks.append(OfFloats(arguments["estimator"], arguments["X"], noise))
    if function.name not in MAY_BE_NAN:
        checks.append(finite)
    step = Step(
        call(function.name, arguments, first) + function.then,
        names=names,
        wrong=what_is_wrong,
        checks=tuple(checks),
    )
    return Program(function.name, setup, (step,))


def _unusual(function: Function, arguments: Mapping[str, str]) -> frozenset[str]:
    """Arguments that are not as they are by default or most simply."""
    return frozenset(
        name
        for name, code in arguments.items()
        if name in function.optional or code != function.arguments[name][0]
    )


def closed_figures(names: Mapping[str, Any], outcome: Outcome) -> str | None:
    """Close what was drawn; never a fault."""
    plt.close("all")
    return None


@dataclass(frozen=True)
class OfFloats:
    """Check that a sensitivity is that in float64 and at size 1, of a linear model."""

    estimator: str
    X: str
    noise: str
    __name__ = "of_floats"

    def __call__(self, names: Mapping[str, Any], outcome: Outcome) -> str | None:
        X = np.asarray(eval(self.X, dict(names)))
        noise = eval(self.noise, dict(names))
        if X.dtype.kind != "f" or not 0.1 <= noise <= 1000 or "1e15" in self.X:
            return None
        size = np.abs(X).max().astype(np.float64)
        names = {**names, "X_": X.astype(np.float64) / size}
        code = f"noise_sensitivity({self.estimator}, X_, noise={self.noise})"
        expected, found = size * eval(code, names), np.asarray(outcome.value)
        if expected.shape == found.shape and np.allclose(found, expected, rtol=0.5):
            return None
        return f"the sensitivities are {found.tolist()} for {expected.tolist()}"
