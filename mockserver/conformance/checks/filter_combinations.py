"""Several parameters at once: each filter counts, with every other one, in any ordering, on any page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from typing import Any
from urllib.parse import quote, urlencode

from mockserver.conformance.checks import IF_SHORT, Steps, check
from mockserver.conformance.checks.cases import Bench
from mockserver.conformance.checks.chains import Chain, backward, fault_of, misplaced
from mockserver.conformance.checks.chains import forward as chain_from
from mockserver.conformance.checks.filters import (
    TIMES,
    Filter,
    Wrong,
    conditions,
    filtered,
    key_of,
    meets,
    query_of,
    tell,
    wrong_with,
)
from mockserver.conformance.checks.laws import Trial, law
from mockserver.conformance.checks.notation import ORDERINGS, read, write
from mockserver.conformance.checks.orderings import orders
from mockserver.conformance.checks.pages import PAGE_RULES, all_calendars, all_events, still_there
from mockserver.conformance.checks.time_filters import time_filters
from mockserver.conformance.exchange import Exchange
from mockserver.conformance.expectations import count, each_row, every, in_order, same_end, same_rows, shows
from mockserver.conformance.guard import CALENDARS, EVENTS
from mockserver.conformance.list_pages import EVENT_LIST, Row, ids_in, is_page, link_of, link_path, rows_in
from mockserver.conformance.rules import WITH_EVENTS, Rule

_FILTERS = "openapi.yaml, listCalendarEvents.parameters; recorded: list-events-filter"

RULES: tuple[Rule, ...] = (
    Rule(
        "filter-combined", "laws", "high", "If a request has several filters, all of them apply.", _FILTERS, WITH_EVENTS
    ),
    Rule(
        "filter-with-order", "laws", "high", "Filters apply in every ordering and on every page.", _FILTERS, WITH_EVENTS
    ),
    Rule(
        "filter-walk",
        "details",
        "medium",
        "A filter that every event matches leaves the pages as they are without it.",
        "openapi.yaml: listCalendarEvents",
    ),
    Rule(
        "filter-every-order",
        "details",
        "medium",
        "A filter finds the same events in every ordering, sorted by it.",
        "openapi.yaml: EventOrdering",
    ),
    Rule(
        "filter-pairs",
        "details",
        "medium",
        "Two filters find the events that each of them finds.",
        "openapi.yaml: listCalendarEvents",
    ),
)

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


@law("filter-combined", "filter-taken", cost=3, least=1, after=(all_calendars, all_events, time_filters))
def combinations_of_filters(trial: Trial) -> Steps:
    """Pairs and triples of filters, and all together, each with values for which every one of them counts."""
    rows = trial.survey.known(EVENT_LIST)
    names = [name for name in _NAMES if not _is_broken(trial, name)]
    if len(rows) < 3:
        trial.unobservable("filter-combined", "there are fewer than three events")
        return
    groups = [group for size in (2, 3, len(names)) for group in combinations(names, size) if len(group) > 1]
    told: list[tuple[str, ...]] = []
    for number, group in enumerate(dict.fromkeys(groups)):
        if number in (1, _FIRST):
            yield IF_SHORT if number == 1 else None
        if any(set(pair) <= set(group) for pair in told):
            continue
        filters = _telling(trial, rows, group)
        if filters and not _counts(trial, filters):
            told.append(group)


def _counts(trial: Trial, filters: list[Filter]) -> bool:
    """Tests one combination; the finding is about the filter that does not count, whatever it is combined with."""
    page = trial.page(EVENT_LIST, query_of(filters))
    wrong = wrong_with(trial, page, filters)
    field = (wrong.filter if wrong else "") or "+".join(item.name for item in filters)
    return tell(trial, "filter-combined", wrong, operation=EVENT_LIST.operation, field=field)


def _is_broken(trial: Trial, name: str) -> bool:
    return any(
        trial.is_broken(*_FILTER_RULES, field=field) for field in (name, "time filters" if name in TIMES else name)
    )


def _telling(trial: Trial, rows: Sequence[Row], names: Sequence[str]) -> list[Filter]:
    """Values for these filters such that leaving any one of them out would change the first page most."""
    best: tuple[int, list[Filter]] = -1, []
    some = rows if len(rows) <= _ENOUGH else trial.random.sample(rows, _ENOUGH)
    for _ in range(_DRAWS):
        filters = [item for name in names if (item := _draw(trial, rows, name)) is not None]
        if len(filters) < len(names):
            continue
        unmet = [[item.name for item in filters if not meets(trial, row, item)] for row in some]
        alone = {missed[0] for missed in unmet if len(missed) == 1}
        score = 2 * len(alone) + any(not missed for missed in unmet)
        if score > best[0]:
            best = score, filters
    return best[1]


def _draw(trial: Trial, rows: Sequence[Row], name: str) -> Filter | None:
    row = trial.random.choice(rows)
    if name in TIMES:
        instant = read(row.get(TIMES[name]))
        return None if instant is None else Filter(name, write(instant), instant)
    if name == "calendar_deduplication_key":
        key = key_of(trial, row.get("calendar_id"))
        return None if key is None else Filter(name, key)
    return Filter(name, str(row.get("id" if name == "event_id" else name)))


@law("filter-with-order", cost=4, least=2, after=(all_events, orders, time_filters))
def filters_with_orders(trial: Trial) -> Steps:
    """A filter in all eight orderings, and on the pages after the first."""
    if _is_broken(trial, "updated_at_gte") or trial.is_broken("events-order", "links-preserve-query", "order-same-set"):
        return
    instants = sorted(i for row in trial.survey.known(EVENT_LIST) if (i := read(row.get("updated_at"))) is not None)
    if len(set(instants)) < 2:
        trial.unobservable("filter-with-order", "there are not two events with different times")
        return
    since = instants[len(instants) // 4]
    filters = [Filter("updated_at_gte", write(since), since)]
    wrong: list[tuple[str, Wrong]] = []
    for number, ordering in enumerate(ORDERINGS):
        wrong += [(ordering, seen)] if (seen := _ordered(trial, filters, ordering)) else []
        if number < 2 and not wrong:
            yield None if number else IF_SHORT
    for ordering, seen in wrong[:1]:
        field = ordering if len(wrong) == 1 else "ordering"
        tell(trial, "filter-with-order", seen, operation=EVENT_LIST.operation, field=field)


def _ordered(trial: Trial, filters: list[Filter], ordering: str) -> Wrong | None:
    first = trial.page(EVENT_LIST, query_of(filters, ordering))
    wrong = wrong_with(trial, first, filters)
    chain = chain_from(trial, first, 2)
    found = misplaced(chain)
    if wrong is None and found is not None:
        return _along(chain, chain.up_to(found[0]), filters)
    for page in chain.pages[1:]:
        stranger = next((row for row in page.rows for item in filters if not meets(trial, row, item)), None)
        if wrong is None and stranger is not None:
            return _along(chain, chain.up_to(page), filters)
    wrong = wrong or _lost(trial, chain, filters)
    if wrong is None:
        trial.keep("filter-with-order")
    return wrong


def _lost(trial: Trial, chain: Chain, filters: list[Filter]) -> Wrong | None:
    """What is wrong with pages in a row on which a known row is missing that the filters leave."""
    rows = [row for row in trial.survey.known(EVENT_LIST) if all(meets(trial, row, item) for item in filters)]
    fault = fault_of(chain, rows)
    if fault is None or fault.kind == "twice" or trial.is_broken(*PAGE_RULES, "page-ties", "page-full"):
        return None
    shown = still_there(trial, EVENT_LIST, fault.row)
    earlier = trial.survey.seen[fault.row["id"]]
    if shown is None or trial.survey.first_seen[fault.row["id"]] > chain.exchanges()[0].number:
        return None
    numbers = {page.exchange.number for page in chain.pages}
    sources = [one for one in (earlier, shown.exchange) if one.number not in numbers]
    return Wrong(*filtered(trial, chain.pages, filters, sources)) if sources else None


_ON_LATER_PAGES = (
    ("start_time_gte", "updated_at"),
    ("end_time_lte", "-start_time"),
    ("updated_after", "end_time"),
    ("start_time_gte", "-end_time"),
    ("updated_after", "-updated_at"),
    ("end_time_lte", "created_at"),
)


@law("filter-with-order", cost=2, after=(filters_with_orders,))
def filters_on_later_pages(trial: Trial) -> Steps:
    """The other time filters, with bounds that leave more than a page, on the first pages of other orderings."""
    for name, ordering in _ON_LATER_PAGES:
        field = TIMES.get(name, "updated_at")
        instants = sorted(i for row in trial.survey.known(EVENT_LIST) if (i := read(row.get(field))) is not None)
        known = _is_broken(trial, name) or _is_broken(trial, "updated_at_gte")
        if (
            known
            or len(set(instants)) < 2
            or trial.is_broken("events-order", "links-preserve-query", "filter-with-order")
        ):
            return
        bound = instants[len(instants) // 4 if name != "end_time_lte" else -len(instants) // 4]
        _both_ways(trial, [Filter(name, write(bound), bound)], ordering)
        yield
    counts = Counter(str(row.get("calendar_id")) for row in trial.survey.known(EVENT_LIST))
    for name, number in counts.most_common(1):
        if number > EVENT_LIST.size and not _is_broken(trial, "calendar_id"):
            _both_ways(trial, [Filter("calendar_id", name)], "start_time")
            yield
            key = key_of(trial, name)
            if key is not None and not _is_broken(trial, "calendar_deduplication_key"):
                _both_ways(trial, [Filter("calendar_deduplication_key", key)], "-end_time")


def _both_ways(trial: Trial, filters: list[Filter], ordering: str) -> None:
    """The first two pages, and the way back from the second."""
    wrong = _ordered(trial, filters, ordering)
    first = trial.page(EVENT_LIST, query_of(filters, ordering))
    if wrong is None and first.next is not None:
        chain = backward(trial, trial.follow(first, first.next), 2)
        strangers = [
            row for page in chain.pages for row in page.rows for item in filters if not meets(trial, row, item)
        ]
        wrong = _along(chain, chain.exchanges(), filters) if strangers or misplaced(chain) else None
    tell(trial, "filter-with-order", wrong, operation=EVENT_LIST.operation, field=filters[0].name)


def _along(chain: Chain, exchanges: list[Exchange], filters: list[Filter]) -> Wrong:
    """That pages in a row are sorted and show only what the filters leave."""
    pages = chain.among(exchanges)
    return Wrong(every(in_order(pages, chain.ordering), each_row(pages, conditions(filters))), exchanges)


_ALL_ORDERINGS = (
    "start_time",
    "-start_time",
    "end_time",
    "-end_time",
    "created_at",
    "-created_at",
    "updated_at",
    "-updated_at",
)
_WALK = 4
"""Pages that are compared with and without a filter."""
_TRIED = 6
"""Calendars that are looked at for one that has a deduplication key and not too many events."""
_FEW = 8
"""Rows that a bound in the lists leaves."""
_LIST_FAULTS = ("filter-with-order", "filter-combined", "events-order", "page-ties", "page-none-lost", "page-each-once")


@check("filter-walk", context=Bench, cost=2)
def walks_with_a_filter(bench: Bench) -> Steps:
    """The pages of all events, with and without a filter that all match."""
    plain, narrowed = EVENTS, f"{EVENTS}?updated_at_gte=1990-01-01T00:00:00Z"
    before: list[Exchange] = []
    for _ in range(_WALK):
        one, other = bench.get(plain), bench.get(narrowed)
        if not is_page(one) or not is_page(other):
            return
        again = bench.get(plain) if ids_in(one) != ids_in(other) else one
        if ids_in(one) != ids_in(again):
            return  # somebody's events change under the walk
        alike = same_rows(one, other)
        links = [link_of(page.json) for page in (one, other)]
        expectation = every(alike, same_end(one, other)) if links[0] is not None or links[1] is not None else alike
        if not bench.check("filter-walk", expectation, operation="listCalendarEvents", exchanges=[*before, one, other]):
            return
        yield
        if links[0] is None or links[1] is None:
            return
        before = [*before, one, other]
        plain, narrowed = (link_path(link) for link in links if link is not None)


_OTHER_FILTERS = (
    "start_time_gte=1990-01-01T00:00:00-03:30",
    "end_time_lte=9999-12-31T23:59:59.999999Z",
    "updated_after=1969-12-31T23:59:59.999999Z",
    "updated_at_gte=&start_time_gte=1990-01-01",
    "start_time_gte=1990-01-01T00:00:00Z&end_time_lte=9999-01-01T00:00:00Z&updated_after=1990-01-01T00:00:00",
)


@check("filter-walk", context=Bench, cost=2, after=(walks_with_a_filter,))
def walks_with_other_filters(bench: Bench) -> Steps:
    """As with one filter, with each of the others, in an ordering of its own, there and back."""
    for number, query in enumerate(_OTHER_FILTERS):
        ordering = _ALL_ORDERINGS[number]
        if bench.is_broken("filter-walk", *_LIST_FAULTS):
            return
        yield from _walk_beside(bench, f"{EVENTS}?ordering={ordering}", query)


def _walk_beside(bench: Bench, path: str, query: str) -> Steps:
    """Two pages of a list and the way back, with and without what all rows match."""
    plain, narrowed, before = path, f"{path}&{query}", list[Exchange]()
    for link in ("next", "previous", "next"):
        one, other = bench.get(plain), bench.get(narrowed)
        if not is_page(one) or not is_page(other):
            return
        if ids_in(one) != ids_in(other) and ids_in(bench.get(plain)) != ids_in(one):
            return  # somebody's events change under the walk
        alike = every(same_rows(one, other), same_end(one, other))
        steps = [*before, one, other]
        if not bench.check("filter-walk", alike, operation="listCalendarEvents", exchanges=steps):
            return
        yield
        links = [link_of(page.json, link) for page in (one, other)]
        if links[0] is None or links[1] is None:
            return
        before = steps
        plain, narrowed = (link_path(text) for text in links if text is not None)


class Filters:
    """Filters of events, each with the ids of the few events that it finds."""

    def __init__(self, bench: Bench) -> None:
        self.found: dict[str, tuple[str, set[str], Exchange]] = {}
        """By the filter's name: its value, what it finds, and the page that shows it."""
        self._bench = bench
        self._bounds()
        self._texts()

    def _bounds(self) -> None:
        """Times at which the rows of an ordering's beginning end."""
        for name, member, ordering in (
            ("updated_at_gte", "updated_at", "-updated_at"),
            ("updated_after", "updated_at", "-updated_at"),
            ("start_time_gte", "start_time", "-start_time"),
            ("end_time_lte", "end_time", "end_time"),
        ):
            rows = rows_in(self._bench.get(f"{EVENTS}?ordering={ordering}"))
            if len(rows) > _FEW and isinstance(rows[_FEW - 1].get(member), str):
                self._try(name, rows[_FEW - 1][member])

    def _texts(self) -> None:
        """An event, and a calendar with few events; one of those that the bounds find where that is possible."""
        near = [row for _, ids, page in self.found.values() for row in rows_in(page) if row["id"] in ids]
        if near:
            self._try("event_id", near[0]["id"])
        calendars = [str(row.get("calendar_id")) for row in near]
        calendars += ids_in(self._bench.get(CALENDARS))
        for calendar_id in list(dict.fromkeys(calendars))[:_TRIED]:
            found = self._bench.get(f"{CALENDARS}/{quote(calendar_id)}").json
            key = found.get("deduplication_key") if isinstance(found, dict) else None
            if isinstance(key, str) and "calendar_deduplication_key" not in self.found:
                self._try("calendar_id", calendar_id)
                self._try("calendar_deduplication_key", key)

    def _try(self, name: str, value: str) -> None:
        page = self._bench.get(f"{EVENTS}?{urlencode({name: value})}")
        if is_page(page) and link_of(page.json) is None and rows_in(page):
            self.found[name] = value, set(ids_in(page)), page


@check("filter-every-order", context=Bench, cost=20)
def filters_in_every_order(bench: Bench) -> Steps:
    """Every filter with every ordering."""
    filters = bench.run.shared(_filters_of)
    bench.unobservable("filter-every-order", "no filter leaves few enough events")
    yield
    for name, (value, ids, page) in filters.found.items():
        for ordering in _ALL_ORDERINGS:
            if bench.is_broken("filter-every-order", *_LIST_FAULTS):
                return
            query = urlencode({name: value, "ordering": ordering})
            _finds(bench, "filter-every-order", f"{EVENTS}?{query}", ids, [page], ordering, name)
        yield


@check("filter-pairs", context=Bench, cost=2, after=(filters_in_every_order,))
def pairs_of_filters(bench: Bench) -> Steps:
    """Every two filters together."""
    filters = bench.run.shared(_filters_of)
    bench.unobservable("filter-pairs", "no filter leaves few enough events")
    for (name, (value, ids, page)), (other, (text, more, beside)) in combinations(filters.found.items(), 2):
        if {name, other} == {"updated_at_gte", "updated_after"}:
            continue
        if bench.is_broken("filter-pairs", *_LIST_FAULTS):
            return
        query = urlencode({name: value, other: text})
        _finds(bench, "filter-pairs", f"{EVENTS}?{query}", ids & more, [page, beside], "-updated_at", other)
        yield


def _filters_of(run: Any) -> Filters:
    return Filters(run.shared(Bench))


def _finds(
    bench: Bench, rule: str, path: str, ids: set[str], before: Sequence[Exchange], ordering: str, field: str
) -> None:
    page = bench.get(path)
    if page.status != 200 or bench.is_told(page, right_status=True):
        return
    if set(ids_in(page)) != ids and any(ids_in(bench.get(one.request.path)) != ids_in(one) for one in before):
        return  # somebody's events changed in between
    parts = [count(len(ids)), in_order([page], ordering), *(shows(name) for name in sorted(ids))]
    bench.check(rule, every(*parts), operation="listCalendarEvents", field=field, exchanges=[*before, page])
