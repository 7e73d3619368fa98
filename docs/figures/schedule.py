"""What the batches of the second stage minimise, by lai_interval."""

import matplotlib.pyplot as plt
import numpy as np

N, FRACTION = 20, 0.2
batches = np.arange(1, N + 1)
rng = np.random.default_rng(3)
random = np.isin(batches, rng.choice(batches, round(FRACTION * N), replace=False))
every_fifth = batches % 5 == 0
schedules = {
    "lai_interval=1": (np.full(N, 1 - FRACTION), np.full(N, FRACTION)),
    "lai_interval=5": (np.full(N, 1 - FRACTION), 5 * FRACTION * every_fifth),
    "lai_interval=None, as in the paper": (1.0 * ~random, 1.0 * random),
}
figure, axes = plt.subplots(
    3, 1, figsize=(6.4, 4.6), sharex=True, sharey=True, layout="constrained"
)
for ax, (name, (plain, lai)) in zip(axes, schedules.items(), strict=True):
    ax.bar(batches, plain, color="#bbbbbb", label="plain loss")
    ax.bar(batches, lai, bottom=plain, color="#0072B2", label="Lai loss")
    ax.set(ylabel="weight", xlim=(0.4, N + 0.6), ylim=(0, 2))
    ax.set_title(name, loc="left", fontsize=11)
axes[-1].set(xlabel="batch of the second stage", xticks=[1, 5, 10, 15, 20])
handles, labels = axes[0].get_legend_handles_labels()
figure.legend(handles, labels, loc="outside upper right", ncols=2)
