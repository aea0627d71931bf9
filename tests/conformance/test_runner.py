"""The runner looks at each rule first, keeps to the time, and never counts as kept what was not tested."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

from mockserver.conformance.checks import IF_SHORT, Check, Steps, check, the_run
from mockserver.conformance.exchange import Exchange
from mockserver.conformance.expectations import status
from mockserver.conformance.rules import Need, Rule
from mockserver.conformance.run import Forbidden, Run, Stopped
from mockserver.conformance.runner import Course, Outcome, chosen_of, is_chosen, results_of
from tests.conformance.fakes import RULE, FakeTarget

Do = Callable[[Run], Any]


class FakePart:
    """A part with one rule and one check of it."""

    def __init__(self, name: Any, do: Do, *, needs: tuple[Need, ...] = (), cost: int = 1, **more: Any) -> None:
        rule = RULE._replace(id=f"{name}-rule", part=name, needs=frozenset({"read", *needs}))
        self.RULES: tuple[Rule, ...] = (rule,)
        self.CHECKS: tuple[Check, ...] = (check(rule.id, context=the_run, cost=cost, needs=needs, **more)(do),)


def nothing(run: Run) -> None:
    """Tests nothing."""


def ask(run: Run, rule: str, *, holds: bool = True) -> None:
    seen = run.target.send("GET", f"/{rule}")
    run.record(rule, "" if holds else "500", status(200), operation="listCalendars", exchanges=[seen])


def asks(rule: str, holds: bool = True) -> Do:
    return lambda run: ask(run, rule, holds=holds)


def keeps_asking(rule: str, times: int) -> Do:
    def do(run: Run) -> Steps:
        for _ in range(times):
            ask(run, rule)
            yield

    return do


def raises(error: BaseException) -> Do:
    def do(run: Run) -> None:
        raise error

    return do


def ticking() -> Callable[[], float]:
    """A clock that goes on by a second each time that it is read."""
    seconds: Iterator[int] = iter(range(10_000))
    return lambda: float(next(seconds))


def course(parts: dict[str, Any], **options: Any) -> Course:
    def look(run: Run, seen: Exchange) -> None:
        run.record("always-rule", "", status(200), operation="", exchanges=[seen])

    every = FakePart("always", nothing)
    every.CHECKS = ()
    return Course(FakeTarget(lambda _: (200, {})), {}, chosen_of({"always": every, **parts}), look=look, **options)


def go(parts: dict[str, Any], **options: Any) -> Outcome:
    return course(parts, **options).go()


def verdicts(outcome: Outcome, parts: dict[str, Any]) -> dict[str, str]:
    return {result.rule.id: result.verdict for result in results_of(outcome, parts)}


def paths(run: Course) -> list[str]:
    target: Any = run.watched.target
    return [request.path for request in target.requests]


def test_every_exchange_is_looked_at() -> None:
    outcome = go({"probes": FakePart("probes", asks("probes-rule"))})
    assert outcome.run.findings.exercised == {"always-rule": 1, "probes-rule": 1}
    assert outcome.requests == 1


def test_each_check_looks_before_any_goes_on() -> None:
    ran = course(
        {
            "probes": FakePart("probes", keeps_asking("probes-rule", 3), cost=3),
            "laws": FakePart("laws", keeps_asking("laws-rule", 2), cost=1),
        }
    )
    ran.go()
    assert paths(ran) == ["/laws-rule", "/probes-rule", "/probes-rule", "/probes-rule", "/laws-rule"]


def test_short_checks_are_over_before_long_ones_go_on() -> None:
    parts = {name: FakePart(name, keeps_asking(f"{name}-rule", times)) for name, times in (("long", 40), ("short", 8))}
    for part in parts.values():
        part.RULES = (part.RULES[0]._replace(severity="medium"),)
    run = course(parts)
    run.go()
    assert paths(run).index("/long-rule", 20) > max(n for n, path in enumerate(paths(run)) if path == "/short-rule")


def test_a_look_is_cut_only_where_time_is_short() -> None:
    def warm(run: Run) -> None:
        for _ in range(6):  # so many that it is known how long one takes
            ask(run, "warm-rule")

    def looks(run: Run) -> Steps:
        for mark in (IF_SHORT, IF_SHORT, None):
            ask(run, "cut-rule")
            yield mark

    def cut(seconds: float) -> int:
        sent: list[Course] = []
        parts = {
            "warm": FakePart("warm", warm),
            "cut": FakePart("cut", looks, cost=30, least=1),
            "next": FakePart("next", asks("next-rule"), cost=30),
        }
        sent.append(course(parts, seconds=seconds, clock=lambda: float(len(paths(sent[0]))) if sent else 0.0))
        sent[0].go()
        return paths(sent[0]).count("/cut-rule")

    assert (cut(seconds=1000.0), cut(seconds=20.0)) == (3, 1)


def test_what_reads_goes_on_while_posts_are_held_back() -> None:
    held = [False]

    def writes(run: Run) -> Steps:
        for _ in range(3):
            ask(run, "write-rule")
            held[0] = True
            yield

    parts = {
        "write": FakePart("write", writes, needs=("write",)),
        "read": FakePart("read", keeps_asking("read-rule", 9)),
    }
    run = course(parts)
    run.run.held = lambda: 30.0 if held[0] else 0.0
    run.go()
    assert paths(run) == ["/read-rule", "/write-rule", *["/read-rule"] * 8, *["/write-rule"] * 2]


def test_nothing_is_drawn_while_posts_are_held_back_and_something_is_to_be_shortened() -> None:
    def drawn(holds: bool) -> int:
        part = FakePart("draw", keeps_asking("draw-rule", 5), draws=True)
        wrong = FakePart("wrong", asks("wrong-rule", holds=holds))
        run = course({"wrong": wrong, "draw": part})
        run.run.held = lambda: 30.0
        run.go()
        return paths(run).count("/draw-rule")

    assert (drawn(holds=True), drawn(holds=False)) == (5, 0)


def test_a_check_goes_on_for_as_long_as_its_rule_is_not_tested() -> None:
    def late(run: Run) -> Steps:
        run.target.send("GET", "/late")
        yield
        yield from keeps_asking("probes-rule", 2)(run)

    ran = course({"probes": FakePart("probes", late), "laws": FakePart("laws", keeps_asking("laws-rule", 2), cost=2)})
    ran.go()
    assert paths(ran)[:3] == ["/late", "/laws-rule", "/probes-rule"]


def test_what_only_reads_comes_before_what_writes() -> None:
    parts = {
        "probes": FakePart("probes", asks("probes-rule"), needs=("write",)),
        "laws": FakePart("laws", asks("laws-rule"), cost=5),
    }
    ran = course(parts)
    ran.go()
    assert paths(ran) == ["/laws-rule", "/probes-rule"]


def test_a_check_comes_after_those_that_it_builds_on_also_where_it_alone_is_chosen() -> None:
    first = FakePart("laws", asks("laws-rule"), cost=9)
    parts = {"laws": first, "probes": FakePart("probes", asks("probes-rule"), after=first.CHECKS)}
    ran = course(parts)
    ran.go()
    assert paths(ran) == ["/laws-rule", "/probes-rule"]
    assert chosen_of(parts, ["probes-rule"]).checks == [*first.CHECKS, *parts["probes"].CHECKS]


def test_where_there_is_no_time_for_all_the_most_severe_come_first() -> None:
    now = [0.0]
    parts: dict[str, Any] = {}
    for number, severity in enumerate(["low"] * 12 + ["high"] * 12):
        rule = f"part-{number}-rule"

        def takes(run: Run, rule: str = rule) -> None:
            now[0] += 1.0
            ask(run, rule)

        part = FakePart(f"part-{number}", takes, cost=1 if severity == "low" else 2)
        part.RULES = (part.RULES[0]._replace(severity="low" if severity == "low" else "high"),)
        parts[rule] = part
    outcome = go(parts, seconds=16.0, clock=lambda: now[0])
    tested = [r.rule.severity for r in results_of(outcome, parts) if r.verdict == "kept"]
    assert sorted(tested) == ["high"] * 10 + ["low"] * 6
    assert outcome.more == "8 more rules need about 26 s (--time-budget)"


def test_time_is_kept_for_deleting_what_was_made() -> None:
    now = [0.0]

    def slow(run: Run) -> Steps:
        for _ in range(100):
            now[0] += 1.0
            ask(run, "probes-rule")
            yield

    ran = course({"probes": FakePart("probes", slow)}, seconds=50.0, clock=lambda: now[0])
    ran.closing = lambda: 20
    assert ran.go().requests == 30


def test_a_rule_that_was_not_tested_is_not_kept() -> None:
    parts = {"probes": FakePart("probes", nothing), "laws": FakePart("laws", asks("laws-rule", holds=False))}
    assert verdicts(go(parts), parts) == {"probes-rule": "not observable", "laws-rule": "broken"}


def test_a_rule_that_lacks_what_it_needs_is_not_observable() -> None:
    parts = {"laws": FakePart("laws", nothing, needs=("other-key",))}
    outcome = go(parts)
    assert verdicts(outcome, parts) == {"laws-rule": "not observable"}
    assert outcome.run.findings.unobservable == {"laws-rule": "no key of another project was given"}


def test_rules_that_the_time_does_not_reach_are_not_tested() -> None:
    parts = {name: FakePart(name, asks(f"{name}-rule")) for name in ("probes", "laws", "journeys")}
    outcome = go(parts, seconds=2, clock=ticking())
    assert sorted(verdicts(outcome, parts).values()) == ["kept", "not tested", "not tested"]
    assert outcome.more.startswith("2 more rules need about ")


def test_a_rule_for_which_every_answer_is_a_server_error_says_so() -> None:
    def fails(run: Run) -> None:
        for _ in range(3):
            run.target.send("GET", "/")

    parts = {"laws": FakePart("laws", fails)}
    outcome = Course(FakeTarget(lambda _: (500, {})), {}, chosen_of(parts), look=lambda *_: None).go()
    assert verdicts(outcome, parts) == {"laws-rule": "not tested"}
    assert outcome.untested["laws-rule"].startswith("all 3 requests")


def test_time_that_is_left_goes_to_the_checks_that_draw() -> None:
    parts = {
        "probes": FakePart("probes", asks("probes-rule")),
        "journeys": FakePart("journeys", asks("journeys-rule"), needs=("write",), draws=True),
    }
    exercised = go(parts, seconds=60, clock=ticking()).run.findings.exercised
    assert exercised["probes-rule"] == 1
    assert exercised["journeys-rule"] > 3


def test_a_check_that_trips_over_an_answer_stops_no_other() -> None:
    parts = {"probes": FakePart("probes", raises(KeyError("id"))), "laws": FakePart("laws", asks("laws-rule"))}
    outcome = go(parts)
    assert verdicts(outcome, parts) == {"probes-rule": "not tested", "laws-rule": "kept"}
    assert "KeyError" in outcome.untested["probes-rule"]


def test_what_the_guard_refuses_ends_the_check() -> None:
    outcome = go({"probes": FakePart("probes", raises(Forbidden("DELETE")))})
    assert "may not do" in outcome.untested["probes-rule"]


def test_a_run_that_is_stopped_says_why() -> None:
    parts = {"probes": FakePart("probes", raises(Stopped("the service is failing"))), "laws": FakePart("laws", nothing)}
    outcome = go(parts)
    assert outcome.stopped == "the service is failing"
    assert outcome.untested["laws-rule"] == "the service is failing"


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


def test_rules_are_chosen_by_patterns_of_their_ids_and_parts() -> None:
    rule = RULE._replace(id="page-back", part="laws")
    assert is_chosen(rule, ["page-*"], [])
    assert is_chosen(rule, ["laws"], [])
    assert is_chosen(rule, ["l*s"], [])
    assert not is_chosen(rule, ["filter-*"], [])
    assert not is_chosen(rule, [], ["page-back"])
    assert not is_chosen(rule, ["page-*"], ["laws"])


def test_checks_without_a_chosen_rule_do_not_run() -> None:
    parts = {name: FakePart(name, nothing) for name in ("always", "probes", "laws")}
    parts["always"].CHECKS = ()
    assert chosen_of(parts, ["laws-*"]).checks == [*parts["laws"].CHECKS]
    assert chosen_of(parts, ["always-*"]).checks == [*parts["probes"].CHECKS, *parts["laws"].CHECKS]


def test_what_checks_share_is_deleted_before_anything_is_drawn() -> None:
    class Made:
        def __init__(self, run: Run) -> None:
            self.run, self.there = run, True

        def clear(self) -> None:
            if self.there:
                self.run.target.send("DELETE", "/made")
            self.there = False

    shares = FakePart("probes", nothing)
    shares.CHECKS = (check("probes-rule", context=Made, cost=1)(lambda made: ask(made.run, "probes-rule")),)
    draws = FakePart("journeys", asks("journeys-rule"), draws=True)
    ran = course({"probes": shares, "journeys": draws})
    ran.go()
    assert paths(ran) == ["/probes-rule", "/made", "/journeys-rule"]


def test_loading_is_charged_to_nobody() -> None:
    now = [0.0]
    left: list[float] = []
    moved: list[float] = []

    def loads(run: Run) -> None:
        with run.loading():
            now[0] += 30.0
        left.append(run.share())

    def works(run: Run) -> None:
        left.append(run.share())
        now[0] += 4.0

    parts = {
        "laws": FakePart("laws", loads, cost=1),
        "probes": FakePart("probes", works, cost=2),
        "hostile": FakePart("hostile", lambda run: left.append(run.share()), cost=3),
    }
    ran = course(parts, seconds=10, clock=lambda: now[0])
    ran.run.extend = moved.append
    ran.go()
    assert left == [10.0, 10.0, 6.0]
    assert sum(moved) == 30.0


def test_what_is_loaded_while_a_far_target_is_waited_for_makes_the_run_no_longer() -> None:
    now = [0.0]
    left: list[float] = []
    moved: list[float] = []
    loaded: list[str] = []

    def loads(run: Run) -> None:
        with run.loading():
            now[0] += 3.0
        left.append(run.share())

    parts = {"laws": FakePart("laws", nothing), "probes": FakePart("probes", loads, cost=2)}
    ran = course(parts, seconds=10, clock=lambda: now[0])
    target: Any = ran.watched.target
    target.target.is_far = True
    ran.run.extend, ran.load = moved.append, lambda: loaded.append("loaded")
    ran.go()
    assert loaded == ["loaded"]
    assert left == [7.0]
    assert not moved


def test_loading_that_fails_is_not_charged_either() -> None:
    now = [0.0]
    left: list[float] = []

    def fails(run: Run) -> None:
        with run.loading():
            now[0] += 30.0
            raise ValueError

    parts = {
        "laws": FakePart("laws", fails),
        "probes": FakePart("probes", lambda run: left.append(run.share()), cost=2),
    }
    go(parts, seconds=10, clock=lambda: now[0])
    assert left == [10.0]


def test_without_a_time_box_no_check_is_cut_off_however_slow_it_is() -> None:
    now = [0.0]
    left: dict[str, float] = {}

    def slow(name: str) -> Do:
        def do(run: Run) -> None:
            now[0] += 3600.0
            left[name] = run.share()

        return do

    names = ("laws", "races", "fuzz", "journeys")
    parts = {name: FakePart(name, slow(name), draws=name in ("fuzz", "journeys")) for name in names}
    go(parts, clock=lambda: now[0])
    assert left == dict.fromkeys(names, math.inf)
