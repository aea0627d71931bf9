"""Mutants of headers, methods and representations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mockserver.api.request import App, Receive, Scope, Send
from mockserver.app import Mock
from mockserver.http.connection import RAW
from tests.mutants.mutant import Mutant
from tests.mutants.wrapped import API, EVENTS, LIST, ONE, After, Call, Reply, after, before, crash, renamed, said

_ANY = (LIST, EVENTS, ONE)


def _header(name: str, value: str | None, **when: Any) -> After:
    """Sets a header, or drops it, of answers of a status, a method or a path."""

    def change(call: Call, reply: Reply) -> None:
        statuses, methods = when.get("statuses"), when.get("methods", "")
        if not call.is_on(*when.get("paths", _ANY), methods=methods) or (statuses and reply.status not in statuses):
            return
        if value is None:
            reply.headers.pop(name, None)
        else:
            reply.headers[name] = value

    return change


def _head_has_body(mock: Mock) -> App:
    """Written to the connection itself where there is one, for a server drops such a body."""
    inner = mock.asgi
    body = b'{"next":null,"previous":null,"results":[]}'

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD" or not scope["path"].startswith(API):
            await inner(scope, receive, send)
            return
        connection = scope.get("state", {}).get(RAW)
        statuses: list[int] = []

        async def with_body(message: Any) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])
            elif statuses == [200] and connection is None:
                message = {**message, "body": body}
            elif statuses == [200] and connection is not None:
                await send({**message, "more_body": True})  # so that the head is on its way
                connection.write(body)
            await send(message)

        await inner(scope, receive, with_body)

    return app


def _any_accept(call: Call) -> None:
    if "xml" in call.headers.get("accept", ""):
        call.headers["accept"] = "application/json"


def _throttled(header: str | None, text: str = "1 second") -> Callable[[Mock], App]:
    """The ninth POST is one too many; the wait is short."""

    def apply(mock: Mock) -> App:
        count = [0]

        def change(call: Call) -> Reply | None:
            if not call.is_on(LIST, methods="POST") or "authorization" not in call.headers:
                return None
            count[0] += 1
            if count[0] != 9:
                return None
            told = {"detail": f"Request was throttled. Expected available in {text}."}
            sent = {"allow": "GET, POST, HEAD, OPTIONS"} | ({} if header is None else {"retry-after": header})
            return said(429, told, **sent)

        return before(change)(mock)

    return apply


def _gets_throttled(mock: Mock) -> App:
    count = [0]

    def change(call: Call) -> Reply | None:
        if call.method != "GET" or not call.is_on(EVENTS):
            return None
        count[0] += 1
        told = {"detail": "Request was throttled. Expected available in 1 second."}
        sent = {"allow": "GET, HEAD, OPTIONS", "retry-after": "1"}
        return said(429, told, **sent) if count[0] == 20 else None

    return before(change)(mock)


def _open_options(call: Call) -> None:
    if call.method == "OPTIONS" and "authorization" not in call.headers:
        call.headers["authorization"] = "Token acmezictyO3S8ktCJsCRGI4TPrXdUeV1"


def _plain_405(call: Call, reply: Reply) -> Reply | None:
    return reply.write({"detail": 'Method "GET" not allowed.'}) if reply.status == 405 and reply.body else None


def _no_head(call: Call) -> Reply | None:
    if call.method == "HEAD" and call.is_on(EVENTS) and "authorization" in call.headers:
        return Reply(405, {"content-type": "application/json", "allow": "GET, HEAD, OPTIONS", "vary": "Accept"})
    return None


def _key_before_accept(call: Call) -> None:
    if "authorization" not in call.headers and call.is_on(*_ANY):
        call.headers.pop("accept", None)


def _q_counts(call: Call) -> None:
    if call.headers.get("accept", "").replace(" ", "").endswith("json;q=0"):
        call.headers["accept"] = "image/png"


def _strict_charset(call: Call) -> None:
    if call.headers.get("accept-charset") == "utf-16":
        call.headers["accept"] = "image/png"


def _vendor_json(call: Call) -> None:
    if "+json" in call.headers.get("accept", ""):
        call.headers["accept"] = "application/json"


def _hidden_override(mock: Mock) -> App:
    """The calendar is deleted, and shown as it was."""

    def change(call: Call, reply: Reply) -> None:
        if call.is_on(ONE, methods="GET") and "x-http-method-override" in call.headers and reply.status == 200:
            project = mock.store.by_key[call.headers["authorization"].rpartition(" ")[2]]
            mock.calendar_service.delete_calendar(project, call.path.rpartition("/")[2])

    return after(change)(mock)


def _override(call: Call) -> None:
    if "x-http-method-override" in call.headers:
        call.method = call.headers["x-http-method-override"]


def _bare_options(call: Call, reply: Reply) -> Reply | None:
    if call.method == "OPTIONS" and reply.status == 200 and call.is_on(LIST):
        return reply.write({name: value for name, value in reply.json.items() if name != "actions"})
    return None


def _case_of_accept(call: Call) -> None:
    if call.headers.get("accept", "").isupper():
        call.headers["accept"] = "image/png"


def _head_as_html(call: Call, reply: Reply) -> None:
    if call.method == "HEAD" and reply.status == 404:
        reply.headers["vary"] = "Accept, Cookie"


def _not_modified(call: Call) -> Reply | None:
    if "if-none-match" in call.headers and call.method == "GET":
        return Reply(304, {"vary": "Accept", "allow": "GET, POST, HEAD, OPTIONS"})
    return None


def _ranges(call: Call, reply: Reply) -> None:
    if "range" in call.headers and reply.status == 200:
        reply.body = reply.body[:11]


def _german(call: Call, reply: Reply) -> Reply | None:
    if call.headers.get("accept-language", "").startswith("de") and b"Calendar not found" in reply.body:
        return reply.write({"error": "Kalender nicht gefunden"})
    return None


def _unknown_needs_key(call: Call) -> Reply | None:
    if call.path in ("/api/v1/nope", f"{LIST}/") and "authorization" not in call.headers:
        told = {"detail": "Missing Authorization header"}
        allow = "GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS"
        return said(401, told, allow=allow, **{"www-authenticate": "Token"})
    return None


def _unknown_in_other_words(call: Call, reply: Reply) -> Reply | None:
    return reply.write({"detail": "Not found."}) if b'"Not found"' in reply.body else None


def _internal_links(call: Call, reply: Reply) -> None:
    reply.body = reply.body.replace(b"http://", b"http://10.0.0.7:8000/proxy/") if call.is_on(EVENTS) else reply.body


def _mutant(slug: str, defect: str, apply: Callable[[Mock], App]) -> Mutant:
    return Mutant(slug, "headers", defect, apply)


MUTANTS: tuple[Mutant, ...] = (
    _mutant(
        "get-json-sent-as-html",
        "JSON sent as text/html on GET",
        after(_header("content-type", "text/html; charset=utf-8", methods="GET")),
    ),
    _mutant("405-without-allow", "405 without Allow", after(_header("allow", None, statuses=(405,)))),
    _mutant("401-without-www-authenticate", "401 without WWW-Authenticate", after(_header("www-authenticate", None))),
    _mutant(
        "allow-lacks-post-and-patch",
        "Allow leaves out POST and PATCH",
        after(_header("allow", "GET, DELETE, HEAD, OPTIONS", paths=(LIST, ONE))),
    ),
    _mutant(
        "400-sent-as-plain-text",
        "400 bodies sent as text/plain",
        after(_header("content-type", "text/plain", statuses=(400,))),
    ),
    _mutant("head-sends-body", "HEAD has a body", _head_has_body),
    _mutant("accept-xml-answers-200", "Accept: application/xml answered 200", before(_any_accept)),
    _mutant(
        "options-crashes",
        "OPTIONS crashes",
        before(lambda call: crash() if call.method == "OPTIONS" and call.is_on(EVENTS) else None),
    ),
    _mutant("vary-missing", "Vary missing", after(_header("vary", None, paths=(EVENTS,)))),
    _mutant("429-without-retry-after", "Retry-After missing on 429", _throttled(None)),
    _mutant("retry-after-differs-from-text", "Retry-After is not what the text says", _throttled("2")),
    _mutant("429-says-1-seconds", "429 says 1 seconds", _throttled("1", "1 seconds")),
    _mutant("options-needs-no-key", "OPTIONS needs no key", before(_open_options)),
    _mutant("405-names-another-method", "405 names another method", after(_plain_405)),
    _mutant(
        "content-type-with-charset",
        "application/json; charset=utf-8",
        after(_header("content-type", "application/json; charset=utf-8", methods="POST", statuses=(201, 401, 415))),
    ),
    _mutant(
        "delete-sends-content-type",
        "DELETE has a Content-Type",
        after(_header("content-type", "application/json", methods="DELETE", statuses=(200,))),
    ),
    _mutant("head-of-events-answers-405", "HEAD of events is a 405", before(_no_head)),
    _mutant("missing-key-checked-before-accept", "a missing key is told before Accept", before(_key_before_accept)),
    _mutant("accept-q-zero-counts", "q=0 counts", before(_q_counts)),
    _mutant(
        "format-parameter-ignored",
        "the parameter format is not looked at",
        renamed(lambda c: c.query.replace("format=", "fmt="), lambda b: b.replace(b"fmt=", b"format=")),
    ),
    _mutant(
        "www-authenticate-says-bearer",
        "WWW-Authenticate: Bearer",
        after(_header("www-authenticate", "Bearer", statuses=(401,))),
    ),
    _mutant("method-override-obeyed", "X-HTTP-Method-Override is obeyed", before(_override)),
    _mutant("options-lacks-actions", "OPTIONS of the list has no actions", after(_bare_options)),
    _mutant("accept-in-upper-case-refused", "Accept in upper case is refused", before(_case_of_accept)),
    _mutant("head-of-unknown-id-changes-vary", "HEAD of what is not there has another Vary", after(_head_as_html)),
    _mutant("if-none-match-answers-304", "If-None-Match: * is a 304", before(_not_modified)),
    _mutant("range-cuts-body", "Range cuts the answer", after(_ranges)),
    _mutant("errors-follow-accept-language", "errors in the language that is asked for", after(_german)),
    _mutant("unknown-path-needs-key", "unknown paths ask for a key", before(_unknown_needs_key)),
    _mutant("unknown-path-has-other-text", "unknown paths are told in other words", after(_unknown_in_other_words)),
    _mutant(
        "every-answer-has-www-authenticate",
        "every answer has WWW-Authenticate",
        after(_header("www-authenticate", "Token", statuses=(200,), paths=(ONE,))),
    ),
    _mutant("event-links-show-internal-host", "links of events lead to an internal host", after(_internal_links)),
    _mutant("gets-are-throttled", "GETs are throttled", _gets_throttled),
    _mutant("accept-charset-answers-406", "Accept-Charset: utf-16 is a 406", before(_strict_charset)),
    _mutant("method-override-deletes-silently", "X-HTTP-Method-Override deletes unseen", _hidden_override),
    _mutant("vendor-json-type-accepted", "vendor types are taken as JSON", before(_vendor_json)),
    _mutant(
        "allow-of-events-has-post",
        "Allow of events has POST",
        after(_header("allow", "GET, POST, HEAD, OPTIONS", paths=(EVENTS,))),
    ),
)
