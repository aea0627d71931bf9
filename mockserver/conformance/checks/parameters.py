"""Query parameters: empty, repeated, unknown and odd ones, and which of several errors is told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from urllib.parse import quote

from mockserver.conformance.calendar_bodies import marked
from mockserver.conformance.checks import Steps, check
from mockserver.conformance.checks.cases import (
    ANYTHING,
    EMPTY_PAGE,
    NOBODY,
    NOT_FOUND,
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
from mockserver.conformance.list_pages import ids_in, rows_in
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
_OF_EVENTS = (
    "ordering=bad",
    "ordering=created_at",
    "calendar_id=x",
    "calendar_deduplication_key=x",
    "event_id=x",
    "updated_at_gte=bad",
    "updated_after=",
    "start_time_gte=9999-01-01T00:00:00Z",
    "end_time_lte=bad",
    "state=disconnected",
    "platform=none",
    "search=x",
    "q=x",
)
_OF_CALENDARS = (
    "deduplication_key=x",
    "deduplication_key=",
    "platform=none",
    "is_deleted=true",
    "is_deleted=false",
    "updated_at_lte=1990-01-01T00:00:00Z",
    "start_time_lte=1990-01-01T00:00:00Z",
    "end_time_gte=9999-01-01T00:00:00Z",
    "created_at_gte=9999-01-01T00:00:00Z",
    "Event_id=x",
    "calendar=x",
    "meeting_url=x",
    "ical_uid=x",
    "search=x",
    "q=x",
    "order=start_time",
)
_OF_ONE = ("cursor=bad", "deduplication_key=nope", "ordering=bad", "calendar_id=", "fields=id", "expand=x", "id=x")
_OF_WRITES = (
    "cursor=bad",
    "deduplication_key=nope",
    "ordering=bad&updated_at_gte=bad",
    "format=json&platform=x",
    "format=",
)
_FIRST = 2
"""So many texts of a table are enough for a first look."""
_MEMBERS = (("event_id", "id"), ("calendar_id", "calendar_id"))
_EARLY, _LATE = "1990-01-01T00:00:00Z", "9999-01-01T00:00:00Z"
_COMBINED = ("filter-text", "filter-unknown", "filter-empty", "filter-combined", "filter-time", "list-repeats")
_SINGLE = ("time-refused", "ordering-refused", "cursor-refused")
_UNMATCHED = ("calendar_id=", "event_id=nope", "calendar_deduplication_key=", "updated_at_gte=")
_EMPTY = ("updated_at_gte=bad", "start_time_gte=", "end_time_lte=", "ordering=")
"""Refused as well, in the order of _BAD."""
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
    yield
    yield from _pairs_of_errors(bench, told)


def _pairs_of_errors(bench: Bench, told: Sequence[dict[str, str]]) -> Steps:
    """Every two invalid parameters, empty ones too; the old name of one; and cursors beside what finds nothing."""
    for number, (one, other) in enumerate(combinations((*enumerate(_BAD), *enumerate(_EMPTY)), 2)):
        first = min(one, other)
        if one[0] != other[0] and first[0] < len(told):
            name = _BAD[first[0]].partition("=")[0]
            pair = "&".join(text for _, text in ((one, other) if number % 2 else (other, one)))
            bench.ask(of_events("filter-first", name, pair, 400, told[first[0]])._replace(unless=_SINGLE))
        if number % 6 == 5:
            yield
    for query in (
        "updated_after=bad&start_time_gte=bad",
        "ordering=bad&updated_after=",
        "cursor=bad&updated_after=bad",
    ):
        old_name = of_events("filter-first", "updated_after", query, 400, bad_time("updated_after"))
        bench.ask(old_name._replace(unless=_SINGLE))
    for query, told_of in (("orderin%67=bad", BAD_ORDERING), ("start%5Ftime_gte=bad", bad_time("start_time_gte"))):
        spelt = of_events("filter-first", query.partition("=")[0], query, 400, told_of)
        bench.ask(spelt._replace(unless=_SINGLE))
    for path, operation in ((CALENDARS, "listCalendars"), (EVENTS, "listCalendarEvents")):
        case = Case("cursor-refused", operation, "cursor", "GET", path, 404, BAD_CURSOR, unless=_SINGLE)
        for text in ("deduplication_key=", "deduplication_key=nope") if path == CALENDARS else _UNMATCHED:
            bench.ask(case._replace(path=f"{path}?{text}&cursor=bad"))
            bench.ask(case._replace(path=f"{path}?cursor=bad&{text}"))
        yield


@check("filter-empty", context=Bench, cost=5)
def empty_filters(bench: Bench) -> Steps:
    """Filters without a text."""
    bench.ask(of_events("filter-empty", "updated_at_gte", "updated_at_gte="))
    for name in ("calendar_id", "calendar_deduplication_key", "event_id"):
        bench.ask(of_events("filter-empty", name, f"{name}=", 200, EMPTY_PAGE))
    path = f"{CALENDARS}?deduplication_key="
    bench.ask(Case("filter-empty", "listCalendars", "deduplication_key", "GET", path, 200, EMPTY_PAGE))
    yield
    rows = rows_in(bench.get(EVENTS))
    if not rows:
        return
    there = {"event_id": str(rows[0]["id"]), "calendar_id": str(rows[0].get("calendar_id"))}
    for name in ("calendar_id", "calendar_deduplication_key", "event_id"):
        for other, text in (*there.items(), ("updated_at_gte", "1990-01-01T00:00:00Z"), ("ordering", "end_time")):
            if other != name:
                query = f"{name}=&{other}={text}"
                bench.ask(of_events("filter-empty", name, query, 200, EMPTY_PAGE)._replace(unless=_COMBINED))
        yield
    for other, text in there.items():
        _ignored(bench, "filter-empty", "updated_at_gte", f"{EVENTS}?{other}={text}", "updated_at_gte=")
    _ignored(bench, "filter-empty", "updated_at_gte", f"{EVENTS}?ordering=start_time", "updated_at_gte=")


def _ignored(bench: Bench, rule: str, field: str, path: str, query: str) -> None:
    """That a list is the same with something in its query that does not count."""
    plain = bench.get(path)
    operation = bench.answers.place("GET", path).operation
    if plain.status != 200 or bench.is_broken(*_COMBINED, operation=operation):
        return
    answer = bench.get(f"{path}{'&' if '?' in path else '?'}{query}")
    again = [bench.get(path) for _ in range(2)] if ids_in(answer) != ids_in(plain) else []
    if any(ids_in(after) != ids_in(plain) for after in again):
        return  # the project changes meanwhile
    case = Case(rule, operation, field, "GET", path, 200)
    if bench.check_answer(case, answer, [plain]) and answer.status == 200:
        _same_results(bench, case, plain, answer)


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
    yield
    for name in ("updated_at_gte", "updated_after", "end_time_lte"):
        fine = f"{name}=2026-05-10T00:00:00Z"
        bench.ask(of_events(rule, name, f"{name}=bad&{fine}")._replace(unless=_SINGLE))
        bench.ask(of_events(rule, name, f"{fine}&{name}=bad", 400, bad_time(name))._replace(unless=_SINGLE))
        if name != "updated_at_gte":
            bench.ask(of_events(rule, name, f"{fine}&{name}=", 400, bad_time(name))._replace(unless=_SINGLE))
        yield
    event_cursor = of_events(rule, "cursor", "cursor=&cursor=bad", 404, BAD_CURSOR)
    bench.ask(event_cursor._replace(unless=_SINGLE))
    for path in (CALENDARS, EVENTS):
        case = Case(rule, bench.answers.place("GET", path).operation, "format", "GET", path, 200, Holding())
        bench.ask(case._replace(path=f"{path}?format=yaml&format=json", unless=("format-parameter",)))
        unknown = case._replace(path=f"{path}?format=json&format=yaml", status=404, body={"detail": "Not found."})
        bench.ask(unknown._replace(unless=("format-parameter",)))
    yield
    yield from _repeated_texts(bench)


def _repeated_texts(bench: Bench) -> Steps:
    """Text filters that are given twice, once with a text that is there; and times, once with one that excludes all."""
    rows = rows_in(bench.get(EVENTS))
    keys = [row.get("deduplication_key") for row in rows_in(bench.get(CALENDARS))]
    known = [(CALENDARS, "deduplication_key", quote(key, safe="")) for key in keys if isinstance(key, str) and key][:1]
    known += [(EVENTS, name, str(row[member])) for row in rows[:1] for name, member in _MEMBERS]
    known += [(EVENTS, "updated_at_gte", _EARLY), (EVENTS, "start_time_gte", _EARLY), (EVENTS, "end_time_lte", _LATE)]
    for path, name, text in known:
        nothing = {_EARLY: _LATE, _LATE: _EARLY}.get(text, "conformance-nothing")
        operation = bench.answers.place("GET", path).operation
        empty = Case("parameter-last-wins", operation, name, "GET", path, 200, EMPTY_PAGE, unless=_COMBINED)
        bench.ask(empty._replace(path=f"{path}?{name}={text}&{name}={nothing}"))
        _ignored(bench, "parameter-last-wins", name, f"{path}?{name}={text}", f"{name}={nothing}&{name}={text}")
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
    yield
    yield from _parameters_of_others(bench)


def _parameters_of_others(bench: Bench) -> Steps:
    """Parameters of the other list, and those of lists where one calendar is asked for."""
    for path, queries in ((CALENDARS, _OF_EVENTS), (EVENTS, _OF_CALENDARS)):
        for query in queries:
            _ignored(bench, "parameter-unknown", query.partition("=")[0], path, query)
        yield
    known = bench.calendar
    for place in (known, NOBODY) if known != NOBODY else (NOBODY,):
        status, body = (404, NOT_FOUND) if place == NOBODY else (200, Holding(id=place.rpartition("/")[2]))
        case = Case("parameter-unknown", "getCalendar", "query", "GET", place, status, body)
        for query in _OF_ONE:
            bench.ask(case._replace(path=f"{place}?{query}", field=query.partition("=")[0]))
        yield


@check("parameter-unknown", context=Bench, cost=3, needs=("write",), after=(unknown_parameters,), apart=True)
def parameters_of_writes(bench: Bench) -> Steps:
    """Parameters beside bodies, which are those of lists: operations that write have none of their own."""
    for number, query in enumerate(_OF_WRITES):
        name = query.partition("=")[0]
        made = bench.target.send("POST", f"{CALENDARS}?{query}", json=bench.fields())
        taken = Case("parameter-unknown", "createCalendar", name, "POST", CALENDARS, 201, Holding())
        bench.check_answer(taken, made)
        if not bench.took(made):
            return
        path = f"{CALENDARS}/{made.json['id']}?{query}"
        tag = marked(bench.target.tag())
        changed = Case("parameter-unknown", "updateCalendar", name, "PATCH", path, 200, Holding(**tag), json=tag)
        bench.ask(changed, [made])
        gone = bench.ask(Case("parameter-unknown", "deleteCalendar", name, "DELETE", path, 200), [made])
        if gone.status == 200:
            bench.forget(made.json["id"])
        if number % 2 == 0:
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
