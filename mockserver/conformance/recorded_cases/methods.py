"""Probes of methods: undeclared ones, OPTIONS, HEAD, and what only looks like another method."""

from __future__ import annotations

from typing import Any

from mockserver.conformance import every_response
from mockserver.conformance.evaluation import broken
from mockserver.conformance.expectations import facts_of, same_headers
from mockserver.conformance.guard import CALENDARS, EVENTS
from mockserver.conformance.recorded_cases.bench import NOBODY, Bench, Holding, Probe, header
from mockserver.conformance.rules import Rule
from mockserver.conformance.run import Forbidden

RULES: tuple[Rule, ...] = (
    Rule(
        "method-text",
        "probes",
        "low",
        "The error for a method that the path does not have names the method.",
        "recordings: methods-*",
        frozenset({"read", "write"}),
    ),
    Rule(
        "options-describe",
        "probes",
        "low",
        "OPTIONS returns a path's name and its media types, whatever else the request contains.",
        "recordings: methods-options-*",
    ),
    Rule(
        "head-as-get",
        "probes",
        "medium",
        "HEAD has the status and the headers of GET.",
        "recordings: methods-head-*",
    ),
    Rule(
        "method-override",
        "probes",
        "high",
        "No header and no parameter changes the method of a request.",
        "recordings: headers-ignored",
        frozenset({"read", "write"}),
    ),
)

# No DELETE on a whole collection: a service that took it would take away what is not ours.
_UNDECLARED = ((CALENDARS, ("PUT", "PATCH")), (EVENTS, ("POST", "PUT", "PATCH")))
_NAMES = {CALENDARS: "Calendar List Create", EVENTS: "Calendar Event List"}
_COMPARED = ("content-type", "allow", "vary", "www-authenticate")
_DESCRIPTION = {
    "description": "",
    "renders": ["application/json", "text/html"],
    "parses": ["application/json", "application/x-www-form-urlencoded", "multipart/form-data"],
}


def run(bench: Bench, calendar: str) -> None:
    """`calendar` is the path of a calendar of this run, or of any where it may not write."""
    _options(bench, calendar)
    _head(bench, calendar)
    if bench.writes:
        _undeclared(bench, calendar)
        _override(bench, calendar)


def _options(bench: Bench, calendar: str) -> None:
    for path, wrong in ((CALENDARS, "?cursor=bad"), (EVENTS, "?ordering=bad"), (calendar, ""), (NOBODY, "")):
        operation = bench.answers.place("GET", path).operation
        members: dict[str, Any] = {"name": _NAMES.get(path, "Calendar Detail Patch Delete"), **_DESCRIPTION}
        if path == CALENDARS:
            members["actions"] = {"POST": _actions(bench)}
        bench.ask(Probe("options-describe", operation, "OPTIONS", "OPTIONS", path + wrong, 200, members))


def _actions(bench: Bench) -> dict[str, Any]:
    """What OPTIONS tells of each field of a calendar."""
    calendar = bench.answers.resolve({"$ref": "#/components/schemas/Calendar"})
    return {name: Holding(required=name == "id", read_only=name != "id") for name in calendar["properties"]}


def _head(bench: Bench, calendar: str) -> None:
    paths = (CALENDARS, EVENTS, calendar, NOBODY, f"{CALENDARS}?cursor=bad", f"{EVENTS}?ordering=bad")
    for path in paths:
        operation = bench.answers.place("GET", path).operation
        got, headed = bench.get(path), bench.target.send("HEAD", path)
        alike = same_headers(got, headed, _COMPARED)
        wrong = broken(alike, facts_of([got, headed]))
        if wrong and any(every_response.broken(bench.answers, exchange) for exchange in (got, headed)):
            continue
        bench.check(
            "head-as-get",
            alike,
            operation=operation,
            field="HEAD",
            exchanges=[*bench.origins(got), got, headed],
        )


def _undeclared(bench: Bench, calendar: str) -> None:
    for path, methods in (*_UNDECLARED, (calendar, ("PUT", "POST"))):
        for method in methods:
            operation = bench.answers.place("GET", path).operation
            body = {"detail": f'Method "{method}" not allowed.'}
            probe = Probe("method-text", operation, method, method, path, 405, body, json=bench.fields())
            try:
                bench.took(bench.ask(probe))
            except Forbidden:
                # A method on a whole collection is more than the transport lets through on some targets.
                bench.unobservable("method-text", "the target may be changed too much by it")


def _override(bench: Bench, calendar: str) -> None:
    made = bench.create()
    if made is None:
        return
    path = f"{CALENDARS}/{made.json['id']}"
    shown = Holding(id=made.json["id"])
    probe = Probe("method-override", "getCalendar", "method", "GET", path, 200, shown)
    for headers in (header("X-HTTP-Method-Override", "DELETE"), header("X-Method-Override", "DELETE")):
        overridden = bench.ask(probe._replace(headers=headers), [made])
        bench.ask(probe, [made, overridden])
    overridden = bench.ask(probe._replace(path=f"{path}?_method=DELETE"), [made])
    bench.ask(probe, [made, overridden])
