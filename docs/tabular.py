"""What tables of results share: their form, their origin, and what benchmarks wrote."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

DOCS = Path(__file__).parent
MINUS = "\N{MINUS SIGN}"
TABLES: dict[str, Callable[[], "Table"]] = {}
FINDINGS: dict[str, Callable[[], str]] = {}


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


def over(ratio: float) -> str:
    """A ratio of errors as a change."""
    return percent(ratio - 1, 1)


def points(difference: float, error: float) -> str:
    """A difference of figures in per cent, in points, with its standard error."""
    return f"{100 * difference:+.1f} ± {100 * error:.1f}".replace("-", MINUS)


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
    return Table([corner, *columns], rows, benchmark)
