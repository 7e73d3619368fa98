"""Linear models of chunks of data, wherever those are."""

import numpy as np
import pandas as pd
import pytest
from common import FRAME, NAMES, X, Y, y
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from sklearn_lai import LaiLinearRegressor

WEIGHT = np.random.default_rng(0).uniform(0.5, 2, len(X))
PARTS = np.split(np.arange(len(X)), [10, 60, 61])


def chunks_of(*arrays):
    return [tuple(array[rows] for array in arrays) for rows in PARTS]


def assert_same_fit(model, other):
    np.testing.assert_allclose(model.coef_, other.coef_, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(model.intercept_, other.intercept_, rtol=1e-9)
    np.testing.assert_allclose(model.objective_, other.objective_, rtol=1e-9)
    assert model.n_samples_seen_ == other.n_samples_seen_
    assert model.n_features_in_ == other.n_features_in_
    assert (
        getattr(model, "feature_names_in_", None)
        is getattr(other, "feature_names_in_", None)
        or (model.feature_names_in_ == other.feature_names_in_).all()
    )


@pytest.mark.parametrize(
    "model",
    [
        LaiLinearRegressor(),
        LaiLinearRegressor(k=0.1, lai_fraction=0.5, norm="l2"),
        LaiLinearRegressor(noise=0.3),
        LaiLinearRegressor(fit_intercept=False, standardize=False),
    ],
    ids=str,
)
@pytest.mark.parametrize("target", [y, Y], ids=["one", "two"])
@pytest.mark.parametrize("n_jobs", [None, 2, -1])
def test_chunks_make_the_fit_of_all_rows(model, target, n_jobs):
    whole = clone(model).fit(X, target, WEIGHT)
    chunks = chunks_of(X, target, WEIGHT)
    assert_same_fit(clone(model).fit_chunks(iter(chunks), n_jobs=n_jobs), whole)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, len(X)), max_size=6), st.randoms(use_true_random=False))
def test_neither_their_sizes_nor_their_order_matter(cuts, random):
    order = np.arange(len(X))
    random.shuffle(order)
    parts = [rows for rows in np.split(order, sorted(cuts)) if rows.size]
    model = LaiLinearRegressor().fit_chunks((X[rows], y[rows]) for rows in parts)
    assert_same_fit(model, LaiLinearRegressor().fit(X, y))


def test_frames_and_types_are_those_of_fit():
    parts = [
        (FRAME.iloc[rows].astype(np.float32), pd.Series(y[rows])) for rows in PARTS
    ]
    model = LaiLinearRegressor().fit_chunks(parts)
    expected = LaiLinearRegressor().fit(FRAME.astype(np.float32), y)
    assert model.coef_.dtype == expected.coef_.dtype == np.float32
    np.testing.assert_allclose(model.coef_, expected.coef_, rtol=1e-5)
    assert model.feature_names_in_.tolist() == NAMES


def test_further_passes_go_on_from_it():
    model = LaiLinearRegressor().fit_chunks(chunks_of(X, y)[:2])
    rest = np.setdiff1d(np.arange(len(X)), np.concatenate(PARTS[:2]))
    assert_same_fit(model.partial_fit(X[rest], y[rest]), LaiLinearRegressor().fit(X, y))


def test_a_generator_is_read_as_it_is_needed():
    alive = []

    def read():
        for rows in 50 * PARTS:
            alive.append(len(alive))
            yield X[rows], y[rows]

    LaiLinearRegressor().fit_chunks(read())
    assert len(alive) == 200


@pytest.mark.parametrize(
    ("chunks", "error", "message"),
    [
        ([], ValueError, "chunks must have at least one chunk, got none"),
        (3, TypeError, "chunks must be an iterable of tuples"),
        (X, TypeError, r"chunks must be tuples \(X, y\) .* chunk 0 is"),
        ([(X, y), X], TypeError, "chunks must be tuples .* chunk 1 is"),
        ([(X, y), (X[:, :2], y)], ValueError, "chunk 1: X must have the columns of"),
        ([(X, y), (FRAME, y)], ValueError, r"chunk 1: X must .* 5, got \['a', 'b'"),
        (
            [(X, Y), (X, y)],
            ValueError,
            r"chunk 1: y must have 2 output\(s\) as chunk 0",
        ),
        ([(X, y), (X * np.nan, y)], ValueError, "chunk 1: .*X contains NaN"),
        ([(X, y[:-1])], ValueError, "chunk 0: .*X and y.*inconsistent"),
        ([(X, y, -WEIGHT)], ValueError, "chunk 0: sample_weight"),
    ],
)
def test_wrong_chunks_are_named_and_the_earlier_fit_is_kept(chunks, error, message):
    model = LaiLinearRegressor().fit(FRAME, y)
    before = model.predict(FRAME)
    with pytest.raises(error, match=message):
        model.fit_chunks(chunks)
    np.testing.assert_array_equal(model.predict(FRAME), before)
    assert model.feature_names_in_.tolist() == NAMES


def test_other_solvers_have_no_chunks():
    assert not hasattr(LaiLinearRegressor(solver="adam"), "fit_chunks")
    assert not hasattr(LaiLinearRegressor(loss="huber"), "fit_chunks")


def of_arrays(da, dd, delayed):
    return tuple(
        da.from_array(array, chunks=(50, *array.shape[1:])) for array in (X, Y, WEIGHT)
    )


def of_frames(da, dd, delayed):
    frame = FRAME.assign(first=Y[:, 0], second=Y[:, 1], weight=WEIGHT)
    parts = dd.from_pandas(frame, npartitions=3)
    return parts[NAMES], parts[["first", "second"]], parts["weight"]


def of_delayed(da, dd, delayed):
    return [tuple(map(delayed, chunk)) for chunk in chunks_of(X, Y, WEIGHT)]


@pytest.mark.filterwarnings("ignore")  # of the event loop and its threads
@pytest.mark.parametrize("make", [of_arrays, of_frames, of_delayed])
def test_chunks_of_dask_on_a_cluster(make, cluster):
    import dask
    import dask.array as da
    import dask.dataframe as dd

    whole = LaiLinearRegressor().fit(FRAME if make is of_frames else X, Y, WEIGHT)
    found = LaiLinearRegressor().fit_chunks(make(da, dd, dask.delayed))
    assert_same_fit(found, whole)


@pytest.mark.filterwarnings("ignore")
def test_wrong_collections_of_dask_are_named():
    da = pytest.importorskip("dask.array")
    rows = da.from_array(X, chunks=(50, 5))
    for chunks, error, message in [
        ((da.from_array(X, chunks=(50, 2)), rows[:, 0]), ValueError, "rechunk"),
        ((rows, da.from_array(y, chunks=20)), ValueError, "equal partitions, got 3, 6"),
        ((rows, y), TypeError, "collections of Dask all, .* got a ndarray"),
        ((rows * np.nan, rows[:, 0]), ValueError, "chunk .: .*X contains NaN"),
    ]:
        with pytest.raises(error, match=message):
            LaiLinearRegressor().fit_chunks(chunks)
