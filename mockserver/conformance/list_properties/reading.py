"""Reads lists: pages, the links between them, and the cursors inside the links."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import parse_qsl, urlencode, urlsplit

from mockserver.conformance.exchange import Exchange, Key
from mockserver.conformance.list_properties.instants import position, read

Row: TypeAlias = Mapping[str, Any]
Query: TypeAlias = tuple[tuple[str, str], ...]
ORDERINGS = (
    "-updated_at",
    "updated_at",
    "start_time",
    "-start_time",
    "end_time",
    "-end_time",
    "created_at",
    "-created_at",
)


class Listing(NamedTuple):
    """One of the two lists."""

    path: str
    operation: str
    size: int
    default: str
    """The ordering that it has when none is asked for."""


CALENDARS = Listing("/api/v1/calendars", "listCalendars", 25, "-created_at")
EVENTS = Listing("/api/v1/calendar_events", "listCalendarEvents", 100, "-updated_at")


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
    body = exchange.json if exchange.status == 200 else None
    if not isinstance(body, dict) or not isinstance(body.get("results"), list):
        raise Unreadable(exchange)
    rows, links = body["results"], [body.get("next"), body.get("previous")]
    if not all(isinstance(row, dict) and isinstance(row.get("id"), str) for row in rows):
        raise Unreadable(exchange)
    if not all(link is None or isinstance(link, str) for link in links):
        raise Unreadable(exchange)
    return Page(listing, query, exchange, tuple(rows), links[0], links[1], exchange.request.key)


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


def sort_key(row: Row, ordering: str) -> int | None:
    """What a row is sorted by; smaller comes first under any ordering. None where the row has no such time."""
    instant = read(row.get(ordering.removeprefix("-")))
    return -instant if instant is not None and ordering.startswith("-") else instant


class Cursor(NamedTuple):
    """What the service's own cursors say: rows to skip, whether to walk backwards, the place to start beyond."""

    offset: int = 0
    reverse: bool = False
    position: int | None = None

    def text(self) -> str:
        """The cursor as the service writes it."""
        tokens = [("o", str(self.offset))] if self.offset else []
        tokens += [("r", "1")] if self.reverse else []
        tokens += [("p", position(self.position))] if self.position is not None else []
        return base64.b64encode(urlencode(tokens).encode()).decode()


def is_known_cursor(link: str) -> bool:
    """Whether the cursor in a link is of the form that Cursor writes."""
    text = dict(link_query(link)).get("cursor", "")
    try:
        tokens = parse_qsl(base64.b64decode(text, validate=True).decode("ascii"), keep_blank_values=True)
    except (binascii.Error, UnicodeDecodeError):
        return False
    return bool(tokens) and {name for name, _ in tokens} <= {"o", "r", "p"}
