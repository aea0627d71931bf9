"""Checks: functions that put rules to the test, each with what it needs and costs, and what they work with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar

from mockserver.conformance.evaluation import broken
from mockserver.conformance.exchange import Exchange, Key
from mockserver.conformance.expectations import Expectation, facts_of
from mockserver.conformance.rules import Need
from mockserver.conformance.run import Run

_Context = TypeVar("_Context")
Steps: TypeAlias = Iterator[Any]
"""Each step gives None or IF_SHORT; it is not written `str | None`, for mypy does not take a bare `yield` for that."""
Tried: TypeAlias = Callable[[_Context], Steps | None]

IF_SHORT: Final = "short"
"""What a check yields where its first look may end if a run has not the time for the whole of it."""


class Check(NamedTuple):
    """One check.

    It may be a generator: at each `yield` the run may do something else first. What comes before the first one is the
    check's first look at its rules, and as short as it can be. `yield IF_SHORT` is one only for a run that is short of
    time.
    """

    rules: tuple[str, ...]
    """The ids of the rules that it tests, the one that it is about first."""
    begin: Callable[[Run], Steps]
    cost: int
    """So many requests at most for its first look, on the recorded data, without what it shares with other checks."""
    needs: frozenset[Need]
    """What a run has to have for the check to be of use."""
    after: tuple[Check, ...]
    """Checks that look first: what follows from what they find is not told again, and what they read is used."""
    draws: bool
    """Whether it draws what it sends, so that it can go on for as long as there is time."""
    least: int
    """So many requests at most until it first yields anything, IF_SHORT included."""
    apart: bool = False
    """Whether it may write beside others of this kind.

    None of its answers depends on what others send, and nothing that it sends changes what others look at; but for
    those of the same `stage`.
    """
    stage: str = ""
    """Names what it works on together with other checks: those of one name never write beside each other."""
    counts: bool = False
    """Whether it counts all rows of a list, and so goes on while the run has made nothing else."""


def check(
    *rules: str,
    context: Callable[[Run], _Context],
    cost: int,
    needs: tuple[Need, ...] = (),
    after: tuple[Check, ...] = (),
    draws: bool = False,
    least: int = 0,
    apart: bool = False,
    stage: str = "",
) -> Callable[[Tried[_Context]], Check]:
    """Makes a function that tests these rules a check; the function is given what `context` makes of the run.

    `least` is as much as `cost` unless it is given.
    """

    def registered(tried: Tried[_Context]) -> Check:
        def begin(run: Run) -> Steps:
            steps = tried(run.shared(context))
            if steps is not None:
                yield from steps

        return Check(rules, begin, cost, frozenset(needs), after, draws, least or cost, apart, stage)

    return registered


def counting(counted: Check) -> Check:
    """Makes a check one that counts all rows of a list."""
    return counted._replace(counts=True)


def the_run(run: Run) -> Run:
    """The context of checks that need nothing but the run."""
    return run


class CheckContext:
    """A run as its checks see it; those of one kind add what only they need."""

    def __init__(self, run: Run, *, random: Random | None = None) -> None:
        """`random` is what the checks draw from, if it is not what the run draws from."""
        self.run = run
        self.target = run.target
        self.random = random or run.random

    def get(self, path: str, *, key: Key = "main") -> Exchange:
        """Sends a GET without headers of its own."""
        return self.target.send("GET", path, key=key)

    def check(
        self, rule: str, expectation: Expectation, operation: str, exchanges: Sequence[Exchange], *, field: str = ""
    ) -> bool:
        """Tests a rule: evaluates what it expects of the exchanges, and records the outcome. True where it holds."""
        seen = broken(expectation, facts_of(exchanges))
        return self.record(rule, seen, expectation, operation=operation, exchanges=exchanges, field=field)

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
        """Records a test whose outcome is known: `seen` is "" where the rule holds. True where it holds."""
        return self.run.record(rule, seen, expectation, operation=operation, exchanges=exchanges, field=field)

    def keep(self, rule: str) -> bool:
        """Records a test that the rule passed, and that no expectation describes."""
        self.run.findings.kept(rule)
        return True

    def unobservable(self, rule: str, why: str) -> None:
        """Records why a rule could not be tested, unless it was."""
        if rule not in self.run.findings.exercised:
            self.run.findings.unobservable[rule] = why

    def known_broken(self) -> Iterator[tuple[str, str, str]]:
        """The rules that are known to be broken, each with the operation and the field."""
        return iter(self.run.findings.broken)

    def is_broken(self, *rules: str, operation: str | None = None, field: str | None = None) -> bool:
        """Whether one of the rules is known to be broken, at this operation and field where they are given.

        Who is about to test a consequence of such a rule asks this first, so that one defect is not reported twice.
        """
        return any(
            rule in rules and operation in (None, where) and field in (None, name)
            for rule, where, name in self.known_broken()
        )
