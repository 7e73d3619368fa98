"""Configuration of Sphinx. Nothing here, nor in the pages, needs a network."""

import sys
from pathlib import Path

DOCS = Path(__file__).parent
sys.path[:0] = [str(DOCS), str(DOCS / "_ext")]

import modules  # noqa: E402
import tables  # noqa: E402

import sklearn_lai  # noqa: E402

modules.write_page()
tables.write_pages()

project = "sklearn_lai"
author = "The sklearn_lai developers"
project_copyright = "The sklearn_lai developers, BSD-3-Clause"
version = release = sklearn_lai.__version__
language = "en_GB"

extensions = [
    "matplotlib.sphinxext.plot_directive",
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "gallery",
    "mathml",
    "parameter_groups",
    "references",
]
exclude_patterns = ["_build", "generated", "results", "images"]
templates_path = ["_templates"]
default_role = "literal"
nitpicky = True
suppress_warnings = [
    "config.cache",  # the configuration of the gallery is no plain data
    "myst.header",  # included Markdown starts below the top level
]

# The reference
autodoc_typehints = "none"
autosummary_generate = True
autosummary_ignore_module_all = False
numpydoc_class_members_toctree = False
numpydoc_show_class_members = False
numpydoc_use_plots = False
numpydoc_validation_checks = {  # of everything on the pages, wherever it is defined
    "all",  # but those that follow
    "ES01",  # no extended summary needed
    "EX01",  # examples on classes and functions, not on methods
    "SA01",  # "See Also" where it helps
    "SS05",  # a noun is a summary, too
    "SS06",  # and two lines may be
}
add_module_names = False
toc_object_entries_show_parents = "hide"
maximum_signature_line_length = 70
python_display_short_literal_types = True

# Figures
plot_apply_rcparams = True
plot_formats = [("svg", 100)]
plot_html_show_formats = False
plot_html_show_source_link = False
plot_include_source = False
plot_rcparams = {
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.constrained_layout.use": True,
    "font.size": 11,
    "legend.frameon": False,
}

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": "plot_",
    "abort_on_example_error": True,
    "reset_argv": "gallery.arguments",
    "reset_modules": (
        "matplotlib",
        "gallery.leave_no_figures",
        "gallery.warnings_are_errors",
    ),
    "reset_modules_order": "both",
    "within_subsection_order": "gallery.ReadingOrder",
    "backreferences_dir": "api/examples",
    "capture_repr": (),
    "doc_module": ("sklearn_lai",),
    "min_reported_time": 0,
    "download_all_examples": False,
    "show_signature": False,
    "thumbnail_size": (560, 392),
    "write_computation_times": False,
}

copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
copybutton_exclude = ".linenos, .gp, .go"

# The pages
html_theme = "pydata_sphinx_theme"
html_title = "sklearn_lai"
html_static_path = ["_static"]
html_css_files = ["custom.css"]
html_math_renderer = "mathml"
html_show_sourcelink = False
html_copy_source = False
html_sidebars = {
    page: [] for page in ("index", "getting_started", "benchmarks/*", "changelog")
}
html_theme_options = {
    "footer_end": [],
    "footer_start": ["copyright"],
    "header_links_before_dropdown": 7,
    "navbar_align": "left",
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
    "show_nav_level": 2,
    "show_toc_level": 2,
    "show_version_warning_banner": False,
}
