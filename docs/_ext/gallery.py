"""How the examples run when they are made into pages."""

import tempfile
import warnings
from pathlib import Path

ORDER = ["plot_tune_k", "plot_tradeoff", "plot_linear_path", "plot_loss_surface"]
_filters = list(warnings.filters)


def arguments(gallery_conf, script_vars):
    """Arguments for an example: its figures go to a folder that nobody keeps.

    Called by name, as are the others here.
    """
    source = Path(script_vars["src_file"]).read_text(encoding="utf-8")
    folder = Path(tempfile.mkdtemp())
    if '"--figures"' in source:
        return ["--figures", str(folder)]
    if '"--figure"' in source:
        return ["--figure", str(folder / "figure.png")]
    return []


def warnings_are_errors(gallery_conf, fname, when):
    """Warnings are errors while an example runs."""
    if when == "before":
        warnings.simplefilter("error")
    else:
        warnings.filters[:] = _filters
        warnings._filters_mutated()


class ReadingOrder:
    """Sort key of the examples: the order in which to read them, new ones last."""

    def __init__(self, src_dir):
        self.src_dir = src_dir

    def __call__(self, filename):
        stem = Path(filename).stem
        return (ORDER.index(stem) if stem in ORDER else len(ORDER), stem)
