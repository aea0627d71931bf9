"""Control routes of a calendar: the events of its upstream, its failures, its syncs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

from mockserver.control.errors import Refused
from mockserver.control.event_shorthand import read_change, read_new
from mockserver.control.request import find_calendar, is_whole, moment, read_limit
from mockserver.control.routes import Call, Reply, Route
from mockserver.control.webhook_diagnosis import WebhookDiagnosis
from mockserver.delivery.worker import Worker
from mockserver.domain.activity import Activity
from mockserver.domain.calendar_service import CalendarService
from mockserver.domain.model import Calendar, Failure, Micros, Remote
from mockserver.domain.store import Project, State
from mockserver.domain.sync_scheduler import SyncScheduler, next_sync
from mockserver.domain.timestamps import render
from mockserver.domain.upstream import Cancel, Edit, Vanish, completed, find, objects
from mockserver.domain.upstream_failures import case_of
from mockserver.domain.upstream_schema import BadInput

_MANY_EVENTS = 500
_CALENDAR = "/__mock__/calendars/{calendar}"
_EVENTS = f"{_CALENDAR}/upstream/events"
_EVENT = f"{_EVENTS}/{{id}}"
_FIELDS = {"start_time": "start", "end_time": "end", "failure.name": "failure", "members.id": "id"}
"""What the fields of edits and failures are called in a body."""


class CalendarRoutes:
    """Edits the upstream of a calendar, makes its syncs fail or work again, and syncs the calendar."""

    def __init__(
        self,
        sync_scheduler: SyncScheduler,
        service: CalendarService,
        worker: Worker,
        record: Callable[[Project, Activity], object],
        diagnosis: WebhookDiagnosis,
    ) -> None:
        """`record` is called with every sync that was run on demand."""
        self._sync_scheduler = sync_scheduler
        self._service = service
        self._worker = worker
        self._record = record
        self._diagnosis = diagnosis

    def routes(self) -> list[Route]:
        """What there is under /__mock__/calendars/."""
        window = frozenset({"from", "to", "limit"})
        failing, anew = frozenset({"failure", "for_next", "seconds"}), frozenset({"refresh_token"})
        return [
            Route("GET", "/__mock__/calendars", self.calendars, query=frozenset({"limit"})),
            Route("GET", f"{_CALENDAR}/events", self.events, query=window),
            Route("GET", f"{_CALENDAR}/upstream", self.show, query=window),
            Route("POST", _EVENTS, self.add, fields=None),
            Route("PATCH", _EVENT, self.change, fields=None),
            Route("POST", f"{_EVENT}/cancel", self.cancel),
            Route("DELETE", _EVENT, self.vanish),
            Route("POST", f"{_CALENDAR}/fail", self.fail, fields=failing, required=frozenset({"failure"})),
            Route("POST", f"{_CALENDAR}/reconnect", self.reconnect, fields=anew),
            Route("POST", f"{_CALENDAR}/sync", self.sync),
            Route("GET", f"{_CALENDAR}/explain", self.explain),
        ]

    async def calendars(self, call: Call) -> Reply:
        """The project's calendars, the oldest first, with what their upstreams are in for."""
        project, limit = call.project, read_limit(call.query)
        rows = [found for row in islice(project.state.listed, limit) if (found := project.state.calendars.get(row.id))]
        shown = [
            {
                **_status(project, calendar),
                "deduplication_key": calendar.deduplication_key,
                "platform": calendar.platform,
                "events": project.state.count_events_in(calendar.id),
                "last_successful_sync_at": _time(calendar.last_successful_sync_at),
            }
            for calendar in rows
        ]
        return Reply(200, {"calendars": shown, "total": len(project.state.calendars)})

    async def events(self, call: Call) -> Reply:
        """The rows that the service has of the calendar's events, the earliest first, deleted ones among them."""
        project, calendar = _chosen(call)
        limit, now = read_limit(call.query), project.clock.now()
        first = moment("from", call.query["from"], now) if "from" in call.query else None
        last = moment("to", call.query["to"], now) if "to" in call.query else None
        of_calendar = project.state.events_of.up((calendar.id,), (calendar.id + "\0",))
        wanted = (
            event
            for event in of_calendar
            if (first is None or first <= event.start_time) and (last is None or event.start_time < last)
        )
        shown = [
            {
                "id": event.id,
                "name": event.name,
                "start_time": render(event.start_time),
                "end_time": render(event.end_time),
                "meeting_url": event.meeting_url,
                "is_deleted": event.is_deleted,
                "remote_id": event.platform_uuid,
                "updated_at": render(event.updated_at),
            }
            for event in islice(wanted, limit)
        ]
        return Reply(200, {"events": shown, "total": project.state.count_events_in(calendar.id)})

    async def show(self, call: Call) -> Reply:
        """The objects, the earliest first, that begin in a span of time; those without a time are always shown."""
        project, calendar = _chosen(call)
        limit, now = read_limit(call.query), project.clock.now()
        first = moment("from", call.query["from"], now) if "from" in call.query else None
        last = moment("to", call.query["to"], now) if "to" in call.query else None
        if project.state.count_events_in(calendar.id) < _MANY_EVENTS:
            shown = _objects(project.state, calendar, first, last, limit)
        else:
            # Of a copy: in a thread it takes its time, while others are answered and change the project.
            shown = await asyncio.to_thread(_objects, project.state.copy(), calendar, first, last, limit)
        return Reply(200, {**_status(project, calendar), **shown})

    async def add(self, call: Call) -> Reply:
        """Adds an object, or the instances of a series."""
        project, calendar = _chosen(call)
        made = self._edit(project, calendar, lambda: read_new(project, calendar, call.body))
        return Reply(201, _edited(project, calendar, made))

    async def change(self, call: Call) -> Reply:
        """Changes an object's members, moves it, or both."""
        project, calendar = _chosen(call)
        remote = _remote(project, calendar, call)
        made = self._edit(project, calendar, lambda: read_change(project, calendar, remote, call.body))
        return Reply(200, _edited(project, calendar, made))

    async def cancel(self, call: Call) -> Reply:
        """Cancels an object, which the platform keeps."""
        project, calendar = _chosen(call)
        remote = _remote(project, calendar, call)
        return Reply(200, _edited(project, calendar, self._edit(project, calendar, lambda: Cancel(remote.id))))

    async def vanish(self, call: Call) -> Reply:
        """Takes an object out."""
        project, calendar = _chosen(call)
        remote = _remote(project, calendar, call)
        return Reply(200, _edited(project, calendar, self._edit(project, calendar, lambda: Vanish(remote.id))))

    async def fail(self, call: Call) -> Reply:
        """Makes the syncs fail, from the next one on."""
        project, calendar = _chosen(call)
        name, for_next, seconds = (call.body.get(field) for field in ("failure", "for_next", "seconds"))
        if not isinstance(name, str):
            raise Refused("failure", "must be a string", fix="write the name of a failure, e.g. revoked")
        if not (for_next is None or is_whole(for_next)):
            raise Refused("for_next", "must be a whole number", fix="write how many syncs fail, or leave it out")
        if not (seconds is None or is_whole(seconds)):
            raise Refused("seconds", "must be a whole number", fix="write how long a slow calendar takes")
        with _named_as_in_the_body():
            self._sync_scheduler.fail(project, calendar.id, Failure(name, for_next, seconds or 0))
        self._worker.wake(project)
        return Reply(
            200, {**_status(project, calendar), "disconnects": case_of(calendar.platform, name).authentication}
        )

    async def reconnect(self, call: Call) -> Reply:
        """Ends the failure, puts a new refresh token in place if one is given, and asks for a sync."""
        project, calendar = _chosen(call)
        if "refresh_token" in call.body:
            token = call.body["refresh_token"]
            if not isinstance(token, str) or not token.strip():
                raise Refused("refresh_token", "must be a non-blank string", fix="write a token, or leave it out")
            calendar = self._service.update_calendar(project, calendar.id, {"refresh_token": token})
        else:
            self._sync_scheduler.ask(project, calendar.id, "reconnect")
        self._sync_scheduler.heal(project, calendar.id)
        self._worker.wake(project)
        return Reply(200, _status(project, calendar))

    async def sync(self, call: Call) -> Reply:
        """Syncs the calendar now, whatever its state; webhooks follow."""
        project, calendar = _chosen(call)
        activity = self._sync_scheduler.sync_now(project, calendar.id)
        self._record(project, activity)
        self._worker.wake(project)
        return Reply(200, activity.shown())

    async def explain(self, call: Call) -> Reply:
        """The webhooks about the calendar, or else why there is none."""
        project, calendar = _chosen(call)
        return Reply(200, self._diagnosis.of_calendar(project, calendar.id))

    def _edit(self, project: Project, calendar: Calendar, read: Callable[[], Edit]) -> list[Remote]:
        with _named_as_in_the_body():
            made = self._sync_scheduler.edit(project, calendar.id, read())
        self._worker.wake(project)
        return made


@contextmanager
def _named_as_in_the_body() -> Iterator[None]:
    """Gives the field of a BadInput the name that it has in the body."""
    try:
        yield
    except BadInput as problem:
        field = _FIELDS.get(problem.field, problem.field.removeprefix("event.").removeprefix("failure."))
        raise BadInput(field, problem.problem, problem.fix) from None


def _chosen(call: Call) -> tuple[Project, Calendar]:
    return call.project, find_calendar(call.project, call.names["calendar"])


def _remote(project: Project, calendar: Calendar, call: Call) -> Remote:
    name = call.names["id"]
    remote = find(project.state, calendar, name)
    if remote is None:
        fix = "take the id of an object, or of an event of the calendar; GET …/upstream lists them"
        raise Refused("id", f"the remote calendar has no event {name[:80]!r}", 404, fix)
    return remote


def _objects(state: State, calendar: Calendar, first: Micros | None, last: Micros | None, limit: int) -> dict[str, Any]:
    """The first objects of a calendar that begin in a span of time or have no time, and how many there are."""
    found = [
        remote
        for remote in objects(state, calendar)
        if remote.start_time is None
        or ((first is None or first <= remote.start_time) and (last is None or remote.start_time < last))
    ]
    return {"events": [completed(state, calendar, remote) for remote in found[:limit]], "total": len(found)}


def _status(project: Project, calendar: Calendar) -> dict[str, Any]:
    """The state of a calendar, the failure of its upstream, and when its next sync is due."""
    failure = project.state.upstreams.get(calendar.id).failure
    due = next_sync(project, calendar.id)
    return {
        "calendar": calendar.id,
        "state": calendar.state,
        "failure": None if failure is None else failure._asdict(),
        "sync_due": None if due is None else render(due),
    }


def _time(at: Micros | None) -> str | None:
    return None if at is None else render(at)


def _edited(project: Project, calendar: Calendar, made: list[Remote]) -> dict[str, Any]:
    """What an edit made, and when the service will see it."""
    due = next_sync(project, calendar.id)
    return {
        "id": made[0].id,
        "events": [remote.document for remote in made if remote.document is not None],
        "ids": [remote.id for remote in made],
        "sync_due": None if due is None else render(due),
    }
