"""Everything that the holder of an API key can do to calendars and events."""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter
from random import Random
from typing import TypedDict
from uuid import UUID

from mockserver.domain.clock import Clock
from mockserver.domain.model import Calendar, CalendarEvent, Credentials, Micros, Platform
from mockserver.domain.pagination import Cursor, Listing, Page, paginate
from mockserver.domain.queries import EventQuery, event_listing
from mockserver.domain.store import Listed, Project, State, new_id

CALENDARS_A_PAGE = 25
EVENTS_A_PAGE = 100


class CalendarNotFound(Exception):
    """The project has no calendar of this id."""


class DuplicateDeduplicationKey(Exception):
    """Another calendar of the project has the deduplication key."""


class NotStorable(Exception):
    """The service's database cannot hold a value: too long, or with a NUL or a lone surrogate in the metadata."""

    def __init__(self, error_id: UUID, reason: str) -> None:
        super().__init__(reason)
        self.error_id = error_id
        self.reason = reason


class NewCalendar(TypedDict, total=False):
    """The fields of a create request after validation: stripped, and with all that are required."""

    platform: Platform
    client_id: str
    client_secret: str
    refresh_token: str
    platform_uuid: str
    metadata: Mapping[str, str] | None
    deduplication_key: str


class CalendarChanges(TypedDict, total=False):
    """The fields of an update request after validation; what is not there stays as it is."""

    client_secret: str
    refresh_token: str
    metadata: Mapping[str, str] | None


class Service:
    """The rules of the service, over the project that it is given. Every method is one atomic step."""

    def __init__(self, clock: Clock, random: Random, *, longest: Mapping[str, int]) -> None:
        """`longest` holds the most characters of a field that the service's database takes, by the field's name."""
        self._clock = clock
        self._random = random
        self._longest = longest

    def create_calendar(self, project: Project, fields: NewCalendar) -> Calendar:
        """A new calendar, connected, first of the list.

        Raises DuplicateDeduplicationKey and NotStorable; either leaves nothing behind.
        """
        state = project.state
        key = fields.get("deduplication_key")
        if key is not None and key in state.calendar_ids:
            raise DuplicateDeduplicationKey
        self._check_storable(fields)
        calendar_id = new_id("cal", self._random)
        while calendar_id in state.calendars:
            calendar_id = new_id("cal", self._random)
        created_at = self._write_time(state)
        calendar = Calendar(
            id=calendar_id,
            seq=state.take_seq(),
            platform=fields["platform"],
            client_id=fields["client_id"],
            credentials=Credentials(fields["client_secret"], fields["refresh_token"]),
            platform_uuid=fields.get("platform_uuid"),
            state="connected",
            metadata=_as_stored(fields.get("metadata")),
            deduplication_key=key,
            connection_failure_data=None,
            created_at=created_at,
            # The service writes a new calendar twice: updated_at is always later (create-minimal).
            updated_at=self._write_time(state),
            last_successful_sync_at=None,
            last_attempted_sync_at=None,
        )
        state.add_calendar(calendar)
        return calendar

    def get_calendar(self, project: Project, calendar_id: str) -> Calendar:
        """The calendar of this id.

        Raises CalendarNotFound, also when another project has it.
        """
        calendar = project.state.calendars.get(calendar_id)
        if calendar is None:
            raise CalendarNotFound
        return calendar

    def update_calendar(self, project: Project, calendar_id: str, changes: CalendarChanges) -> Calendar:
        """The calendar with the changes made; updated_at moves even when there are none (patch-updated-at).

        Raises CalendarNotFound and NotStorable.
        """
        calendar = self.get_calendar(project, calendar_id)
        self._check_storable(changes)
        if "client_secret" in changes or "refresh_token" in changes:
            old = calendar.credentials
            calendar = calendar._replace(
                credentials=Credentials(
                    changes.get("client_secret", old.client_secret), changes.get("refresh_token", old.refresh_token)
                )
            )
        metadata = _as_stored(changes["metadata"]) if "metadata" in changes else calendar.metadata
        updated_at = max(self._write_time(project.state), calendar.updated_at + 1)
        calendar = calendar._replace(metadata=metadata, updated_at=updated_at)
        project.state.replace_calendar(calendar)
        return calendar

    def delete_calendar(self, project: Project, calendar_id: str) -> None:
        """Takes the calendar and its events away; its deduplication key is free again.

        Raises CalendarNotFound.
        """
        project.state.drop_calendar(self.get_calendar(project, calendar_id))

    def list_calendars(self, project: Project, cursor: Cursor, deduplication_key: str | None) -> Page[Calendar]:
        """A page of the project's calendars, newest first; with a key, the one that has it or none."""
        state = project.state
        index = state.listed
        if deduplication_key is not None:
            index = index.of(_found(state, deduplication_key))
        page = paginate(Listing(index, attrgetter("created_at"), ascending=False), cursor, CALENDARS_A_PAGE)
        rows = [calendar for row in page.rows if (calendar := state.calendars.get(row.id)) is not None]
        return Page(rows, page.next, page.previous)

    def list_events(self, project: Project, query: EventQuery, cursor: Cursor) -> Page[CalendarEvent]:
        """A page of the project's events, deleted ones included, as the query says."""
        return paginate(event_listing(project.state, query, EVENTS_A_PAGE), cursor, EVENTS_A_PAGE)

    def _write_time(self, state: State) -> Micros:
        """Now, and never the same instant twice in one project."""
        state.last_write = max(self._clock.now(), state.last_write + 1)
        return state.last_write

    def _check_storable(self, fields: NewCalendar | CalendarChanges) -> None:
        """Raises NotStorable for what passes every rule of a field and still does not fit the service's database."""
        reason = None
        for name, longest in self._longest.items():
            value = fields.get(name)
            if isinstance(value, str) and len(value) > longest:
                reason = f"{name} is longer than {longest} characters"
        metadata = fields.get("metadata")
        if metadata is not None:
            text = "".join([*metadata, *metadata.values()])
            if "\0" in text or not _is_unicode(text):
                reason = "metadata holds a NUL or a lone surrogate"
        if reason is not None:
            raise NotStorable(UUID(int=self._random.getrandbits(128), version=4), reason)


def _is_unicode(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def _as_stored(metadata: Mapping[str, str] | None) -> Mapping[str, str] | None:
    """Metadata in the order in which the service's database gives it back: shorter names first, then bytewise."""
    if metadata is None or len(metadata) < 2:
        return metadata
    names = sorted(metadata, key=lambda name: (len(encoded := name.encode()), encoded))
    return {name: metadata[name] for name in names}


def _found(state: State, deduplication_key: str) -> list[Listed]:
    """The place in the list of the calendar with this key, if there is one."""
    calendar_id = state.calendar_ids.get(deduplication_key)
    calendar = state.calendars.get(calendar_id) if calendar_id is not None else None
    return [] if calendar is None else [Listed(calendar.created_at, calendar.seq, calendar.id)]
