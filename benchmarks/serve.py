"""What a fresh process needs to load a model and predict one row; deploy.py starts it.

    python benchmarks/serve.py MODULE [--file FILE] [--trusted TYPE ...] [--no-torch]

Imports the module, loads the file, if there is one, and prints seconds, peak memory and
whether torch was loaded, as JSON. This file itself imports nothing but what is timed.
"""

import argparse
import json
import sys
import time
from importlib import import_module
from pathlib import Path


class NoTorch:
    """Finds no torch, as where it is not installed."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == "torch":
            raise ModuleNotFoundError("No module named 'torch'", name=name)


def load(path, trusted):
    """The model in a file of skops or joblib."""
    if path.suffix == ".skops":
        return import_module("skops.io").load(path, trusted=trusted)
    return import_module("joblib").load(path)


def serve(options):
    import_module(options.module)
    if options.file:
        model = load(options.file, options.trusted)
        model.predict([[0.0] * model.n_features_in_])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("module")
    parser.add_argument("--file", type=Path)
    parser.add_argument("--trusted", nargs="*", default=[])
    parser.add_argument("--no-torch", action="store_true", help="as if not installed")
    options = parser.parse_args()
    if options.no_torch:
        sys.meta_path.insert(0, NoTorch)
    start = time.perf_counter()
    serve(options)
    seconds = time.perf_counter() - start
    # Not getrusage, whose peak begins with that of the process which started this one.
    peak = Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]
    found = {"seconds": seconds, "megabytes": int(peak) * 1024 / 1e6}
    print(json.dumps(found | {"torch": "torch" in sys.modules}))


if __name__ == "__main__":
    main()
