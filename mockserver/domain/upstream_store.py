"""Stores a project's upstreams and their objects, as far as they differ from what the service has seen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mockserver.domain.cow_table import Table
from mockserver.domain.model import Micros, Remote, Upstream
from mockserver.domain.running import LONG, LongSpans, Span
from mockserver.domain.sorted_index import SortedIndex

_ALWAYS: Micros = -(1 << 62)
"""Before every time there is: where the objects stand that are in every list."""


def _by_listing(remote: Remote) -> tuple[str, Micros, str]:
    return remote.calendar_id, _ALWAYS if remote.start_time is None else remote.start_time, remote.id


def _span(remote: Remote) -> Span:
    """The time that an object takes: none when it has no end, or is in every list."""
    start = _ALWAYS if remote.start_time is None else remote.start_time
    end = start if remote.start_time is None or remote.end_time is None else remote.end_time
    return Span(remote.calendar_id, end, remote.id, start)


def _name(calendar_id: str, remote_id: str) -> str:
    return f"{calendar_id} {remote_id}"


class Upstreams:
    """The upstream of each calendar. `copy()` costs about as much as was changed."""

    def __init__(self, upstreams: Mapping[str, Upstream], remotes: Iterable[Remote]) -> None:
        by_name = {_name(remote.calendar_id, remote.id): remote for remote in remotes}
        self._records: Table[Upstream] = Table(upstreams)
        self._remotes: Table[Remote] = Table(by_name)
        self._listed = SortedIndex(_by_listing, by_name.values())
        self._long = LongSpans(_span, by_name.values())

    def copy(self) -> Upstreams:
        """The same again; neither sees what happens to the other."""
        copied = Upstreams.__new__(Upstreams)
        copied._records, copied._remotes = self._records.copy(), self._remotes.copy()
        copied._listed, copied._long = self._listed.copy(), self._long.copy()
        return copied

    def get(self, calendar_id: str) -> Upstream:
        """The remote calendar behind this one; the usual one when there is nothing to say about it."""
        return self._records.get(calendar_id) or Upstream()

    def put(self, calendar_id: str, upstream: Upstream) -> None:
        """Puts another record of the remote calendar in place of the old."""
        self._records.put(calendar_id, upstream)

    def remote(self, calendar_id: str, remote_id: str) -> Remote | None:
        """What is known of this object; None when it is as the service last saw it, or never was."""
        return self._remotes.get(_name(calendar_id, remote_id))

    def put_remote(self, remote: Remote) -> None:
        """Adds an object, or puts it in place of the one with its id; one that is gone stays as a mark of that."""
        name = _name(remote.calendar_id, remote.id)
        old = self._remotes.get(name)
        if old is not None:
            self._listed.remove(old)
            self._long.remove(old)
        self._remotes.put(name, remote)
        self._listed.add(remote)
        self._long.add(remote)

    def listed(self, calendar_id: str, start: Micros, stop: Micros) -> list[Remote]:
        """The objects that a list of this span has, the earliest first; those without a start are before all others.

        Both platforms list what begins before `stop` and ends after `start`, so also what began earlier and still runs.
        """
        found = [*self._listed.up((calendar_id, _ALWAYS), (calendar_id, _ALWAYS + 1))]
        recent = self._listed.up((calendar_id, start - LONG), (calendar_id, start))
        found += self._long.running(calendar_id, start, recent)
        begun = self._listed.up((calendar_id, start), (calendar_id, stop))
        found += (remote for remote in begun if remote.end_time is None or remote.end_time > start)
        return [remote for remote in found if remote.document is not None]

    def all(self, calendar_id: str) -> list[Remote]:
        """Everything that is known of the calendar's objects, gone ones included."""
        return list(self._listed.up((calendar_id,), (calendar_id + "\0",)))

    def drop(self, calendar_id: str) -> None:
        """Forgets a calendar and what is in it."""
        for remote in self.all(calendar_id):
            self._listed.remove(remote)
            self._long.remove(remote)
            self._remotes.drop(_name(calendar_id, remote.id))
        if calendar_id in self._records:
            self._records.drop(calendar_id)
