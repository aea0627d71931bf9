"""The latest exchanges and deliveries of each project; secrets are masked when entries are read."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Literal, NamedTuple

from mockserver.api.errors import BrokenRule
from mockserver.api.request import Cut, Exchange
from mockserver.control.entries import Entry, Shown, entry_of_attempt, show
from mockserver.control.errors import Refused, unknown
from mockserver.control.masking import Secrets
from mockserver.control.waits import LONGEST_WAIT, Waits
from mockserver.domain.activity import Activity
from mockserver.domain.clock import Clock
from mockserver.domain.model import Json, Micros
from mockserver.domain.store import Project, Store

KINDS = ("exchange", "delivery")
_LONGEST_PATH = 1000
_LARGE, _MANY_PROJECTS = 65_536, 100


class Bounds(NamedTuple):
    """How much is kept."""

    entries: int = 1000
    """Of one project; 0 keeps nothing."""
    size: int = 8_000_000
    """Bytes of one project's entries: bodies, headers and paths."""
    total: int = 128_000_000
    """Bytes of all projects' entries; over it a project that goes on is held to its share."""
    body: int = 65_536
    """Bytes of one body, or of one request's headers; what is longer is cut."""


class Filter(NamedTuple):
    """Which entries are wanted; None wants all. A delivery has no path and no operation."""

    method: str | None = None
    path: str | None = None
    """The path without its query; * stands for any characters."""
    operation: str | None = None
    status: str | None = None
    """A status, or a class of them such as 4xx; 0 is an exchange that had no answer."""
    since: int = 0
    """Only entries with a higher number."""
    kind: str | None = None

    def takes(self, entry: Entry | Note) -> bool:
        """Whether the entry is wanted; a note of the timeline never is."""
        if isinstance(entry, Note):
            return False
        if entry.number <= self.since:
            return False
        if isinstance(entry, Exchange):
            return self.kind != "delivery" and self._takes_exchange(entry)
        asks_of_exchanges = self.kind == "exchange" or self.path is not None or self.operation is not None
        return not asks_of_exchanges and self.method in (None, "POST") and self._takes_status(entry.status)

    def takes_shown(self, shown: Shown) -> bool:
        """Whether the path and status of a shown entry are wanted."""
        path_fits = self.path is None or fnmatchcase(shown.get("path", ""), self.path)
        return path_fits and self._takes_status(shown["status"])

    def _takes_exchange(self, entry: Exchange) -> bool:
        return (
            (self.operation is None or entry.operation == self.operation)
            and (self.method is None or entry.method == self.method)
            and self._takes_status(entry.status)
            and (self.path is None or fnmatchcase(entry.path, self.path))
        )

    def _takes_status(self, status: int | None) -> bool:
        if self.status is None:
            return True
        text = str(status or 0)
        return text == self.status or f"{text[0]}xx" == self.status


class Found(NamedTuple):
    """Entries of a journal, oldest first, and how many were forgotten since it began or was last cleared."""

    entries: list[Shown]
    evicted: int


class Refusal(NamedTuple):
    """Why an exchange was refused, in parts."""

    broken: tuple[BrokenRule, ...]
    """The rules that fields and parameters broke."""
    off_contract: bool
    """Whether the mock's own answer broke the contract."""


class Note(NamedTuple):
    """A sync or a control action: what a timeline shows between the entries."""

    number: int
    """Of all notes of a mock, in order."""
    after: int
    """The number of the latest entry of all at that time."""
    at: Micros
    kind: Literal["sync", "action"]
    calendar: str | None
    what: str
    """The outcome of a sync; the method and template of an action."""
    detail: Mapping[str, Json]


_MOST_NOTES = 2000
"""Of one project."""


class Journal:
    """The latest entries of one project, or of the exchanges that no project's key came with."""

    def __init__(self) -> None:
        self.entries: deque[Entry] = deque()
        self.notes: deque[Note] = deque(maxlen=_MOST_NOTES)
        self.size = 0
        self.evicted = 0


class Journals:
    """Every journal of one mock, numbered together; None names the journal of requests without a known key."""

    def __init__(self, store: Store, clock: Clock, bounds: Bounds | None = None, waits: Waits | None = None) -> None:
        """`store` has the projects with their keys and secrets; `clock` tells the time of entries without a project.

        `waits` are those of the whole mock.
        """
        self._store = store
        self.secrets = Secrets(store)
        self._waits = waits or Waits()
        self._clock = clock
        self._bounds = bounds or Bounds()
        self._journals: dict[str | None, Journal] = {None: Journal()}
        self._size = 0
        self._number = 0
        self._notes = 0

    @property
    def last(self) -> int:
        """The number of the latest entry of all: what comes from now on has a higher one."""
        return self._number

    def record(self, entry: Entry) -> None:
        """Adds an exchange or a delivery to the journal of its project; it costs about a microsecond."""
        project = entry.project
        if project is None:
            project = entry.project = self._owner(entry)
        if project is None:
            journal, entry.at = self._journals[None], self._clock.now()
        else:
            found = self._journals.get(project.name)
            journal = found if found is not None else self._open(project.name)
            entry.at = project.clock.now()
        self._number = entry.number = self._number + 1
        size = _size(entry)
        most, most_bytes, most_of_all, most_of_one = self._bounds
        if size > most_of_one:
            size = self._shorten(entry)
        entry.size = size
        journal.entries.append(entry)
        journal.size += size
        self._size += size
        if len(journal.entries) > most or journal.size > most_bytes or self._size > most_of_all:
            self._evict(journal)
        self._waits.offer(journal, entry)

    def record_attempts(self, project: Project, activity: Activity) -> None:
        """Adds every POST of a delivery's activity; other activities have none."""
        for attempt in activity.attempts:
            self.record(entry_of_attempt(project, activity, attempt))

    def note(
        self,
        project: Project,
        kind: Literal["sync", "action"],
        calendar: str | None,
        what: str,
        detail: Mapping[str, Json],
        at: Micros,
    ) -> int:
        """Adds a note to a project's journal, for its timeline, and gives its number."""
        journal = self.topic(project.name)
        self._notes += 1
        note = Note(self._notes, self._number, at, kind, calendar, what, detail)
        journal.notes.append(note)
        self._waits.offer(journal, note)
        return note.number

    def withdraw_note(self, project: str, number: int) -> None:
        """Removes a note, if it is still there."""
        journal = self._journals.get(project)
        for note in tuple(journal.notes) if journal is not None else ():
            if journal is not None and note.number == number:
                journal.notes.remove(note)

    def topic(self, project: str) -> Journal:
        """A project's journal; whoever waits for anything in it waits for this topic."""
        return self._journals.get(project) or self._open(project)

    def is_open(self, project: str, topic: Journal) -> bool:
        """Whether the topic is still the project's journal: it is not after the project was deleted."""
        return self._journals.get(project) is topic

    @property
    def last_note(self) -> int:
        """The number of the latest note of all."""
        return self._notes

    def since(self, project: str, entry: int, note: int) -> Iterator[Entry | Note]:
        """A project's entries and notes with higher numbers than these, in the order in which they came."""
        journal = self.topic(project)
        entries, notes = tuple(journal.entries), tuple(journal.notes)
        later = deque(one for one in notes[bisect_right(notes, note, key=_number) :])
        for one in entries[bisect_right(entries, entry, key=_number) :]:
            while later and later[0].after < one.number:
                yield later.popleft()
            yield one
        yield from later

    def find(
        self, project: str | None, wanted: Filter, *, limit: int = 1000, before: int = 2**63, first: bool = False
    ) -> Found:
        """The latest entries that are asked for with a lower number than `before`, at the most `limit` of them.

        With `first` the earliest ones.
        """
        journal = self._journals.get(project) or Journal()
        found = [entry for entry in _matching(journal, wanted) if entry.number < before]
        known, most = self.secrets.known(), max(limit, 1)
        return Found([show(entry, known) for entry in (found[:most] if first else found[-most:])], journal.evicted)

    def is_large(self, project: str | None) -> bool:
        """Whether masking the entries takes long."""
        journal = self._journals.get(project)
        many = project is None and len(self._store.projects) > _MANY_PROJECTS
        return journal is not None and (many or journal.size > _LARGE)

    def entry(self, number: int) -> Shown:
        """The entry with this number, of any project, as plain data.

        Raises Refused, which says whether it was ever there.
        """
        return show(self.find_entry(number), self.secrets.known())

    def refusal(self, number: int) -> Refusal:
        """Why the exchange with this number was refused; nothing in it is secret.

        Raises Refused for a number that is no longer there, and for a delivery.
        """
        entry = self.find_entry(number)
        if not isinstance(entry, Exchange):
            raise Refused("id", f"entry {number} is a delivery; only exchanges are explained")
        masker = self.secrets.known().masker(entry.project.name if entry.project is not None else None)
        broken = [BrokenRule(name, masker.without_known(rule)) for name, rule in entry.broken]
        return Refusal(tuple(broken), entry.off_contract)

    def find_entry(self, number: int) -> Entry:
        """The entry with this number as it is kept.

        Raises Refused, which says whether it was ever there.
        """
        for journal in self._journals.values():
            for entry in tuple(journal.entries):
                if entry.number == number:
                    return entry
        if 0 < number <= self._number:
            raise Refused("id", f"entry {number} is no longer kept: it was evicted or cleared", 404)
        raise Refused("id", f"there is no entry {number}; the latest is {self._number}", 404)

    async def wait_for(
        self,
        project: str | None,
        wanted: Filter,
        timeout: float,  # noqa: ASYNC109
        at_least: int = 1,
        *,
        limit: int = 1000,
        first: bool = False,
    ) -> Found:
        """The wanted entries, as soon as there are `at_least` of them, or after `timeout` seconds.

        `limit` and `first` are those of `find`.
        Raises Refused for a wait that is too long, and when too many wait already.
        """
        if not 0 <= timeout <= LONGEST_WAIT:
            raise Refused("wait", f"wait between 0 and {LONGEST_WAIT:.0f} seconds")
        journal = self._journals.get(project) or self._open(project)
        loop = asyncio.get_running_loop()
        end = loop.time() + timeout
        # Again where what was there at first is cleared or evicted by now.
        while (missing := at_least - (there := sum(1 for _ in _matching(journal, wanted)))) > 0:
            came = await self._waits.wait(journal, wanted, max(0, end - loop.time()), missing)
            if not came and not there:
                # Nothing need be looked for: many waits may end at the same time.
                return Found([], journal.evicted)
            if len(came) < missing:
                break
        return self.find(project, wanted, limit=limit, first=first)

    def clear(self, project: str | None) -> None:
        """Forgets a project's entries and that any were evicted."""
        journal = self._journals.get(project)
        if journal is not None:
            self._size -= journal.size
            journal.entries.clear()
            journal.notes.clear()
            journal.size = journal.evicted = 0

    def drop(self, project: str) -> None:
        """Forgets the journal of a deleted project."""
        self.clear(project)
        self._journals.pop(project, None)

    def _owner(self, entry: Entry) -> Project | None:
        """The project of the key in a request that was refused before the key was checked."""
        words = dict(entry.headers).get(b"authorization", b"").decode("latin-1").split()
        return self._store.by_key.get(words[-1]) if len(words) == 2 and words[0].lower() == "token" else None

    def _open(self, project: str | None) -> Journal:
        journal = self._journals[project] = Journal()
        return journal

    def _evict(self, journal: Journal) -> None:
        bounds, entries = self._bounds, journal.entries
        most = bounds.size
        if self._size > bounds.total:
            most = min(most, bounds.total // len(self._journals))
        while entries and (len(entries) > bounds.entries or journal.size > most):
            size = entries.popleft().size
            journal.size -= size
            journal.evicted += 1
            self._size -= size

    def _shorten(self, entry: Entry) -> int:
        """Keeps the beginnings of what is too long; gives the size that is left."""
        most = self._bounds.body
        if len(entry.body) > most or len(entry.sent) > most:
            entry.cut = Cut(len(entry.body), len(entry.sent))
            entry.body, entry.sent = _beginning(entry.body, most), _beginning(entry.sent, most)
        if _long(entry.headers) > most:
            entry.headers = _first(entry.headers, most)
        if _long(entry.sent_headers) > most:
            entry.sent_headers = _first(entry.sent_headers, most)
        if isinstance(entry, Exchange) and len(entry.query) > most:
            entry.query = _beginning(entry.query, most)
        return _size(entry)


def _matching(journal: Journal, wanted: Filter) -> Iterator[Entry]:
    """The entries that a filter takes, the earliest first."""
    # A copy: over a socket the journal is read in one thread and written in another.
    entries = tuple(journal.entries)
    start = bisect_right(entries, wanted.since, key=_number)
    return (entry for entry in entries[start:] if wanted.takes(entry))


def _number(entry: Entry | Note) -> int:
    return entry.number


def _size(entry: Entry) -> int:
    """About how many bytes an entry holds that it does not share."""
    size = len(entry.body) + len(entry.sent) + _long(entry.headers)
    if type(entry) is Exchange:
        return size + len(entry.path) + len(entry.query)
    return size + _long(entry.sent_headers)


def _long(headers: Iterable[tuple[bytes, bytes]]) -> int:
    return sum([len(name) + len(value) for name, value in headers])


def _first(headers: Iterable[tuple[bytes, bytes]], most: int) -> list[tuple[bytes, bytes]]:
    """The first headers that together have at most `most` bytes."""
    kept = []
    for name, value in headers:
        most -= len(name) + len(value)
        if most < 0:
            break
        kept.append((name, value))
    return kept


def _beginning(text: bytes, most: int) -> bytes:
    """So many bytes at the most, and no piece of a word: half a secret would not be known as one."""
    if len(text) <= most:
        return text
    return text[: max(text.rfind(mark, 0, most) for mark in (b" ", b'"', b"&", b"=", b",", b"\n", b"'")) + 1]


def parse_filter(parameters: Mapping[str, str], operations: Collection[str]) -> Filter:
    """The filter that is written in a query's parameters.

    Raises Refused for a parameter that is none, and for a value that no entry can have.
    """
    for name in parameters:
        if name not in Filter._fields:
            raise unknown("parameter", name, Filter._fields)
    given = dict(parameters)
    if "operation" in given and given["operation"] not in operations:
        raise unknown("operation", given["operation"], operations)
    if "kind" in given and given["kind"] not in KINDS:
        raise unknown("kind", given["kind"], KINDS)
    since = given.pop("since", "0")
    if not (since.isascii() and since.isdecimal() and len(since) < 16):
        raise Refused("since", "write the id of a journal entry, e.g. 17")
    status = given.get("status")
    if status is not None and status != "0" and not _is_status(status):
        raise Refused("status", "write a status such as 404, a class such as 4xx, or 0 for no answer")
    if len(given.get("path", "")) > _LONGEST_PATH:
        raise Refused("path", f"is longer than {_LONGEST_PATH} characters", fix="write a shorter pattern with *")
    method = given.pop("method", None)
    # An empty method or path asks for nothing.
    asked = {name: value for name, value in given.items() if value}
    return Filter(method=method.upper() if method else None, since=int(since), **asked)


def _is_status(text: str) -> bool:
    return len(text) == 3 and text[0] in "12345" and (text[1:] == "xx" or (text.isascii() and text.isdecimal()))
