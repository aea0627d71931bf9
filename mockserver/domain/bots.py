"""Bots as JSON objects, alone and in the events that they are scheduled for."""

from __future__ import annotations

from mockserver.domain.model import Bot, Json
from mockserver.domain.store import State
from mockserver.domain.timestamps import render


def bot_document(bot: Bot) -> dict[str, Json]:
    """A bot's answer; its name is never part of it. A bot that has not joined has neither events nor a recording."""
    return {
        "id": bot.id,
        "metadata": None if bot.metadata is None else dict(bot.metadata),
        "meeting_url": bot.meeting_url,
        "state": bot.state,
        "events": [],
        "transcription_state": "not_started",
        "recording_state": "not_started",
        "join_at": render(bot.join_at),
        "deduplication_key": bot.deduplication_key,
    }


def refresh_event(state: State, event_id: str) -> None:
    """Makes an event's `bots` show the bots that it has; to be called after each change of one of them.

    What the fixtures wrote there stays first and as it is. The event's updated_at does not move (bot-for-event). An
    event that is gone is passed over.
    """
    event = state.events.get(event_id)
    if event is None:
        return
    given = state.bots.as_given.get(event_id)
    if given is None:
        given = event.bots
        state.bots.as_given.put(event_id, given)
    bots = [*given, *(bot_document(bot) for bot in state.bots.of_event(event_id))]
    state.put_event(event._replace(bots=bots))
