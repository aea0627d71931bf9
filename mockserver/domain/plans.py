"""Which calendars wait for a sync, and the order in which they come again."""

from __future__ import annotations

from collections.abc import Iterable

from mockserver.domain.index import SortedIndex
from mockserver.domain.model import Micros, Plan
from mockserver.domain.table import Table


def _itself(place: tuple[Micros, str]) -> tuple[Micros, str]:
    return place


class Plans:
    """One plan a calendar, and the order in which calendars were last put down for a sync. Copies cost little."""

    def __init__(self, calendar_ids: Iterable[str] = ()) -> None:
        """Calendars that have not been put down for a sync since the project began."""
        self._changed: Table[Plan] = Table({})
        self._order = SortedIndex(_itself, [(0, calendar_id) for calendar_id in calendar_ids])

    def copy(self) -> Plans:
        """The same again; neither sees what happens to the other."""
        twin = Plans.__new__(Plans)
        twin._changed, twin._order = self._changed.copy(), self._order.copy()
        return twin

    def of(self, calendar_id: str) -> Plan:
        """The calendar's plan."""
        return self._changed.get(calendar_id) or Plan(0, calendar_id)

    def add(self, calendar_id: str, at: Micros) -> None:
        """A new calendar, made at this time."""
        self._changed.put(calendar_id, Plan(at, calendar_id))
        self._order.add((at, calendar_id))

    def put(self, plan: Plan) -> None:
        """Puts a calendar's new plan in place of the old."""
        old = self.of(plan.calendar_id)
        self._changed.put(plan.calendar_id, plan)
        if (old.enqueued_at, old.regular) != (plan.enqueued_at, plan.regular):
            if old.regular:
                self._order.remove((old.enqueued_at, old.calendar_id))
            if plan.regular:
                self._order.add((plan.enqueued_at, plan.calendar_id))

    def drop(self, calendar_id: str) -> None:
        """Forgets a calendar."""
        old = self.of(calendar_id)
        if old.regular:
            self._order.remove((old.enqueued_at, calendar_id))
        if calendar_id in self._changed:
            self._changed.drop(calendar_id)

    def until(self, at: Micros) -> list[Plan]:
        """The plans of those that come again and were last put down at this time or before, the longest ago first."""
        return [self.of(calendar_id) for _, calendar_id in self._order.up(None, (at + 1,))]

    def requested(self) -> list[Plan]:
        """The plans that wait for a full minute; costs as much as was changed."""
        return [plan for plan in self._changed if plan.requested_at is not None]

    def first(self) -> Micros | None:
        """When the one that waits the longest was put down; None when there is none that comes again."""
        return next((at for at, _ in self._order.up()), None)
