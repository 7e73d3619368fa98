"""Regression data to compare on: shipped with scikit-learn, generated, or CSV files."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.datasets import (
    load_diabetes,
    make_friedman1,
    make_friedman2,
    make_friedman3,
)
from sklearn.model_selection import train_test_split

N_GENERATED = 2000


class Split(NamedTuple):
    """Standardised float32 data, by the means and deviations of the training rows."""

    X: np.ndarray
    y: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray


def load(
    folders: Iterable[Path] = (), names: Iterable[str] | None = None
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Features and target of each set, by name; of those with these names, if given.

    The noise has a third of the standard deviation of Friedman's functions, as in his
    paper ("Multivariate adaptive regression splines", 1991), a fifth for the first
    one, or as much as it. In a CSV file the last column is the target, and a column
    `id` is left out; train.csv has the name of its folder, test.csv is not read.
    """
    sets = {
        "diabetes": load_diabetes(return_X_y=True),
        "friedman1": make_friedman1(N_GENERATED, noise=1, random_state=0),
        "friedman1, noisy": make_friedman1(N_GENERATED, noise=5, random_state=0),
        "friedman2": make_friedman2(N_GENERATED, noise=125, random_state=0),
        "friedman3": make_friedman3(N_GENERATED, noise=0.1, random_state=0),
    }
    for folder in folders:
        for path in sorted(folder.glob("*.csv")):
            if path.stem != "test":
                name = folder.name if path.stem == "train" else path.stem
                table = pd.read_csv(path).drop(columns="id", errors="ignore")
                values = table.to_numpy(np.float64)
                sets[name] = values[:, :-1], values[:, -1]
    return {name: sets[name] for name in names or sets}


def split(
    X: np.ndarray, y: np.ndarray, seed: int, test_size: float | int = 0.2
) -> Split:
    """Random rows to test on, a share or so many, and all others to train on.

    A column that is constant in the training rows is left out.
    """
    X, X_test, y, y_test = train_test_split(
        X, y, test_size=test_size, random_state=seed
    )
    varies = np.ptp(X, axis=0) > 0
    X, X_test = X[:, varies], X_test[:, varies]
    X_mean, X_scale, y_mean, y_scale = X.mean(0), X.std(0), y.mean(), y.std()
    standardised = (
        (X - X_mean) / X_scale,
        (y - y_mean) / y_scale,
        (X_test - X_mean) / X_scale,
        (y_test - y_mean) / y_scale,
    )
    return Split(*(values.astype(np.float32) for values in standardised))
