"""Why no webhook was sent for a calendar: every reason that holds, the nearest first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol


class Wants(Protocol):
    """A webhook subscription."""

    @property
    def url(self) -> str: ...
    @property
    def triggers(self) -> tuple[str, ...]: ...
    @property
    def active(self) -> bool: ...


class Happened(Protocol):
    """The latest sync of the calendar."""

    @property
    def outcome(self) -> str: ...
    @property
    def detail(self) -> Mapping[str, Any]: ...


class Circumstances(NamedTuple):
    """What there is to know of a calendar and its project."""

    sync: Literal["auto", "manual"]
    exists: bool
    state: str
    """The calendar's: connected or disconnected."""
    latest: Happened | None
    subscriptions: Sequence[Wants]
    due: str | None = None
    """When the next sync of the calendar is due, as text; None when none is."""
    frozen: bool = False
    """Whether the project's clock stands still."""


class Reason(NamedTuple):
    """One reason: a name for programs, a sentence for people with what to do about it."""

    code: str
    text: str


_STATE_CHANGE = "calendar.state_change"
_EVENTS_UPDATE = "calendar.events_update"


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


def _of_the_outcome(trigger: str, seen: Circumstances, latest: Happened) -> list[Reason]:
    outcome = latest.outcome
    if outcome == "failed":
        problem = latest.detail.get("error", "the platform did not answer")
        return [Reason("sync failed", f"the latest sync failed for another reason than the credentials: {problem}")]
    if outcome == "not needed":
        why = latest.detail.get("why", "another sync had come before it")
        return [Reason("sync not needed", f"the latest sync that was due did nothing: {why}")]
    if outcome == "disconnected" and trigger == _EVENTS_UPDATE:
        return [
            Reason("disconnected", f"the latest sync could not log in; the service reports that with {_STATE_CHANGE}")
        ]
    if outcome != "synced":
        return []
    if trigger == _STATE_CHANGE:
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


def _of_the_subscriptions(trigger: str, subscriptions: Sequence[Wants]) -> list[Reason]:
    if not subscriptions:
        return [Reason("no subscription", "the project has no webhook subscription; add one")]
    wanting = [subscription for subscription in subscriptions if trigger in subscription.triggers]
    if not wanting:
        return [Reason("no trigger", f"no subscription of the project has the trigger {trigger}")]
    if not any(subscription.active for subscription in wanting):
        return [Reason("inactive", f"every subscription with the trigger {trigger} is inactive")]
    return []
