"""Rules that every answer has to keep, whichever part of the judge asked for it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Final
from urllib.parse import unquote

from mockserver.conformance import blame, evaluation, expectations
from mockserver.conformance.answers import Answers, Place, Verdict, answers_of
from mockserver.conformance.checks import Check
from mockserver.conformance.evaluation import credential_in, piece_in, wrong_in_link
from mockserver.conformance.exchange import Exchange, Request
from mockserver.conformance.expectations import LAST, Expectation, facts_of, no_secrets
from mockserver.conformance.guard import is_of_bots
from mockserver.conformance.list_pages import link_of
from mockserver.conformance.listed import Facts
from mockserver.conformance.origins import in_order
from mockserver.conformance.rules import Rule
from mockserver.conformance.run import Run

RULES: tuple[Rule, ...] = (
    Rule("answer-arrives", "always", "high", "Every request gets a response.", "openapi.yaml: responses"),
    Rule("no-server-error", "always", "high", "No response has a status of 500 or above.", "openapi.yaml: responses"),
    Rule(
        "status-documented",
        "always",
        "high",
        "An operation answers only with the statuses of its contract; HEAD with those of GET.",
        "openapi.yaml: responses",
    ),
    Rule(
        "method-undeclared",
        "always",
        "high",
        "With a valid key, a method that the path does not have is answered with 405.",
        "openapi.yaml: MethodNotAllowed; recordings: methods-*",
    ),
    Rule(
        "path-unknown",
        "always",
        "medium",
        "A path that is not in the contract, also one with a trailing slash, is answered with 404 in JSON.",
        "recordings: path-unknown, path-trailing-slash",
    ),
    Rule(
        "content-type",
        "always",
        "medium",
        "The type of a JSON response is exactly application/json; a response without a body has no type.",
        "openapi.yaml: content; recordings: accept-*",
    ),
    Rule(
        "answer-json", "always", "high", "The body of a response is well-formed JSON in UTF-8.", "openapi.yaml: content"
    ),
    Rule(
        "answer-schema",
        "always",
        "high",
        "The body matches the schema of its status: every field, with its type and format, and no other field.",
        "openapi.yaml: schemas",
    ),
    Rule(
        "time-fraction",
        "always",
        "low",
        "A time without a fraction of a second is written without one.",
        "openapi.yaml: Timestamp",
    ),
    Rule(
        "error-family",
        "always",
        "medium",
        "An error has the shape that the contract gives for its status and operation.",
        "openapi.yaml: info, Errors",
    ),
    Rule(
        "allow", "always", "medium", "Every response has Allow with the methods of its path.", "openapi.yaml: headers"
    ),
    Rule("vary", "always", "low", "Every response has Vary with Accept.", "openapi.yaml: Vary"),
    Rule(
        "www-authenticate",
        "always",
        "medium",
        "A 401 has WWW-Authenticate: Token, and no other response has it.",
        "openapi.yaml: WWWAuthenticate",
    ),
    Rule(
        "retry-after",
        "always",
        "medium",
        "A 429 has Retry-After in whole seconds, the same number as in its text.",
        "openapi.yaml: RetryAfter; recordings: throttle-post",
    ),
    Rule("head-empty", "always", "low", "A response to HEAD has no body.", "recordings: methods-head-*"),
    Rule(
        "links-preserve-query",
        "always",
        "high",
        "Page links are absolute URLs with the host and path of the request, and keep every other parameter.",
        "openapi.yaml: PageLink; recordings: cursor-host",
    ),
    Rule(
        "secrets-not-echoed",
        "always",
        "high",
        "No response contains an API key, client secret or refresh token, or a member with such a name.",
        "openapi.yaml: ClientSecret, RefreshToken",
    ),
    Rule(
        "response-time",
        "always",
        "low",
        "Most requests of an operation take at most one second, on another machine five.",
        "what clients expect",
    ),
)

CHECKS: tuple[Check, ...] = ()
"""Nothing of its own to send: these rules look at what the checks of the other parts send."""

_EXTREME = 4000
_LARGE_BODY = 1_000_000
_MOST_PARAMETERS = 1000
_API: Final = "/api/v1/"
_JSON, _HTML = "application/json", "text/html; charset=utf-8"
_CHALLENGE = expectations.where(
    expectations.status(401),
    expectations.header("WWW-Authenticate", "Token"),
    expectations.header("WWW-Authenticate", None),
)

_NOT_ECHOED = "secrets-not-echoed"
_SECRETS = ("client_secret", "refresh_token")
_NAMES = re.compile(rb'"(client_secret|refresh_token|access_token|api_key)"\s*:')
_LINKS = "links-preserve-query"


def look(run: Run, exchange: Exchange) -> None:
    """Holds one exchange against every rule of this module."""
    answers = answers_of(run.contract)
    place = answers.place(exchange.request.method, exchange.request.path)
    memory, facts = run.memory, facts_of([exchange])
    verdicts = [
        *judge(answers, exchange, facts),
        *_links(run, exchange, facts),
        *_leaks(run, exchange, facts),
    ]
    if not getattr(run.target, "beside", False):
        verdicts += run.patience.judge(place.operation, exchange, live=bool(getattr(run.target, "live", False)))
    for verdict in verdicts:
        if verdict.rule in ("no-server-error", "answer-arrives") and verdict.seen:
            verdict = _blamed(run, verdict, place, exchange)
        full = _with_steps(verdict, exchange, memory.before(exchange)) if verdict.seen else verdict
        run.record(
            full.rule,
            full.seen,
            full.expectation,
            operation=place.operation,
            field=full.field,
            exchanges=full.exchanges or [exchange],
        )
    memory.remember(exchange)


def _with_steps(verdict: Verdict, exchange: Exchange, origins: Sequence[Exchange]) -> Verdict:
    """What is wrong with an exchange, with what has to come before it again."""
    # Where links are right, one that is followed leads to no unknown path.
    before = [] if verdict.rule == "path-unknown" else in_order([*origins, *verdict.exchanges])
    exchanges = [*(one for one in before if one.number != exchange.number), exchange]
    return verdict._replace(expectation=_or_in_front(verdict.expectation, exchange), exchanges=exchanges)


def _blamed(run: Run, verdict: Verdict, place: Place, exchange: Exchange) -> Verdict:
    """The verdict with the part of the request that is put down to; one that crashes whatever is sent stands alone."""
    broken = run.findings.broken
    known = {
        field: finding.exchanges[-1].request
        for (rule, operation, field), finding in broken.items()
        if (rule, operation) == (verdict.rule, place.operation)
    }
    field = blame.suspect(exchange.request, known)
    if field == "":
        for name in known:
            if name:
                del broken[verdict.rule, place.operation, name]
    return verdict._replace(field=field)


def _tried(rule: str, expectation: Expectation, facts: Facts, field: str = "") -> Verdict:
    return Verdict(rule, evaluation.broken(expectation, facts), expectation, field)


def judge(answers: Answers, exchange: Exchange, facts: Facts | None = None) -> Iterator[Verdict]:
    """The tests of status, headers and body, without those that need to know the target."""
    facts = facts or facts_of([exchange])
    request = exchange.request
    if exchange.status == 0:
        yield Verdict("answer-arrives", exchange.failure or "no answer", expectations.answered())
        return
    yield Verdict("answer-arrives", "", expectations.answered())
    sound = _tried("no-server-error", expectations.status((100, 499)), facts)
    yield sound
    if sound.seen or _refused_in_front(exchange) or is_outside(request.path):
        return
    place = answers.place(request.method, request.path)
    status = _status(answers, place, exchange, facts)
    yield status
    if not status.seen:
        yield from _headers(place, exchange, facts)
        yield from _body(answers, place, exchange, facts)


def broken(answers: Answers, exchange: Exchange) -> frozenset[str]:
    """The rules of status, headers and body that an answer breaks, so that other parts need not tell it again."""
    return frozenset(verdict.rule for verdict in judge(answers, exchange) if verdict.seen)


def contracted(answers: Answers, exchange: Exchange) -> Expectation:
    """All that these rules expect of an answer to a request."""
    verdicts = list(judge(answers, exchange))
    return expectations.every(*(verdict.expectation for verdict in verdicts))


def is_outside(path: str) -> bool:
    """Whether a path is outside the API: a wrong link may lead there, and no contract says what answers."""
    return not unquote(path).startswith((_API, "*"))


def is_ordinary(request: Request) -> bool:
    """Whether the request has nothing that a server in front of the service may refuse by itself."""
    texts = (request.path, *(value for _, value in request.headers))
    return (
        all(text.isascii() and text.isprintable() and len(text) < _EXTREME for text in texts)
        and request.path.count("&") < _MOST_PARAMETERS
        and len(request.body or b"") < _LARGE_BODY
        and (request.body or b"").count(b"&") < _MOST_PARAMETERS
        and request.method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
    )


def is_malformed(request: Request) -> bool:
    """Whether the value of a header has a control character, for which an HTTP server may refuse the request."""
    return any(ord(character) < 32 or ord(character) == 127 for character in _values(request) if character != "\t")


def _values(request: Request) -> str:
    return "".join(value for _, value in request.headers)


def _refused_in_front(exchange: Exchange) -> bool:
    """A refusal that is not the API's own: of its framework or of a server before it, over an extreme request."""
    if not 400 <= exchange.status < 500 or is_ordinary(exchange.request):
        return False
    # The HTTP server refuses a malformed request in its own words, which may be JSON, before the API sees it.
    at_once = exchange.status == 400 and is_malformed(exchange.request)
    return at_once or not exchange.headers.get("content-type", "").startswith(_JSON)


def _or_in_front(expectation: Expectation, exchange: Exchange) -> Expectation:
    """The expectation; an extreme request may also be refused by what stands before the service."""
    if is_ordinary(exchange.request):
        return expectation
    typed = expectations.header("Content-Type", _JSON, begins=True)
    in_front = [expectations.every(expectations.status((400, 499)), expectations.never_so(typed))]
    if is_malformed(exchange.request):
        in_front.append(expectations.status(400))
    return expectations.either(*in_front, expectation)


def _status(answers: Answers, place: Place, exchange: Exchange, facts: Facts) -> Verdict:
    method, status = exchange.request.method, exchange.status
    if place.template is None:
        expected = {404, 406, 403} | ({200} if method == "OPTIONS" else set())
        if not is_ordinary(exchange.request):
            expected |= {405}
        expectation = expectations.status(*sorted(expected))
        if not _may_be_html(exchange.request):
            typed = expectations.header("Content-Type", _JSON, begins=True)
            expectation = expectations.every(expectation, typed)
        return _tried("path-unknown", expectation, facts, "path")
    if method == "OPTIONS":
        return _tried("status-documented", expectations.status(200, 401, 404, 406), facts, f"OPTIONS {status}")
    if not place.declared:
        return _tried("method-undeclared", expectations.status(401, 404, 405, 406), facts, method)
    known = answers.statuses(place.operation)
    expectation = expectations.status(*sorted(known))
    if status == 429 and status not in known:
        # What counts requests may refuse another one than it did.
        expectation = expectations.every(expectation, expectations.never(status))
    return _tried("status-documented", expectation, facts, str(status))


def _headers(place: Place, exchange: Exchange, facts: Facts) -> Iterator[Verdict]:
    yield _tried("allow", expectations.header("Allow", place.allow), facts, "Allow")
    yield _tried("vary", expectations.header("Vary", "Accept", item=True), facts, "Vary")
    yield _tried("www-authenticate", _CHALLENGE, facts, "WWW-Authenticate")
    if exchange.status == 429:
        yield _tried("retry-after", expectations.waits(), facts, "Retry-After")
    if exchange.request.method == "HEAD":
        yield _tried("head-empty", expectations.no_body(), facts, "body")


def _body(answers: Answers, place: Place, exchange: Exchange, facts: Facts) -> Iterator[Verdict]:
    kind = exchange.headers.get("content-type")
    if kind == _HTML and _may_be_html(exchange.request):
        return
    empty = place.declared and answers.empty(place.operation, exchange.status)
    wanted = None if empty else _JSON
    yield _tried("content-type", _typed(answers, place, exchange.request), facts, "Content-Type")
    shape = "unknown" if place.template is None else place.operation
    schema = expectations.schema(answers.schemas(shape, options=exchange.request.method == "OPTIONS"))
    if empty:
        yield _tried("answer-schema", schema, facts, "body")
    elif kind == wanted and exchange.request.method != "HEAD":
        well_formed = _tried("answer-json", expectations.is_json(), facts, "body")
        yield well_formed
        if not well_formed.seen:
            yield from _shape(answers, place, exchange, facts, schema)


def _typed(answers: Answers, place: Place, request: Request) -> Expectation:
    """JSON, or nothing where the answer has no body; HTML where it was asked for."""
    kinds = [expectations.header("Content-Type", _JSON)]
    if _may_be_html(request):
        kinds.append(expectations.header("Content-Type", _HTML))
    typed = expectations.either(*kinds)
    empty = [status for status in answers.statuses(place.operation) if answers.empty(place.operation, status)]
    if not place.declared or not empty:
        return typed
    return expectations.where(expectations.status(*empty), expectations.header("Content-Type", None), typed)


def _may_be_html(request: Request) -> bool:
    accepts = [value.lower() for name, value in request.headers if name.lower() == "accept"]
    return "format=api" in request.path or any("html" in value or "text/*" in value for value in accepts)


def _shape(answers: Answers, place: Place, exchange: Exchange, facts: Facts, schema: Expectation) -> Iterator[Verdict]:
    status = exchange.status
    if status >= 400 and place.template is not None:
        refused = _tried("error-family", _refusal(place, exchange.request), facts, str(status))
        yield refused
        if refused.seen:
            return
    # Compiled schemas, for the expectation's own reading of them is slow.
    problems = answers.problems(_shape_name(place, exchange), status, facts.json(LAST))
    if not problems:
        yield Verdict("answer-schema", "", schema)
    for problem in problems:
        yield Verdict("answer-schema", problem.text, schema, problem.field)
    if status < 300 and not problems:
        yield _tried("time-fraction", expectations.no_zero_fraction(), facts)


def _refusal(place: Place, request: Request) -> Expectation:
    of_status = {str(status): sorted(families(place, request, status)) for status in (400, 404)}
    return expectations.refusal(of_status, ["detail"])


def _shape_name(place: Place, exchange: Exchange) -> str:
    if place.template is None:
        return "unknown"
    if exchange.request.method == "OPTIONS" and exchange.status == 200:
        return "options"
    return place.operation if exchange.status != 405 else "undeclared"


def families(place: Place, request: Request, status: int) -> set[str]:
    """The shapes that a refusal may have there; those of a bad `format` and of strict mode included."""
    if status == 400 and request.method in ("POST", "PATCH"):
        return {"fields", "detail"} | ({"error", "nested fields"} if is_of_bots(request.path) else set())
    if status == 400:
        return {"error", "detail"}
    if status == 404 and "{" in (place.template or ""):
        return {"error", "detail"} if "format" in request.path else {"error"}
    return {"detail"}


def _leaks(run: Run, exchange: Exchange, facts: Facts) -> Iterator[Verdict]:
    """The tests of one answer, its headers included.

    The transport looks for all secrets of the run at once, in every spelling; the expectation knows those that its
    steps send.
    """
    leaks = getattr(run.target, "leaks", None)
    leaked = leaks(exchange) if leaks is not None else []
    for kind in leaked:
        yield Verdict(_NOT_ECHOED, f"{kind} in the answer", no_secrets(), str(kind))
    named = credential_in(facts.json(LAST)) if exchange.status < 400 and _NAMES.search(exchange.body) else None
    if not leaked and not named:
        for kind, secret in _sent(run, exchange):
            if piece := piece_in(secret, exchange.body, exchange.headers.values()):
                yield Verdict(_NOT_ECHOED, f"{kind} in part: {piece}", no_secrets(), kind)
                return
    if not leaked:
        yield Verdict(_NOT_ECHOED, f"a member {named}" if named is not None else "", no_secrets(), named or "")


def _sent(run: Run, exchange: Exchange) -> Iterator[tuple[str, str]]:
    """The key and the secrets that a request carries as they should be carried, each with its kind."""
    request = exchange.request
    key = getattr(getattr(run.target, "keys", None), request.key or "", None)
    if key:
        yield "key", key
    if request.method in ("POST", "PATCH") and (request.body or b"").startswith(b"{"):
        try:
            fields = json.loads(request.body or b"")
        except (ValueError, RecursionError):
            return
        for name in _SECRETS:
            if isinstance(fields.get(name), str):
                yield name, fields[name]


def _links(run: Run, exchange: Exchange, facts: Facts) -> Iterator[Verdict]:
    """The tests of an answer's links; none where it has none."""
    if exchange.status != 200 or b'"next"' not in exchange.body[:20]:
        return
    host: str | None = getattr(run.target, "host", None)
    expectation = expectations.links(exchange.request.path, host)
    for name in ("next", "previous"):
        link = link_of(facts.json(LAST), name)
        if link is not None:
            wrong = wrong_in_link(link, exchange.request.path, host)
            yield Verdict(_LINKS, f"{name}: {link}" if wrong else "", expectation, wrong)
