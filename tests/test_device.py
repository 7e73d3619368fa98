"""Where torch trains: results, fitted state, errors."""

import pickle

import numpy as np
import pytest
import torch
from common import ESTIMATORS, X, quick, y

estimators = pytest.mark.parametrize("Estimator", ESTIMATORS)
IS_THERE = {
    "cuda": torch.cuda.is_available(),
    "mps": torch.backends.mps.is_available(),
}


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
def test_auto_is_the_cpu_where_there_is_nothing_else(Estimator):
    if any(IS_THERE.values()):
        pytest.skip("there is another device")
    expected = quick(Estimator).fit(X, y).predict(X)
    model = quick(Estimator, device="auto").fit(X, y)
    np.testing.assert_array_equal(model.predict(X), expected)


@estimators
def test_mps_needs_single_precision(Estimator, monkeypatch):
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="device='mps' has no float64; pass X as"):
        quick(Estimator, device="mps").fit(X, y)
    quick(Estimator, device="auto").fit(X, y)
