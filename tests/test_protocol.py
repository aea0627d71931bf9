"""HTTP on a connection: which bytes go out, when, and what becomes of a connection that is quiet."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, cast

import pytest
import uvicorn
from uvicorn.server import ServerState

from mockserver.protocol import PatientProtocol, Turn

App = Callable[..., Awaitable[None]]
GET = b"GET /api/v1/x HTTP/1.1\r\nHost: x\r\n\r\n"
ELSEWHERE = b"GET /__mock__/x HTTP/1.1\r\nHost: x\r\n\r\n"


class Wire(asyncio.Transport):
    """The transport of a connection to nobody."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.closed = False

    def write(self, data: Any) -> None:
        assert not self.closed, "written to a closed connection"
        self.written.append(bytes(data))

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return {"sockname": ("127.0.0.1", 1), "peername": ("127.0.0.1", 2)}.get(name, default)

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        pass


def connected(app: App, turn: Turn | None = None) -> tuple[PatientProtocol, Wire]:
    """A connection to an application; needs a running loop."""
    config = uvicorn.Config(app, interface="asgi3", lifespan="off", log_config=None, access_log=False, ws="none")
    config.load()
    make = partial(PatientProtocol, turn or Turn(), "/api/v1/")
    protocol = make(config=config, server_state=ServerState(), app_state={})
    wire = Wire()
    protocol.connection_made(wire)
    return protocol, wire


async def settled() -> None:
    """Lets the loop do what is ready, several times over."""
    for _ in range(10):
        await asyncio.sleep(0)


def sent_by(app: App, *pieces: bytes) -> tuple[list[bytes], Wire]:
    """What an application's answers to these bytes are written as."""

    async def talk() -> Wire:
        protocol, wire = connected(app)
        for piece in pieces:
            protocol.data_received(piece)
        await settled()
        return wire

    wire = asyncio.run(talk())
    return wire.written, wire


def saying(*bodies: bytes, headers: list[tuple[bytes, bytes]] | None = None, status: int = 200) -> App:
    """An application that answers with these pieces."""
    told = [(b"content-length", b"%d" % len(b"".join(bodies)))] if headers is None else headers

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": status, "headers": told})
        for at, body in enumerate(bodies):
            await send({"type": "http.response.body", "body": body, "more_body": at < len(bodies) - 1})

    return app


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Answers the path and the body, once the body is there."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message["body"]
        more = message["more_body"]
    text = scope["path"].encode() + b" " + body
    await saying(text)(scope, receive, send)


def test_head_and_body_are_one_write() -> None:
    written, _ = sent_by(saying(b"hello"), GET)
    assert written == [b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"]


def test_answers_go_out_after_all_that_came_in_with_them() -> None:
    async def talk() -> list[list[int]]:
        turn = Turn()
        connections = [connected(saying(b"hello"), turn) for _ in range(3)]
        counts = []
        for protocol, _ in connections:
            protocol.data_received(GET)
            counts.append([len(wire.written) for _, wire in connections])
        await settled()
        return [*counts, [len(wire.written) for _, wire in connections]]

    assert asyncio.run(talk()) == [[0, 0, 0], [0, 0, 0], [0, 0, 0], [1, 1, 1]]


def test_an_answer_in_pieces_is_sent_in_pieces() -> None:
    written, _ = sent_by(saying(b"hel", b"lo"), GET)
    assert b"".join(written) == b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"
    assert written[-1] == b"lo"


def test_an_answer_of_unknown_length_is_chunked() -> None:
    written, _ = sent_by(saying(b"hello", headers=[]), GET)
    assert b"".join(written).endswith(b"transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")


@pytest.mark.parametrize("split", [None, 20])
def test_requests_in_a_row_are_answered_in_their_order(split: int | None) -> None:
    rows = b"".join(b"GET /api/v1/%d HTTP/1.1\r\nHost: x\r\n\r\n" % number for number in range(5))
    written, _ = sent_by(echo, *([rows] if split is None else [rows[:split], rows[split:]]))
    together = b"".join(written)
    assert [together.index(b"/api/v1/%d" % number) for number in range(5)] == sorted(
        together.index(b"/api/v1/%d" % number) for number in range(5)
    )


def test_an_answer_in_pieces_comes_after_the_whole_one_before_it() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await (saying(b"first") if scope["path"].endswith("1") else saying(b"sec", b"ond"))(scope, receive, send)

    written, _ = sent_by(app, GET.replace(b"x HTTP", b"1 HTTP"), GET.replace(b"x HTTP", b"2 HTTP"))
    together = b"".join(written)
    assert together.index(b"first") < together.index(b"sec")


def test_a_body_that_comes_in_pieces_is_waited_for() -> None:
    async def talk() -> list[bytes]:
        protocol, wire = connected(echo)
        protocol.data_received(b"PATCH /api/v1/x HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\n")
        await settled()
        protocol.data_received(b"abc")
        await settled()
        assert wire.written == []
        protocol.data_received(b"def")
        await settled()
        return wire.written

    assert asyncio.run(talk())[0].endswith(b"\r\n\r\n/api/v1/x abcdef")


def test_an_answer_to_head_has_a_length_and_no_body() -> None:
    written, _ = sent_by(saying(b"", headers=[(b"content-length", b"5")]), GET.replace(b"GET", b"HEAD"))
    assert written == [b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"]


@pytest.mark.parametrize(
    "request_", [GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), GET.replace(b"1.1", b"1.0")]
)
def test_a_connection_that_is_not_to_be_kept_is_closed_after_the_answer(request_: bytes) -> None:
    written, wire = sent_by(saying(b"hello"), request_)
    assert b"".join(written).endswith(b"connection: close\r\n\r\nhello")
    assert wire.closed


@pytest.mark.parametrize("bad", [b"a\r\nset-cookie: b", b"a\0b", b"a\x7f"])
def test_a_header_that_would_begin_another_is_never_sent(bad: bytes) -> None:
    written, _ = sent_by(saying(b"hello", headers=[(b"content-length", b"5"), (b"x", bad)]), GET)
    assert bad not in b"".join(written)


@pytest.mark.parametrize("length", [b"4", b"6"])
def test_a_wrong_length_is_no_whole_answer(length: bytes) -> None:
    written, wire = sent_by(saying(b"hello", headers=[(b"content-length", length)]), GET)
    assert wire.closed or not b"".join(written).endswith(b"hello")


async def breaks_off(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
    raise LookupError


async def forgets(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})


@pytest.mark.parametrize("app", [breaks_off, forgets])
def test_an_application_that_gives_no_body_is_a_500(app: App) -> None:
    written, _ = sent_by(app, GET)
    assert b"".join(written).startswith(b"HTTP/1.1 500 ")


@pytest.mark.parametrize("request_", [GET, ELSEWHERE])
def test_what_waits_is_gone_on_with_in_a_task(request_: bytes) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if not scope["path"].startswith("/api/v1/"):
            assert asyncio.current_task() is not None
        await asyncio.sleep(0)
        async with asyncio.timeout(5):
            await asyncio.sleep(0)
        await saying(b"hello")(scope, receive, send)

    written, _ = sent_by(app, request_)
    assert written[0].endswith(b"hello")


def test_what_was_begun_by_hand_sees_what_is_thrown_at_it() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        failing = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(failing.set_exception, LookupError("here"))
        try:
            await failing
        except LookupError as error:
            await saying(str(error).encode())(scope, receive, send)

    written, _ = sent_by(app, GET)
    assert written[0].endswith(b"here")


def test_what_was_begun_by_hand_can_be_cancelled() -> None:
    seen = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    async def talk() -> None:
        protocol, _ = connected(app)
        protocol.data_received(GET)
        await settled()
        for task in protocol.tasks:
            task.cancel()
        await settled()

    asyncio.run(talk())
    assert seen == ["cancelled"]


def test_a_connection_is_closed_when_it_was_quiet_for_five_seconds() -> None:
    async def talk() -> list[tuple[float, bool]]:
        protocol, wire = connected(echo)
        now = [100.0]
        protocol.loop = cast(Any, _Slow(asyncio.get_running_loop(), now))
        seen = []

        def look(at: float) -> None:
            now[0] = at
            protocol.timeout_keep_alive_handler()
            seen.append((at, wire.closed))

        protocol.data_received(GET)
        look(104)
        protocol.data_received(b"PATCH /api/v1/x HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n")
        await settled()
        look(109)
        protocol.data_received(b"x")
        await settled()
        look(113)
        look(114)
        protocol.connection_lost(None)
        return seen

    assert asyncio.run(talk()) == [(104, False), (109, False), (113, False), (114, True)]


def test_nothing_is_written_to_a_connection_that_is_no_more() -> None:
    async def talk() -> list[bytes]:
        turn = Turn()
        protocol, wire = connected(saying(b"hello"), turn)
        turn.post(wire, b"late", asyncio.get_running_loop())
        protocol.connection_lost(None)
        await settled()
        return wire.written

    assert asyncio.run(talk()) == []


def test_a_server_that_ends_sends_what_is_ready() -> None:
    async def talk() -> Wire:
        protocol, wire = connected(saying(b"hello"))
        protocol.data_received(GET)
        protocol.shutdown()
        await settled()
        return wire

    wire = asyncio.run(talk())
    assert wire.closed
    assert b"".join(wire.written).endswith(b"connection: close\r\n\r\nhello")


class _Slow:
    """An event loop whose clock is moved by hand."""

    def __init__(self, loop: asyncio.AbstractEventLoop, now: list[float]) -> None:
        self._loop = loop
        self._now = now

    def time(self) -> float:
        return self._now[0]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loop, name)
