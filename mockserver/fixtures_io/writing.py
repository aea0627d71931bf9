"""Writes a project as fixtures, which are read as the same calendars and events."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any

from mockserver.domain.model import Calendar, CalendarEvent, Micros
from mockserver.domain.secret_urls import shown_url
from mockserver.domain.store import Project, State
from mockserver.domain.timestamps import render
from mockserver.domain.upstream import completed, objects


def write_project(project: Project, *, secrets: bool = False) -> dict[str, Any]:
    """The project as it is now, ready for the `projects` of a file; keys and credentials only with `secrets`.

    Without `secrets`, those in the URLs of its webhooks are masked, too.

    Of scheduled bots nothing is written: a fixture file has no place for them.
    """
    state = project.state
    calendars = [
        {**_calendar(state, calendar, secrets=secrets), "events": [_event(state, event) for event in events]}
        for calendar, events in _contents(state)
    ]
    return {**_project(project, secrets=secrets), "calendars": calendars}


def write_project_text(project: Project, state: State, *, secrets: bool = False) -> str:
    """What `write_project` gives as JSON text, for projects with many events; `state` is a copy of the project's.

    Each event is an object only until its text is there: the garbage collector would hold up everything else while it
    looks at thousands of them.
    """
    calendars = [
        _with_list(
            _calendar(state, calendar, secrets=secrets),
            "events",
            [json.dumps(_event(state, event)) for event in events],
        )
        for calendar, events in _contents(state)
    ]
    return _with_list(_project(project, secrets=secrets), "calendars", calendars)


def _with_list(fields: Mapping[str, Any], name: str, items: list[str]) -> str:
    """JSON text of an object with these fields, which are some, and then a list of what is JSON text already."""
    return f"{json.dumps(fields)[:-1]}, {json.dumps(name)}: [{', '.join(items)}]}}"


def _contents(state: State) -> Iterator[tuple[Calendar, list[CalendarEvent]]]:
    """The calendars and the events of each, in the order in which they were made."""
    for calendar in sorted(state.calendars, key=lambda calendar: calendar.seq):
        yield calendar, sorted(state.events_in(calendar.id), key=lambda event: event.seq)


def _project(project: Project, *, secrets: bool) -> dict[str, Any]:
    """The project without its calendars."""
    hidden = {
        "api_keys": list(project.api_keys),
        "disabled_api_keys": list(project.disabled_api_keys),
        "webhook_secret": base64.b64encode(project.webhook_secret).decode("ascii"),
    }
    return {
        "name": project.name,
        **(hidden if secrets else {}),
        "sync": project.sync,
        "zoom_credentials": project.zoom_credentials,
        "webhooks": [
            {"url": one.url if secrets else shown_url(one.url), "triggers": list(one.triggers)}
            for one in project.subscriptions
        ],
    }


def _calendar(state: State, calendar: Calendar, *, secrets: bool) -> dict[str, Any]:
    """The calendar without its events."""
    written: dict[str, Any] = {"id": calendar.id, "platform": calendar.platform, "client_id": calendar.client_id}
    if secrets:
        written |= calendar.credentials._asdict()
    return {
        **written,
        "platform_uuid": calendar.platform_uuid,
        "state": calendar.state,
        "metadata": _plain(calendar.metadata),
        "deduplication_key": calendar.deduplication_key,
        "connection_failure_data": _plain(calendar.connection_failure_data),
        "created_at": render(calendar.created_at),
        "updated_at": render(calendar.updated_at),
        "last_successful_sync_at": _time(calendar.last_successful_sync_at),
        "last_attempted_sync_at": _time(calendar.last_attempted_sync_at),
        **_upstream(state, calendar),
    }


def _event(state: State, event: CalendarEvent) -> dict[str, Any]:
    given = state.bots.as_given.get(event.id)
    written = {
        "id": event.id,
        "platform_uuid": event.platform_uuid,
        "meeting_url": event.meeting_url,
        "start_time": render(event.start_time),
        "end_time": render(event.end_time),
        "is_deleted": event.is_deleted,
        "attendees": event.attendees,
        "ical_uid": event.ical_uid,
        "name": event.name,
        "raw": event.raw,
        "bots": event.bots if given is None else given,
        "created_at": render(event.created_at),
        "updated_at": render(event.updated_at),
    }
    if not isinstance(event.raw, dict):
        del written["raw"]
    return written


def _upstream(state: State, calendar: Calendar) -> dict[str, Any]:
    """The upstream of the calendar, where it is not derived from the events."""
    upstream = state.upstreams.get(calendar.id)
    written: dict[str, Any] = {}
    if not upstream.derived or state.upstreams.all(calendar.id):
        written["events"] = [completed(state, calendar, remote) for remote in objects(state, calendar)]
    failure = upstream.failure
    if failure is not None and upstream.says is None:
        written["failure"] = failure._asdict()
    elif failure is None and calendar.state == "disconnected":
        written["failure"] = None
    return {"upstream": written} if written else {}


def _plain(value: Mapping[str, str] | None) -> dict[str, str] | None:
    return None if value is None else dict(value)


def _time(instant: Micros | None) -> str | None:
    return None if instant is None else render(instant)
