"""How projects begin, begin again and end while the mock runs, with all that belongs to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from mockserver.control.faults import Faults
from mockserver.control.refusal import Refused
from mockserver.delivery.worker import Worker
from mockserver.domain.store import Project, Store
from mockserver.domain.sync_scheduler import SyncScheduler

MOST_PROJECTS = 10_000


class ProjectLifecycle:
    """Projects of one mock: those of the fixtures stay, throw-away ones come and go."""

    def __init__(
        self,
        store: Store,
        world: SyncScheduler,
        worker: Worker,
        faults: Faults,
        forget: Sequence[Callable[[str], None]],
    ) -> None:
        """`forget` is called with the name of each project that ends."""
        self._store = store
        self._world = world
        self._worker = worker
        self._faults = faults
        self._forget = forget
        self._thrown_away: set[str] = set()

    def is_throwaway(self, project: Project) -> bool:
        """Whether the project was made by a request and can be taken away by one."""
        return project.name in self._thrown_away

    def check_room(self) -> None:
        """Raises Refused when there are too many projects."""
        if len(self._store.projects) >= MOST_PROJECTS:
            raise Refused("projects", f"there are {MOST_PROJECTS} projects", 409, "delete those that are done with")

    def begin(self, project: Project) -> None:
        """Takes in a throw-away project whose name and keys are new."""
        self._store.add(project)
        self._thrown_away.add(project.name)
        self._world.rearm(project)
        self._worker.wake(project)

    def begin_again(self, project: Project) -> None:
        """After a project was reset: what it does by itself starts from there, and nothing goes wrong on purpose."""
        self._faults.clear(project.name)
        self._world.rearm(project)
        self._worker.wake(project)

    def follow_sync(self, project: Project) -> None:
        """After a project was set to sync by itself, or no more: what was not asked for by anybody is called off."""
        if project.sync == "manual":
            project.agenda.drop(lambda task: task.kind == "sync" and not task.cause.startswith("on demand"))
        self._world.rearm(project)
        self._worker.wake(project)

    def end(self, project: Project) -> None:
        """Takes a throw-away project out with all that is known of it.

        Raises Refused for a project of the fixtures.
        """
        if not self.is_throwaway(project):
            text = f"{project.name} is a project of the fixtures and stays"
            raise Refused("project", text, 409, "reset it instead")
        self._store.remove(project)
        self._thrown_away.discard(project.name)
        self._faults.clear(project.name)
        for forget in self._forget:
            forget(project.name)
        self._worker.wake(project)

    def reset_all(self) -> Iterator[None]:
        """Everything back to the fixtures: throw-away projects end, all others are reset, one with each step."""
        for project in list(self._store.projects):
            if self.is_throwaway(project):
                self.end(project)
            elif self._store.by_name.get(project.name) is project:
                project.reset()
                self.begin_again(project)
            yield
        self._faults.clear()
