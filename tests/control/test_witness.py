"""The latest sync of each calendar is known until its project begins anew or ends; they are bounded."""

from __future__ import annotations

import pytest

from mockserver.control.witness import Witness, as_told
from mockserver.domain.activity import Activity
from tests.projects import NOW, make_project


def sync(subject: str, outcome: str = "synced") -> Activity:
    return Activity(NOW, "sync", subject, outcome, {"cause": "create"})


def test_the_latest_sync_is_the_one_that_is_told() -> None:
    witness, project = Witness(), make_project()
    assert witness.latest(project, "cal_a") is None
    for outcome in ("failed", "synced"):
        witness.see(project, sync("cal_a", outcome))
    witness.see(project, Activity(NOW, "delivery", "cal_a", "success", {}))
    assert witness.latest(project, "cal_a") == sync("cal_a")
    assert witness.latest(project, "cal_b") is None


def test_a_reset_and_an_end_make_it_forget() -> None:
    witness, project, other = Witness(), make_project(), make_project(name="B")
    witness.see(project, sync("cal_a"))
    witness.see(other, sync("cal_a"))
    project.reset()
    witness.forget("B")
    assert witness.latest(project, "cal_a") is witness.latest(other, "cal_a") is None
    witness.forget("B")


def test_it_keeps_no_more_than_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mockserver.control.witness.MOST_CALENDARS", 2)
    witness, project = Witness(), make_project()
    for name in ("cal_a", "cal_b", "cal_a", "cal_c"):
        witness.see(project, sync(name))
    assert witness.latest(project, "cal_b") is None
    assert witness.latest(project, "cal_a") is not None


def test_what_happened_is_told_with_its_time_as_text() -> None:
    told = {"at": "2027-01-15T08:00:00Z", "what": "sync", "subject": "cal_a", "outcome": "synced"}
    assert as_told(sync("cal_a")) == {**told, "detail": {"cause": "create"}}
