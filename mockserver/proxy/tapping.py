"""Passes copies of the bytes of connections on to the watching process, within a limit of memory."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Final, Protocol

from mockserver.proxy import frames
from mockserver.proxy.frames import Frame, written

MOST_WAITING: Final = 16 << 20
"""The bytes that wait for the watching process, at most."""
_REQUEST: Final = re.compile(rb"[A-Z]{3,20} [^ ]+ HTTP/1")


class Sink(Protocol):
    """Where frames are written, without waiting."""

    def write(self, data: bytes) -> None:
        """Writes, or keeps what cannot be written yet."""

    def get_write_buffer_size(self) -> int:
        """The bytes that are kept."""

    def is_closing(self) -> bool:
        """Whether nobody reads any more."""


class Tapping:
    """Copies what passes. Above the limit, connections go on unobserved, until a request begins below half of it."""

    def __init__(
        self,
        sink: Sink,
        later: Callable[[Callable[[], None]], object],
        *,
        most: int = MOST_WAITING,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`later` calls a function a little later: copies are written together, when bytes have been forwarded."""
        self._sink, self._later, self._most, self._clock = sink, later, most, clock
        self._pending: list[bytes] = []
        self._size = 0
        self._gaps: dict[int, bool] = {}
        """The connections that are not observed; whether the target sent the latest bytes."""
        self.dropped = 0
        """How many requests were not observed."""

    def client(self, connection: int, data: bytes) -> None:
        """Bytes from the client."""
        if connection not in self._gaps:
            self._send(frames.CLIENT, connection, data)
            return
        was_server, self._gaps[connection] = self._gaps[connection], False
        if not was_server or not _REQUEST.match(data):
            return
        if self._has_room(self._most // 2):
            del self._gaps[connection]
            self._send(frames.GAP, connection)
            self._send(frames.CLIENT, connection, data)
        else:
            self.dropped += 1

    def server(self, connection: int, data: bytes) -> None:
        """Bytes from the target."""
        if connection in self._gaps:
            self._gaps[connection] = True
        else:
            self._send(frames.SERVER, connection, data)

    def proxied(self, connection: int, reason: str) -> None:
        """The proxy itself responded to the client."""
        if connection not in self._gaps:
            self._send(frames.PROXIED, connection, reason.encode())

    def closed(self, connection: int) -> None:
        """The connection ended."""
        # A small frame, so that the end is always known.
        self._gaps.pop(connection, None)
        self._write(Frame(frames.CLOSED, connection, self._clock()))

    def finish(self) -> None:
        """Says at the end how much was not observed."""
        self._write(Frame(frames.DROPPED, 0, self._clock(), str(self.dropped).encode()))
        self._flush()

    def _has_room(self, most: int) -> bool:
        return not self._sink.is_closing() and self._sink.get_write_buffer_size() + self._size <= most

    def _send(self, kind: int, connection: int, data: bytes = b"") -> None:
        if self._has_room(self._most):
            self._write(Frame(kind, connection, self._clock(), data))
        else:
            self._gaps[connection] = kind == frames.SERVER
            self.dropped += 1

    def _write(self, frame: Frame) -> None:
        if not self._pending:
            self._later(self._flush)
        data = written(frame)
        self._pending.append(data)
        self._size += len(data)

    def _flush(self) -> None:
        if self._pending and not self._sink.is_closing():
            self._sink.write(b"".join(self._pending))
        self._pending.clear()
        self._size = 0
