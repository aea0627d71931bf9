"""Calendars and events as the JSON objects that the service sends."""

from __future__ import annotations

from typing import Any

from mockserver.domain.model import Calendar, CalendarEvent, Micros
from mockserver.domain.timestamps import render


def _optional(instant: Micros | None) -> str | None:
    return None if instant is None else render(instant)


def calendar_document(calendar: Calendar) -> dict[str, Any]:
    """A calendar's answer; its credentials are never part of it."""
    return {
        "id": calendar.id,
        "platform": calendar.platform,
        "client_id": calendar.client_id,
        "platform_uuid": calendar.platform_uuid,
        "state": calendar.state,
        "metadata": calendar.metadata,
        "deduplication_key": calendar.deduplication_key,
        "connection_failure_data": calendar.connection_failure_data,
        "created_at": render(calendar.created_at),
        "updated_at": render(calendar.updated_at),
        "last_successful_sync_at": _optional(calendar.last_successful_sync_at),
        "last_attempted_sync_at": _optional(calendar.last_attempted_sync_at),
    }


def event_document(event: CalendarEvent) -> dict[str, Any]:
    """An event's answer."""
    return {
        "id": event.id,
        "calendar_id": event.calendar_id,
        "platform_uuid": event.platform_uuid,
        "meeting_url": event.meeting_url,
        "start_time": render(event.start_time),
        "end_time": render(event.end_time),
        "is_deleted": event.is_deleted,
        "attendees": event.attendees,
        "ical_uid": event.ical_uid,
        "name": event.name,
        "raw": event.raw,
        "bots": event.bots,
        "created_at": render(event.created_at),
        "updated_at": render(event.updated_at),
    }
