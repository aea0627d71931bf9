"""Mutants whose pages, or the links between them, are wrong."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any
from urllib.parse import urlsplit

from mockserver.api.request import App
from mockserver.app import Mock
from mockserver.domain.model import CalendarEvent
from mockserver.domain.pagination import Cursor, Listing, Page, paginate
from mockserver.domain.queries import EventQuery, event_listing
from mockserver.domain.sorted_index import SortedIndex
from mockserver.domain.store import Listed, Project, State
from tests.mutants.altering import (
    CalendarPage,
    EventPage,
    ListCalendars,
    ListEvents,
    Message,
    answers,
    calendar_pages,
    event_pages,
)
from tests.mutants.mutant import Mutant

_SOME_DAY = 1_776_000_000_000_000
Turn = Callable[[Page[Any], Cursor, bool], Page[Any]]
"""A page, the cursor that led to it and whether it ascends, to the page that is answered."""


def _both(turn: Turn) -> Callable[[Mock], App]:
    """The same defect in both lists."""

    def on_events(real: ListEvents, project: Project, query: EventQuery, cursor: Cursor) -> EventPage:
        return turn(real(project, query, cursor), cursor, query.ascending)

    def on_calendars(real: ListCalendars, project: Project, cursor: Cursor, key: str | None) -> CalendarPage:
        return turn(real(project, cursor, key), cursor, False)

    def apply(mock: Mock) -> App:
        calendar_pages(mock, on_calendars)
        return event_pages(mock, on_events)

    return apply


def _with_ties(apply: Callable[[Mock], App]) -> Callable[[Mock], App]:
    """The same mutant, over data in which many rows have equal times."""

    def tied(mock: Mock) -> App:
        for project in mock.store.projects:
            for state in (project.baseline, project.state):
                tie(state)
        return apply(mock)

    return tied


def tie(state: State) -> None:
    """Gives events and calendars equal times, in groups of forty."""
    for number, event in enumerate(list(state.events)[:160]):
        hour = 3_600_000_000 * (number // 40)
        state.put_event(
            event._replace(updated_at=_SOME_DAY + hour, start_time=_SOME_DAY + hour, end_time=_SOME_DAY + 9 * hour)
        )
    for calendar in list(state.calendars)[:40]:
        moved = calendar._replace(created_at=_SOME_DAY)
        state.listed.remove(Listed(calendar.created_at, calendar.seq, calendar.id))
        state.listed.add(Listed(moved.created_at, moved.seq, moved.id))
        state.replace_calendar(moved)


def _calendars(turn: Turn) -> Callable[[Mock], App]:
    def change(real: ListCalendars, project: Project, cursor: Cursor, key: str | None) -> CalendarPage:
        return turn(real(project, cursor, key), cursor, False)

    return lambda mock: calendar_pages(mock, change)


def _events(
    turn: Turn, when: Callable[[EventQuery, Cursor], bool] = lambda query, cursor: True
) -> Callable[[Mock], App]:
    def change(real: ListEvents, project: Project, query: EventQuery, cursor: Cursor) -> EventPage:
        page = real(project, query, cursor)
        return turn(page, cursor, query.ascending) if when(query, cursor) else page

    return lambda mock: event_pages(mock, change)


def _query(change: Callable[[EventQuery, Cursor], EventQuery]) -> Callable[[Mock], App]:
    def changed(real: ListEvents, project: Project, query: EventQuery, cursor: Cursor) -> EventPage:
        return real(project, change(query, cursor), cursor)

    return lambda mock: event_pages(mock, changed)


def _is_later(cursor: Cursor) -> bool:
    return cursor != Cursor()


def _skips(page: Page[Any], cursor: Cursor, ascending: bool) -> Page[Any]:
    return page._replace(next=page.next and page.next._replace(offset=page.next.offset + 1))


def _skips_back(page: Page[Any], cursor: Cursor, ascending: bool) -> Page[Any]:
    return page._replace(previous=page.previous and page.previous._replace(offset=page.previous.offset + 1))


def _repeats(page: Page[Any], cursor: Cursor, ascending: bool) -> Page[Any]:
    link = page.next
    if link is None or link.position is None:
        return page
    return page._replace(next=link._replace(position=link.position + (-1 if ascending else 1)))


def _forgets_ties(page: Page[Any], cursor: Cursor, ascending: bool) -> Page[Any]:
    link = page.next
    return page._replace(next=link._replace(offset=0) if link and link.position is not None else link)


def _forgets_ties_back(page: Page[Any], cursor: Cursor, ascending: bool) -> Page[Any]:
    link = page.previous
    return page._replace(previous=link._replace(offset=0) if link and link.position is not None else link)


def _repeats_ties(page: Page[Any], cursor: Cursor, ascending: bool) -> Page[Any]:
    link = page.next
    return page._replace(next=link._replace(offset=link.offset - 1) if link and link.offset else link)


def _to_start(page: Page[Any], cursor: Cursor, ascending: bool) -> Page[Any]:
    return page._replace(previous=page.previous and Cursor())


def _skips_forth_again(page: Page[Any], cursor: Cursor, ascending: bool) -> Page[Any]:
    return _skips(page, cursor, ascending) if cursor.reverse else page


def _not_turned(page: Page[Any], cursor: Cursor, ascending: bool) -> Page[Any]:
    return page._replace(rows=page.rows[::-1]) if cursor.reverse else page


def _reversed_later(page: Page[Any], cursor: Cursor, ascending: bool) -> Page[Any]:
    return page._replace(rows=page.rows[::-1]) if _is_later(cursor) and not cursor.reverse else page


def _starts_back(page: Page[Any], cursor: Cursor, ascending: bool) -> Page[Any]:
    return page if _is_later(cursor) or not page.rows else page._replace(previous=Cursor(0, True, page_edge(page)))


def page_edge(page: Page[Any]) -> int:
    """The time of a page's first row, as far as any will do."""
    return int(page.rows[0].created_at)


def _goes_on(page: Page[Any], cursor: Cursor, ascending: bool) -> Page[Any]:
    return page if page.next or not _is_later(cursor) or cursor.reverse else page._replace(next=Cursor(10_000))


def _no_way_back(page: Page[Any], cursor: Cursor, ascending: bool) -> Page[Any]:
    return page if cursor.reverse else page._replace(previous=None)


def _too_early(mock: Mock) -> App:
    def change(real: ListEvents, project: Project, query: EventQuery, cursor: Cursor) -> EventPage:
        page = real(project, query, cursor)
        last = page.next is not None and real(project, query, page.next).next is None
        return page._replace(next=None) if last else page

    return event_pages(mock, change)


def _smaller(mock: Mock) -> App:
    def on_events(real: ListEvents, project: Project, query: EventQuery, cursor: Cursor) -> EventPage:
        return paginate(event_listing(project.state, query, 99), cursor, 99)

    return event_pages(mock, on_events)


def _smaller_later(mock: Mock) -> App:
    def on_events(real: ListEvents, project: Project, query: EventQuery, cursor: Cursor) -> EventPage:
        size = 50 if _is_later(cursor) else 100
        return paginate(event_listing(project.state, query, size), cursor, size)

    return event_pages(mock, on_events)


def _unstable_ties(mock: Mock) -> App:
    """As a database does whose query names no second column to sort by."""
    dice = Random(7)

    def change(real: ListEvents, project: Project, query: EventQuery, cursor: Cursor) -> EventPage:
        listing = event_listing(project.state, query, 100)
        drawn = {event.id: dice.random() for event in project.state.events}
        rows: SortedIndex[CalendarEvent] = SortedIndex(
            lambda event: (listing.position(event), drawn[event.id]), listing.walk(Cursor())
        )
        return paginate(Listing(rows, listing.position, ascending=query.ascending), cursor, 100)

    return event_pages(mock, change)


def _offset(mock: Mock) -> App:
    """Cursors that count rows from the start instead of naming a place."""

    def change(real: ListCalendars, project: Project, cursor: Cursor, key: str | None) -> CalendarPage:
        at = cursor.offset
        page = real(project, Cursor(at), key)
        onward = Cursor(at + 25) if page.next else None
        return Page(page.rows, onward, Cursor(max(at - 25, 0)) if at else None)

    return calendar_pages(mock, change)


def _links(change: Callable[[str], str]) -> Callable[[Mock], App]:
    def changed(message: Message) -> Message:
        if not isinstance(message.body, dict) or "next" not in message.body:
            return message
        links = {name: change(link) if (link := message.body[name]) else None for name in ("next", "previous")}
        return message._replace(body={**message.body, **links})

    return lambda mock: answers(mock, changed)


def _only_cursor(link: str) -> str:
    url, _, query = link.partition("?")
    kept = [pair for pair in query.split("&") if pair.startswith("cursor=")]
    return f"{url}?{'&'.join(kept)}"


def _after_host(link: str) -> str:
    parts = urlsplit(link)
    return f"{parts.path}?{parts.query}"


def _cut(link: str) -> str:
    url, _, query = link.partition("?")
    pairs = ["cursor=bz0" if pair.startswith("cursor=") else pair for pair in query.split("&")]
    return f"{url}?{'&'.join(pairs)}"


def _own_listing_only(mock: Mock) -> App:
    """Cursors that are only known to the listing that gave them; elsewhere they lead to the start."""
    given: set[tuple[Cursor, str, bool]] = set()

    def change(real: ListEvents, project: Project, query: EventQuery, cursor: Cursor) -> EventPage:
        own = (query.order, query.ascending)
        page = real(project, query, cursor if (cursor, *own) in given else Cursor())
        given.update((link, *own) for link in (page.next, page.previous) if link)
        return page

    return event_pages(mock, change)


def _oldest_first(page: Page[Any], cursor: Cursor, ascending: bool) -> Page[Any]:
    return page._replace(rows=page.rows[::-1])


def _by_update(page: Page[Any], cursor: Cursor, ascending: bool) -> Page[Any]:
    return page._replace(rows=sorted(page.rows, key=lambda row: -row.updated_at))


def _unfiltered_later(query: EventQuery, cursor: Cursor) -> EventQuery:
    return query._replace(updated_at_gte=None, calendar_id=None, end_time_lte=None) if _is_later(cursor) else query


def _default_later(query: EventQuery, cursor: Cursor) -> EventQuery:
    return query._replace(order="updated_at", ascending=False) if _is_later(cursor) else query


def _start_later(query: EventQuery, cursor: Cursor) -> EventQuery:
    return query._replace(order="start_time") if query.order == "end_time" and _is_later(cursor) else query


def _mutant(slug: str, defect: str, apply: Callable[[Mock], App]) -> Mutant:
    return Mutant(slug, "pagination", defect, apply)


MUTANTS: tuple[Mutant, ...] = (
    _mutant("row-lost-between-pages", "one item is lost between pages", _both(_skips)),
    _mutant("calendar-lost-between-pages", "one calendar is lost between pages", _calendars(_skips)),
    _mutant(
        "event-lost-after-second-page",
        "one item is lost between the second and the third page",
        _events(_skips, lambda query, cursor: _is_later(cursor)),
    ),
    _mutant("row-repeated-on-next-page", "one item is repeated on the next page", _both(_repeats)),
    _mutant("calendar-repeated-on-next-page", "one calendar is repeated on the next page", _calendars(_repeats)),
    _mutant("last-page-unreachable", "the last page cannot be reached", _too_early),
    _mutant("links-drop-filters", "links drop the filters", _links(_only_cursor)),
    _mutant("previous-leads-to-first-page", "previous leads to the first page", _both(_to_start)),
    _mutant("page-has-99-events", "99 events a page", _smaller),
    _mutant("later-pages-have-50-events", "50 events on every page but the first", _smaller_later),
    _mutant(
        "equal-times-lost-between-pages",
        "rows with equal times are lost where pages meet",
        _with_ties(_both(_forgets_ties)),
    ),
    _mutant(
        "equal-times-lost-on-way-back",
        "rows with equal times are lost on the way back",
        _with_ties(_both(_forgets_ties_back)),
    ),
    _mutant(
        "equal-start-times-lost-between-pages",
        "rows with equal start times are lost where pages meet",
        _with_ties(_events(_forgets_ties, lambda query, cursor: query.order == "start_time")),
    ),
    _mutant(
        "equal-time-repeated-on-next-page",
        "a row with an equal time is repeated on the next page",
        _with_ties(_both(_repeats_ties)),
    ),
    _mutant(
        "equal-times-reordered-each-request",
        "the order of rows with equal times changes with every request",
        _with_ties(_unstable_ties),
    ),
    _mutant(
        "equal-end-times-lost-on-way-back",
        "rows with equal end times are lost, and only on the way back",
        _with_ties(_events(_forgets_ties_back, lambda query, cursor: query.order == "end_time")),
    ),
    _mutant("second-page-in-default-order", "the second page falls back to the default order", _query(_default_later)),
    _mutant(
        "second-page-by-end-time-in-default-order",
        "the second page by end_time is sorted by start_time",
        _query(_start_later),
    ),
    _mutant("inserts-repeat-rows", "cursors count rows: inserts repeat them", _offset),
    _mutant(
        "links-show-internal-host",
        "links point to an internal host",
        _links(lambda link: f"http://10.0.0.7:8080{_after_host(link)}"),
    ),
    _mutant("second-page-reversed", "the second page comes in reverse", _both(_reversed_later)),
    _mutant("first-page-has-previous", "the first page has a previous link", _both(_starts_back)),
    _mutant("last-page-has-next", "the last page has a next link", _both(_goes_on)),
    _mutant("previous-always-null", "previous is null on every page", _both(_no_way_back)),
    _mutant("pages-on-way-back-reversed", "pages on the way back come in reverse", _events(_not_turned)),
    _mutant("row-lost-on-way-back", "one item is lost on the way back", _both(_skips_back)),
    _mutant("row-lost-on-next-after-previous", "one item is lost on the way forth again", _both(_skips_forth_again)),
    _mutant("calendars-oldest-first-in-page", "calendars come oldest first within a page", _calendars(_oldest_first)),
    _mutant(
        "calendars-by-updated-at-in-page", "calendars come latest updated first within a page", _calendars(_by_update)
    ),
    _mutant("later-pages-ignore-filters", "filters count on the first page only", _query(_unfiltered_later)),
    _mutant(
        "cursor-with-other-ordering-restarts", "a cursor beside another ordering leads to the start", _own_listing_only
    ),
    _mutant(
        "links-lead-beside-the-api",
        "links leave out the path of the API",
        _links(lambda link: link.replace("/api/v1/", "/")),
    ),
    _mutant("links-have-broken-cursor", "links to other pages have a broken cursor", _links(_cut)),
)
