"""What came of a write, or comes of a calendar at all: the webhooks that were made, and else why there is none."""

from __future__ import annotations

from typing import Any

from mockserver.control.entries import Shown
from mockserver.control.silence import Circumstances, why_no_webhook
from mockserver.control.witness import Witness
from mockserver.domain import timestamps
from mockserver.domain.deliveries import Delivery
from mockserver.domain.model import Micros
from mockserver.domain.store import Project, Store
from mockserver.domain.sync_scheduler import EVENTS_UPDATE, STATE_CHANGE, next_sync

_WRITES = ("createCalendar", "updateCalendar", "deleteCalendar")
_MOST = 100


class Aftermath:
    """Tells of webhooks that were sent or not sent."""

    def __init__(self, store: Store, witness: Witness) -> None:
        self._store = store
        self._witness = witness

    def of(self, entry: Shown) -> dict[str, Any] | None:
        """What came of an exchange of the journal; None of one that was no accepted write to a calendar."""
        if entry["kind"] != "exchange" or entry["operation"] not in _WRITES or not 200 <= entry["status"] < 300:
            return None
        project = next((one for one in self._store.projects if one.name == entry["project"]), None)
        answer = entry["response"].get("json")
        calendar_id = answer.get("id") if isinstance(answer, dict) else None
        calendar_id = calendar_id or entry["path"].rstrip("/").rpartition("/")[2]
        answered = timestamps.parse(entry["time"])
        if project is None or answered is None:
            return None
        return self.of_calendar(project, calendar_id, answered - round(entry["seconds"] * timestamps.SECOND))

    def of_calendar(self, project: Project, calendar_id: str, since: Micros = 0) -> dict[str, Any]:
        """The webhooks about a calendar that were made since then, on the project's clock, and else why there is none.

        A reset in between makes everything before it unseen.
        """
        made = project.outbox.deliveries(lambda one: one.calendar_id == calendar_id and one.created_at >= since)
        latest = self._witness.latest(project, calendar_id)
        if latest is not None and latest.at < since:
            latest = None
        calendar = project.state.calendars.get(calendar_id)
        due = next_sync(project, calendar_id)
        seen = Circumstances(
            project.sync,
            calendar is not None,
            calendar.state if calendar is not None else "deleted",
            latest,
            project.subscriptions,
            None if due is None else timestamps.render(due),
            project.clock.frozen,
        )
        trigger = STATE_CHANGE if latest is not None and latest.outcome == "disconnected" else EVENTS_UPDATE
        why = [] if made else [reason._asdict() for reason in why_no_webhook(trigger, seen)]
        return {"trigger": trigger, "made": [_told(one) for one in made[-_MOST:]], "why_none": why}


def _told(delivery: Delivery) -> dict[str, Any]:
    return {"key": delivery.key, "trigger": delivery.trigger, "state": delivery.state, "fault": delivery.fault}
