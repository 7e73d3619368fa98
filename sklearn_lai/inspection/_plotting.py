"""What the displays share: axes to draw on, colours, names of features."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle
from typing import Any

import numpy as np

from .._validation import NONE, STRING, AnyOf, Each, HasMethod

AXES = AnyOf(NONE, HasMethod("add_collection", "a matplotlib Axes"))
FEATURE_NAMES = Each(STRING)
# What is drawn of it is of the last fit.
ESTIMATOR = HasMethod("fit", "a fitted estimator")
# Of M. Okabe and K. Ito, "Color Universal Design" (2008): told apart by everyone.
BLUE, ORANGE, GREEN, PINK = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
YELLOW, SKY, BLACK, GREY = "#E69F00", "#56B4E9", "#000000", "#767676"
COLOURS = (BLUE, ORANGE, GREEN, PINK, YELLOW, SKY, BLACK)
# So that no figure depends on colour alone.
MARKERS = ("o", "s", "D", "^", "v", "P", "X")
WIDTH = 5.0  # inches


def axes_or_new(ax: Any, height: float) -> Any:
    """The axes given, or those of a new figure of this height in inches."""
    if ax is not None:
        return ax
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            "Displays need matplotlib: pip install matplotlib."
        ) from error
    return plt.subplots(figsize=(WIDTH, height), layout="constrained")[1]


def as_text(name: Any) -> str:
    """What shows a name as it is: a dollar begins a formula of matplotlib."""
    return _drawable(str(name)).replace("$", r"\$")


def as_label(text: str) -> str:
    """A label a user wrote, with its formulas, or as it is if it has none that are."""
    from matplotlib.mathtext import MathTextParser

    text = _drawable(text)
    try:
        MathTextParser("path").parse(text)
    except ValueError:
        return as_text(text)
    return text


def _drawable(text: str) -> str:
    """Text with a question mark for halves of surrogate pairs, which no font has."""
    return text.encode(errors="replace").decode()


def check_lengths(of: str, n: int, others: Mapping[str, Any]) -> None:
    """Check that arrays have an item for each of another one."""
    for name, values in others.items():
        if len(values) != n:
            raise ValueError(
                f"{name} must have an item for each of the {n} of {of}, got "
                f"{len(values)}."
            )


def names_of_features(
    feature_names: Sequence[str] | None, X: Any, n_features: int
) -> np.ndarray:
    """Names given, or those of the columns of `X`, or their positions."""
    if feature_names is None:
        columns = getattr(X, "columns", range(n_features))
        return np.array([str(column) for column in columns], dtype=object)
    names = np.array(feature_names, dtype=object)
    if len(names) != n_features:
        raise ValueError(
            f"feature_names must have a name for each of the {n_features} features, "
            f"got {len(names)}."
        )
    return names


def largest_first(values: np.ndarray, max_features: int) -> np.ndarray:
    """Positions of the largest values, NaN left out."""
    order = np.argsort(-values, kind="stable")  # NaN last
    return order[: np.isfinite(values).sum()][:max_features]


def feature_axes(ax: Any, names: Sequence[str]) -> Any:
    """Axes with a row per feature, the first one on top."""
    ax = axes_or_new(ax, height=1.0 + 0.28 * max(len(names), 3))
    ax.set_yticks(heights(names), list(map(as_text, names)))
    ax.set_ylim(-0.6, len(names) - 0.4)
    ax.grid(axis="y", color="#e6e6e6", linewidth=0.8)
    ax.set_axisbelow(True)
    return ax


def heights(names: Sequence[str]) -> np.ndarray:
    """Where the rows are."""
    return np.arange(len(names))[::-1]


def styles() -> Iterator[dict[str, Any]]:
    """Colour and marker of one thing after the other, without end."""
    pairs = zip(cycle(COLOURS), cycle(MARKERS), strict=False)
    return ({"color": colour, "marker": marker} for colour, marker in pairs)


def legend_above(ax: Any, handles: Sequence[Any], *, n_columns: int) -> None:
    """A legend that covers nothing."""
    ax.legend(
        handles=handles,
        loc="lower center",
        bbox_to_anchor=(0.5, 1),
        ncols=n_columns,
        frameon=False,
        columnspacing=1.2,
    )


def plain_log_scale(ax: Any) -> None:
    """A logarithmic vertical axis with ticks such as 0.1, 0.2, 0.5 and 1."""
    from matplotlib.ticker import LogLocator

    ax.set_yscale("log")
    ax.yaxis.set_minor_locator(LogLocator(subs=(2, 5)))
    ax.yaxis.set_major_formatter("{x:g}")
    ax.yaxis.set_minor_formatter("{x:g}")
