"""Links to other packages' references, made from the name without their inventories."""

from docutils import nodes

PAGES = {
    "joblib": "https://joblib.readthedocs.io/en/stable/generated/{}.html",
    "numpy": "https://numpy.org/doc/stable/reference/generated/{}.html",
    "sklearn": "https://scikit-learn.org/stable/modules/generated/{}.html",
    "torch": "https://docs.pytorch.org/docs/stable/generated/{}.html",
}
MODULES = {
    "numpy": "https://numpy.org/doc/stable/reference/index.html",
    "sklearn": "https://scikit-learn.org/stable/api/{}.html",
    "torch": "https://docs.pytorch.org/docs/stable/{}.html",
}

# Methods that our estimators have from scikit-learn, and the class that documents them.
INHERITED = {
    "get_metadata_routing": "sklearn.base.BaseEstimator",
    "get_params": "sklearn.base.BaseEstimator",
    "score": "sklearn.base.RegressorMixin",
    "set_callbacks": None,
    "set_fit_request": None,
    "set_params": "sklearn.base.BaseEstimator",
    "set_partial_fit_request": None,
    "set_score_request": None,
}
METADATA_ROUTING = "https://scikit-learn.org/stable/metadata_routing.html"


def find_page(name, role):
    """Address of what has this full name; None if it is of no package known here."""
    package, _, rest = name.partition(".")
    method = name.rpartition(".")[2]
    if package == "sklearn_lai" and method in INHERITED:
        owner = INHERITED[method]
        if owner is None:
            return METADATA_ROUTING
        return f"{PAGES['sklearn'].format(owner)}#{owner}.{method}"
    if role == "mod" and package in MODULES:
        return MODULES[package].format(name)
    if rest and package in PAGES:
        return PAGES[package].format(name)
    return None


def resolve(app, env, node, content):
    """Answer Sphinx's question for a name that is not documented here."""
    if node.get("refdomain") != "py":
        return None
    uri = find_page(node["reftarget"], node["reftype"])
    if uri is None:
        return None
    reference = nodes.reference("", "", content, internal=False, refuri=uri)
    reference["classes"].append("external")
    return reference


def setup(app):
    """Register with Sphinx."""
    app.connect("missing-reference", resolve)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
