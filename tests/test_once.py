"""What a fit makes once, whatever it shares and compares."""

from collections import Counter

import numpy as np
import pytest
from common import X, quick, y

from sklearn_lai import LaiLinearRegressor, LaiMLPRegressor, LaiMLPRegressorCV
from sklearn_lai._statistics import ColumnStatistics
from sklearn_lai._train import setup
from sklearn_lai._train.network import Network
from sklearn_lai._units import Scale


@pytest.fixture
def made(monkeypatch):
    """How often rows become tensors or are standardised, and networks are built.

    Rows are told by their number, which is larger than that of features and units.
    """
    counts = Counter()

    def count(owner, name, event):
        original = getattr(owner, name)

        def counted(*args, **kwargs):
            counts[event(*args)] += 1
            return original(*args, **kwargs)

        monkeypatch.setattr(owner, name, counted)

    def of(what):
        def event(*args):
            [array] = [arg for arg in args if isinstance(arg, np.ndarray)][:1]
            is_rows = array.ndim == 2 and len(array) > 20
            return f"{what} {'X' if array.shape[1] == 5 else 'y'}" if is_rows else None

        return event

    count(setup, "_to_tensor", of("tensor of"))
    count(Scale, "standardise", of("standardised"))
    statistics = ColumnStatistics._of_block

    def of_block(block, weight):
        counts[of("statistics of")(block)] += 1
        return statistics(block, weight)

    monkeypatch.setattr(ColumnStatistics, "_of_block", of_block)
    count(Network, "__init__", lambda *args: "network")
    return counts


def expected(n):
    events = ["tensor of X", "tensor of y", "standardised y", "network"]
    return dict.fromkeys([*events, "statistics of X", "statistics of y"], n)


@pytest.mark.parametrize(
    "model",
    [
        quick(LaiMLPRegressor),
        quick(LaiMLPRegressor, lai_error="own", reach=0, lai_interval=1),
        quick(LaiMLPRegressor, max_iter=0),
        quick(LaiLinearRegressor),
    ],
)
def test_a_fit_makes_tensors_units_and_a_network_once(model, made):
    model.fit(X, y)
    made.pop(None)
    assert made == expected(1)


@pytest.mark.parametrize("hit", [False, True])
def test_so_does_one_that_looks_pretraining_up(hit, made, tmp_path):
    model = quick(LaiMLPRegressor, memory=tmp_path)
    if hit:
        model.fit(X, y)
        made.clear()
    model.fit(X, y)
    made.pop(None)
    assert made == expected(1)


@pytest.mark.parametrize("n_ks", [1, 4])
def test_a_cross_validation_does_so_once_per_fold_and_once_for_the_refit(n_ks, made):
    model = quick(LaiMLPRegressorCV, hidden_layer_sizes=8, ks=n_ks, cv=3)
    model.set_params(lai_interval=1, lai_learning_rate_init=1e-3).fit(X, y)
    made.pop(None)
    assert made == expected(3 + 1)


def test_a_pass_over_a_chunk_does_so_once(made):
    model = quick(LaiMLPRegressor, max_iter=0).partial_fit(X[:30], y[:30])
    made.clear()
    model.partial_fit(X[30:], y[30:])
    made.pop(None)
    assert made == expected(1)
