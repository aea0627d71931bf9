"""A page of an ordered listing, and the cursors that lead to the pages around it.

Cursors are those of the service, in text and in leniency (cursors.json, list-events-cursor-*): base64 of `o=` (rows to
skip), `r=1` (walk backwards) and `p=` (the position to start beyond). Where equal positions make the service repeat or
lose rows, the links here name a position and an offset that do neither.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from itertools import islice, takewhile
from typing import Generic, NamedTuple, TypeVar
from urllib.parse import parse_qs

from mockserver.domain import timestamps
from mockserver.domain.index import Key, SortedIndex
from mockserver.domain.model import Micros

T = TypeVar("T")
_FARTHEST = 10**12
"""The largest offset looked at: beyond the end of any listing. The service stops at 1000 and loses rows by it."""


class InvalidCursor(Exception):
    """The text is no cursor that the service ever gave."""


class Cursor(NamedTuple):
    """Where a page starts: beyond `position` in the walking direction, after skipping `offset` rows."""

    offset: int = 0
    reverse: bool = False
    position: Micros | None = None

    def encode(self) -> str:
        """The cursor as the service writes it."""
        tokens = []
        if self.offset:
            tokens.append(f"o={self.offset}")
        if self.reverse:
            tokens.append("r=1")
        if self.position is not None:
            text = timestamps.render_position(self.position)
            tokens.append("p=" + text.replace("+", "%2B").replace(":", "%3A").replace(" ", "+"))
        return base64.b64encode("&".join(tokens).encode("ascii")).decode("ascii")


def decode(text: str) -> Cursor:
    """The cursor in this text; an empty text is the first page, unknown tokens and stray characters are passed over.

    Raises InvalidCursor.
    """
    try:
        tokens = parse_qs(base64.b64decode(text.encode("ascii")).decode("ascii"), keep_blank_values=True)
        offset = int(tokens.get("o", ["0"])[0])
        reverse = bool(int(tokens.get("r", ["0"])[0]))
    except ValueError:
        raise InvalidCursor from None
    position = None
    if "p" in tokens:
        position = timestamps.parse_position(tokens["p"][0])
        if position is None:
            raise InvalidCursor
    if offset < 0:
        raise InvalidCursor
    return Cursor(min(offset, _FARTHEST), reverse, position)


class Listing(Generic[T]):
    """Rows in a listing's order. Each has a position, which several may share; `ascending` says which way it grows."""

    def __init__(
        self,
        index: SortedIndex[T],
        position: Callable[[T], Micros],
        *,
        ascending: bool,
        start: Key | None = None,
        stop: Key | None = None,
        keep: Callable[[T], bool] | None = None,
    ) -> None:
        """`start` and `stop` bound the keys of `index`, whose first part is the position; `keep` filters rows."""
        self._index = index
        self._keep = keep
        self._start, self._stop = start, stop
        self.position = position
        self.ascending = ascending

    def walk(self, cursor: Cursor) -> Iterator[T]:
        """The rows strictly beyond the cursor's position, in its direction; its offset is not looked at."""
        upwards = self.ascending is not cursor.reverse
        start, stop = self._start, self._stop
        if cursor.position is not None and upwards:
            start = max(start, (cursor.position + 1,)) if start else (cursor.position + 1,)
        elif cursor.position is not None:
            stop = min(stop, (cursor.position,)) if stop else (cursor.position,)
        rows = self._index.up(start, stop) if upwards else self._index.down(stop, start)
        return rows if self._keep is None else filter(self._keep, rows)

    def step(self, position: Micros, *, reverse: bool) -> Micros:
        """The next position that a row could have, in the direction given."""
        return position + 1 if self.ascending is not reverse else position - 1


class Page(NamedTuple, Generic[T]):
    """The rows in the listing's order, and the cursors of the neighbouring pages where there are any."""

    rows: list[T]
    next: Cursor | None
    previous: Cursor | None


def paginate(listing: Listing[T], cursor: Cursor, size: int) -> Page[T]:
    """The page that starts at the cursor."""
    found = list(islice(listing.walk(cursor), cursor.offset, cursor.offset + size + 1))
    rows, beyond = found[:size], found[size:]
    onward = _onward(listing, cursor, rows, beyond[0]) if beyond else None
    turned = None
    if cursor.position is not None or cursor.offset:
        turned = _turned(listing, cursor, rows, last=not beyond)
    if cursor.reverse:
        return Page(rows[::-1], turned, onward)
    return Page(rows, onward, turned)


def _onward(listing: Listing[T], cursor: Cursor, rows: list[T], beyond: T) -> Cursor:
    """The cursor of the page after these rows, in the direction of the walk."""
    edge = listing.position(beyond)
    for tied, row in enumerate(reversed(rows)):
        position = listing.position(row)
        if position != edge:
            return Cursor(tied, cursor.reverse, position)
    return Cursor(cursor.offset + len(rows), cursor.reverse, cursor.position)


def _turned(listing: Listing[T], cursor: Cursor, rows: list[T], *, last: bool) -> Cursor:
    """The cursor of the page before these rows: the walk turned round. `last`: nothing follows the rows."""
    back = not cursor.reverse
    if not rows:
        return Cursor(0, back, _turning_point(listing, cursor))
    edge = listing.position(rows[0])
    if not cursor.offset:
        return Cursor(0, back, edge)
    for tied, row in enumerate(rows):
        position = listing.position(row)
        if position != edge:
            return Cursor(tied, back, position)
    if last:
        return Cursor(len(rows), back)
    # The whole page shares one position and more of it may follow: turn behind the last row of that position.
    rest = islice(listing.walk(cursor), cursor.offset, None)
    tied = sum(1 for _ in takewhile(lambda row: listing.position(row) == edge, rest))
    return Cursor(tied, back, listing.step(edge, reverse=cursor.reverse))


def _turning_point(listing: Listing[T], cursor: Cursor) -> Micros | None:
    """Where to turn round on an empty page; None is the end of the listing, so that its last row is not lost."""
    if cursor.offset and next(listing.walk(cursor), None) is not None:
        return None
    nearest = next(listing.walk(Cursor(reverse=not cursor.reverse)), None)
    if nearest is not None and listing.position(nearest) == cursor.position:
        return None
    return cursor.position
