"""A Lai loss of every feature as an objective of its own."""

from collections.abc import Callable
from statistics import median

from tabular import MINUS, Table, crossed, finding, points, results, table

OURS, SUM, UPGRAD, MGDA = "this package", "sum", "UPGrad", "MGDA"


def rows(form: str) -> list[dict]:
    """Rows of a form on all sets."""
    return [row for row in results("vector")["table"] if row["form"] == form]


def by_form(cell: Callable[[dict], str], corner: str) -> Table:
    """A row for every set, a column for every form."""
    return crossed(results("vector")["table"], "set", "form", cell, corner, "vector")


@table
def vector_areas() -> Table:
    """Areas of the trade-off, and how they differ from that of the sum."""

    def cell(row: dict) -> str:
        area = f"{100 * row['area']:.1f}".replace("-", MINUS)
        if row["form"] not in (UPGRAD, MGDA):
            return area
        return f"{area} ({points(row['area difference'], row['area difference se'])})"

    return by_form(cell, "area, % (points)")


@table
def vector_unevenness() -> Table:
    """How unevenly the sensitivities of the features fall, and how that differs."""

    def cell(row: dict) -> str:
        if row["unevenness"] is None:
            return ""
        figure = f"{row['unevenness']:.2f}"
        if row["form"] not in (UPGRAD, MGDA):
            return figure
        difference, error = (
            row[f"unevenness {k}"] for k in ("difference", "difference se")
        )
        return f"{figure} ({difference:+.2f} ± {error:.2f})"

    return by_form(cell, "unevenness")


@table
def vector_times() -> Table:
    """Seconds of a second stage."""
    return by_form(lambda row: f"{row['seconds']:.2f}", "seconds")


def times(form: str, base: str) -> float:
    """Time of a form in that of another, median over the sets."""
    of_base = {row["set"]: row["seconds"] for row in rows(base)}
    return median(row["seconds"] / of_base[row["set"]] for row in rows(form))


def apart(form: str, figure: str, sign: int) -> int:
    """Sets where a form is below (-1) or above (1) the sum by two standard errors."""
    return sum(
        sign * row[f"{figure} difference"] > 2 * row[f"{figure} difference se"]
        for row in rows(form)
        if row[f"{figure} difference"] is not None
    )


@finding
def found_vector() -> str:
    """The vector form beside the scalar one, on all sets."""
    n_sets = len(rows(SUM))
    gain = -100 * median(row["area difference"] for row in rows(UPGRAD))
    return (
        f"Somewhat, for much more time: with UPGrad the trade-off is better than with "
        f"the sum, by more than two standard errors, on {apart(UPGRAD, 'area', -1)} of "
        f"{n_sets} data sets, by {gain:.1f} points in the median, and worse on "
        f"{apart(UPGRAD, 'area', 1)}; with MGDA it is better on "
        f"{apart(MGDA, 'area', -1)} and worse on {apart(MGDA, 'area', 1)}. With UPGrad "
        f"the sensitivities of the features fall more evenly on "
        f"{apart(UPGRAD, 'unevenness', -1)} and less evenly on "
        f"{apart(UPGRAD, 'unevenness', 1)}. A second stage takes "
        f"{times(UPGRAD, SUM):.1f} times as long as with the sum in the same loop, and "
        f"{times(UPGRAD, OURS):.0f} times as long as in this package."
    )
