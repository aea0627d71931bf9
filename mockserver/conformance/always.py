"""Rules that every answer has to keep, whichever part of the judge asked for it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from mockserver.conformance import leaking, links, suspects
from mockserver.conformance.answers import Answers, Place, Verdict, answers_of, family
from mockserver.conformance.exchange import Exchange, Request
from mockserver.conformance.rules import Rule
from mockserver.conformance.run import Run

RULES: tuple[Rule, ...] = (
    Rule("answer-arrives", "always", "high", "Every request is answered.", "openapi.yaml: responses"),
    Rule("no-server-error", "always", "high", "No answer has a status of 500 or above.", "openapi.yaml: responses"),
    Rule(
        "status-documented",
        "always",
        "high",
        "An operation answers with a status that the contract has for it, HEAD as GET.",
        "openapi.yaml: responses",
    ),
    Rule(
        "method-undeclared",
        "always",
        "high",
        "A method that the path does not have is answered with 405, once the key is good.",
        "openapi.yaml: MethodNotAllowed; recordings: methods-*",
    ),
    Rule(
        "path-unknown",
        "always",
        "medium",
        "A path that is not in the contract, one with a trailing slash included, is a 404 in JSON.",
        "recordings: path-unknown, path-trailing-slash",
    ),
    Rule(
        "content-type",
        "always",
        "medium",
        "An answer in JSON is application/json and nothing more; an answer without a body has no type.",
        "openapi.yaml: content; recordings: accept-*",
    ),
    Rule("answer-json", "always", "high", "An answer's body is well-formed JSON in UTF-8.", "openapi.yaml: content"),
    Rule(
        "answer-schema",
        "always",
        "high",
        "An answer's body keeps the schema of its status: every field there, of its type and form, and no other.",
        "openapi.yaml: schemas",
    ),
    Rule(
        "error-family",
        "always",
        "medium",
        "A refusal has the one of the four shapes that its status and operation have.",
        "openapi.yaml: info, Errors",
    ),
    Rule("allow", "always", "medium", "Every answer has Allow with the methods of its path.", "openapi.yaml: headers"),
    Rule("vary", "always", "low", "Every answer has Vary with Accept.", "openapi.yaml: Vary"),
    Rule(
        "www-authenticate",
        "always",
        "medium",
        "A 401 has WWW-Authenticate: Token, and no other answer has it.",
        "openapi.yaml: WWWAuthenticate",
    ),
    Rule(
        "retry-after",
        "always",
        "medium",
        "A 429 has Retry-After in whole seconds, the same number as in its text.",
        "openapi.yaml: RetryAfter; recordings: throttle-post",
    ),
    Rule("head-empty", "always", "low", "An answer to HEAD has no body.", "recordings: methods-head-*"),
    Rule(
        "links-kept",
        "always",
        "high",
        "Links to other pages are whole URLs on the host and path that were asked, with every other parameter kept.",
        "openapi.yaml: PageLink; recordings: cursor-host",
    ),
    Rule(
        "secret-unanswered",
        "always",
        "high",
        "No answer holds a credential: no API key, client secret or refresh token, nor a member named like one.",
        "openapi.yaml: ClientSecret, RefreshToken",
    ),
    Rule(
        "prompt",
        "always",
        "low",
        "An operation takes no more than a second as a rule, five on another machine.",
        "what clients expect",
    ),
)

_EXTREME = 4000
_LARGE_BODY = 1_000_000
_MOST_PARAMETERS = 1000
_SECONDS = re.compile(r"Expected available in (\d+) (second|seconds)\.")
_HTML = "text/html; charset=utf-8"


def look(run: Run, exchange: Exchange) -> None:
    """Holds one exchange against every rule of this module."""
    answers = answers_of(run.contract)
    place = answers.place(exchange.request.method, exchange.request.path)
    memory = run.memory
    verdicts = [*judge(answers, exchange), *links.judge(run, exchange), *leaking.judge(run, exchange)]
    verdicts += run.patience.judge(place.operation, exchange, live=bool(getattr(run.target, "live", False)))
    for verdict in verdicts:
        if verdict.rule in ("no-server-error", "answer-arrives") and not verdict.holds:
            verdict = _blamed(run, verdict, place, exchange)
        run.check(
            verdict.rule,
            verdict.holds,
            operation=place.operation,
            field=verdict.field,
            expected=verdict.expected,
            actual=verdict.actual,
            exchanges=[exchange] if verdict.holds else [*memory.before(exchange), exchange],
        )
    memory.remember(exchange)


def run(run: Run) -> None:
    """Nothing of its own to send: these rules look at what the other parts send."""


def _blamed(run: Run, verdict: Verdict, place: Place, exchange: Exchange) -> Verdict:
    """The verdict with the part of the request that is put down to; one that crashes whatever is sent stands alone."""
    broken = run.findings.broken
    known = {
        field: finding.exchanges[-1].request
        for (rule, operation, field), finding in broken.items()
        if (rule, operation) == (verdict.rule, place.operation)
    }
    field = suspects.suspect(exchange.request, known)
    if field == "":
        for name in known:
            if name:
                del broken[verdict.rule, place.operation, name]
    return verdict._replace(field=field)


def judge(answers: Answers, exchange: Exchange) -> Iterator[Verdict]:
    """The tests of status, headers and body, without those that need to know the target."""
    request = exchange.request
    arrived = exchange.status != 0
    yield Verdict("answer-arrives", arrived, "", "an answer", exchange.failure or "")
    if not arrived:
        return
    sound = exchange.status < 500
    yield Verdict("no-server-error", sound, "", "a status below 500", f"{exchange.status} {exchange.text[:200]}")
    if not sound or _refused_in_front(exchange):
        return
    place = answers.place(request.method, request.path)
    status = _status(answers, place, exchange)
    yield status
    if status.holds:
        yield from _headers(place, exchange)
        yield from _body(answers, place, exchange)


def broken(answers: Answers, exchange: Exchange) -> frozenset[str]:
    """The rules of status, headers and body that an answer breaks, so that other parts need not tell it again."""
    return frozenset(verdict.rule for verdict in judge(answers, exchange) if not verdict.holds)


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


def _refused_in_front(exchange: Exchange) -> bool:
    """A refusal that is not the API's own: of its framework or of a server before it, over an extreme request."""
    kind = exchange.headers.get("content-type", "")
    return (
        400 <= exchange.status < 500 and not kind.startswith("application/json") and not is_ordinary(exchange.request)
    )


def _status(answers: Answers, place: Place, exchange: Exchange) -> Verdict:
    method, status = exchange.request.method, exchange.status
    actual = f"{status} {exchange.text[:200]}"
    if place.template is None:
        expected = {404, 406, 403} | ({200} if method == "OPTIONS" else set())
        if not is_ordinary(exchange.request):
            expected |= {405}
        kind = exchange.headers.get("content-type", "")
        holds = status in expected and (kind.startswith("application/json") or _may_be_html(exchange.request))
        return Verdict("path-unknown", holds, "path", "404 in JSON", f"{kind}: {actual}")
    if method == "OPTIONS":
        holds = status in {200, 401, 404, 406}
        return Verdict("status-documented", holds, f"OPTIONS {status}", "200, 401, 404, 406", actual)
    if not place.declared:
        return Verdict("method-undeclared", status in {401, 404, 405, 406}, method, "405, 401, 404, 406", actual)
    known = answers.statuses(place.operation)
    return Verdict("status-documented", status in known, str(status), ", ".join(map(str, sorted(known))), actual)


def _headers(place: Place, exchange: Exchange) -> Iterator[Verdict]:
    headers, status = exchange.headers, exchange.status
    allow = headers.get("allow", "none")
    yield Verdict("allow", allow == place.allow, "Allow", place.allow, allow)
    vary = [name.strip().lower() for name in headers.get("vary", "").split(",")]
    yield Verdict("vary", "accept" in vary, "Vary", "Accept", headers.get("vary", "none"))
    wanted = "Token" if status == 401 else None
    scheme = headers.get("www-authenticate")
    yield Verdict("www-authenticate", scheme == wanted, "WWW-Authenticate", str(wanted), str(scheme))
    if status == 429:
        waits = _SECONDS.search(exchange.text)
        seconds = headers.get("retry-after", "none")
        holds = waits is not None and waits[1] == seconds and (waits[2] == "second") == (seconds == "1")
        yield Verdict(
            "retry-after", holds, "Retry-After", "the seconds of the text", f"{seconds}: {exchange.text[:200]}"
        )
    if exchange.request.method == "HEAD":
        yield Verdict("head-empty", not exchange.body, "body", "no body", exchange.text[:80])


def _body(answers: Answers, place: Place, exchange: Exchange) -> Iterator[Verdict]:
    kind = exchange.headers.get("content-type")
    if kind == _HTML and _may_be_html(exchange.request):
        return
    empty = place.declared and answers.empty(place.operation, exchange.status)
    wanted = None if empty else "application/json"
    yield Verdict("content-type", kind == wanted, "Content-Type", str(wanted), str(kind))
    if empty:
        yield Verdict("answer-schema", not exchange.body, "body", "no body", exchange.text[:200])
    elif kind == wanted and exchange.request.method != "HEAD":
        body = exchange.json
        well_formed = body is not None and _is_strict(exchange)
        yield Verdict("answer-json", well_formed, "body", "JSON", exchange.text[:200])
        if well_formed:
            yield from _shape(answers, place, exchange, body)


def _may_be_html(request: Request) -> bool:
    accepts = [value.lower() for name, value in request.headers if name.lower() == "accept"]
    return "format=api" in request.path or any("html" in value or "text/*" in value for value in accepts)


def _is_strict(exchange: Exchange) -> bool:
    """UTF-8 throughout, and none of the words that Python writes for numbers that JSON does not have."""
    try:
        text = exchange.body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return not re.search(r"(?<=[:\[,])\s*(NaN|-?Infinity)\s*(?=[,\]}])", text) or _quoted(text)


def _quoted(text: str) -> bool:
    """Whether those words are only inside strings."""
    return not re.search(r"NaN|Infinity", re.sub(r'"(?:[^"\\]|\\.)*"', '""', text))


def _shape(answers: Answers, place: Place, exchange: Exchange, body: Any) -> Iterator[Verdict]:
    status = exchange.status
    if status >= 400 and place.template is not None:
        wanted = families(place, exchange)
        have = family(body)
        fits = have in wanted
        yield Verdict("error-family", fits, str(status), " or ".join(sorted(wanted)), f"{have}: {exchange.text[:200]}")
        if not fits:
            return
    problems = answers.problems(_shape_name(place, exchange), status, body)
    if not problems:
        yield Verdict("answer-schema", True)
    for problem in problems:
        yield Verdict("answer-schema", False, problem.field, "the schema of openapi.yaml", problem.text)


def _shape_name(place: Place, exchange: Exchange) -> str:
    if place.template is None:
        return "unknown"
    if exchange.request.method == "OPTIONS" and exchange.status == 200:
        return "options"
    return place.operation if exchange.status != 405 else "undeclared"


def families(place: Place, exchange: Exchange) -> set[str]:
    """The shapes that a refusal may have there; those of a bad `format` and of strict mode included."""
    method, status = exchange.request.method, exchange.status
    if status == 400:
        return {"fields", "detail"} if method in ("POST", "PATCH") else {"error", "detail"}
    if status == 404 and "{" in (place.template or ""):
        return {"error", "detail"} if "format" in exchange.request.path else {"error"}
    return {"detail"}
