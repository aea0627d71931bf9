"""A project's time, from outside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mockserver.app import Mock
from mockserver.contracts import data_path
from mockserver.domain.clock import EARLIEST, LATEST, FixedClock
from mockserver.domain.timestamps import FIRST, LAST
from tests.clients import NEW_CALENDAR, Client
from tests.control.client import Controls, new_project

EMPTY = data_path("fixtures/empty.yaml")


@pytest.fixture
def controls(mock: Mock) -> Controls:
    made = new_project(mock)
    made("POST", "clock/freeze")
    return made


def test_a_clock_is_frozen_set_moved_on_and_run(controls: Controls) -> None:
    assert controls("POST", "clock/set", {"to": "2027-02-01T09:00:00+01:00"}).body["now"] == "2027-02-01T08:00:00Z"
    assert controls("POST", "clock/advance", {"by": "1h30m"}).body["now"] == "2027-02-01T09:30:00Z"
    assert controls("POST", "clock/set", {"to": "-1d"}).body["now"] == "2027-01-31T09:30:00Z"
    assert controls("POST", "clock/set", {"to": "10m"}).body["now"] == "2027-01-31T09:40:00Z"
    assert controls("GET", "clock").body == {"now": "2027-01-31T09:40:00Z", "frozen": True}
    assert controls("POST", "clock/run").body["frozen"] is False


def test_each_project_has_a_clock_of_its_own(mock: Mock, controls: Controls) -> None:
    other = new_project(mock)
    before = other("GET", "clock").body
    controls("POST", "clock/advance", {"by": "25h"})
    assert other("GET", "clock").body == before


def test_on_the_way_ahead_all_that_falls_due_is_done_in_order(mock: Mock, controls: Controls) -> None:
    controls("POST", "project/sync-mode", {"sync": "auto"})
    calendar = Client(mock, controls.key or "")("POST", "/calendars", NEW_CALENDAR).body["id"]
    controls("POST", "settle")
    assert [task["subject"] for task in controls("GET", "agenda").body["tasks"]] == ["scheduler"]
    happened = controls("POST", "clock/advance", {"by": "25h"}).body["happened"]
    assert [one["what"] for one in happened] == ["scheduler", "sync"]
    assert (happened[1]["subject"], happened[1]["outcome"]) == (calendar, "synced")
    assert [one["at"] for one in happened] == sorted(one["at"] for one in happened)


def test_posts_that_lie_ahead_after_a_step_back_count_no_more(mock: Mock, controls: Controls) -> None:
    Client(mock, controls.key or "")("POST", "/calendars", NEW_CALENDAR)
    assert mock.store.by_key[controls.key or ""].posts
    controls("POST", "clock/set", {"to": "-1h"})
    assert not mock.store.by_key[controls.key or ""].posts


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("set", {"to": "soon"}, "to"),
        ("set", {"to": 5}, "to"),
        ("set", {"to": "2027-02-30T00:00:00Z"}, "to"),
        ("set", {}, "to"),
        ("advance", {"by": "-1h"}, "by"),
        ("advance", {"by": "1 hour"}, "by"),
        ("advance", {"for": "1h"}, "body"),
        ("freeze", {"to": "1h"}, "body"),
    ],
)
def test_what_is_no_time_is_refused_and_nothing_moves(path: str, body: object, field: str, controls: Controls) -> None:
    before = controls("GET", "clock").body
    answered = controls("POST", f"clock/{path}", body)
    assert (answered.status, answered.body["field"]) == (400, field)
    assert controls("GET", "clock").body == before


@pytest.mark.parametrize(
    ("base", "step"),
    [
        (EARLIEST, ("set", {"to": "0001-01-01T00:00:00Z"})),
        (EARLIEST, ("set", {"to": "0001-01-31T23:59:59.999999Z"})),
        (EARLIEST, ("set", {"to": "-1ms"})),
        (EARLIEST, ("set", {"to": "-99999w"})),
        (EARLIEST, ("set", {"to": "today-5w"})),
        (EARLIEST, ("set", {"to": "now-999999999w"})),
        (LATEST, ("set", {"to": "9999-12-31T23:59:59.999999Z"})),
        (LATEST, ("set", {"to": "1ms"})),
        (LATEST, ("set", {"to": "999999999w"})),
        (LATEST, ("set", {"to": "monday+3000w"})),
        (LATEST, ("advance", {"by": "1ms"})),
        (LATEST, ("advance", {"by": "3660d"})),
        (LATEST - 1000, ("advance", {"by": "2ms"})),
    ],
)
def test_a_clock_is_not_moved_to_the_ends_of_the_calendar(
    make_mock: Callable[..., Mock], clock: FixedClock, base: int, step: tuple[str, dict[str, str]]
) -> None:
    clock.at = base
    controls = new_project(make_mock(fixtures=EMPTY))
    before = controls("GET", "clock").body
    answered = controls("POST", f"clock/{step[0]}", step[1])
    # 400 is a time that nothing can show, 409 one that this clock cannot.
    assert answered.status in (400, 409)
    assert answered.body["field"] == next(iter(step[1]))
    assert answered.body["fix"]
    assert controls("GET", "clock").body == before


@pytest.mark.parametrize("base", [FIRST, EARLIEST, LATEST - 1, LATEST, LAST])
@pytest.mark.parametrize("frozen", [True, False])
def test_at_the_ends_of_the_calendar_everything_works(
    make_mock: Callable[..., Mock], clock: FixedClock, base: int, *, frozen: bool
) -> None:
    clock.at = base
    mock = make_mock(fixtures=EMPTY, sync="auto")
    controls = new_project(mock, sync="auto")
    client = Client(mock, controls.key or "")
    if frozen:
        controls("POST", "clock/freeze")
    calendar = client("POST", "/calendars", NEW_CALENDAR).body["id"]
    link = "https://meet.google.com/abc-defg-hij"
    steps: list[tuple[str, str, Any]] = [
        ("POST", f"calendars/{calendar}/upstream/events", {"start": "1h", "url": link}),
        ("POST", f"calendars/{calendar}/upstream/events", {"start": "now", "duration": "1w"}),
        ("POST", f"calendars/{calendar}/sync", None),
        ("POST", f"calendars/{calendar}/fail", {"failure": "outage"}),
        ("POST", f"calendars/{calendar}/sync", None),
        ("POST", f"calendars/{calendar}/fail", {"failure": "slow", "seconds": 3600}),
        ("POST", f"calendars/{calendar}/sync", None),
        ("POST", "subscriptions", {"url": "http://127.0.0.1:9/"}),
        ("GET", "agenda", None),
        ("POST", "settle", None),
        ("POST", "snapshots", None),
        ("GET", "project", None),
        ("GET", "fixtures", None),
        ("GET", f"calendars/{calendar}/upstream?from=-1d&to=1d", None),
        ("POST", "clock/run", None),
        ("GET", "requests", None),
    ]
    for method, path, body in steps:
        answered = controls(method, path, body)
        assert answered.status in (200, 201), (path, answered.text)
    assert controls("GET", f"calendars/{calendar}/upstream?from=-99999w").status in (200, 400)
    assert (
        controls("POST", f"calendars/{calendar}/upstream/events", {"start": "1h", "duration": "999999999w"}).status
        == 400
    )
    assert controls("POST", f"calendars/{calendar}/upstream/events", {"start": "-9999w", "times": 2}).status in (
        201,
        400,
    )
    for event in client("GET", "/calendar_events").body["results"]:
        join = {"bot_name": "B", "calendar_event_id": event["id"]}
        assert client("POST", "/bots", join).status in (201, 400)
        assert client("POST", "/bots", {**join, "join_at": "9999-12-31T23:59:59Z"}).status == 400
    assert client("PATCH", f"/calendars/{calendar}", {}).status == 200
    assert client("GET", f"/calendars/{calendar}").status == 200
    assert controls("POST", "clock/advance", {"by": "1d"}).status in (200, 409)


def test_a_record_of_the_last_instant_can_still_be_changed(make_mock: Callable[..., Mock]) -> None:
    last = "9999-12-31T23:59:59.999999Z"
    event = {"id": "evt_aaaaaaaaaaaaaaaa", "platform_uuid": "e", "start_time": "now", "end_time": last}
    calendar = {"id": "cal_aaaaaaaaaaaaaaaa", "platform": "google", "updated_at": last}
    mock = make_mock()
    controls = new_project(mock, fixtures={"calendars": [{**calendar, "events": [{**event, "updated_at": last}]}]})
    client = Client(mock, controls.key or "")
    assert client("PATCH", "/calendars/cal_aaaaaaaaaaaaaaaa", {}).body["updated_at"] == last
    controls("PATCH", "calendars/cal_aaaaaaaaaaaaaaaa/upstream/events/e", {"title": "New"})
    assert controls("POST", "calendars/cal_aaaaaaaaaaaaaaaa/sync").body["detail"]["updated_count"] == 1
    assert client("GET", "/calendar_events").body["results"][0]["updated_at"] == last
    assert client("GET", "/calendars").status == 200


def test_records_that_are_made_before_1970_say_so(controls: Controls, mock: Mock) -> None:
    controls("POST", "clock/set", {"to": "1950-05-01T09:00:00Z"})
    made = Client(mock, controls.key or "")("POST", "/calendars", NEW_CALENDAR).body
    assert made["created_at"] == "1950-05-01T09:00:00Z"


@pytest.mark.parametrize(
    ("path", "body"),
    [("set", {"to": "9999-01-01T00:00:00Z"}), ("advance", {"by": "99999d"}), ("advance", {"by": "3661d"})],
)
def test_what_is_too_far_ahead_of_the_clock_is_a_conflict_and_nothing_moves(
    path: str, body: dict[str, str], controls: Controls
) -> None:
    before = controls("GET", "clock").body
    answered = controls("POST", f"clock/{path}", body)
    assert (answered.status, answered.body["field"]) == (409, next(iter(body)))
    assert controls("GET", "clock").body == before
