"""Laws of lists that hold whatever the data: read-only, so that they can be held against any deployment."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from mockserver.conformance.laws import combined, exact, pages, same, tenants, times
from mockserver.conformance.laws.bench import Bench, Survey, Unreadable
from mockserver.conformance.laws.reading import CALENDARS, EVENTS, ORDERINGS
from mockserver.conformance.laws.rules import RULES
from mockserver.conformance.run import Run

__all__ = ["RULES", "run"]

Law: TypeAlias = Callable[[Bench], None]

LAWS: tuple[Law, ...] = (
    partial(pages.whole_list, listing=CALENDARS),
    partial(pages.whole_list, listing=EVENTS),
    tenants.tenants,
    pages.orders,
    same.list_is_detail,
    same.lists_repeat,
    times.time_filters,
    times.old_name,
    exact.exact_filters,
    partial(pages.one_ordering, listing=CALENDARS, ordering=None),
    *(partial(pages.one_ordering, listing=EVENTS, ordering=ordering) for ordering in ORDERINGS),
    combined.combinations_of_filters,
    combined.filters_with_orders,
    combined.cursors_elsewhere,
    same.filtered_are_listed,
    same.events_have_calendars,
)


def run(run: Run) -> None:
    """Tries every law; what does not hold is tried again before it is told, for the data may change meanwhile."""
    survey = Survey()
    for law in LAWS:
        if run.share() <= 0:
            for rule in RULES:
                if rule.id not in run.findings.exercised:
                    run.findings.unobservable.setdefault(rule.id, "the time was used up")
            return
        _try(run, survey, law)


def _try(run: Run, survey: Survey, law: Law) -> None:
    seed = run.random.getrandbits(32)
    first = _trial(run, survey, law, seed=seed, confirming=False)
    broken = dict(first.suspicions)
    if broken:
        second = _trial(run, survey, law, seed=seed, confirming=True)
        broken = {name: seen for name, seen in second.suspicions.items() if name in broken}
    for rule, operation, exchanges in first.held:
        run.check(rule, True, operation=operation, exchanges=exchanges)
    for seen in broken.values():
        run.check(
            seen.rule,
            False,
            operation=seen.operation,
            field=seen.field,
            expected=seen.expected,
            actual=seen.actual,
            exchanges=seen.exchanges,
        )


def _trial(run: Run, survey: Survey, law: Law, *, seed: int, confirming: bool) -> Bench:
    bench = Bench(run, survey, seed=seed, confirming=confirming)
    try:
        law(bench)
    except Unreadable:
        # Whoever looks at every answer tells what is wrong with this one; the law cannot be tried on it.
        pass
    return bench
