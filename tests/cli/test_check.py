"""The commands: what they say, and with which exit status."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mockserver.cli.main import cli
from mockserver.conformance.registry import all_rules
from mockserver.conformance.targets import HttpTarget
from mockserver.conformance.transport import Keys
from mockserver.server import running
from tests.clients import ACME
from tests.mutants.table import new_mock, served

PATIENT = ("--time-budget", "10m")
"""Runs that only read end after their last request; the time is there to end one that hangs."""


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
        done = run("check", server.url, "--only", "page-*", *PATIENT, "--read-only")
    assert done.exit_code == 0, done.output


def test_quick_and_thorough_are_time_budgets_of_which_one_can_be_given() -> None:
    done = run("check", "http://127.0.0.1:1", "--quick", "--thorough")
    assert done.exit_code == 2
    assert "give one of them" in done.output


def test_a_finding_is_1_until_it_is_known(tmp_path: Path) -> None:
    known = tmp_path / "known.yaml"
    operations = ("listCalendars", "listCalendarEvents", "getCalendar")
    known.write_text(
        "".join(f"- {{rule: www-authenticate, operation: {name}, reason: a proxy}}\n" for name in operations)
    )
    with running(mock=served("401-without-www-authenticate")) as server:
        given = (
            "check",
            server.url,
            *PATIENT,
            "--max-requests",
            "250",
            "--read-only",
            "--only",
            "www-authenticate",
            "--only",
            "key-*",
        )
        new, old = run(*given), run(*given, "--known", str(known))
    assert new.exit_code == 1, new.output
    assert "www-authenticate (medium)" in new.output
    assert old.exit_code != 1, old.output


def test_a_refused_key_is_2() -> None:
    with running(mock=new_mock()) as server:
        done = run("check", server.url, key="wrong")
    assert "rejects the API key" in done.output


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://127.0.0.1:9", "does not answer"),
        ("https://app.attendee.dev", "production host"),
        ("ftp://staging", "not the URL of a deployment"),
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
    code = "import sys, mockserver.cli.main; print([name for name in sys.modules if 'conformance' in name])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    assert done.stdout.strip() == "[]"


def test_findings_are_written_replayed_and_reported(tmp_path: Path) -> None:
    files = [f"{form}={tmp_path / form}" for form in ("junit", "html", "json", "sarif")]
    given = ["--read-only", *PATIENT, "--only", "page-first", "--findings", str(tmp_path / "found")]
    for form in files:
        given += ["--report", form]
    with running(mock=served("first-page-has-previous")) as server, running(mock=new_mock()) as good:
        done = run("check", server.url, *given, "--report", "github")
        assert done.exit_code == 1, done.output
        assert done.output.count("::error") == 1
        assert "of the same cause: page-first listCalendarEvents" in done.output
        assert all((tmp_path / form).stat().st_size for form in ("junit", "html", "json", "sarif"))
        (recipe, *_) = sorted((tmp_path / "found").glob("*.json"))
        again, mended = run("replay", str(recipe), server.url), run("replay", str(recipe), good.url)
    assert (again.exit_code, mended.exit_code) == (1, 0), again.output + mended.output
    assert "shows" in again.output
    assert "gone" in mended.output


def test_every_command_prints_json_too(tmp_path: Path) -> None:
    rules = json.loads(run("rules", "page-*", "--format", "json").stdout)
    assert {"id", "part", "severity", "sentence", "source", "needs"} == rules[0].keys()
    given = ["--read-only", "--time-budget", "20s", "--only", "page-first", "--findings", str(tmp_path / "found")]
    with running(mock=served("first-page-has-previous")) as server:
        done = run("check", server.url, *given, "--format", "json", "--report", f"junit={tmp_path / 'junit'}")
        assert (done.exit_code, json.loads(done.stdout)["findings"][0]["rule"]) == (1, "page-first")
        assert (tmp_path / "junit").stat().st_size
        (recipe, *_) = sorted((tmp_path / "found").glob("*.json"))
        again = run("replay", str(recipe), server.url, "--format", "json")
        assert (again.exit_code, json.loads(again.stdout)["status"]) == (1, 1)
        left = json.loads(run("cleanup", server.url, "--format", "json").stdout)
    assert left["left"] == []


def test_a_report_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with running(mock=new_mock()) as server:
        given = ("--read-only", *PATIENT, "--only", "page-first", "--report", f"json={tmp_path}/none/x")
        done = run("check", server.url, *given)
    assert done.exit_code == 1
    assert "cannot write" in done.output


def test_what_a_killed_run_left_is_taken_away(tmp_path: Path) -> None:
    fields = {"platform": "google", "client_id": "x", "client_secret": "y", "refresh_token": "z"}
    with running(mock=new_mock()) as server:
        folder = tmp_path / ".attendee-conformance"
        with HttpTarget(server.url, Keys(ACME), folder=folder) as killed:
            made = killed.send("POST", "/api/v1/calendars", json=fields).json["id"]
        done = run("cleanup", server.url)
        assert (done.exit_code, "1 calendars of run" in done.output) == (0, True), done.output
        with HttpTarget(server.url, Keys(ACME)) as later:
            assert later.send("GET", f"/api/v1/calendars/{made}").status == 404
        assert not list(folder.glob("*"))
        assert "there is nothing to delete" in run("cleanup", server.url).output
        assert run("cleanup", server.url, "--ledger", str(tmp_path / "none")).exit_code != 0


def test_a_file_that_is_no_finding_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{}")
    with running(mock=new_mock()) as server:
        done = run("replay", str(tmp_path / "x.json"), server.url)
    assert done.exit_code == 1
    assert "neither a finding" in done.output


def test_rules_tell_what_they_stand_on() -> None:
    assert "source: " in run("rules", "--long", "vary").output


QUICK = ("--read-only", "--only", "page-first", "--max-requests", "150")


def test_known_findings_are_written_and_removed_by_the_command(tmp_path: Path) -> None:
    known = tmp_path / "known.yaml"
    with running(mock=served("first-page-has-previous")) as server:
        given = ("check", server.url, *QUICK, "--known", str(known))
        first = run(*given, "--known-update", "--known-expires", "2099-01-31")
        text = known.read_text("utf-8")
        second = run(*given)
    assert "2 entries added; write into each why it may stay" in first.output
    assert "2 known" in first.output
    assert (text.count("rule: page-first"), text.count("expires: 2099-01-31")) == (2, 2)
    assert "2 known" in second.output
    assert first.exit_code == second.exit_code != 1
    with running(mock=new_mock()) as server:
        run("check", server.url, *QUICK, "--known", str(known), "--known-prune")
    assert known.read_text("utf-8") == text, "a run with --only cannot say that an entry is of no use"


def test_known_update_needs_a_file() -> None:
    done = run("check", "http://127.0.0.1:9", "--known-update")
    assert done.exit_code == 2
    assert "add --known FILE" in done.output


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("--report-at", "/etc/passwd"), "is not a file of the repository"),
        (("--report-at", "a/../../b:3"), "is not a file of the repository"),
        (("--known-expires", "soon"), "is neither a date like 2027-03-31 nor days like 90d"),
        (("--report", "pdf"), "is none of terminal, markdown"),
        (("--header", "X-Key"), "is not a header; write it as 'Name: value'"),
        (("--proxy", "socks5://x"), "--proxy: 'socks5://x' cannot be used; write http://host:port"),
        (("--client-key", "x"), "--client-key needs --client-cert"),
    ],
)
def test_options_that_make_no_sense_are_told(given: tuple[str, ...], told: str) -> None:
    assert told in run("check", "https://127.0.0.1:9", *given).output


def test_reports_go_where_they_are_wanted(tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("# before\n")
    with running(mock=served("first-page-has-previous")) as server:
        forms = ("--report", "github", "--report", f"markdown={summary}", "--report-at", "deploy/staging.yaml:7")
        done = run("check", server.url, *QUICK, *forms)
        plain = run("check", server.url, *QUICK, "--findings", str(tmp_path / "found"))
        verbose = run("check", server.url, *QUICK, "--verbose")
    assert "::error file=deploy/staging.yaml,line=7,title=page-first" in done.output
    assert summary.read_text("utf-8").startswith("# before\n## ❌ Conformance of")
    (line,) = [line for line in plain.output.splitlines() if line.startswith("1. ")]
    assert Path(line.rpartition(" -> ")[2]).exists()
    assert "curl -i -sS" not in plain.output
    assert "curl -i -sS" in verbose.output


def test_the_settings_of_a_project_are_used(tmp_path: Path) -> None:
    with running(mock=new_mock()) as server:
        (tmp_path / "attendee-mock.toml").write_text(f'url = "{server.url}"\nread-only = true\nmax-requests = 9\n')
        assert "all 9 requests were sent" in run("check").output
        assert run("cleanup").exit_code == 0


def test_a_log_says_how_far_the_run_is() -> None:
    with running(mock=new_mock()) as server:
        done = run("check", server.url, *QUICK)
    assert "rules tested, " in done.stderr
