"""How far training by several processes scales: time of a step, and a model of it.

    python benchmarks/distributed.py

Steps of one process and of two, each on one processor, are measured for several numbers
of rows per process, the median of alternating repeats. While one process is measured,
another one does the same beside it, since two share caches and memory of the machine.
What a step of two takes beyond that of one gives the latency and the bandwidth of the
connection; all-reduces one after the other, which wait for nothing, are measured, too.
A step of P processes is modelled as ``compute + 2 (P - 1) latency + 2 (P - 1) / P *
bytes / bandwidth``: that of a ring, in which every process sends two messages to its
neighbour for each of the others, and in all twice the gradient. What it says of two
processes is printed beside what they took, and up to how many processes communication
takes no longer than computing: by the connection measured, and in a network of 10
Gbit/s with 50 microseconds a message. It assumes that all processes are as fast, that
there is nothing else on the network, and, for that network, that no time is lost in
waiting for each other.
"""

import os
import pickle
import socket
import subprocess
import sys
import time
import warnings
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import sklearn
import torch
import torch.distributed as dist
from report import make_parser, save_json

import sklearn_lai
from sklearn_lai import LaiMLPRegressor

NETWORKS = [(64,), (256, 256)]
ROWS = [200, 800, 3200, 12800]  # in a batch, per process
STAGES = {"first": ("max_iter", "lai_epochs"), "second": ("lai_epochs", "max_iter")}
N_FEATURES, MOST_BATCHES, MOST_ROWS, SECONDS = 20, 50, 51_200, 0.2
FLOATS = [2**i for i in range(8, 21, 2)]  # in a message
NETWORK = {"latency": 50e-6, "bandwidth": 10e9 / 8}


def seconds_of_step(network: tuple, rows: int, stage: str, n_processes: int) -> float:
    """Of a stage, from two fits of different length, so that the beginning is left out.

    All processes take as many epochs.
    """
    rng, n_batches = np.random.default_rng(0), min(MOST_BATCHES, MOST_ROWS // rows)
    X = rng.standard_normal((rows * n_batches, N_FEATURES)).astype(np.float32)
    y = np.sin(X[:, 0]) + X[:, 1] * X[:, 2]
    longer, none = STAGES[stage]
    model = LaiMLPRegressor(
        network,
        batch_size=rows * n_processes,
        distributed=n_processes > 1,
        n_iter_no_change=np.inf,
        random_state=0,
    ).set_params(**{none: 0})
    expected = 2e-4 + 3e-10 * rows * n_parameters_of(network)
    n_epochs = 2 + int(SECONDS / (n_batches * expected))
    model.set_params(**{longer: 1}).fit(X, y)
    seconds = []
    for epochs in (n_epochs, 2 * n_epochs):
        start = time.perf_counter()
        model.set_params(**{longer: epochs}).fit(X, y)
        seconds.append(time.perf_counter() - start)
    return (seconds[1] - seconds[0]) / (n_epochs * n_batches)


def n_parameters_of(network: tuple) -> int:
    """Coefficients and intercepts."""
    return sum((a + 1) * b for a, b in pairwise((N_FEATURES, *network, 1)))


def bytes_of_step(network: tuple) -> int:
    """Of the gradient and both losses."""
    return 4 * (n_parameters_of(network) + 2)


def seconds_of_message(n_floats: int, repeats: int = 300) -> float:
    """Of an all-reduce, the median."""
    message, seconds = torch.zeros(n_floats), []
    for _ in range(repeats):
        start = time.perf_counter()
        dist.all_reduce(message)
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds))


def measure(n_processes: int) -> dict:
    """What one of so many processes measures."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    steps = {
        (network, rows, stage): seconds_of_step(network, rows, stage, n_processes)
        for network in NETWORKS
        for rows in ROWS
        for stage in STAGES
    }
    messages = {}
    if n_processes > 1:
        messages = {n: seconds_of_message(n) for n in FLOATS}
    return {"steps": steps, "messages": messages}


def started(n_processes: int, path: Path) -> list[subprocess.Popen]:
    """So many processes, of which the first writes what it measures."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        launcher = {
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(probe.getsockname()[1]),
            "WORLD_SIZE": str(n_processes),
            "OMP_NUM_THREADS": "1",
        }
    return [
        subprocess.Popen(
            [sys.executable, __file__, "--process", str(path)],
            env={**os.environ, **launcher, "RANK": str(rank)},
        )
        for rank in range(n_processes)
    ]


def measured_by(*sizes: int) -> dict:
    """What the first of several groups of processes, of these sizes, measured."""
    with TemporaryDirectory() as folder:
        paths = [Path(folder) / str(i) for i in range(len(sizes))]
        processes = []
        for n_processes, path in zip(sizes, paths, strict=True):
            processes += started(n_processes, path)
        assert not any(process.wait() for process in processes)
        return pickle.loads(paths[0].read_bytes())


def connection(n_bytes: np.ndarray, seconds: np.ndarray) -> dict:
    """Latency and bandwidth by which messages of two processes take their time."""
    # Shares of the time, or the largest would decide alone.
    design = np.column_stack([np.full(len(n_bytes), 2), n_bytes]) / seconds[:, None]
    latency, per_byte = np.linalg.lstsq(design, np.ones(len(n_bytes)), rcond=None)[0]
    return {"latency": float(latency), "bandwidth": float(1 / per_byte)}


def of_messages(measured: list[dict]) -> dict:
    """The connection, by all-reduces one after the other."""
    seconds = np.median([[m[n] for n in FLOATS] for m in measured], axis=0)
    return connection(4 * np.array(FLOATS), seconds)


def of_steps(steps: dict, two_steps: dict) -> dict:
    """The same by what steps of two processes take beyond those of one, medians."""
    beyond = [
        np.median([two_steps[key] - steps[key] for key in steps if key[0] == network])
        for network in NETWORKS
    ]
    return connection(np.array([bytes_of_step(n) for n in NETWORKS]), np.array(beyond))


def communication(n_processes: int, n_bytes: int, of: dict) -> float:
    """Modelled seconds of an all-reduce."""
    n_others = n_processes - 1
    sent = 2 * n_others / n_processes * n_bytes
    return 2 * n_others * of["latency"] + sent / of["bandwidth"]


def processes_at_half(seconds: float, n_bytes: int, of: dict) -> int:
    """Up to how many processes communication takes no longer than the computing."""
    n_processes = 1
    while communication(n_processes + 1, n_bytes, of) <= seconds:
        n_processes += 1
    return n_processes


def modelled(steps: dict, two_steps: dict, found: dict) -> list[dict]:
    """A row for each network, number of rows and stage."""
    rows = []
    for (network, n_rows, stage), seconds in steps.items():
        n_bytes = bytes_of_step(network)
        rows.append(
            {
                "network": str(network),
                "stage": stage,
                "rows": n_rows,
                "bytes": n_bytes,
                "one": seconds,
                "two": two_steps[network, n_rows, stage],
                "model": seconds + communication(2, n_bytes, found),
                "here": processes_at_half(seconds, n_bytes, found),
                "network of 10 Gbit/s": processes_at_half(seconds, n_bytes, NETWORK),
            }
        )
    return rows


def show(rows: list[dict]) -> None:
    """Print the rows."""
    for row in rows:
        print(
            f"{row['network']:11} {row['stage']:7} {row['rows']:6} rows: "
            f"{1e3 * row['one']:7.2f} ms, two processes {1e3 * row['two']:7.2f} ms "
            f"(model {1e3 * row['model']:7.2f}); half at {row['here']} here, "
            f"{row['network of 10 Gbit/s']} in a network",
            flush=True,
        )


def median_of(measured: list[dict]) -> dict:
    """Medians by key."""
    return {key: float(np.median([m[key] for m in measured])) for key in measured[0]}


def main() -> None:
    parser = make_parser("distributed", __doc__.splitlines()[0])
    parser.add_argument("--process", type=Path, help="only for the benchmark itself")
    options = parser.parse_args()
    if options.process:
        n_processes = int(os.environ["WORLD_SIZE"])
        dist.init_process_group("gloo")
        found = measure(n_processes)
        if dist.get_rank() == 0:
            options.process.write_bytes(pickle.dumps(found))
        dist.destroy_process_group()
        return
    alone, together = [], []
    for _ in range(options.repeats):
        alone.append(measured_by(1, 1))
        together.append(measured_by(2))
    steps, two_steps = (
        median_of([m["steps"] for m in measured]) for measured in (alone, together)
    )
    found = of_steps(steps, two_steps)
    rows = modelled(steps, two_steps, found)
    show(rows)
    save_json(
        options.json,
        [sklearn_lai, sklearn, np, torch],
        connection=found,
        messages=of_messages([m["messages"] for m in together]),
        repeats=options.repeats,
        rows=rows,
    )


if __name__ == "__main__":
    main()
