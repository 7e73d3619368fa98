"""Changes of slopes between neighbours."""

from functools import partial
from statistics import geometric_mean

from tabular import TABLES, Table, crossed, finding, over, results

LEVEL = 0.6  # of the sensitivity without a Lai loss, in the finding


def at(level: float) -> list[dict]:
    """Rows of forms that reach a level of sensitivity with every seed."""
    found = results("slope_changes")
    return [
        row
        for row in found["table"]
        if row["level"] == level and row["seeds"] == found["seeds"]
    ]


def changes(level: float) -> Table:
    """Change of the slopes, and error, over those without a Lai loss."""
    return crossed(
        [row | {"set": f"{row['set']}, {row['activation']}"} for row in at(level)],
        "set",
        "form",
        lambda row: (
            f"{over(row['change'])} ± {100 * row['change_se']:.0f} "
            f"({over(row['rmse'])})"
        ),
        "change of slopes (RMSE)",
        "slope_changes",
    )


TABLES |= {
    f"slope_changes_{round(100 * level)}": partial(changes, level)
    for level in (0.8, 0.6, 0.4)
}


def typical(form: str, activation: str) -> str:
    """Mean change of a form over the sets that all forms reach."""
    found = [row for row in at(LEVEL) if row["activation"] == activation]
    forms = {row["form"] for row in found}
    reached = {
        key: {row["form"] for row in found if row["set"] == key}
        for key in {row["set"] for row in found}
    }
    values = [
        row["change"]
        for row in found
        if row["form"] == form and reached[row["set"]] == forms
    ]
    return over(geometric_mean(values))


@finding
def found_slope_changes() -> str:
    """What a reach does to slopes at an equal sensitivity."""
    raise NotImplementedError
