"""A simple model of what the service does with one calendar, in plain dictionaries and without code of the mock."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

SECOND = 1_000_000
MINUTE, DAY = 60 * SECOND, 86_400 * SECOND
Object = dict[str, Any]
"""start, end, title, link, cancelled and note: all that an object says."""


@dataclass
class SimpleCalendar:
    """One calendar, what stands behind it, and what has to happen when."""

    created_at: int
    rotates: bool
    token: str = "token"
    secret: str = "secret"
    state: str = "connected"
    error: bool = False
    attempted: bool = False
    remote: dict[str, Object] = field(default_factory=dict)
    events: dict[str, Object] = field(default_factory=dict)
    """As `remote`, and: deleted, bots, and how often the event was written."""
    failure: str | None = None
    left: int | None = None
    held: str = ""
    due: list[tuple[int, str, int]] = field(default_factory=list)
    """When, why, and how many times before; in the order in which it was asked for."""
    daily: int | None = None
    requested: bool = False
    webhooks: list[str] = field(default_factory=list)

    def enqueue(self, now: int, why: str) -> None:
        self.due.append((now, why, 0))
        self.note(now)

    def note(self, now: int) -> None:
        self.requested = False
        self.daily = now + DAY

    def edited(self, now: int) -> None:
        if not self.requested:
            self.requested = True
            self.due.append((now - now % MINUTE + MINUTE, "edit", 0))

    def run(self, to: int, seen: list[tuple[int, str, int | None]]) -> None:
        """Everything that falls due up to a time; `seen` is what was seen to happen: when, what, and when again."""
        while True:
            moments = [due[0] for due in self.due] + ([self.daily] if self.daily is not None else [])
            if not moments or min(moments) > to:
                return
            now = min(moments)
            # An edit's minute may be that of the daily sync: one of them comes first, and the other is not needed.
            if self.daily == now and (all(due[0] > now for due in self.due) or seen[0][1] == "not needed"):
                self.daily = None
                if self.state == "connected":
                    self.enqueue(now, "24 h")
                continue
            due = next(due for due in self.due if due[0] == now)
            self.due.remove(due)
            if due[1] == "edit":
                if not self.requested or self.state == "disconnected":
                    assert seen.pop(0)[:2] == (now, "not needed")
                    continue
                self.note(now)
            outcome = self.sync(now)
            at, what, again = seen.pop(0)
            assert (at, what) == (now, outcome)
            assert (again is not None) == (outcome == "failed" and due[2] < 6)
            if again is not None:
                assert 0 <= again - now <= SECOND * 2 ** due[2]
                self.due.append((again, "retry", due[2] + 1))

    def sync(self, now: int) -> str:
        failure = self.failing()
        if self.rotates and failure in (None, "outage", "permission_denied"):
            self.token += "'"
        if failure in ("revoked", "permission_denied"):
            self.state, self.error = "disconnected", True
            for event in self.events.values():
                event["bots"] = []
            self.webhooks.append("calendar.state_change")
            return "disconnected"
        self.attempted = True
        if failure is not None:
            return "failed"
        before = sum(event["writes"] for event in self.events.values())
        self.read(now)
        if before != sum(event["writes"] for event in self.events.values()):
            self.webhooks.append("calendar.events_update")
        self.state, self.error = "connected", False
        return "synced"

    def failing(self) -> str | None:
        """What is wrong this time."""
        if self.failure == "revoked" and self.held != self.token:
            self.failure = None
        failure = self.failure
        if failure is not None and self.left is not None:
            self.left -= 1
            if self.left == 0:
                self.failure = None
        return failure

    def read(self, now: int) -> None:
        start, end = now - DAY, now + 28 * DAY
        # Microsoft, which rotates tokens, is asked in whole seconds. Both list what has not ended yet.
        first, last = (start - start % SECOND, end - end % SECOND) if self.rotates else (start, end)
        found = {name for name, thing in self.remote.items() if thing["start"] < last and thing["end"] > first}
        for name, event in self.events.items():
            if start <= event["start"] < end and not event["deleted"]:
                if name in self.remote:
                    found.add(name)
                else:
                    event["deleted"], event["bots"] = True, []
                    event["writes"] += 1
        for name in found:
            thing = self.remote[name]
            event = self.events.get(name, {"writes": 0, "bots": []})
            if event["writes"] and all(event[part] == thing[part] for part in thing):
                continue
            event |= {**thing, "deleted": thing["cancelled"], "writes": event["writes"] + 1}
            if event["deleted"]:
                event["bots"] = []
            elif event["link"] is not None and event["start"] >= now:
                event["bots"] = [(event["start"], event["link"]) for _ in event["bots"]]
            self.events[name] = event
