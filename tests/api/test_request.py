"""What comes in: headers, queries and bodies within their limits."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest

from mockserver.api.errors import ApiError, BadRequestPage
from mockserver.api.request import Disconnected, HeaderReader, Headers, parse_query, read_body, read_headers, url_of


def test_a_header_sent_several_times_is_one_with_commas() -> None:
    raw = [(b"accept", b" text/html "), (b"x-other", b"1"), (b"accept", b"*/*"), (b"host", b"\xe9\t")]
    assert read_headers(raw) == Headers(accept=" text/html ,*/*".strip(), host="é")


def test_of_several_content_types_and_lengths_the_last_counts() -> None:
    raw = [(b"content-type", b"text/plain"), (b"content-length", b"1"), (b"content-type", b"application/json")]
    assert read_headers([*raw, (b"content-length", b"2")]) == Headers(
        content_type="application/json", content_length="2"
    )


@pytest.mark.parametrize(
    ("name", "value", "scheme"),
    [
        ("x-forwarded-proto", "https", "https"),
        ("x-forwarded-ssl", "on", "https"),
        ("x-forwarded-protocol", "ssl", "https"),
        ("x-forwarded-proto", "HTTPS", "http"),
        ("x-forwarded-proto", "http", "http"),
        ("x-forwarded-proto", "https,http", "http"),
        ("x-forwarded-ssl", "off", "http"),
        ("x-forwarded-protocol", "https", "http"),
        ("x-forwarded-scheme", "https", "http"),
        ("front-end-https", "on", "http"),
        ("forwarded", "proto=https;host=other.example", "http"),
        ("x-forwarded-host", "other.example", "http"),
        ("x-forwarded-port", "444", "http"),
    ],
)
def test_a_front_server_can_say_that_it_was_asked_over_https_and_nothing_else_of_the_url(
    name: str, value: str, scheme: str
) -> None:
    headers = read_headers([(b"host", b"svc.example"), (name.encode(), value.encode())])
    scope = {"scheme": "http", "path": "/api/v1/calendars"}
    assert url_of(scope, headers) == f"{scheme}://svc.example/api/v1/calendars"


def test_a_query_that_is_no_utf8_is_read_as_latin1() -> None:
    assert parse_query("a=é".encode()) == [("a", "é")]
    assert parse_query(b"a=\xe9&b=%E9") == [("a", "é"), ("b", "\ufffd")]


def read(messages: list[MutableMapping[str, Any]], content_length: str | None = None, limit: int = 5) -> bytes:
    queue = iter(messages)

    async def receive() -> MutableMapping[str, Any]:
        return next(queue)

    return asyncio.run(read_body(receive, content_length, limit))


def chunk(body: bytes, *, more: bool = False) -> MutableMapping[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


def test_a_body_is_read_whole() -> None:
    assert read([chunk(b"abc", more=True), chunk(b"", more=True), chunk(b"de")]) == b"abcde"
    assert read([{"type": "http.request"}]) == b""


@pytest.mark.parametrize("length", [None, "6", "nonsense"])
def test_a_body_over_the_limit_is_read_to_its_end_and_refused(length: str | None) -> None:
    messages = [chunk(b"abc", more=True), chunk(b"def", more=True), chunk(b"ghi")]
    with pytest.raises(ApiError) as raised:
        read(messages, length)
    assert raised.value.status == 413


def test_a_client_that_goes_away_is_no_error_of_the_servers() -> None:
    with pytest.raises(Disconnected):
        read([chunk(b"a", more=True), {"type": "http.disconnect"}])


def test_headers_that_come_again_are_read_once() -> None:
    reader, raw = HeaderReader(), [(b"host", b"svc.example"), (b"accept", b"text/html")]
    first = reader.read(raw)
    assert first == read_headers(raw)
    assert reader.read([(name, value) for name, value in raw]) is first
    assert reader.read([*raw, (b"cookie", b"a=b")]).cookie == "a=b"


def test_long_blocks_of_headers_are_not_kept() -> None:
    reader, raw = HeaderReader(), [(b"host", b"svc.example"), (b"x-long", b"x" * 5000)]
    assert reader.read(raw) == reader.read(raw) == read_headers(raw)
    assert reader.read(raw) is not reader.read(raw)


def test_many_blocks_of_headers_do_not_pile_up() -> None:
    reader, raw = HeaderReader(), [(b"host", b"svc.example")]
    first = reader.read(raw)
    for number in range(300):
        assert reader.read([*raw, (b"cookie", b"%d" % number)]).cookie == str(number)
    assert reader.read(raw) == first
    assert reader.read(raw) is not first


def test_a_host_that_is_none_is_refused_every_time() -> None:
    reader = HeaderReader()
    for _ in range(2):
        with pytest.raises(BadRequestPage):
            reader.read([(b"host", b"no host")])
