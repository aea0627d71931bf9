"""The mock behind a receiver: sees in its journal what the receiver requests, and makes the API fail or slow."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, Final

from mockserver.coach.history import ApiCall, History
from mockserver.receiver.controls import ControlApi
from mockserver.receiver.deliveries import AuditCalendar

_FAULT: Final = "attendee-mock audit"
_MOST: Final = 1000
_NEVER: Final = 10**15 - 1
_GRACE: Final = 1.0
_ADDED: Final = 101
_CONNECTED: Final = "connected"


class NotEnoughCalendars(Exception):
    """The project has no two connected calendars."""


class MockBehind:
    """The project whose API key the receiver uses."""

    def __init__(self, controls: ControlApi, wait: float) -> None:
        """`wait` is how many seconds the receiver has for its next request."""
        self._controls = controls
        self._wait, self._grace = wait, min(wait, _GRACE)

    def calendars(self) -> tuple[AuditCalendar, AuditCalendar]:
        """Two connected calendars: one for the checks, one for webhooks that show that the receiver has got so far.

        Raises NotEnoughCalendars.
        """
        found = [
            AuditCalendar(one["id"], one["deduplication_key"], one["metadata"])
            for one in self._controls.ask("GET", "fixtures")["calendars"]
            if one["state"] == _CONNECTED
        ]
        if len(found) < 2:
            raise NotEnoughCalendars(f"the project has {len(found)} connected calendars; two are needed")
        return found[0], found[1]

    @contextlib.contextmanager
    def unchanged(self) -> Iterator[None]:
        """Puts the project's own webhooks on hold in the block, and restores its data afterwards."""
        snapshot = self._controls.ask("POST", "snapshots")["id"]
        self._controls.ask("POST", "deliveries", "hold")
        try:
            yield
        finally:
            self._controls.ask("POST", "snapshots", snapshot, "restore")
            self._controls.ask("DELETE", "snapshots", snapshot)

    def mark(self) -> int:
        """The number of the latest entry of the journal."""
        # No entry is that late: the mock need not show any.
        return int(self._controls.ask("GET", "requests", after=_NEVER)["last"])

    def since(self, mark: int, *, settled: bool = False) -> History:
        """The requests after a mark; with `settled` it waits until no more come for a second."""
        history = self._read(mark)
        while settled and self._next(history.calls[-1].number if history.calls else mark, self._grace):
            history = self._read(mark)
        return history

    def wait_for(self, calendar: AuditCalendar, mark: int, *, only: bool = False, status: str | None = None) -> bool:
        """Whether the receiver reads this calendar or its events after the mark, as soon as it does.

        With `only`, a list of the events of all calendars does not count.
        """
        while answer := self._next(mark, self._wait, status):
            history = History(answer)
            if any(reads(call, calendar, only=only) for call in history.calls):
                return True
            mark = history.calls[-1].number
        return False

    @contextlib.contextmanager
    def fault(self, **fault: Any) -> Iterator[None]:
        """A fault of all operations in the block."""
        self._controls.ask("POST", "faults", body={"name": _FAULT, "operation": "*", **fault})
        try:
            yield
        finally:
            self._controls.ask("DELETE", "faults", _FAULT)

    def add_events(self, calendar: AuditCalendar) -> None:
        """Adds more events than fit on a page, and syncs the calendar."""
        event = {"title": "Audit", "start": "1h", "duration": "5m", "times": _ADDED, "every": "10m"}
        self._controls.ask("POST", "calendars", calendar.id, "upstream", "events", body=event)
        self._controls.ask("POST", "calendars", calendar.id, "sync")

    def _read(self, mark: int) -> History:
        return History(self._controls.ask("GET", "requests", after=mark, limit=_MOST)["requests"])

    def _next(self, mark: int, wait: float, status: str | None = None) -> list[Any]:
        """The first requests after the mark, as soon as there is one."""
        query: dict[str, Any] = {
            "after": mark,
            "limit": _MOST,
            "wait": f"{wait * 1000:.0f}ms",
            "method": "GET",
            "status": status,
        }
        return list(self._controls.ask("GET", "requests", **query)["requests"])


def reads(call: ApiCall, calendar: AuditCalendar, *, only: bool) -> bool:
    """Whether a call reads the calendar or its events; with `only`, and no other calendar."""
    if call.operation not in ("getCalendar", "listCalendarEvents"):
        return False
    if call.operation == "getCalendar":
        return call.object_id == calendar.id
    asked, key = call.params.get("calendar_id"), call.params.get("calendar_deduplication_key")
    if asked is None and key is None:
        return not only
    return asked == calendar.id or (asked is None and key == calendar.deduplication_key)
