"""Threads of torch: what a fit leaves as it was, and processes that are forked."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from textwrap import dedent, indent
from threading import Event

import numpy as np
import pytest
import torch
from common import quick
from joblib import parallel_config
from sklearn.model_selection import cross_val_score
from threadpoolctl import threadpool_limits

from sklearn_lai import LaiLinearRegressor, LaiMLPRegressor
from sklearn_lai._train import threads
from sklearn_lai._train.threads import MIN_OPERATIONS, suitable_threads

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 3))
y = X @ [1.0, -1.0, 0.5]

# What a process runs that forks others, or is to be killed if it hangs.
PRELUDE = """
import multiprocessing, os, warnings
from threading import Event, Thread

import numpy as np
import torch
from joblib import Parallel, delayed

from sklearn_lai import LaiLinearRegressor, LaiMLPRegressor, LaiMLPRegressorCV
from sklearn_lai._train.threads import MIN_OPERATIONS

warnings.simplefilter("ignore")
torch.set_num_threads(2)
X = np.random.default_rng(0).normal(size=(150, 400))
y = X[:, 0]
EPOCHS = {"max_iter": 2, "random_state": 0}


def model(**parameters):
    return LaiMLPRegressor(lai_epochs=2, **EPOCHS, **parameters)


def fit_wide(_=None):
    # More than 32,768 parameters, from which on torch copies with several threads.
    return model().fit(X, y).predict(X)


def fit_large(_=None):
    sizes = (200, 200)
    assert len(X) * (401 * 200 + 201 * 200) > MIN_OPERATIONS
    return model(hidden_layer_sizes=sizes, reach=0).fit(X, y).predict(X)


def fit_all(_=None):
    early = model(early_stopping=True).fit(X, y)
    lbfgs = model(solver="lbfgs", reach=0).fit(X, y)
    passes = model().partial_fit(X, y).partial_fit(X, y)
    linear = LaiLinearRegressor(loss="huber", lai_epochs=2, **EPOCHS).fit(X, y)
    cv = LaiMLPRegressorCV((900,), ks=2, cv=2, path_epochs=2, **EPOCHS)
    cv.fit(X[:, :40], y)
    predicted = [m.predict(X) for m in (early, lbfgs, passes, linear)]
    return np.stack([*predicted, cv.predict(X[:, :40])])


def threads_of_torch():
    found = []
    new = Thread(target=lambda: found.append(torch.get_num_threads()))
    new.start()
    new.join()
    return torch.get_num_threads(), *found


def use_torch():
    # On several threads, whatever a fit does.
    ones = torch.ones(1000, 1000)
    torch.mm(ones, ones).exp()


def threads_in_child(_=None):
    return threads_of_torch()


def in_children(function, method):
    with multiprocessing.get_context(method).Pool(1) as pool:
        return pool.map(function, [None])[0]

"""


@pytest.fixture
def run(tmp_path):
    """Runs a script in a process of its own, which is killed if it hangs."""

    def run_script(script, *, timeout=100):
        path = tmp_path / "script.py"
        main = indent(dedent(script), "    ")
        path.write_text(f"{PRELUDE}\nif __name__ == '__main__':\n{main}")
        subprocess.run([sys.executable, path], check=True, timeout=timeout)

    return run_script


# Forks


def test_a_forked_process_fits_after_its_parent_did(run):
    run("""
        wide, large = fit_wide(), fit_large()
        np.testing.assert_allclose(in_children(fit_wide, "fork"), wide)
        np.testing.assert_allclose(in_children(fit_large, "fork"), large)
        use_torch()
        np.testing.assert_allclose(in_children(fit_wide, "fork"), wide)
        np.testing.assert_allclose(in_children(fit_large, "fork"), large)
    """)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_all_kinds_of_fits_work_in_processes(run, method):
    run(f"""
        expected = fit_all()
        use_torch()
        np.testing.assert_allclose(in_children(fit_all, {method!r}), expected)
        assert threads_of_torch() == (2, 2)
    """)


@pytest.mark.slow
@pytest.mark.parametrize(
    "backend", ["loky", "threading", "multiprocessing", "sequential"]
)
def test_all_kinds_of_fits_work_in_jobs(run, backend):
    run(f"""
        expected = fit_all()
        use_torch()
        jobs = Parallel(n_jobs=2, backend={backend!r})
        for found in jobs(delayed(fit_all)() for _ in range(3)):
            np.testing.assert_allclose(found, expected)
        assert threads_of_torch() == (2, 2)
    """)


@pytest.mark.slow
def test_a_process_forked_while_another_thread_fits_has_its_own_threads(run):
    run("""
        is_fitting, is_done = Event(), Event()

        def fit_on():
            while not is_done.is_set():
                model().fit(X[:, :4], y)
                is_fitting.set()

        fits = [Thread(target=fit_on) for _ in range(2)]
        for fit in fits:
            fit.start()
        is_fitting.wait()
        for _ in range(20):
            assert in_children(threads_in_child, "fork") == (2, 2)
        np.testing.assert_allclose(in_children(fit_wide, "fork"), fit_wide())
        is_done.set()
        for fit in fits:
            fit.join()
        assert threads_of_torch() == (2, 2)
    """)


@pytest.mark.slow
def test_a_callback_that_forks_finds_a_process_that_fits(run):
    run("""
        from sklearn_lai._train.threads import suitable_threads

        expected = fit_wide()
        with suitable_threads(1):
            np.testing.assert_allclose(in_children(fit_wide, "fork"), expected)
    """)


# Settings of torch around a fit


@contextmanager
def setting(set_value, value, before):
    set_value(value)
    try:
        yield
    finally:
        set_value(before)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "make_context",
    {
        "device": lambda: setting(torch.set_default_device, "meta", None),
        "with-device": lambda: torch.device("meta"),
        "float64": lambda: setting(torch.set_default_dtype, torch.float64, torch.float),
        "float16": lambda: setting(torch.set_default_dtype, torch.float16, torch.float),
        "inference": torch.inference_mode,
        "no-grad": torch.no_grad,
        "deterministic": lambda: setting(
            torch.use_deterministic_algorithms, True, False
        ),
        "autocast": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
        "autocast-16": lambda: torch.autocast("cpu", dtype=torch.float16),
    }.items(),
    ids=lambda item: item[0],
)
def test_settings_of_torch_change_nothing(make_context, dtype):
    def predicted():
        return [
            model.fit(X.astype(dtype), y).predict(X.astype(dtype))
            for model in (
                quick(LaiMLPRegressor, early_stopping=True),
                quick(LaiMLPRegressor, reach=0, activation="tanh", alpha=0.1),
                quick(LaiMLPRegressor, solver="lbfgs", noise=0.3),
                quick(LaiLinearRegressor, loss="huber"),
            )
        ]

    expected = predicted()
    with make_context[1]():
        found = predicted()
    np.testing.assert_array_equal(found, expected)


# What a fit leaves as it was


@pytest.fixture
def two_threads():
    """Torch has two threads, in this thread and in those to come."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def in_new_thread(function):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function).result()


def settings():
    """Of this thread and of threads to come, in all libraries."""
    own = [pool.setting() for pool in threads._pools()]
    return own, in_new_thread(torch.get_num_threads)


@pytest.mark.usefixtures("two_threads")
def test_nested_blocks_have_their_own_threads():
    def number():
        return torch.get_num_threads()

    with suitable_threads(MIN_OPERATIONS):
        assert number() == 2
        with suitable_threads(1):
            assert number() == 1
            with suitable_threads(1):
                assert number() == 1
            assert number() == 1
        assert number() == 2
    assert number() == 2


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="lists no threads")
def test_matrix_products_of_small_networks_start_no_threads(run):
    run("""
        from sklearn_lai._train.threads import suitable_threads

        ones = torch.ones(2000, 2000)
        n_before = len(os.listdir("/proc/self/task"))
        with suitable_threads(1):
            torch.mm(ones, ones).exp()
        assert len(os.listdir("/proc/self/task")) == n_before
    """)


@pytest.mark.usefixtures("two_threads")
@pytest.mark.parametrize("n_operations", [1, MIN_OPERATIONS])
def test_other_threads_may_change_the_setting_meanwhile(n_operations):
    with suitable_threads(n_operations):
        assert in_new_thread(torch.get_num_threads) == 2
        in_new_thread(lambda: torch.set_num_threads(3))
        assert in_new_thread(torch.get_num_threads) == 3
    assert torch.get_num_threads() == 2
    assert in_new_thread(torch.get_num_threads) == 3


@pytest.mark.usefixtures("two_threads")
def test_a_setting_of_the_block_itself_stays():
    with suitable_threads(1):
        torch.set_num_threads(3)
    assert torch.get_num_threads() == 3


@pytest.mark.usefixtures("two_threads")
def test_limits_of_others_stay():
    with threadpool_limits(1, user_api="openmp"):
        before = settings()
        with suitable_threads(1):
            pass
        assert settings() == before
    assert torch.get_num_threads() == 2


@pytest.mark.usefixtures("two_threads")
def test_fits_in_many_threads_leave_each_as_it_was():
    is_done = Event()

    def fit_on():
        found = []
        while not is_done.is_set():
            quick(LaiMLPRegressor).fit(X, y)
            found.append(settings())
        return found

    before = settings()
    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(fit_on) for _ in range(4)]
        new = [in_new_thread(torch.get_num_threads) for _ in range(200)]
        is_done.set()
    assert set(new) == {2}
    for future in futures:
        assert all(numbers == 2 for _, numbers in future.result())
        assert all(own[0] == before[0][0] for own, _ in future.result())
    with parallel_config("threading", n_jobs=2):
        cross_val_score(quick(LaiMLPRegressor), X, y)
    assert settings() == before


class Interrupt:
    """Raises KeyboardInterrupt at the n-th bytecode of the module of threads."""

    def __init__(self, n):
        self.n_left = n

    def __enter__(self):
        self._before = sys.gettrace()
        sys.settrace(self.enter)

    def __exit__(self, *_):
        sys.settrace(self._before)

    def enter(self, frame, event, argument):
        if frame.f_code.co_filename != threads.__file__:
            return None
        frame.f_trace_opcodes = True
        sys.settrace(self.enter)  # which Python 3.12 needs to see it
        return self.trace

    def trace(self, frame, event, argument):
        if event == "opcode":
            self.n_left -= 1
            if self.n_left == 0:
                raise KeyboardInterrupt
        return self.trace


@pytest.mark.usefixtures("two_threads")
@pytest.mark.parametrize("fails", [True, False])
def test_ctrl_c_at_any_bytecode_leaves_the_setting(fails):
    def block():
        with suitable_threads(1):
            if fails:
                raise ValueError

    before = settings()
    for n in count(1):
        interrupt = Interrupt(n)
        with suppress(KeyboardInterrupt, ValueError), interrupt:
            block()
        assert settings() == before
        if interrupt.n_left > 0:
            break
    assert n > 50
