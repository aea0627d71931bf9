"""An activity is shown as plain data."""

from __future__ import annotations

from mockserver.domain.activity import Activity
from tests.projects import NOW


def test_an_activity_is_shown_with_its_time_as_text_and_without_its_posts() -> None:
    shown = {"at": "2027-01-15T08:00:00Z", "what": "sync", "subject": "cal_a", "outcome": "synced"}
    assert Activity(NOW, "sync", "cal_a", "synced", {"cause": "create"}).shown() == {
        **shown,
        "detail": {"cause": "create"},
    }
