"""Reads ISO 8601 texts as the parser does with which the service reads the times of Google and Microsoft events.

It takes more than RFC 3339: a date alone, week and ordinal dates, the basic form, any one character before the time,
any number of digits in a fraction, `z`, offsets with or without a colon, and 24:00 as the end of a day.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo

_OFFSET_LENGTHS = (3, 5, 6)
_FRACTION = re.compile(r"[.,](\d+)", re.ASCII)
_BEFORE_OFFSET = "+-Zz"


def read_iso(text: str) -> datetime:
    """The time that a text names; it is naive when the text has no offset.

    Raises ValueError when the text is no such time, OverflowError when it is not within the years 1 to 9999.
    """
    if not text.isascii():
        raise ValueError("a time is written in ASCII")
    day, length = _read_date(text)
    if len(text) <= length:
        return datetime(*day)  # noqa: DTZ001  # a naive time is in the zone that the event names
    hour, minute, second, fraction, zone = _read_time(text[length + 1 :])
    if hour == 24 and not (minute or second or fraction):
        return datetime(*day, tzinfo=zone) + timedelta(days=1)
    return datetime(*day, hour, minute, second, fraction, tzinfo=zone)


def _read_date(text: str) -> tuple[tuple[int, int, int], int]:
    """Year, month and day, and how many characters of the text they take."""
    year, dashed = _digits(text, 0, 4), text[4:5] == "-"
    try:
        return _read_month_and_day(text, year, dashed=dashed)
    except ValueError:
        found, length = _read_week_or_ordinal(text, year, dashed=dashed)
        return (found.year, found.month, found.day), length


def _read_month_and_day(text: str, year: int, *, dashed: bool) -> tuple[tuple[int, int, int], int]:
    if len(text) == 4 + dashed:
        if dashed:
            raise ValueError("a dash ends the date")
        return (year, 1, 1), 4
    at = 5 if dashed else 4
    month = _digits(text, at, 2)
    if dashed and len(text) == 7:
        return (year, month, 1), 7
    if dashed and text[7] != "-":
        raise ValueError("a dash is missing before the day")
    at += 2 + dashed
    return (year, month, _digits(text, at, 2)), at + 2


def _read_week_or_ordinal(text: str, year: int, *, dashed: bool) -> tuple[date, int]:
    """The day of 2026-W49-2 or of 2026-335, dashed or not."""
    at = 4 + dashed
    if text[at : at + 1] != "W":
        number = _digits(text, at, 3)
        found = date(year, 1, 1) + timedelta(days=number - 1)
        if found.year != year:
            raise ValueError("the year has no such day")
        return found, at + 3
    # One digit at the very end is a week too: 2026-W4 is the fourth of its year.
    week, at, weekday = int(text[at + 1 : at + 3]), at + 3, 1
    if len(text) > at:
        if (text[at] == "-") != dashed:
            raise ValueError("the dashes do not agree")
        at += dashed
        weekday = int(text[at : at + 1])
        at += 1
    if not (1 <= week <= 53 and 1 <= weekday <= 7):
        raise ValueError("the year has no such week, or the week no such day")
    fourth = date(year, 1, 4)
    return fourth + timedelta(weeks=week - 1, days=weekday - fourth.isoweekday()), at


def _read_time(text: str) -> tuple[int, int, int, int, tzinfo | None]:
    """Hour, minute, second, microsecond and zone; what is left out is zero."""
    if len(text) < 2:
        raise ValueError("the time of day is too short")
    fields, at, colons = [0, 0, 0], 0, False
    for number in range(3):
        if at >= len(text) or text[at] in _BEFORE_OFFSET:
            break
        if number == 1:
            colons = text[at] == ":"
        elif number == 2 and colons and text[at] != ":":
            raise ValueError("the colons do not agree")
        at += number > 0 and colons
        fields[number] = int(text[at : at + 2])
        at += 2
    else:
        match = _FRACTION.match(text, at)
        if match:
            hour, minute, second = fields
            at = match.end()
            return hour, minute, second, int(match[1][:6].ljust(6, "0")), _read_offset(text[at:])
    hour, minute, second = fields
    return hour, minute, second, 0, _read_offset(text[at:])


def _read_offset(text: str) -> tzinfo | None:
    """The zone that a time ends with, or None when it ends without one."""
    if not text:
        return None
    if text in ("Z", "z"):
        return UTC
    if len(text) not in _OFFSET_LENGTHS or text[0] not in "+-":
        raise ValueError("the time does not end with an offset")
    hours = int(text[1:3])
    minutes = int(text[4 if text[3] == ":" else 3 :]) if len(text) > 3 else 0
    if hours > 23 or minutes > 59:
        raise ValueError("an offset is less than a day")
    span = timedelta(hours=hours, minutes=minutes)
    return timezone(-span if text[0] == "-" else span)


def _digits(text: str, at: int, count: int) -> int:
    """The number that so many characters are."""
    if len(text) < at + count:
        raise ValueError("the date is too short")
    return int(text[at : at + count])
