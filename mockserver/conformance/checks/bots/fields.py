"""Checks of a bot's fields: values of every JSON type, characters that nothing can store, several problems at once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from mockserver.conformance.checks import Steps, check
from mockserver.conformance.checks.bots.bench import NO_BOT, BotBench, bot_case
from mockserver.conformance.checks.bots.lists import creation
from mockserver.conformance.checks.cases import Holding
from mockserver.conformance.expectations import status
from mockserver.conformance.guard import BOTS

_MISSING, _NULL, _BLANK = "This field is required.", "This field may not be null.", "This field may not be blank."
_NO_TEXT, _NUL, _NO_LINK = "Not a valid string.", "Null characters are not allowed.", "Invalid meeting URL"
_SURROGATE = "Surrogate characters are not allowed: U+D800."
_TIME = "Datetime has wrong format. Use one of these formats instead: YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]."
_NO_OBJECT, _EMPTY = "Metadata must be an object not an array or other type", "Metadata must have at least one key"
_TOO_LONG = "Metadata must be less than 1000 characters"
_EMOJI = "Bot name cannot contain emojis or rare script characters."
_DICTIONARY = "Invalid data. Expected a dictionary, but got {}."
SETTINGS = (
    "callback_settings",
    "external_media_storage_settings",
    "voice_agent_settings",
    "transcription_settings",
    "websocket_settings",
    "rtmp_settings",
    "recording_settings",
    "google_meet_settings",
    "teams_settings",
    "zoom_settings",
    "debug_settings",
    "automatic_leave_settings",
    "kubernetes_settings",
)
_OF_CHANGES = ("recording_settings",)
_NESTED = ("bot_image", "bot_chat_message")
_RULES = ("bot-field-refused", "bot-field-characters", "bot-join-time")
_NO_OBJECTS: tuple[tuple[Any, str], ...] = (
    (1, "1"),
    (True, "True"),
    ("x", "'x'"),
    ([1, "a"], "[1, 'a']"),
    (0.5, "0.5"),
    ("", "''"),
    (0, "0"),
    ([], "[]"),
)
_KINDS: tuple[tuple[Any, str], ...] = ((1.5, "float"), (False, "bool"), ("x", "str"), ([{}], "list"), (0, "int"))

_TEXTS: tuple[tuple[str, Any, Any], ...] = (
    ("bot_name", None, [_NULL]),
    ("bot_name", " ", [_BLANK]),
    ("bot_name", [], [_NO_TEXT]),
    ("bot_name", True, [_NO_TEXT]),
    ("bot_name", "\U0001f600", [_EMOJI]),
    ("meeting_url", None, [_NULL]),
    ("meeting_url", "", [_BLANK]),
    ("meeting_url", "https://example.com/x", [_NO_LINK]),
    ("meeting_url", 5, [_NO_LINK]),
    ("metadata", None, [_NULL]),
    ("metadata", {}, [_EMPTY]),
    ("metadata", [], [_NO_OBJECT]),
    ("metadata", "x", [_NO_OBJECT]),
    ("metadata", {"a": 1}, ["Value for key 'a' must be a string"]),
    ("metadata", {"a": "x" * 1000}, [_TOO_LONG]),
    ("metadata", {"a": "x", "b": None}, ["Value for key 'b' must be a string"]),
    ("metadata", {"a": {"b": "c"}}, ["Value for key 'a' must be a string"]),
    ("metadata", {"\u00e9": ["x"]}, ["Value for key '\u00e9' must be a string"]),
    ("metadata", {"a": False}, ["Value for key 'a' must be a string"]),
    ("metadata", True, [_NO_OBJECT]),
    ("bot_name", "", [_BLANK]),
    ("bot_name", "\u3000\t", [_BLANK]),
    ("bot_name", {"a": "b"}, [_NO_TEXT]),
    ("bot_name", "Notes \U00010000", [_EMOJI]),
    ("meeting_url", "\u00a0", [_BLANK]),
    ("meeting_url", "https://meet.google.com/", [_NO_LINK]),
    ("meeting_url", "https://meet.google.com.example.com/abc-defg-hij", [_NO_LINK]),
    ("meeting_url", "https://example.com/?u=https://meet.google.com/abc-defg-hij", [_NO_LINK]),
    ("bot_image", None, [_NULL]),
)
"""Of POST and PATCH alike."""
_OF_NEW: tuple[tuple[str, Any, Any], ...] = (
    ("deduplication_key", None, [_NULL]),
    ("deduplication_key", " ", [_BLANK]),
    ("deduplication_key", {}, [_NO_TEXT]),
    ("calendar_event_id", None, [_NULL]),
    ("calendar_event_id", [], [_NO_TEXT]),
    ("webhooks", None, [_NULL]),
    ("webhooks", {}, ["{} is not of type 'array'"]),
    ("webhooks", "x", ["'x' is not of type 'array'"]),
    ("bot_chat_message", {}, {"message": [_MISSING]}),
    ("bot_chat_message", {"message": None}, {"message": [_NULL]}),
    ("bot_chat_message", {"message": " "}, {"message": [_BLANK]}),
    ("bot_chat_message", {"message": {}}, {"message": [_NO_TEXT]}),
    ("bot_chat_message", {"message": "\u3000\n", "to": "everyone"}, {"message": [_BLANK]}),
    ("bot_chat_message", {"to": "everyone"}, {"message": [_MISSING]}),
    ("bot_chat_message", None, [_NULL]),
    ("deduplication_key", "", [_BLANK]),
    ("deduplication_key", "\u00a0\t\n", [_BLANK]),
    ("deduplication_key", False, [_NO_TEXT]),
    ("deduplication_key", ["a"], [_NO_TEXT]),
    ("calendar_event_id", "", [_BLANK]),
    ("calendar_event_id", False, [_NO_TEXT]),
    ("webhooks", 0, ["0 is not of type 'array'"]),
    ("webhooks", {"url": "x"}, ["{'url': 'x'} is not of type 'array'"]),
    ("rtmp_settings", {"stream_key": "x"}, ["'destination_url' is a required property"]),
    ("rtmp_settings", {}, ["'destination_url' is a required property"]),
    ("rtmp_settings", {"destination_url": "x"}, ["'stream_key' is a required property"]),
)
_IMAGES: tuple[tuple[Any, Any], ...] = (
    ({"type": "image/png"}, {"data": [_MISSING]}),
    ({"data": "x", "type": None}, {"type": [_NULL]}),
    ({"type": "image/gif", "data": []}, {"type": ['"image/gif" is not a valid choice.'], "data": [_NO_TEXT]}),
    ({"x": 1}, {"type": [_MISSING], "data": [_MISSING]}),
    ({"type": "image/jpeg", "data": "x"}, {"type": ['"image/jpeg" is not a valid choice.']}),
    ({"type": "image/PNG", "data": ""}, {"type": ['"image/PNG" is not a valid choice.'], "data": [_BLANK]}),
    ({"type": "image/png", "data": None}, {"data": [_NULL]}),
    ({"type": "", "data": "\u3000"}, {"type": ['"" is not a valid choice.'], "data": [_BLANK]}),
)


@check("bot-field-refused", context=BotBench, cost=4, needs=("write",), after=(creation,), apart=True)
def refused(bench: BotBench) -> Steps:
    """Fields of every JSON type that they cannot have."""
    for missing in () if bench.live else ("bot_name", "meeting_url"):
        asked = bot_case("bot-field-refused", "createBot", missing, "POST", BOTS, 400, {missing: [_MISSING]})
        bench.took(bench.ask(asked._replace(json=bench.bot_fields(missing))))
    for method in ("POST", "PATCH"):
        yield
        for field, value, problem in _wrong(method):
            # On somebody's deployment, no body is sent that could make a bot for one of its events.
            if not (bench.live and field == "calendar_event_id"):
                _refuse(bench, method, field, value, problem)
                yield


def _wrong(method: str) -> Iterator[tuple[str, Any, Any]]:
    """Field, value and what is said of it."""
    yield from _TEXTS
    if method == "POST":
        yield from _OF_NEW
    for field in ("bot_image", "bot_chat_message") if method == "POST" else ("bot_image",):
        for value, kind in _KINDS:
            yield field, value, {"non_field_errors": [_DICTIONARY.format(kind)]}
    for value, problem in _IMAGES:
        yield "bot_image", value, problem
    for field in SETTINGS if method == "POST" else _OF_CHANGES:
        yield field, None, [_NULL]
        for value, shown in _NO_OBJECTS:
            yield field, value, [f"{shown} is not of type 'object'"]


def _refuse(
    bench: BotBench, method: str, field: str, value: Any, problem: Any, rule: str = "bot-field-refused"
) -> None:
    operation = "createBot" if method == "POST" else "updateBot"
    if bench.bot == NO_BOT or any(bench.is_broken(*_RULES, field=name) for name in _alike(field)):
        return
    asked = bot_case(rule, operation, field, method, BOTS if method == "POST" else bench.bot, 400, {field: problem})
    sent = bench.bot_fields(**{field: value}) if method == "POST" else {field: value}
    if field == "calendar_event_id":
        sent = {**bench.bot_fields(), field: value}
    bench.took(bench.ask(asked._replace(json=sent)))


def _alike(field: str) -> Sequence[str]:
    """Fields that are checked in the same way: what is wrong with one of them is wrong with all."""
    return next((group for group in (SETTINGS, _NESTED) if field in group), (field,))


@check("bot-join-time", context=BotBench, cost=3, needs=("write",), after=(creation,), apart=True)
def join_times(bench: BotBench) -> Steps:
    """Times that are none, are over, or are too far ahead."""
    if bench.live or bench.bot == NO_BOT:
        return
    past, far = ["join_at cannot be in the past"], ["join_at cannot be more than 3 years in the future"]
    times: tuple[tuple[Any, list[str]], ...] = (
        ("2020-01-01T00:00:00Z", past),
        (bench.at(days=3 * 366), far),
        ("9999-12-31T00:00:00Z", far),
        (None, [_NULL]),
        ("", [_TIME]),
        ("tomorrow", [_TIME]),
        (1830000000, [_TIME]),
        (True, [_TIME]),
        ([], [_TIME]),
        ("\0", [_TIME]),
    )
    for method in ("POST", "PATCH"):
        for value, problem in times:
            _refuse(bench, method, "join_at", value, problem, "bot-join-time")
            yield


@check("bot-field-accepted", context=BotBench, cost=4, needs=("write",), after=(creation,), apart=True)
def accepted(bench: BotBench) -> Steps:
    """Values that are accepted, and as what they show."""
    link, key = bench.link(), bench.target.tag()
    bare = link.removeprefix("https://")
    mark = bench.bot_fields()["metadata"]
    whole: dict[str, Any] = {"a": {"b": [1, None, True, 1.5, "x", {"c": {}}]}}
    cases: tuple[tuple[str, dict[str, Any], dict[str, Any]], ...] = (
        ("meeting_url", {"meeting_url": f" {link}?authuser=1 "}, {"meeting_url": link}),
        ("meeting_url", {"meeting_url": bare}, {"meeting_url": link}),
        ("deduplication_key", {"deduplication_key": f" {key} "}, {"deduplication_key": key}),
        ("bot_name", {"bot_name": "n" * 255}, {}),
        ("bot_name", {"bot_name": "\u540d \u00e9 \uffee"}, {}),
        ("join_at", {"join_at": bench.at().replace("Z", "+02:00")}, {"join_at": bench.at(seconds=-7200)}),
        ("join_at", {"join_at": bench.at().replace("Z", ".5Z")}, {"join_at": bench.at().replace("Z", ".500000Z")}),
        (
            "metadata",
            {"metadata": {**mark, "": "", "\u00e9": "\u0001"}},
            {"metadata": {"": "", "\u00e9": "\u0001", **mark}},
        ),
        ("webhooks", {"webhooks": []}, {}),
        ("bot_image", {"bot_image": {"type": "image/png", "data": "iVBORw0KGgo=", "more": 1}}, {}),
        ("bot_chat_message", {"bot_chat_message": {"message": "hi", "to": "everyone"}}, {}),
        ("rtmp_settings", {"rtmp_settings": {"destination_url": "rtmp://x.invalid", "stream_key": "k"}}, {}),
        *((name, {name: whole}, {}) for name in ("transcription_settings", "zoom_settings", "debug_settings")),
    )
    for field, given, shown in cases:
        if bench.is_broken("bot-create-accepted"):
            return
        asked = bot_case("bot-field-accepted", "createBot", field, "POST", BOTS, 201, Holding(shown))
        bench.took(bench.ask(asked._replace(json=bench.bot_fields(**given))))
        yield


@check("bot-field-characters", context=BotBench, cost=5, needs=("write",), after=(creation, refused), apart=True)
def characters(bench: BotBench) -> Steps:
    """NULs and lone surrogates in every text, also within fields."""
    for method in ("POST", "PATCH"):
        for text, problem in (("a\0b", _NUL), ("a\ud800b", _SURROGATE)):
            for field, value, told in _odd_texts(method, text, problem):
                _refuse(bench, method, field, value, told, "bot-field-characters")
            yield
            for given, statuses in _unheld(method, text):
                _survive(bench, method, given, statuses)
            yield


def _odd_texts(method: str, text: str, problem: str) -> Iterator[tuple[str, Any, Any]]:
    """Where a text is refused by its field."""
    yield "bot_name", text, [problem]
    yield "meeting_url", text, [problem]
    yield "bot_image", {"type": "image/png", "data": text}, {"data": [problem]}
    if method == "POST":
        yield "deduplication_key", text, [problem]
        yield "bot_chat_message", {"message": text}, {"message": [problem]}


def _unheld(method: str, text: str) -> Iterator[tuple[dict[str, Any], tuple[int, ...]]]:
    """Where a text is only known not to break anything, with the statuses that it may have."""
    yield {"metadata": {"a": text}}, (400,)
    yield {"metadata": {text: "a"}}, (400,)
    for name in SETTINGS[-3:] if method == "POST" else _OF_CHANGES:
        yield {name: {"a": {text: [text]}}}, (200, 201, 400)
    if method == "POST":
        yield {"webhooks": [text]}, (201, 400)


def _survive(bench: BotBench, method: str, given: dict[str, Any], statuses: tuple[int, ...]) -> None:
    """Sends a text that nothing can store: how it is refused is the service's own business, that it answers is not."""
    field = next(iter(given))
    operation = "createBot" if method == "POST" else "updateBot"
    if bench.bot == NO_BOT:
        return
    sent = bench.bot_fields(**given) if method == "POST" else given
    exchange = bench.target.send(method, BOTS if method == "POST" else bench.bot, json=sent)
    bench.took(exchange)
    if not bench.is_told(exchange, right_status=exchange.status in statuses):
        bench.check("bot-field-characters", status(*statuses, 429), operation, [exchange], field=field)


@check("bot-field-order", context=BotBench, cost=2, needs=("write",), after=(creation,), apart=True)
def order(bench: BotBench) -> Steps:
    """Several problems at once."""
    first = bench.shown
    if first is None:
        return
    key = first.json["deduplication_key"]
    together = {"bot_name": [_BLANK], "deduplication_key": [_NULL]}
    given = {"bot_name": "", "deduplication_key": None, "foo": 1}
    asked = bot_case("bot-field-order", "createBot", "body", "POST", BOTS, 400, together)
    bench.took(bench.ask(asked._replace(json=bench.bot_fields(**given))))
    unknown = bench.bot_fields(deduplication_key=key, zeta=1, alpha=None)
    exchange = bench.target.send("POST", BOTS, json=unknown)
    bench.took(exchange)
    text = re.compile(r"Unexpected field\(s\): alpha, zeta\. Allowed fields are: .*")
    wanted = asked._replace(json=unknown, body={"non_field_errors": [text]}, field="unknown")
    bench.check_answer(wanted, exchange, [first])
    yield


CHECKS = (refused, join_times, accepted, characters, order)
