"""scikit-learn's own tests of MLPRegressor, with our class in its place.

Those of MLPClassifier that need no classes are run, too. As it comes, our class trains
in two stages; without epochs of the second it is to be MLPRegressor.
"""

import importlib.util
import inspect
from unittest import mock

import pytest
from sklearn import neural_network

from sklearn_lai import LaiMLPRegressor

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("default"),  # as in scikit-learn's settings
]

OF_ANY_TRAINING = {
    "test_adaptive_learning_rate",
    "test_alpha",
    "test_learning_rate_warmstart",
    "test_n_iter_no_change",
    "test_n_iter_no_change_inf",
    "test_sparse_matrices",
    "test_tolerance",
    "test_verbose_sgd",
}
CANNOT_HOLD = {
    "test_sparse_matrices": "X must be dense",
    "test_mlp_vs_poisson_glm_equivalent": "there is no loss 'poisson'",
}
CANNOT_HOLD_WITH_SECOND_STAGE = {
    "test_partial_fit_regression": "fit has two stages, a pass is of one",
}


class OneStage(LaiMLPRegressor):
    """Without a second stage, unless it is asked for."""

    def __init__(self, *arguments, **parameters):
        super().__init__(*arguments, **{"lai_epochs": 0} | parameters)

    __init__.__signature__ = inspect.signature(LaiMLPRegressor.__init__)


@pytest.fixture
def global_random_seed():
    """What scikit-learn's settings give."""
    return 42


def of_scikit_learn(regressor):
    """scikit-learn's tests that concern a regressor, by name, with that one."""
    spec = importlib.util.find_spec("sklearn.neural_network.tests.test_mlp")
    module = importlib.util.module_from_spec(spec)
    with (
        mock.patch.object(neural_network, "MLPRegressor", regressor),
        mock.patch.object(neural_network, "MLPClassifier", regressor),
    ):
        spec.loader.exec_module(module)
    for name, test in vars(module).items():
        if name.startswith("test_") and concerns(test, name, regressor):
            test.pytestmark = list(map(once, getattr(test, "pytestmark", [])))
            yield name, test


def concerns(test, name, regressor):
    """Whether a test is about the regressor, or about any training."""
    is_parameter = any(
        regressor in mark.args[1]
        for mark in getattr(test, "pytestmark", [])
        if mark.name == "parametrize" and isinstance(mark.args[1][0], type)
    )
    return (
        is_parameter
        or "MLPRegressor" in test.__code__.co_names
        or name in OF_ANY_TRAINING
    )


def once(mark):
    """A mark without what is the same regressor again."""
    if mark.name != "parametrize" or not isinstance(mark.args[1][0], type):
        return mark
    names, values = mark.args
    return pytest.mark.parametrize(names, list(dict.fromkeys(values))).mark


def listed(regressor, cannot_hold, suffix):
    """The tests by name, those expected to fail that cannot hold for a reason."""
    return {
        name + suffix: pytest.mark.xfail(reason=cannot_hold[name], strict=True)(test)
        if name in cannot_hold
        else test
        for name, test in of_scikit_learn(regressor)
    }


globals().update(listed(OneStage, CANNOT_HOLD, "_in_one_stage"))
globals().update(
    listed(
        LaiMLPRegressor, CANNOT_HOLD | CANNOT_HOLD_WITH_SECOND_STAGE, "_in_two_stages"
    )
)
