"""Slopes of two networks: one k for all features, and a lower one for bmi."""

import matplotlib.pyplot as plt
from sklearn.datasets import load_diabetes

from sklearn_lai import LaiMLPRegressor
from sklearn_lai.inspection import SlopeDisplay

X, y = load_diabetes(return_X_y=True, as_frame=True)
figure, axes = plt.subplots(2, 1, figsize=(6.4, 7.6), sharex=True, layout="constrained")
for ax, (title, feature_k) in zip(
    axes,
    {"k = 0.2": None, 'k = 0.2, feature_k={"bmi": 0.03}': {"bmi": 0.03}}.items(),
    strict=True,
):
    model = LaiMLPRegressor(
        (64,), k=0.2, feature_k=feature_k, batch_size=32, random_state=0
    ).fit(X, y)
    SlopeDisplay.from_estimator(model, X, y, ax=ax)
    ax.set_ylabel(title)
axes[0].set_xlabel("")
if axes[1].get_legend() is not None:
    axes[1].get_legend().remove()
