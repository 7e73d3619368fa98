"""Programs as text: what a fuzzed case is, so that the smallest can be pasted."""

import contextlib
import faulthandler
import io
import signal
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from warnings import WarningMessage

HEADER = """\
import copy, os, pickle, sys
from decimal import Decimal
from fractions import Fraction
import numpy as np, pandas as pd, polars as pl, torch
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.linear_model import LinearRegression
from sklearn.metrics import mean_absolute_error
from sklearn.model_selection import KFold
from sklearn_lai import *
from sklearn_lai.inspection import *
from sklearn_lai.loss import LaiLoss, input_gradient, lai_factor, lai_loss
from sklearn_lai.metrics import *
from sklearn_lai.model_selection import *
"""

# A case takes milliseconds; one that takes this long hangs.
MOST_SECONDS = 30


class Unprepared(Exception):  # noqa: N818
    """The lines that prepare do not go together."""


Check = Callable[[Mapping[str, Any], "Outcome"], str | None]


@dataclass(frozen=True)
class Step:
    """One call, which is judged.

    `names` are the arguments one of which an error has to name; `wrong` is what there
    must be an error for, if anything, and `last` says that after an error no further
    step of the program makes sense.
    `checks` tell what is wrong with the outcome of a call that worked, if anything.
    """

    code: str
    into: str | None = None
    names: frozenset[str] = frozenset()
    wrong: str = ""
    last: bool = False
    checks: tuple[Check, ...] = ()

    def __str__(self) -> str:
        return self.code if self.into is None else f"{self.into} = {self.code}"


@dataclass(frozen=True)
class Program:
    """Lines that prepare, and steps; `subject` is the class or function fuzzed."""

    subject: str
    setup: tuple[str, ...]
    steps: tuple[Step, ...]

    def text(self, n_steps: int) -> str:
        """The program up to a step, to be pasted after `HEADER`."""
        return "\n".join([*self.setup, *map(str, self.steps[:n_steps])])


@dataclass
class Outcome:
    """What a call did: its value, or the error, and the warnings."""

    value: Any = None
    error: BaseException | None = None
    warnings: list[WarningMessage] = field(default_factory=list)


def prepare(program: Program) -> dict[str, Any]:
    """Names after the lines that prepare."""
    names = dict(header())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            exec("\n".join(program.setup), names)
        except Exception as error:
            raise Unprepared from error
    return names


_HEADER: dict[str, Any] = {}


def header() -> dict[str, Any]:
    """Names that every program has."""
    if not _HEADER:
        exec(HEADER, _HEADER)
    return _HEADER


def run(step: Step, names: dict[str, Any]) -> Outcome:
    """Do a step."""
    outcome = Outcome()
    with (
        warnings.catch_warnings(record=True) as outcome.warnings,
        contextlib.redirect_stdout(io.StringIO()),
    ):
        warnings.simplefilter("always")
        try:
            with _time_limit():
                outcome.value = eval(compile(step.code, "<case>", "eval"), names)
        except Exception as error:
            outcome.error = error
        else:
            if step.into is not None:
                names[step.into] = outcome.value
    return outcome


@contextlib.contextmanager
def _time_limit() -> Iterator[None]:
    """Raise where a call hangs, on systems that have such a signal."""
    if not hasattr(signal, "setitimer"):
        yield
        return

    def stop(*_: Any) -> None:
        raise TimeoutError(f"takes longer than {MOST_SECONDS} seconds")

    # Where no Python runs, no signal is heard: there the process ends, with a trace.
    faulthandler.dump_traceback_later(10 * MOST_SECONDS, exit=True, file=sys.__stderr__)
    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, MOST_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        faulthandler.cancel_dump_traceback_later()
