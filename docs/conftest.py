"""Doctests of the pages: ``pytest --doctest-glob='*.rst' docs``."""

import pytest

collect_ignore_glob = ["*.py", "_build", "_ext", "api", "auto_examples", "figures"]


@pytest.fixture(autouse=True)
def _in_empty_folder(tmp_path, monkeypatch):
    """Pages may write files, as the cache of a search."""
    monkeypatch.chdir(tmp_path)
