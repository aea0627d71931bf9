"""Saying the same: of one thing everywhere, on every page, and again when asked again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from mockserver.conformance.calendar_bodies import VOLATILE
from mockserver.conformance.checks import IF_SHORT, Steps, check
from mockserver.conformance.checks.cases import Bench
from mockserver.conformance.checks.laws import Trial, law
from mockserver.conformance.checks.pages import all_calendars, all_events, still_there
from mockserver.conformance.evaluation import broken
from mockserver.conformance.exchange import Exchange
from mockserver.conformance.expectations import (
    complete,
    facts_of,
    no_row,
    same_document,
    same_headers,
    same_rows,
    status,
    where,
)
from mockserver.conformance.guard import CALENDARS, EVENTS
from mockserver.conformance.list_pages import CALENDAR_LIST, EVENT_LIST, Listing, Row, link_of, link_path, rows_in
from mockserver.conformance.origins import in_order
from mockserver.conformance.rules import WITH_EVENTS, Rule

RULES: tuple[Rule, ...] = (
    Rule(
        "parts-make-whole",
        "laws",
        "high",
        "Every event that a filter shows is also in the whole list, deleted or not.",
        "openapi.yaml, listCalendarEvents.parameters; recorded: list-events-filter",
        WITH_EVENTS,
    ),
    Rule(
        "event-has-calendar",
        "laws",
        "medium",
        "Every event's calendar can be read.",
        "openapi.yaml, deleteCalendar",
        WITH_EVENTS,
    ),
    Rule(
        "list-is-detail",
        "laws",
        "high",
        "A calendar is the same in the list and when it is read by its id.",
        "recorded: get-calendar",
    ),
    Rule(
        "list-repeats",
        "laws",
        "medium",
        "A list read twice shows the same rows in the same order.",
        "openapi.yaml, Cursors; recorded: list-calendars-walk, list-events-walk, cursors.json",
    ),
    Rule("read-changes-nothing", "laws", "high", "Reading changes nothing.", "openapi.yaml; recorded: get-calendar"),
    Rule(
        "page-rows-whole",
        "details",
        "medium",
        "A row of a list, also on a later page, is the same as when it is read alone.",
        "openapi.yaml: CalendarPage, CalendarEventPage",
    ),
)

_SOME, _FIRST = 4, 2
_MOST_PARTS = 12


@law("list-is-detail", "read-changes-nothing", cost=3, after=(all_calendars,))
def list_is_detail(trial: Trial) -> Steps:
    """A calendar in the list, read alone, and read again is the same."""
    page = trial.page(CALENDAR_LIST)
    if not page.rows:
        trial.unobservable("list-is-detail", "there are no calendars")
        trial.unobservable("read-changes-nothing", "there are no calendars")
    rows = list(page.rows[:2]) + trial.random.sample(list(page.rows[2:]), min(_SOME, len(page.rows[2:])))
    for row in rows:
        first, again = (trial.get(f"{CALENDAR_LIST.path}/{row['id']}") for _ in range(2))
        if first.status == 200 and again.status == 200 and isinstance(first.json, dict):
            if not _unchanged(trial, first, again):
                return
            _agrees(trial, row, page.exchange, first)
            yield


def _unchanged(trial: Trial, first: Exchange, again: Exchange) -> bool:
    name = _difference(first.json, again.json)
    return trial.check(
        "read-changes-nothing",
        same_document(first, synced=VOLATILE, both=True),
        operation="getCalendar",
        field=name or "",
        exchanges=[first, again],
    )


def _agrees(trial: Trial, row: Row, listed: Exchange, detail: Exchange) -> None:
    name = _difference(row, detail.json)
    if name in VOLATILE and _difference(row, _listed_again(trial, row)) == name:
        return
    trial.check(
        "list-is-detail",
        same_document(detail, but=[] if name in VOLATILE else VOLATILE, both=True),
        operation=CALENDAR_LIST.operation,
        field=name or "",
        exchanges=[detail, listed],
    )


def _listed_again(trial: Trial, row: Row) -> Row:
    page = still_there(trial, CALENDAR_LIST, row)
    return next((found for found in page.rows if found["id"] == row["id"]), row) if page else row


def _difference(one: Row, other: object) -> str | None:
    """The first field in which two descriptions differ."""
    if not isinstance(other, dict):
        return "id"
    return next((name for name in {**one, **other} if one.get(name) != other.get(name)), None)


@law("list-repeats", "read-changes-nothing", cost=2, after=(all_calendars, all_events))
def lists_repeat(trial: Trial) -> Steps:
    """A list that is read twice shows the same rows in the same order."""
    for listing in (CALENDAR_LIST, EVENT_LIST):
        if trial.is_broken("page-ties", operation=listing.operation):
            continue
        first, again = (trial.page(listing, again=True) for _ in range(2))
        holds = trial.check(
            "list-repeats",
            same_rows(first.exchange),
            operation=listing.operation,
            exchanges=[first.exchange, again.exchange],
        )
        if holds:
            _rows_repeat(trial, listing, first.rows, again.rows, [first.exchange, again.exchange])
        yield


def _rows_repeat(
    trial: Trial, listing: Listing, rows: tuple[Row, ...], again: tuple[Row, ...], exchanges: list[Exchange]
) -> None:
    name = next((name for one, other in zip(rows, again, strict=True) if (name := _difference(one, other))), None)
    trial.check(
        "read-changes-nothing",
        same_document(exchanges[0], synced=VOLATILE, both=True),
        operation=listing.operation,
        field=name or "",
        exchanges=exchanges,
    )


@law("parts-make-whole", cost=3, least=1, after=(all_calendars, all_events))
def filtered_are_listed(trial: Trial) -> Steps:
    """What a filter or an ordering shows, the whole list shows as well; so the parts make up the whole."""
    if not trial.survey.whole.get(EVENT_LIST.operation):
        trial.unobservable("parts-make-whole", "the list of events is too long to be read to its end")
        return
    if trial.is_broken(
        "page-none-lost", "page-ties", "links-preserve-query", "page-link-leads", operation=EVENT_LIST.operation
    ):
        return
    listed, pages = _all_events(trial)
    shown = Counter(str(row.get("calendar_id")) for row in listed.values())
    names = sorted({*shown, *(calendar["id"] for calendar in _calendars(trial))})
    trial.random.shuffle(names)
    # Calendars with many events are the likeliest to have some that are not shown.
    busiest = sorted(names, key=lambda name: -shown[name])[: _MOST_PARTS // 2]
    others = [name for name in names if name not in busiest]
    for number, name in enumerate((busiest + others)[:_MOST_PARTS]):
        if number in (1, _FIRST):
            yield IF_SHORT if number == 1 else None
        part = trial.page(EVENT_LIST, (("calendar_id", name),))
        hidden = [row for row in part.rows if row["id"] not in listed and row.get("calendar_id") == name]
        if hidden:
            listed, pages = _all_events(trial)
            hidden = [row for row in hidden if row["id"] not in listed]
        if hidden and all(row.get("is_deleted") is True for row in hidden):
            trial.survey.hides_deleted = True
        trial.survey.hidden |= {row["id"] for row in hidden}
        if not hidden:
            trial.keep("parts-make-whole")
            continue
        trial.check(
            "parts-make-whole",
            complete(pages, EVENT_LIST.default, [part.exchange], where=[["calendar_id", "=", name]]),
            operation=EVENT_LIST.operation,
            field="is_deleted" if all(row.get("is_deleted") is True for row in hidden) else "",
            exchanges=in_order([part.exchange, *pages]),
        )


def _calendars(trial: Trial) -> list[Row]:
    return trial.survey.known(CALENDAR_LIST)


def _all_events(trial: Trial) -> tuple[dict[str, Row], list[Exchange]]:
    """The rows of the unfiltered list, read to its end, and its pages."""
    pages = [trial.page(EVENT_LIST)]
    for _ in range(10):
        if pages[-1].next is None:
            break
        pages.append(trial.follow(pages[-1], pages[-1].next))
    return {row["id"]: row for page in pages for row in page.rows}, [page.exchange for page in pages]


@law("event-has-calendar", cost=2, after=(all_events,))
def events_have_calendars(trial: Trial) -> Steps:
    """Every event's calendar can be read."""
    rows = trial.survey.known(EVENT_LIST)
    names = sorted({str(row.get("calendar_id")) for row in rows})
    if not names:
        trial.unobservable("event-has-calendar", "there are no events")
    for number, name in enumerate(trial.random.sample(names, min(12, len(names)))):
        if number == _FIRST:
            yield
        exchange = trial.get(f"{CALENDAR_LIST.path}/{name}")
        orphan = next(row for row in rows if row.get("calendar_id") == name)
        shown = trial.page(EVENT_LIST, (("event_id", orphan["id"]),)) if exchange.status == 404 else None
        trial.check(
            "event-has-calendar",
            where(status(404, of=exchange), no_row({"calendar_id": name})),
            operation=EVENT_LIST.operation,
            field="calendar_id",
            exchanges=[exchange, shown.exchange] if shown else [exchange],
        )


_SAMPLES = 3
_COMPARED = ("content-type", "allow", "vary")


def _second_page(bench: Bench, path: str) -> Sequence[Exchange]:
    """The first page and the one after it; the first alone where there is no other."""
    first = bench.get(path)
    link = link_of(first.json)
    return (first,) if link is None else (first, bench.get(link_path(link)))


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
    yield
    yield from _rows_under_filters(bench)
    for query in ("?deduplication_key=conformance", "?deduplication_key="):
        _head(bench, f"{CALENDARS}{query}", "listCalendars", ())
    for query in ("?ordering=end_time", "?event_id=none", "?updated_at_gte=2020-01-01T00:00:00Z"):
        _head(bench, f"{EVENTS}{query}", "listCalendarEvents", ())


def _rows_under_filters(bench: Bench) -> Steps:
    """What a filtered or sorted page shows of a row is what the plain list shows of it."""
    plain = {path: bench.get(path) for path in (EVENTS, CALENDARS)}
    events, calendars = (_varied(rows_in(plain[path]))[:1] for path in (EVENTS, CALENDARS))
    keys = [row["deduplication_key"] for row in rows_in(plain[CALENDARS]) if row.get("deduplication_key")]
    queries = [(EVENTS, f"calendar_id={quote(str(row.get('calendar_id')))}") for row in events]
    queries += [(EVENTS, f"updated_after={quote(str(row.get('updated_at')))}&ordering=updated_at") for row in events]
    queries += [(EVENTS, f"start_time_gte={quote(str(row.get('start_time')))}&ordering=start_time") for row in events]
    queries += [(EVENTS, f"end_time_lte={quote(str(row.get('end_time')))}&ordering=-end_time") for row in events]
    queries += [(CALENDARS, f"deduplication_key={quote(str(key), safe='')}") for key in keys[:2] if calendars]
    for path, query in queries:
        page = bench.get(f"{path}?{query}")
        if page.status != 200 or plain[path].status != 200 or bench.is_told(page, right_status=True):
            continue
        same = same_document(plain[path], page, synced=VOLATILE)
        operation = bench.answers.place("GET", path).operation
        if broken(same, facts_of([plain[path], page])) and rows_in(bench.get(path)) != rows_in(plain[path]):
            continue  # somebody's rows change meanwhile
        if not bench.is_broken("page-rows-whole", "read-changes-nothing", operation=operation):
            bench.check("page-rows-whole", same, operation=operation, exchanges=[plain[path], page])
    yield


def _varied(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """A few rows, those first of which most members say something."""
    return sorted(rows, key=lambda row: -sum(value not in (None, [], {}) for value in row.values()))[:_SAMPLES]


def _head(bench: Bench, path: str, operation: str, before: Sequence[Exchange]) -> None:
    got, headed = bench.get(path), bench.target.send("HEAD", path)
    wrong = any(bench.is_told(one, right_status=one.status == 200) for one in (got, headed))
    if not wrong and not bench.is_broken("head-as-get", operation=operation):
        alike = same_headers(got, headed, _COMPARED)
        bench.check("head-as-get", alike, operation=operation, field="HEAD", exchanges=[*before[:1], got, headed])
