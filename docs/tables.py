"""Tables of the site and the README, from what the benchmarks wrote to docs/results.

    python docs/tables.py           writes what is between the marks of the README
    python docs/tables.py --check   fails if they are not what it would write

Sphinx calls `write_pages`, so that pages can include ``generated/NAME.rst``.
"""

import argparse
import re

from tables_of import FINDINGS, TABLES
from tabular import DOCS, to_markdown, to_rst

README = DOCS.parent / "README.md"


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true")
    if not parser.parse_args().check:
        README.write_text(readme())
    elif README.read_text() != readme():
        raise SystemExit("README.md is behind docs/results: run python docs/tables.py")
