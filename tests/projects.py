"""Projects, calendars, events and bots, built without a service; the test sets the time."""

from __future__ import annotations

import base64
from typing import Any

from mockserver.domain.clock import FixedClock
from mockserver.domain.model import Bot, Calendar, CalendarEvent, Credentials
from mockserver.domain.store import Project, State, Store
from mockserver.domain.subscriptions import TRIGGERS, Subscription

NOW = 1_800_000_000_000_000
SECOND = 1_000_000
SECRET = base64.b64decode("5iXV378/KoYsH0Zs0PSAwpkBxdHfo0WP+Tou6T4M0J0=")
CHANGED, DISCONNECTED = TRIGGERS


def make_calendar(**fields: Any) -> Calendar:
    """A calendar, connected and synced, with these fields."""
    calendar = Calendar(
        id="cal_aaaaaaaaaaaaaaaa",
        seq=1,
        platform="google",
        client_id="client",
        credentials=Credentials("secret of the client", "refresh token"),
        platform_uuid=None,
        state="connected",
        metadata=None,
        deduplication_key=None,
        connection_failure_data=None,
        created_at=NOW,
        updated_at=NOW,
        last_successful_sync_at=NOW,
        last_attempted_sync_at=NOW,
    )
    return calendar._replace(**fields)


def make_event(**fields: Any) -> CalendarEvent:
    """An event of the calendar of `make_calendar`, an hour from now, with these fields."""
    event = CalendarEvent(
        id="evt_aaaaaaaaaaaaaaaa",
        seq=1,
        calendar_id="cal_aaaaaaaaaaaaaaaa",
        platform_uuid="upstream_1",
        meeting_url=None,
        start_time=NOW + 3600 * SECOND,
        end_time=NOW + 7200 * SECOND,
        is_deleted=False,
        attendees=[],
        ical_uid=None,
        name=None,
        raw={},
        bots=[],
        created_at=NOW,
        updated_at=NOW,
    )
    return event._replace(**fields)


def make_bot(**fields: Any) -> Bot:
    """A scheduled bot for the event of `make_event`, with these fields."""
    bot = Bot(
        id="bot_aaaaaaaaaaaaaaaa",
        seq=1,
        event_id="evt_aaaaaaaaaaaaaaaa",
        name="Notes",
        meeting_url="https://meet.example/a",
        join_at=NOW + 3600 * SECOND,
        state="scheduled",
        metadata=None,
        deduplication_key=None,
        created_at=NOW,
        updated_at=NOW,
    )
    return bot._replace(**fields)


def make_project(*urls: str, calendar: Calendar | None = None, name: str = "A", frozen: bool = True) -> Project:
    """A project with one calendar, and a subscription of each URL to every trigger."""
    subscriptions = [Subscription(f"webhook_{n:016}", url, TRIGGERS) for n, url in enumerate(urls)]
    baseline = State([calendar or make_calendar()])
    project = Project(name, (f"key-of-{name}",), webhook_secret=SECRET, subscriptions=subscriptions, baseline=baseline)
    Store([project], FixedClock(NOW), 1)
    if frozen:
        project.clock.freeze()
    return project


def the_calendar(project: Project) -> Calendar:
    """The calendar of such a project."""
    return next(iter(project.state.calendars))
