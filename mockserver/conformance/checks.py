"""Checks: functions that put rules to the test, each with what it needs and costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar

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


def check(
    *rules: str,
    context: Callable[[Run], _Context],
    cost: int,
    needs: tuple[Need, ...] = (),
    after: tuple[Check, ...] = (),
    draws: bool = False,
    least: int = 0,
) -> Callable[[Tried[_Context]], Check]:
    """Makes a function that tests these rules a check; the function is given what `context` makes of the run.

    `least` is as much as `cost` unless it is given.
    """

    def registered(tried: Tried[_Context]) -> Check:
        def begin(run: Run) -> Steps:
            steps = tried(run.shared(context))
            if steps is not None:
                yield from steps

        return Check(rules, begin, cost, frozenset(needs), after, draws, least or cost)

    return registered


def the_run(run: Run) -> Run:
    """The context of checks that need nothing but the run."""
    return run
