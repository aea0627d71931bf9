"""Whole responses on their way out: those of one turn of the event loop are sent together."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

MOST: Final = 65536
"""How many bytes wait at the most."""


class Outgoing:
    """Sends what was added in the next turn of the event loop, in order.

    A client on another core is then awake when its second response comes, instead of being woken for each; waking it
    takes the system longer than sending to it.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: deque[tuple[asyncio.Transport, bytes]] = deque()
        self._size = 0

    def add(self, transport: asyncio.Transport, data: bytes) -> None:
        """Sends the bytes soon: now where many wait already."""
        waiting = self._waiting
        if not waiting:
            self._loop.call_soon(self.flush)
        waiting.append((transport, data))
        self._size += len(data)
        if self._size > MOST:
            self.flush()

    def flush(self) -> None:
        """Sends everything that waits; what cannot be sent on one connection takes no other's."""
        waiting = self._waiting
        self._size = 0
        while waiting:
            transport, data = waiting.popleft()
            if transport.is_closing():
                continue
            try:
                transport.write(data)
            except RuntimeError as error:
                # Whoever flushes writes for all: this one's error is not theirs.
                self._loop.call_exception_handler({"message": "a response was not sent", "exception": error})
                transport.abort()
