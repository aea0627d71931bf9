"""Mutants of schema: answers of the wrong shape."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.mutants.mutant import Mutant
from tests.mutants.wrapped import EVENTS, LIST, ONE, Call, Reply, after, documents, said

_CALENDARS = (LIST, ONE)


def _put(name: str, value: Callable[[Any], Any]) -> Callable[[dict[str, Any]], None]:
    """Changes one member; it is not there for all."""

    def change(document: dict[str, Any]) -> None:
        if name in document:
            document[name] = value(document[name])

    return change


def _drop(name: str) -> Callable[[dict[str, Any]], None]:
    return lambda document: document.pop(name, None)


def _bare_page(call: Call, reply: Reply) -> Reply | None:
    if call.is_on(LIST, EVENTS, methods="GET") and reply.status == 200 and reply.body.endswith(b'"results":[]}'):
        return reply.write({**reply.json, "results": None})
    return None


def _counted_page(call: Call, reply: Reply) -> Reply | None:
    if call.is_on(LIST, methods="GET") and reply.status == 200 and call.method == "GET" and reply.body[:2] == b'{"':
        return reply.write({"count": 1, **reply.json})
    return None


def _bare_list(call: Call, reply: Reply) -> Reply | None:
    if call.is_on(EVENTS, methods="GET") and reply.status == 200 and reply.body[:2] == b'{"':
        return reply.write(reply.json["results"])
    return None


def _patch_says_ok(call: Call, reply: Reply) -> Reply | None:
    return said(200, {"status": "ok"}, allow=reply.headers["allow"]) if _is(call, reply, ONE, "PATCH", 200) else None


def _is(call: Call, reply: Reply, path: str, method: str, status: int) -> bool:
    return call.is_on(path, methods=method) and reply.status == status


def _nested_error(call: Call, reply: Reply) -> Reply | None:
    if call.is_on(ONE) and reply.status == 404 and reply.body:
        return reply.write({"error": {"code": "not_found", "message": "Calendar not found"}})
    return None


def _text_for_list(call: Call, reply: Reply) -> Reply | None:
    if _is(call, reply, LIST, "POST", 400) and isinstance(reply.json, dict) and "platform" in reply.json:
        return reply.write({name: told[0] for name, told in reply.json.items()})
    return None


def _not_utf8(call: Call, reply: Reply) -> Reply | None:
    if call.method == "GET" and reply.status == 200 and not reply.body.isascii():
        reply.body = reply.body.decode().encode("latin-1", "replace")
        return reply
    return None


def _two_bodies(call: Call, reply: Reply) -> Reply | None:
    if _is(call, reply, LIST, "POST", 201):
        reply.body += b"\n" + reply.body
        return reply
    return None


def _first_only(call: Call, reply: Reply) -> Reply | None:
    """Only what is listed first lacks the member, as when a branch for fresh rows forgets it."""
    found = reply.documents() if call.is_on(LIST, methods="GET") else []
    if not found:
        return None
    body = reply.json
    body["results"][0].pop("last_successful_sync_at")
    return reply.write(body)


def _listed_without_metadata(call: Call, reply: Reply) -> Reply | None:
    if not call.is_on(LIST, methods="GET") or not reply.documents():
        return None
    body = reply.json
    for document in body["results"]:
        document["metadata"] = None
    return reply.write(body)


def _mutant(slug: str, defect: str, apply: Any) -> Mutant:
    return Mutant(slug, "schema", defect, apply)


MUTANTS: tuple[Mutant, ...] = (
    _mutant(
        "metadata-returned-as-text",
        "metadata comes back as a JSON string",
        documents(_put("metadata", json.dumps), *_CALENDARS),
    ),
    _mutant(
        "created-at-without-z",
        "created_at without Z",
        documents(_put("created_at", lambda t: t.rstrip("Z")), *_CALENDARS),
    ),
    _mutant(
        "connection-failure-data-missing",
        "connection_failure_data missing",
        documents(_drop("connection_failure_data"), *_CALENDARS),
    ),
    _mutant(
        "undocumented-field-internal-id",
        "undocumented field internal_id",
        documents(lambda d: d.update(internal_id=7), *_CALENDARS),
    ),
    _mutant("platform-in-upper-case", "platform in upper case", documents(_put("platform", str.upper), *_CALENDARS)),
    _mutant(
        "id-without-prefix", "ids without cal_", documents(_put("id", lambda t: t.removeprefix("cal_")), *_CALENDARS)
    ),
    _mutant("is-deleted-as-number", "is_deleted 0/1 instead of boolean", documents(_put("is_deleted", int), EVENTS)),
    _mutant("empty-results-null", "results null when the page is empty", after(_bare_page)),
    _mutant(
        "null-attendees-as-empty-text",
        "null attendees as empty string",
        documents(_put("attendees", lambda a: "" if a is None else a), EVENTS),
    ),
    _mutant("list-lacks-metadata", "list items have metadata null, detail has it", after(_listed_without_metadata)),
    _mutant(
        "updated-at-ends-in-plus-00-00",
        "updated_at ends in +00:00",
        documents(_put("updated_at", lambda t: t[:-1] + "+00:00"), EVENTS),
    ),
    _mutant(
        "start-time-in-milliseconds",
        "start_time in milliseconds",
        documents(_put("start_time", lambda t: t[:-1][:19] + ".000Z"), EVENTS),
    ),
    _mutant("page-has-count", "pages have a count", after(_counted_page)),
    _mutant("raw-returned-as-text", "raw comes back as a JSON string", documents(_put("raw", json.dumps), EVENTS)),
    _mutant("no-bots-null", "bots null where there are none", documents(_put("bots", lambda b: b or None), EVENTS)),
    _mutant("events-as-bare-list", "events are a bare list", after(_bare_list)),
    _mutant(
        "unsynced-time-as-empty-text",
        "never synchronised: empty text",
        documents(_put("last_attempted_sync_at", lambda t: t or ""), ONE),
    ),
    _mutant(
        "create-answer-lacks-metadata",
        "a new calendar has no metadata",
        documents(_drop("metadata"), LIST, methods="POST"),
    ),
    _mutant("patch-answers-status-ok", "PATCH answers {status: ok}", after(_patch_says_ok)),
    _mutant("404-nests-error", "404 with a nested error object", after(_nested_error)),
    _mutant("field-errors-as-texts", "field errors are texts, not lists", after(_text_for_list)),
    _mutant("answers-in-latin-1", "answers in latin-1", after(_not_utf8)),
    _mutant("201-body-written-twice", "the body of a 201 is written twice", after(_two_bodies)),
    _mutant(
        "first-row-lacks-last-successful-sync-at",
        "the first of a list lacks last_successful_sync_at",
        after(_first_only),
    ),
    _mutant(
        "new-calendar-state-connecting",
        "state is connecting for a new calendar",
        documents(lambda d: d.update(state="connecting"), LIST, methods="POST"),
    ),
)
