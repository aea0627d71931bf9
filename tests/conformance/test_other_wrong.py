"""A finding shows for as long as its rule is broken, in whichever way, by replay and by its pytest file alike."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from mockserver.conformance.checks import bots, every_response, fuzz, invalid_http, lifecycle, methods, races
from mockserver.conformance.checks.laws import Trial
from mockserver.conformance.checks.lifecycle import opening
from mockserver.conformance.evaluation import broken
from mockserver.conformance.expectations import LAST, facts_of, renumbered
from mockserver.conformance.findings import Finding, Findings
from mockserver.conformance.recorder import Watched
from mockserver.conformance.recording import Origins, recipe_of
from mockserver.conformance.registry import DETAILS, HOSTILE, LAWS, PROBES, all_rules
from mockserver.conformance.run import Stopped
from mockserver.conformance.runner import JudgeRun, take
from mockserver.conformance.targets import AsgiTarget
from mockserver.conformance.transport import Keys
from mockserver.contracts import load_contract
from tests.clients import ACME, GLOBEX
from tests.conformance.test_transport import answering, http, target
from tests.conformance.twisting import (
    CALENDARS,
    KEYS,
    TWISTS,
    Player,
    Sample,
    file_test,
    replayer_of,
    two_ways,
    verdict_of,
)
from tests.mutants.table import DISABLED, mutants, new_mock

_MOST = 40
"""Tests of a rule, on each operation, that are looked at for one that can be turned wrong in two ways."""
_LONGEST = 40
_GONE = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\nConnection: close\r\n\r\n"
OVER_THE_WIRE: dict[str, tuple[Callable[[JudgeRun], object], bytes, bytes, bytes]] = {
    "head-no-body": (lambda run: list(methods.bodies_of_head.begin(run)), _GONE, _GONE + b"{}", _GONE + b"<h1>"),
    "bytes-broken": (
        lambda run: list(invalid_http.send_broken.begin(run)),
        http("400 Bad Request"),
        http("200 OK"),
        http("500 Internal Server Error"),
    ),
    "retry-after": (
        lambda run: run.target.send("POST", CALENDARS, json={}),
        http("429 Too Many Requests", b'"Expected available in 0 seconds."', "Retry-After: 0"),
        http("429 Too Many Requests", b'"Expected available in 7 seconds."', "Retry-After: 0"),
        http("429 Too Many Requests", b'"Expected available in 0 seconds."'),
    ),
}
"""Rules about what an application in this process cannot show: what tests them, the right answer and two wrong ones."""
FROM_MUTANTS = {
    "calendars-newest-first": "calendars-oldest-first-in-page",
    "event-has-calendar": "delete-keeps-events",
    "events-default-order": "default-order-is-created-at",
    "events-order": "start-time-descending-sorts-ascending",
    "filter-alias": "updated-after-ignored",
    "filter-boundary": "updated-at-gte-excludes-equal",
    "filter-combined": "end-time-lte-ignored-with-start-time-gte",
    "filter-fraction": "one-digit-fraction-read-as-microseconds",
    "filter-loose-time": "time-without-zone-two-hours-off",
    "filter-spelling": "calendar-dedup-key-matches-prefix",
    "filter-text": "event-id-ignored",
    "filter-time": "start-time-gte-compares-dates",
    "filter-unknown": "unknown-calendar-id-lists-everything",
    "filter-with-order": "created-at-descending-ignores-filters",
    "filter-zone": "filter-ignores-utc-offset",
    "order-same-set": "ordering-by-end-time-hides-deleted-events",
    "page-back": "row-lost-on-way-back",
    "page-back-ties": "equal-end-times-lost-on-way-back",
    "page-each-once": "row-repeated-on-next-page",
    "page-ends": "last-page-has-next",
    "page-next-after-previous": "row-lost-on-next-after-previous",
    "page-none-lost": "row-lost-between-pages",
    "page-ties": "equal-start-times-lost-between-pages",
    "parts-make-whole": "deleted-events-hidden-without-calendar-id",
    "tenant-lists": "unknown-key-lists-events",
}
"""Rules that search for what is wrong, each with a mutant in which they find it."""
NOT_TO_THE_END = {
    "event-has-calendar": ("other strangers", "a row twice"),
    "page-ends": ("other words", "a link to where one is"),
    "page-back-ties": ("other words", "again other words"),
}
"""Rules whose steps a right service does not take to their end, and twists of the mutant's last answer."""
RULES = {rule.id: rule for rule in all_rules()}


class Sampling(JudgeRun):
    """A run that keeps the tests that rules pass."""

    def __init__(self, target: AsgiTarget) -> None:
        super().__init__(target, load_contract(), seed=1, clock=time.monotonic)
        self.samples: defaultdict[tuple[str, str], list[Sample]] = defaultdict(list)

    def record(self, rule: str, seen: str, expectation: Any, **more: Any) -> bool:
        """Keeps the test, and records it."""
        self.sampled(rule, expectation, **more)
        return super().record(rule, seen, expectation, **more)

    def sampled(self, rule: str, expectation: Any, *, operation: str, exchanges: Any, field: str = "") -> None:
        if RULES[rule].part == "always" and operation == "listBots":
            return  # the bots that a list shows were made by steps that are not of the sample
        kept = self.samples[rule, operation]
        # Schemathesis says of what is no request of its kind that the rule holds: what it expects says nothing of that.
        if len(kept) < _MOST and exchanges and not broken(expectation, facts_of(exchanges)):
            whole = self.target.led_to(exchanges)  # type: ignore[attr-defined]  # the watched target has it
            numbered = renumbered(expectation, lambda step: exchanges[-1].number if step == LAST else step)
            kept.append(Sample(rule, operation, field, numbered, tuple(whole)))


@cache
def recipes() -> dict[tuple[str, str], tuple[dict[str, Any], list[str]]]:
    """By rule and operation: a finding that was made out of a passed test, and the twists that break it."""
    with AsgiTarget(new_mock().asgi, Keys(ACME, GLOBEX, DISABLED)) as target, pytest.MonkeyPatch.context() as patch:
        run = Sampling(target)
        watched = run.target = Watched(target, run, every_response.look, lambda: None)
        real = Trial.check

        def check(trial: Trial, rule: str, expectation: Any, **more: Any) -> bool:
            run.sampled(rule, expectation, **more)
            return real(trial, rule, expectation, **more)

        patch.setattr(Trial, "check", check)
        played = SimpleNamespace(RULES=lifecycle.RULES, CHECKS=opening.CHECKS)
        drawn = SimpleNamespace(RULES=fuzz.RULES, CHECKS=(fuzz.edges,))
        for part in (LAWS, HOSTILE, PROBES, DETAILS, bots, races, drawn, played):
            run.random = Random(1)
            take(run, part)
        origins = Origins(target.run_id, KEYS, watched.secrets)
    assert run.findings.broken == {}
    made: dict[tuple[str, str], tuple[dict[str, Any], list[str]]] = {}
    for name, samples in run.samples.items():
        for sample in sorted(samples, key=lambda one: len(one.exchanges)):
            twists = two_ways(sample) if len(sample.exchanges) <= _LONGEST else []
            if twists:
                made[name] = _recipe(sample, origins), twists
                break
    return made


def _recipe(sample: Sample, origins: Origins) -> dict[str, Any]:
    findings = Findings()
    last = sample.exchanges[-1].number
    assert renumbered(sample.expectation, lambda step: last if step == LAST else step) == sample.expectation
    findings.record(
        sample.rule,
        "something else",
        sample.expectation,
        operation=sample.operation,
        exchanges=sample.exchanges,
        field=sample.field,
    )
    return _as_written(next(iter(findings.broken.values())), origins)


def _as_written(finding: Finding, origins: Origins) -> dict[str, Any]:
    recipe: dict[str, Any] = json.loads(json.dumps(recipe_of(finding, RULES[finding.rule], origins)))
    return recipe


@contextmanager
def playing(recipe: dict[str, Any]) -> Iterator[Player]:
    with AsgiTarget(new_mock().asgi, Keys(ACME, GLOBEX, DISABLED)) as target:
        yield Player(target, recipe)


@pytest.mark.long
def test_what_breaks_a_rule_in_two_ways_shows_in_both_and_not_without() -> None:
    wrong: list[Any] = []
    tested: set[str] = set()
    for (rule, operation), (recipe, twists) in recipes().items():
        ways: list[str | None] = [None, *twists]
        with playing(recipe) as player:
            verdicts = [player.replay(way) for way in ways]
            if rule not in tested:
                verdicts += [player.test(way) for way in ways]
        tested.add(rule)
        if verdicts != ["gone", "shows", "shows"] * (len(verdicts) // 3):
            wrong.append((rule, operation, twists, verdicts))
    assert wrong == []
    assert tested | FROM_MUTANTS.keys() | OVER_THE_WIRE.keys() == RULES.keys()


@pytest.mark.parametrize("rule", sorted(OVER_THE_WIRE))
def test_what_only_a_connection_shows_shows_in_two_ways_and_not_without(rule: str) -> None:
    act, right, *wrong = OVER_THE_WIRE[rule]
    said = [wrong[0]]
    with answering(lambda _: said[0]) as (url, _):
        with target(url) as sender:
            run = JudgeRun(sender, load_contract(), seed=1, clock=time.monotonic)
            run.target = Watched(sender, run, every_response.look, lambda: None)
            act(run)
        keys = {"main": str(sender.keys.main)}
        recipe = _as_written(next(one for one in run.findings.broken.values() if one.rule == rule), Origins("", keys))
        verdicts = []
        for said[0] in (right, *wrong):
            with target(url) as sender:
                verdicts += [replayer_of(sender, keys).replay(recipe).verdict, verdict_of(file_test(recipe, url, keys))]
    assert verdicts == ["gone", "gone", "shows", "shows", "shows", "shows"]


class UntilFound(JudgeRun):
    """A run that ends with the first finding of a rule."""

    def __init__(self, target: AsgiTarget, rule: str) -> None:
        super().__init__(target, load_contract(), seed=1, clock=time.monotonic)
        self.rule = rule

    def record(self, rule: str, seen: str, expectation: Any, **more: Any) -> bool:
        """Records a test; raises Stopped once the rule is broken."""
        holds = super().record(rule, seen, expectation, **more)
        if not holds and rule == self.rule:
            raise Stopped(rule)
        return holds


def found_in(name: str, rule: str) -> dict[str, Any]:
    """The finding of a rule of the laws in a mutant."""
    with AsgiTarget(mutants()[name].apply(new_mock()), Keys(ACME, GLOBEX, DISABLED)) as target:
        run = UntilFound(target, rule)
        watched = run.target = Watched(target, run, every_response.look, lambda: None)
        with pytest.raises(Stopped):
            take(run, LAWS)
        finding = next(one for one in run.findings.broken.values() if one.rule == rule)
        whole = replace(finding, exchanges=watched.led_to(finding.exchanges))
        return _as_written(whole, Origins(target.run_id, KEYS, watched.secrets))


@pytest.mark.long
@pytest.mark.parametrize("half", [0, 1])
def test_what_a_mutant_breaks_shows_also_where_the_last_page_is_wrong_in_another_way(half: int) -> None:
    wrong: list[Any] = []
    for rule, name in list(FROM_MUTANTS.items())[half::2]:
        recipe = found_in(name, rule)
        with AsgiTarget(mutants()[name].apply(new_mock()), Keys(ACME, GLOBEX, DISABLED)) as target:
            there = Player(target, recipe)
            verdicts = [there.replay(), there.test()]
            if rule in NOT_TO_THE_END:
                verdicts += [there.test(way) for way in NOT_TO_THE_END[rule]]
        with playing(recipe) as player:
            verdicts += [player.replay(), player.test()]
            if rule not in NOT_TO_THE_END:
                first = next(way for way in TWISTS if player.replay(way) == "shows")
                last = next(way for way in [*TWISTS][::-1] if player.replay(way) == "shows")
                verdicts += [player.test(way) for way in dict.fromkeys([first, last])]
        if sorted(verdicts) != ["gone"] * 2 + ["shows"] * 4 or verdicts[:2] != ["shows", "shows"]:
            wrong.append((rule, name, verdicts))
    assert wrong == []
