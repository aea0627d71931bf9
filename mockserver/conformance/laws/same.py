"""Laws of saying the same: of one thing everywhere, and again when asked again."""

from __future__ import annotations

from mockserver.conformance.exchange import Exchange
from mockserver.conformance.laws.bench import Bench
from mockserver.conformance.laws.pages import still_there
from mockserver.conformance.laws.reading import CALENDARS, EVENTS, Listing, Row

_SOME = 4
_VOLATILE = ("state", "connection_failure_data", "updated_at", "last_successful_sync_at", "last_attempted_sync_at")


def list_is_detail(bench: Bench) -> None:
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


def _unchanged(bench: Bench, first: Exchange, again: Exchange) -> bool:
    name = _difference(first.json, again.json)
    return bench.check(
        "read-changes-nothing",
        name is None,
        operation="getCalendar",
        field=name or "",
        expected=f"{first.json.get(name)} again" if name else "",
        actual=f"{(again.json or {}).get(name)}" if name else "",
        exchanges=[first, again],
    )


def _agrees(bench: Bench, row: Row, listed: Exchange, detail: Exchange) -> None:
    name = _difference(row, detail.json)
    if name in _VOLATILE and _difference(row, _listed_again(bench, row)) == name:
        return
    bench.check(
        "list-is-detail",
        name is None,
        operation=CALENDARS.operation,
        field=name or "",
        expected=f"{detail.json.get(name)}, as the calendar itself says" if name else "",
        actual=f"{row.get(name)}" if name else "",
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


def lists_repeat(bench: Bench) -> None:
    """A list that is read twice shows the same rows in the same order."""
    for listing in (CALENDARS, EVENTS):
        if bench.broke("page-ties", operation=listing.operation):
            continue
        first, again = (bench.page(listing, again=True) for _ in range(2))
        holds = bench.check(
            "list-repeats",
            first.ids == again.ids,
            operation=listing.operation,
            expected="the same rows in the same order",
            actual="other rows, or another order",
            exchanges=[first.exchange, again.exchange],
        )
        if holds:
            _rows_repeat(bench, listing, first.rows, again.rows, [first.exchange, again.exchange])


def _rows_repeat(
    bench: Bench, listing: Listing, rows: tuple[Row, ...], again: tuple[Row, ...], exchanges: list[Exchange]
) -> None:
    name = next((name for one, other in zip(rows, again, strict=True) if (name := _difference(one, other))), None)
    bench.check(
        "read-changes-nothing",
        name is None,
        operation=listing.operation,
        field=name or "",
        expected="the same rows when read again" if name else "",
        actual=f"another {name}" if name else "",
        exchanges=exchanges,
    )


def filtered_are_listed(bench: Bench) -> None:
    """What a filter or an ordering shows, the whole list shows as well; so the parts make up the whole."""
    if not bench.survey.whole.get(EVENTS.operation):
        bench.unobservable("parts-make-whole", "the list of events is too long to be read to its end")
        return
    if bench.broke("page-none-lost", "page-ties", "links-kept", "page-link-leads", operation=EVENTS.operation):
        return
    listed = _all_events(bench)
    names = sorted({str(row.get("calendar_id")) for row in listed.values()} | {c["id"] for c in _calendars(bench)})
    for name in bench.random.sample(names, min(12, len(names))):
        part = bench.page(EVENTS, (("calendar_id", name),))
        hidden = [row for row in part.rows if row["id"] not in listed and row.get("calendar_id") == name]
        if hidden:
            listed = _all_events(bench)
            hidden = [row for row in hidden if row["id"] not in listed]
        if hidden and all(row.get("is_deleted") is True for row in hidden):
            bench.survey.hides_deleted = True
        bench.survey.hidden |= {row["id"] for row in hidden}
        bench.check(
            "parts-make-whole",
            not hidden,
            operation=EVENTS.operation,
            field="is_deleted" if hidden and all(row.get("is_deleted") is True for row in hidden) else "",
            expected="the whole list shows what calendar_id shows",
            actual=f"{hidden[0]['id']} is not in it" if hidden else "",
            exchanges=[part.exchange, *_whole(bench)] if hidden else [],
        )


def _calendars(bench: Bench) -> list[Row]:
    return bench.survey.known(CALENDARS)


def _all_events(bench: Bench) -> dict[str, Row]:
    """The rows of the unfiltered list, read to its end."""
    page = bench.page(EVENTS)
    rows = {row["id"]: row for row in page.rows}
    for _ in range(10):
        if page.next is None:
            break
        page = bench.follow(page, page.next)
        rows |= {row["id"]: row for row in page.rows}
    return rows


def _whole(bench: Bench) -> list[Exchange]:
    return [bench.page(EVENTS).exchange]


def events_have_calendars(bench: Bench) -> None:
    """Every event's calendar can be read."""
    rows = bench.survey.known(EVENTS)
    names = sorted({str(row.get("calendar_id")) for row in rows})
    if not names:
        bench.unobservable("event-has-calendar", "there are no events")
    for name in bench.random.sample(names, min(12, len(names))):
        exchange = bench.get(f"{CALENDARS.path}/{name}")
        orphan = next(row for row in rows if row.get("calendar_id") == name)
        shown = bench.page(EVENTS, (("event_id", orphan["id"]),)) if exchange.status == 404 else None
        bench.check(
            "event-has-calendar",
            not (shown and any(row["id"] == orphan["id"] for row in shown.rows)),
            operation=EVENTS.operation,
            field="calendar_id",
            expected="no events of a calendar that is not there",
            actual=f"{orphan['id']} is of {name}, which is answered with {exchange.status}",
            exchanges=[exchange, shown.exchange] if shown else [exchange],
        )
