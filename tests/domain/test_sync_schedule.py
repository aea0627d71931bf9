"""Calendars come again in the order in which they were last put down for a sync."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mockserver.domain.sync_schedule import SyncSchedule


def test_those_that_wait_the_longest_come_first() -> None:
    plans = SyncSchedule(["a", "b"])
    plans.add("c", 5)
    plans.put(plans.of("a")._replace(enqueued_at=7))
    assert [plan.calendar_id for plan in plans.until(6)] == ["b", "c"]
    assert [plan.calendar_id for plan in plans.until(7)] == ["b", "c", "a"]
    assert plans.first() == 0


def test_one_that_does_not_come_again_is_passed_over_until_it_does() -> None:
    plans = SyncSchedule(["a"])
    plans.put(plans.of("a")._replace(regular=False))
    assert (plans.until(9), plans.first()) == ([], None)
    plans.put(plans.of("a")._replace(regular=True, enqueued_at=3))
    assert plans.first() == 3


def test_what_waits_for_a_full_minute_is_known() -> None:
    plans = SyncSchedule(["a", "b"])
    plans.put(plans.of("b")._replace(requested_at=4))
    assert [plan.calendar_id for plan in plans.requested()] == ["b"]


def test_copies_do_not_see_one_another() -> None:
    plans = SyncSchedule(["a", "b"])
    twin = plans.copy()
    twin.drop("a")
    twin.put(twin.of("b")._replace(enqueued_at=4))
    twin.drop("b")
    assert (plans.first(), twin.first()) == (0, None)
    assert plans.of("b").enqueued_at == 0


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from(["put", "pause", "look", "drop", "add"]), st.integers(0, 9)),
        max_size=30,
    )
)
def test_the_order_is_that_of_the_latest_times_however_it_came_about(steps: list[tuple[str, str, int]]) -> None:
    plans, known = SyncSchedule("ab"), {"a": (0, True), "b": (0, True)}
    for name, step, at in steps:
        if step == "look":
            wanted = sorted((when, other) for other, (when, regular) in known.items() if regular)
            assert [(plan.enqueued_at, plan.calendar_id) for plan in plans.until(at)] == [
                place for place in wanted if place[0] <= at
            ]
            assert plans.copy().first() == (wanted[0][0] if wanted else None)
        elif step == "add" and name not in known:
            plans.add(name, at)
            known[name] = at, True
        elif step == "drop" and name in known:
            plans.drop(name)
            del known[name]
        elif step in ("put", "pause") and name in known:
            plans.put(plans.of(name)._replace(enqueued_at=at, regular=step == "put"))
            known[name] = at, step == "put"
