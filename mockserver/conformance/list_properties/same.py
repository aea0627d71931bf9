"""Laws of saying the same: of one thing everywhere, and again when asked again."""

from __future__ import annotations

from collections import Counter

from mockserver.conformance.checks import Steps
from mockserver.conformance.exchange import Exchange
from mockserver.conformance.expectations import complete, no_row, same_document, same_rows, status, where
from mockserver.conformance.list_pages import CALENDAR_LIST, EVENT_LIST, Listing, Row
from mockserver.conformance.list_properties.bench import Trial
from mockserver.conformance.list_properties.laws import law
from mockserver.conformance.list_properties.pages import all_calendars, all_events, still_there
from mockserver.conformance.origins import in_order

_SOME, _FIRST = 4, 2
_MOST_PARTS = 12
_VOLATILE = ("state", "connection_failure_data", "updated_at", "last_successful_sync_at", "last_attempted_sync_at")


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
        same_document(first, both=True),
        operation="getCalendar",
        field=name or "",
        exchanges=[first, again],
    )


def _agrees(trial: Trial, row: Row, listed: Exchange, detail: Exchange) -> None:
    name = _difference(row, detail.json)
    if name in _VOLATILE and _difference(row, _listed_again(trial, row)) == name:
        return
    trial.check(
        "list-is-detail",
        same_document(detail, but=[] if name in _VOLATILE else _VOLATILE, both=True),
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
        same_document(exchanges[0], both=True),
        operation=listing.operation,
        field=name or "",
        exchanges=exchanges,
    )


@law("parts-make-whole", cost=3, after=(all_calendars, all_events))
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
        if number == _FIRST:
            yield
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
