"""Where torch trains: results, fitted state, errors."""

import pickle

import numpy as np
import pytest
import torch
from common import X, estimators, fitted_state, quick, y

from sklearn_lai import LaiMLPRegressor
from sklearn_lai._train.setup import resolve_device

IS_THERE = {
    "cuda": torch.cuda.is_available(),
    "mps": torch.backends.mps.is_available(),
}


@estimators
@pytest.mark.parametrize("reach", [0, 0.5])
def test_the_default_device_of_torch_does_not_matter(Estimator, reach):
    parameters = {"reach": reach} if Estimator is LaiMLPRegressor else {}
    expected = quick(Estimator, **parameters).fit(X, y).predict(X)
    with torch.device("meta"):
        found = quick(Estimator, **parameters).fit(X, y).predict(X)
    np.testing.assert_array_equal(found, expected)


@pytest.fixture
def make_available(monkeypatch):
    """Makes torch say that it has these devices and no others."""

    def make_available(*devices):
        for name, module in {"cuda": torch.cuda, "mps": torch.backends.mps}.items():
            monkeypatch.setattr(
                module, "is_available", lambda name=name: name in devices
            )

    return make_available


@estimators
@pytest.mark.parametrize("device", ["cuda", "mps", "auto"])
def test_a_device_gives_the_same_model_to_rounding(Estimator, device):
    if not IS_THERE.get(device, True):
        pytest.skip(f"no {device} here")
    data = X.astype(np.float32)
    expected = quick(Estimator).fit(data, y).predict(data)
    model = quick(Estimator, device=device).fit(data, y)
    np.testing.assert_allclose(model.predict(data), expected, rtol=1e-3)
    assert b"torch" not in pickle.dumps(model)


@estimators
@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_a_missing_device_is_named(Estimator, device):
    if IS_THERE[device]:
        pytest.skip(f"{device} is here")
    with pytest.raises(ValueError, match=rf"device='{device}' is not available.*'cpu'"):
        quick(Estimator, device=device).fit(X, y)


@estimators
def test_auto_trains_on_the_cpu_where_there_is_nothing_else(Estimator, make_available):
    make_available()
    expected = quick(Estimator, device="cpu").fit(X, y)
    model = quick(Estimator, device="auto").fit(X, y)
    assert fitted_state(model) == fitted_state(expected)


@pytest.mark.parametrize(
    ("available", "dtype", "chosen"),
    [
        ([], np.float32, "cpu"),
        (["cuda"], np.float64, "cuda"),
        (["mps"], np.float32, "mps"),
        (["mps"], np.float64, "cpu"),
        (["mps", "cuda"], np.float32, "cuda"),
    ],
)
def test_auto_chooses_a_gpu_that_has_the_type(available, dtype, chosen, make_available):
    make_available(*available)
    assert resolve_device("auto", np.dtype(dtype)) == chosen


@estimators
def test_mps_needs_single_precision(Estimator, make_available):
    make_available("mps")
    with pytest.raises(ValueError, match="device='mps' has no float64; pass X as"):
        quick(Estimator, device="mps").fit(X, y)
    quick(Estimator, device="auto").fit(X, y)
