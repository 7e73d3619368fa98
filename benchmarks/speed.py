"""How fast this package trains and predicts, as ratios to its peers in the same run.

    python benchmarks/speed.py --json results/speed.json --figure results/speed.png

Every comparison has the same data, network, batches, epochs, type and one thread for
both sides, which take turns; times are medians. The data is random, of the shape of
playground_s3e1's training rows. Install the peers with the extra ``bench``.
"""

import subprocess
import sys
import tempfile
import warnings
from functools import partial
from itertools import pairwise

import numpy as np
import sklearn
import skorch
import torch
from report import (
    AT_LEAST,
    AT_MOST,
    Report,
    alternate,
    compiling,
    make_parser,
    peak_memory,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor
from skorch import NeuralNetRegressor
from threadpoolctl import threadpool_limits

import sklearn_lai
from sklearn_lai import LaiMLPRegressor
from sklearn_lai.loss import input_gradient, lai_loss

N_SAMPLES, N_FEATURES = 29_709, 8
# The form of the paper, whose slopes are derivatives.
DERIVATIVE = {"reach": 0, "lai_error": "own", "norm": "l2"}
PLAIN = {"lai_fraction": 0, "average": False}


def make_data(n_samples=N_SAMPLES, n_features=N_FEATURES, dtype=np.float32):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_samples, n_features), dtype)
    return X, np.sin(X[:, 0]) + X[:, 1:].sum(1) / 4


def ours(X, y, hidden, batch_size, *, pretrain=0, lai=0, **parameters):
    LaiMLPRegressor(
        hidden,
        batch_size=batch_size,
        max_iter=pretrain,
        lai_epochs=lai,
        n_iter_no_change=np.inf,
        random_state=0,
        **parameters,
    ).fit(X, y)


def mlp_regressor(X, y, hidden, batch_size, epochs):
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
        MLPRegressor(
            hidden_layer_sizes=hidden,
            batch_size=batch_size,
            max_iter=epochs,
            n_iter_no_change=np.inf,
            random_state=0,
        ).fit(X, y)


def make_module(hidden):
    sizes = [N_FEATURES, *hidden]
    layers = []
    for n_in, n_out in pairwise(sizes):
        layers += [torch.nn.Linear(n_in, n_out), torch.nn.ReLU()]
    return torch.nn.Sequential(*layers, torch.nn.Linear(sizes[-1], 1))


def skorch_net(X, y, hidden, batch_size, epochs, device="cpu"):
    NeuralNetRegressor(
        make_module(hidden),
        device=device,
        optimizer=torch.optim.Adam,
        lr=0.001,
        batch_size=batch_size,
        max_epochs=epochs,
        iterator_train__shuffle=True,
        train_split=None,
        verbose=0,
    ).fit(X, y[:, None])


def torch_loop(batch_loss, X, y, hidden, batch_size, epochs, device="cpu"):
    """Training by autograd, with a loss of a module and a batch."""
    X, y = (torch.from_numpy(array).to(device) for array in (X, y[:, None]))
    module = make_module(hidden).to(device)
    optimizer = torch.optim.Adam(module.parameters(), fused=True)
    for _ in range(epochs):
        for rows in torch.randperm(len(X), device=device).split(batch_size):
            optimizer.zero_grad()
            batch_loss(module, X[rows], y[rows]).backward()
            optimizer.step()


def mixture(module, X, y):
    """The plain loss and the Lai loss, which differentiates the module's slopes."""
    y_pred = module(X.requires_grad_())
    lai = lai_loss(y_pred, y, input_gradient(y_pred, X), 0.3)
    return 0.99 * (y_pred - y).square().mean() + 0.01 * lai


double_backpropagation = partial(torch_loop, mixture)


def n_products(hidden):
    """Multiplications of a training step per row: forward, and two ways back."""
    layers = list(pairwise([N_FEATURES, *hidden, 1]))
    return 3 * sum(a * b for a, b in layers) - layers[0][0] * layers[0][1]


def epochs_for(hidden, batch_size):
    """Epochs that take about half a second: enough for what a fit does once."""
    seconds = 40e-6 * N_SAMPLES / batch_size + 4e-11 * N_SAMPLES * n_products(hidden)
    return max(4, min(40, round(0.5 / seconds)))


def against_mlp_regressor(report):
    targets = {(64,): {32: 3.5, 200: 3.5}, (100,): {32: 3.5, 200: 3.5}}
    targets[(128, 128)] = {200: 1.8, 32: 2.5}
    for dtype in (np.float32, np.float64):
        X, y = make_data(dtype=dtype)
        for hidden in [(64,), (100,), (128, 128), (256, 256)]:
            for batch_size in (32, 200, 1024):
                target = targets.get(hidden, {}).get(batch_size, 1.0)
                epochs = epochs_for(hidden, batch_size)
                report.compare(
                    f"MLPRegressor / ours, {hidden}, batch {batch_size}, "
                    f"{dtype.__name__}",
                    partial(mlp_regressor, X, y, hidden, batch_size, epochs),
                    partial(ours, X, y, hidden, batch_size, pretrain=epochs),
                    AT_LEAST,
                    target if dtype is np.float32 else 1.0,
                )


def against_torch(report):
    X, y = make_data()
    report.compare(
        "skorch / ours, (64,), batch 200",
        partial(skorch_net, X, y, (64,), 200, 5),
        partial(ours, X, y, (64,), 200, pretrain=5),
        AT_LEAST,
        15,
    )
    for hidden, target in {(64,): 2.7, (128, 128): 1.6}.items():
        report.compare(
            f"autograd double backpropagation / ours, every batch, {hidden}",
            partial(double_backpropagation, X, y, hidden, 200, 5),
            partial(ours, X, y, hidden, 200, lai=5, lai_interval=1, **DERIVATIVE),
            AT_LEAST,
            target,
        )


def cost_of_control(report):
    X, y = make_data()
    paper = DERIVATIVE | {"lai_interval": None}
    for hidden, name, parameters, target in [
        ((64,), "default", {}, 1.15),
        ((128, 128), "default", {}, 1.12),
        ((64,), "the paper's form", paper, 1.04),
    ]:
        report.compare(
            f"Lai Training / plain, whole fit, {hidden}, {name}",
            partial(ours, X, y, hidden, 200, pretrain=20, lai=20, **parameters),
            partial(ours, X, y, hidden, 200, pretrain=20, lai=20, **PLAIN),
            AT_MOST,
            target,
        )
    for hidden, name, parameters, target in [
        ((64,), "reach 0.5", {}, 2.1),
        ((128, 128), "reach 0.5", {}, 2.1),
        ((64,), "derivative", DERIVATIVE, 3.0),
        ((128, 128), "derivative", DERIVATIVE, 2.2),
    ]:
        report.compare(
            f"Lai loss on every batch / plain, {hidden}, batch 200, {name}",
            partial(ours, X, y, hidden, 200, lai=8, lai_interval=1, **parameters),
            partial(ours, X, y, hidden, 200, pretrain=8),
            AT_MOST,
            target,
        )


def against_matrix_multiplication(report):
    """Share of a large network's arithmetic in the time of its training."""
    X, y = make_data()
    width, batch_size, epochs = 256, 1024, 20
    A, B = torch.randn(batch_size, width), torch.randn(width, width)
    out = torch.empty(batch_size, width)
    n_repeats = 1000

    def multiply():
        for _ in range(n_repeats):
            torch.mm(A, B, out=out)

    multiply_seconds, fit_seconds = alternate(
        [multiply, partial(ours, X, y, (width, width), batch_size, pretrain=epochs)],
        report.repeats,
    )
    rate = 2 * batch_size * width**2 * n_repeats / multiply_seconds
    work = 2 * n_products((width, width)) * N_SAMPLES * epochs
    report.add(
        "share of the matrix-multiply rate, (256, 256), batch 1024",
        work / fit_seconds / rate,
        AT_LEAST,
        0.75,
        gigaflops=rate / 1e9,
    )


def prediction(report):
    X, y = make_data(1_000_000)
    lai = LaiMLPRegressor(max_iter=1, lai_epochs=0).fit(X[:2000], y[:2000])
    mlp = MLPRegressor(max_iter=1, tol=1e9, n_iter_no_change=1)
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
        mlp.fit(X[:2000], y[:2000])
    for n_rows, n_calls in [(1, 2000), (len(X), 1)]:

        def call(model, rows=X[:n_rows], n_calls=n_calls):
            for _ in range(n_calls):
                model.predict(rows)

        report.compare(
            f"predict, ours / MLPRegressor, {n_rows:g} rows",
            partial(call, lai),
            partial(call, mlp),
            AT_MOST,
            1.05,
        )


def fit_memory(kind: str) -> int:
    """Peak memory of a fit on 1e6 x 100 float32 beyond what was there before it."""
    shape = (1_000_000, 100)
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        if kind == "memmap":
            X = np.memmap(f"{folder}/X", np.float32, "w+", shape=shape)
        else:
            X = np.empty(shape, np.float32)
        for block in np.array_split(X, 100):
            block[...] = rng.standard_normal(block.shape, np.float32)
        y = X[:, 0] * 2
        ours(X[:1000], y[:1000], (64,), 200, pretrain=1)  # what is allocated once
        return peak_memory(partial(ours, X, y, (64,), 200, pretrain=1, lai=1))


def memory(report):
    X_bytes = 1_000_000 * 100 * 4
    for kind, target in {"array": 1.2, "memmap": 300e6 / X_bytes}.items():
        command = [sys.executable, __file__, "--fit-memory", kind]
        peak = int(subprocess.check_output(command, text=True).split()[-1])
        name = f"peak memory beyond X / X, 1e6 x 100 float32, {kind}"
        report.add(name, peak / X_bytes, AT_MOST, target, megabytes=peak / 1e6)


def import_time(report):
    code = (
        "import time, sklearn.neural_network, sklearn.model_selection;"
        "start = time.perf_counter(); import sklearn_lai;"
        "print(time.perf_counter() - start)"
    )
    command = [sys.executable, "-c", code]
    seconds = [
        float(subprocess.check_output(command, text=True, env=compiling()))
        for _ in range(report.repeats + 1)
    ][1:]
    report.add(
        "import beyond scikit-learn, ms",
        1000 * float(np.median(seconds)),
        AT_MOST,
        100,
    )


def main():
    parser = make_parser("speed", __doc__.splitlines()[0])
    parser.add_argument("--fit-memory", choices=["array", "memmap"])
    options = parser.parse_args()
    if options.fit_memory:
        print(fit_memory(options.fit_memory))
        return
    torch.set_num_threads(1)
    report = Report(options.repeats)
    with threadpool_limits(1):
        against_torch(report)
        cost_of_control(report)
        against_matrix_multiplication(report)
        prediction(report)
        against_mlp_regressor(report)
    memory(report)
    import_time(report)
    modules = [sklearn_lai, sklearn, skorch, torch, np]
    report.save(options.json, options.figure, modules)


if __name__ == "__main__":
    main()
