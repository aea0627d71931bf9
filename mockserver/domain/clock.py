"""Clocks: the wall clock, and one for each project that can be frozen and moved."""

from __future__ import annotations

import time
from typing import Final, Protocol

from mockserver.domain.model import Micros
from mockserver.domain.timestamps import FIRST, LAST

_DAY: Final = 86_400_000_000
EARLIEST: Final[Micros] = FIRST + 31 * _DAY
LATEST: Final[Micros] = LAST + 1 - (4 * 365 + 1) * _DAY
"""A project's clock stays between these. Whatever is counted from its time is then in the years 1 to 9999 as well: a
sync looks a day back and four weeks ahead, a bot joins up to three years ahead."""


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


class ProjectClock:
    """A project's own time: it runs with another clock until it is frozen, set or advanced by hand.

    It never leaves the span from EARLIEST to LATEST: a time beyond them is the nearest of the two.
    """

    def __init__(self, base: Clock) -> None:
        self._base = base
        self._ahead: Micros = 0
        self._frozen_at: Micros | None = None

    @property
    def frozen(self) -> bool:
        """Whether it stands still."""
        return self._frozen_at is not None

    def now(self) -> Micros:
        """Microseconds since 1970, UTC."""
        at = self._base.now() + self._ahead if self._frozen_at is None else self._frozen_at
        return at if EARLIEST <= at <= LATEST else min(max(at, EARLIEST), LATEST)

    def freeze(self) -> None:
        """Stops it where it is."""
        self._frozen_at = self.now()

    def run(self) -> None:
        """Lets it run on from where it stands."""
        now = self.now()
        self._frozen_at, self._ahead = None, now - self._base.now()

    def set(self, at: Micros) -> None:
        """Moves it to a time, in microseconds since 1970, UTC; frozen stays frozen and running stays running."""
        if self._frozen_at is None:
            self._ahead = at - self._base.now()
        else:
            self._frozen_at = at

    def mark(self) -> tuple[Micros, Micros | None]:
        """How it stands to the other clock, for `restore`."""
        return self._ahead, self._frozen_at

    def restore(self, mark: tuple[Micros, Micros | None]) -> None:
        """Stands or runs as it did when the mark was taken; one that ran has run on since."""
        self._ahead, self._frozen_at = mark

    def reset(self) -> None:
        """Back to the other clock's time, running."""
        self._ahead, self._frozen_at = 0, None
