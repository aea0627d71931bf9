"""Reads the two lists: a page's rows, and its links to the pages before and after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import parse_qsl, urlencode, urlsplit

from mockserver.conformance.exchange import Exchange, Key
from mockserver.conformance.listed import results_of, rows_of

Row: TypeAlias = Mapping[str, Any]
Query: TypeAlias = tuple[tuple[str, str], ...]


class Listing(NamedTuple):
    """One of the two lists."""

    path: str
    operation: str
    size: int
    default: str
    """The ordering that it has when none is asked for."""


CALENDAR_LIST = Listing("/api/v1/calendars", "listCalendars", 25, "-created_at")
EVENT_LIST = Listing("/api/v1/calendar_events", "listCalendarEvents", 100, "-updated_at")


class Unreadable(Exception):
    """The answer is no page: whatever was to be judged by it cannot be."""

    def __init__(self, exchange: Exchange) -> None:
        super().__init__(f"{exchange.request.path} was answered with {exchange.status}")
        self.exchange = exchange


@dataclass(frozen=True)
class Page:
    """One page of a list as it was answered."""

    listing: Listing
    query: Query
    """What was asked for, without the cursor."""
    exchange: Exchange
    rows: tuple[Row, ...]
    next: str | None
    previous: str | None
    key: Key = "main"

    @property
    def ordering(self) -> str:
        """The order that the rows should have."""
        return dict(self.query).get("ordering", self.listing.default)

    @property
    def ids(self) -> list[str]:
        """The rows' ids in order."""
        return [row["id"] for row in self.rows]


def page_of(listing: Listing, query: Query, exchange: Exchange) -> Page:
    """The page in an answer. Raises Unreadable."""
    body: Any = exchange.json if exchange.status == 200 else None
    results, rows = results_of(body), rows_of(body)
    if results is None or len(rows) < len(results):
        raise Unreadable(exchange)
    links = [body.get("next"), body.get("previous")]
    if not all(link is None or isinstance(link, str) for link in links):
        raise Unreadable(exchange)
    return Page(listing, query, exchange, tuple(rows), links[0], links[1], exchange.request.key)


def is_page(exchange: Exchange) -> bool:
    """Whether an answer is a page, whatever its rows are."""
    return exchange.status == 200 and results_of(exchange.json) is not None


def rows_in(exchange: Exchange) -> list[dict[str, Any]]:
    """The rows of an answer that have an id; none where it is no page."""
    return rows_of(exchange.json)


def ids_in(exchange: Exchange) -> list[str]:
    """The ids of the rows of an answer, in order; none where it is no page."""
    return [row["id"] for row in rows_in(exchange)]


def link_of(body: Any, name: str = "next") -> str | None:
    """A link of a page, by the page's JSON: `next` or `previous`; None where there is none."""
    link = body.get(name) if isinstance(body, dict) else None
    return link if isinstance(link, str) else None


def address(listing: Listing, query: Sequence[tuple[str, str]]) -> str:
    """The path and query of a request."""
    return f"{listing.path}?{urlencode(query)}" if query else listing.path


def link_path(link: str) -> str:
    """The path and query of a link; its host is the transport's business."""
    parts = urlsplit(link)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def link_query(link: str) -> Query:
    """A link's parameters."""
    return tuple(parse_qsl(urlsplit(link).query, keep_blank_values=True))


def cursor_of(link: str | None) -> str | None:
    """The cursor in a link; None where there is none."""
    return dict(link_query(link)).get("cursor") or None if link is not None else None
