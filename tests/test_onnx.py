"""Models in ONNX predict what they predict here, in onnxruntime."""

import numpy as np
import pytest
from common import MODELS, NAMES, X, Y, mlp, y
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_lai import LaiLinearRegressor

skl2onnx = pytest.importorskip("skl2onnx")
onnxruntime = pytest.importorskip("onnxruntime")
import sklearn_lai.onnx  # noqa: E402

sklearn_lai.onnx.register()
ACTIVATIONS = ["identity", "logistic", "tanh", "relu", "softplus", "silu", "gelu"]
dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def predict_in_onnx(model, rows):
    """Predictions of the converted model."""
    converted = skl2onnx.to_onnx(model, rows[:1]).SerializeToString()
    session = onnxruntime.InferenceSession(converted)
    (predicted,) = session.run(None, {"X": rows})
    return predicted


def assert_predicts_the_same(model, rows, rtol=1e-5):
    found = predict_in_onnx(model, rows)
    expected = model.predict(rows.astype(np.float64)).reshape(len(rows), -1)
    assert found.shape == expected.shape
    assert found.dtype == (np.float64 if rows.dtype == np.float64 else np.float32)
    np.testing.assert_allclose(found, expected, rtol=0, atol=rtol * np.ptp(expected))


@dtypes
@pytest.mark.parametrize("target", [y, Y], ids=["one output", "two outputs"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_networks_of_all_activations(activation, target, dtype):
    model = mlp(hidden_layer_sizes=(8, 5), activation=activation, max_iter=60)
    assert_predicts_the_same(model.fit(X, target), X.astype(dtype))


@dtypes
@pytest.mark.parametrize("name", MODELS)
def test_all_classes(name, dtype):
    assert_predicts_the_same(clone(MODELS[name]).fit(X, y), X.astype(dtype))


@pytest.mark.parametrize(
    "model",
    [
        LaiLinearRegressor(fit_intercept=False),
        mlp(hidden_layer_sizes=()),
        make_pipeline(StandardScaler(), mlp()),
        GridSearchCV(mlp(), {"k": [0.1, 0.3]}, cv=2),
        make_pipeline(
            ColumnTransformer([("some", StandardScaler(), [0, 2])]), MODELS["exact"]
        ),
    ],
    ids=["no intercept", "no hidden layer", "pipeline", "search", "columns"],
)
def test_whole_and_composed_models(model):
    assert_predicts_the_same(clone(model).fit(X, Y), X.astype(np.float32))


def test_passes_and_integers():
    counts = (10 * X).astype(np.int64)
    assert_predicts_the_same(mlp().partial_fit(counts, y), counts)


@pytest.mark.parametrize("name", ["mlp", "exact"])
def test_features_far_from_zero_keep_their_digits_in_float32(name):
    years = np.float32(1e4) + np.round(100 * X).astype(np.float32)
    model = clone(MODELS[name]).fit(years.astype(np.float64), y)
    assert_predicts_the_same(model, years, rtol=2e-6)


def test_names_are_not_needed():
    pd = pytest.importorskip("pandas")
    model = clone(MODELS["mlp"]).fit(pd.DataFrame(X, columns=NAMES), y)
    found = predict_in_onnx(model, X.astype(np.float64))
    np.testing.assert_allclose(
        found[:, 0], model.predict(pd.DataFrame(X, columns=NAMES))
    )
