"""Programs that construct estimators and fit them: parameters, alone and together."""

import inspect

from hypothesis import strategies as st
from oracle import finite
from program import Program, Step
from values import ALLOWED, LINEAR_SOLVERS, call, odd, wrong

import sklearn_lai

# Small and quick, and with the Lai loss in every batch.
QUICK = {
    "hidden_layer_sizes": "(2,)",
    "ks": "2",
    "cv": "2",
    "max_iter": "2",
    "lai_epochs": "2",
    "path_epochs": "2",
    "lai_interval": "1",
    "batch_size": "8",
    "random_state": "0",
}
ESTIMATORS = {
    name: tuple(inspect.signature(getattr(sklearn_lai, name)).parameters)
    for name in (
        "LaiLinearRegressor",
        "LaiMLPRegressor",
        "LaiLinearRegressorCV",
        "LaiMLPRegressorCV",
    )
}
DATA = (
    "rng = np.random.default_rng(0)",
    "X = rng.standard_normal((12, 2))",
    "y = X[:, 0] - X[:, 1] ** 2",
)
KINDS = (
    (),
    ("X = X.astype('f4')",),
    ("X = pd.DataFrame(X, columns=['a', 'b'])",),
    ("y = np.column_stack([y, -y])",),
)


def estimators() -> st.SearchStrategy[str]:
    """Names of the classes, the slow ones less often."""
    names = list(ESTIMATORS)
    return st.sampled_from([*2 * names[:2], *names[:3], *names])


def allowed(estimator: str, name: str) -> st.SearchStrategy[str]:
    """Allowed values of a parameter."""
    is_linear = estimator == "LaiLinearRegressor" and name == "solver"
    return st.sampled_from(LINEAR_SOLVERS if is_linear else ALLOWED[name])


def allowed_parameters(
    draw: st.DrawFn, estimator: str, most: int = 5, without: tuple[str, ...] = ()
) -> dict[str, str]:
    """A few parameters with allowed values."""
    names = [name for name in ESTIMATORS[estimator] if name not in without]
    chosen = draw(st.lists(st.sampled_from(names), max_size=most, unique=True))
    return {name: draw(allowed(estimator, name)) for name in chosen}


def construct(estimator: str, parameters: dict[str, str]) -> str:
    """The text of an estimator that is quick but for these parameters."""
    quick = {n: code for n, code in QUICK.items() if n in ESTIMATORS[estimator]}
    return call(estimator, {**quick, **parameters})


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """An estimator of some parameters, fitted and used on data that is all right."""
    estimator = draw(estimators())
    parameters = allowed_parameters(draw, estimator)
    kind = draw(st.sampled_from(["allowed", "odd", "wrong"]))
    names = {*parameters}
    if kind != "allowed":
        name = draw(st.sampled_from(ESTIMATORS[estimator]))
        parameters[name] = draw(odd(name) if kind == "odd" else wrong())
        names.add(name)
    setup = (*DATA, *draw(st.sampled_from(KINDS)))
    wrong_value = f"{name}={parameters[name]}" if kind == "wrong" else ""
    make = Step(construct(estimator, parameters), into="model", last=True)
    fit = Step(
        "model.fit(X, y)",
        names=frozenset(names),
        wrong=wrong_value,
        last=True,
    )
    uses = [
        Step(f"model.{method}(X)", names=frozenset(names), checks=(finite,))
        for method in ("predict", "input_gradient")
    ]
    return Program(estimator, setup, (make, fit, *uses))
