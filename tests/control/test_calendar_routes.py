"""What stands behind a calendar is shown, edited, broken, healed and synced by the controls."""

from __future__ import annotations

from typing import Any

import pytest

from mockserver.app import Mock
from mockserver.control.errors import Refused
from mockserver.domain.timestamps import render
from tests.clients import MAIN_CALENDAR
from tests.conftest import NOW
from tests.control.client import DirectControls

CALENDAR = f"/calendars/{MAIN_CALENDAR}"
EVENTS = f"{CALENDAR}/upstream/events"
HOUR = 3_600_000_000


@pytest.fixture
def controls(mock: Mock) -> DirectControls:
    controls = DirectControls(mock)
    controls.project.clock.freeze()
    return controls


def platforms(controls: DirectControls) -> dict[str, str]:
    """The id of a calendar of each platform that is connected."""
    return {one.platform: one.id for one in controls.project.state.calendars if one.state == "connected"}


def at(instant: int) -> str:
    return render(instant).removesuffix("Z")


def test_an_upstream_that_nobody_described_is_what_the_events_came_from(controls: DirectControls) -> None:
    shown = controls("GET", f"{CALENDAR}/upstream?limit=1000")
    events = [event for event in controls.project.state.events_in(MAIN_CALENDAR) if not event.is_deleted]
    assert {event.platform_uuid for event in events} <= {event["id"] for event in shown["events"]}
    assert shown["failure"] is None
    assert shown["sync_due"] is None


def test_a_calendar_is_called_by_its_deduplication_key_too(controls: DirectControls) -> None:
    keyed = next(one for one in controls.project.state.calendars if one.deduplication_key)
    assert controls("GET", f"/calendars/{keyed.deduplication_key}/upstream")["calendar"] == keyed.id
    with pytest.raises(Refused, match="has no calendar 'nobody'") as refused:
        controls("GET", "/calendars/nobody/upstream")
    assert refused.value.status == 404
    with pytest.raises(Refused) as refused:
        controls("GET", f"/calendars/{str(keyed.deduplication_key)[:-1]}/upstream")
    assert f"did you mean {keyed.deduplication_key}" in refused.value.fix


@pytest.mark.parametrize("platform", ["google", "microsoft"])
def test_an_event_in_short_form_is_an_event_after_the_sync(controls: DirectControls, platform: str) -> None:
    calendar = platforms(controls)[platform]
    made = controls(
        "POST",
        f"/calendars/{calendar}/upstream/events",
        title="Review",
        start="2h",
        duration="45m",
        url="https://meet.google.com/abc-defg-hij",
        attendees=["ann@example.com", {"email": "bob@example.com", "name": "Bob"}],
    )
    happened = controls("POST", f"/calendars/{calendar}/sync")
    assert (happened["outcome"], happened["detail"]["created_count"]) == ("synced", 1)
    event = controls.project.state.event_named(calendar, made["id"])
    assert event is not None
    assert (event.name, event.meeting_url) == ("Review", "https://meet.google.com/abc-defg-hij")
    assert (event.start_time, event.end_time) == (NOW + 2 * HOUR, NOW + 2 * HOUR + 45 * HOUR // 60)
    people = [
        {"email": "ann@example.com", "name": None},
        {"email": "bob@example.com", "name": "Bob"},
    ]
    assert [
        {name: one.get(name) for name in ("email", "name")} for one in event.attendees or [] if isinstance(one, dict)
    ] == (people)


@pytest.mark.parametrize("platform", ["google", "microsoft"])
def test_attendees_in_short_form_need_no_address(controls: DirectControls, platform: str) -> None:
    calendar = platforms(controls)[platform]
    events = f"/calendars/{calendar}/upstream/events"
    people: list[Any] = [{"name": "Room"}, {"email": None, "name": "Room"}, {"email": None}, {}]
    made = controls("POST", events, start="2h", attendees=people[:2])
    controls("POST", f"/calendars/{calendar}/sync")
    event = controls.project.state.event_named(calendar, made["id"])
    assert event is not None
    assert event.attendees == [{"email": None, "name": "Room"}] * 2
    controls("PATCH", f"{events}/{made['id']}", attendees=people[2:])
    controls("POST", f"/calendars/{calendar}/sync")
    event = controls.project.state.event_named(calendar, made["id"])
    assert event is not None
    assert event.attendees == [{"email": None, "name": None}] * 2
    controls("PATCH", f"{events}/{event.id}", title="An edit of an event keeps its attendees")
    controls("POST", f"/calendars/{calendar}/sync")
    event = controls.project.state.events.get(event.id)
    assert event is not None
    assert event.attendees == [{"email": None, "name": None}] * 2


def test_a_series_is_added_as_its_instances(controls: DirectControls) -> None:
    made = controls("POST", EVENTS, title="Standup", start="2027-01-16T09:00:00Z", duration="15m", times=3, every="1d")
    assert len(made["ids"]) == len(made["events"]) == 3
    starts = [event["start"]["dateTime"] for event in made["events"]]
    assert starts == [f"2027-01-{day}T09:00:00Z" for day in (16, 17, 18)]


def test_an_object_in_the_platforms_shape_is_taken_as_it_is(controls: DirectControls) -> None:
    given = {"summary": "Own", "start": {"dateTime": at(NOW) + "Z"}, "end": {"dateTime": at(NOW + HOUR) + "Z"}}
    assert controls("POST", EVENTS, id="mine", **given)["events"] == [{"id": "mine", **given}]
    assert controls("POST", EVENTS, **given)["id"]


def test_with_sync_auto_an_edit_is_synced_on_the_next_full_minute(controls: DirectControls) -> None:
    controls.project.sync = "auto"
    assert controls("POST", EVENTS, start="1h")["sync_due"] == "2027-01-15T08:01:00Z"


BAD_EVENTS: list[tuple[dict[str, Any], str]] = [
    ({}, "start"),
    ({"titel": "x", "start": "1h"}, "titel"),
    ({"start": "soon"}, "start"),
    ({"start": 7}, "start"),
    ({"start": "1h", "end": "2h", "duration": "1h"}, "duration"),
    ({"start": "1h", "duration": "-1h"}, "duration"),
    ({"start": "2h", "end": "1h"}, "end"),
    ({"start": "1h", "title": 7}, "title"),
    ({"start": "1h", "attendees": "ann"}, "attendees"),
    ({"start": "1h", "attendees": [{"mail": "x"}]}, "attendees[0]"),
    ({"start": "1h", "attendees": [None]}, "attendees[0]"),
    ({"start": "1h", "attendees": [{"email": 7}]}, "attendees[0]"),
    ({"start": "1h", "attendees": ["a", {"name": True}]}, "attendees[1]"),
    ({"start": "1h", "attendees": False}, "attendees"),
    ({"start": "1h", "attendees": {}}, "attendees"),
    ({"start": "1h", "times": True}, "times"),
    ({"start": "1h", "times": 1001}, "times"),
    ({"start": "1h", "every": "often"}, "every"),
    ({"id": "x", "start": {"dateTime": 5}}, "start.dateTime"),
    ({"id": 5}, "id"),
]


@pytest.mark.parametrize(("body", "field"), BAD_EVENTS, ids=str)
def test_what_is_no_event_is_refused_by_its_field(controls: DirectControls, body: dict[str, Any], field: str) -> None:
    assert controls.refused("POST", EVENTS, **body) == field


@pytest.mark.parametrize("platform", ["google", "microsoft"])
def test_an_event_is_changed_and_moved_in_short_form(controls: DirectControls, platform: str) -> None:
    calendar = platforms(controls)[platform]
    events = f"/calendars/{calendar}/upstream/events"
    name = controls("POST", events, title="Old", start="1h", url="https://zoom.us/j/1234567890")["id"]
    change = {"title": "New", "start": "3h", "url": "https://meet.google.com/abc-defg-hij", "attendees": ["a@b.c"]}
    controls("PATCH", f"{events}/{name}", **change)
    controls("POST", f"/calendars/{calendar}/sync")
    event = controls.project.state.event_named(calendar, name)
    assert event is not None
    assert (event.name, event.meeting_url) == ("New", "https://meet.google.com/abc-defg-hij")
    assert (event.start_time, event.end_time) == (NOW + 3 * HOUR, NOW + 3 * HOUR + HOUR // 2)
    controls("PATCH", f"{events}/{event.id}", duration="2h", url=None, title=None, attendees=[])
    controls("POST", f"/calendars/{calendar}/sync")
    event = controls.project.state.event_named(calendar, name)
    assert event is not None
    assert (event.name, event.meeting_url, event.attendees) == (None, None, [])
    assert (event.start_time, event.end_time) == (NOW + 3 * HOUR, NOW + 5 * HOUR)


def test_an_event_is_changed_in_the_platforms_shape_and_members_are_taken_out(controls: DirectControls) -> None:
    name = controls("POST", EVENTS, title="Old", start="1h", url="https://zoom.us/j/1234567890")["id"]
    changed = controls("PATCH", f"{EVENTS}/{name}", summary="Own", without=["location"])["events"][0]
    assert changed["summary"] == "Own"
    assert "location" not in changed
    attendees = [{"email": "a@b.c", "displayName": "A"}]
    assert controls("PATCH", f"{EVENTS}/{name}", attendees=attendees)["events"][0]["attendees"] == attendees


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"),
        ({"id": "other"}, "id"),
        ({"without": "location"}, "without"),
        ({"times": 2}, "times"),
        ({"start": {"date": "2027-01-16"}, "duration": "1h"}, "start"),
        ({"end": "-5h"}, "end"),
    ],
    ids=str,
)
def test_a_change_that_makes_no_sense_is_refused(controls: DirectControls, body: dict[str, Any], field: str) -> None:
    name = controls("POST", EVENTS, start="1h")["id"]
    before = controls("GET", f"{CALENDAR}/upstream?from=now&to=2h")
    assert controls.refused("PATCH", f"{EVENTS}/{name}", **body) == field
    assert controls("GET", f"{CALENDAR}/upstream?from=now&to=2h") == before


def test_cancelled_events_stay_and_vanished_ones_do_not(controls: DirectControls) -> None:
    one, other = (controls("POST", EVENTS, start="1h")["id"] for _ in range(2))
    controls("POST", f"{CALENDAR}/sync")
    assert controls("POST", f"{EVENTS}/{one}/cancel")["events"][0]["status"] == "cancelled"
    assert controls("DELETE", f"{EVENTS}/{other}")["events"] == []
    shown = controls("GET", f"{CALENDAR}/upstream?from=now&to=2h")
    assert ([event["id"] for event in shown["events"]], shown["total"]) == ([one], 1)
    assert controls("POST", f"{CALENDAR}/sync")["detail"]["deleted_count"] == 1
    with pytest.raises(Refused, match=f"no event '{other}'") as refused:
        controls("DELETE", f"{EVENTS}/{other}")
    assert refused.value.status == 404


def test_a_revoked_token_disconnects_with_the_next_sync_until_there_is_a_new_one(controls: DirectControls) -> None:
    failed = controls("POST", f"{CALENDAR}/fail", failure="revoked")
    assert (failed["failure"]["name"], failed["disconnects"]) == ("revoked", True)
    assert controls("POST", f"{CALENDAR}/sync")["outcome"] == "disconnected"
    healed = controls("POST", f"{CALENDAR}/reconnect", refresh_token="1//planted")
    assert healed["failure"] is None
    assert "planted" not in str(healed)
    assert controls("POST", f"{CALENDAR}/sync")["outcome"] == "synced"


def test_reconnecting_asks_for_a_sync_where_syncs_are_automatic(controls: DirectControls) -> None:
    assert controls("POST", f"{CALENDAR}/reconnect")["sync_due"] is None
    controls.project.sync = "auto"
    controls("POST", f"{CALENDAR}/fail", failure="permission_denied")
    controls("POST", f"{CALENDAR}/sync")
    assert controls("POST", f"{CALENDAR}/reconnect")["sync_due"] == render(NOW)
    latest = controls.syncs.of(controls.project, MAIN_CALENDAR)
    assert latest is not None
    assert (latest.outcome, latest.detail["cause"]) == ("synced", "reconnect")


def test_a_failure_lasts_as_many_syncs_as_it_shall(controls: DirectControls) -> None:
    controls("POST", f"{CALENDAR}/fail", failure="outage", for_next=1)
    outcomes = [controls("POST", f"{CALENDAR}/sync")["outcome"] for _ in range(2)]
    assert outcomes == ["failed", "synced"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"failure": 7}, "failure"),
        ({"failure": "revokd"}, "failure"),
        ({"failure": "outage", "for_next": 0}, "for_next"),
        ({"failure": "outage", "for_next": True}, "for_next"),
        ({"failure": "slow", "seconds": "5"}, "seconds"),
        ({"failure": "outage", "seconds": 5}, "seconds"),
    ],
    ids=str,
)
def test_a_failure_that_is_none_is_refused_by_its_field(
    controls: DirectControls, body: dict[str, Any], field: str
) -> None:
    assert controls.refused("POST", f"{CALENDAR}/fail", **body) == field


@pytest.mark.parametrize("token", [7, "", " "])
def test_a_refresh_token_that_is_none_is_refused(controls: DirectControls, token: object) -> None:
    assert controls.refused("POST", f"{CALENDAR}/reconnect", refresh_token=token) == "refresh_token"


def test_it_is_said_why_a_calendar_brought_no_webhook(controls: DirectControls) -> None:
    codes = [reason["code"] for reason in controls("GET", f"{CALENDAR}/explain")["why_none"]]
    assert codes == ["sync is manual"]
    controls("POST", f"{CALENDAR}/sync")
    codes = [reason["code"] for reason in controls("GET", f"{CALENDAR}/explain")["why_none"]]
    assert "nothing changed" in codes
