"""Forwards the bytes of connections in both directions, and passes a copy of them on to be observed."""

from __future__ import annotations

import asyncio
import json
import ssl
from typing import Final, Protocol, cast

from mockserver.proxy.host_header import HostHeader
from mockserver.proxy.target import Target, TargetError, connect

_WAITING: Final = 1 << 20
"""How many bytes of a client are kept until the target is connected, before no more are read."""


class Tap(Protocol):
    """Who gets the copies."""

    def client(self, connection: int, data: bytes) -> None:
        """Bytes from the client."""

    def server(self, connection: int, data: bytes) -> None:
        """Bytes from the target."""

    def proxied(self, connection: int, reason: str) -> None:
        """The proxy itself responded to the client."""

    def closed(self, connection: int) -> None:
        """The connection ended."""


class Tunnels:
    """The connections of a proxy."""

    def __init__(
        self, target: Target, context: ssl.SSLContext | None, tap: Tap, patience: float, *, set_host: bool = False
    ) -> None:
        """`patience` is how many seconds the target may be silent while a client waits for it.

        With `set_host`, requests get the target's Host header; otherwise no byte changes.
        """
        self.target, self.context, self.tap, self.patience = target, context, tap, patience
        self.set_host = set_host
        self.open: set[ClientSide] = set()
        self._count = 0

    def __call__(self) -> ClientSide:
        """The protocol of a new connection."""
        self._count += 1
        return ClientSide(self, self._count)

    def close(self) -> None:
        """Ends all connections at once."""
        for one in list(self.open):
            one.abort()


class _Side(asyncio.Protocol):
    """One end of a tunnel; what it cannot write yet keeps the other end from reading more."""

    transport: asyncio.Transport | None = None

    def other(self) -> asyncio.Transport | None:
        """The transport of the other end, once it is connected."""
        raise NotImplementedError

    def pause_writing(self) -> None:
        """Called when this end takes no more bytes for now."""
        other = self.other()
        if other is not None and not other.is_closing():
            other.pause_reading()

    def resume_writing(self) -> None:
        """Called when this end takes bytes again."""
        other = self.other()
        if other is not None and not other.is_closing():
            other.resume_reading()


class ClientSide(_Side):
    """The end of a tunnel at the client."""

    def __init__(self, tunnels: Tunnels, number: int) -> None:
        self._tunnels = tunnels
        self.number = number
        self._server = _ServerSide(self)
        self._early: list[bytes] = []
        self._has_ended = False
        self._failure: str | None = None
        """Why there is no connection to the target."""
        self._host = HostHeader(tunnels.target.authority) if tunnels.set_host else None
        self._loop = asyncio.get_running_loop()
        self._connecting: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._waits_since: float | None = None
        """When the client sent the first bytes since the target last did, on the loop's clock; None: it did not."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Connects to the target, too."""
        # uvloop's transports are no subclasses of asyncio's.
        self.transport = cast(asyncio.Transport, transport)
        self._tunnels.open.add(self)
        self._connecting = self._loop.create_task(self._connect())

    async def _connect(self) -> None:
        try:
            await connect(self._tunnels.target, self._server, self._tunnels.context)
        except TargetError as error:
            # A response before the request would be lost with the bytes that nobody read.
            self._failure = str(error)
            if self._early:
                self._respond(502, self._failure)
            elif self._has_ended and self.transport is not None:
                self.transport.close()

    def connected(self, upstream: asyncio.Transport) -> None:
        """Sends what the client sent so far, before anything that comes now."""
        if self.transport is None or self.transport.is_closing():
            upstream.abort()
            return
        if self._early:
            upstream.write(b"".join(self._early))
            self._early.clear()
        if self._has_ended and upstream.can_write_eof():
            upstream.write_eof()
        self.transport.resume_reading()

    def other(self) -> asyncio.Transport | None:
        """The transport to the target."""
        return self._server.transport

    def data_received(self, data: bytes) -> None:
        """Forwards bytes to the target."""
        if self._host is not None:
            data = self._host.feed(data)
        upstream = self._server.transport
        if upstream is not None:
            upstream.write(data)
        else:
            self._early.append(data)
            if sum(map(len, self._early)) > _WAITING and self.transport is not None:
                self.transport.pause_reading()
        if data:
            self._tunnels.tap.client(self.number, data)
        if self._failure is not None:
            self._respond(502, self._failure)
            return
        if self._waits_since is None:
            self._waits_since = self._loop.time()
            if self._timer is None:
                self._timer = self._loop.call_later(self._tunnels.patience, self._check)

    def eof_received(self) -> bool:
        """Forwards the end of what the client sends; the response may still come."""
        self._has_ended = True
        if self._failure is not None:
            return False
        upstream = self._server.transport
        if upstream is not None and upstream.can_write_eof():
            upstream.write_eof()
            return True
        # TLS has no half-closed connections: without a response to wait for, this one is over.
        return upstream is None or self._waits_since is not None

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends the connection to the target."""
        if self._timer is not None:
            self._timer.cancel()
        self._tunnels.open.discard(self)
        self._tunnels.tap.closed(self.number)
        if self._connecting is not None:
            self._connecting.cancel()
        if self._server.transport is not None:
            self._server.transport.close()

    def from_server(self, data: bytes) -> None:
        """Forwards bytes to the client."""
        if self.transport is not None:
            self.transport.write(data)
        self._tunnels.tap.server(self.number, data)
        self._waits_since = None

    def server_closed(self) -> None:
        """The target ended the connection: so does the proxy, after all bytes are sent."""
        if self.transport is not None and not self.transport.is_closing():
            if self._waits_since is not None:
                self._respond(502, f"{self._tunnels.target.url} closed the connection without a response")
            else:
                self.transport.close()

    def abort(self) -> None:
        """Ends the connection at once."""
        if self.transport is not None:
            self.transport.abort()

    # --- a target that is silent ---

    def _check(self) -> None:
        """Looks whether the client waits for too long; a later request is looked at again, with the same timer."""
        self._timer = None
        if self._waits_since is None:
            return
        left = self._waits_since + self._tunnels.patience - self._loop.time()
        if left > 0:
            self._timer = self._loop.call_later(left, self._check)
            return
        url, seconds = self._tunnels.target.url, self._tunnels.patience
        self._respond(504, f"{url} did not respond within {seconds:g} s (--timeout)")

    def _respond(self, status: int, reason: str) -> None:
        """Sends a response of the proxy itself, and ends the connection."""
        if self.transport is None or self.transport.is_closing():
            return
        self._tunnels.tap.proxied(self.number, reason)
        self.transport.write(gateway_error(status, reason))
        self.transport.close()


class _ServerSide(_Side):
    """The end of a tunnel at the target."""

    def __init__(self, client: ClientSide) -> None:
        self._client = client

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keeps the transport; the client's side sends what it has."""
        self.transport = cast(asyncio.Transport, transport)
        self._client.connected(self.transport)

    def other(self) -> asyncio.Transport | None:
        """The transport to the client."""
        return self._client.transport

    def data_received(self, data: bytes) -> None:
        """Forwards bytes to the client."""
        self._client.from_server(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends the connection to the client."""
        self._client.server_closed()


def gateway_error(status: int, reason: str) -> bytes:
    """A whole response of the proxy, which ends the connection."""
    phrase = {502: "Bad Gateway", 504: "Gateway Timeout"}[status]
    body = json.dumps({"detail": f"attendee-mock proxy: {reason}"}).encode()
    head = f"HTTP/1.1 {status} {phrase}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"Connection: close\r\n\r\n" + body
