"""Certified bounds of slopes."""

import re
from collections.abc import Callable

from tabular import Table, finding, results, table

KEYS_OF_BOUNDS = ["set", "n_features", "network", "activation"]
BOXES = ["1", "100", "1000"]  # the last is the default of slope_bounds


def tightness(found: dict) -> str:
    """Median and largest ratio over the features."""
    return f"{found['median']:.1f} ({found['largest']:.1f})"


def bounds_by_network(header: list[str], cells: Callable[[dict], list[str]]) -> Table:
    """A row for every data set, network and activation."""
    rows = [
        [*(str(row[key]) for key in KEYS_OF_BOUNDS), *cells(row)]
        for row in results("slope_bounds")["rows"]
    ]
    names = ["set", "features", "hidden layers", "activation"]
    return Table([*names, *header], rows, "slope_bounds")


@table
def slope_bounds() -> Table:
    """Certified slopes over the steepest ones found, and the time they take."""
    return bounds_by_network(
        ["intervals", "slope_bounds", "seconds"],
        lambda row: [
            tightness(row["intervals"]),
            tightness(row[BOXES[-1]]),
            f"{row[BOXES[-1]]['seconds']:.1f}",
        ],
    )


@table
def slope_bounds_boxes() -> Table:
    """The same by the number of boxes."""
    return bounds_by_network(
        [f"max_boxes={n}" for n in BOXES],
        lambda row: [f"{tightness(row[n])}, {row[n]['seconds']:.2g} s" for n in BOXES],
    )


@table
def slope_bounds_data() -> Table:
    """Certified slopes over the steepest ones at rows of the data."""
    return bounds_by_network(
        ["over the data"], lambda row: [tightness(row["over_data"])]
    )


@finding
def found_slope_bounds() -> str:
    """How tight bounds are, by depth and number of features."""
    rows = results("slope_bounds")["rows"]

    def ratios(method: str, n_layers: int, *, few: bool) -> str:
        found = [
            row[method]["median"]
            for row in rows
            if (row["n_features"] < 10) == few
            and len(re.findall(r"\d+", row["network"])) == n_layers
        ]
        return f"{min(found):.1f} to {max(found):.1f}"

    seconds = [row[BOXES[-1]]["seconds"] for row in rows]
    return (
        f"Over the range of the training data, `slope_bounds` allows slopes of "
        f"{ratios(BOXES[-1], 1, few=True)} times the steepest that an adversary finds "
        f"with one hidden layer and 4 features, "
        f"{ratios(BOXES[-1], 1, few=False)} times with 10 features; with two hidden "
        f"layers, {ratios(BOXES[-1], 2, few=True)} and "
        f"{ratios(BOXES[-1], 2, few=False)} times. Intervals alone allow "
        f"{ratios('intervals', 1, few=True)}, {ratios('intervals', 1, few=False)}, "
        f"{ratios('intervals', 2, few=True)} and "
        f"{ratios('intervals', 2, few=False)} times. These are medians over the "
        f"features, of each network and data set. It takes {min(seconds):.1f} to "
        f"{max(seconds):.1f} seconds."
    )
