"""Every recipe does what it says: its files are taken from the page and run as a reader would run them."""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import pages
from tests.patience import HANGS

PAGES = Path(__file__).parent.parent / "docs" / "recipes"
FILE = re.compile(r"^```\w+\n(?:#|//) (\S+\.\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LONG = pytest.mark.long
PYTHON = {
    "test_with_requests.py": "requests",
    "test_with_httpx.py": "httpx",
    "test_with_aiohttp.py": "aiohttp",
    "test_flask_receiver.py": "flask",
    "test_fastapi_receiver.py": "fastapi",
    "test_django_receiver.py": "django",
}
"""Each file, and the library that it needs."""
RUN = [
    block
    for page in sorted(PAGES.glob("*.md"))
    for block in pages.blocks(f"docs/recipes/{page.name}")
    if FILE.match(f"```{block.language}\n{block.text}```") or block.language == "sh"
]
"""Every file of the pages, and the commands that run those of Node and Java."""
CLIENTS = list(PYTHON)[:3]


def files() -> dict[str, str]:
    """The files in all pages, by their names."""
    return {name: text for page in sorted(PAGES.glob("*.md")) for name, text in FILE.findall(page.read_text("utf-8"))}


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Runs a command in a folder, where `attendee-mock` is that of this environment."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    environment = {**os.environ, "PATH": path}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=HANGS, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def command(page: str) -> list[str]:
    """The command that a page gives to run its file."""
    (block,) = pages.blocks(f"docs/recipes/{page}", "sh")
    return shlex.split(block.text)


def pytest_run(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).write_text(files()[name], encoding="utf-8")
    done = run(folder, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *names)
    count = sum(files()[name].count("\ndef test_") for name in names)
    assert f"{count} passed" in done.stdout


def test_the_pages_have_exactly_these_files() -> None:
    assert files().keys() == {*PYTHON, "attendee.test.mjs", "Recipe.java"}


def test_the_python_clients_work(tmp_path: Path) -> None:
    pytest_run(tmp_path, *CLIENTS)


@LONG
@pytest.mark.parametrize("name", [name for name in PYTHON if name not in CLIENTS])
def test_a_python_receiver_works(tmp_path: Path, name: str) -> None:
    if importlib.util.find_spec(PYTHON[name]) is None:
        pytest.skip(f"{PYTHON[name]} is not installed; pip install {PYTHON[name]}")
    pytest_run(tmp_path, name)


@LONG
def test_the_node_recipe_works(tmp_path: Path) -> None:
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    (tmp_path / "attendee.test.mjs").write_text(files()["attendee.test.mjs"], encoding="utf-8")
    assert re.search(r"^(#|ℹ) pass 2$", run(tmp_path, *command("node.md")).stdout, re.MULTILINE)


@LONG
def test_the_java_recipe_works(tmp_path: Path) -> None:
    if shutil.which("java") is None:
        pytest.skip("java is not installed")
    (tmp_path / "Recipe.java").write_text(files()["Recipe.java"], encoding="utf-8")
    assert run(tmp_path, *command("java.md")).stdout.startswith("2 pages of events of cal_")


def test_what_was_not_run_says_so() -> None:
    page = (PAGES / "other-languages.md").read_text("utf-8")
    assert page.splitlines()[2].startswith("**This page was not run**")
    for language in ("go", "ruby", "php"):
        assert f"```{language}\n" in page
