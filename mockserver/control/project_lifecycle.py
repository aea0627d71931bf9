"""How projects are created, reset, replaced and deleted while the mock runs, with all that belongs to them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from mockserver.control.errors import Refused
from mockserver.control.faults import Faults
from mockserver.delivery.worker import Worker
from mockserver.domain.store import Project, State, Store, Sync
from mockserver.domain.subscriptions import Subscription
from mockserver.domain.sync_scheduler import SyncScheduler

MOST_PROJECTS = 10_000


class ProjectLifecycle:
    """Projects of one mock: those of the fixtures stay, throw-away ones are created and deleted."""

    def __init__(
        self,
        store: Store,
        sync_scheduler: SyncScheduler,
        worker: Worker,
        faults: Faults,
        forget: Sequence[Callable[[str], None]],
    ) -> None:
        """`forget` is called with the name of each project that ends."""
        self._store = store
        self._sync_scheduler = sync_scheduler
        self._worker = worker
        self._faults = faults
        self._forget = forget
        self._throwaway: set[str] = set()

    def is_throwaway(self, project: Project) -> bool:
        """Whether the project was created by a control request and can be deleted by one."""
        return project.name in self._throwaway

    def check_room(self) -> None:
        """Raises Refused when there are too many projects."""
        if len(self._store.projects) >= MOST_PROJECTS:
            problem = f"the mock has {MOST_PROJECTS} projects, the most it can have"
            raise Refused("projects", problem, 409, "delete one that is no longer used")

    def begin(self, project: Project) -> None:
        """Adds a throw-away project whose name and keys are new."""
        self._store.add(project)
        self._throwaway.add(project.name)
        self._sync_scheduler.rearm(project)
        self._worker.wake(project)

    def reset(self, project: Project) -> None:
        """Resets a project to its fixtures and schedules its syncs anew; its faults end."""
        project.reset()
        self._start_again(project)

    def replace(self, project: Project, baseline: State, subscriptions: Iterable[Subscription], sync: Sync) -> None:
        """Replaces all data of a project, which becomes the new reset point; its faults end, its clock goes on."""
        project.begin_anew(baseline, subscriptions, sync)
        self._start_again(project)

    def _start_again(self, project: Project) -> None:
        self._faults.clear(project.name)
        self._sync_scheduler.rearm(project)
        self._worker.wake(project)

    def follow_sync(self, project: Project) -> None:
        """Applies a changed sync mode: a project that became manual drops the syncs that nobody asked for."""
        if project.sync == "manual":
            project.task_queue.drop(lambda task: task.kind == "sync" and not task.cause.startswith("on demand"))
        self._sync_scheduler.rearm(project)
        self._worker.wake(project)

    def end(self, project: Project) -> None:
        """Deletes a throw-away project and everything kept for it.

        Raises Refused for a project of the fixtures.
        """
        if not self.is_throwaway(project):
            text = f"{project.name} is a project of the fixtures and stays"
            raise Refused("project", text, 409, "reset it instead")
        self._store.remove(project)
        self._throwaway.discard(project.name)
        self._faults.clear(project.name)
        for forget in self._forget:
            forget(project.name)
        self._worker.wake(project)

    def reset_all(self) -> Iterator[None]:
        """Deletes throw-away projects and resets all others, one project with each step."""
        left = self._store.projects[::-1]
        while left:
            # Not kept until the end: to free thousands of projects at once would hold up all requests.
            project = left.pop()
            if self.is_throwaway(project):
                self.end(project)
            elif self._store.by_name.get(project.name) is project:
                self.reset(project)
            yield
        self._faults.clear()
