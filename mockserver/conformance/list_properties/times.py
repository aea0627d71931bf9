"""Laws of the time filters: what they leave, at their boundaries and in every way of writing a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeAlias

from mockserver.conformance.checks import IF_SHORT, Steps
from mockserver.conformance.list_pages import EVENTS
from mockserver.conformance.list_properties.asking import TIMES, Filter, Wrong, query_of, tell, wrong_with
from mockserver.conformance.list_properties.bench import Bench, Unreadable, is_strict
from mockserver.conformance.list_properties.instants import DAY, SECOND, naive, read, write
from mockserver.conformance.list_properties.laws import law
from mockserver.conformance.list_properties.pages import all_events, orders

_PLAIN = 2
"""So many rungs are of times as the contract writes them."""
Values: TypeAlias = list[tuple[str, int]]
"""Texts with the instants that they mean."""
Drawn: TypeAlias = dict[tuple[str, str], Values]
"""The values of each rule for each filter."""


class Rung(NamedTuple):
    """One way of asking; later rungs are tried where the earlier ones held."""

    rule: str
    values: Callable[[Bench, list[int]], Values]
    first: int
    """So many of its values are enough for a first look."""


@law("filter-time", "filter-boundary", cost=15, least=2, after=(all_events, orders))
def time_filters(bench: Bench) -> Steps:
    """What the three time filters leave, at their boundaries too."""
    return _climbed(bench, RUNGS[:_PLAIN])


@law("filter-zone", "filter-fraction", "filter-loose-time", cost=9, least=2, after=(all_events, orders, time_filters))
def times_in_other_words(bench: Bench) -> Steps:
    """The same with each way of writing a time."""
    return _climbed(bench, RUNGS[_PLAIN:])


def _climbed(bench: Bench, rungs: Sequence[Rung]) -> Steps:
    """Rung by rung: each with its first values, of the first filter before those of the others; then with all."""
    plain = [rung.rule for rung in RUNGS[:_PLAIN]]
    broken = {name for name in TIMES if any(bench.is_broken(*plain, field=field) for field in (name, "time filters"))}
    drawn: Drawn = {}
    for names in ([*TIMES][:1], TIMES):
        for number, rung in enumerate(rungs):
            if _wrong(bench, rung, broken, drawn, names, rung.first if names is TIMES else 1):
                broken |= _climb(bench, rung, broken, drawn)
            if names is not TIMES and number == 1:
                yield IF_SHORT
    for rung in rungs:
        yield
        broken |= _climb(bench, rung, broken, drawn)


def _climb(bench: Bench, rung: Rung, broken: set[str], drawn: Drawn) -> set[str]:
    """Tells what is wrong with the filters on a rung, and gives them."""
    wrong = _wrong(bench, rung, broken, drawn)
    _tell(bench, rung.rule, wrong)
    return set(wrong)


def _wrong(
    bench: Bench, rung: Rung, broken: set[str], drawn: Drawn, names: Iterable[str] = TIMES, most: int | None = None
) -> dict[str, Wrong]:
    """What is wrong with each of the other filters on a rung, as far as so many of its values show it."""
    wrong: dict[str, Wrong] = {}
    for name in (name for name in names if name not in broken):
        instants = sorted({i for row in bench.survey.known(EVENTS) if (i := read(row.get(TIMES[name]))) is not None})
        if len(instants) < 2:
            bench.unobservable(rung.rule, "there are not two events with different times")
            continue
        # Pages that were read for a first look need not be read again: it asked with the same values.
        if (rung.rule, name) not in drawn:
            drawn[rung.rule, name] = rung.values(bench, instants)
        found = _try(bench, rung, name, drawn[rung.rule, name][:most])
        if found is not None:
            wrong[name] = found
    return wrong


def _try(bench: Bench, rung: Rung, name: str, values: Values) -> Wrong | None:
    """Asks with each value, so sorted that what is just beyond the boundary would come first."""
    ordering: str | None = TIMES[name] if name != "end_time_lte" else "-end_time"
    if bench.is_broken("events-order", "order-same-set", operation=EVENTS.operation):
        ordering = None
    for number, (text, instant) in enumerate(values):
        item = Filter(name, text, instant)
        try:
            page = bench.page(EVENTS, query_of([item], ordering if number or rung is not RUNGS[0] else None))
        except Unreadable as unreadable:
            if is_strict(unreadable.exchange):
                continue
            raise
        wrong = wrong_with(bench, page, [item])
        if wrong is not None:
            return wrong
        bench.keep(rung.rule)
    return None


def _tell(bench: Bench, rule: str, wrong: dict[str, Wrong]) -> None:
    """One suspicion: about the filter that is wrong, or about all time filters where several are."""
    for name, seen in list(wrong.items())[:1]:
        field = name if len(wrong) == 1 else "time filters"
        tell(bench, rule, seen, operation=EVENTS.operation, field=field)


def _between(bench: Bench, instants: list[int]) -> Values:
    """Values that no event has: in the middle, in a gap wide enough, before all and after all."""
    pairs = list(zip(instants, instants[1:], strict=False))
    some = [bench.random.choice(pairs), max(pairs, key=lambda pair: pair[1] - pair[0])]
    middles = [(low + high) // 2 // SECOND * SECOND for low, high in some]
    ends = [instants[0] // DAY * DAY - DAY, instants[-1] // DAY * DAY + 2 * DAY]
    return [(write(instant), instant) for instant in (*middles, *ends)]


def _at(bench: Bench, instants: list[int]) -> Values:
    """The time of an event itself, and a microsecond to either side."""
    odd = [instant for instant in instants if instant % SECOND]
    chosen = [bench.random.choice(instants), bench.random.choice(odd or instants)]
    ends = [instants[0], instants[-1]]
    near = [instant + by for instant in chosen for by in (0, 1, -1)]
    return [(write(instant), instant) for instant in (*near, *ends)]


def _fractions(bench: Bench, instants: list[int]) -> Values:
    """Fractions of one, three and nine digits, and none."""
    odd = [instant for instant in instants if instant % SECOND]
    instant = bench.random.choice(odd or instants)
    second = instant // SECOND * SECOND
    tenth, milli = instant // 100_000 * 100_000, instant // 1000 * 1000
    later = tenth + 100_000
    return [
        (write(later)[:-6] + "Z", later),
        (write(instant)[:-1] + "999Z", instant),
        (write(milli)[:-4] + "Z", milli),
        (write(tenth)[:-6] + "Z", tenth),
        (write(second)[:-8] + "Z", second),
    ]


def _zones(bench: Bench, instants: list[int]) -> Values:
    """The time of an event in zones east and west of UTC."""
    chosen = [bench.random.choice(instants) for _ in range(4)]
    minutes = (330, -480, 840, 0)
    return [(write(at, minutes=offset), at) for at, offset in zip(chosen, minutes, strict=True)]


def _loose(bench: Bench, instants: list[int]) -> Values:
    """Times without a zone, which are UTC, and dates alone, which are their midnight."""
    at, other = bench.random.choice(instants), bench.random.choice(instants)
    midnight = other // DAY * DAY
    return [(naive(at), at), (write(at, sep=" ")[:-1], at), (write(midnight)[:10], midnight)]


RUNGS = (
    Rung("filter-time", _between, 1),
    Rung("filter-boundary", _at, 4),
    Rung("filter-fraction", _fractions, 1),
    Rung("filter-zone", _zones, 1),
    Rung("filter-loose-time", _loose, 1),
)


@law("filter-alias", cost=5, after=(all_events, orders, time_filters))
def old_name(bench: Bench) -> None:
    """updated_after is updated_at_gte, is not looked at beside it, and an empty updated_at_gte counts as none."""
    instants = sorted({i for row in bench.survey.known(EVENTS) if (i := read(row.get("updated_at"))) is not None})
    if len(instants) < 2:
        bench.unobservable("filter-alias", "there are not two events with different times")
        return
    if any(bench.is_broken(rung.rule, field=name) for rung in RUNGS for name in ("updated_at_gte", "time filters")):
        return
    middle, last = write(instants[len(instants) // 2]), write(instants[-1])
    newest = Filter("updated_at_gte", last, instants[-1])
    _alias(bench, [("updated_after", last)], [newest])
    _alias(bench, [("updated_after", middle), ("updated_at_gte", last)], [newest])
    _alias(bench, [("updated_at_gte", middle), ("updated_after", last)], [newest._replace(instant=read(middle))])
    _alias(bench, [("updated_at_gte", ""), ("updated_after", last)], [newest])
    _alias(bench, [("updated_at_gte", "")], [])


def _alias(bench: Bench, asked: list[tuple[str, str]], means: list[Filter]) -> None:
    query = (*asked, ("ordering", "updated_at")) if not bench.is_broken("events-order") else tuple(asked)
    page = bench.page(EVENTS, query)
    wrong = wrong_with(bench, page, means)
    field = "updated_after" if asked[0][0] == "updated_after" or len(asked) > 1 else "updated_at_gte"
    tell(bench, "filter-alias", wrong, operation=EVENTS.operation, field=field)
