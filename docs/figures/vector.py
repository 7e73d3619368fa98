"""Error against noise sensitivity of the scalar form and of vector forms."""

import matplotlib.pyplot as plt
from tabular import results

COLOURS = {"sum": "#0072B2", "UPGrad": "#D55E00", "MGDA": "#009E73"}
curves = results("vector")["curves"]
sets = dict.fromkeys(point["set"] for point in curves)
figure, axes = plt.subplots(2, 3, figsize=(8.4, 5), sharey=True, layout="constrained")
for ax, name in zip(axes.flat, sets, strict=False):
    for form, colour in COLOURS.items():
        points = [p for p in curves if (p["set"], p["form"]) == (name, form)]
        x, y = (
            [0] + [100 * p[key] for p in points] for key in ("sensitivity", "error")
        )
        ax.plot(x, y, marker=".", color=colour, label=form)
    ax.axhline(0, color="black", linewidth=0.8)
    ax.set(title=name, ylim=(-12, 16))
axes.flat[-1].axis("off")
axes.flat[-1].legend(*axes.flat[0].get_legend_handles_labels(), loc="center")
figure.supxlabel("noise sensitivity, change in %")
figure.supylabel("error, change in %")
