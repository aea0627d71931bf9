"""With --set-host, only the Host headers of requests change, however the bytes are cut into pieces."""

from __future__ import annotations

import random

import pytest

from mockserver.proxy.host_header import HostHeader
from tests.proxy.pieces import message

GET = message("GET /a HTTP/1.1", {"Host": "proxy:8080", "X": "1"})
BODY = b"Host: body\r\n\r\nGET / HTTP/1.1\r\nHost: b\r\n"
POST = message("POST /a HTTP/1.1", {"host": "proxy", "Content-Length": str(len(BODY))}, BODY)
CHUNKS = b"e;x=y\r\nHost: a\r\n\r\nb\r\n\r\n1\r\nz\r\n0\r\nHost: trailer\r\n\r\n"
CHUNKED = message("POST /a HTTP/1.1", {"Transfer-Encoding": "chunked", "HOST": "proxy"}, CHUNKS)
NO_HOST = message("GET / HTTP/1.1", {"X": "Host: x"})


def changed(data: bytes) -> bytes:
    for line in (b"Host: proxy:8080", b"host: proxy", b"HOST: proxy"):
        data = data.replace(line, b"Host: t.example")
    return data


STREAMS = [GET, POST, CHUNKED, NO_HOST, GET + POST + CHUNKED + NO_HOST + GET]


@pytest.mark.parametrize("stream", STREAMS)
def test_every_request_gets_the_host_of_the_target_and_nothing_else_changes(stream: bytes) -> None:
    for seed in range(30):
        chance, header, left, forwarded = random.Random(seed), HostHeader("t.example"), stream, b""
        while left:
            cut = 1 if seed == 0 else chance.randint(1, len(left))
            forwarded += header.feed(left[:cut])
            left = left[cut:]
        assert forwarded == changed(stream)


@pytest.mark.parametrize(
    "rest",
    [
        pytest.param(b"x" * 300_000, id="an endless head"),
        pytest.param(
            message("POST / HTTP/1.1", {"Transfer-Encoding": "chunked"}, b"no size\r\nHost: a\r\n\r\n"), id="no chunks"
        ),
        pytest.param(
            message("POST / HTTP/1.1", {"Transfer-Encoding": "chunked"}, b"1" * 300_000), id="an endless size"
        ),
        pytest.param(
            message("GET / HTTP/1.1", {"Upgrade": "websocket"}) + b"\x81\x05Host: a\r\n\r\n", id="another protocol"
        ),
    ],
)
def test_what_cannot_be_followed_passes_as_it_is(rest: bytes) -> None:
    assert HostHeader("t.example").feed(rest) == rest
