"""A project's time, from outside."""

from __future__ import annotations

import pytest

from mockserver.app import Mock
from tests.clients import NEW_CALENDAR, Client
from tests.control.controls import Controls, new_world


@pytest.fixture
def world(mock: Mock) -> Controls:
    made = new_world(mock)
    made("POST", "clock/freeze")
    return made


def test_a_clock_is_frozen_set_moved_on_and_run(world: Controls) -> None:
    assert world("POST", "clock/set", {"to": "2027-02-01T09:00:00+01:00"}).body["now"] == "2027-02-01T08:00:00Z"
    assert world("POST", "clock/advance", {"by": "1h30m"}).body["now"] == "2027-02-01T09:30:00Z"
    assert world("POST", "clock/set", {"to": "-1d"}).body["now"] == "2027-01-31T09:30:00Z"
    assert world("POST", "clock/set", {"to": "10m"}).body["now"] == "2027-01-31T09:40:00Z"
    assert world("GET", "clock").body == {"now": "2027-01-31T09:40:00Z", "frozen": True}
    assert world("POST", "clock/run").body["frozen"] is False


def test_each_project_has_a_clock_of_its_own(mock: Mock, world: Controls) -> None:
    other = new_world(mock)
    before = other("GET", "clock").body
    world("POST", "clock/advance", {"by": "25h"})
    assert other("GET", "clock").body == before


def test_on_the_way_ahead_all_that_falls_due_is_done_in_order(mock: Mock, world: Controls) -> None:
    world("POST", "project/sync-mode", {"sync": "auto"})
    calendar = Client(mock, world.key or "")("POST", "/calendars", NEW_CALENDAR).body["id"]
    world("POST", "settle")
    assert [task["subject"] for task in world("GET", "agenda").body["tasks"]] == ["scheduler"]
    happened = world("POST", "clock/advance", {"by": "25h"}).body["happened"]
    assert [one["what"] for one in happened] == ["scheduler", "sync"]
    assert (happened[1]["subject"], happened[1]["outcome"]) == (calendar, "synced")
    assert [one["at"] for one in happened] == sorted(one["at"] for one in happened)


def test_posts_that_lie_ahead_after_a_step_back_count_no_more(mock: Mock, world: Controls) -> None:
    Client(mock, world.key or "")("POST", "/calendars", NEW_CALENDAR)
    assert mock.store.by_key[world.key or ""].posts
    world("POST", "clock/set", {"to": "-1h"})
    assert not mock.store.by_key[world.key or ""].posts


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("set", {"to": "soon"}, "to"),
        ("set", {"to": 5}, "to"),
        ("set", {"to": "2027-02-30T00:00:00Z"}, "to"),
        ("set", {"to": "9999-01-01T00:00:00Z"}, "to"),
        ("set", {}, "to"),
        ("advance", {"by": "-1h"}, "by"),
        ("advance", {"by": "99999d"}, "by"),
        ("advance", {"by": "1 hour"}, "by"),
        ("advance", {"for": "1h"}, "body"),
        ("freeze", {"to": "1h"}, "body"),
    ],
)
def test_what_is_no_time_is_refused_and_nothing_moves(path: str, body: object, field: str, world: Controls) -> None:
    before = world("GET", "clock").body
    answered = world("POST", f"clock/{path}", body)
    assert (answered.status, answered.body["field"]) == (400, field)
    assert world("GET", "clock").body == before
