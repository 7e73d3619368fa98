"""What the benchmarks share: fair timing, peak memory, and a report of ratios."""

import argparse
import json
import os
import platform
import re
import threading
import time
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.ticker import LogLocator

AT_LEAST, AT_MOST = ">=", "<="


def alternate(functions: Sequence[Callable], repeats: int) -> list[float]:
    """Median seconds of functions that take turns, after one turn uncounted."""
    seconds = []
    for _ in range(repeats + 1):
        turn = []
        for function in functions:
            start = time.perf_counter()
            function()
            turn.append(time.perf_counter() - start)
        seconds.append(turn)
    return np.median(seconds[1:], axis=0).tolist()


def anonymous_memory() -> int:
    """Memory of this process that no file backs, in bytes (Linux)."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.split("RssAnon:")[1].split()[0])


def peak_memory(function: Callable) -> int:
    """Peak memory during a call beyond what was there before it, in bytes."""
    before, peak, done = anonymous_memory(), 0, threading.Event()

    def watch():
        nonlocal peak
        while not done.wait(0.005):
            peak = max(peak, anonymous_memory())

    watcher = threading.Thread(target=watch)
    watcher.start()
    function()
    done.set()
    watcher.join()
    return peak - before


def compiling() -> dict[str, str]:
    """An environment in which modules are compiled once, as those installed are."""
    return {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}


def processor() -> str:
    """Name of the processor and its number of cores."""
    info = Path("/proc/cpuinfo")
    names = re.findall(
        r"model name\s*: (.*)", info.read_text() if info.exists() else ""
    )
    return f"{names[0] if names else platform.machine()}, {os.cpu_count()} cores"


def records(table: pd.DataFrame) -> list[dict]:
    """Rows of a table, with None for what is not a number."""
    return table.astype(object).where(table.notna(), None).to_dict("records")


def save_json(path: Path, modules: list, **results) -> None:
    """Write results with their date, machine and the versions of modules."""
    origin = {
        "date": date.today().isoformat(),
        "machine": processor(),
        "python": platform.python_version(),
        "versions": {module.__name__: module.__version__ for module in modules},
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(origin | results, indent=1) + "\n")


class Report:
    """Rows of measured ratios, printed as they come."""

    def __init__(self, repeats: int):
        self.repeats = repeats
        self.rows: list[dict] = []

    def add(self, name, value, direction, target, **details):
        met = value >= target if direction == AT_LEAST else value <= target
        row = {"name": name, "value": value, "direction": direction, "target": target}
        self.rows.append({**row, "met": bool(met), **details})
        mark = "" if met else "   MISSED"
        print(f"{name:66s} {value:8.2f}   {direction} {target:g}{mark}", flush=True)

    def compare(self, name, numerator, denominator, direction, target):
        """Ratio of two times."""
        above, below = alternate([numerator, denominator], self.repeats)
        self.add(name, above / below, direction, target, seconds=[above, below])

    def save(
        self, json_path: Path, figure_path: Path, modules: list, **results
    ) -> None:
        """Write all rows and further results, with versions, and the figure of rows."""
        save_json(json_path, modules, repeats=self.repeats, rows=self.rows, **results)
        figure_path.parent.mkdir(parents=True, exist_ok=True)
        draw(self.rows, figure_path)


def draw(rows, path):
    """Every ratio against its target, on a logarithmic axis."""
    figure, axes = plt.subplots(figsize=(8, 0.24 * len(rows) + 1), layout="constrained")
    heights = np.arange(len(rows))[::-1]
    # Above 1: better than the target, whichever way the row is to go.
    shares = [
        row["value"] / row["target"]
        if row["direction"] == AT_LEAST
        else row["target"] / row["value"]
        for row in rows
    ]
    colours = ["#0072B2" if row["met"] else "#D55E00" for row in rows]
    axes.hlines(heights, 1, shares, color=colours, linewidth=2)
    axes.scatter(shares, heights, color=colours, zorder=3)
    axes.axvline(1, color="black", linewidth=1)
    axes.set(
        xscale="log",
        xlim=(0.9 * min(*shares, 0.5), 1.1 * max(*shares, 2)),
        ylim=(-1, len(rows)),
    )
    figure.supxlabel(
        "times better than the target (blue: met, orange: missed)", fontsize=9
    )
    labels = [f"{r['name']}: {r['value']:.2f}" for r in rows]
    axes.set_yticks(heights, labels, fontsize=7)
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.minorticks_off()
    figure.savefig(path, dpi=150)


def make_parser(name: str, description: str) -> argparse.ArgumentParser:
    """Parser of the options that every benchmark has."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", type=Path, default=f"results/{name}.json")
    parser.add_argument("--figure", type=Path, default=f"results/{name}.png")
    parser.add_argument("--repeats", type=int, default=5)
    return parser
