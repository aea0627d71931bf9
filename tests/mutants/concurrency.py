"""Mutants that only go wrong when two requests come at once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from mockserver.api.request import App, Receive, Scope, Send
from mockserver.app import Mock
from mockserver.domain.calendar_service import CalendarChanges, DuplicateDeduplicationKey, NewCalendar
from mockserver.domain.model import Calendar
from mockserver.domain.pagination import Cursor
from mockserver.domain.store import Project
from tests.mutants.altering import CalendarPage, ListCalendars, answer, calendar_pages, project_of, whole_body
from tests.mutants.mutant import Mutant
from tests.mutants.state import Create, Update, forgiving, on_create, on_update

_OVERLAP = 0.02
Under = Callable[[], int]
"""How many requests of the defect's method are under way."""
Around = Callable[[Project, Calendar | None, bytes, Callable[[], Awaitable[list[Any]]], Send], Awaitable[None]]
"""The project, the calendar when the request came, the body, the way to handle it, and where the answer goes."""


def overlapping(mock: Mock, method: str, around: Around | None = None) -> tuple[App, Under]:
    """A mock whose requests of one method take long enough to overlap."""
    inner = mock.asgi
    under: Counter[str] = Counter()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        project = project_of(mock, scope)
        if project is None or scope["method"] != method:
            await inner(scope, receive, send)
            return
        body, again = await whole_body(receive)
        calendar = project.state.calendars.get(scope["path"].rpartition("/")[2])

        async def handle() -> list[Any]:
            sent: list[Any] = []

            async def keep(message: Any) -> None:
                sent.append(message)

            await inner(scope, again, keep)
            return sent

        answered: list[Any] = []

        async def keep_answer(message: Any) -> None:
            answered.append(message)

        under[method] += 1
        try:
            await asyncio.sleep(_OVERLAP)
            await (around or _plain)(project, calendar, body, handle, keep_answer)
            await asyncio.sleep(_OVERLAP)
        finally:
            under[method] -= 1
        # Only now, for whoever has an answer may take the request to be over.
        for message in answered:
            await send(message)

    return app, lambda: under[method]


async def _plain(
    project: Project, calendar: Calendar | None, body: bytes, handle: Callable[[], Awaitable[list[Any]]], send: Send
) -> None:
    for message in await handle():
        await send(message)


def _both_win(mock: Mock) -> App:
    app, under = overlapping(mock, "POST")

    def create(real: Create, project: Project, fields: NewCalendar) -> Calendar:
        key = fields.get("deduplication_key")
        if under() > 1 and key is not None and key in project.state.calendar_ids:
            project.state.calendar_ids.drop(key)
        return real(project, fields)

    forgiving(mock)
    on_create(mock, create)
    return app


def _nobody_wins(mock: Mock) -> App:
    app, under = overlapping(mock, "POST")

    def create(real: Create, project: Project, fields: NewCalendar) -> Calendar:
        if under() > 1 and fields.get("deduplication_key") is not None:
            raise DuplicateDeduplicationKey
        return real(project, fields)

    on_create(mock, create)
    return app


def _lost_update(mock: Mock) -> App:
    async def around(project: Project, calendar: Calendar | None, body: bytes, handle: Any, send: Send) -> None:
        sent = await handle()
        now = project.state.calendars.get(calendar.id) if calendar else None
        if calendar is not None and now is not None and b'"metadata"' not in body:
            project.state.replace_calendar(now._replace(metadata=calendar.metadata))
        for message in sent:
            await send(message)

    return overlapping(mock, "PATCH", around)[0]


def _breaks_off(method: str) -> Callable[[Mock], App]:
    """The second of two requests at once is answered with a server error."""

    def apply(mock: Mock) -> App:
        async def around(project: Project, calendar: Calendar | None, body: bytes, handle: Any, send: Send) -> None:
            busy = under() > 1
            sent = await handle()
            if busy and sent[0]["status"] in (200, 404):
                await answer(send, 500, {"detail": "RecordModifiedError"}, sent[0]["headers"])
                return
            for message in sent:
                await send(message)

        app, under = overlapping(mock, method, around)
        return app

    return apply


def _resurrects(mock: Mock) -> App:
    async def around(project: Project, calendar: Calendar | None, body: bytes, handle: Any, send: Send) -> None:
        await asyncio.sleep(_OVERLAP)
        sent = await handle()
        if calendar is not None and calendar.id not in project.state.calendars:
            project.state.add_calendar(calendar)
        for message in sent:
            await send(message)

    return overlapping(mock, "PATCH", around)[0]


def _all_deleted_it(mock: Mock) -> App:
    async def around(project: Project, calendar: Calendar | None, body: bytes, handle: Any, send: Send) -> None:
        sent = await handle()
        if calendar is not None and calendar.id not in project.state.calendars and sent[0]["status"] == 404:
            await answer(send, 200, None, sent[0]["headers"])
            return
        for message in sent:
            await send(message)

    return overlapping(mock, "DELETE", around)[0]


def _same_time(mock: Mock) -> App:
    app, under = overlapping(mock, "PATCH")
    last: dict[str, int] = {}

    def update(real: Update, project: Project, calendar_id: str, changes: CalendarChanges) -> Calendar:
        new = real(project, calendar_id, changes)
        if under() > 1:
            new = new._replace(updated_at=last.setdefault(calendar_id, new.updated_at))
            project.state.replace_calendar(new)
        return new

    on_update(mock, update)
    return app


def _shifted_list(mock: Mock) -> App:
    """While calendars are being created, later pages begin as many rows too early."""
    app, under = overlapping(mock, "POST")

    def change(real: ListCalendars, project: Project, cursor: Cursor, key: str | None) -> CalendarPage:
        if under() and cursor.position is not None and not cursor.reverse:
            return real(project, Cursor(max(24 - under(), 0)), key)
        return real(project, cursor, key)

    calendar_pages(mock, change)
    return app


def _mutant(slug: str, defect: str, apply: Callable[[Mock], App]) -> Mutant:
    return Mutant(slug, "concurrency", defect, apply)


MUTANTS: tuple[Mutant, ...] = (
    _mutant("race-every-create-wins", "of several creates at once with one key all win", _both_win),
    _mutant("race-no-create-wins", "of several creates at once with one key none wins", _nobody_wins),
    _mutant(
        "race-patch-loses-metadata",
        "a PATCH of a credential overwrites metadata that was changed at once",
        _lost_update,
    ),
    _mutant("race-patch-crashes", "a PATCH at once with another is a server error", _breaks_off("PATCH")),
    _mutant("race-delete-crashes", "a DELETE at once with another is a server error", _breaks_off("DELETE")),
    _mutant(
        "race-patch-restores-deleted-calendar", "a PATCH brings a calendar back that was deleted at once", _resurrects
    ),
    _mutant("race-every-delete-answers-200", "several DELETEs at once are all told 200", _all_deleted_it),
    _mutant("race-changes-share-updated-at", "changes at once get the same updated_at", _same_time),
    _mutant("race-create-shifts-pages", "pages shift while calendars are being created", _shifted_list),
)
