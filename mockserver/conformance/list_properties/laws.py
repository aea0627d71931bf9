"""Laws: checks whose suspicions are confirmed before they are told, for the data may change meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from typing import TypeAlias

from mockserver.conformance.checks import Check, Steps
from mockserver.conformance.list_properties.bench import Survey, Suspicion, Trial, Unreadable
from mockserver.conformance.rules import Need
from mockserver.conformance.run import Run

Law: TypeAlias = Callable[[Trial], Steps | None]


def law(*rules: str, cost: int, needs: tuple[Need, ...] = (), after: tuple[Check, ...] = ()) -> Callable[[Law], Check]:
    """Makes a function that tests these rules on lists a check."""

    def registered(tried: Law) -> Check:
        def begin(run: Run) -> Steps:
            return _tried(run, tried)

        return Check(rules, begin, cost, frozenset(needs), after, draws=False)

    return registered


def _survey(run: Run) -> Survey:
    return Survey()


def _tried(run: Run, tried: Law) -> Steps:
    seed = run.random.getrandbits(32)
    trial = Trial(run, run.shared(_survey), seed=seed, confirming=False)
    steps = _steps(trial, tried)
    seen: set[tuple[str, str, str]] = set()
    for number, _ in enumerate(_until_over(trial, steps), 1):
        new = trial.suspicions.keys() - seen
        seen |= new
        confirmed = _again(trial, tried, seed, number) if new else {}
        for rule in trial.held:
            run.findings.kept(rule)
        trial.held.clear()
        for one in (one for name, one in confirmed.items() if name in new):
            trial.told.add(one.identity)
            run.record(
                one.rule,
                one.seen,
                one.expectation,
                operation=one.operation,
                field=one.field,
                exchanges=one.exchanges,
            )
        yield


def _again(trial: Trial, tried: Law, seed: int, steps: int) -> dict[tuple[str, str, str], Suspicion]:
    """What is suspected when the same steps are taken again: what a law draws and knows depends on those before."""
    again = Trial(trial.run, trial.survey, seed=seed, confirming=True)
    again.told = trial.told
    for _ in islice(_until_over(again, _steps(again, tried)), steps):
        pass
    return again.suspicions


def _steps(trial: Trial, tried: Law) -> Iterator[None]:
    steps = tried(trial)
    if steps is not None:
        yield from steps


def _until_over(trial: Trial, steps: Iterator[None]) -> Iterator[None]:
    """A turn for each step of a law, the one that ends it included."""
    going = True
    while going:
        trial.survey.renew(getattr(trial.target, "changes", 0))
        going = False
        # Whoever looks at every answer tells what is wrong with one that is no page; the law cannot be tried on it.
        with suppress(Unreadable):
            going = next(steps, trial) is not trial
        yield


__all__ = ["law"]
