"""Web pages of chosen origins may use the mock, and no others; without the option nothing is different."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mockserver.app import Mock
from mockserver.settings import Settings
from tests.clients import ACME, in_process
from tests.replayer import Reply

PAGE = "http://localhost:3000"
KEY = {"authorization": f"Token {ACME}"}
ASKING = {"access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type"}
PATHS = ("/api/v1/calendars", "/__mock__/reset", "/__mock__/health", "/api/v1/nowhere", "/")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(("origins", "allowed"), [((PAGE,), PAGE), (("http://a.example", PAGE), PAGE), (("*",), "*")])
def test_a_preflight_is_answered_before_anybody_asks_for_a_key(
    origins: tuple[str, ...], allowed: str, path: str, make_mock: Callable[..., Mock]
) -> None:
    mock = make_mock(cors=origins)
    reply = in_process(mock)("OPTIONS", path, {"origin": PAGE, **ASKING}, None)
    assert (reply.status, reply.body) == (204, b"")
    assert reply.headers["access-control-allow-origin"] == allowed
    assert "PATCH" in reply.headers["access-control-allow-methods"]
    assert reply.headers["access-control-allow-headers"] == "authorization,content-type"
    assert int(reply.headers["access-control-max-age"]) > 0
    assert "Origin" in reply.headers["vary"]
    assert mock.journals.last == 0


def test_a_page_may_read_answers_errors_and_their_headers(make_mock: Callable[..., Mock]) -> None:
    send = in_process(make_mock(cors=(PAGE,)))
    for path, headers, status in (
        ("/api/v1/calendars?page_size=1", KEY, 200),
        ("/api/v1/calendars", {}, 401),
        ("/__mock__/projects", {}, 200),
        ("/__mock__/nowhere", {}, 404),
    ):
        reply = send("GET", path, {"origin": PAGE, **headers}, None)
        assert reply.status == status
        assert reply.headers["access-control-allow-origin"] == PAGE
        assert {"X-Mock-Contract", "Retry-After"} <= set(reply.headers["access-control-expose-headers"].split(", "))
        assert reply.headers["vary"].endswith("Origin")
    assert send("POST", "/__mock__/reset", {"origin": PAGE}, None).status == 200


def without_date(reply: Reply) -> object:
    return reply.status, reply.headers, reply.body


@pytest.mark.parametrize(
    "origin", ["http://localhost:3001", "https://localhost:3000", "null", "http://localhost:3000.x"]
)
def test_a_page_of_another_origin_may_read_nothing(origin: str, make_mock: Callable[..., Mock]) -> None:
    send = in_process(make_mock(cors=(PAGE,)))
    for method, path in (("OPTIONS", PATHS[0]), ("OPTIONS", PATHS[1]), ("GET", PATHS[0])):
        reply = send(method, path, {"origin": origin, **ASKING, **KEY}, None)
        assert not [name for name in reply.headers if name.startswith("access-control")]
    assert send("POST", "/__mock__/reset", {"origin": origin}, None).status == 403


@pytest.mark.parametrize("path", PATHS)
def test_without_the_option_an_origin_changes_no_answer_of_the_api(path: str, mock: Mock) -> None:
    send = in_process(mock)
    for method in ("OPTIONS", "GET"):
        plain = send(method, path, {**ASKING, **KEY}, None)
        assert not [name for name in plain.headers if name.startswith("access-control")]
        if not path.startswith("/__mock__/"):
            assert without_date(send(method, path, {"origin": PAGE, **ASKING, **KEY}, None)) == without_date(plain)


def test_options_without_a_preflight_is_the_services_own(make_mock: Callable[..., Mock]) -> None:
    reply = in_process(make_mock(cors=("*",)))("OPTIONS", "/api/v1/calendars", {"origin": PAGE, **KEY}, None)
    assert reply.status == 200
    assert b'"actions"' in reply.body


def test_a_page_of_the_internet_may_reach_this_machine(make_mock: Callable[..., Mock]) -> None:
    headers = {"origin": PAGE, **ASKING, "access-control-request-private-network": "true"}
    reply = in_process(make_mock(cors=(PAGE,)))("OPTIONS", "/api/v1/calendars", headers, None)
    assert reply.headers["access-control-allow-private-network"] == "true"


@pytest.mark.parametrize("origin", ["localhost:3000", "http://localhost:3000/app", "", "http://", "http://a b"])
def test_an_origin_that_is_none_is_refused(origin: str) -> None:
    with pytest.raises(ValueError, match="not an origin"):
        Settings(cors=(origin,))


def test_an_origin_is_taken_as_a_browser_writes_it() -> None:
    assert Settings(cors=("HTTP://LocalHost:3000/", "*")).cors == ("http://localhost:3000", "*")
