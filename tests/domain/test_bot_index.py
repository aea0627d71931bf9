"""The roster of bots: every way of asking agrees with a plain dict, and copies go their own ways."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from mockserver.domain.bot_index import TERMINAL_STATES, BotIndex
from mockserver.domain.model import Bot
from tests.projects import make_bot

IDS = st.sampled_from("abcde")
EVENTS = st.sampled_from(["e1", "e2", None])
KEYS = st.sampled_from(["k1", "k2", None])


def a_bot(bot_id: str, event_id: str | None, key: str | None, state: str = "scheduled", created_at: int = 0) -> Bot:
    given = {"id": bot_id, "seq": ord(bot_id), "event_id": event_id, "deduplication_key": key, "state": state}
    return make_bot(**given, created_at=created_at, updated_at=created_at)


class RosterMachine(RuleBasedStateMachine):
    """Puts, drops and copies."""

    @initialize(ids=st.sets(IDS))
    def start(self, ids: set[str]) -> None:
        bots = [a_bot(bot_id, "e1", None) for bot_id in ids]
        self.roster, self.model = BotIndex(bots), {bot.id: bot for bot in bots}
        self.kept: list[tuple[BotIndex, dict[str, Bot]]] = []

    @rule(bot_id=IDS, event_id=EVENTS, key=KEYS, state=st.sampled_from(["scheduled", "ended"]), at=st.integers(0, 3))
    def put(self, bot_id: str, event_id: str | None, key: str | None, state: str, at: int) -> None:
        # Whoever puts a bot has looked whether its key is free.
        if key is not None and self.roster.is_taken(key):
            key = None
        bot = a_bot(bot_id, event_id, key, state, at)
        self.roster.put(bot_id, bot)
        self.model[bot_id] = bot

    @rule(bot_id=IDS)
    def drop(self, bot_id: str) -> None:
        if self.model.pop(bot_id, None) is not None:
            self.roster.drop(bot_id)
        else:
            with pytest.raises(KeyError):
                self.roster.drop(bot_id)

    @rule()
    def copy(self) -> None:
        self.kept.append((self.roster, dict(self.model)))
        self.roster = self.roster.copy()

    @invariant()
    def every_way_of_asking_agrees(self) -> None:
        for roster, model in [*self.kept, (self.roster, self.model)]:
            assert sorted(roster) == sorted(model.values())
            assert list(roster.listed) == sorted(model.values(), key=lambda bot: (bot.created_at, bot.seq))
            for event_id in ("e1", "e2"):
                wanted = [bot for bot in model.values() if bot.event_id == event_id]
                assert roster.of_event(event_id) == sorted(wanted, key=lambda bot: bot.seq)
            for key in ("k1", "k2"):
                holders = [b for b in model.values() if b.deduplication_key == key and b.state not in TERMINAL_STATES]
                assert roster.is_taken(key) == bool(holders)


TestRosterMachine: Any = RosterMachine.TestCase
