"""Checks of what comes before an operation on bots: its key, its Accept header, and a body that can be read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from mockserver.conformance.checks import Steps, check
from mockserver.conformance.checks.bots.bench import NO_BOT, NOT_FOUND, BotBench, bot_case, deeper, id_of
from mockserver.conformance.checks.bots.lists import creation, stored
from mockserver.conformance.checks.bots.operations import changes
from mockserver.conformance.checks.cases import MISSING_KEY, header
from mockserver.conformance.exchange import Exchange, Key
from mockserver.conformance.expectations import count
from mockserver.conformance.guard import BOTS, path_of

_BAD_KEY = {"detail": "Invalid or disabled API key"}
_BAD_FORM = {"detail": "Invalid Authorization header. Should have this format: Token <api_key>"}
_NOT_ACCEPTABLE = {"detail": "Could not satisfy the request Accept header."}
_STRANGER = "abcdefghijklmnopqrstuvwxyz012345"
_JSON, _PLAIN = "application/json", "text/plain"
_CHANGING = ("PATCH", "DELETE")
_READING, _DOORS = 5, 8
"""So many doors lead to what is read, and so many there are."""


class _Door(NamedTuple):
    """An operation as it is asked for by somebody who must not be let in."""

    operation: str
    method: str
    path: str
    json: Any = None


def _to_read(path: str) -> Iterator[_Door]:
    yield _Door("listBots", "GET", BOTS)
    yield _Door("getBot", "GET", path)
    yield _Door("getBot", "HEAD", path)
    yield _Door("getBot", "OPTIONS", path)
    yield _Door("listBots", "OPTIONS", BOTS)


def _to_change(bench: BotBench, path: str) -> Iterator[_Door]:
    yield _Door("updateBot", "PATCH", path, {"bot_name": "Minutes", "join_at": bench.at(days=7)})
    yield _Door("deleteBot", "DELETE", path)
    yield _Door("createBot", "POST", BOTS, bench.bot_fields())


@check("bot-key-known", context=BotBench, cost=1)
def keys_to_read(bench: BotBench) -> Steps:
    """Keys that must not be taken, for what can be read."""
    for door in _to_read(NO_BOT):
        yield from _knock(bench, door)


@deeper("bot-key-required", "bot-key-known", cost=4, after=(creation, keys_to_read))
def keys_to_change(bench: BotBench) -> Steps:
    """A bot that is there, asked for and changed without a key and with those that must not be taken."""
    for number in range(_DOORS):
        made = _behind(bench, number)
        if made is None:
            return
        door = _door(bench, made, number)
        missing = bot_case(
            "bot-key-required", door.operation, "Authorization", door.method, door.path, 401, MISSING_KEY
        )
        answer = bench.ask(missing._replace(key=None, json=door.json), [made])
        bench.took(answer)
        if answer.status == 401:
            for _ in _knock(bench, door):
                pass
        if not bench.is_broken("bot-key-required", "bot-key-known"):
            _is_shut(bench, door, made, answer)
        yield


def _is_shut(bench: BotBench, door: _Door, made: Exchange, answer: Exchange) -> None:
    """Nothing was changed or made behind a door that did not open."""
    if door.method in _CHANGING:
        stored(bench, made, made, bench.get(door.path), field=door.method)
    elif door.method == "POST":
        page = bench.bots(meeting_url=door.json["meeting_url"])
        if not bench.is_told(page, right_status=page.status == 200) and not bench.is_broken("bot-filter"):
            bench.check("bot-refusal-makes-nothing", count(0), "createBot", [answer, page], field="key")


def _behind(bench: BotBench, number: int) -> Exchange | None:
    """The creation of a bot for the door of this number: one of its own where the door leads to a change."""
    return bench.shown if number < _READING else bench.create()


def _door(bench: BotBench, made: Exchange, number: int) -> _Door:
    path = path_of(id_of(made))
    return [*_to_read(path), *_to_change(bench, path)][number]


def _knock(bench: BotBench, door: _Door) -> Steps:
    """Asks with a key that nobody has, with one in another form, and with one that is disabled."""
    disabled: tuple[tuple[Key, str, Any], ...] = (("disabled", "", _BAD_KEY),) if bench.target.disabled_key else ()
    for key, text, body in (
        (None, f"Token {_STRANGER}", _BAD_KEY),
        (None, f"Bearer {_STRANGER}", _BAD_FORM),
        *disabled,
    ):
        if bench.is_broken("bot-key-required", "bot-key-known", operation=door.operation):
            return
        asked = bot_case("bot-key-known", door.operation, "Authorization", door.method, door.path, 401, body)
        headers = header("Authorization", text) if text else ()
        bench.took(bench.ask(asked._replace(key=key, headers=headers, json=door.json)))
        yield


@check("bot-not-acceptable", context=BotBench, cost=2, needs=("write",), after=(creation,), apart=True)
def not_acceptable(bench: BotBench) -> Steps:
    """What the service cannot write is asked for, with a key and without one."""
    kinds: tuple[tuple[Key, str], ...] = (("main", "application/xml"), (None, "text/csv, image/png;q=0.5"))
    for number in range(_DOORS):
        made = _behind(bench, number)
        if made is None:
            return
        door = _door(bench, made, number)
        asked = bot_case("bot-not-acceptable", door.operation, "Accept", door.method, door.path, 406, _NOT_ACCEPTABLE)
        for key, kind in kinds:
            answer = bench.ask(asked._replace(key=key, headers=header("Accept", kind), json=door.json), [made])
            bench.took(answer)
            if not bench.is_broken("bot-not-acceptable"):
                _is_shut(bench, door, made, answer)
        yield


@check("bot-body-refused", context=BotBench, cost=2, needs=("write",), after=(creation, changes), apart=True)
def unreadable_bodies(bench: BotBench) -> Steps:
    """Bodies of a type that the service does not read, that are no JSON, and that are no object.

    On somebody's deployment none is sent, for nobody can see what it would make.
    """
    if bench.live:
        bench.unobservable("bot-body-refused", "the deployment is somebody's: no body is sent that cannot be read")
        return
    for kind, raw, status, body in _UNREADABLE:
        for method, operation in (("POST", "createBot"), ("PATCH", "updateBot")):
            path = BOTS if method == "POST" else bench.bot
            if path == NO_BOT or bench.is_broken("bot-body-refused", operation=operation):
                continue
            asked = bot_case("bot-body-refused", operation, "body", method, path, status, body)
            bench.took(bench.ask(asked._replace(raw=raw, headers=header("Content-Type", kind))))
        yield
    for kind, raw in ((_PLAIN, b"x"), (_JSON, b"["), (_JSON, b"[]"), (_JSON, b'{"bot_name":null,"join_at":"x"}')):
        unknown = bot_case("bot-id-unknown", "updateBot", "object_id", "PATCH", NO_BOT, 404, NOT_FOUND)
        bench.ask(unknown._replace(raw=raw, headers=header("Content-Type", kind)))
    yield


def _unsupported(kind: str) -> dict[str, str]:
    return {"detail": f'Unsupported media type "{kind}" in request.'}


def _no_object(kind: str) -> dict[str, list[str]]:
    return {"non_field_errors": [f"Invalid data. Expected a dictionary, but got {kind}."]}


_UNREADABLE: tuple[tuple[str, bytes, int, Any], ...] = (
    (_PLAIN, b"{}", 415, _unsupported(_PLAIN)),
    (_JSON, b"{", 400, {"detail": re.compile(r"JSON parse error - .*")}),
    ("Application/XML; charset=utf-8", b"<a/>", 415, _unsupported("Application/XML; charset=utf-8")),
    (_JSON, b"[]", 400, _no_object("list")),
    (_JSON, b'"{}"', 400, _no_object("str")),
    (_JSON, b"1", 400, _no_object("int")),
    (_JSON, b'{"bot_name": "x",}', 400, {"detail": re.compile(r"JSON parse error - .*")}),
)
"""Type, body, and how it is refused."""

CHECKS = (keys_to_read, keys_to_change, not_acceptable, unreadable_bodies)
