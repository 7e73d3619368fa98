"""Headings between the parameters of the estimators, which are too many for one list.

numpydoc knows a single section of parameters, so the headings are put into what it
makes of a docstring. The docstring itself only has its groups in the order given here;
within a group the order is the docstring's.
"""

import re
from itertools import groupby

from sphinx.util import logging

logger = logging.getLogger(__name__)

# Names of the parameters of each group, separated by blanks.
CHOICE_OF_K = "cv scoring tolerance path_epochs n_jobs"
PERCEPTRON = {
    "Network": "hidden_layer_sizes activation",
    "Slopes": (
        "k ks feature_k noise reach lai_error norm l1_ratio lai_fraction lai_interval"
    ),
    "Choice of k": CHOICE_OF_K,
    "Training": (
        "loss huber_delta quantile max_iter lai_epochs solver max_fun alpha "
        "batch_size learning_rate learning_rate_init lai_learning_rate_init power_t "
        "average shuffle momentum "
        "nesterovs_momentum beta_1 beta_2 epsilon early_stopping validation_fraction "
        "n_iter_no_change tol warm_start"
    ),
    "Data and machine": "standardize random_state verbose device memory distributed",
}
LINEAR = {
    "Slopes": "k ks feature_k noise norm l1_ratio lai_fraction",
    "Choice of k": CHOICE_OF_K,
    "Model": "fit_intercept loss huber_delta quantile solver tol standardize",
    "Only for ``solver='adam'``": (
        "max_iter lai_epochs lai_interval batch_size learning_rate_init "
        "lai_learning_rate_init average shuffle n_iter_no_change random_state verbose "
        "device"
    ),
}
GROUPS = {
    "sklearn_lai.LaiMLPRegressor": PERCEPTRON,
    "sklearn_lai.LaiMLPRegressorCV": PERCEPTRON,
    "sklearn_lai.LaiLinearRegressor": LINEAR,
    "sklearn_lai.LaiLinearRegressorCV": LINEAR,
}


def find_parameters(lines):
    """Parameters in the order of the docstring, and the line where each begins."""
    found = {}
    in_parameters = False
    for number, line in enumerate(lines):
        if field := re.match(r":([\w ]+):", line):
            in_parameters = field[1] == "Parameters"
        elif in_parameters and (term := re.match(r"    \*\*(\w+)\*\* :", line)):
            found[term[1]] = number
    return found


def find_headings(name, parameters, groups):
    """The first parameter of each group, with its heading; none if they are mixed."""
    group_of = {member: group for group in groups for member in groups[group].split()}
    for parameter in parameters:
        if parameter not in group_of:
            logger.warning("%s: the parameter %s is in no group", name, parameter)
            return {}
    runs = [
        (next(members), group)
        for group, members in groupby(parameters, key=group_of.get)
    ]
    found = [group for _, group in runs]
    if found != [group for group in groups if group in found]:
        order = ", ".join(f"{group} from {first} on" for first, group in runs)
        logger.warning("%s: parameters are not in order of groups: %s", name, order)
        return {}
    return dict(runs)


def insert_headings(app, what, name, obj, options, lines):
    """Put a heading before the first parameter of each group."""
    if name not in GROUPS:
        return
    parameters = find_parameters(lines)
    if not parameters:
        logger.warning("%s: no parameters found in what numpydoc makes of it", name)
    headings = find_headings(name, parameters, GROUPS[name])
    for first, heading in reversed(headings.items()):
        lines[parameters[first] : parameters[first]] = [
            f"    .. rubric:: {heading}",
            "       :class: parameter-group",
            "",
        ]


def setup(app):
    """Register with Sphinx, after numpydoc."""
    app.connect("autodoc-process-docstring", insert_headings, priority=600)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
