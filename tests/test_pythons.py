"""`make test-all` and `make test-newest` take the Pythons that run, and say which are missing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import pythons
from tests.pythons import NEWEST, OLDEST, Python

Fake = Callable[..., str]


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    """Writes an interpreter that says its version, or fails as pyenv's shims do."""

    def write(name: str, says: str = "", *, status: int = 0) -> str:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\necho {says}\nexit {status}\n", "utf-8")
        path.chmod(0o755)
        return str(path)

    return write


def environ(tmp_path: Path, *folders: str, given: str = "") -> dict[str, str]:
    return {"PATH": ":".join([*(str(tmp_path / folder) for folder in folders), "/bin"]), "PYTHONS": given}


def versions(found: list[Python]) -> list[str]:
    return [str(python) for python in found]


def test_a_python_that_only_seems_to_be_there_is_passed_over(fake: Fake, tmp_path: Path) -> None:
    fake("shims/python3.12", status=127)
    fake("shims/python3.13", "3.13.0", status=1)
    good = fake("bin/python3.12", "3.12.1")
    assert pythons.probed(fake("odd/python3.14", "nothing that is a version")) is None
    assert pythons.probed(str(tmp_path / "none")) is None
    found = [one for one in pythons.found(environ(tmp_path, "shims", "bin")) if str(tmp_path) in one.path]
    assert found == [Python((3, 12, 1), good)]


def test_what_the_user_names_comes_first_and_old_pythons_are_left_out(fake: Fake, tmp_path: Path) -> None:
    fake("bin/python3.12", "3.12.1")
    named, old = fake("own/py", "3.12.9"), fake("own/old", "3.10.4")
    found = pythons.found(environ(tmp_path, "bin", given=f"{named} {old}"))
    assert [one.path for one in found if one.version[1] == 12] == [named]
    assert all(one.version >= (3, 11) for one in found)


def test_what_pyenv_has_installed_is_found_though_its_shims_fail(fake: Fake, tmp_path: Path) -> None:
    fake("shims/python3.13", status=127)
    fake("shims/pyenv", str(tmp_path / "pyenv"))
    inner = fake("pyenv/versions/3.13.0/bin/python", "3.13.0")
    assert Python((3, 13, 0), inner) in pythons.found(environ(tmp_path, "shims"))


def test_the_newest_is_tested_only_where_it_is_newer_than_that_of_make_test(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran: list[tuple[Python, list[str]]] = []

    def tested(python: Python, tests: list[str]) -> str:
        ran.append((python, tests))
        return ""

    monkeypatch.setattr(pythons, "tested", tested)
    ours = Python(sys.version_info[:3], sys.executable)
    assert pythons.on_newest([ours], ["tests/x.py"]) == 0
    assert pythons.on_newest([], ["tests/x.py"]) == 0
    assert not ran
    assert f"Python {ours.minor} is the newest here" in capsys.readouterr().out
    newer = Python((3, 99, 0), "/python3.99")
    assert pythons.on_newest([ours, newer], ["tests/x.py"]) == 0
    assert ran == [(newer, ["tests/x.py"])]
    assert "not found" not in capsys.readouterr().out


def test_each_python_has_a_line_in_the_end_and_those_that_are_missing_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    some = [Python((3, 11, 7), "/a"), Python((3, 12, 1), "/b")]
    monkeypatch.setattr(pythons, "tested", lambda python, _: "pytest ended with exit status 1" * (python.path == "/b"))
    assert pythons.on_all(some, []) == 1
    lines = capsys.readouterr().out.splitlines()[-4:]
    assert lines[0].startswith("Python 3.11.7: passed (")
    assert lines[1].startswith("Python 3.12.1: FAILED: pytest ended with exit status 1 (")
    assert lines[2:] == ["Python 3.13: not found on this machine", "Python 3.14: not found on this machine"]
    assert pythons.on_all(some[:1], []) == 0
    assert pythons.on_all([], []) == 1


def test_the_environment_that_is_there_is_used_again() -> None:
    ours = Python(sys.version_info[:3], sys.executable)
    assert pythons.environment(ours) == Path(sys.prefix)
    assert pythons.environment(Python((3, 99, 0), "/python3.99")) == pythons.ROOT / ".venv-3.99"


def test_where_the_pins_have_no_wheels_the_newest_versions_are_installed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    called: list[list[str]] = []

    def run(command: list[object], **_: object) -> subprocess.CompletedProcess[str]:
        called.append([str(word) for word in command])
        (tmp_path / ".venv-3.99" / "bin").mkdir(parents=True, exist_ok=True)
        (tmp_path / ".venv-3.99" / "bin" / "python").touch()
        return subprocess.CompletedProcess([], int("constraints.txt" in called[-1]))

    for name in ("pyproject.toml", "constraints.txt"):
        (tmp_path / name).touch()
    monkeypatch.setattr(pythons, "ROOT", tmp_path)
    monkeypatch.setattr(subprocess, "run", run)
    python = Python((3, 99, 0), "/python3.99")
    assert pythons.installed(python) == str(tmp_path / ".venv-3.99" / "bin" / "python")
    assert called[0][:3] == ["/python3.99", "-m", "venv"]
    assert ["constraints.txt" in one for one in called] == [False, True, False]
    assert "does not fit Python 3.99.0" in capsys.readouterr().out
    pythons.installed(python)
    assert len(called) == 3


def test_what_ci_covers_is_what_is_claimed() -> None:
    workflow = (pythons.ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8")
    matrix = ", ".join(f'"3.{minor}"' for minor in range(OLDEST, NEWEST + 1))
    assert f"python: [{matrix}]" in workflow
    assert f'requires-python = ">=3.{OLDEST}"' in (pythons.ROOT / "pyproject.toml").read_text("utf-8")
