"""Tables of the site and the README, from what the benchmarks wrote to docs/results.

    python docs/tables.py           writes what is between the marks of the README
    python docs/tables.py --check   fails if they are not what it would write

Sphinx calls `write_pages`, so that pages can include ``generated/NAME.rst``.
"""

import argparse
import json
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import NamedTuple

DOCS = Path(__file__).parent
README = DOCS.parent / "README.md"
MINUS = "\N{MINUS SIGN}"
TABLES: dict[str, Callable[[], "Table"]] = {}
FINDINGS: dict[str, Callable[[], str]] = {}
RATIOS = ["speed", "linear", "tuning", "chunks"]  # each a list of ratios and targets


class Table(NamedTuple):
    """Cells, and the benchmark that measured them."""

    header: list[str]
    rows: list[list[str]]
    benchmark: str


def table(function: Callable[[], Table]) -> Callable[[], Table]:
    """Register a table under the name of its function."""
    TABLES[function.__name__] = function
    return function


def finding(function: Callable[[], str]) -> Callable[[], str]:
    """Register a sentence with figures under the name of its function."""
    FINDINGS[function.__name__] = function
    return function


def results(benchmark: str) -> dict:
    """What a benchmark wrote."""
    return json.loads((DOCS / "results" / f"{benchmark}.json").read_text())


def percent(value: float, digits: int = 0) -> str:
    """A signed change in per cent."""
    rounded = round(100 * value, digits) + 0.0  # no -0
    return f"{rounded:+.{digits}f} %".replace("-", MINUS)


def fall(value: float) -> str:
    """A change to less, in per cent without a sign."""
    return f"{-100 * value:.0f} %"


def origin(benchmark: str) -> str:
    """When, where and with what a benchmark ran."""
    found = results(benchmark)
    versions = ", ".join(f"{k} {v}" for k, v in found["versions"].items())
    return (
        f"Measured on {found['date']} by benchmarks/{benchmark}.py: "
        f"{found['machine']}; Python {found['python']}, {versions}."
    )


def to_rst(content: Table) -> str:
    """A list table with its origin below."""
    lines = [".. list-table::", "   :header-rows: 1", "   :class: results", ""]
    for row in [content.header, *content.rows]:
        lines += [f"   {'*' if i == 0 else ' '} - {cell}" for i, cell in enumerate(row)]
    return "\n".join(
        [*lines, "", ".. rst-class:: origin", "", origin(content.benchmark)]
    )


def to_markdown(content: Table) -> str:
    """The same for the README."""
    rows = [content.header, ["---"] * len(content.header), *content.rows]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([*lines, "", f"*{origin(content.benchmark)}*"])


def write_pages() -> None:
    """Every table, and every sentence with figures, as a file to include."""
    folder = DOCS / "generated"
    folder.mkdir(exist_ok=True)
    for name, make in TABLES.items():
        (folder / f"{name}.rst").write_text(to_rst(make()) + "\n")
    for name, say in FINDINGS.items():
        (folder / f"{name}.rst").write_text(say() + "\n")


def readme() -> str:
    """The README with its tables and sentences as they should be."""
    pattern = r"(<!-- (table|finding): (\w+) -->\n).*?(<!-- end -->)"

    def fill(match: re.Match) -> str:
        start, kind, name, end = match.groups()
        is_table = kind == "table"
        text = to_markdown(TABLES[name]()) if is_table else FINDINGS[name]()
        return f"{start}{text}\n{end}"

    return re.sub(pattern, fill, README.read_text(), flags=re.DOTALL)


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


def crossed(
    found: list[dict],
    row_key: str,
    column_key: str,
    cell: Callable[[dict], str],
    corner: str,
    benchmark: str,
) -> Table:
    """A row and a column for every value of two keys; empty where there is nothing."""
    names = list(dict.fromkeys(row[row_key] for row in found))
    columns = list(dict.fromkeys(row[column_key] for row in found))
    cells = {(row[row_key], row[column_key]): cell(row) for row in found}
    rows = [[name, *(cells.get((name, c), "") for c in columns)] for name in names]
    return Table([corner, *map(setting, columns)], rows, benchmark)


def setting(name: str) -> str:
    """A setting of Lai Training as users write it."""
    return SETTINGS.get(name, name).replace("own step", "larger step")


def by_set(
    found: list[dict], cell: Callable[[dict], str], corner: str = "set"
) -> Table:
    """A row for every set, with a cell of every method."""
    return crossed(found, "set", "method", cell, corner, "tradeoff")


def with_error(row: dict, name: str = "area", error: str = "se") -> str:
    """A figure in per cent with its standard error."""
    return f"{percent(row[name]).removesuffix(' %')} ± {100 * row[error]:.0f}"


def points(difference: float, error: float) -> str:
    """A difference of figures in per cent, in points, with its standard error."""
    return f"{100 * difference:+.1f} ± {100 * error:.1f}".replace("-", MINUS)


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


def spread(found: dict) -> str:
    """Mean and standard deviation over the seeds."""
    return f"{found['mean']:.3f} ± {found['sd']:.3f}"


def change(found: dict) -> str:
    """The same of a change, in per cent."""
    return f"{percent(found['mean'], 1)} ± {100 * found['sd']:.1f}"


@table
def paper_smoothness() -> Table:
    """Section 6.1: error and variance, beside the paper's."""
    rows = []
    for row in results("paper")["smoothness"]:
        cells = [
            f"{row['paper'][key]:.4f}"
            if row["network"] == "the paper"
            else spread(row[key])
            for key in ("rmse", "variance")
        ]
        rows.append([row["network"], row["name"], *cells])
    header = ["network", "setting", "RMSE", "variance of the predictions"]
    return Table(header, rows, "paper")


@table
def paper_sensitivity() -> Table:
    """Section 6.2: sensitivity of each feature, beside the paper's."""
    found = results("paper")["sensitivity"]
    features = list(found[0]["feature_changes"])
    rows = []
    for name in ("k 0.1", "k 0.1, Longitude 0.001"):
        paper = next(row["paper"] for row in found if row["name"] == name)
        cells = [
            percent(paper["features"][feature], 1)
            if feature in paper["features"]
            else ""
            for feature in features
        ]
        rows.append(["the paper", name, percent(paper["rmse"], 1), *cells])
    for row in found:
        changes = row["feature_changes"]
        cells = [percent(changes[feature]["mean"], 1) for feature in features]
        rmse = percent(row["rmse_change"]["mean"], 1)
        rows.append([row["network"], row["name"], rmse, *cells])
    return Table(["network", "setting", "RMSE", *features], rows, "paper")


@table
def paper_accuracy() -> Table:
    """RMSE and sensitivity along k, against no control, seed by seed."""
    claim = "less sensitive at no cost in accuracy"
    rows = [
        [
            row["form"],
            f"{row['k']:g}",
            change(row["bounded_rmse_change"]),
            change(row["sensitivity_change"]),
        ]
        for row in results("paper")["claims"]
        if row["name"] == claim
    ]
    header = ["form", "k", "bounded RMSE", "noise sensitivity"]
    return Table(header, rows, "paper")


@table
def paper_one_feature() -> Table:
    """Sensitivity to one feature along its k."""
    rows = []
    for row in results("paper")["one_feature"]:
        changes = row["feature_changes"]
        rows.append(
            [
                row["network"],
                row["name"].removeprefix("Longitude "),
                change(row["bounded_rmse_change"]),
                change(changes["Longitude"]),
                change(changes["Latitude"]),
            ]
        )
    header = [
        "network",
        "k of Longitude",
        "bounded RMSE",
        "to Longitude",
        "to Latitude",
    ]
    return Table(header, rows, "paper")


@table
def paper_networks() -> Table:
    """What the set-ups that the paper leaves open give."""
    return Table(["set-up"], [[note] for note in results("paper")["notes"]], "paper")


GIVEN, GIVEN_LINEAR = "noise given, network", "noise given, linear"
MULTIPLES = "noise given, best multiple"
NOISES = ["0.1 and more", "0.3 and more"]  # the groups of settings that have noise


def over(ratio: float) -> str:
    """A ratio of errors as a change."""
    return percent(ratio - 1, 1)


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
        f"{percent(batches['median'] - 1, 1)} in the median, and by at most "
        f"{percent(batches['largest'] - 1)}."
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


def ratios(benchmark: str) -> Table:
    """Every ratio that a benchmark measured, and the one it was to reach."""
    rows = [
        [row["name"], f"{row['value']:.2f}", f"{row['direction']} {row['target']:g}"]
        for row in results(benchmark)["rows"]
    ]
    return Table(["measured", "value", "target"], rows, benchmark)


TABLES |= {name: partial(ratios, name) for name in RATIOS}


@table
def tuning_curves() -> Table:
    """Areas of the curves of one run and of separate ones, in points of per cent."""
    header = ["data set", "area, one run", "area, separate runs", "difference"]

    def points(value: float) -> str:
        return f"{value:+.1f}".replace("-", MINUS)

    return Table(
        header,
        [
            [
                row["set"],
                *map(points, (row["one run"], row["separate runs"])),
                points(row["difference"]),
            ]
            for row in results("tuning")["curves"]
        ],
        "tuning",
    )


@table
def drop_in() -> Table:
    """Accuracy and time of the first stage alone beside MLPRegressor's, by solver."""
    header = ["solver", "R2, MLPRegressor", "R2, ours", "difference", "its time / ours"]

    def difference(row: dict) -> str:
        figure = f"{row['difference']:+.4f} ± {row['standard_error']:.4f}"
        return figure.replace("-", MINUS)

    return Table(
        header,
        [
            [
                f"`{row['solver']}`",
                f"{row['r2_theirs']:.3f}",
                f"{row['r2_ours']:.3f}",
                difference(row),
                f"{row['ratio']:.1f}",
            ]
            for row in results("drop_in")["by_solver"]
        ],
        "drop_in",
    )


@table
def scaling() -> Table:
    """A step of one process and of two, and how far the model says that it scales."""
    header = [
        "hidden layers",
        "stage",
        "kB a step",
        "rows per process",
        "step, 1 process, ms",
        "2 processes, ms",
        "2, model",
        "half, here",
        "half, 10 Gbit/s",
    ]
    rows = [
        [
            row["network"],
            row["stage"],
            f"{row['bytes'] / 1000:.0f}",
            f"{row['rows']:,}",
            *(f"{1000 * row[key]:.2f}" for key in ("one", "two", "model")),
            *(f"{row[key]:,}" for key in ("here", "network of 10 Gbit/s")),
        ]
        for row in results("distributed")["rows"]
    ]
    return Table(header, rows, "distributed")


@finding
def found_scaling() -> str:
    """What a step of two processes takes beside one, and the connection."""
    found = results("distributed")
    ratios = {
        n: [row["two"] / row["one"] for row in found["rows"] if row["rows"] == n]
        for n in (found["rows"][0]["rows"], found["rows"][-1]["rows"])
    }
    of_rows = " and ".join(
        f"{min(r):.1f} to {max(r):.1f} times as long with {n:,} rows per process"
        for n, r in ratios.items()
    )
    in_steps, alone = found["connection"], found["messages"]
    return (
        "A step of two processes, which trains on twice the rows, takes "
        f"{of_rows}: what it adds hardly depends on the rows, so many rows per process "
        "and large networks scale. A message between two processes on the machine "
        f"takes {1e6 * in_steps['latency']:.0f} microseconds in a step, and a megabyte "
        f"{1e9 / in_steps['bandwidth']:.1f} milliseconds; where nothing else is done, "
        f"{1e6 * alone['latency']:.0f} microseconds and "
        f"{1e9 / alone['bandwidth']:.1f} milliseconds."
    )


OURS, THEIRS = "LaiMLPRegressor", "MLPRegressor"  # as deploy has them
STEPS = {
    "import": "import alone",
    "joblib": "import, load by joblib, predict one row",
    "skops": "the same by skops",
    "skops, no torch": "the same by skops, torch not installed",
}


@table
def deploy_processes() -> Table:
    """What fresh processes need, beside those of MLPRegressor."""
    found = {(row["step"], row["model"]): row for row in results("deploy")["processes"]}

    def cells(ours: dict, theirs: dict) -> list[str]:
        return [
            f"{ours['seconds']:.2f}",
            f"{theirs['seconds_ratio']:.2f}",
            f"{ours['megabytes']:.0f}",
            f"{theirs['megabytes_ratio']:.2f}",
            " / ".join("yes" if row["torch"] else "no" for row in (ours, theirs)),
        ]

    return Table(
        [
            "a fresh process",
            "seconds, ours",
            "MLPRegressor's / ours",
            "peak memory in MB, ours",
            "MLPRegressor's / ours",
            "torch loaded, ours / MLPRegressor's",
        ],
        [
            [name, *cells(found[step, OURS], found[step, THEIRS])]
            for step, name in STEPS.items()
        ],
        "deploy",
    )


@table
def deploy_files() -> Table:
    """Sizes of the files of a model by format."""
    found = results("deploy")["files"]
    formats = [key for key in found[0] if key != "model"]
    rows = [[f"`{r['model']}`", *(f"{r[key]:.0f}" for key in formats)] for r in found]
    return Table(["kB", *formats], rows, "deploy")


def brief(seconds: float) -> str:
    """Seconds, or microseconds where they are few."""
    return f"{seconds:.2f} s" if seconds > 0.01 else f"{1e6 * seconds:.0f} µs"


@table
def deploy_predictions() -> Table:
    """Times of prediction over ours, with one thread and as many as by default."""
    content = crossed(
        [
            row | {"case": f"rows {row['rows']:,}, threads {row['threads']}"}
            for row in results("deploy")["predictions"]
        ],
        "predictor",
        "case",
        lambda row: f"{row['ratio']:.2f} ({brief(row['seconds'])})",
        "its time / ours",
        "deploy",
    )
    differences = {
        row["predictor"]: f"{row['difference']:.0e}".replace("-", MINUS)
        for row in results("deploy")["differences"]
    }
    return content._replace(
        header=[*content.header, "largest difference"],
        rows=[[*row, differences.get(row[0], "")] for row in content.rows],
    )


KEYS_OF_BOUNDS = ["set", "n_features", "network", "activation"]
BOXES = ["1", "100", "1000"]  # the last is the default of slope_bounds


def tightness(found: dict) -> str:
    """Median and largest ratio over the features."""
    return f"{found['median']:.1f} ({found['largest']:.1f})"


def bounds_by_network(header: list[str], cells: Callable[[dict], list[str]]) -> Table:
    """A row for every data set, network and activation."""
    rows = [
        [*(str(row[key]) for key in KEYS_OF_BOUNDS), *cells(row)]
        for row in results("slope_bounds")["rows"]
    ]
    names = ["set", "features", "hidden layers", "activation"]
    return Table([*names, *header], rows, "slope_bounds")


@table
def slope_bounds() -> Table:
    """Certified slopes over the steepest ones found, and the time they take."""
    return bounds_by_network(
        ["intervals", "slope_bounds", "seconds"],
        lambda row: [
            tightness(row["intervals"]),
            tightness(row[BOXES[-1]]),
            f"{row[BOXES[-1]]['seconds']:.1f}",
        ],
    )


@table
def slope_bounds_boxes() -> Table:
    """The same by the number of boxes."""
    return bounds_by_network(
        [f"max_boxes={n}" for n in BOXES],
        lambda row: [f"{tightness(row[n])}, {row[n]['seconds']:.2g} s" for n in BOXES],
    )


@table
def slope_bounds_data() -> Table:
    """Certified slopes over the steepest ones at rows of the data."""
    return bounds_by_network(
        ["over the data"], lambda row: [tightness(row["over_data"])]
    )


@finding
def found_slope_bounds() -> str:
    """How tight bounds are, by depth and number of features."""
    rows = results("slope_bounds")["rows"]

    def ratios(method: str, n_layers: int, *, few: bool) -> str:
        found = [
            row[method]["median"]
            for row in rows
            if (row["n_features"] < 10) == few
            and len(re.findall(r"\d+", row["network"])) == n_layers
        ]
        return f"{min(found):.1f} to {max(found):.1f}"

    seconds = [row[BOXES[-1]]["seconds"] for row in rows]
    return (
        f"Over the range of the training data, `slope_bounds` allows slopes of "
        f"{ratios(BOXES[-1], 1, few=True)} times the steepest that an adversary finds "
        f"with one hidden layer and 4 features, "
        f"{ratios(BOXES[-1], 1, few=False)} times with 10 features; with two hidden "
        f"layers, {ratios(BOXES[-1], 2, few=True)} and "
        f"{ratios(BOXES[-1], 2, few=False)} times. Intervals alone allow "
        f"{ratios('intervals', 1, few=True)}, {ratios('intervals', 1, few=False)}, "
        f"{ratios('intervals', 2, few=True)} and "
        f"{ratios('intervals', 2, few=False)} times. These are medians over the "
        f"features, of each network and data set. It takes {min(seconds):.1f} to "
        f"{max(seconds):.1f} seconds."
    )


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


def ratio(benchmark: str, name: str) -> float:
    """One of the ratios of a benchmark."""
    return next(r["value"] for r in results(benchmark)["rows"] if r["name"] == name)


PEERS = {  # their time over ours
    "`MLPRegressor`": "MLPRegressor / ours, (64,), batch 200, float32",
    "skorch": "skorch / ours, (64,), batch 200",
    "a torch loop with double backpropagation, the same loss on every batch": (
        "autograd double backpropagation / ours, every batch, (64,)"
    ),
}


@table
def readme_speed() -> Table:
    """How many times as fast as peers."""
    rows = [[peer, f"{ratio('speed', name):.1f}"] for peer, name in PEERS.items()]
    return Table(["peer", "its time / ours"], rows, "speed")


@finding
def found_training() -> str:
    """Training times beside peers."""
    mlp, skorch, loop = (ratio("speed", name) for name in PEERS.values())
    large = ratio("speed", "MLPRegressor / ours, (256, 256), batch 200, float32")
    return (
        f"To train the same network of 64 hidden units without the Lai loss, "
        f"`MLPRegressor` takes {mlp:.1f} times as long as `LaiMLPRegressor`, and "
        f"skorch {skorch:.1f} times. With two layers of 256 units, `MLPRegressor` "
        f"takes {large:.1f} times as long. With the Lai loss on every batch, a torch "
        f"loop with double backpropagation takes {loop:.1f} times as long."
    )


@finding
def found_costs() -> str:
    """What control adds to training, prediction, memory."""
    control = ratio("speed", "Lai Training / plain, whole fit, (64,), default")
    one = ratio("speed", "predict, ours / MLPRegressor, 1 rows")
    million = ratio("speed", "predict, ours / MLPRegressor, 1e+06 rows")
    memory = ratio("speed", "peak memory beyond X / X, 1e6 x 100 float32, array")
    return (
        f"The Lai loss adds {100 * (control - 1):.0f} % to the time of a fit with the "
        f"defaults. Prediction takes {one:.2f} times as long as that of `MLPRegressor` "
        f"for one row, and {million:.2f} times for a million rows. Beside the data, a "
        f"fit needs {100 * memory:.0f} % of its memory."
    )


@finding
def found_linear() -> str:
    """The exact solver beside scikit-learn's linear models."""
    ridge = ratio("linear", "Ridge / LaiLinearRegressor, later fits, 1e6 x 100")
    plain = ratio(
        "linear", "LinearRegression / LaiLinearRegressor, later fits, 1e6 x 100"
    )
    folds = ratio("linear", "LaiLinearRegressorCV, 50 k x 5 folds / one fit, 1e6 x 100")
    return (
        f"On a million rows of 100 features, Ridge takes {ridge:.1f} times as long as "
        f"`LaiLinearRegressor`, and `LinearRegression` {plain:.0f} times. Five-fold "
        f"cross-validation of 50 values of `k` takes {folds:.1f} times as long as one "
        f"fit."
    )


def least(rows: list[dict], within: float, change: Callable[[dict], dict]) -> dict:
    """The row of the largest fall among those whose error rises by at most a share."""
    allowed = [row for row in rows if row["bounded_rmse_change"]["mean"] <= within]
    return min(allowed, key=lambda row: change(row)["mean"])


@finding
def found_paper() -> str:
    """The claims of the paper, with our defaults."""
    found = results("paper")
    claim = {"name": "less sensitive at no cost in accuracy", "form": "today's"}
    free = least(
        [row for row in found["claims"] if claim.items() <= row.items()],
        0,
        lambda row: row["sensitivity_change"],
    )
    one = least(
        [row for row in found["one_feature"] if row["network"] == "default"],
        0.024,
        lambda row: row["feature_changes"]["Longitude"],
    )
    k_of_one = one["name"].removeprefix("Longitude ")
    return (
        f"With the defaults and `k` {free['k']:g}, the noise sensitivity falls by "
        f"{fall(free['sensitivity_change']['mean'])}, and the RMSE changes by "
        f"{percent(free['bounded_rmse_change']['mean'], 1)}. "
        f"With `k` {k_of_one} for Longitude alone, the sensitivity to it falls by "
        f"{fall(one['feature_changes']['Longitude']['mean'])}, and the RMSE changes by "
        f"{percent(one['bounded_rmse_change']['mean'], 1)}. "
        f"In the paper, it falls by 42 % for 2.4 % more error."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true")
    if not parser.parse_args().check:
        README.write_text(readme())
    elif README.read_text() != readme():
        raise SystemExit("README.md is behind docs/results: run python docs/tables.py")


if __name__ == "__main__":
    main()
