"""Fixture files that are right: what they mean."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest
import yaml

from mockserver.domain.model import Platform
from mockserver.domain.store import Project
from mockserver.domain.timestamps import parse, render
from mockserver.domain.upstream_mapping import event_fields
from mockserver.fixtures_io import load_fixtures, read_project, write_project, write_project_text
from tests.fixtures_io.files import CALENDAR, EVENT, NOW, RECORDED, ROOT, Load, changed, good
from tests.pages import Block, blocks


def test_the_recorded_data_loads_as_it_is_written() -> None:
    written = json.loads(RECORDED.read_text("utf-8"))["projects"]
    projects = load_fixtures(RECORDED, NOW)
    assert [project.name for project in projects] == [project["name"] for project in written]
    for project, given_project in zip(projects, written, strict=True):
        assert base64.b64encode(project.webhook_secret).decode() == given_project["webhook_secret"]
        assert list(project.disabled_api_keys) == given_project["disabled_api_keys"]
        for given_calendar in given_project["calendars"]:
            calendar = project.state.calendars.get(given_calendar["id"])
            assert calendar
            kept = calendar._asdict()
            for name in given_calendar.keys() - {"events"}:
                value = render(kept[name]) if name.endswith("_at") and kept[name] is not None else kept[name]
                assert value == given_calendar[name]
            for given_event in given_calendar["events"]:
                event = project.state.events.get(given_event["id"])
                assert event
                assert event.calendar_id == calendar.id
                for name in ("platform_uuid", "meeting_url", "is_deleted", "attendees", "ical_uid", "name", "bots"):
                    assert getattr(event, name) == given_event[name]
                assert json.dumps(event.raw) == json.dumps(given_event["raw"])
                assert render(event.updated_at) == given_event["updated_at"]


def test_the_built_in_week_is_this_week() -> None:
    demo, other = load_fixtures(ROOT / "fixtures" / "default.yaml", NOW)
    assert (demo.name, demo.api_keys) == ("Demo", ("YOUR_API_KEY_HERE",))
    assert (other.name, other.api_keys) == ("Other tenant", ("OTHER_API_KEY_HERE",))
    first, second, third = sorted(demo.state.calendars, key=lambda calendar: calendar.seq)
    assert (first.id, first.state, first.metadata) == (
        "cal_abcdef1234567890",
        "connected",
        {"tenant_id": "1234567890"},
    )
    assert first.client_id == "123456789-abcdefghijklmnopqrstuvwxyz.apps.googleusercontent.com"
    assert render(first.created_at) == render(first.updated_at) == "2025-01-13T10:30:00.123456Z"
    assert first.last_successful_sync_at == first.last_attempted_sync_at == parse("2025-01-13T11:00:00.123456Z")
    assert (second.platform, second.state) == ("microsoft", "connected")
    assert third.state == "disconnected"
    assert third.connection_failure_data
    events = list(demo.state.events)
    assert {event.calendar_id for event in events} == {first.id, second.id}
    this_week = [event for event in events if "2026-05-11" <= render(event.start_time) < "2026-05-16"]
    assert len(this_week) == len(events) - 1 == 19
    assert any(event.is_deleted for event in events)
    assert any(event.meeting_url is None for event in events)


def test_the_empty_fixtures_are_a_key_and_nothing_else() -> None:
    (project,) = load_fixtures(ROOT / "fixtures" / "empty.yaml", NOW)
    assert project.api_keys == ("YOUR_API_KEY_HERE",)
    assert (len(project.state.calendars), len(project.state.events)) == (0, 0)


RUN = [*blocks("fixtures/README.md", "yaml", "json"), *blocks("docs/webhooks.md", "yaml")]


@pytest.mark.parametrize("example", RUN, ids=str)
def test_the_examples_of_the_pages_load(load: Load, example: Block) -> None:
    assert load(example.text, f"example.{example.language}")


def test_yaml_and_json_mean_the_same(load: Load) -> None:
    as_json, as_yaml = load(good()), load(yaml.safe_dump(good()), "fixtures.yaml")
    assert [list(project.state.events) for project in as_json] == [list(project.state.events) for project in as_yaml]
    assert [list(project.state.calendars) for project in as_json] == [
        list(project.state.calendars) for project in as_yaml
    ]


def test_a_byte_order_mark_is_fine(load: Load) -> None:
    assert load("\ufeff" + json.dumps(good()))


def test_what_is_left_out_has_its_default(load: Load) -> None:
    event = {"start_time": "now", "end_time": "now"}
    project = {"name": "A", "api_keys": ["a"], "calendars": [{"platform": "google", "events": [event]}]}
    (loaded,) = load({"projects": [project]})
    assert loaded.webhook_secret == hashlib.sha256(b"webhook secret of A").digest()
    assert (loaded.disabled_api_keys, loaded.subscriptions) == ((), [])
    (calendar,), (kept,) = loaded.state.calendars, loaded.state.events
    assert calendar[2:10] == (
        *("google", "fake-client-id", ("fake-client-secret", "fake-refresh-token"), None, "connected"),
        *(None, None, None),
    )
    assert set(calendar[10:]) == {NOW}
    assert (kept.name, kept.meeting_url, kept.ical_uid, kept.attendees, kept.bots) == (None, None, None, [], [])
    assert kept.is_deleted is False
    assert kept.created_at == kept.updated_at == NOW
    assert kept.platform_uuid == kept.id[4:]


def test_null_is_not_the_default(load: Load) -> None:
    for field in ("last_successful_sync_at", "last_attempted_sync_at"):
        project, _ = load(changed((*CALENDAR, field), None))
        calendar = project.state.calendars.get("cal_aaaaaaaaaaaaaaaa")
        assert calendar
        assert getattr(calendar, field) is None
    project, _ = load(changed((*EVENT, "attendees"), None))
    event = project.state.events.get("evt_aaaaaaaaaaaaaaaa")
    assert event
    assert event.attendees is None


@pytest.mark.parametrize(
    ("given_times", "created_at", "updated_at"),
    [
        ({"created_at": "now-1d"}, "2026-05-12T12:34:56.789012Z", "2026-05-13T12:34:56.789012Z"),
        ({"created_at": "now+1d"}, "2026-05-14T12:34:56.789012Z", "2026-05-14T12:34:56.789012Z"),
        ({"updated_at": "now-1d"}, "2026-05-12T12:34:56.789012Z", "2026-05-12T12:34:56.789012Z"),
        ({"updated_at": "now+1d"}, "2026-05-13T12:34:56.789012Z", "2026-05-14T12:34:56.789012Z"),
    ],
)
def test_a_missing_time_never_contradicts_a_given_one(
    load: Load, given_times: dict[str, str], created_at: str, updated_at: str
) -> None:
    event = {"start_time": "now", "end_time": "now", **given_times}
    project, _ = load(changed((*CALENDAR, "events"), [event, event]))
    kept = next(iter(project.state.events))
    assert (render(kept.created_at), render(kept.updated_at)) == (created_at, updated_at)


def test_ids_that_are_left_out_are_the_same_every_time(load: Load) -> None:
    event = {"start_time": "now", "end_time": "now"}
    calendars = [{"platform": "google", "events": [event, event]}, {"platform": "google", "events": [event]}]
    document = {"projects": [{"name": name, "api_keys": [name], "calendars": calendars} for name in "AB"]}

    def ids(now: int) -> list[str]:
        projects = load(document, now=now)
        return [record.id for each in projects for record in (*each.state.calendars, *each.state.events)]

    assert ids(NOW) == ids(NOW + 1)
    assert len(set(ids(NOW))) == 2 * (2 + 3)
    assert all(len(each) == 20 and each[:4] in ("cal_", "evt_") and each[4:].isalnum() for each in ids(NOW))


def test_the_later_in_the_file_is_the_newer_one(load: Load) -> None:
    project, _ = load(good())
    assert [place.id[-1] for place in project.state.listed] == ["a", "b"]
    assert [event.id[-1] for event in project.state.events_by["updated_at"]] == ["a", "b"]


@pytest.mark.parametrize(("platform", "name"), [("google", "summary"), ("microsoft", "subject")])
@pytest.mark.parametrize("all_day", [True, False])
def test_raw_is_made_in_the_shape_of_the_platform(load: Load, platform: str, name: str, *, all_day: bool) -> None:
    people = [{"email": "a@example.com"}, {"email": "b@example.com", "name": "B"}]
    times = ("today", "today+1d") if all_day else ("today 09:00", "today 10:00")
    event: dict[str, Any] = dict(zip(("start_time", "end_time"), times, strict=True), name="Überblick", ical_uid="i")
    event.update(meeting_url="https://meet.google.com/abc", attendees=people, is_deleted=True)
    project, _ = load(changed(CALENDAR, {"platform": platform, "events": [event]}))
    raw: Any = max(project.state.events, key=lambda kept: kept.name or "").raw
    assert raw[name] == "Überblick"
    assert raw.get("status") == "cancelled" or raw.get("isCancelled") is True
    assert len(raw["attendees"]) == 2
    assert "2026-05-13" in json.dumps(raw["start"])
    assert raw.get("isAllDay", "date" in raw["start"]) is all_day


@pytest.mark.parametrize("platform", ["google", "microsoft"])
def test_an_attendee_needs_no_address_and_is_read_again_as_it_was_written(load: Load, platform: Platform) -> None:
    people: list[dict[str, Any]] = [
        {"name": "Room"},
        {"email": None},
        {},
        {"email": "a@example.com"},
        {"email": "", "name": ""},
    ]
    event = {"start_time": "today", "end_time": "today+1d", "attendees": people}
    project, _ = load(changed(CALENDAR, {"platform": platform, "events": [event]}))
    (read,) = (one for one in project.state.events if one.attendees)
    assert read.attendees == [{"email": one.get("email"), "name": one.get("name")} for one in people]
    assert isinstance(read.raw, dict)
    assert event_fields(platform, read.raw).attendees == read.attendees
    written = write_project(project, secrets=True)
    (again,) = (one for one in read_project(written, NOW).state.events if one.attendees)
    assert (again.attendees, again.raw) == (read.attendees, read.raw)


@pytest.mark.parametrize("secrets", [False, True])
def test_a_project_is_written_as_the_same_text_in_one_go_and_event_by_event(secrets: bool, load: Load) -> None:
    project, *_ = load(changed((*EVENT, "raw"), {"\u2028é": [1.0, None, '"']}))
    assert project.state.events
    text = write_project_text(project, project.state, secrets=secrets)
    assert text == json.dumps(write_project(project, secrets=secrets))


def test_a_project_without_calendars_is_written_as_text() -> None:
    empty = Project("empty", ("key",))
    assert json.loads(write_project_text(empty, empty.state)) == write_project(empty)


def test_raw_is_kept_word_for_word(load: Load) -> None:
    raw = {"float": 1.0, "big": 12345678901234567890, "nested": [None, True, {"é": "ü"}], "empty": {}}
    project, _ = load(changed((*EVENT, "raw"), raw))
    event = project.state.events.get("evt_aaaaaaaaaaaaaaaa")
    assert event
    assert json.dumps(event.raw) == json.dumps(raw)


@pytest.mark.parametrize(("now", "monday"), [("13", "11"), ("11", "11"), ("15", "11"), ("16", "18"), ("17", "18")])
def test_a_weekday_is_of_this_week_and_at_the_weekend_of_the_next(load: Load, now: str, monday: str) -> None:
    document = changed((*EVENT, "start_time"), "monday 09:00")
    document["projects"][0]["calendars"][0]["events"][0]["end_time"] = "sunday"
    project, _ = load(document, now=parse(f"2026-05-{now}T23:59:59Z"))
    event = project.state.events.get("evt_aaaaaaaaaaaaaaaa")
    assert event
    assert render(event.start_time) == f"2026-05-{monday}T09:00:00Z"
    assert render(event.end_time) == f"2026-05-{int(monday) + 6}T00:00:00Z"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("now", "2026-05-13T12:34:56.789012Z"),
        ("now-90m", "2026-05-13T11:04:56.789012Z"),
        ("now+2h", "2026-05-13T14:34:56.789012Z"),
        ("now-1d", "2026-05-12T12:34:56.789012Z"),
        ("now+1w", "2026-05-20T12:34:56.789012Z"),
        ("now-56s", "2026-05-13T12:34:00.789012Z"),
        ("today", "2026-05-13T00:00:00Z"),
        ("today 9:30", "2026-05-13T09:30:00Z"),
        ("today+1d 09:30", "2026-05-14T09:30:00Z"),
        ("Friday 17:30:15", "2026-05-15T17:30:15Z"),
        ("monday+1w 09:00", "2026-05-18T09:00:00Z"),
        ("monday-1d 09:00", "2026-05-10T09:00:00Z"),
        ("2026-05-01T09:00:00Z", "2026-05-01T09:00:00Z"),
        ("2026-05-01T09:00:00.5Z", "2026-05-01T09:00:00.500000Z"),
        ("2026-05-01 11:00+02:00", "2026-05-01T09:00:00Z"),
        ("2026-05-01", "2026-05-01T00:00:00Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
    ],
)
def test_a_time_is_a_timestamp_or_relative_to_now(load: Load, written: str, meant: str) -> None:
    document = changed((*EVENT, "start_time"), written)
    document["projects"][0]["calendars"][0]["events"][0]["end_time"] = written
    project, _ = load(yaml.safe_dump(document), "fixtures.yaml")
    event = project.state.events.get("evt_aaaaaaaaaaaaaaaa")
    assert event
    assert render(event.start_time) == render(event.end_time) == meant


def test_the_time_of_a_failure_is_written_as_the_service_writes_it(load: Load) -> None:
    for written, kept in [("now-1h", "2026-05-13T11:34:56.789012+00:00"), ("2026-04-01T11:00Z", "2026-04-01T11:00Z")]:
        failure = {"error": "gone", "timestamp": written}
        calendar = {"platform": "google", "state": "disconnected", "connection_failure_data": failure}
        project, _ = load(changed((*CALENDAR[:-1],), [calendar]))
        (loaded,) = project.state.calendars
        assert loaded.connection_failure_data == {"error": "gone", "timestamp": kept}
