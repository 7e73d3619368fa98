"""Training on a GPU beside the CPU, skorch and torch loops, as ratios of times.

    python benchmarks/gpu.py --json results/gpu.json

The data, the peers and what is alike on both sides are those of `speed.py`. The CPU has
the threads that this package chooses. The loops have the data on the GPU, as this
package; skorch moves every batch.
"""

from functools import partial

import numpy as np
import skorch
import torch
from methods import squared_error
from report import alternate, make_parser, processor, save_json
from speed import (
    DERIVATIVE,
    PLAIN,
    double_backpropagation,
    make_data,
    ours,
    skorch_net,
    torch_loop,
)

import sklearn_lai

GPU = "cuda"
EPOCHS = 4  # of each stage
NETWORKS = [((64,), 200), ((256, 256), 1024), ((1024, 1024), 4096)]
# What is timed, over what.
RATIOS = {
    "CPU / GPU": ("CPU", "GPU"),
    "skorch / ours": ("skorch", "plain stage"),
    "torch loop / ours": ("torch loop", "plain stage"),
    "double backpropagation / ours": ("double backpropagation", "every batch"),
    "Lai Training / plain": ("GPU", "plain"),
}


def on_gpu(train):
    """Training that is over when the GPU is done."""
    train(device=GPU)
    torch.cuda.synchronize()


def measure(hidden: tuple[int, ...], batch_size: int, repeats: int) -> dict:
    """Median seconds, which take turns, and their ratios."""
    of_task = (*make_data(), hidden, batch_size)
    both = partial(ours, *of_task, pretrain=EPOCHS, lai=EPOCHS)
    plain_loss = partial(squared_error, generator=None)
    every_batch = partial(ours, *of_task, lai=EPOCHS, lai_interval=1, **DERIVATIVE)
    on_the_gpu = {
        "GPU": both,
        "plain": partial(both, **PLAIN),
        "plain stage": partial(ours, *of_task, pretrain=EPOCHS),
        "skorch": partial(skorch_net, *of_task, EPOCHS),
        "torch loop": partial(torch_loop, plain_loss, *of_task, EPOCHS),
        "every batch": every_batch,
        "double backpropagation": partial(double_backpropagation, *of_task, EPOCHS),
    }
    calls = {"CPU": both}
    calls |= {name: partial(on_gpu, train) for name, train in on_the_gpu.items()}
    seconds = dict(zip(calls, alternate(list(calls.values()), repeats), strict=True))
    ratios = {name: seconds[a] / seconds[b] for name, (a, b) in RATIOS.items()}
    row = {"layers": list(hidden), "batch_size": batch_size}
    row |= {"ratios": ratios, "seconds": seconds}
    print(row, flush=True)
    return row


def main():
    options = make_parser("gpu", __doc__.splitlines()[0]).parse_args()
    rows = [measure(*network, options.repeats) for network in NETWORKS]
    machine = f"{torch.cuda.get_device_name()}; {processor()}"
    modules = [sklearn_lai, torch, skorch, np]
    save_json(
        options.json, modules, machine=machine, repeats=options.repeats, rows=rows
    )


if __name__ == "__main__":
    main()
