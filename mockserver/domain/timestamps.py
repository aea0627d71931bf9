"""Reads the timestamps that clients write and writes those that the service answers.

The service takes two families of text, tried in this order (timestamps.json, list-events-timestamps-*): strict ISO 8601
with two-digit fields and any one character between date and time, then a loose form with one or two digits a field.
Both are spelt out here, so that the answer does not change with the version of Python underneath.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from mockserver.domain.model import Micros

SECOND = 1_000_000
_DAY = 86_400 * SECOND
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH = _EPOCH.replace(tzinfo=None)
_EPOCH_DAY = date(1970, 1, 1).toordinal()
FIRST: Micros = (date.min.toordinal() - _EPOCH_DAY) * _DAY
"""The first microsecond of the year 1 in UTC."""
LAST: Micros = (date.max.toordinal() + 1 - _EPOCH_DAY) * _DAY - 1
"""The last microsecond of the year 9999 in UTC."""

# The Python under the service passes over one stray character before an offset, as in T00Z+00:00, and takes a fraction
# behind hours or minutes for one of a second, as in T00:00.123.
_STRAY = r"[^+-](?=[+-])"
_STRICT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)"
    rf"(?:.(\d\d)(?::(\d\d)(?::(\d\d))?)?(?:\.(\d{{6}}|\d{{3}})|{_STRAY})?"
    r"(?:([+-])(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{6}))?)?)?)?",
    re.ASCII | re.DOTALL,
)
_LOOSE = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})[T ](\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:[.,](\d{1,6})\d{0,6})?)?"
    r"\s*(?:Z|([+-])(\d\d)(?::?(\d\d))?)?\n?"
)
_LOOSE_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})\n?")


def parse(text: str) -> Micros | None:
    """The instant that a filter's text names, in microseconds since 1970, or None where the service refuses it.

    A text without a zone is UTC, a date alone is its midnight, digits past the sixth of a fraction are dropped.
    """
    for pattern in (_STRICT, _LOOSE):
        match = pattern.fullmatch(text)
        if match:
            instant = _instant(*match.groups())
            if instant is not None:
                return instant
    return None


def parse_position(text: str) -> Micros | None:
    """The instant that a cursor's position names: as `parse`, and a loose date such as 2026-5-1 as well."""
    instant = parse(text)
    if instant is None:
        match = _LOOSE_DATE.fullmatch(text)
        if match:
            return _instant(*match.groups())
    return instant


def _instant(
    year: str,
    month: str,
    day: str,
    hour: str | None = None,
    minute: str | None = None,
    second: str | None = None,
    fraction: str | None = None,
    sign: str | None = None,
    *offset: str | None,
) -> Micros | None:
    """The instant of these fields, or None where there is no such day, time of day or offset."""
    try:
        days = date(int(year), int(month), int(day)).toordinal() - _EPOCH_DAY
    except ValueError:
        return None
    if int(hour or 0) > 23 or int(minute or 0) > 59 or int(second or 0) > 59:
        return None
    # Of an offset only the whole is bounded: +02:60 is three hours (list-events-offset-minutes).
    shift = _span(*offset)
    if shift >= _DAY:
        return None
    return days * _DAY + _span(hour, minute, second, fraction) - (shift if sign == "+" else -shift)


def _span(
    hour: str | None = None, minute: str | None = None, second: str | None = None, fraction: str | None = None
) -> Micros:
    """The fields as microseconds, each of them in the range of its digits."""
    seconds = (int(hour or 0) * 60 + int(minute or 0)) * 60 + int(second or 0)
    return seconds * SECOND + int((fraction or "").ljust(6, "0"))


def to_datetime(instant: Micros) -> datetime:
    """The same instant as an aware datetime in UTC."""
    return _EPOCH + timedelta(microseconds=instant)


def is_writable(instant: Micros) -> bool:
    """Whether the instant is in the years 1 to 9999 of UTC; an offset can lead out of them."""
    return FIRST <= instant <= LAST


def to_micros(moment: datetime) -> Micros:
    """The instant of an aware datetime, in microseconds since 1970."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def render(instant: Micros) -> str:
    """The text of an answer: six digits of fraction, or none at all when it is zero, then Z."""
    second, fraction = divmod(instant, SECOND)
    return f"{_second(second)}.{fraction:06}Z" if fraction else _second(second) + "Z"


@lru_cache(maxsize=64)
def _second(second: int) -> str:
    """The text of a full second since 1970, without a zone. A text depends on nothing else, so all mocks share it."""
    return (_NAIVE_EPOCH + timedelta(0, second)).isoformat()


def render_position(instant: Micros) -> str:
    """The text inside a cursor, e.g. 2026-01-12 16:40:00.040007+00:00 (cursors.json)."""
    second, fraction = divmod(instant, SECOND)
    text = _second(second).replace("T", " ")
    return f"{text}.{fraction:06}+00:00" if fraction else f"{text}+00:00"


def render_offset(instant: Micros) -> str:
    """The text inside connection failure data, e.g. 2026-04-01T11:00:00+00:00."""
    return to_datetime(instant).isoformat()
