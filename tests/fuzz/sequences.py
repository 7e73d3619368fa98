"""Programs that call the methods of an estimator in any order."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from hypothesis import strategies as st
from oracle import finite
from parameters import ESTIMATORS, allowed, allowed_parameters, construct, estimators
from program import Outcome, Program, Step
from values import odd, wrong

SETUP = (
    "rng = np.random.default_rng(0)",
    "X = rng.standard_normal((12, 2))",
    "y = X[:, 0] - X[:, 1] ** 2",
    "X2 = 3 * rng.standard_normal((7, 2)) + 1",
    "y2 = X2 @ [2.0, -1.0]",
    "Y = np.column_stack([y, -y])",
    "weight = rng.random(12)",
    "frame = pd.DataFrame(X, columns=['a', 'b'])",
    "constant = X * [1, 0]",
)
# Rows that all models can predict from, whatever they were fitted to.
ARGUMENTS = ("X, y", "X2, y2", "X, Y", "X, y, weight", "frame, y", "constant, y",
             "X.astype('f4'), y", "X, np.ones(12)", "X[:1], y[:1]",
                 "X2, 1e6 * y2")  # fmt: skip
BAD_ARGUMENTS = {
    "X * np.nan, y": "X",
    "X, y * np.inf": "y",
    "X, y[:-1]": "y",
    "X[:0], y[:0]": "X",
    "X, y, -weight": "sample_weight",
    "X, None": "y",
    "None, y": "X",
    "X.astype(object), np.where(y > 0, None, y)": "y",
}
# What an error of a right call may be about: the state of the model and its data.
ABOUT_STATE = frozenset({
    "X", "y", "fit", "features", "warm_start", "partial_fit", "solver", "samples",
    "early_stopping", "feature names", "standardize", "other", "cv",
        "hidden_layer_sizes",
    "estimator_at", "ks", "input_gradient", "predict", "sample",
})  # fmt: skip
USES = ("model.predict(X)", "model.input_gradient(X)", "model.score(X, y)",
        "model.predict(frame)", "model.predict(X2.astype('f4'))",
        "model.slope_bounds(max_boxes=2)", "model.slope_bounds(-1, [1.0, 2.0])",
        "model.slope_bounds(upper={0: 1e300})")  # fmt: skip
COPIES = ("pickle.loads(pickle.dumps(model))", "copy.deepcopy(model)")
OTHERS = ("repr(model)", "model.get_params()", "clone(model)", "model._repr_html_()",
          "vars(model).copy()")  # fmt: skip
# Values that no one can copy, in an estimator or not, or scikit-learn cannot show.
BOUND = {"sys", "csr_array([[0.5, 0.5]])", "lambda *args: 0.5",
         "(x for x in [1, 2])", "iter([0.5, 0.5])", "memoryview(b'ab')"}  # fmt: skip
BAD_USES = {
    "model.predict(X * np.nan)": "X",
    "model.predict(X[:, :1])": "X",
    "model.predict(None)": "X",
    "model.input_gradient('a')": "X",
    "model.predict(X[0])": "X",
    "model.slope_bounds(lower=np.nan)": "lower",
    "model.slope_bounds(upper='a')": "upper",
    "model.slope_bounds(max_boxes=0.5)": "max_boxes",
}


@dataclass(frozen=True)
class Same:
    """Check that a copy predicts as the model does that it was made of."""

    __name__ = "same"

    def __call__(self, names: Mapping[str, Any], outcome: Outcome) -> str | None:
        if not hasattr(names.get("before"), "n_features_in_"):
            return None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            before = names["before"].predict(names["X"])
            after = names["model"].predict(names["X"])
        return None if np.array_equal(before, after) else "a copy predicts otherwise"


@dataclass(frozen=True)
class AsNew:
    """Check that a fit forgets what was before it, but for a warm start."""

    arguments: str
    __name__ = "as_new"

    def __call__(self, names: Mapping[str, Any], outcome: Outcome) -> str | None:
        model = names["model"]
        parameters = model.get_params()
        seed = parameters.get("random_state", 0)
        if parameters.get("warm_start") or not isinstance(seed, int | np.integer):
            return None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            new = eval(f"clone(model).fit({self.arguments})", dict(names))
            found, expected = model.predict(names["X"]), new.predict(names["X"])
        same = np.array_equal(found, expected, equal_nan=True)
        return None if same else "a fit depends on those before it"


def fits(estimator: str) -> tuple[str, ...]:
    """Methods that train."""
    return ("fit",) if "CV" in estimator else ("fit", "partial_fit")


@st.composite
def step(draw: st.DrawFn, estimator: str) -> Step | tuple[Step, ...]:
    """A call of a method."""
    method = draw(st.sampled_from(fits(estimator)))
    kind = draw(st.sampled_from(["fit", "use", "bad fit", "set", "copy", "bad use",
                                 "odd set", "wrong set", "other",
                                     "special"]))  # fmt: skip
    if kind == "fit":
        arguments = draw(st.sampled_from(ARGUMENTS))
        checks = (AsNew(arguments),) if method == "fit" else ()
        return Step(f"model.{method}({arguments})", checks=checks)
    if kind == "bad fit":
        arguments = draw(st.sampled_from(list(BAD_ARGUMENTS)))
        return Step(f"model.{method}({arguments})", wrong=arguments)
    if kind == "use":
        return Step(draw(st.sampled_from(USES)), checks=(finite,))
    if kind == "bad use":
        code = draw(st.sampled_from(list(BAD_USES)))
        return Step(code, names=frozenset({"X", BAD_USES[code]}), wrong=code)
    if kind == "copy":
        keep = Step("model", into="before")
        return keep, Step(draw(st.sampled_from(COPIES)), into="model", checks=(Same(),))
    if kind == "other":
        return Step(draw(st.sampled_from(OTHERS)))
    if kind == "special":
        return draw(st.sampled_from(_special(estimator)))
    name = draw(st.sampled_from(ESTIMATORS[estimator]))
    values = {
        "set": allowed(estimator, name),
        "odd set": odd(name).filter(lambda code: code not in BOUND),
    }
    value = draw(values.get(kind, wrong()))
    return Step(f"model.set_params({name}={value})", names=frozenset({name}))


def _special(estimator: str) -> list[Step]:
    """Methods that not all estimators have."""
    if "CV" in estimator:
        return [
            Step(
                "model.estimator_at(getattr(model, 'ks_', [1])[0]).predict(X)",
                checks=(finite,),
            ),
            # Parameters that were set before are checked, too.
            Step(
                "model.estimator_at(-1)",
                wrong="k=-1",
                names=frozenset({"k", *ESTIMATORS[estimator]}),
            ),
        ]
    if estimator == "LaiLinearRegressor":
        return [
            Step("model.merge(clone(model).partial_fit(X2, y2))"),
            Step("model.merge(clone(model))"),
            Step("model.merge(model)"),
            Step(
                "model.merge(None)",
                wrong="other=None",
                names=frozenset({"other", "merge"}),
            ),
            Step("model.merge(LinearRegression())", wrong="other"),
        ]
    return [
        Step("model.set_params(warm_start=True)"),
        Step("model.set_params(early_stopping=True)"),
        Step("model.fit(X, y, X_val=X2, y_val=y2)"),
        Step("model.fit(X, y, X_val=X2, y_val=np.ones(7))"),
        Step("model.fit(X, y, X_val=X2 * np.nan, y_val=y2)", wrong="X_val"),
        Step("model.fit(X, y, X_val=X2, y_val=y2 * np.nan)", wrong="y_val"),
        Step("model.fit(X, y, X_val=X2, y_val=y2[:-1])", wrong="y_val"),
        Step("model.fit(X, y, X_val=None, y_val=y2)", wrong="X_val"),
    ]


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """An estimator and calls of its methods; no failure loses anything."""
    estimator = draw(estimators())
    parameters = allowed_parameters(draw, estimator, most=2)
    drawn = draw(st.lists(step(estimator), min_size=1, max_size=8))
    steps = [
        s for item in drawn for s in (item if isinstance(item, tuple) else (item,))
    ]
    # An error may be about any parameter that was given.
    names = ABOUT_STATE.union(parameters, *(s.names for s in steps))
    make = Step(construct(estimator, parameters), into="model", last=True)
    judged = [
        s if s.wrong and s.names else replace(s, names=_about(s, names)) for s in steps
    ]
    return Program(estimator, SETUP, (make, *judged))


def _about(step: Step, names: frozenset[str]) -> frozenset[str]:
    return names | {"X_val", "y_val", "sample_weight", "other", "merge"}
