"""The modules of the package, as the contracts of setup.cfg order and confine them.

The contracts are those of import-linter; what a module holds is the first line of its
docstring. Nothing is imported. Sphinx calls `write_page`, so that a page can include
``generated/modules.rst``, and ``figures/layers.py`` draws the layers.
"""

import ast
import re
from configparser import ConfigParser, SectionProxy
from pathlib import Path
from pkgutil import iter_modules

DOCS = Path(__file__).parent
ROOT = DOCS.parent
PACKAGE = "sklearn_lai"
LIBRARIES = {"sklearn": "scikit-learn", "torch": "torch"}


def contracts(kind: str) -> list[SectionProxy]:
    """The contracts of a type, such as 'layers' or 'forbidden'."""
    config = ConfigParser()
    config.read(ROOT / "setup.cfg")
    return [section for section in config.values() if section.get("type") == kind]


def layers(package: str = PACKAGE) -> list[list[str]]:
    """The modules of each layer, from the top; none if the package has no contract."""
    for contract in contracts("layers"):
        if package in contract.get("containers", "").split():
            rows = contract["layers"].strip().splitlines()
            names = [re.findall(r"\w+", row) for row in rows]
            return [[f"{package}.{name}" for name in row] for row in names]
    return []


def source(module: str) -> Path:
    """The file of a module; that of a folder is its ``__init__.py``."""
    path = ROOT.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def inner(module: str) -> list[str]:
    """The modules of a folder, by layer if it has some, else by name."""
    if source(module).name != "__init__.py":
        return []
    order = [name for layer in layers(module) for name in layer]
    files = iter_modules([str(source(module).parent)])
    found = [f"{module}.{file.name}" for file in files]
    return sorted(found, key=lambda n: order.index(n) if n in order else len(order))


def summary(module: str) -> str:
    """The first line of a module's docstring."""
    docstring = ast.get_docstring(ast.parse(source(module).read_text("utf-8")))
    return docstring.splitlines()[0].rstrip(".")


def knows(module: str) -> list[str]:
    """The libraries that a module may import, itself or through others."""
    barred = set()
    for contract in contracts("forbidden"):
        for pattern in contract["source_modules"].split():
            regex = re.escape(pattern).replace(r"\*\*", ".+").replace(r"\*", r"[^.]+")
            if re.fullmatch(rf"{regex}(\..+)?", module):
                barred |= set(contract["forbidden_modules"].split())
    allowed = {name for name in LIBRARIES if name not in barred}
    if inner(module):
        allowed &= {name for part in inner(module) for name in knows(part)}
    return [name for name in LIBRARIES if name in allowed]


def label(module: str) -> str:
    """The name within the package; that of a folder ends with a slash."""
    name = module.removeprefix(f"{PACKAGE}.")
    return f"{name}/" if inner(module) else name


def write_page() -> None:
    """Every module, what it holds and what it may import, as a table to include."""
    lines = [
        ".. list-table::",
        "   :header-rows: 1",
        "   :class: modules",
        "",
        "   * - module",
        "     - what it holds",
        "     - may import",
    ]
    modules = [module for layer in layers() for module in layer]
    for module in [name for top in modules for name in (top, *inner(top))]:
        libraries = ", ".join(LIBRARIES[name] for name in knows(module)) or "neither"
        lines += [
            f"   * - ``{label(module)}``",
            f"     - {summary(module)}",
            f"     - {libraries}",
        ]
    folder = DOCS / "generated"
    folder.mkdir(exist_ok=True)
    (folder / "modules.rst").write_text("\n".join(lines) + "\n", "utf-8")
