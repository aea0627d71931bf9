"""The service's rules, without any HTTP."""

from __future__ import annotations

import pytest

from mockserver.domain.calendar_service import (
    CalendarNotFound,
    CalendarService,
    DuplicateDeduplicationKey,
    NewCalendar,
)
from mockserver.domain.clock import FixedClock, ProjectClock
from mockserver.domain.pagination import Cursor
from mockserver.domain.postgres_limits import NotStorable
from mockserver.domain.store import Project

NOW = 1_800_000_000_000_000
FIELDS: NewCalendar = {"platform": "google", "client_id": "id", "client_secret": "secret", "refresh_token": "token"}


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def service() -> CalendarService:
    return CalendarService(longest={"client_id": 10, "deduplication_key": 5})


@pytest.fixture
def project(clock: FixedClock) -> Project:
    return Project("Acme", ("key",), clock=ProjectClock(clock))


def test_a_new_calendar_is_connected_and_written_twice(service: CalendarService, project: Project) -> None:
    calendar = service.create_calendar(project, FIELDS)
    assert calendar.state == "connected"
    assert NOW == calendar.created_at < calendar.updated_at
    assert service.get_calendar(project, calendar.id) is calendar


def test_updated_at_moves_even_when_time_stands_still_or_runs_back(
    service: CalendarService, project: Project, clock: FixedClock
) -> None:
    calendar = service.create_calendar(project, FIELDS)
    for step in (0, 0, -5_000_000, 7):
        clock.advance(step)
        changed = service.update_calendar(project, calendar.id, {})
        assert changed.updated_at > calendar.updated_at
        assert changed._replace(updated_at=calendar.updated_at) == calendar
        calendar = changed


def test_updated_at_moves_past_a_fixture_from_the_future(service: CalendarService, project: Project) -> None:
    calendar = service.create_calendar(project, FIELDS)
    future = calendar._replace(updated_at=NOW * 2)
    project.state.replace_calendar(future)
    assert service.update_calendar(project, calendar.id, {}).updated_at == NOW * 2 + 1


def test_an_update_changes_what_it_names_and_nothing_else(service: CalendarService, project: Project) -> None:
    calendar = service.create_calendar(project, {**FIELDS, "metadata": {"a": "b"}})
    assert service.update_calendar(project, calendar.id, {"client_secret": "new"}).credentials == ("new", "token")
    assert service.update_calendar(project, calendar.id, {"refresh_token": "new"}).credentials == ("new", "new")
    assert service.update_calendar(project, calendar.id, {"metadata": {"c": "d"}}).metadata == {"c": "d"}
    assert service.update_calendar(project, calendar.id, {"metadata": None}).metadata is None


def test_metadata_comes_back_in_the_order_of_the_services_database(service: CalendarService, project: Project) -> None:
    calendar = service.create_calendar(project, {**FIELDS, "metadata": {"bb": "1", "é": "2", "b": "3", "a": "4"}})
    assert list(calendar.metadata or ()) == ["a", "b", "bb", "é"]


def test_a_deduplication_key_is_free_again_after_a_delete(service: CalendarService, project: Project) -> None:
    calendar = service.create_calendar(project, {**FIELDS, "deduplication_key": "k"})
    with pytest.raises(DuplicateDeduplicationKey):
        service.create_calendar(project, {**FIELDS, "deduplication_key": "k"})
    assert len(project.state.calendars) == 1
    service.delete_calendar(project, calendar.id)
    assert service.list_calendars(project, Cursor(), "k").rows == []
    assert service.create_calendar(project, {**FIELDS, "deduplication_key": "k"}).id != calendar.id


@pytest.mark.parametrize(
    "fields",
    [
        {"client_id": "x" * 11},
        {"deduplication_key": "x" * 6},
        {"metadata": {"a": "\0"}},
        {"metadata": {"\0": "a"}},
        {"metadata": {"é\ud800": "a"}},
    ],
)
def test_what_the_database_cannot_hold_leaves_nothing_behind(
    fields: NewCalendar, service: CalendarService, project: Project
) -> None:
    with pytest.raises(NotStorable):
        service.create_calendar(project, {**FIELDS, **fields})
    assert len(project.state.calendars) == 0


def test_an_unknown_calendar_is_not_found(service: CalendarService, project: Project) -> None:
    for action in (service.get_calendar, service.delete_calendar):
        with pytest.raises(CalendarNotFound):
            action(project, "cal_0000000000000000")
    with pytest.raises(CalendarNotFound):
        service.update_calendar(project, "cal_0000000000000000", {})


def test_a_calendar_is_shown_without_its_secrets(service: CalendarService, project: Project) -> None:
    calendar = service.create_calendar(project, {**FIELDS, "client_secret": "hush", "refresh_token": "quiet"})
    assert "hush" not in repr(calendar)
    assert "quiet" not in repr(calendar)


def test_the_same_seed_gives_the_same_ids() -> None:
    made = []
    for _ in range(2):
        service, project = CalendarService(longest={}), Project("Acme", ("key",), random_seed="7")
        made.append([service.create_calendar(project, FIELDS).id for _ in range(3)])
    assert made[0] == made[1]


def test_new_calendars_are_listed_newest_first_even_in_one_instant(service: CalendarService, project: Project) -> None:
    ids = [service.create_calendar(project, FIELDS).id for _ in range(30)]
    page = service.list_calendars(project, Cursor(), None)
    assert [calendar.id for calendar in page.rows] == ids[:4:-1]
    assert page.next is not None
    assert [c.id for c in service.list_calendars(project, page.next, None).rows] == ids[4::-1]


def test_a_reset_brings_back_the_start_whatever_was_done(service: CalendarService, project: Project) -> None:
    kept = service.create_calendar(project, {**FIELDS, "deduplication_key": "k"})
    project.baseline = project.state.copy()
    service.update_calendar(project, kept.id, {"metadata": {"a": "b"}})
    service.delete_calendar(project, kept.id)
    service.create_calendar(project, {**FIELDS, "deduplication_key": "k"})
    project.reset()
    assert service.list_calendars(project, Cursor(), None).rows == [kept]
