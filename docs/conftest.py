"""Doctests of the pages: ``pytest --doctest-glob='*.rst' docs``."""

from importlib.util import find_spec

import pytest

collect_ignore_glob = ["*.py", "_build", "_ext", "api", "auto_examples", "figures"]

# Pages that need libraries of the extra `interop`.
NEEDS = {
    "cluster.rst": ("distributed",),
    "deploy.rst": ("skops", "skl2onnx", "onnxruntime"),
    "combine.rst": ("optuna", "mapie", "shap", "mlflow"),
}
for page, libraries in NEEDS.items():
    if not all(map(find_spec, libraries)):
        collect_ignore_glob.append(f"user_guide/{page}")


def pytest_collection_modifyitems(items):
    """Other libraries warn of each other there."""
    for item in items:
        if item.path.name in NEEDS:
            item.add_marker(pytest.mark.filterwarnings("ignore"))


@pytest.fixture(autouse=True)
def _in_empty_folder(tmp_path, monkeypatch):
    """Pages may write files, as the cache of a search."""
    monkeypatch.chdir(tmp_path)
