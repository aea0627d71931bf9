"""Mutants that measure the judge on what it was not written for; above each the sentence of openapi.yaml it breaks."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from operator import attrgetter
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode
from uuid import UUID

from mockserver.api.request import App, Receive, Scope, Send
from mockserver.app import Mock
from mockserver.domain.calendar_service import CalendarChanges, CalendarNotFound, NewCalendar
from mockserver.domain.model import Calendar, CalendarEvent
from mockserver.domain.pagination import Cursor, InvalidCursor, Listing, Page, decode, paginate
from mockserver.domain.postgres_limits import NotStorable
from mockserver.domain.queries import EventQuery, event_listing
from mockserver.domain.store import Project
from mockserver.domain.timestamps import SECOND, parse
from tests.mutants.altering import (
    CalendarPage,
    EventPage,
    ListCalendars,
    ListEvents,
    answer,
    asked,
    asking,
    calendar_pages,
    event_pages,
    events,
    project_of,
)
from tests.mutants.bodies import fields
from tests.mutants.mutant import Mutant
from tests.mutants.state import Create, Update, on_create, on_update
from tests.mutants.wrapped import EVENTS, LIST, ONE, Call, Reply, Shell, after, before, crash, documents

_TIMES = ("updated_at_gte", "start_time_gte", "end_time_lte")
_REQUIRED = ["This field is required."]
_ids: ContextVar[list[str]] = ContextVar("_ids")


def _asks(mock: Mock, call: Call) -> Project | None:
    """The project whose key the request has."""
    return mock.store.by_key.get(call.headers.get("authorization", "").rpartition(" ")[2])


def _owner(mock: Mock, call: Call) -> Project | None:
    """The project that has the calendar of the path."""
    name = call.path.removeprefix(ONE)
    return next((p for p in mock.store.projects if p.state.calendars.get(name) is not None), None)


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


def _one_filtered(mock: Mock) -> App:
    real = mock.calendar_service.get_calendar

    def get(project: Project, calendar_id: str) -> Calendar:
        calendar = real(project, calendar_id)
        if asked().get("deduplication_key", calendar.deduplication_key) != calendar.deduplication_key:
            raise CalendarNotFound
        return calendar

    mock.calendar_service.get_calendar = get  # type: ignore[method-assign]
    return asking(mock)


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


# --- crashes ---


def _old_end_time_crashes(call: Call, reply: Reply) -> Reply | None:
    at = parse(call.parameters.get("end_time_lte", "")) if call.is_on(EVENTS, methods="GET") else None
    return crash() if reply.status == 200 and at is not None and at < 0 else None


def _second_delete_crashes(mock: Mock) -> App:
    gone: set[tuple[str, str]] = set()

    def change(call: Call, reply: Reply) -> Reply | None:
        project = _asks(mock, call) if call.is_on(ONE, methods="DELETE") else None
        if project is None:
            return None
        if reply.status == 200:
            gone.add((project.name, call.path))
        return crash() if reply.status == 404 and (project.name, call.path) in gone else None

    return after(change)(mock)


def _non_ascii_secret_crashes(mock: Mock) -> App:
    def change(call: Call) -> Reply | None:
        sent = call.json if call.is_on(ONE, methods="PATCH") else None
        secret = sent.get("client_secret") if isinstance(sent, dict) else None
        ours = _asks(mock, call) is not None and _asks(mock, call) is _owner(mock, call)
        return crash() if ours and isinstance(secret, str) and secret.strip() and not secret.isascii() else None

    return before(change)(mock)


# --- errors ---


def _cursor_before_ordering(call: Call, reply: Reply) -> Reply | None:
    if not call.is_on(EVENTS, methods="GET") or reply.status != 400 or b"Invalid ordering" not in reply.body:
        return None
    try:
        decode(call.parameters.get("cursor", ""))
    except InvalidCursor:
        reply.status = 404
        return reply.write({"detail": "Invalid cursor"})
    return None


def _morning_for_evening(call: Call, reply: Reply) -> None:
    if call.is_on(EVENTS) and reply.status == 400 and b"end_time_lte" in reply.body:
        reply.body = reply.body.replace(b"T18:00:00Z", b"T10:30:00Z")


def _missing_alone(call: Call, reply: Reply) -> Reply | None:
    told = reply.json if call.is_on(LIST, methods="POST") and reply.status == 400 else None
    missing = {name: texts for name, texts in told.items() if texts == _REQUIRED} if isinstance(told, dict) else {}
    return reply.write(missing) if missing else None


def _uuid_in_bytes(real: Create, project: Project, sent: NewCalendar) -> Calendar:
    if len(sent.get("platform_uuid", "").encode()) > 1024:
        error_id = UUID(int=project.random.getrandbits(128), version=4)
        raise NotStorable(error_id, "platform_uuid", "is longer than 1024 bytes")
    return real(project, sent)


def _thousand_too_long(sent: dict[str, Any]) -> None:
    metadata = sent.get("metadata")
    if isinstance(metadata, dict) and len(json.dumps(metadata)) == 1000:
        name, value = next(iter(metadata.items()))
        metadata[name] = f"{value}." if isinstance(value, str) else value


def _absent_before_method(mock: Mock) -> App:
    def change(call: Call, reply: Reply) -> Reply | None:
        if call.is_on(ONE) and reply.status == 405 and _owner(mock, call) is not _asks(mock, call):
            reply.status = 404
            return reply.write({"error": "Calendar not found"})
        return None

    return after(change)(mock)


def _type_in_lower_case(call: Call, reply: Reply) -> Reply | None:
    if reply.status != 415:
        return None
    kind = call.headers.get("content-type", "").partition(";")[0].strip().lower()
    return reply.write({"detail": f'Unsupported media type "{kind}" in request.'})


def _null_clears(mock: Mock) -> App:
    sign = {"held": "null"}

    def change(sent: dict[str, Any]) -> None:
        if "metadata" in sent and sent["metadata"] is None:
            sent["metadata"] = sign

    def update(real: Update, project: Project, calendar_id: str, changes: CalendarChanges) -> Calendar:
        new = real(project, calendar_id, changes)
        if changes.get("metadata") == sign:
            new = new._replace(metadata=None)
            project.state.replace_calendar(new)
        return new

    return before(fields(change, ONE))(Shell(on_update(mock, update)))


# --- headers ---


def _unchallenged(call: Call, reply: Reply) -> None:
    if reply.status == 401 and b"Invalid or disabled" in reply.body:
        reply.headers.pop("www-authenticate", None)


def _options_refused(call: Call, reply: Reply) -> Reply | None:
    if not call.is_on(ONE, methods="OPTIONS") or reply.status != 200:
        return None
    reply.status = 405
    return reply.write({"detail": 'Method "OPTIONS" not allowed.'})


def _first_accept(call: Call) -> None:
    if "accept" in call.headers:
        call.headers["accept"] = call.headers["accept"].partition(",")[0]


# --- what is stored and shown ---


def _stores(change: Callable[[Calendar, Calendar, CalendarChanges], Calendar]) -> Callable[[Mock], App]:
    """The calendar before and after an update, and the update, to what is stored and answered."""

    def update(real: Update, project: Project, calendar_id: str, changes: CalendarChanges) -> Calendar:
        old = project.state.calendars.get(calendar_id)
        new = real(project, calendar_id, changes)
        assert old is not None
        stored = change(old, new, changes)
        project.state.replace_calendar(stored)
        return stored

    return lambda mock: on_update(mock, update)


def _as_sent(call: Call, reply: Reply) -> Reply | None:
    sent = call.json if call.is_on(ONE, methods="PATCH") and reply.status == 200 else None
    metadata = sent.get("metadata") if isinstance(sent, dict) else None
    if not isinstance(metadata, dict) or reply.json.get("metadata") != metadata:
        return None
    return reply.write({**reply.json, "metadata": metadata})


def _nameless_dropped(sent: dict[str, Any]) -> None:
    metadata = sent.get("metadata")
    if isinstance(metadata, dict) and len(metadata) > 1:
        metadata.pop("", None)


def _same_is_no_change(old: Calendar, new: Calendar, sent: CalendarChanges) -> Calendar:
    same = set(sent) == {"metadata"} and new.metadata == old.metadata
    return new._replace(updated_at=old.updated_at) if same else new


def _deletes_all_the_same(mock: Mock) -> App:
    def change(call: Call, reply: Reply) -> None:
        project = _asks(mock, call) if call.is_on(ONE, methods="DELETE") else None
        if project is not None and reply.status == 404 and b"Not found." in reply.body:
            name = call.path.removeprefix(ONE)
            if project.state.calendars.get(name) is not None:
                mock.calendar_service.delete_calendar(project, name)

    return after(change)(mock)


def _unseen_stripped(real: Create, project: Project, sent: NewCalendar) -> Calendar:
    key = sent.get("deduplication_key", "").strip("\u200b\u2060\ufeff")
    return real(project, {**sent, "deduplication_key": key}) if key else real(project, sent)


def _nameless_attendees(event: dict[str, Any]) -> None:
    for attendee in event.get("attendees") or []:
        if attendee["name"] is None:
            del attendee["name"]


def _failure_in_z(calendar: dict[str, Any]) -> None:
    failure = calendar["connection_failure_data"]
    if failure is not None:
        failure["timestamp"] = failure["timestamp"].replace("+00:00", "Z")


# --- projects and keys ---


def _first_project_only(mock: Mock) -> App:
    def change(query: EventQuery, project: Project) -> EventQuery:
        key = query.calendar_deduplication_key
        first = next((p for p in mock.store.projects if key is not None and key in p.state.calendar_ids), project)
        return query if first is project else query._replace(calendar_deduplication_key="")

    return events(mock, change)


def _twin_deleted(mock: Mock) -> App:
    real = mock.calendar_service.delete_calendar

    def delete(project: Project, calendar_id: str) -> None:
        key = mock.calendar_service.get_calendar(project, calendar_id).deduplication_key
        real(project, calendar_id)
        for other in mock.store.projects:
            twin = other.state.calendar_ids.get(key) if key is not None and other is not project else None
            if twin is not None:
                real(other, twin)

    mock.calendar_service.delete_calendar = delete  # type: ignore[method-assign]
    return asking(mock)


def _foreign_touched(mock: Mock) -> App:
    def change(call: Call, reply: Reply) -> None:
        owner = _owner(mock, call) if call.is_on(ONE, methods="PATCH") and reply.status == 404 else None
        if owner is None or _asks(mock, call) in (None, owner):
            return
        calendar = owner.state.calendars.get(call.path.removeprefix(ONE))
        assert calendar is not None
        owner.state.replace_calendar(calendar._replace(updated_at=max(mock.clock.now(), calendar.updated_at + 1)))

    return after(change)(mock)


def _foreign_head(mock: Mock) -> App:
    def change(call: Call, reply: Reply) -> None:
        if call.is_on(ONE, methods="HEAD") and reply.status == 404 and _owner(mock, call) is not None:
            reply.status = 200

    return after(change)(mock)


def _word_alone(call: Call, reply: Reply) -> Reply | None:
    alone = call.headers.get("authorization", "").strip().lower() == "token"
    return reply.write({"detail": "Invalid or disabled API key"}) if alone and reply.status == 401 else None


# --- one thing after another, or beside another ---


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


def _at_once(method: str, hurt: str, status: int, body: Any) -> Callable[[Mock], App]:
    """What is asked by `hurt` on a path fails while a request by `method` on the same path is under way."""

    def apply(mock: Mock) -> App:
        under_way: Counter[tuple[str, str]] = Counter()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            project = project_of(mock, scope)
            place = ("" if project is None else project.name, scope.get("path", ""))
            if project is not None and scope["method"] == hurt and under_way[place]:
                await answer(send, status, body, [(b"vary", b"Accept")])
                return
            if project is None or scope["method"] != method:
                await mock.asgi(scope, receive, send)
                return
            under_way[place] += 1
            try:
                await asyncio.sleep(0.02)
                await mock.asgi(scope, receive, send)
            finally:
                under_way[place] -= 1

        return app

    return apply


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
    # By "It ignores query parameters that this document does not list.", as it does this one for getCalendar
    Mutant(
        "held-one-calendar-filtered-by-key",
        "filters",
        "one calendar is a 404 where the parameter deduplication_key is not its key",
        _one_filtered,
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
    # By "An unknown id, or one of another project, is answered with 404."
    Mutant(
        "held-second-delete-crashes", "robustness", "a second DELETE of one calendar crashes", _second_delete_crashes
    ),
    # By "The secret of the OAuth client, of any length."; the only rules for its text are: not blank, and no NUL
    Mutant(
        "held-non-ascii-secret-crashes",
        "robustness",
        "a client_secret that is not ASCII crashes a PATCH",
        _non_ascii_secret_crashes,
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
    # By "One answer reports every invalid field, in the order of CalendarCreate."
    Mutant(
        "held-missing-fields-told-alone",
        "status",
        "where a field is missing, those that are wrong are not told",
        after(_missing_alone),
    ),
    # By maxLength, which is in characters, and "The length is that of the stripped text."
    Mutant(
        "held-platform-uuid-limit-counts-bytes",
        "status",
        "the limit of platform_uuid counts bytes",
        lambda mock: on_create(mock, _uuid_in_bytes),
    ),
    # By "Written as JSON text, the object has at most 1000 characters."
    Mutant(
        "held-patch-metadata-of-1000-refused",
        "status",
        "PATCH refuses metadata of exactly 1000 characters",
        before(fields(_thousand_too_long, ONE)),
    ),
    # By "The service checks a request in this order: ..., the method (405), whether the object exists (404)"
    Mutant(
        "held-unknown-id-checked-before-method",
        "status",
        "an id that names nothing is told before a method that is none",
        _absent_before_method,
    ),
    # By "The service does not read bodies of this Content-Type. The error repeats it as it was sent."
    Mutant(
        "held-refused-type-in-lower-case",
        "status",
        "a 415 repeats the Content-Type in lower case and without parameters",
        after(_type_in_lower_case),
    ),
    # By "No field may be null."
    Mutant("held-patch-null-metadata-clears-it", "status", "PATCH takes null metadata and clears it", _null_clears),
    # By UnauthorizedOnCalendars, where WWW-Authenticate is required, and "or its key is unknown or disabled"
    Mutant(
        "held-unknown-key-without-www-authenticate",
        "headers",
        "the 401 for a key that is unknown or disabled has no WWW-Authenticate",
        after(_unchallenged),
    ),
    # By "The path does not have this method." and "Allow lists the methods of that path."
    Mutant(
        "held-options-of-calendar-answers-405",
        "headers",
        "OPTIONS of one calendar is a 405, whose Allow lists it",
        after(_options_refused),
    ),
    # By "The Accept header allows no format of the service."
    Mutant(
        "held-only-first-of-accept-counts",
        "headers",
        "of several media types in Accept only the first counts",
        before(_first_accept),
    ),
    # By "Shorter names come first, equally long ones in byte order."
    Mutant(
        "held-patch-answers-metadata-as-sent",
        "state",
        "PATCH answers the names of metadata in the order that was sent",
        after(_as_sent),
    ),
    # By "Names and values are stored as they are. They may be empty"
    Mutant(
        "held-empty-metadata-name-dropped",
        "state",
        "PATCH drops the empty name from metadata that has others",
        before(fields(_nameless_dropped, ONE)),
    ),
    # By "Every accepted request sets `updated_at`, even when nothing else changes"
    Mutant(
        "held-same-metadata-keeps-updated-at",
        "state",
        "PATCH with the metadata that is there already does not move updated_at",
        _stores(_same_is_no_change),
    ),
    # By "The exception is `format`: any value other than `json` is answered with 404.", before anything is done
    Mutant(
        "held-delete-with-unknown-format-deletes",
        "state",
        "DELETE with an unknown format is a 404 and deletes all the same",
        _deletes_all_the_same,
    ),
    # By "It is stripped and then compared exactly"; not-blank lists what white space is, and U+200B is none
    Mutant(
        "held-dedup-key-stripped-of-zero-width",
        "state",
        "characters of no width are stripped from deduplication_key as if they were white space",
        lambda mock: on_create(mock, _unseen_stripped),
    ),
    # By "Platforms list some without an address or without a name; then it is null."
    Mutant(
        "held-attendee-without-name-lacks-field",
        "schema",
        "attendees without a name lack the field",
        documents(_nameless_attendees, EVENTS),
    ),
    # By "Unlike all other times, it ends in +00:00."
    Mutant(
        "held-failure-time-ends-in-z",
        "schema",
        "the time of a failed connection ends in Z where one calendar is read",
        documents(_failure_in_z, ONE),
    ),
    # By "Only events of the calendar with exactly this deduplication key.", and "of that project only"
    Mutant(
        "held-shared-key-finds-no-events",
        "tenants",
        "calendar_deduplication_key finds nothing where an earlier project has the same key",
        _first_project_only,
    ),
    # By "An API key ... gives access to the calendars and events of that project only."
    Mutant(
        "held-delete-takes-foreign-twin",
        "tenants",
        "DELETE deletes the calendars of other projects with the same deduplication key too",
        _twin_deleted,
    ),
    # By "The objects of other projects are answered as if they did not exist."
    Mutant(
        "held-foreign-patch-moves-updated-at",
        "tenants",
        "PATCH of another project's calendar is a 404 and moves its updated_at",
        _foreign_touched,
    ),
    # By "The objects of other projects are answered as if they did not exist."
    Mutant("held-head-finds-foreign-calendar", "tenants", "HEAD finds another project's calendar", _foreign_head),
    # By "The Authorization header is missing or malformed": `Token <api key>` is its form
    Mutant(
        "held-token-without-key-told-as-unknown",
        "auth",
        "the word Token without a key is told as an unknown key",
        after(_word_alone),
    ),
    # By "frees its deduplication key"; "Only the calendar with exactly this key."
    Mutant(
        "held-recreated-key-not-found",
        "timing",
        "a calendar whose key another one had before is not found by it",
        _freed_key_forgotten,
    ),
    # By the responses of createCalendar, which have no 409, and "A key that no other calendar of the project has."
    Mutant(
        "held-race-creates-conflict",
        "concurrency",
        "a create at once with any other of the project is a 409",
        _at_once("POST", "POST", 409, {"detail": "Another calendar is being created."}),
    ),
    # By "An unknown id, or one of another project, is answered with 404."; this one is known
    Mutant(
        "held-race-patch-hides-calendar",
        "concurrency",
        "a calendar is not found while it is being changed",
        _at_once("PATCH", "GET", 404, {"error": "Calendar not found"}),
    ),
)
