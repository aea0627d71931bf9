"""The timeline shows requests, syncs, deliveries and actions in one order, each with what caused it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from mockserver.app import Mock
from mockserver.control.timeline import Causes, Position, Timelines
from mockserver.domain.activity import Activity
from mockserver.settings import Settings
from tests.clients import in_process
from tests.control.client import Controls

KEY = "YOUR_API_KEY_HERE"
NEW = {
    "platform": "google",
    "client_id": "client",
    "client_secret": "hush-secret",
    "refresh_token": "hush-token",
    "deduplication_key": "ada",
}


@pytest.fixture
def mock() -> Mock:
    return Mock(Settings(sync="manual"))


@pytest.fixture
def controls(mock: Mock) -> Controls:
    return Controls(mock, KEY)


def api(mock: Mock, method: str, path: str, body: Any = None) -> Any:
    headers = {"authorization": f"Token {KEY}", "content-type": "application/json"}
    raw = None if body is None else json.dumps(body).encode()
    answer = in_process(mock)(method, f"/api/v1/{path}", headers, raw)
    return json.loads(answer.body) if answer.body else None


def items(controls: Controls, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = controls("GET", f"timeline{query}").body["items"]
    return found


def events(text: bytes) -> Iterator[tuple[str, str, Any]]:
    """The events of a stream: name, id, data."""
    for block in text.decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if "data" in fields:
            yield fields["event"], fields.get("id", ""), json.loads(fields["data"])


def test_an_upstream_edit_is_followed_to_the_sync_that_it_caused(mock: Mock, controls: Controls) -> None:
    calendar = api(mock, "POST", "calendars", NEW)["id"]
    controls("POST", "calendars/ada/upstream/events", {"title": "Planning", "start": "2h"})
    controls("POST", "calendars/ada/sync")
    created, edited, asked, synced = items(controls)
    assert (created["kind"], created["operation"], created["calendar"]) == ("exchange", "createCalendar", calendar)
    assert edited["title"] == "Added an event upstream (Planning)"
    assert (synced["kind"], synced["cause"], synced["outcome"]) == ("sync", asked["id"], "ok")
    assert synced["detail"]["created_count"] == 1
    assert {one["calendar"] for one in (edited, asked, synced)} == {calendar}


def test_a_refused_action_is_not_on_the_timeline(controls: Controls) -> None:
    assert controls("POST", "clock/advance", {"by": "soon"}).status == 400
    assert controls("POST", "calendars/nobody/sync").status == 404
    assert items(controls) == []


def test_reads_of_the_controls_are_not_on_the_timeline(controls: Controls) -> None:
    controls("GET", "project")
    controls("GET", "calendars")
    assert items(controls) == []


def test_no_secret_is_on_the_timeline(mock: Mock, controls: Controls) -> None:
    api(mock, "POST", "calendars", NEW)
    api(mock, "GET", f"calendars?token={KEY}")
    controls("POST", "calendars/ada/fail", {"failure": "revoked"})
    controls("POST", "calendars/ada/reconnect", {"refresh_token": "hush-again"})
    controls("POST", "subscriptions", {"url": "http://127.0.0.1:9/hook?token=hush-url"})
    text = json.dumps(items(controls))
    assert "hush" not in text
    assert KEY not in text


def test_reading_goes_on_after_a_position(mock: Mock, controls: Controls) -> None:
    for _ in range(3):
        api(mock, "GET", "calendars")
        controls("POST", "clock/freeze")
    whole = controls("GET", "timeline").body
    first = controls("GET", "timeline?limit=2").body
    rest = controls("GET", f"timeline?after={first['next']}").body
    assert (first["more"], rest["more"]) == (True, False)
    assert first["items"] + rest["items"] == whole["items"]
    assert items(controls, f"?after={whole['next']}") == []


@pytest.mark.parametrize("text", ["17", "a.b", "1.2.3", "-1.0", "1." + "9" * 16])
def test_a_position_that_is_none_is_refused(controls: Controls, text: str) -> None:
    refused = controls("GET", f"timeline?after={text}")
    assert (refused.status, refused.body["field"]) == (400, "after")


def test_a_position_of_an_earlier_process_shows_all(mock: Mock, controls: Controls) -> None:
    api(mock, "GET", "calendars")
    assert len(items(controls, "?after=900.0")) == 1
    stream = in_process(mock)("GET", "/__mock__/timeline/stream?after=900.0", {"authorization": f"Token {KEY}"}, None)
    assert [name for name, _, _ in events(stream.body)] == ["restart", "items"]


def test_the_stream_resumes_after_the_id_of_its_last_event(mock: Mock, controls: Controls) -> None:
    send = in_process(mock)

    def stream(after: str) -> Any:
        path = f"/__mock__/timeline/stream?after={after}&wait=0"
        return list(events(send("GET", path, {"authorization": f"Token {KEY}"}, None).body))

    api(mock, "GET", "calendars")
    ((_, position, first),) = stream("0.0")
    api(mock, "GET", "calendar_events")
    ((_, _, second),) = stream(position)
    assert [one["operation"] for one in first + second] == ["listCalendars", "listCalendarEvents"]


def test_an_open_stream_shows_what_happens_and_ends_when_the_mock_stops(mock: Mock) -> None:
    project = mock.store.projects[0]
    timelines: Timelines = mock._timelines

    async def follow() -> list[bytes]:
        pieces = timelines.stream(project, Position(), 300)
        seen = [await anext(pieces)]
        waiting = asyncio.ensure_future(anext(pieces))
        await asyncio.sleep(0)
        timelines.record_sync(project, Activity(0, "sync", "cal_1", "synced", {"cause": "24 h", "webhook": None}))
        seen.append(await waiting)
        mock.end_waits()
        seen += [piece async for piece in pieces]
        return seen

    seen = asyncio.run(follow())
    ((_, _, (shown,)),) = events(b"".join(seen))
    assert shown["title"] == "Sync: synced"


def test_the_stream_of_a_project_that_is_deleted_ends(mock: Mock) -> None:
    project = mock.store.projects[0]

    async def follow() -> list[bytes]:
        pieces = mock._timelines.stream(project, Position(), 300)
        seen = [await anext(pieces)]
        mock._timelines.record_sync(project, Activity(0, "sync", "cal_1", "synced", {"webhook": None}))
        seen.append(await anext(pieces))
        mock.journals.drop(project.name)
        mock.end_waits()
        return [*seen, *[piece async for piece in pieces]]

    assert len(asyncio.run(follow())) == 2


def test_a_long_timeline_is_read_in_steps_between_which_others_have_their_turn(mock: Mock) -> None:
    project = mock.store.projects[0]
    for number in range(900):
        mock._timelines.record_sync(project, Activity(0, "sync", f"cal_{number}", "synced", {"webhook": None}))
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def read() -> int:
        beside = asyncio.ensure_future(others())
        found = await mock._timelines.read(project, Position(0, 890))
        beside.cancel()
        return len(found.items)

    assert asyncio.run(read()) == 10
    assert turns == 1, "one turn between two steps of 500 entries at the most"


def test_clearing_the_journal_clears_the_timeline(mock: Mock, controls: Controls) -> None:
    api(mock, "GET", "calendars")
    controls("POST", "clock/freeze")
    controls("DELETE", "requests")
    assert items(controls) == []


# --- causes ---


def linked(*given: dict[str, Any]) -> list[str | None]:
    """The cause of each item; the times are a second apart."""
    causes = Causes()
    empty = {"calendar": "cal_1", "outcome": "ok", "webhook": None, "delivery": None, "operation": None, "why": ""}
    shown: list[dict[str, Any]] = []
    for at, item in enumerate(given):
        shown.append({**empty, "id": f"i{at}", **item})
        causes.link(shown[-1], at * 1_000_000)
    return [one["cause"] for one in shown]


def action(**more: Any) -> dict[str, Any]:
    return {"kind": "action", **more}


def sync(why: str, webhook: str | None = None) -> dict[str, Any]:
    return {"kind": "sync", "why": why, "webhook": webhook}


def delivery(key: str, trigger: str = "calendar.events_update", outcome: str = "ok", **more: Any) -> dict[str, Any]:
    return {"kind": "delivery", "delivery": key, "trigger": trigger, "outcome": outcome, **more}


def request(operation: str, method: str = "GET", **more: Any) -> dict[str, Any]:
    return {"kind": "exchange", "operation": operation, "method": method, **more}


def test_an_edit_causes_a_sync_its_delivery_the_retry_the_fetch_and_the_bot() -> None:
    chain = linked(
        action(),
        sync("upstream change", "calendar.events_update"),
        delivery("d1", outcome="failed"),
        delivery("d1"),
        request("listCalendarEvents"),
        request("createBot", "POST"),
    )
    assert chain == [None, "i0", "i1", "i2", "i3", "i4"]


def test_a_write_causes_its_sync_and_a_retried_sync_the_next() -> None:
    assert linked(request("createCalendar", "POST"), sync("create"), sync("retry")) == [None, "i0", "i1"]


def test_a_resent_delivery_is_caused_by_who_resent_it() -> None:
    chain = linked(
        sync("24 h", "calendar.events_update"), delivery("d1"), action(calendar=None, delivery="d1"), delivery("d1")
    )
    assert chain == [None, "i0", None, "i2"]


def test_a_reconnection_is_caused_by_the_webhook_that_reported_the_disconnection() -> None:
    chain = linked(
        sync("24 h", "calendar.state_change"),
        delivery("d1", "calendar.state_change"),
        request("updateCalendar", "PATCH"),
        sync("patch"),
    )
    assert chain == [None, "i0", "i1", "i2"]


def test_a_read_long_after_a_delivery_is_not_caused_by_it() -> None:
    idle = [action(calendar="cal_2")] * 601
    assert linked(delivery("d1"), *idle, request("listCalendarEvents"))[-1] is None


def test_a_delivery_that_failed_causes_no_read() -> None:
    assert linked(delivery("d1", outcome="failed"), request("listCalendarEvents"))[-1] is None


def test_another_calendar_is_another_story() -> None:
    assert linked(action(calendar="cal_2"), sync("upstream change"))[-1] is None
