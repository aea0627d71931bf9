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
from mockserver.api.response import RenderedRecord, RenderedRecords, encoded, texts_to_json, to_text
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
    steady: tuple[Any, ...] = ()
    """What its frame is made of; empty until something changes for the first time, as is the frame."""
    frame: tuple[str, ...] = ()
    """The pieces of its text before, between and after CALENDAR_CHANGES."""


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
        kept = self._render(calendar) if known is None else self._render_again(known, calendar)
        self._calendars[calendar.id] = kept
        return kept.rendered

    def _render(self, calendar: Calendar) -> _Kept:
        if len(self._calendars) >= _MOST:
            self._calendars.clear()
        return _Kept(calendar, self._schemas.render("Calendar", calendar_document(calendar, self._write)))

    def _render_again(self, known: _Kept, calendar: Calendar) -> _Kept:
        """A calendar that was kept and has changed, perhaps in nothing but what its frame leaves open."""
        before, now = known.steady or _steady(known.calendar), _steady(calendar)
        # The same objects, not equal ones: what equals may be written in another way.
        if not all(map(is_, before, now)):
            return self._render(calendar)
        frame = known.frame or _frame(calendar_document(calendar, self._write))
        changes = calendar_changes(calendar, self._write)
        self._changes.check(changes)
        metadata, updated, synced, attempted = changes.values()
        start, second, third, fourth, end = frame
        times = f"{_quoted(updated)}{third}{_quoted(synced)}{fourth}{_quoted(attempted)}"
        text = encoded(f"{start}{texts_to_json(metadata)}{second}{times}{end}")
        return _Kept(calendar, RenderedRecord("Calendar", text), now, frame)

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


def _quoted(time: str | None) -> str:
    """A time that keeps the contract as JSON text: there is nothing in it to escape."""
    return "null" if time is None else f'"{time}"'


def _frame(document: Mapping[str, Any]) -> tuple[str, ...]:
    """The pieces of a calendar's text around the values of the properties that change all the time."""
    pieces, piece, separator = [], "", "{"
    for name, value in document.items():
        piece += f'{separator}"{name}":'
        if name in CALENDAR_CHANGES:
            pieces.append(piece)
            piece = ""
        else:
            piece += to_text(value)
        separator = ","
    return (*pieces, piece + "}")
