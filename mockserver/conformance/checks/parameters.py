"""Query parameters: empty, repeated, unknown and odd ones, and which of several errors is told."""

from __future__ import annotations

from collections.abc import Iterator

from mockserver.conformance.checks import Steps, check
from mockserver.conformance.checks.cases import (
    ANYTHING,
    EMPTY_PAGE,
    Bench,
    Case,
    Holding,
    expected_by,
    odd_check,
    odd_get,
    of_events,
)
from mockserver.conformance.checks.cursors import BAD_CURSOR, invalid_cursors
from mockserver.conformance.checks.orderings import BAD_ORDERING, unknown_orderings
from mockserver.conformance.checks.time_filters import bad_time, written_times
from mockserver.conformance.exchange import Exchange
from mockserver.conformance.expectations import every, same_rows
from mockserver.conformance.guard import CALENDARS, EVENTS
from mockserver.conformance.list_pages import ids_in
from mockserver.conformance.rules import Rule

RULES: tuple[Rule, ...] = (
    Rule(
        "query-odd",
        "hostile",
        "medium",
        "Unusual text in the query (NUL, invalid UTF-8, very long, very many) is rejected, or finds nothing.",
        "recordings: query-bad-utf8, query-long",
    ),
    Rule(
        "filter-first",
        "probes",
        "low",
        "If several parameters are invalid, the error is about the first in the contract's order.",
        "recordings: list-events-error-order",
    ),
    Rule(
        "filter-empty",
        "probes",
        "medium",
        "An empty updated_at_gte is ignored; an empty text filter finds nothing.",
        "openapi.yaml: parameters; recordings: list-calendars-dedup-filter",
    ),
    Rule(
        "parameter-last-wins",
        "probes",
        "medium",
        "If a parameter is given twice, the last one counts.",
        "recordings: list-events-repeated-params, list-calendars-repeated-params",
    ),
    Rule(
        "parameter-unknown",
        "probes",
        "medium",
        "Unknown parameters have no effect.",
        "recordings: list-events-unknown-params",
    ),
)

_UNKNOWN = ("page_size=1", "limit=1", "offset=5", "page=2", "is_deleted=false", "foo", "name=x", "state=x", "id=x")
_FIRST = 2
"""So many texts of a table are enough for a first look."""
_SINGLE = ("time-refused", "ordering-refused", "cursor-refused")
_BAD = ("updated_at_gte=bad", "start_time_gte=bad", "end_time_lte=bad", "ordering=bad", "cursor=bad")


@check("filter-first", context=Bench, cost=3, after=(written_times, unknown_orderings, invalid_cursors))
def order_of_errors(bench: Bench) -> Steps:
    """Which of several invalid parameters is told."""
    told = (*(bad_time(name) for name in ("updated_at_gte", "start_time_gte", "end_time_lte")), BAD_ORDERING)
    for first, body in enumerate(told):
        name = _BAD[first].partition("=")[0]
        case = of_events("filter-first", name, "&".join(reversed(_BAD[first:])), 400, body)
        bench.ask(case._replace(unless=_SINGLE))
        if first == 1:
            yield
    last = of_events("filter-first", "cursor", "cursor=bad&calendar_id=nope", 404, BAD_CURSOR)
    bench.ask(last._replace(unless=_SINGLE))


@check("filter-empty", context=Bench, cost=5)
def empty_filters(bench: Bench) -> None:
    """Filters without a text."""
    bench.ask(of_events("filter-empty", "updated_at_gte", "updated_at_gte="))
    for name in ("calendar_id", "calendar_deduplication_key", "event_id"):
        bench.ask(of_events("filter-empty", name, f"{name}=", 200, EMPTY_PAGE))
    path = f"{CALENDARS}?deduplication_key="
    bench.ask(Case("filter-empty", "listCalendars", "deduplication_key", "GET", path, 200, EMPTY_PAGE))


@check("parameter-last-wins", context=Bench, cost=2, after=(written_times, unknown_orderings, invalid_cursors))
def repeated_parameters(bench: Bench) -> Steps:
    """Parameters that are given twice."""
    rule = "parameter-last-wins"
    good = "start_time_gte=2026-05-10T00:00:00Z"
    cursor = Case(rule, "listCalendars", "cursor", "GET", CALENDARS, 404, BAD_CURSOR)
    for case in (
        of_events(rule, "ordering", "ordering=bad&ordering=start_time"),
        of_events(rule, "ordering", "ordering=start_time&ordering=bad", 400, BAD_ORDERING),
        of_events(rule, "start_time_gte", f"start_time_gte=bad&{good}"),
        of_events(rule, "start_time_gte", f"{good}&start_time_gte=bad", 400, bad_time("start_time_gte")),
        cursor._replace(path=f"{CALENDARS}?cursor=bad&cursor=", status=200, body=Holding()),
        cursor._replace(path=f"{CALENDARS}?cursor=&cursor=bad"),
    ):
        bench.ask(case._replace(unless=_SINGLE))
        if case.field == "start_time_gte":
            yield


@check("parameter-unknown", context=Bench, cost=4)
def unknown_parameters(bench: Bench) -> Steps:
    """Parameters that the contract does not have."""
    for path, operation in ((CALENDARS, "listCalendars"), (EVENTS, "listCalendarEvents")):
        plain = bench.get(path)
        if plain.status != 200:
            continue
        for query in (*_UNKNOWN, "deduplication_key_=x", "start_time=bad") if path == EVENTS else _UNKNOWN[:6]:
            answer = bench.get(f"{path}?{query}")
            # Twice, for a list that is another one every other time.
            again = [bench.get(path) for _ in range(2)] if ids_in(answer) != ids_in(plain) else []
            if any(ids_in(after) != ids_in(plain) for after in again):
                # The project changes meanwhile: what was compared was not the same list.
                plain = again[-1]
                continue
            case = Case("parameter-unknown", operation, query.partition("=")[0], "GET", path, 200)
            if bench.check_answer(case, answer, [plain]) and answer.status == 200:
                _same_results(bench, case, plain, answer)
            if query == _UNKNOWN[_FIRST]:
                yield


def _same_results(bench: Bench, case: Case, plain: Exchange, answer: Exchange) -> None:
    bench.check(
        case.rule,
        every(expected_by(case, answer), same_rows(plain)),
        operation=case.operation,
        field=case.field,
        exchanges=[plain, answer],
    )


_OK, _REFUSED, _EITHER = frozenset({200}), frozenset({400}), frozenset({200, 400})
_NO_ROWS = Holding(results=[])
_TEXT_FILTERS = (
    ("listCalendars", CALENDARS, "deduplication_key"),
    ("listCalendarEvents", EVENTS, "event_id"),
    ("listCalendarEvents", EVENTS, "calendar_id"),
    ("listCalendarEvents", EVENTS, "calendar_deduplication_key"),
)
_TEXTS = ("%FF", "%ED%A0%80", "%C0%80", "%F0%9F%98%80", "%E2%80%A8", "%zz", "%01%1F%7F", "%27%22%3B--", "%5C%25_")


def _odd_queries(*, thorough: bool) -> Iterator[Case]:
    """Filters with what a database or a parser chokes on.

    Unless it is to be thorough, filters that the service reads with the same code share what is tried on them.
    """
    for operation, path, name in _TEXT_FILTERS:
        rule = "query-odd"
        # Done right, a NUL is in no id and no key; the stand-in refuses it, for the real service breaks off.
        yield odd_get(rule, operation, name, f"{path}?{name}=%00", _EITHER)._replace(body=_NO_ROWS)
        yield odd_get(rule, operation, name, f"{path}?{name}=a%00b", _EITHER)._replace(body=_NO_ROWS)
        every = thorough or name in ("deduplication_key", "event_id")
        for text in (*_TEXTS, "x" * 2000) if every else _TEXTS[:3]:
            yield odd_get(rule, operation, name, f"{path}?{name}={text}", _OK)._replace(body=Holding(results=ANYTHING))
    for text in ("%00", "%FF", "x" * 2000, "start_time%00", "%F0%9F%98%80", "start_time;drop"):
        yield odd_get("query-odd", "listCalendarEvents", "ordering", f"{EVENTS}?ordering={text}", _REFUSED)
    yield from _odd_parameters(thorough=thorough)


def _odd_parameters(*, thorough: bool) -> Iterator[Case]:
    for operation, path in (("listCalendars", CALENDARS), ("listCalendarEvents", EVENTS)):
        many = "&".join(f"a{number}=1" for number in range(400))
        queries = (many, "%00=%00", "%FF=%FF", "=", "%zz=%", "&&&", "=x", "?", ";;", "a=b;c=d", "+=+")
        for query in queries if thorough or path == EVENTS else queries[:5]:
            yield odd_get("query-odd", operation, "query", f"{path}?{query}", _OK)
        far_too_many = "&".join(f"a{number}=1" for number in range(1100))
        statuses = frozenset({200, 400, 414, 431})
        yield odd_get("query-odd", operation, "query", f"{path}?{far_too_many}", statuses)


odd_parameters = odd_check("query-odd", lambda bench: _odd_queries(thorough=bench.target.writes))
