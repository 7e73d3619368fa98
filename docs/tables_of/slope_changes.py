"""Changes of slopes between neighbours."""

from functools import partial
from statistics import geometric_mean

from tabular import TABLES, Table, crossed, fall, finding, over, results

LEVELS = (0.8, 0.6, 0.4)  # of the sensitivity without a Lai loss
LEVEL = 0.8  # that of the finding
REACHES = (0, 0.3, 1)


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
    f"slope_changes_{round(100 * level)}": partial(changes, level) for level in LEVELS
}


def typical(activation: str, reach: float) -> float:
    """Mean change over the sets with the mean error and a reach."""
    form = f"mean error, reach {reach}"
    return geometric_mean(
        row["change"]
        for row in at(LEVEL)
        if (row["activation"], row["form"]) == (activation, form)
    )


@finding
def found_slope_changes() -> str:
    """What a reach does to slopes at an equal sensitivity."""
    relu, silu = (
        [fall(typical(activation, reach) - 1) for reach in REACHES]
        for activation in ("relu", "silu")
    )
    return (
        f"No: it is the derivative that makes slopes change less from row to row. At "
        f"{100 * LEVEL:.0f} % of the noise sensitivity that a ReLU network has without "
        f"a Lai loss, and with the mean error, slopes change {relu[0]} less between "
        f"neighbours with derivatives, {relu[1]} less with a reach of 0.3 and "
        f"{relu[2]} less with a reach of 1, in the mean over the data sets. With SiLU "
        f"it is {silu[0]}, {silu[1]} and {silu[2]}."
    )
