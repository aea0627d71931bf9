"""Probes of representations: Accept, `format`, and the paths that name nothing."""

from __future__ import annotations

from mockserver.conformance.checks import Steps, check
from mockserver.conformance.checks.cases import NOBODY, NOT_FOUND, Bench, Case, Holding, header
from mockserver.conformance.guard import CALENDARS, EVENTS
from mockserver.conformance.rules import Rule

_REFUSED = {"detail": "Could not satisfy the request Accept header."}
_NO_FORMAT = {"detail": "Not found."}

RULES: tuple[Rule, ...] = (
    Rule(
        "accept-taken",
        "probes",
        "medium",
        "An Accept header that allows JSON gets JSON, whatever its q values are.",
        "recordings: accept-*",
    ),
    Rule(
        "accept-refused",
        "probes",
        "medium",
        "An Accept header that allows no format of the service is answered with 406.",
        "recordings: accept-*",
    ),
    Rule(
        "accept-first",
        "probes",
        "low",
        "An Accept header that allows no format is reported before a missing key and every other error.",
        "recordings: auth-before-everything, accept-errors",
    ),
    Rule(
        "format-parameter",
        "probes",
        "low",
        "The parameter format accepts json, ignores an empty value, and rejects every other format.",
        "openapi.yaml: UnknownFormat",
    ),
    Rule(
        "path-text",
        "probes",
        "low",
        "The error for an unknown path is the same with and without a key.",
        "recordings: path-unknown, path-trailing-slash",
    ),
    Rule(
        "header-ignored",
        "probes",
        "low",
        "Conditional, range and language headers have no effect.",
        "recordings: headers-ignored",
    ),
)

_TAKEN = (
    "*/*",
    "application/json",
    "application/*",
    "*/json",
    "APPLICATION/JSON",
    "application/json; q=0.5",
    "application/json;q=0",
    "application/json;version=1",
    "application/json; indent=4",
    "application/json;charset=utf-8",
    "application/json, text/plain, */*",
    "text/plain, */*;q=0.1",
    "text/html, application/json",
    "text/html;q=0.9, application/json;q=0.1",
    "application/xml, application/json;q=0.1",
)
_NOT_TAKEN = (
    "",
    "application/xml",
    "text/plain",
    "image/png",
    "application/vnd.api+json",
    "json",
    "*",
    "a/b/c",
    "garbage/",
    "application/jsonx",
)
_IGNORED = (
    ("If-None-Match", "*"),
    ("If-Modified-Since", "Thu, 01 Jan 2026 00:00:00 GMT"),
    ("Range", "bytes=0-10"),
    ("Accept-Language", "de"),
    ("Accept-Charset", "utf-16"),
    ("Origin", "https://x.example"),
)
_NOWHERE = (
    "/api/v1/nope",
    "/api/v1/Calendars",
    "/api/v1/calendar",
    "/api/v1/calendar-events",
    f"{CALENDARS}/",
    f"{EVENTS}/",
    f"{NOBODY}/",
    f"{NOBODY}/events",
    f"{EVENTS}/evt_0000000000000000",
    f"{CALENDARS}%20",
)


@check("accept-taken", "accept-refused", "accept-first", context=Bench, cost=8)
def representations(bench: Bench) -> Steps:
    """What may be asked for by Accept, and what may not."""
    for path in bench.places():
        _accept(bench, path)
        yield
    for text in _TAKEN[4:]:
        bench.ask(_got("accept-taken", CALENDARS, "Accept", text))
    for text in _NOT_TAKEN[2:]:
        bench.ask(_got("accept-refused", CALENDARS, "Accept", text)._replace(status=406, body=_REFUSED))


@check("format-parameter", context=Bench, cost=4)
def formats(bench: Bench) -> Steps:
    """What may be asked for by the parameter `format`."""
    for path in bench.places():
        _format(bench, path)
        yield


@check("header-ignored", context=Bench, cost=2)
def ignored_headers(bench: Bench) -> Steps:
    """Headers that have no effect."""
    missing = Case("header-ignored", "getCalendar", "Accept-Language", "GET", NOBODY, 404, NOT_FOUND)
    bench.ask(missing._replace(headers=header("Accept-Language", "de, fr")))
    for name, value in _IGNORED:
        bench.ask(_got("header-ignored", CALENDARS, name, value))
        yield


def _got(rule: str, path: str, name: str, value: str) -> Case:
    operation = {CALENDARS: "listCalendars", EVENTS: "listCalendarEvents"}.get(path, "getCalendar")
    case = Case(rule, operation, name, "GET", path, 200, Holding(), header(name, value))
    return case._replace(status=404, body=NOT_FOUND) if path == NOBODY else case


def _accept(bench: Bench, path: str) -> None:
    for text in _TAKEN[:4]:
        bench.ask(_got("accept-taken", path, "Accept", text))
    for text in _NOT_TAKEN[:2]:
        refused = _got("accept-refused", path, "Accept", text)._replace(status=406, body=_REFUSED)
        bench.ask(refused)
        bench.ask(refused._replace(rule="accept-first", key=None))
    if bench.writes and path == CALENDARS:
        case = _got("accept-first", path, "Accept", "application/xml")._replace(status=406, body=_REFUSED)
        bench.ask(case._replace(operation="createCalendar", method="POST", json={"platform": "outlook"}))


def _format(bench: Bench, path: str) -> None:
    plain = _got("format-parameter", path, "Accept", "*/*")._replace(field="format")
    for text in ("json", ""):
        bench.ask(plain._replace(path=f"{path}?format={text}"))
    bench.ask(plain._replace(path=f"{path}?format=yaml", status=404, body=_NO_FORMAT))
    bench.ask(plain._replace(path=f"{path}?format=xml", status=404, body=_NO_FORMAT, key=None))


@check("path-text", context=Bench, cost=3)
def nowhere(bench: Bench) -> Steps:
    """Paths that name nothing."""
    for number, path in enumerate(_NOWHERE):
        operation = bench.answers.place("GET", path).operation
        case = Case("path-text", operation, "path", "GET", path, 404, {"error": "Not found"})
        bench.ask(case)
        if number % 2 == 0:
            bench.ask(case._replace(key=None))
        yield


CHECKS = (representations, formats, ignored_headers, nowhere)
