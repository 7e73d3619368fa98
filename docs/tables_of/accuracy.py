"""Error on new data, with k and the L2 penalty chosen by cross-validation."""

from functools import partial
from statistics import median

from tabular import TABLES, Table, crossed, over, results, table

SIZES = (100, 300, 1000)
PLAIN = "plain"


def rows(size: int, choice: str | None = None) -> list[dict]:
    """Rows of a size, of one choice or of all but the plain network, which is 1."""
    return [
        row
        for row in results("accuracy")["table"]
        if row["size"] == size
        and row["choice"] != PLAIN
        and choice in (row["choice"], None)
    ]


def typical(size: int, choice: str) -> float:
    """Median over the sets of the error over that of the plain network."""
    return median(row["ratio"] for row in rows(size, choice))


def by_set(size: int) -> Table:
    """Error over that of the plain network, with its standard error in points."""
    return crossed(
        rows(size),
        "set",
        "choice",
        lambda row: f"{over(row['ratio'])} ± {100 * row['se']:.1f}",
        "RMSE",
        "accuracy",
    )


TABLES |= {f"accuracy_{size}": partial(by_set, size) for size in SIZES}


@table
def accuracy() -> Table:
    """Medians over the sets, and where a choice is better than the plain network."""
    choices = dict.fromkeys(row["choice"] for row in rows(SIZES[0]))

    def cell(size: int, choice: str) -> str:
        found = rows(size, choice)
        better = sum(row["ratio"] + row["se"] < 1 for row in found)
        return f"{over(typical(size, choice))} ({better} of {len(found)})"

    content = [[choice, *(cell(size, choice) for size in SIZES)] for choice in choices]
    return Table(["chosen", *(f"{size} rows" for size in SIZES)], content, "accuracy")
