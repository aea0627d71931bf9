"""Mutants that are wrong in one narrow way: on one field, value or operation, beside another parameter, late."""

from __future__ import annotations

import base64
import json
import unicodedata
from collections import Counter
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlencode

from mockserver.api.request import App
from mockserver.app import Mock
from mockserver.domain.calendar_service import CalendarChanges
from mockserver.domain.model import Calendar
from mockserver.domain.store import Project
from tests.clients import ACME
from tests.mutants.bodies import fields
from tests.mutants.mutant import Mutant
from tests.mutants.state import Update, on_update, store
from tests.mutants.wrapped import EVENTS, LIST, ONE, Before, Call, Reply, Shell, after, before, said

_ALLOW = {LIST: "GET, POST, HEAD, OPTIONS", EVENTS: "GET, HEAD, OPTIONS"}
_NOT_FOUND = {"error": "Calendar not found"}
_MISSING = "This field is required."


def _refusal(call: Call, status: int, body: Any) -> Reply:
    """A refusal with the headers that the contract asks for."""
    return said(status, body, allow=_ALLOW.get(call.path, "GET, PATCH, DELETE, HEAD, OPTIONS"))


def _pairs(call: Call) -> list[tuple[str, str]]:
    return parse_qsl(call.query, keep_blank_values=True)


def _is_ours(call: Call) -> bool:
    return "/conformance-no-such" in call.path


def _no_key_for_token_alone(call: Call, reply: Reply) -> Reply | None:
    alone = call.is_on(EVENTS, methods="GET") and reply.status == 401 and call.headers.get("authorization") == "Token"
    return reply.write({"detail": "Missing Authorization header"}) if alone else None


def _ordering_before_disabled(call: Call) -> Reply | None:
    keyed = call.headers.get("authorization", "").startswith("Token ")
    if not call.is_on(EVENTS, methods="GET") or call.query != "ordering=bad" or not keyed:
        return None
    listed = "-updated_at, updated_at, start_time, -start_time, end_time, -end_time, created_at, -created_at"
    return _refusal(call, 400, {"error": f"Invalid ordering. Allowed values: {listed}"})


def _bearer_taken(call: Call) -> None:
    if call.is_on(EVENTS) and call.headers.get("authorization") == f"Bearer {ACME}":
        call.headers["authorization"] = f"Token {ACME}"


def _delete_found_before_key(call: Call) -> Reply | None:
    asked = call.method == "DELETE" and _is_ours(call) and "authorization" not in call.headers
    return _refusal(call, 404, _NOT_FOUND) if asked else None


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


def _quietly(change: Callable[[Call], None]) -> Callable[[Mock], App]:
    """Changes the query of events; links keep what was asked."""

    def asked_again(call: Call, reply: Reply) -> Reply | None:
        if not call.is_on(EVENTS, methods="GET") or reply.status != 200 or not reply.body.startswith(b"{"):
            return None
        body = reply.json
        asked = [(name, text) for name, text in _pairs(call) if name != "cursor"]
        for name in ("next", "previous"):
            address, _, query = (body.get(name) or "").partition("?")
            cursor = [(one, text) for one, text in parse_qsl(query) if one == "cursor"]
            if cursor:
                body[name] = f"{address}?{urlencode(sorted([*asked, *cursor]))}"
        return reply.write(body) if "next" in body else None

    return lambda mock: after(asked_again)(Shell(before(change)(mock)))


def _first_counts(path: str, name: str) -> Callable[[Call], None]:
    def change(call: Call) -> None:
        pairs = _pairs(call)
        values = [text for one, text in pairs if one == name]
        if call.is_on(path, methods="GET") and len(values) > 1:
            call.query = urlencode([*((one, text) for one, text in pairs if one != name), (name, values[0])])

    return change


def _empty_ignored(name: str, beside: str) -> Callable[[Call], None]:
    def change(call: Call) -> None:
        given = call.parameters
        if call.is_on(EVENTS, methods="GET") and given.get(name) == "" and beside in given:
            call.query = urlencode([(one, text) for one, text in _pairs(call) if one != name])

    return change


def _end_time_first(call: Call, reply: Reply) -> Reply | None:
    two = set(call.parameters) == {"start_time_gte", "end_time_lte"} and call.parameters["end_time_lte"] == "bad"
    if not two or reply.status != 400 or b"start_time_gte" not in reply.body:
        return None
    return reply.write({"error": "Invalid end_time_lte format. Use ISO 8601 format (e.g., 2025-01-13T18:00:00Z)"})


def _key_of_calendars_counts(call: Call) -> None:
    if call.is_on(EVENTS, methods="GET"):
        call.query = (
            call.query.replace("deduplication_key=x", "calendar_deduplication_key=x") if _only_key(call) else call.query
        )


def _only_key(call: Call) -> bool:
    return set(call.parameters) == {"deduplication_key"}


def _oldest_first_if_asked(call: Call, reply: Reply) -> Reply | None:
    asked = call.is_on(LIST, methods="GET") and call.parameters.get("ordering") == "created_at" and reply.status == 200
    return reply.write({**reply.json, "results": reply.json["results"][::-1]}) if asked else None


def _cursor_of_one_refused(call: Call) -> Reply | None:
    asked = call.is_on(ONE, methods="GET") and call.parameters.get("cursor") == "bad"
    keyed = call.headers.get("authorization", "").startswith("Token ")
    return _refusal(call, 404, {"detail": "Invalid cursor"}) if asked and keyed else None


def _cursor_of_create_refused(call: Call) -> Reply | None:
    asked = call.is_on(LIST, methods="POST") and "cursor" in call.parameters
    return _refusal(call, 404, {"detail": "Invalid cursor"}) if asked else None


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
            return _refusal(call, 404, {"detail": "Not found."})
        return _refusal(call, 406, {"detail": "Could not satisfy the request Accept header."})

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
    return _refusal(call, 404, _NOT_FOUND) if call.method == "OPTIONS" and _is_ours(call) else None


def _put_not_found(call: Call) -> Reply | None:
    return _refusal(call, 404, _NOT_FOUND) if call.method == "PUT" and _is_ours(call) else None


def _half_hours_lost(call: Call) -> None:
    if call.is_on(EVENTS, methods="GET") and "cursor" not in call.query:
        call.query = call.query.replace("-03%3A30", "-04%3A30")


def _no_times_before_1970(call: Call) -> Reply | None:
    early = call.is_on(EVENTS, methods="GET") and call.parameters.get("end_time_lte", "").startswith("1969-")
    told = "Invalid end_time_lte format. Use ISO 8601 format (e.g., 2025-01-13T18:00:00Z)"
    return _refusal(call, 400, {"error": told}) if early else None


def _counted_in_utf_16(call: Call) -> Reply | None:
    sent = call.json if call.is_on(LIST, methods="POST") else None
    text = sent.get("client_id") if isinstance(sent, dict) else None
    if not isinstance(text, str) or not len(text) <= 255 < len(text.encode("utf-16-le", "replace")) // 2:
        return None
    error = "An unexpected error occurred while creating the calendar. Error ID: 4f6f2d0e-5c1b-4a7e-9d3e-2b8c7a1f0e5d"
    return _refusal(call, 400, {"non_field_errors": [error]})


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
    return _refusal(call, 400, {"metadata": ["Metadata must be less than 1000 characters"]})


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
            return _refusal(call, 400, {"deduplication_key": [told]})
        return None

    def note(call: Call, reply: Reply) -> None:
        if call.is_on(LIST, methods="POST") and reply.status == 201 and "deduplication_key" in reply.json:
            made[call.headers.get("authorization", ""), reply.json["deduplication_key"]] += 1

    return after(note)(Shell(before(refuse)(mock)))


def _full_page_goes_on(path: str, size: int, cursor: str) -> Callable[[Mock], App]:
    """A last page that is full has a next one."""

    def change(call: Call, reply: Reply) -> Reply | None:
        if not call.is_on(path, methods="GET") or reply.status != 200 or not reply.body.startswith(b"{"):
            return None
        body = reply.json
        if len(body["results"]) != size or body["next"] is not None or not _is_forward(call):
            return None
        pairs = [(name, text) for name, text in _pairs(call) if name != "cursor"]
        link = f"http://{call.headers['host']}{path}?{urlencode([*pairs, ('cursor', cursor)])}"
        return reply.write({**body, "next": link})

    return after(change)


def _is_forward(call: Call) -> bool:
    return "cj0x" not in call.parameters.get("cursor", "")


def _way_back_drops_unknown(call: Call, reply: Reply) -> Reply | None:
    if not call.is_on(LIST, EVENTS, methods="GET") or reply.status != 200 or not reply.body.startswith(b"{"):
        return None
    body = reply.json
    if body["previous"] is None or "x" not in call.parameters:
        return None
    address, _, query = body["previous"].partition("?")
    kept = [(name, text) for name, text in parse_qsl(query, keep_blank_values=True) if name != "x"]
    return reply.write({**body, "previous": f"{address}?{urlencode(kept)}"})


def _names_by_utf_16(call: Call, reply: Reply) -> Reply | None:
    body = reply.json if call.is_on(ONE, methods="PATCH") and reply.status == 200 else None
    if not isinstance(body, dict) or not isinstance(body.get("metadata"), dict):
        return None
    names = sorted(body["metadata"], key=lambda name: (len(name.encode()), name.encode("utf-16-be")))
    return reply.write({**body, "metadata": {name: body["metadata"][name] for name in names}})


def _one_type_only(call: Call) -> Reply | None:
    accept = call.headers.get("accept", "")
    several = call.is_on(EVENTS, methods="GET") and ";q=" in accept and "," in accept and "*" not in accept
    return _refusal(call, 406, {"detail": "Could not satisfy the request Accept header."}) if several else None


def _in_both_projects(mock: Mock) -> App:
    """The filter for a key that two projects have shows the calendars of both."""

    def change(call: Call, reply: Reply) -> Reply | None:
        key = call.parameters.get("deduplication_key") if call.is_on(LIST, methods="GET") else None
        body = reply.json if key and reply.status == 200 else {"results": []}
        if len(body.get("results", [])) != 1:
            return None
        own = body["results"][0]
        others = [
            calendar.id
            for project in mock.store.projects
            for calendar in project.state.calendars
            if calendar.deduplication_key == key and calendar.id != own["id"]
        ]
        return reply.write({**body, "results": [own, *({**own, "id": name} for name in others)]}) if others else None

    return after(change)(mock)


def _dropped(name: str, where: Callable[[dict[str, str]], bool]) -> Callable[[Mock], App]:
    """A filter of events that does not count for some requests."""

    def change(call: Call) -> None:
        if call.is_on(EVENTS, methods="GET") and where(call.parameters):
            call.query = urlencode([(one, text) for one, text in _pairs(call) if one != name])

    return _quietly(change)


def _is_back(parameters: dict[str, str]) -> bool:
    try:
        return b"r=1" in base64.b64decode(parameters.get("cursor", ""))
    except ValueError:
        return False


def _deleted_not_found(call: Call, reply: Reply) -> Reply | None:
    if not call.is_on(EVENTS, methods="GET") or "event_id" not in call.parameters or reply.status != 200:
        return None
    body = reply.json
    gone = [row for row in body.get("results", []) if row["is_deleted"]]
    return reply.write({**body, "results": []}) if gone else None


def _old_name_in_local_time(call: Call) -> None:
    text = call.parameters.get("updated_after", "")
    if call.is_on(EVENTS, methods="GET") and "T" in text and text[-1] != "Z" and text[-6] not in "+- ":
        pairs = [(name, f"{value}-02:00" if name == "updated_after" else value) for name, value in _pairs(call)]
        call.query = urlencode(pairs)


def _two_digits_at_the_end(call: Call) -> None:
    def moved(text: str) -> str:
        whole, _, rest = text.partition(".")
        return f"{whole}.0000{rest}" if len(rest) == 3 and rest.endswith("Z") else text

    if call.is_on(EVENTS, methods="GET") and "cursor" not in call.parameters:
        pairs = [(name, moved(value) if name == "start_time_gte" else value) for name, value in _pairs(call)]
        call.query = urlencode(pairs)


def _sorted_rows_lack_uid(call: Call, reply: Reply) -> Reply | None:
    sorted_so = call.is_on(EVENTS, methods="GET") and call.parameters.get("ordering") == "-end_time"
    if not sorted_so or "end_time_lte" not in call.parameters or reply.status != 200:
        return None
    body = reply.json
    return reply.write({**body, "results": [{**row, "ical_uid": None} for row in body["results"]]})


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
            return _refusal(call, 400, {"deduplication_key": [told]}) if taken else None

        return before(refuse)(mock)

    return apply


def _unaccented(text: str) -> str:
    return "".join(one for one in unicodedata.normalize("NFD", text) if not unicodedata.combining(one))


def _padded_key_is_another(sent: dict[str, Any]) -> None:
    key = sent.get("deduplication_key")
    if isinstance(key, str) and key.startswith("\t\n\x0b"):
        sent["deduplication_key"] = f"{key.strip()}-"


def _calendar_without_events(mock: Mock) -> App:
    """The filter for a calendar that has no events does not count."""

    def change(call: Call) -> None:
        name = call.parameters.get("calendar_id", "")
        project = mock.store.by_key.get(call.headers.get("authorization", "").rpartition(" ")[2])
        there = project is not None and name in (calendar.id for calendar in project.state.calendars)
        busy = project is not None and any(event.calendar_id == name for event in project.state.events)
        if call.is_on(EVENTS, methods="GET") and there and not busy:
            call.query = urlencode([(one, text) for one, text in _pairs(call) if one != "calendar_id"])

    return _quietly(change)(mock)


def _slash_ignored(call: Call) -> None:
    name = call.path.removeprefix(ONE)
    if call.method == "GET" and name.startswith("cal_") and name.endswith("/") and "cal_0000" not in name:
        call.path = call.path.rstrip("/")


def _wide_space_stripped(call: Call) -> None:
    if call.is_on(LIST, methods="GET") and "\u3000" in call.parameters.get("deduplication_key", ""):
        call.query = urlencode([(name, text.strip("\u3000")) for name, text in _pairs(call)])


MUTANTS: tuple[Mutant, ...] = (
    Mutant(
        "events-token-alone-is-missing-key",
        "auth",
        "on events, `Token` alone is told as no header",
        after(_no_key_for_token_alone),
    ),
    Mutant(
        "events-ordering-before-unknown-key",
        "auth",
        "a bad ordering is told before an unknown key",
        before(_ordering_before_disabled),
    ),
    Mutant("events-take-bearer", "auth", "the events can be read with `Bearer KEY`", before(_bearer_taken)),
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
        "first-event-id-counts",
        "filters",
        "of two event_id the first counts",
        _quietly(_first_counts(EVENTS, "event_id")),
    ),
    Mutant(
        "first-dedup-key-counts",
        "filters",
        "of two deduplication_key the first counts",
        before(_first_counts(LIST, "deduplication_key")),
    ),
    Mutant(
        "first-end-time-counts",
        "filters",
        "of two end_time_lte the first counts",
        _quietly(_first_counts(EVENTS, "end_time_lte")),
    ),
    Mutant(
        "empty-event-id-ignored-with-calendar-id",
        "filters",
        "an empty event_id is ignored beside calendar_id",
        _quietly(_empty_ignored("event_id", "calendar_id")),
    ),
    Mutant(
        "end-time-told-before-start-time",
        "status",
        "of two bad times end_time_lte is told, if there are only these",
        after(_end_time_first),
    ),
    Mutant(
        "events-know-deduplication-key",
        "filters",
        "events are filtered by deduplication_key",
        before(_key_of_calendars_counts),
    ),
    Mutant(
        "calendars-know-ordering",
        "filters",
        "calendars are sorted by ordering=created_at",
        after(_oldest_first_if_asked),
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
        "offset-of-minus-three-and-a-half-hours-wrong",
        "filters",
        "the offset -03:30 is read as -04:30",
        _quietly(_half_hours_lost),
    ),
    Mutant(
        "end-time-before-1970-refused", "filters", "end_time_lte refuses times of 1969", before(_no_times_before_1970)
    ),
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
        "filter-by-key-finds-both-projects",
        "tenants",
        "a key that two projects have finds both calendars",
        _in_both_projects,
    ),
    Mutant(
        "full-event-page-has-next",
        "pagination",
        "a last page of 100 events has a next one",
        _full_page_goes_on(EVENTS, 100, "bz0xMDAw"),
    ),
    Mutant(
        "full-calendar-page-has-next",
        "pagination",
        "a last page of 25 calendars has a next one",
        _full_page_goes_on(LIST, 25, "bz0xMDAw"),
    ),
    Mutant(
        "way-back-drops-unknown-parameter",
        "pagination",
        "`previous` drops a parameter that is not known",
        after(_way_back_drops_unknown),
    ),
    Mutant(
        "updated-names-in-utf-16-order",
        "schema",
        "PATCH answers names of metadata in the order of UTF-16",
        after(_names_by_utf_16),
    ),
    Mutant(
        "events-take-one-type", "headers", "events refuse an Accept with several types and q", before(_one_type_only)
    ),
    Mutant(
        "start-time-ignored-on-later-pages-by-end-time",
        "filters",
        "later pages by -end_time ignore start_time_gte",
        _dropped("start_time_gte", lambda p: "cursor" in p and p.get("ordering") == "-end_time"),
    ),
    Mutant(
        "end-time-ignored-on-way-back",
        "filters",
        "pages on the way back ignore end_time_lte",
        _dropped("end_time_lte", _is_back),
    ),
    Mutant(
        "deleted-event-not-found-by-id", "filters", "a deleted event is not found by its id", after(_deleted_not_found)
    ),
    Mutant(
        "updated-after-in-local-time",
        "filters",
        "updated_after without a zone is two hours off",
        _quietly(_old_name_in_local_time),
    ),
    Mutant(
        "two-digits-read-as-microseconds",
        "filters",
        "a fraction of two digits is read as microseconds",
        _quietly(_two_digits_at_the_end),
    ),
    Mutant(
        "rows-by-end-time-lack-ical-uid",
        "schema",
        "filtered and sorted by the end, events have no ical_uid",
        after(_sorted_rows_lack_uid),
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
        "calendar-without-events-shows-all",
        "filters",
        "the filter for a calendar without events shows all",
        _calendar_without_events,
    ),
    Mutant(
        "calendar-found-with-slash", "status", "a calendar is found with a slash behind its id", before(_slash_ignored)
    ),
    Mutant(
        "key-filter-strips-wide-space", "filters", "the filter for a key strips U+3000", before(_wide_space_stripped)
    ),
)
