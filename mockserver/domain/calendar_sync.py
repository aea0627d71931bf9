"""One sync of one calendar: what the service asks its platform, and what it then writes."""

from __future__ import annotations

from hashlib import sha256
from typing import Literal, NamedTuple, TypeAlias
from urllib.parse import quote, urlencode

from mockserver.domain.bot_sync import drop_of_calendar, follow_event
from mockserver.domain.model import Calendar, CalendarEvent, EventFields, Micros, Remote, Upstream
from mockserver.domain.postgres_limits import TooLong, fitted
from mockserver.domain.running import LONG
from mockserver.domain.store import Project, new_id, write_time
from mockserver.domain.timestamps import SECOND, render_offset, to_datetime
from mockserver.domain.upstream import is_there
from mockserver.domain.upstream_failures import LONGEST_WAIT, SLOW, case_of, text_of
from mockserver.domain.upstream_mapping import CannotBeRead

DAY: Micros = 86_400_000_000
DAYS_BACK, DAYS_AHEAD = 1, 28
Outcome: TypeAlias = Literal["synced", "disconnected", "failed"]


class Window(NamedTuple):
    """The span that a sync asks for. Events of its own the service looks for with start <= start_time < end."""

    start: Micros
    end: Micros


class Synced(NamedTuple):
    """What a sync came to, and the calendar as it wrote it."""

    outcome: Outcome
    calendar: Calendar
    window: Window
    created: int = 0
    updated: int = 0
    deleted: int = 0
    checked: int = 0
    """How many events that were in no list were looked up by their id."""
    remote: int = 0
    """How many objects the platform gave."""
    local: int = 0
    """How many events that are not deleted the window had before."""
    error: str = ""
    """The service's text about what went wrong."""


class _Listing(NamedTuple):
    """What the platform gave, as far as it may differ from the events that are there."""

    remotes: list[Remote]
    vanished: list[CalendarEvent]
    checked: int
    total: int
    local: int


class _Change(NamedTuple):
    """An event that a sync writes."""

    known: CalendarEvent | None
    """The event as it was; None for a new one."""
    fields: EventFields


def sync_calendar(project: Project, calendar: Calendar) -> Synced:
    """Syncs the calendar, which is the project's, with its upstream; see the sets_on_… of the recordings.

    It costs what the calendar has in the window, however much there is besides.
    """
    now = project.clock.now()
    window = Window(now - DAYS_BACK * DAY, now + DAYS_AHEAD * DAY)
    failure, text, calendar = _ask(project, calendar, window)
    if failure == "disconnected":
        return _disconnect(project, calendar, window, text)
    if failure == "failed":
        return _fail(project, calendar, window, text)
    return _write(project, calendar, window, _list(project, calendar, window))


def fingerprint(credential: str) -> str:
    """What a credential is known by again without being kept."""
    return sha256(credential.encode("utf-8", "surrogatepass")).hexdigest()


def refused_credential(calendar: Calendar, failure: str) -> str | None:
    """The fingerprint of the credential that a failure is about, or None when no new one ends it."""
    ended_by = case_of(calendar.platform, failure).ended_by
    return None if ended_by is None else fingerprint(getattr(calendar.credentials, ended_by))


def _ask(project: Project, calendar: Calendar, window: Window) -> tuple[Outcome, str, Calendar]:
    """What comes of asking the platform: `synced` when it gives a list; the calendar may have a new refresh token."""
    upstreams = project.state.upstreams
    upstream = _spent(calendar, upstreams.get(calendar.id))
    failure = upstream.failure
    outcome, text, got_token = _answer(calendar, upstream, window)
    if failure is not None and failure.for_next is not None:
        failure = failure._replace(for_next=failure.for_next - 1)
        upstream = upstream._replace(failure=failure) if failure.for_next else Upstream(upstream.derived)
    if upstream != upstreams.get(calendar.id):
        upstreams.put(calendar.id, upstream)
    return outcome, text, _rotated(project, calendar) if got_token else calendar


def _answer(calendar: Calendar, upstream: Upstream, window: Window) -> tuple[Outcome, str, bool]:
    """How the platform answers, the service's text about it, and whether an access token was given."""
    failure = upstream.failure
    if failure is None or (failure.name == SLOW and failure.seconds <= LONGEST_WAIT):
        return "synced", "", True
    case = case_of(calendar.platform, failure.name)
    text = upstream.says or text_of(calendar, failure.name, _list_url(calendar, window))
    return "disconnected" if case.authentication else "failed", text, case.stage == "list"


def _spent(calendar: Calendar, upstream: Upstream) -> Upstream:
    """The remote calendar without a failure that a new credential has ended."""
    if upstream.failure is None or upstream.refused is None:
        return upstream
    still = refused_credential(calendar, upstream.failure.name) == upstream.refused
    return upstream if still else Upstream(upstream.derived)


def _rotated(project: Project, calendar: Calendar) -> Calendar:
    """Microsoft gives a new refresh token with every access token, and the service keeps it."""
    if calendar.platform == "google":
        return calendar
    token = new_id("rotated", project.random)
    return calendar._replace(credentials=calendar.credentials._replace(refresh_token=token))


def _list_url(calendar: Calendar, window: Window) -> str:
    """The address of the list of events, as the service asks for it."""
    start, end = to_datetime(window.start), to_datetime(window.end)
    if calendar.platform == "google":
        folder = f"https://www.googleapis.com/calendar/v3/calendars/{calendar.platform_uuid or 'primary'}/events"
        query = {"timeMin": start.isoformat(), "timeMax": end.isoformat(), "singleEvents": "true"}
        return f"{folder}?{urlencode({**query, 'showDeleted': 'true', 'maxResults': '2500'})}"
    me = "me" if calendar.platform_uuid is None else f"me/calendars/{quote(calendar.platform_uuid)}"
    query = {
        "startDateTime": start.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "endDateTime": end.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "$orderby": "start/dateTime",
        "$select": "id,subject,start,end,attendees,organizer,iCalUId,seriesMasterId,isCancelled,isOnlineMeeting,"
        "onlineMeetingProvider,onlineMeeting,onlineMeetingUrl,location,body,webLink",
    }
    return f"https://graph.microsoft.com/v1.0/{me}/calendarView?{urlencode(query)}"


def _list(project: Project, calendar: Calendar, window: Window) -> _Listing:
    """The objects that the platform lists, and those that events in the window are looked up for by their ids.

    The list has what has not ended when the window begins, the look-ups go by where an event begins.
    """
    state = project.state
    upstreams, derived = state.upstreams, state.upstreams.get(calendar.id).derived
    asked = _asked(calendar, window)
    listed = upstreams.listed(calendar.id, *asked)
    names = {remote.id for remote in listed}
    elsewhere: list[Remote] = []
    vanished: list[CalendarEvent] = []
    total, local, unchanged = len(listed), 0, 0
    recent = state.events_between(calendar.id, asked.start - LONG, asked.start)
    running = state.long_events.running(calendar.id, asked.start, recent)
    for event in (*running, *state.events_between(calendar.id, asked.start, window.end)):
        known = upstreams.remote(calendar.id, event.platform_uuid)
        wanted = event.start_time >= window.start and not event.is_deleted
        local += wanted
        if known is None and derived:
            # The remote calendar has it as it is here already, be it in the list or not.
            if event.end_time > asked.start and event.start_time < asked.end:
                total += is_there(calendar, event)
            else:
                unchanged += wanted
        elif wanted and event.platform_uuid not in names:
            if known is None or known.document is None:
                vanished.append(event)
            else:
                elsewhere.append(known)
    found = len(elsewhere) + unchanged
    return _Listing([*listed, *elsewhere], vanished, found + len(vanished), total + found, local)


def _asked(calendar: Calendar, window: Window) -> Window:
    """The window as the platform is asked for it: Microsoft in whole seconds (microsoft_requests)."""
    if calendar.platform == "google":
        return window
    return Window(*(instant - instant % SECOND for instant in window))


def _write(project: Project, calendar: Calendar, window: Window, listing: _Listing) -> Synced:
    """Writes what has changed, and then the calendar, changed or not; when one object cannot be written, none is."""
    try:
        changes = [change for remote in listing.remotes if (change := _change(project, calendar, remote)) is not None]
    except (CannotBeRead, TooLong) as problem:
        return _fail(project, calendar, window, str(problem))
    for event in listing.vanished:
        # The object is not there to be read any more: raw stays what it was (google-vanished).
        _rewrite(project, event._replace(is_deleted=True))
    for change in changes:
        if change.known is None:
            _create(project, calendar, change.fields)
        else:
            _rewrite(project, change.known._replace(**change.fields._asdict()))
    at = write_time(project)
    calendar = _stamped(
        project,
        calendar._replace(
            state="connected", connection_failure_data=None, last_attempted_sync_at=at, last_successful_sync_at=at
        ),
    )
    created = sum(change.known is None for change in changes)
    counts = created, len(changes) - created, len(listing.vanished), listing.checked, listing.total, listing.local
    return Synced("synced", calendar, window, *counts)


def _change(project: Project, calendar: Calendar, remote: Remote) -> _Change | None:
    """What an object changes; None when its event says the same.

    Raises CannotBeRead, and TooLong.
    """
    fields = remote.fields
    if fields is None:
        raise CannotBeRead(remote.problem)
    known = project.state.event_named(calendar.id, remote.id)
    if known is not None and known.raw == fields.raw and known.meeting_url == fields.meeting_url:
        return None
    return _Change(known, fitted(fields))


def _create(project: Project, calendar: Calendar, fields: EventFields) -> None:
    state = project.state
    event_id = new_id("evt", project.random)
    while event_id in state.events:
        event_id = new_id("evt", project.random)
    state.put_event(
        CalendarEvent(
            id=event_id,
            seq=state.take_seq(),
            calendar_id=calendar.id,
            bots=[],
            created_at=write_time(project),
            updated_at=write_time(project),
            **fields._asdict(),
        )
    )


def _rewrite(project: Project, event: CalendarEvent) -> None:
    """Puts a changed event in place of the old, later than it was; its bots follow."""
    event = event._replace(updated_at=write_time(project, event.updated_at))
    project.state.put_event(event)
    follow_event(project.state, event, project.clock.now())


def _disconnect(project: Project, calendar: Calendar, window: Window, text: str) -> Synced:
    """An authentication error: no attempt is noted, and the scheduled bots go."""
    drop_of_calendar(project.state, calendar.id)
    at = write_time(project)
    broken = {"error": text, "timestamp": render_offset(at)}
    calendar = _stamped(project, calendar._replace(state="disconnected", connection_failure_data=broken))
    return Synced("disconnected", calendar, window, error=text)


def _fail(project: Project, calendar: Calendar, window: Window, text: str) -> Synced:
    """Any other error: an attempt is noted, and the calendar's state stays."""
    calendar = _stamped(project, calendar._replace(last_attempted_sync_at=write_time(project)))
    return Synced("failed", calendar, window, error=text)


def _stamped(project: Project, calendar: Calendar) -> Calendar:
    """Writes the calendar, later than it was."""
    calendar = calendar._replace(updated_at=write_time(project, calendar.updated_at))
    project.state.replace_calendar(calendar)
    return calendar
