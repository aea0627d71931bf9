"""Deployments to try the judge's safety on: what is in them, and the exact state of what is not the judge's."""

from __future__ import annotations

from typing import Any

from mockserver.api.request import App
from mockserver.app import Mock
from mockserver.conformance.asgi import AsgiWire
from mockserver.conformance.budget import Budget
from mockserver.conformance.calendar_bodies import calendar_body
from mockserver.conformance.exchange import Exchange
from mockserver.conformance.guard import CALENDARS, Reach
from mockserver.conformance.ledger import Ledger
from mockserver.conformance.targets import fresh_run
from mockserver.conformance.transport import Keys, Transport
from tests.clients import ACME, GLOBEX
from tests.mutants.table import new_mock


def staged() -> Mock:
    """A mock with calendars and events that no run made."""
    return new_mock()


def state_of(mock: Mock) -> bytes:
    """Everything that there is in all projects, field by field."""
    found = []
    for project in mock.store.projects:
        found += sorted(repr(row) for row in project.state.calendars)
        found += sorted(repr(row) for row in project.state.events)
    return "\n".join(found).encode()


def reached(app: App, reach: Reach, *, writes: bool = True, ledger: Ledger | None = None) -> Transport:
    """A target that is in process, and guarded as if it were elsewhere."""
    book = ledger or Ledger(fresh_run(), "in process")
    return Transport(
        AsgiWire(app), Keys(ACME, GLOBEX), reach, Budget(failures=None), book, writes=writes, parallel=False
    )


def create(target: Transport, **more: Any) -> Exchange:
    """Asks for a calendar."""
    return target.send("POST", CALENDARS, json=calendar_body(target, more))
