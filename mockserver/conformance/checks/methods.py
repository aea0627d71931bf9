"""Methods: undeclared ones, OPTIONS, HEAD, and what only looks like another method."""

from __future__ import annotations

from contextlib import suppress
from itertools import chain, product
from typing import Any

from mockserver.conformance.checks import IF_SHORT, Steps, check, every_response
from mockserver.conformance.checks.cases import NOBODY, Bench, Case, Holding, header
from mockserver.conformance.evaluation import broken
from mockserver.conformance.expectations import facts_of, no_body, same_headers
from mockserver.conformance.guard import CALENDARS, EVENTS
from mockserver.conformance.list_pages import ids_in
from mockserver.conformance.rules import WRITE, Rule
from mockserver.conformance.run import Forbidden

RULES: tuple[Rule, ...] = (
    Rule(
        "method-text",
        "probes",
        "low",
        "The error for a method that the path does not have names the method.",
        "recordings: methods-*",
        WRITE,
    ),
    Rule(
        "options-describe",
        "probes",
        "low",
        "OPTIONS returns a path's name and its media types, whatever else the request contains.",
        "recordings: methods-options-*",
    ),
    Rule(
        "head-as-get", "probes", "medium", "HEAD has the status and the headers of GET.", "recordings: methods-head-*"
    ),
    Rule(
        "head-no-body",
        "probes",
        "high",
        "After the headers of a response to HEAD, no bytes follow: a client would take them for the next response.",
        "RFC 9112: Message Body Length",
    ),
    Rule(
        "method-override",
        "probes",
        "high",
        "No header and no parameter changes the method of a request.",
        "recordings: headers-ignored",
        WRITE,
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


@check("options-describe", context=Bench, cost=1)
def options(bench: Bench) -> Steps:
    """What OPTIONS tells of each path."""
    wrong = {CALENDARS: "?cursor=bad", EVENTS: "?ordering=bad"}
    for path in chain(bench.places(), [NOBODY]):
        operation = bench.answers.place("GET", path).operation
        members: dict[str, Any] = {"name": _NAMES.get(path, "Calendar Detail Patch Delete"), **_DESCRIPTION}
        if path == CALENDARS:
            members["actions"] = {"POST": _actions(bench)}
        bench.ask(Case("options-describe", operation, "OPTIONS", "OPTIONS", path + wrong.get(path, ""), 200, members))
        yield
    members = {"name": "Calendar Detail Patch Delete", **_DESCRIPTION}
    case = Case("options-describe", "getCalendar", "OPTIONS", "OPTIONS", "", 200, members)
    for path in (*_other_ids(bench), *_gone_id(bench)):
        bench.ask(case._replace(path=path))
        yield


def _other_ids(bench: Bench) -> list[str]:
    """The paths of a calendar of another project, and of what is no id."""
    theirs = ids_in(bench.target.send("GET", CALENDARS, key="other"))[:1] if bench.target.other_key else []
    return [f"{CALENDARS}/{name}" for name in ("conformance-no-such-calendar", *theirs)]


def _gone_id(bench: Bench) -> list[str]:
    """The path of a calendar that was deleted."""
    made = bench.create() if bench.target.writes else None
    if made is None:
        return []
    path = f"{CALENDARS}/{made.json['id']}"
    if bench.target.send("DELETE", path).status != 200:
        return []
    bench.forget(made.json["id"])
    return [path]


def _actions(bench: Bench) -> dict[str, Any]:
    """What OPTIONS tells of each field of a calendar."""
    calendar = bench.answers.resolve({"$ref": "#/components/schemas/Calendar"})
    return {name: Holding(required=name == "id", read_only=name != "id") for name in calendar["properties"]}


@check("head-as-get", context=Bench, cost=2)
def heads(bench: Bench) -> Steps:
    """HEAD beside GET."""
    for path in chain(bench.places(), [NOBODY, f"{CALENDARS}?cursor=bad", f"{EVENTS}?ordering=bad"]):
        _head(bench, path)
        yield
    for path in chain(_other_ids(bench), _gone_id(bench)):
        _head(bench, path)
        yield
    for path in chain(bench.places(), [NOBODY, f"{EVENTS}?cursor=bad", f"{EVENTS}?end_time_lte=bad"]):
        _head(bench, path, key=None)
        _head(bench, path, headers=header("Accept", "application/xml"))
        _head(bench, f"{path}{'&' if '?' in path else '?'}format=yaml")
        yield
    for query in ("ordering=start_time", "calendar_id=", "calendar_deduplication_key=nope", "updated_after=2020-01-01"):
        _head(bench, f"{EVENTS}?{query}")


def _head(bench: Bench, path: str, **more: Any) -> None:
    """Compares the answers to GET and HEAD."""
    operation = bench.answers.place("GET", path).operation
    if more and bench.is_broken("key-required", "accept-refused", operation=operation):
        return
    got, headed = (bench.target.send(method, path, **more) for method in ("GET", "HEAD"))
    alike = same_headers(got, headed, _COMPARED)
    wrong = broken(alike, facts_of([got, headed]))
    if not wrong or not any(every_response.broken(bench.answers, exchange) for exchange in (got, headed)):
        bench.check(
            "head-as-get", alike, operation=operation, field="HEAD", exchanges=[*bench.origins(got), got, headed]
        )


@check("head-no-body", context=Bench, cost=8, least=1)
def bodies_of_head(bench: Bench) -> Steps:
    """HEAD on a connection of its own, where a body that a client would take for the next answer can be seen.

    Some servers send one only if the connection is kept: there the end of what is sent is the end of the connection.
    Some send one only to those who have a key, others only with their 401.
    """
    if not getattr(bench.target, "takes_bytes", False):
        bench.unobservable("head-no-body", "bytes are only read from a target on this machine, over plain HTTP")
        return
    key = getattr(getattr(bench.target, "keys", None), "main", None)
    token = [f"Authorization: Token {key}\r\n"] if isinstance(key, str) else []
    for path, (given, kept) in product((CALENDARS, EVENTS), product((*token, ""), (False, True))):
        close = "" if kept else "Connection: close\r\n"
        request = f"HEAD {path} HTTP/1.1\r\nHost: conformance.invalid\r\n{given}{close}\r\n".encode()
        # A key may hold letters for which the transport does not send it in bytes.
        with suppress(Forbidden):
            bench.check(
                "head-no-body",
                no_body(),
                operation=bench.answers.place("GET", path).operation,
                field="body",
                exchanges=[bench.target.send_bytes(request, cut=kept)],
            )
        yield IF_SHORT


@check("method-text", "method-undeclared", context=Bench, cost=2, least=1, needs=("write",), apart=True)
def undeclared_methods(bench: Bench) -> Steps:
    """Methods that a path does not have."""
    for place, methods in (*_UNDECLARED, ("", ("PUT", "POST"))):
        for method in methods:
            path = place or bench.ours
            operation = bench.answers.place("GET", path).operation
            body = {"detail": f'Method "{method}" not allowed.'}
            case = Case("method-text", operation, method, method, path, 405, body, json=bench.fields())
            try:
                bench.took(bench.ask(case))
            except Forbidden:
                # A method on a whole collection is more than the transport lets through on some targets.
                bench.unobservable("method-text", "the target may be changed too much by it")
            yield IF_SHORT
        yield
    for path in (f"{CALENDARS}/conformance-no-such-calendar", *_gone_id(bench)):
        for method in ("PUT", "POST"):
            body = {"detail": f'Method "{method}" not allowed.'}
            case = Case("method-text", "getCalendar", method, method, path, 405, body, json=bench.fields())
            bench.ask(case)
            bench.ask(case._replace(path=f"{path}?cursor=bad"))
            bench.ask(case._replace(json=None, raw=b"{", headers=header("Content-Type", "text/plain")))
        yield
    for path, method in ((bench.ours, "PUT"), (CALENDARS, "PUT"), (EVENTS, "POST"), (EVENTS, "PATCH")):
        operation = bench.answers.place("GET", path).operation
        body = {"detail": f'Method "{method}" not allowed.'}
        case = Case("method-text", operation, method, method, path, 405, body, raw=b"{")
        with suppress(Forbidden):
            bench.took(bench.ask(case._replace(headers=header("Content-Type", "application/json"))))
            bench.took(bench.ask(case._replace(raw=b"x", headers=header("Content-Type", "text/plain"))))
            bench.took(bench.ask(case._replace(raw=None, path=f"{path}?ordering=bad&cursor=bad")))
        yield


@check("method-override", context=Bench, cost=2, needs=("write",), apart=True)
def overrides(bench: Bench) -> Steps:
    """What only looks like another method."""
    for name, query in (
        ("X-HTTP-Method-Override", ""),
        ("X-Method-Override", ""),
        ("", "?_method=DELETE"),
        ("X-HTTP-Method", ""),
        ("", "?method=DELETE"),
    ):
        if not bench.writes:
            return
        path = bench.ours
        case = Case("method-override", "getCalendar", "method", "GET", path, 200, Holding(id=path.rpartition("/")[2]))
        headers = header(name, "DELETE") if name else ()
        overridden = bench.ask(case._replace(path=path + query, headers=headers))
        if bench.ask(case, [overridden]).status != 200:
            bench.renew()
        yield
