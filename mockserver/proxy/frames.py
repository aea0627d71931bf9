"""What the tunnel sends to the watching process: pieces of connections, in the order in which they passed."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

CLIENT: Final = 1
"""Bytes from the client."""
SERVER: Final = 2
"""Bytes from the target."""
CLOSED: Final = 3
"""The connection ended."""
GAP: Final = 4
"""The connection goes on unobserved; what follows begins with a new request."""
PROXIED: Final = 5
"""A response of the proxy itself; the data is its reason."""
DROPPED: Final = 6
"""The number of requests that were forwarded and not observed, as text; the last frame."""

_HEAD: Final = struct.Struct("!BIdI")
MOST_DATA: Final = 1 << 20
"""The bytes of one frame at most."""


class Frame(NamedTuple):
    """A piece of a connection."""

    kind: int
    connection: int
    """The number of the connection, from 1."""
    time: float
    """Seconds since 1970."""
    data: bytes = b""


def written(frame: Frame) -> bytes:
    """The frame as bytes."""
    return _HEAD.pack(frame.kind, frame.connection, frame.time, len(frame.data)) + frame.data


def read(stream: BinaryIO) -> Iterator[Frame]:
    """The frames of a stream until its end; an incomplete one at the end is left out."""
    while len(head := stream.read(_HEAD.size)) == _HEAD.size:
        kind, connection, time, length = _HEAD.unpack(head)
        data = stream.read(length)
        if len(data) < length:
            return
        yield Frame(kind, connection, time, data)
