"""Which webhooks were made for a calendar or by a write to it, and if none, every reason why, the nearest first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

from mockserver.control.entries import Shown
from mockserver.domain import timestamps
from mockserver.domain.activity import Activity
from mockserver.domain.deliveries import Delivery
from mockserver.domain.model import Micros
from mockserver.domain.store import Project, Store
from mockserver.domain.subscriptions import Subscription
from mockserver.domain.sync_scheduler import EVENTS_UPDATE, STATE_CHANGE, next_sync

MOST_CALENDARS = 1_000
"""Of how many calendars of a project the latest sync is kept."""
_WRITES = ("createCalendar", "updateCalendar", "deleteCalendar")
_MOST_SHOWN = 100


class _Sync(NamedTuple):
    """A sync, and how often the project had been reset by then."""

    epoch: int
    activity: Activity


class LatestSyncs:
    """The latest sync of each calendar. Whoever runs a sync records it here."""

    def __init__(self) -> None:
        self._syncs: dict[str, OrderedDict[str, _Sync]] = {}

    def record(self, project: Project, activity: Activity) -> None:
        """Keeps an activity that happened just now, if it was a sync."""
        if activity.what != "sync":
            return
        syncs = self._syncs.setdefault(project.name, OrderedDict())
        syncs[activity.subject] = _Sync(project.deliveries.epoch, activity)
        syncs.move_to_end(activity.subject)
        if len(syncs) > MOST_CALENDARS:
            syncs.popitem(last=False)

    def of(self, project: Project, calendar_id: str) -> Activity | None:
        """The latest sync of a calendar since the project was made or reset; None when there was none."""
        syncs = self._syncs.get(project.name)
        sync = None if syncs is None else syncs.get(calendar_id)
        return sync.activity if sync is not None and sync.epoch == project.deliveries.epoch else None

    def forget(self, name: str) -> None:
        """Forgets a project that was deleted, by its name."""
        self._syncs.pop(name, None)


class Circumstances(NamedTuple):
    """What decides whether a webhook is sent for a calendar."""

    sync: Literal["auto", "manual"]
    exists: bool
    latest: Activity | None
    """The latest sync of the calendar."""
    subscriptions: Sequence[Subscription]
    due: str | None = None
    """When the next sync of the calendar is due, as text; None when none is."""
    frozen: bool = False
    """Whether the project's clock is frozen."""


EVIDENCE: Final = {
    "no calendar": "writes-silent",
    "sync failed": "other-error-silent",
    "disconnected": "state-change-when",
    "reconnecting is silent": "reconnect-silent",
    "nothing changed": "events-update-not",
    "no trigger": "webhook-trigger",
    "inactive": "webhook-inactive",
}
"""The rows of the ledger about the reasons that are the service's; other reasons are the mock's own."""


class Reason(NamedTuple):
    """One reason: a name for programs, a sentence for people with what to do about it."""

    code: str
    text: str


class WebhookDiagnosis:
    """Says which webhooks were made, or why none was."""

    def __init__(self, store: Store, syncs: LatestSyncs) -> None:
        self._store = store
        self._syncs = syncs

    def of_exchange(self, entry: Shown) -> dict[str, Any] | None:
        """What an exchange of the journal led to; None when it was not an accepted write to a calendar."""
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
        """The webhooks for a calendar that were made since then, on the project's clock, and else why there is none.

        Nothing from before the project's last reset is considered.
        """
        made = project.deliveries.select(lambda one: one.calendar_id == calendar_id and one.created_at >= since)
        latest = self._syncs.of(project, calendar_id)
        if latest is not None and latest.at < since:
            latest = None
        due = next_sync(project, calendar_id)
        circumstances = Circumstances(
            project.sync,
            calendar_id in project.state.calendars,
            latest,
            project.subscriptions,
            None if due is None else timestamps.render(due),
            project.clock.frozen,
        )
        trigger = STATE_CHANGE if latest is not None and latest.outcome == "disconnected" else EVENTS_UPDATE
        reasons = [] if made else why_no_webhook(trigger, circumstances)
        why = [{**reason._asdict(), "evidence": EVIDENCE.get(reason.code)} for reason in reasons]
        return {"trigger": trigger, "made": [_delivery(one) for one in made[-_MOST_SHOWN:]], "why_none": why}


def _delivery(delivery: Delivery) -> dict[str, Any]:
    return {"key": delivery.key, "trigger": delivery.trigger, "state": delivery.state, "fault": delivery.fault}


def why_no_webhook(trigger: str, seen: Circumstances) -> list[Reason]:
    """Why a webhook with this trigger was not sent; none when nothing stands in its way, and so it was or will be."""
    if not seen.exists:
        return [
            Reason("no calendar", "the project has no such calendar; the service sends no webhook about a deleted one")
        ]
    return [*_of_the_sync(trigger, seen), *_of_the_subscriptions(trigger, seen.subscriptions)]


def _of_the_sync(trigger: str, seen: Circumstances) -> list[Reason]:
    latest = seen.latest
    if seen.due is not None and (latest is None or latest.outcome in ("waiting", "failed")):
        how = "the project's clock is frozen; advance it" if seen.frozen else "wait for it, or advance the clock"
        return [Reason("not yet synced", f"the next sync is due at {seen.due}: {how}")]
    if latest is None:
        if seen.sync == "manual":
            return [Reason("sync is manual", "the project syncs only on demand; sync the calendar")]
        return [Reason("not synced", "the calendar was not synced since the project was made or reset")]
    return _of_the_outcome(trigger, seen, latest)


def _of_the_outcome(trigger: str, seen: Circumstances, latest: Activity) -> list[Reason]:
    outcome = latest.outcome
    if outcome == "failed":
        problem = latest.detail.get("error", "the platform did not answer")
        return [Reason("sync failed", f"the latest sync failed for another reason than the credentials: {problem}")]
    if outcome == "not needed":
        why = latest.detail.get("why", "another sync had come before it")
        return [Reason("sync not needed", f"the latest sync that was due did nothing: {why}")]
    if outcome == "disconnected" and trigger == EVENTS_UPDATE:
        return [
            Reason("disconnected", f"the latest sync could not log in; the service reports that with {STATE_CHANGE}")
        ]
    if outcome != "synced":
        return []
    if trigger == STATE_CHANGE:
        text = "the latest sync could log in, and the service is silent when a calendar is connected or connected again"
        return [Reason("reconnecting is silent", f"{text}: it sends this webhook only when a sync cannot log in")]
    return _of_the_changes(seen, latest.detail)


def _of_the_changes(seen: Circumstances, detail: Mapping[str, Any]) -> list[Reason]:
    if any(detail.get(f"{what}_count") for what in ("created", "updated", "deleted")):
        return []
    start, end = detail.get("time_window_start"), detail.get("time_window_end")
    window = f" from {start} to {end}" if start and end else ""
    found = [Reason("nothing changed", f"the latest sync changed no event in its window{window}")]
    if seen.sync == "manual":
        found.append(Reason("sync is manual", "later changes are seen only when you sync the calendar"))
    return found


def _of_the_subscriptions(trigger: str, subscriptions: Sequence[Subscription]) -> list[Reason]:
    if not subscriptions:
        return [Reason("no subscription", "the project has no webhook subscription; add one")]
    wanting = [subscription for subscription in subscriptions if trigger in subscription.triggers]
    if not wanting:
        return [Reason("no trigger", f"no subscription of the project has the trigger {trigger}")]
    if not any(subscription.active for subscription in wanting):
        return [Reason("inactive", f"every subscription with the trigger {trigger} is inactive")]
    return []
