"""The request path: remarks, strict mode, limits, hostile requests; each answered in the service's dialect."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mockserver.api.request import Exchange
from mockserver.app import Mock
from mockserver.cli.foreground import request_line
from tests.clients import EMPTY, MAIN_CALENDAR, NEW_CALENDAR, TIES, Client

FORM = "application/x-www-form-urlencoded"
CALENDAR = f"/calendars/{MAIN_CALENDAR}"

TOLERATED = [
    ("GET", "/calendars?page_size=2", None, {}, "unknown query parameter page_size"),
    ("GET", "/calendars?acmezictyO3S8=2", None, {}, "unknown query parameter"),
    ("GET", "/calendars?cursor=&cursor=", None, {}, "twice"),
    ("GET", "/calendar_events?start_time_gte=2026-05-10", None, {}, "start_time_gte"),
    ("GET", CALENDAR, None, {"accept": "text/html"}, "text/html"),
    ("POST", "/calendars", {**NEW_CALENDAR, "client_id": 7}, {}, "client_id breaks type"),
    ("PATCH", CALENDAR, b"metadata=%7B%22a%22%3A%22b%22%7D", {"content_type": FORM}, "a form"),
    ("PATCH", CALENDAR, b'{"client_secret": 1}', {}, "client_secret"),
    ("PATCH", CALENDAR, b'{"refresh_token": "\\ud83d\\ude00", "client_secret": 1E400}', {}, "client_secret"),
]


@pytest.mark.parametrize(("method", "path", "body", "headers", "named"), TOLERATED)
def test_what_is_tolerated_off_contract_is_marked(
    method: str, path: str, body: object, headers: dict[str, str], named: str, client: Client, exchanges: list[Exchange]
) -> None:
    answered = client(method, path, body, **headers)
    assert answered.status < 400
    assert named in answered.headers["x-mock-contract"]
    assert named in request_line(exchanges[-1])


@pytest.mark.parametrize(("method", "path", "body", "headers", "named"), TOLERATED)
def test_strict_mode_refuses_it_and_changes_nothing(
    method: str,
    path: str,
    body: object,
    headers: dict[str, str],
    named: str,
    make_mock: Callable[..., Mock],
) -> None:
    client = Client(make_mock(strict=True))
    before = client("GET", CALENDAR).text, client("GET", "/calendars").text
    answered = client(method, path, body, **headers)
    assert answered.status == 400
    assert named in answered.text
    assert (client("GET", CALENDAR).text, client("GET", "/calendars").text) == before


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/calendars", None),
        ("GET", "/calendars?deduplication_key=user-main", None),
        ("GET", CALENDAR, None),
        ("GET", "/calendar_events?ordering=start_time&start_time_gte=2026-05-10T00:00:00Z", None),
        ("POST", "/calendars", {**NEW_CALENDAR, "metadata": {"a": "b"}, "deduplication_key": " new "}),
        ("PATCH", CALENDAR, {"metadata": {"é": "😀"}}),
        ("PATCH", CALENDAR, {}),
        ("PATCH", CALENDAR, None),
        ("DELETE", CALENDAR, None),
    ],
)
def test_a_conforming_request_is_never_marked(
    method: str, path: str, body: object, make_mock: Callable[..., Mock]
) -> None:
    for strict in (False, True):
        answered = Client(make_mock(strict=strict))(method, path, body)
        assert answered.status in (200, 201)
        assert "x-mock-contract" not in answered.headers


def test_the_next_link_leads_on_without_a_remark(client: Client) -> None:
    link = client("GET", "/calendars").body["next"]
    assert link.startswith("http://127.0.0.1:8000/api/v1/calendars?cursor=")
    answered = client("GET", link.removeprefix("http://127.0.0.1:8000/api/v1"))
    assert answered.status == 200
    assert "x-mock-contract" not in answered.headers


def test_a_body_of_the_limit_is_read(make_mock: Callable[..., Mock]) -> None:
    body = b'{"metadata": {"a": "b"}}'
    assert Client(make_mock(max_body=len(body)))("PATCH", CALENDAR, body).status == 200


def test_a_body_over_the_limit_is_a_413(make_mock: Callable[..., Mock]) -> None:
    body = b'{"metadata": {"a": "b"}}'
    client = Client(make_mock(max_body=len(body) - 1))
    for length in (str(len(body)), None, "nonsense"):
        answered = client("PATCH", CALENDAR, body, content_length=length)
        assert answered.status == 413
        assert answered.body == {"detail": f"Request body is larger than {len(body) - 1} bytes."}
        assert answered.headers["allow"] == "GET, PATCH, DELETE, HEAD, OPTIONS"
    assert client("GET", CALENDAR).status == 200


HOSTILE_BODIES = [
    b"[" * 10_000 + b"]" * 10_000,
    b'{"metadata":' * 10_000,
    b'{"metadata": {"a": ' + b'{"a":' * 10_000 + b"1" + b"}" * 10_002,
    b'{"client_secret": "\\u0000"}',
    b'{"client_secret": "\\ud800"}',
    b'{"metadata": {"\\u0000": "\\udfff"}}',
    b'{"\\ud800": 1}',
    b'{"metadata": {"\\ud800": 1}}',
    b'{"platform": "\\ud800"}',
    b"\xff\xfe\x00",
    b'{"metadata": {"a": NaN}}',
    b'{"metadata": 1E999}',
    b'{"client_secret": ' + b"9" * 100_000 + b"}",
    b"\x00",
    b"null",
    b"true",
    b'"text"',
]


@pytest.mark.parametrize("body", HOSTILE_BODIES, ids=lambda body: ascii(body[:30]))
@pytest.mark.parametrize("kind", ["application/json", FORM, "multipart/form-data; boundary=B"])
@pytest.mark.parametrize(("method", "path"), [("PATCH", CALENDAR), ("POST", "/calendars")])
def test_a_hostile_body_is_a_400_in_the_dialect(method: str, path: str, kind: str, body: bytes, client: Client) -> None:
    answered = client(method, path, body, content_type=kind)
    assert answered.status in (400, 200)
    if answered.status == 400:
        assert isinstance(answered.body, dict)
    assert client("GET", CALENDAR).status == 200


@pytest.mark.parametrize(
    "path",
    [
        "/calendars?deduplication_key=%00",
        "/calendar_events?event_id=%00",
        "/calendar_events?calendar_id=a%00b",
        "/calendar_events?calendar_deduplication_key=%00",
        "/calendar_events?start_time_gte=%00",
        "/calendar_events?ordering=%00",
    ],
)
def test_a_nul_in_a_filter_is_a_400(path: str, client: Client) -> None:
    answered = client("GET", path)
    assert answered.status == 400
    assert list(answered.body) == ["error"]


def test_a_nul_in_an_id_names_no_calendar(client: Client) -> None:
    assert client("GET", "/calendars/%00").status == 404


@pytest.mark.parametrize("size", [100_000])
def test_long_headers_and_queries_are_answered(size: int, client: Client) -> None:
    assert client("GET", f"/calendars?deduplication_key={'x' * size}").body["results"] == []
    assert client("GET", f"/calendars?{'&'.join(f'a{n}' for n in range(1000))}").status == 200
    assert client("GET", f"/calendars?{'&'.join(f'a{n}' for n in range(size // 10))}").status == 400
    assert client("GET", "/calendars", authorization="Token " + "x" * size).status == 401
    assert client("GET", "/calendars", accept="text/plain," * size).status == 406
    assert client("GET", f"/calendars?cursor={'=' * size}").status in (200, 404)


TEXT = st.text(max_size=20)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    method=st.sampled_from(["GET", "POST", "PATCH", "DELETE", "HEAD", "OPTIONS", "PUT", "FOO"]),
    path=st.sampled_from(["/calendars", CALENDAR, "/calendar_events", "/nope", "/bots"]),
    query=st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=30),
    body=st.binary(max_size=40) | st.text(max_size=40).map(str.encode),
    kind=st.sampled_from(["application/json", FORM, "multipart/form-data; boundary=B", "text/plain", ""]) | TEXT,
    accept=st.sampled_from(["*/*", "application/json", "text/html", "application/json; indent=2"]) | TEXT,
    authorization=st.sampled_from([f"Token {EMPTY}", "Token x", ""]) | TEXT,
)
def test_no_request_makes_a_server_error(
    client: Client, method: str, path: str, query: str, body: bytes, kind: str, accept: str, authorization: str
) -> None:
    headers = {"content_type": kind, "accept": accept, "authorization": authorization}
    answered = client(method, f"{path}?{query.replace('#', '')}", body, **headers)
    assert answered.status < 500 or path == "/bots"


def test_ties_are_walked_once_in_both_directions(mock: Mock) -> None:
    client = Client(mock, TIES)
    for field in ("updated_at", "start_time", "end_time", "created_at"):
        orders = []
        for ordering in (field, f"-{field}"):
            seen, link = [], f"/calendar_events?ordering={ordering}"
            while link:
                last, page = link, client("GET", link).body
                seen += [row["id"] for row in page["results"]]
                link = (page["next"] or "").removeprefix("http://127.0.0.1:8000/api/v1")
            back: list[str] = []
            while last:
                page = client("GET", last).body
                back = [row["id"] for row in page["results"]] + back
                last = (page["previous"] or "").removeprefix("http://127.0.0.1:8000/api/v1")
            assert len(set(seen)) == len(seen) == 130
            assert back == seen
            orders.append(seen)
        assert orders[0] == orders[1][::-1]


def test_head_answers_as_get_without_a_body(client: Client) -> None:
    answers = [client(method, CALENDAR) for method in ("GET", "HEAD")]
    assert answers[0].headers == answers[1].headers
    assert answers[1].text == ""


def test_two_mocks_never_meet(make_mock: Callable[..., Mock]) -> None:
    one, other = Client(make_mock()), Client(make_mock())
    one("DELETE", CALENDAR)
    assert one("GET", CALENDAR).status == 404
    assert other("GET", CALENDAR).status == 200


@pytest.mark.parametrize("host", ["a b", "a,b", "a/b", "", "a:", "a@b", "é", "[::1]:80", "a_b:80", "LOCALHOST.:99999"])
@pytest.mark.parametrize("path", ["/calendars", CALENDAR, "/nope"])
def test_a_host_that_is_none_is_refused_with_a_page(path: str, host: str, client: Client) -> None:
    answered = client("GET", path, host=host)
    if host in ("", "[::1]:80", "a_b:80", "LOCALHOST.:99999"):
        assert answered.status in (200, 404)
    else:
        assert answered.status == 400
        assert answered.headers["content-type"] == "text/html; charset=utf-8"


def test_a_cursor_beyond_everything_is_an_empty_page(client: Client) -> None:
    cursor = base64.b64encode(b"o=99999999999999999999").decode()
    body = client("GET", f"/calendars?cursor={cursor}").body
    assert (body["results"], body["next"]) == ([], None)
    assert body["previous"] is not None


@pytest.mark.parametrize(
    ("charset", "codec", "status"),
    [("latin-1", "latin-1", 200), ("utf-16", "utf-16", 200), ("bogus", "utf-8", 200), ("ascii", "utf-8", 400)],
)
def test_a_body_is_read_in_the_charset_that_its_type_names(
    charset: str, codec: str, status: int, client: Client
) -> None:
    for kind, body in (("json", '{"metadata": {"a": "é"}}'), ("x-www-form-urlencoded", 'metadata={"a": "é"}')):
        content_type = f"application/{kind}; charset={charset}"
        answered = client("PATCH", CALENDAR, body.encode(codec), content_type=content_type)
        assert answered.status == (status if kind == "json" else 200)
        if status == 200:
            assert answered.body["metadata"] == {"a": "é"}


def test_a_query_may_hold_raw_utf8(client: Client) -> None:
    key = "ключ-😀 x".replace(" ", "%20").encode().decode("latin-1")
    assert len(client("GET", f"/calendars?deduplication_key={key}").body["results"]) == 1


@pytest.mark.parametrize(
    ("cookie", "vary"),
    [
        ("sessionid=abc", "Accept, Cookie"),
        ("sessionid=abcdefgh", "Accept"),
        ("sessionid", "Accept"),
        ("sessionid=abc; sessionid=abcdefgh", "Accept"),
        ("csrftoken=abc", "Accept, Cookie"),
        (f"csrftoken={'a' * 32}", "Accept"),
        ("other=1", "Accept"),
    ],
)
def test_a_cookie_that_the_service_replaces_makes_answers_vary(cookie: str, vary: str, client: Client) -> None:
    assert client("GET", CALENDAR, cookie=cookie).headers["vary"] == vary


def test_a_parameter_that_may_be_a_secret_is_not_named(client: Client) -> None:
    assert client("GET", "/calendars?acmezictyO3S8=2").headers["x-mock-contract"] == "unknown query parameter"
