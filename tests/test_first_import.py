"""The first import of torch: forks beside it fit, and Ctrl-C leaves it alone."""

import os
import subprocess
import sys
from textwrap import dedent

import pytest

PRELUDE = """
import multiprocessing, os, signal, sys, threading, time, warnings
import numpy as np
from sklearn_lai import LaiMLPRegressor, _train

warnings.simplefilter("ignore")
X = np.random.default_rng(0).normal(size=(200, 3))
y = X[:, 0]

def fit():
    LaiMLPRegressor(max_iter=5, lai_epochs=2, random_state=0).fit(X, y)

def fit_in_fork():
    child = multiprocessing.get_context("fork").Process(target=fit)
    child.start()
    child.join(60)
    if child.is_alive():
        child.kill()
        sys.exit("the child hangs")
    sys.exit(child.exitcode)
"""

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks")


def run(script):
    """Run a script in a process that has not loaded torch."""
    script = PRELUDE + dedent(script)
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120)


@pytest.mark.parametrize("seconds", [0.05, 0.5])
def test_a_fork_beside_it_fits(seconds):
    run(f"""
        # No whole fit, since forks beside a product of matrices hang, as with NumPy;
        # and the thread lives on, since MKL takes a lock when it ends.
        over = threading.Event()
        import_torch = lambda: _train.training and over.wait()
        threading.Thread(target=import_torch, daemon=True).start()
        time.sleep({seconds})
        fit_in_fork()
    """)


def test_a_fork_after_other_uses_of_torch_fits():
    run("""
        import torch
        torch.set_num_threads(2)
        torch.ones(10**6).add(1)
        X = np.random.default_rng(0).normal(size=(400, 400))
        y = X[:, 0]
        fit_in_fork()
    """)


@pytest.mark.parametrize("seconds", [0.05, 0.5])
def test_after_ctrl_c_the_next_fit_is_right(seconds):
    run(f"""
        main = os.getpid()
        threading.Timer({seconds}, os.kill, (main, signal.SIGINT)).start()
        try:
            fit()
            time.sleep(60)  # until it comes
        except KeyboardInterrupt:
            pass
        fit()
    """)
