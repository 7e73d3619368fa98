"""Judges a program: right and finite, a clear error, or anything else."""

import contextlib
import io
import re
import traceback
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from program import Outcome, Program, Step, prepare, run
from sklearn.exceptions import (
    ConvergenceWarning,
    DataConversionWarning,
    NotFittedError,
    UndefinedMetricWarning,
)


class Kind(Enum):
    """What came of a program."""

    RIGHT = "right and finite"
    ERROR = "clear error that names the argument"
    ELSE = "anything else"


@dataclass(frozen=True)
class Verdict:
    """How a program is judged; `signature` is the same for faults of one cause."""

    kind: Kind
    fault: str = ""
    n_steps: int = 0
    signature: tuple = ()


# Subclasses, such as LinAlgError, come from code that did not expect the input.
CLEAR_ERRORS = (
    AttributeError,
    NotFittedError,
    TypeError,
    ValueError,
)
OUR_WARNINGS = (ConvergenceWarning, DataConversionWarning, UserWarning)
WARNINGS = (*OUR_WARNINGS, UndefinedMetricWarning)
# Messages of scikit-learn and NumPy about data that users know from everywhere, though
# they do not name it; the design has them as they are.
KNOWN_MESSAGES = re.compile(
    "could not convert string to float|Complex data not supported|Found array with|"
    "Expected 2D array|Sparse data was passed|inconsistent numbers of samples|"
    "Found unknown categories|is not fitted yet|Singleton array|"
    "arrays of bytes/strings|setting an array element with a sequence|"
    "requires y to be passed|feature names should match|"
    "Feature names are only supported|have different number of output"
)
# How words of scikit-learn's messages begin that are about what we fuzz.
MISUNDERSTOOD = re.compile(
    "truth value .* is ambiguous|unsupported operand|must be real"
)


def judge(program: Program) -> Verdict:
    """Run a program and judge its steps, until one is at fault."""
    names = prepare(program)
    kind = Kind.RIGHT
    for number, step in enumerate(program.steps, start=1):
        before = _state(names.get("model"))
        outcome = run(step, names)
        fault, where = _fault(step, outcome, names)
        if not fault and outcome.error is not None:
            kind = Kind.ERROR
            if _state(names.get("model")) != before:
                fault = "a call that failed changed the model"
        if fault:
            head = re.split(r"names none|[:\d\[]", fault)[0]
            signature = (head.strip(), where or program.subject)
            return Verdict(Kind.ELSE, fault, number, signature)
        if outcome.error is not None and step.last:
            break
    return Verdict(kind)


def _fault(step: Step, outcome: Outcome, names: Mapping[str, Any]) -> tuple[str, str]:
    """What is wrong with an outcome, and where it comes from; empty if nothing is."""
    if outcome.error is not None:
        return _fault_of_error(step, outcome.error), _origin(outcome.error)
    for warning in outcome.warnings:
        if not _is_ours(warning):
            message = str(warning.message).splitlines()[0]
            return (
                f"{warning.category.__name__}: {message}",
                Path(warning.filename).name,
            )
    if step.wrong:
        return f"wrong, but accepted: {step.wrong}", step.wrong
    for check in step.checks:
        with contextlib.redirect_stdout(io.StringIO()):
            fault = check(names, outcome)
        if fault:
            return fault, check.__name__
    return "", ""


def _fault_of_error(step: Step, error: BaseException) -> str:
    message = str(error)
    said = f"{type(error).__name__}: {message}"
    if not _is_expected(error):
        return said
    if isinstance(error, NotFittedError):
        return ""
    is_named = any(
        re.search(rf"(?<!\w){re.escape(name)}(?!\w)", message) for name in step.names
    )
    if KNOWN_MESSAGES.search(message) and not MISUNDERSTOOD.search(message):
        return ""
    if is_named and not MISUNDERSTOOD.search(message):
        return ""
    some = ", ".join(sorted(step.names)[:5])
    return f"error names none of {some}{' ...' * (len(step.names) > 5)}: {said}"


def _is_expected(error: BaseException) -> bool:
    """Whether its type is one that says that an argument is wrong."""
    is_of_scikit_learn = isinstance(error, TypeError) and isinstance(error, ValueError)
    is_own = type(error).__module__.startswith("sklearn_lai")
    return type(error) in CLEAR_ERRORS or is_own or is_of_scikit_learn


def _is_ours(warning: warnings.WarningMessage) -> bool:
    """Whether it is one that users are to get, not one of numerics underneath."""
    parts = Path(warning.filename).parts
    return warning.category in WARNINGS and not {"torch", "numpy"} & set(parts)


def warned(outcome: Outcome) -> bool:
    """Whether the user was told something."""
    return any(warning.category in OUR_WARNINGS for warning in outcome.warnings)


def _origin(error: BaseException) -> str:
    """The innermost function of ours in a traceback."""
    frames = [
        f"{Path(frame.filename).name}:{frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)
        if "sklearn_lai" in Path(frame.filename).parts
    ]
    return f"{type(error).__name__} in {frames[-1]}" if frames else ""


def _state(model: Any) -> Any:
    """What must not change when a call fails: all attributes, and what they hold."""
    if not hasattr(model, "get_params"):
        return None
    return {name: (id(value), _content(value)) for name, value in vars(model).items()}


def _content(value: Any) -> Any:
    if type(value) is np.ndarray:
        return value.tobytes() if value.dtype != object else repr(value)
    if isinstance(value, list | tuple):
        return [_content(item) for item in value]
    return value if isinstance(value, int | float | str) and value == value else None


def is_finite(value: Any) -> bool:
    """Whether all numbers in a result are, NaN included only in what is no number."""
    if isinstance(value, torch.Tensor):
        return bool(value.isfinite().all())
    if isinstance(value, pd.Series | pd.DataFrame):
        value = value.to_numpy()
    if isinstance(value, tuple | list):
        return all(map(is_finite, value))
    if isinstance(value, np.ndarray | float | np.floating):
        return bool(np.isfinite(value).all())
    return True


def finite(names: Mapping[str, Any], outcome: Outcome) -> str | None:
    """All numbers of the result are finite."""
    return None if is_finite(outcome.value) else "the result is not finite"
