"""Filters with what they mean, and whether an answer shows exactly what they leave."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from mockserver.conformance.checks.laws import Trial
from mockserver.conformance.checks.notation import read, sort_key
from mockserver.conformance.checks.pages import still_there
from mockserver.conformance.exchange import Exchange
from mockserver.conformance.expectations import Expectation, complete, each_row, every, facts_of
from mockserver.conformance.list_pages import CALENDAR_LIST, EVENT_LIST, Listing, Page, Query, Row
from mockserver.conformance.origins import in_order
from mockserver.conformance.rules import Rule

RULES: tuple[Rule, ...] = (
    Rule(
        "filter-taken",
        "laws",
        "medium",
        "Filter values that the contract allows are accepted.",
        "openapi.yaml, listCalendarEvents.parameters; recorded: list-events-filter",
    ),
)

_AT = {
    "updated_at_gte": "at least",
    "updated_after": "at least",
    "start_time_gte": "at least",
    "end_time_lte": "at most",
}
TIMES = {"updated_at_gte": "updated_at", "start_time_gte": "start_time", "end_time_lte": "end_time"}


class Filter(NamedTuple):
    """A parameter with the text sent, and what that text means: an instant, or the text itself."""

    name: str
    text: str
    instant: int | None = None


class Wrong(NamedTuple):
    """An answer that shows what it should not, or does not show what it should."""

    expectation: Expectation
    exchanges: list[Exchange]
    filter: str = ""
    """The filter that did not count, where one can be told."""


def query_of(filters: Sequence[Filter], ordering: str | None = None) -> Query:
    """The parameters that ask for this."""
    asked = [(item.name, item.text) for item in filters]
    return (*asked, ("ordering", ordering)) if ordering else tuple(asked)


def meets(trial: Trial, row: Row, item: Filter) -> bool:
    """Whether a row meets a filter, by what the row itself says."""
    if item.name in ("updated_at_gte", "updated_after", "start_time_gte", "end_time_lte"):
        instant = read(row.get(TIMES.get(item.name, "updated_at")))
        if instant is None or item.instant is None:
            return True
        return instant <= item.instant if item.name == "end_time_lte" else instant >= item.instant
    if item.name == "event_id":
        return bool(row.get("id") == item.text)
    if item.name == "calendar_deduplication_key":
        return key_of(trial, row.get("calendar_id")) == item.text
    return bool(row.get(item.name) == item.text)


def key_of(trial: Trial, calendar_id: object) -> str | None:
    """The deduplication key of a calendar; None where there is none, or no such calendar."""
    known = trial.survey.rows.setdefault(CALENDAR_LIST.operation, {})
    if calendar_id in trial.survey.gone:
        return None
    if calendar_id not in known:
        exchange = trial.get(f"{CALENDAR_LIST.path}/{calendar_id}")
        body = exchange.json if exchange.status == 200 else None
        if not isinstance(body, dict) or body.get("id") != calendar_id:
            trial.survey.gone.add(str(calendar_id))
            trial.survey.seen.setdefault(str(calendar_id), exchange)
            return None
        known[str(calendar_id)] = body
        trial.survey.seen[str(calendar_id)] = exchange
        trial.survey.first_seen.setdefault(str(calendar_id), exchange.number)
    key = known[str(calendar_id)].get("deduplication_key")
    return key if isinstance(key, str) else None


def conditions(filters: Sequence[Filter]) -> list[list[Any]]:
    """What rows have to meet, as expectations write it."""
    found: list[list[Any]] = []
    for item in filters:
        if item.name in _AT:
            found += [] if item.instant is None else [[_meant(item), _AT[item.name], item.instant]]
        elif item.name == "calendar_deduplication_key":
            found.append(["calendar_id", "key", item.text])
        else:
            found.append(["id" if item.name == "event_id" else item.name, "=", item.text])
    return found


def filtered(
    trial: Trial, pages: Sequence[Page], filters: Sequence[Filter], sources: Sequence[Exchange] = ()
) -> tuple[Expectation, list[Exchange]]:
    """That pages show what the filters leave and, of what the sources show, all of it; with all exchanges it needs."""
    where, seen = conditions(filters), trial.survey.seen
    calendars: dict[str, Exchange] = {}
    if any(condition[1] == "key" for condition in where):
        facts = facts_of([*sources, *(page.exchange for page in pages)])
        names = {str(row.get("calendar_id")) for step in facts.answers for row in facts.rows(step)}
        calendars = {name: seen[name] for name in sorted(names) if name in seen}
    answers = [page.exchange for page in pages]
    expectation = each_row(answers, where, calendars=calendars)
    if sources:
        shown = complete(
            answers,
            pages[0].ordering,
            sources,
            where=where,
            calendars=calendars,
            size=pages[-1].listing.size,
        )
        expectation = every(expectation, shown)
    return expectation, [*in_order([*calendars.values(), *sources]), *answers]


def wrong_with(trial: Trial, page: Page, filters: Sequence[Filter]) -> Wrong | None:
    """What is wrong with a first page: a row that should not be there, or a known row that should and is not."""
    for row in page.rows:
        for item in filters:
            if not meets(trial, row, item):
                expectation, exchanges = filtered(trial, [page], filters, _sources(trial, page, filters))
                return Wrong(expectation, exchanges, item.name)
    return _missing(trial, page, filters)


def _sources(trial: Trial, page: Page, filters: Sequence[Filter]) -> list[Exchange]:
    """An answer that shows a row that the filters leave: whoever drops rows in place of adding some is wrong too."""
    if _is_unsorted(trial, page):
        return []
    for row in trial.survey.known(page.listing):
        source = trial.survey.seen[row["id"]]
        if source.number < page.exchange.number and all(meets(trial, row, item) for item in filters):
            return [source]
    return []


def _is_unsorted(trial: Trial, page: Page) -> bool:
    return trial.is_broken("events-order", *(() if "ordering" in dict(page.query) else ("events-default-order",)))


def _missing(trial: Trial, page: Page, filters: Sequence[Filter]) -> Wrong | None:
    shown = set(page.ids)
    last = sort_key(page.rows[-1], page.ordering) if page.rows else None
    more = page.next is not None or len(page.rows) >= page.listing.size
    if more and _is_unsorted(trial, page):
        return None
    patience = 3
    for row in trial.survey.known(page.listing):
        key = sort_key(row, page.ordering)
        further = more and (key is None or last is None or key >= last)
        if row["id"] in shown or further or not all(meets(trial, row, item) for item in filters):
            continue
        first_shown = trial.survey.seen[row["id"]]
        there = still_there(trial, page.listing, row)
        if there is None or trial.survey.first_seen[row["id"]] > page.exchange.number:
            patience -= 1
            if not patience:
                return None
            continue
        sources = [one for one in (first_shown, there.exchange) if one.number != page.exchange.number]
        return Wrong(*filtered(trial, [page], filters, in_order(sources)))
    return None


def _meant(item: Filter) -> str:
    return TIMES.get(item.name, "updated_at" if item.name == "updated_after" else item.name)


def judge(
    trial: Trial,
    rule: str,
    field: str,
    filters: Sequence[Filter],
    *,
    ordering: str | None = None,
    listing: Listing = EVENT_LIST,
) -> bool:
    """Asks, and tests the answer under a rule."""
    page = trial.page(listing, query_of(filters, ordering))
    wrong = wrong_with(trial, page, filters)
    return tell(trial, rule, wrong, operation=listing.operation, field=field)


def tell(trial: Trial, rule: str, wrong: Wrong | None, *, operation: str, field: str) -> bool:
    """Takes note of what is wrong, or that nothing is."""
    if wrong is None:
        return trial.keep(rule)
    return trial.check(rule, wrong.expectation, operation=operation, field=field, exchanges=wrong.exchanges)
