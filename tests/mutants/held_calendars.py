"""Mutants of single calendars, keys and headers, unknown to the judge's author; above each what openapi.yaml says."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from typing import Any
from uuid import UUID

from mockserver.api.request import App, Receive, Scope, Send
from mockserver.app import Mock
from mockserver.domain.calendar_service import CalendarChanges, CalendarNotFound, NewCalendar
from mockserver.domain.model import Calendar
from mockserver.domain.postgres_limits import NotStorable
from mockserver.domain.store import Project
from tests.mutants.altering import answer, asked, asking, project_of
from tests.mutants.bodies import fields
from tests.mutants.mutant import Mutant
from tests.mutants.state import Create, Update, on_create, on_update
from tests.mutants.wrapped import LIST, ONE, Call, Reply, Shell, after, before, crash, documents

_REQUIRED = ["This field is required."]


def _asks(mock: Mock, call: Call) -> Project | None:
    """The project whose key the request has."""
    return mock.store.by_key.get(call.headers.get("authorization", "").rpartition(" ")[2])


def _owner(mock: Mock, call: Call) -> Project | None:
    """The project that has the calendar of the path."""
    name = call.path.removeprefix(ONE)
    return next((p for p in mock.store.projects if p.state.calendars.get(name) is not None), None)


# --- what is found ---


def _one_filtered(mock: Mock) -> App:
    real = mock.calendar_service.get_calendar

    def get(project: Project, calendar_id: str) -> Calendar:
        calendar = real(project, calendar_id)
        if asked().get("deduplication_key", calendar.deduplication_key) != calendar.deduplication_key:
            raise CalendarNotFound
        return calendar

    mock.calendar_service.get_calendar = get  # type: ignore[method-assign]
    return asking(mock)


# --- crashes ---


def _second_delete_crashes(mock: Mock) -> App:
    gone: set[tuple[str, str]] = set()

    def change(call: Call, reply: Reply) -> Reply | None:
        project = _asks(mock, call) if call.is_on(ONE, methods="DELETE") else None
        if project is None:
            return None
        if reply.status == 200:
            gone.add((project.name, call.path))
        return crash() if reply.status == 404 and (project.name, call.path) in gone else None

    return after(change)(mock)


def _non_ascii_secret_crashes(mock: Mock) -> App:
    def change(call: Call) -> Reply | None:
        sent = call.json if call.is_on(ONE, methods="PATCH") else None
        secret = sent.get("client_secret") if isinstance(sent, dict) else None
        ours = _asks(mock, call) is not None and _asks(mock, call) is _owner(mock, call)
        return crash() if ours and isinstance(secret, str) and secret.strip() and not secret.isascii() else None

    return before(change)(mock)


# --- errors ---


def _missing_alone(call: Call, reply: Reply) -> Reply | None:
    told = reply.json if call.is_on(LIST, methods="POST") and reply.status == 400 else None
    missing = {name: texts for name, texts in told.items() if texts == _REQUIRED} if isinstance(told, dict) else {}
    return reply.write(missing) if missing else None


def _uuid_in_bytes(real: Create, project: Project, sent: NewCalendar) -> Calendar:
    if len(sent.get("platform_uuid", "").encode()) > 1024:
        error_id = UUID(int=project.random.getrandbits(128), version=4)
        raise NotStorable(error_id, "platform_uuid", "is longer than 1024 bytes")
    return real(project, sent)


def _thousand_too_long(sent: dict[str, Any]) -> None:
    metadata = sent.get("metadata")
    if isinstance(metadata, dict) and len(json.dumps(metadata)) == 1000:
        name, value = next(iter(metadata.items()))
        metadata[name] = f"{value}." if isinstance(value, str) else value


def _absent_before_method(mock: Mock) -> App:
    def change(call: Call, reply: Reply) -> Reply | None:
        if call.is_on(ONE) and reply.status == 405 and _owner(mock, call) is not _asks(mock, call):
            reply.status = 404
            return reply.write({"error": "Calendar not found"})
        return None

    return after(change)(mock)


def _type_in_lower_case(call: Call, reply: Reply) -> Reply | None:
    if reply.status != 415:
        return None
    kind = call.headers.get("content-type", "").partition(";")[0].strip().lower()
    return reply.write({"detail": f'Unsupported media type "{kind}" in request.'})


def _null_clears(mock: Mock) -> App:
    sign = {"held": "null"}

    def change(sent: dict[str, Any]) -> None:
        if "metadata" in sent and sent["metadata"] is None:
            sent["metadata"] = sign

    def update(real: Update, project: Project, calendar_id: str, changes: CalendarChanges) -> Calendar:
        new = real(project, calendar_id, changes)
        if changes.get("metadata") == sign:
            new = new._replace(metadata=None)
            project.state.replace_calendar(new)
        return new

    return before(fields(change, ONE))(Shell(on_update(mock, update)))


# --- headers ---


def _unchallenged(call: Call, reply: Reply) -> None:
    if reply.status == 401 and b"Invalid or disabled" in reply.body:
        reply.headers.pop("www-authenticate", None)


def _options_refused(call: Call, reply: Reply) -> Reply | None:
    if not call.is_on(ONE, methods="OPTIONS") or reply.status != 200:
        return None
    reply.status = 405
    return reply.write({"detail": 'Method "OPTIONS" not allowed.'})


def _first_accept(call: Call) -> None:
    if "accept" in call.headers:
        call.headers["accept"] = call.headers["accept"].partition(",")[0]


# --- what is stored and shown ---


def _stores(change: Callable[[Calendar, Calendar, CalendarChanges], Calendar]) -> Callable[[Mock], App]:
    """The calendar before and after an update, and the update, to what is stored and answered."""

    def update(real: Update, project: Project, calendar_id: str, changes: CalendarChanges) -> Calendar:
        old = project.state.calendars.get(calendar_id)
        new = real(project, calendar_id, changes)
        assert old is not None
        stored = change(old, new, changes)
        project.state.replace_calendar(stored)
        return stored

    return lambda mock: on_update(mock, update)


def _as_sent(call: Call, reply: Reply) -> Reply | None:
    sent = call.json if call.is_on(ONE, methods="PATCH") and reply.status == 200 else None
    metadata = sent.get("metadata") if isinstance(sent, dict) else None
    if not isinstance(metadata, dict) or reply.json.get("metadata") != metadata:
        return None
    return reply.write({**reply.json, "metadata": metadata})


def _nameless_dropped(sent: dict[str, Any]) -> None:
    metadata = sent.get("metadata")
    if isinstance(metadata, dict) and len(metadata) > 1:
        metadata.pop("", None)


def _same_is_no_change(old: Calendar, new: Calendar, sent: CalendarChanges) -> Calendar:
    same = set(sent) == {"metadata"} and new.metadata == old.metadata
    return new._replace(updated_at=old.updated_at) if same else new


def _deletes_all_the_same(mock: Mock) -> App:
    def change(call: Call, reply: Reply) -> None:
        project = _asks(mock, call) if call.is_on(ONE, methods="DELETE") else None
        if project is not None and reply.status == 404 and b"Not found." in reply.body:
            name = call.path.removeprefix(ONE)
            if project.state.calendars.get(name) is not None:
                mock.calendar_service.delete_calendar(project, name)

    return after(change)(mock)


def _unseen_stripped(real: Create, project: Project, sent: NewCalendar) -> Calendar:
    key = sent.get("deduplication_key", "").strip("\u200b\u2060\ufeff")
    return real(project, {**sent, "deduplication_key": key}) if key else real(project, sent)


def _failure_in_z(calendar: dict[str, Any]) -> None:
    failure = calendar["connection_failure_data"]
    if failure is not None:
        failure["timestamp"] = failure["timestamp"].replace("+00:00", "Z")


# --- projects and keys ---


def _twin_deleted(mock: Mock) -> App:
    real = mock.calendar_service.delete_calendar

    def delete(project: Project, calendar_id: str) -> None:
        key = mock.calendar_service.get_calendar(project, calendar_id).deduplication_key
        real(project, calendar_id)
        for other in mock.store.projects:
            twin = other.state.calendar_ids.get(key) if key is not None and other is not project else None
            if twin is not None:
                real(other, twin)

    mock.calendar_service.delete_calendar = delete  # type: ignore[method-assign]
    return asking(mock)


def _foreign_touched(mock: Mock) -> App:
    def change(call: Call, reply: Reply) -> None:
        owner = _owner(mock, call) if call.is_on(ONE, methods="PATCH") and reply.status == 404 else None
        if owner is None or _asks(mock, call) in (None, owner):
            return
        calendar = owner.state.calendars.get(call.path.removeprefix(ONE))
        assert calendar is not None
        owner.state.replace_calendar(calendar._replace(updated_at=max(mock.clock.now(), calendar.updated_at + 1)))

    return after(change)(mock)


def _foreign_head(mock: Mock) -> App:
    def change(call: Call, reply: Reply) -> None:
        if call.is_on(ONE, methods="HEAD") and reply.status == 404 and _owner(mock, call) is not None:
            reply.status = 200

    return after(change)(mock)


def _word_alone(call: Call, reply: Reply) -> Reply | None:
    alone = call.headers.get("authorization", "").strip().lower() == "token"
    return reply.write({"detail": "Invalid or disabled API key"}) if alone and reply.status == 401 else None


# --- one thing beside another ---


def _at_once(method: str, hurt: str, status: int, body: Any, allow: bytes) -> Callable[[Mock], App]:
    """What is asked by `hurt` on a path fails while a request by `method` on the same path is under way."""

    def apply(mock: Mock) -> App:
        under_way: Counter[tuple[str, str]] = Counter()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            project = project_of(mock, scope)
            place = ("" if project is None else project.name, scope.get("path", ""))
            if project is not None and scope["method"] == hurt and under_way[place]:
                await answer(send, status, body, [(b"vary", b"Accept"), (b"allow", allow)])
                return
            if project is None or scope["method"] != method:
                await mock.asgi(scope, receive, send)
                return
            under_way[place] += 1
            try:
                await asyncio.sleep(0.02)
                await mock.asgi(scope, receive, send)
            finally:
                under_way[place] -= 1

        return app

    return apply


MUTANTS: tuple[Mutant, ...] = (
    # By "It ignores query parameters that this document does not list.", as it does this one for getCalendar
    Mutant(
        "held-one-calendar-filtered-by-key",
        "filters",
        "one calendar is a 404 where the parameter deduplication_key is not its key",
        _one_filtered,
    ),
    # By "An unknown id, or one of another project, is answered with 404."
    Mutant(
        "held-second-delete-crashes", "robustness", "a second DELETE of one calendar crashes", _second_delete_crashes
    ),
    # By "The secret of the OAuth client, of any length."; the only rules for its text are: not blank, and no NUL
    Mutant(
        "held-non-ascii-secret-crashes",
        "robustness",
        "a client_secret that is not ASCII crashes a PATCH",
        _non_ascii_secret_crashes,
    ),
    # By "One answer reports every invalid field, in the order of CalendarCreate."
    Mutant(
        "held-missing-fields-told-alone",
        "status",
        "where a field is missing, those that are wrong are not told",
        after(_missing_alone),
    ),
    # By maxLength, which is in characters, and "The length is that of the stripped text."
    Mutant(
        "held-platform-uuid-limit-counts-bytes",
        "status",
        "the limit of platform_uuid counts bytes",
        lambda mock: on_create(mock, _uuid_in_bytes),
    ),
    # By "Written as JSON text, the object has at most 1000 characters."
    Mutant(
        "held-patch-metadata-of-1000-refused",
        "status",
        "PATCH refuses metadata of exactly 1000 characters",
        before(fields(_thousand_too_long, ONE)),
    ),
    # By "The service checks a request in this order: ..., the method (405), whether the object exists (404)"
    Mutant(
        "held-unknown-id-checked-before-method",
        "status",
        "an id that names nothing is told before a method that is none",
        _absent_before_method,
    ),
    # By "The service does not read bodies of this Content-Type. The error repeats it as it was sent."
    Mutant(
        "held-refused-type-in-lower-case",
        "status",
        "a 415 repeats the Content-Type in lower case and without parameters",
        after(_type_in_lower_case),
    ),
    # By "No field may be null."
    Mutant("held-patch-null-metadata-clears-it", "status", "PATCH takes null metadata and clears it", _null_clears),
    # By UnauthorizedOnCalendars, where WWW-Authenticate is required, and "or its key is unknown or disabled"
    Mutant(
        "held-unknown-key-without-www-authenticate",
        "headers",
        "the 401 for a key that is unknown or disabled has no WWW-Authenticate",
        after(_unchallenged),
    ),
    # By "The path does not have this method." and "Allow lists the methods of that path."
    Mutant(
        "held-options-of-calendar-answers-405",
        "headers",
        "OPTIONS of one calendar is a 405, whose Allow lists it",
        after(_options_refused),
    ),
    # By "The Accept header allows no format of the service."
    Mutant(
        "held-only-first-of-accept-counts",
        "headers",
        "of several media types in Accept only the first counts",
        before(_first_accept),
    ),
    # By "Shorter names come first, equally long ones in byte order."
    Mutant(
        "held-patch-answers-metadata-as-sent",
        "state",
        "PATCH answers the names of metadata in the order that was sent",
        after(_as_sent),
    ),
    # By "Names and values are stored as they are. They may be empty"
    Mutant(
        "held-empty-metadata-name-dropped",
        "state",
        "PATCH drops the empty name from metadata that has others",
        before(fields(_nameless_dropped, ONE)),
    ),
    # By "Every accepted request sets `updated_at`, even when nothing else changes"
    Mutant(
        "held-same-metadata-keeps-updated-at",
        "state",
        "PATCH with the metadata that is there already does not move updated_at",
        _stores(_same_is_no_change),
    ),
    # By "The exception is `format`: any value other than `json` is answered with 404.", before anything is done
    Mutant(
        "held-delete-with-unknown-format-deletes",
        "state",
        "DELETE with an unknown format is a 404 and deletes all the same",
        _deletes_all_the_same,
    ),
    # By "It is stripped and then compared exactly"; not-blank lists what white space is, and U+200B is none
    Mutant(
        "held-dedup-key-stripped-of-zero-width",
        "state",
        "characters of no width are stripped from deduplication_key as if they were white space",
        lambda mock: on_create(mock, _unseen_stripped),
    ),
    # By "Unlike all other times, it ends in +00:00."
    Mutant(
        "held-failure-time-ends-in-z",
        "schema",
        "the time of a failed connection ends in Z where one calendar is read",
        documents(_failure_in_z, ONE),
    ),
    # By "An API key ... gives access to the calendars and events of that project only."
    Mutant(
        "held-delete-takes-foreign-twin",
        "tenants",
        "DELETE deletes the calendars of other projects with the same deduplication key too",
        _twin_deleted,
    ),
    # By "The objects of other projects are answered as if they did not exist."
    Mutant(
        "held-foreign-patch-moves-updated-at",
        "tenants",
        "PATCH of another project's calendar is a 404 and moves its updated_at",
        _foreign_touched,
    ),
    # By "The objects of other projects are answered as if they did not exist."
    Mutant("held-head-finds-foreign-calendar", "tenants", "HEAD finds another project's calendar", _foreign_head),
    # By "The Authorization header is missing or malformed": `Token <api key>` is its form
    Mutant(
        "held-token-without-key-told-as-unknown",
        "auth",
        "the word Token without a key is told as an unknown key",
        after(_word_alone),
    ),
    # By the responses of createCalendar, which have no 409, and "A key that no other calendar of the project has."
    Mutant(
        "held-race-creates-conflict",
        "concurrency",
        "a create at once with any other of the project is a 409",
        _at_once("POST", "POST", 409, {"detail": "Another calendar is being created."}, b"GET, POST, HEAD, OPTIONS"),
    ),
    # By "An unknown id, or one of another project, is answered with 404."; this one is known
    Mutant(
        "held-race-patch-hides-calendar",
        "concurrency",
        "a calendar is not found while it is being changed",
        _at_once("PATCH", "GET", 404, {"error": "Calendar not found"}, b"GET, PATCH, DELETE, HEAD, OPTIONS"),
    ),
)
