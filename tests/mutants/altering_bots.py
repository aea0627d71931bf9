"""Ways to put a defect into one mock's bots: between its handlers and its service, or around its application."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any, cast

from mockserver.api.request import App
from mockserver.app import Mock
from mockserver.domain.bot_service import BotChanges, BotQuery, NewBot
from mockserver.domain.model import Bot, CalendarEvent
from mockserver.domain.pagination import Cursor, Page
from mockserver.domain.store import Project
from tests.mutants.mutant import Mutant
from tests.mutants.wrapped import Call, before

LIST, ONE = "/api/v1/bots", "/api/v1/bots/"

ListBots = Callable[[Project, BotQuery, Cursor], Page[Bot]]
CreateBot = Callable[[Project, NewBot], Bot]
UpdateBot = Callable[[Project, str, BotChanges], Bot]


def held_mutant(slug: str, defect: str, apply: Callable[[Mock], App]) -> Mutant:
    """A mutant of bots that is unknown to the judge's author."""
    return Mutant(f"held-bot-{slug}", "bots", defect, apply)


# --- where a request goes, and who sends it ---


def is_list(call: Call, methods: str) -> bool:
    """Whether a request goes to the list of bots by one of these methods."""
    return call.path == LIST and call.method in methods.split()


def is_one(call: Call, methods: str) -> bool:
    """Whether a request goes to one bot by one of these methods."""
    name = call.path.removeprefix(ONE)
    return call.path.startswith(ONE) and name != "" and "/" not in name and call.method in methods.split()


def fields_of(call: Call) -> dict[str, Any]:
    """The fields of a POST or PATCH that is JSON; none where it is something else."""
    fields = call.json if is_list(call, "POST") or is_one(call, "PATCH") else None
    return fields if isinstance(fields, dict) else {}


def rewrite(call: Call, fields: Mapping[str, Any]) -> None:
    """Sends these fields instead."""
    call.body = json.dumps(fields).encode()


def sender(mock: Mock, call: Call) -> Project | None:
    """The project whose key the request has."""
    words = call.headers.get("authorization", "").split()
    return mock.store.by_key.get(words[-1]) if words else None


# --- where defects are put in ---


def lists(change: Callable[[ListBots, Project, BotQuery, Cursor], Page[Bot]]) -> Callable[[Mock], App]:
    """Pages of bots are made in another way, perhaps out of the right way."""

    def apply(mock: Mock) -> App:
        real = mock.bot_service.list_bots
        mock.bot_service.list_bots = lambda *asked: change(real, *asked)  # type: ignore[method-assign]
        return mock.asgi

    return apply


def asks(change: Callable[[BotQuery], BotQuery]) -> Callable[[Mock], App]:
    """Bots are looked for with another query."""
    return lists(lambda real, project, query, cursor: real(project, change(query), cursor))


def creates(change: Callable[[CreateBot, Project, NewBot], Bot]) -> Callable[[Mock], App]:
    """Bots are created in another way."""

    def apply(mock: Mock) -> App:
        real = mock.bot_service.create_bot
        mock.bot_service.create_bot = lambda *asked: change(real, *asked)  # type: ignore[method-assign]
        return mock.asgi

    return apply


def updates(change: Callable[[UpdateBot, Project, str, BotChanges], Bot]) -> Callable[[Mock], App]:
    """Bots are changed in another way."""

    def apply(mock: Mock) -> App:
        real = mock.bot_service.update_bot
        mock.bot_service.update_bot = lambda *asked: change(real, *asked)  # type: ignore[method-assign]
        return mock.asgi

    return apply


def finds_events(change: Callable[[Mock, Project, CalendarEvent | None, str], CalendarEvent]) -> Callable[[Mock], App]:
    """The event of a new bot is looked up in another way."""

    def apply(mock: Mock) -> App:
        def find_event(project: Project, event_id: str) -> CalendarEvent:
            return change(mock, project, project.state.events.get(event_id), event_id)

        mock.bot_service.find_event = find_event  # type: ignore[method-assign]
        return mock.asgi

    return apply


def patch_takes(field: str, wanted: Callable[[Any], tuple[Any, Any] | None]) -> Callable[[Mock], App]:
    """PATCH takes a value that should be refused; `wanted` gives an allowed one, and what is to be stored instead."""

    def apply(mock: Mock) -> App:
        stored: ContextVar[tuple[Any] | None] = ContextVar("stored", default=None)
        real = mock.bot_service.update_bot

        def change(call: Call) -> None:
            stored.set(None)
            fields = fields_of(call) if call.method == "PATCH" else {}
            found = wanted(fields[field]) if field in fields else None
            if found is not None:
                stored.set((found[1],))
                rewrite(call, {**fields, field: found[0]})

        def update(project: Project, bot_id: str, changes: BotChanges) -> Bot:
            value = stored.get()
            if value is not None:
                changes = cast(BotChanges, {**changes, field: value[0]})
            return real(project, bot_id, changes)

        mock.bot_service.update_bot = update  # type: ignore[method-assign]
        return before(change)(mock)

    return apply
