"""Time filters: what they leave, how a time may be written, and what is no time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

from mockserver.conformance.checks import IF_SHORT, Steps, check
from mockserver.conformance.checks.cases import Bench, Case, odd_check, odd_get, of_events
from mockserver.conformance.checks.filters import TIMES, Filter, Wrong, query_of, tell, wrong_with
from mockserver.conformance.checks.laws import Trial, is_strict, law
from mockserver.conformance.checks.notation import DAY, SECOND, naive, read, write
from mockserver.conformance.checks.orderings import orders
from mockserver.conformance.checks.pages import all_events
from mockserver.conformance.guard import EVENTS
from mockserver.conformance.list_pages import EVENT_LIST, Unreadable
from mockserver.conformance.rules import WITH_EVENTS, Rule

_FILTERS = "openapi.yaml, listCalendarEvents.parameters; recorded: list-events-filter"
_TIMESTAMPS = "openapi.yaml, FilterTime; recorded: timestamps.json, list-events-timestamps"

RULES: tuple[Rule, ...] = (
    Rule(
        "filter-time",
        "laws",
        "high",
        "A time filter shows every event in its range and no other.",
        _FILTERS,
        WITH_EVENTS,
    ),
    Rule(
        "filter-boundary",
        "laws",
        "high",
        "The limits of a time filter are inclusive, to the microsecond.",
        _TIMESTAMPS,
        WITH_EVENTS,
    ),
    Rule(
        "filter-fraction",
        "laws",
        "medium",
        "A time may have one to twelve digits after the second; the first six count.",
        _TIMESTAMPS,
        WITH_EVENTS,
    ),
    Rule("filter-zone", "laws", "high", "The UTC offset of a time filter is applied.", _TIMESTAMPS, WITH_EVENTS),
    Rule(
        "filter-loose-time",
        "laws",
        "medium",
        "A time without a zone is UTC, and a date is its midnight.",
        _TIMESTAMPS,
        WITH_EVENTS,
    ),
    Rule(
        "filter-alias",
        "laws",
        "medium",
        "updated_after means updated_at_gte, and is ignored if both are given.",
        _FILTERS,
        WITH_EVENTS,
    ),
    Rule(
        "time-odd",
        "hostile",
        "medium",
        "A time filter with an extreme year, zone or number of digits is accepted, or rejected by its name.",
        "recordings: list-events-timestamps-*",
    ),
    Rule(
        "time-refused",
        "probes",
        "medium",
        "A time filter that is not a timestamp is rejected by its name; updated_after by its new name.",
        "recordings: list-events-timestamps-*, list-events-updated-after",
    ),
    Rule(
        "time-taken",
        "probes",
        "medium",
        "A timestamp is accepted with or without a zone, with or without a fraction, and as a date.",
        "recordings: list-events-timestamps-*",
    ),
)

_PLAIN = 2
"""So many rungs are of times as the contract writes them."""
Values: TypeAlias = list[tuple[str, int]]
"""Texts with the instants that they mean."""
Drawn: TypeAlias = dict[tuple[str, str], Values]
"""The values of each rule for each filter."""


class Rung(NamedTuple):
    """One way of asking; later rungs are tried where the earlier ones held."""

    rule: str
    values: Callable[[Trial, list[int]], Values]
    first: int
    """So many of its values are enough for a first look."""


@law("filter-time", "filter-boundary", cost=15, least=2, after=(all_events, orders))
def time_filters(trial: Trial) -> Steps:
    """What the three time filters leave, at their boundaries too."""
    return _climbed(trial, RUNGS[:_PLAIN])


@law("filter-zone", "filter-fraction", "filter-loose-time", cost=9, least=2, after=(all_events, orders, time_filters))
def times_in_other_words(trial: Trial) -> Steps:
    """The same with each way of writing a time."""
    return _climbed(trial, RUNGS[_PLAIN:])


def _climbed(trial: Trial, rungs: Sequence[Rung]) -> Steps:
    """Rung by rung: each with its first values, of the first filter before those of the others; then with all."""
    plain = [rung.rule for rung in RUNGS[:_PLAIN]]
    broken = {name for name in TIMES if any(trial.is_broken(*plain, field=field) for field in (name, "time filters"))}
    drawn: Drawn = {}
    for names in ([*TIMES][:1], TIMES):
        for number, rung in enumerate(rungs):
            if _wrong(trial, rung, broken, drawn, names, rung.first if names is TIMES else 1):
                broken |= _climb(trial, rung, broken, drawn)
            if names is not TIMES and number == 1:
                yield IF_SHORT
    for rung in rungs:
        yield
        broken |= _climb(trial, rung, broken, drawn)


def _climb(trial: Trial, rung: Rung, broken: set[str], drawn: Drawn) -> set[str]:
    """Tells what is wrong with the filters on a rung, and gives them."""
    wrong = _wrong(trial, rung, broken, drawn)
    _tell(trial, rung.rule, wrong)
    return set(wrong)


def _wrong(
    trial: Trial, rung: Rung, broken: set[str], drawn: Drawn, names: Iterable[str] = TIMES, most: int | None = None
) -> dict[str, Wrong]:
    """What is wrong with each of the other filters on a rung, as far as so many of its values show it."""
    wrong: dict[str, Wrong] = {}
    for name in (name for name in names if name not in broken):
        instants = sorted(
            {i for row in trial.survey.known(EVENT_LIST) if (i := read(row.get(TIMES[name]))) is not None}
        )
        if len(instants) < 2:
            trial.unobservable(rung.rule, "there are not two events with different times")
            continue
        # Pages that were read for a first look need not be read again: it asked with the same values.
        if (rung.rule, name) not in drawn:
            drawn[rung.rule, name] = rung.values(trial, instants)
        found = _try(trial, rung, name, drawn[rung.rule, name][:most])
        if found is not None:
            wrong[name] = found
    return wrong


def _try(trial: Trial, rung: Rung, name: str, values: Values) -> Wrong | None:
    """Asks with each value, so sorted that what is just beyond the boundary would come first."""
    ordering: str | None = TIMES[name] if name != "end_time_lte" else "-end_time"
    if trial.is_broken("events-order", "order-same-set", operation=EVENT_LIST.operation):
        ordering = None
    for number, (text, instant) in enumerate(values):
        item = Filter(name, text, instant)
        try:
            page = trial.page(EVENT_LIST, query_of([item], ordering if number or rung is not RUNGS[0] else None))
        except Unreadable as unreadable:
            if is_strict(unreadable.exchange):
                continue
            raise
        wrong = wrong_with(trial, page, [item])
        if wrong is not None:
            return wrong
        trial.keep(rung.rule)
    return None


def _tell(trial: Trial, rule: str, wrong: dict[str, Wrong]) -> None:
    """One suspicion: about the filter that is wrong, or about all time filters where several are."""
    for name, seen in list(wrong.items())[:1]:
        field = name if len(wrong) == 1 else "time filters"
        tell(trial, rule, seen, operation=EVENT_LIST.operation, field=field)


def _between(trial: Trial, instants: list[int]) -> Values:
    """Values that no event has: in the middle, in a gap wide enough, before all and after all."""
    pairs = list(zip(instants, instants[1:], strict=False))
    some = [trial.random.choice(pairs), max(pairs, key=lambda pair: pair[1] - pair[0])]
    middles = [(low + high) // 2 // SECOND * SECOND for low, high in some]
    ends = [instants[0] // DAY * DAY - DAY, instants[-1] // DAY * DAY + 2 * DAY]
    far = [(text, instant) for text in _FAR if (instant := read(text)) is not None]
    return [*((write(instant), instant) for instant in (*middles, *ends)), *far]


_FAR = (
    "1969-12-31T23:59:59.999999Z",
    "9999-12-31T23:59:59.999999Z",
    "1000-01-01T00:00:00Z",
    "1969-07-20T20:17:40-03:30",
)


def _at(trial: Trial, instants: list[int]) -> Values:
    """The time of an event itself, and a microsecond to either side."""
    odd = [instant for instant in instants if instant % SECOND]
    chosen = [trial.random.choice(instants), trial.random.choice(odd or instants)]
    ends = [instants[0], instants[-1]]
    near = [instant + by for instant in chosen for by in (0, 1, -1)]
    return [(write(instant), instant) for instant in (*near, *ends)]


def _fractions(trial: Trial, instants: list[int]) -> Values:
    """Fractions of one, three and nine digits, and none."""
    odd = [instant for instant in instants if instant % SECOND]
    instant = trial.random.choice(odd or instants)
    second = instant // SECOND * SECOND
    tenth, milli = instant // 100_000 * 100_000, instant // 1000 * 1000
    later = tenth + 100_000
    return [
        (write(later)[:-6] + "Z", later),
        (write(instant)[:-1] + "999Z", instant),
        (write(milli)[:-4] + "Z", milli),
        (write(tenth)[:-6] + "Z", tenth),
        (write(second)[:-8] + "Z", second),
        *((write(at)[: -digits - 1] + "Z", at) for digits, size in _CUT for at in [instant // size * size + size]),
        (write(instant)[:-1] + "9Z", instant),
        (write(instant)[:-1] + "999999Z", instant),
    ]


_CUT = ((4, 10_000), (2, 100), (1, 10))
"""So many digits that are left out of six, and the microseconds of the last one that is not."""


def _zones(trial: Trial, instants: list[int]) -> Values:
    """The time of an event in zones east and west of UTC."""
    minutes = (330, -210, 840, 0, 345, -570, 765, -480, -60)
    chosen = [trial.random.choice(instants) for _ in minutes]
    written = [(write(at, minutes=offset), at) for at, offset in zip(chosen, minutes, strict=True)]
    return [*written, (write(chosen[0], minutes=-210).replace("-03:30", "999-03:30"), chosen[0])]


def _loose(trial: Trial, instants: list[int]) -> Values:
    """Times without a zone, which are UTC, and dates alone, which are their midnight."""
    at, other = trial.random.choice(instants), trial.random.choice(instants)
    midnight = other // DAY * DAY
    second, minute = other // SECOND * SECOND, other // (60 * SECOND) * 60 * SECOND
    next_midnight = at // DAY * DAY + DAY
    return [
        (naive(at), at),
        (write(at, sep=" ")[:-1], at),
        (write(midnight)[:10], midnight),
        (naive(at) + "999", at),
        (naive(second)[:-7], second),
        (naive(minute)[:16], minute),
        (write(next_midnight)[:10], next_midnight),
    ]


RUNGS = (
    Rung("filter-time", _between, 1),
    Rung("filter-boundary", _at, 4),
    Rung("filter-fraction", _fractions, 1),
    Rung("filter-zone", _zones, 1),
    Rung("filter-loose-time", _loose, 1),
)


@law("filter-alias", cost=5, after=(all_events, orders, time_filters))
def old_name(trial: Trial) -> Steps:
    """updated_after is updated_at_gte, is not looked at beside it, and an empty updated_at_gte counts as none."""
    instants = sorted({i for row in trial.survey.known(EVENT_LIST) if (i := read(row.get("updated_at"))) is not None})
    if len(instants) < 2:
        trial.unobservable("filter-alias", "there are not two events with different times")
        return
    if any(trial.is_broken(rung.rule, field=name) for rung in RUNGS for name in ("updated_at_gte", "time filters")):
        return
    middle, last = write(instants[len(instants) // 2]), write(instants[-1])
    newest = Filter("updated_at_gte", last, instants[-1])
    _alias(trial, [("updated_after", last)], [newest])
    _alias(trial, [("updated_after", middle), ("updated_at_gte", last)], [newest])
    _alias(trial, [("updated_at_gte", middle), ("updated_after", last)], [newest._replace(instant=read(middle))])
    _alias(trial, [("updated_at_gte", ""), ("updated_after", last)], [newest])
    _alias(trial, [("updated_at_gte", "")], [])
    yield
    at = instants[-1]
    for text in (write(at, minutes=-210), write(at, minutes=345), naive(at), write(at)[:-1] + "999Z"):
        _alias(trial, [("updated_after", text)], [newest])
        _alias(trial, [("updated_at_gte", ""), ("updated_after", text)], [newest])
        yield
    midnight = at // DAY * DAY
    for instant in (midnight, midnight + DAY):
        _alias(trial, [("updated_after", write(instant)[:10])], [newest._replace(instant=instant)])
    _alias(trial, [("updated_after", middle), ("updated_at_gte", "")], [newest._replace(instant=read(middle))])


def _alias(trial: Trial, asked: list[tuple[str, str]], means: list[Filter]) -> None:
    query = (*asked, ("ordering", "updated_at")) if not trial.is_broken("events-order") else tuple(asked)
    page = trial.page(EVENT_LIST, query)
    wrong = wrong_with(trial, page, means)
    field = "updated_after" if asked[0][0] == "updated_after" or len(asked) > 1 else "updated_at_gte"
    tell(trial, "filter-alias", wrong, operation=EVENT_LIST.operation, field=field)


_MORNING, _EVENING = "2025-01-13T10:30:00Z", "2025-01-13T18:00:00Z"
_EXAMPLES = {
    "updated_at_gte": ("updated_at_gte", _MORNING),
    "updated_after": ("updated_at_gte", _MORNING),
    "start_time_gte": ("start_time_gte", _MORNING),
    "end_time_lte": ("end_time_lte", _EVENING),
}

_NO_TIMES = (
    "bad",
    "2026",
    "2026-05",
    "20260510T000000Z",
    "1715299200",
    "2026-13-01T00:00:00Z",
    "2026-02-30T00:00:00Z",
    "2026-05-10T24:00:00Z",
    "2026-05-10T00:00:60Z",
    "2026-05-10T00:00:00z",
    "2026-05-10t00:00:00Z",
    "2026-05-10T00:00:00.Z",
    "2026-05-10T00:00:00+00:00",  # the plus is a blank when it arrives
    "2026-05-10T00:00:00%2B24:00",
    "2026-05-10T00:00:00UTC",
    "now",
)
_SOME_TIMES = (
    "2026-05-10T00:00:00Z",
    "2026-05-10",
    "2026-05-10T00:00",
    "2026-05-10T00:00:00",
    "2026-05-10%2000:00:00Z",
    "2026-05-10+00:00:00Z",
    "2026-05-10T00:00:00.5Z",
    "2026-05-10T00:00:00.123456Z",
    "2026-05-10T00:00:00.1234567Z",
    "2026-05-10T00:00:00%2B02:00",
    "2026-05-10T00:00:00-0530",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999Z",
)


_MORE_NO_TIMES = (
    "2026-04-31T00:00:00Z",
    "2025-02-29",
    "2026-05-10T00:60:00Z",
    "10/05/2026",
    "2026-05-10T00:00:00Zx",
    "x2026-05-10T00:00:00Z",
    "%202026-05-10T00:00:00Z",
    "2026-05-10T00:00:00Z%20",
    "0",
    "-1",
    "null",
    "today",
)
_MORE_TIMES = (
    "1969-12-31T23:59:59.999999Z",
    "1969-07-20T20:17:40.5-03:30",
    "1000-01-01T00:00:00Z",
    "2024-02-29T12:00:00Z",
    "2026-05-10T00:00:00-03:30",
    "2026-05-10T00:00:00-09:30",
    "2026-05-10T00:00:00%2B12:45",
    "2026-05-10T00:00:00-00:00",
    "2026-05-10T00:00:00.12Z",
    "2026-05-10T00:00:00.123456789012-03:30",
    "1969-12-31",
    "1969-12-31T23:59:59.5",
)


def bad_time(name: str) -> dict[str, str]:
    """What is said of a time filter that is no time."""
    told, example = _EXAMPLES[name]
    return {"error": f"Invalid {told} format. Use ISO 8601 format (e.g., {example})"}


@check("time-refused", "time-taken", context=Bench, cost=8)
def written_times(bench: Bench) -> Steps:
    """What is a time and what is none: one text for each filter, then all."""
    for name in _EXAMPLES:
        bench.ask(of_events("time-refused", name, f"{name}={_NO_TIMES[0]}", 400, bad_time(name)))
        bench.ask(of_events("time-taken", name, f"{name}={_SOME_TIMES[0]}"))
    yield
    for name in _EXAMPLES:
        texts = {"start_time_gte": _NO_TIMES, "updated_at_gte": _NO_TIMES[::2]}.get(name, _NO_TIMES[:4])
        for text in texts[1:]:
            bench.ask(of_events("time-refused", name, f"{name}={text}", 400, bad_time(name)))
        if name != "updated_at_gte":
            bench.ask(of_events("time-refused", name, f"{name}=", 400, bad_time(name)))
        for text in _SOME_TIMES[1:] if name == "start_time_gte" else _SOME_TIMES[1:4]:
            bench.ask(of_events("time-taken", name, f"{name}={text}"))
        yield
    for second in ("bad", ""):
        ignored = f"updated_at_gte=2026-05-10T00:00:00Z&updated_after={second}"
        bench.ask(of_events("time-taken", "updated_after", ignored))
    yield from _times_of_each(bench)


def _times_of_each(bench: Bench) -> Steps:
    """Every text with every filter, and the old name beside an empty new one."""
    for name in _EXAMPLES:
        for text in (*_NO_TIMES, *_MORE_NO_TIMES):
            bench.ask(of_events("time-refused", name, f"{name}={text}", 400, bad_time(name)))
        yield
        for text in (*_SOME_TIMES, *_MORE_TIMES):
            bench.ask(of_events("time-taken", name, f"{name}={text}"))
        yield
    refused = of_events(
        "time-refused", "updated_after", "updated_at_gte=&updated_after=", 400, bad_time("updated_after")
    )
    bench.ask(refused)
    bench.ask(refused._replace(path=f"{EVENTS}?updated_at_gte=&updated_after=bad"))


_OK, _REFUSED, _EITHER = frozenset({200}), frozenset({400}), frozenset({200, 400})
_ODD_TIMES = (
    "%00",
    "%FF",
    "2026-05-10T00:00:00Z%00",
    "0000-01-01T00:00:00Z",
    "10000-01-01T00:00:00Z",
    "-2026-05-10T00:00:00Z",
    "2026-05-10T00:00:00%2B24:00",
    "2026-05-10T00:00:00%2B99:99",
    "2026-05-10T00:00:00[UTC]",
    "2026-00-10T00:00:00Z",
    "2026-05-10T25:00:00Z",
    "Infinity",
    "NaN",
    "1e400",
    "9" * 1000,
    "2026-05-10T00:00:00." + "9" * 500 + "Z",
)
_EDGE_TIMES = (
    "2026-05-10T00:00:00%2B16:00",
    "2026-05-10T00:00:00-16:00",
    "2026-05-10T00:00:00%2B23:59",
    "2026-05-10T00:00:00-23:59",
    "2026-05-10T00:00:00%2B00:00:00.000001",
    "0001-01-01T00:00:00%2B05:00",
    "0001-01-01T00:00:00%2B15:59",
    "9999-12-31T23:59:59-05:00",
    "9999-12-31T23:59:59.999999-15:59",
    "2026-05-10T00:00:00Z%0A",
    "2026-05-10%00T00:00:00",
    "%D9%A2%D9%A0%D9%A2%D9%A6-05-10T00:00:00Z",
    "2026-05-10%E2%80%A800:00:00",
)
_GOOD_TIMES = (
    "2026-05-10T00:00:00%2B15:59",
    "2026-05-10T00:00:00-15:59",
    "2024-02-29T00:00:00Z",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999Z",
    "1969-12-31T23:59:59.999999Z",
    "2026-05-10T00:00:00.123456789012Z",
)


def _odd_times(*, thorough: bool) -> Iterator[Case]:
    """Time filters with what is no time, and with extreme times."""
    for name in _EXAMPLES:
        every = thorough or name == "start_time_gte"
        for texts, statuses in ((_ODD_TIMES, _REFUSED), (_EDGE_TIMES, _EITHER), (_GOOD_TIMES, _OK)):
            for text in texts if every else texts[:3]:
                yield odd_get("time-odd", "listCalendarEvents", name, f"{EVENTS}?{name}={text}", statuses)


odd_times = odd_check("time-odd", lambda bench: _odd_times(thorough=bench.target.writes))
