"""
==============================
Coefficients along the slope k
==============================

The coefficients of a linear model along the boundary slope ``k`` of the Lai loss,
beside the paths of Ridge and the lasso on the same data.
"""

# %%
# Three paths
# -----------
# The diabetes data has blood measurements that are nearly collinear: total cholesterol
# ``s1`` and the low-density part of it, ``s2``. Least squares gives them large
# coefficients of opposite signs. All coefficients below are in standard deviations of
# the target per standard deviation of the feature.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LassoCV, Ridge, RidgeCV, lasso_path
from sklearn.model_selection import cross_val_score
from sklearn.preprocessing import scale

from sklearn_lai import LaiLinearRegressor, LaiLinearRegressorCV, lai_linear_path

X, y = load_diabetes(return_X_y=True, as_frame=True)
names = list(X.columns)
X, y = scale(X), scale(y)

ks = np.geomspace(0.8, 0.02, 200)
ks, lai_coefs, _ = lai_linear_path(X, y, ks, norm="l2")
alphas = np.geomspace(1e-1, 1e5, 200)
ridge_coefs = np.stack([Ridge(alpha=alpha).fit(X, y).coef_ for alpha in alphas], axis=1)
lasso_alphas, lasso_coefs, _ = lasso_path(X, y, alphas=np.geomspace(0.6, 6e-4, 200))

chosen = {
    "Lai": LaiLinearRegressorCV(ks=ks[::5], norm="l2").fit(X, y),
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
# In the figure, each curve is a coefficient, and control grows from left to right. All
# three models shrink the pair first, since that costs the least accuracy; the lasso
# keeps one of the two longer than the other. The Lai loss draws coefficients to
# magnitudes around ``k`` and holds some at exactly ``k``; those that the accuracy
# depends on stay larger. The dotted lines are the choices of cross-validation: for the
# Lai loss the smallest ``k`` within 2 % of the least error, for the others the least
# error.

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
figure.savefig("linear_path.png", dpi=150)
