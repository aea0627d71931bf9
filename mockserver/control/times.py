"""The times and spans that control requests are written with: RFC 3339, or relative to the project's clock."""

from __future__ import annotations

import re
from typing import Any, Final

from mockserver.control.refusal import Refused
from mockserver.domain import timestamps
from mockserver.domain.model import Micros
from mockserver.domain.timestamps import SECOND
from mockserver.relative_time import resolve

_UNITS: Final = {
    "ms": 1000,
    "s": SECOND,
    "m": 60 * SECOND,
    "h": 3600 * SECOND,
    "d": 86_400 * SECOND,
    "w": 604_800 * SECOND,
}
_PART: Final = re.compile(r"(\d{1,9})(ms|s|m|h|d|w)", re.ASCII)
_SPAN: Final = re.compile(rf"([+-]?)((?:{_PART.pattern})+)", re.ASCII)
_RFC_3339: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def span(field: str, value: Any) -> Micros:
    """The microseconds of a span such as 25h, 1h30m or -1d.

    Raises Refused.
    """
    found = _span(value)
    if found is None:
        raise Refused(field, "is no span of time", fix="write a number with ms, s, m, h, d or w, e.g. 25h, 10m, 1h30m")
    return found


def moment(field: str, value: Any, now: Micros) -> Micros:
    """The instant of a time such as 2026-05-01T09:00:00Z, 25h or -1d (from `now`), or tomorrow's kin in fixtures.

    Raises Refused.
    """
    shift = _span(value)
    found = now + shift if shift is not None else _absolute(value, now)
    if found is not None and not timestamps.is_writable(found):
        raise Refused(field, "is not within the years 1 to 9999", fix="write a time within them")
    if found is None:
        fix = "write it as 2026-05-01T09:00:00Z, or as a span from the project's now: 25h, 10m, -1d"
        raise Refused(field, "is no time", fix=fix)
    return found


def _span(value: Any) -> Micros | None:
    match = _SPAN.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    total = sum(int(number) * _UNITS[unit] for number, unit in _PART.findall(match[2]))
    return -total if match[1] == "-" else total


def _absolute(value: Any, now: Micros) -> Micros | None:
    if not isinstance(value, str):
        return None
    if _RFC_3339.fullmatch(value):
        return timestamps.parse(value.upper())
    return resolve(value, now)
