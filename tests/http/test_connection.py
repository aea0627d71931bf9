"""HTTP on a connection: which bytes go out, when, and how a connection ends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any, cast

import pytest

from mockserver.http.connection import RAW, Limits
from tests.http.wires import App, Talk, Wire, connected, echo, responses, say, saying, sent, settled

GET = b"GET /api/v1/x HTTP/1.1\r\nHost: x\r\n\r\n"
PATCH = b"PATCH /api/v1/x HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\n"


def test_head_and_body_are_one_write() -> None:
    assert say(saying(b"hello"), GET).written == [b"HTTP/1.1 200 OK\r\ndate: now\r\ncontent-length: 5\r\n\r\nhello"]


@pytest.mark.parametrize("end", ["close", "reset", "shutdown"])
def test_a_whole_answer_is_sent_before_its_connection_is_ended(end: str) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await saying(b"hello")(scope, receive, send)
        getattr(scope["state"][RAW], end)()

    wire = say(app, GET)
    assert wire.written[0].endswith(b"hello")
    assert wire.closed


def test_an_answer_in_pieces_is_sent_in_pieces() -> None:
    written = say(saying(b"hel", b"lo"), GET).written
    assert b"".join(written) == b"HTTP/1.1 200 OK\r\ndate: now\r\ncontent-length: 5\r\n\r\nhello"
    assert written[-1] == b"lo"


def test_an_answer_of_unknown_length_is_chunked() -> None:
    data = sent(saying(b"hel", b"lo", headers=[]), GET)
    assert data.endswith(b"transfer-encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n")


def test_an_answer_of_unknown_length_to_http_1_0_ends_with_the_connection() -> None:
    wire = say(saying(b"hel", b"lo", headers=[]), GET.replace(b"1.1", b"1.0"))
    assert b"".join(wire.written).endswith(b"connection: close\r\n\r\nhello")
    assert wire.closed


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_without_a_body_has_no_framing(status: int) -> None:
    data = sent(saying(b"", headers=[], status=status), GET)
    assert data.endswith(b"\r\ndate: now\r\n\r\n")


@pytest.mark.parametrize("split", [None, 20])
def test_requests_in_a_row_are_answered_in_their_order(split: int | None) -> None:
    rows = b"".join(b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n" % number for number in range(50))
    data = sent(echo, *([rows] if split is None else [rows[:split], rows[split:]]))
    assert [body for _, body in responses(data)] == [b"GET /%d  " % number for number in range(50)]


def test_heads_may_end_their_lines_with_line_feeds_alone_wherever_they_are_cut() -> None:
    rows = b"GET /1 HTTP/1.1\nHost: x\n\nGET /2 HTTP/1.1\r\nHost: x\n\r\nGET /3 HTTP/1.1\nHost: x\r\n\n"
    for cut in range(len(rows)):
        data = sent(echo, rows[:cut], rows[cut:])
        assert [body for _, body in responses(data)] == [b"GET /1  ", b"GET /2  ", b"GET /3  "]


def test_a_client_that_sends_no_more_gets_every_answer() -> None:
    rows = b"".join(b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n" % number for number in range(20))
    wire = say(echo, rows, half_close=True)
    assert len(responses(b"".join(wire.written))) == 20
    assert wire.closed


def test_a_body_that_comes_in_pieces_is_waited_for() -> None:
    async def talk() -> list[bytes]:
        connection, wire, _ = connected(echo)
        connection.data_received(PATCH)
        await settled()
        connection.data_received(b"abc")
        await settled()
        assert wire.written == []
        connection.data_received(b"def")
        await settled()
        return wire.written

    assert asyncio.run(talk())[0].endswith(b"\r\n\r\nPATCH /api/v1/x  abcdef")


def test_an_answer_to_head_has_a_length_and_no_body() -> None:
    data = sent(saying(b"", headers=[(b"content-length", b"5")]), GET.replace(b"GET", b"HEAD"))
    assert data == b"HTTP/1.1 200 OK\r\ndate: now\r\ncontent-length: 5\r\n\r\n"


@pytest.mark.parametrize(
    "request_", [GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), GET.replace(b"1.1", b"1.0")]
)
def test_a_connection_that_is_not_to_be_kept_is_closed_after_the_answer(request_: bytes) -> None:
    wire = say(saying(b"hello"), request_)
    assert b"".join(wire.written).endswith(b"connection: close\r\n\r\nhello")
    assert wire.closed


def test_an_application_can_end_the_connection() -> None:
    wire = say(saying(b"hello", headers=[(b"content-length", b"5"), (b"connection", b"close")]), GET + GET)
    assert len(responses(b"".join(wire.written))) == 1
    assert wire.closed or wire.ended


@pytest.mark.parametrize("bad", [b"a\r\nset-cookie: b", b"a\nb", b"a\rb", b"a\0b", b"a\x7f"])
def test_a_header_that_would_begin_another_is_never_sent(bad: bytes) -> None:
    data = sent(saying(b"hello", headers=[(b"content-length", b"5"), (b"x", bad)]), GET)
    assert data.startswith(b"HTTP/1.1 500 ")
    assert bad not in data


@pytest.mark.parametrize("length", [b"4", b"6", b"x"])
def test_a_wrong_length_is_no_whole_answer(length: bytes) -> None:
    wire = say(saying(b"hello", headers=[(b"content-length", length)]), GET)
    assert wire.closed or wire.ended
    assert not b"".join(wire.written).endswith(b"hello")


async def breaks_off(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
    raise LookupError


async def forgets_the_body(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})


async def says_nothing(scope: Any, receive: Any, send: Any) -> None:
    return


async def begins_twice(scope: Any, receive: Any, send: Any) -> None:
    for _ in range(2):
        await send({"type": "http.response.start", "status": 200, "headers": []})


async def begins_with_the_body(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.body", "body": b"x"})


@pytest.mark.parametrize("app", [breaks_off, forgets_the_body, says_nothing, begins_twice, begins_with_the_body])
def test_an_application_that_gives_no_answer_is_a_500(app: App) -> None:
    assert sent(app, GET).startswith(b"HTTP/1.1 500 ")


def test_a_failing_request_takes_no_other_with_it() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await (breaks_off if "bad" in scope["path"] else saying(b"good"))(scope, receive, send)

    async def talk() -> list[bytes]:
        talks = [connected(app) for _ in range(5)]
        for number, (connection, _, _) in enumerate(talks):
            connection.data_received(GET if number != 2 else GET.replace(b"x HTTP", b"bad HTTP"))
        await settled()
        return [b"".join(wire.written)[9:12] for _, wire, _ in talks]

    assert asyncio.run(talk()) == [b"200", b"200", b"500", b"200", b"200"]


async def waits(scope: Any, receive: Any, send: Any) -> None:
    """Answers once an event of the application's state is set, and leaves when its client does."""
    while (await receive())["type"] != "http.disconnect":
        pass


def test_one_client_that_leaves_takes_no_other_answer_with_it() -> None:
    async def talk() -> list[int]:
        ready = asyncio.Event()

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await ready.wait()
            await saying(b"now")(scope, receive, send)

        others = [connected(app) for _ in range(10)]
        leaving = connected(app)
        leaving.connection.data_received(GET + GET)
        for other in others:
            other.connection.data_received(GET)
        await settled()
        leaving.wire.close()
        ready.set()
        leaving.connection.connection_lost(None)
        await settled()
        return [len(wire.written) for _, wire, _ in [*others, leaving]]

    assert asyncio.run(talk()) == [1] * 10 + [0]


def test_an_application_that_waits_sees_that_its_client_has_gone() -> None:
    async def talk() -> int:
        connection, wire, tasks = connected(waits)
        connection.data_received(GET + GET)
        await settled()
        assert len(tasks.tasks) == 1
        wire.close()
        connection.connection_lost(ConnectionResetError())
        await settled()
        return len(tasks.tasks)

    assert asyncio.run(talk()) == 0


# --- what is too much, too slow, or no HTTP ---


def test_an_application_can_give_up_waiting_for_its_client_and_wait_again() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        for _ in range(2):
            waiting = asyncio.ensure_future(receive())
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
        again = asyncio.ensure_future(receive())
        await asyncio.sleep(0)
        body = b"done" if again.done() else b"waits"
        again.cancel()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
        await send({"type": "http.response.body", "body": body})

    assert sent(app, GET).endswith(b"\r\n\r\nwaits")


def test_a_head_that_is_too_large_is_a_431_in_the_dialect_of_the_service() -> None:
    limits = Limits(head=1000)
    long = GET.replace(b"\r\n\r\n", b"\r\nX: " + b"v" * 1000 + b"\r\n\r\n")
    for pieces in ([long], [long[:500], long[500:]], [long[:1001]], [GET, long]):
        head, _, body = (
            sent(saying(b"hello"), *pieces, limits=limits).rpartition(b"HTTP/1.1 ")[2].partition(b"\r\n\r\n")
        )
        assert head == (
            b"431 Request Header Fields Too Large\r\ndate: now\r\ncontent-type: application/json\r\n"
            b"content-length: 64\r\nconnection: close"
        )
        assert json.loads(body) == {"detail": "The head of the request is larger than 1000 bytes."}


def test_a_head_of_too_many_fields_is_a_431() -> None:
    data = sent(echo, GET.replace(b"\r\n\r\n", b"\r\n" + b"X: y\r\n" * 1000 + b"\r\n"))
    assert responses(data) == [(431, b"")]


def test_a_tls_greeting_is_refused_at_once_with_a_hint() -> None:
    data = sent(echo, b"\x16\x03\x01\x02\x00\x01")
    assert data.startswith(b"HTTP/1.1 400 ")
    assert b"use http://, not https://" in data


def test_a_refusal_quotes_nothing_of_the_request() -> None:
    for broken in (b"secret\r\n\r\n", GET.replace(b"Host: x", b"secret"), GET.replace(b"Host", b"secret : s\r\nHost")):
        data = sent(echo, broken)
        assert data.startswith(b"HTTP/1.1 400 ")
        assert b"secret" not in data


def test_after_a_refusal_the_rest_is_thrown_away_and_the_client_can_read_why() -> None:
    async def talk() -> tuple[bool, bool, int, bool]:
        connection, wire, _ = connected(echo)
        connection.data_received(b"GARBAGE\r\n\r\n")
        for _ in range(100):
            connection.data_received(b"x" * 65536)
        before = wire.closed
        return before, wire.ended, len(wire.written), connection.eof_received()

    assert asyncio.run(talk()) == (False, True, 1, False)


class Slow:
    """An event loop whose clock is moved by hand."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.now = 100.0

    def time(self) -> float:
        return self.now

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loop, name)


def at_times(
    app: App, steps: Sequence[tuple[float, bytes]], limits: Limits | None = None
) -> list[tuple[float, bytes, bool]]:
    """What is written until each time, and whether the connection is closed; bytes come in at that time."""

    async def talk() -> list[tuple[float, bytes, bool]]:
        loop = Slow()
        connection, wire, _ = connected(app, limits, loop)
        seen = []
        for now, data in steps:
            loop.now = 100 + now
            connection.check(loop.now)
            await settled()
            if data:
                connection.data_received(data)
            await settled()
            seen.append((now, b"".join(wire.written)[9:12], wire.closed or wire.ended))
        return seen

    return asyncio.run(talk())


def test_a_connection_is_closed_when_it_was_quiet_for_five_seconds() -> None:
    steps = [(0, GET), (4, b""), (4.5, GET), (9, PATCH), (20, b"abcdef"), (24.9, b""), (25.1, b"")]
    assert [closed for _, _, closed in at_times(echo, steps)] == [False] * 6 + [True]
    steps = [(0, GET), (29, b""), (31, b"")]
    limits = Limits(idle_seconds=30)
    assert [closed for _, _, closed in at_times(echo, steps, limits)] == [False, False, True]


def test_a_head_that_does_not_end_is_a_408_after_a_minute() -> None:
    steps = [(0.0, b"GET / HT"), (30.0, b"TP/1.1\r\n"), (59.0, b"X: y\r\n"), (61.0, b"")]
    assert at_times(echo, steps)[2:] == [(59.0, b"", False), (61.0, b"408", True)]


def test_a_body_that_pauses_for_a_minute_ends_the_connection() -> None:
    steps = [(0, PATCH), (59, b"a"), (118, b"b"), (179, b"")]
    assert at_times(echo, steps)[2:] == [(118, b"", False), (179, b"400", True)]


def test_a_body_that_drips_for_ever_ends_the_connection() -> None:
    endless = PATCH.replace(b": 6", b": 9999")
    steps = [(0.0, endless), *((30.0 * number, b"x") for number in range(1, 20)), (601.0, b"")]
    seen = at_times(echo, steps)
    assert seen[-2][1:] == (b"", False)
    assert seen[-1][1:] == (b"400", True)


def test_a_large_body_is_read_no_faster_than_the_application_takes_it() -> None:
    async def talk() -> tuple[bool, bool]:
        go = asyncio.Event()

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await go.wait()
            await echo(scope, receive, send)

        connection, wire, _ = connected(app)
        connection.data_received(PATCH.replace(b": 6", b": 200000"))
        for _ in range(2):
            connection.data_received(b"x" * 70_000)
        await settled()
        paused = wire.paused
        go.set()
        await settled()
        return paused, wire.paused

    assert asyncio.run(talk()) == (True, False)


# --- a client that has sent all: is it still there? ---


def test_a_client_that_sends_no_more_and_still_waits_is_answered() -> None:
    async def talk() -> list[bytes]:
        ready = asyncio.Event()

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await receive()
            gone = asyncio.ensure_future(receive())
            await ready.wait()
            assert not gone.done()
            gone.cancel()
            await saying(b"late")(scope, receive, send)

        connection, wire, _ = connected(app)
        connection.data_received(GET)
        await settled()
        assert connection.eof_received()
        ready.set()
        await settled()
        connection.connection_lost(None)
        return wire.written

    assert asyncio.run(talk())[-1].endswith(b"late")


# --- a server that stops ---


def test_a_server_that_stops_answers_what_is_under_way() -> None:
    async def talk() -> Wire:
        connection, wire, _ = connected(saying(b"hello"))
        connection.data_received(GET)
        connection.shutdown()
        await settled()
        return wire

    wire = asyncio.run(talk())
    assert wire.closed
    assert b"".join(wire.written).endswith(b"connection: close\r\n\r\nhello")


def test_a_server_that_stops_closes_a_quiet_connection() -> None:
    async def talk() -> Talk:
        talk = connected(echo)
        talk.connection.shutdown()
        return talk

    assert asyncio.run(talk()).wire.closed


def test_what_waits_can_be_cancelled() -> None:
    seen = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert asyncio.current_task() is not None
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    async def talk() -> bytes:
        connection, wire, tasks = connected(app)
        connection.data_received(GET)
        await settled()
        for task in list(tasks.tasks):
            task.cancel()
        await settled()
        return b"".join(wire.written)

    assert asyncio.run(talk()).startswith(b"HTTP/1.1 500 ")
    assert seen == ["cancelled"]


def test_a_slow_reader_is_waited_for() -> None:
    async def talk() -> tuple[int, int]:
        connection, wire, _ = connected(saying(b"hello"))
        connection.pause_writing()
        connection.data_received(GET)
        await settled()
        before = len(wire.written)
        connection.resume_writing()
        await settled()
        return before, len(wire.written)

    assert asyncio.run(talk()) == (0, 1)


@pytest.mark.parametrize("body", [b"", b"abcdef"])
def test_a_client_that_asks_whether_to_send_its_body_is_told_to(body: bytes) -> None:
    head = PATCH.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n")

    async def talk() -> list[bytes]:
        connection, wire, _ = connected(echo)
        connection.data_received(head)
        await settled()
        connection.data_received(b"abcdef")
        await settled()
        return wire.written

    written = asyncio.run(talk())
    assert written[0] == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert written[1].endswith(b"abcdef")


def test_a_client_that_asks_whether_to_send_its_body_and_is_refused_is_disconnected() -> None:
    """It may send the body or not: nobody could tell where the next request begins."""
    head = PATCH.replace(b"/api/v1/x", b"/early").replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n")
    wire = say(echo, head + GET)
    assert [status for status, _ in responses(b"".join(wire.written))] == [401]
    assert wire.closed or wire.ended


def test_the_application_sees_the_connection_it_may_break_off() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        next(iter(scope["state"].values())).close()

    wire = say(cast(App, app), GET)
    assert wire.closed
    assert wire.written == []
