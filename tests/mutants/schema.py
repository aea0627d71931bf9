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


def _mutant(number: int, defect: str, apply: Any) -> Mutant:
    return Mutant(f"S{number}", "schema", defect, apply)


MUTANTS: tuple[Mutant, ...] = (
    _mutant(1, "metadata comes back as a JSON string", documents(_put("metadata", json.dumps), *_CALENDARS)),
    _mutant(2, "created_at without Z", documents(_put("created_at", lambda t: t.rstrip("Z")), *_CALENDARS)),
    _mutant(3, "connection_failure_data missing", documents(_drop("connection_failure_data"), *_CALENDARS)),
    _mutant(4, "undocumented field internal_id", documents(lambda d: d.update(internal_id=7), *_CALENDARS)),
    _mutant(5, "platform in upper case", documents(_put("platform", str.upper), *_CALENDARS)),
    _mutant(6, "ids without cal_", documents(_put("id", lambda t: t.removeprefix("cal_")), *_CALENDARS)),
    _mutant(7, "is_deleted 0/1 instead of boolean", documents(_put("is_deleted", int), EVENTS)),
    _mutant(8, "results null when the page is empty", after(_bare_page)),
    _mutant(
        9, "null attendees as empty string", documents(_put("attendees", lambda a: "" if a is None else a), EVENTS)
    ),
    _mutant(10, "list items have metadata null, detail has it", after(_listed_without_metadata)),
    _mutant(11, "updated_at ends in +00:00", documents(_put("updated_at", lambda t: t[:-1] + "+00:00"), EVENTS)),
    _mutant(12, "start_time in milliseconds", documents(_put("start_time", lambda t: t[:-1][:19] + ".000Z"), EVENTS)),
    _mutant(13, "pages have a count", after(_counted_page)),
    _mutant(14, "raw comes back as a JSON string", documents(_put("raw", json.dumps), EVENTS)),
    _mutant(15, "bots null where there are none", documents(_put("bots", lambda b: b or None), EVENTS)),
    _mutant(16, "events are a bare list", after(_bare_list)),
    _mutant(17, "never synchronised: empty text", documents(_put("last_attempted_sync_at", lambda t: t or ""), ONE)),
    _mutant(18, "a new calendar has no metadata", documents(_drop("metadata"), LIST, methods="POST")),
    _mutant(19, "PATCH answers {status: ok}", after(_patch_says_ok)),
    _mutant(20, "404 with a nested error object", after(_nested_error)),
    _mutant(21, "field errors are texts, not lists", after(_text_for_list)),
    _mutant(22, "answers in latin-1", after(_not_utf8)),
    _mutant(23, "the body of a 201 is written twice", after(_two_bodies)),
    _mutant(24, "the first of a list lacks last_successful_sync_at", after(_first_only)),
    _mutant(
        25,
        "state is connecting for a new calendar",
        documents(lambda d: d.update(state="connecting"), LIST, methods="POST"),
    ),
)
