"""
=====================================
Train a model that noise hardly moves
=====================================

A model is trained on good measurements and used on noisy ones: from a cheaper sensor,
a hurried reading, an address instead of coordinates. Most models then lose much of
their accuracy. Here the model is told how noisy its inputs will be, by ``noise``, in
standard deviations of each input, and there is nothing to tune.
"""

# %%
# Data
# ----
# Disease progression of 442 patients, from ten measurements. In use, all will have
# noise of 0.3 standard deviations, and the blood value ``s5`` of one. On the housing
# data of Kaggle's Playground Series, season 3, episode 1, it is the longitude of the
# house alone that has noise, of one standard deviation.

import time
import warnings
from pathlib import Path
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import GridSearchCV, ShuffleSplit, cross_validate
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_lai import LaiLinearRegressor, LaiMLPRegressor
from sklearn_lai.inspection import SensitivityDisplay
from sklearn_lai.metrics import (
    error_under_noise,
    make_noisy_scorer,
    noise_sensitivity,
)

# sphinx_gallery_start_ignore
import argparse  # isort: skip

# sphinx_gallery_end_ignore


class Data(NamedTuple):
    X: pd.DataFrame
    y: pd.Series
    target: str
    noise: dict[str, float]  # in standard deviations
    noisiest: str
    hidden_layer_sizes: tuple[int, ...]
    batch_size: int
    epochs: int  # of each of the two stages


def load(folder: Path | None = None) -> Data:
    if folder is None:
        X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
        noise = dict.fromkeys(X, 0.3) | {"s5": 1.0}
        return Data(X, y, "disease progression", noise, "s5", (64,), 32, 100)
    X = pd.read_csv(folder / "train.csv", index_col="id")
    y = X.pop("MedHouseVal")
    target, noise = "house value, 100,000 USD", {"Longitude": 1.0}
    return Data(X, y, target, noise, "Longitude", (64, 64), 256, 20)


data = load()
figure_file = "tune_k.png"
# sphinx_gallery_start_ignore
parser = argparse.ArgumentParser(description="Train a model that is told of noise.")
parser.add_argument("--data", type=Path, help="folder with playground_s3e1's train.csv")
parser.add_argument("--figure", type=Path, default="tune_k.png", help="file to write")
options = parser.parse_args()
data, figure_file = load(options.data), options.figure
# sphinx_gallery_end_ignore

X, y = data.X, data.y
noise, noisiest = data.noise, data.noisiest
splits = ShuffleSplit(5, test_size=0.25, random_state=0)

# %%
# Models
# ------
# Three as usual, two that are told of the noise. All have the same preprocessing.
# ``set_output`` keeps the names of the columns through the pipeline, so that ``noise``
# can use them.


def in_pipeline(model):
    steps = [("scale", StandardScaler()), ("model", model)]
    return Pipeline(steps).set_output(transform="pandas")


network = {
    "hidden_layer_sizes": data.hidden_layer_sizes,
    "batch_size": data.batch_size,
    "random_state": 0,
}
# All networks train for as many epochs; that these are over is no news.
warnings.simplefilter("ignore", ConvergenceWarning)
epochs = {"max_iter": data.epochs, "lai_epochs": data.epochs}
mlp = MLPRegressor(
    max_iter=2 * data.epochs, n_iter_no_change=2 * data.epochs, **network
)
models = {
    "Ridge": in_pipeline(RidgeCV(np.geomspace(0.01, 1000, 11))),
    "HistGradientBoosting": HistGradientBoostingRegressor(random_state=0),
    "MLPRegressor": TransformedTargetRegressor(
        in_pipeline(mlp), transformer=StandardScaler()
    ),
    "LaiLinearRegressor(noise)": in_pipeline(LaiLinearRegressor(noise=noise)),
    "LaiMLPRegressor(noise)": in_pipeline(
        LaiMLPRegressor(noise=noise, **epochs, **network)
    ),
}

# %%
# Clean and noisy error
# ---------------------
# ``make_noisy_scorer`` makes of any scorer one that scores on noisy copies of the test
# data. Means over five splits, beside their standard deviations.

rmse = "neg_root_mean_squared_error"
scoring = {"clean": rmse, "noisy": make_noisy_scorer(rmse, noise=noise)}


def assess(model) -> dict:
    scores = cross_validate(model, X, y, cv=splits, scoring=scoring)
    errors = {name: -scores[f"test_{name}"] for name in scoring}
    loss = errors["noisy"].mean() / errors["clean"].mean() - 1
    return {
        **{
            f"{name} RMSE": f"{error.mean():.4g} ± {error.std():.2g}"
            for name, error in errors.items()
        },
        "lost to noise": f"{loss:+.0%}",
        "seconds a fit": f"{scores['fit_time'].mean():.2g}",
    }


table = pd.DataFrame({name: assess(model) for name, model in models.items()}).T
print("Error without noise and with it\n")
print(table.to_string())

# %%
# What a search finds
# -------------------
# Without ``noise``, the boundary slope ``k`` says how smooth the model is, as a whole
# or, by ``feature_k``, for one feature by its name. A search with the noisy scorer
# tunes either, in many fits; ``noise`` takes one.

train, test = next(splits.split(X))
X_train, y_train = X.iloc[train], y.iloc[train]
X_test, y_test = X.iloc[test], y.iloc[test]
slopes = [0.3, 0.1, 0.05]


def tuned(grid):
    lai = in_pipeline(LaiMLPRegressor(**epochs, **network))
    return GridSearchCV(lai, grid, scoring=scoring["noisy"], cv=3, n_jobs=2)


networks = {
    "plain network": in_pipeline(LaiMLPRegressor(lai_fraction=0, **epochs, **network)),
    "k tuned": tuned({"model__k": slopes}),
    f"k of {noisiest} tuned": tuned(
        {"model__feature_k": [{noisiest: k} for k in slopes]}
    ),
    "noise given": models["LaiMLPRegressor(noise)"],
}
rows = {}
for name, model in networks.items():
    start = time.perf_counter()
    model.fit(X_train, y_train)
    rows[name] = {
        "clean RMSE": error_under_noise(model, X_test, y_test, noise=0),
        "noisy RMSE": error_under_noise(model, X_test, y_test, noise=noise),
        f"moved by {noisiest}": noise_sensitivity(model, X_test)[noisiest],
        "seconds": time.perf_counter() - start,
    }
print(f"\nOne split; 'moved by {noisiest}': mean change of the prediction\n")
print(pd.DataFrame(rows).T.to_string(float_format="{:.3g}".format))

# %%
# The picture
# -----------

levels = np.linspace(0, 1.5, 7)
shown = {
    "Ridge": ("#999999", "--"),
    "HistGradientBoosting": ("#999999", "-"),
    "MLPRegressor": ("#000000", "-"),
    "LaiLinearRegressor(noise)": ("#0072B2", "--"),
    "LaiMLPRegressor(noise)": ("#0072B2", "-"),
}
figure, (left, right) = plt.subplots(
    1, 2, figsize=(11, 4.2), layout="constrained", width_ratios=[1.25, 1]
)
for name, (colour, style) in shown.items():
    model = models[name].fit(X_train, y_train)
    errors = [
        error_under_noise(model, X_test, y_test, noise=noise | {noisiest: level})
        for level in levels
    ]
    left.plot(levels, errors, style, color=colour, label=name, linewidth=2)
left.set(
    xlabel=f"noise in {noisiest} (standard deviations)",
    ylabel=f"RMSE ({data.target})",
    title="Error on rows held out, all other inputs as expected",
)
left.legend(fontsize=8)
SensitivityDisplay.from_estimator(
    {name: networks[name] for name in ("plain network", "noise given")},
    X_test,
    ax=right,
)
figure.savefig(figure_file, dpi=150)
print(f"\nFigure saved to {figure_file}")
