"""Laws: checks whose suspicions are confirmed before they are told, for the data may change meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from itertools import islice
from typing import TypeAlias

from mockserver.conformance.checks import Check, Steps
from mockserver.conformance.list_properties.bench import Bench, Survey, Suspicion, Unreadable
from mockserver.conformance.rules import Need
from mockserver.conformance.run import Run

Law: TypeAlias = Callable[[Bench], Steps | None]


def law(
    *rules: str, cost: int, needs: tuple[Need, ...] = (), after: tuple[Check, ...] = (), least: int = 0
) -> Callable[[Law], Check]:
    """Makes a function that tests these rules on lists a check."""

    def registered(tried: Law) -> Check:
        def begin(run: Run) -> Steps:
            return _tried(run, tried)

        return Check(rules, begin, cost, frozenset(needs), after, draws=False, least=least or cost)

    return registered


def _survey(run: Run) -> Survey:
    return Survey()


def _tried(run: Run, tried: Law) -> Steps:
    seed = run.random.getrandbits(32)
    bench = Bench(run, run.shared(_survey), seed=seed, confirming=False)
    steps = _steps(bench, tried)
    seen: set[tuple[str, str, str]] = set()
    for number, mark in enumerate(_until_over(bench, steps), 1):
        new = bench.suspicions.keys() - seen
        seen |= new
        confirmed = _again(bench, tried, seed, number) if new else {}
        for rule in bench.held:
            run.findings.kept(rule)
        bench.held.clear()
        for one in (one for name, one in confirmed.items() if name in new):
            bench.told.add(one.identity)
            run.record(
                one.rule,
                one.seen,
                one.expectation,
                operation=one.operation,
                field=one.field,
                exchanges=one.exchanges,
            )
        yield mark


def _again(bench: Bench, tried: Law, seed: int, steps: int) -> dict[tuple[str, str, str], Suspicion]:
    """What is suspected when the same steps are taken again: what a law draws and knows depends on those before."""
    again = Bench(bench.run, bench.survey, seed=seed, confirming=True)
    again.told = bench.told
    for _ in islice(_until_over(again, _steps(again, tried)), steps):
        pass
    return again.suspicions


def _steps(bench: Bench, tried: Law) -> Steps:
    steps = tried(bench)
    if steps is not None:
        yield from steps


def _until_over(bench: Bench, steps: Steps) -> Steps:
    """A turn for each step of a law, the one that ends it included."""
    mark: str | Bench | None = None
    while not isinstance(mark, Bench):
        bench.survey.renew(getattr(bench.target, "changes", 0))
        mark = bench
        # Whoever looks at every answer tells what is wrong with one that is no page; the law cannot be tried on it.
        with suppress(Unreadable):
            mark = next(steps, bench)
        yield None if isinstance(mark, Bench) else mark


__all__ = ["law"]
