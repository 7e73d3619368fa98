"""The fuzzer: random programs in which all goes right or fails clearly.

``pytest -m fuzz --fuzz-minutes=60 --fuzz-seed=1`` takes an hour, whatever the workers.
"""

import extremes
import functions
import matplotlib as mpl
import parameters
import pytest
import sequences
from campaign import Campaign
from program import HEADER

AREAS = {
    "parameters": parameters,
    "functions": functions,
    "data": extremes,
    "sequences": sequences,
}


def pytest_generate_tests(metafunc):
    n_workers = getattr(metafunc.config, "workerinput", {}).get("workercount", 1)
    metafunc.parametrize("worker", range(n_workers))


@pytest.mark.fuzz
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("area", AREAS)
def test_right_and_finite_or_a_clear_error(
    area, worker, pytestconfig, tmp_path, monkeypatch, record_property
):
    monkeypatch.chdir(tmp_path)  # where relative paths of caches lead
    mpl.use("agg")
    seconds = 60 * pytestconfig.getoption("fuzz_minutes") / len(AREAS)
    first_seed = 1000 * pytestconfig.getoption("fuzz_seed") + worker
    campaign = Campaign()
    campaign.go(AREAS[area].programs(), seconds, first_seed)
    record_property("fuzz", [area, campaign.by_kind(), campaign.seconds])
    if campaign.faults:
        faults = "\n\n".join(campaign.faults.values())
        pytest.fail(f"{campaign}\n{HEADER}\n{faults}", pytrace=False)
