"""Mutants of the lists of calendars and events, unknown to the judge's author; above each what openapi.yaml says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from operator import attrgetter
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode

from mockserver.api.request import App, Receive, Scope, Send
from mockserver.app import Mock
from mockserver.domain.model import CalendarEvent
from mockserver.domain.pagination import Cursor, Listing, Page, paginate
from mockserver.domain.queries import EventQuery, event_listing
from mockserver.domain.store import Project
from mockserver.domain.timestamps import SECOND, parse
from tests.mutants.altering import (
    CalendarPage,
    EventPage,
    ListCalendars,
    ListEvents,
    asked,
    calendar_pages,
    event_pages,
    events,
)
from tests.mutants.mutant import Mutant
from tests.mutants.wrapped import EVENTS, LIST, Call, Reply, after, crash, documents, refused_cursor

_TIMES = ("updated_at_gte", "start_time_gte", "end_time_lte")
_ids: ContextVar[list[str]] = ContextVar("_ids")


# --- pages and the links between them ---


def _links(change: Callable[[str], str]) -> Callable[[Mock], App]:
    """Links with another query."""

    def changed(call: Call, reply: Reply) -> Reply | None:
        if not call.is_on(LIST, EVENTS, methods="GET") or reply.status != 200 or not reply.body.startswith(b"{"):
            return None
        body = reply.json
        for name in ("next", "previous"):
            if body[name] is not None:
                address, _, query = body[name].partition("?")
                body[name] = f"{address}?{change(query)}"
        return reply.write(body)

    return after(changed)


def _without_empty(query: str) -> str:
    return urlencode(parse_qsl(query))


def _bare_plus(query: str) -> str:
    pairs = query.split("&")
    return "&".join(pair if pair.startswith("cursor=") else pair.replace("%2B", "+") for pair in pairs)


def _full_goes_on(real: ListEvents, project: Project, query: EventQuery, cursor: Cursor) -> EventPage:
    page = real(project, query, cursor)
    if page.next is not None or cursor.reverse or len(page.rows) < 100:
        return page
    return page._replace(next=Cursor(0, False, getattr(page.rows[-1], query.order)))


def _more_before_first(real: ListCalendars, project: Project, cursor: Cursor, key: str | None) -> CalendarPage:
    page = real(project, cursor, key)
    if page.previous is not None or not cursor.reverse or not page.rows:
        return page
    return page._replace(previous=Cursor(0, True, page.rows[0].created_at))


def _no_way_forth(real: ListEvents, project: Project, query: EventQuery, cursor: Cursor) -> EventPage:
    page = real(project, query, cursor)
    return page._replace(next=None) if cursor.reverse else page


def _whole_seconds(real: ListCalendars, project: Project, cursor: Cursor, key: str | None) -> CalendarPage:
    if cursor.position is not None:
        cursor = cursor._replace(position=cursor.position // SECOND * SECOND)
    return real(project, cursor, key)


# --- filters and orders ---


def _relisted(project: Project, query: EventQuery, rows: Iterable[CalendarEvent], cursor: Cursor) -> EventPage:
    """The page of these events, whichever they are."""
    index = project.state.events_by[query.order].of(rows)
    return paginate(Listing(index, attrgetter(query.order), ascending=query.ascending), cursor, 100)


def _either_calendar(mock: Mock) -> App:
    def change(real: ListEvents, project: Project, query: EventQuery, cursor: Cursor) -> EventPage:
        names = _ids.get()
        if len(names) < 2:
            return real(project, query, cursor)
        found = event_listing(project.state, query._replace(calendar_id=None), 100).walk(Cursor())
        return _relisted(project, query, [event for event in found if event.calendar_id in names], cursor)

    inner = event_pages(mock, change)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        _ids.set(parse_qs(scope.get("query_string", b"").decode("latin-1")).get("calendar_id", []))
        await inner(scope, receive, send)

    return app


def _calendars_ordered(real: ListCalendars, project: Project, cursor: Cursor, key: str | None) -> CalendarPage:
    if asked().get("ordering") != "created_at" or key is not None:
        return real(project, cursor, key)
    state = project.state
    page = paginate(Listing(state.listed, attrgetter("created_at"), ascending=True), cursor, 25)
    return Page(state.calendars.pick([row.id for row in page.rows]), page.next, page.previous)


def _deleted_hidden(real: ListEvents, project: Project, query: EventQuery, cursor: Cursor) -> EventPage:
    if query.calendar_deduplication_key is None:
        return real(project, query, cursor)
    found = event_listing(project.state, query, 100).walk(Cursor())
    return _relisted(project, query, [event for event in found if not event.is_deleted], cursor)


def _key_wins(query: EventQuery, project: Project) -> EventQuery:
    return query if query.calendar_deduplication_key is None else query._replace(calendar_id=None)


def _overlapping(real: ListEvents, project: Project, query: EventQuery, cursor: Cursor) -> EventPage:
    start, end = query.start_time_gte, query.end_time_lte
    if start is None or end is None:
        return real(project, query, cursor)
    wider = query._replace(start_time_gte=None, end_time_lte=None)
    found = event_listing(project.state, wider, 100).walk(Cursor())
    return _relisted(project, query, [e for e in found if e.end_time >= start and e.start_time <= end], cursor)


def _minutes_added(query: EventQuery, project: Project) -> EventQuery:
    """Of an offset -HH:MM only the hours are negative."""
    wrong: dict[str, Any] = {}
    for name in _TIMES:
        offset = re.search(r"T.*-\d\d:(\d\d)$", asked().get(name, ""))
        at = getattr(query, name)
        if offset and at is not None:
            wrong[name] = at - 2 * int(offset[1]) * 60 * SECOND
    return query._replace(**wrong)


def _empty_counts(query: EventQuery, project: Project) -> EventQuery:
    return query._replace(updated_at_gte=None) if asked().get("updated_at_gte") == "" else query


def _first_project_only(mock: Mock) -> App:
    def change(query: EventQuery, project: Project) -> EventQuery:
        key = query.calendar_deduplication_key
        first = next((p for p in mock.store.projects if key is not None and key in p.state.calendar_ids), project)
        return query if first is project else query._replace(calendar_deduplication_key="")

    return events(mock, change)


def _freed_key_forgotten(mock: Mock) -> App:
    freed: set[tuple[str, str]] = set()
    real = mock.calendar_service.delete_calendar

    def delete(project: Project, calendar_id: str) -> None:
        key = mock.calendar_service.get_calendar(project, calendar_id).deduplication_key
        real(project, calendar_id)
        if key is not None:
            freed.add((project.name, key))

    def change(listed: ListCalendars, project: Project, cursor: Cursor, key: str | None) -> CalendarPage:
        page = listed(project, cursor, key)
        return Page([], None, None) if key is not None and (project.name, key) in freed else page

    mock.calendar_service.delete_calendar = delete  # type: ignore[method-assign]
    return calendar_pages(mock, change)


# --- errors and crashes ---


def _old_end_time_crashes(call: Call, reply: Reply) -> Reply | None:
    at = parse(call.parameters.get("end_time_lte", "")) if call.is_on(EVENTS, methods="GET") else None
    return crash() if reply.status == 200 and at is not None and at < 0 else None


def _cursor_before_ordering(call: Call, reply: Reply) -> Reply | None:
    if not call.is_on(EVENTS, methods="GET") or reply.status != 400 or b"Invalid ordering" not in reply.body:
        return None
    return refused_cursor(call, reply)


def _morning_for_evening(call: Call, reply: Reply) -> None:
    if call.is_on(EVENTS) and reply.status == 400 and b"end_time_lte" in reply.body:
        reply.body = reply.body.replace(b"T18:00:00Z", b"T10:30:00Z")


# --- what is shown ---


def _nameless_attendees(event: dict[str, Any]) -> None:
    for attendee in event.get("attendees") or []:
        if attendee["name"] is None:
            del attendee["name"]


MUTANTS: tuple[Mutant, ...] = (
    # By "`next` and `previous` are complete URLs that keep every parameter of the request"
    Mutant("held-links-drop-empty-parameters", "pagination", "links drop empty parameters", _links(_without_empty)),
    # By "keep every parameter of the request; follow them as they are"
    Mutant(
        "held-links-write-bare-plus",
        "pagination",
        "links write a plus in a parameter unescaped, such as that of a UTC offset",
        _links(_bare_plus),
    ),
    # By "`next` is null on the last page"
    Mutant(
        "held-full-last-page-has-next",
        "pagination",
        "a last page of exactly 100 events has a next link",
        lambda mock: event_pages(mock, _full_goes_on),
    ),
    # By "`next` is null on the last page, `previous` on the first."
    Mutant(
        "held-first-page-reached-back-has-previous",
        "pagination",
        "the first page of calendars has a previous link when it is reached from the second",
        lambda mock: calendar_pages(mock, _more_before_first),
    ),
    # By "`next` is null on the last page"; it is null on others too
    Mutant(
        "held-next-null-on-way-back",
        "pagination",
        "pages of events have no next link on the way back",
        lambda mock: event_pages(mock, _no_way_forth),
    ),
    # By "Lists the project's calendars, the newest first, 25 on a page": some are on none
    Mutant(
        "held-cursor-cut-to-seconds",
        "pagination",
        "cursors of calendars are read in whole seconds",
        lambda mock: calendar_pages(mock, _whole_seconds),
    ),
    # By "When a parameter is given twice, the last one counts."
    Mutant(
        "held-repeated-calendar-id-matches-either",
        "filters",
        "of several calendar_id each matches",
        _either_calendar,
    ),
    # By "It ignores query parameters that this document does not list."
    Mutant(
        "held-calendars-obey-ordering",
        "filters",
        "the list of calendars obeys ordering=created_at",
        lambda mock: calendar_pages(mock, _calendars_ordered),
    ),
    # By "Lists the events of all calendars of the project, 100 on a page, deleted events included."
    Mutant(
        "held-deleted-events-hidden-by-calendar-key",
        "filters",
        "deleted events are hidden when calendar_deduplication_key is given",
        lambda mock: event_pages(mock, _deleted_hidden),
    ),
    # By "An event is listed when it matches every filter."
    Mutant(
        "held-calendar-key-wins-over-calendar-id",
        "filters",
        "calendar_id is ignored beside calendar_deduplication_key",
        lambda mock: events(mock, _key_wins),
    ),
    # By "Only events that start at this time or later." "Only events that end at this time or earlier."
    Mutant(
        "held-time-window-lists-overlapping",
        "filters",
        "start_time_gte with end_time_lte lists every event that overlaps",
        lambda mock: event_pages(mock, _overlapping),
    ),
    # By "Only events updated at this time or later." The time is a date-time of RFC 3339.
    Mutant(
        "held-negative-offset-minutes-added",
        "filters",
        "the minutes of a negative UTC offset count the wrong way",
        lambda mock: events(mock, _minutes_added),
    ),
    # By "The service reads it only when updated_at_gte is missing or empty."
    Mutant(
        "held-empty-updated-at-gte-hides-updated-after",
        "filters",
        "updated_after is ignored beside an empty updated_at_gte",
        lambda mock: events(mock, _empty_counts),
    ),
    # By "Only events that end at this time or earlier."
    Mutant(
        "held-end-time-before-1970-crashes",
        "robustness",
        "an end_time_lte before 1970 crashes",
        after(_old_end_time_crashes),
    ),
    # By "the service reports the first of these: updated_at_gte, start_time_gte, end_time_lte, ordering, cursor"
    Mutant(
        "held-cursor-checked-before-ordering",
        "status",
        "a cursor that is none is told before an ordering that is none",
        after(_cursor_before_ordering),
    ),
    # By EventFilterErrorText: the text for end_time_lte ends in "(e.g., 2025-01-13T18:00:00Z)"
    Mutant(
        "held-end-time-error-has-other-example",
        "status",
        "the error for end_time_lte has the example of the other times",
        after(_morning_for_evening),
    ),
    # By "Platforms list some without an address or without a name; then it is null."
    Mutant(
        "held-attendee-without-name-lacks-field",
        "schema",
        "attendees without a name lack the field",
        documents(_nameless_attendees, EVENTS),
    ),
    # By "Only events of the calendar with exactly this deduplication key.", and "of that project only"
    Mutant(
        "held-shared-key-finds-no-events",
        "tenants",
        "calendar_deduplication_key finds nothing where an earlier project has the same key",
        _first_project_only,
    ),
    # By "frees its deduplication key"; "Only the calendar with exactly this key."
    Mutant(
        "held-recreated-key-not-found",
        "timing",
        "a calendar whose key another one had before is not found by it",
        _freed_key_forgotten,
    ),
)
