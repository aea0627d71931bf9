"""The short form of upstream events: title, start, duration, url, attendees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mockserver.control.errors import Refused, unknown
from mockserver.control.request import is_whole, moment, read_span
from mockserver.domain.model import Calendar, EventFields, Json, Micros, Platform, Remote
from mockserver.domain.store import Project, new_id
from mockserver.domain.upstream import Add, Change, Create
from mockserver.domain.upstream_schema import compose

FIELDS = ("title", "start", "end", "duration", "url", "attendees", "times", "every")
_OF_CHANGES = ("title", "start", "end", "duration", "url", "attendees")
_USUAL_LENGTH = 30 * 60_000_000
_LONGEST_TEXT = 8000


def read_new(project: Project, calendar: Calendar, body: Mapping[str, Any]) -> Add | Create:
    """The edit that adds what a body describes: an object in the platform's shape, or the short form.

    An object has an object as its start, or an id; one without an id gets one. Raises Refused.
    """
    if "id" in body or isinstance(body.get("start"), dict):
        named = body if "id" in body else {"id": new_id("upstream", project.random).removeprefix("upstream_"), **body}
        return Add(named)
    for name in body:
        if name not in FIELDS:
            shape = f"an object of {calendar.platform.capitalize()}'s own has a start that is an object"
            refused = unknown("field", name, FIELDS)
            raise Refused(name, f"{refused.problem} ({shape})")
    if "start" not in body:
        raise Refused("start", "is missing; write when it begins, e.g. 2026-05-01T09:00:00Z or 2h")
    now = project.clock.now()
    start = moment("start", body["start"], now)
    end = _end(body, start, now)
    given: dict[str, Any] = {}
    if "times" in body:
        if not is_whole(body["times"]):
            raise Refused("times", "must be a whole number: how many instances the series has")
        given["times"] = body["times"]
    if "every" in body:
        given["every"] = read_span("every", body["every"])
    return Create(
        start,
        start + _USUAL_LENGTH if end is None else end,
        _text(body, "title"),
        _text(body, "url"),
        tuple(_people(body)),
        **given,
    )


def read_change(project: Project, calendar: Calendar, remote: Remote, body: Mapping[str, Any]) -> Change:
    """The edit that changes an object as a body says: members of the platform's shape, the short form, or some of each.

    `without` names members to take out. Raises Refused.
    """
    without = body.get("without", [])
    if not (isinstance(without, list) and all(isinstance(name, str) for name in without)):
        raise Refused("without", "write a list of the names of the members to remove")
    short = {name: value for name, value in body.items() if name in _OF_CHANGES and _is_short(name, value)}
    members = {name: value for name, value in body.items() if name not in short and name != "without"}
    for name in members.keys() & {"times", "every"}:
        raise Refused(name, "is only for new events; add another event instead")
    if not short and not members and not without:
        raise Refused("body", f"changes nothing; write {', '.join(_OF_CHANGES)}, or members of the object")
    if not members.keys().isdisjoint({"start", "end"}) and not short.keys().isdisjoint({"start", "end", "duration"}):
        raise Refused("start", "write both times in the same form")
    now = project.clock.now()
    start = moment("start", short["start"], now) if "start" in short else None
    end = None
    if "end" in short or "duration" in short:
        begins = start if start is not None else _start_of(remote)
        end = _end(short, begins, now)
    set_members, taken = _translated(calendar.platform, short)
    return Change(remote.id, {**set_members, **members}, (*taken, *without), start, end)


def _is_short(name: str, value: Any) -> bool:
    """Whether a member that platforms have as well is in the short form."""
    if name in ("start", "end"):
        return not isinstance(value, dict)
    if name != "attendees" or not isinstance(value, list):
        return True
    return all(isinstance(one, str) or (isinstance(one, dict) and one.keys() <= {"email", "name"}) for one in value)


def _start_of(remote: Remote) -> Micros:
    if remote.start_time is None or remote.end_time is None:
        raise Refused("start", "the event has no time yet; give it a start")
    return remote.start_time


def _end(body: Mapping[str, Any], start: Micros, now: Micros) -> Micros | None:
    if "end" in body and "duration" in body:
        raise Refused("duration", "write either end or duration")
    if "duration" in body:
        return start + read_span("duration", body["duration"])
    return moment("end", body["end"], now) if "end" in body else None


def _text(body: Mapping[str, Any], name: str) -> str | None:
    value = body.get(name)
    if value is not None and not (isinstance(value, str) and len(value) <= _LONGEST_TEXT):
        raise Refused(name, f"write a string of at most {_LONGEST_TEXT} characters, or null")
    return value


def _people(body: Mapping[str, Any]) -> list[tuple[str | None, str | None]]:
    """Address and name of each attendee."""
    given = body.get("attendees")
    if given is None:
        return []
    if not isinstance(given, list):
        raise Refused("attendees", 'write a list of addresses, or of {"email": …, "name": …}')
    return [_person(one, f"attendees[{place}]") for place, one in enumerate(given)]


def _person(given: Any, field: str) -> tuple[str | None, str | None]:
    person = {"email": given} if isinstance(given, str) else given
    if not isinstance(person, dict) or not person.keys() <= {"email", "name"}:
        raise Refused(field, 'write an address, or {"email": …, "name": …}')
    email, name = person.get("email"), person.get("name")
    if not isinstance(email, str | None) or not isinstance(name, str | None):
        raise Refused(field, "email and name must each be a string or null")
    return email, name


def _translated(platform: Platform, short: Mapping[str, Any]) -> tuple[dict[str, Json], list[str]]:
    """The members that a title, a link and attendees are in the platform's shape, and those that they make void."""
    people: list[Json] = [{"email": email, "name": name} for email, name in _people(short)]
    fields = EventFields("", _text(short, "url"), _text(short, "title"), 0, 0, people, None, False, None)
    written = {"attendees": [], **compose(platform, fields, 0, 0)}
    names: list[str] = []
    void: list[str] = []
    if "title" in short:
        names += ["summary"] if platform == "google" else ["subject"]
    if "attendees" in short:
        names.append("attendees")
    if "url" in short and platform == "google":
        names += ["hangoutLink", "location"]
        # A meeting's own link is looked for before the location, which may well be a room.
        void += ["conferenceData"] if "hangoutLink" in written else ["conferenceData", "hangoutLink"]
    elif "url" in short:
        names += ["onlineMeeting", "isOnlineMeeting"]
        void.append("onlineMeetingUrl")
    if short.get("url", "") is None and platform == "google":
        void.append("location")
    if "title" in short and short["title"] is None and platform == "google":
        void.append("summary")
    return {name: written[name] for name in names if name in written}, void
