"""Times written relative to a moment, such as now-90m, today+1d 09:30 and monday 09:00; all of them in UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NOW = re.compile(r"now(?:([+-]\d{1,9})([smhdw]))?", re.ASCII | re.IGNORECASE)
_DAY = re.compile(
    rf"(today|{'|'.join(_WEEKDAYS)})(?:([+-]\d{{1,9}})([dw]))?(?: +([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?)?",
    re.ASCII | re.IGNORECASE,
)


def resolve(text: str, now: int) -> int | None:
    """The instant that a relative time names at the moment `now`, both in microseconds since 1970.

    A weekday is that of the current ISO week, and on Saturday and Sunday that of the coming one; a day without a time
    of day is its midnight. None when the text is no relative time, or the instant is not within the years 1 to 9999.
    """
    try:
        moment = _EPOCH + timedelta(microseconds=now)
        if match := _NOW.fullmatch(text):
            moment += _shift(*match.groups())
        elif match := _DAY.fullmatch(text):
            day, number, unit, hour, minute, second = match.groups()
            moment = _midnight(day.lower(), moment) + _shift(number, unit)
            moment = moment.replace(hour=int(hour or 0), minute=int(minute or 0), second=int(second or 0))
        else:
            return None
    except OverflowError:
        return None
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _shift(number: str | None, unit: str | None) -> timedelta:
    return timedelta(**{_UNITS[unit.lower()]: int(number)}) if number and unit else timedelta()


def _midnight(day: str, moment: datetime) -> datetime:
    """The beginning of today, or of the weekday that is meant."""
    today = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    if day == "today":
        return today
    weekday = today.weekday()
    monday = today + timedelta(days=7 - weekday if weekday > 4 else -weekday)
    return monday + timedelta(days=_WEEKDAYS.index(day))
