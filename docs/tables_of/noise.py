"""Error under noise."""

from collections.abc import Callable
from functools import partial
from statistics import median

from tabular import TABLES, Table, crossed, fall, finding, over, percent, results, table

GIVEN, GIVEN_LINEAR = "noise given, network", "noise given, linear"
MULTIPLES = "noise given, best multiple"
NOISES = ["0.1 and more", "0.3 and more"]  # the groups of settings that have noise


def pair(kind: str, method: str, rival: str | None = None) -> list[dict]:
    """Rows of a method over a rival, or over all of them."""
    return [
        row
        for row in results("noise")[kind]
        if row["method"] == method and rival in (row["rival"], None)
    ]


READERS_CALL = {  # rivals of the README, and what its readers call them
    "plain network": "the same network, plain",
    "MLPRegressor, alpha tuned": "`MLPRegressor`, `alpha` tuned under the noise",
    "Ridge": "`RidgeCV`",
    "RandomForest": "`RandomForestRegressor`",
    "HistGradientBoosting": "`HistGradientBoostingRegressor`",
    "noisy batches": "the same network in a torch loop, on noisy batches",
    "HistGradientBoosting, noisy copies": (
        "`HistGradientBoostingRegressor` on five noisy copies of the data"
    ),
}
BOTH = "noise given, network or linear"


@table
def readme_noise() -> Table:
    """The models with noise given over those that readers know, in strong noise."""
    strong = {
        (row["method"], row["rival"]): row
        for method in (GIVEN, BOTH)
        for row in pair("summary", method)
        if row["noises"] == NOISES[1]
    }
    rows = [
        [
            name,
            *(
                text
                for method in (GIVEN, BOTH)
                for row in [strong[method, rival]]
                for text in (
                    f"{round(row['lower'] * row['cells'])} of {row['cells']}",
                    over(row["median"]),
                )
            ),
        ]
        for rival, name in READERS_CALL.items()
    ]
    header = [
        "with `noise` given, over",
        "network: lower error in",
        "median",
        "network or linear: lower error in",
        "median",
    ]
    return Table(header, rows, "noise")


@table
def noise_both() -> Table:
    """The better of network and linear model, with noise given, over the usual ones."""
    rows = pair("summary", BOTH)
    usual = {f"over {row['rival']}": (BOTH, row["rival"]) for row in rows}
    content = noise_summary(usual)
    return content._replace(rows=[row for row in content.rows if row[1] != "0.1"])


@finding
def found_noise() -> str:
    """The network with noise given in the median over all cells with noise."""
    strong = {
        row["rival"]: row
        for row in pair("summary", GIVEN)
        if row["noises"] == NOISES[1]
    }
    batches = next(
        row
        for row in pair("summary", GIVEN, "noisy batches")
        if row["noises"] == NOISES[0]
    )
    plain, trees = strong["plain network"], strong["HistGradientBoosting"]
    return (
        f"With `noise` given and nothing tuned, the network's error under noise of 0.3 "
        f"standard deviations or more is {fall(plain['median'] - 1)} below that of the "
        f"same network trained as usual, in the median over eight data sets and four "
        f"settings of noise, and {fall(trees['median'] - 1)} below that of boosted "
        f"trees. From that of a network trained on noisy batches it differs by "
        f"{percent(batches['median'] - 1, 1)} in the median, and is at most "
        f"{100 * (batches['largest'] - 1):.1f} % above it."
    )


@table
def noise_rivals() -> Table:
    """The network with noise given over every other method."""
    cells: dict[str, list[str]] = {}
    for group in NOISES:
        for row in pair("summary", GIVEN):
            if row["noises"] == group:
                cells.setdefault(row["rival"], []).extend(
                    [
                        f"{round(row['lower'] * row['cells'])} of {row['cells']}",
                        over(row["median"]),
                        over(row["largest"]),
                    ]
                )
    header = [
        f"{name}, noise of {group}"
        for group in NOISES
        for name in ("lower error", "median", "largest")
    ]
    rows = [[name, *found] for name, found in cells.items()]
    return Table(["noise given, network, over", *header], rows, "noise")


def noise_cells(method: str, rival: str) -> Table:
    """Error of a method over a rival's, and that of the worst seed, in every cell."""
    return crossed(
        pair("ratios", method, rival),
        "set",
        "noise",
        lambda row: f"{over(row['ratio'])} ({over(row['worst_seed'])})",
        "set",
        "noise",
    )


def noise_summary(pairs: dict[str, tuple[str, str]]) -> Table:
    """Pairs of methods over all cells, by the group of noise."""
    rows = [
        [
            label,
            row["noises"],
            f"{round(row['lower'] * row['cells'])} of {row['cells']}",
            over(row["median"]),
            over(row["largest"]),
            over(row["worst_seed"]),
        ]
        for label, names in pairs.items()
        for row in pair("summary", *names)
    ]
    header = ["error of", "noise, sd", "lower", "median", "largest", "worst seed"]
    return Table(header, rows, "noise")


def noise_errors(noise: str) -> Table:
    """Errors of all methods on all sets, for one setting of noise."""
    found = [row for row in results("noise")["errors"] if row["noise"] == noise]
    return crossed(
        found, "method", "set", lambda row: f"{row['error']:.3f}", "RMSE", "noise"
    )


def with_median(content: Table, found: list[dict], key: str, form: Callable) -> Table:
    """A table of methods with the median over the sets of a figure."""
    rows = [
        [*row, form(median(r[key] for r in found if r["method"] == row[0]))]
        for row in content.rows
    ]
    return Table([*content.header, "median"], rows, content.benchmark)


@table
def noise_zero() -> Table:
    """Errors without noise over the plain network's."""
    found = results("noise")["without_noise"]
    content = crossed(
        found, "method", "set", lambda row: over(row["ratio"]), "noise 0", "noise"
    )
    return with_median(content, found, "ratio", over)


@table
def noise_times() -> Table:
    """Seconds on every set, and in plain networks."""
    found = results("noise")["times"]
    content = crossed(
        found, "method", "set", lambda row: f"{row['seconds']:.2g}", "seconds", "noise"
    )
    content = with_median(content, found, "times_plain", "{:.2g}".format)
    return content._replace(header=[*content.header[:-1], "in plain networks, median"])


TABLES |= {
    "noise_batches": partial(noise_cells, GIVEN, "noisy batches"),
    "noise_multiples": partial(noise_cells, MULTIPLES, GIVEN),
    "noise_linear": partial(noise_cells, GIVEN_LINEAR, "k by formula, linear"),
    "noise_aims": partial(
        noise_summary,
        {
            "noise given, over noisy batches": (GIVEN, "noisy batches"),
            "best multiple, over noise given": (MULTIPLES, GIVEN),
            "linear, closed form over formula": (GIVEN_LINEAR, "k by formula, linear"),
            "linear, closed form over least squares": (GIVEN_LINEAR, "least squares"),
        },
    ),
    "noise_errors_0": partial(noise_errors, "0"),
    "noise_errors_01": partial(noise_errors, "0.1"),
    "noise_errors_03": partial(noise_errors, "0.3"),
    "noise_errors_1": partial(noise_errors, "1"),
    "noise_errors_03_one": partial(noise_errors, "0.3, one feature"),
    "noise_errors_1_one": partial(noise_errors, "1, one feature"),
}
