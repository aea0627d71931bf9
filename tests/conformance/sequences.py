"""What the tests of the rules about sequences share: a mock, a mutant in it, and a part of the judge run over it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

from mockserver.api.request import App
from mockserver.app import Mock
from mockserver.conformance.exchange import Exchange, Key
from mockserver.conformance.run import Run
from mockserver.conformance.targets import AsgiTarget
from mockserver.conformance.transport import Keys
from mockserver.contracts import load_contract
from mockserver.settings import Settings
from tests.clients import ACME, GLOBEX
from tests.conftest import RECORDED
from tests.mutants.mutant import Mutant

Part = Callable[[Run], None]


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


def judged(
    part: Part,
    mutant: Mutant | None = None,
    *,
    key: str = ACME,
    other: str | None = GLOBEX,
    seed: int = 1,
    requests: int = 100_000,
    writes: bool = True,
) -> tuple[Run, Mock, Noted]:
    """The run of one part over the recorded data, the mock that it was run against, and what was sent.

    The part's share is counted in requests here: how fast this machine is does not matter.
    """
    mock = Mock(Settings(fixtures=RECORDED / "seed.json"))
    target = Noted(mock.asgi if mutant is None else mutant.apply(mock), Keys(key, other), writes=writes)
    run = Run(target, load_contract(), random=Random(seed), share=lambda: requests - len(target.journal))
    try:
        part(run)
    finally:
        target.close()
    return run, mock, target


def told(run: Run) -> set[tuple[str, str, str]]:
    """The findings of a run."""
    return set(run.findings.broken)


def mutant_of(mutants: Sequence[Mutant], name: str) -> Mutant:
    """The mutant of this name."""
    return next(mutant for mutant in mutants if mutant.id == name)


def calendars(mock: Mock) -> dict[str, list[str]]:
    """The calendars of every project."""
    return {
        project.name: sorted(calendar.id for calendar in project.state.calendars) for project in mock.store.projects
    }
