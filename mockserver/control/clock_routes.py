"""Control routes of a project's time: its clock, its task queue, and running what is due."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any, Final

from mockserver.control.errors import Refused
from mockserver.control.request import moment, span
from mockserver.control.routes import Call, Reply, Route
from mockserver.delivery.worker import Worker
from mockserver.domain.activity import Activity
from mockserver.domain.clock import EARLIEST, LATEST
from mockserver.domain.model import Micros
from mockserver.domain.store import Project
from mockserver.domain.task_queue import Task
from mockserver.domain.timestamps import SECOND, render

LONGEST: Final = 3660 * 86_400 * SECOND
"""How far a clock may be advanced at a time; everything that falls due on the way is done."""
_MOST_TASKS: Final = 1000


class ClockRoutes:
    """Shows and moves the projects' clocks."""

    def __init__(self, worker: Worker) -> None:
        """`worker` does what falls due."""
        self._worker = worker

    def routes(self) -> list[Route]:
        """The routes of this group."""
        clock, to, by = "/__mock__/clock", frozenset({"to"}), frozenset({"by"})
        return [
            Route("GET", clock, self._show),
            Route("POST", f"{clock}/freeze", self._freeze),
            Route("POST", f"{clock}/run", self._run),
            Route("POST", f"{clock}/set", self._set, fields=to, required=to),
            Route("POST", f"{clock}/advance", self._advance, fields=by, required=by),
            Route("POST", "/__mock__/settle", self._settle),
            Route("GET", "/__mock__/agenda", self._agenda),
        ]

    async def _show(self, call: Call) -> Reply:
        return Reply(200, _clock(call.project))

    async def _freeze(self, call: Call) -> Reply:
        call.project.clock.freeze()
        return self._moved(call.project)

    async def _run(self, call: Call) -> Reply:
        call.project.clock.run()
        return self._moved(call.project)

    async def _set(self, call: Call) -> Reply:
        project = call.project
        now = project.clock.now()
        to = moment("to", call.body["to"], now)
        if to < EARLIEST:
            fix = f"a clock shows times from {render(EARLIEST)} to {render(LATEST)}"
            raise Refused("to", "is too early", 409, fix)
        if to >= now:
            return await self._advanced(project, "to", to - now)
        project.clock.set(to)
        # What counts towards the limit on POSTs must not lie ahead.
        project.posts = deque(at for at in project.posts if at <= to)
        return self._moved(project)

    async def _advance(self, call: Call) -> Reply:
        by = span("by", call.body["by"])
        if by < 0:
            raise Refused("by", "a clock is advanced by 0 or more", fix="move it back with POST /__mock__/clock/set")
        return await self._advanced(call.project, "by", by)

    async def _advanced(self, project: Project, field: str, micros: Micros) -> Reply:
        if micros > LONGEST:
            raise Refused(field, "is too far ahead", 409, "advance the clock by at most 3660 days at a time")
        if project.clock.now() + micros > LATEST:
            fix = f"a clock shows times from {render(EARLIEST)} to {render(LATEST)}"
            raise Refused(field, "is too far ahead", 409, fix)
        return self._moved(project, await self._worker.advance(project, micros))

    async def _settle(self, call: Call) -> Reply:
        return Reply(200, {"happened": [one.shown() for one in await self._worker.settle(call.project)]})

    async def _agenda(self, call: Call) -> Reply:
        tasks = call.project.task_queue.tasks()
        return Reply(200, {"tasks": [_task(task) for task in tasks[:_MOST_TASKS]], "count": len(tasks)})

    def _moved(self, project: Project, happened: Iterable[Activity] = ()) -> Reply:
        self._worker.wake(project)
        return Reply(200, {**_clock(project), "happened": [one.shown() for one in happened]})


def _clock(project: Project) -> dict[str, Any]:
    return {"now": render(project.clock.now()), "frozen": project.clock.frozen}


def _task(task: Task) -> dict[str, Any]:
    shown = {"due": render(task.due), "kind": task.kind, "subject": task.subject}
    return {**shown, "cause": task.cause, "tried": task.number}
