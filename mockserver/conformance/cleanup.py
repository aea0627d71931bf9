"""Takes away what a run made: at its end, when it is interrupted, and after it was killed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import quote, urlsplit

from mockserver.conformance.budget import Budget
from mockserver.conformance.connection import DIRECT, Connection
from mockserver.conformance.exchange import Exchange, Key
from mockserver.conformance.guard import BOTS, CALENDARS, path_of
from mockserver.conformance.ledger import Intent, Ledger, read_ledger
from mockserver.conformance.list_pages import link_of, rows_in
from mockserver.conformance.ownership import created_at, is_link_of
from mockserver.conformance.run import Forbidden, Stopped
from mockserver.conformance.targets import HttpTarget
from mockserver.conformance.transport import Keys, Transport

SECONDS = 60.0
Sleep: TypeAlias = Callable[[float], object]
_PAGES = 200
_TRIES = 3
_READ_AGAIN = (0.2, 0.5, 1.0, 2.0)
"""Seconds to wait before what was deleted and still shows is read again: a replica may lag behind."""
_MOST_DOUBTED = 300
"""Ids that were said to be gone are asked for once more, unless there are more of them than this."""
_SLACK = 2.0
"""Seconds by which a creation time may lie outside of its request: a Date has whole seconds."""
_UNSEEN = 60.0
"""Seconds after which a request without an answer makes nothing any more."""


def clean_up(target: Transport, *, seconds: float | None = None, sleep: Sleep = time.sleep) -> list[str]:
    """Deletes everything that the run made and sees that it is gone; gives what is left, each with the line for it.

    It has a budget of its own: `seconds`, or as long as the target's speed and the run's rate let it need. Nothing is
    deleted but ids from answers to our own creations, and what carries the run's mark. What is left is always a
    calendar that is there; what could not be looked at, because the target stopped answering, is a note of the target,
    and the ledger stays for `attendee-mock cleanup`.
    """
    if target.ledger.started is None:
        return []
    if target.died and not target.liveness.has_come_back():
        target.notes.append(_postponed(target))
        return []
    seconds = _needed(target) if seconds is None else seconds
    budget, target.budget = target.budget, Budget(seconds=seconds, rate=target.rate, failures=None, sleep=sleep)
    cleaner = _Cleaner(target, sleep)
    try:
        left = cleaner.clean()
    finally:
        target.budget = budget
    if not left and cleaner.sure:
        target.ledger.close(clean=True)
    return left


def _needed(target: Transport) -> float:
    """The seconds to allow: thrice what the requests for all calendars take, and at least a minute."""
    ledger = target.ledger
    requests = 2 * len(ledger.alive) + min(len(ledger.gone - ledger.unfound), _MOST_DOUBTED) + len(ledger.unanswered)
    each = max(target.spent / target.sent if target.sent else 0.0, 1 / target.rate if target.rate else 0.0)
    return max(SECONDS, 3 * requests * each)


def _postponed(target: Transport) -> str:
    ledger = target.ledger
    count = len(ledger.alive)
    made = f"{count} calendar{'' if count == 1 else 's'} of this run may still be there"
    if not count:
        made = "a POST without an answer may have created a calendar"
    if ledger.path is None:
        return f"{made}: {', '.join(sorted(ledger.alive)) or 'none is known by its id'}"
    return f"{made}; when the target answers again, run: attendee-mock cleanup --ledger {ledger.path}"


def ledgers(folder: Path, url: str | None = None) -> list[Path]:
    """The ledgers in a folder, of runs on this URL or on any."""
    found = sorted(folder.glob("*.jsonl")) if folder.is_dir() else []
    wanted = []
    for path in found:
        ledger = read_ledger(path)
        if ledger is not None and (url is None or ledger.url == url.rstrip("/")):
            wanted.append(path)
    return wanted


def resumed(url: str, keys: Keys, ledger: Ledger, connection: Connection = DIRECT) -> HttpTarget:
    """A target that goes on with the book of an earlier run."""
    target = HttpTarget(url, keys, writes=True, parallel=False, run=ledger.run, connection=connection)
    target.resume(ledger)
    return target


class _Cleaner:
    """One cleaning up."""

    def __init__(self, target: Transport, sleep: Sleep) -> None:
        self._target, self._ledger, self._sleep = target, target.ledger, sleep
        self._left: dict[str, str] = {}
        self._others: dict[str, tuple[dict[str, Any], Key]] = {}
        """Calendars without the run's mark that the list shows, by id."""
        self.sure = True
        """Whether everything that the run may have made was looked at."""

    def clean(self) -> list[str]:
        """Everything that is known first, then what has to be looked for."""
        try:
            self._take_away(self._ledger.alive)
            self._look_for_lost()
            self._walk()
            self._doubt()
            self._settle()
        except Stopped as reason:
            self._stop(str(reason))
        return [f"{name}: {why}; {self._line(name)}" for name, why in sorted(self._left.items())]

    def _stop(self, reason: str) -> None:
        self.sure = False
        if self._target.died:
            self._target.notes.append(_postponed(self._target))
            self._left.clear()
            return
        for name in self._ledger.alive:
            self._left.setdefault(name, f"the cleanup stopped: {reason}")
        if not self._left:
            self._unsure(f"the cleanup stopped: {reason}")

    def _unsure(self, why: str) -> None:
        self.sure = False
        again = f"; `attendee-mock cleanup --ledger {self._ledger.path}` looks again" if self._ledger.path else ""
        note = f"whether POSTs without an id created calendars is not known: {why}{again}"
        if note not in self._target.notes:
            self._target.notes.append(note)

    def _line(self, name: str) -> str:
        """The line that deletes a calendar."""
        key = self._ledger.made.get(name) or self._ledger.doubtful.get(name) or self._others.get(name, ({}, "main"))[1]
        variable = "ATTENDEE_OTHER_API_KEY" if key == "other" else "ATTENDEE_API_KEY"
        address = f"{self._ledger.url}{path_of(name)}"
        return f'curl -X DELETE -H "Authorization: Token ${variable}" {address}'

    def _take_away(self, names: Mapping[str, Key]) -> None:
        """Deletes calendars, and reads those again that still show, before any of them is called left behind."""
        waiting: dict[str, Key] = {}
        for name, key in names.items():
            if key == "other" and not self._target.other_key:
                self._left[name] = "it belongs to the other project; give its key with --other-token"
            else:
                waiting[name] = key
        waiting = self._without(waiting, self._is_deleted)
        for pause in _READ_AGAIN:
            if not waiting:
                return
            self._sleep(pause)
            waiting = self._without(self._without(waiting, self._is_gone), self._is_deleted)
        for name in waiting:
            self._left[name] = "it is still there after DELETE"

    def _without(self, names: Mapping[str, Key], is_so: Callable[[str, Key], bool]) -> dict[str, Key]:
        """The calendars of which it is not so; of a target far away several are asked for at one time."""
        asked = [partial(is_so, name, key) for name, key in names.items()]
        found: list[bool] = []
        while len(found) < len(asked):
            found += self._target.together(asked[len(found) : len(found) + self._target.at_once])
        return {name: key for (name, key), holds in zip(names.items(), found, strict=True) if not holds}

    def _is_deleted(self, name: str, key: Key) -> bool:
        self._send("DELETE", path_of(name), key)
        return self._is_gone(name, key)

    def _is_gone(self, name: str, key: Key) -> bool:
        if self._send("GET", path_of(name), key).status not in (404, 410):
            return False
        self._ledger.took_away(name)
        self._left.pop(name, None)
        return True

    def _look_for_lost(self) -> None:
        """What creations made whose outcome nobody saw, by their deduplication keys."""
        found: dict[str, Key] = {}
        for intent in self._ledger.unanswered:
            if intent.deduplication_key is not None:
                name = quote(intent.deduplication_key.strip(), safe="")
                page = self._send("GET", f"{CALENDARS}?deduplication_key={name}", intent.key)
                found |= self._ours(page, intent.key)
                if self._makes_bots:
                    found |= self._ours(self._send("GET", f"{BOTS}?deduplication_key={name}", intent.key), intent.key)
                if page.status != 200:
                    self._unsure(f"searching for the calendar of POST #{intent.number} was answered {page.status}")
        self._take_away(found)

    def _walk(self) -> None:
        """The latest calendars, as long as there may be some of this run among them."""
        keys: list[Key] = ["main", "other"] if self._target.other_key else ["main"]
        used = {intent.key for intent in self._ledger.asked.values()}
        found: dict[str, Key] = {}
        for key in keys:
            if key in used or key == "main":
                for page in self._pages(CALENDARS, key):
                    found |= self._ours(page, key)
                for page in self._pages(BOTS, key) if self._makes_bots else ():
                    found |= self._ours(page, key)
        self._take_away({name: key for name, key in found.items() if name not in self._left})

    @property
    def _makes_bots(self) -> bool:
        return any(name.startswith("bot_") for name in self._ledger.made)

    def _pages(self, listed: str, key: Key) -> Iterator[Exchange]:
        path: str | None = listed
        seen: set[str] = set()
        while path is not None and path not in seen and len(seen) < _PAGES:
            seen.add(path)
            try:
                page = self._send("GET", path, key)
            except Forbidden:
                self._unsure(f"a link of the list cannot be followed: {path[:100]!a}")
                return
            rows = rows_in(page)
            if page.status != 200:
                self._unsure(f"the list of calendars was answered {page.status}")
            yield page
            # The list of calendars begins with the latest: what is an hour older than the run cannot be of it.
            if rows and all(_is_before(row, self._ledger.started) for row in rows):
                return
            path = _next(page, listed)

    def _ours(self, page: Exchange, key: Key) -> dict[str, Key]:
        """The run's calendars on a page; the others are kept in mind."""
        found: dict[str, Key] = {}
        for row in rows_in(page):
            if _is_marked(self._ledger, row) or row["id"] in self._ledger.made:
                self._target.adopt(row["id"], key)
                if row["id"] in self._ledger.gone:
                    self._ledger.came_back(row["id"])
                found[row["id"]] = self._ledger.made[row["id"]]
            else:
                self._others[row["id"]] = row, key
        return found

    def _doubt(self) -> None:
        """Asks for what was said to be gone, and was not read since."""
        said = [name for name in self._ledger.made if name in self._ledger.gone - self._ledger.unfound]
        asked: dict[str, Key] = {}
        for name in said if len(said) <= _MOST_DOUBTED else ():
            key = self._ledger.made[name]
            if key == "other" and not self._target.other_key:
                continue
            asked[name] = key
        back = self._without(asked, self._is_not_there)
        for name in back:
            self._ledger.came_back(name)
        self._take_away(back)

    def _is_not_there(self, name: str, key: Key) -> bool:
        return self._send("GET", path_of(name), key).status != 200

    def _settle(self) -> None:
        """Names what creations without a mark may have made, of what the list shows, and closes their cases."""
        for name, key in dict(self._ledger.doubtful).items():
            found = self._send("GET", path_of(name), key)
            if found.status == 404 or (isinstance(found.json, dict) and self._is_older(found.json)):
                self._ledger.cleared(name)
            else:
                self._left[name] = (
                    "a POST of this run was answered with this id, but the calendar has no mark of this run; "
                    "if it is nobody else's, delete it"
                )
        for intent in self._ledger.unmarked:
            for name, (row, key) in self._others.items():
                if key == (intent.key or "main") and self._may_be_of(intent, row):
                    self._left[name] = (
                        f"it was created while POST #{intent.number} was answered {intent.status or 'nothing'} and has "
                        "its client_id, but no mark of this run; if it is nobody else's, delete it"
                    )
        for intent in self._ledger.unanswered if self.sure else ():
            self._ledger.settle(intent)

    def _is_older(self, row: dict[str, Any]) -> bool:
        """Whether a calendar was there before the run created anything."""
        created, started = created_at(row), self._ledger.started
        return created is not None and started is not None and created < started + self._ledger.skew - _SLACK

    def _may_be_of(self, intent: Intent, row: dict[str, Any]) -> bool:
        """Whether a creation may have made this calendar: at its time, and with the client id that it sent."""
        created, known = created_at(row), str(row.get("client_id") or "").strip().casefold()
        sent = intent.client_id.casefold()
        if created is None or (known != sent and not (known and sent.startswith(known))):
            return False
        until = intent.until if intent.until is not None and intent.status else intent.at + _UNSEEN
        skew = self._ledger.skew
        return intent.at + skew - _SLACK <= created <= until + skew + _SLACK

    def _send(self, method: str, path: str, key: Key) -> Exchange:
        """The exchange; another try when nothing came back. A 429 is waited for by the budget."""
        exchange = self._target.send(method, path, key=key or "main")
        for _ in range(_TRIES - 1):
            if exchange.status not in (0, 429) and exchange.status < 500:
                break
            exchange = self._target.send(method, path, key=key or "main")
        return exchange


def _next(page: Exchange, listed: str) -> str | None:
    """The path of the next page; None where no link leads to one."""
    link = link_of(page.json)
    try:
        query = urlsplit(link).query if link is not None else ""
    except ValueError:
        return None
    return f"{listed}?{query}" if query else None


def _is_marked(ledger: Ledger, row: dict[str, Any]) -> bool:
    """Whether a calendar or bot carries the run's mark in its deduplication key, metadata, client id or link."""
    metadata = row.get("metadata")
    texts = [row.get("deduplication_key"), row.get("client_id")]
    texts += metadata.values() if isinstance(metadata, dict) else [metadata]
    link = str(row.get("meeting_url"))
    return any(isinstance(text, str) and ledger.is_marked(text) for text in texts) or is_link_of(ledger.run, link)


def _is_before(row: dict[str, Any], started: float | None) -> bool:
    if started is None:
        return False
    earliest = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(started - 3600))
    created = row.get("created_at")
    return isinstance(created, str) and created < earliest
