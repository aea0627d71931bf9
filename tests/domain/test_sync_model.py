"""Syncs agree with a simple model, whatever is edited, fails or is called, and however time goes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from mockserver.domain.activity import Activity
from mockserver.domain.calendar_service import CalendarNotFound
from mockserver.domain.model import CalendarEvent, Failure, Json
from mockserver.domain.timestamps import parse, render
from mockserver.domain.upstream import Add, Cancel, Change, Move, Vanish
from tests.domain.lab import FIELDS, MICROSOFT, Lab
from tests.domain.simple_calendar import DAY, MINUTE, SECOND, Object, SimpleCalendar

LINKS = st.sampled_from(["https://meet.google.com/abc-defg-hij", "https://zoom.us/j/1", None])
NAMES = st.sampled_from(["a", "b"])
STARTS = st.sampled_from([MINUTE, 2 * DAY, 5 * DAY, -MINUTE, -DAY, -2 * DAY, 28 * DAY, 29 * DAY, 40 * DAY])
SPANS = st.sampled_from([0, SECOND, 40 * SECOND, MINUTE, 3600 * SECOND, DAY, 3 * DAY])
TOKENS = st.sampled_from(["token", "new", "other"])


def document(platform: str, name: str, thing: Object) -> dict[str, Json]:
    """The object in its platform's shape."""
    start, end = render(thing["start"]), render(thing["end"])
    shared: dict[str, Json] = {"id": name, "note": thing["note"]}
    if platform == "google":
        status = "cancelled" if thing["cancelled"] else "confirmed"
        times: dict[str, Json] = {
            "start": {"dateTime": start, "timeZone": "UTC"},
            "end": {"dateTime": end, "timeZone": "UTC"},
        }
        link = {} if thing["link"] is None else {"location": thing["link"]}
        return {**shared, **times, **link, "status": status, "summary": thing["title"]}
    times = {
        "start": {"dateTime": start.removesuffix("Z"), "timeZone": "UTC"},
        "end": {"dateTime": end.removesuffix("Z"), "timeZone": "UTC"},
    }
    online: Json = None if thing["link"] is None else {"joinUrl": thing["link"]}
    members: dict[str, Json] = {"subject": thing["title"], "isCancelled": thing["cancelled"], "onlineMeeting": online}
    return {**shared, **times, **members}


def bots(event: CalendarEvent) -> list[tuple[str, str]]:
    return [(str(bot["join_at"]), str(bot["meeting_url"])) for bot in event.bots if isinstance(bot, dict)]


class SyncMachine(RuleBasedStateMachine):
    """Does the same to a project and to the simple model, and compares them after every step."""

    calendars = Bundle("calendars")

    def __init__(self) -> None:
        super().__init__()
        self.lab = Lab("auto")
        self.simple: dict[str, SimpleCalendar] = {}
        self.gone: dict[tuple[str, str], Object] = {}
        self.stamps: dict[str, tuple[int, int]] = {}

    @property
    def now(self) -> int:
        return self.lab.clock.now()

    def platform(self, calendar: str) -> str:
        return self.lab.calendar(calendar).platform

    @rule(target=calendars, microsoft=st.booleans())
    def create(self, *, microsoft: bool) -> Any:
        if len(self.simple) == 3:
            return multiple()
        calendar = self.lab.create(MICROSOFT if microsoft else FIELDS)
        self.simple[calendar.id] = SimpleCalendar(self.now, microsoft)
        self.simple[calendar.id].enqueue(self.now, "create")
        return calendar.id

    @rule(calendar=calendars, token=st.none() | TOKENS, secret=st.booleans())
    def patch(self, calendar: str, token: str | None, *, secret: bool) -> None:
        simple = self.simple[calendar]
        self.lab.service.update_calendar(
            self.lab.project,
            calendar,
            {**({"refresh_token": token} if token else {}), **({"client_secret": "new"} if secret else {})},
        )
        simple.token = token or simple.token
        simple.enqueue(self.now, "patch")

    @rule(calendar=consumes(calendars))
    def delete(self, calendar: str) -> None:
        self.lab.service.delete_calendar(self.lab.project, calendar)
        del self.simple[calendar]
        try:
            self.lab.scheduler.sync_now(self.lab.project, calendar)
        except CalendarNotFound:
            return
        raise AssertionError

    @rule(calendar=calendars, name=NAMES, start=STARTS, length=SPANS, link=LINKS)
    def add(self, calendar: str, name: str, start: int, length: int, link: str | None) -> None:
        simple = self.simple[calendar]
        if name in simple.remote:
            return
        begins = self.now + start
        thing = {"start": begins, "end": begins + length, "title": "x", "link": link, "cancelled": False, "note": 0}
        self.edit(calendar, Add(document(self.platform(calendar), name, thing)))
        simple.remote[name] = thing

    @rule(
        calendar=calendars,
        name=NAMES,
        start=STARTS,
        how=st.sampled_from(["move", "cancel", "vanish"]),
        at_once=st.booleans(),
    )
    def disturb(self, calendar: str, name: str, start: int, how: str, *, at_once: bool) -> None:
        thing = self.simple[calendar].remote.get(name)
        if thing is None:
            return
        if how == "move":
            length = thing["end"] - thing["start"]
            self.edit(calendar, Move(name, self.now + start))
            thing |= {"start": self.now + start, "end": self.now + start + length}
        elif how == "cancel":
            self.edit(calendar, Cancel(name))
            thing["cancelled"] = True
        else:
            self.edit(calendar, Vanish(name))
            self.gone[calendar, name] = self.simple[calendar].remote.pop(name)
        if at_once:
            self.sync_now(calendar)

    @rule(calendar=calendars, name=NAMES, at_once=st.booleans())
    def come_back(self, calendar: str, name: str, *, at_once: bool) -> None:
        thing = self.gone.get((calendar, name))
        if thing is not None and name not in self.simple[calendar].remote:
            self.edit(calendar, Add(document(self.platform(calendar), name, thing)))
            self.simple[calendar].remote[name] = dict(thing)
            if at_once:
                self.sync_now(calendar)

    @rule(calendar=calendars, name=NAMES, link=LINKS, note=st.integers(0, 1), title=st.sampled_from(["x", "y"]))
    def change(self, calendar: str, name: str, link: str | None, note: int, title: str) -> None:
        thing = self.simple[calendar].remote.get(name)
        if thing is not None:
            thing |= {"link": link, "note": note, "title": title, "cancelled": False}
            members = document(self.platform(calendar), name, thing)
            without = ("location",) if link is None else ()
            self.edit(calendar, Change(name, members, without))

    def edit(self, calendar: str, edit: Any) -> None:
        self.lab.scheduler.edit(self.lab.project, calendar, edit)
        self.simple[calendar].edited(self.now)

    @rule(calendar=calendars, name=NAMES, link=LINKS)
    def book(self, calendar: str, name: str, link: str | None) -> None:
        """What most calendars are for: an event that a bot will join."""
        self.add(calendar, name, 2 * DAY, MINUTE, link)
        self.sync_now(calendar)
        self.schedule_bots(calendar)

    @rule(
        calendar=calendars,
        at_once=st.booleans(),
        name=st.sampled_from(["revoked", "permission_denied", "outage", "token_outage", "unreachable"]),
        times=st.none() | st.integers(1, 3),
    )
    def fail(self, calendar: str, name: str, times: int | None, *, at_once: bool) -> None:
        self.lab.scheduler.fail(self.lab.project, calendar, Failure(name, for_next=times))
        simple = self.simple[calendar]
        simple.failure, simple.left, simple.held = name, times, simple.token
        if at_once:
            self.sync_now(calendar)

    @rule(calendar=calendars)
    def heal(self, calendar: str) -> None:
        self.lab.scheduler.heal(self.lab.project, calendar)
        self.simple[calendar].failure = None

    @rule(calendar=calendars)
    def schedule_bots(self, calendar: str) -> None:
        for name, event in self.lab.events(calendar).items():
            if event.meeting_url is not None and not event.is_deleted and event.start_time > self.now:
                self.lab.add_bot(event)
                self.simple[calendar].events[name]["bots"].append((event.start_time, event.meeting_url))

    @rule(calendar=calendars)
    def sync_now(self, calendar: str) -> None:
        happened = self.lab.scheduler.sync_now(self.lab.project, calendar)
        simple = self.simple[calendar]
        simple.note(self.now)
        assert happened.outcome == simple.sync(self.now)
        again = seen(happened)[2]
        assert (again is not None) == (happened.outcome == "failed")
        if again is not None:
            simple.due.append((again, "retry", 1))

    @rule(span=SPANS)
    def advance(self, span: int) -> None:
        to = self.now + span
        happened = self.lab.advance(to)
        for calendar, simple in self.simple.items():
            mine = [seen(one) for one in happened if one.what == "sync" and one.subject == calendar]
            simple.run(to, mine)
            assert mine == []

    @invariant()
    def calendars_agree(self) -> None:
        assert {calendar.id for calendar in self.lab.project.state.calendars} == self.simple.keys()
        for name, simple in self.simple.items():
            calendar = self.lab.calendar(name)
            assert calendar.state == simple.state
            assert (calendar.connection_failure_data is not None) == simple.error
            assert (calendar.last_attempted_sync_at is not None) == simple.attempted
            sent = [sent.trigger for sent in self.lab.sent if sent.calendar_id == name]
            assert sent == simple.webhooks

    @invariant()
    def events_agree(self) -> None:
        for name, simple in self.simple.items():
            events = self.lab.events(name)
            assert events.keys() == simple.events.keys()
            for uuid, event in events.items():
                told = simple.events[uuid]
                assert (event.start_time, event.end_time) == (told["start"], told["end"])
                assert (event.name, event.meeting_url, event.is_deleted) == (
                    told["title"],
                    told["link"],
                    told["deleted"],
                )
                assert bots(event) == [(render(join), link) for join, link in told["bots"]]
                assert event.raw == document(self.platform(name), uuid, told)
                writes, stamp = self.stamps.get(event.id, (0, 0))
                assert (event.updated_at > stamp) == (told["writes"] > writes)
                self.stamps[event.id] = told["writes"], event.updated_at


def seen(happened: Activity) -> tuple[int, str, int | None]:
    """When, what, and when it is tried again."""
    again = happened.detail.get("retry_at")
    return happened.at, happened.outcome, parse(again) if isinstance(again, str) else None


TestWorld = SyncMachine.TestCase
TestWorld.settings = settings(max_examples=60, stateful_step_count=30)


@pytest.mark.long
class TestWorldForLonger(SyncMachine.TestCase):  # type: ignore[misc, valid-type]
    """The same with more histories."""

    settings = settings(max_examples=300, stateful_step_count=30)
