"""Why no webhook was sent: every reason by its name, and none when nothing stands in its way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import pytest

from mockserver.control.silence import Circumstances, why_no_webhook

CHANGE, UPDATE = "calendar.state_change", "calendar.events_update"
COUNTS = {"created_count": 0, "updated_count": 0, "deleted_count": 0}
WINDOW = {"time_window_start": "2027-01-14T08:00:00+00:00", "time_window_end": "2027-02-12T08:00:00+00:00"}
DUE = "2027-01-15T08:01:00Z"


class Activity(NamedTuple):
    outcome: str
    detail: Mapping[str, Any] = {}


class Subscription(NamedTuple):
    url: str = "http://receiver/"
    triggers: tuple[str, ...] = (CHANGE, UPDATE)
    active: bool = True


def circumstances(**changes: Any) -> Circumstances:
    """A calendar whose latest sync changed an event, in a project that is told of everything."""
    synced = Activity("synced", {**COUNTS, "updated_count": 1})
    return Circumstances("auto", True, "connected", synced, [Subscription()])._replace(**changes)


@pytest.mark.parametrize(
    ("trigger", "changes", "codes"),
    [
        (UPDATE, {}, []),
        (CHANGE, {"latest": Activity("disconnected", {"error": "refused"})}, []),
        (UPDATE, {"exists": False}, ["no calendar"]),
        (UPDATE, {"latest": None, "sync": "manual"}, ["sync is manual"]),
        (UPDATE, {"latest": None}, ["not synced"]),
        (UPDATE, {"latest": None, "due": DUE}, ["not yet synced"]),
        (UPDATE, {"latest": Activity("waiting"), "due": DUE, "frozen": True}, ["not yet synced"]),
        (UPDATE, {"latest": Activity("failed", {"error": "500"})}, ["sync failed"]),
        (UPDATE, {"latest": Activity("not needed", {"why": "it is disconnected"})}, ["sync not needed"]),
        (UPDATE, {"latest": Activity("disconnected")}, ["disconnected"]),
        (UPDATE, {"latest": Activity("waiting")}, []),
        (UPDATE, {"latest": Activity("synced", {**COUNTS, **WINDOW})}, ["nothing changed"]),
        (UPDATE, {"latest": Activity("synced", COUNTS), "sync": "manual"}, ["nothing changed", "sync is manual"]),
        (CHANGE, {}, ["reconnecting is silent"]),
        (UPDATE, {"subscriptions": []}, ["no subscription"]),
        (UPDATE, {"subscriptions": [Subscription(triggers=(CHANGE,))]}, ["no trigger"]),
        (UPDATE, {"subscriptions": [Subscription(active=False)]}, ["inactive"]),
        (UPDATE, {"latest": Activity("synced", COUNTS), "subscriptions": []}, ["nothing changed", "no subscription"]),
    ],
)
def test_every_reason_has_its_name(trigger: str, changes: dict[str, Any], codes: list[str]) -> None:
    assert [reason.code for reason in why_no_webhook(trigger, circumstances(**changes))] == codes


def test_a_reason_says_what_to_do() -> None:
    due = {"latest": None, "due": DUE}
    (running,) = why_no_webhook(UPDATE, circumstances(**due))
    (frozen,) = why_no_webhook(UPDATE, circumstances(**due, frozen=True))
    assert running.text == f"the next sync is due at {DUE}: wait for it, or advance the clock"
    assert frozen.text == f"the next sync is due at {DUE}: the project's clock is frozen; advance it"


def test_the_window_is_told() -> None:
    (reason,) = why_no_webhook(UPDATE, circumstances(latest=Activity("synced", {**COUNTS, **WINDOW})))
    assert reason.text.endswith("from 2027-01-14T08:00:00+00:00 to 2027-02-12T08:00:00+00:00")
