"""Programs that fit estimators to data at its extremes."""

from checks import FIT_CHECKS
from data import data
from hypothesis import strategies as st
from oracle import finite
from parameters import allowed_parameters, construct, estimators
from program import Program, Step

# Their values are what is fuzzed elsewhere; here they would hide what the data does.
WITHOUT = ("k", "ks", "noise", "feature_k", "cv", "device", "memory", "warm_start",
           "learning_rate_init", "lai_learning_rate_init", "epsilon", "alpha", "reach",
           "random_state", "verbose", "n_jobs", "power_t", "scoring",
           "huber_delta", "quantile", "tolerance", "lai_fraction", "tol")  # fmt: skip


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """An estimator fitted to special data, and used on it."""
    estimator = draw(estimators())
    parameters = allowed_parameters(draw, estimator, most=2, without=WITHOUT)
    setup, changes = draw(data())
    names = frozenset({*parameters}.union(*(change.names for change in changes)))
    if "CV" in estimator:
        names |= {"cv"} if "sample" in names or "sample_weight" in names else set()
    make = Step(construct(estimator, parameters), into="model", last=True)
    fit = Step(
        "model.fit(X, y, sample_weight)",
        names=names,
        wrong="; ".join(change.code for change in changes if change.wrong),
        last=True,
        checks=FIT_CHECKS,
    )
    uses = [
        Step(f"model.{method}(X)", names=names, last=True, checks=(finite,))
        for method in ("predict", "input_gradient")
    ]
    return Program(estimator, setup, (make, fit, *uses))
