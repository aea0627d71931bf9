"""A run sends no more than it may, waits when it is told to, and ends rather than wait for ever."""

from __future__ import annotations

import pytest

from mockserver.conformance.budget import POSTS, Budget
from mockserver.conformance.run import Stopped


class Time:
    """A clock that moves when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 3))
        self.now += seconds


def budget(time: Time, **given: object) -> Budget:
    return Budget(clock=time, sleep=time.sleep, **given)  # type: ignore[arg-type]


def test_the_requests_are_used_up() -> None:
    spent = budget(Time(), requests=2)
    spent.admit("GET")
    spent.admit("GET")
    with pytest.raises(Stopped, match="all 2 requests were sent"):
        spent.admit("GET")
    with pytest.raises(Stopped, match="2 requests"):
        spent.admit("GET")


def test_the_time_is_used_up() -> None:
    time = Time()
    spent = budget(time, seconds=5)
    spent.admit("GET")
    time.now += 5
    with pytest.raises(Stopped, match="the time budget ran out"):
        spent.admit("GET")


def test_a_rate_spaces_requests_out() -> None:
    time = Time()
    spent = budget(time, rate=4)
    for _ in range(4):
        spent.admit("GET")
    assert time.slept == [0.25, 0.25, 0.25]


def test_retry_after_is_waited_for_by_posts_alone() -> None:
    time = Time()
    told = budget(time)
    assert told.note("POST", "POST /api/v1/calendars", 429, {"retry-after": "7"})
    told.admit("GET")
    assert time.slept == []
    told.admit("POST")
    assert time.slept == [7.0]


@pytest.mark.parametrize("text", ["", "soon", "-1", "9" * 30, "١"])
def test_a_429_that_does_not_say_how_long_costs_a_few_seconds(text: str) -> None:
    time = Time()
    told = budget(time)
    told.note("GET", "GET /api/v1/calendars", 429, {"retry-after": text})
    told.admit("GET")
    assert time.slept == [5.0]


def test_a_run_ends_where_it_would_have_to_wait_beyond_its_time() -> None:
    told = budget(Time(), seconds=10)
    told.note("POST", "POST /api/v1/calendars", 429, {"retry-after": "20"})
    with pytest.raises(Stopped, match="asks for a pause of 20 s"):
        told.admit("POST")


def test_a_run_ends_rather_than_wait_for_an_hour() -> None:
    told = budget(Time())
    told.note("GET", "GET /api/v1/calendars", 429, {"retry-after": "3600"})
    with pytest.raises(Stopped, match="3600 s"):
        told.admit("GET")


def test_a_run_keeps_below_the_services_limit_of_posts() -> None:
    time = Time()
    spent = budget(time)
    for _ in range(POSTS):
        spent.admit("POST")
    time.now += 20
    spent.admit("PATCH")
    assert time.slept == []
    spent.admit("POST")
    assert time.slept == [40.0]


def test_a_run_that_has_no_time_for_more_posts_says_so() -> None:
    spent = budget(Time(), seconds=30)
    for _ in range(POSTS):
        spent.admit("POST")
    with pytest.raises(Stopped, match=f"{POSTS} POSTs a minute"):
        spent.admit("POST")


def test_failures_of_several_operations_in_a_row_end_the_run_unless_it_is_alive() -> None:
    failing = budget(Time(), failures=2)
    assert failing.note("GET", "a", 500, {})
    assert failing.note("GET", "a", 500, {})
    assert not failing.note("GET", "b", 0, {})
    failing.give_up(alive=True)
    failing.admit("GET")
    assert failing.note("GET", "a", 502, {})
    assert not failing.note("GET", "b", 503, {})
    failing.give_up(alive=False)
    with pytest.raises(Stopped, match="in a row failed"):
        failing.admit("GET")


def test_whoever_stops_a_run_is_the_one_who_is_told_of() -> None:
    told = budget(Time())
    told.stop("interrupted")
    told.stop("later")
    with pytest.raises(Stopped, match="^interrupted$"):
        told.admit("GET")


def test_time_that_was_spent_on_loading_is_given_back() -> None:
    time = Time()
    spent = budget(time, seconds=5)
    time.sleep(6)
    spent.extend(6)
    spent.admit("GET")
    assert spent.left() == 5
    time.sleep(5)
    with pytest.raises(Stopped, match="the time budget ran out"):
        spent.admit("GET")
