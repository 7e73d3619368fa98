"""Training times of peers, as multiples of ours."""

import matplotlib.pyplot as plt
from tables_of.speed import PEERS, ratio

LABELS = ["MLPRegressor", "skorch", "torch loop with\ndouble backpropagation"]
times = [ratio("speed", name) for name in PEERS.values()]
figure, ax = plt.subplots(figsize=(5.2, 2.4), layout="constrained")
bars = ax.barh(LABELS, times, color="#0072B2", height=0.6)
ax.bar_label(bars, fmt="{:.1f}", padding=4)
ax.axvline(1, color="black", linewidth=1)
ax.annotate("ours", (1, 1), (3, 2), ("data", "axes fraction"), "offset points")
ax.set(xlabel="training time / ours", xlim=(0, 1.1 * max(times)))
ax.invert_yaxis()
