"""What a saved LaiMLPRegressor costs where it predicts, beside MLPRegressor and ONNX.

    python benchmarks/deploy.py --json results/deploy.json

Both networks have 100 hidden units and 20 features in float64. The features have mean 0
and variance 1, so that MLPRegressor needs no StandardScaler; LaiMLPRegressor
standardises all the same. Fresh processes and predictions take turns; times are
medians, of which those of processes leave out the start of Python. Needs Linux, and the
extras ``bench`` and ``interop``.
"""

import json
import subprocess
import sys
import tempfile
import warnings
from functools import partial
from pathlib import Path

import joblib
import numpy as np
import onnxruntime
import pandas as pd
import skl2onnx
import sklearn
import skops
import skops.io
import torch
from report import alternate, compiling, make_parser, save_json
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor
from threadpoolctl import threadpool_limits

import sklearn_lai.onnx
from sklearn_lai import LaiMLPRegressor

N_FEATURES, N_TRAINING, N_ROWS = 20, 2000, 1_000_000
N_CALLS = 1000  # with one row
OURS = "LaiMLPRegressor"
MODULES = {OURS: "sklearn_lai", "MLPRegressor": "sklearn.neural_network"}
BLOCK_ROWS = 1000  # as many as ours has, about
DTYPES = [np.float64, np.float32]
DEFAULT_THREADS = 0  # in onnxruntime's options
SERVE = Path(__file__).with_name("serve.py")


def fit_models(X):
    """Both networks, ours first."""
    y = np.sin(X[:, 0]) + X[:, 1:].sum(1) / 4
    shared = {"hidden_layer_sizes": (100,), "max_iter": 20, "random_state": 0}
    models = {OURS: LaiMLPRegressor(**shared), "MLPRegressor": MLPRegressor(**shared)}
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
        return {name: model.fit(X, y) for name, model in models.items()}


def in_onnx(model, dtype):
    """The model converted for inputs of a type."""
    row = np.zeros((1, N_FEATURES), dtype)
    return skl2onnx.to_onnx(model, row).SerializeToString()


def save(model, name, folder):
    """The files of a model by their format."""
    files = {kind: folder / f"{name}.{kind}" for kind in ("skops", "joblib")}
    skops.io.dump(model, files["skops"])
    joblib.dump(model, files["joblib"])
    for dtype in DTYPES:
        path = files[f"ONNX, {dtype.__name__}"] = folder / f"{name}.{dtype.__name__}"
        path.write_bytes(in_onnx(model, dtype))
    return files


def arguments(name, files):
    """What serve.py is told for every step."""
    trusted = skops.io.get_untrusted_types(file=files["skops"])
    by_skops = [MODULES[name], "--file", files["skops"], "--trusted", *trusted]
    return {
        "import": [MODULES[name]],
        "joblib": [MODULES[name], "--file", files["joblib"]],
        "skops": by_skops,
        "skops, no torch": [*by_skops, "--no-torch"],
    }


def run_fresh(given):
    """What one process found."""
    command = [sys.executable, SERVE, *given]
    return json.loads(subprocess.check_output(command, env=compiling()))


def fresh_processes(files, repeats):
    """Seconds and memory of every step, by model, and as ratios to ours."""
    steps = pd.DataFrame({name: arguments(name, files[name]) for name in files})
    for step, given in steps.iterrows():
        # The first turn fills the caches of files and is not counted.
        turns = [given.map(run_fresh) for _ in range(repeats + 1)][1:]
        runs = {name: pd.DataFrame([t[name] for t in turns]) for name in files}
        ours = runs[OURS].median()
        for name, found in runs.items():
            row = {"step": step, "model": name, "torch": bool(found["torch"].any())}
            for figure in ("seconds", "megabytes"):
                row[figure] = found[figure].median()
                row[f"{figure}_ratio"] = row[figure] / ours[figure]
            yield row


def sizes(files):
    """Kilobytes of every file, by model."""
    for name, paths in files.items():
        kilobytes = {kind: path.stat().st_size / 1000 for kind, path in paths.items()}
        yield {"model": name, **kilobytes}


def run_onnx(session, X, block_rows):
    """Predictions of onnxruntime, block by block."""
    starts = range(0, len(X), block_rows)
    blocks = [session.run(None, {"X": X[i : i + block_rows]})[0] for i in starts]
    return blocks[0] if len(blocks) == 1 else np.concatenate(blocks)


def predictors(models, X, n_threads):
    """Calls that predict X: the models', and onnxruntime's of ours."""
    calls = {name: partial(model.predict, X) for name, model in models.items()}
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = n_threads
    for dtype in DTYPES:
        session = onnxruntime.InferenceSession(in_onnx(models[OURS], dtype), options)
        inputs = X.astype(dtype)
        # All rows at once fill more memory than a cache has, which is slow.
        for way, block_rows in {"at once": N_ROWS, "in blocks": BLOCK_ROWS}.items():
            name = f"onnxruntime, {dtype.__name__}, {way}"
            calls[name] = partial(run_onnx, session, inputs, block_rows)
    return calls


def call_often(call, n_calls):
    for _ in range(n_calls):
        call()


def predictions(models, X, repeats):
    """Seconds of a call, by threads, rows and predictor, and as ratios to ours."""
    for n_threads in (1, DEFAULT_THREADS):
        for n_rows, n_calls in ((1, N_CALLS), (len(X), 1)):
            calls = predictors(models, X[:n_rows], n_threads)
            turns = [partial(call_often, call, n_calls) for call in calls.values()]
            with threadpool_limits(n_threads or None):
                seconds = alternate(turns, repeats)
            for name, total in zip(calls, seconds, strict=True):
                yield {
                    "predictor": name,
                    "threads": n_threads or "default",
                    "rows": n_rows,
                    "seconds": total / n_calls,
                    "ratio": total / seconds[0],
                }


def differences(models, X):
    """Largest difference from our predict, in standard deviations of that."""
    calls = predictors({OURS: models[OURS]}, X, DEFAULT_THREADS)
    expected = calls.pop(OURS)()
    for name, call in calls.items():
        largest = np.abs(np.ravel(call()) - expected).max()
        yield {"predictor": name, "difference": largest / expected.std()}


def main():
    parser = make_parser("deploy", __doc__.splitlines()[0])
    parser.set_defaults(repeats=7)
    options = parser.parse_args()
    sklearn_lai.onnx.register()
    X = np.random.default_rng(0).standard_normal((N_ROWS, N_FEATURES))
    models = fit_models(X[:N_TRAINING])
    with tempfile.TemporaryDirectory() as folder:
        files = {name: save(models[name], name, Path(folder)) for name in models}
        found = {
            "files": list(sizes(files)),
            "processes": list(fresh_processes(files, options.repeats)),
            "predictions": list(predictions(models, X, options.repeats)),
            "differences": list(differences(models, X)),
        }
    for rows in found.values():
        print(pd.DataFrame(rows).to_string(index=False), end="\n\n")
    modules = [sklearn_lai, sklearn, torch, np, onnxruntime, skl2onnx, skops]
    save_json(options.json, modules, repeats=options.repeats, **found)


if __name__ == "__main__":
    main()
