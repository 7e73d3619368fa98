"""Results kept line by line, so that a run that was cut short goes on from there."""

import argparse
import json
from collections.abc import Callable, Iterable
from pathlib import Path

from joblib import Parallel


class Lines:
    """Dicts in a file, a line of JSON each, by what they have under a key, a list."""

    def __init__(self, path: Path, key: str):
        self.path, self.key = path, key
        self.found: dict[tuple, dict] = {}
        for line in path.read_text().splitlines() if path.exists() else []:
            self._add(json.loads(line))

    def _add(self, result: dict) -> None:
        self.found[tuple(result[self.key])] = result

    def run_missing(self, units: Iterable, call: Callable, n_jobs: int) -> None:
        """Run what `call` makes of each unit that is not found."""
        missing = [unit for unit in units if unit not in self.found]
        self.run(map(call, missing), n_jobs)

    def run(self, calls: Iterable, n_jobs: int) -> None:
        """Run delayed calls, `n_jobs` at a time, and append the dict of each."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        results = Parallel(n_jobs, return_as="generator_unordered", verbose=1)(calls)
        with self.path.open("a") as file:
            for result in results:
                self._add(result)
                print(json.dumps(result), file=file, flush=True)


def add_options(parser: argparse.ArgumentParser, name: str) -> None:
    """Options of a benchmark that runs for hours: on what, how often, kept where."""
    parser.add_argument("--data", type=Path, nargs="*", default=[])
    parser.add_argument("--sets", nargs="+", help="only these, by name")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--points", type=Path, default=f"docs/results/{name}.jsonl")
