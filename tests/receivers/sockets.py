"""Receivers of webhooks on loopback that do what a receiver should not, in the event loop of the test."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import pytest

Behave = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Received(NamedTuple):
    """A request as it came over the wire."""

    raw: bytes

    @property
    def path(self) -> str:
        return self.raw.split(b" ")[1].decode()

    @property
    def headers(self) -> list[tuple[str, str]]:
        lines = self.raw.split(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
        return [(name, value) for name, _, value in (line.partition(": ") for line in lines)]

    @property
    def body(self) -> bytes:
        return self.raw.split(b"\r\n\r\n", 1)[1]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Receiver:
    """What came in, at an address of this machine."""

    def __init__(self, port: int) -> None:
        self.base = f"http://127.0.0.1:{port}"
        self.port = port
        self.received: list[Received] = []
        self.most_at_once = 0


@asynccontextmanager
async def receiving(behave: Behave) -> AsyncIterator[Receiver]:
    """A receiver that reads each request, and then behaves like that; it ends with the block whatever it does."""
    at_work: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        at_work.add(task)
        receiver.most_at_once = max(receiver.most_at_once, len(at_work))
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            receiver.received.append(Received(head + await reader.readexactly(length)))
            await behave(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            at_work.discard(task)
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=1000)
    receiver = Receiver(server.sockets[0].getsockname()[1])
    try:
        yield receiver
    finally:
        server.close()
        for task in list(at_work):
            task.cancel()
        await asyncio.gather(*at_work, return_exceptions=True)


def answering(raw: bytes) -> Behave:
    """Sends these bytes and closes the connection."""

    async def behave(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        await writer.drain()

    return behave


def status(code: int, body: bytes = b"resp", *headers: str) -> Behave:
    """Answers with a status and a body."""
    lines = [f"HTTP/1.1 {code} What", f"Content-Length: {len(body)}", *headers]
    if code == 204:
        lines, body = ["HTTP/1.1 204 No Content"], b""
    return answering("\r\n".join([*lines, "", ""]).encode() + body)


async def hang(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """Never answers; ends when the other side does."""
    await reader.read()


async def reset(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Breaks the connection off instead of answering."""
    connection: socket.socket = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def flood(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers without end."""
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b"x" * 65_536)
        await writer.drain()


async def dribble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Begins an answer and never ends it."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nx")
    await reader.read()


def out_of_time(monkeypatch: pytest.MonkeyPatch, behave: Behave) -> Behave:
    """Behaves like that, and has the sender's time limit expire as soon as the request has arrived, however early."""
    limits: list[asyncio.Timeout] = []
    real = asyncio.timeout

    def timeout(delay: float | None) -> asyncio.Timeout:
        limits.append(real(delay))
        return limits[-1]

    async def behave_too_long(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        limits[-1].reschedule(asyncio.get_running_loop().time())
        await behave(reader, writer)

    monkeypatch.setattr(asyncio, "timeout", timeout)
    return behave_too_long
