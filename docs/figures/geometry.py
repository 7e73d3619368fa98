"""An error, its projection on the model's line and its perpendicular to it."""

import matplotlib.pyplot as plt
import numpy as np

figure, axes = plt.subplots(1, 2, figsize=(7, 4.2), sharey=True, layout="constrained")
for ax, slope, title in zip(
    axes, [0.45, 1.8], ["flat: perpendicular", "steep: projection"], strict=True
):
    x = np.array([-2.0, 2.0])
    ax.plot(x, slope * x, color="black")
    point = np.array([0.0, 1.6])  # the error is from the origin up to here
    direction = np.array([1, slope]) / np.hypot(1, slope)
    foot = (point @ direction) * direction
    is_steep = slope > 1
    for start, end, name, colour, is_larger in [
        (np.zeros(2), foot, r"$|e|\,\sin\theta$", "#D55E00", is_steep),
        (point, foot, r"$|e|\,\cos\theta$", "#0072B2", not is_steep),
    ]:
        width = 5 if is_larger else 2
        ax.plot(*np.stack([start, end]).T, color=colour, lw=width, label=name)
    ax.plot([0, 0], [0, point[1]], color="#777777", ls="--", label="error $|e|$")
    ax.plot(*point, "o", color="black")
    angle = np.linspace(0, np.arctan(slope), 30)
    ax.plot([0, 1.3], [0, 0], color="#aaaaaa", lw=1)
    ax.plot(0.7 * np.cos(angle), 0.7 * np.sin(angle), color="#777777", lw=1)
    middle = np.arctan(slope) / 2
    ax.text(0.9 * np.cos(middle), 0.9 * np.sin(middle), r"$\theta$", va="center")
    ax.set(aspect="equal", xlim=(-1, 1.7), ylim=(-0.6, 2.1))
    ax.text(0.03, 0.98, title, transform=ax.transAxes, va="top")
    ax.set(xticks=[], yticks=[], xlabel="input $x$")
    ax.annotate(r"$y$", point, xytext=(-14, 2), textcoords="offset points")
axes[0].set_ylabel("output")
handles, labels = axes[0].get_legend_handles_labels()
figure.legend(handles, labels, loc="outside lower center", ncols=3)
