"""Near misses: what came nearest stands first, and what was different is said."""

from __future__ import annotations

import json

from mockserver.app import Mock
from mockserver.control.entries import DeliveryEntry
from mockserver.control.journal import Filter
from mockserver.control.near_misses import near_misses
from tests.clients import MAIN_CALENDAR, NEW_CALENDAR, Client

CALENDAR = f"/calendars/{MAIN_CALENDAR}"
FORM = "application/x-www-form-urlencoded"


def test_the_nearest_comes_first_and_says_what_differs(mock: Mock, client: Client) -> None:
    client("DELETE", CALENDAR)
    client("POST", "/calendars", {**NEW_CALENDAR, "platform": "outlook"})
    client("GET", "/calendars")
    entries = mock.journals.find("Acme", Filter()).entries
    wanted = Filter(operation="createCalendar", method="POST", path="/api/v1/calendars", status="201")
    nearest, *others = near_misses(entries, wanted)
    assert nearest == {
        "id": 2,
        "line": "POST /api/v1/calendars 400",
        "distance": 2,
        "differs": [{"what": "status", "wanted": "201", "was": "400"}],
        "why": ["status was '400', wanted '201'", "it was refused: platform: not a valid choice"],
    }
    assert [miss["id"] for miss in others] == [3, 1]
    assert [difference["what"] for difference in others[1]["differs"]] == ["operation", "method", "path", "status"]
    assert others[0]["distance"] < others[1]["distance"]
    json.dumps(near_misses(entries, wanted))


def test_fields_of_the_body_count_and_secrets_are_not_told(mock: Mock, client: Client) -> None:
    client("POST", "/calendars", NEW_CALENDAR)
    client("PATCH", CALENDAR, b"client_secret=GOCSPX-abcdef&metadata=%7B%7D", content_type=FORM)
    client("PATCH", CALENDAR, b"{")
    client("PATCH", CALENDAR)
    wanted = {"client_secret": "GOCSPX-another-one", "platform": "microsoft"}
    no_secret = "body field client_secret is missing, wanted '***'"
    no_platform = "body field platform is missing, wanted 'microsoft'"
    misses = near_misses(mock.journals.find("Acme", Filter()).entries, Filter(), wanted)
    assert [(miss["id"], miss["why"]) for miss in misses] == [
        (1, ["body field platform was 'google', wanted 'microsoft'"]),
        (2, [no_platform]),
        (4, [no_secret, no_platform]),
        (3, [no_secret, no_platform]),
    ]
    assert "another" not in json.dumps(misses)


def test_what_came_too_early_is_told_as_such(mock: Mock, client: Client) -> None:
    client("GET", CALENDAR)
    (miss,) = near_misses(mock.journals.find("Acme", Filter()).entries, Filter(operation="getCalendar", since=1))
    assert miss["why"] == ["it came before: its id is 1, and only later ones than 1 were asked for"]


def test_a_delivery_is_far_from_a_request(mock: Mock, client: Client) -> None:
    note = DeliveryEntry(
        "http://receiver/", "calendar.state_change", "key", 1, None, status=500, project=mock.store.projects[0]
    )
    mock.journals.record(note)
    client("GET", CALENDAR)
    entries = mock.journals.find("Acme", Filter()).entries
    assert [miss["id"] for miss in near_misses(entries, Filter(path="/api/v1/calendars", status="200"))] == [2, 1]
    assert [miss["id"] for miss in near_misses(entries, Filter(kind="delivery", status="200"))] == [1, 2]


def test_only_the_nearest_are_told(mock: Mock, client: Client) -> None:
    for _ in range(9):
        client("GET", CALENDAR)
    entries = mock.journals.find("Acme", Filter()).entries
    assert [miss["id"] for miss in near_misses(entries, Filter(status="404"), most=3)] == [9, 8, 7]
    assert near_misses([], Filter()) == []
