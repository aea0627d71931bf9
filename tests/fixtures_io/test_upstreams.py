"""What stands behind the calendars of a fixture file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mockserver.domain.model import Micros
from mockserver.domain.store import Project
from mockserver.domain.sync_scheduler import SyncScheduler
from mockserver.domain.timestamps import parse, render
from mockserver.domain.upstream import objects
from mockserver.fixtures_io import FixtureError, load_fixtures

NOW: Micros = parse("2026-05-13T12:34:56.789012Z") or 0
EVENT = {"id": "planning", "start": {"dateTime": "now+1d"}, "end": {"dateTime": "now+25h"}, "summary": "Planning"}


def load(tmp_path: Path, calendar: dict[str, Any], **project: Any) -> Project:
    path = tmp_path / "fixtures.json"
    made = {"name": "A", "api_keys": ["key"], "calendars": [{"platform": "google", **calendar}], **project}
    path.write_text(json.dumps({"projects": [made]}), "utf-8")
    (loaded,) = load_fixtures(path, NOW)
    loaded.clock.freeze()
    loaded.clock.set(NOW)
    return loaded


def synced(project: Project) -> tuple[str, object]:
    (calendar,) = project.state.calendars
    happened = SyncScheduler().sync_now(project, calendar.id)
    return happened.outcome, happened.detail["webhook"]


def test_objects_become_events_with_the_first_sync(tmp_path: Path) -> None:
    project = load(tmp_path, {"upstream": {"events": [EVENT]}})
    assert synced(project) == ("synced", "calendar.events_update")
    (event,) = project.state.events
    assert (event.platform_uuid, event.name) == ("planning", "Planning")
    assert render(event.start_time) == "2026-05-14T12:34:56.789012Z"
    assert event.raw == {
        **EVENT,
        "start": {"dateTime": "2026-05-14T12:34:56.789012Z"},
        "end": {"dateTime": "2026-05-14T13:34:56.789012Z"},
    }


def test_dates_may_be_relative_too(tmp_path: Path) -> None:
    times = {"start": {"date": "today+1d"}, "end": {"date": "2026-05-15"}}
    project = load(tmp_path, {"upstream": {"events": [{"id": "a", **times}]}})
    (calendar,) = project.state.calendars
    (remote,) = objects(project.state, calendar)
    assert (remote.document or {})["start"] == {"date": "2026-05-14"}


def test_an_event_that_is_not_among_the_objects_is_deleted(tmp_path: Path) -> None:
    event = {"start_time": "now", "end_time": "now+1h", "platform_uuid": "gone"}
    project = load(tmp_path, {"events": [event], "upstream": {"events": []}})
    assert synced(project) == ("synced", "calendar.events_update")
    (deleted,) = project.state.events
    assert deleted.is_deleted


def test_an_event_whose_link_is_not_the_one_that_is_found_is_written(tmp_path: Path) -> None:
    raw = {"id": "a", "start": {"dateTime": "2026-05-14T12:00:00Z"}, "end": {"dateTime": "2026-05-14T12:00:00Z"}}
    event = {"start_time": "2026-05-14T12:00:00Z", "end_time": "2026-05-14T12:00:00Z", "platform_uuid": "a", "raw": raw}
    described = {"events": [{**event, "meeting_url": "https://zoom.us/j/1"}], "upstream": {"events": [raw]}}
    project = load(tmp_path, described)
    assert synced(project) == ("synced", "calendar.events_update")
    assert [event.meeting_url for event in project.state.events] == [None]


@pytest.mark.parametrize("failure", ["revoked", {"name": "revoked"}, {"name": "revoked", "for_next": 1}])
def test_a_failure_may_be_there_from_the_start(tmp_path: Path, failure: Any) -> None:
    event = {"start_time": "now", "end_time": "now+1h"}
    project = load(tmp_path, {"events": [event], "upstream": {"failure": failure}})
    assert synced(project) == ("disconnected", "calendar.state_change")
    assert synced(project)[0] == ("synced" if "for_next" in failure else "disconnected")
    assert [event.is_deleted for event in project.state.events] == [False]


def test_a_disconnected_calendar_may_be_one_that_the_next_sync_connects(tmp_path: Path) -> None:
    broken = {"state": "disconnected", "connection_failure_data": {"error": "E", "timestamp": "now"}}
    assert synced(load(tmp_path, broken))[0] == "disconnected"
    assert synced(load(tmp_path, {**broken, "upstream": {"failure": None}})) == ("synced", None)


def test_a_project_says_how_it_syncs_or_else_the_mock_does(tmp_path: Path) -> None:
    path = tmp_path / "fixtures.json"
    assert load(tmp_path, {}).sync == "auto"
    assert load(tmp_path, {}, sync="manual").sync == "manual"
    assert load(tmp_path, {}, sync="auto").sync == "auto"
    load(tmp_path, {})
    assert [project.sync for project in load_fixtures(path, NOW, "manual")] == ["manual"]


UPSTREAM = "projects[0].calendars[0].upstream"


@pytest.mark.parametrize(
    ("upstream", "problem"),
    [
        ([], f"{UPSTREAM}: must be a mapping"),
        ({"event": []}, f"{UPSTREAM}.event: there is no such field; did you mean events?"),
        ({"events": {}}, f"{UPSTREAM}.events: must be a list"),
        ({"events": [7]}, f"{UPSTREAM}.events[0]: must be a mapping"),
        ({"events": [EVENT, EVENT]}, f"{UPSTREAM}.events[1].id: must be an id that no other event of the calendar has"),
        ({"events": [{"id": "a", "end": EVENT["end"]}]}, f"{UPSTREAM}.events[0].start: must be an object with a time"),
        ({"events": [{**EVENT, "start": "now"}]}, f"{UPSTREAM}.events[0].start: must be an object with a time"),
        ({"events": [{**EVENT, "start": {"dateTime": "soon"}}]}, f"{UPSTREAM}.events[0].start: is not a time"),
        (
            {"events": [{**EVENT, "attendees": [{"email": 1}]}]},
            f"{UPSTREAM}.events[0].attendees[0].email: must be text",
        ),
        ({"events": [{**EVENT, "x": "\0"}]}, f"{UPSTREAM}.events[0].x: must be text without NUL"),
        (
            {"failure": "revokd"},
            f"{UPSTREAM}.failure.name: Google calendars have no such failure; did you mean revoked?",
        ),
        ({"failure": 7}, f"{UPSTREAM}.failure: must be text"),
        ({"failure": {"for_next": 1}}, f"{UPSTREAM}.failure: name is missing"),
        ({"failure": {"name": "outage", "for_next": 0}}, f"{UPSTREAM}.failure.for_next: must be 1 or more"),
        ({"failure": {"name": "outage", "for_next": True}}, f"{UPSTREAM}.failure.for_next: must be a whole number"),
        ({"failure": {"name": "outage", "seconds": 5}}, f"{UPSTREAM}.failure.seconds: is only for the failure slow"),
    ],
)
def test_a_broken_upstream_is_told_by_its_place_and_a_fix(tmp_path: Path, upstream: Any, problem: str) -> None:
    with pytest.raises(FixtureError) as caught:
        load(tmp_path, {"upstream": upstream})
    assert problem in str(caught.value)


def test_a_sync_that_is_neither_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FixtureError, match=r"projects\[0\].sync: must be auto or manual, not 'on'"):
        load(tmp_path, {}, sync="on")
