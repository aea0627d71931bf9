"""The same bytes, however they are cut, get the answers that uvicorn with h11 gives to them in one piece."""

from __future__ import annotations

import asyncio
import contextlib
from random import Random

import h11
import pytest
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from tests.http.wires import App, Wire, echo, responses, say, settled

GET = b"GET /api/v1/x?a=b HTTP/1.1\r\nHost: x\r\n\r\n"
CHUNKED = b"POST /p HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


def reference(app: App, data: bytes) -> bytes:
    """What uvicorn with h11 answers to these bytes in one piece."""

    async def talk() -> bytes:
        config = uvicorn.Config(
            app,
            interface="asgi3",
            lifespan="off",
            log_config=None,
            access_log=False,
            ws="none",
            h11_max_incomplete_event_size=1_000_000,
        )
        config.load()
        protocol = H11Protocol(config, ServerState(), {})
        wire = Wire()
        protocol.connection_made(wire)
        with contextlib.suppress(h11.LocalProtocolError):
            protocol.data_received(data)
        await settled(40 + 6 * data.count(b"HTTP/1"))
        if protocol.timeout_keep_alive_task is not None:
            protocol.timeout_keep_alive_task.cancel()
        return b"".join(wire.written)

    return asyncio.run(talk())


# --- drawn connections ---

METHODS = [b"GET", b"POST", b"PATCH", b"PUT", b"DELETE", b"HEAD", b"OPTIONS", b"PATCHES", b"QUERY", b"get", b"X-Y"]
TARGETS = [b"/", b"/a/b?c=d&e", b"/%41%20?x=%2F", b"/" + b"u" * 70_000, b"*", b"/early", b"//d", b"/a;b=c!$&'()*+,="]
FIELDS = [
    b"Accept: */*\r\n",
    b"Authorization: Token  abc \r\n",
    b"X-Empty:\r\n",
    b"X-Tab:\ta\tb\t\r\n",
    b"X-High: \xe4\xff\r\n",
    b"X-Long: " + b"v" * 5000 + b"\r\n",
    b"Connection: keep-alive\r\n",
    b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n",
    b"Connection: upgrade\r\nUpgrade: websocket\r\n",
    b"Connection: close\r\n",
    b"Cookie: a=b\r\nCookie: c=d\r\n",
]
BROKEN_FIELDS = [
    b"no colon\r\n",
    b"X Y: z\r\n",
    b"X-Y : z\r\n",
    b" X: z\r\n",
    b"X: a\x00b\r\n",
    b"Host: twice\r\n",
    b"Content-Length: ten\r\n",
    b"Content-Length: -1\r\n",
    b"Content-Length: +1\r\n",
    b"Content-Length: 2, 2\r\n",
    b"Content-Length: 1\r\nContent-Length: 2\r\n",
    b"Content-Length: " + b"1" * 40 + b"\r\n",
    b"Transfer-Encoding: gzip\r\n",
    b"Transfer-Encoding: chunked, chunked\r\n",
    b"X: a\r\n folded\r\n",
]
BREAKS = [b"GARBAGE\r\n\r\n", b"\x16\x03\x01\x02\x00\x01", b"\r\rGET", b"GET\r\n\r\n", b"GET / HTTP/9\r\n\r\n", b"\x00"]


def drawn_body(draw: Random) -> tuple[bytes, bytes]:
    """Header fields for a body, and the body."""
    text = bytes(draw.choices(b"ab{}:\r\n0\xff", k=draw.choice([1, 2, 9, 300])))
    kind = draw.randrange(4)
    if kind == 0:
        return b"", b""
    if kind == 1:
        return b"Content-Length: %d\r\n" % len(text), text
    sizes = [draw.randint(1, 40) for _ in range(draw.randint(0, 4))]
    extension = draw.choice([b"", b";a=b"])
    broken = draw.choice([b"", b"", b"", b"", b"zz\r\n", b"3\r\nabcd\r\n", b"GET /stolen HTTP/1.1\r\nHost: x\r\n\r\n"])
    chunks = broken + b"".join(b"%x%b\r\n%b\r\n" % (size, extension, b"c" * size) for size in sizes)
    trailer = draw.choice([b"", b"X-T: 1\r\n"])
    both = b"Content-Length: 3\r\n" if draw.random() < 0.1 else b""
    return both + b"Transfer-Encoding: chunked\r\n", chunks + b"0\r\n" + trailer + b"\r\n"


def drawn_request(draw: Random) -> bytes:
    """A request, most often a right one."""
    method, target = draw.choice(METHODS), draw.choice(TARGETS)
    version = draw.choices([b"HTTP/1.1", b"HTTP/1.0"], [20, 1])[0]
    fields, body = drawn_body(draw)
    host = b"" if draw.random() < 0.03 else b"Host: x\r\n"
    others = b"".join(draw.sample(FIELDS, draw.choice([0, 0, 1, 2, 3])))
    broken = draw.choice(BROKEN_FIELDS) if draw.random() < 0.12 else b""
    line_end = b"\n" if draw.random() < 0.03 else b"\r\n"
    head = (method + b" " + target + b" " + version + b"\r\n" + host + others + broken + fields + b"\r\n").replace(
        b"\r\n", line_end
    )
    return head + body


def drawn_connection(draw: Random) -> bytes:
    """The bytes of a connection: requests one after the other, perhaps with something broken at the end."""
    data = b"".join(drawn_request(draw) for _ in range(draw.choice([1, 1, 2, 3, 6])))
    if draw.random() < 0.15:
        data += draw.choice(BREAKS)
    if draw.random() < 0.1:
        data = data[: draw.randrange(1, len(data))]
    return data


def cut(draw: Random, data: bytes) -> list[bytes]:
    """The bytes in pieces."""
    count = draw.choice([1, 1, 2, 5])
    places = sorted({0, *(draw.randrange(len(data) + 1) for _ in range(count))}) + [len(data)]
    return [data[start:end] for start, end in zip(places, places[1:], strict=False) if start < end]


def as_h11(ours: list[tuple[int, bytes]], theirs: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    """Our answers, but for one difference that is meant.

    A request that is answered before its body is read, and whose body is broken: uvicorn with h11 answers it or refuses
    it, as the packets fall. Here it is always answered, and then the connection ends.
    """
    if len(ours) == len(theirs) and ours and ours[-1][0] == 401 and theirs[-1] == (400, b""):
        return [*ours[:-1], theirs[-1]]
    return ours


@pytest.mark.parametrize("seed", range(100))
def test_drawn_connections_are_answered_as_h11_answers_them(seed: int) -> None:
    draw = Random(seed)
    for _ in range(20):
        data = drawn_connection(draw)
        pieces = cut(draw, data)
        ours = responses(b"".join(say(echo, *pieces).written))
        theirs = responses(reference(echo, data))
        assert as_h11(ours, theirs) == theirs, (data[:400], [len(piece) for piece in pieces])
        closed = say(echo, *pieces, half_close=True)
        assert responses(b"".join(closed.written)) == ours, data[:400]
        assert closed.closed or closed.ended


TELLING = {
    "a chunked body": CHUNKED + b"3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nX-T: 1\r\n\r\n" + GET,
    "an unknown method": GET + b"PATCHES /b HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab" + GET,
    "an upgrade that is none": b"PATCH /c HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\n"
    b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAA\r\nContent-Length: 4\r\n\r\nbody" + GET,
    "length and chunks": b"POST /d HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5\r\nabcde\r\n0\r\n\r\n" + GET,
    "a length said twice": b"POST /e HTTP/1.1\r\nHost: x\r\nContent-Length: 2, 2\r\n\r\nab" + GET,
    "a byte too many": b"POST /f HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nabc" + GET,
    "an early answer, then no chunk": CHUNKED.replace(b"/p", b"/early") + b"GET /stolen HTTP/1.1\r\nHost: x\r\n\r\n",
    "an early answer, then chunks": CHUNKED.replace(b"/p", b"/early") + b"2\r\nab\r\n0\r\n\r\n" + GET,
    "an early answer, then the body": b"POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc" + GET,
    "no chunk": CHUNKED + b"zz\r\n" + GET,
    "a chunk that is too short": CHUNKED + b"5\r\nabc\r\n0\r\n\r\n" + GET,
    "garbage after requests": GET * 3 + b"GARBAGE\r\n\r\n" + GET,
    "HTTP/1.0": b"GET /g HTTP/1.0\r\n\r\n" + GET,
    "the last one": GET.replace(b"Host", b"Connection: close\r\nHost") + GET,
    "line ends without a return": GET.replace(b"\r", b"") + GET,
    "a folded field": GET.replace(b"\r\n\r\n", b"\r\nX: a\r\n b\r\n\r\n") + GET,
    "no host": GET.replace(b"Host", b"X-Host"),
}


@pytest.mark.parametrize("data", TELLING.values(), ids=TELLING.keys())
def test_a_cut_at_any_byte_changes_no_answer(data: bytes) -> None:
    whole = responses(b"".join(say(echo, data).written))
    theirs = responses(reference(echo, data))
    assert as_h11(whole, theirs) == theirs
    for place in range(1, len(data)):
        assert responses(b"".join(say(echo, data[:place], data[place:]).written)) == whole, place
    assert responses(b"".join(say(echo, *(data[at : at + 1] for at in range(len(data)))).written)) == whole


def test_a_long_url_is_read_in_one_piece_and_in_two() -> None:
    data = b"GET /" + b"u" * 200_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n"
    assert [status for status, _ in responses(b"".join(say(echo, data).written))] == [200]
    for place in (4, 65_535, 65_536, 70_000, 200_010):
        assert [status for status, _ in responses(b"".join(say(echo, data[:place], data[place:]).written))] == [200]


# --- where the answers differ from h11's, and why ---


@pytest.mark.parametrize("times", [1, 2, 5])
def test_line_ends_between_requests_are_skipped(times: int) -> None:
    """RFC 9112, 2.2: old clients send one that they do not count; h11 refuses it."""
    data = GET + b"\r\n" * times + GET
    for place in range(1, len(data)):
        ours = responses(b"".join(say(echo, data[:place], data[place:]).written))
        assert ours == responses(reference(echo, GET + GET)), place


@pytest.mark.parametrize(
    ("target", "plain"),
    [
        (b"http://x/api/v1/x?a=b", b"/api/v1/x?a=b"),
        (b"HTTPS://user@x:80/api", b"/api"),
        (b"http://x?a=b", b"/?a=b"),
        (b"http://x", b"/"),
        (b"/api/v1/x#part?a=b", b"/api/v1/x"),
        (b"/api?a=b#part", b"/api?a=b"),
    ],
)
def test_a_target_is_read_without_host_and_fragment(target: bytes, plain: bytes) -> None:
    """A server has to take the form that is meant for proxies (RFC 9112, 3.2.2); the service ignores fragments."""
    ours = responses(b"".join(say(echo, b"GET " + target + b" HTTP/1.1\r\nHost: x\r\n\r\n").written))
    assert ours == responses(reference(echo, b"GET " + plain + b" HTTP/1.1\r\nHost: x\r\n\r\n"))
