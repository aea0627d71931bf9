"""What a control request brings, held against what its route takes: query, JSON body, and the values in them."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Final, NoReturn

from mockserver.api.bodies import LARGE, has_many_tokens
from mockserver.api.errors import ApiError
from mockserver.api.request import Receive, parse_query, read_body
from mockserver.control.errors import Refused, unknown
from mockserver.control.routes import Route
from mockserver.control.waits import LONGEST_WAIT
from mockserver.domain import timestamps
from mockserver.domain.model import Calendar, Micros
from mockserver.domain.store import Project
from mockserver.domain.timestamps import SECOND
from mockserver.relative_time import resolve

_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_JSON = "application/json"
_MOST_TOKENS, _MOST_IN_OBJECT = 30_000, 50
"""JSON with more tokens than that has to consist of objects: between two of them other threads have their turn."""
_USUAL_LIMIT, _HIGHEST_LIMIT = 100, 1000
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


def header(headers: list[tuple[bytes, bytes]], name: bytes) -> str | None:
    """A header as text, or None."""
    found = next((value for given, value in headers if given == name), None)
    return None if found is None else found.decode("latin-1").strip()


def query_of(query_string: bytes, route: Route) -> dict[str, str]:
    """The parameters of a query, `project` included.

    Raises Refused for one that the route does not take, and for one that is there twice.
    """
    allowed = route.query | {"project"} if route.of_project else route.query
    found: dict[str, str] = {}
    for name, value in parse_query(query_string):
        if name not in allowed:
            raise unknown("query", name, allowed)
        if name in found:
            raise Refused(name, "appears twice", fix="give it once")
        found[name] = value
    return found


async def body_of(receive: Receive, headers: list[tuple[bytes, bytes]], route: Route) -> dict[str, Any]:
    """The members of the body; none at all is an empty object.

    Raises Refused, with 413 or 415 where that is the reason, and Disconnected.
    """
    if route.method not in _WITH_BODY:
        return {}
    try:
        raw = await read_body(receive, header(headers, b"content-length"), route.most)
    except ApiError as problem:
        raise Refused("body", f"is larger than {route.most} bytes", problem.status, "send less") from None
    if raw:
        content_type = (header(headers, b"content-type") or "none").partition(";")[0].strip().lower()
        if content_type != _JSON and not content_type.endswith("+json"):
            fix = f"send JSON with Content-Type: {_JSON}"
            raise Refused("Content-Type", f"is {content_type[:80]}", 415, fix)
    body = {}
    if raw:
        body = await asyncio.to_thread(_parsed, raw) if len(raw) > LARGE else _parsed(raw)
    _check(body, route)
    return body


def _parsed(raw: bytes) -> dict[str, Any]:
    fix = 'send one JSON object, e.g. {"by": "25h"}'
    try:
        text = raw.decode("utf-8")
        if has_many_tokens(text, _MOST_TOKENS) and has_many_tokens(text, _MOST_IN_OBJECT * text.count("{")):
            raise Refused("body", f"has more than {_MOST_IN_OBJECT} values per object", fix="send less")
        body = json.loads(text, parse_constant=_no_number, object_pairs_hook=_object)
    except (ValueError, RecursionError) as problem:
        reason = str(problem) if isinstance(problem, json.JSONDecodeError) else type(problem).__name__
        raise Refused("body", f"is not JSON: {reason}", fix=fix) from None
    if not isinstance(body, dict):
        raise Refused("body", "is not a JSON object", fix=fix)
    return body


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        again = next(name for name, count in Counter(names).items() if count > 1)
        raise Refused(again[:80], "appears twice in one object", fix="keep one of them")
    return found


def _check(body: Mapping[str, Any], route: Route) -> None:
    """Raises Refused for a member that the route does not know, and for one that is missing."""
    if route.fields is not None:
        for name in body:
            if name not in route.fields:
                raise unknown("body", name, route.fields)
    for name in sorted(route.required):
        if name not in body:
            raise Refused(name, "is missing", fix="add it to the body")


def read_span(field: str, value: object) -> Micros:
    """A span of time that is not negative, in microseconds.

    Raises Refused.
    """
    length = span(field, value)
    if length < 0:
        raise Refused(field, "is negative", fix="write a span such as 30m, 1h30m or 2d")
    return length


def read_wait(query: Mapping[str, str]) -> float:
    """The seconds of `wait`, 0 without it.

    Raises Refused.
    """
    text = query.get("wait", "0")
    length = span("wait", f"{text}s" if text.isascii() and text.isdecimal() else text)
    if not 0 <= length <= LONGEST_WAIT * SECOND:
        raise Refused("wait", "is out of range", fix=f"wait between 0s and {LONGEST_WAIT:.0f}s")
    return length / SECOND


def read_limit(query: Mapping[str, str]) -> int:
    """The value of `limit`, 100 without it.

    Raises Refused.
    """
    limit = _whole(query.get("limit", str(_USUAL_LIMIT)))
    if limit is None or not 1 <= limit <= _HIGHEST_LIMIT:
        raise Refused("limit", "is out of range", fix=f"write a whole number from 1 to {_HIGHEST_LIMIT}")
    return limit


def read_after(query: Mapping[str, str], what: str) -> int | None:
    """The number in `after`, None without it; `what` names the numbered thing.

    Raises Refused.
    """
    text = query.get("after")
    number = None if text is None else _whole(text)
    if text is not None and number is None:
        raise Refused("after", "must be a number", fix=f"write the number of {what}, e.g. 17")
    return number


def read_choice(query: Mapping[str, str], name: str, allowed: tuple[str, ...]) -> str | None:
    """One of the allowed words, or None without the parameter.

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
    """Whether a value of a JSON body is a whole number; true and false are not."""
    return isinstance(value, int) and not isinstance(value, bool)


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else None


def span(field: str, value: Any) -> Micros:
    """The microseconds of a span such as 25h, 1h30m or -1d.

    Raises Refused.
    """
    found = _span(value)
    if found is None:
        raise Refused(
            field, "is not a span of time", fix="write a number with ms, s, m, h, d or w, e.g. 25h, 10m, 1h30m"
        )
    return found


def moment(field: str, value: Any, now: Micros) -> Micros:
    """The instant of a time: 2026-05-01T09:00:00Z, a span from `now` (25h, -1d), or relative as in fixtures.

    Raises Refused.
    """
    shift = _span(value)
    found = now + shift if shift is not None else _absolute(value, now)
    if found is not None and not timestamps.is_writable(found):
        raise Refused(field, "must be within the years 1 to 9999", fix="write a time in this range")
    if found is None:
        fix = "write it as 2026-05-01T09:00:00Z, or as a span from the project's now: 25h, 10m, -1d"
        raise Refused(field, "is not a time", fix=fix)
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
