"""The plan of the whole judge: what it tests in so much time on a target that is far away, by a counted clock."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Any, TypeVar

import pytest

from mockserver.conformance.checking import requests_to_clean_up
from mockserver.conformance.checks import Check, Steps, check, every_response
from mockserver.conformance.checks.cases import Bench
from mockserver.conformance.exchange import Exchange, Key
from mockserver.conformance.expectations import member
from mockserver.conformance.plan import Task
from mockserver.conformance.registry import PARTS, all_rules
from mockserver.conformance.run import Run, Stopped
from mockserver.conformance.runner import Course, JudgeRun, chosen_of
from mockserver.conformance.targets import AsgiTarget
from mockserver.conformance.transport import AT_ONCE, Keys
from mockserver.contracts import load_contract
from tests.clients import ACME, GLOBEX
from tests.conformance.judging import sampled
from tests.mutants.table import DISABLED, new_mock

NO_CASE = {
    "page-ties": "the recorded data has no page that ends between equal times",
    "page-back-ties": "the same",
    "bytes-broken": "only sent over a socket",
    "head-no-body": "only seen over a socket",
    "retry-after": "nothing is answered 429",
}
_Outcome = TypeVar("_Outcome")
_SHARED = 4
"""Requests for what checks share, such as a calendar: whichever comes first makes it."""
RACES = {rule.id for rule in all_rules() if rule.part == "races"}


class Distant(AsgiTarget):
    """An application in this process, on whose clock every request takes so many seconds."""

    def __init__(self, *, trip: float, writes: bool, parallel: bool = False) -> None:
        super().__init__(new_mock().asgi, Keys(ACME, GLOBEX, DISABLED), writes=writes, parallel=parallel)
        self.trip, self.now = trip, 0.0

    @property
    def at_once(self) -> int:
        return AT_ONCE if self.parallel else 1

    def send(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
        key: Key = "main",
    ) -> Exchange:
        """Sends a request, which takes its time."""
        self.now += self.trip
        exchange = super().send(method, path, json=json, body=body, headers=headers, key=key)
        return replace(exchange, seconds=self.trip)

    def together(self, requests: Sequence[Callable[[], _Outcome]]) -> list[_Outcome]:
        """Starts the calls at one moment: all of them together take the time of one, as far as each is one request."""
        before = self.now
        outcomes = super().together(requests)
        if self.parallel:
            self.now = before + (self.now - before) / len(requests)
        return outcomes


def looked(
    *,
    trip: float,
    seconds: float,
    writes: bool,
    seed: int = 1,
    parallel: bool = False,
    checks: Sequence[Check] | None = None,
) -> tuple[Course, Distant, set[str]]:
    """A run that ends when each rule is tested or the time is up, and the rules that it should have tested.

    With `checks` it takes these, in their order, and goes on until the time is up.
    """
    chosen = chosen_of(PARTS)
    if checks is not None:
        chosen = chosen._replace(checks=checks)
    wanted = {r.id for r in all_rules() if (writes or "write" not in r.needs)} - NO_CASE.keys()
    wanted -= set() if writes else {"method-undeclared"}
    wanted -= set() if parallel else RACES

    def end(run: JudgeRun) -> None:
        if checks is None and run.findings.exercised.keys() >= wanted:
            raise Stopped("each rule is tested")

    with Distant(trip=trip, writes=writes, parallel=parallel) as target:
        course = Course(
            target,
            load_contract(),
            chosen,
            look=every_response.look,
            seed=seed,
            seconds=seconds,
            progress=end,
            clock=lambda: target.now,
        )
        course.closing = lambda: requests_to_clean_up(target.ledger, target.at_once)
        course.go()
    return course, target, wanted


@pytest.mark.parametrize(("writes", "seconds"), [(True, 60.0), (False, 30.0)])
def test_each_rule_is_tested_in_time_at_50_ms_a_request(writes: bool, seconds: float) -> None:
    course, target, wanted = looked(trip=0.05, seconds=seconds, writes=writes)
    assert wanted - course.run.findings.exercised.keys() == set()
    assert target.now + requests_to_clean_up(target.ledger) * 0.05 <= seconds
    assert course.run.findings.broken == {}


def test_side_by_side_the_same_rules_are_tested_sooner_and_races_as_well() -> None:
    course, target, wanted = looked(trip=0.05, seconds=60.0, writes=True, parallel=True)
    assert wanted - course.run.findings.exercised.keys() == set()
    assert target.now < 16.0
    assert course.run.findings.broken == {}


@pytest.mark.parametrize("seed", sampled(range(12), step=12))
def test_in_whatever_order_checks_go_on_side_by_side_none_sees_what_another_does(seed: int) -> None:
    checks = chosen_of(PARTS).checks
    drawn = Random(seed).sample(checks, len(checks))
    # The first order only as far as each check writes beside others; the long tests go on.
    seconds = 30.0 if seed else 18.0
    course, _, _ = looked(trip=0.05, seconds=seconds, writes=True, seed=seed, parallel=True, checks=drawn)
    assert course.outcome.requests > 1000
    assert course.run.findings.broken == {}


@check("listed-at-once", context=Bench, cost=1, needs=("write",), apart=True)
def nosy(bench: Bench) -> Steps:
    """Takes the newest calendar of the project for its own, which it is only while nobody else makes one."""
    for _ in range(9):
        made = bench.create()
        assert made is not None
        page = bench.get("/api/v1/calendars")
        newest = member("/results/0/id", made.json["id"])
        bench.check("listed-at-once", newest, "listCalendars", [made, page])
        yield


@pytest.mark.parametrize("beside", [True, False])
def test_a_check_that_looks_at_what_others_change_is_found_out_by_that(beside: bool) -> None:
    others = chosen_of(PARTS, only=["field-*"]).checks
    course, _, _ = looked(trip=0.05, seconds=10.0, writes=True, parallel=beside, checks=[nosy, *others])
    assert {rule for rule, _, _ in course.run.findings.broken} == ({"listed-at-once"} if beside else set())


def test_side_by_side_each_rule_of_high_severity_is_tested_in_60_s_at_500_ms_a_request() -> None:
    course, target, wanted = looked(trip=0.5, seconds=60.0, writes=True, parallel=True)
    high = {rule.id for rule in all_rules() if rule.severity == "high"} & wanted
    assert high > RACES
    assert high - course.run.findings.exercised.keys() == set()
    assert target.now <= 60.0


@pytest.mark.parametrize("seed", sampled([1, 2, 3], step=3))
@pytest.mark.parametrize("writes", [True, False])
def test_each_rule_of_high_severity_is_tested_in_60_s_at_500_ms_a_request(writes: bool, seed: int) -> None:
    course, target, wanted = looked(trip=0.5, seconds=60.0, writes=writes, seed=seed)
    high = {rule.id for rule in all_rules() if rule.severity == "high"} & wanted
    assert high - course.run.findings.exercised.keys() == set()
    assert target.now + requests_to_clean_up(target.ledger) * 0.5 <= 60.0
    assert re.fullmatch(r"\d+ more rules need about [2345] min \(--time-budget\)", course.outcome.more)


def test_the_rules_of_high_severity_come_first_where_there_is_not_time_even_for_all_of_them() -> None:
    course, target, wanted = looked(trip=1.0, seconds=60.0, writes=True)
    tested = course.run.findings.exercised.keys() & wanted
    high = {rule.id for rule in all_rules() if rule.severity == "high"} & wanted
    assert len(high & tested) >= 45
    assert len(tested - high) <= 25
    assert target.now + requests_to_clean_up(target.ledger) <= 60.0


def test_a_first_look_takes_no_more_requests_than_the_check_says(monkeypatch: pytest.MonkeyPatch) -> None:
    dearer: list[tuple[tuple[str, ...], int, int]] = []
    step = Task.step

    def counted(task: Task, run: Run, *, short: bool = False) -> None:
        before, most = getattr(run.target, "sent", 0), task.check.least if short else task.check.cost
        step(task, run, short=short)
        sent = getattr(run.target, "sent", 0) - before
        if task.turns == 1 and sent > most + _SHARED:
            dearer.append((task.check.rules, most, sent))

    monkeypatch.setattr(Task, "step", counted)
    for trip in (0.05, 0.5):
        looked(trip=trip, seconds=60.0, writes=True)
    assert dearer == []


@pytest.mark.parametrize(("stage", "most"), [("", 3), ("a stage", 1)])
def test_checks_of_one_stage_never_write_beside_each_other(stage: str, most: int) -> None:
    under_way: set[int] = set()
    together: list[int] = []

    def checks_of(number: int) -> Check:
        @check("listed-at-once", context=Bench, cost=2, needs=("write",), apart=True, stage=stage)
        def busy(bench: Bench) -> Steps:
            for _ in range(3):
                under_way.add(number)
                bench.create()
                together.append(len(under_way))
                bench.create()
                under_way.discard(number)
                yield

        return busy

    looked(trip=0.05, seconds=10.0, writes=True, parallel=True, checks=[checks_of(number) for number in range(3)])
    assert len(together) == 9
    assert max(together) == most
