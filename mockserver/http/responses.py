"""Turns the messages of an ASGI response into bytes."""

from __future__ import annotations

import http
import re
from collections.abc import Iterable, MutableMapping
from functools import lru_cache
from typing import Any, NamedTuple

Message = MutableMapping[str, Any]
Header = tuple[bytes, bytes]

_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_CONTROLS = bytes([*range(9), *range(10, 32), 127])
_FRAMING = frozenset({b"content-length", b"transfer-encoding", b"connection"})
_WITHOUT_BODY = frozenset({204, 304})


class BadResponse(Exception):
    """An application sent what cannot be sent as a response; the text says what."""


def _status_line(status: int) -> bytes:
    phrase = http.HTTPStatus(status).phrase if status in http.HTTPStatus.__members__.values() else ""
    return f"HTTP/1.1 {status} {phrase}\r\n".encode("ascii")


_STATUS_LINES = {status: _status_line(status) for status in range(100, 600)}


class _Fields(NamedTuple):
    """The header fields of a response of one piece, and the blank line after them."""

    text: bytes
    length: int


@lru_cache(maxsize=1024)
def _fields(headers: tuple[Header, ...]) -> _Fields | None:
    """Fields that can be sent as they are; None for others. Nothing else decides about them, so each is read once."""
    length: bytes | None = None
    for name, value in headers:
        if name in _FRAMING:
            if name != b"content-length" or not value.isdigit():
                return None
            length = value
    text = b"".join([b"%b: %b\r\n" % header for header in headers]) + b"\r\n"
    # A value with a line end in it would begin a header of its own: then there are more ends than headers.
    ends = len(headers) + 1
    if length is None or len(text) - len(text.translate(None, _CONTROLS)) != 2 * ends or text.count(b"\r\n") != ends:
        return None
    return _Fields(text, int(length)) if length == b"%d" % int(length) else None


def whole(start: Message, body: bytes, method: str, lines: bytes) -> bytes | None:
    """A response of one piece; None for one whose framing or faults are `ResponseHead`'s business.

    `lines` are header lines of the server's, each with its line end.
    """
    fields = _fields(tuple(start["headers"]))
    if fields is None:
        return None
    text, length = fields
    if method == "HEAD":
        body = b""
    elif length != len(body):
        return None
    return b"".join((_STATUS_LINES[start["status"]], lines, text, body))


class ResponseHead:
    """The head of a response that comes in pieces, and the framing of its body."""

    def __init__(self, start: Message, method: str, version: str, keep_alive: bool, lines: bytes) -> None:
        """`lines` are header lines of the server's. Raises BadResponse for headers that cannot be sent."""
        status = start["status"]
        headers = _checked(start.get("headers", ()))
        self.keep_alive = keep_alive and not _asks_to_close(headers)
        self._bodiless = method == "HEAD" or status in _WITHOUT_BODY
        self._left = _length(headers)
        """How many bytes the response still owes; None where no length was given."""
        self._chunked = self._left is None and not self._bodiless and version != "1.0"
        if self._left is None and not self._bodiless and not self._chunked:
            # HTTP/1.0 knows no chunks: the end of the connection is the end of the body.
            self.keep_alive = False
        # The server frames the body and says whether the connection is kept, whatever the application says of it.
        kept = [(name, value) for name, value in headers if name not in (b"transfer-encoding", b"connection")]
        parts = [_STATUS_LINES[status], lines, *(b"%b: %b\r\n" % header for header in kept)]
        if self._chunked:
            parts.append(b"transfer-encoding: chunked\r\n")
        if not self.keep_alive:
            parts.append(b"connection: close\r\n")
        self.data = b"".join([*parts, b"\r\n"])

    def piece(self, body: bytes, *, last: bool) -> bytes:
        """The bytes of the next piece of the body. Raises BadResponse for more or fewer bytes than were promised."""
        if self._bodiless:
            return b""
        if self._chunked:
            data = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
            return data + b"0\r\n\r\n" if last else data
        if self._left is not None:
            self._left -= len(body)
            if self._left < 0:
                raise BadResponse("the application sent more than its content-length")
            if last and self._left:
                raise BadResponse("the application sent less than its content-length")
        return body


def _checked(headers: Iterable[Header]) -> list[Header]:
    """Headers with their names in lower case. Raises BadResponse."""
    checked = []
    for name, value in headers:
        if not _NAME.fullmatch(name) or _CONTROL.search(value):
            raise BadResponse("the application sent a header that HTTP does not allow")
        checked.append((name.lower(), value))
    return checked


def _asks_to_close(headers: list[Header]) -> bool:
    values = [value for name, value in headers if name == b"connection"]
    return b"close" in [token.strip().lower() for value in values for token in value.split(b",")]


def _length(headers: list[Header]) -> int | None:
    value = dict(headers).get(b"content-length")
    if value is not None and not value.isdigit():
        raise BadResponse("the application sent a content-length that is no number")
    return None if value is None else int(value)
