"""The only place that reads the wall clock; everything else is given a clock."""

from __future__ import annotations

import time
from typing import Protocol

from mockserver.domain.model import Micros


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> Micros:
        """Microseconds since 1970, UTC."""
        ...


class WallClock:
    """The machine's own time."""

    def now(self) -> Micros:
        """Microseconds since 1970, UTC."""
        return time.time_ns() // 1000


class FixedClock:
    """A time that only moves by hand: for tests, and for whoever wants the same answers twice."""

    def __init__(self, at: Micros) -> None:
        self.at = at

    def now(self) -> Micros:
        """The time last set, in microseconds since 1970, UTC."""
        return self.at

    def advance(self, micros: Micros) -> None:
        """Moves the time on."""
        self.at += micros
