"""Maps an event in Google's or Microsoft's shape to the fields of a calendar event."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any, cast

from mockserver.domain.iso_times import read_iso
from mockserver.domain.jsonb import as_stored
from mockserver.domain.model import EventFields, Json, Micros, Platform
from mockserver.domain.timestamps import to_micros
from mockserver.domain.url_finder import link_in

_LONGEST_TEXT = 8000
"""How many characters of a description, a summary or a body the service keeps."""


class CannotBeRead(Exception):
    """The service cannot read a remote object, and so its whole sync fails; the text is what it says then."""


def event_fields(platform: Platform, document: Mapping[str, Json]) -> EventFields:
    """The fields that a sync writes of an object of this platform.

    The object's members have the platform's types, see `check_remote`. Raises CannotBeRead when a time is missing, as
    in a cancelled Google event that has only an id (google-cancelled-without-start), and when a Microsoft event has
    null as its body and a link nowhere else.
    """
    given = cast(Mapping[str, Any], document)
    return _google(given) if platform == "google" else _microsoft(given)


def is_cancelled(platform: Platform, document: Mapping[str, Any]) -> bool:
    """Whether the platform calls the object off, rather than not having it any more."""
    return document.get("status") == "cancelled" if platform == "google" else bool(document.get("isCancelled"))


def google_time(given: Mapping[str, Any]) -> Micros:
    """The instant of a start or an end; a date alone is midnight in the event's time zone, or in UTC.

    Raises ValueError when there is no such time, LookupError when there is no such zone.
    """
    if "dateTime" not in given:
        midnight = datetime.strptime(given["date"], "%Y-%m-%d")  # noqa: DTZ007  # the zone follows
        return to_micros(midnight.replace(tzinfo=_zone(given.get("timeZone"))))
    return _instant(given["dateTime"], given.get("timeZone"))


def microsoft_time(given: Mapping[str, Any]) -> Micros:
    """The instant of a start or an end; a zone that nobody knows is UTC.

    Raises ValueError when there is no such time.
    """
    try:
        return _instant(given["dateTime"], given.get("timeZone"))
    except LookupError:
        return _instant(given["dateTime"], None)


def _instant(text: str, zone: str | None) -> Micros:
    moment = read_iso(text)
    return to_micros(moment if moment.tzinfo is not None else moment.replace(tzinfo=_zone(zone)))


def _zone(name: str | None) -> tzinfo:
    """The zone of this name, UTC without one; raises LookupError for a name that nobody knows."""
    if not name or name == "UTC":
        return UTC
    from zoneinfo import ZoneInfo  # most events never need it, and a mock should start quickly

    try:
        return ZoneInfo(name)
    except (ValueError, OSError):  # such as ../etc, and Europe, which is a folder of zones
        raise LookupError(name) from None


def _google(event: Mapping[str, Any]) -> EventFields:
    for name in ("start", "end"):
        if name not in event:
            raise CannotBeRead(repr(name))
    texts = (_video(event), event.get("hangoutLink"), event.get("location"), event.get("description"))
    return EventFields(
        platform_uuid=event["id"],
        meeting_url=_first_link(*texts, event.get("summary")),
        name=event.get("summary"),
        start_time=google_time(event["start"]),
        end_time=google_time(event["end"]),
        attendees=[
            {"name": person.get("displayName"), "email": person.get("email")} for person in event.get("attendees", [])
        ],
        raw=as_stored({**event, **_shortened(event, "description"), **_shortened(event, "summary")}),
        is_deleted=is_cancelled("google", event),
        ical_uid=event.get("iCalUID"),
    )


def _video(event: Mapping[str, Any]) -> str | None:
    """The address of the conference's first way in by video."""
    for way in event.get("conferenceData", {}).get("entryPoints", []):
        if way.get("entryPointType") == "video":
            return cast("str | None", way.get("uri"))
    return None


def _microsoft(event: Mapping[str, Any]) -> EventFields:
    body = event.get("body", {})
    online = event.get("onlineMeeting") or {}
    people = [person.get("emailAddress") or {} for person in event.get("attendees") or []]
    raw = {**event, "body": {**body, **_shortened(body, "content")}} if body else dict(event)
    link = _first_link(online.get("joinUrl"), event.get("onlineMeetingUrl"), event.get("subject"))
    if link is None:
        if body is None:  # The service asks the body for its content only when it has found no link before.
            raise CannotBeRead("'NoneType' object has no attribute 'get'")
        link = link_in(body.get("content"))
    return EventFields(
        platform_uuid=event["id"],
        meeting_url=link,
        name=event.get("subject"),
        start_time=microsoft_time(event["start"]),
        end_time=microsoft_time(event["end"]),
        attendees=[{"name": person.get("name"), "email": person.get("address")} for person in people],
        raw=as_stored(raw),
        is_deleted=is_cancelled("microsoft", event),
        ical_uid=event.get("iCalUId"),
    )


def _first_link(*texts: str | None) -> str | None:
    """The first meeting link, looked for in one text after the other."""
    return next((link for text in texts if (link := link_in(text)) is not None), None)


def _shortened(given: Mapping[str, Any], name: str) -> dict[str, str]:
    """The text of this name, when it is there, as much of it as is kept."""
    text = given.get(name)
    return {name: text[:_LONGEST_TEXT]} if text else {}
