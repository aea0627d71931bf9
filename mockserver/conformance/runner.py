"""Runs the parts of the judge in their order, within the time box, and says what came of every rule."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from random import Random
from typing import Any, Protocol

from mockserver.conformance.exchange import Exchange
from mockserver.conformance.expectations import Expectation
from mockserver.conformance.recorder import Look, Watched
from mockserver.conformance.report import RuleResult
from mockserver.conformance.rules import Need, Rule, ids_of
from mockserver.conformance.run import INTERRUPTED, Forbidden, Run, Stopped, Target

WEIGHTS = {"laws": 0.3, "races": 0.1, "fuzz": 0.2, "journeys": 0.4}
"""How the parts that could go on for ever divide the time that the others leave."""
AGAIN = ("journeys", "fuzz")
"""The parts that draw: what time is left at the end is theirs, with other seeds."""
USED_UP = "the time budget ran out (raise --time-budget)"
_LEAST = 1.0
_TRIPS = (ArithmeticError, AssertionError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
_LACKS: dict[Need, str] = {
    "write": "the run only reads",
    "other-key": "no key of another project was given",
    "disabled-key": "no disabled key was given",
    "parallel": "requests are sent one at a time",
    "events": "the project has no events",
}


class Part(Protocol):
    """A module of rules and the function that puts them to the test; it may have a `load` to be called before."""

    RULES: tuple[Rule, ...]

    def run(self, run: Run) -> None:
        """Puts the rules to the test."""
        ...


def _nothing() -> None:
    pass


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
        self.extend: Callable[[float], object] = lambda seconds: None
        """Is called with the seconds that loading took, to move limits that others keep."""
        self.part = ""
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
        return self.deadline - self._clock()


@dataclass
class Outcome:
    """What happened, before it is sorted."""

    run: JudgeRun
    requests: int = 0
    seconds: float = 0.0
    cut: dict[str, str] = field(default_factory=dict)
    """Why a part did not run to its end, by its name."""
    stopped: str = ""
    interrupted: bool = False


class Course:
    """The course of one run."""

    def __init__(
        self,
        target: Target,
        contract: Mapping[str, Any],
        parts: Mapping[str, Part],
        *,
        look: Look,
        seed: int = 0,
        seconds: float | None = None,
        progress: Callable[[JudgeRun], object] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`parts` in the order in which they go; `look` is called with every exchange; `seconds` is the time box.

        Without one each part goes once; with an infinite one the run goes on until the target takes no more requests.
        Loading is not charged to the time box.
        """
        self.run = JudgeRun(target, contract, seed=seed, clock=clock)
        self.watched = Watched(target, self.run, look, lambda: progress and progress(self.run))
        self.run.target = self.watched
        self.outcome = Outcome(self.run)
        self._parts, self._clock = parts, clock
        self._goes_on = seconds is not None
        self._last = math.inf if seconds is None else self.run.started + seconds

    def go(self) -> Outcome:
        """Each part once, then those that draw for as long as there is time. Being interrupted ends it early."""
        outcome = self.outcome
        try:
            self._once()
            self._again()
        except Stopped as reason:
            outcome.stopped = str(reason)
        except KeyboardInterrupt:
            outcome.stopped = INTERRUPTED
        outcome.interrupted = outcome.stopped == INTERRUPTED
        outcome.requests = self.watched.sent
        outcome.seconds = self._clock() - self.run.started
        return outcome

    def _once(self) -> None:
        names = list(self._parts)
        for name in names:
            self.outcome.cut[name] = USED_UP
        try:
            for index, name in enumerate(names):
                # On a slow machine the imports alone would use up the part's share.
                with self.run.loading():
                    getattr(self._parts[name], "load", _nothing)()
                self.run.deadline = self._deadline(name, names[index + 1 :])
                if self._clock() < self._end:
                    self._take(name)
        except (Stopped, KeyboardInterrupt) as reason:
            for name in self.outcome.cut:
                self.outcome.cut[name] = str(reason) or INTERRUPTED
            raise

    def _again(self) -> None:
        """Goes on with other seeds, unless the run only reads: what there is to read was read."""
        names = [name for name in AGAIN if name in self._parts]
        number = 0
        while names and self._goes_on and self.run.target.writes and self._end - self._clock() > _LEAST:
            name = names[number % len(names)]
            number += 1
            before = self.watched.sent
            self.run.random = Random(f"{self.run.seed}/{number}")
            self.run.deadline = self._end
            self._take(name)
            if self.watched.sent == before:
                names.remove(name)

    @property
    def _end(self) -> float:
        """When the time box ends."""
        return self._last + self.run.loaded

    def _deadline(self, name: str, later: Sequence[str]) -> float:
        """When a part has to be done: a share of what is left, so that there is time for those after it."""
        now = self._clock()
        if name not in WEIGHTS:
            return self._end
        rest = sum(WEIGHTS.get(part, 0.0) for part in later)
        return now + (self._end - now) * WEIGHTS[name] / (WEIGHTS[name] + rest)

    def _take(self, name: str) -> None:
        self.run.part = name
        try:
            self._parts[name].run(self.run)
            self.outcome.cut.pop(name, None)
        except Forbidden as reason:
            self.outcome.cut[name] = f"it asked for what the run may not do: {reason}"
        except _TRIPS as reason:
            # A deployment may answer with anything: that a part did not foresee it must not lose what others found.
            self.outcome.cut[name] = f"an answer that it did not foresee: {type(reason).__name__}: {reason}"


def is_chosen(rule: Rule, only: Sequence[str], skip: Sequence[str]) -> bool:
    """Whether a rule is to be tested, by patterns like page-*; a former id counts as well."""
    ids = ids_of(rule)
    wanted = not only or any(fnmatchcase(name, pattern) for pattern in only for name in ids)
    return wanted and not any(fnmatchcase(name, pattern) for pattern in skip for name in ids)


def chosen_parts(parts: Mapping[str, Part], only: Sequence[str], skip: Sequence[str]) -> dict[str, Part]:
    """The parts that have a rule to test; all of them if it is a rule on every answer."""
    if any(is_chosen(rule, only, skip) for rule in parts["always"].RULES):
        return dict(parts)
    return {
        name: part
        for name, part in parts.items()
        if name == "always" or any(is_chosen(rule, only, skip) for rule in part.RULES)
    }


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
    lacking = _lacking(rule, outcome.run.target)
    if lacking:
        return RuleResult(rule, "not observable", 0, lacking)
    cut = outcome.cut.get(rule.part)
    why = findings.unobservable.get(rule.id, "")
    if why and USED_UP not in why:
        return RuleResult(rule, "not observable", 0, why)
    if cut or why:
        return RuleResult(rule, "not tested", 0, cut or why)
    if rule.part == "always":
        return RuleResult(rule, "not observable", 0, "the rule applied to no response of this run")
    return RuleResult(rule, "not tested", 0, "no request of this run tested it (raise --time-budget)")


def _lacking(rule: Rule, target: Target) -> str:
    has: dict[Need, bool] = {
        "write": target.writes,
        "other-key": target.other_key,
        "disabled-key": target.disabled_key,
        "parallel": target.parallel,
    }
    return next((_LACKS[need] for need in sorted(rule.needs) if not has.get(need, True)), "")
