"""Requests: the record of an exchange, the headers that matter, the query, and the body within its limit."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, MutableMapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from mockserver.api import errors
from mockserver.api.fault import InjectedFault
from mockserver.domain.model import Micros
from mockserver.domain.store import Project

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_PATIENCE = 50_000_000
"""How many bytes over the limit are still read before the response, and so how large a body gets it for certain."""

_CHUNKED = "chunked body: the service reads it as empty unless a proxy is in front of it"

_HOST = re.compile(r"(?:[A-Za-z0-9._-]+|\[[A-Fa-f0-9:.]+\])(?::\d+)?")

_DECIDING = frozenset({b"accept", b"authorization", b"content-length", b"content-type", b"cookie", b"host"})
"""The headers whose texts `Headers` holds."""
_JOINED = frozenset({b"accept", b"authorization", b"cookie", b"host"})
"""Headers that count as one when they are sent several times. Of Content-Type and the like the last one counts."""

_REMEMBERED, _MOST_BLOCKS = 4096, 256
"""How many bytes a block of headers that is remembered has at the most, and how many such blocks there are."""


class Disconnected(Exception):
    """The client went away before its request was whole."""


class Cut(NamedTuple):
    """How long the bodies were before the journal kept only their beginnings, in bytes."""

    body: int
    sent: int


@dataclass(slots=True)
class Exchange:
    """One request and what became of it, for the log and the journal; what may hold secrets is in no repr."""

    method: str
    path: str = field(repr=False)
    operation: str | None = None
    status: int = 0
    seconds: float = 0.0
    reason: str | None = None
    """Why the request was refused: field and rule, never a value."""
    remarks: tuple[str, ...] = ()
    """What the service tolerated although the contract does not allow it."""
    broken: tuple[errors.BrokenRule, ...] = ()
    """The rules that fields and parameters of a refused request broke."""
    off_contract: bool = False
    """Whether the mock's own answer broke the contract, which is a fault of the mock."""
    project: Project | None = field(default=None, repr=False)
    """Whose key it was; None where there was no key that is any project's."""
    query: bytes = field(default=b"", repr=False)
    headers: Sequence[tuple[bytes, bytes]] = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)
    """The request's body, as far as the operation has read it."""
    sent_headers: Sequence[tuple[bytes, bytes]] = field(default=(), repr=False)
    sent: bytes = field(default=b"", repr=False)
    """The response's body."""
    fault: InjectedFault | None = None
    """The fault that was applied to it."""
    number: int = 0
    """Its number in the journal; 0 before it is in it."""
    at: Micros = 0
    size: int = field(default=0, repr=False)
    cut: Cut | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Headers:
    """The headers of a request that decide anything, as latin-1 text; None where one was not sent."""

    accept: str | None = None
    authorization: str | None = None
    content_length: str | None = None
    content_type: str | None = None
    cookie: str | None = None
    host: str | None = None
    forwarded_https: bool = False
    """Whether a front server says that it was asked over https, in exactly one of these words."""


def read_headers(raw: Sequence[tuple[bytes, bytes]]) -> Headers:
    """The headers that count; one that was sent several times is joined with commas, as the service's server does.

    Of several that say what a body is, the service's server looks at the last alone.
    """
    found = dict(raw)
    if len(found) != len(raw):
        for name in found.keys() & _JOINED:
            found[name] = b",".join([value for other, value in raw if other == name])
    texts = {name: value.decode("latin-1").strip(" \t") for name, value in found.items() if name in _DECIDING}
    return Headers(
        accept=texts.get(b"accept"),
        authorization=texts.get(b"authorization"),
        content_length=texts.get(b"content-length"),
        content_type=texts.get(b"content-type"),
        cookie=texts.get(b"cookie"),
        host=texts.get(b"host"),
        forwarded_https=found.get(b"x-forwarded-proto") == b"https"
        or found.get(b"x-forwarded-ssl") == b"on"
        or found.get(b"x-forwarded-protocol") == b"ssl",
    )


class HeaderReader:
    """Reads headers as `read_headers` does, each block of them once: clients repeat theirs to the byte."""

    def __init__(self) -> None:
        self._known: dict[tuple[tuple[bytes, bytes], ...], Headers] = {}

    def read(self, raw: Iterable[tuple[bytes, bytes]]) -> Headers:
        """The headers that count.

        Raises BadRequestPage for a Host header that names no host.
        """
        block = tuple(raw)
        return self._known.get(block) or self._read(block)

    def _read(self, block: tuple[tuple[bytes, bytes], ...]) -> Headers:
        headers = read_headers(block)
        check_host(headers.host)
        if sum(map(len, chain.from_iterable(block))) <= _REMEMBERED:
            if len(self._known) >= _MOST_BLOCKS:
                self._known.clear()
            self._known[block] = headers
        return headers


async def read_body(receive: Receive, content_length: str | None, limit: int) -> bytes:
    """The whole body; `limit` is in bytes.

    Raises ApiError with status 413 over the limit, and Disconnected.
    """
    message = await receive()
    whole: bytes = message.get("body", b"")
    if message["type"] == "http.request" and not message.get("more_body", False) and len(whole) <= limit:
        return whole
    too_large = content_length is not None and content_length.isdecimal() and int(content_length) > limit
    chunks = []
    size = 0
    while True:
        if message["type"] == "http.disconnect":
            raise Disconnected
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        too_large = too_large or size > limit
        if not too_large:
            chunks.append(chunk)
        # What is too large is read on for a while and thrown away: closing on a client that still sends would reset the
        # connection, and the client would never see why.
        if not message.get("more_body", False) or size > limit + _PATIENCE:
            break
        message = await receive()
    if too_large:
        raise errors.too_large(limit)
    return b"".join(chunks) if len(chunks) > 1 else chunk


def chunk_remarks(scope: Scope, headers: Headers, body: bytes) -> tuple[str, ...]:
    """What there is to say of a body that was sent in chunks and read.

    It is not off contract, so strict mode takes it; but the same request to the service itself may do nothing.
    """
    if not body or headers.content_length is not None:
        return ()
    chunked = any(name == b"transfer-encoding" and b"chunked" in value.lower() for name, value in scope["headers"])
    return (_CHUNKED,) if chunked else ()


def check_query(query_string: bytes) -> None:
    """Raises BadRequestPage for more parameters than the service's framework counts."""
    if query_string and query_string.count(b"&") >= errors.MOST_PARAMETERS:
        raise errors.too_many_parameters()


def check_host(host: str | None) -> None:
    """Raises BadRequestPage for a Host header that names no host; an underscore, which containers have, is let pass."""
    if host and not _HOST.fullmatch(host):
        raise errors.BadRequestPage("the Host header names no host")


def parse_query(query_string: bytes) -> list[tuple[str, str]]:
    """The parameters of a query in order; text that is no UTF-8 is read as latin-1."""
    try:
        text = query_string.decode("utf-8")
    except UnicodeDecodeError:
        text = query_string.decode("latin-1")
    return parse_qsl(text, keep_blank_values=True, errors="replace")


def format_of(query_string: bytes) -> str | None:
    """The `format` parameter of a query, if there is one."""
    if b"format" not in query_string and b"%" not in query_string:
        return None
    return dict(parse_query(query_string)).get("format")


def url_of(scope: Scope, headers: Headers) -> str:
    """The URL that was asked, without its query, on the Host that was asked.

    A front server can say that it was asked over https, and nothing else of the URL (links-forwarded-proto).
    """
    host = headers.host
    if not host:
        name, port = scope.get("server") or ("localhost", 80)
        host = name if port in (80, None) else f"{name}:{port}"
    scheme = "https" if headers.forwarded_https else scope["scheme"]
    return f"{scheme}://{host}{scope['path']}"


def replaces_cookies(cookie: str) -> bool:
    """Whether the service sets a cookie anew: a session's or token's that cannot be real (auth-elsewhere)."""
    pairs = (part.strip().partition("=") for part in cookie.split(";"))
    cookies = {name.strip(): value.strip().strip('"') for name, equals, value in pairs if equals}
    token = cookies.get("csrftoken")
    return len(cookies.get("sessionid", "long enough")) < 8 or (
        token is not None and not (len(token) in (32, 64) and token.isascii() and token.isalnum())
    )
