"""Representations: Accept, `format`, HTML, headers without effect, and paths that name nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mockserver.conformance.checks import Steps, check
from mockserver.conformance.checks.cases import NOBODY, NOT_FOUND, Bench, Case, Holding, header, odd_check, odd_get
from mockserver.conformance.expectations import every
from mockserver.conformance.expectations import header as has_header
from mockserver.conformance.expectations import status as has_status
from mockserver.conformance.guard import BOTS, CALENDARS, EVENTS
from mockserver.conformance.list_pages import rows_in
from mockserver.conformance.rules import Rule

RULES: tuple[Rule, ...] = (
    Rule(
        "header-odd",
        "hostile",
        "medium",
        "Unusual headers are rejected with the error text for them, or have no effect.",
        "recordings: accept-*, auth-odd-headers, headers-ignored",
    ),
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
    Rule(
        "html-answer",
        "details",
        "medium",
        "A response in HTML has the status that it would have in JSON, and the type text/html; charset=utf-8.",
        "recordings: accept-errors",
    ),
)

_REFUSED = {"detail": "Could not satisfy the request Accept header."}
_NO_FORMAT = {"detail": "Not found."}


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
_SEVERAL = (
    "application/json;q=0.1, application/xml;q=0.9",
    "application/xml;q=1, text/plain;q=0.9, application/json;q=0.001",
    "text/plain,application/json",
    "application/json , text/plain",
    "image/*, application/*;q=0.2",
    "application/json;q=1.0;version=2, text/html;q=0.9",
    "text/html, application/json, */*",
)
_NONE_OF_SEVERAL = ("application/xml, text/plain;q=0.5", "image/*", "application/xml;q=0.9, text/csv", "text/json, a/b")
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
    yield
    yield from _representations_elsewhere(bench)


def _representations_elsewhere(bench: Bench) -> Steps:
    """The same on other paths, with several types at once, and beside other errors."""
    for path in (EVENTS, bench.calendar, NOBODY):
        for text in _TAKEN[4:]:
            bench.ask(_got("accept-taken", path, "Accept", text))
        for text in _NOT_TAKEN[2:]:
            bench.ask(_got("accept-refused", path, "Accept", text)._replace(status=406, body=_REFUSED))
        yield
    for text in _SEVERAL:
        bench.ask(_got("accept-taken", EVENTS, "Accept", text))
        bench.ask(_got("accept-taken", CALENDARS, "Accept", text))
    for text in _NONE_OF_SEVERAL:
        bench.ask(_got("accept-refused", EVENTS, "Accept", text)._replace(status=406, body=_REFUSED))
    yield
    for path in (f"{EVENTS}?ordering=bad", f"{CALENDARS}?cursor=bad", f"{EVENTS}?cursor=bad"):
        operation = bench.answers.place("GET", path).operation
        refused = Case("accept-first", operation, "Accept", "GET", path, 406, _REFUSED)
        bench.ask(refused._replace(headers=header("Accept", "text/plain"), unless=("accept-refused",)))


@check("format-parameter", context=Bench, cost=4)
def formats(bench: Bench) -> Steps:
    """What may be asked for by the parameter `format`."""
    for path in bench.places():
        _format(bench, path)
        yield
    for path in (*bench.places(), NOBODY):
        operation = bench.answers.place("GET", path).operation
        case = Case("format-parameter", operation, "format", "GET", path, 404, _NO_FORMAT)
        for query in ("format=JSON", "format=json%20", "format=csv", "foo=x&format=yaml", "format=yaml&cursor=bad"):
            bench.ask(case._replace(path=f"{path}?{query}"))
        bench.ask(case._replace(method="HEAD", path=f"{path}?format=yaml"))
        bench.ask(case._replace(method="OPTIONS", path=f"{path}?format=yaml"))
        yield
    for query in ("format=yaml&ordering=bad", "start_time_gte=bad&format=xml", "format=yaml&event_id=%00"):
        bench.ask(Case("format-parameter", "listCalendarEvents", "format", "GET", f"{EVENTS}?{query}", 404, _NO_FORMAT))


@check("header-ignored", context=Bench, cost=2)
def ignored_headers(bench: Bench) -> Steps:
    """Headers that have no effect."""
    missing = Case("header-ignored", "getCalendar", "Accept-Language", "GET", NOBODY, 404, NOT_FOUND)
    bench.ask(missing._replace(headers=header("Accept-Language", "de, fr")))
    for name, value in _IGNORED:
        bench.ask(_got("header-ignored", CALENDARS, name, value))
        yield
    for path in (EVENTS, bench.calendar):
        for name, value in _IGNORED:
            bench.ask(_got("header-ignored", path, name, value))
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
    known = bench.calendar
    for path in (
        f"{known}/",
        f"{known}/events",
        f"{known}/calendar_events",
        "/api/v1/CALENDARS",
        "/api/v1/calendars.json",
    ):
        operation = bench.answers.place("GET", path).operation
        bench.ask(Case("path-text", operation, "path", "GET", path, 404, {"error": "Not found"}))


_HTML = header("Accept", "text/html")
_TOLD_OF_HTML = ("html-answer", "content-type")
"""What is wrong with one response in HTML is wrong with others."""
_HTML_TYPE = "text/html; charset=utf-8"


@check("html-answer", context=Bench, cost=3)
def html_of_reads(bench: Bench) -> Steps:
    """What is read, what is not there, and what is asked for wrongly."""
    places = (
        (EVENTS, 200),
        (CALENDARS, 200),
        ("", 200),
        (NOBODY, 404),
        (f"{EVENTS}?ordering=bad", 400),
        (f"{CALENDARS}?cursor=bad", 404),
        (BOTS, 200),
        (f"{BOTS}/bot_0000000000000000", 404),
    )
    for place, code in places:
        path = place or bench.calendar
        status = 404 if path == NOBODY else code
        mark = "&" if "?" in path else "?"
        _ask_html(bench, "GET", path, status, "Accept", headers=_HTML)
        _ask_html(bench, "GET", f"{path}{mark}format=api", status, "format")
        yield
    _ask_html(bench, "GET", CALENDARS, 401, "Accept", headers=_HTML, key=None)


@check("html-answer", context=Bench, cost=5, needs=("write",))
def html_of_changes(bench: Bench) -> Steps:
    """A calendar that is created, changed and deleted by somebody who asks for HTML."""
    if not bench.writes:
        return
    _ask_html(bench, "PATCH", bench.ours, 200, "Accept", headers=_HTML, json={})
    _ask_html(bench, "PATCH", bench.ours, 400, "Accept", headers=_HTML, json={"metadata": None})
    yield
    # Without a deduplication key: a replay that creates it twice, and sees no id to delete, is not refused.
    made = bench.fields()
    _ask_html(bench, "POST", CALENDARS, 201, "Accept", headers=_HTML, json=made)
    refused = bench.fields(platform="outlook")
    _ask_html(bench, "POST", CALENDARS, 400, "Accept", headers=_HTML, json=refused)
    # A response in HTML shows no id. The run may delete what has its mark.
    for calendar_id in [row["id"] for row in rows_in(bench.get(CALENDARS)) if row.get("metadata") == made["metadata"]]:
        if calendar_id in getattr(bench.target, "created", ()):
            bench.target.send("DELETE", f"{CALENDARS}/{calendar_id}", headers=_HTML)


def _ask_html(bench: Bench, method: str, path: str, status: int, field: str, **more: Any) -> None:
    operation = bench.answers.place(method, path).operation
    if bench.is_broken(*_TOLD_OF_HTML):
        return
    exchange = bench.target.send(method, path, **more)
    bench.took(exchange)
    if exchange.status == 429 or bench.is_told(exchange, right_status=exchange.status == status):
        return
    wanted = every(has_status(status), has_header("Content-Type", _HTML_TYPE))
    bench.check("html-answer", wanted, operation=operation, field=field, exchanges=[*bench.origins(exchange), exchange])


_OK = frozenset({200})


def _odd_headers() -> Iterator[Case]:
    """Headers that are too long, not in ASCII, or make no sense."""
    refused = frozenset({406})
    for text, statuses in (
        ("\xe9", refused),
        (";", refused),
        (",,,", refused),
        ("application/json;" * 200, _OK),
        (", ".join(["text/x"] * 400), refused),
        (", ".join(["application/json;q=0.1"] * 150), _OK),
        ("application/json; q=x; q=\xff", _OK),
        ('application/json; a="b', _OK),
        ("application/json; indent=99999999999", _OK),
        ("application/json; indent=-1", _OK),
        ("application/json; indent=x", _OK),
    ):
        yield odd_get("header-odd", "listCalendars", "Accept", CALENDARS, statuses)._replace(
            headers=header("Accept", text)
        )
    refused = frozenset({401})
    for text in ("Token \xff\xfe", "Token " + "k" * 3000, "\xa0", "Token\x0bx y z", "Token \xe9 \xe8", "," * 500):
        headers = header("Authorization", text)
        case = odd_get("header-odd", "listCalendars", "Authorization", CALENDARS, refused)
        yield case._replace(headers=headers, key=None)
    for name, text in (
        ("Cookie", "sessionid=x; csrftoken=y; =; ;;"),
        ("Cookie", 'a="b; \xff=\xff'),
        ("Content-Type", "multipart/form-data"),
        ("Content-Type", "application/json; charset=\xff"),
        ("X-Forwarded-Host", "evil.example, other.example"),
        ("X-Forwarded-For", "::1, not an address"),
        ("Referer", "\xff" * 100),
    ):
        yield odd_get("header-odd", "listCalendars", name, CALENDARS, _OK)._replace(headers=header(name, text))


odd_headers = odd_check("header-odd", lambda _: _odd_headers())
