"""Bytes reach the other side unchanged, whatever they are; a target that fails gives the client a response."""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import cast

import pytest

from mockserver.proxy.target import Target, TargetError, connect, parse_target, tls
from mockserver.proxy.tunnel import Tunnels
from tests.patience import HANGS

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Copies:
    """What is passed on to be observed."""

    def __init__(self) -> None:
        self.sent: dict[int, bytes] = {}
        self.answered: dict[int, bytes] = {}
        self.reasons: list[str] = []
        self.ended: list[int] = []

    def client(self, connection: int, data: bytes) -> None:
        self.sent[connection] = self.sent.get(connection, b"") + data

    def server(self, connection: int, data: bytes) -> None:
        self.answered[connection] = self.answered.get(connection, b"") + data

    def proxied(self, connection: int, reason: str) -> None:
        self.reasons.append(reason)

    def closed(self, connection: int) -> None:
        self.ended.append(connection)


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(4096):
        writer.write(data)
        await writer.drain()


@contextlib.asynccontextmanager
async def proxied(
    serve: Serve | None, copies: Copies, patience: float = HANGS, *, set_host: bool = False
) -> AsyncIterator[int]:
    """A proxy before a server, or before nothing; gives its port."""
    loop = asyncio.get_running_loop()
    async with contextlib.AsyncExitStack() as stack:
        if serve is None:
            port = unused()
        else:
            target = await stack.enter_async_context(await asyncio.start_server(whole(serve), "127.0.0.1", 0))
            port = target.sockets[0].getsockname()[1]
        tunnels = Tunnels(Target("http", "127.0.0.1", port), None, copies, patience, set_host=set_host)
        server = await loop.create_server(tunnels, "127.0.0.1", 0)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            tunnels.close()


def whole(serve: Serve) -> Serve:
    """A server's function that leaves no open connection behind."""

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            await serve(reader, writer)
        await closed(writer)

    return served


async def closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


def unused() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def run(test: Callable[[], Awaitable[None]]) -> None:
    async def limited() -> None:
        await asyncio.wait_for(test(), HANGS)
        left = asyncio.all_tasks() - {asyncio.current_task()}
        if left:
            await asyncio.wait(left)

    asyncio.run(limited())


async def talk(port: int, data: bytes, *, ends: bool = True) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(data)
        await writer.drain()
        if ends:
            writer.write_eof()
        return await reader.read()
    finally:
        await closed(writer)


def test_any_bytes_pass_unchanged_in_both_directions() -> None:
    async def test() -> None:
        copies = Copies()
        data = [random.Random(seed).randbytes(200_000) for seed in range(4)]
        async with proxied(echo, copies) as port:
            assert await asyncio.gather(*(talk(port, one) for one in data)) == data
        assert sorted(copies.sent.values()) == sorted(data)
        assert copies.sent == copies.answered

    run(test)


class Written:
    """A transport that keeps what is written, and does nothing else."""

    def __init__(self) -> None:
        self.data = b""
        self.has_ended = False

    def write(self, data: bytes) -> None:
        assert not self.has_ended
        self.data += data

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.has_ended = True

    def is_closing(self) -> bool:
        return False

    def resume_reading(self) -> None:
        """Reads on."""

    def close(self) -> None:
        """Ends."""


def test_what_comes_while_the_target_is_connected_stays_in_order() -> None:
    async def test() -> None:
        copies, upstream = Copies(), Written()
        client = Tunnels(Target("http", "127.0.0.1", unused()), None, copies, HANGS)()
        client.connection_made(cast(asyncio.Transport, Written()))
        client.data_received(b"first ")
        client._server.connection_made(cast(asyncio.Transport, upstream))
        client.data_received(b"second")
        client.eof_received()
        assert (upstream.data, upstream.has_ended) == (b"first second", True)
        client.connection_lost(None)

    run(test)


def test_with_set_host_the_target_sees_its_own_name() -> None:
    async def test() -> None:
        copies = Copies()
        async with proxied(echo, copies, set_host=True) as port:
            answered = await talk(port, b"GET / HTTP/1.1\r\nHost: proxy\r\n\r\n")
        assert re.fullmatch(rb"GET / HTTP/1\.1\r\nHost: 127\.0\.0\.1:\d+\r\n\r\n", answered)
        assert copies.sent == {1: answered}

    run(test)


def test_a_client_that_does_not_read_keeps_the_target_from_sending_more() -> None:
    async def test() -> None:
        copies = Copies()
        sent = 0

        async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal sent
            while sent < 1 << 30:
                writer.write(b"x" * 65536)
                sent += 65536
                await writer.drain()

        async with proxied(endless, copies) as port:
            with socket.create_connection(("127.0.0.1", port)) as client:
                client.setblocking(False)
                before = -1
                while before != sent:
                    # Until nothing more goes through in a hundred turns of the loop.
                    before = sent
                    for _ in range(100):
                        await asyncio.sleep(0)
            assert sent < 1 << 27

    run(test)


def test_a_target_that_cannot_be_reached_is_a_502_with_the_reason() -> None:
    async def test() -> None:
        copies = Copies()
        async with proxied(None, copies) as port:
            answered = await talk(port, b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", ends=False)
        assert answered.startswith(b"HTTP/1.1 502 Bad Gateway\r\n")
        assert b'{"detail": "attendee-mock proxy: cannot connect to http://127.0.0.1:' in answered
        assert len(copies.reasons) == 1

    run(test)


def test_a_client_that_sends_later_also_gets_the_502() -> None:
    async def test() -> None:
        copies = Copies()
        async with proxied(None, copies) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            # By the time another connection has its response, this one's has failed.
            await talk(port, b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", ends=False)
            writer.write(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            assert (await reader.read()).startswith(b"HTTP/1.1 502 ")
            await closed(writer)
            assert await talk(port, b"") == b""
        assert sorted(copies.sent) == [1, 2]

    run(test)


def test_a_target_that_closes_without_a_response_is_a_502() -> None:
    async def test() -> None:
        async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(10)

        async with proxied(closing, Copies()) as port:
            answered = await talk(port, b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", ends=False)
        assert answered.startswith(b"HTTP/1.1 502 ")
        assert b"closed the connection without a response" in answered

    run(test)


def test_a_target_that_hangs_is_a_504() -> None:
    async def test() -> None:
        copies = Copies()

        async def hanging(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()

        async with proxied(hanging, copies, patience=0.01) as port:
            answered = await talk(port, b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", ends=False)
        assert answered.startswith(b"HTTP/1.1 504 Gateway Timeout\r\n")
        assert "did not respond within 0.01 s (--timeout)" in copies.reasons[0]

    run(test)


def test_a_connection_without_a_waiting_request_may_be_silent() -> None:
    async def test() -> None:
        async with proxied(echo, Copies(), patience=0.01) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            for _ in range(3):
                writer.write(b"ping")
                assert await reader.readexactly(4) == b"ping"
                # Longer than the target may be silent; another connection measures it.
                await talk(port, b"x", ends=True)
            await closed(writer)

    run(test)


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("http://127.0.0.1:8000", Target("http", "127.0.0.1", 8000)),
        ("https://staging.example.com/", Target("https", "staging.example.com", 443)),
        ("http://[::1]:80", Target("http", "::1", 80)),
    ],
)
def test_a_target_is_a_url_without_a_path(text: str, target: Target) -> None:
    assert parse_target(text) == target
    assert (tls(target) is not None) == (target.scheme == "https")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("staging.example.com", "must be a URL such as"),
        ("ftp://h", "must be a URL such as"),
        ("http://", "must be a URL such as"),
        ("http://h:port", "is not a URL"),
        ("http://h/api/v1", "must not have a path"),
        ("http://user:secret@h", "must not contain a user name or password"),
    ],
)
def test_a_target_that_is_wrong_is_refused_without_its_secrets(text: str, problem: str) -> None:
    with pytest.raises(TargetError, match=problem) as refused:
        parse_target(text)
    assert "secret" not in str(refused.value)


def test_a_url_names_its_port_where_it_is_unusual() -> None:
    assert Target("https", "h", 443).url == "https://h"
    assert Target("http", "::1", 8000).url == "http://[::1]:8000"


def test_a_target_without_tls_is_no_https() -> None:
    async def test() -> None:
        async with await asyncio.start_server(whole(echo), "127.0.0.1", 0) as server:
            target = Target("https", "127.0.0.1", server.sockets[0].getsockname()[1])
            with pytest.raises(TargetError, match="cannot connect to https://127"):
                await connect(target, asyncio.Protocol(), tls(target))

    run(test)
