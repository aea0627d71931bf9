"""What `serve` prints and logs."""

from __future__ import annotations

import io

import pytest

from mockserver.api.incoming import Exchange
from mockserver.app import Mock
from mockserver.domain.store import Project
from mockserver.server import running
from mockserver.serving import banner, make_log, request_line, request_log
from mockserver.settings import Settings
from tests.clients import over_http

DONE = Exchange("GET", "/api/v1/calendars", "listCalendars", 200, 0.0012)


def test_a_line_has_method_path_status_duration_and_operation() -> None:
    assert request_line(DONE) == "GET /api/v1/calendars 200 1.2ms listCalendars"
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
    assert [int(line.split()[2]) for line in stream.getvalue().splitlines()] == logged


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
    assert "X-Control-Token: a-token-of-mine" in banner(mock, "http://0.0.0.0:1")


def test_a_server_on_every_address_demands_the_token() -> None:
    with running(Settings(control_token="a-token-of-mine"), host="0.0.0.0") as server:
        send = over_http(server.url.replace("0.0.0.0", "127.0.0.1"))
        assert send("GET", "/__mock__/projects", {}, None).status == 401
        assert send("GET", "/__mock__/projects", {"X-Control-Token": "a-token-of-mine"}, None).status == 200
        assert send("GET", "/__mock__/health", {}, None).status == 200
