"""A page of an ordered listing, and the cursors that lead to the pages around it.

Cursors are those of the service, in text and in leniency (cursors.json, list-events-cursor-*): base64 of `o=` (rows to
skip), `r=1` (walk backwards) and `p=` (the position to start beyond). Where equal positions make the service repeat or
lose rows, the links here name a position and an offset that do neither; and only there.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from itertools import islice, takewhile
from typing import Generic, NamedTuple, TypeVar
from urllib.parse import parse_qs, quote_plus

from mockserver.domain import timestamps
from mockserver.domain.model import Micros
from mockserver.domain.sorted_index import Key, SortedIndex

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
    written: str | None = None
    """The position as a client wrote it, where the service would write it otherwise; it is repeated as it is."""

    def encode(self) -> str:
        """The cursor as the service writes it."""
        tokens = []
        if self.offset:
            tokens.append(f"o={self.offset}")
        if self.reverse:
            tokens.append("r=1")
        if self.position is not None:
            tokens.append("p=" + (self._own() if self.written is None else quote_plus(self.written)))
        return base64.b64encode("&".join(tokens).encode("ascii")).decode("ascii")

    def _own(self) -> str:
        """The position as the service writes it, percent-encoded: of all that would be, it has only these three."""
        assert self.position is not None
        text = timestamps.render_position(self.position)
        return text.replace("+", "%2B").replace(":", "%3A").replace(" ", "+")


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
    position = written = None
    if "p" in tokens:
        written = tokens["p"][0]
        position = timestamps.parse_position(written)
        if position is None:
            raise InvalidCursor
        if timestamps.is_writable(position) and written == timestamps.render_position(position):
            written = None
    if offset < 0:
        raise InvalidCursor
    return Cursor(min(offset, _FARTHEST), reverse, position, written)


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
        turned = _turned(listing, cursor, rows, None if beyond else size)
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
    return cursor._replace(offset=cursor.offset + len(rows))


def _turned(listing: Listing[T], cursor: Cursor, rows: list[T], last_of: int | None) -> Cursor:
    """The cursor of the page before these rows: the walk turned round.

    `last_of` is the size of a page where nothing follows the rows, else None.
    """
    back = not cursor.reverse
    if not rows:
        # The service turns at the cursor's position, whatever it has skipped.
        return Cursor(0, back) if _loses_a_tie(listing, cursor) else cursor._replace(offset=0, reverse=back)
    edge = listing.position(rows[0])
    if not cursor.offset:
        return Cursor(0, back, edge)
    for tied, row in enumerate(rows):
        position = listing.position(row)
        if position != edge:
            return Cursor(tied, back, position)
    if last_of is not None:
        # The service takes a single row for a tie with itself, and skips a whole page from the end.
        alone = len(rows) == 1 and not _follows_a_tie(listing, cursor, edge)
        return Cursor(last_of if alone else len(rows), back)
    # The whole page shares one position and more of it may follow: turn behind the last row of that position.
    rest = islice(listing.walk(cursor), cursor.offset, None)
    tied = sum(1 for _ in takewhile(lambda row: listing.position(row) == edge, rest))
    return Cursor(tied, back, listing.step(edge, reverse=cursor.reverse))


def _follows_a_tie(listing: Listing[T], cursor: Cursor, edge: Micros) -> bool:
    """Whether the row before those of the cursor has the position `edge` too."""
    before = next(islice(listing.walk(cursor), cursor.offset - 1, None), None)
    return before is not None and listing.position(before) == edge


def _loses_a_tie(listing: Listing[T], cursor: Cursor) -> bool:
    """Whether turning at the cursor's position would lose rows that share a position.

    They are what the offset skipped, or what is at the cursor's position itself.
    """
    last = list(islice(listing.walk(Cursor(reverse=not cursor.reverse)), 2))
    if len(last) < 2 or listing.position(last[0]) != listing.position(last[1]):
        return False
    skipped = bool(cursor.offset) and next(listing.walk(cursor), None) is not None
    return skipped or listing.position(last[0]) == cursor.position
