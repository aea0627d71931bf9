"""Parses the head of a request: common ones with one regular expression, all others with h11."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote

import h11

Header = tuple[bytes, bytes]

_REQUEST_LINE = re.compile(rb"(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) ([!-~]++) HTTP/1\.1")
_FIELDS = re.compile(rb"(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]++:[\t -~\x80-\xff]*+\r\n)*+\r\n")
"""A subset of what h11 accepts. Each character fits one place only, so a long head takes linear time."""
_LENGTH = re.compile(rb"[0-9]{1,18}")
_ODD = frozenset({b"transfer-encoding", b"upgrade", b"expect", b"http2-settings"})
"""Headers that change how the rest of the message is read: h11 knows the rules for them."""
_CONNECTIONS = frozenset({b"keep-alive", b"close"})
_REMEMBERED = 4096
"""The longest block of header fields that is remembered for the next head, in bytes."""
_SINGLE = (b"host", b"content-length", b"connection")
_ABSOLUTE = re.compile(rb"[A-Za-z][A-Za-z0-9+.\-]*://[^/?#]*")


class NotHttp(Exception):
    """The bytes are no request of HTTP; the text says why, without quoting them."""


class Head(NamedTuple):
    """What the head of a request says."""

    method: str
    target: bytes
    headers: list[Header]
    """Names in lower case, values without the blanks around them."""
    version: str
    """E.g. 1.1."""
    length: int
    """How many bytes of body follow. Counts only without `framing`."""
    keep_alive: bool
    framing: h11.Connection | None
    """What reads the body of a message that is not plain."""
    expects_continue: bool = False


class _Fields(NamedTuple):
    """The header fields of a plain head."""

    headers: list[Header]
    length: int
    keep_alive: bool


class HeadReader:
    """Reads the heads of one connection, one after the other.

    Clients that keep a connection repeat their header fields to the byte: those of the last head are read once.
    """

    def __init__(self) -> None:
        self._last = b""
        self._fields: _Fields | None = None

    def read(self, data: bytes) -> Head:
        """Reads the whole head, its blank line included.

        What kind of head it is depends on nothing but its own bytes: h11 reads those with a method that is not in the
        list above, chunked bodies, upgrades (which are ignored, as a server may), HTTP/1.0, and all that is malformed.

        Raises NotHttp.
        """
        end = data.find(b"\r\n")
        line = _REQUEST_LINE.fullmatch(data, 0, end) if end > 0 else None
        if line is None:
            return _any(data)
        block = data[end + 2 :]
        if block == self._last:
            fields = self._fields
        else:
            fields = _plain(block)
            if len(block) <= _REMEMBERED:
                self._last, self._fields = block, fields
        if fields is None:
            return _any(data)
        method, target = line.groups()
        headers, length, keep_alive = fields
        return Head(method.decode("ascii"), target, headers.copy(), "1.1", length, keep_alive, None)


def _plain(block: bytes) -> _Fields | None:
    """Reads header fields and the blank line after them; None for those that h11 has to read."""
    if not _FIELDS.fullmatch(block):
        return None
    headers = []
    for line in block.split(b"\r\n")[:-2]:
        name, _, value = line.partition(b":")
        headers.append((name.lower(), value.strip(b" \t")))
    found = dict(headers)
    if not _ODD.isdisjoint(found) or b"host" not in found or _repeats(headers, found):
        return None
    length = found.get(b"content-length", b"0")
    connection = found.get(b"connection", b"keep-alive").lower()
    if not _LENGTH.fullmatch(length) or connection not in _CONNECTIONS:
        return None
    return _Fields(headers, int(length), connection == b"keep-alive")


def _repeats(headers: list[Header], found: dict[bytes, bytes]) -> bool:
    """Whether a field that decides about the message is there twice."""
    if len(found) == len(headers):
        return False
    names = [name for name, _ in headers]
    return any(names.count(name) > 1 for name in _SINGLE)


def _any(data: bytes) -> Head:
    """Reads any head with h11. Raises NotHttp."""
    framing = h11.Connection(h11.SERVER, max_incomplete_event_size=len(data) + 65536)
    try:
        framing.receive_data(data)
        event = framing.next_event()
    except h11.RemoteProtocolError as error:
        raise NotHttp(reason_of(error)) from None
    assert isinstance(event, h11.Request)
    headers = list(event.headers)
    version = event.http_version.decode("ascii")
    tokens = [token.strip().lower() for name, value in headers if name == b"connection" for token in value.split(b",")]
    return Head(
        event.method.decode("ascii"),
        event.target,
        headers,
        version,
        0,
        version != "1.0" and b"close" not in tokens,
        framing,
        framing.they_are_waiting_for_100_continue,
    )


def reason_of(error: h11.RemoteProtocolError) -> str:
    """What is wrong, in h11's words. It quotes bytes of the request behind a colon: they stay out."""
    return str(error).partition(":")[0]


def read_target(target: bytes) -> tuple[str, bytes, bytes]:
    """Path, raw path and query of a target, without a fragment; the form for proxies also loses scheme and host."""
    if b"#" in target:
        target = target.partition(b"#")[0]
    if not target.startswith(b"/") and (absolute := _ABSOLUTE.match(target)):
        target = target[absolute.end() :]
        if not target.startswith(b"/"):
            target = b"/" + target
    raw_path, _, query = target.partition(b"?")
    path = raw_path.decode("ascii")
    return unquote(path) if "%" in path else path, raw_path, query
