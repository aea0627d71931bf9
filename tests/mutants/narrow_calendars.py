"""Mutants of single calendars that are wrong in one narrow way: in what is created, read, changed or deleted."""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from collections.abc import Callable
from typing import Any

from mockserver.api.request import App
from mockserver.app import Mock
from mockserver.domain.calendar_service import CalendarChanges
from mockserver.domain.model import Calendar
from mockserver.domain.store import Project
from tests.mutants.bodies import fields
from tests.mutants.mutant import Mutant
from tests.mutants.state import Update, on_update, store
from tests.mutants.wrapped import LIST, ONE, Before, Call, Reply, Shell, after, before, refusal

_NOT_FOUND = {"error": "Calendar not found"}
_MISSING = "This field is required."


def _is_ours(call: Call) -> bool:
    return "/conformance-no-such" in call.path


def _delete_found_before_key(call: Call) -> Reply | None:
    asked = call.method == "DELETE" and _is_ours(call) and "authorization" not in call.headers
    return refusal(call, 404, _NOT_FOUND) if asked else None


def _bodies_as_empty(*bodies: bytes) -> Before:
    def change(call: Call) -> None:
        if call.is_on(ONE, methods="PATCH") and call.body in bodies:
            call.body = b"{}"

    return change


def _type_without_parameters(call: Call, reply: Reply) -> Reply | None:
    if not call.is_on(ONE, methods="PATCH") or reply.status != 415 or ";" not in call.headers.get("content-type", ""):
        return None
    kind = call.headers["content-type"].partition(";")[0]
    return reply.write({"detail": f'Unsupported media type "{kind}" in request.'})


def _cursor_of_one_refused(call: Call) -> Reply | None:
    asked = call.is_on(ONE, methods="GET") and call.parameters.get("cursor") == "bad"
    keyed = call.headers.get("authorization", "").startswith("Token ")
    return refusal(call, 404, {"detail": "Invalid cursor"}) if asked and keyed else None


def _cursor_of_create_refused(call: Call) -> Reply | None:
    asked = call.is_on(LIST, methods="POST") and "cursor" in call.parameters
    return refusal(call, 404, {"detail": "Invalid cursor"}) if asked else None


def _done_all_the_same(take: Callable[[Call], bool]) -> Callable[[Mock], App]:
    """What is refused before the method is looked at is done, and then refused; `take` makes the request a good one."""

    def prepare(call: Call) -> None:
        query, headers = call.query, dict(call.headers)
        if take(call):
            call.headers["x-refuse"] = json.dumps([query, headers.get("accept", "")])

    def refuse(call: Call, reply: Reply) -> Reply | None:
        if "x-refuse" not in call.headers:
            return None
        query, _ = json.loads(call.headers["x-refuse"])
        if "format" in query:
            return refusal(call, 404, {"detail": "Not found."})
        return refusal(call, 406, {"detail": "Could not satisfy the request Accept header."})

    return lambda mock: _both(prepare, refuse)(mock)


def _both(first: Before, then: Callable[[Call, Reply], Reply | None]) -> Callable[[Mock], App]:
    def apply(mock: Mock) -> App:
        noted: dict[str, str] = {}

        def ahead(call: Call) -> Reply | None:
            noted.clear()
            reply = first(call)
            noted.update({name: text for name, text in call.headers.items() if name == "x-refuse"})
            return reply

        def behind(call: Call, reply: Reply) -> Reply | None:
            call.headers.update(noted)
            return then(call, reply)

        return after(behind)(Shell(before(ahead)(mock)))

    return apply


def _delete_in_yaml(call: Call) -> bool:
    asked = call.is_on(ONE, methods="DELETE") and call.query == "format=yaml"
    call.query = "" if asked else call.query
    return asked


def _patch_in_xml(call: Call) -> bool:
    asked = call.is_on(ONE, methods="PATCH") and call.headers.get("accept") == "application/xml"
    asked = asked and call.headers.get("authorization", "").startswith("Token ")
    if asked:
        call.headers["accept"] = "*/*"
    return asked


def _head_in_yaml(call: Call) -> None:
    if call.method == "HEAD" and call.is_on(ONE) and call.query == "format=yaml":
        call.query = ""


def _head_found(call: Call, reply: Reply) -> None:
    known = "cal_0000" in call.path or _is_ours(call)
    if call.method == "HEAD" and call.is_on(ONE) and reply.status == 404 and not known and not call.query:
        reply.status = 200


def _options_not_found(call: Call) -> Reply | None:
    return refusal(call, 404, _NOT_FOUND) if call.method == "OPTIONS" and _is_ours(call) else None


def _put_not_found(call: Call) -> Reply | None:
    return refusal(call, 404, _NOT_FOUND) if call.method == "PUT" and _is_ours(call) else None


def _counted_in_utf_16(call: Call) -> Reply | None:
    sent = call.json if call.is_on(LIST, methods="POST") else None
    text = sent.get("client_id") if isinstance(sent, dict) else None
    if not isinstance(text, str) or not len(text) <= 255 < len(text.encode("utf-16-le", "replace")) // 2:
        return None
    error = "An unexpected error occurred while creating the calendar. Error ID: 4f6f2d0e-5c1b-4a7e-9d3e-2b8c7a1f0e5d"
    return refusal(call, 400, {"non_field_errors": [error]})


def _next_line_kept(call: Call, reply: Reply) -> Reply | None:
    sent = call.json if call.is_on(LIST, methods="POST") and reply.status == 201 else None
    text = sent.get("platform_uuid") if isinstance(sent, dict) else None
    if not isinstance(text, str) or "\x85" not in text or text == text.strip():
        return None
    return reply.write({**reply.json, "platform_uuid": f"\x85{reply.json['platform_uuid']}\x85"})


def _word_joiner_stripped(sent: dict[str, Any]) -> None:
    for name in ("client_id", "platform_uuid", "deduplication_key"):
        if isinstance(sent.get(name), str):
            sent[name] = sent[name].strip("\u2060")


def _platform_stripped(sent: dict[str, Any]) -> None:
    if isinstance(sent.get("platform"), str):
        sent["platform"] = sent["platform"].rstrip("\t")


def _client_id_ignored(sent: dict[str, Any]) -> None:
    if "platform" not in sent:
        sent.pop("client_id", None)


def _quotes_count_twice(call: Call) -> Reply | None:
    sent = call.json if call.is_on(ONE, methods="PATCH") else None
    metadata = sent.get("metadata") if isinstance(sent, dict) else None
    quoted = isinstance(metadata, dict) and json.dumps(metadata).count('\\"') > 50
    if not quoted or not 990 < len(json.dumps(metadata)) <= 1000:
        return None
    return refusal(call, 400, {"metadata": ["Metadata must be less than 1000 characters"]})


def _only_missing_told(call: Call, reply: Reply) -> Reply | None:
    told = reply.json if call.is_on(LIST, methods="POST") and reply.status == 400 else None
    missing = {name: texts for name, texts in told.items() if texts == [_MISSING]} if isinstance(told, dict) else {}
    return reply.write(missing) if missing else None


def _same_metadata_is_no_change(mock: Mock) -> App:
    def update(real: Update, project: Project, calendar_id: str, changes: CalendarChanges) -> Calendar:
        old = project.state.calendars.get(calendar_id)
        new = real(project, calendar_id, changes)
        if old is not None and "metadata" in changes and old.metadata == new.metadata:
            new = new._replace(updated_at=old.updated_at)
            store(project, new)
        return new

    return on_update(mock, update)


def _foreign_patch_touches(mock: Mock) -> App:
    """An empty change of another project's calendar is refused, and sets its updated_at."""

    def change(call: Call) -> None:
        if not call.is_on(ONE, methods="PATCH") or call.body != b"{}":
            return
        mine = mock.store.by_key.get(call.headers.get("authorization", "").rpartition(" ")[2])
        for project in mock.store.projects:
            calendar = project.state.calendars.get(call.path.removeprefix(ONE))
            if project is not mine and mine is not None and calendar is not None:
                store(project, calendar._replace(updated_at=calendar.updated_at + 1_000_000))

    return before(change)(mock)


def _freed_once(mock: Mock) -> App:
    made: Counter[tuple[str, str]] = Counter()

    def refuse(call: Call) -> Reply | None:
        sent = call.json if call.is_on(LIST, methods="POST") else None
        key = sent.get("deduplication_key") if isinstance(sent, dict) else None
        if isinstance(key, str) and made[call.headers.get("authorization", ""), key] >= 2:
            told = "A calendar with this deduplication key already exists in this project."
            return refusal(call, 400, {"deduplication_key": [told]})
        return None

    def note(call: Call, reply: Reply) -> None:
        if call.is_on(LIST, methods="POST") and reply.status == 201 and "deduplication_key" in reply.json:
            made[call.headers.get("authorization", ""), reply.json["deduplication_key"]] += 1

    return after(note)(Shell(before(refuse)(mock)))


def _names_by_utf_16(call: Call, reply: Reply) -> Reply | None:
    body = reply.json if call.is_on(ONE, methods="PATCH") and reply.status == 200 else None
    if not isinstance(body, dict) or not isinstance(body.get("metadata"), dict):
        return None
    names = sorted(body["metadata"], key=lambda name: (len(name.encode()), name.encode("utf-16-be")))
    return reply.write({**body, "metadata": {name: body["metadata"][name] for name in names}})


def _unique(alike: Callable[[str], str]) -> Callable[[Mock], App]:
    """Keys that are alike count as equal, without being so."""

    def apply(mock: Mock) -> App:
        def refuse(call: Call) -> Reply | None:
            sent = call.json if call.is_on(LIST, methods="POST") else None
            key = sent.get("deduplication_key") if isinstance(sent, dict) else None
            project = mock.store.by_key.get(call.headers.get("authorization", "").rpartition(" ")[2])
            if not isinstance(key, str) or project is None or key.strip() in project.state.calendar_ids:
                return None
            keys = (calendar.deduplication_key for calendar in project.state.calendars)
            told = "A calendar with this deduplication key already exists in this project."
            taken = any(one is not None and alike(one) == alike(key.strip()) for one in keys)
            return refusal(call, 400, {"deduplication_key": [told]}) if taken else None

        return before(refuse)(mock)

    return apply


def _unaccented(text: str) -> str:
    return "".join(one for one in unicodedata.normalize("NFD", text) if not unicodedata.combining(one))


def _padded_key_is_another(sent: dict[str, Any]) -> None:
    key = sent.get("deduplication_key")
    if isinstance(key, str) and key.startswith("\t\n\x0b"):
        sent["deduplication_key"] = f"{key.strip()}-"


def _slash_ignored(call: Call) -> None:
    name = call.path.removeprefix(ONE)
    if call.method == "GET" and name.startswith("cal_") and name.endswith("/") and "cal_0000" not in name:
        call.path = call.path.rstrip("/")


MUTANTS: tuple[Mutant, ...] = (
    Mutant(
        "delete-looks-up-before-missing-key",
        "auth",
        "DELETE of an unknown id without a key is a 404",
        before(_delete_found_before_key),
    ),
    Mutant("patch-takes-nan", "status", "PATCH takes the body NaN for no fields", before(_bodies_as_empty(b"NaN"))),
    Mutant(
        "patch-takes-false",
        "status",
        "PATCH takes the bodies false, 0 and an empty text for no fields",
        before(_bodies_as_empty(b"false", b"0", b'""')),
    ),
    Mutant(
        "patch-415-cuts-parameters",
        "status",
        "the 415 of PATCH leaves out the parameters of the type",
        after(_type_without_parameters),
    ),
    Mutant(
        "calendar-knows-cursor", "status", "one calendar with a bad cursor is a 404", before(_cursor_of_one_refused)
    ),
    Mutant(
        "create-knows-cursor", "status", "a new calendar with a bad cursor is a 404", before(_cursor_of_create_refused)
    ),
    Mutant(
        "refused-format-deletes",
        "state",
        "DELETE with format=yaml deletes, and answers 404",
        _done_all_the_same(_delete_in_yaml),
    ),
    Mutant(
        "refused-accept-changes",
        "state",
        "PATCH with a bad Accept changes, and answers 406",
        _done_all_the_same(_patch_in_xml),
    ),
    Mutant("head-ignores-format", "headers", "HEAD of a calendar ignores format", before(_head_in_yaml)),
    Mutant(
        "head-of-gone-calendar-answers-200",
        "headers",
        "HEAD of a calendar that is gone or foreign is a 200",
        after(_head_found),
    ),
    Mutant(
        "options-of-other-id-answers-404",
        "headers",
        "OPTIONS of an id of another form is a 404",
        before(_options_not_found),
    ),
    Mutant("put-of-unknown-id-answers-404", "status", "PUT of an unknown id is a 404", before(_put_not_found)),
    Mutant(
        "client-id-counted-in-utf-16",
        "status",
        "the length of client_id is counted in UTF-16",
        before(_counted_in_utf_16),
    ),
    Mutant(
        "next-line-kept-in-platform-uuid",
        "state",
        "U+0085 around platform_uuid is not stripped",
        after(_next_line_kept),
    ),
    Mutant("word-joiner-stripped", "state", "U+2060 is stripped", before(fields(_word_joiner_stripped, LIST))),
    Mutant(
        "platform-loses-tab", "status", "a tab after the platform is stripped", before(fields(_platform_stripped, LIST))
    ),
    Mutant("patch-ignores-client-id", "status", "PATCH ignores client_id", before(fields(_client_id_ignored, ONE))),
    Mutant(
        "quotes-in-metadata-count-twice",
        "status",
        "in updates a quote counts as two escapes",
        before(_quotes_count_twice),
    ),
    Mutant(
        "missing-fields-hide-wrong-ones",
        "status",
        "where fields are missing, wrong ones are not told",
        after(_only_missing_told),
    ),
    Mutant(
        "same-metadata-keeps-updated-at",
        "timing",
        "a change to the same metadata keeps updated_at",
        _same_metadata_is_no_change,
    ),
    Mutant(
        "foreign-empty-patch-touches",
        "tenants",
        "an empty PATCH of another project's calendar sets updated_at",
        _foreign_patch_touches,
    ),
    Mutant("key-freed-once", "state", "a deduplication key can be used again once", _freed_once),
    Mutant(
        "updated-names-in-utf-16-order",
        "schema",
        "PATCH answers names of metadata in the order of UTF-16",
        after(_names_by_utf_16),
    ),
    Mutant(
        "dedup-keys-unique-by-900-characters",
        "state",
        "keys with the same 900 characters count as equal",
        _unique(lambda key: key[:900]),
    ),
    Mutant(
        "dedup-keys-unique-without-accents", "state", "keys count as equal without their accents", _unique(_unaccented)
    ),
    Mutant(
        "key-padded-with-vertical-tab-is-another",
        "state",
        "a key in use with a tab, a line and a vertical tab before it is taken",
        before(fields(_padded_key_is_another, LIST)),
    ),
    Mutant(
        "calendar-found-with-slash", "status", "a calendar is found with a slash behind its id", before(_slash_ignored)
    ),
)
