"""Workers whose deliveries go nowhere, and whose syncs are counted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from mockserver.delivery.dispatcher import Dispatcher
from mockserver.delivery.http_client import SendResult
from mockserver.delivery.worker import Worker
from mockserver.domain import outbox
from mockserver.domain.activity import Activity
from mockserver.domain.clock import FixedClock
from mockserver.domain.deliveries import Delivery
from mockserver.domain.store import Project, Store
from mockserver.domain.task_queue import Task
from tests.patience import HANGS
from tests.projects import CHANGED, NOW, the_calendar

OK = SendResult(200, "", "", "", 0.0)


class Wire:
    """Sends nothing; returns the statuses that it is given, and can be made to wait."""

    def __init__(self, *answers: int) -> None:
        self._answers = list(answers)
        self.sent: list[Any] = []
        self.addresses: list[Sequence[str]] = []
        self.open = asyncio.Event()
        self.open.set()
        self.under_way = 0
        self.most_at_once = 0

    async def send(self, webhook: Any, addresses: Sequence[str] = ()) -> SendResult:
        self.under_way += 1
        self.most_at_once = max(self.under_way, self.most_at_once)
        self.sent.append(webhook)
        self.addresses.append(addresses)
        try:
            await asyncio.sleep(0)
            await self.open.wait()
        finally:
            self.under_way -= 1
        return OK._replace(status=self._answers.pop(0)) if self._answers else OK


class Syncs:
    """Stands where the simulation does: a sync tells of a change of the calendar."""

    def __init__(self) -> None:
        self.done: list[tuple[int, str]] = []

    def perform(self, project: Project, task: Task) -> Activity:
        now = project.clock.now()
        self.done.append((now, task.cause))
        outbox.enqueue(project, CHANGED, the_calendar(project))
        return Activity(now, "sync", task.subject, "success", {})


def make_worker(wire: Any, syncs: Syncs | None = None, **options: Any) -> Worker:
    dispatcher = Dispatcher(
        wire, **{name: options.pop(name) for name in ("find_fault", "public_only", "resolve") if name in options}
    )
    return Worker(Store([], FixedClock(NOW), 1), syncs, dispatcher, **options)


def tell(project: Project, times: int = 1) -> list[Delivery]:
    return [one for _ in range(times) for one in outbox.enqueue(project, CHANGED, the_calendar(project))]


def states(project: Project) -> list[str]:
    return [delivery.state for delivery in project.deliveries.select()]


async def until(true: Callable[[], bool]) -> None:
    """Lets the loop run until something holds."""
    async with asyncio.timeout(HANGS):
        while not true():
            await asyncio.sleep(0)
