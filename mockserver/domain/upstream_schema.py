"""Validates events in Google's and Microsoft's shapes, and builds them from a few fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from mockserver.domain.jsonb import unstorable
from mockserver.domain.model import EventFields, Json, Micros, Platform
from mockserver.domain.timestamps import render
from mockserver.domain.upstream_mapping import google_time, is_cancelled, microsoft_time

_DAY = 86_400_000_000
_YEARS_1_TO_9999 = range(-62_135_596_800_000_000, 253_402_300_800_000_000)
_LONGEST_ID = 1024


class BadInput(Exception):
    """An edit of an upstream, or a failure, that cannot be applied."""

    def __init__(self, field: str, problem: str, fix: str) -> None:
        """`field` is where the problem is, e.g. event.start.dateTime; `fix` is what to do about it."""
        super().__init__(f"{field}: {problem}; {fix}")
        self.field, self.problem, self.fix = field, problem, fix


class _Kind(NamedTuple):
    """A kind of member: whether its value is one, and how that is said."""

    types: tuple[type, ...]
    words: str
    nullable: bool = False

    def check(self, value: object, field: str) -> None:
        """Raises BadInput for a value of another kind."""
        if not (isinstance(value, self.types) or (self.nullable and value is None)):
            words = f"must be {self.words}{' or null' if self.nullable else ''}"
            raise BadInput(field, words, "write it as the platform does")


_TEXT, _TEXT_OR_NULL, _FLAG = _Kind((str,), "text"), _Kind((str,), "text", nullable=True), _Kind((bool,), "a boolean")
_OBJECT, _OBJECT_OR_NULL = _Kind((dict,), "an object"), _Kind((dict,), "an object", nullable=True)
_LIST, _LIST_OR_NULL = _Kind((list,), "a list"), _Kind((list,), "a list", nullable=True)

_GOOGLE = {
    "status": _TEXT,
    "summary": _TEXT_OR_NULL,
    "description": _TEXT_OR_NULL,
    "location": _TEXT_OR_NULL,
    "hangoutLink": _TEXT_OR_NULL,
    "iCalUID": _TEXT_OR_NULL,
    "conferenceData": _OBJECT,
    "conferenceData.entryPoints": _LIST,
    "conferenceData.entryPoints[]": _OBJECT,
    "conferenceData.entryPoints[].entryPointType": _TEXT_OR_NULL,
    "conferenceData.entryPoints[].uri": _TEXT_OR_NULL,
    "attendees": _LIST,
    "attendees[]": _OBJECT,
    "attendees[].email": _TEXT_OR_NULL,
    "attendees[].displayName": _TEXT_OR_NULL,
}
_MICROSOFT = {
    "subject": _TEXT_OR_NULL,
    "iCalUId": _TEXT_OR_NULL,
    "isCancelled": _FLAG,
    "onlineMeeting": _OBJECT_OR_NULL,
    "onlineMeeting.joinUrl": _TEXT_OR_NULL,
    "onlineMeetingUrl": _TEXT_OR_NULL,
    "body": _OBJECT_OR_NULL,
    "body.content": _TEXT_OR_NULL,
    "attendees": _LIST_OR_NULL,
    "attendees[]": _OBJECT,
    "attendees[].emailAddress": _OBJECT_OR_NULL,
    "attendees[].emailAddress.name": _TEXT_OR_NULL,
    "attendees[].emailAddress.address": _TEXT_OR_NULL,
}
_RULES = {"google": _GOOGLE, "microsoft": _MICROSOFT}


def check_remote(platform: Platform, document: Any, field: str = "event") -> None:
    """Sees to it that a document is an event as the platform would list it; every member it does not know may be there.

    Raises BadInput, whose field begins with `field`.
    """
    if not isinstance(document, dict):
        raise BadInput(field, "must be an object", f"write an event as {platform.capitalize()} does")
    problem = unstorable(document, field)
    if problem is not None:
        raise BadInput(*problem, "the service's database cannot hold it: leave it out")
    name = document.get("id")
    if not isinstance(name, str) or not 0 < len(name) <= _LONGEST_ID:
        raise BadInput(f"{field}.id", f"must be text of 1 to {_LONGEST_ID} characters", "give every event an id")
    if document.get("recurrence"):
        raise BadInput(
            f"{field}.recurrence",
            "a series is never listed, only its instances",
            f"add each instance, with {'recurringEventId' if platform == 'google' else 'seriesMasterId'}",
        )
    for path, kind in _RULES[platform].items():
        for place, value in _at(document, path, field):
            kind.check(value, place)
    _check_times(platform, document, field)


def _at(document: Any, path: str, field: str) -> list[tuple[str, Any]]:
    """The values at a path, each with its place; those that are not there are left out."""
    found = [(field, document)]
    for part in path.split("."):
        name = part.removesuffix("[]")
        inner = [(f"{at}.{name}", value[name]) for at, value in found if isinstance(value, dict) and name in value]
        if part.endswith("[]"):
            lists = [(at, value) for at, value in inner if isinstance(value, list)]
            inner = [(f"{at}[{number}]", item) for at, value in lists for number, item in enumerate(value)]
        found = inner
    return found


def _check_times(platform: Platform, document: Mapping[str, Any], field: str) -> None:
    read = google_time if platform == "google" else microsoft_time
    times = []
    for name in ("start", "end"):
        if name not in document and platform == "google" and is_cancelled(platform, document):
            return  # Google lists a cancelled instance with little more than its id (google-cancelled-without-start)
        given, place = document.get(name), f"{field}.{name}"
        fix = 'write {"dateTime": "2026-05-01T09:00:00Z"}' + (' or {"date": "2026-05-01"}' * (platform == "google"))
        if not isinstance(given, dict) or not isinstance(given.get("timeZone", ""), str | None):
            raise BadInput(place, "must be an object with a time", fix)
        text = given.get("dateTime", given.get("date") if platform == "google" else None)
        if not isinstance(text, str):
            raise BadInput(f"{place}.dateTime", "is missing or not text", fix)
        try:
            times.append(read(given))
        except (ValueError, LookupError, OverflowError):
            raise BadInput(place, "is not a time, or its time zone is unknown", fix) from None
    check_span(*times, start=f"{field}.start", end=f"{field}.end")


def check_span(start_time: Micros, end_time: Micros, *, start: str = "start_time", end: str = "end_time") -> None:
    """Sees to it that an event can be at this time; raises BadInput about the field `start` or `end`."""
    for field, instant in ((start, start_time), (end, end_time)):
        if instant not in _YEARS_1_TO_9999:
            raise BadInput(field, "must be within the years 1 to 9999", "give another time")
    if end_time < start_time:
        raise BadInput(end, "must not be before the start", "set it to a later time")


def compose(platform: Platform, fields: EventFields, created_at: Micros, updated_at: Micros) -> dict[str, Json]:
    """An event in the platform's shape that has these fields; from midnight to midnight UTC it is an all-day one."""
    if platform == "google":
        return _google(fields, created_at, updated_at)
    return _microsoft(fields, created_at, updated_at)


def time_of(platform: Platform, instant: Micros, *, all_day: bool) -> dict[str, Json]:
    """An instant as the platform writes a start or an end."""
    text = render(instant)
    if platform == "microsoft":
        return {"dateTime": text.removesuffix("Z"), "timeZone": "UTC"}
    return {"date": text[:10]} if all_day else {"dateTime": text, "timeZone": "UTC"}


def is_whole_days(start: Micros, end: Micros) -> bool:
    """Whether a time goes from one midnight UTC to another."""
    return end > start and start % _DAY == end % _DAY == 0


def _google(fields: EventFields, created_at: Micros, updated_at: Micros) -> dict[str, Json]:
    all_day = is_whole_days(fields.start_time, fields.end_time)
    document: dict[str, Json] = {
        "kind": "calendar#event",
        "id": fields.platform_uuid,
        "status": "cancelled" if fields.is_deleted else "confirmed",
        "created": render(created_at),
        "updated": render(updated_at),
        "start": time_of("google", fields.start_time, all_day=all_day),
        "end": time_of("google", fields.end_time, all_day=all_day),
    }
    if fields.name is not None:
        document["summary"] = fields.name
    if fields.ical_uid is not None:
        document["iCalUID"] = fields.ical_uid
    if fields.meeting_url is not None:
        document["hangoutLink" if "meet.google.com" in fields.meeting_url else "location"] = fields.meeting_url
    if fields.attendees:
        document["attendees"] = [_google_attendee(attendee) for attendee in fields.attendees]
    return document


def _google_attendee(attendee: Any) -> dict[str, Json]:
    document: dict[str, Json] = {"responseStatus": "accepted"}
    if attendee["email"] is not None:
        document = {"email": attendee["email"], **document}
    if attendee["name"] is not None:
        document["displayName"] = attendee["name"]
    return document


def _microsoft(fields: EventFields, created_at: Micros, updated_at: Micros) -> dict[str, Json]:
    all_day = is_whole_days(fields.start_time, fields.end_time)
    people: list[Any] = list(fields.attendees)
    return {
        "id": fields.platform_uuid,
        "createdDateTime": render(created_at),
        "lastModifiedDateTime": render(updated_at),
        "iCalUId": fields.ical_uid,
        "subject": fields.name,
        "isAllDay": all_day,
        "isCancelled": fields.is_deleted,
        "start": time_of("microsoft", fields.start_time, all_day=all_day),
        "end": time_of("microsoft", fields.end_time, all_day=all_day),
        "isOnlineMeeting": fields.meeting_url is not None,
        "onlineMeeting": None if fields.meeting_url is None else {"joinUrl": fields.meeting_url},
        "attendees": [
            {"type": "required", "emailAddress": {"name": person["name"], "address": person["email"]}}
            for person in people
        ],
    }
