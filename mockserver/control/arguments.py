"""What is written in a control request: waits, limits, the name of a calendar."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from mockserver.control.refusal import Refused, unknown
from mockserver.control.times import span
from mockserver.control.waits import LONGEST_WAIT
from mockserver.domain.model import Calendar, Micros
from mockserver.domain.store import Project
from mockserver.domain.timestamps import SECOND

_USUAL_LIMIT, _HIGHEST_LIMIT = 100, 1000


def read_span(field: str, value: object) -> Micros:
    """A span of time that is not negative, in microseconds.

    Raises Refused.
    """
    length = span(field, value)
    if length < 0:
        raise Refused(field, "is negative", fix="write a span such as 30m, 1h30m or 2d")
    return length


def read_wait(query: Mapping[str, str]) -> float:
    """How many seconds to wait, 0 when nothing is said of it.

    Raises Refused.
    """
    text = query.get("wait", "0")
    length = span("wait", f"{text}s" if text.isascii() and text.isdecimal() else text)
    if not 0 <= length <= LONGEST_WAIT * SECOND:
        raise Refused("wait", "is out of range", fix=f"wait between 0s and {LONGEST_WAIT:.0f}s")
    return length / SECOND


def read_limit(query: Mapping[str, str]) -> int:
    """How many are asked for, 100 when nothing is said of it.

    Raises Refused.
    """
    limit = _whole(query.get("limit", str(_USUAL_LIMIT)))
    if limit is None or not 1 <= limit <= _HIGHEST_LIMIT:
        raise Refused("limit", "is out of range", fix=f"write a whole number from 1 to {_HIGHEST_LIMIT}")
    return limit


def read_after(query: Mapping[str, str], what: str) -> int | None:
    """The number after which is asked for; None when nothing is said of it. `what` is numbered.

    Raises Refused.
    """
    text = query.get("after")
    number = None if text is None else _whole(text)
    if text is not None and number is None:
        raise Refused("after", "is no number", fix=f"write the number of {what}, e.g. 17")
    return number


def read_choice(query: Mapping[str, str], name: str, allowed: tuple[str, ...]) -> str | None:
    """One of some words, or None when nothing is said of it.

    Raises Refused.
    """
    value = query.get(name)
    if value is not None and value not in allowed:
        raise unknown(name, value, allowed)
    return value


def find_calendar(project: Project, name: str) -> Calendar:
    """The calendar of this id, or else of this deduplication key.

    Raises Refused.
    """
    state = project.state
    found = state.calendars.get(name)
    if found is None:
        found = state.calendars.get(state.calendar_ids.get(name) or "")
    if found is None:
        problem = f"project {project.name} has no calendar {name[:80]!r}"
        raise Refused("calendar", problem, 404, _instead(project, name))
    return found


def _instead(project: Project, name: str) -> str:
    keys = [calendar.deduplication_key for calendar in project.state.calendars if calendar.deduplication_key]
    nearest = get_close_matches(name[:80], keys[:_HIGHEST_LIMIT], 1, 0.6)
    meant = f"did you mean {nearest[0]}? " if nearest else ""
    return f"{meant}GET /api/v1/calendars lists them with their ids and deduplication keys"


def is_whole(value: Any) -> bool:
    """Whether a value of a JSON body is a whole number: true is none."""
    return isinstance(value, int) and not isinstance(value, bool)


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else None
