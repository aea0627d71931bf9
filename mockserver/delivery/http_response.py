"""Parses a receiver's HTTP response, no further than is kept of it; errors have the words of the service's client."""

from __future__ import annotations

import re
import zlib
from typing import Final

import httptools

from mockserver.domain.deliveries import LONGEST_ANSWER

_MOST_BYTES: Final = 65_536
"""How much of a body is read: the text that is kept has at most a thirtieth of it in any encoding."""
_LONGEST_HEAD: Final = 65_536
_WRAPPINGS: Final = {"gzip": (31,), "x-gzip": (31,), "deflate": (15, -15)}
"""What zlib may find around a compressed body; some servers send deflate bare."""
_CHARSET: Final = re.compile(r"""charset=["']?([\w.:-]+)""", re.IGNORECASE)
_STATUS_LINE: Final = re.compile(rb"HTTP/1\.\d +\d{3}(?: |\r|\n|$)")


class InvalidResponse(Exception):
    """The receiver sent no valid HTTP response, or only a part of one."""

    def __init__(self, error_type: str, message: str) -> None:
        super().__init__(message)
        self.error_type = error_type


class ResponseReader:
    """Parses a response as its bytes arrive."""

    def __init__(self) -> None:
        self.status = 0
        self.enough = False
        """Whether the rest need not be read."""
        self._headers: dict[str, str] = {}
        self._body = bytearray()
        self._head = bytearray()
        self._is_http = False
        self._in_body = False
        self._parser = httptools.HttpResponseParser(self)

    def feed(self, data: bytes) -> None:
        """Takes what was read.

        Raises InvalidResponse.
        """
        if not self._in_body:
            self._head += data
            if len(self._head) > _LONGEST_HEAD:
                raise _aborted("HTTPException('got more than 100 headers')")
            if not self._is_http and b"\n" in self._head:
                self._check_status_line()
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self.enough = True
        except httptools.HttpParserError as error:
            if not self._in_body:
                raise self._bad_status_line() from error
            raise InvalidResponse("ChunkedEncodingError", f"('Connection broken: {error}')") from error

    def end(self) -> None:
        """Says that the receiver has closed the connection.

        Raises InvalidResponse when there had to be more.
        """
        if not self._head:
            raise _aborted("RemoteDisconnected('Remote end closed connection without response')")
        if not self._in_body:
            self._check_status_line()
            self.status = int(self._head.split()[1])
        elif "content-length" in self._headers or "transfer-encoding" in self._headers:
            raise self._cut_short()
        self.enough = True

    def text(self) -> str:
        """The start of the body as text, as much as is kept."""
        body = bytes(self._body)
        packing = self._headers.get("content-encoding", "").lower()
        if packing in _WRAPPINGS:
            body = _unpacked(body, _WRAPPINGS[packing])
        try:
            text = body.decode(self._encoding(), "replace")
        except (LookupError, UnicodeError):
            text = body.decode("utf-8", "replace")
        return text[:LONGEST_ANSWER]

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by the parser."""
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1").strip()

    def on_headers_complete(self) -> None:
        """Called by the parser."""
        self.status = self._parser.get_status_code()
        self._in_body = self.status >= 200 or self.status == 101

    def on_body(self, body: bytes) -> None:
        """Called by the parser."""
        self._body += body[: _MOST_BYTES - len(self._body)]
        if len(self._body) >= _MOST_BYTES:
            self.enough = True

    def on_message_complete(self) -> None:
        """Called by the parser."""
        if self._in_body:
            self.enough = True
        else:
            self._headers.clear()

    def _encoding(self) -> str:
        """How the service's client reads a text: as it says; what only says that it is text is latin-1."""
        content_type = self._headers.get("content-type", "")
        named = _CHARSET.search(content_type)
        if named:
            return named[1]
        return "iso-8859-1" if content_type.lower().startswith("text/") else "utf-8"

    def _check_status_line(self) -> None:
        self._is_http = self._is_http or _STATUS_LINE.match(self._head) is not None
        if not self._is_http:
            raise self._bad_status_line()

    def _bad_status_line(self) -> InvalidResponse:
        line = bytes(self._head[:500]).split(b"\n")[0]
        ended = "\n" if b"\n" in self._head[:500] else ""
        return _aborted(f"BadStatusLine({line.decode('latin-1') + ended!r})")

    def _cut_short(self) -> InvalidResponse:
        had, length = len(self._body), self._headers.get("content-length", "")
        missing = f"{had} bytes read, {int(length) - had} more expected" if length.isdigit() else f"{had} bytes read"
        error = f"IncompleteRead({missing})"
        return InvalidResponse("ChunkedEncodingError", f"('Connection broken: {error}', {error})")


def _aborted(error: str) -> InvalidResponse:
    return InvalidResponse("ConnectionError", f"('Connection aborted.', {error})")


def _unpacked(packed: bytes, wrappings: tuple[int, ...]) -> bytes:
    """The start of a compressed body; what is not compressed after all stays as it is."""
    for wrapping in wrappings:
        try:
            return zlib.decompressobj(wrapping).decompress(packed, _MOST_BYTES)
        except zlib.error:
            continue
    return packed
