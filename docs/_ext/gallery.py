"""How the examples run when they are made into pages, and how their pages begin."""

import tempfile
import warnings
from pathlib import Path

from docutils import nodes
from sphinx_gallery.directives import imgsgnode

EXAMPLES = Path(__file__).parents[2] / "examples"
ORDER = ["plot_tune_k", "plot_tradeoff", "plot_linear_path", "plot_loss_surface"]
_filters = list(warnings.filters)
_files = set()


def arguments(gallery_conf, script_vars):
    """Arguments for an example: a figure goes to a folder that nobody keeps.

    Called by name, as are the others here.
    """
    source = Path(script_vars["src_file"]).read_text(encoding="utf-8")
    if '"--figure"' in source:
        return ["--figure", str(Path(tempfile.mkdtemp()) / "figure.png")]
    return []


def leave_no_figures(gallery_conf, fname, when):
    """Remove the figures that an example wrote to its own folder."""
    figures = set(EXAMPLES.glob("*.png"))
    if when == "before":
        _files.update(figures)
    else:
        for figure in figures - _files:
            figure.unlink()


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


def begin_with_figure(app, doctree):
    """Move an example's figure below its title, and drop the note above it."""
    if not app.env.docname.startswith("auto_examples/plot_"):
        return
    for note in list(doctree.findall(nodes.note)):
        if "sphx-glr-download-link-note" in note["classes"]:
            note.parent.remove(note)
    title = next(iter(doctree.findall(nodes.title)))
    for figure in list(doctree.findall(imgsgnode))[:1]:
        figure.parent.remove(figure)
        title.parent.insert(title.parent.index(title) + 1, figure)


def setup(app):
    """Register with Sphinx."""
    app.connect("doctree-read", begin_with_figure)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
