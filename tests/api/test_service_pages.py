"""What the contract does not describe and the service answers all the same."""

from __future__ import annotations

import pytest

from mockserver.app import Mock
from tests.clients import EMPTY, Client, in_process


def page(title: str, details: str) -> str:
    """A page of Django 5.2, white space included."""
    head = f'\n<!doctype html>\n<html lang="en">\n<head>\n  <title>{title}</title>\n</head>\n'
    return f"{head}<body>\n  <h1>{title}</h1><p>{details}</p>\n</body>\n</html>\n"


NOT_FOUND = page("Not Found", "The requested resource was not found on this server.")
ALLOW = "GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS"


@pytest.mark.parametrize(
    ("authorization", "status", "detail"),
    [
        (None, 404, None),
        ("Bearer x", 404, None),
        ("basic", 403, "Invalid basic header. No credentials provided."),
        ("Basic a b", 403, "Invalid basic header. Credentials string should not contain spaces."),
        ("Basic a", 403, "Invalid basic header. Credentials not correctly base64 encoded."),
        ("Basic YQ==", 403, "Invalid basic header. Credentials not correctly base64 encoded."),
        ("Basic YTpi", 403, "Invalid username/password."),
        ("BASIC /zo=", 403, "Invalid username/password."),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "FOO", "OPTIONS"])
def test_an_unknown_path_looks_at_basic_credentials_alone(
    method: str, authorization: str | None, status: int, detail: str | None, client: Client
) -> None:
    answered = client(method, "/nope", authorization=authorization)
    plain = {"OPTIONS": 200, "FOO": 405}.get(method, 404)
    assert answered.status == (plain if detail is None else status)
    assert answered.headers["allow"] == ALLOW
    assert answered.headers["vary"] == "Accept, Cookie"
    if detail is not None:
        assert answered.body == {"detail": detail}


def test_a_format_that_is_none_is_a_404_of_its_own_on_an_unknown_path(client: Client) -> None:
    answered = client("GET", "/nope?format=xml")
    assert (answered.status, answered.body) == (404, {"detail": "Not found."})
    assert answered.headers["vary"] == "Accept"


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "FOO"])
@pytest.mark.parametrize(
    "path",
    ["/", "/calendars%0A", "/%0Acalendars", "/%0A", "/nope%0Anope", "/calendars/%0A/events", "/calendars/cal_x/%0A"],
)
def test_a_path_with_a_line_feed_or_nothing_behind_the_prefix_gets_the_frameworks_page(
    method: str, path: str, client: Client
) -> None:
    answered = client(method, path, accept="application/xml", authorization="Basic YTpi")
    assert (answered.status, answered.text) == (404, NOT_FOUND)
    assert answered.headers == {"content-type": "text/html; charset=utf-8", "content-length": str(len(NOT_FOUND))}


@pytest.mark.parametrize(
    "path", ["/calendars%0D", "/calendars%0B", "/calendars%E2%80%A8", "/calendars%20", "//", "/%2F"]
)
def test_other_characters_in_an_unknown_path_are_like_any(path: str, client: Client) -> None:
    answered = client("GET", path)
    assert (answered.status, answered.body) == (404, {"error": "Not found"})


@pytest.mark.parametrize("path", ["/calendars/%0A", "/calendars/a%0Ab", "/bots/%0A"])
def test_an_id_may_be_a_line_feed(path: str, client: Client) -> None:
    answered = client("GET", path)
    assert answered.status == 404
    assert answered.body["error"].endswith(" not found")


def test_the_frameworks_pages_are_the_same_to_the_byte(mock: Mock, client: Client) -> None:
    bad = client("GET", "/calendars", host="a b")
    assert (bad.status, bad.text) == (400, page("Bad Request (400)", ""))
    assert in_process(mock)("GET", "/nope", {}, None).body == NOT_FOUND.encode()


@pytest.mark.parametrize(
    ("path", "status", "location"),
    [
        ("/health/", 200, None),
        ("/health/?x=1", 200, None),
        ("/health", 301, "/health/"),
        ("/health?a=b&c=%20d", 301, "/health/?a=b&c=%20d"),
        ("/health//", 404, None),
        ("/health/x", 404, None),
        ("//health", 404, None),
        ("/Health/", 404, None),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_services_own_health_page_is_empty(
    method: str, path: str, status: int, location: str | None, mock: Mock
) -> None:
    reply = in_process(mock)(method, path, {}, None)
    assert (reply.status, reply.headers.get("location")) == (status, location)
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    if status != 404:
        assert reply.body == b""


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/zoom_oauth_connections", 501),
        ("POST", "/zoom_oauth_connections", 501),
        ("GET", "/zoom_oauth_connections/zoc_abcdef1234567890", 501),
        ("DELETE", "/zoom_oauth_connections/zoc_abcdef1234567890", 501),
        ("POST", "/app_sessions", 501),
        ("POST", "/app_sessions/end", 501),
        ("PUT", "/zoom_oauth_connections", 405),
        ("PUT", "/app_sessions", 405),
        ("OPTIONS", "/app_sessions", 200),
        ("POST", "/app_sessions/x", 404),
        ("GET", "/zoom_oauth_connections/", 404),
        ("GET", "/zoom_oauth_connections/x/y", 404),
        ("GET", "/app_session", 404),
    ],
)
def test_what_the_service_has_and_the_mock_has_not_is_a_501_that_says_so(
    method: str, path: str, status: int, client: Client
) -> None:
    answered = client(method, path)
    assert answered.status == status
    if status == 501:
        assert answered.body["detail"].startswith(f"attendee-mockserver does not imitate {method} /api/v1/")
        assert client(method, path, authorization=None).status == 401


@pytest.mark.parametrize("path", ["/calendars", "/calendars/cal_0000000000000000", "/calendar_events?ordering=bad"])
def test_options_describes_a_path_whatever_is_asked_of_it(path: str, client: Client) -> None:
    answered = client("OPTIONS", path, b"{", content_type="text/plain")
    assert answered.status == 200
    assert answered.body["parses"][0] == "application/json"


def test_a_page_for_people_has_the_answer_in_it(client: Client) -> None:
    answered = client("GET", "/calendars/cal_pYJh5jp0FRic6QYc", accept="text/html")
    assert answered.status == 200
    assert answered.headers["content-type"] == "text/html; charset=utf-8"
    assert answered.headers["vary"] == "Accept, Cookie"
    assert "&quot;deduplication_key&quot;: &quot;user-main&quot;" in answered.text
    gone = client("DELETE", "/calendars/cal_pYJh5jp0FRic6QYc", accept="text/html")
    assert gone.status == 200
    assert "<h1>" in gone.text


def test_an_indented_answer_is_indented_as_asked(client: Client) -> None:
    answered = client("GET", "/calendars/cal_nope", accept="application/json; indent=1")
    assert answered.text == '{\n "error": "Calendar not found"\n}'
    assert answered.headers["content-type"] == "application/json"


def test_line_separators_are_escaped_and_nothing_else(client: Client) -> None:
    made = client("PATCH", "/calendars/cal_pYJh5jp0FRic6QYc", {"metadata": {"a": "\u2028é\u2029/<"}})
    assert '{"a":"\\u2028é\\u2029/<"}' in made.text


def test_another_project_sees_nothing_of_a_calendar(client: Client) -> None:
    for method in ("GET", "PATCH", "DELETE"):
        answered = client(method, "/calendars/cal_pYJh5jp0FRic6QYc", authorization=f"Token {EMPTY}")
        assert (answered.status, answered.body) == (404, {"error": "Calendar not found"})
