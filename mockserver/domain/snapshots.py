"""Takes and restores snapshots of a project; either costs about as much as was changed."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from mockserver.domain.deliveries import Deliveries
from mockserver.domain.model import Micros
from mockserver.domain.store import Project, State, Sync
from mockserver.domain.subscriptions import Subscription
from mockserver.domain.task_queue import TaskQueue


@dataclass(frozen=True)
class Snapshot:
    """What a project was. `at` is its own time then, in microseconds since 1970, UTC."""

    at: Micros
    calendars: int
    events: int
    state: State = field(repr=False)
    task_queue: TaskQueue = field(repr=False)
    deliveries: Deliveries = field(repr=False)
    subscriptions: tuple[Subscription, ...] = field(repr=False)
    clock: tuple[Micros, Micros | None] = field(repr=False)
    random: Any = field(repr=False)
    posts: tuple[Micros, ...] = field(repr=False)
    sync: Sync
    started_at: Micros


def take(project: Project) -> Snapshot:
    """The project as it is now. A delivery that is just being sent is one that still has to be sent."""
    deliveries, task_queue = project.deliveries.copy(), project.task_queue.copy()
    for delivery in deliveries.stop_sending():
        task_queue.add(delivery.due, "deliver", delivery.key, "restored", delivery.tried)
    return Snapshot(
        at=project.clock.now(),
        calendars=len(project.state.calendars),
        events=len(project.state.events),
        state=project.state.copy(),
        task_queue=task_queue,
        deliveries=deliveries,
        subscriptions=tuple(project.subscriptions),
        clock=project.clock.mark(),
        random=project.random.getstate(),
        posts=tuple(project.posts),
        sync=project.sync,
        started_at=project.started_at,
    )


def restore(project: Project, snapshot: Snapshot) -> None:
    """Makes the project what it was; a snapshot can be restored any number of times."""
    project.state = snapshot.state.copy()
    project.task_queue = snapshot.task_queue.copy()
    project.subscriptions = list(snapshot.subscriptions)
    project.clock.restore(snapshot.clock)
    project.random.setstate(snapshot.random)
    project.posts = deque(snapshot.posts)
    project.sync, project.started_at = snapshot.sync, snapshot.started_at
    project.deliveries.restore(snapshot.deliveries)
