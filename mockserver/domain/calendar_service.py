"""What an API key can do to calendars and events: create, get, list, update and delete them."""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter
from typing import Protocol, TypedDict

from mockserver.domain.jsonb import as_stored
from mockserver.domain.model import Calendar, CalendarEvent, Credentials, Platform
from mockserver.domain.pagination import Cursor, Listing, Page, paginate
from mockserver.domain.postgres_limits import check_storable
from mockserver.domain.queries import EventQuery, event_listing
from mockserver.domain.store import Listed, Project, State, new_id, write_time

CALENDARS_A_PAGE = 25
EVENTS_A_PAGE = 100
_created_at = attrgetter("created_at")


class CalendarNotFound(Exception):
    """The project has no calendar of this id."""


class DuplicateDeduplicationKey(Exception):
    """Another calendar of the project has the deduplication key."""


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


class Watcher(Protocol):
    """Called after calendars are written; SyncScheduler is one."""

    def calendar_created(self, project: Project, calendar: Calendar) -> None:
        """There is a new calendar."""
        ...

    def calendar_changed(self, project: Project, calendar: Calendar) -> None:
        """An update was accepted, with whatever was in it."""
        ...

    def calendar_deleted(self, project: Project, calendar: Calendar) -> None:
        """The calendar is no more."""
        ...


class CalendarService:
    """The rules of the service, over the project that it is given. Every method is one atomic step."""

    def __init__(self, *, longest: Mapping[str, int], watcher: Watcher | None = None) -> None:
        """`longest` holds the most characters of a field that the service's database takes, by the field's name."""
        self._longest = longest
        self._watcher = watcher

    def create_calendar(self, project: Project, fields: NewCalendar) -> Calendar:
        """A new calendar, connected, first of the list.

        Raises DuplicateDeduplicationKey and NotStorable; either leaves nothing behind.
        """
        state = project.state
        # What does not fit is refused before a key that is taken (create-unholdable-and-taken).
        check_storable(fields, self._longest, project.random)
        key = fields.get("deduplication_key")
        if key is not None and key in state.calendar_ids:
            raise DuplicateDeduplicationKey
        calendar_id = new_id("cal", project.random)
        while calendar_id in state.calendars:
            calendar_id = new_id("cal", project.random)
        created_at = write_time(project)
        calendar = Calendar(
            id=calendar_id,
            seq=state.take_seq(),
            platform=fields["platform"],
            client_id=fields["client_id"],
            credentials=Credentials(fields["client_secret"], fields["refresh_token"]),
            platform_uuid=fields.get("platform_uuid"),
            state="connected",
            metadata=as_stored(fields.get("metadata")),
            deduplication_key=key,
            connection_failure_data=None,
            created_at=created_at,
            # The service writes a new calendar twice: updated_at is always later (create-minimal).
            updated_at=write_time(project),
            last_successful_sync_at=None,
            last_attempted_sync_at=None,
        )
        state.add_calendar(calendar)
        if self._watcher is not None:
            self._watcher.calendar_created(project, calendar)
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
        check_storable(changes, self._longest, project.random)
        if "client_secret" in changes or "refresh_token" in changes:
            old = calendar.credentials
            calendar = calendar._replace(
                credentials=Credentials(
                    changes.get("client_secret", old.client_secret), changes.get("refresh_token", old.refresh_token)
                )
            )
        metadata = as_stored(changes["metadata"]) if "metadata" in changes else calendar.metadata
        updated_at = write_time(project, calendar.updated_at)
        calendar = calendar._replace(metadata=metadata, updated_at=updated_at)
        project.state.replace_calendar(calendar)
        if self._watcher is not None:
            self._watcher.calendar_changed(project, calendar)
        return calendar

    def delete_calendar(self, project: Project, calendar_id: str) -> None:
        """Takes the calendar, its events and their scheduled bots away; its deduplication key is free again.

        Raises CalendarNotFound.
        """
        calendar = self.get_calendar(project, calendar_id)
        project.state.drop_calendar(calendar)
        if self._watcher is not None:
            self._watcher.calendar_deleted(project, calendar)

    def list_calendars(self, project: Project, cursor: Cursor, deduplication_key: str | None) -> Page[Calendar]:
        """A page of the project's calendars, newest first; with a key, the one that has it or none."""
        state = project.state
        index = state.listed
        if deduplication_key is not None:
            index = index.of(_found(state, deduplication_key))
        page = paginate(Listing(index, _created_at, ascending=False), cursor, CALENDARS_A_PAGE)
        return Page(state.calendars.pick([row.id for row in page.rows]), page.next, page.previous)

    def list_events(self, project: Project, query: EventQuery, cursor: Cursor) -> Page[CalendarEvent]:
        """A page of the project's events, deleted ones included, as the query says."""
        return paginate(event_listing(project.state, query, EVENTS_A_PAGE), cursor, EVENTS_A_PAGE)


def _found(state: State, deduplication_key: str) -> list[Listed]:
    """The place in the list of the calendar with this key, if there is one."""
    calendar_id = state.calendar_ids.get(deduplication_key)
    calendar = state.calendars.get(calendar_id) if calendar_id is not None else None
    return [] if calendar is None else [Listed(calendar.created_at, calendar.seq, calendar.id)]
