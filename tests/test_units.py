"""Standardised units and the way back into the weights."""

from itertools import chain

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from networks import random_layers

from sklearn_lai import _statistics
from sklearn_lai._inference import predict
from sklearn_lai._statistics import ColumnStatistics
from sklearn_lai._units import Scale, Units, statistics_of


def standard(array, **options):
    statistics = ColumnStatistics.of(array)
    return Scale.standard(statistics, "X", dtype=array.dtype, **options)


@given(
    hidden=st.lists(st.integers(1, 4), max_size=3),
    n_outputs=st.integers(1, 3),
    centre=st.booleans(),
    seed=st.integers(0, 99),
)
def test_folded_weights_are_the_same_function_in_the_callers_units(
    hidden, n_outputs, centre, seed
):
    rng = np.random.default_rng(seed)
    X = rng.normal(3, [1, 10, 0.1], (20, 3))
    y = rng.normal(-5, 7, (20, n_outputs))
    units = Units.of(statistics_of(X, y), centre=centre)
    layers = random_layers([3, *hidden, n_outputs], seed)
    inside = predict(units.X.standardise(X), *layers, "tanh")
    outside = predict(X, *units.fold(layers), "tanh")
    np.testing.assert_allclose(
        outside, inside * units.y.unit + units.y.mean, rtol=1e-9, atol=1e-9
    )
    for once, twice in zip(layers, units.unfold(units.fold(layers)), strict=True):
        for a, b in zip(once, twice, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)


def test_standard_units_give_mean_zero_and_deviation_one():
    X = np.random.default_rng(0).normal(1e4, [1, 1e-3], (500, 2))
    standardised = standard(X).standardise(X)
    np.testing.assert_allclose(standardised.mean(0), 0, atol=1e-7)
    np.testing.assert_allclose(standardised.std(0), 1, rtol=1e-9)


def test_a_constant_column_keeps_unit_one():
    assert standard(np.full((9, 1), 0.1)).unit == [1]


@pytest.mark.parametrize(("value", "problem"), [(1e300, "large"), (1e-200, "small")])
def test_a_column_without_normal_variance_is_named(value, problem):
    X = np.array([[0, value], [0, -value]])
    with pytest.raises(ValueError, match=f"column 1 of X are too {problem}"):
        standard(X)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e9, -1e300])
def test_a_constant_column_of_infinite_unit_vanishes(value):
    X = np.column_stack([np.full(7, value), np.arange(7.0)])
    scale = standard(X, constant_unit=np.inf)
    assert scale.is_constant().tolist() == [True, False]
    np.testing.assert_array_equal(scale.standardise(X)[:, 0], 0)
    units = Units(scale, standard(X[:, 1:]))
    coefs, intercepts = random_layers([2, 1])
    folded = units.fold((coefs, intercepts))
    assert folded[0][0][0] == 0
    assert units.unfold(folded)[0][0][0] == 0


def test_blocks_of_rows_give_the_moments_of_the_whole(monkeypatch):
    X = np.random.default_rng(0).normal(1e6, 1, (1000, 3))
    whole = standard(X)
    monkeypatch.setattr(_statistics, "BLOCK_BYTES", 7 * X[0].nbytes)
    blocks = standard(X)
    np.testing.assert_allclose(blocks.mean, whole.mean, rtol=1e-14)
    np.testing.assert_allclose(blocks.unit, whole.unit, rtol=1e-9)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_type_of_the_data_is_kept(dtype):
    X = np.random.default_rng(0).normal(size=(9, 2)).astype(dtype)
    scale = standard(X)
    assert scale.standardise(X).dtype == dtype
    layers = random_layers([2, 2])
    for array in chain(*Units(scale, scale).fold(layers)):
        assert array.dtype == dtype


@given(
    cuts=st.lists(st.integers(1, 39), max_size=4, unique=True),
    location=st.sampled_from([0.0, 1e6]),
    weighted=st.booleans(),
    seed=st.integers(0, 99),
)
def test_statistics_of_parts_add_up_to_those_of_the_whole(
    cuts, location, weighted, seed
):
    rng = np.random.default_rng(seed)
    X = np.column_stack([rng.normal(location, 1, (40, 2)), np.full(40, 0.1)])
    weight = rng.uniform(0.1, 2, 40) if weighted else None
    whole = ColumnStatistics.of(X, weight)
    total = None
    for rows in np.split(np.arange(40), sorted(cuts)):
        part = ColumnStatistics.of(X[rows], None if weight is None else weight[rows])
        total = part if total is None else total + part
    assert total.weight == pytest.approx(whole.weight)
    np.testing.assert_allclose(total.mean, whole.mean, rtol=1e-14, atol=1e-14)
    np.testing.assert_allclose(total.variance, whole.variance, rtol=1e-8, atol=1e-14)
    assert total.is_constant.tolist() == [len(X) == 1] * 2 + [True]


def test_a_column_that_starts_to_vary_is_no_longer_constant():
    total = ColumnStatistics.of(np.ones((3, 1))) + ColumnStatistics.of(
        np.full((3, 1), 2.0)
    )
    assert not total.is_constant[0]
    assert total.variance[0] == pytest.approx(0.25)
