"""Mutants whose times are wrong, or that are late."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from mockserver.api.request import App, Receive, Scope, Send
from mockserver.app import Mock
from mockserver.domain.calendar_service import CalendarChanges, CalendarNotFound, NewCalendar
from mockserver.domain.model import Calendar
from mockserver.domain.pagination import Cursor
from mockserver.domain.store import Project
from mockserver.domain.timestamps import SECOND
from tests.mutants.altering import CalendarPage, ListCalendars, asking, calendar_pages
from tests.mutants.mutant import Mutant
from tests.mutants.state import Create, Update, on_create, on_update, store

_HOUR = 3600 * SECOND
Shift = Callable[[Calendar], Calendar]


def _new(shift: Shift) -> Callable[[Mock], App]:
    """New calendars with other times."""

    def create(real: Create, project: Project, fields: NewCalendar) -> Calendar:
        shifted = shift(real(project, fields))
        store(project, shifted)
        return shifted

    return lambda mock: on_create(mock, create)


def _changed(shift: Callable[[Calendar, Calendar], Calendar]) -> Callable[[Mock], App]:
    """Changed calendars with other times; before and after."""

    def update(real: Update, project: Project, calendar_id: str, changes: CalendarChanges) -> Calendar:
        old = project.state.calendars.get(calendar_id)
        new = real(project, calendar_id, changes)
        shifted = new if old is None else shift(old, new)
        project.state.replace_calendar(shifted)
        return shifted

    return lambda mock: on_update(mock, update)


def _late(reads: int) -> Callable[[Mock], App]:
    """New calendars that cannot be read at first, counted in reads: how fast the judge asks does not matter."""

    def apply(mock: Mock) -> App:
        left: dict[str, int] = {}
        real_get = mock.calendar_service.get_calendar

        def create(real: Create, project: Project, fields: NewCalendar) -> Calendar:
            calendar = real(project, fields)
            left[calendar.id] = reads
            return calendar

        def get(project: Project, calendar_id: str) -> Calendar:
            left[calendar_id] = left.get(calendar_id, 0) - 1
            if left[calendar_id] >= 0:
                raise CalendarNotFound
            return real_get(project, calendar_id)

        app = on_create(mock, create)
        mock.calendar_service.get_calendar = get  # type: ignore[method-assign]
        return app

    return apply


def _list_late(lists: int, *, keyed: bool) -> Callable[[Mock], App]:
    """New calendars that are not listed at first, or not found by their key; counted in lists, as above."""

    def apply(mock: Mock) -> App:
        asked = 0
        shown_from: dict[str, int] = {}

        def create(real: Create, project: Project, fields: NewCalendar) -> Calendar:
            calendar = real(project, fields)
            shown_from[calendar.id] = asked + lists
            return calendar

        def change(real: ListCalendars, project: Project, cursor: Cursor, key: str | None) -> CalendarPage:
            nonlocal asked
            page = real(project, cursor, key)
            if (key is not None) is not keyed:
                return page
            asked += 1
            return page._replace(rows=[row for row in page.rows if shown_from.get(row.id, 0) < asked])

        on_create(mock, create)
        return calendar_pages(mock, change)

    return apply


def _stale(*, detail: bool) -> Callable[[Mock], App]:
    """Reads that see a change only a while later: of one calendar, or of the list."""

    def apply(mock: Mock) -> App:
        before: dict[str, tuple[float, Calendar]] = {}

        def update(real: Update, project: Project, calendar_id: str, changes: CalendarChanges) -> Calendar:
            old = project.state.calendars.get(calendar_id)
            new = real(project, calendar_id, changes)
            if old is not None:
                before[calendar_id] = time.monotonic(), old
            return new

        def seen(calendar: Calendar) -> Calendar:
            since, old = before.get(calendar.id, (0.0, calendar))
            return old if time.monotonic() - since < 0.15 else calendar

        def change(real: ListCalendars, project: Project, cursor: Cursor, key: str | None) -> CalendarPage:
            page = real(project, cursor, key)
            return page._replace(rows=[seen(row) for row in page.rows])

        real_get, real_update = mock.calendar_service.get_calendar, mock.calendar_service.update_calendar
        if detail:
            mock.calendar_service.get_calendar = lambda project, name: seen(real_get(project, name))  # type: ignore[method-assign, assignment]
        else:
            calendar_pages(mock, change)

        def updated(project: Project, calendar_id: str, changes: CalendarChanges) -> Calendar:
            before.pop(calendar_id, None)
            return update(real_update, project, calendar_id, changes)

        mock.calendar_service.update_calendar = updated  # type: ignore[method-assign]
        return asking(mock)

    return apply


def _slow(mock: Mock) -> App:
    inner = mock.asgi

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("method") == "GET" and "/calendars/cal_" in scope.get("path", ""):
            await asyncio.sleep(1.2)
        await inner(scope, receive, send)

    return app


def _mutant(slug: str, defect: str, apply: Callable[[Mock], App]) -> Mutant:
    return Mutant(slug, "timing", defect, apply)


MUTANTS: tuple[Mutant, ...] = (
    _mutant(
        "patch-moves-updated-at-back",
        "updated_at goes back on PATCH",
        _changed(lambda old, new: new._replace(updated_at=old.updated_at - 1)),
    ),
    _mutant("first-reads-miss-new-calendar", "the first 3 reads of a new calendar do not find it", _late(3)),
    _mutant(
        "created-at-one-hour-ahead",
        "created_at is one hour ahead",
        _new(lambda new: new._replace(created_at=new.created_at + _HOUR)),
    ),
    _mutant(
        "patched-updated-at-two-hours-ahead",
        "updated_at of a change is two hours ahead",
        _changed(lambda old, new: new._replace(updated_at=new.updated_at + 2 * _HOUR)),
    ),
    _mutant(
        "next-lists-miss-new-calendar", "a new calendar is missing in the next 30 lists", _list_late(30, keyed=False)
    ),
    _mutant(
        "next-searches-miss-new-calendar",
        "a new calendar is not found in the next 30 searches by key",
        _list_late(30, keyed=True),
    ),
    _mutant("get-takes-1200-ms", "GET of a calendar takes 1.2 s", _slow),
    _mutant("get-shows-changes-late", "GET of a calendar shows changes 150 ms late", _stale(detail=True)),
    _mutant("list-shows-changes-late", "the list shows changes 150 ms late", _stale(detail=False)),
    _mutant(
        "patched-updated-at-in-whole-seconds",
        "updated_at of changes has whole seconds only",
        _changed(lambda old, new: new._replace(updated_at=new.updated_at // SECOND * SECOND)),
    ),
    _mutant(
        "new-updated-at-before-created-at",
        "updated_at of a new calendar is before its created_at",
        _new(lambda new: new._replace(updated_at=new.created_at - 5)),
    ),
)
