"""Updates or deletes scheduled bots when a sync changes their event or disconnects the calendar."""

from __future__ import annotations

from collections.abc import Iterable

from mockserver.domain.bots import refresh_event
from mockserver.domain.meeting_urls import find_meeting, join_time_problem
from mockserver.domain.model import CalendarEvent, Micros
from mockserver.domain.store import State

SCHEDULED = "scheduled"


def follow_event(state: State, event: CalendarEvent, now: Micros) -> None:
    """Takes the scheduled bots of a changed event along to its time and link, or away when the event is deleted.

    A bot that may not have the new values, because there is no link or the time is past, stays as it was
    (event-loses-link, event-moved-to-past).
    """
    if event.is_deleted:
        drop_scheduled(state, [event.id])
        return
    meeting, moved = find_meeting(event.meeting_url or ""), False
    if meeting is None or join_time_problem(event.start_time, now) is not None:
        return
    link = meeting.url
    for bot in state.bots.of_event(event.id):
        if bot.state == SCHEDULED and (bot.meeting_url, bot.join_at) != (link, event.start_time):
            state.bots.put(bot.id, bot._replace(meeting_url=link, join_at=event.start_time, updated_at=now))
            moved = True
    if moved:
        refresh_event(state, event.id)


def drop_scheduled(state: State, event_ids: Iterable[str]) -> int:
    """Takes the scheduled bots of these events away; gives how many there were."""
    dropped = 0
    for event_id in event_ids:
        scheduled = [bot for bot in state.bots.of_event(event_id) if bot.state == SCHEDULED]
        for bot in scheduled:
            state.bots.drop(bot.id)
        if scheduled:
            refresh_event(state, event_id)
        dropped += len(scheduled)
    return dropped


def drop_of_calendar(state: State, calendar_id: str) -> int:
    """Takes the scheduled bots of all events of a calendar away; gives how many there were."""
    if not len(state.bots):
        return 0
    return drop_scheduled(state, [event.id for event in state.events_in(calendar_id) if event.bots])
