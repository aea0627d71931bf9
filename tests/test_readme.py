"""Every block of README.md runs as it stands: in a bare shell, in the environment that the page itself sets up."""

from __future__ import annotations

import contextlib
import doctest
import re
import site
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path
from typing import NamedTuple

import pytest

from mockserver.server import listen
from tests import pages
from tests.patience import HANGS

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "README.md").read_text("utf-8")
BARE_PATH = "/usr/bin:/bin"
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
FETCHED = {
    # What fetches something from the internet, and what is there afterwards.
    r"git clone https://github\.com/\S+/attendee-mockserver\.git": "mkdir attendee-mockserver",
    r"pip install -e '\.\[conformance\]'": "python -c 'import schemathesis'",
    r"pip install attendee-mockserver && ": "",
    r"(uvx|pipx run) attendee-mockserver": "attendee-mockserver",
}


class Block(NamedTuple):
    """A block of the page: its language, its text, and what it prints where the page says so."""

    language: str
    text: str
    printed: str | None


def blocks() -> list[Block]:
    found = re.findall(r"^```(sh|python)\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", PAGE, re.MULTILINE | re.DOTALL)
    return [Block(language, text, printed or None) for language, text, printed in found]


RUN = pages.blocks("README.md", "sh", "python")
"""Every block that a test below runs; the first test compares their number."""
SHELL = [block for block in blocks() if block.language == "sh"]
FIRST = [block for block in SHELL if block.text.startswith("# terminal 1")]
STARTS = [block for block in SHELL if block.text.startswith("uvx ")]
SECOND = [block for block in SHELL if block not in FIRST + STARTS]


def without_internet(text: str) -> str:
    for fetched, there in FETCHED.items():
        text = re.sub(fetched, lambda _, there=there: there, text)  # type: ignore[misc]
    return text


def test_the_page_has_the_blocks_that_are_run_here() -> None:
    assert (len(FIRST), len(STARTS)) == (1, 1)
    assert len(SECOND) >= 5
    assert len(blocks()) == len(RUN) == len(re.findall(r"^```(?!text)\w+$", PAGE, re.MULTILINE))
    prose = re.sub(r"^```.*?^```$", "", PAGE, flags=re.MULTILINE | re.DOTALL)
    assert not re.search(r"^( {4}|\t)", prose, re.MULTILINE), "a block without a fence would not be run"
    assert SECOND[0].text.startswith("# terminal 2")


def test_make_run_starts_the_command_of_the_virtual_environment() -> None:
    recipe = re.search(r"^run: .*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert recipe
    assert recipe[1] == "\t@$(BIN)/attendee-mock serve\n"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """What the clone is after `make run`: a folder with a virtual environment that has the mock and what it needs."""
    folder = tmp_path / "attendee-mockserver"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / ".venv"], check=True)
    python = folder / ".venv" / "bin" / "python"
    (packages,) = (folder / ".venv" / "lib").glob("python*/site-packages")
    (packages / "mock.pth").write_text("\n".join([str(ROOT), *site.getsitepackages()]), "utf-8")
    for script in distribution("attendee-mockserver").entry_points.select(group="console_scripts"):
        file = python.with_name(script.name)
        file.write_text(f"#!{python}\nfrom {script.module} import {script.attr}\n{script.attr}()\n", "utf-8")
        file.chmod(0o755)
    return folder


def bare(home: Path, **more: str) -> dict[str, str]:
    return {"PATH": BARE_PATH, "HOME": str(home), **more}


@contextlib.contextmanager
def served(script: str, folder: Path, **environment: str) -> Iterator[str]:
    """What a script prints that starts a mock; the mock ends with the block."""
    process = subprocess.Popen(
        ["/bin/sh", "-ec", script], cwd=folder, env=bare(folder, **environment), stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        printed = ""
        for line in process.stdout:
            printed += line
            if "Ctrl-C" in line:
                break
        yield printed
    finally:
        process.terminate()
        process.communicate(timeout=HANGS)


def test_every_line_runs_in_a_second_terminal(clone: Path) -> None:
    with listen("127.0.0.1", 0) as one, listen("127.0.0.1", 0) as two:
        ports = {"8000": str(one.getsockname()[1]), "9000": str(two.getsockname()[1])}

    def here(text: str) -> str:
        return re.sub(r"127\.0\.0\.1:(\d+)", lambda match: f"127.0.0.1:{ports[match[1]]}", text)

    first = without_internet(FIRST[0].text).replace("mkdir attendee-mockserver", f"cd {clone.parent}")
    assert first.endswith("\nmake run\n")
    start = first.replace("make run", "exec .venv/bin/attendee-mock serve")
    steps = "".join(f"echo '=== {n}'\n{here(without_internet(block.text))}\necho\n" for n, block in enumerate(SECOND))
    with served(start, clone.parent, ATTENDEE_MOCK_PORT=ports["8000"]) as banner:
        done = subprocess.run(
            ["/bin/sh", "-ec", steps],
            cwd=clone,
            env=bare(clone),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=HANGS,
        )
    assert done.returncode == 0, done.stdout
    said = re.split(r"^=== \d+\n", done.stdout, flags=re.MULTILINE)[1:]
    assert len(said) == len(SECOND)
    for block, output in zip(SECOND, said, strict=True):
        assert "Traceback" not in output
        if block.printed is not None:
            right = doctest.OutputChecker().check_output(here(block.printed), output, FLAGS)
            assert right, f"{block.text}\n{block.printed}\n{output}"
    exports = [line for line in SECOND[0].text.splitlines() if line.startswith("export ")]
    assert exports
    assert all(f"  {here(line)}\n" in banner for line in exports)
    assert f"  . {clone}/.venv/bin/activate\n" in banner


@pytest.mark.parametrize("line", STARTS[0].text.splitlines())
def test_every_way_without_a_clone_starts_the_mock(clone: Path, line: str) -> None:
    script = f"PATH={clone}/.venv/bin:$PATH\nexec {without_internet(line)}"
    with served(script, clone, ATTENDEE_MOCK_PORT="0") as printed:
        assert "attendee-mockserver is ready at http://127.0.0.1:" in printed


@pytest.mark.parametrize("block", [block for block in blocks() if block.language == "python"])
def test_a_program_of_the_page_prints_what_it_says(clone: Path, block: Block) -> None:
    program = clone / "program.py"
    program.write_text(block.text, "utf-8")
    python = clone / ".venv" / "bin" / "python"
    is_test = block.text.startswith("def test_")
    command = [str(python), *(("-m", "pytest", "-q", "-p", "attendee") if is_test else ()), str(program)]
    done = subprocess.run(
        command, cwd=clone, capture_output=True, text=True, env=bare(clone), check=False, timeout=HANGS
    )
    assert done.returncode == 0, done.stdout + done.stderr
    if is_test:
        assert "1 passed" in done.stdout
        return
    assert block.printed is not None
    assert doctest.OutputChecker().check_output(block.printed, done.stdout, FLAGS), done.stdout
