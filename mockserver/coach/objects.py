"""Finds mistakes with calendars, events and bots: ids, deleted events, second calendars and second bots."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from mockserver.coach.history import ApiCall, History, WebhookAttempt
from mockserver.coach.remark import Remark

_OF_ONE: Final = ("getCalendar", "updateCalendar", "deleteCalendar", "getBot", "updateBot", "deleteBot")
_LEAST_PIECE: Final = 6
"""Characters that two ids must share before one counts as a piece of the other."""
_ACCOUNT: Final = ("platform", "client_id")
_DISCONNECTED: Final = "disconnected"


def object_remarks(history: History) -> Iterator[Remark]:
    """Mistakes with calendars, events and bots."""
    yield from _deleted_events(history)
    yield from _reconnected_by_post(history)
    yield from _two_bots(history)
    yield from _parsed_ids(history)


def _deleted_events(history: History) -> Iterator[Remark]:
    deleted: dict[str, int] = {}
    for call in history.of("listCalendarEvents", "createBot"):
        for row in call.rows if call.operation == "listCalendarEvents" else ():
            if row.get("is_deleted") is True:
                deleted.setdefault(str(row.get("id")), call.number)
            else:
                deleted.pop(str(row.get("id")), None)
        event = call.sent.get("calendar_event_id")
        if call.operation == "createBot" and event in deleted:
            what = f"The list showed {event} with is_deleted true, and then the client scheduled a bot for it."
            yield Remark("deleted-event-used", (deleted[event], call.number), what)
            return


def _reconnected_by_post(history: History) -> Iterator[Remark]:
    known: dict[str, Mapping[str, Any]] = {}
    lost: dict[str, int] = {}
    for one in history.steps:
        if isinstance(one, WebhookAttempt):
            _note(lost, str(one.calendar_id), one.data.get("state"), one.number)
            continue
        if one.operation == "createCalendar":
            found = next((key for key in lost if key in known and _is_same_account(known[key], one.sent)), None)
            if found is not None and not _patched_after(history, found, one):
                what = f"{found} was disconnected, and the client created a calendar for the same account."
                yield Remark("post-to-reconnect", (lost[found], one.number), what)
                return
        if one.operation in ("listCalendars", "getCalendar", "createCalendar", "updateCalendar"):
            for calendar in (one.answer, *one.rows):
                if isinstance(calendar.get("id"), str):
                    known[calendar["id"]] = {**one.sent, **calendar}
                    _note(lost, calendar["id"], calendar.get("state"), one.number)


def _note(lost: dict[str, int], calendar_id: str, state: Any, number: int) -> None:
    """Remembers since when a calendar is disconnected."""
    if state == _DISCONNECTED:
        lost.setdefault(calendar_id, number)
    else:
        lost.pop(calendar_id, None)


def _is_same_account(calendar: Mapping[str, Any], sent: Mapping[str, Any]) -> bool:
    key = sent.get("deduplication_key")
    if key is not None or calendar.get("deduplication_key") is not None:
        return bool(key == calendar.get("deduplication_key"))
    named = [name for name in ("platform_uuid", "metadata") if sent.get(name)]
    return bool(named) and all(sent.get(name) == calendar.get(name) for name in (*_ACCOUNT, *named))


def _patched_after(history: History, calendar_id: str, call: ApiCall) -> bool:
    """Whether the client sent a PATCH after all: a POST that finds the key in use may come first."""
    patches = history.of("updateCalendar")
    return any(one.number > call.number and one.object_id == calendar_id and one.status == 200 for one in patches)


def _two_bots(history: History) -> Iterator[Remark]:
    scheduled: dict[tuple[str, ...], tuple[str, int]] = {}
    for one in history.steps:
        if isinstance(one, WebhookAttempt):
            if one.data.get("state") == _DISCONNECTED:
                scheduled.clear()  # the service deletes the bots of a calendar that it can no longer read
            continue
        _forget_deleted(scheduled, one)
        meeting = _meeting(one.sent)
        if one.operation != "createBot" or one.status != 201 or meeting is None:
            continue
        if meeting in scheduled:
            what = f"Two bots are scheduled for {meeting[0]}, and the first one is not deleted."
            yield Remark("two-bots", (scheduled[meeting][1], one.number), what)
            return
        scheduled[meeting] = str(one.answer.get("id")), one.number


def _meeting(sent: Mapping[str, Any]) -> tuple[str, ...] | None:
    """What a bot is scheduled for: an event, or a link at a time."""
    if sent.get("calendar_event_id"):
        return (str(sent["calendar_event_id"]),)
    if sent.get("meeting_url") and sent.get("join_at"):
        return str(sent["meeting_url"]), str(sent["join_at"])
    return None


def _forget_deleted(scheduled: dict[tuple[str, ...], tuple[str, int]], call: ApiCall) -> None:
    """Forgets bots that the client deleted, or that a response shows to be gone."""
    gone: set[str] = set()
    if (call.operation == "deleteBot" and 200 <= call.status < 300) or (
        call.operation == "getBot" and call.status == 404
    ):
        gone.add(call.object_id)
    for row in call.rows if call.operation == "listCalendarEvents" else ():
        bots = {str(bot.get("id")) for bot in row.get("bots") or [] if isinstance(bot, dict)}
        made = scheduled.get((str(row.get("id")),))
        if made is not None and made[0] not in bots:
            gone.add(made[0])
    if call.operation in ("getCalendar", "listCalendars"):
        states = {row.get("state") for row in (call.answer, *call.rows)}
        gone |= {bot for bot, _ in scheduled.values()} if _DISCONNECTED in states else set()
    for meeting in [meeting for meeting, (bot, _) in scheduled.items() if bot in gone]:
        del scheduled[meeting]


def _parsed_ids(history: History) -> Iterator[Remark]:
    seen: dict[str, int] = {}
    for one in history.steps:
        if isinstance(one, WebhookAttempt):
            seen.setdefault(str(one.calendar_id), one.number)
            continue
        for asked in _asked_for(one):
            source = next((known for known in seen if _is_piece(asked, known)), None)
            if source is not None and asked not in seen:
                what = f"The client asked for {asked!r}, which no response contained; {source!r} was in one."
                yield Remark("id-parsed", (seen[source], one.number), what)
                return
        for row in (one.answer, *one.rows):
            for name in ("id", "calendar_id"):
                if isinstance(row.get(name), str):
                    seen.setdefault(row[name], one.number)


def _asked_for(call: ApiCall) -> list[str]:
    """The ids in a request that found nothing."""
    if call.operation in _OF_ONE:
        return [call.object_id] if call.status == 404 else []
    if call.operation == "listCalendarEvents" and call.answer.get("results") == []:
        return [call.params[name] for name in ("calendar_id", "event_id") if name in call.params]
    if call.operation == "createBot" and call.status in (400, 404):
        return [str(call.sent["calendar_event_id"])] if call.sent.get("calendar_event_id") else []
    return []


def _is_piece(asked: str, known: str) -> bool:
    """Whether one id is the other in another case, or contains it, or has its end behind another prefix."""
    one, other = asked.casefold(), known.casefold()
    if one == other:
        return asked != known
    end, known_end = one.rpartition("_")[2], other.rpartition("_")[2]
    short, long = sorted((end, known_end), key=len)
    return len(short) >= _LEAST_PIECE and short in long
