"""Finds the events that a query asks for, in its order, by the cheapest way through the indexes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from operator import attrgetter
from typing import NamedTuple, TypeAlias

from mockserver.domain.model import CalendarEvent, Micros
from mockserver.domain.pagination import Listing
from mockserver.domain.sorted_index import Key, SortedIndex
from mockserver.domain.store import EventTime, State

Test: TypeAlias = Callable[[CalendarEvent], bool]


class EventQuery(NamedTuple):
    """What of a project's events is asked for, and in which order; None asks for everything."""

    event_id: str | None = None
    calendar_id: str | None = None
    calendar_deduplication_key: str | None = None
    updated_at_gte: Micros | None = None
    start_time_gte: Micros | None = None
    end_time_lte: Micros | None = None
    order: EventTime = "updated_at"
    ascending: bool = False


class _Source(NamedTuple):
    """Some of the events, known to hold all that are asked for."""

    size: int
    rows: Callable[[], Iterable[CalendarEvent]]


def event_listing(state: State, query: EventQuery, page_size: int) -> Listing[CalendarEvent]:
    """The events of the query in its order.

    Either the order's own index is walked and what does not fit is passed over, or the narrowest filter's rows are
    taken and sorted, whichever looks cheaper for one page: the walk meets about page_size / share rows.
    """
    index = state.events_by[query.order]
    position: Callable[[CalendarEvent], Micros] = attrgetter(query.order)
    keep = _predicate(_tests(state, query))
    source = _narrowest(state, query)
    if source is not None and source.size * source.size <= page_size * len(state.events):
        rows = source.rows() if keep is None else filter(keep, source.rows())
        return Listing(index.of(rows), position, ascending=query.ascending)
    start, stop = _bounds(query).get(query.order, (None, None))
    return Listing(index, position, ascending=query.ascending, start=start, stop=stop, keep=keep)


def _bounds(query: EventQuery) -> dict[EventTime, tuple[Key | None, Key | None]]:
    """The keys between which each time that is filtered has to lie."""
    bounds: dict[EventTime, tuple[Key | None, Key | None]] = {}
    if query.updated_at_gte is not None:
        bounds["updated_at"] = (query.updated_at_gte,), None
    if query.start_time_gte is not None:
        bounds["start_time"] = (query.start_time_gte,), None
    if query.end_time_lte is not None:
        bounds["end_time"] = None, (query.end_time_lte + 1,)
    return bounds


def _narrowest(state: State, query: EventQuery) -> _Source | None:
    """The smallest set of rows that one filter alone leaves; None when nothing is filtered."""
    sources = [_range(state.events_by[order], *bounds) for order, bounds in _bounds(query).items()]
    if query.event_id is not None:
        event = state.events.get(query.event_id)
        found = [] if event is None else [event]
        sources.append(_Source(len(found), lambda: found))
    for calendar_id in _calendar_ids(state, query):
        sources.append(_Source(state.count_events_in(calendar_id), partial(state.events_in, calendar_id)))
    return min(sources, key=attrgetter("size"), default=None)


def _range(index: SortedIndex[CalendarEvent], start: Key | None, stop: Key | None) -> _Source:
    return _Source(index.estimate(start, stop), lambda: index.up(start, stop))


def _calendar_ids(state: State, query: EventQuery) -> list[str]:
    """The ids of the calendars that the events have to be of; an unknown deduplication key is of no calendar."""
    wanted = [] if query.calendar_id is None else [query.calendar_id]
    if query.calendar_deduplication_key is not None:
        wanted.append(state.calendar_ids.get(query.calendar_deduplication_key) or "")
    return wanted


def _tests(state: State, query: EventQuery) -> list[Test]:
    """What an event has to pass, one test for each filter."""
    tests: list[Test] = []
    if (event_id := query.event_id) is not None:
        tests.append(lambda event: event.id == event_id)
    for calendar_id in _calendar_ids(state, query):
        tests.append(lambda event, wanted=calendar_id: event.calendar_id == wanted)  # type: ignore[misc]
    if (updated := query.updated_at_gte) is not None:
        tests.append(lambda event: event.updated_at >= updated)
    if (start := query.start_time_gte) is not None:
        tests.append(lambda event: event.start_time >= start)
    if (end := query.end_time_lte) is not None:
        tests.append(lambda event: event.end_time <= end)
    return tests


def _predicate(tests: list[Test]) -> Test | None:
    if len(tests) < 2:
        return tests[0] if tests else None
    return lambda event: all(test(event) for test in tests)
