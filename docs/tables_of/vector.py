"""A Lai loss of every feature as an objective of its own."""

from math import isnan
from statistics import median

from tabular import Table, crossed, points, results, table

SUM, OTHERS = "sum", ["UPGrad", "MGDA"]


def rows(form: str) -> list[dict]:
    """Rows of a form on all sets."""
    return [row for row in results("vector")["table"] if row["form"] == form]


@table
def vector_areas() -> Table:
    """Areas of the trade-off, and how they differ from that of the sum."""

    def cell(row: dict) -> str:
        area = f"{100 * row['area']:.1f}"
        if row["form"] not in OTHERS:
            return area
        return f"{area} ({points(row['area difference'], row['area difference se'])})"

    found = results("vector")["table"]
    return crossed(found, "set", "form", cell, "area, % (points)", "vector")


@table
def vector_unevenness() -> Table:
    """How unevenly the sensitivities of the features fall."""
    return crossed(
        results("vector")["table"],
        "set",
        "form",
        lambda row: "" if isnan(row["unevenness"]) else f"{row['unevenness']:.2f}",
        "unevenness",
        "vector",
    )


@table
def vector_times() -> Table:
    """Seconds of a second stage."""
    return crossed(
        results("vector")["table"],
        "set",
        "form",
        lambda row: f"{row['seconds']:.2f}",
        "seconds",
        "vector",
    )


def times_of_sum(form: str) -> float:
    """Time of a form in that of the sum, median over the sets."""
    of_sum = {row["set"]: row["seconds"] for row in rows(SUM)}
    return median(row["seconds"] / of_sum[row["set"]] for row in rows(form))
