"""Mutants that let one project reach what another has."""

from __future__ import annotations

from collections.abc import Callable

from mockserver.api.request import App
from mockserver.app import Mock
from mockserver.domain.calendar_service import DuplicateDeduplicationKey, NewCalendar
from mockserver.domain.model import Calendar
from mockserver.domain.pagination import Cursor
from mockserver.domain.queries import EventQuery
from mockserver.domain.store import Project
from tests.mutants.altering import (
    CalendarPage,
    EventPage,
    ListCalendars,
    ListEvents,
    as_owner,
    asking,
    calendar_pages,
    event_pages,
)
from tests.mutants.mutant import Mutant

Owner = Callable[[Project, EventQuery, Project], bool]
"""Whether the first project's answer to a query is looked for in the other project."""


def _events_of(wanted: Owner) -> Callable[[Mock], App]:
    def apply(mock: Mock) -> App:
        def change(real: ListEvents, project: Project, query: EventQuery, cursor: Cursor) -> EventPage:
            for other in mock.store.projects:
                if other is not project and wanted(project, query, other):
                    return real(other, query, cursor)
            return real(project, query, cursor)

        return event_pages(mock, change)

    return apply


def _by_calendar(project: Project, query: EventQuery, other: Project) -> bool:
    return query.calendar_id is not None and query.calendar_id in other.state.calendars


def _by_event(project: Project, query: EventQuery, other: Project) -> bool:
    return query.event_id is not None and query.event_id in other.state.events


def _by_key(project: Project, query: EventQuery, other: Project) -> bool:
    key = query.calendar_deduplication_key
    return key is not None and key not in project.state.calendar_ids and key in other.state.calendar_ids


def _calendars_by_key(mock: Mock) -> App:
    def change(real: ListCalendars, project: Project, cursor: Cursor, key: str | None) -> CalendarPage:
        for other in mock.store.projects:
            if key is not None and key not in project.state.calendar_ids and key in other.state.calendar_ids:
                return real(other, cursor, key)
        return real(project, cursor, key)

    return calendar_pages(mock, change)


def _calendars_of_all(mock: Mock) -> App:
    def change(real: ListCalendars, project: Project, cursor: Cursor, key: str | None) -> CalendarPage:
        page = real(project, cursor, key)
        strangers = [row for other in mock.store.projects for row in other.state.calendars if other is not project]
        rows = sorted([*page.rows, *strangers], key=lambda row: -row.created_at)[:25]
        return page._replace(rows=rows) if key is None and cursor == Cursor() else page

    return calendar_pages(mock, change)


def _cursor_of_owner(mock: Mock) -> App:
    """A cursor remembers the project that it was given to, and leads back there."""
    owners: dict[Cursor, Project] = {}

    def change(real: ListEvents, project: Project, query: EventQuery, cursor: Cursor) -> EventPage:
        page = real(owners.get(cursor, project), query, cursor)
        for link in (page.next, page.previous):
            if link is not None and link != Cursor():
                owners.setdefault(link, project)
        return page

    return event_pages(mock, change)


def _keys_of_all(mock: Mock) -> App:
    real = mock.calendar_service.create_calendar

    def create(project: Project, fields: NewCalendar) -> Calendar:
        key = fields.get("deduplication_key")
        if any(key in other.state.calendar_ids for other in mock.store.projects if key is not None):
            raise DuplicateDeduplicationKey
        return real(project, fields)

    mock.calendar_service.create_calendar = create  # type: ignore[method-assign]
    return asking(mock)


def _mutant(slug: str, defect: str, apply: Callable[[Mock], App]) -> Mutant:
    return Mutant(slug, "tenants", defect, apply)


MUTANTS: tuple[Mutant, ...] = (
    _mutant(
        "get-reads-foreign-calendar", "GET reads another project's calendar", lambda mock: as_owner(mock, ("GET",))
    ),
    _mutant(
        "delete-removes-foreign-calendar",
        "DELETE removes another project's calendar",
        lambda mock: as_owner(mock, ("DELETE",)),
    ),
    _mutant(
        "patch-changes-foreign-calendar",
        "PATCH changes another project's calendar",
        lambda mock: as_owner(mock, ("PATCH",)),
    ),
    _mutant("calendar-id-shows-foreign-events", "calendar_id shows another project's events", _events_of(_by_calendar)),
    _mutant("dedup-keys-unique-across-projects", "no two projects can use one deduplication key", _keys_of_all),
    _mutant("event-id-shows-foreign-event", "event_id shows another project's event", _events_of(_by_event)),
    _mutant(
        "dedup-key-shows-foreign-calendar", "deduplication_key shows another project's calendar", _calendars_by_key
    ),
    _mutant(
        "calendar-dedup-key-shows-foreign-events",
        "calendar_deduplication_key shows another project's events",
        _events_of(_by_key),
    ),
    _mutant("list-shows-calendars-of-all-projects", "the list of calendars shows every project's", _calendars_of_all),
    _mutant("cursor-leads-to-its-project", "a cursor leads to the project that it was given to", _cursor_of_owner),
)
