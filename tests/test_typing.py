"""Types: what checkers tell users, and us, and that the values have them."""

import json
import os
import re
import runpy
import subprocess
import sys
import venv
from inspect import signature
from pathlib import Path
from types import UnionType
from typing import Literal, get_args, get_origin, get_type_hints

import numpy as np
import pandas as pd
import pytest
import sklearn
from common import X, Y, quick, y

import sklearn_lai
from sklearn_lai import (
    LaiLinearRegressor,
    LaiLinearRegressorCV,
    LaiMLPRegressor,
    LaiMLPRegressorCV,
)

TESTS = Path(__file__).parent
SCRIPT = TESTS / "typing_script.py"

# What a user of mypy says of packages without types, one way or the other.
MYPY = {
    "untyped_ignored": """\
[mypy]
strict = true
[mypy-pandas.*]
ignore_missing_imports = true
""",
    "untyped_followed": """\
[mypy]
strict = true
[mypy-pandas.*]
ignore_missing_imports = true
[mypy-sklearn.*]
follow_untyped_imports = true
""",
}
PYRIGHT = {
    "include": ["script.py"],
    "typeCheckingMode": "strict",
    "enableTypeIgnoreComments": False,  # those of mypy
    "reportMissingTypeStubs": False,
    "reportUnnecessaryTypeIgnoreComment": True,
}
MISTAKES = """\
from sklearn_lai import LaiLinearRegressor, LaiMLPRegressor

class Linear(LaiLinearRegressor):
    def read(self) -> None:
        self.no_such_attribute

class Perceptron(LaiMLPRegressor):
    def read(self) -> None:
        self.no_such_attribute
"""

MODELS = {
    "mlp": quick(LaiMLPRegressor),
    "mlp-stopping": quick(LaiMLPRegressor, early_stopping=True),
    "mlp-cv": quick(LaiMLPRegressorCV, ks=[0.3], cv=2, lai_interval=1),
    "exact": LaiLinearRegressor(),
    "adam": quick(LaiLinearRegressor),
    "linear-cv": LaiLinearRegressorCV(ks=[0.3, 0.1]),
}


@pytest.fixture
def project(tmp_path):
    """A user's folder: a script and an environment with the package and its like.

    The package's own may not do: a hook of Python finds what is installed as editable,
    and no checker runs it.
    """
    (tmp_path / "script.py").write_text(SCRIPT.read_text())
    venv.create(tmp_path / "venv", symlinks=True)
    [site] = (tmp_path / "venv").glob("lib/*/site-packages")
    packages = sklearn_lai, np, pd, sklearn
    folders = {str(Path(package.__file__).parents[1]) for package in packages}
    (site / "folders.pth").write_text("\n".join(sorted(folders)))
    return tmp_path


def output_of(tool, *options, folder):
    """What a checker prints, whatever the settings of the surroundings."""
    settings = ("MYPY", "PYRIGHT", "FORCE_COLOR")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(settings)}
    # Else it would ask PyPI whether there is a newer one, and say so.
    environment["PYRIGHT_PYTHON_IGNORE_WARNINGS"] = "1"
    return subprocess.run(
        [sys.executable, "-m", tool, *options],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ).stdout.strip()


@pytest.mark.slow
@pytest.mark.parametrize("config", MYPY.values(), ids=MYPY)
def test_mypy_finds_in_a_script_what_is_wrong_and_nothing_else(project, config):
    (project / "mypy.ini").write_text(config)
    output = output_of(
        "mypy", "--python-executable", "venv/bin/python", "script.py", folder=project
    )
    assert output == "Success: no issues found in 1 source file"


@pytest.mark.slow
def test_pyright_finds_in_a_script_what_is_wrong_and_nothing_else(project):
    (project / "pyrightconfig.json").write_text(json.dumps(PYRIGHT))
    output = output_of("pyright", "--pythonpath", "venv/bin/python", folder=project)
    assert output == "0 errors, 0 warnings, 0 informations"


@pytest.mark.slow
def test_mypy_as_set_up_here_finds_attributes_that_no_class_has(tmp_path):
    (tmp_path / "mistakes.py").write_text(MISTAKES)
    output = output_of(
        "mypy",
        *("--cache-dir", str(tmp_path / "cache")),
        str(tmp_path / "mistakes.py"),
        folder=TESTS.parent,
    )
    for line, name in [(5, "Linear"), (9, "Perceptron")]:
        problem = f'"{name}" has no attribute "no_such_attribute"'
        assert re.search(rf"mistakes\.py:{line}: error: {problem}", output), output


def test_the_script_that_is_checked_runs():
    runpy.run_path(str(SCRIPT), run_name="__main__")


def literals(hint):
    """All values that a type names."""
    if get_origin(hint) is Literal:
        return list(get_args(hint))
    return [value for part in get_args(hint) for value in literals(part)]


@pytest.mark.parametrize("model_class", dict.fromkeys(map(type, MODELS.values())))
def test_types_of_parameters_name_the_values_that_fit_allows(model_class):
    hints = get_type_hints(model_class.__init__)
    assert hints.keys() >= signature(model_class).parameters.keys()
    for name, hint in hints.items():
        if options := literals(hint):
            allowed = ", ".join(map(repr, options))
            allowed = f"one of {allowed}" if len(options) > 1 else allowed
            message = rf"{name} must be (.* or )?{re.escape(allowed)}(,| or) "
            with pytest.raises(ValueError, match=message):
                model_class(**{name: "no such"}).fit(X, y)


def has_type(value, hint):
    """Whether a value has a type: a class, a union or a list."""
    if isinstance(hint, UnionType):
        return any(has_type(value, part) for part in get_args(hint))
    if get_origin(hint) is list:
        [part] = get_args(hint)
        return isinstance(value, list) and all(has_type(item, part) for item in value)
    return isinstance(value, hint)


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("target", [y, Y], ids=["one", "several"])
def test_fitted_attributes_have_the_types_that_their_class_names(model, target):
    hints = get_type_hints(type(model))
    fitted = model.fit(pd.DataFrame(X, columns=list("abcde")), target)
    for name, value in vars(fitted).items():
        if name.endswith("_"):
            assert has_type(value, hints[name]), name
