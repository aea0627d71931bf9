"""Calendars and events as the JSON objects that the service sends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mockserver.domain.model import Calendar, CalendarEvent, Micros
from mockserver.domain.timestamps import render

Write = Callable[[Micros], str]
CALENDAR_CHANGES = ("metadata", "updated_at", "last_successful_sync_at", "last_attempted_sync_at")
"""What updates and syncs change of a calendar all the time, in the order of its response."""


def calendar_document(calendar: Calendar, write: Write = render) -> dict[str, Any]:
    """A calendar's answer; its credentials are never part of it. `write` gives an instant's text."""
    synced, attempted = calendar.last_successful_sync_at, calendar.last_attempted_sync_at
    return {
        "id": calendar.id,
        "platform": calendar.platform,
        "client_id": calendar.client_id,
        "platform_uuid": calendar.platform_uuid,
        "state": calendar.state,
        "metadata": calendar.metadata,
        "deduplication_key": calendar.deduplication_key,
        "connection_failure_data": calendar.connection_failure_data,
        "created_at": write(calendar.created_at),
        "updated_at": write(calendar.updated_at),
        "last_successful_sync_at": None if synced is None else write(synced),
        "last_attempted_sync_at": None if attempted is None else write(attempted),
    }


def calendar_changes(calendar: Calendar, write: Write = render) -> dict[str, Any]:
    """What of a calendar's answer changes all the time: CALENDAR_CHANGES, as in `calendar_document`."""
    synced, attempted = calendar.last_successful_sync_at, calendar.last_attempted_sync_at
    return {
        "metadata": calendar.metadata,
        # Nearly always a time that was never written before.
        "updated_at": render(calendar.updated_at),
        "last_successful_sync_at": None if synced is None else write(synced),
        "last_attempted_sync_at": None if attempted is None else write(attempted),
    }


def event_document(event: CalendarEvent, write: Write = render) -> dict[str, Any]:
    """An event's answer. `write` gives an instant's text."""
    return {
        "id": event.id,
        "calendar_id": event.calendar_id,
        "platform_uuid": event.platform_uuid,
        "meeting_url": event.meeting_url,
        "start_time": write(event.start_time),
        "end_time": write(event.end_time),
        "is_deleted": event.is_deleted,
        "attendees": event.attendees,
        "ical_uid": event.ical_uid,
        "name": event.name,
        "raw": event.raw,
        "bots": event.bots,
        "created_at": write(event.created_at),
        "updated_at": write(event.updated_at),
    }
