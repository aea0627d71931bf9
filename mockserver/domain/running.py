"""Finds the records of a calendar that are running at a moment, without looking at all others."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeVar

from mockserver.domain.model import CalendarEvent, Micros
from mockserver.domain.sorted_index import SortedIndex

T = TypeVar("T")
LONG: Micros = 86_400_000_000
"""A record that takes longer than this is kept in an order of its own; all others begin shortly before they end."""


class Span(NamedTuple):
    """When a record of a calendar begins and ends. `own` is different for each record of the calendar."""

    calendar_id: str
    end: Micros
    own: str | int
    start: Micros


class LongSpans(SortedIndex[T]):
    """The records that take longer than LONG, ordered by their end; it ignores all others."""

    __slots__ = ()

    def __init__(self, span: Callable[[T], Span], items: Iterable[T] = ()) -> None:
        super().__init__(span, (item for item in items if _is_long(span(item))))

    def add(self, item: T) -> None:
        """Takes a record in, if it is a long one."""
        if _is_long(self._key(item)):
            super().add(item)

    def remove(self, item: T) -> None:
        """Takes a record out, if it is a long one."""
        if _is_long(self._key(item)):
            super().remove(item)

    def running(self, calendar_id: str, at: Micros, recent: Iterable[T]) -> list[T]:
        """The records that began before `at` and end after it, the earliest first.

        `recent` are the calendar's records that began in the time LONG before `at`.
        """
        short = (item for item in recent if not _is_long(span := self._key(item)) and span.end > at)
        long = (item for item in self.up((calendar_id, at + 1), (calendar_id + "\0",)) if self._key(item).start < at)
        return sorted((*short, *long), key=self._by_start)

    def _by_start(self, item: T) -> tuple[Micros, str | int]:
        span = self._key(item)
        return span.start, span.own


def long_events(events: Iterable[CalendarEvent]) -> LongSpans[CalendarEvent]:
    """The long ones of a project's events."""
    # A million events are loaded at once, and hardly any is long: no span is made for the others.
    return LongSpans(_span_of, [event for event in events if event.end_time - event.start_time > LONG])


def _span_of(event: CalendarEvent) -> Span:
    return Span(event.calendar_id, event.end_time, event.seq, event.start_time)


def _is_long(span: Span) -> bool:
    return span.end - span.start > LONG
