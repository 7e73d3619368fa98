"""Who called: the line a warning is for, and whether a search is fitting."""

import inspect
import warnings
from itertools import takewhile


def warn_caller(message: str, category: type[Warning]) -> None:
    """Warn where a method of ours was called from outside."""
    inner = ("sklearn_lai.", "sklearn.callback.")
    depth = sum(1 for _ in takewhile(lambda name: name.startswith(inner), _callers()))
    warnings.warn(message, category, stacklevel=1 + depth)


def is_inside_search() -> bool:
    """Whether scikit-learn's model selection is fitting: it would try the next one."""
    return any(name.startswith("sklearn.model_selection") for name in _callers())


def _callers() -> list[str]:
    """Names of the modules of the calls that led here, the innermost first."""
    names, frame = [], inspect.currentframe()
    while frame := frame and frame.f_back:
        names.append(frame.f_globals.get("__name__", ""))
    return names
