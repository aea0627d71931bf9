"""When each calendar was last enqueued for a sync, and which is the next one for its daily sync."""

from __future__ import annotations

from collections.abc import Iterable

from mockserver.domain.cow_table import Table
from mockserver.domain.model import Micros, PlannedSync
from mockserver.domain.sorted_index import SortedIndex


def _itself(place: tuple[Micros, str]) -> tuple[Micros, str]:
    return place


class SyncSchedule:
    """One entry a calendar, and the order in which their last syncs were enqueued. Copies are cheap.

    A calendar that is enqueued again keeps its old place in the order until the order is read there: a calendar is
    enqueued with every change, and the order is read once a day.
    """

    def __init__(self, calendar_ids: Iterable[str] = ()) -> None:
        """Calendars that were not enqueued for a sync since the project began."""
        self._changed: Table[PlannedSync] = Table({})
        self._order = SortedIndex(_itself, [(0, calendar_id) for calendar_id in calendar_ids])
        self._places: Table[Micros] = Table({})
        """Where in the order a calendar stands, unless it is at 0; there is none for one that does not come again."""

    def copy(self) -> SyncSchedule:
        """The same again; neither sees what happens to the other."""
        copied = SyncSchedule.__new__(SyncSchedule)
        copied._changed, copied._order, copied._places = self._changed.copy(), self._order.copy(), self._places.copy()
        return copied

    def of(self, calendar_id: str) -> PlannedSync:
        """The calendar's entry."""
        return self._changed.get(calendar_id) or PlannedSync(0, calendar_id)

    def add(self, calendar_id: str, at: Micros) -> None:
        """A new calendar, made at this time."""
        self._changed.put(calendar_id, PlannedSync(at, calendar_id))
        self._enter(at, calendar_id)

    def put(self, plan: PlannedSync) -> None:
        """Replaces a calendar's entry."""
        old = self.of(plan.calendar_id)
        self._changed.put(plan.calendar_id, plan)
        if plan.regular and old.regular and plan.enqueued_at >= old.enqueued_at:
            return
        if old.regular:
            self._leave(plan.calendar_id)
        if plan.regular:
            self._enter(plan.enqueued_at, plan.calendar_id)

    def drop(self, calendar_id: str) -> None:
        """Forgets a calendar."""
        if self.of(calendar_id).regular:
            self._leave(calendar_id)
        if calendar_id in self._changed:
            self._changed.drop(calendar_id)

    def until(self, at: Micros) -> list[PlannedSync]:
        """The entries of those that are synced daily and were last enqueued at this time or before, oldest first."""
        for _, calendar_id in list(self._order.up(None, (at + 1,))):
            self._catch_up(calendar_id)
        return [self.of(calendar_id) for _, calendar_id in self._order.up(None, (at + 1,))]

    def requested(self) -> list[PlannedSync]:
        """The entries that wait for a full minute; costs as much as was changed."""
        return [plan for plan in self._changed if plan.requested_at is not None]

    def first(self) -> Micros | None:
        """When the one that waits the longest was enqueued; None when none is synced daily."""
        while (place := next(iter(self._order.up()), None)) is not None:
            at, calendar_id = place
            if not self._catch_up(calendar_id):
                return at
        return None

    def _enter(self, at: Micros, calendar_id: str) -> None:
        self._order.add((at, calendar_id))
        self._places.put(calendar_id, at)

    def _leave(self, calendar_id: str) -> None:
        self._order.remove((self._places.get(calendar_id) or 0, calendar_id))
        if calendar_id in self._places:
            self._places.drop(calendar_id)

    def _catch_up(self, calendar_id: str) -> bool:
        """Moves a calendar to its place in the order; whether it stood elsewhere."""
        at = self.of(calendar_id).enqueued_at
        if (self._places.get(calendar_id) or 0) == at:
            return False
        self._leave(calendar_id)
        self._enter(at, calendar_id)
        return True
