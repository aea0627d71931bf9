"""Runs the tasks of projects when they fall due: on schedule while a clock runs, or at once when it is moved."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, Literal, Protocol

from mockserver.delivery.dispatcher import Dispatcher, PreparedDelivery
from mockserver.domain.activity import Activity
from mockserver.domain.model import Micros
from mockserver.domain.store import Project, Store
from mockserver.domain.task_queue import Task
from mockserver.domain.timestamps import SECOND

AT_ONCE: Final = 16
"""How many deliveries of one project may be in flight."""
ALL_AT_ONCE: Final = 256
"""How many deliveries of all projects may be in flight."""
_LONGEST_PAUSE: Final = 60.0
"""The longest wait for a due task, in seconds: the clock jumps when the machine slept."""
_PAUSE_AFTER_SYNC: Final = 0.001
"""How many seconds requests have between two syncs."""
_PAUSE_AMID_WRITES: Final = 0.005
"""The same while writes come in: each may bring a sync about, and one sync takes about as long as one request."""
LONGEST_BEFORE: Final = 10.0
"""How many seconds a response waits for the webhooks that are sent before it."""


class SyncRunner(Protocol):
    """Runs syncs."""

    def perform(self, project: Project, task: Task) -> Activity:
        """Runs a sync that fell due; it may add tasks to the queue."""
        ...


class _ProjectWork:
    """What the worker does for one project in one event loop."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.runner: asyncio.Task[None] | None = None
        self.in_flight: set[asyncio.Task[None]] = set()
        self.changed = asyncio.Event()
        """Set when there may be something new to do."""
        self.callers = 0
        """How many calls of settle, advance and before_response run or wait; no task runs on schedule meanwhile."""
        self.turn = asyncio.Lock()

    def pause(self) -> float | None:
        """How many seconds until something is due; None when nothing will be while the clock is frozen."""
        clock, due = self.project.clock, self.project.task_queue.next_due()
        if due is None or (clock.frozen and due > clock.now()):
            return None
        return min(max(0, due - clock.now()) / SECOND, _LONGEST_PAUSE)


class Worker:
    """Runs the tasks of all projects in the event loop that it is called in; when that loop ends, in the next."""

    def __init__(
        self,
        store: Store,
        sync_runner: SyncRunner | None,
        dispatcher: Dispatcher,
        *,
        first_webhook: Literal["after", "before"] = "after",
        observe: Callable[[Project, Activity], None] | None = None,
    ) -> None:
        """`observe` is called with every activity; `first_webhook`: webhooks go out before or after a response."""
        self._store = store
        self._sync_runner = sync_runner
        self._dispatcher = dispatcher
        self._first_webhook = first_webhook
        self._observe = observe
        self._closed = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = 0
        """The thread in which that loop runs."""
        self._work_of: dict[int, _ProjectWork] = {}
        self._settling: set[asyncio.Task[list[Activity]]] = set()
        self._slots = asyncio.Semaphore(ALL_AT_ONCE)

    def start(self) -> None:
        """Starts every project that has tasks."""
        self._closed = False
        for project in self._store.projects:
            if project.task_queue:
                self.wake(project)

    def wake(self, project: Project) -> None:
        """Notes that there may be a new task, or that the clock was moved.

        To be called in the event loop's thread. Without an event loop everything stays until there is one.
        """
        loop = self._running_loop()
        if loop is None or self._closed:
            return
        work = self._work_in(loop, project)
        work.changed.set()
        if work.runner is None:
            work.runner = loop.create_task(self._run(work))

    async def before_response(self, project: Project) -> None:
        """Sends the webhooks of a create before its response, when the setting says so.

        It waits for at most 10 seconds, and not at all while deliveries are sent: the request may come from a receiver.
        """
        if self._first_webhook == "after" or self._work(project).callers:
            return
        settling = asyncio.create_task(self._settle(project, alone=False))
        self._settling.add(settling)
        settling.add_done_callback(self._settling.discard)
        await asyncio.wait({settling}, timeout=LONGEST_BEFORE)

    async def settle(self, project: Project) -> list[Activity]:
        """Runs all that is due now and what follows from it; returns the activities in order."""
        return await self._settle(project, alone=True)

    async def advance(self, project: Project, micros: Micros) -> list[Activity]:
        """Moves the project's clock on by microseconds, from one due time to the next; returns the activities in order.

        The clock is frozen at each due time until all tasks are done. A reset ends it. Raises ValueError for a time
        that goes backwards.
        """
        if micros < 0:
            raise ValueError("a clock is advanced by 0 or more")
        activities: list[Activity] = []
        async with self._exclusive(project, alone=True):
            clock, epoch = project.clock, project.deliveries.epoch
            ran = not clock.frozen
            clock.freeze()
            until = clock.now() + micros
            try:
                due: Micros | None = clock.now()
                while due is not None and due <= until:
                    clock.set(max(due, clock.now()))
                    await self._drain(project, activities)
                    if project.deliveries.epoch != epoch:
                        return activities
                    due = project.task_queue.next_due()
                clock.set(until)
            finally:
                if ran and project.deliveries.epoch == epoch:
                    clock.run()
        return activities

    async def aclose(self) -> None:
        """Cancels everything; cancelled tasks stay in their queues, and nothing is left in the event loop."""
        self._closed = True
        tasks: list[asyncio.Task[Any]] = [*self._settling]
        for work in self._work_of.values():
            tasks += work.in_flight
            if work.runner is not None:
                tasks.append(work.runner)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._work_of = {}

    def _running_loop(self) -> asyncio.AbstractEventLoop | None:
        """The event loop that runs in this thread, if one does."""
        loop = self._loop
        if loop is not None and self._thread == threading.get_ident() and loop.is_running():
            # asyncio.get_running_loop asks the system for the process's number: a tenth of the time of a PATCH.
            return loop
        try:
            return asyncio.get_running_loop()
        except RuntimeError:
            return None

    def _work(self, project: Project) -> _ProjectWork:
        return self._work_in(asyncio.get_running_loop(), project)

    def _work_in(self, loop: asyncio.AbstractEventLoop, project: Project) -> _ProjectWork:
        if loop is not self._loop:
            # What ran in another loop was cancelled with it, and is in the task queues again.
            self._loop, self._work_of, self._slots = loop, {}, asyncio.Semaphore(ALL_AT_ONCE)
            self._thread = threading.get_ident()
        work = self._work_of.get(id(project))
        if work is None:
            work = self._work_of[id(project)] = _ProjectWork(project)
        return work

    async def _settle(self, project: Project, *, alone: bool) -> list[Activity]:
        activities: list[Activity] = []
        async with self._exclusive(project, alone=alone):
            await self._drain(project, activities)
        return activities

    @asynccontextmanager
    async def _exclusive(self, project: Project, *, alone: bool) -> AsyncIterator[None]:
        """Keeps scheduled tasks from running; `alone` waits first for the deliveries that are in flight."""
        work = self._work(project)
        work.callers += 1
        try:
            async with work.turn:
                if alone and work.in_flight:
                    await asyncio.wait(work.in_flight)
                yield
        finally:
            work.callers -= 1
            work.changed.set()
        # Not when cancelled: the loop may be about to end, and a task made now would never run.
        self.wake(project)

    async def _drain(self, project: Project, activities: list[Activity]) -> None:
        """Runs what is due, syncs one by one and deliveries together; adds activities in the order of the tasks."""
        batch: list[PreparedDelivery] = []
        while True:
            task = project.task_queue.take(project.clock.now()) if len(batch) < AT_ONCE else None
            taken = self._take(project, task) if task is not None and task.kind == "deliver" else None
            if isinstance(taken, PreparedDelivery):
                batch.append(taken)
                continue
            if task is None and not batch:
                return
            activities += [self._report(project, activity) for activity in await self._dispatcher.send_all(batch)]
            batch = []
            if taken is not None:
                activities.append(taken)
            elif task is not None and task.kind == "sync":
                activities.append(self._perform(project, task))
            await asyncio.sleep(0)

    async def _run(self, work: _ProjectWork) -> None:
        """Runs tasks as they fall due, one in each turn of the loop, until there are none to wait for."""
        project = work.project
        try:
            while not self._closed:
                written = work.changed.is_set()
                work.changed.clear()
                pause: float | None = None
                if not work.callers and len(work.in_flight) < AT_ONCE:
                    task = project.task_queue.take(project.clock.now())
                    if task is not None:
                        self._do(work, task)
                        rest = _PAUSE_AMID_WRITES if written else _PAUSE_AFTER_SYNC
                        await asyncio.sleep(rest if task.kind == "sync" else 0)
                        continue
                    pause = work.pause()
                    if pause is None and not work.in_flight:
                        return
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await work.changed.wait()
        finally:
            work.runner = None
            if not work.callers and not work.in_flight and self._work_of.get(id(project)) is work:
                del self._work_of[id(project)]

    def _do(self, work: _ProjectWork, task: Task) -> None:
        if task.kind == "sync":
            self._perform(work.project, task)
            return
        taken = self._take(work.project, task)
        if not isinstance(taken, PreparedDelivery):
            return
        sending = asyncio.create_task(self._send(taken))
        work.in_flight.add(sending)

        def sent(done: asyncio.Task[None]) -> None:
            work.in_flight.discard(done)
            if done.cancelled():
                # It may never have begun, and so could not see to this itself.
                self._dispatcher.put_back(taken)
            work.changed.set()

        sending.add_done_callback(sent)

    async def _send(self, prepared: PreparedDelivery) -> None:
        for activity in await self._dispatcher.send_all([prepared], self._slots):
            self._report(prepared.project, activity)

    def _take(self, project: Project, task: Task) -> PreparedDelivery | Activity | None:
        taken = self._dispatcher.prepare(project, task)
        return self._report(project, taken) if isinstance(taken, Activity) else taken

    def _perform(self, project: Project, task: Task) -> Activity:
        assert self._sync_runner is not None
        return self._report(project, self._sync_runner.perform(project, task))

    def _report(self, project: Project, activity: Activity) -> Activity:
        if self._observe is not None:
            self._observe(project, activity)
        return activity
