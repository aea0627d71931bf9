"""Mutants that lose, keep or change what they should not."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from mockserver.api.request import App
from mockserver.api.serializers import calendar_document
from mockserver.app import Mock
from mockserver.domain.calendar_service import CalendarChanges, DuplicateDeduplicationKey, NewCalendar
from mockserver.domain.model import Calendar
from mockserver.domain.pagination import Cursor
from mockserver.domain.store import Listed, Project, State
from tests.mutants.altering import CalendarPage, ListCalendars, Seen, afterwards, asking, calendar_pages
from tests.mutants.mutant import Mutant

Create: TypeAlias = Callable[[Project, NewCalendar], Calendar]
Update: TypeAlias = Callable[[Project, str, CalendarChanges], Calendar]
Stored: TypeAlias = Callable[[Calendar, Calendar, CalendarChanges], Calendar]
"""The calendar before and after a change, and the change, to what is stored and answered."""


def store(project: Project, calendar: Calendar) -> None:
    """Puts a calendar in place of the one with its id, wherever that is noted down."""
    state, old = project.state, project.state.calendars.get(calendar.id)
    assert old is not None
    state.listed.remove(Listed(old.created_at, old.seq, old.id))
    state.listed.add(Listed(calendar.created_at, calendar.seq, calendar.id))
    key = old.deduplication_key
    if key is not None and key != calendar.deduplication_key and key in state.calendar_ids:
        state.calendar_ids.drop(key)
    state.replace_calendar(calendar)


def forgiving(mock: Mock) -> None:
    """Lets calendars be deleted whose key another one has."""
    real = mock.calendar_service.delete_calendar

    def delete(project: Project, calendar_id: str) -> None:
        calendar = mock.calendar_service.get_calendar(project, calendar_id)
        key = calendar.deduplication_key
        if key is not None and key not in project.state.calendar_ids:
            project.state.calendar_ids.put(key, calendar_id)
        real(project, calendar_id)

    mock.calendar_service.delete_calendar = delete  # type: ignore[method-assign]


def on_create(mock: Mock, change: Callable[[Create, Project, NewCalendar], Calendar]) -> App:
    """A mock that creates otherwise; `change` is given the right way."""
    real = mock.calendar_service.create_calendar
    mock.calendar_service.create_calendar = lambda project, fields: change(real, project, fields)  # type: ignore[method-assign]
    return asking(mock)


def on_update(mock: Mock, change: Callable[[Update, Project, str, CalendarChanges], Calendar]) -> App:
    """A mock that updates otherwise; `change` is given the right way."""
    real = mock.calendar_service.update_calendar

    def update(project: Project, calendar_id: str, changes: CalendarChanges) -> Calendar:
        return change(real, project, calendar_id, changes)

    mock.calendar_service.update_calendar = update  # type: ignore[method-assign]
    return asking(mock)


def _stores(change: Stored) -> Callable[[Mock], App]:
    def changed(real: Update, project: Project, calendar_id: str, changes: CalendarChanges) -> Calendar:
        old = project.state.calendars.get(calendar_id)
        new = real(project, calendar_id, changes)
        stored = new if old is None else change(old, new, changes)
        store(project, stored)
        return stored

    return lambda mock: on_update(mock, changed)


def _creates(change: Callable[[NewCalendar], Mapping[str, Any]]) -> Callable[[Mock], App]:
    """New calendars whose fields are other than those that were sent."""

    def changed(real: Create, project: Project, fields: NewCalendar) -> Calendar:
        return real(project, {**fields, **change(fields)})  # type: ignore[typeddict-item]

    return lambda mock: on_create(mock, changed)


def _answers_only(mock: Mock) -> App:
    def changed(real: Update, project: Project, calendar_id: str, changes: CalendarChanges) -> Calendar:
        old = project.state.calendars.get(calendar_id)
        new = real(project, calendar_id, changes)
        if old is not None:
            project.state.replace_calendar(old._replace(updated_at=new.updated_at))
        return new

    return on_update(mock, changed)


def _drops_quick(mock: Mock) -> App:
    """Of two changes in a row the second is not stored."""
    last: dict[str, str] = {}

    def changed(real: Update, project: Project, calendar_id: str, changes: CalendarChanges) -> Calendar:
        old = project.state.calendars.get(calendar_id)
        new = real(project, calendar_id, changes)
        quick = last.get("id") == calendar_id
        last["id"] = "" if quick else calendar_id
        if quick and old is not None:
            project.state.replace_calendar(old._replace(updated_at=new.updated_at))
        return new

    return on_update(mock, changed)


def _changes_all(mock: Mock) -> App:
    def changed(real: Update, project: Project, calendar_id: str, changes: CalendarChanges) -> Calendar:
        new = real(project, calendar_id, changes)
        for other in [c for c in project.state.calendars if c.client_id == new.client_id and c.id != new.id]:
            if "metadata" in changes:
                project.state.replace_calendar(other._replace(metadata=new.metadata))
        return new

    return on_update(mock, changed)


def _get_moves(mock: Mock) -> App:
    real = mock.calendar_service.get_calendar

    def get(project: Project, calendar_id: str) -> Calendar:
        calendar = real(project, calendar_id)
        moved = calendar._replace(updated_at=max(mock.clock.now(), calendar.updated_at + 1))
        project.state.replace_calendar(moved)
        return moved

    mock.calendar_service.get_calendar = get  # type: ignore[method-assign]
    return asking(mock)


def _still_listed(mock: Mock) -> App:
    gone: list[tuple[Project, Calendar]] = []
    real = mock.calendar_service.delete_calendar

    def delete(project: Project, calendar_id: str) -> None:
        calendar = project.state.calendars.get(calendar_id)
        real(project, calendar_id)
        if calendar is not None:
            gone.append((project, calendar))

    def change(listed: ListCalendars, project: Project, cursor: Cursor, key: str | None) -> CalendarPage:
        page = listed(project, cursor, key)
        if key is not None or cursor != Cursor():
            return page
        rows = [*page.rows, *(calendar for owner, calendar in gone if owner is project)]
        return page._replace(rows=sorted(rows, key=lambda row: -row.created_at)[:25])

    mock.calendar_service.delete_calendar = delete  # type: ignore[method-assign]
    return calendar_pages(mock, change)


def _still_found(mock: Mock) -> App:
    gone: dict[str, Calendar] = {}
    real = mock.calendar_service.delete_calendar

    def delete(project: Project, calendar_id: str) -> None:
        calendar = project.state.calendars.get(calendar_id)
        real(project, calendar_id)
        if calendar is not None and calendar.deduplication_key is not None:
            gone[calendar.deduplication_key] = calendar

    def change(listed: ListCalendars, project: Project, cursor: Cursor, key: str | None) -> CalendarPage:
        page = listed(project, cursor, key)
        return page._replace(rows=[gone[key]]) if key in gone and not page.rows else page

    mock.calendar_service.delete_calendar = delete  # type: ignore[method-assign]
    return calendar_pages(mock, change)


def _events_stay(mock: Mock) -> App:
    """And one calendar with events was deleted already."""

    def drop(state: State, calendar: Calendar) -> None:
        events = list(state.events_in(calendar.id))
        state.drop_calendar(calendar)
        for event in events:
            state.put_event(event)

    for project in mock.store.projects:
        for state in (project.baseline, project.state):
            counts = {c.id: state.count_events_in(c.id) for c in state.calendars}
            fewest = min((c for c in state.calendars if counts[c.id]), key=lambda c: counts[c.id], default=None)
            if fewest is not None:
                drop(state, fewest)

    def delete(project: Project, calendar_id: str) -> None:
        drop(project.state, mock.calendar_service.get_calendar(project, calendar_id))

    mock.calendar_service.delete_calendar = delete  # type: ignore[method-assign]
    return asking(mock)


def _refused_is_stored(mock: Mock) -> App:
    def act(seen: Seen) -> None:
        sent = seen.sent
        if seen.method != "POST" or seen.status != 400 or not isinstance(sent, dict):
            return
        key = sent.get("deduplication_key")
        if isinstance(key, str) and 0 < len(key.strip()) < 200 and key.strip() not in seen.project.state.calendar_ids:
            fields: NewCalendar = {
                "platform": "google",
                "client_id": "conformance.invalid",
                "client_secret": "x",
                "refresh_token": "x",
                "deduplication_key": key.strip(),
            }
            mock.calendar_service.create_calendar(seen.project, fields)

    return afterwards(mock, act)


def _refused_change(change: Callable[[Calendar, Any], Calendar]) -> Callable[[Mock], App]:
    """A PATCH that is refused and changes something all the same."""

    def apply(mock: Mock) -> App:
        def act(seen: Seen) -> None:
            calendar = seen.project.state.calendars.get(seen.name)
            if seen.method == "PATCH" and seen.status == 400 and calendar is not None and isinstance(seen.sent, dict):
                seen.project.state.replace_calendar(change(calendar, seen.sent))

        return afterwards(mock, act)

    return apply


def _good_metadata(calendar: Calendar, sent: Any) -> Calendar:
    metadata = sent.get("metadata")
    good = isinstance(metadata, dict) and metadata and all(isinstance(value, str) for value in metadata.values())
    # What cannot be stored, as a surrogate, is not printable.
    good = good and all(text.isprintable() for pair in metadata.items() for text in pair)
    return calendar._replace(metadata=metadata) if good and len(str(metadata)) < 900 else calendar


def _sets(*names: str) -> Callable[[Mock], App]:
    """A PATCH that also takes these fields."""

    def apply(mock: Mock) -> App:
        def act(seen: Seen) -> tuple[int, Any] | None:
            calendar = seen.project.state.calendars.get(seen.name)
            if seen.method != "PATCH" or calendar is None or not isinstance(seen.sent, dict):
                return None
            given = {name: seen.sent[name] for name in names if isinstance(seen.sent.get(name), str)}
            if not given or seen.status != 400:
                return None
            changed = calendar._replace(updated_at=calendar.updated_at + 1, **given)
            seen.project.state.replace_calendar(changed)
            return 200, calendar_document(changed)

        return afterwards(mock, act)

    return apply


def _old_one(real: Create, project: Project, fields: NewCalendar) -> Calendar:
    try:
        return real(project, fields)
    except DuplicateDeduplicationKey:
        found = project.state.calendar_ids.get(fields["deduplication_key"])
        calendar = project.state.calendars.get(found or "")
        assert calendar is not None
        return calendar


def _twice(real: Create, project: Project, fields: NewCalendar) -> Calendar:
    key = fields.get("deduplication_key")
    if key is None or key not in project.state.calendar_ids:
        return real(project, fields)
    project.state.calendar_ids.drop(key)
    return real(project, fields)


def _duplicates(mock: Mock) -> App:
    forgiving(mock)
    return on_create(mock, _twice)


def _key_taken(alike: Callable[[str, str], bool]) -> Callable[[Mock], App]:
    def changed(real: Create, project: Project, fields: NewCalendar) -> Calendar:
        key = fields.get("deduplication_key")
        keys = [c.deduplication_key for c in project.state.calendars if c.deduplication_key]
        if key is not None and any(alike(key, other) for other in keys):
            raise DuplicateDeduplicationKey
        return real(project, fields)

    return lambda mock: on_create(mock, changed)


def _never_freed(mock: Mock) -> App:
    used: set[tuple[str, str]] = set()

    def changed(real: Create, project: Project, fields: NewCalendar) -> Calendar:
        key = (project.name, fields.get("deduplication_key") or "")
        if key in used:
            raise DuplicateDeduplicationKey
        calendar = real(project, fields)
        if key[1]:
            used.add(key)
        return calendar

    return on_create(mock, changed)


def _unstripped(mock: Mock) -> App:
    """The comparison sees the key before it is stripped."""

    def act(seen: Seen) -> tuple[int, Any] | None:
        key = seen.sent.get("deduplication_key") if isinstance(seen.sent, dict) else None
        if seen.method != "POST" or seen.status != 400 or not isinstance(key, str) or key == key.strip():
            return None
        if key.strip() not in seen.project.state.calendar_ids:
            return None
        seen.project.state.calendar_ids.drop(key.strip())
        fields = {name: value.strip() if isinstance(value, str) else value for name, value in seen.sent.items()}
        return 201, calendar_document(mock.calendar_service.create_calendar(seen.project, fields))  # type: ignore[arg-type]

    forgiving(mock)
    return afterwards(mock, act)


def _nothing_deleted(mock: Mock) -> App:
    service = mock.calendar_service
    service.delete_calendar = lambda project, calendar_id: service.get_calendar(project, calendar_id) and None  # type: ignore[method-assign]
    return asking(mock)


def _next_deleted_too(mock: Mock) -> App:
    real = mock.calendar_service.delete_calendar

    def delete(project: Project, calendar_id: str) -> None:
        calendar = mock.calendar_service.get_calendar(project, calendar_id)
        real(project, calendar_id)
        ours = [c for c in project.state.calendars if c.client_id == calendar.client_id and c.seq > calendar.seq]
        for other in ours[:1]:
            real(project, other.id)

    mock.calendar_service.delete_calendar = delete  # type: ignore[method-assign]
    return asking(mock)


def _list_as_created(mock: Mock) -> App:
    """The list shows calendars as they were when they were listed first."""
    shown: dict[str, Calendar] = {}

    def change(listed: ListCalendars, project: Project, cursor: Cursor, key: str | None) -> CalendarPage:
        page = listed(project, cursor, key)
        return page._replace(rows=[shown.setdefault(row.id, row) for row in page.rows])

    return calendar_pages(mock, change)


def _trimmed(fields: NewCalendar) -> Mapping[str, Any]:
    metadata = fields.get("metadata")
    return {"metadata": {name: value.strip() for name, value in metadata.items()}} if metadata else {}


def _without_json(fields: NewCalendar) -> Mapping[str, Any]:
    metadata = fields.get("metadata")
    return {"metadata": {n: v for n, v in metadata.items() if not v.startswith("{")} or metadata} if metadata else {}


def _mutant(slug: str, defect: str, apply: Callable[[Mock], App]) -> Mutant:
    return Mutant(slug, "state", defect, apply)


MUTANTS: tuple[Mutant, ...] = (
    _mutant(
        "patch-clears-dedup-key",
        "PATCH clears deduplication_key",
        _stores(lambda old, new, sent: new._replace(deduplication_key=None)),
    ),
    _mutant("patch-answers-metadata-unstored", "PATCH answers new metadata and stores nothing", _answers_only),
    _mutant(
        "patch-merges-metadata",
        "PATCH merges metadata instead of replacing it",
        _stores(lambda old, new, sent: new._replace(metadata={**(old.metadata or {}), **(new.metadata or {})})),
    ),
    _mutant(
        "patch-keeps-updated-at",
        "PATCH does not move updated_at",
        _stores(lambda old, new, sent: new._replace(updated_at=old.updated_at)),
    ),
    _mutant(
        "empty-patch-keeps-updated-at",
        "PATCH without fields does not move updated_at",
        _stores(lambda old, new, sent: new if sent else new._replace(updated_at=old.updated_at)),
    ),
    _mutant(
        "credential-patch-keeps-updated-at",
        "PATCH of a credential alone does not move updated_at",
        _stores(lambda old, new, sent: new if "metadata" in sent else new._replace(updated_at=old.updated_at)),
    ),
    _mutant("get-moves-updated-at", "GET moves updated_at", _get_moves),
    _mutant("deleted-calendar-still-listed", "a deleted calendar is a 404, and still in the list", _still_listed),
    _mutant("deleted-calendar-found-by-key", "a deleted calendar is a 404, and still found by its key", _still_found),
    _mutant("delete-keeps-events", "DELETE leaves the events", _events_stay),
    _mutant("refused-create-stored", "a refused create with a deduplication key is stored", _refused_is_stored),
    _mutant(
        "duplicate-key-answers-old-calendar",
        "a duplicate key answers 201 with the old calendar",
        lambda mock: on_create(mock, _old_one),
    ),
    _mutant("patch-sets-state", "PATCH can set state", _sets("state")),
    _mutant("patch-sets-platform-uuid", "PATCH can set platform_uuid", _sets("platform_uuid")),
    _mutant(
        "patch-moves-created-at",
        "PATCH moves created_at",
        _stores(lambda old, new, sent: new._replace(created_at=old.created_at + 1)),
    ),
    _mutant("deleted-calendar-keeps-its-key", "a deleted calendar's key stays taken", _never_freed),
    _mutant("metadata-values-trimmed", "metadata values are trimmed", _creates(_trimmed)),
    _mutant(
        "object-like-metadata-dropped", "metadata values that look like objects are dropped", _creates(_without_json)
    ),
    _mutant("refused-patch-changes-metadata", "a refused PATCH changes metadata", _refused_change(_good_metadata)),
    _mutant(
        "refused-patch-moves-updated-at",
        "a refused PATCH moves updated_at",
        _refused_change(lambda calendar, sent: calendar._replace(updated_at=calendar.updated_at + 1)),
    ),
    _mutant(
        "client-id-cut-at-100",
        "client_id is cut at 100 characters",
        _creates(lambda fields: {"client_id": fields["client_id"][:100]}),
    ),
    _mutant(
        "key-uniqueness-ignores-case",
        "key uniqueness ignores case",
        _key_taken(lambda key, other: key.lower() == other.lower()),
    ),
    _mutant(
        "key-uniqueness-normalises-accents",
        "key uniqueness ignores how accents are encoded",
        _key_taken(lambda key, other: unicodedata.normalize("NFC", key) == unicodedata.normalize("NFC", other)),
    ),
    _mutant(
        "dedup-key-stored-in-lower-case",
        "deduplication_key is stored in lower case",
        _creates(lambda fields: {"deduplication_key": k.lower()} if (k := fields.get("deduplication_key")) else {}),
    ),
    _mutant("create-ignores-dedup-key", "duplicate keys are taken", _duplicates),
    _mutant(
        "patch-without-metadata-clears-it",
        "PATCH without metadata clears it",
        _stores(lambda old, new, sent: new._replace(metadata=sent.get("metadata"))),
    ),
    _mutant("delete-deletes-nothing", "DELETE answers 200 and deletes nothing", _nothing_deleted),
    _mutant(
        "patch-drops-empty-metadata-values",
        "PATCH drops metadata whose value is empty",
        _stores(
            lambda old, new, sent: new._replace(metadata={n: v for n, v in (new.metadata or {}).items() if v} or None)
        ),
    ),
    _mutant(
        "list-shows-calendars-unchanged",
        "the list shows calendars as they were before they were changed",
        _list_as_created,
    ),
    _mutant("patch-changes-all-of-client", "PATCH changes every calendar of the same client", _changes_all),
    _mutant("delete-takes-next-calendar-along", "DELETE takes the next calendar along", _next_deleted_too),
    _mutant("keys-compared-unstripped", "keys are compared before they are stripped", _unstripped),
    _mutant("second-of-two-changes-unstored", "of two changes in a row the second is not stored", _drops_quick),
    _mutant(
        "new-credentials-clear-platform-uuid",
        "new credentials make a calendar forget its platform_uuid",
        _stores(
            lambda old, new, sent: (
                new if "refresh_token" not in sent else new._replace(platform_uuid=None, client_id="x")
            )
        ),
    ),
    _mutant("platform-uuid-unstored", "platform_uuid is not stored", _creates(lambda fields: {"platform_uuid": None})),
)
