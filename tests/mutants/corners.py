"""Mutants that are wrong only off the beaten path: on later pages, with large values, beside other filters."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlencode

from mockserver.api.request import App
from mockserver.app import Mock
from mockserver.domain.calendar_service import CalendarChanges, NewCalendar
from mockserver.domain.model import Calendar
from mockserver.domain.store import Project
from tests.clients import ACME
from tests.mutants.bodies import fields
from tests.mutants.mutant import Mutant
from tests.mutants.state import Create, Update, on_create, on_update, store
from tests.mutants.wrapped import EVENTS, LIST, ONE, Call, Reply, after, before, crash, quietly


def _cursor(call: Call) -> str | None:
    text = call.parameters.get("cursor")
    try:
        return None if text is None else base64.b64decode(text).decode("ascii")
    except ValueError:
        return None


def _bare_plus_is_start(call: Call) -> None:
    """A position whose zone has a bare plus is read as no cursor at all."""
    inner = _cursor(call)
    if inner is not None and inner.rpartition("p=")[2].count("+") > 1:
        call.query = urlencode([(name, value) for name, value in call.parameters.items() if name != "cursor"])


def _bare_plus_crashes(call: Call) -> Reply | None:
    inner = _cursor(call)
    plain = inner is not None and inner.rpartition("p=")[2].count("+") > 1 and call.is_on(EVENTS)
    return crash() if plain else None


def _creates(change: Callable[[int, Calendar], Calendar]) -> Callable[[Mock], App]:
    """A new calendar is another; `change` is given how many there were before."""

    def apply(mock: Mock) -> App:
        number = count()

        def create(real: Create, project: Project, sent: NewCalendar) -> Calendar:
            calendar = change(next(number), real(project, sent))
            store(project, calendar)
            return calendar

        return on_create(mock, create)

    return apply


def _behind(number: int, calendar: Calendar) -> Calendar:
    moved = 2_000_000 * (number % 2)
    return calendar._replace(created_at=calendar.created_at - moved, updated_at=calendar.updated_at - moved)


def _patch_clock_behind(mock: Mock) -> App:
    def update(real: Update, project: Project, calendar_id: str, changes: CalendarChanges) -> Calendar:
        old = project.state.calendars.get(calendar_id)
        new = real(project, calendar_id, changes)
        if old is not None:
            new = new._replace(updated_at=max(old.updated_at + 1, new.updated_at - 3_000_000))
            store(project, new)
        return new

    return on_update(mock, update)


def _pages(path: str, change: Callable[[Call, dict[str, Any]], None], *, later: bool) -> Callable[[Mock], App]:
    """Changes the rows of pages: of those after the first, or of all."""

    def changed(call: Call, reply: Reply) -> Reply | None:
        is_page = call.is_on(path, methods="GET") and reply.status == 200 and reply.body.startswith(b"{")
        if not is_page or (later and "cursor" not in call.parameters):
            return None
        body = reply.json
        for row in body["results"]:
            change(call, row)
        return reply.write(body)

    return after(changed)


def _put(**members: Any) -> Callable[[Call, dict[str, Any]], None]:
    return lambda call, row: row.update(members)


def _ends_after_two_pages(call: Call, reply: Reply) -> Reply | None:
    """The second page of events is the last one when there is a filter."""
    filtered = len(set(call.parameters) - {"cursor", "ordering"}) > 0 and "cursor" in call.parameters
    if not call.is_on(EVENTS, methods="GET") or not filtered or reply.status != 200 or not reply.body.startswith(b"{"):
        return None
    return reply.write({**reply.json, "next": None})


def _many_names_cut(sent: dict[str, Any]) -> None:
    metadata = sent.get("metadata")
    if isinstance(metadata, dict) and len(metadata) > 20 and len(json.dumps(metadata)) <= 1000:
        sent["metadata"] = dict(list(metadata.items())[:20])


def _long_value_cut(sent: dict[str, Any]) -> None:
    metadata = sent.get("metadata")
    if isinstance(metadata, dict) and len(json.dumps(metadata)) <= 1000:
        sent["metadata"] = {name: value[:500] if isinstance(value, str) else value for name, value in metadata.items()}


def _long_name_cut(sent: dict[str, Any]) -> None:
    metadata = sent.get("metadata")
    if isinstance(metadata, dict) and len(json.dumps(metadata)) <= 1000:
        sent["metadata"] = {name[:100]: value for name, value in metadata.items()}


def _cut(name: str, length: int) -> Callable[[dict[str, Any]], None]:
    def change(sent: dict[str, Any]) -> None:
        text = sent.get(name)
        if isinstance(text, str) and length < len(text.strip()) <= 1024:
            sent[name] = text.strip()[:length]

    return change


def _long_secret_refused(call: Call) -> Reply | None:
    sent = call.json if call.is_on(LIST, methods="POST") else None
    long = isinstance(sent, dict) and isinstance(sent.get("client_secret"), str) and len(sent["client_secret"]) > 2000
    return crash() if long else None


def _long_token_refused(call: Call) -> Reply | None:
    sent = call.json if call.is_on(ONE, methods="PATCH") else None
    long = isinstance(sent, dict) and isinstance(sent.get("refresh_token"), str) and len(sent["refresh_token"]) > 1024
    return crash() if long else None


def _long_filter_crashes(call: Call) -> Reply | None:
    long = call.is_on(EVENTS, methods="GET") and len(call.parameters.get("calendar_deduplication_key", "")) > 700
    return crash() if long else None


def _bounded_by_letters(mock: Mock) -> App:
    """The limit of metadata counts letters, not the characters of its JSON text."""

    def change(call: Call) -> None:
        sent = call.json if call.is_on(LIST, ONE, methods="POST PATCH") else None
        metadata = sent.get("metadata") if isinstance(sent, dict) else None
        if (
            sent is not None
            and isinstance(metadata, dict)
            and len(json.dumps(metadata, ensure_ascii=False)) <= 1000 < len(json.dumps(metadata))
        ):
            call.body = json.dumps(
                {**sent, "metadata": {"conformance_run": metadata.get("conformance_run", "x")}}
            ).encode()

    return before(change)(mock)


def _ignored(name: str, beside: Callable[[dict[str, str]], bool]) -> Callable[[Mock], App]:
    """A parameter of events is ignored beside others."""

    def change(call: Call) -> None:
        if call.is_on(EVENTS, methods="GET") and beside(call.parameters):
            parameters = parse_qs(call.query, keep_blank_values=True)
            call.query = urlencode([(one, text) for one, texts in parameters.items() if one != name for text in texts])

    return quietly(change)


def _orders_by_default(call: Call) -> None:
    if call.is_on(EVENTS, methods="GET") and "calendar_id" in call.parameters:
        call.query = call.query.replace("ordering=-end_time", "ordering=-updated_at")


def _start_of_secret(call: Call, reply: Reply) -> Reply | None:
    sent = call.json if call.is_on(ONE, methods="PATCH") and reply.status == 400 else None
    secret = sent.get("client_secret") if isinstance(sent, dict) else None
    if not isinstance(secret, str) or len(secret) < 20 or not isinstance(reply.json, dict):
        return None
    told = {name: [*texts, f"near {secret[:14]}"] for name, texts in reply.json.items() if isinstance(texts, list)}
    return reply.write(told) if told else None


def _end_of_token(call: Call, reply: Reply) -> None:
    sent = call.json if call.is_on(LIST, methods="POST") and reply.status == 201 else None
    if isinstance(sent, dict) and isinstance(sent.get("refresh_token"), str):
        reply.headers["x-token-hint"] = sent["refresh_token"].strip()[-10:]


def _start_of_key(call: Call, reply: Reply) -> None:
    key = call.headers.get("authorization", "").rpartition(" ")[2]
    if reply.status == 404 and call.is_on(LIST, EVENTS) and len(key) > 20:
        reply.headers["x-key-hint"] = f"{key[:16]}…".encode().decode("latin-1")


def _foreign(mock: Mock, call: Call) -> list[str]:
    """The ids of the calendars of other projects than that of the request."""
    key = call.headers.get("authorization", "").rpartition(" ")[2]
    mine = mock.store.by_key.get(key)
    return [one.id for project in mock.store.projects if project is not mine for one in project.state.calendars]


def _foreign_id_in_error(mock: Mock) -> App:
    def change(call: Call, reply: Reply) -> Reply | None:
        key = call.headers.get("authorization", "").rpartition(" ")[2]
        if call.is_on(LIST, methods="POST") and reply.status == 400 and b"already exists" in reply.body and key == ACME:
            told = reply.json["deduplication_key"][0]
            near = [name for name in _foreign(mock, call) if name in mock.store.projects[1].state.calendars]
            return reply.write({"deduplication_key": [told, f"next to {near[0]}"]}) if near else None
        return None

    return after(change)(mock)


def _foreign_id_in_raw(mock: Mock) -> App:
    def change(call: Call, row: dict[str, Any]) -> None:
        near = [name for name in _foreign(mock, call) if name in mock.store.projects[1].state.calendars]
        if near and isinstance(row["raw"], dict):
            row["raw"] = {**row["raw"], "seeAlso": f"urn:{near[0]}"}

    return _pages(EVENTS, change, later=False)(mock)


def _foreign_404_differs(mock: Mock) -> App:
    def change(call: Call, reply: Reply) -> None:
        if call.is_on(ONE) and reply.status == 404 and call.path.removeprefix(ONE) in _foreign(mock, call):
            reply.headers["x-owned-by"] = "another project"

    return after(change)(mock)


def _metadata_alphabetical(call: Call, row: dict[str, Any]) -> None:
    if isinstance(row["metadata"], dict):
        row["metadata"] = dict(sorted(row["metadata"].items()))


def _errors_alphabetical(call: Call, reply: Reply) -> Reply | None:
    if call.is_on(LIST, methods="POST") and reply.status == 400 and isinstance(reply.json, dict):
        return reply.write(dict(sorted(reply.json.items())))
    return None


def _zero_fraction(call: Call, row: dict[str, Any]) -> None:
    for name in ("start_time", "end_time"):
        row[name] = row[name] if "." in row[name] else row[name].replace("Z", ".000000Z")


def _head_of_later_page(call: Call) -> Reply | None:
    return crash() if call.method == "HEAD" and call.is_on(EVENTS) and "cursor" in call.parameters else None


def _head_of_filter(call: Call, reply: Reply) -> None:
    if call.method == "HEAD" and call.is_on(LIST) and call.query:
        reply.status = 404


def _refused_forgets_allow(call: Call, reply: Reply) -> None:
    if reply.status == 404 and call.is_on(EVENTS):
        reply.headers.pop("allow", None)


def _list_lacks_uuid(call: Call, row: dict[str, Any]) -> None:
    row["platform_uuid"] = None


def _list_updated_as_created(call: Call, row: dict[str, Any]) -> None:
    row["updated_at"] = row["created_at"]


MUTANTS: tuple[Mutant, ...] = (
    Mutant(
        "bare-plus-cursor-restarts",
        "pagination",
        "a cursor with a bare plus is the first page",
        before(_bare_plus_is_start),
    ),
    Mutant(
        "bare-plus-cursor-crashes",
        "robustness",
        "a cursor of events with a bare plus crashes",
        before(_bare_plus_crashes),
    ),
    Mutant(
        "every-other-create-two-seconds-behind",
        "timing",
        "every other new calendar is two seconds older",
        _creates(_behind),
    ),
    Mutant("patch-clock-three-seconds-behind", "timing", "changes are dated three seconds early", _patch_clock_behind),
    Mutant(
        "later-pages-lack-metadata",
        "schema",
        "calendars of later pages have no metadata",
        _pages(LIST, _put(metadata=None), later=True),
    ),
    Mutant(
        "later-pages-lack-attendees",
        "schema",
        "events of later pages have no attendees",
        _pages(EVENTS, _put(attendees=None), later=True),
    ),
    Mutant(
        "second-filtered-page-is-last",
        "pagination",
        "with a filter, the second page of events is the last",
        after(_ends_after_two_pages),
    ),
    Mutant("metadata-keeps-20-names", "state", "metadata keeps 20 names", before(fields(_many_names_cut, LIST, ONE))),
    Mutant(
        "metadata-values-cut-at-500",
        "state",
        "values of metadata are cut at 500 characters",
        before(fields(_long_value_cut, LIST, ONE)),
    ),
    Mutant(
        "metadata-names-cut-at-100",
        "state",
        "names of metadata are cut at 100 characters",
        before(fields(_long_name_cut, LIST, ONE)),
    ),
    Mutant(
        "platform-uuid-cut-at-512",
        "state",
        "platform_uuid is cut at 512 characters",
        before(fields(_cut("platform_uuid", 512), LIST)),
    ),
    Mutant(
        "dedup-key-cut-at-512",
        "state",
        "deduplication_key is cut at 512 characters",
        before(fields(_cut("deduplication_key", 512), LIST)),
    ),
    Mutant(
        "long-client-secret-crashes",
        "robustness",
        "a client_secret of over 2000 characters crashes",
        before(_long_secret_refused),
    ),
    Mutant(
        "long-refresh-token-crashes",
        "robustness",
        "a refresh_token of over 1024 characters crashes a PATCH",
        before(_long_token_refused),
    ),
    Mutant(
        "long-filter-crashes",
        "robustness",
        "a calendar_deduplication_key filter of over 700 characters crashes",
        before(_long_filter_crashes),
    ),
    Mutant(
        "metadata-limit-counts-letters",
        "status",
        "the limit of metadata counts letters, not JSON text",
        _bounded_by_letters,
    ),
    Mutant(
        "updated-at-gte-ignored-by-end-time",
        "filters",
        "updated_at_gte is ignored when sorted by end_time",
        _ignored("updated_at_gte", lambda p: p.get("ordering") == "end_time"),
    ),
    Mutant(
        "event-id-ignored-by-start-time",
        "filters",
        "event_id is ignored when sorted by -start_time",
        _ignored("event_id", lambda p: p.get("ordering") == "-start_time"),
    ),
    Mutant(
        "calendar-dedup-key-ignored-with-updated-after",
        "filters",
        "calendar_deduplication_key is ignored beside updated_after",
        _ignored("calendar_deduplication_key", lambda p: "updated_after" in p),
    ),
    Mutant(
        "ordering-ignored-with-calendar-id",
        "filters",
        "-end_time is ignored beside calendar_id",
        quietly(_orders_by_default),
    ),
    Mutant(
        "patch-error-shows-start-of-secret",
        "auth",
        "a refused PATCH shows the beginning of client_secret",
        after(_start_of_secret),
    ),
    Mutant(
        "create-header-shows-end-of-token",
        "auth",
        "a header of create shows the end of refresh_token",
        after(_end_of_token),
    ),
    Mutant(
        "404-header-shows-start-of-key",
        "auth",
        "a header of a 404 shows the beginning of the API key",
        after(_start_of_key),
    ),
    Mutant(
        "taken-key-error-shows-foreign-id",
        "tenants",
        "the error for a taken key has an id of another project",
        _foreign_id_in_error,
    ),
    Mutant("raw-shows-foreign-id", "tenants", "raw of events has an id of another project", _foreign_id_in_raw),
    Mutant(
        "foreign-404-has-other-headers",
        "tenants",
        "the 404 for another project's calendar has a header more",
        _foreign_404_differs,
    ),
    Mutant(
        "metadata-in-alphabetical-order",
        "schema",
        "names of metadata come in alphabetical order in lists",
        _pages(LIST, _metadata_alphabetical, later=False),
    ),
    Mutant(
        "field-errors-in-alphabetical-order",
        "status",
        "wrong fields are reported by name, not in their order",
        after(_errors_alphabetical),
    ),
    Mutant(
        "zero-fraction-written",
        "schema",
        "times of events without a fraction end in .000000Z",
        _pages(EVENTS, _zero_fraction, later=False),
    ),
    Mutant(
        "head-of-later-page-crashes", "headers", "HEAD of a later page of events crashes", before(_head_of_later_page)
    ),
    Mutant(
        "head-with-filter-answers-404", "headers", "HEAD of calendars with a filter is a 404", after(_head_of_filter)
    ),
    Mutant(
        "invalid-cursor-without-allow",
        "headers",
        "the 404 for a cursor of events has no Allow",
        after(_refused_forgets_allow),
    ),
    Mutant(
        "list-lacks-platform-uuid",
        "state",
        "the list shows no platform_uuid",
        _pages(LIST, _list_lacks_uuid, later=False),
    ),
    Mutant(
        "list-updated-at-is-created-at",
        "state",
        "the list shows created_at as updated_at",
        _pages(LIST, _list_updated_as_created, later=False),
    ),
)
