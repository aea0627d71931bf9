"""The commands: what they say, and with which exit status."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mockserver.cli import cli
from mockserver.conformance.parts import all_rules
from mockserver.server import running
from tests.clients import ACME
from tests.mutants.table import new_mock, served


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*arguments: str, key: str = ACME) -> Result:
    return CliRunner().invoke(cli, list(arguments), env={"ATTENDEE_API_KEY": key, "ATTENDEE_OTHER_API_KEY": ""})


def test_rules_lists_every_rule() -> None:
    told = run("rules").output
    assert len(told.splitlines()) == len(all_rules())


def test_rules_takes_patterns() -> None:
    assert all(line.startswith("page-") for line in run("rules", "page-*").output.splitlines())
    assert "no rule is called nothing" in run("rules", "nothing").output


def test_a_check_that_finds_nothing_is_0() -> None:
    with running(mock=new_mock()) as server:
        done = run("check", server.url, "--only", "allow", "--only", "key-*", "--time-budget", "20s", "--read-only")
    assert done.exit_code == 0, done.output


def test_a_finding_is_1_until_it_is_known(tmp_path: Path) -> None:
    known = tmp_path / "known.yaml"
    operations = ("listCalendars", "listCalendarEvents", "getCalendar")
    known.write_text(
        "".join(f"- {{rule: www-authenticate, operation: {name}, reason: a proxy}}\n" for name in operations)
    )
    with running(mock=served("headers/H3")) as server:
        given = ("check", server.url, "--time-budget", "6s", "--read-only", "--only", "www-authenticate")
        new, old = run(*given), run(*given, "--known", str(known))
    assert new.exit_code == 1, new.output
    assert "www-authenticate (medium)" in new.output
    assert old.exit_code != 1, old.output


def test_a_refused_key_is_2() -> None:
    with running(mock=new_mock()) as server:
        done = run("check", server.url, key="wrong")
    assert "refused" in done.output


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://127.0.0.1:9", "nothing answers"),
        ("https://app.attendee.dev", "production host"),
        ("ftp://staging", "no URL"),
    ],
)
def test_what_cannot_be_tested_is_told(url: str, told: str) -> None:
    assert told in run("check", url).output


def test_mistakes_are_exit_status_2() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mockserver", "check", "ftp://staging", "--token", "x"],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1


def test_serving_loads_nothing_of_the_judge() -> None:
    code = "import sys, mockserver.cli; print([name for name in sys.modules if 'conformance' in name])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    assert done.stdout.strip() == "[]"
