"""Leaves out of a program what its fault does not need."""

import ast
from collections.abc import Iterator
from dataclasses import replace

from oracle import Verdict, judge
from program import Program, Unprepared


def tidied(program: Program, verdict: Verdict) -> tuple[Program, Verdict]:
    """A program with the same fault, and fewer lines and arguments."""
    program = replace(program, steps=program.steps[: verdict.n_steps])
    while shorter := _first_with(verdict, _shorter(program)):
        program, verdict = shorter
    return program, verdict


def _first_with(
    verdict: Verdict, programs: Iterator[Program]
) -> tuple[Program, Verdict] | None:
    """The first of the programs that has the fault of a verdict."""
    for program in programs:
        try:
            found = judge(program)
        except Unprepared:
            continue
        if found.signature == verdict.signature:
            return program, found
    return None


def _shorter(program: Program) -> Iterator[Program]:
    """Programs without one of the lines, or one of the keywords of a call."""
    wrong = " ".join(step.wrong for step in program.steps)
    for place in reversed(range(len(program.steps))):
        before, step, after = _split(program.steps, place)
        yield replace(program, steps=before + after)
        for code in _with_fewer_keywords(step.code, wrong):
            yield replace(program, steps=(*before, replace(step, code=code), *after))
    for place in reversed(range(len(program.setup))):
        before, line, after = _split(program.setup, place)
        if line not in wrong:
            yield replace(program, setup=before + after)


def _split(items: tuple, place: int) -> tuple:
    return items[:place], items[place], items[place + 1 :]


def _with_fewer_keywords(code: str, wrong: str) -> Iterator[str]:
    """The code without one of its keywords, but for what there must be an error."""
    tree = ast.parse(code, mode="eval")
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            for keyword in [k for k in node.keywords if f"{k.arg}=" not in wrong]:
                place = node.keywords.index(keyword)
                node.keywords.pop(place)
                yield ast.unparse(tree)
                node.keywords.insert(place, keyword)
