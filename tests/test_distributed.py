"""One model fitted by several processes, each to rows of its own."""

import json
import os
import pickle
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from common import X, mlp, y
from distributed_fits import BATCH_SIZE, CASES, WEIGHT, parts_of, validation_of
from hypothesis import given
from hypothesis import strategies as st

from sklearn_lai._mlp.distributed import warn_of_few_rows
from sklearn_lai._peers import Peers
from sklearn_lai._train.sharing import Part, Sharing, part_sizes

FITS = Path(__file__).parent / "distributed_fits.py"
SCRIPT = FITS.parents[1] / "docs/user_guide/fit_in_processes.py"


@pytest.fixture(scope="module")
def launch():
    """Starts processes that run a part of `distributed_fits`, as a launcher does."""
    started = []

    def launch(what, folder, n_processes=2, **environment):
        shared = {
            **os.environ,
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(free_port()),
            "WORLD_SIZE": str(n_processes),
            "OMP_NUM_THREADS": "1",
            **environment,
        }
        processes = [
            subprocess.Popen(
                [sys.executable, str(FITS), what, str(folder)],
                env={**shared, "RANK": str(rank)},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for rank in range(n_processes)
        ]
        started.extend(processes)
        return processes

    yield launch
    for process in started:
        process.kill()
        process.communicate()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def results(processes, folder):
    """What each of the processes has left, which have to end well."""
    for process in processes:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    return [
        pickle.loads((folder / f"{rank}.pickle").read_bytes())
        for rank in range(len(processes))
    ]


@pytest.fixture(scope="module")
def fitted(launch, tmp_path_factory):
    """Models of all cases, as both processes have them."""
    folder = tmp_path_factory.mktemp("cases")
    return results(launch("cases", folder), folder)


cases = pytest.mark.parametrize("case", CASES)


@cases
def test_processes_with_half_the_rows_fit_what_one_fits_to_all(case, fitted):
    model = CASES[case]
    data = X, y, WEIGHT
    alone = model.fit(*data, **validation_of(model, *data))
    together = fitted[0][case]
    scale = alone.predict(X).std()
    np.testing.assert_allclose(
        together.predict(X), alone.predict(X), rtol=0, atol=1e-9 * scale
    )
    for name in ("loss_curve_", "lai_loss_curve_", "feature_importances_"):
        np.testing.assert_allclose(
            getattr(together, name), getattr(alone, name), rtol=1e-9, atol=1e-12
        )
    for name in ("feature_k_", "X_min_", "X_max_", "t_", "best_validation_score_"):
        found, expected = getattr(together, name), getattr(alone, name)
        if expected is not None:
            np.testing.assert_allclose(found, expected, rtol=1e-9)


@cases
def test_all_processes_have_the_same_bits(case, fitted):
    first, second = (models[case] for models in fitted)
    for name in ("coefs_", "intercepts_"):
        for mine, theirs in zip(
            getattr(first, name), getattr(second, name), strict=True
        ):
            np.testing.assert_array_equal(mine, theirs)
    for name in ("loss_curve_", "lai_loss_curve_", "feature_importances_", "X_min_"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))


def test_any_rows_of_their_own_make_the_same_model_of_all(launch, tmp_path):
    found = results(launch("unequal", tmp_path, n_processes=3), tmp_path)
    for name in found[0]:
        of_all = [models[name] for models in found]
        for model in of_all[1:]:
            np.testing.assert_array_equal(model.predict(X), of_all[0].predict(X))
        assert of_all[0].score(X, y) > 0.3
    assert {model["none"].random_state for model in found} == {None}


def test_torchrun_starts_the_fit_of_the_user_guide():
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    done = subprocess.run(
        [*torchrun, "--nproc-per-node=2", str(SCRIPT)],
        check=True,
        timeout=120,
        capture_output=True,
        text=True,
    )
    assert done.stdout.endswith("trained on 6000 rows\n")


def test_only_the_first_process_prints(launch, tmp_path):
    first, second = launch("printing", tmp_path)
    assert "Iteration 1, loss = " in first.communicate(timeout=120)[0]
    assert second.communicate(timeout=120)[0] == ""


def test_errors_of_one_process_end_all_and_say_why(launch, tmp_path):
    first, second = results(launch("errors", tmp_path), tmp_path)
    assert first.keys() == second.keys()
    for name, (kind, message) in second.items():
        assert kind == "ValueError", name
        if name.startswith("own"):
            told = f"Process 1 of the fit failed. ValueError: {message}"
            assert first[name] == ("RuntimeError", told)
        else:
            assert first[name][0] == "ValueError"
            assert f"{name} must be the same in all processes" in message
            assert f"{name} must be the same in all processes" in first[name][1]


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_the_end_of_a_process_ends_the_others_with_an_error(end, launch, tmp_path):
    first, second = launch("endless", tmp_path)
    while not (tmp_path / "training").exists():
        assert first.poll() is None, first.communicate()
        time.sleep(0.05)
    second.send_signal(end)
    first.communicate(timeout=60)
    found = json.loads((tmp_path / "0.json").read_text())
    assert found["kind"] == "RuntimeError"
    expected = "Another process of the fit failed, ended, or did not answer"
    assert expected in found["message"]
    assert found["is_as_before"]
    if end is signal.SIGINT:  # it lives on
        assert second.poll() is None
        found = json.loads((tmp_path / "1.json").read_text())
        assert found["kind"] == "KeyboardInterrupt"


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"device": "auto"}, "distributed=True needs device='cpu', got device='auto'"),
        ({"memory": "cache"}, "distributed=True needs memory=None, got memory='cache'"),
        ({"solver": "lbfgs"}, "distributed=True needs solver='adam' or 'sgd'"),
        ({"norm": "l2"}, "distributed=True needs norm='l1', got norm='l2'"),
    ],
)
def test_what_cannot_be_shared_is_refused(parameters, message, launch, tmp_path):
    (first,) = launch("refused", tmp_path, 1, PARAMETERS=json.dumps(parameters))
    output, _ = first.communicate(timeout=60)
    assert message in output


def test_without_a_launcher_it_says_what_is_missing(monkeypatch):
    monkeypatch.delenv("RANK", raising=False)
    with pytest.raises(ValueError, match=r"torchrun.*MASTER_ADDR.*RANK.*not set"):
        mlp(distributed=True).fit(X, y)


@pytest.mark.parametrize("value", [None, 1, "yes"])
def test_distributed_is_a_bool(value):
    with pytest.raises(TypeError, match="distributed must be True or False"):
        mlp(distributed=value).fit(X, y)


def test_passes_are_of_one_process():
    with pytest.raises(ValueError, match="partial_fit trains in one process"):
        mlp(distributed=True).partial_fit(X, y)


@given(st.lists(st.integers(1, 10_000), min_size=1, max_size=5), st.integers(1, 3_000))
def test_all_processes_have_as_many_batches(n_rows, batch_size):
    sizes = part_sizes(n_rows, batch_size)
    counts = {-(-n // size) for n, size in zip(n_rows, sizes, strict=True)}
    assert len(counts) == 1
    if len(n_rows) == 1:
        assert sizes == [min(batch_size, n_rows[0])]


@given(st.integers(1, 5), st.integers(1, 300), st.integers(1, 50))
def test_equal_rows_have_equal_parts_of_the_batch_size(n_processes, size, n_batches):
    n_rows = [size * n_batches] * n_processes
    assert part_sizes(n_rows, size * n_processes) == [size] * n_processes


class Twin(Peers):
    """A second process that does all the same."""

    number = 2

    def gather(self, value):
        return [value, value]

    def add_up(self, tensor):
        tensor *= 2


def test_losses_of_a_step_do_not_keep_its_gradient():
    sharing = Sharing.of(Twin(), n_samples=10, batch_size=20)
    gradient = torch.ones(1000)
    losses = sharing.add_up(sharing.parts[0], gradient, torch.ones(()), torch.ones(()))
    assert all(loss.untyped_storage().nbytes() <= 8 for loss in losses)
    assert (gradient == 1).all()


def test_processes_shuffle_differently_in_both_stages():
    orders = []
    for rank in (0, 1):
        peers = Twin()
        peers.rank = rank
        sharing = Sharing.of(peers, n_samples=50, batch_size=20)
        first = sharing.shuffles(np.random.RandomState(0))
        second = sharing.orders(np.random.default_rng(0))
        orders.append([first.permutation(50), second.permutation(50)])
    for mine, theirs in zip(*orders, strict=True):
        assert (mine != theirs).any()


def test_a_process_with_few_rows_is_warned_of():
    sharing = Sharing(Twin(), 1000, 1001, [Part(0, 1000, 1001)])
    trainer = SimpleNamespace(sharing=sharing, batches=SimpleNamespace(X=X))
    with pytest.warns(UserWarning, match="up to 1001 rows in place of 200"):
        warn_of_few_rows(trainer, 200)
    warn_of_few_rows(trainer, 600)


def test_parts_have_all_rows():
    rows = np.sort(np.concatenate([parts_of(rank) for rank in (0, 1)]))
    np.testing.assert_array_equal(rows, np.arange(len(X)))
    assert len(X) % BATCH_SIZE > 0
