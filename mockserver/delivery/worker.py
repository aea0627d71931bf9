"""Does what a project's agenda says when it falls due: by itself while the clock runs, or at once when it is moved."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, Literal, Protocol

from mockserver.delivery.dispatcher import Dispatcher, Parcel
from mockserver.domain.activity import Activity
from mockserver.domain.model import Micros
from mockserver.domain.store import Project, Store
from mockserver.domain.task_queue import Task
from mockserver.domain.timestamps import SECOND

AT_ONCE: Final = 16
"""How many deliveries of one project may be under way."""
ALL_AT_ONCE: Final = 256
"""How many deliveries of all projects may be under way."""
_LONGEST_PAUSE: Final = 60.0
"""How many seconds at most until the clock is looked at again: a machine that slept wakes up late."""
_BREATH: Final = 0.001
"""How many seconds a sync leaves to requests before the next one."""
_BREATH_AMID_WRITES: Final = 0.005
"""The same while writes come in: each may bring a sync about, and one sync takes about as long as one request."""
LONGEST_BEFORE: Final = 10.0
"""How many seconds an answer waits for the webhooks that shall come before it."""


class Performer(Protocol):
    """Does the syncs."""

    def perform(self, project: Project, task: Task) -> Activity:
        """Runs a sync that fell due; it may put more on the agenda."""
        ...


class _Lane:
    """One project in one event loop."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.runner: asyncio.Task[None] | None = None
        self.under_way: set[asyncio.Task[None]] = set()
        self.changed = asyncio.Event()
        """Set when the runner shall look again."""
        self.drivers = 0
        """How many have the project's time in their hands or wait for it; nothing is done by itself meanwhile."""
        self.turn = asyncio.Lock()

    def pause(self) -> float | None:
        """How many seconds until something is due: a clock that stands still is moved by hand or not at all."""
        clock, due = self.project.clock, self.project.agenda.next_due()
        if due is None or (clock.frozen and due > clock.now()):
            return None
        return min(max(0, due - clock.now()) / SECOND, _LONGEST_PAUSE)


class Worker:
    """Runs the agendas of all projects in the event loop that it is called in; when that loop ends, in the next."""

    def __init__(
        self,
        store: Store,
        performer: Performer | None,
        dispatcher: Dispatcher,
        *,
        first_webhook: Literal["after", "before"] = "after",
        observe: Callable[[Project, Activity], None] | None = None,
    ) -> None:
        """`observe` is called with everything that happens; `first_webhook` says on which side of its answer."""
        self._store = store
        self._performer = performer
        self._dispatcher = dispatcher
        self._first_webhook = first_webhook
        self._observe = observe
        self._closed = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lanes: dict[int, _Lane] = {}
        self._settling: set[asyncio.Task[list[Activity]]] = set()
        self._places = asyncio.Semaphore(ALL_AT_ONCE)

    def start(self) -> None:
        """Takes up every project that has something on its agenda."""
        self._closed = False
        for project in self._store.projects:
            if project.agenda:
                self.wake(project)

    def wake(self, project: Project) -> None:
        """Says that there may be something new to do, or that the clock was moved.

        To be called in the event loop's thread. Without an event loop everything stays until there is one.
        """
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        if self._closed:
            return
        lane = self._lane_in(loop, project)
        lane.changed.set()
        if lane.runner is None:
            lane.runner = loop.create_task(self._run(lane))

    async def before_answer(self, project: Project) -> None:
        """To be awaited before the answer to a create: sends its webhooks first, when that is asked for.

        It waits for at most 10 seconds, and not at all when the request comes from a receiver that is just being told.
        """
        if self._first_webhook == "after" or self._lane(project).drivers:
            return
        settling = asyncio.create_task(self._settle(project, alone=False))
        self._settling.add(settling)
        settling.add_done_callback(self._settling.discard)
        await asyncio.wait({settling}, timeout=LONGEST_BEFORE)

    async def settle(self, project: Project) -> list[Activity]:
        """Does all that is due now, and what follows from it, until there is nothing; says what happened, in order."""
        return await self._settle(project, alone=True)

    async def advance(self, project: Project, micros: Micros) -> list[Activity]:
        """Moves the project's clock on by microseconds, from one due time to the next; says what happened, in order.

        The clock stands still at each due time until all is done there. A reset ends it. Raises ValueError for a time
        that goes backwards.
        """
        if micros < 0:
            raise ValueError("a clock is advanced by 0 or more")
        happened: list[Activity] = []
        async with self._driving(project, alone=True):
            clock, epoch = project.clock, project.outbox.epoch
            ran = not clock.frozen
            clock.freeze()
            until = clock.now() + micros
            try:
                due: Micros | None = clock.now()
                while due is not None and due <= until:
                    clock.set(max(due, clock.now()))
                    await self._drain(project, happened)
                    if project.outbox.epoch != epoch:
                        return happened
                    due = project.agenda.next_due()
                clock.set(until)
            finally:
                if ran and project.outbox.epoch == epoch:
                    clock.run()
        return happened

    async def aclose(self) -> None:
        """Breaks off what is under way, which stays on the agendas; nothing of the worker is left in the event loop."""
        self._closed = True
        tasks: list[asyncio.Task[Any]] = [*self._settling]
        for lane in self._lanes.values():
            tasks += lane.under_way
            if lane.runner is not None:
                tasks.append(lane.runner)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._lanes = {}

    def _lane(self, project: Project) -> _Lane:
        return self._lane_in(asyncio.get_running_loop(), project)

    def _lane_in(self, loop: asyncio.AbstractEventLoop, project: Project) -> _Lane:
        if loop is not self._loop:
            # What was under way in another loop ended with it, and is on the agendas again.
            self._loop, self._lanes, self._places = loop, {}, asyncio.Semaphore(ALL_AT_ONCE)
        lane = self._lanes.get(id(project))
        if lane is None:
            lane = self._lanes[id(project)] = _Lane(project)
        return lane

    async def _settle(self, project: Project, *, alone: bool) -> list[Activity]:
        happened: list[Activity] = []
        async with self._driving(project, alone=alone):
            await self._drain(project, happened)
        return happened

    @asynccontextmanager
    async def _driving(self, project: Project, *, alone: bool) -> AsyncIterator[None]:
        """The project's turn; `alone` when what the runner has under way is awaited first."""
        lane = self._lane(project)
        lane.drivers += 1
        try:
            async with lane.turn:
                if alone and lane.under_way:
                    await asyncio.wait(lane.under_way)
                yield
        finally:
            lane.drivers -= 1
            lane.changed.set()
        # Not when broken off: the loop may be about to end, and a task made now would never run.
        self.wake(project)

    async def _drain(self, project: Project, happened: list[Activity]) -> None:
        """Does what is due, syncs one by one and deliveries together, and tells of it in the order of the agenda."""
        batch: list[Parcel] = []
        while True:
            task = project.agenda.take(project.clock.now()) if len(batch) < AT_ONCE else None
            taken = self._take(project, task) if task is not None and task.kind == "deliver" else None
            if isinstance(taken, Parcel):
                batch.append(taken)
                continue
            if task is None and not batch:
                return
            happened += [self._told(project, happening) for happening in await self._dispatcher.carry(batch)]
            batch = []
            if taken is not None:
                happened.append(taken)
            elif task is not None and task.kind == "sync":
                happened.append(self._perform(project, task))
            await asyncio.sleep(0)

    async def _run(self, lane: _Lane) -> None:
        """Does what falls due by itself, one thing a turn of the loop, until there is nothing to wait for."""
        project = lane.project
        try:
            while not self._closed:
                written = lane.changed.is_set()
                lane.changed.clear()
                pause: float | None = None
                if not lane.drivers and len(lane.under_way) < AT_ONCE:
                    task = project.agenda.take(project.clock.now())
                    if task is not None:
                        self._do(lane, task)
                        breath = _BREATH_AMID_WRITES if written else _BREATH
                        await asyncio.sleep(breath if task.kind == "sync" else 0)
                        continue
                    pause = lane.pause()
                    if pause is None and not lane.under_way:
                        return
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await lane.changed.wait()
        finally:
            lane.runner = None
            if not lane.drivers and not lane.under_way and self._lanes.get(id(project)) is lane:
                del self._lanes[id(project)]

    def _do(self, lane: _Lane, task: Task) -> None:
        if task.kind == "sync":
            self._perform(lane.project, task)
            return
        taken = self._take(lane.project, task)
        if not isinstance(taken, Parcel):
            return
        sending = asyncio.create_task(self._send(taken))
        lane.under_way.add(sending)

        def sent(done: asyncio.Task[None]) -> None:
            lane.under_way.discard(done)
            if done.cancelled():
                # It may never have begun, and so could not see to this itself.
                self._dispatcher.put_back(taken)
            lane.changed.set()

        sending.add_done_callback(sent)

    async def _send(self, parcel: Parcel) -> None:
        for happening in await self._dispatcher.carry([parcel], self._places):
            self._told(parcel.project, happening)

    def _take(self, project: Project, task: Task) -> Parcel | Activity | None:
        taken = self._dispatcher.take(project, task)
        return self._told(project, taken) if isinstance(taken, Activity) else taken

    def _perform(self, project: Project, task: Task) -> Activity:
        assert self._performer is not None
        return self._told(project, self._performer.perform(project, task))

    def _told(self, project: Project, happening: Activity) -> Activity:
        if self._observe is not None:
            self._observe(project, happening)
        return happening
