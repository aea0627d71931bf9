"""Mutants of bots that show in one corner: beside another filter, of one field, after a change, for one event."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from unicodedata import normalize

from mockserver.api.request import App
from mockserver.app import Mock
from mockserver.domain import bot_service
from mockserver.domain.bot_service import BotChanges, NewBot
from mockserver.domain.model import Bot, CalendarEvent
from mockserver.domain.store import Project
from mockserver.domain.timestamps import parse
from tests.clients import ACME, GLOBEX
from tests.mutants.bots import (
    ALLOW,
    LIST,
    ONE,
    crash_if,
    fields_of,
    is_on_bots,
    listing,
    mutant,
    put_bot,
    refused,
    rows,
    updates,
)
from tests.mutants.mutant import Mutant
from tests.mutants.wrapped import Call, Reply, after, before, said


def _rewritten(change: Callable[[Call, dict[str, Any]], dict[str, Any]]) -> Callable[[Mock], App]:
    """The fields of a POST or PATCH are read as others."""

    def rewrite(call: Call) -> None:
        fields = fields_of(call)
        wanted = change(call, fields) if fields else fields
        if wanted != fields:
            call.body = json.dumps(wanted).encode()

    return before(rewrite)


def _refuses(test: Callable[[Call, dict[str, Any]], bool], body: dict[str, Any]) -> Callable[[Mock], App]:
    """A POST or PATCH with such fields is a 400."""
    return before(lambda call: refused(call, body) if fields_of(call) and test(call, fields_of(call)) else None)


def _finds(find: Callable[[Mock, Project, str], CalendarEvent | None]) -> Callable[[Mock], App]:
    """The event of a bot is looked up in another way; None: in the right one."""

    def apply(mock: Mock) -> App:
        real = mock.bot_service.find_event
        mock.bot_service.find_event = (  # type: ignore[method-assign]
            lambda project, event_id: find(mock, project, event_id) or real(project, event_id)
        )
        return mock.asgi

    return apply


def _of_any_project(mock: Mock, project: Project, event_id: str) -> CalendarEvent | None:
    return next(filter(None, (one.state.events.get(event_id) for one in mock.store.projects)), None)


def _not_cancelled(mock: Mock, project: Project, event_id: str) -> CalendarEvent | None:
    event = project.state.events.get(event_id)
    if event is not None and event.is_deleted:
        raise bot_service.EventNotFound(event_id)
    return None


def _never_over(mock: Mock, project: Project, event_id: str) -> CalendarEvent | None:
    """An event that is over counts as one that is a day ahead."""
    event, now = project.state.events.get(event_id), project.clock.now()
    return event._replace(start_time=now + 86_400_000_000) if event is not None and event.start_time < now else None


def _keys(is_taken: Callable[[Mock, Project, str], bool | None]) -> Callable[[Mock], App]:
    """Whether a deduplication key is in use is seen in another way; None: in the right one."""

    def apply(mock: Mock) -> App:
        real = mock.bot_service.create_bot

        def create(project: Project, fields: NewBot) -> Bot:
            key = fields.get("deduplication_key")
            taken = is_taken(mock, project, key) if key is not None else None
            if taken:
                raise bot_service.BotKeyTaken
            if key is None or taken is None or not project.state.bots.is_taken(key):
                return real(project, fields)
            holder = next(bot for bot in project.state.bots.listed.up() if bot.deduplication_key == key)
            put_bot(project, holder._replace(deduplication_key=None))
            return real(project, fields)

        mock.bot_service.create_bot = create  # type: ignore[method-assign]
        return mock.asgi

    return apply


def _holders(project: Project) -> list[Bot]:
    return [bot for bot in project.state.bots.listed.up() if bot.deduplication_key is not None]


def _deletes_meeting(mock: Mock) -> App:
    """DELETE takes away all bots of the meeting."""
    real = mock.bot_service.delete_bot

    def delete(project: Project, bot_id: str) -> None:
        link = mock.bot_service.get_bot(project, bot_id).meeting_url
        for bot in [bot for bot in project.state.bots.listed.up() if bot.meeting_url == link]:
            real(project, bot.id)

    mock.bot_service.delete_bot = delete  # type: ignore[method-assign]
    return mock.asgi


def _foreign_deletes(mock: Mock) -> App:
    """DELETE of another project's bot answers 404, and deletes it."""
    real = mock.bot_service.delete_bot

    def delete(project: Project, bot_id: str) -> None:
        for other in mock.store.projects:
            if other is not project and other.state.bots.get(bot_id) is not None:
                real(other, bot_id)
        real(project, bot_id)

    mock.bot_service.delete_bot = delete  # type: ignore[method-assign]
    return mock.asgi


def _stores_refused_time(mock: Mock) -> App:
    """A change with a wrong image is refused, and its time is stored."""

    def store(call: Call) -> None:
        fields, name = fields_of(call), call.path.removeprefix(ONE)
        if "bot_image" in fields and isinstance(fields.get("join_at"), str):
            for project in mock.store.projects:
                bot, time = project.state.bots.get(name), parse(fields["join_at"])
                if bot is not None and time is not None:
                    put_bot(project, bot._replace(join_at=time))

    return before(store)(mock)


def _event_has_old_link(mock: Mock) -> App:
    """An event shows its bot with the link that it had before a change."""
    real = mock.bot_service.update_bot

    def update(project: Project, bot_id: str, changes: BotChanges) -> Bot:
        old = mock.bot_service.get_bot(project, bot_id)
        event = project.state.events.get(old.event_id or "")
        new = real(project, bot_id, changes)
        if event is not None and "meeting_url" in changes:
            project.state.put_event(event)
        return new

    mock.bot_service.update_bot = update  # type: ignore[method-assign]
    return mock.asgi


def _full_page_has_next(call: Call, reply: Reply) -> Reply | None:
    if not is_on_bots(call, LIST, "GET") or reply.status != 200 or not reply.body.startswith(b"{"):
        return None
    page = reply.json
    if len(page["results"]) < 25 or page["next"]:
        return None
    return reply.write({**page, "next": f"http://{call.headers['host']}{call.path}?{call.query}&cursor=bz0yNQ%3D%3D"})


def _in_utf8(value: Any) -> int:
    return len(value.encode("utf-8", "replace")) if isinstance(value, str) else 0


def _minutes_lost(call: Call, fields: dict[str, Any]) -> dict[str, Any]:
    time = fields.get("join_at")
    return {**fields, "join_at": re.sub(r"([+-]\d\d):\d\d$", r"\1:00", time)} if isinstance(time, str) else fields


def _measured_as_it_is(call: Call, fields: dict[str, Any]) -> dict[str, Any]:
    """Metadata of a change are measured without escapes, and what is too long all the same is cut."""
    metadata = fields.get("metadata")
    if call.method != "PATCH" or not isinstance(metadata, dict) or len(json.dumps(metadata)) <= 1000:
        return fields
    return {**fields, "metadata": {"a": "b"}} if len(json.dumps(metadata, ensure_ascii=False)) <= 1000 else fields


def _own_link_ignored(call: Call, fields: dict[str, Any]) -> dict[str, Any]:
    """A time beside an event is ignored where it is in 2028's first days, as the events of the recordings are."""
    same = fields.get("calendar_event_id") and str(fields.get("join_at")).startswith("2028-01-0")
    return {name: value for name, value in fields.items() if name != "join_at"} if same else fields


def _text_read(call: Call) -> None:
    if is_on_bots(call, ONE, "PATCH") and call.headers.get("content-type") == "text/plain":
        call.headers["content-type"] = "application/json"


def _anybody_deletes(call: Call) -> None:
    key = call.headers.get("authorization", "")
    if is_on_bots(call, ONE, "DELETE") and key.startswith("Token ") and GLOBEX not in key:
        call.headers["authorization"] = f"Token {ACME}"


def _key_before_accept(call: Call) -> Reply | None:
    if is_on_bots(call, ONE, "PATCH") and "authorization" not in call.headers:
        call.headers["accept"] = "*/*"
    return None


def _id_before_method(call: Call) -> Reply | None:
    if call.path == f"{ONE}bot_0000000000000000" and call.method == "POST" and "authorization" in call.headers:
        return said(404, {"error": "Bot not found"}, allow=ALLOW[ONE])
    return None


def _cursor_before_states(call: Call) -> Reply | None:
    if is_on_bots(call, LIST, "GET") and call.parameters.get("cursor") == "bad" and "authorization" in call.headers:
        return said(404, {"detail": "Invalid cursor"}, allow=ALLOW[LIST])
    return None


def _large(value: Any) -> bool:
    if isinstance(value, dict | list):
        return any(map(_large, value.values() if isinstance(value, dict) else value))
    return isinstance(value, int) and abs(value) >= 2**63


def _far_in_days(call: Call, fields: dict[str, Any]) -> bool:
    """Whether the time to join is more than 1094 days ahead, and less than three years."""
    time, now = parse(str(fields.get("join_at"))), datetime.now(UTC).timestamp()
    return time is not None and 1094 * 86_400 < time / 1e6 - now < 1096 * 86_400


def _head_answers(call: Call, reply: Reply) -> None:
    if is_on_bots(call, LIST, "HEAD") and reply.status == 404:
        reply.status = 200


MUTANTS: tuple[Mutant, ...] = (
    mutant(
        "bot-states-ignored-beside-key",
        "the filter states is ignored beside deduplication_key",
        listing(lambda q: q if q.deduplication_key is None else q._replace(states=None)),
    ),
    mutant(
        "bot-join-at-filter-drops-fraction",
        "join_at_after counts whole seconds",
        listing(lambda q: q._replace(join_at_after=q.join_at_after and q.join_at_after // 10**6 * 10**6)),
    ),
    mutant(
        "bot-key-filter-composes",
        "the filter deduplication_key composes accents",
        listing(lambda q: q._replace(deduplication_key=q.deduplication_key and normalize("NFC", q.deduplication_key))),
    ),
    mutant(
        "bots-ordered-by-time-to-join",
        "a page of bots is ordered by join_at",
        rows(lambda call, found: sorted(found, key=lambda row: str(row["join_at"]))),
    ),
    mutant("bot-full-page-has-next", "a full page of bots always has a next one", after(_full_page_has_next)),
    mutant(
        "bot-patch-moves-to-end",
        "a bot that is changed is listed last",
        updates(lambda old, new, changes: new._replace(created_at=new.updated_at)),
    ),
    mutant(
        "bot-patch-image-drops-metadata",
        "PATCH of bot_image drops the metadata",
        updates(lambda old, new, changes: new._replace(metadata=None) if "bot_image" in changes else new),
    ),
    mutant(
        "bot-patch-of-two-keeps-link",
        "PATCH of a bot's time and link changes the time only",
        updates(lambda old, new, changes: new._replace(meeting_url=old.meeting_url) if "join_at" in changes else new),
    ),
    mutant("bot-refused-patch-stores-time", "a change with a wrong image stores its time", _stores_refused_time),
    mutant("bot-event-shows-old-link", "an event shows its bot with the link before a change", _event_has_old_link),
    mutant("bot-event-of-any-project", "a bot takes another project's event", _finds(_of_any_project)),
    mutant("bot-cancelled-event-unknown", "a cancelled event is unknown to bots", _finds(_not_cancelled)),
    mutant("bot-event-over-accepted", "a bot may be made for an event that is over", _finds(_never_over)),
    mutant("bot-event-own-time-ignored", "a time beside an event is ignored if equal", _rewritten(_own_link_ignored)),
    mutant(
        "bot-key-taken-in-any-case",
        "a deduplication key is in use in upper and lower case",
        _keys(
            lambda mock, project, key: key.lower() in {str(bot.deduplication_key).lower() for bot in _holders(project)}
        ),
    ),
    mutant(
        "bot-key-taken-by-other-project",
        "a deduplication key is in use where another project uses it",
        _keys(lambda mock, project, key: any(one.state.bots.is_taken(key) for one in mock.store.projects) or None),
    ),
    mutant(
        "bot-key-free-after-change",
        "the key of a bot that was changed is not in use",
        _keys(
            lambda mock, project, key: (
                False
                if any(bot.deduplication_key == key and bot.updated_at > bot.created_at for bot in _holders(project))
                else None
            )
        ),
    ),
    mutant("bot-delete-takes-whole-meeting", "DELETE of a bot takes all bots of its meeting", _deletes_meeting),
    mutant("bot-foreign-delete-deletes", "DELETE of another project's bot is a 404 and deletes it", _foreign_deletes),
    mutant(
        "bot-head-of-bad-cursor-answers-200",
        "HEAD of a list with an invalid cursor answers 200",
        after(_head_answers),
    ),
    mutant("bot-offset-minutes-lost", "the minutes of a time's offset are not counted", _rewritten(_minutes_lost)),
    mutant(
        "bot-patch-metadata-unescaped",
        "PATCH measures metadata without escapes",
        _rewritten(_measured_as_it_is),
    ),
    mutant(
        "bot-name-measured-in-bytes",
        "a bot's name has at most 255 bytes",
        _refuses(lambda call, fields: _in_utf8(fields.get("bot_name")) > 255, {"error": "An error occurred."}),
    ),
    mutant(
        "bot-joins-within-1094-days",
        "a bot joins at most 1094 days ahead",
        _refuses(_far_in_days, {"join_at": ["join_at cannot be more than 3 years in the future"]}),
    ),
    mutant(
        "bot-large-number-crashes",
        "a number beyond 64 bits in a bot's settings crashes",
        crash_if(lambda fields: _large(fields.get("google_meet_settings"))),
    ),
    mutant("bot-patch-reads-plain-text", "PATCH of a bot reads text/plain as JSON", before(_text_read)),
    mutant("bot-delete-takes-any-key", "DELETE of a bot takes keys that nobody has", before(_anybody_deletes)),
    mutant("bot-key-before-accept", "PATCH of a bot looks at the key before Accept", before(_key_before_accept)),
    mutant("bot-id-before-method", "POST to a bot that is not there is a 404, not a 405", before(_id_before_method)),
    mutant(
        "bot-cursor-before-filters", "an invalid cursor is told before other filters", before(_cursor_before_states)
    ),
)
