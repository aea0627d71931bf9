"""Pairs of mocks to compare, in process."""

from __future__ import annotations

from typing import Any

from mockserver.app import Mock
from mockserver.differential.result import Result
from mockserver.differential.running import Options, run
from mockserver.differential.sides import Place
from mockserver.settings import Settings
from tests.clients import ACME
from tests.conftest import NOW
from tests.mutants.mutant import Mutant
from tests.mutants.table import SEED, mutants

KEY = "YOUR_API_KEY_HERE"
"""A key of the built-in fixtures, which are small: comparing them is quick."""
_TICK = 1_000


class TickingClock:
    """A time that moves on by a millisecond whenever somebody reads it."""

    def __init__(self) -> None:
        self._at = NOW

    def now(self) -> int:
        """Microseconds since 1970, UTC."""
        self._at += _TICK
        return self._at


def new_mock(**settings: Any) -> Mock:
    """A mock with the built-in fixtures, where no sync comes by chance."""
    return Mock(Settings(**{"sync": "manual", **settings}), clock=TickingClock())


def recorded_mock() -> Mock:
    """A mock with the recorded data, which fills several pages."""
    return new_mock(fixtures=SEED)


def place(mock: Mock, key: str = KEY) -> Place:
    """A mock as a side."""
    return Place(mock.asgi, key)


def mutant(defect: str) -> Mutant:
    """The mutant with this defect."""
    return next(one for one in mutants().values() if one.defect == defect)


def compared(defect: str, steps: int, *, recorded: bool = False, **options: Any) -> Result:
    """The mock compared with a mutant of it."""
    make, key = (recorded_mock, ACME) if recorded else (new_mock, KEY)
    broken = Place(mutant(defect).apply(make()), key)
    return run(place(make(), key), broken, Options(steps, write=True, **options))
