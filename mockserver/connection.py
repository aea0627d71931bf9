"""A hold on the connection of a request, for faults that no ASGI application could bring about."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import cast

CONNECTION = "mockserver.connection"
"""Under which name a request's scope["state"] holds the connection that it came on."""
_NO_GOODBYE = struct.pack("ii", 1, 0)


class Connection:
    """What a fault may do to a connection behind the back of the server."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def write(self, data: bytes) -> None:
        """Sends bytes as they are."""
        self._transport.write(data)

    def close(self) -> None:
        """Ends the connection once what was written is sent."""
        self._transport.close()

    def reset(self) -> None:
        """Breaks the connection off at once, so that the client's system reports a reset and not an end."""
        its_socket = cast("socket.socket | None", self._transport.get_extra_info("socket"))
        if its_socket is not None:
            its_socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_GOODBYE)
        self._transport.abort()
