"""Connections to nobody: what a protocol writes, without a socket."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, NamedTuple

from mockserver.http.connection import HttpConnection, Limits, Server
from mockserver.http.cycle import RequestCycle
from mockserver.http.outgoing import Outgoing

App = Callable[..., Coroutine[Any, Any, None]]
LINES = b"date: now\r\n"


class Wire(asyncio.Transport):
    """The transport of a connection to nobody."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.closed = False
        self.ended = False
        """The server has said that it sends no more."""
        self.paused = False

    def write(self, data: Any) -> None:
        assert not self.closed, "written to a closed connection"
        assert not self.ended, "written after the end"
        self.written.append(bytes(data))

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True

    def write_eof(self) -> None:
        self.ended = True

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return {"sockname": ("127.0.0.1", 1), "peername": ("127.0.0.1", 2)}.get(name, default)

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        pass


class Tasks:
    """Answers each request in a task of its own; the server has workers for that (test_server.py)."""

    def __init__(self, app: App) -> None:
        self._app = app
        self.tasks: dict[asyncio.Task[None], RequestCycle] = {}
        self.reports: list[str] = []

    def begin(self, cycle: RequestCycle) -> None:
        task = asyncio.get_running_loop().create_task(self._app(cycle.scope, cycle.receive, cycle.send))
        self.tasks[task] = cycle
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        cycle = self.tasks.pop(task)
        if task.cancelled() or task.exception():
            cycle.fail()
        else:
            cycle.end(self.reports.append)


class Talk(NamedTuple):
    """A connection to an application, and what is known of it."""

    connection: HttpConnection
    wire: Wire
    tasks: Tasks


def connected(app: App, limits: Limits | None = None, loop: Any = None) -> Talk:
    """A connection to an application; needs a running loop."""
    tasks, loop = Tasks(app), loop or asyncio.get_running_loop()
    server = Server(tasks.begin, lambda keep_alive: LINES, set(), lambda: None, Outgoing(loop), limits or Limits())
    connection = HttpConnection(server, loop)
    wire = Wire()
    connection.connection_made(wire)
    return Talk(connection, wire, tasks)


async def settled(rounds: int = 10) -> None:
    """Lets the loop do what is ready, several times over."""
    for _ in range(rounds):
        await asyncio.sleep(0)


def say(app: App, *pieces: bytes, half_close: bool = False, limits: Limits | None = None) -> Wire:
    """The wire after an application has answered these bytes, which come piece by piece."""

    async def talk() -> Wire:
        connection, wire, _ = connected(app, limits)
        for piece in pieces:
            if not wire.closed:
                connection.data_received(piece)
            await settled(3)
        if half_close and not wire.closed and not connection.eof_received():
            wire.close()
        await settled(40 + 4 * sum(piece.count(b"HTTP/1") for piece in pieces))
        connection.connection_lost(None)
        await settled()
        return wire

    return asyncio.run(talk())


def sent(app: App, *pieces: bytes, limits: Limits | None = None) -> bytes:
    """What an application's answers to these bytes are, as bytes."""
    return b"".join(say(app, *pieces, limits=limits).written)


def saying(*bodies: bytes, headers: Iterable[tuple[bytes, bytes]] | None = None, status: int = 200) -> App:
    """An application that answers with these pieces."""
    told = [(b"content-length", b"%d" % len(b"".join(bodies)))] if headers is None else list(headers)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": status, "headers": told})
        for at, body in enumerate(bodies):
            await send({"type": "http.response.body", "body": body, "more_body": at < len(bodies) - 1})

    return app


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Answers method, path, query and body, or nothing to HEAD; a path with `early` in it without reading the body."""
    body, more = b"", "early" not in scope["path"]
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body += message["body"]
        more = message["more_body"]
    text = f"{scope['method']} {scope['path']} {scope['query_string'].decode()} ".encode() + body
    status = 401 if "early" in scope["path"] else 200
    if scope["method"] == "HEAD":
        text = b""
    await saying(text, status=status)(scope, receive, send)


_RESPONSE = re.compile(rb"HTTP/1\.1 (\d{3})[^\r\n]*\r\n((?:[^\r\n]+\r\n)*)\r\n")


def responses(data: bytes) -> list[tuple[int, bytes]]:
    """Status and body of each response; interim ones are left out, and a refusal's body is not looked at.

    Bodies are framed by length, by chunks, or by the end.
    """
    found = []
    while data:
        match = _RESPONSE.match(data)
        assert match, f"no response: {data[:80]!r}"
        status, data = int(match[1]), data[match.end() :]
        if status == 100:
            continue
        told = re.search(rb"(?i)content-length: (\d+)", match[2])
        if re.search(rb"(?i)transfer-encoding: chunked", match[2]):
            body, _, data = data.partition(b"0\r\n\r\n")
        else:
            size = int(told[1]) if told else len(data)
            body, data = data[:size], data[size:]
        found.append((status, b"" if status in (400, 431) else body))
    return found
