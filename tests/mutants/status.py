"""Mutants of status and of what is refused: the wrong status, the wrong words, the wrong order, too much let in."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast
from urllib.parse import parse_qsl, urlencode

from mockserver.api.request import App
from mockserver.app import Mock
from mockserver.domain.calendar_service import CalendarNotFound, DuplicateDeduplicationKey, NewCalendar
from mockserver.domain.store import Project
from tests.mutants import bodies
from tests.mutants.mutant import Mutant
from tests.mutants.wrapped import EVENTS, LIST, ONE, After, Before, Call, Reply, after, before, crash, renamed, said

_ALLOW = {LIST: "GET, POST, HEAD, OPTIONS", EVENTS: "GET, HEAD, OPTIONS", ONE: "GET, PATCH, DELETE, HEAD, OPTIONS"}
_TAKEN = "A calendar with this deduplication key already exists in this project."


def _answer(status: int, body: Any, path: str) -> Reply:
    return said(status, body, allow=_ALLOW[path])


def _status(was: int, becomes: int, *paths: str, methods: str = "", holding: bytes = b"") -> After:
    def change(call: Call, reply: Reply) -> None:
        if call.is_on(*paths, methods=methods) and reply.status == was and holding in reply.body:
            reply.status = becomes

    return change


def _crash_if(test: Callable[[Call], bool]) -> Before:
    return lambda call: crash() if "authorization" in call.headers and test(call) else None


def _crash_after(was: int, *paths: str, methods: str = "", holding: bytes = b"") -> After:
    def change(call: Call, reply: Reply) -> Reply | None:
        hit = call.is_on(*paths, methods=methods) and reply.status == was and holding in reply.body
        return crash() if hit else None

    return change


def _nul_in_filter(call: Call) -> bool:
    names = ("event_id", "calendar_id", "calendar_deduplication_key", "deduplication_key")
    return any("\0" in call.parameters.get(name, "") for name in names)


def _no_numbers(call: Call) -> Reply | None:
    fields = call.json if call.is_on(LIST, ONE, methods="POST PATCH") else None
    if not isinstance(fields, dict) or "authorization" not in call.headers:
        return None
    names = ("client_id", "platform_uuid", "client_secret", "deduplication_key")
    wrong = [n for n in names if isinstance(fields.get(n), int | float) and not isinstance(fields[n], bool)]
    path = LIST if call.is_on(LIST) else ONE
    return _answer(400, {name: ["Not a valid string."] for name in wrong}, path) if wrong else None


def _put_is_patch(call: Call) -> None:
    if call.is_on(ONE, methods="PUT"):
        call.method = "PATCH"
        call.body = b"{}"


def _first_error_only(call: Call, reply: Reply) -> Reply | None:
    if call.is_on(LIST, ONE, methods="POST PATCH") and reply.status == 400 and len(reply.json) > 1:
        return reply.write(dict([next(iter(reply.json.items()))]))
    return None


def _project(mock: Mock, call: Call) -> Project | None:
    return mock.store.by_key.get(call.headers.get("authorization", "").rpartition(" ")[2])


def _duplicate_first(mock: Mock) -> App:
    """The key is looked up before the fields are looked at."""

    def change(call: Call) -> Reply | None:
        fields = call.json if call.is_on(LIST, methods="POST") else None
        key = fields.get("deduplication_key") if isinstance(fields, dict) else None
        project = _project(mock, call)
        if project is not None and isinstance(key, str) and key in project.state.calendar_ids:
            return _answer(400, {"deduplication_key": [_TAKEN]}, LIST)
        return None

    return before(change)(mock)


def _unknown_first(call: Call, reply: Reply) -> Reply | None:
    fields = call.json if call.is_on(LIST, methods="POST") and reply.status == 400 else None
    if isinstance(fields, dict) and "foo" in fields:
        names = "client_id, client_secret, deduplication_key, metadata, platform, platform_uuid, refresh_token"
        return reply.write({"non_field_errors": [f"Unexpected field(s): foo. Allowed fields are: {names}"]})
    return None


def _body_first(mock: Mock) -> App:
    def change(call: Call) -> Reply | None:
        project = _project(mock, call) if call.is_on(ONE, methods="PATCH") else None
        if project is None or not call.body or call.json is not None:
            return None
        if call.path.rpartition("/")[2] in project.state.calendars:
            return None
        return _answer(400, {"detail": "JSON parse error - Expecting value: line 1 column 1 (char 0)"}, ONE)

    return before(change)(mock)


def _no_forms(call: Call) -> Reply | None:
    kind = call.headers.get("content-type", "")
    if (
        call.is_on(LIST, methods="POST")
        and kind.startswith("application/x-www-form")
        and "authorization" in call.headers
    ):
        return _answer(415, {"detail": f'Unsupported media type "{kind}" in request.'}, LIST)
    return None


def _names_old_filter(call: Call, reply: Reply) -> None:
    if call.is_on(EVENTS) and reply.status == 400 and "updated_at_gte" not in call.parameters:
        reply.body = reply.body.replace(b"updated_at_gte", b"updated_after")


def _ordering_first(call: Call, reply: Reply) -> Reply | None:
    ordering = call.parameters.get("ordering", "start_time")
    if call.is_on(EVENTS) and reply.status == 400 and ordering == "bad" and call.method == "GET":
        names = "-updated_at, updated_at, start_time, -start_time, end_time, -end_time, created_at, -created_at"
        return reply.write({"error": f"Invalid ordering. Allowed values: {names}"})
    return None


def _first_parameter(call: Call) -> str:
    """The later ones go by a name that nobody looks at."""
    pairs: list[tuple[str, str]] = []
    for name, value in parse_qsl(call.query, keep_blank_values=True):
        pairs.append((f"{name}~" if name in dict(pairs) else name, value))
    return urlencode(pairs) if call.query.count("&") == 1 and "%" not in call.query else call.query


def _knows_limit(call: Call, reply: Reply) -> Reply | None:
    limit = call.parameters.get("limit", "")
    if call.is_on(LIST) and limit.isdigit() and reply.status == 200 and call.method == "GET":
        return reply.write({**reply.json, "results": reply.json["results"][: int(limit)]})
    return None


def _any_case_of_ids(mock: Mock) -> App:
    def change(call: Call) -> None:
        project = _project(mock, call)
        if project is not None and call.is_on(ONE, methods="GET"):
            wanted = call.path.rpartition("/")[2]
            same = [calendar.id for calendar in project.state.calendars if calendar.id.lower() == wanted.lower()]
            call.path = ONE + (same[0] if same else wanted)

    return before(change)(mock)


def _store_refused(mock: Mock) -> App:
    """A body with unknown fields is refused after what it asks for was done."""

    def change(call: Call, reply: Reply) -> None:
        fields = call.json if call.is_on(LIST, methods="POST") and reply.status == 400 else None
        project = _project(mock, call)
        if isinstance(fields, dict) and project is not None and b"Unexpected field" in reply.body:
            bodies.without_unknown(fields)
            with suppress(DuplicateDeduplicationKey):
                mock.calendar_service.create_calendar(project, cast(NewCalendar, fields))

    return after(change)(mock)


def _store_refused_update(mock: Mock) -> App:
    def change(call: Call, reply: Reply) -> None:
        fields = call.json if call.is_on(ONE, methods="PATCH") and reply.status == 400 else None
        project = _project(mock, call)
        metadata = fields.get("metadata") if isinstance(fields, dict) else None
        if project is not None and isinstance(metadata, dict) and b"Unexpected field" in reply.body:
            with suppress(CalendarNotFound):
                mock.calendar_service.update_calendar(project, call.path.rpartition("/")[2], {"metadata": metadata})

    return after(change)(mock)


def _gone_is_fine(call: Call, reply: Reply) -> Reply | None:
    if call.is_on(ONE, methods="DELETE") and reply.status == 404:
        return Reply(200, {"allow": _ALLOW[ONE], "vary": "Accept"})
    return None


def _django_404(call: Call, reply: Reply) -> Reply | None:
    return reply.write({"detail": "Not found."}) if call.is_on(ONE) and reply.status == 404 and reply.body else None


def _no_empty_patch(call: Call) -> Reply | None:
    if call.is_on(ONE, methods="PATCH") and not call.body and "authorization" in call.headers:
        return _answer(400, {"non_field_errors": ["No data provided"]}, ONE)
    return None


def _found_nothing(holding: bytes, path: str) -> After:
    """A refusal of a filter becomes a page without results."""

    def change(call: Call, reply: Reply) -> Reply | None:
        hit = call.is_on(path, methods="GET HEAD") and reply.status in (400, 404) and holding in reply.body
        return _answer(200, {"next": None, "previous": None, "results": []}, path) if hit else None

    return change


def _no_dates(call: Call) -> Reply | None:
    if not call.is_on(EVENTS) or "authorization" not in call.headers:
        return None
    short = [name for name in ("start_time_gte", "end_time_lte") if len(call.parameters.get(name, "")) == 10]
    text = "Invalid {} format. Use ISO 8601 format (e.g., 2025-01-13T{}:00Z)"
    examples = {"start_time_gte": "10:30", "end_time_lte": "18:00"}
    return _answer(400, {"error": text.format(short[0], examples[short[0]])}, EVENTS) if short else None


def _empty_filter_ignored(mock: Mock) -> App:
    real = mock.calendar_service.list_calendars
    mock.calendar_service.list_calendars = lambda p, c, key: real(p, c, key or None)  # type: ignore[assignment, method-assign]
    return mock.asgi


def _no_created_ordering(call: Call) -> None:
    if call.is_on(EVENTS):
        call.query = call.query.replace("ordering=created_at", "ordering=created")


def _html_404(call: Call, reply: Reply) -> Reply | None:
    if reply.status == 404 and b'{"error":"Not found"}' in reply.body:
        return Reply(404, {"content-type": "text/html; charset=utf-8"}, b"<h1>Not Found</h1>")
    return None


def _any_case_of_keys(mock: Mock) -> App:
    def change(call: Call) -> None:
        project = _project(mock, call)
        key = call.parameters.get("deduplication_key") if call.is_on(LIST, methods="GET") else None
        if project is not None and key:
            known = [calendar.deduplication_key for calendar in project.state.calendars]
            same = [name for name in known if name is not None and name.lower() == key.lower()]
            if same and key not in same:
                call.query = urlencode({**call.parameters, "deduplication_key": same[0]})

    return before(change)(mock)


def _blank_form_refused(call: Call) -> Reply | None:
    form = call.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    if form and call.is_on(ONE, methods="PATCH") and call.body == b"client_secret=":
        return _answer(400, {"client_secret": ["This field may not be blank."]}, ONE)
    return None


def _delete_reads(call: Call) -> Reply | None:
    if call.is_on(ONE, methods="DELETE") and call.body and call.json is None and "authorization" in call.headers:
        return _answer(400, {"detail": "JSON parse error - Expecting value: line 1 column 1 (char 0)"}, ONE)
    return None


def _platform_text(call: Call, reply: Reply) -> Reply | None:
    if call.is_on(LIST, methods="POST") and b"is not a valid choice" in reply.body:
        return reply.write({**reply.json, "platform": ["Not a valid choice."]})
    return None


def _errors_in_detail(call: Call, reply: Reply) -> Reply | None:
    if call.is_on(ONE, methods="PATCH") and reply.status == 400 and "detail" not in reply.json:
        return reply.write({"detail": reply.json})
    return None


def _taken_in_other_words(call: Call, reply: Reply) -> None:
    if call.is_on(LIST, methods="POST") and reply.status == 400:
        reply.body = reply.body.replace(_TAKEN.encode(), b"This key is taken.")


def _delete_minds_type(call: Call) -> Reply | None:
    if call.is_on(ONE, methods="DELETE") and call.headers.get("content-type") == "text/plain":
        return _answer(404, {"error": "Calendar not found"}, ONE) if "authorization" in call.headers else None
    return None


def _first_by_number(mock: Mock) -> App:
    def change(call: Call) -> None:
        project = _project(mock, call)
        if project is not None and call.path == f"{ONE}0":
            call.path = ONE + next(iter(project.state.calendars)).id

    return before(change)(mock)


def _no_charset(call: Call) -> Reply | None:
    kind = call.headers.get("content-type", "")
    if (
        call.is_on(LIST, methods="POST")
        and kind.startswith("application/json;")
        and call.body.startswith(b'{"platform')
    ):
        return _answer(415, {"detail": f'Unsupported media type "{kind}" in request.'}, LIST)
    return None


def _mutant(slug: str, defect: str, apply: Callable[[Mock], App]) -> Mutant:
    return Mutant(slug, "status", defect, apply)


MUTANTS: tuple[Mutant, ...] = (
    _mutant("create-answers-200", "create answers 200, not 201", after(_status(201, 200, LIST, methods="POST"))),
    _mutant(
        "duplicate-key-answers-409",
        "duplicate key answers 409, not 400",
        after(_status(400, 409, LIST, methods="POST", holding=_TAKEN.encode())),
    ),
    _mutant("unknown-id-answers-400", "unknown id answers 400, not 404", after(_status(404, 400, ONE))),
    _mutant(
        "invalid-ordering-crashes",
        "invalid ordering crashes",
        after(_crash_after(400, EVENTS, holding=b"Invalid ordering")),
    ),
    _mutant(
        "invalid-cursor-crashes", "invalid cursor crashes", after(_crash_after(404, LIST, EVENTS, holding=b"cursor"))
    ),
    _mutant("delete-of-unknown-id-answers-200", "DELETE of an unknown id answers 200", after(_gone_is_fine)),
    _mutant("delete-answers-204", "DELETE answers 204, not 200", after(_status(200, 204, ONE, methods="DELETE"))),
    _mutant(
        "malformed-json-crashes",
        "malformed JSON crashes",
        after(_crash_after(400, LIST, ONE, holding=b"JSON parse error")),
    ),
    _mutant("put-works-as-patch", "PUT on a calendar works as PATCH", before(_put_is_patch)),
    _mutant("nul-in-filter-crashes", "NUL in a filter crashes", before(_crash_if(_nul_in_filter))),
    _mutant(
        "create-accepts-unknown-fields",
        "unknown fields accepted on create",
        before(bodies.fields(bodies.without_unknown, LIST)),
    ),
    _mutant(
        "trailing-slash-crashes",
        "a trailing slash crashes",
        before(lambda call: crash() if call.path.endswith("s/") else None),
    ),
    _mutant(
        "invalid-fields-answer-422",
        "wrong fields answer 422",
        after(_status(400, 422, LIST, methods="POST", holding=b"This field")),
    ),
    _mutant("other-content-type-answers-400", "another Content-Type answers 400", after(_status(415, 400, LIST, ONE))),
    _mutant(
        "missing-key-answers-403",
        "a missing key answers 403",
        after(_status(401, 403, LIST, EVENTS, ONE, holding=b"Missing")),
    ),
    _mutant(
        "invalid-cursor-answers-400",
        "an invalid cursor answers 400",
        after(_status(404, 400, EVENTS, holding=b"Invalid cursor")),
    ),
    _mutant("404-has-detail", "404 of a calendar as {detail: Not found.}", after(_django_404)),
    _mutant("only-first-invalid-field-named", "only the first wrong field is told", after(_first_error_only)),
    _mutant("null-counts-as-absent", "null counts as not given", before(bodies.fields(bodies.without_null, LIST, ONE))),
    _mutant("blank-text-accepted", "a blank text is taken", before(bodies.fields(bodies.blank_as_given, LIST, ONE))),
    _mutant("numbers-refused-as-text", "numbers are refused", before(_no_numbers)),
    _mutant("true-accepted-as-text", "true becomes a text", before(bodies.fields(bodies.true_as_text, LIST, ONE))),
    _mutant(
        "long-client-id-cut", "client_id over 255 is cut", before(bodies.fields(bodies.cut("client_id", 255), LIST))
    ),
    _mutant("long-metadata-cut", "metadata over 1000 is cut", before(bodies.fields(bodies.cut_metadata, LIST, ONE))),
    _mutant(
        "metadata-values-become-texts",
        "metadata values become texts",
        before(bodies.fields(bodies.texts_in_metadata, LIST, ONE)),
    ),
    _mutant("taken-key-checked-before-fields", "a taken key is told before wrong fields", _duplicate_first),
    _mutant(
        "unknown-fields-checked-before-invalid-ones", "unknown fields are told before wrong ones", after(_unknown_first)
    ),
    _mutant("patch-reads-body-before-id", "PATCH reads the body before it looks for the id", _body_first),
    _mutant("forms-answer-415", "forms are a 415", before(_no_forms)),
    _mutant(
        "updated-after-errors-name-updated-after",
        "errors of updated_after name updated_after",
        after(_names_old_filter),
    ),
    _mutant("ordering-checked-before-times", "ordering is checked before the times", after(_ordering_first)),
    _mutant(
        "first-of-repeated-parameters-counts",
        "the first of a repeated parameter counts",
        renamed(_first_parameter, lambda body: body.replace(b"~=", b"=")),
    ),
    _mutant("parameter-limit-known", "the parameter limit is known", after(_knows_limit)),
    _mutant(
        "first-of-repeated-names-counts",
        "the first of a repeated name in a body counts",
        before(bodies.first_name_wins),
    ),
    _mutant("platform-ignores-case", "platform in any case", before(bodies.fields(bodies.lower_platform, LIST))),
    _mutant("client-id-unstripped", "white space around client_id is kept", after(bodies.keeps_blanks)),
    _mutant("ids-ignore-case", "ids in any case", _any_case_of_ids),
    _mutant(
        "create-refused-for-unknown-field-stored",
        "a create refused for an unknown field is stored",
        _store_refused,
    ),
    _mutant(
        "patch-refused-for-unknown-field-changes-metadata",
        "a PATCH refused for an unknown field changes metadata",
        _store_refused_update,
    ),
    _mutant("empty-patch-refused", "an empty PATCH is refused", before(_no_empty_patch)),
    _mutant(
        "invalid-time-ignored", "a time that is none is passed over", after(_found_nothing(b"format. Use", EVENTS))
    ),
    _mutant("date-alone-refused", "a date alone is refused", before(_no_dates)),
    _mutant(
        "unknown-ordering-uses-default",
        "an unknown ordering falls back to the default",
        after(_found_nothing(b"Invalid ordering", EVENTS)),
    ),
    _mutant(
        "empty-dedup-key-filter-ignored", "an empty deduplication_key filter counts as none", _empty_filter_ignored
    ),
    _mutant(
        "list-as-body-crashes", "a list as a body crashes", after(_crash_after(400, LIST, ONE, holding=b"but got list"))
    ),
    _mutant("created-at-orderings-refused", "created_at orderings are refused", before(_no_created_ordering)),
    _mutant("unknown-path-answers-html", "unknown paths are HTML", after(_html_404)),
    _mutant("dedup-key-filter-matches-any-case", "deduplication_key matches in any case", _any_case_of_keys),
    _mutant("empty-form-field-is-blank", "an empty form field is blank, not absent", before(_blank_form_refused)),
    _mutant("delete-reads-body", "DELETE reads its body", before(_delete_reads)),
    _mutant("refused-platform-not-repeated", "the platform that is refused is not repeated", after(_platform_text)),
    _mutant("nul-cut-out-of-texts", "a NUL is cut out of texts", before(bodies.fields(bodies.cut_nul, LIST, ONE))),
    _mutant("field-errors-in-detail", "field errors in a detail", after(_errors_in_detail)),
    _mutant("taken-key-has-other-text", "a taken key is told in other words", after(_taken_in_other_words)),
    _mutant(
        "invalid-cursor-finds-nothing",
        "a cursor that is none finds nothing",
        after(_found_nothing(b"Invalid cursor", LIST)),
    ),
    _mutant(
        "delete-with-invalid-body-answers-404",
        "DELETE with a body that is not JSON finds nothing",
        before(_delete_minds_type),
    ),
    _mutant("empty-json-body-fails-to-parse", "an empty JSON body cannot be parsed", before(bodies.empty_create)),
    _mutant(
        "text-body-read-as-empty-object", "a text as a body is an object without fields", before(bodies.text_as_object)
    ),
    _mutant(
        "empty-metadata-accepted", "metadata may be empty", before(bodies.fields(bodies.no_empty_metadata, LIST, ONE))
    ),
    _mutant("xml-type-read-as-json", "XML is read as if it were JSON", before(bodies.xml_is_json)),
    _mutant("bom-ignored", "a BOM is passed over", before(bodies.no_bom)),
    _mutant("id-zero-is-first-calendar", "the id 0 is the first calendar", _first_by_number),
    _mutant(
        "json-type-with-parameter-answers-415", "a parameter of application/json makes it a 415", before(_no_charset)
    ),
    _mutant("trailing-comma-ignored", "a trailing comma is passed over", before(bodies.no_comma)),
    _mutant(
        "create-without-refresh-token-accepted",
        "refresh_token need not be there",
        before(bodies.fields(bodies.default_token, LIST)),
    ),
    _mutant(
        "deleted-calendar-answers-410",
        "a GET of a deleted calendar answers 410",
        after(_status(404, 410, ONE, methods="GET")),
    ),
)
