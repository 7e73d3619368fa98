"""Runs programs for a time, counts how they are judged and shrinks what is wrong."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, Phase, given, reject, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky
from oracle import Kind, Verdict, judge
from program import Program, Unprepared
from tidy import tidied

# Programs of one seed at most, and the seconds to shrink one fault.
EXAMPLES_OF_ROUND = 250
SHRINK_SECONDS = 10


class Enough(BaseException):
    """Ends a round, which hypothesis would go on with."""


class Fault(AssertionError):  # noqa: N818
    """What hypothesis shrinks."""


@dataclass
class Campaign:
    """Counts of an area, and the smallest program found for every fault.

    `seconds` are those of judging, without shrinking.
    """

    counts: Counter = field(default_factory=Counter)
    faults: dict[tuple, str] = field(default_factory=dict)
    seconds: float = 0.0

    def go(self, programs: st.SearchStrategy, seconds: float, first_seed: int) -> None:
        """Run rounds, each from a seed of its own, until the time is spent."""
        self._end, number = time.monotonic() + seconds, 0
        while time.monotonic() < self._end:
            self._round(programs, 1_000_003 * first_seed + number)
            number += 1

    def _round(self, programs: st.SearchStrategy, number: int) -> None:
        """Programs of a seed; the first fault that is new is shrunk and kept."""
        self._new: Verdict | None = None
        try:
            with_hypothesis(programs, number, self._visit)()
        except (Enough, Fault, Flaky):
            if self._new is not None:
                self._keep()

    def _visit(self, program: Program) -> None:
        try:
            is_fault = (
                self._count(program) if self._new is None else self._again(program)
            )
        except Unprepared:
            reject()
        if is_fault:  # in one place, by which hypothesis tells faults apart
            raise Fault

    def _count(self, program: Program) -> bool:
        """Judge a program; whether it has a fault that is new."""
        start = time.monotonic()
        if start > self._end:
            raise Enough
        verdict = judge(program)
        self.seconds += time.monotonic() - start
        self.counts[verdict.kind] += 1
        if verdict.kind is not Kind.ELSE or verdict.signature in self.faults:
            return False
        self._new, self._smallest = verdict, (program, verdict)
        self._shrink_until = time.monotonic() + SHRINK_SECONDS
        return True

    def _again(self, program: Program) -> bool:
        """Whether a program has the fault that is shrunk."""
        if time.monotonic() > self._shrink_until:
            raise Enough
        verdict = judge(program)
        if verdict.signature != self._new.signature:
            return False
        if len(_text(program, verdict)) <= len(_text(*self._smallest)):
            self._smallest = program, verdict
        return True

    def _keep(self) -> None:
        """Keep the new fault, by the smallest program that has it."""
        self.faults[self._new.signature] = _text(*tidied(*self._smallest))

    def __str__(self) -> str:
        return summary(self.by_kind(), self.seconds)

    def by_kind(self) -> list[int]:
        """Programs of each kind, in the order of `Kind`."""
        return [self.counts[kind] for kind in Kind]


def summary(by_kind: Sequence[int], seconds: float) -> str:
    """Counts in words."""
    n_programs = sum(by_kind)
    counts = (f"{n} {kind.value}" for n, kind in zip(by_kind, Kind, strict=True))
    rate = 60 * n_programs / max(seconds, 1e-9)
    return f"{n_programs} programs, {rate:.0f} a minute: {', '.join(counts)}"


def _text(program: Program, verdict: Verdict) -> str:
    return f"{program.text(verdict.n_steps)}\n# {verdict.fault}"


def with_hypothesis(
    programs: st.SearchStrategy, number: int, visit: Callable[[Program], None]
) -> Any:
    """A function that visits programs as hypothesis draws and shrinks them."""

    @seed(number)
    @settings(
        max_examples=EXAMPLES_OF_ROUND,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        print_blob=False,
    )
    @given(programs)
    def run(program: Program) -> None:
        visit(program)

    return run
