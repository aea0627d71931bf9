"""The bytes of both directions of a connection are read as exchanges, however they are cut into pieces."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable

import pytest

from mockserver.proxy.parsing import MOST_BODY, Connection, Content, Passed, Unreadable, decoded
from tests.proxy.pieces import message, request, response

GET = request(target="/a?b=c")
POST = request("POST", "/a", {"a": 1})
CHUNKED = message(
    "POST /a HTTP/1.1", {"Host": "h", "Transfer-Encoding": "chunked"}, b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
)
OK = response({"a": 1})
OK_CHUNKED = message("HTTP/1.1 200 OK", {"Transfer-Encoding": "chunked"}, b"4\r\n{}  \r\n0\r\n\r\n")
NO_LENGTH = message("HTTP/1.1 200 OK", {"Connection": "close"}, b"until the end")


def read(pieces: Iterable[tuple[bool, bytes]], *, close: bool = False) -> list[Passed]:
    connection = Connection(1)
    found: list[Passed] = []
    for is_client, data in pieces:
        if is_client:
            connection.client(data, 1.0)
        else:
            found += connection.server(data, 2.0)
    return [*found, *connection.closed(3.0)] if close else found


@pytest.mark.parametrize(
    ("sent", "answered", "expected"),
    [
        (GET, OK, ("GET", "/a?b=c", b"", 200, b'{"a": 1}')),
        (POST, OK, ("POST", "/a", b'{"a": 1}', 200, b'{"a": 1}')),
        (CHUNKED, OK_CHUNKED, ("POST", "/a", b"abcde", 200, b"{}  ")),
        (
            request("HEAD"),
            response(None, Content_Length="5000"),
            ("HEAD", "/api/v1/calendars/cal_abcdef1234567890", b"", 200, b""),
        ),
        (GET, message("HTTP/1.1 204 No Content", {}), ("GET", "/a?b=c", b"", 204, b"")),
        (GET, message("HTTP/1.1 304 Not Modified", {"Content-Length": "9"}), ("GET", "/a?b=c", b"", 304, b"")),
        (GET, message("HTTP/1.1 103 Early Hints", {}) + OK, ("GET", "/a?b=c", b"", 200, b'{"a": 1}')),
    ],
)
def test_an_exchange_is_read_in_one_piece_and_byte_by_byte(
    sent: bytes, answered: bytes, expected: tuple[str, str, bytes, int, bytes]
) -> None:
    whole = read([(True, sent), (False, answered)])
    bits = read(
        [(True, sent[i : i + 1]) for i in range(len(sent))]
        + [(False, answered[i : i + 1]) for i in range(len(answered))]
    )
    for (passed,) in (whole, bits):
        found = (passed.method, passed.target, passed.request.data, passed.status, passed.response.data)
        assert found == expected


def test_requests_that_do_not_wait_are_matched_with_their_responses() -> None:
    pipelined = [
        (True, GET + POST + GET),
        (False, response({"n": 1}) + response({"n": 2})),
        (False, response({"n": 3})),
    ]
    assert [(one.method, one.response.data) for one in read(pipelined)] == [
        ("GET", b'{"n": 1}'),
        ("POST", b'{"n": 2}'),
        ("GET", b'{"n": 3}'),
    ]


def test_a_response_without_a_length_ends_with_the_connection() -> None:
    (passed,) = read([(True, GET), (False, NO_LENGTH)], close=True)
    assert (passed.status, passed.response.data, passed.failure) == (200, b"until the end", None)


def test_a_request_without_a_response_has_failed() -> None:
    (passed,) = read([(True, GET)], close=True)
    assert passed.status == 0
    assert passed.failure == "the connection was closed before the response"


def test_half_a_response_has_failed() -> None:
    (passed,) = read([(True, GET), (False, OK[:-1])], close=True)
    assert passed.status == 0
    assert passed.failure


def test_a_response_may_come_before_the_end_of_the_request() -> None:
    head, body = POST[:-4], POST[-4:]
    passed, again = read([(True, head), (False, response({}, 413)), (True, body), (True, GET), (False, OK)])
    assert (passed.status, again.status) == (413, 200)


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param([(True, b"\x16\x03\x01\x02\x00 TLS\r\n\r\n")], id="no HTTP"),
        pytest.param([(True, GET), (False, b"SSH-2.0\r\n\r\n")], id="no HTTP from the target"),
        pytest.param([(False, OK)], id="a response without a request"),
        pytest.param([(True, GET), (False, message("HTTP/1.1 101 Switching", {}))], id="another protocol"),
        pytest.param([(True, b"GET / HTTP/1.1\r\nHost: h\r\nX: " + b"x" * 300_000)], id="an endless head"),
        pytest.param([(True, GET * 101)], id="too many requests at once"),
    ],
)
def test_what_cannot_be_followed_is_reported(pieces: list[tuple[bool, bytes]]) -> None:
    with pytest.raises(Unreadable):
        read(pieces)


def test_of_a_large_body_the_beginning_is_kept() -> None:
    body = b"x" * (MOST_BODY + 10)
    (passed,) = read([(True, GET), (False, response(body))])
    assert (len(passed.response.data), passed.response.size) == (MOST_BODY, MOST_BODY + 10)
    assert passed.response.is_cut
    assert decoded(passed.response, "") is None


@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        ("", b"text"),
        ("identity", b"text"),
        ("gzip", gzip.compress(b"text")),
        ("deflate", zlib.compress(b"text")),
        ("deflate", zlib.compress(b"text")[2:-4]),
    ],
    ids=["none", "identity", "gzip", "deflate", "raw deflate"],
)
def test_encodings_of_bodies_are_undone(encoding: str, data: bytes) -> None:
    assert decoded(Content(data, len(data)), encoding) == b"text"


@pytest.mark.parametrize(
    ("encoding", "data"),
    [("br", b"text"), ("gzip", b"text"), ("gzip", gzip.compress(b"x" * (MOST_BODY * 2)))],
    ids=["unknown", "broken", "too long"],
)
def test_what_cannot_be_undone_is_no_body(encoding: str, data: bytes) -> None:
    assert decoded(Content(data, len(data)), encoding) is None
