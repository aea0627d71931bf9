"""What `serve` prints and logs."""

from __future__ import annotations

import base64
import io
import re
import shlex
import sys
from pathlib import Path

import pytest

from mockserver.api.request import Exchange
from mockserver.app import Mock
from mockserver.cli.foreground import banner, make_log, request_line, request_log
from mockserver.control.journal import Filter
from mockserver.domain.store import Project
from mockserver.server import running
from mockserver.settings import Settings
from tests.clients import in_process, over_http

DONE = Exchange("GET", "/api/v1/calendars", "listCalendars", 200, 0.0012, number=17)


def test_a_line_has_number_method_path_status_duration_and_operation() -> None:
    assert request_line(DONE) == "#17 GET /api/v1/calendars 200 1.2ms listCalendars"
    assert request_line(Exchange("GET", "/api/v1/nope", None, 404, 0, "no such path")).endswith("- | no such path")


def test_a_line_stays_a_line_and_stays_short() -> None:
    line = request_line(Exchange("GET", "/api/v1/\n\x1b[31m\u202e" + "x" * 1000, None, 404))
    assert line.isprintable()
    assert len(line) < 300
    assert "\\n\\x1b[31m\\u202e" in line


@pytest.mark.parametrize(
    ("level", "logged"), [("debug", [200, 500]), ("info", [200, 500]), ("warning", [500]), ("critical", [])]
)
def test_the_level_decides_what_is_logged(level: str, logged: list[int]) -> None:
    stream = io.StringIO()
    write = request_log(make_log(level, stream))
    for status in (200, 500):
        write(Exchange("GET", "/", None, status))
    assert [int(line.split()[4]) for line in stream.getvalue().splitlines()] == logged


def test_a_line_of_the_log_begins_with_the_time_of_day() -> None:
    stream = io.StringIO()
    request_log(make_log("info", stream))(DONE)
    assert re.match(r"\d\d:\d\d:\d\d\.\d{3} #17 GET ", stream.getvalue())


def test_the_number_of_a_line_is_that_of_the_journal() -> None:
    lines: list[str] = []
    mock = Mock(observe=lambda exchange: lines.append(request_line(exchange)))
    send = in_process(mock)
    for _ in range(2):
        send("GET", "/api/v1/calendars", {"Authorization": "Token YOUR_API_KEY_HERE"}, None)
    entries = mock.journals.find("Demo", Filter()).entries
    assert [line.split()[0] for line in lines] == [f"#{entry['id']}" for entry in entries]


def test_the_banner_has_the_secret_of_the_project_whose_key_it_has() -> None:
    keyless, keyed = Project("A", ()), Project("B", ("key-b",), webhook_secret=b"s" * 32)
    text = banner(Mock(projects=[keyless, keyed]), "http://127.0.0.1:1")
    assert "export ATTENDEE_API_KEY=key-b\n" in text
    assert f"export ATTENDEE_WEBHOOK_SECRET={base64.b64encode(b's' * 32).decode()}\n" in text
    assert "WEBHOOK_SECRET" not in banner(Mock(projects=[keyless]), "http://127.0.0.1:1")


def test_the_banner_has_the_activation_line_where_the_command_is_not_on_the_path(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    activation = f"  . {shlex.quote(str(Path(sys.prefix, 'bin', 'activate')))}\n"
    monkeypatch.setenv("PATH", "/nowhere")
    assert (activation in banner(Mock(), "http://127.0.0.1:1")) is Path(sys.prefix, "bin", "activate").exists()
    monkeypatch.setenv("PATH", str(Path(sys.prefix, "bin")))
    assert activation not in banner(Mock(), "http://127.0.0.1:1")


def test_two_logs_never_meet() -> None:
    one, other = io.StringIO(), io.StringIO()
    write = request_log(make_log("info", one))
    make_log("info", other)
    write(DONE)
    assert one.getvalue().count("\n") == 1
    assert other.getvalue() == ""


def test_fixtures_without_a_key_still_have_a_banner() -> None:
    text = banner(Mock(projects=[Project("Nobody", ())]), "http://127.0.0.1:1")
    assert "ATTENDEE_API_KEY=NO_KEY_IN_THE_FIXTURES" in text


def test_the_control_token_is_in_the_banner_where_others_can_reach_the_mock() -> None:
    mock = Mock(Settings(control_token="a-token-of-mine"))
    mock.guard.listens_on("127.0.0.1")
    assert "a-token-of-mine" not in banner(mock, "http://127.0.0.1:1")
    mock.guard.listens_on("0.0.0.0")
    text = banner(mock, "http://0.0.0.0:1")
    assert "X-Control-Token: a-token-of-mine" in text
    assert "export ATTENDEE_MOCK_CONTROL_TOKEN=a-token-of-mine\n" in text


def test_a_server_on_every_address_demands_the_token() -> None:
    with running(Settings(control_token="a-token-of-mine"), host="0.0.0.0") as server:
        send = over_http(server.url.replace("0.0.0.0", "127.0.0.1"))
        assert send("GET", "/__mock__/projects", {}, None).status == 401
        assert send("GET", "/__mock__/projects", {"X-Control-Token": "a-token-of-mine"}, None).status == 200
        assert send("GET", "/__mock__/health", {}, None).status == 200
