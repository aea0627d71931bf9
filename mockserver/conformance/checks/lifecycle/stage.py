"""Where a journey plays: what calendars should be, what was made, and what is taken down again.

What they should be is written from the contract and the recordings alone, not from any implementation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeAlias

from mockserver.conformance import expectations
from mockserver.conformance.calendar_bodies import VOLATILE, Body, calendar_body, created_id
from mockserver.conformance.checks import CheckContext
from mockserver.conformance.exchange import Exchange, Key
from mockserver.conformance.expectations import Expectation, every
from mockserver.conformance.guard import CALENDARS
from mockserver.conformance.listed import shows_sync
from mockserver.conformance.run import Forbidden, Run

Document: TypeAlias = dict[str, Any]

STRIPPED = ("client_id", "platform_uuid", "deduplication_key")
SENT = ("platform", "client_id", "platform_uuid", "metadata", "deduplication_key")

DEFAULTS = {
    "state": "connected",
    "connection_failure_data": None,
    "last_successful_sync_at": None,
    "last_attempted_sync_at": None,
}


@dataclass
class Calendar:
    """A calendar of ours: how it was last answered, and by what requests it came to be so."""

    document: Document
    made: Exchange
    changed: Exchange | None = None
    """The last change that was taken, or the last reading that it was gone on from."""
    project: str = "main"

    @property
    def id(self) -> str:
        """Its id."""
        return str(self.document["id"])

    @property
    def key(self) -> str | None:
        """Its deduplication key."""
        key = self.document.get("deduplication_key")
        return key if isinstance(key, str) else None

    @property
    def written(self) -> Exchange:
        """The last answer that says how it is."""
        return self.changed or self.made

    def copy(self) -> Calendar:
        """The calendar as it is now."""
        return replace(self)

    def story(self, *further: Exchange) -> list[Exchange]:
        """The requests that led here, and further ones."""
        return [self.made, *([self.changed] if self.changed else []), *further]


@dataclass
class Model:
    """The calendars of ours that should be there, the oldest first."""

    calendars: dict[str, Calendar] = field(default_factory=dict)

    def by_key(self, key: str) -> Calendar | None:
        """The calendar of the main project that has this key."""
        return next((c for c in self.calendars.values() if c.key == key and c.project == "main"), None)


def created(body: Mapping[str, Any]) -> Document:
    """The fields that a new calendar has, of those that can be sent."""
    stripped = {name: value.strip() for name in STRIPPED if isinstance(value := body.get(name), str)}
    return {name: None for name in SENT} | {name: body[name] for name in SENT if name in body} | stripped


def changed(document: Document, body: Mapping[str, Any]) -> Document:
    """What a calendar is after a change, but for updated_at."""
    return {**document, **({"metadata": body["metadata"]} if "metadata" in body else {})}


def difference(wanted: Mapping[str, Any], found: Any, *, live: bool, without: tuple[str, ...] = ()) -> str | None:
    """The first field in which an answer is not as wanted; None when it is.

    `live`: syncs may have changed what they do. Elsewhere they may as well, but only if the answer shows a sync.
    """
    if not isinstance(found, dict):
        return "id"
    passed_over = (*without, *(VOLATILE if live or shows_sync(wanted, found) else ()))
    names = [name for name in wanted if name not in passed_over]
    return next((name for name in names if name not in found or found[name] != wanted[name]), None)


class Broken(AssertionError):
    """A rule did not hold, and whoever plays wants to know at once."""


class Throttled(Exception):
    """The project has used up its POSTs for now, which is no fault."""


class Stage(CheckContext):
    """One journey's run, model and leftovers."""

    def __init__(self, run: Run, *, stop_at: tuple[str, str, str] | None = None) -> None:
        """`stop_at` is the identity of a finding: when it is met again, Broken is raised."""
        super().__init__(run)
        self.live = bool(getattr(run.target, "live", False))
        self.model = Model()
        self.strays: list[tuple[str, Key]] = []
        """Ids of calendars that there should not be, to be taken down as well."""
        self.posts = 0
        self._stop_at = stop_at

    def record(
        self,
        rule: str,
        seen: str,
        expectation: Expectation,
        *,
        operation: str,
        exchanges: Sequence[Exchange],
        field: str = "",
    ) -> bool:
        """Records a test; raises Broken for the finding that the run was to stop at."""
        holds = super().record(rule, seen, expectation, operation=operation, exchanges=exchanges, field=field)
        if not holds and self._stop_at == (rule, operation, field):
            raise Broken(rule)
        return holds

    def body(self, *layers: Body, tag: str | None = None) -> Body:
        """A good calendar with other fields laid over it."""
        return calendar_body(self.target, *layers, tag=tag)

    def change(self, shape: Body) -> Body:
        """A change with fresh credentials where it has any."""
        fresh = {name for name in ("client_secret", "refresh_token") if shape.get(name) == "secret"}
        return {**shape, **{name: self.target.secret(name) for name in sorted(fresh)}}

    def post(self, body: Body, *, key: Key = "main") -> Exchange:
        """Asks for a calendar; whatever was made will be taken down."""
        self.posts += 1
        exchange = self.target.send("POST", CALENDARS, json=body, key=key)
        if exchange.status == 429:
            raise Throttled
        made = created_id(exchange, (200, 201))
        if made is not None:
            self.strays.append((made, key))
        return exchange

    def read(self, calendar_id: str, *, key: Key = "main") -> Exchange:
        """Reads a calendar."""
        return self.get(f"{CALENDARS}/{calendar_id}", key=key)

    def write(self, method: str, calendar_id: str, body: Any = None, *, key: Key = "main") -> Exchange:
        """Changes or deletes a calendar of ours."""
        return self.target.send(method, f"{CALENDARS}/{calendar_id}", json=body, key=key)

    def pick(self, number: int) -> Calendar | None:
        """One of the calendars that should be there."""
        there = list(self.model.calendars.values())
        return there[number % len(there)] if there else None

    def drop(self, calendar: Calendar) -> None:
        """Forgets a calendar that is gone."""
        self.model.calendars.pop(calendar.id, None)
        self.strays = [stray for stray in self.strays if stray[0] != calendar.id]

    def resume(self, calendar: Calendar, found: Exchange) -> None:
        """Goes on from what the service says now, so that one fault is not told again as another."""
        if found.status == 200 and isinstance(found.json, dict) and found.json.get("id") == calendar.id:
            calendar.document, calendar.changed = found.json, found
        elif found.status == 404:
            self.drop(calendar)

    def like(self, calendar: Calendar, without: tuple[str, ...] = ()) -> Expectation:
        """The last answer shows a calendar as it was last written, but for what changes with every read."""
        written = calendar.written
        said = written.json if isinstance(written.json, dict) else {}
        names = list(without) or [name for rule, _, name in self.known_broken() if rule == "read-changes-nothing"]
        # What a creation answered wrongly is held against what it should have been: that was told already.
        mended = {n: value for n, value in calendar.document.items() if n not in names and said.get(n) != value}
        return expectations.same_document(
            written, but=[*names, *(VOLATILE if self.live else ())], synced=VOLATILE, instead=mended
        )

    def as_written(
        self,
        calendar: Calendar,
        rule: str,
        operation: str,
        cause: Sequence[Exchange] = (),
        found: Exchange | None = None,
    ) -> bool:
        """Reads a calendar, unless it was `found`, and tests whether it is as it should be.

        `cause`: what may have changed it.
        """
        if rule != "create-stored" and self.is_broken("create-stored"):
            return True
        found = found or self.read(calendar.id)
        holds = self.check(
            rule, every(expectations.status(200), self.like(calendar)), operation, calendar.story(*cause, found)
        )
        if not holds:
            self.resume(calendar, found)
        return holds

    def clear(self) -> None:
        """Deletes everything that was made."""
        strays = list(dict.fromkeys(self.strays))
        self.run.at_once([partial(self._remove, name, key) for name, key in strays])
        self.strays.clear()
        self.model.calendars.clear()

    def _remove(self, name: str, key: Key) -> None:
        with suppress(Forbidden):
            self.write("DELETE", name, key=key)
