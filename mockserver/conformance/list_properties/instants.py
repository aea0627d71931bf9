"""Reads the times in answers and writes times for requests, as microseconds since 1970, UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Any

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


def position(instant: int) -> str:
    """The instant as the service writes it inside a cursor."""
    return str(_EPOCH + timedelta(microseconds=instant))
