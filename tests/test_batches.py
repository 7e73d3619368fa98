"""Batches: every row once, standardised, whatever the layout of X."""

import numpy as np
import pytest
import torch
from common import X, quick, y
from hypothesis import given
from hypothesis import strategies as st

from sklearn_lai import LaiMLPRegressor, _inference
from sklearn_lai._train import batches as _batches
from sklearn_lai._train.batches import Batches
from sklearn_lai._train.threads import MIN_OPERATIONS, suitable_threads


def make_batches(n_samples, n_features=3, **options):
    rng = np.random.default_rng(0)
    data = torch.from_numpy(rng.normal(size=(n_samples, n_features)))
    target = torch.arange(n_samples, dtype=torch.float64)[:, None]
    mean, unit = data.mean(0), torch.full((n_features,), 2.0, dtype=torch.float64)
    return Batches(data, target, mean, unit, **options)


@given(
    n_samples=st.integers(1, 50),
    batch_size=st.integers(1, 60),
    shuffle=st.booleans(),
    add_ones=st.booleans(),
    chunk_bytes=st.sampled_from([1, 200, 2**20]),
)
def test_an_epoch_visits_every_row_once_in_standard_units(
    n_samples, batch_size, shuffle, add_ones, chunk_bytes
):
    batches = make_batches(
        n_samples, batch_size=batch_size, shuffle=shuffle, add_ones=add_ones
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_batches, "CHUNK_BYTES", chunk_bytes)
        seen = [
            (a.clone(), b.clone()) for a, b, _ in batches.epoch(np.random.default_rng())
        ]
    assert [len(rows) for rows, _ in seen] == batches.sizes.tolist()
    assert len(seen) == len(batches)
    rows, order = (torch.cat(part) for part in zip(*seen, strict=True))
    if not shuffle:
        assert torch.equal(order, batches.y)
    rows = rows[order[:, 0].argsort()]
    torch.testing.assert_close(rows[:, :3] * batches.X_unit + batches.X_mean, batches.X)
    assert rows.shape[1] == 3 + add_ones
    assert (rows[:, 3:] == 1).all()


def test_epochs_differ_and_follow_the_generator():
    batches = make_batches(64, batch_size=64, shuffle=True, add_ones=True)
    rng = np.random.default_rng(0)
    orders = [next(batches.epoch(r))[1].clone() for r in (rng, rng)]
    again = next(batches.epoch(np.random.default_rng(0)))[1]
    assert torch.equal(orders[0], again)
    assert not torch.equal(*orders)


def test_a_memory_map_trains_as_an_array_does(tmp_path):
    path = tmp_path / "X.npy"
    np.save(path, X)
    mapped = np.load(path, mmap_mode="r")
    model = quick(LaiMLPRegressor).fit(mapped, y)
    expected = quick(LaiMLPRegressor).fit(X, y)
    np.testing.assert_array_equal(model.predict(mapped), expected.predict(X))
    np.testing.assert_array_equal(np.load(path), X)


def test_rows_are_gathered_in_the_same_memory(monkeypatch):
    monkeypatch.setattr(_batches, "CHUNK_BYTES", 1)
    gather, places = torch.index_select, set()

    def spy(source, dim, rows, *, out):
        places.add(out.data_ptr())
        return gather(source, dim, rows, out=out)

    monkeypatch.setattr(torch, "index_select", spy)
    quick(LaiMLPRegressor, max_iter=1, lai_epochs=0).fit(X, y)
    assert len(places) == 1


def test_training_changes_neither_data_nor_target():
    data, target = X.copy(), y.copy()
    quick(LaiMLPRegressor).fit(data, target)
    np.testing.assert_array_equal(data, X)
    np.testing.assert_array_equal(target, y)


def test_prediction_in_blocks_is_prediction_at_once(monkeypatch):
    model = quick(LaiMLPRegressor).fit(X, y)
    at_once = model.predict(X), model.input_gradient(X)
    monkeypatch.setattr(_inference, "BLOCK_BYTES", 7 * 8 * 8)
    for blocks, whole in zip(
        (model.predict(X), model.input_gradient(X)), at_once, strict=True
    ):
        np.testing.assert_allclose(blocks, whole, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("n_operations", "expected"), [(MIN_OPERATIONS - 1, 1), (MIN_OPERATIONS, 2)]
)
def test_small_networks_train_on_one_thread(n_operations, expected):
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with suitable_threads(n_operations):
            assert torch.get_num_threads() == expected
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
