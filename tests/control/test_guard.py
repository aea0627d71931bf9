"""Who may use the controls."""

from __future__ import annotations

import pytest

from mockserver.app import Mock
from mockserver.control.errors import Refused
from mockserver.control.guard import Guard
from mockserver.server import running
from mockserver.settings import Settings
from tests.clients import ACME, in_process, over_http


def refused(guard: Guard, **headers: str) -> tuple[int, str] | None:
    """Status and field of the refusal of a request with these headers; None where it may pass."""
    given = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    try:
        guard.check(given)
    except Refused as problem:
        assert problem.fix
        return problem.status, problem.field
    return None


def bound(address: str = "127.0.0.1", token: str | None = None, *origins: str) -> Guard:
    guard = Guard(token, origins)
    guard.listens_on(address)
    return guard


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_on_loopback_everybody_may(address: str) -> None:
    guard = Guard("the-token")
    guard.listens_on(address)
    assert guard.token is None
    assert refused(guard) is None


@pytest.mark.parametrize("address", ["0.0.0.0", "192.0.2.1", "::", "fe80::1%eth0", "::ffff:192.0.2.1"])
def test_elsewhere_only_who_has_the_token(address: str) -> None:
    guard = Guard("the-token")
    guard.listens_on(address)
    anywhere = {"host": "mock:8000", "origin": "http://evil.example"}
    assert refused(guard, x_control_token="the-token", **anywhere) is None
    for headers in ({}, {"x_control_token": "another"}, {"host": "127.0.0.1"}, anywhere):
        assert refused(guard, **headers) == (401, "X-Control-Token")


def test_a_token_is_made_up_when_none_is_set() -> None:
    made = []
    for _ in range(2):
        guard = Guard()
        guard.listens_on("0.0.0.0")
        made.append(guard.token)
    assert made[0] != made[1]
    assert all(token and len(token) >= 32 for token in made)


def test_the_token_is_in_no_repr() -> None:
    assert "the-token" not in repr(Settings(control_token="the-token"))


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:8000", "127.9.9.9:1", "localhost", "LOCALHOST:8000", "localhost.", "[::1]:80", ""]
)
def test_on_loopback_a_host_of_loopback_may(host: str) -> None:
    assert refused(bound(), host=host) is None
    assert refused(bound("::1"), host=host) is None


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example:8000",
        "localhost.evil.example",
        "host.docker.internal:8000",
        "192.0.2.1",
        "0.0.0.0:8000",
        "[::2]:8000",
        "a:b:c",
        "127.0.0.1@evil.example",
    ],
)
def test_on_loopback_another_host_needs_the_token(host: str) -> None:
    assert refused(bound(), host=host) == (403, "Host")
    assert refused(bound(token="the-token"), host=host) == (403, "Host")
    assert refused(bound(token="the-token"), host=host, x_control_token="wrong") == (403, "Host")
    assert refused(bound(token="the-token"), host=host, x_control_token="the-token") is None


def test_without_a_server_any_host_may() -> None:
    assert refused(Guard(), host="testserver") is None


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "http://localhost:3000", "https://localhost:8000.evil.example", "null", "", "x", "file://"],
)
def test_a_page_of_another_origin_may_not(origin: str) -> None:
    for guard in (bound(), Guard()):
        assert refused(guard, host="localhost:8000", origin=origin) == (403, "Origin")
    assert refused(bound("127.0.0.1", None, "*"), host="localhost:8000", origin=origin) is None


@pytest.mark.parametrize("origin", ["http://localhost:8000", "http://127.0.0.1:8000", "http://[::1]:8000"])
def test_a_page_of_the_mock_itself_may(origin: str) -> None:
    assert refused(bound(), host="127.0.0.1:8000", origin=origin) is None
    assert refused(Guard(), host="testserver", origin="http://testserver") is None


def test_a_page_of_an_allowed_origin_may_but_with_no_other_host() -> None:
    guard = bound("127.0.0.1", None, "http://localhost:3000")
    assert refused(guard, host="localhost:8000", origin="http://localhost:3000") is None
    assert refused(guard, host="localhost:8000", origin="http://localhost:3001") == (403, "Origin")
    assert refused(guard, host="evil.example", origin="http://localhost:3000") == (403, "Host")


def test_a_web_page_cannot_reset_the_mock_and_is_told_what_to_do(mock: Mock) -> None:
    reply = in_process(mock)("POST", "/__mock__/reset", {"origin": "http://evil.example"}, None)
    assert reply.status == 403
    assert b"--cors" in reply.body
    assert in_process(mock)("GET", "/__mock__/health", {"origin": "http://evil.example"}, None).status == 200


def test_over_a_socket_a_name_that_was_made_to_lead_here_reads_nothing(mock: Mock) -> None:
    with running(mock=mock) as server:
        send, port = over_http(server.url), server.url.rpartition(":")[2]
        for host, status in ((f"evil.example:{port}", 403), (f"localhost:{port}", 200), (f"127.0.0.1:{port}", 200)):
            assert send("GET", "/__mock__/projects", {"Host": host}, None).status == status
        # The API asks for a key, and so for no host.
        api = {"Host": "evil.example", "Authorization": f"Token {ACME}"}
        assert send("GET", "/api/v1/calendars", api, None).status == 200
