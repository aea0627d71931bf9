"""The `bots` of an event: what the fixtures wrote there, and the bots that the event has."""

from __future__ import annotations

import pytest

from mockserver.domain.bots import bot_document, refresh_event
from mockserver.domain.model import Bot, Json
from mockserver.domain.store import State
from tests.projects import make_bot, make_event

GIVEN: Json = {"id": "bot_of_the_fixtures"}
EVENT = make_event(id="e", bots=[GIVEN])


def a_bot(bot_id: str, seq: int) -> Bot:
    return make_bot(id=bot_id, seq=seq, event_id="e", created_at=seq, updated_at=seq)


@pytest.fixture
def state() -> State:
    return State((), [EVENT])


def bots_of(state: State) -> list[Json]:
    event = state.events.get("e")
    assert event is not None
    assert event._replace(bots=EVENT.bots) == EVENT
    return event.bots


def test_what_the_fixtures_wrote_stays_first_and_the_events_own_bots_follow(state: State) -> None:
    first, second = a_bot("b", 7), a_bot("a", 8)
    for bot in (second, first):
        state.bots.put(bot.id, bot)
        refresh_event(state, "e")
    assert bots_of(state) == [GIVEN, bot_document(first), bot_document(second)]
    state.bots.drop("b")
    refresh_event(state, "e")
    refresh_event(state, "e")
    assert bots_of(state) == [GIVEN, bot_document(second)]
    state.bots.drop("a")
    refresh_event(state, "e")
    assert bots_of(state) == [GIVEN]


def test_an_event_that_is_gone_is_passed_over(state: State) -> None:
    state.drop_event(EVENT)
    refresh_event(state, "e")
    assert len(state.events) == 0


def test_a_copy_of_the_state_does_not_see_later_bots(state: State) -> None:
    twin = state.copy()
    twin.bots.put("a", a_bot("a", 8))
    refresh_event(twin, "e")
    assert len(bots_of(twin)) == 2
    assert bots_of(state) == [GIVEN]
    assert len(state.bots) == 0
