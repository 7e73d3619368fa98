"""Where the errors are that the Lai loss multiplies, on the data sets of `tradeoff.py`.

    python benchmarks/errors.py --data DIR [DIR ...]

The network of `methods.py`, pretrained without control, over several seeds: its RMSE on
the rows it was trained on and on those held out, in standard deviations of the target,
and how much of the squared error of the training rows is in the tenth of them with the
largest errors. Each row's slopes are pulled in proportion to its squared error.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import sklearn
import torch
from datasets import load, split
from methods import Task, lai
from report import save_json

import sklearn_lai


def measure(X: np.ndarray, y: np.ndarray, seed: int) -> dict[str, float]:
    """Figures of one network."""
    task = Task(split(X, y, seed), seed)
    model = lai(task, k=1.0, lai_fraction=0, lai_epochs=0)
    squares = np.sort((model.predict(task.data.X) - task.data.y) ** 2)
    held_out = (model.predict(task.data.X_test) - task.data.y_test) ** 2
    largest = squares[-(len(squares) // 10) :]
    return {
        "training": float(np.sqrt(squares.mean())),
        "held_out": float(np.sqrt(held_out.mean())),
        "largest_tenth": float(largest.sum() / squares.sum()),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, nargs="*", default=[])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--json", type=Path, default="results/errors.json")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for key, data in load(options.data).items():
        seeds = [measure(*data, seed) for seed in range(options.seeds)]
        rows.append({"set": key, **pd.DataFrame(seeds).median()})
    print(pd.DataFrame(rows).round(3).to_string(index=False))
    modules = [sklearn_lai, sklearn, torch, np]
    save_json(options.json, modules, seeds=options.seeds, rows=rows)


if __name__ == "__main__":
    main()
