"""Laws of saying the same: of one thing everywhere, and again when asked again."""

from __future__ import annotations

from collections import Counter

from mockserver.conformance.checks import IF_SHORT, Steps
from mockserver.conformance.exchange import Exchange
from mockserver.conformance.expectations import complete, no_row, same_document, same_rows, status, where
from mockserver.conformance.list_pages import CALENDARS, EVENTS, Listing, Row
from mockserver.conformance.list_properties.bench import Bench
from mockserver.conformance.list_properties.laws import law
from mockserver.conformance.list_properties.pages import all_calendars, all_events, still_there
from mockserver.conformance.origins import in_order

_SOME, _FIRST = 4, 2
_MOST_PARTS = 12
_VOLATILE = ("state", "connection_failure_data", "updated_at", "last_successful_sync_at", "last_attempted_sync_at")


@law("list-is-detail", "read-changes-nothing", cost=3, after=(all_calendars,))
def list_is_detail(bench: Bench) -> Steps:
    """A calendar in the list, read alone, and read again is the same."""
    page = bench.page(CALENDARS)
    if not page.rows:
        bench.unobservable("list-is-detail", "there are no calendars")
        bench.unobservable("read-changes-nothing", "there are no calendars")
    rows = list(page.rows[:2]) + bench.random.sample(list(page.rows[2:]), min(_SOME, len(page.rows[2:])))
    for row in rows:
        first, again = (bench.get(f"{CALENDARS.path}/{row['id']}") for _ in range(2))
        if first.status == 200 and again.status == 200 and isinstance(first.json, dict):
            if not _unchanged(bench, first, again):
                return
            _agrees(bench, row, page.exchange, first)
            yield


def _unchanged(bench: Bench, first: Exchange, again: Exchange) -> bool:
    name = _difference(first.json, again.json)
    return bench.check(
        "read-changes-nothing",
        same_document(first, both=True),
        operation="getCalendar",
        field=name or "",
        exchanges=[first, again],
    )


def _agrees(bench: Bench, row: Row, listed: Exchange, detail: Exchange) -> None:
    name = _difference(row, detail.json)
    if name in _VOLATILE and _difference(row, _listed_again(bench, row)) == name:
        return
    bench.check(
        "list-is-detail",
        same_document(detail, but=[] if name in _VOLATILE else _VOLATILE, both=True),
        operation=CALENDARS.operation,
        field=name or "",
        exchanges=[detail, listed],
    )


def _listed_again(bench: Bench, row: Row) -> Row:
    page = still_there(bench, CALENDARS, row)
    return next((found for found in page.rows if found["id"] == row["id"]), row) if page else row


def _difference(one: Row, other: object) -> str | None:
    """The first field in which two descriptions differ."""
    if not isinstance(other, dict):
        return "id"
    return next((name for name in {**one, **other} if one.get(name) != other.get(name)), None)


@law("list-repeats", "read-changes-nothing", cost=2, after=(all_calendars, all_events))
def lists_repeat(bench: Bench) -> Steps:
    """A list that is read twice shows the same rows in the same order."""
    for listing in (CALENDARS, EVENTS):
        if bench.is_broken("page-ties", operation=listing.operation):
            continue
        first, again = (bench.page(listing, again=True) for _ in range(2))
        holds = bench.check(
            "list-repeats",
            same_rows(first.exchange),
            operation=listing.operation,
            exchanges=[first.exchange, again.exchange],
        )
        if holds:
            _rows_repeat(bench, listing, first.rows, again.rows, [first.exchange, again.exchange])
        yield


def _rows_repeat(
    bench: Bench, listing: Listing, rows: tuple[Row, ...], again: tuple[Row, ...], exchanges: list[Exchange]
) -> None:
    name = next((name for one, other in zip(rows, again, strict=True) if (name := _difference(one, other))), None)
    bench.check(
        "read-changes-nothing",
        same_document(exchanges[0], both=True),
        operation=listing.operation,
        field=name or "",
        exchanges=exchanges,
    )


@law("parts-make-whole", cost=3, least=1, after=(all_calendars, all_events))
def filtered_are_listed(bench: Bench) -> Steps:
    """What a filter or an ordering shows, the whole list shows as well; so the parts make up the whole."""
    if not bench.survey.whole.get(EVENTS.operation):
        bench.unobservable("parts-make-whole", "the list of events is too long to be read to its end")
        return
    if bench.is_broken(
        "page-none-lost", "page-ties", "links-preserve-query", "page-link-leads", operation=EVENTS.operation
    ):
        return
    listed, pages = _all_events(bench)
    shown = Counter(str(row.get("calendar_id")) for row in listed.values())
    names = sorted({*shown, *(calendar["id"] for calendar in _calendars(bench))})
    bench.random.shuffle(names)
    # Calendars with many events are the likeliest to have some that are not shown.
    busiest = sorted(names, key=lambda name: -shown[name])[: _MOST_PARTS // 2]
    others = [name for name in names if name not in busiest]
    for number, name in enumerate((busiest + others)[:_MOST_PARTS]):
        if number in (1, _FIRST):
            yield IF_SHORT if number == 1 else None
        part = bench.page(EVENTS, (("calendar_id", name),))
        hidden = [row for row in part.rows if row["id"] not in listed and row.get("calendar_id") == name]
        if hidden:
            listed, pages = _all_events(bench)
            hidden = [row for row in hidden if row["id"] not in listed]
        if hidden and all(row.get("is_deleted") is True for row in hidden):
            bench.survey.hides_deleted = True
        bench.survey.hidden |= {row["id"] for row in hidden}
        if not hidden:
            bench.keep("parts-make-whole")
            continue
        bench.check(
            "parts-make-whole",
            complete(pages, EVENTS.default, [part.exchange], where=[["calendar_id", "=", name]]),
            operation=EVENTS.operation,
            field="is_deleted" if all(row.get("is_deleted") is True for row in hidden) else "",
            exchanges=in_order([part.exchange, *pages]),
        )


def _calendars(bench: Bench) -> list[Row]:
    return bench.survey.known(CALENDARS)


def _all_events(bench: Bench) -> tuple[dict[str, Row], list[Exchange]]:
    """The rows of the unfiltered list, read to its end, and its pages."""
    pages = [bench.page(EVENTS)]
    for _ in range(10):
        if pages[-1].next is None:
            break
        pages.append(bench.follow(pages[-1], pages[-1].next))
    return {row["id"]: row for page in pages for row in page.rows}, [page.exchange for page in pages]


@law("event-has-calendar", cost=2, after=(all_events,))
def events_have_calendars(bench: Bench) -> Steps:
    """Every event's calendar can be read."""
    rows = bench.survey.known(EVENTS)
    names = sorted({str(row.get("calendar_id")) for row in rows})
    if not names:
        bench.unobservable("event-has-calendar", "there are no events")
    for number, name in enumerate(bench.random.sample(names, min(12, len(names)))):
        if number == _FIRST:
            yield
        exchange = bench.get(f"{CALENDARS.path}/{name}")
        orphan = next(row for row in rows if row.get("calendar_id") == name)
        shown = bench.page(EVENTS, (("event_id", orphan["id"]),)) if exchange.status == 404 else None
        bench.check(
            "event-has-calendar",
            where(status(404, of=exchange), no_row({"calendar_id": name})),
            operation=EVENTS.operation,
            field="calendar_id",
            exchanges=[exchange, shown.exchange] if shown else [exchange],
        )
