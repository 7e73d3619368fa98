"""Accuracy against smoothness."""

from collections.abc import Callable
from functools import partial
from statistics import median

from tabular import (
    TABLES,
    Table,
    crossed,
    fall,
    finding,
    percent,
    points,
    results,
    table,
)

DEFAULT = "Lai Training"
USER = ["gradient penalty", "input noise", "weight decay", "spectral normalisation"]
ALIKE = ["gradient penalty, our stage 2", "input noise, our stage 2"]
MAIN_NETWORK = "(64,), relu"
NOISE = 1.0  # the one of the tables that have one
SETTINGS = {  # of Lai Training, by the names that the benchmark has for them
    "interval 1": "`lai_interval` 1",
    "interval 10": "`lai_interval` 10",
    "norm elasticnet": "`norm` elasticnet",
    "norm l2": "`norm` l2",
    "random batches": "`lai_interval` None",
    "reach 0.3": "`reach` 0.3",
}


def tradeoff(kind: str, noise: float | None = NOISE, methods=None) -> list[dict]:
    """Rows of the main network, of a size of noise and of some methods."""
    return [
        row
        for row in results("tradeoff")[kind]
        if row.get("network", MAIN_NETWORK) == MAIN_NETWORK
        and row.get("noise", noise) == noise
        and (methods is None or row["method"] in methods)
    ]


def setting(name: str) -> str:
    """A setting of Lai Training as users write it."""
    return SETTINGS.get(name, name).replace("own step", "larger step")


def by_set(
    found: list[dict], cell: Callable[[dict], str], corner: str = "set"
) -> Table:
    """A row for every set, with a cell of every method."""
    content = crossed(found, "set", "method", cell, corner, "tradeoff")
    return content._replace(header=[setting(name) for name in content.header])


def with_error(row: dict, name: str = "area", error: str = "se") -> str:
    """A figure in per cent with its standard error."""
    return f"{percent(row[name]).removesuffix(' %')} ± {100 * row[error]:.0f}"


def areas(noise: float) -> Table:
    """Areas of all methods, with those that have our second stage."""
    found = tradeoff("summary", noise, [DEFAULT, *USER, *ALIKE])
    return by_set(found, with_error, "area, %")


def at_budget(budget: str) -> Table:
    """Sensitivity within a budget."""
    found = tradeoff("summary", methods=[DEFAULT, *USER, *ALIKE])
    return by_set(found, lambda row: percent(row[budget]))


TABLES |= {
    "tradeoff_area": partial(areas, 1.0),
    "tradeoff_area_03": partial(areas, 0.3),
    "tradeoff_area_01": partial(areas, 0.1),
    "tradeoff_1": partial(at_budget, "0.01"),
    "tradeoff_2": partial(at_budget, "0.02"),
    "tradeoff_5": partial(at_budget, "0.05"),
}


@table
def tradeoff_times() -> Table:
    """Seconds of training, and those beyond no control."""
    return by_set(
        results("tradeoff")["times"],
        lambda row: f"{row['seconds']:.2f} ({row['added']:.2f})",
    )


@table
def tradeoff_bases() -> Table:
    """RMSE and sensitivity without control, by implementation."""
    return by_set(
        tradeoff("bases"),
        lambda row: f"{row['rmse']:.3f} / {row['1.0']:.3f}",
        "RMSE / sensitivity",
    )


def comparison(name: str) -> Table:
    """The default against the best of its peers, at two sizes of noise."""
    header = [
        "set",
        "noise",
        "area, %: Lai Training",
        "best other",
        "area, %: that one",
    ]
    rows = [
        [
            row["set"],
            f"{row['noise']:g}",
            with_error(row, "default area", "default se"),
            row["best"],
            with_error(row, "best area", "best se"),
            points(row["difference"], row["difference se"]),
        ]
        for noise in (0.3, 1.0)
        for row in tradeoff("comparisons", noise)
        if row["comparison"] == name
    ]
    return Table([*header, "difference, points"], rows, "tradeoff")


TABLES |= {
    "comparison_user": partial(comparison, "as a user"),
    "comparison_alike": partial(comparison, "like with like"),
}


@table
def ablation() -> Table:
    """Areas with each of the three choices, and without."""
    found = tradeoff("summary")
    ablated = [row for row in found if " error, reach " in row["method"]]
    default = [
        row | {"method": "mean error, reach 0.5, larger step (default)"}
        for row in found
        if row["method"] == DEFAULT
    ]
    return by_set([*ablated, *default], with_error, "area, %")


@table
def settings() -> Table:
    """Areas of the other settings of Lai Training."""
    peers = [*USER, *ALIKE]
    found = [
        row
        for row in tradeoff("summary")
        if row["method"] not in peers and " error, reach " not in row["method"]
    ]
    return by_set(found, with_error, "area, %")


@table
def networks() -> Table:
    """Areas with other networks."""
    found = [
        row | {"set": f"{row['set']}, {row['network']}"}
        for row in results("tradeoff")["summary"]
        if row["network"] != MAIN_NETWORK and row["noise"] == NOISE
    ]
    return by_set(found, with_error, "area, %")


@table
def when_not() -> Table:
    """The peer of least area on each set, and the default."""
    rows = [
        [
            row["set"],
            with_error(row, "default area", "default se"),
            row["best"],
            with_error(row, "best area", "best se"),
        ]
        for row in tradeoff("comparisons")
        if row["comparison"] == "as a user"
    ]
    header = ["set", "Lai Training", "best other", "that one"]
    return Table(header, rows, "tradeoff")


@table
def defaults() -> Table:
    """The k of each setting that keeps the rule and cuts sensitivity most."""
    rows = []
    found = tradeoff("settings")
    for name in dict.fromkeys(row["method"] for row in found):
        allowed = [
            row
            for row in found
            if row["method"] == name
            and row["error"] <= 0.01
            and row["largest_error"] <= 0.05
        ]
        best = min(allowed, key=lambda row: row["sensitivity"])
        rows.append(
            [
                setting(name),
                f"{best['k']:.2g}",
                percent(best["error"], 1),
                percent(best["largest_error"], 1),
                percent(best["sensitivity"], 1),
            ]
        )
    header = ["setting", "k", "RMSE", "RMSE, worst set", "sensitivity"]
    return Table(header, rows, "tradeoff")


@table
def default_k() -> Table:
    """Error and sensitivity of the default setting along k, set by set."""
    curves = tradeoff("curves", methods=[DEFAULT])
    sets = list(dict.fromkeys(row["set"] for row in curves))
    cells = {
        (row["strength"], row["set"]): f"{percent(row['error'], 1)} / "
        f"{percent(row['sensitivity'])}"
        for row in curves
    }
    ks = list(dict.fromkeys(row["strength"] for row in curves))
    rows = [[f"{k:.2g}", *(cells.get((k, key), "") for key in sets)] for k in ks]
    return Table(["k: RMSE / sensitivity", *sets], rows, "tradeoff")


def added_time(method: str) -> float:
    """Median over the sets of a method's time beyond plain training, as a share."""
    times = results("tradeoff")["times"]
    plain = {
        row["set"]: row["seconds"] - row["added"]
        for row in times
        if row["method"] == DEFAULT
    }
    shares = [
        row["added"] / plain[row["set"]] for row in times if row["method"] == method
    ]
    return median(shares)


def at_error(method: str, budget: str) -> float:
    """Median over the sets of a method's change of sensitivity within a budget."""
    return median(row[budget] for row in tradeoff("summary", methods=[method]))


@table
def readme_tradeoff() -> Table:
    """Medians over the sets of the methods that the README compares."""
    rows = [
        [
            name,
            *(percent(at_error(name, budget)) for budget in ("0.01", "0.05")),
            percent(added_time(name)),
        ]
        for name in [DEFAULT, *USER]
    ]
    header = ["method", "sensitivity at +1 % RMSE", "at +5 % RMSE", "added time"]
    return Table(header, rows, "tradeoff")


@finding
def found_tradeoff() -> str:
    """The trade-off in the median over the sets."""
    best = min(USER, key=lambda name: at_error(name, "0.01"))
    return (
        f"With `LaiMLPRegressor`, 1 % more error than without control brings "
        f"{fall(at_error(DEFAULT, '0.01'))} less noise sensitivity, in the median over "
        f"the data sets: predictions change by so much less when a feature gets noise. "
        f"The best of the four other methods, the {best}, brings "
        f"{fall(at_error(best, '0.01'))} less. *Lai Training*, the way in which "
        f"`LaiMLPRegressor` trains, adds {100 * added_time(DEFAULT):.0f} % to the time "
        f"of training without control; the {best} adds {100 * added_time(best):.0f} %."
    )
