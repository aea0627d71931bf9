import pytest

from mockserver.domain.clock import EARLIEST, LATEST, FixedClock, ProjectClock
from mockserver.domain.timestamps import FIRST, LAST, render


def test_a_projects_clock_runs_with_the_other_until_it_is_frozen() -> None:
    base = FixedClock(100)
    clock = ProjectClock(base)
    base.advance(5)
    assert clock.now() == 105
    clock.freeze()
    base.advance(5)
    assert (clock.now(), clock.frozen) == (105, True)
    clock.set(500)
    assert clock.now() == 500
    clock.run()
    base.advance(1)
    assert (clock.now(), clock.frozen) == (501, False)


def test_a_running_clock_that_is_set_runs_on_from_there() -> None:
    base = FixedClock(100)
    clock = ProjectClock(base)
    clock.set(1000)
    base.advance(5)
    assert clock.now() == 1005
    clock.reset()
    assert clock.now() == 105


@pytest.mark.parametrize("base", [FIRST - 1, FIRST, 0, LAST, LAST + 1])
@pytest.mark.parametrize("at", [FIRST, EARLIEST - 1, EARLIEST, LATEST, LATEST + 1, LAST])
def test_a_projects_clock_stays_away_from_the_ends_of_the_calendar(base: int, at: int) -> None:
    clock = ProjectClock(FixedClock(base))
    assert EARLIEST <= clock.now() <= LATEST
    clock.set(at)
    assert clock.now() == min(max(at, EARLIEST), LATEST)
    clock.freeze()
    clock.run()
    assert clock.now() == min(max(at, EARLIEST), LATEST)


def test_a_clock_that_has_run_to_the_end_stands_there_and_can_be_set_back() -> None:
    base = FixedClock(0)
    clock = ProjectClock(base)
    clock.set(LATEST)
    base.advance(5)
    assert clock.now() == LATEST
    clock.set(100)
    base.advance(5)
    assert clock.now() == 105


def test_the_ends_are_the_start_of_a_month_and_of_a_year() -> None:
    assert (render(EARLIEST), render(LATEST)) == ("0001-02-01T00:00:00Z", "9996-01-01T00:00:00Z")
