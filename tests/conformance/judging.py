"""Runs parts of the judge in process, on a mock with the recorded data or on a mutant of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from random import Random
from typing import Any

import pytest
from _pytest.mark import ParameterSet

from mockserver.api.request import App
from mockserver.app import Mock
from mockserver.conformance.checks import every_response
from mockserver.conformance.exchange import Exchange, Key
from mockserver.conformance.guard import Limits
from mockserver.conformance.recorder import Watched
from mockserver.conformance.run import Run
from mockserver.conformance.runner import Part, take
from mockserver.conformance.targets import AsgiTarget
from mockserver.conformance.transport import Keys
from mockserver.contracts import load_contract
from tests.clients import ACME, GLOBEX
from tests.mutants.mutant import Mutant
from tests.mutants.table import DISABLED, new_mock


def judged(app: App, *parts: Part, writes: bool = True, seed: int = 0) -> Run:
    """The run of these parts on an application, with the rules for every response."""
    with AsgiTarget(app, Keys(ACME, GLOBEX, DISABLED), Limits(writes=writes, live=False)) as target:
        run = Run(target, load_contract(), random=Random(seed), share=lambda: 60.0)
        run.target = Watched(target, run, every_response.look, lambda: None)
        for part in parts:
            take(run, part)
    return run


class Noted(AsgiTarget):
    """An application in this process, and everything that was sent to it."""

    def __init__(self, app: App, keys: Keys, *, writes: bool) -> None:
        super().__init__(app, keys, writes=writes)
        self.journal: list[Exchange] = []

    def send(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
        key: Key = "main",
    ) -> Exchange:
        """Sends a request and notes the exchange."""
        exchange = super().send(method, path, json=json, body=body, headers=headers, key=key)
        self.journal.append(exchange)
        return exchange


def judged_alone(
    part: Part,
    mutant: Mutant | None = None,
    *,
    key: str = ACME,
    other: str | None = GLOBEX,
    seed: int = 1,
    requests: int = 100_000,
    writes: bool = True,
) -> tuple[Run, Mock, Noted]:
    """The run of one part without the rules for every response, the mock that it ran on, and what was sent.

    The part's share is counted in requests here: how fast this machine is does not matter.
    """
    mock = new_mock()
    target = Noted(mock.asgi if mutant is None else mutant.apply(mock), Keys(key, other), writes=writes)
    run = Run(target, load_contract(), random=Random(seed), share=lambda: requests - len(target.journal))
    try:
        take(run, part)
    finally:
        target.close()
    return run, mock, target


def told(run: Run) -> list[tuple[str, str, str]]:
    """The identities of the findings."""
    return sorted(run.findings.broken)


def mutant_of(mutants: Sequence[Mutant], name: str) -> Mutant:
    """The mutant of this name."""
    return next(mutant for mutant in mutants if mutant.id == name)


def of(mutants: Sequence[Mutant], name: str) -> App:
    """The application of a mutant."""
    return mutant_of(mutants, name).apply(new_mock())


def sampled(cases: Iterable[Any], step: int = 2) -> list[ParameterSet]:
    """Cases as parameters of a test: every `step`-th, from the first, for `make test`, the others marked as long.

    For mutants, each of which costs a run of a whole part of the judge.
    """
    marks = ((), (pytest.mark.long,))
    return [
        pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=marks[number % step > 0])
        for number, case in enumerate(cases)
    ]


def calendars(mock: Mock) -> dict[str, list[str]]:
    """The calendars of every project."""
    return {
        project.name: sorted(calendar.id for calendar in project.state.calendars) for project in mock.store.projects
    }
