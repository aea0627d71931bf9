"""Writes records as JSON text, each once for as long as it does not change."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from mockserver.api.answers import Sealed
from mockserver.api.contract import Schemas
from mockserver.api.serializers import calendar_document, event_document
from mockserver.domain.bots import bot_document
from mockserver.domain.model import Bot, Calendar, CalendarEvent
from mockserver.domain.timestamps import render

_MOST = 2048


class Sealer:
    """Gives records their sealed text. A record never changes, so its text holds while it is the same record."""

    def __init__(self, schemas: Schemas, bot_schemas: Schemas) -> None:
        """`schemas` are those of the calendars' contract, `bot_schemas` those of the bots'."""
        self._schemas = schemas
        self._bot_schemas = bot_schemas
        # Most times of a record that changed are as they were.
        self._write = lru_cache(_MOST)(render)
        self._calendars: dict[str, tuple[Calendar, Sealed]] = {}
        self._events: dict[str, tuple[CalendarEvent, Sealed]] = {}

    def calendar(self, calendar: Calendar) -> Sealed:
        """The calendar's text.

        Raises BrokenContract when the contract does not allow it.
        """
        known = self._calendars.get(calendar.id)
        if known is not None and known[0] is calendar:
            return known[1]
        sealed = self._schemas.seal("Calendar", calendar_document(calendar, self._write))
        if len(self._calendars) >= _MOST:
            self._calendars.clear()
        self._calendars[calendar.id] = calendar, sealed
        return sealed

    def calendars(self, calendars: Iterable[Calendar]) -> list[Sealed]:
        """The texts of several.

        Raises BrokenContract.
        """
        known = self._calendars.get
        return [
            found[1] if (found := known(one.id)) is not None and found[0] is one else self.calendar(one)
            for one in calendars
        ]

    def events(self, events: Iterable[CalendarEvent]) -> list[Sealed]:
        """The texts of several.

        Raises BrokenContract.
        """
        known = self._events.get
        return [
            found[1] if (found := known(one.id)) is not None and found[0] is one else self.event(one) for one in events
        ]

    def event(self, event: CalendarEvent) -> Sealed:
        """The event's text.

        Raises BrokenContract when the contract does not allow it.
        """
        known = self._events.get(event.id)
        if known is not None and known[0] is event:
            return known[1]
        sealed = self._schemas.seal("CalendarEvent", event_document(event, self._write))
        if len(self._events) >= _MOST:
            self._events.clear()
        self._events[event.id] = event, sealed
        return sealed

    def bot(self, bot: Bot) -> Sealed:
        """The bot's text.

        Raises BrokenContract when the contract does not allow it.
        """
        return self._bot_schemas.seal("Bot", bot_document(bot))
