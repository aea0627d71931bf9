"""Attempts at deliveries in the journal."""

from __future__ import annotations

import asyncio
from typing import Any

from mockserver.app import Mock
from mockserver.control.journal import Filter
from mockserver.domain import outbox
from mockserver.domain.store import Project
from mockserver.domain.subscriptions import TRIGGERS, Subscription
from tests.projects import CHANGED
from tests.receivers.sockets import receiving, status


def deliver(mock: Mock, code: int) -> tuple[Project, list[dict[str, Any]]]:
    """What the journal has after one webhook to a receiver that answers so."""
    project = mock.store.projects[0]
    project.clock.freeze()

    async def run() -> None:
        async with receiving(status(code)) as receiver:
            project.subscriptions[:] = [Subscription("webhook_1", f"{receiver.base}/", TRIGGERS)]
            outbox.enqueue(project, CHANGED, next(iter(project.state.calendars)))
            await mock.worker.advance(project, 3_600_000_000)
            await mock.worker.aclose()

    asyncio.run(run())
    return project, mock.journals.find(project.name, Filter()).entries


def test_every_attempt_is_written_down(mock: Mock) -> None:
    project, entries = deliver(mock, 500)
    (delivery,) = project.deliveries.select()
    assert [(entry["kind"], entry["attempt"], entry["status"]) for entry in entries] == [
        ("delivery", 1, 500),
        ("delivery", 2, 500),
        ("delivery", 3, 500),
    ]
    assert {entry["idempotency_key"] for entry in entries} == {delivery.key}
    assert entries[0]["request"]["json"]["trigger"] == CHANGED


def test_a_duplicate_is_two_attempts_and_a_dropped_one_none(mock: Mock) -> None:
    name = mock.store.projects[0].name
    mock.faults.add(name, {"kind": "webhook-duplicate"})
    assert len(deliver(mock, 200)[1]) == 2
    mock.journals.clear(name)
    mock.faults.clear(name)
    mock.faults.add(name, {"kind": "webhook-drop"})
    assert not deliver(mock, 200)[1]
