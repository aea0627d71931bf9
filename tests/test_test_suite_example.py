"""The example of a test suite: 20 tests without a line of set-up pass, alone and with several workers."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import HANGS

pytest_plugins = ["pytester"]
FOLDER = Path(__file__).parent.parent / "examples" / "test_suite"
CASES = 22
"""Two of the tests have two cases."""


def test_the_example_passes(pytester: pytest.Pytester) -> None:
    shutil.copytree(FOLDER, pytester.path, dirs_exist_ok=True)
    pytester.runpytest_inprocess("-p", "no:cacheprovider").assert_outcomes(passed=CASES)


@pytest.mark.long
def test_the_example_passes_with_four_workers() -> None:
    keep_out = re.compile("COV|ATTENDEE|PYTEST")
    environment = {name: value for name, value in os.environ.items() if not keep_out.match(name)}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:schemathesis", "-n", "4"]
    done = subprocess.run(
        command, cwd=FOLDER, capture_output=True, text=True, timeout=HANGS, check=False, env=environment
    )
    assert done.returncode == 0, done.stdout
    assert re.search(rf"\b{CASES} passed in ", done.stdout)


def test_the_example_has_twenty_tests_and_an_empty_conftest() -> None:
    trees = [ast.parse(file.read_text("utf-8")) for file in sorted((FOLDER / "tests").glob("test_*.py"))]
    functions = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    assert len([one for one in functions if one.name.startswith("test_")]) == 20
    assert (FOLDER / "tests" / "conftest.py").read_bytes() == b""
