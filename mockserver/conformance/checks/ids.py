"""Ids that name nothing, and what is told before and after them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mockserver.conformance.calendar_bodies import marked
from mockserver.conformance.checks import IF_SHORT, Steps, check
from mockserver.conformance.checks.cases import EMPTY_PAGE, NOBODY, NOT_FOUND, Bench, Case, header, odd_check, odd_get
from mockserver.conformance.exchange import Exchange
from mockserver.conformance.guard import CALENDARS, EVENTS
from mockserver.conformance.rules import WRITE, Rule

RULES: tuple[Rule, ...] = (
    Rule("id-odd", "hostile", "medium", "An unusual id names no calendar.", "openapi.yaml: ObjectId"),
    Rule(
        "id-unknown",
        "probes",
        "high",
        "An id that is not a calendar of the project is answered with 404 and its error text, in any format.",
        "openapi.yaml: CalendarNotFound; recordings: get-known, delete-unknown-ids",
    ),
    Rule(
        "id-exact",
        "probes",
        "high",
        "An id must match exactly: not in another case, shortened, or with more characters.",
        "openapi.yaml: ObjectId; recordings: get-known",
    ),
    Rule(
        "id-gone",
        "probes",
        "high",
        "The id of a deleted calendar is answered with 404, for every method.",
        "recordings: delete-basic",
        WRITE,
    ),
    Rule(
        "id-before-body",
        "probes",
        "low",
        "An unknown id is reported before every error of the body.",
        "recordings: patch-unknown-ids",
        WRITE,
    ),
)

_FIRST = 3
_NAMELESS = (
    "cal_",
    "cal",
    "1",
    "0",
    "-1",
    "null",
    "evt_0000000000000000",
    "cal_00000000000000000",
    "x" * 300,
    "%20",
    "a%3Fb",
    "%C3%A9",
    "%FF",
    "*",
    "cal_0000000000000000;x=1",
    "00000000-0000-4000-8000-000000000000",
)


_MORE_NAMELESS = (
    "cal_000000000000000",
    "CAL_0000000000000000",
    "cal-0000000000000000",
    "undefined",
    "me",
    "None",
    "1e3",
)


@check("id-unknown", context=Bench, cost=2, least=1)
def unknown_ids(bench: Bench) -> Steps:
    """Ids that name nothing."""
    case = Case("id-unknown", "getCalendar", "object_id", "GET", NOBODY, 404, NOT_FOUND)
    bench.ask(case)
    yield IF_SHORT
    for number, text in enumerate((*_NAMELESS, *_MORE_NAMELESS)):
        bench.ask(case._replace(path=f"{CALENDARS}/{text}"))
        if number == 0:
            yield


@check("id-exact", context=Bench, cost=3, least=1)
def exact_ids(bench: Bench) -> Steps:
    """The id of a calendar, spelt in other ways."""
    if bench.calendar == NOBODY:
        return
    name = bench.calendar.rpartition("/")[2]
    start, _, rest = name.partition("_")
    spelt = (name.swapcase(), f"{start}_{rest.swapcase()}", name[:-1], f"{name}x", f"evt_{rest}", rest, f"%20{name}")
    for number, text in enumerate((*spelt, f"{name}%20", f"{name}%0A", f"{name}.json"), 1):
        path = f"{CALENDARS}/{text}"
        bench.ask(Case("id-exact", "getCalendar", "object_id", "GET", path, 404, NOT_FOUND))
        if number in (1, _FIRST):
            yield IF_SHORT if number == 1 else None


@check(
    "id-gone",
    "id-before-body",
    "id-unknown",
    "filter-unknown",
    context=Bench,
    cost=6,
    least=3,
    needs=("write",),
    apart=True,
)
def gone_ids(bench: Bench) -> Steps:
    """The id of a calendar that was deleted."""
    made = bench.create()
    if made is None:
        return
    path = f"{CALENDARS}/{made.json['id']}"
    deleted = bench.target.send("DELETE", path)
    if deleted.status != 200:
        return
    bench.forget(made.json["id"])
    before: list[Exchange] = [made, deleted]
    tag = marked(bench.target.tag())
    bench.ask(Case("id-gone", "getCalendar", "object_id", "GET", path, 404, NOT_FOUND), before)
    yield IF_SHORT
    bench.ask(Case("id-gone", "updateCalendar", "object_id", "PATCH", path, 404, NOT_FOUND, json=tag), before)
    bench.ask(Case("id-gone", "deleteCalendar", "object_id", "DELETE", path, 404, NOT_FOUND), before)
    first = Case("id-before-body", "updateCalendar", "object_id", "PATCH", path, 404, NOT_FOUND)
    bench.ask(first._replace(raw=b"{", headers=header("Content-Type", "application/json")), before)
    yield
    bench.ask(first._replace(raw=b"x", headers=header("Content-Type", "text/plain")), before)
    bench.ask(first._replace(json={"foo": 1}), before)
    yield
    deleted_again = Case("id-gone", "deleteCalendar", "object_id", "DELETE", path, 404, NOT_FOUND)
    bench.ask(deleted_again, before)
    bench.ask(deleted_again._replace(raw=b"{", headers=header("Content-Type", "application/json")), before)
    bench.ask(Case("id-gone", "updateCalendar", "object_id", "PATCH", path, 404, NOT_FOUND, json={}), before)
    bench.ask(Case("id-gone", "getCalendar", "object_id", "HEAD", path, 404), before)
    for query in (f"{EVENTS}?calendar_id={made.json['id']}", f"{CALENDARS}?deduplication_key={bench.target.tag()}"):
        operation = bench.answers.place("GET", query).operation
        bench.ask(Case("filter-unknown", operation, "calendar_id", "GET", query, 200, EMPTY_PAGE), before)
    yield
    yield from _never_there(bench)


def _never_there(bench: Bench) -> Steps:
    """Changes of what never was a calendar, with bodies of every kind."""
    path = f"{CALENDARS}/conformance-no-such-calendar"
    update = Case("id-unknown", "updateCalendar", "object_id", "PATCH", path, 404, NOT_FOUND)
    for fields in ({}, marked(bench.target.tag()), {"client_secret": bench.target.secret("client_secret")}):
        bench.ask(update._replace(json=fields))
    yield
    first = update._replace(rule="id-before-body", unless=("id-unknown",))
    odds: tuple[Any, ...] = (
        {"metadata": None},
        {"state": "connected"},
        {"foo": 1},
        {"metadata": {}},
        {"client_secret": " "},
        [],
    )
    for odd in odds:
        bench.ask(first._replace(json=odd))
    for kind, raw in (("application/json", b"x"), ("text/plain", b"{}"), ("multipart/form-data", b"x"), ("", b"{}")):
        bench.ask(first._replace(raw=raw, headers=header("Content-Type", kind) if kind else ()))
    yield
    delete = update._replace(operation="deleteCalendar", method="DELETE")
    bench.ask(delete)
    bench.ask(delete._replace(raw=b"{", headers=header("Content-Type", "application/json")))
    bench.ask(delete._replace(path=f"{path}?cursor=bad"))


def _odd_ids() -> Iterator[Case]:
    """Ids with what a database or a router chokes on."""
    missing = frozenset({404})
    for text in ("%FF", "%ED%A0%80", "%0A", "%F0%9F%98%80", "cal_%27%20OR%20%271%27=%271", "x" * 2000, "%7B%7D", "%25"):
        yield odd_get("id-odd", "getCalendar", "object_id", f"{CALENDARS}/{text}", missing)
    for text in ("%00", "cal_%00", "cal_0000000000000000%00"):
        yield odd_get("id-odd", "getCalendar", "object_id", f"{CALENDARS}/{text}", frozenset({404, 400}))


odd_ids = odd_check("id-odd", lambda _: _odd_ids())
