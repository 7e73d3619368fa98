"""Doctests of the pages: ``pytest --doctest-glob='*.rst' docs``."""

from importlib.util import find_spec

import pytest

collect_ignore_glob = ["*.py", "_build", "_ext", "api", "auto_examples", "figures"]

if not (find_spec("skops") and find_spec("skl2onnx") and find_spec("onnxruntime")):
    collect_ignore_glob.append("user_guide/deploy.rst")


@pytest.fixture(autouse=True)
def _in_empty_folder(tmp_path, monkeypatch):
    """Pages may write files, as the cache of a search."""
    monkeypatch.chdir(tmp_path)
