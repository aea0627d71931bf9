"""Stores a project's bots by id, and in the orders in which they are listed."""

from __future__ import annotations

from collections.abc import Iterable

from mockserver.domain.cow_table import Table
from mockserver.domain.model import Bot, Json, Micros
from mockserver.domain.sorted_index import SortedIndex

TERMINAL_STATES = frozenset({"fatal_error", "ended", "data_deleted"})
"""In these a bot does nothing more, and its deduplication key is free again."""


def _by_created(bot: Bot) -> tuple[Micros, int]:
    return bot.created_at, bot.seq


def _by_event(bot: Bot) -> tuple[str, int]:
    return bot.event_id or "", bot.seq


class BotIndex(Table[Bot]):
    """Bots by id. `copy()` costs about as much as was changed."""

    __slots__ = ("_holders", "_of_event", "as_given", "listed")

    def __init__(self, bots: Iterable[Bot] = ()) -> None:
        by_id = {bot.id: bot for bot in bots}
        super().__init__(by_id)
        self.listed = SortedIndex(_by_created, by_id.values())
        """Every bot, oldest first."""
        self.as_given: Table[list[Json]] = Table({})
        """The `bots` of an event as the fixtures have them, for each event that was given bots of its own since."""
        self._of_event = SortedIndex(_by_event, by_id.values())
        self._holders: Table[str] = Table(
            {bot.deduplication_key: bot.id for bot in by_id.values() if _holds_key(bot) and bot.deduplication_key}
        )

    def put(self, name: str, value: Bot) -> None:
        """Adds a bot, or puts it in place of the one with its id."""
        if name in self:
            self.drop(name)
        super().put(name, value)
        self.listed.add(value)
        self._of_event.add(value)
        if value.deduplication_key is not None and _holds_key(value):
            self._holders.put(value.deduplication_key, value.id)

    def drop(self, name: str) -> None:
        """Takes the bot of this id out; its deduplication key is free again.

        Raises KeyError when there is none.
        """
        bot = self.get(name)
        if bot is None:
            raise KeyError(name)
        super().drop(name)
        self.listed.remove(bot)
        self._of_event.remove(bot)
        key = bot.deduplication_key
        if key is not None and self._holders.get(key) == bot.id:
            self._holders.drop(key)

    def of_event(self, event_id: str) -> list[Bot]:
        """The bots that were scheduled for an event, oldest first."""
        return list(self._of_event.up((event_id,), (event_id + "\0",)))

    def is_taken(self, deduplication_key: str) -> bool:
        """Whether a bot that is not in a terminal state has this key."""
        return deduplication_key in self._holders

    def copy(self) -> BotIndex:
        """A roster with the same bots; neither sees what happens to the other."""
        copied: BotIndex = BotIndex.__new__(BotIndex)
        copied._base, copied._changes, copied._length = self._base, self._changes.copy(), self._length
        copied.listed, copied._of_event = self.listed.copy(), self._of_event.copy()
        copied.as_given, copied._holders = self.as_given.copy(), self._holders.copy()
        return copied


def _holds_key(bot: Bot) -> bool:
    return bot.state not in TERMINAL_STATES
