"""Which calendars wait for a sync, and the order in which they come again."""

from __future__ import annotations

from collections.abc import Iterable

from mockserver.domain.cow_table import Table
from mockserver.domain.model import Micros, Plan
from mockserver.domain.sorted_index import SortedIndex


def _itself(place: tuple[Micros, str]) -> tuple[Micros, str]:
    return place


class SyncSchedule:
    """One plan a calendar, and the order in which calendars were last put down for a sync. Copies cost little.

    A calendar that is put down again keeps its old place in the order until somebody looks there: a calendar is put
    down with every change, and the order is looked at once a day.
    """

    def __init__(self, calendar_ids: Iterable[str] = ()) -> None:
        """Calendars that have not been put down for a sync since the project began."""
        self._changed: Table[Plan] = Table({})
        self._order = SortedIndex(_itself, [(0, calendar_id) for calendar_id in calendar_ids])
        self._places: Table[Micros] = Table({})
        """Where in the order a calendar stands, unless it is at 0; there is none for one that does not come again."""

    def copy(self) -> SyncSchedule:
        """The same again; neither sees what happens to the other."""
        twin = SyncSchedule.__new__(SyncSchedule)
        twin._changed, twin._order, twin._places = self._changed.copy(), self._order.copy(), self._places.copy()
        return twin

    def of(self, calendar_id: str) -> Plan:
        """The calendar's plan."""
        return self._changed.get(calendar_id) or Plan(0, calendar_id)

    def add(self, calendar_id: str, at: Micros) -> None:
        """A new calendar, made at this time."""
        self._changed.put(calendar_id, Plan(at, calendar_id))
        self._enter(at, calendar_id)

    def put(self, plan: Plan) -> None:
        """Puts a calendar's new plan in place of the old."""
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

    def until(self, at: Micros) -> list[Plan]:
        """The plans of those that come again and were last put down at this time or before, the longest ago first."""
        for _, calendar_id in list(self._order.up(None, (at + 1,))):
            self._catch_up(calendar_id)
        return [self.of(calendar_id) for _, calendar_id in self._order.up(None, (at + 1,))]

    def requested(self) -> list[Plan]:
        """The plans that wait for a full minute; costs as much as was changed."""
        return [plan for plan in self._changed if plan.requested_at is not None]

    def first(self) -> Micros | None:
        """When the one that waits the longest was put down; None when there is none that comes again."""
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
