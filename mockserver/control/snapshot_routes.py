"""Control routes of snapshots, which are kept until the project is deleted and can be restored any number of times."""

from __future__ import annotations

from typing import Any

from mockserver.control.errors import Refused, unknown
from mockserver.control.routes import Call, Reply, Route
from mockserver.delivery.worker import Worker
from mockserver.domain import timestamps
from mockserver.domain.snapshots import Snapshot, restore, take
from mockserver.domain.store import Project

MOST_SNAPSHOTS = 20
"""How many a project may have."""


class _Shelf:
    """The snapshots of one project."""

    def __init__(self) -> None:
        self.snapshots: dict[str, Snapshot] = {}
        self.taken = 0


class SnapshotRoutes:
    """The snapshots of every project, by the projects' names."""

    def __init__(self, worker: Worker) -> None:
        """`worker` is woken after a project was restored."""
        self._worker = worker
        self._shelves: dict[str, _Shelf] = {}

    def routes(self) -> list[Route]:
        """The routes of this group."""
        every, one = "/__mock__/snapshots", "/__mock__/snapshots/{id}"
        return [
            Route("GET", every, self._list),
            Route("POST", every, self._take),
            Route("POST", f"{one}/restore", self._restore),
            Route("DELETE", one, self._delete),
        ]

    def forget(self, project: str) -> None:
        """Forgets the snapshots of a deleted project."""
        self._shelves.pop(project, None)

    async def _list(self, call: Call) -> Reply:
        kept = self._of(call.project)
        return Reply(200, {"snapshots": [_described(name, snapshot) for name, snapshot in kept.items()]})

    async def _take(self, call: Call) -> Reply:
        shelf = self._shelves.setdefault(call.project.name, _Shelf())
        if len(shelf.snapshots) >= MOST_SNAPSHOTS:
            raise Refused("snapshots", f"the project has {MOST_SNAPSHOTS} snapshots", 409, "delete one first")
        shelf.taken += 1
        name = f"snapshot_{shelf.taken}"
        shelf.snapshots[name] = take(call.project)
        return Reply(201, _described(name, shelf.snapshots[name]))

    async def _restore(self, call: Call) -> Reply:
        name, snapshot = self._find(call)
        restore(call.project, snapshot)
        self._worker.wake(call.project)
        return Reply(200, _described(name, snapshot))

    async def _delete(self, call: Call) -> Reply:
        name, _ = self._find(call)
        del self._shelves[call.project.name].snapshots[name]
        return Reply(204, b"")

    def _find(self, call: Call) -> tuple[str, Snapshot]:
        name, kept = call.names["id"], self._of(call.project)
        if name not in kept:
            refused = unknown("id", name, kept)
            refused.status = 404
            raise refused
        return name, kept[name]

    def _of(self, project: Project) -> dict[str, Snapshot]:
        shelf = self._shelves.get(project.name)
        return {} if shelf is None else shelf.snapshots


def _described(name: str, snapshot: Snapshot) -> dict[str, Any]:
    return {
        "id": name,
        "now": timestamps.render(snapshot.at),
        "calendars": snapshot.calendars,
        "events": snapshot.events,
    }
