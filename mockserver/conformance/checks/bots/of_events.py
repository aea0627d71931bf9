"""Checks of bots for events: which events have none, what is told first, and how an event shows its bots.

On somebody's deployment none of them asks for anything: its events are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import quote

from mockserver.conformance.calendar_bodies import MARK
from mockserver.conformance.checks import Steps, check
from mockserver.conformance.checks.bots.bench import BotBench, bot_case, deeper, id_of, instant
from mockserver.conformance.checks.bots.lists import creation, made_of, shows
from mockserver.conformance.checks.bots.operations import IN_USE, deletion, events, tenants
from mockserver.conformance.exchange import Exchange
from mockserver.conformance.expectations import body as like
from mockserver.conformance.expectations import either, every, has, no_row, same_document, status
from mockserver.conformance.guard import BOTS, EVENTS, path_of
from mockserver.conformance.list_pages import rows_in

_PAST, _FAR = ["join_at cannot be in the past"], ["join_at cannot be more than 3 years in the future"]
_NULL, _BLANK = ["This field may not be null."], ["This field may not be blank."]
_YEAR = 365 * 86_400.0
_DAY = 86_400.0
_UNKNOWN = "evt_0000000000000000"
_KNOWN = ("bot-create-accepted", "bot-in-event", "bot-deleted", "bot-changed", "bot-stored")


class _Events(NamedTuple):
    """Where events were read, and when."""

    page: Exchange
    rows: list[dict[str, Any]]

    def start(self, row: dict[str, Any]) -> float:
        """Seconds from now to the event."""
        found = instant(row.get("start_time"))
        return 0.0 if found is None else found - self.page.started

    def fit(self, *, deleted: bool = False) -> list[dict[str, Any]]:
        """Events for which a bot can be made, and that have none."""
        return [
            row
            for row in self.rows
            if _DAY < self.start(row) < 2 * _YEAR
            and row.get("bots") == []
            and _is_of_a_meeting(row)
            and row.get("is_deleted") is deleted
        ]


def _is_of_a_meeting(row: dict[str, Any]) -> bool:
    link = row.get("meeting_url")
    return isinstance(link, str) and link.startswith(("https://meet.google.com/", "https://teams.microsoft.com/meet/"))


def _events(bench: BotBench) -> _Events:
    page = bench.get(f"{EVENTS}?ordering=-start_time")
    return _Events(page, rows_in(page))


@check(
    "bot-event-unfit", context=BotBench, cost=2, needs=("write",), after=(creation, events), apart=True, stage="events"
)
def unfit_events(bench: BotBench) -> Steps:
    """Events without a link, that are over, and that are too far ahead."""
    found = [] if bench.live else list(_unfit(_events(bench)))
    if not found:
        why = "the project has no event without a link and none that is over, or is somebody's"
        bench.unobservable("bot-event-unfit", why)
    for page, row, body, field in found:
        asked = bot_case("bot-event-unfit", "createBot", field, "POST", BOTS, 400, body)
        fields = bench.bot_fields(calendar_event_id=row["id"])
        bench.undo(bench.ask(asked._replace(json=fields), [page]))
        yield


def _unfit(found: _Events) -> Iterator[tuple[Exchange, dict[str, Any], Any, str]]:
    """One event of each kind, and how a bot for it is refused."""
    kinds: dict[str, tuple[dict[str, Any], Any, str]] = {}
    for row in [row for row in found.rows if not row.get("is_deleted")]:
        start = found.start(row)
        if row.get("meeting_url") is None:
            told = {"meeting_url": _NULL}
            if _DAY < start < 2 * _YEAR:
                kinds.setdefault("no link", (row, told, "meeting_url"))
            elif start < -_DAY:
                kinds.setdefault("no link, over", (row, {**told, "join_at": _PAST}, "meeting_url"))
        elif _is_of_a_meeting(row) and start < -_DAY:
            kinds.setdefault("over", (row, {"join_at": _PAST}, "join_at"))
        elif _is_of_a_meeting(row) and start > 4 * _YEAR:
            kinds.setdefault("far", (row, {"join_at": _FAR}, "join_at"))
    for row, body, field in kinds.values():
        yield found.page, row, body, field


@deeper("bot-in-event", cost=6, after=(creation, deletion, events), stage="events")
def shown_in_events(bench: BotBench) -> Steps:
    """A bot is shown in its event with all that it is shown with elsewhere, after each change, and in no other way."""
    if bench.live:
        return
    for number, step in enumerate((_as_it_is, _as_it_is, _after_changes, _two_bots, _for_its_link, _cancelled)):
        found = _events(bench)
        fit = found.fit(deleted=step is _cancelled)
        if fit and not bench.is_broken(*_KNOWN):
            step(bench, fit[number % len(fit)], number)
        yield


def _made_for(bench: BotBench, event: dict[str, Any], *without: str, **given: Any) -> Exchange | None:
    fields = bench.bot_fields(*without, calendar_event_id=event["id"], **given)
    taken = {"meeting_url": event["meeting_url"], "join_at": event["start_time"]}
    return made_of(bench, "bot-in-event", "calendar_event_id", fields, taken)


def _read(bench: BotBench, event: dict[str, Any]) -> Exchange:
    return bench.get(f"{EVENTS}?event_id={quote(event['id'])}")


def _has_bots(page: Exchange, *bots: dict[str, Any]) -> Any:
    """The one event of a page has these bots, in whatever order, each with at least these members."""
    orders = [list(bots), list(reversed(bots))] if len(bots) > 1 else [list(bots)]
    return either(*(like(has({"results": [has({"bots": [has(bot) for bot in order]})]}), of=page) for order in orders))


def _shows_bots(bench: BotBench, steps: list[Exchange], *bots: dict[str, Any], field: str) -> bool:
    page = steps[-1]
    if bench.is_told(page, right_status=page.status == 200):
        return False
    return bench.check("bot-in-event", _has_bots(page, *bots), "listCalendarEvents", steps, field=field)


def _delete(bench: BotBench, made: Exchange) -> Exchange:
    gone = bench.target.send("DELETE", path_of(id_of(made)))
    if gone.status == 200:
        bench.forget(id_of(made))
    return gone


def _as_it_is(bench: BotBench, event: dict[str, Any], number: int) -> None:
    """Every member, with a key and metadata of every script, and without metadata."""
    key = bench.target.tag()
    metadata = {MARK: key, "\u00e9": "\U0001f600", "": ""}
    without, given = ((), {"metadata": metadata}) if number == 0 else (("metadata",), {})
    made = _made_for(bench, event, *without, deduplication_key=key, **given)
    if made is None:
        return
    page = _read(bench, event)
    if _shows_bots(bench, [made, page], made.json, field="bots"):
        listed = bench.bots(deduplication_key=key, meeting_url=str(event["meeting_url"]))
        shows(bench, "bot-filter", "meeting_url", [made], listed, [id_of(made)])
    again = bench.bot_fields(deduplication_key=key)
    if not bench.is_broken(*_KNOWN, "bot-key-taken"):
        taken = bot_case("bot-key-taken", "createBot", "deduplication_key", "POST", BOTS, 400, IN_USE)
        bench.took(bench.ask(taken._replace(json=again), [made]))
    gone = _delete(bench, made)
    if gone.status == 200 and not bench.is_broken(*_KNOWN, "bot-key-taken"):
        _shows_bots(bench, [made, gone, _read(bench, event)], field="deleted")
        freed = bot_case("bot-key-freed", "createBot", "deduplication_key", "POST", BOTS, 201)
        bench.took(bench.ask(freed._replace(json=again), [made, gone]))


def _after_changes(bench: BotBench, event: dict[str, Any], number: int) -> None:
    """The event keeps the bot, and is itself as it was, whatever meeting the bot now joins, and when."""
    before = _read(bench, event)
    made = _made_for(bench, event, deduplication_key=bench.target.tag())
    if made is None:
        return
    link, metadata = bench.link(), {MARK: bench.target.tag()}
    for change in ({"join_at": bench.at()}, {"meeting_url": link}, {"metadata": metadata}, {"bot_name": "Minutes"}):
        changed = bench.target.send("PATCH", path_of(id_of(made)), json=change)
        page = _read(bench, event)
        field = next(iter(change))
        if changed.status != 200 or not _shows_bots(bench, [made, changed, page], changed.json, field=field):
            break
        same = every(status(200), same_document(before, page, but=["bots"]))
        bench.check("bot-in-event", same, "listCalendarEvents", [before, made, changed, page], field="event")
    _delete(bench, made)


def _two_bots(bench: BotBench, event: dict[str, Any], number: int) -> None:
    """Two bots for one event: one that is deleted leaves the other."""
    pair = [_made_for(bench, event, deduplication_key=bench.target.tag()) for _ in range(2)]
    both = [one for one in pair if one is not None]
    if len(both) == len(pair):
        page = _read(bench, event)
        if _shows_bots(bench, [*both, page], *(one.json for one in both), field="bots"):
            page = _events(bench).page
            hidden = no_row({"id": event["id"], "bots": []})
            if not bench.is_told(page, right_status=page.status == 200):
                bench.check("bot-in-event", hidden, "listCalendarEvents", [*both, page], field="bots")
            gone = _delete(bench, both[0])
            left = _read(bench, event)
            if gone.status == 200:
                _shows_bots(bench, [*both, gone, left], both[1].json, field="deleted")
            both = both[1:]
    for one in both:
        _delete(bench, one)


def _for_its_link(bench: BotBench, event: dict[str, Any], number: int) -> None:
    """A bot for the same link and time, but not for the event, does not show in it."""
    made = bench.create(meeting_url=event["meeting_url"], join_at=event["start_time"])
    if made is not None:
        _shows_bots(bench, [made, _read(bench, event)], field="link")
        _delete(bench, made)


def _cancelled(bench: BotBench, event: dict[str, Any], number: int) -> None:
    made = _made_for(bench, event, deduplication_key=bench.target.tag())
    if made is not None:
        _shows_bots(bench, [made, _read(bench, event)], made.json, field="cancelled")
        _delete(bench, made)


@deeper("bot-event-decides", "bot-field-order", "bot-key-taken", cost=3, after=(creation, events), stage="events")
def refused_for_events(bench: BotBench) -> Steps:
    """Bots for an event that are refused for something else leave no bot in it."""
    for number in range(8):
        fit = [] if bench.live else _events(bench).fit()
        first = bench.shown
        if not fit or first is None:
            return
        event = fit[0]
        key = first.json["deduplication_key"]
        unknown = {"non_field_errors": [re.compile(r"Unexpected field\(s\): zeta\. Allowed fields are: .*")]}
        both = {"bot_name": _BLANK, "deduplication_key": _NULL}
        beside = {"error": re.compile(r"(meeting_url|join_at) should not be provided .*")}
        wrong: tuple[tuple[str, str, dict[str, Any], Any], ...] = (
            ("bot-event-decides", "meeting_url", {"meeting_url": event["meeting_url"]}, beside),
            ("bot-event-decides", "join_at", {"join_at": event["start_time"]}, beside),
            ("bot-event-decides", "body", {"join_at": bench.at(), "meeting_url": bench.link()}, beside),
            ("bot-key-taken", "deduplication_key", {"deduplication_key": key}, IN_USE),
            ("bot-field-order", "unknown", {"zeta": 1, "deduplication_key": key}, unknown),
            ("bot-field-order", "body", {"bot_name": "", "deduplication_key": None, "zeta": 1}, both),
            ("bot-field-order", "bot_name", {"bot_name": " ", "deduplication_key": key}, {"bot_name": _BLANK}),
            ("bot-field-order", "zeta", {"zeta": None}, unknown),
        )
        rule, field, given, body = wrong[number]
        if not bench.is_broken(*_KNOWN, rule):
            asked = bot_case(rule, "createBot", field, "POST", BOTS, 400, body)
            fields = bench.bot_fields(calendar_event_id=event["id"], **given)
            answer = bench.ask(asked._replace(json=fields), [first])
            bench.undo(answer)
            if answer.status == 400:
                _shows_bots(bench, [answer, _read(bench, event)], field="refused")
        yield


@deeper("bot-event-unknown", cost=2, after=(creation, events), stage="events")
def unknown_events(bench: BotBench) -> Steps:
    """An event that is not there is told before all that may be wrong beside it, and each id counts as it is."""
    first = bench.shown
    if bench.live or first is None:
        return
    key = first.json["deduplication_key"]
    for field, given in (
        ("meeting_url", {"meeting_url": bench.link()}),
        ("join_at", {"join_at": "soon"}),
        ("deduplication_key", {"deduplication_key": key}),
        ("metadata", {"metadata": {}, "zeta": 1}),
        ("meeting_url", {"meeting_url": bench.link(), "join_at": bench.at()}),
    ):
        _is_unknown(bench, _UNKNOWN, field, given)
        yield
    rows = _events(bench).rows
    names = {row["id"].swapcase() for row in rows[:1]} | {row["id"][4:] for row in rows[:1]}
    names |= {str(row.get("platform_uuid")) for row in rows[:1]}
    for name in sorted(names - {row["id"] for row in rows}):
        _is_unknown(bench, name, "calendar_event_id", {})
        yield


def _is_unknown(bench: BotBench, name: str, field: str, given: dict[str, Any]) -> None:
    if not bench.is_broken("bot-event-unknown"):
        error = {"error": f"Calendar event with id {name} does not exist in this project."}
        asked = bot_case("bot-event-unknown", "createBot", field, "POST", BOTS, 400, error)
        bench.undo(bench.ask(asked._replace(json=bench.bot_fields(calendar_event_id=name, **given))))


@deeper("bot-event-unknown", cost=2, needs=("write", "other-key"), after=(creation, events, tenants), stage="events")
def events_of_others(bench: BotBench) -> Steps:
    """An event of another project is answered as if it did not exist."""
    theirs = [] if bench.live else rows_in(bench.get(f"{EVENTS}?ordering=-start_time", key="other"))
    ours = {row["id"] for row in _events(bench).rows} if theirs else set()
    for row in [row for row in theirs if row["id"] not in ours][:2]:
        _is_unknown(bench, row["id"], "calendar_event_id", {})
        yield
    fit = [] if bench.live else _events(bench).fit()
    for row in fit[:1]:
        error = {"error": f"Calendar event with id {row['id']} does not exist in this project."}
        asked = bot_case("bot-event-unknown", "createBot", "calendar_event_id", "POST", BOTS, 400, error)
        fields = bench.bot_fields(calendar_event_id=row["id"])
        answer = bench.ask(asked._replace(json=fields, key="other"))
        if answer.status == 201:
            bench.target.send("DELETE", path_of(id_of(answer)), key="other")
        yield


CHECKS = (unfit_events, shown_in_events, refused_for_events, unknown_events, events_of_others)
