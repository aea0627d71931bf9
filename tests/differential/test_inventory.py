"""Requests name what both projects contain, by variables that each side fills in."""

from __future__ import annotations

from mockserver.differential.inventory import take
from mockserver.differential.sides import Place, both
from tests.differential.sides import KEY, new_mock, place


def test_variables_mean_the_same_thing_on_both_sides() -> None:
    with both(place(new_mock()), place(new_mock()), write=False) as sides:
        found = take(*sides, shapes=False)
    a, b = found.values
    assert a.keys() == b.keys()
    assert {*found.calendars, *found.keys, *found.events, *found.times} == a.keys()
    assert a["calendar1"] == b["calendar1"]
    assert found.ids[a["calendar1"]] == b["calendar1"]


def test_times_are_written_in_every_form_that_filters_read() -> None:
    with both(place(new_mock()), place(new_mock()), write=False) as sides:
        values = take(*sides, shapes=False).values[0]
    start = values["event1_start_time"]
    assert start.endswith("Z")
    assert values["event1_start_time_plain"] == start.removesuffix("Z")
    assert values["event1_start_time_date"] == start[:10]
    assert values["event1_start_time_earlier"] < start < values["event1_start_time_later"]
    assert values["event1_start_time_east"].endswith("+02:00")
    assert values["event1_start_time_west"].endswith("-05:30")


def test_a_deployment_on_another_machine_is_live() -> None:
    assert Place("https://staging.example.com", KEY).live
    assert not Place("http://127.0.0.1:8000", KEY).live
    assert not place(new_mock()).live
