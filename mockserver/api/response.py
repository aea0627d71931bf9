"""Responses: what a handler returns, and the status, headers and bytes that are sent for it."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from mockserver.api import service_pages
from mockserver.api.errors import BadRequestPage, NotFoundPage, Page, ServerErrorPage
from mockserver.api.negotiation import JSON, Representation
from mockserver.api.request import Exchange, Headers, replaces_cookies

_COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
_VARY: Final = (b"vary", b"Accept")
_JSON: Final = (b"content-type", b"application/json")
_PAGES: Final[Mapping[type[Page], tuple[int, bytes]]] = {
    BadRequestPage: (400, service_pages.BAD_REQUEST_PAGE),
    NotFoundPage: (404, service_pages.NOT_FOUND_PAGE),
    ServerErrorPage: (500, service_pages.SERVER_ERROR_PAGE),
}


class RenderedRecord(NamedTuple):
    """JSON text of a record, validated against the named schema of the contract."""

    schema: str
    text: bytes


class RenderedRecords(NamedTuple):
    """JSON texts of records, each validated against the named schema of the contract."""

    schema: str
    texts: Sequence[bytes]


class RenderedPage(NamedTuple):
    """A page of records, and the links to the next and the previous page."""

    next: str | None
    previous: str | None
    results: RenderedRecords


class Response(NamedTuple):
    """What a handler returns; a plain body is validated against the contract before it is sent."""

    status: int
    body: RenderedRecord | RenderedPage | Mapping[str, Any] | None
    headers: Mapping[str, str] = {}


def to_json(value: Any) -> bytes:
    """Compact JSON as the service writes it: UTF-8, not escaped but for the two line separators of JavaScript."""
    if value is None:
        return b"null"  # the encoder takes four times as long for it as for a text
    return encoded(to_text(value))


def to_text(value: Any) -> str:
    """Compact JSON before it is `encoded`."""
    return _COMPACT.encode(value)


def texts_to_json(texts: Mapping[str, str] | None) -> str:
    """An object of texts, or null, as `to_text` writes it; a small object in half the time."""
    if texts is None:
        return "null"
    write = _COMPACT.encode
    return "{" + ",".join([f"{write(name)}:{write(text)}" for name, text in texts.items()]) + "}"


def encoded(text: str) -> bytes:
    """JSON text in the bytes in which the service sends it."""
    if not text.isascii():
        text = text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    # A lone surrogate, which an error may echo, has no UTF-8: it is sent as the escape that it came as.
    return text.encode("utf-8", "backslashreplace")


def page_text(page: RenderedPage) -> bytes:
    """A page as JSON text."""
    results = b",".join(page.results.texts)
    return b'{"next":%b,"previous":%b,"results":[%b]}' % (to_json(page.next), to_json(page.previous), results)


def indented(text: bytes, width: int) -> bytes:
    """JSON text with each level on lines of its own, `width` blanks deeper."""
    spread = json.dumps(json.loads(text), ensure_ascii=False, indent=width, separators=(",", ": "))
    return spread.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").encode("utf-8", "backslashreplace")


_PAGE = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>{title}</title></head>
<body>
<h1>{title}</h1>
<p>This page stands in for the service's browsable one. Ask for <code>application/json</code> to get data.</p>
<pre>HTTP {status}
{headers}

{body}</pre>
</body>
</html>
"""


def browsable_page(title: str, status: int, headers: Mapping[str, str], text: bytes) -> bytes:
    """A response as a page for people."""
    body = indented(text, 4).decode("utf-8") if text else ""
    lines = "\n".join(f"{name}: {value}" for name, value in headers.items())
    page = _PAGE.format(title=html.escape(title), status=status, headers=html.escape(lines), body=html.escape(body))
    return page.encode("utf-8")


def render(text: bytes, representation: Representation) -> bytes:
    """JSON text in the representation's indentation."""
    return indented(text, representation.indent) if text and representation.indent else text


class EncodedResponse(NamedTuple):
    """A response as it is sent."""

    status: int
    headers: Sequence[tuple[bytes, bytes]]
    body: bytes


def encode(
    exchange: Exchange,
    allow: str,
    more: Mapping[str, str],
    text: bytes,
    representation: Representation,
    asked: Headers,
) -> EncodedResponse:
    """The response with the exchange's status; `text` is its JSON, `more` are additional headers.

    They override headers that every response has.
    """
    if representation is JSON and not more and asked.cookie is None and not exchange.remarks:
        return EncodedResponse(exchange.status, _plain_headers(allow, len(text)), text)
    headers = {"Allow": allow, "Vary": "Accept", **more}
    if representation.kind == "html":
        headers["Content-Type"] = "text/html; charset=utf-8"
        headers["Vary"] = "Accept, Cookie"
        body = browsable_page(exchange.operation or exchange.path, exchange.status, headers, text)
    else:
        body = render(text, representation)
        if body:
            headers["Content-Type"] = "application/json"
    if asked.cookie is not None and replaces_cookies(asked.cookie):
        headers["Vary"] = "Accept, Cookie"
    if exchange.remarks:
        headers["X-Mock-Contract"] = "; ".join(exchange.remarks)
    headers["Content-Length"] = str(len(body))
    raw = [(name.lower().encode("ascii"), value.encode("latin-1", "replace")) for name, value in headers.items()]
    return EncodedResponse(exchange.status, raw, body)


@lru_cache(maxsize=1024)
def _plain_headers(allow: str, length: int) -> tuple[tuple[bytes, bytes], ...]:
    """The headers of a response to a request that asks for nothing special, which is nearly every one."""
    headers = (b"allow", allow.encode("ascii")), _VARY, (b"content-length", b"%d" % length)
    return (*headers, _JSON) if length else headers


def encode_page(exchange: Exchange, page: Page) -> EncodedResponse:
    """The page with which the service's framework refuses a request, or breaks off over it."""
    exchange.status, body = _PAGES[type(page)]
    exchange.reason = page.reason
    length = str(len(body)).encode("ascii")
    headers = [(b"content-type", b"text/html; charset=utf-8"), (b"content-length", length)]
    return EncodedResponse(exchange.status, headers, body)
