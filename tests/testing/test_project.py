"""A project in a test: calendars, platform, clock, webhooks and faults, seen by nobody else."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from mockserver.testing import AttendeeMock, AttendeeProject, ControlError
from mockserver.testing.clock import as_span, as_time
from mockserver.testing.direct import OverTheApi
from tests.clients import over_http

LINK = "https://meet.google.com/abc-defg-hij"


def ask(project: AttendeeProject, method: str, path: str, body: bytes | None = None) -> Any:
    headers = {**project.headers, **({"Content-Type": "application/json"} if body else {})}
    reply = over_http(project.base_url)(method, f"/api/v1{path}", headers, body)
    return json.loads(reply.body)


def test_a_project_has_what_an_app_needs_in_its_environment(attendee_project: AttendeeProject) -> None:
    assert attendee_project.env == {
        "ATTENDEE_BASE_URL": attendee_project.base_url,
        "ATTENDEE_API_KEY": attendee_project.api_key,
        "ATTENDEE_WEBHOOK_SECRET": attendee_project.webhook_secret,
    }
    assert attendee_project.headers == {"Authorization": f"Token {attendee_project.api_key}"}
    assert ask(attendee_project, "GET", "/calendars")["results"] == []


def test_two_projects_do_not_see_each_other(attendee_mock: AttendeeMock, attendee_project: AttendeeProject) -> None:
    other = attendee_mock.new_project()
    attendee_project.calendar("ada")
    assert ask(other, "GET", "/calendars")["results"] == []
    other.close()
    other.close()


def test_a_project_of_the_same_name_gets_the_same_ids_whatever_came_before(attendee_mock: AttendeeMock) -> None:
    ids = []
    for _ in range(2):
        project = attendee_mock.new_project("the same")
        ids.append(project.calendar("ada").id)
        project.close()
        attendee_mock.new_project().close()
    assert ids[0] == ids[1]


def test_a_calendar_is_created_once_and_found_by_key_and_by_id(attendee_project: AttendeeProject) -> None:
    ada = attendee_project.calendar("ada", platform="microsoft", metadata={"team": "a"}, client_id="own")
    assert (ada.platform, ada.state, ada.deduplication_key) == ("microsoft", "connected", "ada")
    assert attendee_project.calendar("ada").id == attendee_project.calendar(ada.id).id == ada.id
    (shown,) = ask(attendee_project, "GET", "/calendars")["results"]
    assert (shown["id"], shown["metadata"], shown["client_id"]) == (ada.id, {"team": "a"}, "own")
    assert shown["last_successful_sync_at"] is not None


def test_making_a_calendar_is_no_request_of_the_client_and_meets_no_fault(attendee_project: AttendeeProject) -> None:
    attendee_project.faults.add(kind="status", operation="createCalendar", first=1)
    attendee_project.calendar("ada")
    assert attendee_project.bots == []
    assert len(attendee_project.requests) == 0
    assert [fault["hits"] for fault in attendee_project.faults] == [0]


@pytest.mark.attendee(post_rate="1/min")
def test_making_calendars_does_not_count_as_posts(attendee_project: AttendeeProject) -> None:
    for key in ("ada", "bob", "carol"):
        attendee_project.calendar(key)
    assert len(ask(attendee_project, "GET", "/calendars")["results"]) == 3


def test_a_calendar_of_another_platform_or_of_none_is_refused(attendee_project: AttendeeProject) -> None:
    attendee_project.calendar("ada")
    with pytest.raises(ValueError, match="calendar 'ada' is of google, not of microsoft"):
        attendee_project.calendar("ada", platform="microsoft")
    with pytest.raises(ValueError, match="platform: 'gogle' is unknown; valid: google, microsoft"):
        attendee_project.calendar("bob", platform="gogle")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="'colour' is unknown; valid: client_id, "):
        attendee_project.calendar("bob", colour="red")


def test_edits_of_the_platform_come_into_the_api_with_the_next_sync(attendee_project: AttendeeProject) -> None:
    ada = attendee_project.calendar("ada")
    at = datetime(2027, 1, 15, 9, tzinfo=timezone(timedelta(hours=1)))
    attendee_project.clock.set("2027-01-15T07:00:00Z")
    event = ada.add_event("Planning", start=at, duration=timedelta(minutes=45), url=LINK, attendees=["z@example.com"])
    assert ada.sync()["detail"]["created_count"] == 1

    def seen() -> Any:
        (one,) = ask(attendee_project, "GET", "/calendar_events")["results"]
        return one

    assert (seen()["platform_uuid"], seen()["start_time"], seen()["end_time"]) == (
        event.id,
        "2027-01-15T08:00:00Z",
        "2027-01-15T08:45:00Z",
    )
    ada.move(event, start="2027-01-15T10:00:00Z")
    ada.change(event.id, title="Replanning", attendees=[{"email": "y@example.com", "name": "Y"}])
    ada.sync()
    assert (seen()["name"], seen()["end_time"]) == ("Replanning", "2027-01-15T10:45:00Z")
    ada.cancel(event)
    ada.sync()
    assert seen()["is_deleted"]


def test_a_series_and_objects_in_the_platforms_shape_can_be_added(attendee_project: AttendeeProject) -> None:
    ada = attendee_project.calendar("ada")
    assert len(ada.add_event("Standup", start="1h", times=3, every="1d").ids) == 3
    own = ada.add_event(document={"id": "own-1", "start": {"date": "2027-01-15"}, "end": {"date": "2027-01-16"}})
    assert own.id == "own-1"
    ada.change(own, members={"description": "text"}, without=["location"])
    assert len(ada.upstream()) == 4
    ada.vanish(own)
    assert len(ada.upstream()) == 3


def test_access_that_is_revoked_disconnects_with_the_next_sync(attendee_project: AttendeeProject) -> None:
    ada = attendee_project.calendar("ada")
    ada.revoke()
    assert ada.state == "connected"
    assert ada.sync()["outcome"] == "disconnected"
    assert ada.state == "disconnected"
    ada.reconnect("1//new")
    ada.sync()
    assert ada.state == "connected"
    ada.fail("outage", for_next=2)
    assert [ada.sync()["outcome"] for _ in range(3)] == ["failed", "failed", "synced"]


def test_the_clock_is_frozen_moved_and_runs_what_falls_due(attendee_project: AttendeeProject) -> None:
    clock = attendee_project.clock
    frozen = [clock.frozen]
    assert clock.freeze("2027-01-15T08:00:00Z") == datetime(2027, 1, 15, 8, tzinfo=UTC)
    attendee_project.calendar("ada")
    happened = clock.advance(timedelta(hours=25))
    assert [one["outcome"] for one in happened if one["what"] == "sync"] == ["synced"]
    assert clock.now == datetime(2027, 1, 16, 9, tzinfo=UTC)
    frozen.append(clock.frozen)
    clock.run()
    assert [*frozen, clock.frozen] == [False, True, False]


def test_times_and_spans_are_written_as_the_control_api_reads_them() -> None:
    assert as_time(datetime(2027, 1, 15, 8)) == "2027-01-15T08:00:00Z"  # noqa: DTZ001 -- it is what people write
    assert as_time(datetime(2027, 1, 15, 8, 0, 0, 5000, UTC)) == "2027-01-15T08:00:00.005000Z"
    assert as_span(timedelta(hours=1, milliseconds=1)) == "3600001ms"
    assert as_span("25h") == "25h"


def test_a_snapshot_returns_the_project_to_what_it_was(attendee_project: AttendeeProject) -> None:
    ada = attendee_project.calendar("ada")
    with attendee_project.snapshot() as saved:
        ada.add_event("Planning")
        ada.sync()
        assert len(ask(attendee_project, "GET", "/calendar_events")["results"]) == 1
        saved.restore()
        assert ask(attendee_project, "GET", "/calendar_events")["results"] == []
        attendee_project.calendar("bob")
    assert len(ask(attendee_project, "GET", "/calendars")["results"]) == 1
    assert attendee_project.controls.ask("GET", "snapshots")["snapshots"] == []


def test_bots_are_shown_as_the_api_shows_them(attendee_project: AttendeeProject) -> None:
    ada = attendee_project.calendar("ada")
    ada.add_event("Planning", start="2h", url=LINK)
    ada.sync()
    (event,) = ask(attendee_project, "GET", "/calendar_events")["results"]
    made = ask(
        attendee_project, "POST", "/bots", b'{"bot_name": "Notes", "calendar_event_id": "%s"}' % event["id"].encode()
    )
    assert [bot["id"] for bot in attendee_project.bots] == [made["id"]]
    over_api = OverTheApi(attendee_project.base_url, attendee_project.api_key)
    assert over_api.bots() == attendee_project.bots == ask(attendee_project, "GET", "/bots")["results"]


def test_sync_mode_fixtures_agenda_and_reset(attendee_project: AttendeeProject) -> None:
    attendee_project.load({"calendars": [{"platform": "google", "deduplication_key": "ada"}]})
    assert [task["kind"] for task in attendee_project.agenda()] == ["sync"]
    attendee_project.set_sync("manual")
    assert attendee_project.agenda() == []
    attendee_project.calendar("bob")
    attendee_project.reset()
    assert [one["deduplication_key"] for one in ask(attendee_project, "GET", "/calendars")["results"]] == ["ada"]


def test_subscriptions_and_deliveries_are_controlled(attendee_project: AttendeeProject) -> None:
    project = attendee_project
    first = project.subscriptions.add("http://127.0.0.1:1/hook", ["calendar.events_update"])
    project.subscriptions.switch(first, active=False)
    assert [(one["id"], one["active"]) for one in project.subscriptions] == [(first, False)]
    project.subscriptions.switch(first, active=True)
    project.clock.freeze()
    project.deliveries.hold()
    ada = project.calendar("ada")
    ada.add_event("Planning")
    ada.sync()
    assert [one["state"] for one in project.deliveries] == ["held"]
    key = project.deliveries[0]["key"]
    project.deliveries.release(key)
    assert project.deliveries.find("calendar.events_update", calendar="ada")[0]["tried"] == 1
    assert len(project.deliveries.attempts(key)) == 1
    project.deliveries.drop(key)
    assert [one["state"] for one in project.deliveries[-1:]] == ["dropped"]
    project.deliveries.resend(key)
    project.deliveries.release()
    assert len(project.deliveries) == 1
    project.subscriptions.remove(first)
    assert list(project.subscriptions) == []


def test_faults_are_listed_and_removed(attendee_project: AttendeeProject) -> None:
    faults = attendee_project.faults
    assert faults.add(kind="delay", name="slow", from_=2, first=1) == "slow"
    assert [(fault["name"], fault["from"]) for fault in faults] == [("slow", 2)]
    faults.remove("slow")
    faults.add(kind="status")
    faults.clear()
    assert list(faults) == []
    with pytest.raises(ControlError, match="name"):
        faults.remove("slow")
