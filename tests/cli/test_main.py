"""The command line: what it prints, what it refuses and with which words, and how it stops."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mockserver import __version__
from mockserver.cli import main as main_module
from mockserver.server import listen
from tests.patience import HANGS

RECORDED = Path(__file__).parent.parent / "recorded"
COMMAND = [sys.executable, "-m", "mockserver"]
SECRETS = ("GOCSPX-planted", "1//planted", "acmezictyO3S8ktCJsCRGI4TPrXdUeV1", "key-planted")


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, **environment}
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=HANGS, env=env, check=False)


@contextmanager
def serving(*arguments: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str, list[str]]]:
    """A server that is ready: the process, its URL, and what it printed so far. It is stopped afterwards."""
    process = subprocess.Popen(
        [*COMMAND, "serve", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "ATTENDEE_MOCK_PORT": "0", **environment},
    )
    assert process.stdout is not None
    printed: list[str] = []
    try:
        for line in process.stdout:
            printed.append(line)
            if "Ctrl-C" in line:
                break
        match = re.search(r"ready at (http://\S+)", "".join(printed))
        assert match, (printed, process.stderr and process.stderr.read())
        yield process, match[1], printed
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=HANGS)


def ask(url: str, key: str, method: str = "GET", body: bytes | None = None) -> int:
    headers = {"Authorization": f"Token {key}", "Content-Type": "application/json"}
    request = urllib.request.Request(url, method=method, data=body, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=HANGS) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


def test_serve_prints_once_what_a_user_pastes_and_stops_at_ctrl_c() -> None:
    with serving() as (process, url, printed):
        text = "".join(printed)
        assert f"export ATTENDEE_BASE_URL={url}\n" in text
        assert "export ATTENDEE_API_KEY=YOUR_API_KEY_HERE\n" in text
        secret = re.search(r"export ATTENDEE_WEBHOOK_SECRET=(\S+)\n", text)
        assert secret
        assert len(base64.b64decode(secret[1], validate=True)) == 32
        assert f'curl -H "Authorization: Token YOUR_API_KEY_HERE" {url}/api/v1/calendars\n' in text
        assert f"Watch it in a browser: {url}/__mock__/ " in text
        assert ask(f"{url}/api/v1/calendars/cal_abcdef1234567890", "YOUR_API_KEY_HERE") == 200
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=HANGS)
        assert process.returncode == 0
        assert rest == ""


def test_the_log_has_a_line_per_request_and_no_secret_in_it() -> None:
    with serving("--fixtures", str(RECORDED / "seed.json")) as (process, url, _):
        key = "acmezictyO3S8ktCJsCRGI4TPrXdUeV1"
        secret = {"client_secret": "GOCSPX-planted", "refresh_token": "1//planted"}
        good = json.dumps({"platform": "google", "client_id": "id", **secret}).encode()
        bad = json.dumps({"platform": "GOCSPX-planted", "client_id": ["1//planted"], **secret, "foo": 1}).encode()
        assert ask(f"{url}/api/v1/calendars", key, "POST", good) == 201
        assert ask(f"{url}/api/v1/calendars", key, "POST", bad) == 400
        assert ask(f"{url}/api/v1/calendars?api_key={key}&token=1//planted", "key-planted") == 401
        assert ask(f"{url}/api/v1/calendars", key, "PATCH", good) == 405
        assert ask(f"{url}/api/v1/calendars?client_secret=GOCSPX-planted", key) == 200
        process.send_signal(signal.SIGINT)
        _, log = process.communicate(timeout=HANGS)
    lines = log.splitlines()
    assert len(lines) == 5
    assert re.fullmatch(r"\d\d:\d\d:\d\d\.\d{3} #1 POST /api/v1/calendars 201 \d+\.\dms createCalendar", lines[0])
    assert [line.split()[1] for line in lines] == [f"#{number}" for number in range(1, 6)]
    assert "400" in lines[1]
    assert "platform: not a valid choice" in lines[1]
    assert "client_id: not a string" in lines[1]
    assert "unknown or disabled" in lines[2]
    assert "no such method" in lines[3]
    assert lines[4].endswith("off contract: unknown query parameter client_secret")
    assert not [secret for secret in SECRETS if secret in log]


def test_options_come_from_the_environment_too() -> None:
    with serving(ATTENDEE_MOCK_FIXTURES=str(RECORDED / "seed.json"), ATTENDEE_MOCK_STRICT="1") as (_, url, printed):
        assert "acmezictyO3S8ktCJsCRGI4TPrXdUeV1" in "".join(printed)
        assert ask(f"{url}/api/v1/calendars?page_size=1", "acmezictyO3S8ktCJsCRGI4TPrXdUeV1") == 400


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--fixtures", "no-such-file.yaml"], "no-such-file.yaml"),
        (["--post-rate", "many"], "3000/min"),
        (["--port", "70000"], "--port"),
        (["--port", "x"], "--port"),
        (["--log-level", "loud"], "--log-level"),
        (["--sync", "on"], "--sync"),
        (["--host", "nowhere.invalid"], "nowhere.invalid"),
        (["--nope"], "--nope"),
        (["--max-body", "0"], "--max-body"),
        (["--max-head", "10"], "--max-head"),
        (["--keep-alive", "0"], "--keep-alive"),
        (["--request-timeout", "soon"], "--request-timeout"),
        (["--reload", "--fixtures", "no-such-file.yaml"], "no-such-file.yaml"),
    ],
)
def test_what_cannot_be_served_is_one_clear_line_and_status_2(arguments: list[str], named: str) -> None:
    done = run("serve", *arguments, ATTENDEE_MOCK_PORT="0")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("attendee-mock: ")
    assert done.stderr.count("\n") == 1
    assert named in done.stderr


def test_a_port_in_use_is_one_clear_line_and_status_2() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = str(taken.getsockname()[1])
        done = run("serve", "--port", port)
    assert done.returncode == 2
    assert done.stderr.startswith(f"attendee-mock: cannot listen on 127.0.0.1:{port} (address already in use)")
    assert done.stderr.count("\n") == 1


def test_a_broken_fixture_is_one_clear_line_and_status_2(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("projects:\n  - name: A\n    api_keys: [key-planted]\n    calendars:\n      - platform: yahoo\n")
    done = run("serve", "--fixtures", str(broken))
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "broken.yaml" in done.stderr
    assert "yahoo" in done.stderr
    assert "key-planted" not in done.stderr


def test_every_problem_of_a_fixture_file_is_a_line(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    place = f"{broken}:4: projects[0].calendars[0]"
    broken.write_text("projects:\n  - name: A\n    calendars:\n      - platform: gogle\n      - platfrom: google\n")
    done = run("serve", "--port", "0", "--fixtures", str(broken))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        f"attendee-mock: {broken} has 4 problems",
        f"  {broken}:2: projects[0]: api_keys is missing; add it",
        f"  {place}.platform: must be google or microsoft, not 'gogle'; did you mean google?",
        f"  {broken}:5: projects[0].calendars[1].platfrom: there is no such field; did you mean platform?",
        f"  {broken}:5: projects[0].calendars[1]: platform is missing; add it",
    ]


def test_the_name_of_the_package_starts_the_mock(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[list[str] | None] = []

    def remember(arguments: list[str] | None = None) -> None:
        ran.append(arguments)

    monkeypatch.setattr(main_module, "main", remember)
    for typed in ([], ["--port", "0"], ["serve", "--port", "0"], ["--help"], ["--version"], ["clock"]):
        monkeypatch.setattr(sys, "argv", ["attendee-mockserver", *typed])
        main_module.serve_by_default()
    assert ran == [
        ["serve"],
        ["serve", "--port", "0"],
        ["serve", "--port", "0"],
        ["--help"],
        ["--version"],
        ["clock"],
    ]


def test_help_and_version_are_told() -> None:
    assert f"version {__version__}" in run("--version").stdout
    assert "serve" in run("--help").stdout
    assert "serve" in run().stdout
    helped = run("serve", "--help").stdout
    for word in ("--fixtures", "--post-rate", "--strict", "--log-level", "--reload", "ATTENDEE_MOCK_PORT", "8000"):
        assert word in helped


def test_generated_fixtures_can_be_served(tmp_path: Path) -> None:
    made = tmp_path / "made.json"
    assert run("generate", "--calendars", "3", "--events", "9", "--output", str(made)).returncode == 0
    key = json.loads(made.read_text("utf-8"))["projects"][0]["api_keys"][0]
    with serving("--fixtures", str(made)) as (_, url, _printed):
        assert ask(f"{url}/api/v1/calendar_events", key) == 200
    old = run("seed", "--calendars", "3", "--events", "9").stdout
    assert old == made.read_text("utf-8"), "the old name of the command still works"
    failed = run("generate", "--output", str(tmp_path / "no" / "made.json"))
    assert failed.returncode == 2
    assert failed.stderr.count("\n") == 1


def test_a_control_token_that_no_header_could_carry_is_refused_without_showing_it() -> None:
    for token in ("short", "has a blank in it", "ünprintable-token"):
        done = run("serve", "--port", "0", "--control-token", token)
        assert done.returncode == 2
        assert "8 to 200 printable ASCII characters" in done.stderr
        assert token not in done.stderr


def test_pages_of_an_origin_are_let_in_from_the_command_line() -> None:
    preflight = {"Origin": "http://localhost:3000", "Access-Control-Request-Method": "POST"}
    with serving(ATTENDEE_MOCK_CORS="http://localhost:3000 http://localhost:5173") as (_, url, _):
        for path in ("/api/v1/calendars", "/__mock__/reset"):
            request = urllib.request.Request(f"{url}{path}", method="OPTIONS", headers=preflight)
            with urllib.request.urlopen(request, timeout=HANGS) as answered:
                assert answered.headers["Access-Control-Allow-Origin"] == "http://localhost:3000"
    done = run("serve", "--cors", "localhost:3000")
    assert done.returncode == 2
    assert "http://localhost:3000, or *" in done.stderr
