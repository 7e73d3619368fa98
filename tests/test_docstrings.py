"""Docstrings of the estimators: what they share is said alike, and is so."""

import inspect
from ast import literal_eval
from itertools import combinations

import pytest
from numpydoc.docscrape import ClassDoc

from sklearn_lai import (
    LaiLinearRegressor,
    LaiLinearRegressorCV,
    LaiMLPRegressor,
    LaiMLPRegressorCV,
)

ESTIMATORS = [
    LaiMLPRegressor,
    LaiMLPRegressorCV,
    LaiLinearRegressor,
    LaiLinearRegressorCV,
]

# Whose default or text is another one in a perceptron, in a linear model, or in a
# linear model that has but one solver.
OTHER_DEFAULT = {"ks", "learning_rate_init", "lai_learning_rate_init", "solver"}
OTHER_TEXT = {
    "ks",
    "n_iter_no_change",
    "noise",
    "norm",
    "lai_epochs",
    "random_state",
    "scoring",
    "solver",
    "tol",
}


def parameters(Estimator):
    """Type, default and description of each parameter, by name."""
    documented = {}
    for name, kind, description in ClassDoc(Estimator)["Parameters"]:
        kind, _, default = kind.partition(", default=")
        documented[name] = kind, default, " ".join(description)
    return documented


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_documented_parameters_and_defaults_are_those_of_the_signature(Estimator):
    signature = inspect.signature(Estimator).parameters
    documented = parameters(Estimator)
    assert list(documented) == list(signature)
    for name, (_, default, _) in documented.items():
        assert literal_eval(default) == signature[name].default, name


@pytest.mark.parametrize(("one", "other"), list(combinations(ESTIMATORS, 2)))
def test_shared_parameters_have_equal_defaults_and_texts(one, other):
    ours, theirs = parameters(one), parameters(other)
    for name in ours.keys() & theirs.keys():
        kinds, defaults, texts = zip(ours[name], theirs[name], strict=True)
        assert len(set(kinds)) == 1 or name == "solver"
        assert len(set(defaults)) == 1 or name in OTHER_DEFAULT, name
        assert len(set(texts)) == 1 or name in OTHER_TEXT, name


def test_what_is_listed_as_different_is_so():
    found = [parameters(Estimator) for Estimator in ESTIMATORS]
    for position, listed in {1: OTHER_DEFAULT, 2: OTHER_TEXT}.items():
        for name in listed:
            assert len({of[name][position] for of in found if name in of}) > 1, name
