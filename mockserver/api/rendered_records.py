"""Renders records as JSON text, and keeps the text of each for as long as the record does not change.

Requests and syncs change the same few properties of a calendar all the time. Those are written into the rest of its
text, which stays, and only they are held against the contract again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from operator import attrgetter, is_
from typing import Any, NamedTuple

from mockserver.api.contract import Schemas
from mockserver.api.response import RenderedRecord, RenderedRecords, texts_to_json, to_json
from mockserver.api.serializers import CALENDAR_CHANGES, calendar_changes, calendar_document, event_document
from mockserver.domain.bots import bot_document
from mockserver.domain.model import Bot, Calendar, CalendarEvent
from mockserver.domain.timestamps import render

_MOST = 2048
_steady = attrgetter(*(name for name in Calendar._fields if name not in {*CALENDAR_CHANGES, "credentials"}))
"""What of a calendar its frame is made of; credentials are in no text."""


class _Kept(NamedTuple):
    """A calendar with its text."""

    calendar: Calendar
    rendered: RenderedRecord
    frame: bytes
    """The text with %b for each of CALENDAR_CHANGES; empty until one of them changes for the first time."""


class RecordRenderer:
    """Renders records. A record never changes, so its text holds while it is the same record."""

    def __init__(self, schemas: Schemas, bot_schemas: Schemas) -> None:
        """`schemas` are those of the calendars' contract, `bot_schemas` those of the bots'."""
        self._schemas = schemas
        self._bot_schemas = bot_schemas
        # Most times of a record that changed are as they were.
        self._write = lru_cache(_MOST)(render)
        self._changes = schemas.part("Calendar", CALENDAR_CHANGES)
        self._calendars: dict[str, _Kept] = {}
        self._events: dict[str, tuple[CalendarEvent, bytes]] = {}

    def calendar(self, calendar: Calendar) -> RenderedRecord:
        """The calendar's text.

        Raises BrokenContract when the contract does not allow it.
        """
        known = self._calendars.get(calendar.id)
        if known is not None and known.calendar is calendar:
            return known.rendered
        # The same objects, not equal ones: what equals may be written in another way.
        if known is not None and all(map(is_, _steady(known.calendar), _steady(calendar))):
            frame = known.frame or _frame(calendar_document(calendar, self._write))
            rendered = self._fill(frame, calendar)
        else:
            frame, rendered = b"", self._schemas.render("Calendar", calendar_document(calendar, self._write))
            if len(self._calendars) >= _MOST:
                self._calendars.clear()
        self._calendars[calendar.id] = _Kept(calendar, rendered, frame)
        return rendered

    def _fill(self, frame: bytes, calendar: Calendar) -> RenderedRecord:
        """The text of a calendar in whose place one with the same frame has kept the contract."""
        changes = calendar_changes(calendar, self._write)
        self._changes.check(changes)
        metadata, *times = changes.values()
        return RenderedRecord("Calendar", frame % (texts_to_json(metadata), *map(_quoted, times)))

    def calendars(self, calendars: Iterable[Calendar]) -> RenderedRecords:
        """The texts of several calendars.

        Raises BrokenContract.
        """
        known = self._calendars.get
        texts = [
            found.rendered.text
            if (found := known(one.id)) is not None and found.calendar is one
            else self.calendar(one).text
            for one in calendars
        ]
        return RenderedRecords("Calendar", texts)

    def events(self, events: Iterable[CalendarEvent]) -> RenderedRecords:
        """The texts of several events.

        Raises BrokenContract.
        """
        known = self._events.get
        texts = [
            found[1] if (found := known(one.id)) is not None and found[0] is one else self._event(one) for one in events
        ]
        return RenderedRecords("CalendarEvent", texts)

    def _event(self, event: CalendarEvent) -> bytes:
        text = self._schemas.render("CalendarEvent", event_document(event, self._write)).text
        if len(self._events) >= _MOST:
            self._events.clear()
        self._events[event.id] = event, text
        return text

    def bot(self, bot: Bot) -> RenderedRecord:
        """The bot's text.

        Raises BrokenContract when the contract does not allow it.
        """
        return self._bot_schemas.render("Bot", bot_document(bot))

    def bots(self, bots: Iterable[Bot]) -> RenderedRecords:
        """The texts of several bots.

        Raises BrokenContract.
        """
        return RenderedRecords("Bot", [self.bot(bot).text for bot in bots])


def _quoted(time: str | None) -> bytes:
    """A time that keeps the contract as JSON text: there is nothing in it to escape."""
    return b"null" if time is None else b'"%b"' % time.encode("ascii")


def _frame(document: Mapping[str, Any]) -> bytes:
    """A calendar's text with %b for the value of each property that changes all the time."""
    values = {
        name: b"%b" if name in CALENDAR_CHANGES else to_json(value).replace(b"%", b"%%")
        for name, value in document.items()
    }
    return b"{%b}" % b",".join(b'"%b":%b' % (name.encode(), value) for name, value in values.items())
