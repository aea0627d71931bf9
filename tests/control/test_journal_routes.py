"""Faults are added and ended, the journal is searched and waited for, and what was seen is explained."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mockserver.app import Mock
from mockserver.control.errors import Refused
from tests.clients import ACME, MAIN_CALENDAR, NEW_CALENDAR, Client
from tests.control.client import DirectControls


@pytest.fixture
def controls(mock: Mock) -> DirectControls:
    return DirectControls(mock)


def reasons(explained: dict[str, Any]) -> list[str]:
    return [reason["code"] for reason in explained["webhooks"]["why_none"]]


def test_faults_are_added_listed_and_ended(controls: DirectControls, client: Client) -> None:
    made = controls("POST", "/faults", kind="status", operation="listCalendars", status=503, first=1, name="a b")
    assert made["hits"] == 0
    assert [client("GET", "/calendars").status for _ in range(2)] == [503, 200]
    shown = controls("GET", "/faults")
    assert [fault["hits"] for fault in shown["faults"]] == [1]
    assert shown["kinds"]["throttled"]["fields"]["retry_after"] == 1
    assert controls("DELETE", "/faults/a%20b") == {"removed": 1}
    with pytest.raises(Refused) as refused:
        controls("DELETE", "/faults/a%20b")
    assert refused.value.status == 404
    controls("POST", "/faults", kind="delay")
    assert controls("DELETE", "/faults") == {"removed": 1}
    with pytest.raises(Refused, match="did you mean status"):
        controls("POST", "/faults", kind="statis")


def test_entries_are_found_by_what_was_asked(controls: DirectControls, client: Client) -> None:
    client("GET", "/calendars")
    client("POST", "/calendars", {})
    client("GET", f"/calendars/{MAIN_CALENDAR}")

    def found(query: str) -> list[int]:
        return [entry["id"] for entry in controls("GET", f"/requests?{query}")["requests"]]

    assert found("operation=createCalendar") == [2]
    assert found("status=4xx&method=post") == [2]
    assert found("path=*cal_*") == [3]
    assert found("after=1") == [2, 3]
    assert found("after=0&limit=1") == [1]
    assert found("limit=1") == [3]
    assert found("kind=delivery") == []
    assert controls("GET", "/requests?limit=1")["last"] == 3
    assert controls("GET", "/requests/2")["status"] == 400
    assert [entry["_id"] for entry in controls("GET", "/requests.har?status=400")["log"]["entries"]] == [2]
    assert ACME not in str(controls("GET", "/requests"))


def test_requests_without_a_known_key_have_a_journal_of_their_own(controls: DirectControls, mock: Mock) -> None:
    Client(mock, "nobody's")("GET", "/calendars")
    assert controls("GET", "/requests")["requests"] == []
    assert controls("GET", "/requests?keyless=true")["requests"][0]["status"] == 401
    assert controls("DELETE", "/requests?keyless=true") == {"status": "cleared", "last": 1}
    assert controls("GET", "/requests?keyless=true")["requests"] == []
    with pytest.raises(Refused, match="no longer kept"):
        controls("GET", "/requests/1")


@pytest.mark.parametrize(
    "query", ["operation=x", "status=9", "after=-1", "limit=x", "kind=x", "keyless=yes", "wait=1y"]
)
def test_a_search_with_a_value_that_is_none_is_refused(controls: DirectControls, query: str) -> None:
    assert controls.refused("GET", f"/requests?{query}") == query.partition("=")[0]


def test_an_exchange_is_waited_for(controls: DirectControls, client: Client) -> None:
    async def run() -> list[Any]:
        waiting = asyncio.create_task(controls.ask("GET", "/requests?operation=getCalendar&wait=30s"))
        await asyncio.to_thread(client, "GET", f"/calendars/{MAIN_CALENDAR}")
        return list((await waiting).body["requests"])

    assert [entry["operation"] for entry in asyncio.run(run())] == ["getCalendar"]
    assert controls("GET", "/requests?operation=createCalendar&wait=1ms")["requests"] == []


def test_what_came_nearest_is_told_with_what_was_different(controls: DirectControls, client: Client) -> None:
    client("POST", "/calendars", {**NEW_CALENDAR, "platform": "outlook"})
    client("GET", "/calendars")
    looked_for = {"operation": "createCalendar", "status": 201, "body": {"platform": "google"}}
    nearest = controls("POST", "/requests/near-misses", **looked_for)["near_misses"]
    assert [miss["id"] for miss in nearest] == [1, 2]
    assert [difference["what"] for difference in nearest[0]["differs"]] == ["status", "body field platform"]
    assert len(controls("POST", "/requests/near-misses", limit=1)["near_misses"]) == 1
    for body, field in (({"body": 7}, "body"), ({"status": True}, "status"), ({"method": ["GET"]}, "method")):
        assert controls.refused("POST", "/requests/near-misses", **body) == field


def test_a_refusal_is_explained_and_has_no_webhooks(controls: DirectControls, client: Client) -> None:
    client("POST", "/calendars", {})
    told = controls("GET", "/explain/1")
    assert told["status"] == 400
    assert told["webhooks"] is None
    for path in ("/explain/one", "/requests/-1", "/explain/99"):
        assert controls.refused("GET", path) == "id"


def test_an_accepted_write_is_told_why_it_brought_no_webhook(controls: DirectControls, client: Client) -> None:
    created = client("POST", "/calendars", NEW_CALENDAR).body["id"]
    assert reasons(controls("GET", "/explain/1"))[0] == "sync is manual"
    controls("POST", f"/calendars/{created}/sync")
    assert reasons(controls("GET", "/explain/1"))[:2] == ["nothing changed", "sync is manual"]
    client("DELETE", f"/calendars/{created}")
    assert reasons(controls("GET", "/explain/2")) == ["no calendar"]


def test_a_write_whose_sync_is_due_is_told_so(controls: DirectControls, client: Client) -> None:
    controls.project.clock.freeze()
    client("PATCH", f"/calendars/{MAIN_CALENDAR}", {})
    controls.project.sync = "auto"
    controls("POST", f"/calendars/{MAIN_CALENDAR}/upstream/events", start="1h")
    assert reasons(controls("GET", "/explain/1"))[0] == "not yet synced"


def test_a_write_is_told_of_the_webhooks_that_it_brought(controls: DirectControls, client: Client) -> None:
    controls.project.subscriptions.clear()
    controls.project.clock.freeze()
    controls("POST", "/subscriptions", url="http://127.0.0.1:1/")
    client("PATCH", f"/calendars/{MAIN_CALENDAR}", {})
    controls("POST", f"/calendars/{MAIN_CALENDAR}/upstream/events", start="1h")
    controls("POST", f"/calendars/{MAIN_CALENDAR}/sync")
    told = controls("GET", "/explain/1")["webhooks"]
    assert [one["trigger"] for one in told["made"]] == ["calendar.events_update"]
    assert told["why_none"] == []
    controls.project.reset()
    assert controls.syncs.of(controls.project, MAIN_CALENDAR) is None


def test_a_sync_that_could_not_log_in_is_told_by_the_other_trigger(controls: DirectControls, client: Client) -> None:
    client("PATCH", f"/calendars/{MAIN_CALENDAR}", {})
    controls.project.subscriptions.clear()
    controls("POST", f"/calendars/{MAIN_CALENDAR}/fail", failure="revoked")
    controls("POST", f"/calendars/{MAIN_CALENDAR}/sync")
    told = controls("GET", "/explain/1")["webhooks"]
    assert (told["trigger"], reasons({"webhooks": told})) == ("calendar.state_change", ["no subscription"])
