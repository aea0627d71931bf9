"""A project's clock: freezes it, moves it, and runs what falls due on the way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from mockserver.testing.controls import Controls

__all__ = ["ProjectClock", "Span", "as_span", "as_time"]

Span = str | timedelta
"""A length of time: a text such as 25h, 10m or 1h30m, or a timedelta."""


class ProjectClock:
    """The time of one project. It runs with the machine's time until it is frozen or moved."""

    def __init__(self, controls: Controls) -> None:
        self._controls = controls

    @property
    def now(self) -> datetime:
        """The project's time, in UTC."""
        return datetime.fromisoformat(self._controls.ask("GET", "clock")["now"])

    @property
    def frozen(self) -> bool:
        """Whether it was frozen; it then moves only with `advance` and `set`."""
        return bool(self._controls.ask("GET", "clock")["frozen"])

    def freeze(self, at: str | datetime | None = None) -> datetime:
        """Freezes the clock, at `at` if that is given; gives the time that it shows."""
        self._controls.ask("POST", "clock", "freeze")
        if at is not None:
            self.set(at)
        return self.now

    def run(self) -> None:
        """Lets the clock run on from its time."""
        self._controls.ask("POST", "clock", "run")

    def set(self, to: str | datetime) -> list[dict[str, Any]]:
        """Sets the clock to a time; gives what happened on the way to a later one, as `advance` does."""
        happened: list[dict[str, Any]] = self._controls.ask("POST", "clock", "set", body={"to": as_time(to)})[
            "happened"
        ]
        return happened

    def advance(self, by: Span) -> list[dict[str, Any]]:
        """Moves the clock on, from one due time to the next, and waits for the syncs and deliveries at each.

        Gives them in order: `at`, `what` (sync or delivery), `subject`, `outcome` and `detail`. Raises ControlError for
        a span that is none, is negative, or is longer than 3660 days.
        """
        happened: list[dict[str, Any]] = self._controls.ask("POST", "clock", "advance", body={"by": as_span(by)})[
            "happened"
        ]
        return happened


def as_time(value: str | datetime) -> str:
    """A time as the control API takes it; a datetime without a zone is in UTC."""
    if isinstance(value, datetime):
        aware = value if value.tzinfo is not None else value.replace(tzinfo=UTC)
        return aware.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value


def as_span(value: Span) -> str:
    """A span as the control API takes it, in whole milliseconds."""
    return f"{value // timedelta(milliseconds=1)}ms" if isinstance(value, timedelta) else value
