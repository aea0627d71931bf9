"""Calendars and calendar events as immutable records; the times in them are integer microseconds since 1970, UTC.

A record is never changed: a change makes a new record. That is why a record's identity stands for its contents, and why
whoever holds one (an index, a rendered answer, a snapshot) can keep it without a copy.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple, TypeAlias

Micros: TypeAlias = int
Platform: TypeAlias = Literal["google", "microsoft"]
State: TypeAlias = Literal["connected", "disconnected"]
Json: TypeAlias = "None | bool | int | float | str | list[Json] | dict[str, Json]"

PLATFORMS: tuple[Platform, ...] = ("google", "microsoft")
STATES: tuple[State, ...] = ("connected", "disconnected")


class Credentials(NamedTuple):
    """What the service needs to read the calendar behind a calendar; never part of an answer."""

    client_secret: str
    refresh_token: str


class Calendar(NamedTuple):
    """One connected calendar of a project. `seq` is its place in the order of creation within the project."""

    id: str
    seq: int
    platform: Platform
    client_id: str
    credentials: Credentials
    platform_uuid: str | None
    state: State
    metadata: Mapping[str, str] | None
    deduplication_key: str | None
    connection_failure_data: Mapping[str, str] | None
    created_at: Micros
    updated_at: Micros
    last_successful_sync_at: Micros | None
    last_attempted_sync_at: Micros | None


class CalendarEvent(NamedTuple):
    """One event of a calendar as the last sync wrote it. `seq` breaks ties between equal times, for good."""

    id: str
    seq: int
    calendar_id: str
    platform_uuid: str
    meeting_url: str | None
    start_time: Micros
    end_time: Micros
    is_deleted: bool
    attendees: list[Json] | None
    ical_uid: str | None
    name: str | None
    raw: Json
    bots: list[Json]
    created_at: Micros
    updated_at: Micros
