"""How the service writes times and cursors, and what the rows of its lists are sorted by."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlencode

from mockserver.conformance.list_pages import Row, cursor_of

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = 1_000_000
DAY = 86_400 * SECOND


def read(text: Any) -> int | None:
    """The instant that an answer's time names; None for anything that is no time with a zone."""
    return _read(text) if isinstance(text, str) else None


@lru_cache(maxsize=50_000)
def _read(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    return (moment - _EPOCH) // timedelta(microseconds=1)


def write(instant: int, *, minutes: int | None = None, sep: str = "T") -> str:
    """The instant with all six digits of its fraction, in the zone so many minutes off UTC, or with a Z."""
    moment = _EPOCH + timedelta(microseconds=instant)
    if minutes is None:
        return moment.strftime(f"%Y-%m-%d{sep}%H:%M:%S.%fZ")
    return moment.astimezone(timezone(timedelta(minutes=minutes))).isoformat(sep, "microseconds")


def naive(instant: int) -> str:
    """The instant in UTC, without saying so."""
    return write(instant)[:-1]


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
        tokens = {"o": str(self.offset)} if self.offset else {}
        tokens |= {"r": "1"} if self.reverse else {}
        tokens |= {"p": str(_EPOCH + timedelta(microseconds=self.position))} if self.position is not None else {}
        return encoded(tokens)


def encoded(tokens: Mapping[str, str]) -> str:
    """A cursor that says this, as the service writes it."""
    return base64.b64encode(urlencode(tokens).encode()).decode()


def tokens_of(cursor: str) -> dict[str, str] | None:
    """What a cursor says, if it is written as the service was seen to; else None."""
    try:
        plain = base64.b64decode(cursor, validate=True).decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        return None
    tokens = {name: values[0] for name, values in parse_qs(plain, keep_blank_values=True).items()}
    return tokens if set(tokens) <= {"o", "r", "p"} else None


def is_known_cursor(link: str) -> bool:
    """Whether the cursor in a link is of the form that Cursor writes."""
    return bool(tokens_of(cursor_of(link) or ""))
