"""Runs the plan of the judge within the time box, and says what came of every rule."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import partial
from random import Random
from typing import Any, NamedTuple, Protocol

from mockserver.conformance.checks import Check
from mockserver.conformance.exchange import Exchange
from mockserver.conformance.expectations import Expectation
from mockserver.conformance.plan import NO_CASE, Plan, Task
from mockserver.conformance.recorder import Look, Watched
from mockserver.conformance.report import RuleResult
from mockserver.conformance.rules import Rule, ids_of
from mockserver.conformance.run import INTERRUPTED, Run, Stopped, Target
from mockserver.conformance.side_by_side import Jobs, SideBySide

WEIGHTS = {"fuzz": 1.0, "journeys": 2.0}
"""How the checks that draw divide the time that the others leave, by their parts."""
_LEAST = 1.0
_SURE = 5
"""After so many requests it is known how long one takes."""


class Part(Protocol):
    """A module of rules and of the checks that test them."""

    RULES: tuple[Rule, ...]
    CHECKS: tuple[Check, ...]


class JudgeRun(Run):
    """A run that remembers when it first found something, and how long its part may go on."""

    def __init__(self, target: Target, contract: Mapping[str, Any], *, seed: int, clock: Callable[[], float]) -> None:
        """As Run; the deadline is the runner's to move."""
        super().__init__(target, contract, random=Random(seed), share=self._left)
        self.seed = seed
        self.deadline = math.inf
        self.started = clock()
        self.loaded = 0.0
        """Seconds that were spent on loading; neither a part's share nor the time box is charged with them."""
        self.meanwhile = False
        """Whether most is loaded while answers are waited for, so that the time box need not be longer for it."""
        self.extend: Callable[[float], object] = lambda seconds: None
        """Is called with the seconds that loading took, to move limits that others keep."""
        self.until: Callable[[], float] = lambda: math.inf
        """When the run ends, whichever check goes on."""
        self.part = ""
        self.drawing = False
        """Whether all checks are at their end, and what draws goes on."""
        self.first_finding: tuple[int, float] | None = None
        self._clock = clock

    @contextmanager
    def loading(self) -> Iterator[None]:
        """Moves the part's deadline by as long as the block takes."""
        began = self._clock()
        try:
            yield
        finally:
            spent = self._clock() - began
            self.loaded += spent
            self.deadline += spent
            if not self.meanwhile:
                self.extend(spent)

    def record(
        self,
        rule: str,
        seen: str,
        expectation: Expectation,
        *,
        operation: str,
        exchanges: Sequence[Exchange],
        field: str = "",
    ) -> bool:
        """Records one test of a rule."""
        if seen and self.first_finding is None:
            self.first_finding = getattr(self.target, "sent", 0), self._clock() - self.started
        holds = super().record(rule, seen, expectation, operation=operation, exchanges=exchanges, field=field)
        if not holds:
            finding = self.findings.broken[rule, operation, field]
            if finding.exchanges == tuple(exchanges):
                finding.history = tuple(getattr(self.target, "recent", ()))
        return holds

    def _left(self) -> float:
        if self.drawing and self.findings.broken and self.held() > _LEAST:
            # Making what was found shorter comes next: nobody need wait for more of it.
            return 0.0
        return min(self.deadline, self.until()) - self._clock()


class Chosen(NamedTuple):
    """What a run is to test."""

    rules: Mapping[str, Rule]
    """By their ids; without those on every answer that no check tests by itself."""
    checks: Sequence[Check]
    parts: Mapping[str, str]
    """The parts of all rules, by their ids."""

    def part_of(self, check: Check) -> str:
        """The part that a check belongs to."""
        return self.parts[check.rules[0]]


@dataclass
class Outcome:
    """What happened, before it is sorted."""

    run: JudgeRun
    requests: int = 0
    seconds: float = 0.0
    untested: dict[str, str] = field(default_factory=dict)
    """Why rules that should have been tested were not, by their ids."""
    more: str = ""
    """What a longer budget would add."""
    stopped: str = ""
    interrupted: bool = False


class Course:
    """The course of one run."""

    def __init__(
        self,
        target: Target,
        contract: Mapping[str, Any],
        chosen: Chosen,
        *,
        look: Look,
        seed: int = 0,
        seconds: float | None = None,
        progress: Callable[[JudgeRun], object] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`look` is called with every exchange; `seconds` is the time box.

        Without one each check is taken to its end once; with an infinite one the run goes on until the target takes no
        more requests. Loading is not charged to the time box.
        """
        self.run = JudgeRun(target, contract, seed=seed, clock=clock)
        self._target: Any = target
        self._lanes = SideBySide(target, self._spoilt)
        self.watched = Watched(self._lanes, self.run, look, lambda: progress and progress(self.run))
        self.run.target, self.run.at_once = self.watched, self._at_once
        self.outcome = Outcome(self.run)
        self.load: Callable[[], object] = lambda: None
        """Loads what takes long, while the answers of a far target are waited for."""
        self.closing: Callable[[], int] = lambda: 0
        """Tells how many requests it takes to delete what the run has made: time for them is kept."""
        self._clock, self._chosen = clock, chosen
        self._loading: threading.Thread | None = None
        self._goes_on = seconds is not None
        self._last = math.inf if seconds is None else self.run.started + seconds
        self.run.until = lambda: self._end

    def go(self) -> Outcome:
        """A first look at each rule, the rest of the checks, then those that draw for as long as there is time.

        Being interrupted ends it early.
        """
        outcome = self.outcome
        checks = [check for check in self._chosen.checks if not check.draws]
        plan = Plan(
            self.run,
            checks,
            self._chosen.rules,
            pace=self._pace,
            before=self._begin,
            side_by_side=self._side_by_side,
        )
        try:
            plan.look()
            # The lists are then what they were before, for the checks that read them.
            self._clear()
            plan.finish()
            self._clear()
            self._draw([check for check in self._chosen.checks if check.draws])
        except Stopped as reason:
            outcome.stopped = str(reason)
        except KeyboardInterrupt:
            outcome.stopped = INTERRUPTED
        if self._loading is not None:
            self._loading.join()
        outcome.interrupted = outcome.stopped == INTERRUPTED
        outcome.untested = plan.settle(outcome.stopped)
        outcome.more = self._more(*plan.missing())
        outcome.requests = self.watched.sent
        outcome.seconds = self._clock() - self.run.started
        return outcome

    def _clear(self) -> None:
        """Deletes what checks share, as long as there is time for more; else whoever deletes all does it."""
        if self.run.share() > 0:
            self.run.clear()

    def _draw(self, checks: Sequence[Check]) -> None:
        """Each once, then again with other seeds, unless the run only reads: what there is to read was read."""
        tasks = Plan(self.run, checks, self._chosen.rules).tasks
        self.run.drawing = True
        weights = [WEIGHTS.get(self._chosen.part_of(task.check), 1.0) for task in tasks]
        for number, task in enumerate(tasks):
            self.run.deadline = self._clock() + (self._end - self._clock()) * weights[number] / sum(weights[number:])
            self._play(task)
        self.run.deadline = math.inf
        number = 0
        while tasks and self._goes_on and self.run.target.writes and self._end - self._clock() > _LEAST:
            task = tasks[number % len(tasks)]
            number += 1
            before = self.watched.sent
            self.run.random = Random(f"{self.run.seed}/{number}")
            self._play(Task(task.check, task.rules))
            if self.watched.sent == before:
                tasks.remove(task)

    def _play(self, task: Task) -> None:
        while not task.over and self.run.share() > 0:
            self._begin(task)
            task.step(self.run)

    def _begin(self, task: Task) -> None:
        self.run.part = self._chosen.part_of(task.check)
        if self._loading is None and getattr(self.watched, "is_far", False):
            self._loading = threading.Thread(target=self.load)
            self._loading.start()
            self.run.meanwhile = True

    def _spoilt(self, exchange: Exchange, wave: Sequence[Exchange]) -> None:
        if exchange.status:
            self.watched.spoilt(exchange, wave)
        else:
            self._target.hindered = getattr(self._target, "hindered", 0) + 1

    def _at_once(self, calls: Sequence[Callable[[], object]]) -> None:
        """Makes the calls, several at once if the target is far and may be asked so."""
        if not self._side_by_side(partial(next, iter(calls), None), apart=True):
            for call in calls:
                call()

    def _pace(self) -> float:
        """Seconds that a request takes; 0 where that is not known yet."""
        sent = self.watched.sent
        if sent < _SURE:
            return 0.0
        return max((self._clock() - self.run.started - self.run.loaded) / sent, self._answer_takes())

    def _answer_takes(self) -> float:
        """Seconds from a request to its answer: more than a request takes, where several are under way at once."""
        return self.watched.waited / self.watched.sent if self.watched.sent else 0.0

    def _side_by_side(self, jobs: Jobs, apart: bool) -> bool:
        """Runs the jobs at once, if the target is far and may be asked so."""
        far = getattr(self.watched, "at_once", 1) > 1
        if far:
            self._lanes.run(jobs, apart=apart)
        return far

    @property
    def _end(self) -> float:
        """When nothing more is to be sent but what deletes."""
        loaded = 0.0 if self.run.meanwhile else self.run.loaded
        return self._last + loaded - self.closing() * self._pace()

    def _more(self, rules: int, requests: int) -> str:
        if not rules or not self._goes_on:
            return ""
        seconds = self._clock() - self.run.started - self.run.loaded + requests * self._pace()
        time = f"{math.ceil(seconds)} s" if seconds < 90 else f"{math.ceil(seconds / 60)} min"
        return f"{rules} more rule{'s need' if rules > 1 else ' needs'} about {time} (--time-budget)"


def chosen_of(parts: Mapping[str, Part], only: Sequence[str] = (), skip: Sequence[str] = ()) -> Chosen:
    """What --only and --skip leave."""
    rules = {rule.id: rule for part in parts.values() for rule in part.RULES if is_chosen(rule, only, skip)}
    checks = [check for part in parts.values() for check in part.CHECKS]
    named = {name for check in checks for name in check.rules}
    tested = {name: rule for name, rule in rules.items() if rule.part != "always" or name in named}
    parts_of = {rule.id: rule.part for part in parts.values() for rule in part.RULES}
    # A rule on every answer is tested by whatever is sent.
    everything = any(rule.part == "always" for rule in rules.values())
    return Chosen(tested, checks if everything else _needed(checks, tested), parts_of)


def _needed(checks: Sequence[Check], rules: Mapping[str, Rule]) -> list[Check]:
    """The checks of these rules, and those that have to look before them."""
    wanted = {check for check in checks if any(name in rules for name in check.rules)}
    further = wanted
    while further:
        further = {before for check in further for before in check.after} - wanted
        wanted |= further
    return [check for check in checks if check in wanted]


def take(run: Run, part: Part, checks: Sequence[Check] = ()) -> None:
    """Takes each check of a part to its end once, in their order; or only some of them."""
    plan = Plan(run, checks or part.CHECKS, {rule.id: rule for rule in part.RULES})
    plan.take()
    run.clear()
    run.findings.unobservable |= plan.settle()


def is_chosen(rule: Rule, only: Sequence[str], skip: Sequence[str]) -> bool:
    """Whether a rule is to be tested, by patterns like page-*; its part and its former ids count as well."""
    names = [*ids_of(rule), rule.part]
    wanted = not only or any(fnmatchcase(name, pattern) for pattern in only for name in names)
    return wanted and not any(fnmatchcase(name, pattern) for pattern in skip for name in names)


def results_of(
    outcome: Outcome, parts: Mapping[str, Part], *, only: Sequence[str] = (), skip: Sequence[str] = ()
) -> list[RuleResult]:
    """What can be said about every rule; one that should have been tested and was not is never counted as kept."""
    broken = {rule for rule, _, _ in outcome.run.findings.broken}
    return [
        _result(rule, outcome, broken) if is_chosen(rule, only, skip) else RuleResult(rule, "left out", 0)
        for part in parts.values()
        for rule in part.RULES
    ]


def _result(rule: Rule, outcome: Outcome, broken: set[str]) -> RuleResult:
    findings = outcome.run.findings
    times = findings.exercised.get(rule.id, 0)
    if times:
        return RuleResult(rule, "broken" if rule.id in broken else "kept", times)
    if rule.id in outcome.untested:
        return RuleResult(rule, "not tested", 0, outcome.untested[rule.id])
    if rule.part == "always":
        return RuleResult(rule, "not observable", 0, "the rule applied to no response of this run")
    return RuleResult(rule, "not observable", 0, findings.unobservable.get(rule.id, NO_CASE))
