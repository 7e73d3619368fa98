"""
==============================
Coefficients along the slope k
==============================

What the boundary slope ``k`` does to the coefficients of a linear model, beside the
paths of Ridge and the lasso on the same data; and the Lai loss itself, over the slope
and the intercept of a line.
"""

# %%
# Three paths
# -----------
# The diabetes data has blood measurements that are nearly collinear: total cholesterol
# ``s1`` and the low-density part of it, ``s2``. Least squares gives them large
# coefficients of opposite signs. All coefficients below are in standard deviations of
# the target per standard deviation of the feature.

import argparse
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LassoCV, Ridge, RidgeCV, lasso_path
from sklearn.model_selection import cross_val_score
from sklearn.preprocessing import scale

from sklearn_lai import LaiLinearRegressor, LaiLinearRegressorCV, lai_linear_path
from sklearn_lai.loss import lai_factor

parser = argparse.ArgumentParser(description="Coefficients along the slope k.")
parser.add_argument("--figures", type=Path, default=".", help="folder to write to")
options = parser.parse_args()

X, y = load_diabetes(return_X_y=True, as_frame=True)
names = list(X.columns)
X, y = scale(X), scale(y)

ks, lai_coefs, _ = lai_linear_path(X, y, np.geomspace(0.8, 0.02, 200))
alphas = np.geomspace(1e-1, 1e5, 200)
ridge_coefs = np.stack([Ridge(alpha=alpha).fit(X, y).coef_ for alpha in alphas], axis=1)
lasso_alphas, lasso_coefs, _ = lasso_path(X, y, alphas=np.geomspace(0.6, 6e-4, 200))

chosen = {
    "Lai": LaiLinearRegressorCV(ks=ks[::5], tolerance=0.02).fit(X, y),
    "Ridge": RidgeCV(alphas=alphas).fit(X, y),
    "lasso": LassoCV(alphas=lasso_alphas).fit(X, y),
}
paths = {
    "Lai loss, 1 % of the objective": (
        ks,
        lai_coefs,
        chosen["Lai"].k_,
        "boundary slope $k$",
    ),
    "Ridge": (alphas, ridge_coefs, chosen["Ridge"].alpha_, r"penalty $\alpha$"),
    "lasso": (lasso_alphas, lasso_coefs, chosen["lasso"].alpha_, r"penalty $\alpha$"),
}

print("Coefficients of the two collinear features, and R2 in 5-fold cross-validation")
print(f"{'':15s}{'s1':>8s}{'s2':>8s}{'R2':>8s}")
least_squares = LaiLinearRegressor(lai_fraction=0).fit(X, y)
for name, model in {"least squares": least_squares, **chosen}.items():
    s1, s2 = model.coef_[[names.index("s1"), names.index("s2")]]
    r2 = cross_val_score(model, X, y).mean()
    print(f"{name:15s}{s1:8.3f}{s2:8.3f}{r2:8.3f}")

# %%
# From left to right, all three shrink the pair first, since that costs the least
# accuracy; the lasso keeps one of the two longer than the other. The Lai loss takes
# them to magnitudes around ``k``, where its kinks hold some coefficients exactly, while
# those that the data insists on stay larger. The dotted lines are the choices of
# cross-validation: for the Lai loss the smallest ``k`` within 2 % of the least error,
# for the others the least error.

COLOURS = {"s1": "#D55E00", "s2": "#0072B2"}
figure, axes = plt.subplots(1, 3, figsize=(12, 4.2), sharey=True, layout="constrained")
for ax, (name, (values, coefs, best, label)) in zip(axes, paths.items(), strict=True):
    for feature, coef in zip(names, coefs, strict=True):
        colour, width = COLOURS.get(feature, "#999999"), 1 + (feature in COLOURS)
        ax.plot(values, coef, color=colour, linewidth=width, zorder=width)
        if ax is axes[0] and feature in COLOURS:
            ax.annotate(
                feature,
                (values[0], coef[0]),
                xytext=(4, 5),
                textcoords="offset points",
                color=colour,
            )
    ax.axvline(best, color="black", linestyle=":", label="chosen")
    ax.axhline(0, color="black", linewidth=0.6)
    ax.set(xscale="log", xlabel=label, title=name)
axes[0].fill_between(ks, -ks, ks, color="#F0E442", alpha=0.3, label=r"$|w| < k$")
axes[0].invert_xaxis()
axes[0].set_xticks([0.5, 0.2, 0.1, 0.05, 0.02], ["0.5", "0.2", "0.1", "0.05", "0.02"])
axes[0].minorticks_off()
axes[0].set(ylabel="coefficient (standard deviations)", ylim=(-0.62, 0.62))
axes[1].set_xlim(alphas[0], alphas[-1])
axes[2].set_xlim(lasso_alphas[-1], lasso_alphas[0])
axes[0].legend(loc="lower right", fontsize=8)
figure.savefig(options.figures / "linear_path.png", dpi=150)

# %%
# The loss over slope and intercept
# ---------------------------------
# Data around the line ``y = 3 x + 4``, as in the appendix of the paper, and the Lai
# loss alone, in the units of the data. A small ``k`` makes flat lines attractive and a
# large one steep lines, on both sides of zero: the loss is blind to the sign of the
# slope.

rng = np.random.default_rng(0)
x = rng.uniform(-1, 1, 100)
target = 3 * x + 4 + rng.normal(size=100)
slopes, intercepts = np.linspace(-8, 8, 321), np.linspace(-1, 9, 201)
error = target - slopes[:, None, None] * x - intercepts[:, None]
BASE_LOSSES = {
    "squared_error": ("MSE", np.square(error).mean(axis=-1), 2),
    "absolute_error": ("MAE", np.abs(error).mean(axis=-1), 1),
}


def exact_line(k: float, loss: str) -> tuple[float, float]:
    """Slope and intercept with the least Lai loss."""
    if loss == "squared_error":
        model = LaiLinearRegressor(k=k, lai_fraction=1, standardize=False)
        with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
            model.fit(x[:, None], target)  # a small k asks for a flat line
        return model.coef_[0], model.intercept_
    # The best intercept for a slope is the median of what the slope leaves.
    fine = np.append(np.linspace(-8, 8, 16_001), [-k, k])
    rest = target - fine[:, None] * x
    best = np.median(rest, axis=1)
    losses = np.abs(rest - best[:, None]).mean(axis=1)
    losses *= lai_factor(torch.from_numpy(fine)[:, None], k)[:, 0].numpy()
    return fine[losses.argmin()], best[losses.argmin()]


K = [1, 2, 0.5, 0.05, 20]
figure, axes = plt.subplots(
    2, 5, figsize=(13, 5.4), sharex=True, sharey=True, layout="constrained"
)
for row, (loss, (name, base, power)) in zip(axes, BASE_LOSSES.items(), strict=True):
    for ax, k in zip(row, K, strict=True):
        factor = lai_factor(torch.from_numpy(slopes)[:, None], k).numpy()
        surface = np.log10(base * factor**power)
        ax.contourf(slopes, intercepts, surface.T, levels=24, cmap="viridis")
        for kink in (-k, k):
            ax.axvline(kink, color="white", linestyle=":", linewidth=1)
        ax.plot(3, 4, "o", color="white", markeredgecolor="black", label="the data's")
        ax.plot(
            *exact_line(k, loss),
            "*",
            color="#E69F00",
            markeredgecolor="black",
            markersize=15,
            label="least loss",
        )
        ax.set(title=f"{name}, $k = {k:g}$", xlim=(-8, 8))
for ax in axes[-1]:
    ax.set_xlabel("slope")
for ax in axes[:, 0]:
    ax.set_ylabel("intercept")
axes[0, 0].legend(fontsize=8, loc="lower left")
figure.suptitle("Lai loss (logarithmic; darker is lower), kinks dotted")
figure.savefig(options.figures / "loss_surface.png", dpi=130)
print(f"\nFigures saved to {options.figures.resolve()}")
