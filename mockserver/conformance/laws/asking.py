"""Filters with what they mean, and whether an answer shows exactly what they leave."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from mockserver.conformance.exchange import Exchange
from mockserver.conformance.laws.bench import Bench
from mockserver.conformance.laws.instants import read
from mockserver.conformance.laws.pages import still_there
from mockserver.conformance.laws.reading import CALENDARS, EVENTS, Listing, Page, Query, Row, sort_key

TIMES = {"updated_at_gte": "updated_at", "start_time_gte": "start_time", "end_time_lte": "end_time"}


class Filter(NamedTuple):
    """A parameter with the text sent, and what that text means: an instant, or the text itself."""

    name: str
    text: str
    instant: int | None = None


class Wrong(NamedTuple):
    """What an answer shows and should not, or does not show and should."""

    expected: str
    actual: str
    exchanges: list[Exchange]
    filter: str = ""
    """The filter that did not count, where one can be told."""


def query_of(filters: Sequence[Filter], ordering: str | None = None) -> Query:
    """The parameters that ask for this."""
    asked = [(item.name, item.text) for item in filters]
    return (*asked, ("ordering", ordering)) if ordering else tuple(asked)


def meets(bench: Bench, row: Row, item: Filter) -> bool:
    """Whether a row meets a filter, by what the row itself says."""
    if item.name in ("updated_at_gte", "updated_after", "start_time_gte", "end_time_lte"):
        instant = read(row.get(TIMES.get(item.name, "updated_at")))
        if instant is None or item.instant is None:
            return True
        return instant <= item.instant if item.name == "end_time_lte" else instant >= item.instant
    if item.name == "event_id":
        return bool(row.get("id") == item.text)
    if item.name == "calendar_deduplication_key":
        return key_of(bench, row.get("calendar_id")) == item.text
    return bool(row.get(item.name) == item.text)


def key_of(bench: Bench, calendar_id: object) -> str | None:
    """The deduplication key of a calendar; None where there is none, or no such calendar."""
    known = bench.survey.rows.setdefault(CALENDARS.operation, {})
    if calendar_id in bench.survey.gone:
        return None
    if calendar_id not in known:
        exchange = bench.get(f"{CALENDARS.path}/{calendar_id}")
        body = exchange.json if exchange.status == 200 else None
        if not isinstance(body, dict) or body.get("id") != calendar_id:
            bench.survey.gone.add(str(calendar_id))
            return None
        known[str(calendar_id)] = body
        bench.survey.seen[str(calendar_id)] = exchange
        bench.survey.first_seen.setdefault(str(calendar_id), exchange.number)
    key = known[str(calendar_id)].get("deduplication_key")
    return key if isinstance(key, str) else None


def wrong_with(bench: Bench, page: Page, filters: Sequence[Filter]) -> Wrong | None:
    """The first row of a first page that should not be there, or the first known row that should and is not."""
    for row in page.rows:
        for item in filters:
            if not meets(bench, row, item):
                what = f"{row['id']}, whose {_meant(item)} is {_shown(bench, row, item)}"
                return Wrong(f"only rows that meet {item.name}={item.text}", what, [page.exchange], item.name)
    return _missing(bench, page, filters)


def _missing(bench: Bench, page: Page, filters: Sequence[Filter]) -> Wrong | None:
    shown = set(page.ids)
    last = sort_key(page.rows[-1], page.ordering) if page.rows else None
    more = page.next is not None or len(page.rows) >= page.listing.size
    unsorted = bench.broke("events-order", *(() if "ordering" in dict(page.query) else ("events-default-order",)))
    if more and unsorted:
        return None
    patience = 3
    for row in bench.survey.known(page.listing):
        key = sort_key(row, page.ordering)
        further = more and (key is None or last is None or key >= last)
        if row["id"] in shown or further or not all(meets(bench, row, item) for item in filters):
            continue
        there = still_there(bench, page.listing, row)
        if there is None or bench.survey.first_seen[row["id"]] > page.exchange.number:
            patience -= 1
            if not patience:
                return None
            continue
        what = f"{row['id']} is not shown; its times: " + ", ".join(
            f"{name} {row[name]}" for name in ("updated_at", "start_time", "end_time", "created_at") if name in row
        )
        return Wrong("every row that meets " + _text(filters), what, [there.exchange, page.exchange])
    return None


def _text(filters: Sequence[Filter]) -> str:
    return "&".join(f"{item.name}={item.text}" for item in filters) or "no filter"


def _meant(item: Filter) -> str:
    return TIMES.get(item.name, "updated_at" if item.name == "updated_after" else item.name)


def _shown(bench: Bench, row: Row, item: Filter) -> object:
    if item.name == "calendar_deduplication_key":
        return key_of(bench, row.get("calendar_id"))
    return row.get("id" if item.name == "event_id" else _meant(item))


def judge(
    bench: Bench,
    rule: str,
    field: str,
    filters: Sequence[Filter],
    *,
    ordering: str | None = None,
    listing: Listing = EVENTS,
) -> bool:
    """Asks, and tests the answer under a rule."""
    page = bench.page(listing, query_of(filters, ordering))
    wrong = wrong_with(bench, page, filters)
    return bench.check(
        rule,
        wrong is None,
        operation=listing.operation,
        field=field,
        expected=wrong.expected if wrong else "",
        actual=wrong.actual if wrong else "",
        exchanges=wrong.exchanges if wrong else [page.exchange],
    )
