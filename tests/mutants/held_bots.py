"""Mutants of single bots, unknown to the judge's author; above each what contracts/bots.yaml says."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from mockserver.api import errors
from mockserver.api.request import App
from mockserver.app import Mock
from mockserver.domain import timestamps
from mockserver.domain.bot_service import BotChanges, BotKeyTaken, EventNotFound, NewBot
from mockserver.domain.bots import refresh_event
from mockserver.domain.model import Bot, CalendarEvent, Micros
from mockserver.domain.store import Project
from tests.clients import ACME
from tests.mutants.altering_bots import (
    ONE,
    CreateBot,
    UpdateBot,
    creates,
    fields_of,
    finds_events,
    held_mutant,
    is_list,
    is_one,
    patch_takes,
    rewrite,
    sender,
    updates,
)
from tests.mutants.mutant import Mutant
from tests.mutants.table import DISABLED
from tests.mutants.wrapped import EVENTS, Call, Reply, after, before

_EMOJI = range(0x1F000, 0x1FB00)
_LARGEST = 2**63


# --- fields of a new or changed bot ---


def _other_planes_accepted(call: Call) -> None:
    """Only emoji are looked for, by their own blocks."""
    name = fields_of(call).get("bot_name")
    if isinstance(name, str) and not any(ord(letter) in _EMOJI for letter in name):
        plain = "".join(letter if letter <= "\uffff" else "x" for letter in name)
        if plain != name:
            rewrite(call, {**fields_of(call), "bot_name": plain})


def _offset_in_whole_hours(call: Call) -> None:
    time = fields_of(call).get("join_at")
    found = re.fullmatch(r"(\d{4}-\d\d-\d\dT[\d:.]+[+-]\d\d):\d\d", time) if isinstance(time, str) else None
    if found is not None:
        rewrite(call, {**fields_of(call), "join_at": f"{found[1]}:00"})


def _refuse_far(project: Project, join_at: Micros | None) -> None:
    if join_at is not None and join_at > project.clock.now() + 1000 * 86_400 * timestamps.SECOND:
        text = "join_at cannot be more than 3 years in the future"
        raise errors.invalid_fields({"join_at": [errors.FieldError(text, "too far ahead")]})


def _created_within_1000_days(real: CreateBot, project: Project, fields: NewBot) -> Bot:
    _refuse_far(project, fields["join_at"])
    return real(project, fields)


def _updated_within_1000_days(real: UpdateBot, project: Project, bot_id: str, changes: BotChanges) -> Bot:
    _refuse_far(project, changes.get("join_at"))
    return real(project, bot_id, changes)


def _webhooks_of_any_kind(call: Call) -> None:
    if is_list(call, "POST") and isinstance(fields_of(call).get("webhooks"), dict):
        rewrite(call, {**fields_of(call), "webhooks": []})


def _holds_large_number(value: Any) -> bool:
    if isinstance(value, dict | list):
        return any(map(_holds_large_number, value.values() if isinstance(value, dict) else value))
    return isinstance(value, int) and not -_LARGEST <= value < 2 * _LARGEST


def _large_numbers_crash(real: CreateBot, project: Project, fields: NewBot) -> Bot:
    if any(_holds_large_number(value) for name, value in fields.items() if name.endswith("_settings")):
        raise errors.ServerErrorPage("Integer exceeds 64-bit range")
    return real(project, fields)


def _measured_unescaped(metadata: Any) -> tuple[Any, Any] | None:
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        return None
    is_short = len(json.dumps(metadata, ensure_ascii=False)) <= 1000 < len(json.dumps(metadata))
    return ({"short": "enough"}, metadata) if is_short else None


def _past_accepted(time: Any) -> tuple[Any, Any] | None:
    instant = timestamps.parse(time) if isinstance(time, str) else None
    now = datetime.now(UTC)
    if instant is None or not timestamps.is_writable(instant) or instant >= timestamps.to_micros(now):
        return None
    return (now + timedelta(days=1)).isoformat(), instant


def _rename_clears_metadata(real: UpdateBot, project: Project, bot_id: str, changes: BotChanges) -> Bot:
    if "bot_name" in changes and "metadata" not in changes:
        changes = cast(BotChanges, {**changes, "metadata": None})
    return real(project, bot_id, changes)


def _shows_name(call: Call, reply: Reply) -> Reply | None:
    name = fields_of(call).get("bot_name") if is_one(call, "PATCH") else None
    shows = name is not None and reply.status == 200 and reply.body.startswith(b"{")
    return reply.write({**reply.json, "bot_name": name}) if shows else None


# --- events ---


def _own_join_at_accepted(mock: Mock) -> App:
    """A join_at beside an event is only refused where it is not the event's time."""

    def change(call: Call) -> None:
        fields, project = fields_of(call), sender(mock, call)
        event_id, time = fields.get("calendar_event_id"), fields.get("join_at")
        if project is None or not isinstance(event_id, str) or not isinstance(time, str):
            return
        event = project.state.events.get(event_id)
        if event is not None and timestamps.parse(time) == event.start_time:
            del fields["join_at"]
            rewrite(call, fields)

    return before(change)(mock)


def _not_cancelled(mock: Mock, project: Project, event: CalendarEvent | None, event_id: str) -> CalendarEvent:
    if event is None or event.is_deleted:
        raise EventNotFound(event_id)
    return event


def _of_any_project(mock: Mock, project: Project, event: CalendarEvent | None, event_id: str) -> CalendarEvent:
    found = (other.state.events.get(event_id) for other in mock.store.projects)
    event = event or next(filter(None, found), None)
    if event is None:
        raise EventNotFound(event_id)
    return event


def _patched_link_leaves_event(real: UpdateBot, project: Project, bot_id: str, changes: BotChanges) -> Bot:
    bot = real(project, bot_id, changes)
    if bot.event_id is None or "meeting_url" not in changes:
        return bot
    event_id, bot = bot.event_id, bot._replace(event_id=None)
    project.state.bots.put(bot.id, bot)
    refresh_event(project.state, event_id)
    return bot


def _event_shows_empty_key(call: Call, reply: Reply) -> Reply | None:
    if not call.is_on(EVENTS, methods="GET") or reply.status != 200 or not reply.body.startswith(b"{"):
        return None
    body = reply.json
    bots = [bot for event in body["results"] for bot in event["bots"] if bot.get("deduplication_key", 0) is None]
    for bot in bots:
        bot["deduplication_key"] = ""
    return reply.write(body) if bots else None


# --- keys ---


def _keys_of_all_projects(mock: Mock) -> App:
    real = mock.bot_service.create_bot

    def create(project: Project, fields: NewBot) -> Bot:
        key = fields.get("deduplication_key")
        if key is not None and any(other.state.bots.is_taken(key) for other in mock.store.projects):
            raise BotKeyTaken
        return real(project, fields)

    mock.bot_service.create_bot = create  # type: ignore[method-assign]
    return mock.asgi


def _refused_stored(real: CreateBot, project: Project, fields: NewBot) -> Bot:
    """The bot is made before its key is looked at, and stays without it."""
    try:
        return real(project, fields)
    except BotKeyTaken:
        real(project, cast(NewBot, {name: value for name, value in fields.items() if name != "deduplication_key"}))
        raise


def _second_delete_of_key_crashes(mock: Mock) -> App:
    """A deleted bot stays in the database, with `deleted-` before its key: there can be only one."""
    real, freed = mock.bot_service.delete_bot, set[tuple[str, str]]()

    def delete(project: Project, bot_id: str) -> None:
        key = mock.bot_service.get_bot(project, bot_id).deduplication_key
        if key is not None and (project.name, key) in freed:
            raise errors.ServerErrorPage("duplicate key value violates unique constraint")
        real(project, bot_id)
        if key is not None:
            freed.add((project.name, key))

    mock.bot_service.delete_bot = delete  # type: ignore[method-assign]
    return mock.asgi


def _taken_key_before_unknown_fields(mock: Mock) -> App:
    def change(call: Call, reply: Reply) -> Reply | None:
        key, project = fields_of(call).get("deduplication_key"), sender(mock, call)
        if not is_list(call, "POST") or reply.status != 400 or project is None or not isinstance(key, str):
            return None
        if "Unexpected field(s)" not in str(reply.json.get("non_field_errors")):
            return None
        taken = errors.from_domain(BotKeyTaken(), "creating").body
        return reply.write(taken) if project.state.bots.is_taken(key.strip()) else None

    return after(change)(mock)


# --- bots that are gone or not there, methods and keys ---


def _deleted_still_cached(mock: Mock) -> App:
    """A bot that was read is kept, PATCH renews it, and DELETE does not take it out."""
    known: dict[tuple[str, str], bytes] = {}

    def change(call: Call, reply: Reply) -> None:
        if not is_one(call, "GET PATCH") or not reply.body.startswith(b"{"):
            return
        place = call.headers.get("authorization", ""), call.path
        if reply.status == 200 and (call.method == "GET" or place in known):
            known[place] = reply.body
        elif call.method == "GET" and reply.status == 404 and place in known and "error" in reply.json:
            reply.status, reply.body = 200, known[place]

    return after(change)(mock)


def _object_before_method(mock: Mock) -> App:
    def change(call: Call, reply: Reply) -> Reply | None:
        project, bot_id = sender(mock, call), call.path.removeprefix(ONE)
        if not is_one(call, call.method) or reply.status != 405 or not reply.body.startswith(b"{"):
            return None
        if project is None or bot_id in project.state.bots:
            return None
        reply.status = 404
        return reply.write({"error": "Bot not found"})

    return after(change)(mock)


def _patch_404_in_detail(call: Call, reply: Reply) -> Reply | None:
    is_unknown = is_one(call, "PATCH") and reply.status == 404 and "error" in reply.json
    return reply.write({"detail": "Not found."}) if is_unknown else None


def _patch_takes_disabled_key(call: Call) -> None:
    if is_one(call, "PATCH") and call.headers.get("authorization", "").split()[-1:] == [DISABLED]:
        call.headers["authorization"] = f"Token {ACME}"


def _both(first: Callable[[Mock], App], second: Callable[[Mock], App]) -> Callable[[Mock], App]:
    """Two halves of one defect, each within the mock."""

    def apply(mock: Mock) -> App:
        first(mock)
        return second(mock)

    return apply


MUTANTS: tuple[Mutant, ...] = (
    # "It has no emoji and no other character beyond U+FFFF."
    held_mutant(
        "name-of-other-plane-accepted",
        "a character beyond U+FFFF that is no emoji is accepted in a bot's name",
        before(_other_planes_accepted),
    ),
    # "The time to join." (format: date-time)
    held_mutant(
        "join-at-offset-minutes-dropped",
        "the minutes of the UTC offset in join_at are dropped",
        before(_offset_in_whole_hours),
    ),
    # "It is not in the past and at most three years ahead."
    held_mutant(
        "join-at-limit-of-1000-days",
        "a bot may join in 1000 days at most",
        _both(creates(_created_within_1000_days), updates(_updated_within_1000_days)),
    ),
    # BotCreate says of webhooks that their type is array.
    held_mutant("webhooks-object-accepted", "webhooks of a bot may be an object", before(_webhooks_of_any_kind)),
    # "An object that the service stores for the bot."
    held_mutant(
        "large-number-in-settings-crashes",
        "an integer of more than 64 bits within a new bot's settings crashes",
        creates(_large_numbers_crash),
    ),
    # "at most 1000 characters when written as JSON text", which openapi.yaml says is ASCII only.
    held_mutant(
        "patch-metadata-measured-unescaped",
        "PATCH measures a bot's metadata before it is escaped",
        patch_takes("metadata", _measured_unescaped),
    ),
    # "It is not in the past", of JoinTime, which BotUpdate has too.
    held_mutant("patch-past-accepted", "PATCH moves a bot into the past", patch_takes("join_at", _past_accepted)),
    # "Fields that are left out keep their value"
    held_mutant(
        "rename-clears-metadata", "PATCH of a bot's name alone clears its metadata", updates(_rename_clears_metadata)
    ),
    # "additionalProperties: false" of Bot
    held_mutant("patch-answer-shows-name", "PATCH of bot_name answers it as well", after(_shows_name)),
    # "A bot has either `calendar_event_id`, without `meeting_url` and `join_at`, or `meeting_url`."
    held_mutant(
        "event-with-own-join-at-accepted",
        "beside its event a bot may have the join_at that the event has",
        _own_join_at_accepted,
    ),
    # "the event may be a cancelled one"
    held_mutant("cancelled-event-refused", "a cancelled event is not found for a bot", finds_events(_not_cancelled)),
    # 400: "the project has no such event"
    held_mutant(
        "foreign-event-accepted", "a bot can be scheduled for another project's event", finds_events(_of_any_project)
    ),
    # "A bot keeps its event even when it is given another link or time"
    held_mutant(
        "patched-link-leaves-event",
        "a bot that is given another link is no longer in its event",
        updates(_patched_link_leaves_event),
    ),
    # "appears in the event's `bots`", of whose Bot a deduplication_key may be null; no client can give a blank one.
    held_mutant(
        "event-shows-empty-key",
        "in its event a bot without a deduplication key has an empty one",
        after(_event_shows_empty_key),
    ),
    # "A key that no other unfinished bot of the project has."
    held_mutant(
        "key-unique-across-projects", "no two projects can use one deduplication key for bots", _keys_of_all_projects
    ),
    # "a deduplication key that is in use" is refused, so "Lists the project's bots" has no such bot.
    held_mutant(
        "refused-for-key-stored",
        "a bot that is refused for its deduplication key is stored without it",
        creates(_refused_stored),
    ),
    # "Deletes the bot, also from its event, and frees its deduplication key."
    held_mutant(
        "second-delete-of-key-crashes",
        "the DELETE of a second bot with a deduplication key crashes",
        _second_delete_of_key_crashes,
    ),
    # "The service reports unknown fields when all known fields are valid, and a deduplication key that is in use after
    # that."
    held_mutant(
        "taken-key-before-unknown-fields",
        "a bot's taken key is told before its unknown fields",
        _taken_key_before_unknown_fields,
    ),
    # "Deletes the bot"; 404: "The project has no bot with this id"
    held_mutant(
        "deleted-still-cached", "a deleted bot is still answered where it was read before", _deleted_still_cached
    ),
    # openapi.yaml says that requests are checked in this order: "the method (405), whether the object exists (404)".
    held_mutant(
        "object-checked-before-method",
        "a method that bots do not have is a 404 where there is no such bot",
        _object_before_method,
    ),
    # openapi.yaml: "`{"detail": text}` is about HTTP, keys, cursors and unreadable bodies";
    # BotNotFoundText: "Bot not found".
    held_mutant(
        "patch-404-has-detail", "PATCH tells an unknown bot as {detail: Not found.}", after(_patch_404_in_detail)
    ),
    # 401: "its key is unknown or disabled"
    held_mutant("patch-takes-disabled-key", "a disabled key can change bots", before(_patch_takes_disabled_key)),
)
