"""The calls of the service's documentation work as they stand on the built-in fixtures."""

from __future__ import annotations

import pytest

from mockserver.app import Mock
from tests.clients import Client

DOCUMENTED = {
    "id": "cal_abcdef1234567890",
    "platform": "google",
    "client_id": "123456789-abcdefghijklmnopqrstuvwxyz.apps.googleusercontent.com",
    "platform_uuid": None,
    "state": "connected",
    "metadata": {"tenant_id": "1234567890"},
    "deduplication_key": "user-abcd",
    "connection_failure_data": None,
    "created_at": "2025-01-13T10:30:00.123456Z",
    "updated_at": "2025-01-13T10:30:00.123456Z",
    "last_successful_sync_at": "2025-01-13T11:00:00.123456Z",
    "last_attempted_sync_at": "2025-01-13T11:00:00.123456Z",
}
PATH = "/calendars/cal_abcdef1234567890"


@pytest.fixture
def client() -> Client:
    return Client(Mock(), "YOUR_API_KEY_HERE")


def test_the_documented_get_gives_the_documented_calendar(client: Client) -> None:
    assert client("GET", PATH).body == DOCUMENTED


def test_the_documented_patch_changes_metadata_and_updated_at_only(client: Client) -> None:
    body = {"refresh_token": "1//planted-token", "metadata": {"department": "engineering", "team": "backend"}}
    answered = client("PATCH", PATH, body)
    assert answered.status == 200
    assert answered.body["updated_at"] > DOCUMENTED["updated_at"]
    assert answered.body == {**DOCUMENTED, "metadata": body["metadata"], "updated_at": answered.body["updated_at"]}
    assert client("GET", PATH).text == answered.text
    for path in (PATH, "/calendars", "/calendar_events"):
        assert "planted-token" not in client("GET", path).text


def test_there_is_a_week_of_events_a_microsoft_calendar_and_a_disconnected_one(client: Client) -> None:
    calendars = client("GET", "/calendars").body["results"]
    assert {calendar["platform"] for calendar in calendars} == {"google", "microsoft"}
    gone = [calendar for calendar in calendars if calendar["state"] == "disconnected"]
    assert gone
    assert all("Authentication error" in calendar["connection_failure_data"]["error"] for calendar in gone)
    assert len(client("GET", "/calendar_events").body["results"]) >= 10
