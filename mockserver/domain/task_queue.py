"""A project's tasks in the order in which they fall due: syncs, deliveries, retries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from heapq import heapify, heappop, heappush
from typing import Literal, NamedTuple, TypeAlias

from mockserver.domain.model import Micros

TaskKind: TypeAlias = Literal["sync", "deliver"]


class Task(NamedTuple):
    """Something to do at a time; `subject` is the calendar's id of a sync, the idempotency key of a delivery."""

    due: Micros
    order: int
    """Of two tasks at one time, the one that was asked for first is done first."""
    kind: TaskKind
    subject: str
    cause: str
    """Why, in a few words for a person: `create`, `patch`, `upstream change`, `24 h`, `retry`."""
    number: int = 0
    """How many times it was tried before."""


_FEW = 64
"""Up to this number, abandoned tasks are left in the queue."""


class TaskQueue:
    """Tasks in the order in which they fall due."""

    def __init__(self) -> None:
        self._heap: list[Task] = []
        self._order = 0
        self._waiting: Counter[tuple[TaskKind, str]] = Counter()
        self._abandoned: set[tuple[TaskKind, str]] = set()
        self._strays = 0

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, due: Micros, kind: TaskKind, subject: str, cause: str, number: int = 0) -> Task:
        """Notes a task; `due` is in microseconds since 1970, UTC."""
        self._order += 1
        task = Task(due, self._order, kind, subject, cause, number)
        heappush(self._heap, task)
        self._waiting[kind, subject] += 1
        return task

    def waiting(self, kind: TaskKind, subject: str) -> int:
        """How many tasks there are of this kind for this subject."""
        return self._waiting.get((kind, subject), 0)

    def next_due(self) -> Micros | None:
        """When the next task falls due."""
        return self._heap[0].due if self._heap else None

    def take(self, now: Micros) -> Task | None:
        """The next task that is due at `now`, removed from the queue."""
        if not self._heap or self._heap[0].due > now:
            return None
        task = heappop(self._heap)
        what = task.kind, task.subject
        self._waiting[what] -= 1
        self._strays -= what in self._abandoned
        if not self._waiting[what]:
            del self._waiting[what]
            self._abandoned.discard(what)
        return task

    def put_back(self, task: Task) -> None:
        """Notes a task again that was taken and not done, in its old place."""
        heappush(self._heap, task)

    def drop(self, unwanted: Callable[[Task], bool]) -> None:
        """Takes off every task for which `unwanted` holds."""
        self._heap = [task for task in self._heap if not unwanted(task)]
        heapify(self._heap)
        self._waiting = Counter((task.kind, task.subject) for task in self._heap)
        self._abandoned &= self._waiting.keys()
        self._strays = sum(self._waiting[what] for what in self._abandoned)

    def abandon(self, kind: TaskKind, subject: str) -> None:
        """Marks tasks as not needed any more; they are removed later, many at a time."""
        what = kind, subject
        if what in self._waiting and what not in self._abandoned:
            self._abandoned.add(what)
            self._strays += self._waiting[what]
            if self._strays > _FEW and self._strays * 2 > len(self._heap):
                self.drop(lambda task: (task.kind, task.subject) in self._abandoned)

    def tasks(self) -> list[Task]:
        """Every task, in the order in which they fall due."""
        return sorted(self._heap)

    def copy(self) -> TaskQueue:
        """An independent copy."""
        copied = TaskQueue()
        copied._heap, copied._order = self._heap.copy(), self._order
        copied._waiting, copied._abandoned, copied._strays = self._waiting.copy(), self._abandoned.copy(), self._strays
        return copied
