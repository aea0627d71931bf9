"""What goes out: an answer's status, headers and bytes in the representation that was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from mockserver.api import answers, service_pages
from mockserver.api.errors import BadRequestPage, NotFoundPage, Page, ServerErrorPage
from mockserver.api.negotiation import JSON, Representation
from mockserver.api.request import Exchange, Headers, replaces_cookies

_VARY: Final = (b"vary", b"Accept")
_JSON: Final = (b"content-type", b"application/json")
_PAGES: Final[Mapping[type[Page], tuple[int, bytes]]] = {
    BadRequestPage: (400, service_pages.BAD_REQUEST_PAGE),
    NotFoundPage: (404, service_pages.NOT_FOUND_PAGE),
    ServerErrorPage: (500, service_pages.SERVER_ERROR_PAGE),
}


class Outgoing(NamedTuple):
    """An answer as it is sent."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


def write(
    exchange: Exchange,
    allow: str,
    more: Mapping[str, str],
    text: bytes,
    representation: Representation,
    asked: Headers,
) -> Outgoing:
    """The answer with the exchange's status; `text` is its JSON, `more` are headers beyond those that all answers have.

    A header among them that all have takes its place.
    """
    if representation is JSON and not more and asked.cookie is None and not exchange.remarks:
        return _write_plain(exchange.status, allow, text)
    headers = {"Allow": allow, "Vary": "Accept", **more}
    if representation.kind == "html":
        headers["Content-Type"] = "text/html; charset=utf-8"
        headers["Vary"] = "Accept, Cookie"
        body = answers.browsable_page(exchange.operation or exchange.path, exchange.status, headers, text)
    else:
        body = answers.render(text, representation)
        if body:
            headers["Content-Type"] = "application/json"
    if asked.cookie is not None and replaces_cookies(asked.cookie):
        headers["Vary"] = "Accept, Cookie"
    if exchange.remarks:
        headers["X-Mock-Contract"] = "; ".join(exchange.remarks)
    headers["Content-Length"] = str(len(body))
    raw = [(name.lower().encode("ascii"), value.encode("latin-1", "replace")) for name, value in headers.items()]
    return Outgoing(exchange.status, raw, body)


def _write_plain(status: int, allow: str, text: bytes) -> Outgoing:
    """The answer to a request that asks for nothing special, which is nearly every one: compact JSON, or nothing."""
    raw = [(b"allow", allow.encode("ascii")), _VARY, (b"content-length", b"%d" % len(text))]
    if text:
        raw.append(_JSON)
    return Outgoing(status, raw, text)


def write_page(exchange: Exchange, page: Page) -> Outgoing:
    """The page with which the service's framework refuses a request, or breaks off over it."""
    exchange.status, body = _PAGES[type(page)]
    exchange.reason = page.reason
    length = str(len(body)).encode("ascii")
    headers = [(b"content-type", b"text/html; charset=utf-8"), (b"content-length", length)]
    return Outgoing(exchange.status, headers, body)
