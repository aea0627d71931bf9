"""A project can be kept as it is, and brought back."""

from __future__ import annotations

import pytest

from mockserver.app import Mock
from mockserver.control.snapshot_routes import MOST_SNAPSHOTS
from tests.clients import ACME, MAIN_CALENDAR, NEW_CALENDAR, Client
from tests.control.client import Controls, new_project


@pytest.fixture
def controls(mock: Mock) -> Controls:
    return Controls(mock, ACME)


def test_a_restored_project_is_what_it_was_as_often_as_one_likes(client: Client, controls: Controls) -> None:
    controls("POST", "clock/freeze")
    client("POST", "/calendars", {**NEW_CALENDAR, "deduplication_key": "first"})
    before = client("GET", "/calendars").text
    taken = controls("POST", "snapshots")
    assert (taken.status, taken.body["id"]) == (201, "snapshot_1")
    made = []
    for _ in range(2):
        made.append(client("POST", "/calendars", {**NEW_CALENDAR, "deduplication_key": "second"}).body)
        client("DELETE", f"/calendars/{MAIN_CALENDAR}")
        controls("POST", "clock/advance", {"by": "3d"})
        assert controls("POST", "snapshots/snapshot_1/restore").status == 200
        assert client("GET", "/calendars").text == before
        assert controls("GET", "clock").body == {"now": taken.body["now"], "frozen": True}
    assert made[0] == made[1]


def test_snapshots_are_each_projects_own(mock: Mock, controls: Controls) -> None:
    other = new_project(mock)
    assert other.key is not None
    Client(mock, other.key)("POST", "/calendars", NEW_CALENDAR)
    controls("POST", "snapshots")
    assert other("POST", "snapshots/snapshot_1/restore").status == 404
    controls("POST", "snapshots/snapshot_1/restore")
    assert other("GET", "project").body["calendars"] == 1


def test_snapshots_are_listed_deleted_and_bounded(controls: Controls) -> None:
    for _ in range(MOST_SNAPSHOTS):
        assert controls("POST", "snapshots").status == 201
    assert controls("POST", "snapshots").status == 409
    assert controls("DELETE", "snapshots/snapshot_3").status == 204
    assert controls("DELETE", "snapshots/snapshot_3").status == 404
    names = [found["id"] for found in controls("GET", "snapshots").body["snapshots"]]
    assert len(names) == MOST_SNAPSHOTS - 1
    assert "snapshot_3" not in names
    assert controls("POST", "snapshots").body["id"] == f"snapshot_{MOST_SNAPSHOTS + 1}"


def test_a_reset_leaves_the_snapshots(client: Client, controls: Controls) -> None:
    client("POST", "/calendars", {**NEW_CALENDAR, "deduplication_key": "kept"})
    controls("POST", "snapshots")
    controls("POST", "project/reset")
    assert client("GET", "/calendars?deduplication_key=kept").body["results"] == []
    controls("POST", "snapshots/snapshot_1/restore")
    assert len(client("GET", "/calendars?deduplication_key=kept").body["results"]) == 1
