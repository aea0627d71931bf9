"""Probes of query parameters: what is refused, which is told first, and what is passed over."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from mockserver.conformance.checks import IF_SHORT, Steps, check
from mockserver.conformance.exchange import Exchange
from mockserver.conformance.expectations import each_row, every, same_rows
from mockserver.conformance.guard import CALENDARS, EVENTS
from mockserver.conformance.list_pages import ids_in, is_page, rows_in
from mockserver.conformance.recorded_cases.bench import Bench, Holding, Probe, expected_by
from mockserver.conformance.rules import Rule

RULES: tuple[Rule, ...] = (
    Rule(
        "time-refused",
        "probes",
        "medium",
        "A time filter that is not a timestamp is rejected by its name; updated_after by its new name.",
        "recordings: list-events-timestamps-*, list-events-updated-after",
    ),
    Rule(
        "time-taken",
        "probes",
        "medium",
        "A timestamp is accepted with or without a zone, with or without a fraction, and as a date.",
        "recordings: list-events-timestamps-*",
    ),
    Rule(
        "ordering-refused",
        "probes",
        "medium",
        "An unknown ordering is rejected, and the error lists the eight orderings.",
        "recordings: list-events-ordering-bad",
    ),
    Rule("ordering-taken", "probes", "medium", "Each of the eight orderings is accepted.", "openapi.yaml: Ordering"),
    Rule(
        "cursor-refused",
        "probes",
        "medium",
        "An invalid cursor is answered with 404, an empty cursor with the first page.",
        "recordings: list-events-cursor-made, list-events-error-order",
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
    Rule(
        "filter-exact",
        "probes",
        "high",
        "A deduplication key filter must match exactly: not in another case, in part, or with spaces.",
        "openapi.yaml: DeduplicationKey; recordings: list-calendars-dedup-filter",
    ),
)

_MORNING, _EVENING = "2025-01-13T10:30:00Z", "2025-01-13T18:00:00Z"
_TIMES = {
    "updated_at_gte": ("updated_at_gte", _MORNING),
    "updated_after": ("updated_at_gte", _MORNING),
    "start_time_gte": ("start_time_gte", _MORNING),
    "end_time_lte": ("end_time_lte", _EVENING),
}
_ORDERINGS = "-updated_at, updated_at, start_time, -start_time, end_time, -end_time, created_at, -created_at"
_BAD_ORDERING = {"error": f"Invalid ordering. Allowed values: {_ORDERINGS}"}
_BAD_CURSOR = {"detail": "Invalid cursor"}
_NOTHING: dict[str, Any] = {"next": None, "previous": None, "results": []}
_NO_TIMES = (
    "bad",
    "2026",
    "2026-05",
    "20260510T000000Z",
    "1715299200",
    "2026-13-01T00:00:00Z",
    "2026-02-30T00:00:00Z",
    "2026-05-10T24:00:00Z",
    "2026-05-10T00:00:60Z",
    "2026-05-10T00:00:00z",
    "2026-05-10t00:00:00Z",
    "2026-05-10T00:00:00.Z",
    "2026-05-10T00:00:00+00:00",  # the plus is a blank when it arrives
    "2026-05-10T00:00:00%2B24:00",
    "2026-05-10T00:00:00UTC",
    "now",
)
_SOME_TIMES = (
    "2026-05-10T00:00:00Z",
    "2026-05-10",
    "2026-05-10T00:00",
    "2026-05-10T00:00:00",
    "2026-05-10%2000:00:00Z",
    "2026-05-10+00:00:00Z",
    "2026-05-10T00:00:00.5Z",
    "2026-05-10T00:00:00.123456Z",
    "2026-05-10T00:00:00.1234567Z",
    "2026-05-10T00:00:00%2B02:00",
    "2026-05-10T00:00:00-0530",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999Z",
)
_NO_ORDERINGS = (
    "",
    "id",
    "-id",
    "name",
    "Start_time",
    "start_time,end_time",
    "--start_time",
    "start_time%20",
    "asc",
    "-",
)
_NO_CURSORS = ("bad", "x", "bz14", "bz0tMQ==", "cj14", "%C3%A9", "bz0xMg")
_UNKNOWN = ("page_size=1", "limit=1", "offset=5", "page=2", "is_deleted=false", "foo", "name=x", "state=x", "id=x")
_FIRST = 2
"""So many texts of a table are enough for a first look."""
_SINGLE = ("time-refused", "ordering-refused", "cursor-refused")
_BAD = ("updated_at_gte=bad", "start_time_gte=bad", "end_time_lte=bad", "ordering=bad", "cursor=bad")


def _events(rule: str, field: str, query: str, status: int = 200, body: Any = None) -> Probe:
    wanted = Holding() if body is None else body
    return Probe(rule, "listCalendarEvents", field, "GET", f"{EVENTS}?{query}", status, wanted)


def _bad_time(name: str) -> dict[str, str]:
    told, example = _TIMES[name]
    return {"error": f"Invalid {told} format. Use ISO 8601 format (e.g., {example})"}


@check("time-refused", "time-taken", context=Bench, cost=8)
def times(bench: Bench) -> Steps:
    """What is a time and what is none: one text for each filter, then all."""
    for name in _TIMES:
        bench.ask(_events("time-refused", name, f"{name}={_NO_TIMES[0]}", 400, _bad_time(name)))
        bench.ask(_events("time-taken", name, f"{name}={_SOME_TIMES[0]}"))
    yield
    for name in _TIMES:
        texts = {"start_time_gte": _NO_TIMES, "updated_at_gte": _NO_TIMES[::2]}.get(name, _NO_TIMES[:4])
        for text in texts[1:]:
            bench.ask(_events("time-refused", name, f"{name}={text}", 400, _bad_time(name)))
        if name != "updated_at_gte":
            bench.ask(_events("time-refused", name, f"{name}=", 400, _bad_time(name)))
        for text in _SOME_TIMES[1:] if name == "start_time_gte" else _SOME_TIMES[1:4]:
            bench.ask(_events("time-taken", name, f"{name}={text}"))
        yield
    ignored = "updated_at_gte=2026-05-10T00:00:00Z&updated_after=bad"
    bench.ask(_events("time-taken", "updated_after", ignored))


@check("ordering-refused", context=Bench, cost=2)
def unknown_orderings(bench: Bench) -> Steps:
    """What is no ordering."""
    for number, text in enumerate(_NO_ORDERINGS, 1):
        bench.ask(_events("ordering-refused", "ordering", f"ordering={text}", 400, _BAD_ORDERING))
        if number == _FIRST:
            yield


@check("ordering-taken", context=Bench, cost=2)
def known_orderings(bench: Bench) -> Steps:
    """The eight orderings."""
    for number, text in enumerate(_ORDERINGS.split(", "), 1):
        bench.ask(_events("ordering-taken", "ordering", f"ordering={text}&event_id=evt_nothing", 200, _NOTHING))
        if number == _FIRST:
            yield


@check("cursor-refused", context=Bench, cost=4)
def invalid_cursors(bench: Bench) -> Steps:
    """What is no cursor."""
    for path, operation in ((CALENDARS, "listCalendars"), (EVENTS, "listCalendarEvents")):
        probe = Probe("cursor-refused", operation, "cursor", "GET", path, 404, _BAD_CURSOR)
        for text in _NO_CURSORS[:_FIRST]:
            bench.ask(probe._replace(path=f"{path}?cursor={text}"))
    yield
    for path, operation in ((CALENDARS, "listCalendars"), (EVENTS, "listCalendarEvents")):
        probe = Probe("cursor-refused", operation, "cursor", "GET", path, 404, _BAD_CURSOR)
        for text in _NO_CURSORS[_FIRST:]:
            bench.ask(probe._replace(path=f"{path}?cursor={text}"))
        bench.ask(probe._replace(path=f"{path}?cursor=", status=200, body=Holding()))
    path = f"{CALENDARS}?deduplication_key=nothing-has-this&cursor=bad"
    bench.ask(Probe("cursor-refused", "listCalendars", "cursor", "GET", path, 404, _BAD_CURSOR))


@check("filter-first", context=Bench, cost=3, after=(times, unknown_orderings, invalid_cursors))
def order_of_errors(bench: Bench) -> Steps:
    """Which of several invalid parameters is told."""
    told = (*(_bad_time(name) for name in ("updated_at_gte", "start_time_gte", "end_time_lte")), _BAD_ORDERING)
    for first, body in enumerate(told):
        name = _BAD[first].partition("=")[0]
        probe = _events("filter-first", name, "&".join(reversed(_BAD[first:])), 400, body)
        bench.ask(probe._replace(unless=_SINGLE))
        if first == 1:
            yield
    last = _events("filter-first", "cursor", "cursor=bad&calendar_id=nope", 404, _BAD_CURSOR)
    bench.ask(last._replace(unless=_SINGLE))


@check("filter-empty", context=Bench, cost=5)
def empty_filters(bench: Bench) -> None:
    """Filters without a text."""
    bench.ask(_events("filter-empty", "updated_at_gte", "updated_at_gte="))
    for name in ("calendar_id", "calendar_deduplication_key", "event_id"):
        bench.ask(_events("filter-empty", name, f"{name}=", 200, _NOTHING))
    path = f"{CALENDARS}?deduplication_key="
    bench.ask(Probe("filter-empty", "listCalendars", "deduplication_key", "GET", path, 200, _NOTHING))


@check("parameter-last-wins", context=Bench, cost=2, after=(times, unknown_orderings, invalid_cursors))
def repeated_parameters(bench: Bench) -> Steps:
    """Parameters that are given twice."""
    rule = "parameter-last-wins"
    good = "start_time_gte=2026-05-10T00:00:00Z"
    cursor = Probe(rule, "listCalendars", "cursor", "GET", CALENDARS, 404, _BAD_CURSOR)
    for probe in (
        _events(rule, "ordering", "ordering=bad&ordering=start_time"),
        _events(rule, "ordering", "ordering=start_time&ordering=bad", 400, _BAD_ORDERING),
        _events(rule, "start_time_gte", f"start_time_gte=bad&{good}"),
        _events(rule, "start_time_gte", f"{good}&start_time_gte=bad", 400, _bad_time("start_time_gte")),
        cursor._replace(path=f"{CALENDARS}?cursor=bad&cursor=", status=200, body=Holding()),
        cursor._replace(path=f"{CALENDARS}?cursor=&cursor=bad"),
    ):
        bench.ask(probe._replace(unless=_SINGLE))
        if probe.field == "start_time_gte":
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
            probe = Probe("parameter-unknown", operation, query.partition("=")[0], "GET", path, 200)
            if bench.check_answer(probe, answer, [plain]) and answer.status == 200:
                _same_results(bench, probe, plain, answer)
            if query == _UNKNOWN[_FIRST]:
                yield


def _same_results(bench: Bench, probe: Probe, plain: Exchange, answer: Exchange) -> None:
    bench.check(
        probe.rule,
        every(expected_by(probe), same_rows(plain)),
        operation=probe.operation,
        field=probe.field,
        exchanges=[plain, answer],
    )


@check("filter-exact", context=Bench, cost=5, least=2)
def exact_keys(bench: Bench) -> Steps:
    """Of a key that a calendar has, every other spelling finds nothing but calendars with exactly that spelling."""
    key = _some_key(bench)
    if key is None:
        bench.unobservable("filter-exact", "no calendar has a deduplication key")
        return
    spelt = [key, key.swapcase(), key.upper(), key[:-1], f"{key}x", f" {key}", f"{key} ", "%", "*", "_" * len(key)]
    for text in dict.fromkeys(text for text in spelt if text):
        answer = bench.get(f"{CALENDARS}?deduplication_key={quote(text, safe='')}")
        if not is_page(answer):
            continue
        bench.check(
            "filter-exact",
            each_row([None], [["deduplication_key", "=", text]], most=1),
            operation="listCalendars",
            field="deduplication_key",
            exchanges=[answer],
        )
        if text in (key, spelt[_FIRST]):
            yield IF_SHORT if text == key else None


def _some_key(bench: Bench) -> str | None:
    keys = [row.get("deduplication_key") for row in rows_in(bench.get(CALENDARS))]
    return next((key for key in keys if isinstance(key, str) and key), None)


CHECKS = (
    times,
    unknown_orderings,
    known_orderings,
    invalid_cursors,
    order_of_errors,
    empty_filters,
    repeated_parameters,
    unknown_parameters,
    exact_keys,
)
