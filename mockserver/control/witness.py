"""Sees what the mock does by itself, and keeps each calendar's latest sync."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, NamedTuple

from mockserver.domain import timestamps
from mockserver.domain.activity import Activity
from mockserver.domain.store import Project

MOST_CALENDARS = 1_000
"""Of so many calendars of a project the latest sync is kept."""


class _Seen(NamedTuple):
    """A sync, and how often the project had been reset by then."""

    epoch: int
    happening: Activity


class Witness:
    """To be told of everything that happens: the worker's `observe`, and whoever syncs on demand."""

    def __init__(self) -> None:
        self._syncs: dict[str, OrderedDict[str, _Seen]] = {}

    def see(self, project: Project, happening: Activity) -> None:
        """Takes up something that happened just now."""
        if happening.what != "sync":
            return
        syncs = self._syncs.setdefault(project.name, OrderedDict())
        syncs[happening.subject] = _Seen(project.outbox.epoch, happening)
        syncs.move_to_end(happening.subject)
        if len(syncs) > MOST_CALENDARS:
            syncs.popitem(last=False)

    def latest(self, project: Project, calendar_id: str) -> Activity | None:
        """The latest sync of a calendar since the project was made or reset; None when there was none."""
        syncs = self._syncs.get(project.name)
        seen = None if syncs is None else syncs.get(calendar_id)
        return seen.happening if seen is not None and seen.epoch == project.outbox.epoch else None

    def forget(self, name: str) -> None:
        """Forgets a project that there is no more, by its name."""
        self._syncs.pop(name, None)


def as_told(happening: Activity) -> dict[str, Any]:
    """Something that happened, as plain data."""
    return {**happening._asdict(), "at": timestamps.render(happening.at), "detail": dict(happening.detail)}
