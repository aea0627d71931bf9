"""An application on a real socket: what only a system's connections can show."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mockserver.http.connection import Limits
from mockserver.http.server import HttpServer
from tests.http.wires import App, responses, saying

GET = b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n"


class Waiting:
    """An application whose requests wait until they are let go, and leave when their client has gone."""

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.came = threading.Semaphore(0)
        self.left = threading.Semaphore(0)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await lives(receive, send)
            return
        while (await receive())["more_body"]:
            pass
        gone = asyncio.ensure_future(receive())
        self.came.release()
        while not self.let_go.is_set():
            done, _ = await asyncio.wait({gone}, timeout=0.001)
            if done:
                self.left.release()
                return
        gone.cancel()
        await saying(b"here")(scope, receive, send)


async def lives(receive: Any, send: Any) -> None:
    for _ in range(2):
        await send({"type": f"{(await receive())['type']}.complete"})


def alive(app: App) -> App:
    """The application with a lifespan."""

    async def whole(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await lives(receive, send)
        else:
            await app(scope, receive, send)

    return whole


@contextlib.contextmanager
def serving(
    app: App, limits: Limits | None = None, *, stopping: Callable[[], None] | None = None
) -> Iterator[tuple[str, int]]:
    """An application on a port, in a thread, for as long as the block lasts."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = HttpServer(app, limits, stopping=stopping)
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    try:
        yield listening.getsockname()
    finally:
        server.stop()
        thread.join(60)
        assert not thread.is_alive()
        listening.close()


def everything(connection: socket.socket) -> bytes:
    """All that comes until the other side ends."""
    received = b""
    while chunk := connection.recv(65536):
        received += chunk
    return received


def test_a_client_that_leaves_while_it_waits_is_noticed() -> None:
    app = Waiting()
    with serving(app) as address:
        connection = socket.create_connection(address, timeout=60)
        connection.sendall(GET + GET)
        assert app.came.acquire(timeout=60)
        connection.close()
        assert app.left.acquire(timeout=60)


def test_a_client_that_sends_no_more_while_it_waits_is_answered() -> None:
    app = Waiting()
    with serving(app) as address, socket.create_connection(address, timeout=60) as connection:
        connection.sendall(GET)
        assert app.came.acquire(timeout=60)
        connection.shutdown(socket.SHUT_WR)
        assert not app.left.acquire(timeout=0.2)
        app.let_go.set()
        assert responses(everything(connection)) == [(200, b"here")]


def test_ten_others_are_answered_when_one_pipelines_and_leaves() -> None:
    app = Waiting()
    with serving(app) as address, contextlib.ExitStack() as stack:
        others = [stack.enter_context(socket.create_connection(address, timeout=60)) for _ in range(10)]
        for other in others:
            other.sendall(GET)
        leaving = socket.create_connection(address, timeout=60)
        leaving.sendall(GET + GET)
        for _ in range(11):
            assert app.came.acquire(timeout=60)
        leaving.close()
        app.let_go.set()
        for other in others:
            other.shutdown(socket.SHUT_WR)
            assert responses(everything(other)) == [(200, b"here")]


def test_twenty_pipelined_requests_are_answered_after_the_client_has_sent_all() -> None:
    with serving(alive(saying(b"yes"))) as address, socket.create_connection(address, timeout=60) as connection:
        connection.sendall(GET * 20)
        connection.shutdown(socket.SHUT_WR)
        assert responses(everything(connection)) == [(200, b"yes")] * 20


def test_an_endless_head_is_refused_and_the_client_can_read_why() -> None:
    with serving(alive(saying(b"yes"))) as address, socket.create_connection(address, timeout=60) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n")
        for _ in range(200):
            connection.sendall(b"X-Y: " + b"z" * 10_000 + b"\r\n")
        connection.shutdown(socket.SHUT_WR)
        received = everything(connection)
    assert received.startswith(b"HTTP/1.1 431 ")
    assert b"larger than 1000000 bytes" in received


def test_how_long_a_quiet_connection_is_kept_is_announced() -> None:
    with serving(alive(saying(b"yes")), Limits(idle_seconds=75)) as address:
        client = http.client.HTTPConnection(*address, timeout=60)
        client.request("GET", "/")
        answered = client.getresponse()
        assert (answered.read(), answered.getheader("keep-alive")) == (b"yes", "timeout=75")
        assert answered.getheader("date", "").endswith(" GMT")
        client.close()


def test_stopping_calls_back_and_ends_a_wait() -> None:
    app = Waiting()
    with serving(app, stopping=app.let_go.set) as address:
        connection = socket.create_connection(address, timeout=60)
        connection.sendall(GET)
        assert app.came.acquire(timeout=60)
    assert responses(everything(connection)) == [(200, b"here")]
    connection.close()


def test_a_server_that_is_stopped_before_it_runs_ends_at_once() -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    server = HttpServer(alive(saying(b"yes")))
    server.stop()
    server.run([listening])
    listening.close()


def test_an_application_that_cannot_start_ends_the_server_with_its_reason() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no fixtures"})

    listening = socket.create_server(("127.0.0.1", 0))
    with pytest.raises(RuntimeError, match="no fixtures"):
        HttpServer(app).run([listening])
    listening.close()


def test_a_request_that_fails_or_waits_holds_up_no_other_that_came_with_it() -> None:
    app = Waiting()

    async def mixed(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan" or scope["path"] == "/wait":
            await app(scope, receive, send)
        elif scope["path"] == "/fail":
            raise LookupError
        else:
            await saying(b"yes")(scope, receive, send)

    kinds = ["wait", "fail", "x"] * 20
    with serving(mixed) as address, contextlib.ExitStack() as stack:
        connections = [stack.enter_context(socket.create_connection(address, timeout=60)) for _ in kinds]
        for connection, kind in zip(connections, kinds, strict=True):
            connection.sendall(b"GET /%b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % kind.encode())
        statuses = [
            [status for status, _ in responses(everything(connection))]
            for connection, kind in zip(connections, kinds, strict=True)
            if kind != "wait"
        ]
        assert statuses == [[500], [200]] * 20
        app.let_go.set()
        for connection, kind in zip(connections, kinds, strict=True):
            if kind == "wait":
                assert responses(everything(connection)) == [(200, b"here")]
