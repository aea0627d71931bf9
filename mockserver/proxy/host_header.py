"""Replaces the Host header in the requests of a connection; every other byte stays."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

_MOST_HEAD: Final = 1 << 18
_HOST: Final = re.compile(rb"(?im)^host:[^\r\n]*")
_LENGTH: Final = re.compile(rb"(?im)^content-length:[ \t]*(\d{1,15})[ \t]*\r?$")
_CHUNKED: Final = re.compile(rb"(?im)^transfer-encoding:[^\r\n]*\bchunked\b")
_UPGRADE: Final = re.compile(rb"(?im)^upgrade:")


class HostHeader:
    """Follows the requests of one connection, only as far as it must to find their heads."""

    def __init__(self, authority: str) -> None:
        """`authority` is the new value: host, and port if it is not the usual one."""
        self._line = b"Host: " + authority.encode("idna" if not authority.isascii() else "ascii")
        self._buffer = b""
        self._left = 0
        """The bytes of a body or chunk that pass as they are."""
        self._step: Callable[[], bytes | None] = self._head

    def feed(self, data: bytes) -> bytes:
        """The bytes to forward; the beginning of a head is kept until the head is complete."""
        self._buffer += data
        done = []
        while self._buffer:
            passed = self._step()
            if passed is None:
                break
            done.append(passed)
        return b"".join(done)

    def _take(self, length: int) -> bytes:
        taken, self._buffer = self._buffer[:length], self._buffer[length:]
        return taken

    def _raw(self) -> bytes:
        return self._take(len(self._buffer))

    def _head(self) -> bytes | None:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) <= _MOST_HEAD:
                return None
            self._step = self._raw
            return b""
        head = self._take(end + 4)
        if _UPGRADE.search(head):
            self._step = self._raw
        elif _CHUNKED.search(head):
            self._step = self._chunk
        else:
            length = _LENGTH.search(head)
            self._pass(int(length[1]) if length else 0, self._head)
        return _HOST.sub(lambda _: self._line, head, count=1)

    def _pass(self, length: int, then: Callable[[], bytes | None]) -> None:
        """Lets so many bytes pass before the next step."""

        def step() -> bytes:
            taken = self._take(self._left)
            self._left -= len(taken)
            if not self._left:
                self._step = then
            return taken

        self._left = length
        self._step = step if length else then

    def _chunk(self) -> bytes | None:
        line = self._line_of(self._buffer)
        if line is None:
            return None
        try:
            size = int(line.partition(b";")[0].strip() or b"x", 16)
        except ValueError:
            # The target refuses what is not chunked; nothing can be found after it.
            self._step = self._raw
            return b""
        taken = self._take(len(line))
        if size:
            self._pass(size + 2, self._chunk)
        else:
            self._step = self._trailer
        return taken

    def _trailer(self) -> bytes | None:
        line = self._line_of(self._buffer)
        if line is None:
            return None
        if line == b"\r\n":
            self._step = self._head
        return self._take(len(line))

    def _line_of(self, data: bytes) -> bytes | None:
        end = data.find(b"\r\n")
        if end >= 0:
            return data[: end + 2]
        return None if len(data) <= _MOST_HEAD else data
