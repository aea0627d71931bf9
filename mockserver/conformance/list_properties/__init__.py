"""Laws of lists that hold whatever the data: read-only, so that they can be held against any deployment."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TypeAlias

from mockserver.conformance.list_pages import CALENDARS, EVENTS
from mockserver.conformance.list_properties import combined, edges, exact, pages, same, tenants, times
from mockserver.conformance.list_properties.bench import Bench, Survey, Unreadable
from mockserver.conformance.list_properties.cursors import ORDERINGS
from mockserver.conformance.list_properties.rules import RULES
from mockserver.conformance.run import Run

__all__ = ["RULES", "run"]

Law: TypeAlias = Callable[[Bench], None]


def _orderings(bench: Bench) -> None:
    """Every ordering, those with the fewest equal times first: what they lose is not lost over equal times."""
    events = bench.survey.known(EVENTS)
    ranked = sorted(ORDERINGS, key=lambda ordering: -len({event.get(ordering.removeprefix("-")) for event in events}))
    for ordering in ranked:
        edges.one_ordering(bench, EVENTS, ordering)


LAWS: tuple[Law, ...] = (
    partial(pages.whole_list, listing=CALENDARS),
    partial(pages.whole_list, listing=EVENTS),
    tenants.tenants,
    pages.orders,
    same.filtered_are_listed,
    same.list_is_detail,
    same.lists_repeat,
    times.time_filters,
    times.old_name,
    exact.exact_filters,
    partial(edges.one_ordering, listing=CALENDARS),
    _orderings,
    combined.combinations_of_filters,
    combined.filters_with_orders,
    combined.cursors_elsewhere,
    same.events_have_calendars,
)


def run(run: Run) -> None:
    """Tries every law; what does not hold is tried again before it is told, for the data may change meanwhile."""
    survey = Survey()
    in_time = True
    for law in LAWS:
        in_time = run.share() > 0
        if not in_time:
            break
        _try(run, survey, law)
    for rule in RULES:
        if rule.id in run.findings.exercised:
            run.findings.unobservable.pop(rule.id, None)
        else:
            why = "the data offers no case of it" if in_time else "the time budget ran out (raise --time-budget)"
            run.findings.unobservable.setdefault(rule.id, why)


def _try(run: Run, survey: Survey, law: Law) -> None:
    seed = run.random.getrandbits(32)
    first = _trial(run, survey, law, seed=seed, confirming=False)
    broken = dict(first.suspicions)
    if broken:
        second = _trial(run, survey, law, seed=seed, confirming=True)
        broken = {name: seen for name, seen in second.suspicions.items() if name in broken}
    for rule in first.held:
        run.findings.kept(rule)
    for one in broken.values():
        run.record(
            one.rule,
            one.seen,
            one.expectation,
            operation=one.operation,
            field=one.field,
            exchanges=one.exchanges,
        )


def _trial(run: Run, survey: Survey, law: Law, *, seed: int, confirming: bool) -> Bench:
    bench = Bench(run, survey, seed=seed, confirming=confirming)
    # Whoever looks at every answer tells what is wrong with one that is no page; the law cannot be tried on it.
    with suppress(Unreadable):
        law(bench)
    return bench
