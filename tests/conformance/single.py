"""Runs parts of the judge in process, on the recorded data."""

from __future__ import annotations

from random import Random
from types import ModuleType

from mockserver.api.request import App
from mockserver.app import Mock
from mockserver.conformance import every_response
from mockserver.conformance.guard import Limits
from mockserver.conformance.recorder import Watched
from mockserver.conformance.run import Run
from mockserver.conformance.targets import AsgiTarget
from mockserver.conformance.transport import Keys
from mockserver.contracts import load_contract
from mockserver.settings import Settings
from tests.clients import ACME, GLOBEX
from tests.conftest import RECORDED
from tests.mutants.mutant import Mutant

DISABLED = "acmeNBynNioY6eKvKFo7AcioMD3GRD96"


def recorded() -> Mock:
    """A mock with the recorded data."""
    return Mock(Settings(fixtures=RECORDED / "seed.json"))


def judged(app: App, *parts: ModuleType, writes: bool = True, seed: int = 0) -> Run:
    """The run of these parts on an application."""
    with AsgiTarget(app, Keys(ACME, GLOBEX, DISABLED), Limits(writes=writes, live=False)) as target:
        run = Run(target, load_contract(), random=Random(seed), share=lambda: 60.0)
        run.target = Watched(target, run, every_response.look, lambda: None)
        for part in parts:
            part.run(run)
    return run


def told(run: Run) -> list[tuple[str, str, str]]:
    """The identities of the findings."""
    return sorted(run.findings.broken)


def of(mutants: tuple[Mutant, ...], name: str) -> App:
    """The application of a mutant."""
    return next(mutant for mutant in mutants if mutant.id == name).apply(recorded())
