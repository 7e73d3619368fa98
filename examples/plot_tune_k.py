"""
===================================
Tune the slopes of a neural network
===================================

The whole job on real data: baselines, a grid search over the boundary slope ``k`` and
the ``norm``, and what the tuned model gains in smoothness; then a lower ``k`` for the
feature that the model is most sensitive to, by its name.

Run it as it is for the diabetes data of scikit-learn, or with ``--data DIR`` for the
housing data of Kaggle's Playground Series, season 3, episode 1, from the folder that
holds its ``train.csv``.
"""

# %%
# Data
# ----
# Disease progression of 442 patients: little data and much noise, on which a network
# easily becomes jumpy. A quarter of the rows is held out.

import argparse
import warnings
from pathlib import Path
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Ridge
from sklearn.metrics import root_mean_squared_error
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    cross_val_score,
    train_test_split,
)
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_lai import LaiMLPRegressor
from sklearn_lai.metrics import noise_sensitivity, prediction_variance


class Data(NamedTuple):
    X: pd.DataFrame
    y: pd.Series
    target: str
    batch_size: int
    epochs: int  # of each of the two stages


def load(folder: Path | None) -> Data:
    if folder is None:
        X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
        return Data(X, y, "disease progression", batch_size=32, epochs=100)
    X = pd.read_csv(folder / "train.csv", index_col="id")
    y = X.pop("MedHouseVal")
    return Data(X, y, "house value, 100,000 USD", batch_size=256, epochs=20)


parser = argparse.ArgumentParser(description="Tune the slopes of a neural network.")
parser.add_argument("--data", type=Path, help="folder with playground_s3e1's train.csv")
parser.add_argument("--figure", type=Path, default="tune_k.png", help="file to write")
options = parser.parse_args()

X, y, target, batch_size, epochs = load(options.data)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
folds = KFold(5, shuffle=True, random_state=0)

# %%
# Baselines
# ---------
# All models get the same preprocessing. ``set_output`` keeps the column names through
# the pipeline, so that ``feature_k`` can use them.


def in_pipeline(model):
    steps = [("scale", StandardScaler()), ("model", model)]
    return Pipeline(steps).set_output(transform="pandas")


network = {"hidden_layer_sizes": (64,), "batch_size": batch_size, "random_state": 0}
mlp = MLPRegressor(max_iter=2 * epochs, n_iter_no_change=2 * epochs, **network)
baselines = {
    "Ridge": in_pipeline(Ridge()),
    "MLPRegressor": TransformedTargetRegressor(
        in_pipeline(mlp), transformer=StandardScaler()
    ),
}
scoring = "neg_root_mean_squared_error"
with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
    # MLPRegressor trains for as many epochs as ours, and warns that they are over.
    scores = {
        name: cross_val_score(model, X_train, y_train, cv=folds, scoring=scoring)
        for name, model in baselines.items()
    }
    baselines["MLPRegressor"].fit(X_train, y_train)
baseline_rmse = {name: -score.mean() for name, score in scores.items()}
print("RMSE of the baselines, 5-fold cross-validation")
for name, rmse in baseline_rmse.items():
    print(f"  {name:15s} {rmse:.4g}")

# %%
# Search
# ------
# ``k`` is in target standard deviations per feature standard deviation, so the same
# grid fits every data set.

lai = LaiMLPRegressor(pretrain_epochs=epochs, lai_epochs=epochs, **network)
search = GridSearchCV(
    in_pipeline(lai),
    {"model__k": [0.5, 0.3, 0.2, 0.1, 0.05, 0.03], "model__norm": ["l1", "l2"]},
    cv=folds,
    scoring=scoring,
    n_jobs=2,
)
search.fit(X_train, y_train)
results = pd.DataFrame(search.cv_results_)
results["rmse"] = -results["mean_test_score"]
rmse_by_k = results.pivot_table(
    index="param_model__k", columns="param_model__norm", values="rmse"
)
best_k = search.best_params_["model__k"]
best_norm = search.best_params_["model__norm"]
print("\nRMSE of LaiMLPRegressor along k, by norm")
print(rmse_by_k.rename_axis(index="k", columns=None).round(4))
print(
    f"\nMost accurate: k {best_k:g}, norm {best_norm}, RMSE {-search.best_score_:.4g}"
)

# %%
# Before and after
# ----------------
# On the rows held out: error, variance of the predictions, and noise sensitivity, the
# mean change of the prediction when one feature gets noise of one standard deviation.


def assess(model) -> dict:
    return {
        "RMSE": root_mean_squared_error(y_test, model.predict(X_test)),
        "output variance": prediction_variance(model, X_test),
        **noise_sensitivity(model, X_test),
    }


models = {
    "MLPRegressor": baselines["MLPRegressor"],
    "tuned k": search.best_estimator_,
}
table = pd.DataFrame({name: assess(model) for name, model in models.items()})
feature = table["tuned k"][X.columns].idxmax()

# %%
# One feature by name
# -------------------
# The tuned model is most sensitive to one feature. If its measurement is noisy, a
# lower ``k`` for it alone makes the model rely on the others.

lowered = clone(search.best_estimator_)
lowered.set_params(model__feature_k={feature: best_k / 3}).fit(X_train, y_train)
name = f"tuned k, {feature} {best_k / 3:.2g}"
models[name] = lowered
table[name] = assess(lowered)
print(f"\nOn {len(X_test)} rows held out; below the line: noise sensitivity")
print(table.iloc[:2].round(4).to_string())
print("-" * 60)
print(table.iloc[2:].round(4).to_string(header=False))

fell = 1 - table.loc[feature, name] / table.loc[feature, "tuned k"]
cost = table.loc["RMSE", name] / table.loc["RMSE", "tuned k"] - 1
print(
    f"\nA lower k for {feature} cut the sensitivity to it by {fell:.0%}; "
    f"the RMSE changed by {cost:+.1%}."
)

# %%
# The picture
# -----------

COLOURS = dict(zip(models, ["#555555", "#0072B2", "#D55E00"], strict=True))
figure, (left, middle, right) = plt.subplots(
    1, 3, figsize=(12, 3.9), layout="constrained", width_ratios=[1, 1.1, 1.1]
)

for norm, style in {"l1": "o--", "l2": "s-"}.items():
    left.plot(
        rmse_by_k[norm], style, color=COLOURS["tuned k"], label=f"Lai, norm {norm}"
    )
left.plot(
    best_k,
    -search.best_score_,
    "*",
    markersize=17,
    color="#E69F00",
    markeredgecolor="black",
    label="chosen",
)
for (baseline, rmse), style in zip(baseline_rmse.items(), [":", "-"], strict=True):
    left.axhline(rmse, linestyle=style, color=COLOURS["MLPRegressor"], label=baseline)
left.set(
    xscale="log",
    xlabel="boundary slope $k$",
    ylabel=f"RMSE ({target})",
    title="Error in cross-validation",
)
left.invert_xaxis()
left.set_xticks(rmse_by_k.index, [f"{k:g}" for k in rmse_by_k.index])
left.minorticks_off()
left.legend(fontsize=8)

grid = np.linspace(*X_test[feature].quantile([0.01, 0.99]), 60)
rows = X_test.iloc[:8]
for name, model in models.items():
    curves = np.stack(
        [model.predict(rows.assign(**{feature: value})) for value in grid]
    )
    middle.plot(grid, curves, color=COLOURS[name], alpha=0.4, linewidth=0.8)
    middle.plot(grid, curves.mean(1), color=COLOURS[name], linewidth=2.5, label=name)
middle.set(
    xlabel=feature,
    ylabel=f"prediction ({target})",
    title=f"{len(rows)} held-out rows, and their mean",
)
middle.legend(fontsize=8)

order = table["tuned k"][X.columns].sort_values().index
for name, marker in zip(models, "osD", strict=True):
    right.plot(table.loc[order, name], order, marker, color=COLOURS[name], label=name)
right.hlines(
    order,
    table.loc[order].min(axis=1),
    table.loc[order].max(axis=1),
    color="#bbbbbb",
    zorder=0,
)
right.set(
    xlim=(0, None),
    xlabel="mean change of the prediction",
    title="Sensitivity to noise of 1 standard deviation",
)
right.legend(fontsize=8)
figure.savefig(options.figure, dpi=150)
print(f"\nFigure saved to {options.figure}")
