"""What works where torch is not installed: all but training a network."""

import pickle
import subprocess
import sys

import numpy as np
import pytest
from common import MODELS, X, Y, y
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

# Runs a program in which torch cannot be found.
WITHOUT = """
import pickle, sys

class NoTorch:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "torch":
            raise ModuleNotFoundError("No module named 'torch'", name="torch")

sys.meta_path.insert(0, NoTorch())
given = pickle.load(sys.stdin.buffer)
exec(given.pop("program"), given)
sys.stdout.buffer.write(pickle.dumps(given["result"]))
"""
USE = """
import matplotlib
matplotlib.use("agg")
from sklearn_lai import inspection, metrics
result = {}
for name, model in models.items():
    result[name] = (
        model.predict(X),
        *(getattr(model, use)(*given) if hasattr(model, use) else None
          for use, given in (("input_gradient", [X]), ("slope_bounds", []))),
        metrics.noise_sensitivity(model, X),
        metrics.error_under_noise(model, X, y, noise=0.3),
    )
    if hasattr(model, "feature_k_"):
        inspection.SlopeDisplay.from_estimator(model, X, y)
    inspection.SensitivityDisplay.from_estimator(model, X)
"""


def run_without_torch(program, **given):
    """What the program calls its result."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT],
        input=pickle.dumps({"program": program, **given}),
        stdout=subprocess.PIPE,
        check=True,
        timeout=120,
    )
    return pickle.loads(done.stdout)


@pytest.fixture(scope="module")
def fitted():
    models = {name: clone(model).fit(X, y) for name, model in MODELS.items()}
    models["pass"] = clone(MODELS["mlp"]).partial_fit(X, y)
    models["early"] = clone(MODELS["mlp"]).set_params(early_stopping=True).fit(X, y)
    models["pipeline"] = make_pipeline(StandardScaler(), clone(MODELS["mlp"])).fit(X, y)
    grid = {"k": [0.1, 0.3]}
    models["search"] = GridSearchCV(clone(MODELS["mlp"]), grid, cv=2).fit(X, y)
    return models


def test_fitted_models_do_the_same(fitted):
    found = run_without_torch(USE, models=fitted, X=X, y=y)
    expected = {"models": fitted, "X": X, "y": y}
    exec(USE, expected)
    for name, results in expected["result"].items():
        for result, other in zip(results, found[name], strict=True):
            np.testing.assert_array_equal(result, other)


def test_linear_models_are_fitted():
    program = """
from sklearn_lai import LaiLinearRegressor, LaiLinearRegressorCV
result = [
    LaiLinearRegressor().fit(X, Y).predict(X),
    LaiLinearRegressor().partial_fit(X[:50], Y[:50]).partial_fit(X[50:], Y[50:])
    .predict(X),
    LaiLinearRegressorCV(ks=3, cv=3).fit(X, Y).predict(X),
]
"""
    found = run_without_torch(program, X=X, Y=Y)
    expected = {"X": X, "Y": Y}
    exec(program, expected)
    np.testing.assert_array_equal(found, expected["result"])


@pytest.mark.parametrize(
    ("name", "method"),
    [("mlp", "fit"), ("mlp", "partial_fit"), ("mlp-cv", "fit"), ("adam", "fit")],
)
def test_training_says_what_it_needs(name, method, fitted):
    program = f"""
before = pickle.dumps(model)
try:
    model.{method}(X, y)
except ImportError as error:
    result = str(error), pickle.dumps(model) == before
"""
    found = run_without_torch("import pickle\n" + program, model=fitted[name], X=X, y=y)
    assert found == ("Training needs torch: pip install torch.", True)


def test_nothing_but_training_loads_torch():
    program = """
import sys
import sklearn_lai, sklearn_lai.inspection, sklearn_lai.metrics
import sklearn_lai.model_selection
sklearn_lai.LaiLinearRegressor(k=3.0, lai_fraction=0.5).fit([[1], [2], [4]], [1, 2, 3])
sklearn_lai.LaiMLPRegressor()
assert "torch" not in sys.modules
import torch
assert sklearn_lai.LaiMLPRegressor().fit([[1], [2]], [1, 2])
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", program], check=True)


def test_a_name_that_is_not_there_is_no_attribute():
    from sklearn_lai import _train

    with pytest.raises(
        AttributeError, match=r"'sklearn_lai\._train' has no .* 'nothing'"
    ):
        _train.nothing  # noqa: B018
