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

    def __repr__(self) -> str:
        return "Credentials(…)"


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


class Bot(NamedTuple):
    """A bot scheduled for a meeting. `event_id` is None for one that belongs to no calendar event."""

    id: str
    seq: int
    event_id: str | None
    name: str
    meeting_url: str
    join_at: Micros
    state: str
    metadata: Mapping[str, str] | None
    deduplication_key: str | None
    created_at: Micros
    updated_at: Micros


class EventFields(NamedTuple):
    """What a sync writes of a remote object into an event: these fields are replaced, every other one stays."""

    platform_uuid: str
    meeting_url: str | None
    name: str | None
    start_time: Micros
    end_time: Micros
    attendees: list[Json]
    raw: Json
    is_deleted: bool
    ical_uid: str | None


class Remote(NamedTuple):
    """An object of a Google or Microsoft calendar that differs, or once differed, from what the service knows of it."""

    calendar_id: str
    id: str
    document: Mapping[str, Json] | None
    """The object in the platform's own shape; None when it is gone, and a look-up by its id is a 404."""
    start_time: Micros | None
    """What the platform lists it by; None when it is gone, or in every list because it has no start."""
    fields: EventFields | None
    """What a sync makes of it; None when it is gone or cannot be read."""
    problem: str = ""
    """Why it cannot be read, in the service's words."""
    end_time: Micros | None = None
    """When it ends; None when it is gone, or has no end."""


class Failure(NamedTuple):
    """What is wrong with a remote calendar, by the name that it has in upstream_failures.py."""

    name: str
    for_next: int | None = None
    """How many more syncs fail; None is all of them, until it is healed."""
    seconds: int = 0
    """How long a slow one takes to answer."""


class Upstream(NamedTuple):
    """The remote calendar behind a calendar. One that is not described is derived from the calendar's events."""

    derived: bool = True
    """Whether each event that no `Remote` stands for is there, just as it was last seen."""
    failure: Failure | None = None
    refused: str | None = None
    """The fingerprint of the credential that the failure is about; another one ends it."""
    says: str | None = None
    """The failure's text, when it is not the usual one."""


class PlannedSync(NamedTuple):
    """When a calendar's last sync was enqueued, and whether it gets another one."""

    enqueued_at: Micros
    """0 when it never was."""
    calendar_id: str
    requested_at: Micros | None = None
    """Since when a changed remote calendar waits for the next full minute; None when nothing waits."""
    regular: bool = True
    """Whether it is synced daily, as connected calendars are."""
