"""
======================================
Choose between accuracy and smoothness
======================================

A search for accuracy alone ignores smoothness, and the smoothest model of all is a
constant. A search that scores both shows what each costs. ``smoothest_within`` picks
the smoothest model among those that are accurate enough, and ``LaiMLPRegressorCV`` does
so along ``k``.
"""

# %%
# Data
# ----
# Disease progression of 442 patients; a quarter of them is held out.

import tempfile

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_diabetes
from sklearn.metrics import root_mean_squared_error
from sklearn.model_selection import GridSearchCV, KFold, train_test_split

from sklearn_lai import LaiMLPRegressor, LaiMLPRegressorCV
from sklearn_lai.inspection import (
    LossCurveDisplay,
    SensitivityDisplay,
    SlopeDisplay,
    TradeoffDisplay,
)
from sklearn_lai.metrics import neg_noise_sensitivity, noise_sensitivity
from sklearn_lai.model_selection import smoothest_within

X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
folds = KFold(5, shuffle=True, random_state=0)
ks = np.geomspace(1, 0.02, 12)

# %%
# A search with two scores
# ------------------------
# The second score is the noise sensitivity, negated: how much the prediction moves, on
# average, when one feature gets noise of one standard deviation. Of all candidates
# whose mean error is within 2 % of the least, ``smoothest_within(0.02)`` takes the
# smoothest. With ``memory``, every fold is pretrained once for the whole grid.

network = {
    "hidden_layer_sizes": (64,),
    "batch_size": 32,
    "tol": 0.001,  # the first stage ends before it learns the noise of the target
    "random_state": 0,
}
with tempfile.TemporaryDirectory() as cache:
    search = GridSearchCV(
        LaiMLPRegressor(memory=cache, **network),
        {"k": ks, "norm": ["l1", "l2"]},
        scoring={
            "accuracy": "neg_root_mean_squared_error",
            "smoothness": neg_noise_sensitivity,
        },
        refit=smoothest_within(0.02),
        cv=folds,
        n_jobs=2,
    ).fit(X_train, y_train)

most_accurate = np.nanargmax(search.cv_results_["mean_test_accuracy"])
accurate = LaiMLPRegressor(**network).set_params(
    **search.cv_results_["params"][most_accurate]
)
accurate.fit(X_train, y_train)

# %%
# The same along k
# ----------------
# ``LaiMLPRegressorCV`` has the whole curve from one run per fold. It takes the smallest
# ``k`` within 2 % of the least error, too.

model = LaiMLPRegressorCV(ks=ks, cv=folds, n_jobs=2, **network)
model.fit(X_train, y_train)

# %%
# On the rows held out
# --------------------

models = {
    "most accurate": accurate,
    "smoothest within 2 %": search.best_estimator_,
    "LaiMLPRegressorCV": model,
}
table = pd.DataFrame(
    {
        name: {
            "RMSE": root_mean_squared_error(y_test, fitted.predict(X_test)),
            "mean noise sensitivity": noise_sensitivity(fitted, X_test).mean(),
        }
        for name, fitted in models.items()
    }
).T
print(
    f"Chosen by the search: k {search.best_params_['k']:.3g}, "
    f"norm {search.best_params_['norm']}; by the CV class: k {model.k_:.3g}"
)
print(f"On {len(X_test)} rows held out")
print(table.round(4).to_string())
change = 100 * (table.iloc[1] / table.iloc[0] - 1)
print(
    "The smoothest within 2 % against the most accurate: "
    f"RMSE {change['RMSE']:+.1f} %, "
    f"noise sensitivity {change['mean noise sensitivity']:+.1f} %."
)

# %%
# The displays
# ------------
# First row of the figure: both trade-offs, with what was chosen. Second row: the
# training of the model that the search chose, and how much the predictions of the three
# models move under noise in each feature. Third row: the slopes of the most accurate
# model and of the smoothest within 2 %.

figure, axes = plt.subplots(3, 2, figsize=(11, 12), layout="constrained")
TradeoffDisplay.from_cv_results(
    search.cv_results_,
    tolerance=0.02,
    error_name="RMSE (target units)",
    roughness_name="mean noise sensitivity (target units)",
    ax=axes[0, 0],
)
TradeoffDisplay.from_estimator(model, ax=axes[0, 1])
LossCurveDisplay.from_estimator(search.best_estimator_, ax=axes[1, 0])
SensitivityDisplay.from_estimator(models, X_test, ax=axes[1, 1])
for ax, name in zip(axes[2], ["most accurate", "smoothest within 2 %"], strict=True):
    SlopeDisplay.from_estimator(models[name], X_test, y_test, ax=ax)
    ax.set_ylabel(name)
axes[2, 1].set_xlim(axes[2, 0].get_xlim())
figure.savefig("tradeoff.png", dpi=130)
