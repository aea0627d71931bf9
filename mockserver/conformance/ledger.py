"""What a run set out to make, made and took away; written down before it happens, so that a kill loses nothing."""

from __future__ import annotations

import json
import os
import re
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from mockserver.conformance.exchange import Key

_LONGEST_KEY = 2000
_Line: TypeAlias = dict[str, Any]


@dataclass
class Intent:
    """A request that was to make something."""

    number: int
    key: Key
    deduplication_key: str | None = None
    """As it was sent, if it carries the run's mark."""
    marked: bool = True
    """Whether the request carried the run's mark at all."""
    status: int | None = None
    """None: nobody saw an answer. 0: there was none."""
    ids: list[str] = field(default_factory=list)
    client_id: str = ""
    """As it was sent, if the request did not carry the run's mark."""
    at: float = 0.0
    """Seconds since 1970 on this machine's clock, before it was sent."""
    until: float | None = None
    """When its answer had come; None: nobody saw one."""


class Ledger:
    """The book of one run. Without a path it is kept in memory only."""

    def __init__(self, run: str, url: str, path: Path | None = None, *, now: Any = time.time) -> None:
        """`run` is the mark that everything of the run carries."""
        self.run, self.url, self.path = run, url, path
        self.asked: dict[int, Intent] = {}
        """Everything that was to make something, by number."""
        self.made: dict[str, Key] = {}
        """Every id that was made, and with whose key."""
        self.doubtful: dict[str, Key] = {}
        """Ids in answers to our creations that may be somebody else's: never touched."""
        self.gone: set[str] = set()
        """Ids that are known, or were said, to be gone."""
        self.unfound: set[str] = set()
        """Ids that were read after that, and not found: nobody need ask for them again."""
        self.started: float | None = None
        self.skew = 0.0
        """Seconds by which the target's clock is ahead of ours."""
        self._settled: set[int] = set()
        # Kept beside what they follow from: a run asks for them at every request.
        self._alive: dict[str, Key] = {}
        self._open: dict[int, Intent] = {}
        self._now = now
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            if not os.access(path.parent, os.W_OK):
                raise PermissionError(13, "Permission denied", str(path))
        self._lock = threading.Lock()

    @property
    def alive(self) -> dict[str, Key]:
        """What was made and not taken away."""
        return dict(self._alive)

    @property
    def unanswered(self) -> list[Intent]:
        """Creations of which it is not known whether they happened."""
        return list(self._open.values())

    @property
    def unmarked(self) -> list[Intent]:
        """Creations, refused ones as well, that gave no id and whose calendar would not carry the run's mark."""
        return [one for one in self.asked.values() if not (one.marked or one.ids or one.number in self._settled)]

    def settle(self, intent: Intent) -> None:
        """Notes that what a creation may have made was looked for."""
        with self._lock:
            self._write({"what": "settled", "n": intent.number})
            self._settle(intent.number)

    def cleared(self, name: str) -> None:
        """Notes that a doubtful id is not there."""
        with self._lock:
            self._write({"what": "cleared", "id": name})
            self.doubtful.pop(name, None)

    def intend(self, key: Key, deduplication_key: object = None, *, marked: bool = True, client_id: str = "") -> Intent:
        """Notes that something is about to be made."""
        with self._lock:
            ours = isinstance(deduplication_key, str) and self.is_marked(deduplication_key)
            text = str(deduplication_key)[:_LONGEST_KEY] if ours else None
            intent = Intent(len(self.asked) + 1, key, text, marked, client_id=client_id, at=self._now())
            if self.started is None:
                self.started = self._now()
                self._write({"what": "run", "run": self.run, "url": self.url, "at": self.started})
            self._ask(intent)
            self._write(
                {"what": "intent", "n": intent.number, "key": key, "deduplication_key": text, "marked": marked}
                | {"at": intent.at, "client_id": client_id}
            )
            return intent

    def answered(self, intent: Intent, status: int, ids: list[str], doubtful: list[str], *, skew: float = 0.0) -> None:
        """Notes what came of it; `skew`: seconds by which the target's clock is ahead of ours."""
        with self._lock:
            line = {"what": "answer", "n": intent.number, "status": status, "ids": ids, "doubtful": doubtful}
            until = self._now()
            self._write(line | {"at": until, "skew": skew})
            self._answered(intent, status, ids, doubtful)
            intent.until, self.skew = until, skew or self.skew

    def took_away(self, name: str) -> None:
        """Notes that something of ours is gone."""
        with self._lock:
            if name in self.made and name not in self.gone:
                self._write({"what": "gone", "id": name})
                self._lose(name)

    def not_found(self, name: str, key: Key) -> None:
        """Notes that something was not found with a key; with another than its own that says nothing."""
        with self._lock:
            if name in self.gone and self.made.get(name) == key:
                self.unfound.add(name)

    def came_back(self, name: str) -> None:
        """Notes that something that was said to be gone is there."""
        with self._lock:
            self.unfound.discard(name)
            self._write({"what": "back", "id": name})
            self._regain(name)

    def found(self, name: str, key: Key) -> None:
        """Notes something of ours that turned up with our mark."""
        with self._lock:
            if name not in self.made:
                self._write({"what": "found", "id": name, "key": key})
                self._find({name: key})

    def is_marked(self, text: str) -> bool:
        """Whether a text carries the run's mark, in whatever case."""
        return self.run.lower() in text.lower()

    def close(self, *, clean: bool = True) -> None:
        """The end; the file of a run of which nothing is left is taken away."""
        if self.path is None:
            return
        if clean and not self.doubtful:
            self.path.unlink(missing_ok=True)

    def _ask(self, intent: Intent) -> None:
        self.asked[intent.number] = self._open[intent.number] = intent

    def _settle(self, number: int) -> None:
        self._settled.add(number)
        self._open.pop(number, None)

    def _find(self, made: dict[str, Key]) -> None:
        self.made |= made
        self._alive |= {name: key for name, key in made.items() if name not in self.gone}

    def _lose(self, name: str) -> None:
        self.gone.add(name)
        self._alive.pop(name, None)

    def _regain(self, name: str) -> None:
        self.gone.discard(name)
        if name in self.made:
            self._alive[name] = self.made[name]

    def _answered(self, intent: Intent, status: int, ids: list[str], doubtful: list[str]) -> None:
        intent.status, intent.ids = status, ids
        if ids or 300 <= status < 500:
            self._open.pop(intent.number, None)
        self._find({name: intent.key for name in ids})
        self.doubtful |= {name: intent.key for name in doubtful}

    def _write(self, line: _Line) -> None:
        """One line, on the disk before anything else happens."""
        if self.path is None:
            return
        data = json.dumps(line).encode() + b"\n"
        handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(handle, data)
            os.fsync(handle)
        finally:
            os.close(handle)

    def read(self, line: _Line) -> None:
        """Takes up a line of the file."""
        match line:
            case {"what": "run", "at": at}:
                self.started = at
            case {"what": "intent", "n": number, "key": key, "deduplication_key": text, "marked": marked}:
                more = {"client_id": line.get("client_id", ""), "at": line.get("at", 0.0)}
                self._ask(Intent(number, key, text, marked, **more))
            case {"what": "answer", "n": number, "status": status, "ids": ids, "doubtful": doubtful}:
                self._answered(self.asked[number], status, ids, doubtful)
                self.asked[number].until, self.skew = line.get("at"), line.get("skew", 0.0) or self.skew
            case {"what": "settled", "n": number}:
                self._settle(number)
            case {"what": what, "id": name}:
                self._read_of_id(what, name, line)

    def _read_of_id(self, what: object, name: str, line: _Line) -> None:
        if what == "found":
            self._find({name: line["key"]})
        elif what == "gone":
            self._lose(name)
        elif what == "back":
            self._regain(name)
        elif what == "cleared":
            self.doubtful.pop(name, None)


def read_ledger(path: Path) -> Ledger | None:
    """The ledger of a run that ended, however it ended; None for a file that is none. A cut last line is left out."""
    lines = [line for text in path.read_bytes().split(b"\n") if (line := _parsed(text)) is not None]
    first = lines[0] if lines else {}
    if first.get("what") != "run" or not re.fullmatch(r"[0-9a-z]{8,40}", str(first.get("run"))):
        return None
    ledger = Ledger(str(first["run"]), str(first.get("url")), path)
    for line in lines:
        ledger.read(line)
    return ledger


def _parsed(text: bytes) -> _Line | None:
    try:
        line = json.loads(text)
    except ValueError:
        return None
    return line if isinstance(line, dict) else None
