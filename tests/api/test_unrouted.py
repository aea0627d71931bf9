"""What the contract does not describe and the service answers all the same."""

from __future__ import annotations

import pytest

from tests.clients import EMPTY, Client

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
