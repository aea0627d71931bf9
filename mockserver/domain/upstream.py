"""Reads and edits the simulated Google or Microsoft calendar behind a calendar.

An upstream that is not described is derived: it has each event of the calendar, just as the service last saw it.
Such an object is made when it is first asked for, and kept from its first edit on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, TypeAlias

from mockserver.domain.jsonb import as_stored
from mockserver.domain.model import Calendar, CalendarEvent, EventFields, Json, Micros, Platform, Remote
from mockserver.domain.store import Project, State, new_id
from mockserver.domain.upstream_mapping import CannotBeRead, event_fields, google_time, is_cancelled, microsoft_time
from mockserver.domain.upstream_schema import BadInput, check_remote, check_span, compose, is_whole_days, time_of

_DAY = 86_400_000_000
_MOST_INSTANCES = 1000


class Add(NamedTuple):
    """A new object, in the platform's own shape."""

    event: Mapping[str, Json]


class Create(NamedTuple):
    """A new object, made from a few fields; `times` makes as many instances of a series, `every` so far apart."""

    start_time: Micros
    end_time: Micros
    name: str | None = None
    meeting_url: str | None = None
    attendees: tuple[tuple[str | None, str | None], ...] = ()
    """Address and name of each; a room or a guest may have no address."""
    times: int = 1
    every: Micros = 7 * _DAY


class Change(NamedTuple):
    """Other members of an object, members that it has no more, and another time as in `Move`."""

    id: str
    members: Mapping[str, Json]
    without: tuple[str, ...] = ()
    start_time: Micros | None = None
    """None leaves it where it is."""
    end_time: Micros | None = None


class Move(NamedTuple):
    """Another time; without an end the object stays as long as it is."""

    id: str
    start_time: Micros
    end_time: Micros | None = None


class Cancel(NamedTuple):
    """The platform keeps the object and calls it cancelled."""

    id: str


class Vanish(NamedTuple):
    """The object is gone: in no list, and a look-up by its id is a 404."""

    id: str


Edit: TypeAlias = Add | Create | Change | Move | Cancel | Vanish


def fields_of(event: CalendarEvent) -> EventFields:
    """What the last sync wrote into an event."""
    attendees = event.attendees if event.attendees is not None else []
    return EventFields(
        event.platform_uuid,
        event.meeting_url,
        event.name,
        event.start_time,
        event.end_time,
        attendees,
        event.raw,
        event.is_deleted,
        event.ical_uid,
    )


def is_there(calendar: Calendar, event: CalendarEvent) -> bool:
    """Whether the remote calendar that an event came from still has it: cancelled ones are there, deleted ones not."""
    return not event.is_deleted or (isinstance(event.raw, dict) and is_cancelled(calendar.platform, event.raw))


def make_remote(calendar_id: str, platform: Platform, document: Mapping[str, Any]) -> Remote:
    """An object out of a document that `check_remote` has seen."""
    ordered = as_stored(dict(document))
    name = str(ordered["id"])
    try:
        fields = event_fields(platform, ordered)
    except CannotBeRead as problem:
        # A cancelled instance without times is listed by when it was to begin; without that, it is in every list.
        start, end, original = (_time(platform, ordered.get(part)) for part in ("start", "end", "originalStartTime"))
        return Remote(calendar_id, name, ordered, original if start is None else start, None, str(problem), end)
    return Remote(calendar_id, name, ordered, fields.start_time, fields, end_time=fields.end_time)


def _time(platform: Platform, given: Any) -> Micros | None:
    """The instant of a start or an end, or None when there is none."""
    read = google_time if platform == "google" else microsoft_time
    try:
        return read(given) if isinstance(given, dict) else None
    except (LookupError, ValueError, TypeError, OverflowError):
        return None


def find(state: State, calendar: Calendar, remote_id: str) -> Remote | None:
    """The object of this id as the platform has it, or None when it has none; also by the id of its event."""
    event = state.events.get(remote_id)
    if event is not None and event.calendar_id == calendar.id:
        remote_id = event.platform_uuid
    known = state.upstreams.remote(calendar.id, remote_id)
    if known is not None:
        return known if known.document is not None else None
    if not state.upstreams.get(calendar.id).derived:
        return None
    event = state.event_named(calendar.id, remote_id)
    return _seen(event) if event is not None and is_there(calendar, event) else None


def _seen(event: CalendarEvent) -> Remote:
    """The object that an untouched event came from."""
    document = event.raw if isinstance(event.raw, dict) else {}
    fields = fields_of(event)
    return Remote(event.calendar_id, event.platform_uuid, document, event.start_time, fields, end_time=event.end_time)


def objects(state: State, calendar: Calendar) -> list[Remote]:
    """Every object of the remote calendar, the earliest first."""
    found = [remote for remote in state.upstreams.all(calendar.id) if remote.document is not None]
    if state.upstreams.get(calendar.id).derived:
        for event in state.events_in(calendar.id):
            untouched = state.upstreams.remote(calendar.id, event.platform_uuid) is None
            if untouched and is_there(calendar, event):
                found.append(_seen(event))
    return sorted(found, key=lambda remote: (remote.start_time or 0, remote.id))


def edit_upstream(project: Project, calendar: Calendar, edit: Edit) -> list[Remote]:
    """Makes the edit and gives the objects as they are now; what the service knows of them changes with the next sync.

    Raises BadInput, with nothing changed.
    """
    if isinstance(edit, Add):
        made = [_added(project.state, calendar, edit.event)]
    elif isinstance(edit, Create):
        made = [_added(project.state, calendar, event) for event in _created(project, calendar, edit)]
    else:
        made = [_edited(project.state, calendar, edit)]
    for remote in made:
        project.state.upstreams.put_remote(remote)
    return made


def _added(state: State, calendar: Calendar, event: Mapping[str, Json]) -> Remote:
    check_remote(calendar.platform, event)
    if find(state, calendar, str(event["id"])) is not None:
        raise BadInput("event.id", "an event with this id exists already", "change that event, or give another id")
    return make_remote(calendar.id, calendar.platform, event)


def _edited(state: State, calendar: Calendar, edit: Change | Move | Cancel | Vanish) -> Remote:
    old = find(state, calendar, edit.id)
    if old is None:
        raise BadInput("id", "the remote calendar has no event with this id", "use the platform_uuid of an event")
    if isinstance(edit, Vanish):
        return Remote(calendar.id, old.id, None, None, None)
    document = completed(state, calendar, old)
    if isinstance(edit, Change):
        if "id" in edit.without or edit.members.get("id", old.id) != old.id:
            raise BadInput("members.id", "an event keeps its id", "delete it, and add another one")
        document = {name: value for name, value in document.items() if name not in edit.without} | dict(edit.members)
        if edit.start_time is not None or edit.end_time is not None:
            document |= _moved(calendar.platform, old, edit.start_time, edit.end_time)
    elif isinstance(edit, Move):
        document |= _moved(calendar.platform, old, edit.start_time, edit.end_time)
    else:
        document |= {"status": "cancelled"} if calendar.platform == "google" else {"isCancelled": True}
    check_remote(calendar.platform, document)
    return make_remote(calendar.id, calendar.platform, document)


def _moved(platform: Platform, old: Remote, begins: Micros | None, ends: Micros | None) -> dict[str, Json]:
    start, end = begins, ends
    if old.start_time is not None and old.end_time is not None:
        start = old.start_time if start is None else start
        end = start + old.end_time - old.start_time if end is None else end
    if start is None or end is None:
        missing = "start_time" if start is None else "end_time"
        raise BadInput(missing, "the event has no time yet", "give it a start and an end")
    check_span(start, end)
    was = (old.document or {}).get("start")
    all_day = isinstance(was, dict) and "date" in was and is_whole_days(start, end)
    return {
        "start": time_of(platform, start, all_day=all_day),
        "end": time_of(platform, end, all_day=all_day),
    }


def completed(state: State, calendar: Calendar, remote: Remote) -> dict[str, Any]:
    """The object's document; one that does not say what its event does, as in hand-written fixtures, gets to."""
    document = dict(remote.document or {})
    event = state.event_named(calendar.id, remote.id)
    if state.upstreams.remote(calendar.id, remote.id) is not None or event is None or remote.fields is None:
        return document
    try:
        check_remote(calendar.platform, document)
        said = event_fields(calendar.platform, document)
    except (BadInput, CannotBeRead):
        said = None
    if said is not None and said._replace(raw=None) == remote.fields._replace(raw=None):
        return document
    return {**document, **compose(calendar.platform, remote.fields, event.created_at, event.updated_at)}


def _created(project: Project, calendar: Calendar, edit: Create) -> Iterable[dict[str, Json]]:
    """The documents of a new event, or of the instances of a new series."""
    if not 1 <= edit.times <= _MOST_INSTANCES:
        raise BadInput("times", f"must be 1 to {_MOST_INSTANCES}", "add fewer instances")
    if edit.times > 1 and edit.every < 1:
        raise BadInput("every", "must be a time ahead", "give the time from one instance to the next")
    now, series = project.clock.now(), new_id("upstream", project.random).removeprefix("upstream_")
    people: list[Json] = [{"name": name, "email": email} for email, name in edit.attendees]
    master = "recurringEventId" if calendar.platform == "google" else "seriesMasterId"
    for number in range(edit.times):
        start, end = edit.start_time + number * edit.every, edit.end_time + number * edit.every
        check_span(start, end)
        name = series if edit.times == 1 else f"{series}_{number + 1}"
        fields = EventFields(
            platform_uuid=name,
            meeting_url=edit.meeting_url,
            name=edit.name,
            start_time=start,
            end_time=end,
            attendees=people,
            raw=None,
            is_deleted=False,
            ical_uid=f"{series}@{calendar.platform}.example",
        )
        document = compose(calendar.platform, fields, now, now)
        if edit.times > 1:
            document[master] = series
            if calendar.platform == "google":
                document["originalStartTime"] = document["start"]
        yield document
