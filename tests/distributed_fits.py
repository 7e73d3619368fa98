"""What the processes of `test_distributed` run: ``distributed_fits.py WHAT FOLDER``."""

import json
import os
import pickle
import signal
import sys
import threading
import time
import warnings
from pathlib import Path

import numpy as np
from common import NAMES, X, mlp, y
from pandas import DataFrame
from sklearn.base import clone

BATCH_SIZE = 32
WEIGHT = np.random.default_rng(0).uniform(0.5, 2, len(X))
SHARED = {"batch_size": BATCH_SIZE, "shuffle": False, "lai_interval": 2}
CASES = {
    "default": mlp(**SHARED),
    "derivatives": mlp(reach=0, lai_error="own", **SHARED),
    "noise": mlp(noise=0.3, feature_k={0: 0.1}, **SHARED),
    "huber": mlp(loss="huber", **SHARED),
    "quantile": mlp(loss="quantile", lai_error="own", **SHARED),
    "sgd": mlp(solver="sgd", learning_rate="invscaling", **SHARED),
    "raw": mlp(standardize=False, **SHARED),
    "early stopping": mlp(early_stopping=True, **SHARED),
    "two layers": mlp(activation="silu", alpha=0.1, **SHARED).set_params(
        hidden_layer_sizes=(8, 4)
    ),
}


def parts_of(rank):
    """Rows of a process: its half of every batch."""
    rows = np.arange(len(X))
    return np.concatenate(
        [
            np.array_split(rows[start : start + BATCH_SIZE], 2)[rank]
            for start in range(0, len(X), BATCH_SIZE)
        ]
    )


def validation_of(model, *data):
    """The same data to validate on, where there is early stopping."""
    names = "X_val", "y_val", "sample_weight_val"
    return dict(zip(names, data, strict=True)) if model.early_stopping else {}


def fitted_cases(rank):
    rows = parts_of(rank)
    data = X[rows], y[rows], WEIGHT[rows]
    models = {}
    for name, model in CASES.items():
        shared = clone(model).set_params(distributed=True)
        models[name] = shared.fit(*data, **validation_of(model, *data))
    return models


def unequal(rank):
    """Fits to rows of which one process has most, in each its own order."""
    ends = [0, 70, 77, len(X)]
    own = slice(*ends[rank : rank + 2])
    kinds = {
        "plain": mlp(max_iter=40, learning_rate_init=0.01),
        "none": mlp(max_iter=40, learning_rate_init=0.01, random_state=None),
        "stopped": mlp(
            max_iter=40,
            learning_rate_init=0.01,
            early_stopping=True,
            n_iter_no_change=5,
        ),
        "robust": mlp(max_iter=40, learning_rate_init=0.01, loss="absolute_error"),
    }
    models = {
        name: model.set_params(distributed=True).fit(X[own], y[own])
        for name, model in kinds.items()
    }
    again = clone(kinds["plain"]).set_params(warm_start=True).fit(X[own], y[own])
    models["again"] = again.fit(X[own], y[own])
    return models


def errors(rank):
    """Kinds and messages of fits in which the second process has something else."""
    is_other = rank == 1
    frame = DataFrame(X, columns=NAMES[::-1] if is_other else NAMES)
    wrong = np.where(X > 0.9, np.nan, X) if is_other else X
    fits = {
        "own parameter": lambda: mlp(k=-1.0 if is_other else 0.1),
        "k": lambda: mlp(k=0.2 if is_other else 0.1),
        "hidden_layer_sizes": lambda: mlp(hidden_layer_sizes=(4, 4 + is_other)),
    }
    data = {
        "own rows": (wrong, y),
        "n_features": (X[:, : 4 + is_other], y),
        "The names of the columns of X": (frame, y),
        "The type of X": (X.astype("f4") if is_other else X, y),
        "The number of columns of y": (X, np.column_stack([y, y]) if is_other else y),
        "Whether there is a sample_weight": (X, y, WEIGHT if is_other else None),
    }
    found = {}
    for name, arguments in data.items():
        found[name] = error_of(mlp(distributed=True), *arguments)
    for name, make in fits.items():
        found[name] = error_of(make().set_params(distributed=True), X, y)
    return found


def error_of(model, *arguments):
    try:
        model.fit(*arguments)
    except Exception as error:
        assert not hasattr(model, "coefs_")
        return type(error).__name__, str(error)
    return "none", ""


def endless(rank, folder):
    """A fit that goes on until a process ends, after one that is kept."""
    model = mlp(distributed=True).fit(X, y)
    before = pickle.dumps(model.coefs_)
    model.set_params(max_iter=10**7, tol=0)
    if rank == 0:
        threading.Timer(0.5, (folder / "training").touch).start()
    try:
        model.fit(X, y)
    except BaseException as error:
        found = {
            "kind": type(error).__name__,
            "message": str(error),
            "is_as_before": pickle.dumps(model.coefs_) == before,
        }
        (folder / f"{rank}.json").write_text(json.dumps(found))
        time.sleep(100 * (rank == 1))  # the process lives on


def main(what, folder):
    rank, folder = int(os.environ["RANK"]), Path(folder)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in background
    warnings.simplefilter("ignore")
    if what == "endless":
        endless(rank, folder)
    elif what == "printing":
        mlp(distributed=True, verbose=True).fit(X, y)
    elif what == "refused":
        parameters = json.loads(os.environ["PARAMETERS"])
        print(error_of(mlp(distributed=True, **parameters), X, y))
    else:
        run = {"cases": fitted_cases, "unequal": unequal, "errors": errors}[what]
        (folder / f"{rank}.pickle").write_bytes(pickle.dumps(run(rank)))


if __name__ == "__main__":
    main(*sys.argv[1:])
