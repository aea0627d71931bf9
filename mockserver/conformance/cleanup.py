"""Takes away what a run made: at its end, when it is interrupted, and after it was killed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import quote, urlsplit

from mockserver.conformance.budget import Budget
from mockserver.conformance.exchange import Exchange, Key
from mockserver.conformance.guard import CALENDARS
from mockserver.conformance.ledger import Ledger, read_ledger
from mockserver.conformance.list_pages import link_of, rows_in
from mockserver.conformance.run import Stopped
from mockserver.conformance.targets import HttpTarget
from mockserver.conformance.transport import Keys, Transport

SECONDS = 60.0
Sleep: TypeAlias = Callable[[float], object]
_PAGES = 200
_TRIES = 3
_MOST_DOUBTED = 300
"""Ids that were said to be gone are asked for once more, unless there are more of them than this."""


def clean_up(target: Transport, *, seconds: float = SECONDS, sleep: Sleep = time.sleep) -> list[str]:
    """Deletes everything that the run made and sees that it is gone; gives what is left, and why.

    It has a budget of its own. Nothing is deleted but ids from answers to our own creations, and what carries the
    run's mark.
    """
    if target.ledger.started is None:
        return []
    budget, target.budget = target.budget, Budget(seconds=seconds, failures=None, sleep=sleep)
    try:
        left = _Cleaner(target).clean()
    finally:
        target.budget = budget
    if not left:
        target.ledger.close(clean=True)
    return left


def ledgers(folder: Path, url: str | None = None) -> list[Path]:
    """The ledgers in a folder, of runs on this URL or on any."""
    found = sorted(folder.glob("*.jsonl")) if folder.is_dir() else []
    wanted = []
    for path in found:
        ledger = read_ledger(path)
        if ledger is not None and (url is None or ledger.url == url.rstrip("/")):
            wanted.append(path)
    return wanted


def resumed(url: str, keys: Keys, ledger: Ledger) -> HttpTarget:
    """A target that goes on with the book of an earlier run."""
    target = HttpTarget(url, keys, writes=True, parallel=False, run=ledger.run)
    target.resume(ledger)
    return target


class _Cleaner:
    """One cleaning up."""

    def __init__(self, target: Transport) -> None:
        self._target, self._ledger = target, target.ledger
        self._left: dict[str, str] = {}

    def clean(self) -> list[str]:
        """Everything that is known first, then what has to be looked for."""
        try:
            self._take_away(self._ledger.alive)
            self._look_for_lost()
            self._walk()
            self._doubt()
            self._clear()
        except Stopped as reason:
            for name in self._ledger.alive:
                self._left.setdefault(name, f"the cleanup stopped: {reason}")
            if self._ledger.unanswered:
                self._left.setdefault("POSTs without a response", f"the cleanup stopped: {reason}")
        for name in self._ledger.doubtful:
            self._left.setdefault(
                name, "a response to a POST of this run contains this id, but the calendar has no mark of this run"
            )
        return [f"{what}: {why}" for what, why in sorted(self._left.items())]

    def _take_away(self, names: dict[str, Key]) -> None:
        for name, key in names.items():
            if key == "other" and not self._target.other_key:
                self._left[name] = "it belongs to the other project; give its key with --other-token"
            elif not self._is_gone(name, key):
                self._left[name] = "it is still there after DELETE"
            else:
                self._left.pop(name, None)

    def _is_gone(self, name: str, key: Key) -> bool:
        path = f"{CALENDARS}/{quote(name, safe='')}"
        for _ in range(_TRIES):
            self._send("DELETE", path, key)
            if self._send("GET", path, key).status == 404:
                self._ledger.took_away(name)
                return True
        return False

    def _look_for_lost(self) -> None:
        """What creations made whose outcome nobody saw, by their deduplication keys."""
        for intent in self._ledger.unanswered:
            if intent.deduplication_key is not None:
                name = quote(intent.deduplication_key.strip(), safe="")
                page = self._send("GET", f"{CALENDARS}?deduplication_key={name}", intent.key)
                self._adopt(page, intent.key)
                if page.status != 200:
                    self._left[f"POST #{intent.number}"] = f"searching for its calendar was answered {page.status}"
            elif not intent.marked and intent.status is not None and not 200 <= intent.status < 300:
                self._left[f"POST #{intent.number}"] = (
                    f"it had no mark of this run and was answered {intent.status} without an id; "
                    "no calendar with the mark of this run is left in the list (checked)"
                )

    def _walk(self) -> None:
        """The latest calendars, as long as there may be some of this run among them."""
        keys: list[Key] = ["main", "other"] if self._target.other_key else ["main"]
        used = {intent.key for intent in self._ledger.asked.values()}
        for key in keys:
            if key in used or key == "main":
                for page in self._pages(key):
                    self._adopt(page, key)

    def _pages(self, key: Key) -> Iterator[Exchange]:
        path: str | None = CALENDARS
        seen: set[str] = set()
        while path is not None and path not in seen and len(seen) < _PAGES:
            seen.add(path)
            page = self._send("GET", path, key)
            rows = rows_in(page)
            yield page
            # The list begins with the latest: what is an hour older than the run cannot be of it.
            if rows and all(_is_before(row, self._ledger.started) for row in rows):
                return
            path = _next(page)

    def _adopt(self, page: Exchange, key: Key) -> None:
        found: dict[str, Key] = {}
        for row in rows_in(page):
            if _is_marked(self._ledger, row) or row["id"] in self._ledger.made:
                self._target.adopt(row["id"], key)
                if row["id"] in self._ledger.gone:
                    self._ledger.came_back(row["id"])
                found[row["id"]] = self._ledger.made[row["id"]]
        self._take_away(found)

    def _doubt(self) -> None:
        """Asks for what was said to be gone."""
        said = [name for name in self._ledger.made if name in self._ledger.gone]
        for name in said if len(said) <= _MOST_DOUBTED else ():
            key = self._ledger.made[name]
            if key == "other" and not self._target.other_key:
                continue
            if self._send("GET", f"{CALENDARS}/{quote(name, safe='')}", key).status == 200:
                self._ledger.came_back(name)
                self._take_away({name: key})

    def _clear(self) -> None:
        """Settles what was looked for, and asks for the ids that may be somebody else's."""
        for name, key in dict(self._ledger.doubtful).items():
            if self._send("GET", f"{CALENDARS}/{quote(name, safe='')}", key).status == 404:
                self._ledger.cleared(name)
        for intent in self._ledger.unanswered:
            if f"POST #{intent.number}" not in self._left:
                self._ledger.settle(intent)

    def _send(self, method: str, path: str, key: Key) -> Exchange:
        """The exchange; another try when nothing came back. A 429 is waited for by the budget."""
        exchange = self._target.send(method, path, key=key or "main")
        for _ in range(_TRIES - 1):
            if exchange.status not in (0, 429) and exchange.status < 500:
                break
            exchange = self._target.send(method, path, key=key or "main")
        return exchange


def _next(page: Exchange) -> str | None:
    link = link_of(page.json)
    return f"{CALENDARS}?{urlsplit(link).query}" if link is not None else None


def _is_marked(ledger: Ledger, row: dict[str, Any]) -> bool:
    """Whether a calendar carries the run's mark in its deduplication key, its metadata or its client id."""
    metadata = row.get("metadata")
    texts = [row.get("deduplication_key"), row.get("client_id")]
    texts += metadata.values() if isinstance(metadata, dict) else [metadata]
    return any(isinstance(text, str) and ledger.is_marked(text) for text in texts)


def _is_before(row: dict[str, Any], started: float | None) -> bool:
    if started is None:
        return False
    earliest = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(started - 3600))
    created = row.get("created_at")
    return isinstance(created, str) and created < earliest
