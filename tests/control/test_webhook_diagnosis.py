"""The latest syncs are kept, and every reason why no webhook was sent has its name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from mockserver.control.webhook_diagnosis import EVIDENCE, Circumstances, LatestSyncs, why_no_webhook
from mockserver.domain.activity import Activity
from mockserver.domain.subscriptions import Subscription
from mockserver.evidence import ledger
from tests.projects import NOW, make_project

CHANGE, UPDATE = "calendar.state_change", "calendar.events_update"
COUNTS = {"created_count": 0, "updated_count": 0, "deleted_count": 0}
WINDOW = {"time_window_start": "2027-01-14T08:00:00+00:00", "time_window_end": "2027-02-12T08:00:00+00:00"}
DUE = "2027-01-15T08:01:00Z"


def activity(outcome: str, detail: Mapping[str, Any] | None = None) -> Activity:
    """A sync with this outcome."""
    return Activity(NOW, "sync", "cal_a", outcome, detail or {})


def subscription(triggers: tuple[str, ...] = (CHANGE, UPDATE), *, active: bool = True) -> Subscription:
    return Subscription("webhook_1", "http://receiver/", triggers, active)


def circumstances(**changes: Any) -> Circumstances:
    """A calendar whose latest sync changed an event, in a project that is told of everything."""
    synced = activity("synced", {**COUNTS, "updated_count": 1})
    return Circumstances("auto", True, synced, [subscription()])._replace(**changes)


@pytest.mark.parametrize(
    ("trigger", "changes", "codes"),
    [
        (UPDATE, {}, []),
        (CHANGE, {"latest": activity("disconnected", {"error": "refused"})}, []),
        (UPDATE, {"exists": False}, ["no calendar"]),
        (UPDATE, {"latest": None, "sync": "manual"}, ["sync is manual"]),
        (UPDATE, {"latest": None}, ["not synced"]),
        (UPDATE, {"latest": None, "due": DUE}, ["not yet synced"]),
        (UPDATE, {"latest": activity("waiting"), "due": DUE, "frozen": True}, ["not yet synced"]),
        (UPDATE, {"latest": activity("failed", {"error": "500"})}, ["sync failed"]),
        (UPDATE, {"latest": activity("not needed", {"why": "it is disconnected"})}, ["sync not needed"]),
        (UPDATE, {"latest": activity("disconnected")}, ["disconnected"]),
        (UPDATE, {"latest": activity("waiting")}, []),
        (UPDATE, {"latest": activity("synced", {**COUNTS, **WINDOW})}, ["nothing changed"]),
        (UPDATE, {"latest": activity("synced", COUNTS), "sync": "manual"}, ["nothing changed", "sync is manual"]),
        (CHANGE, {}, ["reconnecting is silent"]),
        (UPDATE, {"subscriptions": []}, ["no subscription"]),
        (UPDATE, {"subscriptions": [subscription(triggers=(CHANGE,))]}, ["no trigger"]),
        (UPDATE, {"subscriptions": [subscription(active=False)]}, ["inactive"]),
        (UPDATE, {"latest": activity("synced", COUNTS), "subscriptions": []}, ["nothing changed", "no subscription"]),
    ],
)
def test_every_reason_has_its_name(trigger: str, changes: dict[str, Any], codes: list[str]) -> None:
    assert [reason.code for reason in why_no_webhook(trigger, circumstances(**changes))] == codes


def test_the_reasons_of_the_service_have_rows_in_the_ledger() -> None:
    assert {*EVIDENCE.values()} <= {*ledger().rows}


def test_a_reason_says_what_to_do() -> None:
    due = {"latest": None, "due": DUE}
    (running,) = why_no_webhook(UPDATE, circumstances(**due))
    (frozen,) = why_no_webhook(UPDATE, circumstances(**due, frozen=True))
    assert running.text == f"the next sync is due at {DUE}: wait for it, or advance the clock"
    assert frozen.text == f"the next sync is due at {DUE}: the project's clock is frozen; advance it"


def test_the_window_is_told() -> None:
    (reason,) = why_no_webhook(UPDATE, circumstances(latest=activity("synced", {**COUNTS, **WINDOW})))
    assert reason.text.endswith("from 2027-01-14T08:00:00+00:00 to 2027-02-12T08:00:00+00:00")


def sync(subject: str, outcome: str = "synced") -> Activity:
    return Activity(NOW, "sync", subject, outcome, {"cause": "create"})


def test_the_latest_sync_is_the_one_that_is_told() -> None:
    syncs, project = LatestSyncs(), make_project()
    assert syncs.of(project, "cal_a") is None
    for outcome in ("failed", "synced"):
        syncs.record(project, sync("cal_a", outcome))
    syncs.record(project, Activity(NOW, "delivery", "cal_a", "success", {}))
    assert syncs.of(project, "cal_a") == sync("cal_a")
    assert syncs.of(project, "cal_b") is None


def test_a_reset_and_an_end_make_it_forget() -> None:
    syncs, project, other = LatestSyncs(), make_project(), make_project(name="B")
    syncs.record(project, sync("cal_a"))
    syncs.record(other, sync("cal_a"))
    project.reset()
    syncs.forget("B")
    assert syncs.of(project, "cal_a") is syncs.of(other, "cal_a") is None
    syncs.forget("B")


def test_it_keeps_no_more_than_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mockserver.control.webhook_diagnosis.MOST_CALENDARS", 2)
    syncs, project = LatestSyncs(), make_project()
    for name in ("cal_a", "cal_b", "cal_a", "cal_c"):
        syncs.record(project, sync(name))
    assert syncs.of(project, "cal_b") is None
    assert syncs.of(project, "cal_a") is not None
