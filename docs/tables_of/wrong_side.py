"""Slopes on the wrong side of zero."""

from tabular import Table, crossed, finding, percent, results, table

BEFORE, PLAIN = "before", "plain"
LEAST_EPOCHS, LEAST_K = 20, 0.1  # of usual settings: pretraining, and a k above


def mean_of(found: list[dict], key: str) -> float:
    """Mean of a figure over rows."""
    return sum(row[key] for row in found) / len(found)


def rows(form: str, epochs: int, k: float | None = None) -> list[dict]:
    """Rows of all functions for a form after so many epochs, and a `k`."""
    return [
        row
        for row in results("wrong_side")["table"]
        if (row["form"], row["pretraining"]) == (form, epochs) and k in (row["k"], None)
    ]


def share_and_error(found: list[dict]) -> str:
    """Wrong slopes and error, means over the functions."""
    if not found:
        return ""
    return f"{100 * mean_of(found, 'of_true'):.1f} / {mean_of(found, 'rmse'):.2f}"


@table
def wrong_side() -> Table:
    """Wrong slopes and error of every form along `k`, and without the Lai loss."""
    found = results("wrong_side")
    forms = dict.fromkeys(row["form"] for row in found["table"])
    epochs = dict.fromkeys(row["pretraining"] for row in found["table"])
    content = [
        [
            f"{form}, {n}",
            *(share_and_error(rows(name, n)) for name in (BEFORE, PLAIN)),
            *(share_and_error(rows(form, n, k)) for k in found["ks"]),
        ]
        for form in forms
        if form not in (BEFORE, PLAIN)
        for n in epochs
    ]
    header = ["form, epochs of pretraining", "before stage 2", "plain"]
    header += [f"k {k:g}" for k in found["ks"]]
    return Table(header, content, "wrong_side")


@table
def wrong_side_functions() -> Table:
    """Wrong slopes after the usual pretraining, function by function."""
    found = results("wrong_side")
    most = max(row["pretraining"] for row in found["table"])

    def named(row: dict) -> dict:
        along = f", k {row['k']:g}" if row["k"] else ""
        return row | {"form": row["form"] + along}

    return crossed(
        [named(row) for row in found["table"] if row["pretraining"] == most],
        "form",
        "function",
        lambda row: f"{100 * row['of_true']:.1f} ± {100 * row['of_true_se']:.1f}",
        "wrong slopes, %",
        "wrong_side",
    )


def is_usual(row: dict) -> bool:
    """Whether a row is of Lai Training as it is usually done."""
    return (
        row["form"] not in (BEFORE, PLAIN)
        and row["pretraining"] >= LEAST_EPOCHS
        and row["k"] >= LEAST_K
    )


@finding
def found_wrong_side() -> str:
    """Wrong slopes with the Lai loss and without, and what pretraining cures."""
    found = results("wrong_side")["table"]
    usual = [row["of_true"] for row in found if is_usual(row)]
    plain = [row["of_true"] for row in found if row["form"] == PLAIN]
    without = {
        error: mean_of(rows(f"{error} error, reach 0.5", 0, LEAST_K), "rmse")
        for error in ("own", "mean")
    }
    with_it = mean_of(rows("mean error, reach 0.5", 100, LEAST_K), "rmse")
    return (
        f"No: after {LEAST_EPOCHS} epochs of pretraining or more, with `k` from 1 to "
        f"{LEAST_K:g}, at most {percent(max(usual), 1).lstrip('+')} of the slopes, by "
        f"their size, have the wrong sign after Lai Training, and at most "
        f"{percent(max(plain), 1).lstrip('+')} have it after plain training. "
        f"Pretraining matters for another reason: the default form takes the strength "
        f"of the loss from the error that the network then has. Without any, `k` "
        f"{LEAST_K:g} has an RMSE of {without['mean']:.2f}, and with own errors one of "
        f"{without['own']:.2f}; after 100 epochs the default form has {with_it:.2f}."
    )
