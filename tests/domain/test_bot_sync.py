"""What becomes of scheduled bots when their event changes."""

from __future__ import annotations

import pytest

from mockserver.domain.bot_sync import drop_of_calendar, follow_event
from mockserver.domain.calendar_sync import DAY
from mockserver.domain.model import Bot, CalendarEvent
from mockserver.domain.upstream import Create
from tests.domain.lab import NOW, Lab, instant

MEET = "https://meet.google.com/abc-defg-hij"
ZOOM = "https://zoom.us/j/1"


def with_bot(state: str = "scheduled") -> tuple[Lab, CalendarEvent, Bot]:
    lab = Lab()
    calendar = lab.create()
    lab.scheduler.edit(lab.project, calendar.id, Create(NOW + DAY, NOW + DAY, "Talk", MEET))
    lab.scheduler.sync_now(lab.project, calendar.id)
    (event,) = lab.events(calendar.id).values()
    bot = lab.add_bot(event, state)
    return lab, lab.events(calendar.id)[event.platform_uuid], bot


@pytest.mark.parametrize(
    ("link", "start", "follows"),
    [
        (ZOOM, NOW + DAY, True),
        (MEET, NOW + 2 * DAY, True),
        (MEET, NOW, True),
        (MEET, NOW - 1, False),
        (None, NOW + 2 * DAY, False),
        ("https://example.com", NOW + 2 * DAY, False),
        (ZOOM, instant("2029-11-20T23:26:14Z"), True),
        (ZOOM, instant("2029-11-20T23:26:15Z"), False),
    ],
)
def test_a_bot_follows_wherever_it_may_join(link: str | None, start: int, *, follows: bool) -> None:
    lab, event, bot = with_bot()
    event = event._replace(meeting_url=link, start_time=start)
    lab.project.state.put_event(event)
    follow_event(lab.project.state, event, NOW)
    after = lab.project.state.bots.get(bot.id)
    assert after is not None
    assert (after != bot) is follows
    if follows:
        assert (after.meeting_url, after.join_at) == (link, start)
        shown = lab.project.state.events.get(event.id)
        assert shown is not None
        (entry,) = shown.bots
        assert isinstance(entry, dict)
        assert entry["meeting_url"] == link
        assert shown.updated_at == event.updated_at


def test_a_leap_day_has_a_day_three_years_later() -> None:
    lab, event, bot = with_bot()
    leap = instant("2028-02-29T12:00:00Z")
    for start, follows in ((leap + 3 * 365 * DAY, True), (leap + 3 * 365 * DAY + 1, False)):
        moved = event._replace(start_time=start)
        follow_event(lab.project.state, moved, leap)
        assert (getattr(lab.project.state.bots.get(bot.id), "join_at", None) == start) is follows


@pytest.mark.parametrize(("state", "goes"), [("scheduled", True), ("joined_recording", False)])
def test_only_scheduled_bots_follow_and_go(state: str, *, goes: bool) -> None:
    lab, event, bot = with_bot(state)
    follow_event(lab.project.state, event._replace(start_time=NOW + 3 * DAY), NOW)
    assert (lab.project.state.bots.get(bot.id) == bot) is not goes
    assert drop_of_calendar(lab.project.state, event.calendar_id) == goes
    assert (bot.id not in lab.project.state.bots) is goes


def test_the_bots_of_a_deleted_event_go_and_those_of_others_stay() -> None:
    lab, event, bot = with_bot()
    other = event._replace(id="evt_other00000000000", platform_uuid="other", seq=99, bots=[])
    lab.project.state.put_event(other)
    kept = lab.add_bot(other)
    follow_event(lab.project.state, event._replace(is_deleted=True), NOW)
    assert bot.id not in lab.project.state.bots
    assert kept.id in lab.project.state.bots
    assert getattr(lab.project.state.events.get(event.id), "bots", None) == []


def test_deleting_a_calendar_deletes_its_scheduled_bots() -> None:
    lab, event, bot = with_bot()
    lab.service.delete_calendar(lab.project, event.calendar_id)
    assert bot.id not in lab.project.state.bots
