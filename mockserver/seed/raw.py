"""An event as Google or Microsoft would have sent it, made from the fields of the event when a file leaves it out."""

from __future__ import annotations

from typing import Any

from mockserver.domain.model import CalendarEvent, Json, Micros, Platform
from mockserver.domain.timestamps import render

_DAY = 86_400_000_000


def raw_event(event: CalendarEvent, platform: Platform) -> dict[str, Json]:
    """The document of the platform; an event from midnight to midnight UTC is an all-day one."""
    all_day = event.end_time > event.start_time and event.start_time % _DAY == event.end_time % _DAY == 0
    return _google(event, all_day=all_day) if platform == "google" else _microsoft(event, all_day=all_day)


def _google(event: CalendarEvent, *, all_day: bool) -> dict[str, Json]:
    document: dict[str, Json] = {
        "kind": "calendar#event",
        "id": event.platform_uuid,
        "status": "cancelled" if event.is_deleted else "confirmed",
        "created": render(event.created_at),
        "updated": render(event.updated_at),
        "start": _google_time(event.start_time, all_day=all_day),
        "end": _google_time(event.end_time, all_day=all_day),
    }
    if event.name is not None:
        document["summary"] = event.name
    if event.ical_uid is not None:
        document["iCalUID"] = event.ical_uid
    if event.meeting_url is not None:
        document["hangoutLink" if "meet.google.com" in event.meeting_url else "location"] = event.meeting_url
    if event.attendees:
        document["attendees"] = [_google_attendee(attendee) for attendee in event.attendees]
    return document


def _google_time(instant: Micros, *, all_day: bool) -> dict[str, Json]:
    text = render(instant)
    return {"date": text[:10]} if all_day else {"dateTime": text, "timeZone": "UTC"}


def _google_attendee(attendee: Any) -> dict[str, Json]:
    document: dict[str, Json] = {"email": attendee["email"], "responseStatus": "accepted"}
    if attendee["name"] is not None:
        document["displayName"] = attendee["name"]
    return document


def _microsoft(event: CalendarEvent, *, all_day: bool) -> dict[str, Json]:
    return {
        "id": event.platform_uuid,
        "createdDateTime": render(event.created_at),
        "lastModifiedDateTime": render(event.updated_at),
        "iCalUId": event.ical_uid,
        "subject": event.name,
        "isAllDay": all_day,
        "isCancelled": event.is_deleted,
        "start": _microsoft_time(event.start_time),
        "end": _microsoft_time(event.end_time),
        "isOnlineMeeting": event.meeting_url is not None,
        "onlineMeeting": None if event.meeting_url is None else {"joinUrl": event.meeting_url},
        "attendees": [
            {"type": "required", "emailAddress": {"name": attendee["name"], "address": attendee["email"]}}
            for attendee in _people(event)
        ],
    }


def _microsoft_time(instant: Micros) -> dict[str, Json]:
    return {"dateTime": render(instant).removesuffix("Z"), "timeZone": "UTC"}


def _people(event: CalendarEvent) -> list[Any]:
    return event.attendees or []
