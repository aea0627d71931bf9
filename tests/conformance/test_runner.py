"""The runner takes the parts in order, within the time, and never counts as kept what was not tested."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

from mockserver.conformance.exchange import Exchange
from mockserver.conformance.expectations import status
from mockserver.conformance.rules import Rule
from mockserver.conformance.run import Forbidden, Run, Stopped
from mockserver.conformance.runner import Course, Outcome, chosen_parts, is_chosen, results_of
from tests.conformance.fakes import RULE, FakeTarget


class FakePart:
    def __init__(self, name: Any, do: Callable[[Run], None], needs: frozenset[Any] = frozenset({"read"})) -> None:
        self.RULES: tuple[Rule, ...] = (RULE._replace(id=f"{name}-rule", part=name, needs=needs),)
        self.run = do


def nothing(run: Run) -> None:
    """Tests nothing."""


def asks(rule: str, holds: bool = True) -> Callable[[Run], None]:
    def do(run: Run) -> None:
        seen = run.target.send("GET", "/")
        run.record(rule, "" if holds else "500", status(200), operation="listCalendars", exchanges=[seen])

    return do


def raises(error: BaseException) -> Callable[[Run], None]:
    def do(run: Run) -> None:
        raise error

    return do


def ticking() -> Callable[[], float]:
    """A clock that goes on by a second each time that it is read."""
    seconds: Iterator[int] = iter(range(10_000))
    return lambda: float(next(seconds))


def go(parts: dict[str, FakePart], **options: Any) -> Outcome:
    def look(run: Run, seen: Exchange) -> None:
        run.record("always-rule", "", status(200), operation="", exchanges=[seen])

    parts = {"always": FakePart("always", nothing), **parts}
    return Course(FakeTarget(lambda _: (200, {})), {}, parts, look=look, **options).go()


def verdicts(outcome: Outcome, parts: dict[str, FakePart]) -> dict[str, str]:
    return {result.rule.id: result.verdict for result in results_of(outcome, parts)}


def test_every_exchange_is_looked_at() -> None:
    outcome = go({"probes": FakePart("probes", asks("probes-rule"))})
    assert outcome.run.findings.exercised == {"always-rule": 1, "probes-rule": 1}
    assert outcome.requests == 1


def test_a_rule_that_was_not_tested_is_not_kept() -> None:
    parts = {"probes": FakePart("probes", nothing), "laws": FakePart("laws", asks("laws-rule", holds=False))}
    assert verdicts(go(parts), parts) == {"probes-rule": "not tested", "laws-rule": "broken"}


def test_a_rule_that_lacks_what_it_needs_is_not_observable() -> None:
    parts = {"laws": FakePart("laws", nothing, frozenset({"other-key"}))}
    assert verdicts(go(parts), parts) == {"laws-rule": "not observable"}


def test_parts_that_the_time_does_not_reach_are_not_tested() -> None:
    parts = {name: FakePart(name, asks(f"{name}-rule")) for name in ("probes", "laws", "journeys")}
    assert set(verdicts(go(parts, seconds=2, clock=ticking()), parts).values()) == {"not tested"}


def test_time_that_is_left_goes_to_the_parts_that_draw() -> None:
    parts = {"probes": FakePart("probes", asks("probes-rule")), "journeys": FakePart("journeys", asks("journeys-rule"))}
    exercised = go(parts, seconds=60, clock=ticking()).run.findings.exercised
    assert exercised["probes-rule"] == 1
    assert exercised["journeys-rule"] > 3


def test_a_part_that_trips_over_an_answer_stops_no_other() -> None:
    parts = {"probes": FakePart("probes", raises(KeyError("id"))), "laws": FakePart("laws", asks("laws-rule"))}
    outcome = go(parts)
    assert verdicts(outcome, parts) == {"probes-rule": "not tested", "laws-rule": "kept"}
    assert "KeyError" in outcome.cut["probes"]


def test_what_the_guard_refuses_ends_the_part() -> None:
    assert "may not do" in go({"probes": FakePart("probes", raises(Forbidden("DELETE")))}).cut["probes"]


def test_a_run_that_is_stopped_says_why() -> None:
    parts = {"probes": FakePart("probes", raises(Stopped("the service is failing"))), "laws": FakePart("laws", nothing)}
    outcome = go(parts)
    assert outcome.stopped == "the service is failing"
    assert outcome.cut["laws"] == "the service is failing"


def test_an_interrupted_run_keeps_what_was_found() -> None:
    parts = {
        "probes": FakePart("probes", asks("probes-rule", holds=False)),
        "laws": FakePart("laws", raises(KeyboardInterrupt())),
    }
    outcome = go(parts)
    assert outcome.interrupted
    assert verdicts(outcome, parts)["probes-rule"] == "broken"


def test_the_first_finding_is_dated() -> None:
    found = go({"probes": FakePart("probes", asks("probes-rule", holds=False))}).run.first_finding
    assert found is not None
    assert found[0] == 1


def test_rules_are_chosen_by_patterns() -> None:
    rule = RULE._replace(id="page-back")
    assert is_chosen(rule, ["page-*"], [])
    assert not is_chosen(rule, ["filter-*"], [])
    assert not is_chosen(rule, [], ["page-back"])


def test_parts_without_a_chosen_rule_do_not_run() -> None:
    parts = {name: FakePart(name, nothing) for name in ("always", "probes", "laws")}
    assert list(chosen_parts(parts, ["laws-*"], [])) == ["always", "laws"]
    assert list(chosen_parts(parts, ["always-*"], [])) == ["always", "probes", "laws"]


def test_what_a_part_loads_is_not_taken_from_its_share() -> None:
    now = [0.0]
    left: list[float] = []
    part = FakePart("fuzz", lambda run: left.append(run.share()))
    part.load = lambda: now.__setitem__(0, now[0] + 30.0)  # type: ignore[attr-defined]
    go({"fuzz": part}, seconds=10, clock=lambda: now[0])
    assert set(left) == {10.0}


def test_what_a_part_loads_while_it_runs_is_charged_neither_to_it_nor_to_those_after_it() -> None:
    now = [0.0]
    left: dict[str, float] = {}
    moved: list[float] = []

    def loads(run: Run) -> None:
        with run.loading():
            now[0] += 30.0
        left["laws"] = run.share()

    def works(run: Run) -> None:
        left["probes"] = run.share()
        now[0] += 4.0

    parts = {
        "laws": FakePart("laws", loads),
        "probes": FakePart("probes", works),
        "hostile": FakePart("hostile", lambda run: left.__setitem__("hostile", run.share())),
    }
    target = FakeTarget(lambda _: (200, {}))
    course = Course(target, {}, parts, look=lambda *_: None, seconds=10, clock=lambda: now[0])
    course.run.extend = moved.append
    course.go()
    assert left == {"laws": 10.0, "probes": 10.0, "hostile": 6.0}
    assert sum(moved) == 30.0


def test_loading_that_fails_is_not_charged_either() -> None:
    now = [0.0]
    left: list[float] = []

    def fails(run: Run) -> None:
        with run.loading():
            now[0] += 30.0
            raise ValueError

    go(
        {"laws": FakePart("laws", fails), "probes": FakePart("probes", lambda run: left.append(run.share()))},
        seconds=10,
        clock=lambda: now[0],
    )
    assert left == [10.0]


def test_without_a_time_box_no_part_is_cut_off_however_slow_it_is() -> None:
    now = [0.0]
    left: dict[str, float] = {}

    def slow(name: str) -> Callable[[Run], None]:
        def do(run: Run) -> None:
            now[0] += 3600.0
            left[name] = run.share()

        return do

    names = ("laws", "races", "fuzz", "journeys")
    go({name: FakePart(name, slow(name)) for name in names}, clock=lambda: now[0])
    assert left == dict.fromkeys(names, math.inf)
