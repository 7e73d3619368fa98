"""A Lai loss of every feature as an objective of its own."""

from collections.abc import Callable
from statistics import median

from tabular import Table, crossed, finding, points, results, table

SUM, OTHERS = "sum", ("UPGrad", "MGDA")


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
        area = f"{100 * row['area']:.1f}"
        if row["form"] not in OTHERS:
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
        if row["form"] not in OTHERS:
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


def times_of_sum(form: str) -> float:
    """Time of a form in that of the sum, median over the sets."""
    of_sum = {row["set"]: row["seconds"] for row in rows(SUM)}
    return median(row["seconds"] / of_sum[row["set"]] for row in rows(form))


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

    def sets(figure: str, sign: int) -> str:
        return " and ".join(str(apart(form, figure, sign)) for form in OTHERS)

    n_sets = len(rows(SUM))
    slower = " and ".join(f"{times_of_sum(form):.1f}" for form in OTHERS)
    return (
        f"No: with UPGrad and MGDA the trade-off is better than with the sum, by more "
        f"than two standard errors, on {sets('area', -1)} of {n_sets} data sets and "
        f"worse on {sets('area', 1)}. The sensitivities of the features fall more "
        f"evenly on {sets('unevenness', -1)} and less evenly on "
        f"{sets('unevenness', 1)}. The second stage takes {slower} times as long."
    )
