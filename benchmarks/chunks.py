"""partial_fit against fit: error after as many epochs, and memory with data on disk.

    python benchmarks/chunks.py --data DIR

DIR holds train.csv of Kaggle's Playground Series, season 3, episode 1. 20 passes over
10 chunks are compared with 20 epochs of `fit`, half of either without Lai loss, by the
RMSE on the 20 % of the rows held out. Then a memory-mapped file of 4.1 GB is
trained chunk by chunk, once, in a process of its own; the figure is the most memory
that this process ever had, with Python, torch and the pages of the file in it.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import sklearn
from report import AT_MOST, Report, make_parser
from sklearn.metrics import root_mean_squared_error
from sklearn.model_selection import train_test_split
from sklearn.utils import gen_batches

import sklearn_lai
from sklearn_lai import LaiMLPRegressor

PASSES, CHUNKS, SEEDS = 20, 10, 5
N_SAMPLES, N_FEATURES, CHUNK_ROWS = 8_000_000, 128, 20_000


def error_ratio(folder, seed):
    """RMSE of partial_fit over that of fit."""
    X = pd.read_csv(folder / "train.csv", index_col="id")
    y = X.pop("MedHouseVal")
    X, X_test, y, y_test = train_test_split(X, y, test_size=0.2, random_state=seed)
    shared = {"hidden_layer_sizes": (64,), "batch_size": 256, "random_state": seed}
    whole = LaiMLPRegressor(
        max_iter=PASSES // 2,
        lai_epochs=PASSES // 2,
        n_iter_no_change=np.inf,
        **shared,
    ).fit(X, y)
    gradual = LaiMLPRegressor(**shared)
    for i in range(PASSES):
        gradual.set_params(lai_epochs=int(i >= PASSES // 2))
        for rows in np.array_split(np.arange(len(X)), CHUNKS):
            gradual.partial_fit(X.iloc[rows], y.iloc[rows])
    errors = [
        root_mean_squared_error(y_test, model.predict(X_test))
        for model in (gradual, whole)
    ]
    return errors[0] / errors[1]


def open_file(path, mode):
    return np.memmap(path, np.float32, mode, shape=(N_SAMPLES, N_FEATURES))


def write_file(path):
    rng, X = np.random.default_rng(0), open_file(path, "w+")
    for rows in gen_batches(N_SAMPLES, 10 * CHUNK_ROWS):
        X[rows] = rng.standard_normal((rows.stop - rows.start, N_FEATURES), np.float32)
    X.flush()


def train_file(path):
    """Train on the file and print the most memory ever had, in MB (Linux)."""
    model = LaiMLPRegressor((64,), random_state=0)
    for rows in gen_batches(N_SAMPLES, CHUNK_ROWS):
        X = open_file(path, "r")[rows]  # opened anew, to let go of pages read
        model.partial_fit(X, np.sin(X[:, 0]) + X[:, 1])
    status = Path("/proc/self/status").read_text()
    print(int(status.split("VmHWM:")[1].split()[0]) * 1024 / 1e6)


def memory(report):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "X.dat")
        write_file(path)
        command = [sys.executable, __file__, "--train-file", path]
        peak = float(subprocess.check_output(command))
    report.add("peak memory of the process, MB, 4.1 GB in chunks", peak, AT_MOST, 500)


def main():
    parser = make_parser("chunks", __doc__.splitlines()[0])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--train-file", type=Path)
    options = parser.parse_args()
    if options.train_file:
        train_file(options.train_file)
        return
    report = Report(options.repeats)
    if options.data:
        for seed in range(SEEDS):
            report.add(
                f"RMSE of partial_fit / fit, {PASSES} epochs, seed {seed}",
                error_ratio(options.data, seed),
                AT_MOST,
                1.02,
            )
    memory(report)
    report.save(options.json, options.figure, [sklearn_lai, sklearn, np])


if __name__ == "__main__":
    main()
