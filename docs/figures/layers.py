"""The layers of the package, and how data flows through a fit."""

import matplotlib.pyplot as plt

figure, ax = plt.subplots(figsize=(6.4, 5.4), layout="constrained")
ax.set(xlim=(0, 10), ylim=(0, 9.4))
ax.axis("off")
SKLEARN, TORCH, PLAIN = "#d7e8f5", "#f8dfcf", "#eeeeee"


def box(x, y, width, text, colour, height=0.95):
    ax.add_patch(
        plt.Rectangle((x, y), width, height, facecolor=colour, edgecolor="#666")
    )
    ax.text(x + width / 2, y + height / 2, text, ha="center", va="center", fontsize=9.5)


box(0, 8.2, 10, "inspection: displays", PLAIN)
box(0, 7.0, 10, "model_selection: CV estimators, smoothest_within", SKLEARN)
box(0, 5.8, 4.9, "LaiMLPRegressor", SKLEARN)
box(5.1, 5.8, 4.9, "LaiLinearRegressor", SKLEARN)
box(0, 4.6, 10, "_base: checks, units, records", SKLEARN)
box(0, 3.4, 4.9, "_fitting: arrays to tensors and back", TORCH)
box(5.1, 3.4, 4.9, "_exact: moments to coefficients", PLAIN)
box(0, 2.2, 4.9, "_training: stages and steps", TORCH)
box(5.1, 2.2, 4.9, "_descent, _newton: solver", PLAIN)
box(0, 1.0, 4.9, "_network, _objective, _optimizers", TORCH)
box(5.1, 1.0, 4.9, "_scaling, _inference, _moments", PLAIN)
for x, name, colour in [
    (0, "scikit-learn", SKLEARN),
    (3.2, "torch", TORCH),
    (5.4, "NumPy alone", PLAIN),
]:
    box(x, 0.15, 0.45, "", colour, height=0.45)
    ax.text(x + 0.6, 0.37, name, va="center", fontsize=9.5)
