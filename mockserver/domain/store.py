"""Projects, and the state of each: records by id, and indexes for the orders in which they are listed."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from random import Random
from typing import Literal, NamedTuple, TypeAlias

from mockserver.domain.bot_index import BotIndex
from mockserver.domain.clock import Clock, ProjectClock, WallClock
from mockserver.domain.cow_table import Table
from mockserver.domain.deliveries import Deliveries
from mockserver.domain.model import Calendar, CalendarEvent, Json, Micros, Remote, Upstream
from mockserver.domain.running import long_events
from mockserver.domain.sorted_index import SortedIndex
from mockserver.domain.subscriptions import Subscription
from mockserver.domain.sync_schedule import SyncSchedule
from mockserver.domain.task_queue import TaskQueue
from mockserver.domain.timestamps import FIRST, LAST
from mockserver.domain.upstream_store import Upstreams

EventTime: TypeAlias = Literal["updated_at", "start_time", "end_time", "created_at"]
Sync: TypeAlias = Literal["auto", "manual"]
"""Whether calendars are synced on schedule, as the service does, or only on demand."""
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


def _by_calendar(event: CalendarEvent) -> tuple[str, Micros, int]:
    return event.calendar_id, event.start_time, event.seq


def _name(calendar_id: str, remote_id: str) -> str:
    return f"{calendar_id} {remote_id}"


class _Names(Mapping[str, str]):
    """The ids of events by what their platform calls them; put together for a calendar when it is first asked for."""

    def __init__(self, events_of: SortedIndex[CalendarEvent]) -> None:
        self._events_of = events_of
        self._ids: dict[str, dict[str, str]] = {}

    def __getitem__(self, name: str) -> str:
        calendar_id = name.partition(" ")[0]
        ids = self._ids.get(calendar_id)
        if ids is None:
            events = self._events_of.up((calendar_id,), (calendar_id + "\0",))
            ids = self._ids[calendar_id] = {_name(calendar_id, event.platform_uuid): event.id for event in events}
        return ids[name]

    def __iter__(self) -> Iterator[str]:
        return (_name(event.calendar_id, event.platform_uuid) for event in self._events_of)

    def __len__(self) -> int:
        return len(self._events_of)


class State:
    """The calendars and events of one project. `copy()` costs about as much as was changed, not as much as there is."""

    def __init__(
        self,
        calendars: Iterable[Calendar] = (),
        events: Iterable[CalendarEvent] = (),
        upstreams: Mapping[str, Upstream] | None = None,
        remotes: Iterable[Remote] = (),
    ) -> None:
        """`upstreams` and `remotes` are what differs from upstreams that are derived from the events."""
        by_id = {calendar.id: calendar for calendar in calendars}
        # One for all events without a bot: a list of its own would be 80 bytes in each of them.
        none: list[Json] = []
        rows = {event.id: event if event.bots else event._replace(bots=none) for event in events}
        self.calendars: Table[Calendar] = Table(by_id)
        self.calendar_ids: Table[str] = Table(
            {c.deduplication_key: c.id for c in by_id.values() if c.deduplication_key is not None}
        )
        self.listed = SortedIndex(_place, [Listed(c.created_at, c.seq, c.id) for c in by_id.values()])
        self.events: Table[CalendarEvent] = Table(rows)
        # Sorted by one thing after the other, which keeps what was equal in order: to sort a million events by pairs
        # would take a hundred megabytes for the pairs.
        in_order = sorted(rows.values(), key=attrgetter("seq"))
        by_start = sorted(in_order, key=attrgetter("start_time"))
        self.events_by: dict[EventTime, SortedIndex[CalendarEvent]] = {
            "updated_at": SortedIndex.of_sorted(_by_updated, sorted(in_order, key=attrgetter("updated_at"))),
            "start_time": SortedIndex.of_sorted(_by_start, by_start),
            "end_time": SortedIndex.of_sorted(_by_end, sorted(in_order, key=attrgetter("end_time"))),
            "created_at": SortedIndex.of_sorted(_by_created, sorted(in_order, key=attrgetter("created_at"))),
        }
        self.events_of = SortedIndex.of_sorted(_by_calendar, sorted(by_start, key=attrgetter("calendar_id")))
        self.long_events = long_events(by_start)
        self._event_ids: Table[str] = Table(_Names(self.events_of.copy()))
        self.bots = BotIndex()
        self.upstreams = Upstreams(upstreams or {}, remotes)
        self.sync_schedule = SyncSchedule(by_id)
        seqs = (*(calendar.seq for calendar in by_id.values()), *(event.seq for event in rows.values()))
        self.next_seq = 1 + max(seqs, default=0)
        self.last_write: Micros = FIRST

    def copy(self) -> State:
        """The same state again; neither sees what happens to the other."""
        copied = State.__new__(State)
        copied.calendars, copied.calendar_ids = self.calendars.copy(), self.calendar_ids.copy()
        copied.listed, copied.events = self.listed.copy(), self.events.copy()
        copied.events_by = {name: index.copy() for name, index in self.events_by.items()}
        copied.events_of, copied.long_events = self.events_of.copy(), self.long_events.copy()
        copied._event_ids, copied.bots, copied.sync_schedule = (
            self._event_ids.copy(),
            self.bots.copy(),
            self.sync_schedule.copy(),
        )
        copied.upstreams, copied.next_seq, copied.last_write = self.upstreams.copy(), self.next_seq, self.last_write
        return copied

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
        self.sync_schedule.add(calendar.id, calendar.created_at)

    def replace_calendar(self, calendar: Calendar) -> None:
        """Puts the new record of a calendar in place of the old; its id, key, seq and created_at are the same."""
        self.calendars.put(calendar.id, calendar)

    def drop_calendar(self, calendar: Calendar) -> None:
        """Takes a calendar out, its events and their scheduled bots with it, and its upstream."""
        for event in list(self.events_in(calendar.id)):
            for bot in self.bots.of_event(event.id):
                self.bots.drop(bot.id)
            self.drop_event(event)
        self.calendars.drop(calendar.id)
        self.listed.remove(Listed(calendar.created_at, calendar.seq, calendar.id))
        if calendar.deduplication_key is not None:
            self.calendar_ids.drop(calendar.deduplication_key)
        self.upstreams.drop(calendar.id)
        self.sync_schedule.drop(calendar.id)

    def put_event(self, event: CalendarEvent) -> None:
        """Adds an event, or puts it in place of the one with its id."""
        if event.id in self.events:
            self.drop_event(event)
        self.events.put(event.id, event)
        self._event_ids.put(_name(event.calendar_id, event.platform_uuid), event.id)
        for index in (*self.events_by.values(), self.events_of, self.long_events):
            index.add(event)

    def drop_event(self, event: CalendarEvent) -> None:
        """Takes the event with this event's id out."""
        stored = self.events.get(event.id)
        if stored is None:
            raise KeyError(event.id)
        self.events.drop(event.id)
        name = _name(stored.calendar_id, stored.platform_uuid)
        if self._event_ids.get(name) == event.id:
            self._event_ids.drop(name)
        for index in (*self.events_by.values(), self.events_of, self.long_events):
            index.remove(stored)

    def events_in(self, calendar_id: str) -> Iterable[CalendarEvent]:
        """The events of one calendar, the earliest first."""
        return self.events_of.up((calendar_id,), (calendar_id + "\0",))

    def events_between(self, calendar_id: str, start: Micros, stop: Micros) -> Iterable[CalendarEvent]:
        """The events of one calendar with start <= start_time < stop, the earliest first."""
        return self.events_of.up((calendar_id, start), (calendar_id, stop))

    def event_named(self, calendar_id: str, platform_uuid: str) -> CalendarEvent | None:
        """The event of a calendar that its platform calls so, or None."""
        event_id = self._event_ids.get(_name(calendar_id, platform_uuid))
        return None if event_id is None else self.events.get(event_id)

    def count_events_in(self, calendar_id: str) -> int:
        """How many events one calendar has."""
        return self.events_of.count((calendar_id,), (calendar_id + "\0",))


@dataclass(eq=False)
class Project:
    """A tenant: its keys, its subscriptions, its state, and the state that a reset brings back."""

    name: str
    api_keys: tuple[str, ...]
    disabled_api_keys: tuple[str, ...] = ()
    webhook_secret: bytes = field(default=b"", repr=False)
    subscriptions: list[Subscription] = field(default_factory=list, repr=False)
    zoom_credentials: bool = False
    """Whether its bots may join Zoom meetings; without, the service refuses to schedule them."""
    baseline: State = field(default_factory=State, repr=False)
    state: State = field(init=False, repr=False)
    clock: ProjectClock = field(default_factory=lambda: ProjectClock(WallClock()), repr=False)
    random_seed: str = "1"
    """What its ids, keys and waits are drawn from."""
    random: Random = field(default_factory=Random, repr=False)
    agenda: TaskQueue = field(default_factory=TaskQueue, repr=False)
    sync: Sync = "auto"
    started_at: Micros = 0
    """Since when its state is what it started from; in microseconds since 1970, UTC."""
    posts: deque[Micros] = field(default_factory=deque, repr=False)
    """When the POSTs that still count towards the limit were let through, oldest first."""
    deliveries: Deliveries = field(default_factory=Deliveries, repr=False)

    def __post_init__(self) -> None:
        self._first_subscriptions, self._first_sync = tuple(self.subscriptions), self.sync
        self.reset()

    def reset(self) -> None:
        """Back to the fixtures, and to the time that runs; costs the same whatever was done since."""
        self.state = self.baseline.copy()
        self.posts = deque()
        self.clock.reset()
        self.started_at = self.clock.now()
        self.random = Random(self.random_seed)
        self.task_queue = TaskQueue()
        self.subscriptions, self.sync = list(self._first_subscriptions), self._first_sync
        self.deliveries.reset()

    def begin_anew(self, baseline: State, subscriptions: Iterable[Subscription], sync: Sync) -> None:
        """Resets it to other fixtures, which later resets bring back; its clock goes on as it is."""
        self.baseline, mark = baseline, self.clock.mark()
        self._first_subscriptions, self._first_sync = tuple(subscriptions), sync
        self.reset()
        self.clock.restore(mark)
        self.started_at = self.clock.now()


class Store:
    """Every project of one mock, found by its API keys."""

    def __init__(self, projects: Iterable[Project], clock: Clock, random_seed: int) -> None:
        """The projects' clocks run with `clock`; their random numbers follow from `random_seed` and their names."""
        self.projects: list[Project] = []
        self.by_name: dict[str, Project] = {}
        self.by_key: dict[str, Project] = {}
        self._clock = clock
        self._random_seed = random_seed
        for project in projects:
            self.add(project)

    def add(self, project: Project) -> None:
        """Takes in a project, reset, whose name and keys are new."""
        project.clock = ProjectClock(self._clock)
        project.random_seed = f"{self._random_seed}/{project.name}"
        project.reset()
        self.projects.append(project)
        self.by_name[project.name] = project
        for key in project.api_keys:
            self.by_key[key] = project

    def remove(self, project: Project) -> None:
        """Removes a project: its keys are unknown from now on, and its tasks are dropped."""
        self.projects.remove(project)
        del self.by_name[project.name]
        for key in project.api_keys:
            del self.by_key[key]
        project.begin_anew(State(), (), "manual")


def new_id(prefix: str, random: Random) -> str:
    """An object id as the service makes them, e.g. cal_abcdef1234567890."""
    return f"{prefix}_{''.join(random.choices(ALPHABET, k=16))}"


def write_time(project: Project, after: Micros = FIRST) -> Micros:
    """Now in the project, never the same instant twice and later than `after`: what a write is stamped with."""
    state, now = project.state, project.clock.now()
    state.last_write = now if now > state.last_write else state.last_write + 1
    at = state.last_write
    return at if after < at <= LAST else min(max(at, after + 1), LAST)
