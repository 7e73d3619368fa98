"""Settings of all tests."""

import warnings

import pytest
import sklearn
import torch
from hypothesis import settings
from threadpoolctl import threadpool_limits

# The first fit of a process loads much of torch, which no deadline allows for.
settings.register_profile("sklearn_lai", deadline=None)
settings.load_profile("sklearn_lai")


def pytest_addoption(parser):
    group = parser.getgroup("fuzz", "the fuzzer, of -m fuzz")
    group.addoption("--fuzz-minutes", type=float, default=1.0, help="how long it runs")
    group.addoption("--fuzz-seed", type=int, default=0, help="where it begins")


def pytest_terminal_summary(terminalreporter):
    """Counts of the fuzzer, of which workers have parts."""
    reports = (
        report
        for name in ("passed", "failed")
        for report in terminalreporter.getreports(name)
    )
    areas = {}
    for name, value in (part for report in reports for part in report.user_properties):
        if name == "fuzz":
            area, by_kind, seconds = value
            areas.setdefault(area, []).append([*by_kind, seconds])
    if areas:
        terminalreporter.section("fuzzer")
    for area, parts in areas.items():
        *by_kind, seconds = map(sum, zip(*parts, strict=True))
        n_programs = sum(by_kind)
        right, error, other = by_kind
        terminalreporter.line(
            f"{area}: {n_programs} programs in {seconds:.0f} s: {right} right and "
            f"finite, {error} clear errors, {other} anything else"
        )


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


@pytest.fixture(scope="module")
def cluster():
    """A client of two processes of Dask."""
    distributed = pytest.importorskip("distributed")
    with (
        warnings.catch_warnings(action="ignore"),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client
