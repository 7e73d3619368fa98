"""Tables of the site and the README, from what the benchmarks wrote to docs/results.

    python docs/tables.py           writes the tables between the marks of the README
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
RATIOS = ["speed", "linear", "tuning", "chunks"]  # each a list of ratios and targets
SCRIPTS = {"tradeoff_log": "tradeoff"}  # what wrote results of another name


class Table(NamedTuple):
    """Cells, and the benchmark that measured them."""

    header: list[str]
    rows: list[list[str]]
    benchmark: str


def table(function: Callable[[], Table]) -> Callable[[], Table]:
    """Register a table under the name of its function."""
    TABLES[function.__name__] = function
    return function


def results(benchmark: str) -> dict:
    """What a benchmark wrote."""
    return json.loads((DOCS / "results" / f"{benchmark}.json").read_text())


def percent(value: float, digits: int = 0) -> str:
    """A signed change in per cent."""
    return f"{100 * value:+.{digits}f} %".replace("-", MINUS)


def origin(benchmark: str) -> str:
    """When, where and with what a benchmark ran."""
    found = results(benchmark)
    versions = ", ".join(f"{k} {v}" for k, v in found["versions"].items())
    script = SCRIPTS.get(benchmark, benchmark)
    return (
        f"Measured on {found['date']} by benchmarks/{script}.py: "
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
    """Every table as a file to include."""
    folder = DOCS / "generated"
    folder.mkdir(exist_ok=True)
    for name, make in TABLES.items():
        (folder / f"{name}.rst").write_text(to_rst(make()) + "\n")


def readme() -> str:
    """The README with its tables as they should be."""
    pattern = r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)"

    def fill(match: re.Match) -> str:
        return f"{match[1]}{to_markdown(TABLES[match[2]]())}\n{match[3]}"

    return re.sub(pattern, fill, README.read_text(), flags=re.DOTALL)


DEFAULT = "Lai l1, interval 5"
PEERS = [
    "gradient penalty",
    "weight decay",
    "input noise",
    "spectral normalisation",
]


def by_set(kind: str, cell: Callable[[dict], str], corner: str = "method") -> Table:
    """A cell of every method on every set."""
    found = results("tradeoff")[kind]
    sets = list(dict.fromkeys(row["set"] for row in found))
    methods = list(dict.fromkeys(row["method"] for row in found))
    cells = {(row["set"], row["method"]): cell(row) for row in found}
    rows = [[method, *(cells[key, method] for key in sets)] for method in methods]
    return Table([corner, *sets], rows, "tradeoff")


@table
def tradeoff_1() -> Table:
    """Sensitivity at +1 % RMSE."""
    return by_set("summary", lambda row: percent(row["0.01"]))


@table
def tradeoff_2() -> Table:
    """Sensitivity at +2 % RMSE."""
    return by_set("summary", lambda row: percent(row["0.02"]))


@table
def tradeoff_5() -> Table:
    """Sensitivity at +5 % RMSE."""
    return by_set("summary", lambda row: percent(row["0.05"]))


@table
def tradeoff_area() -> Table:
    """Area under the curves."""
    return by_set("summary", lambda row: percent(row["area"]))


@table
def tradeoff_times() -> Table:
    """Seconds of training, and those beyond no control."""
    return by_set("times", lambda row: f"{row['seconds']:.2f} ({row['added']:.2f})")


@table
def tradeoff_bases() -> Table:
    """RMSE and sensitivity without control, by implementation."""
    return by_set(
        "bases",
        lambda row: f"{row['rmse']:.3f} / {row['sensitivity']:.3f}",
        "RMSE / sensitivity",
    )


@table
def tradeoff_best() -> Table:
    """The default against the best input-gradient method."""
    header = ["set", "default", "best", "its area", "default less best"]
    rows = [
        [
            row["set"],
            percent(row["default area"]),
            row["best"],
            percent(row["best area"]),
            f"{100 * row['difference']:+.1f} ± {100 * row['standard error']:.1f}",
        ]
        for row in results("tradeoff")["against_best"]
    ]
    return Table(header, rows, "tradeoff")


@table
def errors() -> Table:
    """The errors that the Lai loss multiplies."""
    rows = [
        [
            row["set"],
            f"{row['training']:.2f}",
            f"{row['held_out']:.2f}",
            f"{100 * row['largest_tenth']:.0f} %",
        ]
        for row in results("errors")["rows"]
    ]
    header = ["set", "RMSE, training rows", "held out", "share of a tenth of the rows"]
    return Table(header, rows, "errors")


@table
def tradeoff_log() -> Table:
    """Areas on diamonds, and where the logarithm of the price is predicted."""
    rows = {}
    for benchmark, key in [("tradeoff", "diamonds"), ("tradeoff_log", "diamonds_log")]:
        summary = results(benchmark)["summary"]
        rows[key] = {row["method"]: row for row in summary if row["set"] == key}
    cells = [
        [name, *(percent(rows[key][name]["area"]) for key in rows)]
        for name in [DEFAULT, *PEERS]
    ]
    header = ["method", "price", "logarithm of the price"]
    return Table(header, cells, "tradeoff_log")


@table
def when_not() -> Table:
    """The method of least area on each set, whatever it is."""
    summary = results("tradeoff")["summary"]
    rows = []
    for key in dict.fromkeys(row["set"] for row in summary):
        areas = {r["method"]: r["area"] for r in summary if r["set"] == key}
        best = min([DEFAULT, *PEERS], key=lambda name: areas[name])
        rows.append([key, percent(areas[DEFAULT]), best, percent(areas[best])])
    return Table(["set", "Lai Training", "best of all", "its area"], rows, "tradeoff")


@table
def defaults() -> Table:
    """The k of each setting that cuts sensitivity most at a median of at most +1 %."""
    rows = []
    settings = results("tradeoff")["settings"]
    for name in dict.fromkeys(row["method"] for row in settings):
        within = [r for r in settings if r["method"] == name and r["error"] <= 0.01]
        best = min(within, key=lambda row: row["sensitivity"])
        rows.append(
            [
                name,
                f"{best['k']:.2g}",
                percent(best["error"], 1),
                percent(best["sensitivity"], 1),
            ]
        )
    return Table(["setting", "best k", "RMSE", "sensitivity"], rows, "tradeoff")


@table
def default_k() -> Table:
    """Error and sensitivity of the default setting along k, set by set."""
    curves = [r for r in results("tradeoff")["curves"] if r["method"] == DEFAULT]
    sets = list(dict.fromkeys(row["set"] for row in curves))
    cells = {
        (row["strength"], row["set"]): f"{percent(row['error'], 1)} / "
        f"{percent(row['sensitivity'])}"
        for row in curves
    }
    ks = [k for k in dict.fromkeys(row["strength"] for row in curves) if k > 0.09]
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
            "the paper's" if row["lai_interval"] is None else "every fifth batch",
            f"{row['k']:g}",
            change(row["bounded_rmse_change"]),
            change(row["sensitivity_change"]),
        ]
        for row in results("paper")["claims"]
        if row["name"] == claim
    ]
    header = ["batches with the Lai loss", "k", "bounded RMSE", "noise sensitivity"]
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


def ratios(benchmark: str) -> Table:
    """Every ratio that a benchmark measured, and the one it was to reach."""
    rows = [
        [row["name"], f"{row['value']:.2f}", f"{row['direction']} {row['target']:g}"]
        for row in results(benchmark)["rows"]
    ]
    return Table(["measured", "value", "target"], rows, benchmark)


TABLES |= {name: partial(ratios, name) for name in RATIOS}


@table
def readme_tradeoff() -> Table:
    """Medians over the sets of the methods that the README compares."""
    found = results("tradeoff")
    plain = {
        row["set"]: row["seconds"] - row["added"]
        for row in found["times"]
        if row["method"] == DEFAULT
    }
    rows = []
    for name in [DEFAULT, *PEERS]:
        summary = [row for row in found["summary"] if row["method"] == name]
        added = [
            row["added"] / plain[row["set"]]
            for row in found["times"]
            if row["method"] == name
        ]
        cells = [percent(median(row[b] for row in summary)) for b in ("0.01", "0.05")]
        rows.append([name, *cells, percent(median(added))])
    header = ["method", "sensitivity at +1 % RMSE", "at +5 % RMSE", "added time"]
    return Table(header, rows, "tradeoff")


@table
def readme_speed() -> Table:
    """How many times as fast as peers."""
    wanted = {
        "MLPRegressor / ours, (64,), batch 200, float32": "`MLPRegressor`",
        "skorch / ours, (64,), batch 200": "skorch",
        "autograd double backpropagation / ours, every batch, (64,)": (
            "a torch loop with double backpropagation, the same loss on every batch"
        ),
    }
    values = {row["name"]: row["value"] for row in results("speed")["rows"]}
    rows = [[label, f"{values[name]:.1f}"] for name, label in wanted.items()]
    return Table(["peer", "its time / ours"], rows, "speed")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true")
    if not parser.parse_args().check:
        README.write_text(readme())
    elif README.read_text() != readme():
        raise SystemExit("README.md is behind docs/results: run python docs/tables.py")


if __name__ == "__main__":
    main()
