"""Saved models: they have no class of ours but their own, and go on as they were."""

import copy
import pickle
import pickletools
import warnings
from functools import cache

import joblib
import numpy as np
import pytest
from common import MODELS, X, Y, fitted_state, y
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import sklearn_lai
from sklearn_lai import FeatureK

MLP = MODELS["mlp"]
# Estimators, with the data they are fitted to where it is other than X and y.
UNFITTED = {
    **MODELS,
    "mlp, two outputs": (MLP, X, Y),
    "mlp, sgd": clone(MLP).set_params(solver="sgd", warm_start=True),
    "mlp, lbfgs": clone(MLP).set_params(solver="lbfgs"),
    "mlp, stopped": clone(MLP).set_params(early_stopping=True),
    "mlp, nested": clone(MLP).set_params(feature_k=FeatureK({0: 0.1})),
    "mlp, raw": clone(MLP).set_params(standardize=False),
    "mlp, noise": clone(MLP).set_params(noise=0.3),
    "mlp, constant": (MLP, X * [1, 1, 1, 1, 0], Y * [1, 0]),
    "mlp, passes": (MLP, X, y, "partial_fit"),
    "exact, chunks": (MODELS["exact"], X, Y, "partial_fit"),
    "pipeline": make_pipeline(StandardScaler(), MLP),
    "search": GridSearchCV(MLP, {"k": [0.1, 0.3]}, cv=2),
}


@cache
def fitted_model(name):
    given = UNFITTED[name] if isinstance(UNFITTED[name], tuple) else (UNFITTED[name],)
    model, features, target, method = (*given, *(None, X, y, "fit")[len(given) :])
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
        return getattr(clone(model), method)(features, target)


COMPOSED = {"pipeline", "search"}
all_fitted = pytest.mark.parametrize("name", UNFITTED)
fitted = pytest.mark.parametrize("name", [n for n in UNFITTED if n not in COMPOSED])


def by_pickle(model, path):
    return pickle.loads(pickle.dumps(model))


def by_joblib(model, path):
    joblib.dump(model, path / "model.joblib")
    return joblib.load(path / "model.joblib")


def by_copy(model, path):
    return copy.deepcopy(model)


def by_skops(model, path):
    io = pytest.importorskip("skops.io")
    io.dump(model, path / "model.skops")
    trusted = io.get_untrusted_types(file=path / "model.skops")
    return io.load(path / "model.skops", trusted=trusted)


ways = pytest.mark.parametrize("way", [by_pickle, by_joblib, by_copy, by_skops])


@all_fitted
@ways
def test_predictions_have_the_same_bits(name, way, tmp_path):
    model = fitted_model(name)
    arrived = way(model, tmp_path)
    np.testing.assert_array_equal(arrived.predict(X), model.predict(X))
    assert fitted_state(arrived) == fitted_state(model)
    assert str(arrived.get_params()) == str(model.get_params())


@fitted
@ways
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_training_goes_on_with_the_same_bits(name, way, tmp_path):
    model = fitted_model(name)
    going_on = [copy.deepcopy(model), way(way(model, tmp_path), tmp_path)]
    for one in going_on:
        if hasattr(one, "partial_fit") and not getattr(one, "early_stopping", False):
            target = y if one.predict(X).ndim == 1 else Y
            one.partial_fit(X[:50], target[:50])
        else:
            one.fit(X, y)
    np.testing.assert_array_equal(going_on[0].predict(X), going_on[1].predict(X))


@pytest.mark.parametrize("name", ["mlp-cv", "linear-cv"])
@ways
def test_models_along_the_path_are_kept(name, way, tmp_path):
    model = fitted_model(name)
    arrived = way(model, tmp_path)
    for k in model.ks_:
        expected, found = (m.estimator_at(k).predict(X) for m in (model, arrived))
        np.testing.assert_array_equal(found, expected)


def globals_of(pickled):
    """Names that a pickle imports."""
    texts, found = [], set()
    for operation, argument, _ in pickletools.genops(pickled):
        if isinstance(argument, str):
            texts.append(argument)
        if operation.name == "STACK_GLOBAL":
            found.add(tuple(texts[-2:]))
        if operation.name == "GLOBAL":
            found.add(tuple(argument.split(" ")))
    return found


@fitted
def test_a_pickle_has_no_private_class(name):
    model = fitted_model(name)
    # The text of what was memoised may be missing, but not for the first of a class.
    ours = {name for _, name in globals_of(pickle.dumps(model)) if name[:1].isupper()}
    known = {"RandomState", "MT19937", "PCG64", *sklearn_lai.__all__}
    assert ours <= known


@all_fitted
def test_skops_is_to_trust_the_estimator_alone(name):
    model = fitted_model(name)
    io = pytest.importorskip("skops.io")
    untrusted = io.get_untrusted_types(data=io.dumps(model))
    ours = {name for name in untrusted if name.startswith("sklearn_lai")}
    assert {name.rpartition(".")[2] for name in ours} <= set(sklearn_lai.__all__)
    if not isinstance(model, GridSearchCV):
        assert ours == set(untrusted)
