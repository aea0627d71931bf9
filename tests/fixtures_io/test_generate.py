"""Generated fixtures: as many as asked for, realistic, and the same every time."""

from __future__ import annotations

import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver.domain.store import Project
from mockserver.domain.timestamps import parse
from mockserver.fixtures_io import load_fixtures
from mockserver.fixtures_io.generate import BASE, make_fixtures, write_fixtures

ROOT = Path(__file__).parents[2]
DAY = 86_400_000_000


def written(projects: int, calendars: int, events: int, random_seed: int) -> str:
    stream = io.StringIO()
    write_fixtures(stream, projects, calendars, events, random_seed)
    return stream.getvalue()


def load(path: Path, document: dict[str, Any]) -> list[Project]:
    path.write_text(json.dumps(document), "utf-8")
    return load_fixtures(path, BASE)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with enough in it that everything occurs."""
    (project,) = load(tmp_path / "fixtures.json", make_fixtures(1, 60, 1000, 1))
    return project


@settings(max_examples=30)
@given(projects=st.integers(0, 3), calendars=st.integers(0, 9), events=st.integers(0, 30), random_seed=st.integers())
def test_what_is_written_is_what_is_made(projects: int, calendars: int, events: int, random_seed: int) -> None:
    text = written(projects, calendars, events, random_seed)
    assert json.loads(text) == make_fixtures(projects, calendars, events, random_seed)
    assert text.isascii()
    assert text.endswith("}\n")


@pytest.mark.parametrize(("calendars", "events"), [(1, 0), (1, 7), (7, 3), (25, 100), (30, 301)])
def test_there_are_as_many_as_asked_for_and_they_load(tmp_path: Path, calendars: int, events: int) -> None:
    projects = load(tmp_path / "fixtures.json", make_fixtures(3, calendars, events, 1))
    assert [project.api_keys for project in projects] == [
        ("YOUR_API_KEY_HERE",),
        ("YOUR_API_KEY_HERE_2",),
        ("YOUR_API_KEY_HERE_3",),
    ]
    for project in projects:
        assert (len(project.state.calendars), len(project.state.events)) == (calendars, events)
        shares = [project.state.count_events_in(calendar.id) for calendar in project.state.calendars]
        assert max(shares) - min(shares) <= 1


def test_without_calendars_there_are_no_events() -> None:
    assert make_fixtures(1, 0, 5, 1)["projects"][0]["calendars"] == []


def test_the_random_seed_decides_everything() -> None:
    assert make_fixtures(2, 3, 20, 1) == make_fixtures(2, 3, 20, 1)
    assert make_fixtures(2, 3, 20, 1) != make_fixtures(2, 3, 20, 2)


def test_all_times_lie_around_the_base(tmp_path: Path, project: Project) -> None:
    for event in project.state.events:
        assert abs(event.start_time - BASE) < 60 * DAY
        assert BASE - 60 * DAY <= event.created_at <= event.updated_at <= BASE
    for calendar in project.state.calendars:
        assert BASE - 400 * DAY <= calendar.created_at <= calendar.updated_at <= BASE
    later = parse("2030-01-01T08:00:00Z") or 0
    (moved,) = load(tmp_path / "moved.json", make_fixtures(1, 60, 1000, 1, base=later))
    assert [event.start_time - later for event in moved.state.events] == [
        event.start_time - BASE for event in project.state.events
    ]


def test_the_events_are_as_various_as_real_ones(project: Project) -> None:
    events = list(project.state.events)
    assert {event.is_deleted for event in events} == {True, False}
    assert {None, ""} < {event.name for event in events}
    assert any(event.name and not event.name.isascii() for event in events)
    hosts = Counter((event.meeting_url or "no/no/none").split("/")[2] for event in events)
    assert {"meet.google.com", "us02web.zoom.us", "teams.microsoft.com", "none"} == hosts.keys()
    assert any(event.attendees is None for event in events)
    assert {0, 1, 2, 3} == {len(event.attendees) for event in events if event.attendees is not None}
    assert any(event.end_time - event.start_time == DAY and event.start_time % DAY == 0 for event in events)
    for times in ("start_time", "updated_at"):
        assert max(Counter(getattr(event, times) for event in events).values()) > 1


def test_raw_has_the_shape_of_the_calendars_platform(project: Project) -> None:
    for event in project.state.events:
        calendar = project.state.calendars.get(event.calendar_id)
        assert calendar
        assert isinstance(event.raw, dict)
        assert ("kind" in event.raw) is (calendar.platform == "google")
        assert ("isCancelled" in event.raw) is (calendar.platform == "microsoft")
        assert event.raw["id"] == event.platform_uuid


def test_the_calendars_are_as_various_as_real_ones(project: Project) -> None:
    calendars = list(project.state.calendars)
    assert {calendar.platform for calendar in calendars} == {"google", "microsoft"}
    broken = [calendar for calendar in calendars if calendar.state == "disconnected"]
    assert broken
    assert all(calendar.connection_failure_data for calendar in broken)
    for field in ("metadata", "deduplication_key", "platform_uuid"):
        assert len({getattr(calendar, field) is None for calendar in calendars}) == 2
    assert len({calendar.created_at for calendar in calendars}) < len(calendars)


def test_the_large_fixtures_are_what_their_first_lines_say() -> None:
    text = (ROOT / "fixtures" / "large.yaml").read_text("utf-8")
    comment = [line for line in text.splitlines() if line.startswith("#")]
    assert "#     attendee-mock generate --calendars 60 --events 260 --random-seed 1" in comment
    assert text == "\n".join(comment) + "\n" + written(1, 60, 260, 1)
    (project,) = load_fixtures(ROOT / "fixtures" / "large.yaml", BASE)
    assert (len(project.state.calendars), len(project.state.events)) == (60, 260)
