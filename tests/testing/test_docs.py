"""The page about the pytest plugin: every program on it runs, and the failure that it shows is what pytest prints."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.pages import blocks

pytest_plugins = ["pytester"]
PAGE = (Path(__file__).parents[2] / "docs" / "pytest.md").read_text("utf-8")
RUN = blocks("docs/pytest.md", "python")
"""Every program that a test below runs."""
PROGRAMS = re.findall(r"```python\n(.*?)```\n", PAGE, re.DOTALL)
FAILING = next(program for program in PROGRAMS if "It has a bug" in program)
VARIABLE = ((r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"), (r"\d\d\d\d-\d\d-\d\dT[\d:.]+Z", "TIME"))


def run(pytester: pytest.Pytester, program: str) -> pytest.RunResult:
    pytester.makepyfile(test_page=program)
    return pytester.runpytest_inprocess("-p", "no:cacheprovider", "-W", "error")


def test_every_program_of_the_page_passes(pytester: pytest.Pytester) -> None:
    passing = [program for program in PROGRAMS if program != FAILING]
    for number, program in enumerate(passing):
        pytester.makepyfile(**{f"test_{number}": program})
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-W", "error")
    outcomes = result.parseoutcomes()
    assert outcomes.keys() == {"passed"}
    assert outcomes["passed"] >= len(passing) > 6


def test_the_failure_on_the_page_is_what_pytest_prints(pytester: pytest.Pytester) -> None:
    printed = "\n".join(run(pytester, FAILING).outlines)
    start, end = printed.index("E       AssertionError"), printed.index("\n====", printed.index("- Attendee -"))
    shown = re.sub(r"\n-+ Attendee -+\n", "\n---- Attendee ----\n", printed[start:end])
    for pattern, plain in VARIABLE:
        shown = re.sub(pattern, plain, shown)
    expected = next(block for block in re.findall(r"```text\n(.*?)\n```", PAGE, re.DOTALL))
    assert shown == expected
