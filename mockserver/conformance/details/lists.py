"""Checks of lists beyond their first page, and of every filter with every ordering and with every other filter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

from mockserver.conformance.checks import Steps, check
from mockserver.conformance.checks.cases import Bench
from mockserver.conformance.exchange import Exchange
from mockserver.conformance.expectations import (
    count,
    every,
    in_order,
    same_document,
    same_end,
    same_headers,
    same_rows,
    shows,
)
from mockserver.conformance.guard import CALENDARS, EVENTS
from mockserver.conformance.list_pages import ids_in, is_page, link_of, rows_in

_ORDERINGS = (
    "start_time",
    "-start_time",
    "end_time",
    "-end_time",
    "created_at",
    "-created_at",
    "updated_at",
    "-updated_at",
)
VOLATILE: Final = (
    "state",
    "connection_failure_data",
    "last_attempted_sync_at",
    "last_successful_sync_at",
    "updated_at",
)
"""What a sync changes of a calendar."""
_WALK = 4
"""Pages that are compared with and without a filter."""
_TRIED = 6
"""Calendars that are looked at for one that has a deduplication key and not too many events."""
_FEW = 8
"""Rows that a bound in the lists leaves."""
_SAMPLES = 3
_COMPARED = ("content-type", "allow", "vary")
_LIST_FAULTS = ("filter-with-order", "filter-combined", "events-order", "page-ties", "page-none-lost", "page-each-once")


def _second_page(bench: Bench, path: str) -> Sequence[Exchange]:
    """The first page and the one after it; the first alone where there is no other."""
    first = bench.get(path)
    link = link_of(first.json)
    if link is None:
        return (first,)
    parts = urlsplit(link)
    return first, bench.get(f"{parts.path}?{parts.query}")


@check("page-rows-whole", "head-as-get", context=Bench, cost=12)
def later_pages(bench: Bench) -> Steps:
    """Rows of second pages, each also read alone; HEAD of such a page."""
    bench.unobservable("page-rows-whole", "no list has a second page")
    for path, operation in ((EVENTS, "listCalendarEvents"), (CALENDARS, "listCalendars")):
        pages = _second_page(bench, path)
        rows = rows_in(pages[1]) if len(pages) > 1 else []
        for row in _varied(rows):
            where = f"{EVENTS}?event_id={quote(row['id'])}" if path == EVENTS else f"{CALENDARS}/{quote(row['id'])}"
            alone = bench.get(where)
            if alone.status != 200 or bench.is_told(alone, right_status=True):
                continue
            same = same_document(pages[1], alone, synced=VOLATILE)
            bench.check("page-rows-whole", same, operation=operation, exchanges=[*pages, alone])
        yield
        if rows:
            _head(bench, pages[1].request.path, operation, pages)
    for query in ("?deduplication_key=conformance", "?deduplication_key="):
        _head(bench, f"{CALENDARS}{query}", "listCalendars", ())
    for query in ("?ordering=end_time", "?event_id=none", "?updated_at_gte=2020-01-01T00:00:00Z"):
        _head(bench, f"{EVENTS}{query}", "listCalendarEvents", ())


def _varied(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """A few rows, those first of which most members say something."""
    return sorted(rows, key=lambda row: -sum(value not in (None, [], {}) for value in row.values()))[:_SAMPLES]


def _head(bench: Bench, path: str, operation: str, before: Sequence[Exchange]) -> None:
    got, headed = bench.get(path), bench.target.send("HEAD", path)
    wrong = any(bench.is_told(one, right_status=one.status == 200) for one in (got, headed))
    if not wrong and not bench.is_broken("head-as-get", operation=operation):
        alike = same_headers(got, headed, _COMPARED)
        bench.check("head-as-get", alike, operation=operation, field="HEAD", exchanges=[*before[:1], got, headed])


@check("filter-walk", context=Bench, cost=2)
def walks(bench: Bench) -> Steps:
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
        plain, narrowed = (f"{urlsplit(link).path}?{urlsplit(link).query}" for link in links if link is not None)


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
def orderings(bench: Bench) -> Steps:
    """Every filter with every ordering."""
    filters = bench.run.shared(_filters_of)
    bench.unobservable("filter-every-order", "no filter leaves few enough events")
    yield
    for name, (value, ids, page) in filters.found.items():
        for ordering in _ORDERINGS:
            if bench.is_broken("filter-every-order", *_LIST_FAULTS):
                return
            query = urlencode({name: value, "ordering": ordering})
            _finds(bench, "filter-every-order", f"{EVENTS}?{query}", ids, [page], ordering, name)
        yield


@check("filter-pairs", context=Bench, cost=2, after=(orderings,))
def pairs(bench: Bench) -> Steps:
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


CHECKS = (later_pages, walks, orderings, pairs)
