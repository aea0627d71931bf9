"""The calls of the service's documentation work as they stand on the built-in fixtures."""

from __future__ import annotations

import json
import re
import shlex

import pytest

from mockserver.app import Mock
from tests.clients import Client, in_process
from tests.pages import blocks

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
    # The sync that an update starts may have been done by now.
    moved = ("updated_at", "last_successful_sync_at", "last_attempted_sync_at")
    assert client("GET", PATH).body | {name: None for name in moved} == answered.body | {name: None for name in moved}
    for path in (PATH, "/calendars", "/calendar_events"):
        assert "planted-token" not in client("GET", path).text


def test_there_is_a_week_of_events_a_microsoft_calendar_and_a_disconnected_one(client: Client) -> None:
    calendars = client("GET", "/calendars").body["results"]
    assert {calendar["platform"] for calendar in calendars} == {"google", "microsoft"}
    gone = [calendar for calendar in calendars if calendar["state"] == "disconnected"]
    assert gone
    assert all("Authentication error" in calendar["connection_failure_data"]["error"] for calendar in gone)
    assert len(client("GET", "/calendar_events").body["results"]) >= 10


def calls(page: str) -> list[tuple[str, str]]:
    """The curl commands of a page in their order, each with the status that the page gives it."""
    commands = [command for one in blocks(page, "sh") for command in re.split(r"\n+(?=curl )", one.text.strip())]
    found = [re.fullmatch(r"(curl .*?)  # (\d+)", command.replace("\\\n", " "), re.DOTALL) for command in commands]
    assert None not in found, f"{page} has a command without a status"
    return [(match[1], match[2]) for match in found if match]


BOTS, CONTROLS = "docs/bots.md", "docs/control-api.md"
RUN = [*blocks(BOTS, "sh"), *blocks(CONTROLS)]
"""Every block that a test below uses."""


def test_the_calls_in_the_page_on_bots_are_answered_as_it_says() -> None:
    send = in_process(Mock())
    bot_id = ""
    for command, status in calls(BOTS):
        reply = send(*_call(command.replace("BOT_ID", bot_id)))
        assert reply.status == int(status), command
        bot_id = bot_id or json.loads(reply.body)["id"]
    assert bot_id.startswith("bot_")


def test_the_calls_in_the_page_on_the_control_api_are_answered_as_it_says() -> None:
    send = in_process(Mock())
    key = ""
    assert len(calls(CONTROLS)) > 20
    for command, status in calls(CONTROLS):
        reply = send(*_call(command.replace("API_KEY", key)))
        assert reply.status == int(status), command
        key = key or json.loads(reply.body)["api_key"]


def test_an_unknown_member_is_refused_as_the_page_on_the_control_api_says() -> None:
    (shown,) = blocks(CONTROLS, "json")
    headers = {"Content-Type": "application/json"}
    reply = in_process(Mock())("POST", "/__mock__/projects", headers, b'{"nmae": "my test"}')
    assert (reply.status, json.loads(reply.body)) == (400, json.loads(shown.text))


def _call(command: str) -> tuple[str, str, dict[str, str], bytes | None]:
    """The request that a curl command makes: method, path, headers and body."""
    words = iter(shlex.split(command))
    method, headers, body, url = "GET", {}, None, ""
    for word in words:
        if word == "-X":
            method = next(words)
        elif word == "-H":
            name, _, value = next(words).partition(": ")
            headers[name] = value
        elif word == "-d":
            body = next(words).encode()
        elif word.startswith("http"):
            url = word
    return method, url.removeprefix("http://127.0.0.1:8000"), headers, body
