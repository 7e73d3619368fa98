"""Error on new data, with k and the L2 penalty chosen by cross-validation."""

from functools import partial
from statistics import median

from tabular import TABLES, Table, crossed, finding, over, results, table

SIZES = (100, 300, 1000)
PLAIN, ALPHA = "plain", "alpha"
ERRORS = ("mean", "own")
WORTHWHILE = 0.98  # of the error with `alpha` alone


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


def with_error(row: dict, key: str = "") -> str:
    """An error over another, with its standard error in points."""
    return f"{over(row['ratio' + key])} ± {100 * row['se' + key]:.1f}"


def by_set(size: int) -> Table:
    """Errors over those of the plain network."""
    return crossed(rows(size), "set", "choice", with_error, "RMSE", "accuracy")


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


def searches_of_both() -> list[dict]:
    """Rows of the searches over `k` and `alpha`."""
    return [
        row | {"search": f"{size} rows, {error} error"}
        for size in SIZES
        for error in ERRORS
        for row in rows(size, f"k and alpha, {error} error")
    ]


@table
def accuracy_both() -> Table:
    """Errors of the searches over both, over those of the search over `alpha`."""
    return crossed(
        searches_of_both(),
        "set",
        "search",
        lambda row: with_error(row, " to alpha"),
        "RMSE",
        "accuracy",
    )


@finding
def found_accuracy() -> str:
    """What a search over `k`, one over `alpha` and one over both gain."""
    few, many = SIZES[0], SIZES[-1]

    def lower(size: int, choice: str) -> str:
        return f"{round(100 * (1 - typical(size, choice)), 1) + 0.0:.1f} %"

    both = searches_of_both()
    gains = sum(row["ratio to alpha"] < WORTHWHILE for row in both)
    losses = sum(row["ratio to alpha"] > 1 / WORTHWHILE for row in both)
    typical_change = over(median(row["ratio to alpha"] for row in both))
    k = "k, mean error"
    return (
        f"Yes, where rows are few, but weight decay makes it more so: with {few} rows "
        f"the `k` that cross-validation chooses has an error {lower(few, k)} below "
        f"that of plain training, in the median of the data sets, and the `alpha` that "
        f"it chooses one {lower(few, ALPHA)} below; with {many} rows it is "
        f"{lower(many, k)} and {lower(many, ALPHA)}. For accuracy alone a search over "
        f"both is not worth its time: the error of `alpha` alone changes by "
        f"{typical_change} in the median, is at least {100 * (1 - WORTHWHILE):.0f} % "
        f"less in {gains} of {len(both)} cases, and as much more in {losses}."
    )
