"""One line of time of a project: its requests, deliveries, syncs and control actions, each with what caused it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, Final, NamedTuple

from mockserver.api.request import Exchange
from mockserver.control.entries import DeliveryEntry, Entry
from mockserver.control.errors import Refused
from mockserver.control.journal import Journal, Journals, Note
from mockserver.control.masking import Known
from mockserver.control.routes import Route
from mockserver.control.waits import Waits
from mockserver.domain import timestamps
from mockserver.domain.activity import Activity
from mockserver.domain.model import Micros
from mockserver.domain.secret_urls import shown_url, url_secrets
from mockserver.domain.store import Project

Item = dict[str, Any]
"""An entry of the timeline as plain data; nothing in it is secret."""

AT_ONCE: Final = 500
"""The most items of one read, and of one event of the stream."""
_FETCH_WITHIN: Final = 10 * 60 * timestamps.SECOND
"""How long after a delivery a read of its calendar counts as caused by it, on the project's clock."""
_QUIET: Final = 15.0
"""Seconds after which a stream with nothing to say says so: proxies close connections that are silent."""
_GATHER: Final = 0.05
"""Seconds between two events of a stream, so that a busy project does not send one for each request."""
_SYNC_OUTCOMES: Final = {"synced": "ok", "disconnected": "failed", "failed": "failed"}
_CALENDAR_PATH: Final = "/api/v1/calendars/"
_ACTIONS: Final = {
    "POST /__mock__/calendars/{calendar}/upstream/events": "Added an event upstream",
    "PATCH /__mock__/calendars/{calendar}/upstream/events/{id}": "Changed an event upstream",
    "DELETE /__mock__/calendars/{calendar}/upstream/events/{id}": "Deleted an event upstream",
    "POST /__mock__/calendars/{calendar}/upstream/events/{id}/cancel": "Cancelled an event upstream",
    "POST /__mock__/calendars/{calendar}/fail": "Made the remote calendar fail",
    "POST /__mock__/calendars/{calendar}/reconnect": "Reconnected the remote calendar",
    "POST /__mock__/calendars/{calendar}/sync": "Requested a sync",
    "POST /__mock__/clock/freeze": "Froze the clock",
    "POST /__mock__/clock/run": "Let the clock run",
    "POST /__mock__/clock/set": "Set the clock",
    "POST /__mock__/clock/advance": "Advanced the clock",
    "POST /__mock__/settle": "Ran the tasks that were due",
    "POST /__mock__/project/reset": "Reset the project",
    "POST /__mock__/project/sync-mode": "Changed the sync mode",
    "POST /__mock__/snapshots": "Took a snapshot",
    "POST /__mock__/snapshots/{id}/restore": "Restored a snapshot",
    "DELETE /__mock__/snapshots/{id}": "Deleted a snapshot",
    "PUT /__mock__/fixtures": "Replaced the project's data",
    "POST /__mock__/subscriptions": "Subscribed a URL",
    "PATCH /__mock__/subscriptions/{id}": "Switched a subscription",
    "DELETE /__mock__/subscriptions/{id}": "Deleted a subscription",
    "POST /__mock__/deliveries/hold": "Held all deliveries",
    "POST /__mock__/deliveries/release": "Released all deliveries",
    "POST /__mock__/deliveries/{key}/hold": "Held a delivery",
    "POST /__mock__/deliveries/{key}/release": "Released a delivery",
    "POST /__mock__/deliveries/{key}/drop": "Dropped a delivery",
    "POST /__mock__/deliveries/{key}/resend": "Resent a delivery",
    "POST /__mock__/faults": "Added a fault",
    "DELETE /__mock__/faults": "Removed every fault",
    "DELETE /__mock__/faults/{id}": "Removed a fault",
}
"""What the actions that change a project are called; those that are not here are not on the timeline."""
_TOLD: Final = ("by", "to", "failure", "for_next", "kind", "sync", "operation", "title", "name", "active")
"""The members of an action's body that are shown: none of them is secret."""


class Position(NamedTuple):
    """A place on a timeline: what comes later has a higher number of its kind."""

    entry: int = 0
    """The number of a journal entry."""
    note: int = 0
    """The number of a sync or an action."""

    def __str__(self) -> str:
        """As it stands in `after` and in the stream's ids, e.g. 17.5."""
        return f"{self.entry}.{self.note}"


class Read(NamedTuple):
    """Items in order, the position after the last of them, and whether more were there."""

    items: list[Item]
    position: Position
    more: bool


def read_position(text: str | None) -> Position:
    """The position that a text such as 17.5 names; the beginning without one.

    Raises Refused.
    """
    if text is None:
        return Position()
    entry, mark, note = text.partition(".")
    if mark and all(part.isascii() and part.isdecimal() and len(part) < 16 for part in (entry, note)):
        return Position(int(entry), int(note))
    raise Refused("after", "is not a position", fix="write `next` of an earlier answer, e.g. 17.5")


class Timelines:
    """The timelines of all projects; entries are those of the journals, syncs and actions are recorded here."""

    def __init__(
        self, journals: Journals, waits: Waits, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        """`waits` are those of the whole mock; `sleep` is what a stream pauses with, in seconds."""
        self._journals = journals
        self._waits = waits
        self._sleep = sleep

    def record_sync(self, project: Project, activity: Activity) -> None:
        """Adds a sync that was just run; other activities are in the journal or of no interest."""
        if activity.what == "sync":
            self._journals.note(project, "sync", activity.subject, activity.outcome, dict(activity.detail), activity.at)

    def begin_action(self, project: Project, route: Route, names: Mapping[str, str], body: Mapping[str, Any]) -> int:
        """Adds a control action that is about to be carried out, before all that it causes.

        Gives the number with which it can be withdrawn; 0 for an action that the timeline does not show.
        """
        what = f"{route.method} {route.template}"
        if what not in _ACTIONS or not project.name:
            return 0
        detail = {name: str(body[name])[:100] for name in _TOLD if isinstance(body.get(name), str | int | bool)}
        calendar = names.get("calendar")
        if calendar is not None:
            calendar = project.state.calendar_ids.get(calendar) or calendar
        if "key" in names:
            detail["delivery"] = names["key"][:100]
        return self._journals.note(project, "action", calendar, what, detail, project.clock.now())

    def withdraw(self, project: Project, number: int) -> None:
        """Removes an action that was refused."""
        self._journals.withdraw_note(project.name, number)

    async def read(self, project: Project, after: Position, limit: int = AT_ONCE) -> Read:
        """The first items after a position, with their causes; all of them after one that is not of this process."""
        if self.is_foreign(after):
            after = Position()
        reader, items = _Reader(self._journals, project), list[Item]()
        while True:
            read = await reader.step(after, limit - len(items))
            items += read.items
            if not read.more or len(items) == limit:
                return Read(items, read.position, read.more)
            await asyncio.sleep(0)

    def is_foreign(self, position: Position) -> bool:
        """Whether a position is of an earlier process: this one has not yet come as far."""
        return position.entry > self._journals.last or position.note > self._journals.last_note

    def check_room(self, project: Project) -> None:
        """Raises Refused if so many wait for news of the project that no stream can be added."""
        self._waits.check_room(self._journals.topic(project.name))

    async def stream(self, project: Project, after: Position, seconds: float) -> AsyncIterator[bytes]:
        """Server-sent events with the items after a position, then those to come, for so many seconds.

        It ends early when the mock stops, and when the project is deleted. The id of each event is a position. A stream
        that is resumed after a position of an earlier process begins with `restart` and shows all.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        reader, topic = _Reader(self._journals, project), self._journals.topic(project.name)
        yield b"retry: 1000\n\n"
        if self.is_foreign(after):
            after = Position()
            yield b"event: restart\ndata: {}\n\n"
        while True:
            read = await reader.step(after, AT_ONCE)
            after = read.position
            if read.items:
                yield f"event: items\nid: {after}\ndata: {json.dumps(read.items)}\n\n".encode()
            if read.more:
                await asyncio.sleep(0)
            elif (left := end - loop.time()) <= 0 or not self._journals.is_open(project.name, topic):
                return
            elif not await self._news(topic, left):
                if self._waits.closed:
                    return
                yield b": nothing new\n\n"

    async def _news(self, topic: Journal, left: float) -> bool:
        """Waits for news, at the most for `left` seconds, and then for what comes together with it."""
        came = await self._waits.wait(topic, _ANYTHING, min(left, _QUIET))
        if came:
            await self._sleep(min(left, _GATHER))
        return bool(came)


class _Anything(NamedTuple):
    def takes(self, item: object) -> bool:
        return True


_ANYTHING: Final = _Anything()


class _Reader:
    """Reads a timeline from its beginning on, and remembers what may have caused what comes next."""

    def __init__(self, journals: Journals, project: Project) -> None:
        self._journals = journals
        self._project = project
        self._seen = Position()
        self._causes = Causes()

    async def step(self, after: Position, limit: int) -> Read:
        """The next items, in a thread where masking them takes long; a step looks at `AT_ONCE` entries at the most.

        A later step must not ask for an earlier position than the one before.
        """
        if self._journals.is_large(self._project.name):
            return await asyncio.to_thread(self._read, after, limit)
        return self._read(after, limit)

    def _read(self, after: Position, limit: int) -> Read:
        known = self._journals.secrets.known()
        items: list[Item] = []
        later = self._journals.since(self._project.name, self._seen.entry, self._seen.note)
        for looked_at, one in enumerate(later):
            if len(items) == limit or looked_at == AT_ONCE:
                return Read(items, max_of(after, self._seen), more=True)
            number, is_note = one.number, isinstance(one, Note)
            is_new = number > (after.note if is_note else after.entry)
            self._seen = self._seen._replace(**{"note" if is_note else "entry": number})
            item = _note(one) if isinstance(one, Note) else _entry(one, known, self._project)
            self._causes.link(item, one.at)
            if is_new:
                items.append(item)
        return Read(items, max_of(after, self._seen), more=False)


def max_of(one: Position, other: Position) -> Position:
    """The later one in each number."""
    return Position(max(one.entry, other.entry), max(one.note, other.note))


class Causes:
    """Finds the cause of each item, which must come in order. An item without one begins a story of its own."""

    def __init__(self) -> None:
        self._stories: dict[str, str] = {}
        self._latest: dict[tuple[str, str | None], str] = {}
        self._delivered: dict[str, tuple[str, Micros, str]] = {}
        """The latest delivery about a calendar: the item, when, its trigger."""

    def link(self, item: Item, at: Micros) -> None:
        """Gives the item its `cause`, the id of an earlier item or None, and its `story`, the id of the first cause."""
        cause = self._cause(item, at)
        item["cause"] = cause
        item["story"] = self._stories[item["id"]] = self._stories.get(cause, cause) if cause else item["id"]
        self._remember(item, at)

    def _cause(self, item: Item, at: Micros) -> str | None:
        calendar = item["calendar"]
        if item["kind"] == "sync":
            return self._of_sync(item["why"], calendar)
        if item["kind"] == "delivery":
            again = self._latest.get(("resend", item["delivery"])) or self._latest.get(("attempt", item["delivery"]))
            return again or self._latest.get((f"sync {item['trigger']}", calendar))
        if item["kind"] == "exchange" and calendar is not None:
            return self._of_exchange(item, calendar, at)
        return None

    def _of_sync(self, why: str, calendar: str | None) -> str | None:
        if why in ("create", "patch"):
            return self._latest.get(("write", calendar))
        if why in ("upstream change", "reconnect", "on demand"):
            return self._latest.get(("action", calendar))
        return self._latest.get(("sync", calendar)) if why == "retry" else None

    def _of_exchange(self, item: Item, calendar: str, at: Micros) -> str | None:
        if item["operation"] == "createBot":
            return self._latest.get(("fetch", calendar))
        delivered = self._delivered.get(calendar)
        if delivered is None or at - delivered[1] > _FETCH_WITHIN:
            return None
        reads = item["method"] == "GET"
        reconnects = item["operation"] == "updateCalendar" and delivered[2] == "calendar.state_change"
        return delivered[0] if reads or reconnects else None

    def _remember(self, item: Item, at: Micros) -> None:
        if item["kind"] == "delivery" and item["outcome"] == "ok" and item["calendar"] is not None:
            self._delivered[item["calendar"]] = item["id"], at, item["trigger"]
        if item["kind"] == "delivery":
            self._latest.pop(("resend", item["delivery"]), None)
        for role, subject in _roles(item):
            self._latest[role, subject] = item["id"]


def _roles(item: Item) -> list[tuple[str, str | None]]:
    """What later items may name as their cause: a role and the calendar or delivery that it is about."""
    kind, calendar = item["kind"], item["calendar"]
    if kind == "delivery":
        return [("attempt", item["delivery"])]
    if kind == "sync":
        return [("sync", calendar), (f"sync {item['webhook']}", calendar)]
    if kind == "action":
        return [("action", calendar), ("resend", item["delivery"])]
    if item["outcome"] != "ok":
        return []
    if item["method"] == "GET":
        return [("fetch", calendar)]
    return [("write", calendar)] if item["operation"] in ("createCalendar", "updateCalendar") else []


def _note(note: Note) -> Item:
    """A sync or an action as plain data."""
    detail = note.detail
    shared = {"id": f"n{note.number}", "kind": note.kind, "time": timestamps.render(note.at), "calendar": note.calendar}
    if note.kind == "sync":
        return {
            **shared,
            "title": f"Sync: {note.what}",
            "outcome": _SYNC_OUTCOMES.get(note.what, "none"),
            "why": detail.get("cause", ""),
            "webhook": detail.get("webhook"),
            "detail": detail,
        }
    told = {name: value for name, value in detail.items() if name != "delivery"}
    title = " ".join([_ACTIONS[note.what], *([f"({', '.join(map(str, told.values()))})"] if told else [])])
    return {**shared, "title": title, "outcome": "ok", "delivery": detail.get("delivery"), "detail": told}


def _entry(entry: Entry, known: Known, project: Project) -> Item:
    """The row of a journal entry; its headers and bodies are read by its number when they are wanted."""
    shared = {"number": entry.number, "time": timestamps.render(entry.at), "status": entry.status or None}
    if isinstance(entry, DeliveryEntry):
        return {
            **shared,
            "id": f"e{entry.number}",
            "kind": "delivery",
            "calendar": entry.calendar_id,
            "title": entry.trigger,
            "outcome": "ok" if entry.status is not None and 200 <= entry.status < 300 else "failed",
            "trigger": entry.trigger,
            "delivery": entry.key,
            "attempt": entry.attempt,
            "url": known.masker(project.name, *url_secrets(entry.url)).text(shown_url(entry.url)),
            "reason": None if entry.problem is None else known.masker(project.name).text(entry.problem),
            "seconds": round(entry.seconds, 6),
            "fault": entry.fault,
        }
    masker = known.masker(project.name)
    query = masker.query(entry.query.decode("utf-8", "replace"))
    return {
        **shared,
        "id": f"e{entry.number}",
        "kind": "exchange",
        "calendar": _calendar_of(entry, project),
        "title": f"{masker.text(entry.method)} {masker.text(entry.path)}" + (f"?{query}" if query else ""),
        "outcome": _outcome(entry.status),
        "operation": entry.operation,
        "method": masker.text(entry.method),
        "reason": None if entry.reason is None else masker.without_known(entry.reason),
        "remarks": len(entry.remarks),
        "seconds": round(entry.seconds, 6),
        "fault": None if entry.fault is None else entry.fault.name,
    }


def _outcome(status: int) -> str:
    if 200 <= status < 400:
        return "ok"
    return "refused" if 400 <= status < 500 else "failed"


def _calendar_of(entry: Exchange, project: Project) -> str | None:
    """The id of the calendar that a request is about; None where it is about none, or about several."""
    if entry.operation == "createCalendar":
        return _text(_members(entry.sent), "id")
    if entry.path.startswith(_CALENDAR_PATH):
        return entry.path[len(_CALENDAR_PATH) :].strip("/").partition("/")[0] or None
    if entry.operation == "createBot":
        event = project.state.events.get(_text(_members(entry.body), "calendar_event_id") or "")
        return None if event is None else event.calendar_id
    for pair in entry.query.decode("utf-8", "replace").split("&"):
        name, _, value = pair.partition("=")
        if name == "calendar_id":
            return value[:100] or None
    return None


def _members(body: bytes) -> Mapping[str, Any]:
    """The members of a JSON object; none where the body is something else, or was cut."""
    with suppress(ValueError, RecursionError):
        value = json.loads(body)
        if isinstance(value, dict):
            return value
    return {}


def _text(members: Mapping[str, Any], name: str) -> str | None:
    value = members.get(name)
    return value if isinstance(value, str) else None
