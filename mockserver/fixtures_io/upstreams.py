"""Reads the upstream of a calendar in a fixture file: its events in the shape of Google or Microsoft."""

from __future__ import annotations

import re
from functools import partial
from typing import Any, NamedTuple

from mockserver.domain.calendar_sync import refused_credential
from mockserver.domain.model import Calendar, Failure, Micros, Remote, Upstream
from mockserver.domain.timestamps import render
from mockserver.domain.upstream import make_remote
from mockserver.domain.upstream_failures import checked
from mockserver.domain.upstream_schema import BadInput, check_remote
from mockserver.fixtures_io.problem import Broken, Place, Problems
from mockserver.fixtures_io.rules import Reader, fields, items, json_object, label, number, optional
from mockserver.relative_time import resolve

_TIMES = ("start", "end", "originalStartTime")


class Described(NamedTuple):
    """The upstream of one calendar."""

    upstream: Upstream | None
    """None is the usual one: what the calendar's events came from."""
    remotes: list[Remote]


def upstream(value: Any) -> dict[str, Any]:
    """What is written under `upstream`, before it is known of which platform it is."""
    return fields(value, _UPSTREAM)


def describe(given: dict[str, Any], calendar: Calendar, now: Micros) -> Described:
    """The upstream of a calendar with these fields; relative times are relative to `now`.

    Raises Broken.
    """
    written = given.get("upstream", {})
    remotes: dict[str, Remote] = {}
    problems = Problems()
    for at, event in enumerate(written.get("events", ())):
        place = ("upstream", "events", at)
        document = {name: _absolute(inner, now) if name in _TIMES else inner for name, inner in event.items()}
        try:
            check_remote(calendar.platform, document, "")
        except BadInput as problem:
            problems.add(_broken(problem, place))
            continue
        remote = make_remote(calendar.id, calendar.platform, document)
        if remote.id in remotes:
            rule = "must be an id that no other event of the calendar has"
            problems.add(Broken(rule, remote.id, fix="give it another", place=(*place, "id")))
        remotes[remote.id] = remote
    problems.check()
    found = Upstream(derived="events" not in written)
    if "failure" in written:
        found = _failing(found, calendar, written["failure"])
    elif calendar.state == "disconnected":
        # What disconnected it holds until there is a new token: a sync would find it as it is.
        text = (calendar.connection_failure_data or {}).get("error")
        found = _failing(found, calendar, Failure("revoked"))._replace(says=text)
    return Described(None if found == Upstream() else found, list(remotes.values()))


def _failing(found: Upstream, calendar: Calendar, failure: Failure | None) -> Upstream:
    if failure is None:
        return found
    try:
        failure = checked(calendar.platform, failure)
    except BadInput as problem:
        raise _broken(problem, ("upstream",)) from None
    return found._replace(failure=failure, refused=refused_credential(calendar, failure.name))


def _broken(problem: BadInput, place: Place) -> Broken:
    """The problem as one of the file, in its place."""
    parts = re.findall(r"\[(\d+)\]|([^.\[\]]+)", problem.field)
    inner = tuple(int(at) if at else name for at, name in parts)
    return Broken(problem.problem, fix=problem.fix, place=(*place, *inner))


def _absolute(value: Any, now: Micros) -> Any:
    """A start or an end whose time may be a relative one, as the platform would write it."""
    if not isinstance(value, dict):
        return value
    found = dict(value)
    for name, length in (("dateTime", None), ("date", 10)):
        text = found.get(name)
        instant = resolve(text, now) if isinstance(text, str) else None
        if instant is not None:
            found[name] = render(instant)[:length]
    return found


def _failure(value: Any) -> Failure:
    """A failure's name, or a mapping with its name and bounds."""
    if not isinstance(value, dict):
        return Failure(label(value))
    given = fields(value, _FAILURE, ("name",))
    return Failure(given["name"], given.get("for_next"), given.get("seconds", 0))


_FAILURE: dict[str, Reader] = {"name": label, "for_next": partial(optional, read=number), "seconds": number}
_UPSTREAM: dict[str, Reader] = {
    "events": partial(items, read=json_object),
    "failure": partial(optional, read=_failure),
}
