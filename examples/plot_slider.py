"""
====================
Move along the curve
====================

One fit of ``LaiMLPRegressorCV`` has a model for every ``k``. Which of them is wanted is
a matter of taste as much as of error: ``estimator_at`` returns any of them at once, to
be looked at, compared and used.
"""

# %%
# One fit
# -------
# A wave that ends in a jump, measured with noise at 600 places. The chosen model is the
# smoothest whose error under cross-validation is within 2 % of the least.

import time

import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import KFold

from sklearn_lai import LaiMLPRegressorCV
from sklearn_lai.inspection import TradeoffDisplay

rng = np.random.default_rng(0)
X = rng.uniform(0, 10, size=(600, 1))


def signal(x):
    """What is to be found."""
    return np.where(x < 7, np.sin(x), 2.0)


y = signal(X[:, 0]) + rng.normal(0, 0.4, len(X))

model = LaiMLPRegressorCV(
    ks=9,
    cv=KFold(5, shuffle=True, random_state=0),
    max_iter=300,
    batch_size=16,
    random_state=0,
).fit(X, y)
print(f"chosen: k = {model.k_:.2g} of", ", ".join(f"{k:.2g}" for k in model.ks_))

# %%
# Five models
# -----------
# Every second one of them, from the roughest to the smoothest.

x = np.linspace(0, 10, 500)[:, None]
start = time.perf_counter()
models = {k: model.estimator_at(k) for k in model.ks_[::2]}
milliseconds = 1000 * (time.perf_counter() - start) / len(models)
print(f"{milliseconds:.1f} ms a model")

figure, (left, right) = plt.subplots(
    1, 2, figsize=(11, 4.2), layout="constrained", width_ratios=[3, 2]
)
left.scatter(X, y, s=5, color="0.75", label="data")
left.plot(x, signal(x), color="black", linewidth=1, linestyle="--", label="signal")
colours = plt.get_cmap("viridis")(np.linspace(0.95, 0, len(models)))
for (k, at), colour in zip(models.items(), colours, strict=True):
    left.plot(x, at.predict(x), color=colour, label=f"k = {k:.2g}")
left.set(xlabel="x", ylabel="y", title="Five models from one fit")
left.legend(loc="upper left", fontsize="small", ncols=2)
smoothest = min(models)
TradeoffDisplay.from_estimator(model, at=smoothest, ax=right)
figure.savefig("slider.png", dpi=130)
