"""A project with a fixed clock, a sync scheduler, and a subscription whose deliveries nobody sends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mockserver.domain.activity import Activity
from mockserver.domain.bots import refresh_event
from mockserver.domain.calendar_service import CalendarService, NewCalendar
from mockserver.domain.clock import FixedClock, ProjectClock
from mockserver.domain.deliveries import Delivery
from mockserver.domain.model import Bot, Calendar, CalendarEvent, Micros
from mockserver.domain.store import Project, Sync
from mockserver.domain.subscriptions import TRIGGERS, Subscription
from mockserver.domain.sync_scheduler import SyncScheduler
from mockserver.domain.timestamps import parse
from tests.projects import make_bot

RECORDED: dict[str, Any] = json.loads((Path(__file__).parents[1] / "recorded" / "webhooks.json").read_text("utf-8"))
FIELDS: NewCalendar = {"platform": "google", "client_id": "id", "client_secret": "secret", "refresh_token": "token"}
MICROSOFT: NewCalendar = {**FIELDS, "platform": "microsoft"}


def instant(text: str) -> Micros:
    """The instant that a text names."""
    found = parse(text)
    assert found is not None
    return found


NOW = instant("2026-11-20T23:26:14.772683Z")


class Lab:
    """A project and what works on it."""

    def __init__(self, sync: Sync = "manual", now: Micros = NOW) -> None:
        self.clock = FixedClock(now)
        subscribed = [Subscription("webhook_0000000000000000", "http://127.0.0.1:9/hook", TRIGGERS)]
        clock = ProjectClock(self.clock)
        self.project = Project("Lab", ("key",), subscriptions=subscribed, clock=clock, sync=sync)
        self._seen = 0
        self.scheduler = SyncScheduler()
        self.service = CalendarService(longest={}, watcher=self.scheduler)
        self.scheduler.rearm(self.project)

    @property
    def sent(self) -> list[Delivery]:
        """The webhooks that were made, in their order, since `forget_sent` was called."""
        return self.project.deliveries.select(after=self._seen)

    def forget_sent(self) -> None:
        """Leaves the webhooks that were made until now out of `sent`."""
        self._seen += len(self.sent)

    def create(self, fields: NewCalendar = FIELDS) -> Calendar:
        """A new calendar."""
        return self.service.create_calendar(self.project, fields)

    def calendar(self, calendar_id: str) -> Calendar:
        """The calendar as it is now."""
        return self.service.get_calendar(self.project, calendar_id)

    def events(self, calendar_id: str) -> dict[str, CalendarEvent]:
        """A calendar's events by what their platform calls them."""
        return {event.platform_uuid: event for event in self.project.state.events_in(calendar_id)}

    def add_bot(self, event: CalendarEvent, state: str = "scheduled") -> Bot:
        """A bot for an event, as POST /bots would make it."""
        assert event.meeting_url is not None
        bots, now = self.project.state.bots, self.clock.now()
        bot_id = f"bot_{self.project.state.take_seq():016}"
        bot = make_bot(
            id=bot_id,
            seq=int(bot_id[-16:]),
            event_id=event.id,
            meeting_url=event.meeting_url,
            join_at=event.start_time,
            state=state,
            created_at=now,
            updated_at=now,
        )
        bots.put(bot.id, bot)
        refresh_event(self.project.state, event.id)
        return bot

    def settle(self) -> list[Activity]:
        """Everything that is due now is done."""
        happened = []
        while (task := self.project.task_queue.take(self.clock.now())) is not None:
            if task.kind == "sync":
                happened.append(self.scheduler.perform(self.project, task))
        return happened

    def advance(self, to: Micros) -> list[Activity]:
        """Everything up to a time is done when it falls due."""
        happened = []
        while (due := self.project.task_queue.next_due()) is not None and due <= to:
            self.clock.at = max(self.clock.at, due)
            happened += self.settle()
        self.clock.at = max(self.clock.at, to)
        return happened
