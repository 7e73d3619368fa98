"""Second moments: accuracy, weights, order and parts of the rows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_lai._linear import moments as _moments
from sklearn_lai._linear.moments import Moments


def make_data(n_samples=500, n_features=3, n_outputs=2, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_samples, n_features)) @ rng.normal(
        size=(n_features, n_features)
    )
    return X, X @ rng.normal(size=(n_features, n_outputs)) + rng.normal(
        size=(n_samples, n_outputs)
    )


def assert_same(ours, theirs, rtol=1e-12):
    assert ours.n_rows == theirs.n_rows
    unit = np.sqrt(np.diag(theirs.scatter) / theirs.columns.weight) + 1e-300
    np.testing.assert_allclose(ours.columns.weight, theirs.columns.weight, rtol=rtol)
    np.testing.assert_allclose(
        (ours.columns.mean - theirs.columns.mean) / unit,
        0,
        atol=rtol * (1 + np.abs(theirs.columns.mean) / unit).max(),
    )
    np.testing.assert_allclose(
        ours.scatter / theirs.columns.weight / np.outer(unit, unit),
        theirs.scatter / theirs.columns.weight / np.outer(unit, unit),
        atol=rtol,
    )
    np.testing.assert_array_equal(ours.columns.is_constant, theirs.columns.is_constant)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(_moments, "BLOCK_BYTES", 8 * 5 * 64)


@pytest.mark.parametrize("mean", [0, 1e3, 1e6])
@pytest.mark.parametrize("order", ["random", "sorted", "first rows far away"])
def test_they_are_as_accurate_as_centring_first(mean, order):
    X, y = make_data(20_000)
    X /= X.std(axis=0)
    X += mean
    if order == "sorted":
        rows = X[:, 0].argsort()
        X, y = X[rows], y[rows]
    elif order == "first rows far away":
        X[:300] -= 1e4
    data = np.hstack([X, y])
    exact = data.astype(np.longdouble) - data.astype(np.longdouble).mean(axis=0)
    scatter = (exact.T @ exact).astype(np.float64)
    centred = data - data.mean(axis=0)
    unit = np.sqrt(np.outer(np.diag(scatter), np.diag(scatter)))
    error = np.abs(Moments.of(X, y).scatter - scatter) / unit
    reference = np.abs(centred.T @ centred - scatter) / unit
    assert error.max() <= max(20 * np.finfo(float).eps, 2 * reference.max())


@settings(max_examples=30)
@given(
    n_samples=st.integers(2, 300),
    cuts=st.lists(st.integers(0, 300), max_size=4),
    weighted=st.booleans(),
    seed=st.integers(0, 2**16),
)
def test_parts_in_any_order_add_up_to_the_whole(n_samples, cuts, weighted, seed):
    X, y = make_data(n_samples, seed=seed)
    rng = np.random.default_rng(seed)
    weight = rng.uniform(0.1, 2, n_samples) if weighted else None
    parts = np.split(rng.permutation(n_samples), sorted(cuts))
    moments = [Moments.of(X, y, weight, rows=rows) for rows in parts]
    assert_same(sum(moments[1:], start=moments[0]), Moments.of(X, y, weight))


def test_whole_weights_are_repetitions_and_zero_weights_removals():
    X, y = make_data()
    weight = np.random.default_rng(0).integers(0, 4, len(X))
    weighted = Moments.of(X, y, weight.astype(float))
    repeated = Moments.of(X.repeat(weight, axis=0), y.repeat(weight, axis=0))
    assert weighted.n_rows == np.count_nonzero(weight)
    assert weighted.columns.weight == repeated.columns.weight
    np.testing.assert_allclose(weighted.columns.mean, repeated.columns.mean, rtol=1e-12)
    np.testing.assert_allclose(weighted.scatter, repeated.scatter, rtol=1e-11)


@pytest.mark.parametrize("value", [0.1, 1e6, -1e-3])
def test_constant_columns_are_exact_whatever_the_rows_without_weight_say(value):
    X, y = make_data()
    X[:, 1] = value
    X[:70, 1] = 7
    weight = np.where(np.arange(len(X)) < 70, 0.0, 1.3)
    moments = Moments.of(X, y, weight)
    assert moments.columns.is_constant.tolist() == [False, True, False, False, False]
    assert moments.columns.mean[1] == value
    assert (moments.scatter[1] == 0).all()
    assert not Moments.of(X, y).columns.is_constant.any()


def test_integers_and_single_precision_are_gathered_in_double():
    X, y = make_data()
    X = (100 * X).round()
    expected = Moments.of(X, y)
    for dtype in (np.float32, np.int64):
        assert_same(Moments.of(X.astype(dtype), y), expected)
