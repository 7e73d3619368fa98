"""Settings of all tests."""

import pytest
import sklearn
import torch
from hypothesis import settings
from threadpoolctl import threadpool_limits

# The first fit of a process loads much of torch, which no deadline allows for.
settings.register_profile("sklearn_lai", deadline=None)
settings.load_profile("sklearn_lai")


def pytest_configure(config):
    # A busy machine may be slow to write, which is not for the tests to judge.
    config.addinivalue_line(
        "filterwarnings", "ignore:Persisting input arguments took:UserWarning"
    )


@pytest.fixture(scope="session", autouse=True)
def _one_thread():
    """Each process computes on one thread: the arrays of tests are too small for more.

    Where processes share the cores, several would mostly wait for each other.
    """
    torch.set_num_threads(1)
    with threadpool_limits(1, user_api="blas"):
        yield


@pytest.fixture
def enable_metadata_routing():
    """scikit-learn's metadata routing, for the time of a test."""
    with sklearn.config_context(enable_metadata_routing=True):
        yield
