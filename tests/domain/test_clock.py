from mockserver.domain.clock import FixedClock, ProjectClock


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
