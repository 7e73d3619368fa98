"""The layers of the package, and which libraries their modules may import."""

import matplotlib.pyplot as plt
from modules import LIBRARIES, knows, label, layers

COLOURS = {
    ("sklearn", "torch"): "#e3dcef",
    ("sklearn",): "#d7e8f5",
    ("torch",): "#f8dfcf",
    (): "#eeeeee",
}
HEIGHT, GAP, MARGIN = 0.78, 0.012, 3  # of rows, of the width, in letters

rows = layers()
figure, ax = plt.subplots(figsize=(6.4, 0.4 * len(rows) + 0.4), layout="constrained")
ax.set(xlim=(-0.002, 1.002), ylim=(len(rows) - 1 + HEIGHT + 0.03, -0.03))
ax.axis("off")


def box(x, y, width, colour):
    return ax.add_patch(
        plt.Rectangle((x, y), width, HEIGHT, facecolor=colour, edgecolor="#666")
    )


boxes = {}
for y, row in enumerate(rows):
    # Boxes fill the row, each as wide as its name asks for.
    letters = [len(label(module)) + MARGIN for module in row]
    unit = (1 - GAP * (len(row) - 1)) / sum(letters)
    x = 0
    for module, n_letters in zip(row, letters, strict=True):
        kind = tuple(knows(module))
        boxes[kind] = box(x, y, n_letters * unit, COLOURS[kind])
        middle = (x + n_letters * unit / 2, y + HEIGHT / 2)
        ax.text(*middle, label(module), ha="center", va="center", fontsize=9.5)
        x += n_letters * unit + GAP

kinds = [kind for kind in COLOURS if kind in boxes]
names = [" and ".join(LIBRARIES[name] for name in kind) or "neither" for kind in kinds]
figure.legend(
    [boxes[kind] for kind in kinds],
    names,
    title="may import",
    alignment="left",
    fontsize=9.5,
    title_fontsize=9.5,
    ncols=len(names),
    loc="outside lower left",
)
