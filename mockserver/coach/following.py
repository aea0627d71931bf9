"""Finds mistakes in how a client learns of changes: webhooks that it ignores or depends on, and polling."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from statistics import median
from typing import Final

from mockserver.coach.history import ApiCall, History, WebhookAttempt
from mockserver.coach.remark import Remark, numbers

_EVENTS: Final = "calendar.events_update"
_READS: Final = ("listCalendarEvents", "getCalendar", "listCalendars")
_POLLS: Final = 10
"""Requests in a row without news that count as polling."""
_OFTEN: Final = 300
"""Seconds."""
_CLOSE: Final = 4
"""So many entries before its attempt a request may stand that a receiver sent at once."""
_ATTEMPTS: Final = 3
_LATER: Final = timedelta(hours=1)
_LONG: Final = timedelta(days=3)


def following_remarks(history: History) -> Iterator[Remark]:
    """Mistakes with webhooks and polling."""
    yield from _not_followed(history)
    yield from _polling(history)
    yield from _lost(history) or _long(history)


def _not_followed(history: History) -> Iterator[Remark]:
    lists = history.of("listCalendarEvents")
    if not lists:
        return  # this client keeps no events
    latest = {one.calendar_id: one for one in history.attempts if one.accepted and one.trigger == _EVENTS}
    ignored = [one for one in latest.values() if not _fetched_after(history, one, lists)]
    if ignored:
        calendars = ", ".join(sorted(str(one.calendar_id) for one in ignored))
        what = f"The receiver accepted calendar.events_update for {calendars}, and nobody listed the events since."
        yield Remark("webhook-not-followed", tuple(one.number for one in ignored), what)


def _fetched_after(history: History, attempt: WebhookAttempt, calls: Iterable[ApiCall]) -> bool:
    """Whether a call reads the calendar after the attempt was sent: later, or while the receiver was at work."""

    def is_after(call: ApiCall) -> bool:
        if call.number > attempt.number:
            return True
        if call.time != attempt.time:
            return call.begun >= attempt.begun
        # A frozen clock shows only which one ended first: a receiver may be quicker than its answer.
        return attempt.number - call.number <= _CLOSE

    return any(is_after(call) and history.concerns(call, attempt.calendar_id) for call in calls)


def _polling(history: History) -> Iterator[Remark]:
    polls: dict[tuple[str, ...], list[ApiCall]] = {}
    for call in history.of(*_READS):
        if "cursor" not in call.params and call.status == 200:
            kept = sorted(f"{name}={value}" for name, value in call.params.items() if not name.startswith("updated_"))
            polls.setdefault((str(call.operation), str(call.entry["path"]), *kept), []).append(call)
    for calls in polls.values():
        for run in _without_news(history, calls):
            gaps = [(later.time - earlier.time).total_seconds() for earlier, later in zip(run, run[1:], strict=False)]
            if len(run) > _POLLS and median(gaps) < _OFTEN:
                what = f"{run[0].operation} was requested {len(run)} times in a row, and nothing had changed."
                yield Remark("polling", tuple(call.number for call in run), what)
                break


def _without_news(history: History, calls: list[ApiCall]) -> Iterator[list[ApiCall]]:
    """Runs of the same request without news: no row, or the same response as before, and no webhook in between."""
    run: list[ApiCall] = []
    for before, call in zip((None, *calls), calls, strict=False):
        is_news = before is None or (call.text != before.text and not _is_empty(call))
        if is_news or (before is not None and _webhook_between(history, before, call)):
            yield run
            run = []
        run.append(call)
    yield run


def _is_empty(call: ApiCall) -> bool:
    return call.answer.get("results") == []


def _webhook_between(history: History, before: ApiCall, call: ApiCall) -> bool:
    return any(
        before.number < attempt.number < call.number and history.concerns(call, attempt.calendar_id)
        for attempt in history.attempts
    )


def _lost(history: History) -> list[Remark]:
    """A webhook that never arrived, and no request for what it was about, long after."""
    by_key: dict[str, list[WebhookAttempt]] = {}
    for attempt in history.attempts:
        by_key.setdefault(str(attempt.entry["idempotency_key"]), []).append(attempt)
    calls = history.of(*_READS)
    accepted_later = {one.calendar_id: one.number for one in history.attempts if one.accepted}
    for attempts in by_key.values():
        last = attempts[-1]
        gave_up = not any(one.accepted for one in attempts) and int(last.entry["attempt"]) >= _ATTEMPTS
        replaced = accepted_later.get(last.calendar_id, 0) > last.number
        waited = history.end is not None and history.end - last.time >= _LATER
        if gave_up and waited and not replaced and not _fetched_after(history, last, calls):
            what = (
                f"All attempts of a {last.trigger} for {last.calendar_id} failed, and nobody has read the calendar "
                "or its events since."
            )
            return [Remark("no-fallback", tuple(one.number for one in attempts), what)]
    return []


def _long(history: History) -> list[Remark]:
    """Days in which the client reads only what a webhook asks it to read."""
    lists = [one for one in history.of("listCalendarEvents") if "cursor" not in one.params and one.status == 200]
    accepted = [one for one in history.attempts if one.accepted and one.trigger == _EVENTS]
    if not lists or not accepted or history.end is None or history.end - accepted[0].time < _LONG:
        return []
    since = [call for call in lists if call.number > accepted[0].number]
    if not since or any(_unprompted(history, call, lists, accepted) for call in since):
        return []
    last = numbers([accepted[0].number])
    what = f"In the {_LONG.days} days and more since {last}, every list of events came right after a webhook."
    numbered = (*(one.number for one in accepted), *(call.number for call in since))
    return [Remark("no-fallback", numbered, what)]


def _unprompted(history: History, call: ApiCall, lists: list[ApiCall], accepted: list[WebhookAttempt]) -> bool:
    """Whether no webhook came shortly before the call, and after the list of the same events before it."""
    before = [one.number for one in lists if one.number < call.number and one.filters.keys() == call.filters.keys()]
    start = max(before, default=0)
    return not any(
        start < one.number < call.number and call.time - one.time < _LATER and history.concerns(call, one.calendar_id)
        for one in accepted
    )
