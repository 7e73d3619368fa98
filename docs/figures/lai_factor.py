"""The Lai factor over the slope, for several k."""

import matplotlib.pyplot as plt
import numpy as np
import torch

from sklearn_lai.loss import lai_factor

slopes = np.linspace(-2.5, 2.5, 1001)
figure, ax = plt.subplots(figsize=(6.4, 3.8), layout="constrained")
for k, colour in {0.3: "#0072B2", 0.5: "#009E73", 1: "#555555", 2: "#D55E00"}.items():
    ax.plot(
        slopes, lai_factor(torch.tensor(slopes), k), color=colour, label=f"$k = {k:g}$"
    )
    kinks = torch.tensor([-k, k], dtype=torch.float64)
    ax.plot(kinks, lai_factor(kinks, k), "o", color=colour, markersize=5)
ax.set(xlabel="slope $s$", ylabel=r"Lai factor $\varphi(s; k)$", ylim=(0.5, 3.4))
ax.legend(ncols=4, loc="upper center")
