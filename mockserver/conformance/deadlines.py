"""Sockets on which a whole exchange has a deadline, however slowly its bytes arrive."""

from __future__ import annotations

import io
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from ssl import SSLContext
from typing import Any, Final

import httpcore2

_PIECE: Final = 65536
"""Bytes that are written before the deadline is looked at again."""


class DeadlineBackend(httpcore2.NetworkBackend):
    """Opens connections for a pool; each read and write gets only the time that is left of its exchange."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._inner = httpcore2.SyncBackend()
        self._clock = clock
        self._exchange = threading.local()

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Everything that this thread sends and receives in the block has to be done in so many seconds."""
        self._exchange.end = self._clock() + seconds
        try:
            yield
        finally:
            del self._exchange.end

    def left(self, timeout: float | None = None) -> float:
        """Seconds for the next read or write. Raises ReadTimeout when none are left."""
        end: float = getattr(self._exchange, "end", self._clock() + (timeout or 1.0))
        left = end - self._clock()
        if left <= 0:
            raise httpcore2.ReadTimeout("the response takes longer than the whole exchange may")
        return left if timeout is None else min(timeout, left)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """A connection; raises ConnectTimeout and ConnectError."""
        stream = self._inner.connect_tcp(host, port, self.left(timeout), local_address, socket_options)
        return _Timed(stream, self)

    def sleep(self, seconds: float) -> None:
        """Waits, as the pool asks for between tries."""
        self._inner.sleep(seconds)


class _Timed(httpcore2.NetworkStream):
    """A connection whose reads and writes end with the exchange."""

    def __init__(self, stream: httpcore2.NetworkStream, deadline: DeadlineBackend) -> None:
        self._stream, self._deadline = stream, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), _PIECE):
            self._stream.write(buffer[start : start + _PIECE], self._deadline.left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        stream = self._stream.start_tls(ssl_context, server_hostname, self._deadline.left(timeout))
        return _Timed(stream, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class DeadlineReader(io.RawIOBase):
    """Reads from a socket until a moment on the clock; raises TimeoutError after it."""

    def __init__(self, connection: socket.socket, end: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._connection, self._end, self._clock = connection, end, clock

    def readable(self) -> bool:
        """It is there to be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """What has arrived, waiting no longer than until the end."""
        left = self._end - self._clock()
        if left <= 0:
            raise TimeoutError("the response takes longer than the whole exchange may")
        self._connection.settimeout(left)
        return self._connection.recv_into(buffer)

    def makefile(self, mode: str) -> io.BufferedReader:
        """The reader as http.client asks for it."""
        return io.BufferedReader(self)
