"""The commands against a running mock: what they refuse is said in options and commands, never in headers and paths."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mockserver.cli.main import main
from mockserver.server import running
from mockserver.settings import Settings

Run = Callable[..., tuple[int, str, str]]
KEY = "--token YOUR_API_KEY_HERE"
HTTP = re.compile(r"header|Authorization|X-Control-Token|/__mock__|/api/v1|Content-Type|[?&]\w+=|body")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Runs a command line against a mock; gives the exit status, the data and the messages."""
    for name in ("ATTENDEE_API_KEY", "ATTENDEE_MOCK_CONTROL_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with running() as server:
        monkeypatch.setenv("ATTENDEE_BASE_URL", server.url)

        def steer(line: str) -> tuple[int, str, str]:
            with pytest.raises(SystemExit) as ended:
                main(shlex.split(line))
            printed = capsys.readouterr()
            return int(str(ended.value.code)), printed.out, printed.err

        yield steer


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("clock", "--token KEY (or ATTENDEE_API_KEY), or --project NAME"),
        ("clock --token nope", "--token"),
        ("clock --token 'two words'", "--token"),
        ("clock --project nope", "Demo, Other tenant"),
        (f"clock {KEY} --project 'Other tenant'", "only one of them"),
        (f"clock set never {KEY}", "TO: is not a time"),
        (f"clock advance far {KEY}", "BY: is not a span"),
        (f"events list nope {KEY}", "attendee-mock calendars lists them"),
        (f"events cancel user-abcd nope {KEY}", "attendee-mock events list CALENDAR"),
        (f"events add user-abcd --start 2h --end 1h {KEY}", "--end: "),
        (f"events add user-abcd --start soon {KEY}", "--start: "),
        (f"fail user-abcd nope {KEY}", "FAILURE: "),
        (f"fail user-abcd slow --seconds 99999 {KEY}", "--seconds: "),
        (f"subscriptions add ftp://x {KEY}", "ENDPOINT: "),
        (f"subscriptions add http://x --trigger x {KEY}", "--trigger: "),
        (f"subscriptions disable x {KEY}", "ID: "),
        (f"deliveries list --trigger x {KEY}", "--trigger: "),
        (f"deliveries list --wait x {KEY}", "--wait: "),
        (f"deliveries show x {KEY}", "KEY: "),
        (f"faults add nope {KEY}", "KIND: "),
        (f"faults add delay --seconds 9999 {KEY}", "--seconds: "),
        (f"faults add status --retry-after 1 {KEY}", "this kind of fault takes no --retry-after"),
        (f"faults remove nope {KEY}", "NAME: "),
        (f"requests list --status 9 {KEY}", "--status: "),
        (f"requests list --limit 5000 {KEY}", "--limit: "),
        ("requests show 999", "NUMBER: there is no entry 999"),
        ("explain 999", "REQUEST: there is no entry 999"),
        (f"snapshots restore x {KEY}", "ID: "),
        ("projects create --name Demo", "--name: "),
        ("projects create --webhook ftp://x", "--webhook: "),
        (f"events add user-abcd --start 1h --attendee '\0' {KEY}", "--attendee: "),
        ("projects delete --project Demo", "Demo is a project of the fixtures"),
    ],
)
def test_what_the_mock_refuses_is_said_in_the_words_of_the_command_line(run: Run, line: str, said: str) -> None:
    status, out, err = run(line)
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert said in err
    assert not HTTP.search(err)


def test_a_missing_control_token_is_said_as_an_option(run: Run) -> None:
    with running(Settings(control_token="a-token-of-mine"), host="0.0.0.0") as server:
        url = server.url.replace("0.0.0.0", "127.0.0.1")
        status, _, err = run(f"projects --url {url}")
        assert status == 1
        assert "--control-token" in err
        assert not HTTP.search(err)
        assert run(f"projects --url {url} --control-token a-token-of-mine")[0] == 0


def test_every_problem_of_fixtures_is_a_line(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "project.yaml"
    file.write_text("calendars:\n  - platform: gogle\n  - {platform: google, state: lost}\n", "utf-8")
    status, out, err = run(f"fixtures load {file} {KEY}")
    assert (status, out) == (1, "")
    first, *lines = err.splitlines()
    assert first == f"attendee-mock: {file}: 2 problems"
    assert lines[0].startswith(
        "  calendars[0].platform: must be google or microsoft, not 'gogle'; did you mean google?"
    )
    assert lines[1].startswith("  calendars[1].state: must be ")
    status, out, err = run(f"projects create --fixtures {file}")
    assert (status, out, err.splitlines()[0]) == (1, "", first)
    assert "fixtures.calendars[0].platform: must be" in err


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("no.json", None, "cannot read"),
        ("a.json", "{", "is not JSON"),
        ("a.yaml", "secret: [planted", "is not YAML, line "),
        ("a.yaml", "projects: [{}, {}]", "several projects"),
        ("a.yaml", "- 1", "is no mapping"),
        ("a.json", b"\xff", "not UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_status_2(run: Run, tmp_path: Path, name: str, text: Any, said: str) -> None:
    if text is not None:
        (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    status, out, err = run(f"fixtures load {tmp_path / name} {KEY}")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert said in err
    assert "planted" not in err


def test_a_file_that_cannot_be_written_is_status_2(run: Run, tmp_path: Path) -> None:
    for line in ("fixtures show", "requests har"):
        status, out, err = run(f"{line} {KEY} --output {tmp_path}/no/x.json")
        assert (status, out, err.count("\n")) == (2, "", 1)
        assert "cannot write" in err


def test_a_project_is_made_used_and_ended(run: Run, tmp_path: Path) -> None:
    status, out, err = run("projects create --name mine --sync manual")
    assert (status, "mine" in err) == (0, True)
    key = out.splitlines()[0].removeprefix("export ATTENDEE_API_KEY=")
    assert json.loads(run(f"projects show --token {key} --json")[1])["sync"] == "manual"
    file = tmp_path / "project.json"
    assert run(f"fixtures show {KEY} --output {file}") == (0, "", f"wrote {file}\n")
    assert run(f"fixtures load {file} --token {key}")[0] == 1, "its name is not that of the project"
    file.write_text(json.dumps({**json.loads(file.read_text("utf-8")), "name": "mine"}), "utf-8")
    assert run(f"fixtures load {file} --token {key}")[:2] == (0, "calendars: 3\nevents: 20\n")
    assert "user-abcd" in run(f"calendars --token {key}")[1]
    assert run(f"projects delete --token {key}")[0] == 0
    assert run(f"projects show --token {key}")[0] == 1
