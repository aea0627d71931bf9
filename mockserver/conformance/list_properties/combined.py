"""Laws of several parameters at once: each filter counts, in any ordering, on any page."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from mockserver.conformance.checks import IF_SHORT, Steps
from mockserver.conformance.exchange import Exchange
from mockserver.conformance.expectations import each_row, every, in_order
from mockserver.conformance.list_pages import EVENTS, Page, Row, Unreadable
from mockserver.conformance.list_properties.asking import (
    TIMES,
    Filter,
    Wrong,
    conditions,
    key_of,
    meets,
    query_of,
    tell,
    wrong_with,
)
from mockserver.conformance.list_properties.bench import Bench
from mockserver.conformance.list_properties.chains import Chain, misplaced
from mockserver.conformance.list_properties.chains import forward as chain_from
from mockserver.conformance.list_properties.cursors import ORDERINGS, Cursor, is_known_cursor
from mockserver.conformance.list_properties.instants import read, write
from mockserver.conformance.list_properties.laws import law
from mockserver.conformance.list_properties.pages import all_calendars, all_events, orders
from mockserver.conformance.list_properties.times import time_filters

_DRAWS = 12
_ENOUGH = 150
_FIRST = 3
"""So many combinations are enough for a first look."""
_FILTER_RULES = (
    "filter-taken",
    "filter-time",
    "filter-boundary",
    "filter-text",
    "filter-spelling",
    "filter-empty",
    "filter-unknown",
    "filter-alias",
)
_NAMES = ("calendar_id", "calendar_deduplication_key", "event_id", *TIMES)


@law("filter-combined", cost=3, least=1, after=(all_calendars, all_events, time_filters))
def combinations_of_filters(bench: Bench) -> Steps:
    """Pairs and triples of filters, and all together, each with values for which every one of them counts."""
    rows = bench.survey.known(EVENTS)
    names = [name for name in _NAMES if not _is_broken(bench, name)]
    if len(rows) < 3:
        bench.unobservable("filter-combined", "there are fewer than three events")
        return
    groups = [group for size in (2, 3, len(names)) for group in combinations(names, size) if len(group) > 1]
    told: list[tuple[str, ...]] = []
    for number, group in enumerate(dict.fromkeys(groups)):
        if number in (1, _FIRST):
            yield IF_SHORT if number == 1 else None
        if any(set(pair) <= set(group) for pair in told):
            continue
        filters = _telling(bench, rows, group)
        if filters and not _counts(bench, filters):
            told.append(group)


def _counts(bench: Bench, filters: list[Filter]) -> bool:
    """Tests one combination; the finding is about the filter that does not count, whatever it is combined with."""
    page = bench.page(EVENTS, query_of(filters))
    wrong = wrong_with(bench, page, filters)
    field = (wrong.filter if wrong else "") or "+".join(item.name for item in filters)
    return tell(bench, "filter-combined", wrong, operation=EVENTS.operation, field=field)


def _is_broken(bench: Bench, name: str) -> bool:
    return any(
        bench.is_broken(*_FILTER_RULES, field=field) for field in (name, "time filters" if name in TIMES else name)
    )


def _telling(bench: Bench, rows: Sequence[Row], names: Sequence[str]) -> list[Filter]:
    """Values for these filters such that leaving any one of them out would change the first page most."""
    best: tuple[int, list[Filter]] = -1, []
    some = rows if len(rows) <= _ENOUGH else bench.random.sample(rows, _ENOUGH)
    for _ in range(_DRAWS):
        filters = [item for name in names if (item := _draw(bench, rows, name)) is not None]
        if len(filters) < len(names):
            continue
        unmet = [[item.name for item in filters if not meets(bench, row, item)] for row in some]
        alone = {missed[0] for missed in unmet if len(missed) == 1}
        score = 2 * len(alone) + any(not missed for missed in unmet)
        if score > best[0]:
            best = score, filters
    return best[1]


def _draw(bench: Bench, rows: Sequence[Row], name: str) -> Filter | None:
    row = bench.random.choice(rows)
    if name in TIMES:
        instant = read(row.get(TIMES[name]))
        return None if instant is None else Filter(name, write(instant), instant)
    if name == "calendar_deduplication_key":
        key = key_of(bench, row.get("calendar_id"))
        return None if key is None else Filter(name, key)
    return Filter(name, str(row.get("id" if name == "event_id" else name)))


@law("filter-with-order", cost=4, least=2, after=(all_events, orders, time_filters))
def filters_with_orders(bench: Bench) -> Steps:
    """A filter in all eight orderings, and on the pages after the first."""
    if _is_broken(bench, "updated_at_gte") or bench.is_broken("events-order", "links-preserve-query", "order-same-set"):
        return
    instants = sorted(i for row in bench.survey.known(EVENTS) if (i := read(row.get("updated_at"))) is not None)
    if len(set(instants)) < 2:
        bench.unobservable("filter-with-order", "there are not two events with different times")
        return
    since = instants[len(instants) // 4]
    filters = [Filter("updated_at_gte", write(since), since)]
    wrong: list[tuple[str, Wrong]] = []
    for number, ordering in enumerate(ORDERINGS):
        wrong += [(ordering, seen)] if (seen := _ordered(bench, filters, ordering)) else []
        if number < 2 and not wrong:
            yield None if number else IF_SHORT
    for ordering, seen in wrong[:1]:
        field = ordering if len(wrong) == 1 else "ordering"
        tell(bench, "filter-with-order", seen, operation=EVENTS.operation, field=field)


def _ordered(bench: Bench, filters: list[Filter], ordering: str) -> Wrong | None:
    first = bench.page(EVENTS, query_of(filters, ordering))
    wrong = wrong_with(bench, first, filters)
    chain = chain_from(bench, first, 2)
    found = misplaced(chain)
    if wrong is None and found is not None:
        return _along(chain, chain.up_to(found[0]), filters)
    for page in chain.pages[1:]:
        stranger = next((row for row in page.rows for item in filters if not meets(bench, row, item)), None)
        if wrong is None and stranger is not None:
            return _along(chain, chain.up_to(page), filters)
    if wrong is None:
        bench.keep("filter-with-order")
    return wrong


def _along(chain: Chain, exchanges: list[Exchange], filters: list[Filter]) -> Wrong:
    """That pages in a row are sorted and show only what the filters leave."""
    pages = chain.among(exchanges)
    return Wrong(every(in_order(pages, chain.ordering), each_row(pages, conditions(filters))), exchanges)


@law("cursor-position", cost=3, after=(all_events, orders))
def cursors_elsewhere(bench: Bench) -> None:
    """A cursor of one listing, used with another ordering or a filter, still means its position."""
    rows = bench.survey.known(EVENTS)
    instants = sorted({i for row in rows for name in set(TIMES.values()) if (i := read(row.get(name))) is not None})
    page = bench.page(EVENTS)
    link = page.next or page.previous
    if len(instants) < 4 or (link and not is_known_cursor(link)) or bench.is_broken("events-order"):
        bench.unobservable("cursor-position", "too few events, or cursors of another form")
        return
    calendar = Filter("calendar_id", str(bench.random.choice(rows).get("calendar_id")))
    for ordering, filters in (("start_time", []), ("-end_time", []), ("start_time", [calendar])):
        values = sorted({i for row in rows if (i := read(row.get(ordering.removeprefix("-")))) is not None})
        at = values[len(values) // 2]
        try:
            page = bench.page(EVENTS, query_of(filters, ordering), cursor=Cursor(0, False, at).text())
        except Unreadable:
            bench.unobservable("cursor-position", "the cursors are of another form")
            return
        if not _beyond(bench, page, filters, at):
            return


def _beyond(bench: Bench, page: Page, filters: list[Filter], at: int) -> bool:
    beyond = [[page.ordering.removeprefix("-"), "beyond", at], *conditions(filters)]
    return bench.check(
        "cursor-position",
        each_row([None], beyond, ordering=page.ordering),
        operation=EVENTS.operation,
        exchanges=[page.exchange],
    )
