"""The README's snippet prints what the README says."""

import contextlib
import io
import re
from pathlib import Path

import pytest

README = Path(__file__).parents[1] / "README.md"
NUMBER = r"\d+\.\d+"


@pytest.mark.skipif(not README.exists(), reason="the tests are installed alone")
def test_the_snippet_prints_its_output():
    blocks = re.search(
        r"```python\n(.*?)```\n+```text\n(.*?)```", README.read_text(), re.DOTALL
    )
    snippet, output = blocks.groups()
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(snippet, {})
    found, said = printed.getvalue(), output
    assert re.sub(NUMBER, "", found) == re.sub(NUMBER, "", said)
    numbers = [list(map(float, re.findall(NUMBER, text))) for text in (found, said)]
    assert numbers[0] == pytest.approx(numbers[1], rel=0.01)
