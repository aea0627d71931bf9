"""The simulated calendar behind a calendar: what is in it when nobody said so, and how it is edited."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mockserver.domain.calendar_sync import DAY
from mockserver.domain.clock import FixedClock
from mockserver.domain.model import Json, Micros, Upstream
from mockserver.domain.store import Project, Store
from mockserver.domain.sync_scheduler import SyncScheduler
from mockserver.domain.timestamps import parse, render
from mockserver.domain.upstream import Add, Cancel, Change, Create, Move, Vanish, fields_of, find, objects
from mockserver.domain.upstream_schema import BadInput
from mockserver.fixtures_io import load_fixtures
from tests.domain.lab import FIELDS, MICROSOFT, NOW, Lab

ROOT = Path(__file__).parents[2]
SEED = ROOT / "tests" / "recorded" / "seed.json"
IN_MAY = parse("2026-05-04T00:00:00Z") or 0
HOUR: Micros = 3_600_000_000
MEET = "https://meet.google.com/abc-defg-hij"


def loaded(path: Path, now: Micros) -> tuple[list[Project], SyncScheduler]:
    store = Store(load_fixtures(path, now), FixedClock(now), 1)
    return store.projects, SyncScheduler()


@pytest.mark.parametrize("path", [SEED, *sorted((ROOT / "fixtures").glob("*.yaml"))], ids=lambda path: path.name)
@pytest.mark.parametrize("now", [IN_MAY, IN_MAY + 60 * DAY, parse("2027-12-20T00:00:00Z")])
def test_a_sync_of_what_nobody_described_changes_nothing(path: Path, now: Micros) -> None:
    projects, scheduler = loaded(path, now)
    for project in projects:
        before = list(project.state.events)
        for calendar in list(project.state.calendars):
            if calendar.state == "connected":
                happened = scheduler.sync_now(project, calendar.id)
                assert happened.outcome == "synced"
                counts: Any = happened.detail
                assert counts["webhook"] is None
                assert not project.deliveries.select()
                assert counts["total_remote_events"] >= counts["total_local_events"]
        assert all(now is then for now, then in zip(project.state.events, before, strict=True))


def test_what_a_sync_of_a_disconnected_fixture_finds_is_what_disconnected_it() -> None:
    (project, *_), scheduler = loaded(SEED, IN_MAY)
    broken = next(calendar for calendar in project.state.calendars if calendar.state == "disconnected")
    happened = scheduler.sync_now(project, broken.id)
    assert (happened.outcome, happened.detail["webhook"]) == ("disconnected", "calendar.state_change")
    after = project.state.calendars.get(broken.id)
    assert after is not None
    assert (after.connection_failure_data or {})["error"] == (broken.connection_failure_data or {})["error"]
    new = after.credentials._replace(refresh_token="another")
    project.state.replace_calendar(after._replace(credentials=new))
    happened = scheduler.sync_now(project, broken.id)
    assert (happened.outcome, happened.detail["webhook"]) == ("synced", None)


def test_the_upstream_is_what_the_events_came_from() -> None:
    (project, *_), _ = loaded(SEED, IN_MAY)
    calendar = next(iter(project.state.calendars))
    events = list(project.state.events_in(calendar.id))
    found = objects(project.state, calendar)
    there = [event for event in events if not event.is_deleted or "cancelled" in json.dumps(event.raw)]
    assert [remote.id for remote in found] == [event.platform_uuid for event in there]
    one = there[0]
    assert find(project.state, calendar, one.platform_uuid) == find(project.state, calendar, one.id)


def test_the_first_edit_of_an_object_that_says_too_little_completes_it() -> None:
    (project, *_), scheduler = loaded(SEED, IN_MAY)
    calendar = next(iter(project.state.calendars))
    soon = project.state.events_between(calendar.id, IN_MAY, IN_MAY + 27 * DAY)
    event = next(event for event in soon if event.name and event.meeting_url and not event.is_deleted)
    scheduler.edit(project, calendar.id, Move(event.platform_uuid, event.start_time + HOUR))
    assert scheduler.sync_now(project, calendar.id).detail["updated_count"] == 1
    after = project.state.events.get(event.id)
    assert after is not None
    kept = ("id", "seq", "calendar_id", "platform_uuid", "meeting_url", "name", "ical_uid", "is_deleted", "created_at")
    assert {name: getattr(after, name) for name in kept} == {name: getattr(event, name) for name in kept}
    assert after.start_time - event.start_time == after.end_time - event.end_time == HOUR
    assert isinstance(after.raw, dict)
    assert isinstance(event.raw, dict)
    assert event.raw.keys() <= after.raw.keys()


def test_an_object_that_says_it_all_is_changed_in_nothing_but_what_is_edited() -> None:
    (project, *_), scheduler = loaded(ROOT / "fixtures" / "default.yaml", IN_MAY)
    kept = 0
    for calendar in project.state.calendars:
        for event in project.state.events_in(calendar.id):
            assert isinstance(event.raw, dict)
            if not event.is_deleted:
                (remote,) = scheduler.edit(project, calendar.id, Change(event.id, {"note": "x"}))
                if event.raw["id"] == event.platform_uuid:
                    assert remote.document == {**event.raw, "note": "x"}
                    kept += 1
                assert remote.fields == fields_of(event)._replace(raw=dict(remote.document or {}))
    assert kept > 10


def test_a_described_upstream_has_what_it_is_said_to_have_and_nothing_else() -> None:
    lab = Lab()
    calendar = lab.create()
    lab.scheduler.edit(lab.project, calendar.id, Create(NOW, NOW))
    lab.scheduler.sync_now(lab.project, calendar.id)
    state = lab.project.state
    (event,) = state.events_in(calendar.id)
    state.upstreams.drop(calendar.id)
    assert find(state, calendar, event.id) is not None
    state.upstreams.put(calendar.id, Upstream(derived=False))
    assert find(state, calendar, event.id) is None
    assert objects(state, calendar) == []


@pytest.mark.parametrize("fields", [FIELDS, MICROSOFT], ids=["google", "microsoft"])
def test_each_edit_reaches_the_event_with_the_next_sync(fields: Any) -> None:
    lab = Lab()
    calendar = lab.create(fields)
    edit, sync = lab.scheduler.edit, lab.scheduler.sync_now
    (made,) = edit(lab.project, calendar.id, Create(NOW, NOW + HOUR, "Talk", MEET, (("a@example.com", "Ann"),)))
    sync(lab.project, calendar.id)
    event = lab.events(calendar.id)[made.id]
    assert (event.name, event.meeting_url, event.attendees) == (
        "Talk",
        MEET,
        [{"name": "Ann", "email": "a@example.com"}],
    )
    edit(lab.project, calendar.id, Move(event.id, NOW + 2 * HOUR))
    sync(lab.project, calendar.id)
    event = lab.events(calendar.id)[made.id]
    assert (event.start_time, event.end_time) == (NOW + 2 * HOUR, NOW + 3 * HOUR)
    edit(lab.project, calendar.id, Cancel(event.id))
    sync(lab.project, calendar.id)
    assert lab.events(calendar.id)[made.id].is_deleted
    back = {"status": "confirmed"} if calendar.platform == "google" else {"isCancelled": False}
    edit(lab.project, calendar.id, Change(made.id, {**back, "note": None}))
    sync(lab.project, calendar.id)
    assert not lab.events(calendar.id)[made.id].is_deleted
    edit(lab.project, calendar.id, Vanish(made.id))
    assert sync(lab.project, calendar.id).detail["deleted_count"] == 1
    assert lab.events(calendar.id)[made.id].is_deleted


@pytest.mark.parametrize(("fields", "master"), [(FIELDS, "recurringEventId"), (MICROSOFT, "seriesMasterId")])
def test_the_instances_of_a_series_arrive_one_by_one(fields: Any, master: str) -> None:
    lab = Lab()
    calendar = lab.create(fields)
    made = lab.scheduler.edit(lab.project, calendar.id, Create(NOW, NOW + HOUR, "Weekly", times=6))
    assert len({str((remote.document or {})[master]) for remote in made}) == 1
    assert lab.scheduler.sync_now(lab.project, calendar.id).detail["created_count"] == 4
    lab.scheduler.edit(lab.project, calendar.id, Cancel(made[1].id))
    assert lab.scheduler.sync_now(lab.project, calendar.id).detail["updated_count"] == 1
    assert [event.is_deleted for event in lab.events(calendar.id).values()] == [False, True, False, False]


def test_a_cancelled_instance_without_times_is_listed_when_it_was_to_be() -> None:
    lab = Lab()
    calendar = lab.create()
    late: Json = {"dateTime": render(NOW + 40 * DAY)}
    lab.scheduler.edit(lab.project, calendar.id, Add({"id": "late", "status": "cancelled", "originalStartTime": late}))
    lab.scheduler.edit(
        lab.project, calendar.id, Add({"id": "odd", "status": "cancelled", "originalStartTime": {"a": 1}})
    )
    lab.scheduler.edit(lab.project, calendar.id, Vanish("odd"))
    assert lab.scheduler.sync_now(lab.project, calendar.id).outcome == "synced"
    lab.clock.advance(20 * DAY)
    assert lab.scheduler.sync_now(lab.project, calendar.id).detail["error"] == "'start'"


def test_an_all_day_event_stays_one_when_it_is_moved_by_days() -> None:
    lab = Lab()
    calendar = lab.create()
    start: Json = {"date": "2026-11-23"}
    midnight = parse("2026-11-25T00:00:00Z") or 0
    lab.scheduler.edit(lab.project, calendar.id, Add({"id": "a", "start": start, "end": {"date": "2026-11-24"}}))
    (whole,) = lab.scheduler.edit(lab.project, calendar.id, Move("a", midnight))
    assert (whole.document or {})["end"] == {"date": "2026-11-26"}
    (part,) = lab.scheduler.edit(lab.project, calendar.id, Move("a", midnight + HOUR))
    assert (part.document or {})["start"] == {"dateTime": "2026-11-25T01:00:00Z", "timeZone": "UTC"}


def test_what_is_gone_may_come_back_and_what_is_there_may_not_be_added_again() -> None:
    lab = Lab()
    calendar = lab.create()
    event: dict[str, Json] = {"id": "a", "start": {"dateTime": render(NOW)}, "end": {"dateTime": render(NOW)}}
    lab.scheduler.edit(lab.project, calendar.id, Add(event))
    with pytest.raises(BadInput, match="event.id: an event with this id exists already"):
        lab.scheduler.edit(lab.project, calendar.id, Add(event))
    lab.scheduler.edit(lab.project, calendar.id, Vanish("a"))
    for edit in (Vanish("a"), Cancel("a"), Move("a", NOW), Change("a", {})):
        with pytest.raises(BadInput, match="^id: the remote calendar has no event with this id"):
            lab.scheduler.edit(lab.project, calendar.id, edit)
    lab.scheduler.edit(lab.project, calendar.id, Add(event))
    assert [remote.id for remote in objects(lab.project.state, calendar)] == ["a"]


@pytest.mark.parametrize(
    ("edit", "field"),
    [
        (Change("a", {"id": "b"}), "members.id"),
        (Change("a", {}, without=("id",)), "members.id"),
        (Change("a", {}, without=("start",)), "event.start"),
        (Change("a", {"summary": 7}), "event.summary"),
        (Move("a", NOW, NOW - 1), "end_time"),
        (Move("a", 1 << 60), "start_time"),
        (Move("cancelled", NOW), "end_time"),
        (Create(NOW, NOW, times=0), "times"),
        (Create(NOW, NOW, times=2, every=0), "every"),
        (Create(NOW, NOW - 1), "end_time"),
    ],
)
def test_an_edit_that_makes_no_sense_is_refused_and_changes_nothing(edit: Any, field: str) -> None:
    lab = Lab()
    calendar = lab.create()
    lab.scheduler.edit(
        lab.project, calendar.id, Add({"id": "a", "start": {"date": "2026-11-23"}, "end": {"date": "2026-11-24"}})
    )
    lab.scheduler.edit(lab.project, calendar.id, Add({"id": "cancelled", "status": "cancelled"}))
    before = objects(lab.project.state, calendar)
    with pytest.raises(BadInput) as caught:
        lab.scheduler.edit(lab.project, calendar.id, edit)
    assert caught.value.field == field
    assert caught.value.fix
    assert objects(lab.project.state, calendar) == before


def test_a_reset_brings_the_upstream_back() -> None:
    (project, *_), scheduler = loaded(SEED, IN_MAY)
    calendar = next(iter(project.state.calendars))
    before = objects(project.state, calendar)
    scheduler.edit(project, calendar.id, Vanish(before[0].id))
    scheduler.edit(project, calendar.id, Create(IN_MAY, IN_MAY))
    kept = project.state.copy()
    project.reset()
    assert objects(project.state, calendar) == before
    assert len(objects(kept, calendar)) == len(before)


def test_a_deleted_calendar_leaves_nothing_behind() -> None:
    lab = Lab()
    calendar = lab.create()
    lab.scheduler.edit(lab.project, calendar.id, Create(NOW, NOW))
    lab.service.delete_calendar(lab.project, calendar.id)
    assert lab.project.state.upstreams.all(calendar.id) == []
    assert lab.project.state.sync_schedule.first() is None
