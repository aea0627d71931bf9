"""Events that a query asks for, against the plainest way to find them."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mockserver.domain.model import Calendar, CalendarEvent
from mockserver.domain.pagination import Cursor
from mockserver.domain.queries import EventQuery, event_listing
from mockserver.domain.store import State
from tests.projects import make_calendar, make_event

CALENDARS = ["cal_a", "cal_b", "cal_c"]
KEYS = {"cal_a": "key-a", "cal_b": "key-b"}
TIMES = st.integers(0, 6)
OPTIONAL = st.none() | TIMES


def calendar(name: str) -> Calendar:
    return make_calendar(id=name, deduplication_key=KEYS.get(name))


@st.composite
def events(draw: st.DrawFn) -> list[CalendarEvent]:
    rows = draw(st.lists(st.tuples(st.sampled_from(CALENDARS), TIMES, TIMES, TIMES, TIMES), max_size=40))
    return [
        make_event(
            id=f"evt_{n}",
            seq=n,
            calendar_id=calendar_id,
            start_time=start,
            end_time=end,
            created_at=made,
            updated_at=changed,
        )
        for n, (calendar_id, start, end, made, changed) in enumerate(rows)
    ]


QUERIES = st.builds(
    EventQuery,
    event_id=st.none() | st.sampled_from(["evt_0", "evt_3", "evt_99"]),
    calendar_id=st.none() | st.sampled_from([*CALENDARS, "cal_x", ""]),
    calendar_deduplication_key=st.none() | st.sampled_from(["key-a", "key-b", "key-x", ""]),
    updated_at_gte=OPTIONAL,
    start_time_gte=OPTIONAL,
    end_time_lte=OPTIONAL,
    order=st.sampled_from(["updated_at", "start_time", "end_time", "created_at"]),
    ascending=st.booleans(),
)


def wanted(rows: list[CalendarEvent], query: EventQuery) -> list[CalendarEvent]:
    def fits(event: CalendarEvent) -> bool:
        return (
            query.event_id in (None, event.id)
            and query.calendar_id in (None, event.calendar_id)
            and query.calendar_deduplication_key in (None, KEYS.get(event.calendar_id, "none"))
            and (query.updated_at_gte is None or event.updated_at >= query.updated_at_gte)
            and (query.start_time_gte is None or event.start_time >= query.start_time_gte)
            and (query.end_time_lte is None or event.end_time <= query.end_time_lte)
        )

    position: Any = attrgetter(query.order, "seq")
    return sorted(filter(fits, rows), key=position, reverse=not query.ascending)


@given(events(), QUERIES, st.sampled_from([0, 1, 10_000]))
def test_whichever_way_is_taken_the_rows_and_their_order_are_the_same(
    rows: list[CalendarEvent], query: EventQuery, page_size: int
) -> None:
    state = State(map(calendar, CALENDARS), rows)
    listing = event_listing(state, query, page_size)
    assert list(listing.walk(Cursor())) == wanted(rows, query)
    assert list(listing.walk(Cursor(reverse=True))) == wanted(rows, query)[::-1]


@given(events(), QUERIES, st.data())
def test_rows_that_come_and_go_are_found_and_missed(
    rows: list[CalendarEvent], query: EventQuery, data: st.DataObject
) -> None:
    state = State(map(calendar, CALENDARS))
    for event in rows:
        state.put_event(event)
    left = list(rows)
    for event in data.draw(st.lists(st.sampled_from(rows), unique_by=attrgetter("id")) if rows else st.just([])):
        moved = event._replace(start_time=event.start_time + 1)
        if data.draw(st.booleans()):
            state.put_event(moved)
            left[left.index(event)] = moved
        else:
            state.drop_event(event)
            left.remove(event)
    assert list(event_listing(state, query, 2).walk(Cursor())) == wanted(left, query)


@given(events(), st.sampled_from(CALENDARS))
def test_a_deleted_calendar_takes_its_events_along(rows: list[CalendarEvent], name: str) -> None:
    state = State(map(calendar, CALENDARS), rows)
    kept = state.copy()
    state.drop_calendar(calendar(name))
    rest = [event for event in rows if event.calendar_id != name]
    assert list(event_listing(state, EventQuery(), 2).walk(Cursor())) == wanted(rest, EventQuery())
    assert list(event_listing(kept, EventQuery(), 2).walk(Cursor())) == wanted(rows, EventQuery())
    assert state.count_events_in(name) == 0
