"""Projects and what is in them: records by id, and the orders in which they are listed."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Literal, NamedTuple, TypeAlias

from mockserver.domain.index import SortedIndex
from mockserver.domain.model import Calendar, CalendarEvent, Micros
from mockserver.domain.table import Table

EventTime: TypeAlias = Literal["updated_at", "start_time", "end_time", "created_at"]
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


class Listed(NamedTuple):
    """A calendar's place in the list of calendars; it never moves, whatever is changed in the calendar."""

    created_at: Micros
    seq: int
    id: str


def _place(row: Listed) -> tuple[Micros, int]:
    return row[:2]


def _by_updated(event: CalendarEvent) -> tuple[Micros, int]:
    return event.updated_at, event.seq


def _by_start(event: CalendarEvent) -> tuple[Micros, int]:
    return event.start_time, event.seq


def _by_end(event: CalendarEvent) -> tuple[Micros, int]:
    return event.end_time, event.seq


def _by_created(event: CalendarEvent) -> tuple[Micros, int]:
    return event.created_at, event.seq


def _by_calendar(event: CalendarEvent) -> tuple[str, int]:
    return event.calendar_id, event.seq


class State:
    """The calendars and events of one project. `copy()` costs about as much as was changed, not as much as there is."""

    def __init__(self, calendars: Iterable[Calendar] = (), events: Iterable[CalendarEvent] = ()) -> None:
        by_id = {calendar.id: calendar for calendar in calendars}
        rows = {event.id: event for event in events}
        self.calendars: Table[Calendar] = Table(by_id)
        self.calendar_ids: Table[str] = Table(
            {c.deduplication_key: c.id for c in by_id.values() if c.deduplication_key is not None}
        )
        self.listed = SortedIndex(_place, [Listed(c.created_at, c.seq, c.id) for c in by_id.values()])
        self.events: Table[CalendarEvent] = Table(rows)
        self.events_by: dict[EventTime, SortedIndex[CalendarEvent]] = {
            "updated_at": SortedIndex(_by_updated, rows.values()),
            "start_time": SortedIndex(_by_start, rows.values()),
            "end_time": SortedIndex(_by_end, rows.values()),
            "created_at": SortedIndex(_by_created, rows.values()),
        }
        self.events_of = SortedIndex(_by_calendar, rows.values())
        seqs = (*(calendar.seq for calendar in by_id.values()), *(event.seq for event in rows.values()))
        self.next_seq = 1 + max(seqs, default=0)
        self.last_write: Micros = 0

    def copy(self) -> State:
        """The same state again; neither sees what happens to the other."""
        twin = State.__new__(State)
        twin.calendars, twin.calendar_ids = self.calendars.copy(), self.calendar_ids.copy()
        twin.listed = self.listed.copy()
        twin.events = self.events.copy()
        twin.events_by = {name: index.copy() for name, index in self.events_by.items()}
        twin.events_of = self.events_of.copy()
        twin.next_seq, twin.last_write = self.next_seq, self.last_write
        return twin

    def take_seq(self) -> int:
        """The next place in the order of creation."""
        self.next_seq += 1
        return self.next_seq - 1

    def add_calendar(self, calendar: Calendar) -> None:
        """Adds a calendar whose id and deduplication key are new."""
        self.calendars.put(calendar.id, calendar)
        self.listed.add(Listed(calendar.created_at, calendar.seq, calendar.id))
        if calendar.deduplication_key is not None:
            self.calendar_ids.put(calendar.deduplication_key, calendar.id)

    def replace_calendar(self, calendar: Calendar) -> None:
        """Puts the new record of a calendar in place of the old; its id, key, seq and created_at are the same."""
        self.calendars.put(calendar.id, calendar)

    def drop_calendar(self, calendar: Calendar) -> None:
        """Takes a calendar out, and its events with it."""
        for event in list(self.events_in(calendar.id)):
            self.drop_event(event)
        self.calendars.drop(calendar.id)
        self.listed.remove(Listed(calendar.created_at, calendar.seq, calendar.id))
        if calendar.deduplication_key is not None:
            self.calendar_ids.drop(calendar.deduplication_key)

    def put_event(self, event: CalendarEvent) -> None:
        """Adds an event, or puts it in place of the one with its id."""
        if event.id in self.events:
            self.drop_event(event)
        self.events.put(event.id, event)
        for index in (*self.events_by.values(), self.events_of):
            index.add(event)

    def drop_event(self, event: CalendarEvent) -> None:
        """Takes the event with this event's id out."""
        stored = self.events.get(event.id)
        if stored is None:
            raise KeyError(event.id)
        self.events.drop(event.id)
        for index in (*self.events_by.values(), self.events_of):
            index.remove(stored)

    def events_in(self, calendar_id: str) -> Iterable[CalendarEvent]:
        """The events of one calendar, oldest first."""
        return self.events_of.up((calendar_id,), (calendar_id + "\0",))

    def count_events_in(self, calendar_id: str) -> int:
        """How many events one calendar has."""
        return self.events_of.count((calendar_id,), (calendar_id + "\0",))


class Webhook(NamedTuple):
    """A webhook subscription of a project."""

    url: str
    triggers: tuple[str, ...]


@dataclass
class Project:
    """A tenant: its keys, its subscriptions, its state, and the state that a reset brings back."""

    name: str
    api_keys: tuple[str, ...]
    disabled_api_keys: tuple[str, ...] = ()
    webhook_secret: bytes = field(default=b"", repr=False)
    webhooks: tuple[Webhook, ...] = ()
    baseline: State = field(default_factory=State, repr=False)
    state: State = field(init=False, repr=False)
    posts: deque[Micros] = field(default_factory=deque, repr=False)
    """When the POSTs that still count towards the limit were let through, oldest first."""

    def __post_init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Back to the fixtures; costs the same whatever was done since."""
        self.state = self.baseline.copy()
        self.posts = deque()


class Store:
    """Every project of one mock, found by its API keys."""

    def __init__(self, projects: Iterable[Project] = ()) -> None:
        self.projects = list(projects)
        self.by_key: dict[str, Project] = {}
        for project in self.projects:
            for key in project.api_keys:
                self.by_key[key] = project

    def reset(self) -> None:
        """Every project back to its fixtures."""
        for project in self.projects:
            project.reset()


def new_id(prefix: str, random: Random) -> str:
    """An object id as the service makes them, e.g. cal_abcdef1234567890."""
    return f"{prefix}_{''.join(random.choices(ALPHABET, k=16))}"
