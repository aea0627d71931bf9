"""A response has the headers that the service sends, and the representation that was asked for."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.api.errors import BadRequestPage, NotFoundPage, Page, ServerErrorPage
from mockserver.api.negotiation import JSON, Representation
from mockserver.api.request import Exchange, Headers
from mockserver.api.response import (
    RenderedPage,
    RenderedRecords,
    encode,
    encode_page,
    page_text,
    to_json,
)

HTML = Representation("html")
COOKIE = "sessionid=1"


def encoded(
    text: bytes = b'{"a":1}',
    representation: Representation = JSON,
    *,
    remarks: tuple[str, ...] = (),
    cookie: str | None = None,
    **more: str,
) -> tuple[dict[str, str], bytes]:
    exchange = Exchange("GET", "/api/v1/calendars", operation="listCalendars", status=200, remarks=remarks)
    given = {name.replace("_", "-"): value for name, value in more.items()}
    response = encode(exchange, "GET, HEAD, OPTIONS", given, text, representation, Headers(cookie=cookie))
    assert response.status == 200
    headers = {name.decode(): value.decode("latin-1") for name, value in response.headers}
    assert headers["content-length"] == str(len(response.body))
    return headers, response.body


def test_most_responses_have_four_headers_in_the_services_order() -> None:
    headers, body = encoded()
    assert list(headers) == ["allow", "vary", "content-length", "content-type"]
    assert (headers["vary"], headers["content-type"]) == ("Accept", "application/json")
    assert body == b'{"a":1}'


def test_an_empty_response_has_no_type() -> None:
    headers, body = encoded(b"")
    assert "content-type" not in headers
    assert body == b""


def test_the_short_way_and_the_long_way_give_the_same_headers() -> None:
    short, _ = encoded()
    long, _ = encoded(Retry_After="1")
    assert long.pop("retry-after") == "1"
    assert short == long


def test_an_additional_header_overrides_the_usual_one() -> None:
    headers, _ = encoded(Vary="Accept, Cookie")
    assert headers["vary"] == "Accept, Cookie"


def test_remarks_are_in_a_header_and_nowhere_else() -> None:
    headers, body = encoded(remarks=("unknown query parameter x", "body: a form"))
    assert headers["x-mock-contract"] == "unknown query parameter x; body: a form"
    assert body == b'{"a":1}'


def test_json_is_indented_as_deep_as_was_asked_for() -> None:
    _, body = encoded(representation=Representation("json", 2))
    assert body == b'{\n  "a": 1\n}'


def test_a_page_for_people_shows_the_response_and_runs_nothing_of_it() -> None:
    headers, body = encoded(to_json({"a": "<script>&"}), HTML)
    assert (headers["content-type"], headers["vary"]) == ("text/html; charset=utf-8", "Accept, Cookie")
    assert b"<h1>listCalendars</h1>" in body
    assert b"<script>" not in body
    assert b"&lt;script&gt;&amp;" in body


@pytest.mark.parametrize(
    ("page", "status"), [(BadRequestPage, 400), (NotFoundPage, 404), (ServerErrorPage, 500)], ids=str
)
def test_a_page_of_the_framework_has_its_status_and_notes_the_reason(page: type[Page], status: int) -> None:
    exchange = Exchange("GET", "/api/v1/")
    response = encode_page(exchange, page("why"))
    assert (response.status, exchange.status, exchange.reason) == (status, status, "why")
    assert dict(response.headers) == {
        b"content-type": b"text/html; charset=utf-8",
        b"content-length": str(len(response.body)).encode(),
    }
    assert response.body.startswith(b"\n<!doctype html>")


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda one: st.dictionaries(st.text(), one)))
def test_json_is_compact_and_reads_as_the_same_value(value: Any) -> None:
    text = to_json(value)
    assert json.loads(text) == value
    assert "\u2028".encode() not in text
    assert len(text) <= len(json.dumps(value))


def test_a_lone_surrogate_is_sent_as_its_escape() -> None:
    assert to_json({"a": "\ud800é"}) == '{"a":"\\ud800é"}'.encode()


@pytest.mark.parametrize(("following", "previous"), [(None, None), ("http://a/?cursor=b", None), (None, "http://a/")])
def test_a_page_is_the_links_and_the_texts_of_its_records(following: str | None, previous: str | None) -> None:
    page = RenderedPage(following, previous, RenderedRecords("Calendar", [b'{"id":1}', b'{"id":2}']))
    assert json.loads(page_text(page)) == {"next": following, "previous": previous, "results": [{"id": 1}, {"id": 2}]}
