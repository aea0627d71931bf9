"""Mutants of the operations on bots: what is listed, changed, refused and freed."""

from __future__ import annotations

import json
from collections.abc import Callable
from operator import attrgetter
from typing import Any

from mockserver.api.request import App
from mockserver.app import Mock
from mockserver.domain import bot_service
from mockserver.domain.bot_service import BotChanges, BotQuery, NewBot
from mockserver.domain.bots import refresh_event
from mockserver.domain.model import Bot
from mockserver.domain.pagination import Cursor, Listing, Page, paginate
from mockserver.domain.store import Project
from tests.clients import ACME
from tests.mutants.mutant import Mutant
from tests.mutants.wrapped import EVENTS, Call, Reply, after, before, crash, said

LIST, ONE = "/api/v1/bots", "/api/v1/bots/"
ALLOW = {LIST: "GET, POST, HEAD, OPTIONS", ONE: "GET, PATCH, DELETE, HEAD, OPTIONS"}
_NULL = ["This field may not be null."]


def is_on_bots(call: Call, path: str, methods: str) -> bool:
    """Whether a request goes to the list of bots, or to one of them, by one of these methods."""
    name = call.path.removeprefix(ONE)
    found = LIST if call.path == LIST else ONE if call.path.startswith(ONE) and "/" not in name else ""
    return found == path and call.method in methods.split()


def fields_of(call: Call) -> dict[str, Any]:
    """The fields of a POST or PATCH that is JSON; none where it is something else."""
    writes = is_on_bots(call, LIST, "POST") or is_on_bots(call, ONE, "PATCH")
    fields = call.json if writes else None
    return fields if isinstance(fields, dict) else {}


def refused(call: Call, body: dict[str, Any]) -> Reply:
    """A refusal of a POST or PATCH."""
    return said(400, body, allow=ALLOW[LIST if call.path == LIST else ONE])


def _status(was: int, now: int, path: str, methods: str) -> Callable[[Mock], App]:
    def change(call: Call, reply: Reply) -> None:
        if is_on_bots(call, path, methods) and reply.status == was:
            reply.status = now

    return after(change)


def crash_if(test: Callable[[dict[str, Any]], bool]) -> Callable[[Mock], App]:
    """Such fields crash."""
    return before(lambda call: crash() if test(fields_of(call)) else None)


def listing(change: Callable[[BotQuery], BotQuery], *, ascending: bool = True, size: int = 25) -> Callable[[Mock], App]:
    """Bots are looked for with another query, and listed in another order or number."""

    def apply(mock: Mock) -> App:
        def list_bots(project: Project, query: BotQuery, cursor: Cursor) -> Page[Bot]:
            keep = change(query).asks_for
            listing = Listing(project.state.bots.listed, attrgetter("created_at"), ascending=ascending, keep=keep)
            return paginate(listing, cursor, size)

        mock.bot_service.list_bots = list_bots  # type: ignore[method-assign]
        return mock.asgi

    return apply


def as_asked(query: BotQuery) -> BotQuery:
    """The query as it is."""
    return query


def rows(change: Callable[[Call, list[Any]], list[Any]]) -> Callable[[Mock], App]:
    """Pages show other rows."""

    def changed(call: Call, reply: Reply) -> Reply | None:
        if not is_on_bots(call, LIST, "GET") or reply.status != 200 or not reply.body.startswith(b"{"):
            return None
        return reply.write({**reply.json, "results": change(call, reply.json["results"])})

    return after(changed)


def updates(change: Callable[[Bot, Bot, BotChanges], Bot], *, stored: bool = True) -> Callable[[Mock], App]:
    """A change makes another bot of the old one and the right new one; where it is not stored, it is only answered."""

    def apply(mock: Mock) -> App:
        real = mock.bot_service.update_bot

        def update(project: Project, bot_id: str, changes: BotChanges) -> Bot:
            old = project.state.bots.get(bot_id)
            new = real(project, bot_id, changes)
            if old is None:
                return new
            wanted = change(old, new, changes)
            put_bot(project, wanted)
            return wanted if stored else new

        mock.bot_service.update_bot = update  # type: ignore[method-assign]
        return mock.asgi

    return apply


def put_bot(project: Project, bot: Bot) -> None:
    """Stores a bot, also in its event."""
    project.state.bots.put(bot.id, bot)
    if bot.event_id is not None:
        refresh_event(project.state, bot.event_id)


def _makes(change: Callable[[Project, Bot, NewBot], Bot]) -> Callable[[Mock], App]:
    """A new bot is another than it should be."""

    def apply(mock: Mock) -> App:
        real = mock.bot_service.create_bot

        def create(project: Project, fields: NewBot) -> Bot:
            bot = change(project, real(project, fields), fields)
            put_bot(project, bot)
            return bot

        mock.bot_service.create_bot = create  # type: ignore[method-assign]
        return mock.asgi

    return apply


def _merged(old: Bot, new: Bot, changes: BotChanges) -> Bot:
    return new._replace(metadata={**(old.metadata or {}), **(new.metadata or {})} or None)


def _same_link_stored(project: Project, bot: Bot, fields: NewBot) -> Bot:
    return bot._replace(meeting_url=bot.meeting_url.removeprefix("https://"))


def _deletes_nothing(mock: Mock) -> App:
    real = mock.bot_service.get_bot
    mock.bot_service.delete_bot = lambda project, bot_id: void(real(project, bot_id))  # type: ignore[method-assign]
    return mock.asgi


def void(_: object) -> None:
    """Nothing, whatever was done."""


def _stays_in_event(mock: Mock) -> App:
    def delete(project: Project, bot_id: str) -> None:
        project.state.bots.drop(mock.bot_service.get_bot(project, bot_id).id)

    mock.bot_service.delete_bot = delete  # type: ignore[method-assign]
    return mock.asgi


def _keeps_key(mock: Mock) -> App:
    taken: set[tuple[str, str]] = set()
    create, delete = mock.bot_service.create_bot, mock.bot_service.delete_bot

    def created(project: Project, fields: NewBot) -> Bot:
        key = fields.get("deduplication_key")
        if key is not None and (project.name, key) in taken:
            raise bot_service.BotKeyTaken
        return create(project, fields)

    def deleted(project: Project, bot_id: str) -> None:
        key = mock.bot_service.get_bot(project, bot_id).deduplication_key
        if key is not None:
            taken.add((project.name, key))
        delete(project, bot_id)

    mock.bot_service.create_bot = created  # type: ignore[method-assign]
    mock.bot_service.delete_bot = deleted  # type: ignore[method-assign]
    return mock.asgi


def _duplicates(mock: Mock) -> App:
    real = mock.bot_service.create_bot

    def create(project: Project, fields: NewBot) -> Bot:
        try:
            return real(project, fields)
        except bot_service.BotKeyTaken:
            key = fields.pop("deduplication_key")
            bot = real(project, fields)
            return bot._replace(deduplication_key=key)

    mock.bot_service.create_bot = create  # type: ignore[method-assign]
    return mock.asgi


def _foreign(mock: Mock) -> App:
    """Whoever has a valid key is let in as the project that has the bot."""

    def change(call: Call) -> None:
        owner = next((one for one in mock.store.projects if call.path.removeprefix(ONE) in one.state.bots), None)
        keys = {f"Token {key}" for project in mock.store.projects for key in project.api_keys}
        if owner is not None and call.headers.get("authorization") in keys:
            call.headers["authorization"] = f"Token {owner.api_keys[0]}"

    return before(change)(mock)


def _lists_all_projects(call: Call) -> None:
    if is_on_bots(call, LIST, "GET") and "deduplication_key" in call.parameters and "authorization" in call.headers:
        call.headers["authorization"] = f"Token {ACME}"


def _last_state_counts(call: Call) -> None:
    if is_on_bots(call, LIST, "GET"):
        pairs = call.query.split("&")
        states = [pair for pair in pairs if pair.startswith("states=")]
        call.query = "&".join([pair for pair in pairs if pair not in states] + states[-1:])


def _no_previous(call: Call, reply: Reply) -> Reply | None:
    is_page = is_on_bots(call, LIST, "GET") and reply.status == 200 and reply.body.startswith(b"{")
    return reply.write({**reply.json, "previous": None}) if is_page else None


def _not_in_events(call: Call, reply: Reply) -> Reply | None:
    if not call.is_on(EVENTS, methods="GET") or reply.status != 200 or not reply.body.startswith(b"{"):
        return None
    rows = [
        {**row, "bots": [bot for bot in row["bots"] if bot.get("metadata") is None]} for row in reply.json["results"]
    ]
    return reply.write({**reply.json, "results": rows})


def _unknown_refused(call: Call) -> Reply | None:
    unknown = set(fields_of(call)) - {
        "join_at",
        "meeting_url",
        "metadata",
        "bot_name",
        "bot_image",
        "recording_settings",
    }
    if not is_on_bots(call, ONE, "PATCH") or not unknown:
        return None
    return refused(call, {"non_field_errors": [f"Unexpected field(s): {', '.join(sorted(unknown))}."]})


def _settings_taken(call: Call) -> None:
    """Settings that are no objects count as not given."""
    fields = fields_of(call)
    kept = {
        name: value
        for name, value in fields.items()
        if not name.endswith("_settings") or isinstance(value, dict) or value is None
    }
    if kept != fields:
        call.body = json.dumps(kept).encode()


def _nested_flat(call: Call, reply: Reply) -> Reply | None:
    """The problems of a field's own fields are told as the field's."""
    if not fields_of(call) or reply.status != 400 or not isinstance(reply.json, dict):
        return None
    flat = {name: [*texts.values()][0] if isinstance(texts, dict) else texts for name, texts in reply.json.items()}
    return reply.write(flat) if flat != reply.json else None


def _emoji_taken(call: Call) -> None:
    fields = fields_of(call)
    name = fields.get("bot_name")
    if isinstance(name, str) and any(letter > "\uffff" for letter in name):
        call.body = json.dumps({**fields, "bot_name": "Notes"}).encode()


def _keyless(call: Call) -> None:
    if is_on_bots(call, LIST, "GET") and "authorization" not in call.headers:
        call.headers["authorization"] = f"Token {ACME}"


def _delete_reads_body(call: Call) -> Reply | None:
    if is_on_bots(call, ONE, "DELETE") and call.body and call.json is None and "authorization" in call.headers:
        return refused(call, {"detail": "JSON parse error - Expecting value: line 1 column 1 (char 0)"})
    return None


def _no_forms(call: Call) -> Reply | None:
    if is_on_bots(call, LIST, "POST") and "urlencoded" in call.headers.get("content-type", ""):
        kind = call.headers["content-type"]
        return said(415, {"detail": f'Unsupported media type "{kind}" in request.'}, allow=ALLOW[LIST])
    return None


def _null_is_absent(call: Call) -> None:
    fields = fields_of(call)
    kept = {name: value for name, value in fields.items() if value is not None or not name.endswith("_settings")}
    if kept != fields:
        call.body = json.dumps(kept).encode()


def _has_event_first(call: Call) -> Reply | None:
    """The event of a bot is looked up after the other fields were checked."""
    fields = fields_of(call)
    if is_on_bots(call, LIST, "POST") and fields.get("calendar_event_id") and fields.get("bot_name", 0) is None:
        return refused(call, {"bot_name": _NULL})
    return None


def _holds(value: Any, text: str) -> bool:
    if isinstance(value, dict):
        return any(_holds(part, text) for pair in value.items() for part in pair)
    return any(_holds(part, text) for part in value) if isinstance(value, list) else text in str(value)


def _nested_too(fields: dict[str, Any]) -> bool:
    return any(isinstance(value, dict) and _holds(value, "\0") for name, value in fields.items() if name != "metadata")


def _joins_anytime(mock: Mock) -> App:
    """A bot's time may be any distance ahead: it is put within what is allowed."""

    def change(call: Call) -> None:
        fields = fields_of(call)
        time = fields.get("join_at")
        if isinstance(time, str) and time[:3] in ("203", "204") and time[:4] > "2030":
            call.body = json.dumps({**fields, "join_at": f"2028{time[4:]}"}).encode()

    return before(change)(mock)


def mutant(slug: str, defect: str, apply: Callable[[Mock], App]) -> Mutant:
    """A mutant of this area."""
    return Mutant(slug, "bots", defect, apply)


MUTANTS: tuple[Mutant, ...] = (
    mutant("bot-create-answers-200", "creating a bot answers 200, not 201", _status(201, 200, LIST, "POST")),
    mutant("bot-delete-answers-204", "deleting a bot answers 204, not 200", _status(200, 204, ONE, "DELETE")),
    mutant("bots-newest-first", "bots come newest first", listing(as_asked, ascending=False)),
    mutant("bot-page-has-24", "24 bots a page", listing(as_asked, size=24)),
    mutant("bot-page-never-has-previous", "previous of a page of bots is null on every page", after(_no_previous)),
    mutant("bot-states-ignored", "the filter states is ignored", listing(lambda q: q._replace(states=None))),
    mutant("bot-last-state-counts", "of several states only the last counts", before(_last_state_counts)),
    mutant(
        "bot-join-at-after-includes-equal",
        "join_at_after includes equality",
        listing(lambda q: q._replace(join_at_after=q.join_at_after and q.join_at_after - 1)),
    ),
    mutant(
        "bot-join-at-before-ignored",
        "join_at_before is ignored",
        listing(lambda q: q._replace(join_at_before=None)),
    ),
    mutant(
        "bot-dedup-key-filter-ignored",
        "the filter deduplication_key is ignored beside meeting_url",
        listing(lambda q: q if q.meeting_url is None else q._replace(deduplication_key=None)),
    ),
    mutant(
        "bot-key-filter-shows-foreign-bots",
        "deduplication_key finds another project's bot",
        before(_lists_all_projects),
    ),
    mutant("bot-patch-merges-metadata", "PATCH of a bot merges metadata", updates(_merged)),
    mutant(
        "bot-patch-join-at-unstored",
        "PATCH of a bot answers the new join_at and stores the old one",
        updates(lambda old, new, changes: new._replace(join_at=old.join_at), stored=False),
    ),
    mutant(
        "bot-patch-clears-dedup-key",
        "PATCH of a bot clears its deduplication key",
        updates(lambda old, new, changes: new._replace(deduplication_key=None)),
    ),
    mutant("bot-patch-refuses-unknown-fields", "PATCH of a bot refuses unknown fields", before(_unknown_refused)),
    mutant("bot-delete-deletes-nothing", "DELETE of a bot answers 200 and deletes nothing", _deletes_nothing),
    mutant("bot-delete-stays-in-event", "a deleted bot still shows in its event", _stays_in_event),
    mutant("bot-delete-keeps-its-key", "a deleted bot's key stays taken", _keeps_key),
    mutant("bot-duplicate-key-accepted", "two bots may have one deduplication key", _duplicates),
    mutant("bot-missing-in-event", "a bot with metadata does not show in its event", after(_not_in_events)),
    mutant("bot-link-not-normalised", "a bot's link is shown without https", _makes(_same_link_stored)),
    mutant("bot-of-foreign-project-found", "a bot of another project is found by its id", _foreign),
    mutant("bot-list-needs-no-key", "listing bots needs no key", before(_keyless)),
    mutant("bot-name-emoji-accepted", "an emoji in a bot's name is accepted", before(_emoji_taken)),
    mutant("bot-join-at-any-distance", "a bot may join in more than three years", _joins_anytime),
    mutant("bot-settings-of-any-type", "settings of a bot that are no objects are ignored", before(_settings_taken)),
    mutant("bot-null-settings-accepted", "settings of a bot that are null are ignored", before(_null_is_absent)),
    mutant("bot-nested-errors-flat", "problems inside a field are told as the field's own", after(_nested_flat)),
    mutant("bot-nul-in-settings-crashes", "a NUL within a bot's settings or messages crashes", crash_if(_nested_too)),
    mutant(
        "bot-surrogate-in-metadata-crashes",
        "a lone surrogate in a bot's metadata crashes",
        crash_if(lambda fields: "\\ud800" in json.dumps(fields.get("metadata"))),
    ),
    mutant("bot-form-refused", "a form for a bot is a 415", before(_no_forms)),
    mutant(
        "bot-fields-checked-before-event", "the fields of a bot are checked before its event", before(_has_event_first)
    ),
    mutant("bot-delete-reads-body", "DELETE of a bot reads its body", before(_delete_reads_body)),
)
