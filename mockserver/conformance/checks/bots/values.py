"""Checks of values: filters for what has a meaning in a query, fields at their limits and beyond, and large ones."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias
from urllib.parse import quote

from mockserver.conformance.calendar_bodies import MARK
from mockserver.conformance.checks import Steps
from mockserver.conformance.checks.bots.bench import NO_BOT, BotBench, bot_case, deeper, id_of, listed
from mockserver.conformance.checks.bots.fields import SETTINGS, accepted, join_times, refused
from mockserver.conformance.checks.bots.lists import creation, filters, shows
from mockserver.conformance.checks.cases import Holding
from mockserver.conformance.guard import BOTS

_PAIRS: tuple[tuple[str, str], ...] = (
    (" a+b", " a b"),
    ("%2B", "+"),
    ("_%", "xy"),
    ("\u00e9", "e\u0301"),
    ("\u540d,\U0001f600", "\u540d"),
    ("&states=ended", ""),
    ("\u00df", "SS"),
    ("'\\\"#;/?", "'"),
    ("k" * 980, "k" * 979),
)
"""Ends of keys that are not the same, though one could be taken for the other."""
_LONGEST_KEY, _LONGEST_NAME, _LONGEST_LINK, _LONGEST_METADATA = 1024, 255, 511, 1000
_TOO_LONG = {"metadata": ["Metadata must be less than 1000 characters"]}
_YEARS = 3
_Taken: TypeAlias = tuple[str, dict[str, Any], dict[str, Any]]
"""Field, what is sent, and what is shown."""
_SPACES = "\t\u00a0\u2028\u3000"


@deeper("bot-filter", cost=4, after=(creation, filters))
def filtered_values(bench: BotBench) -> Steps:
    """Keys that have to be written in other characters in a query, each beside one that is nearly the same."""
    for ends in _PAIRS:
        link, tag = bench.link(), bench.target.tag()
        made = [bench.create(meeting_url=link, deduplication_key=f"{tag}{end}") for end in ends]
        both = [one for one in made if one is not None]
        if len(both) < len(ends) or bench.is_broken("bot-filter", "bot-key-taken", "bot-create-accepted"):
            return
        for one, end in zip(both, ends, strict=True):
            page = bench.get(f"{listed(meeting_url=link)}&deduplication_key={quote(f'{tag}{end}', safe='')}")
            if not shows(bench, "bot-filter", "deduplication_key", both, page, [id_of(one)]):
                return
        yield
    if not bench.live:
        yield from _links_with_a_query(bench)


def _links_with_a_query(bench: BotBench) -> Steps:
    """Links whose normal form has a query, which has to be written in other characters within a query."""
    link = bench.link_with_a_query("abc")
    links = [link, f"{link[:-3]}ABC"]
    key = bench.target.tag()
    made = [
        bench.create(meeting_url=link, deduplication_key=f"{key}{part}") for part, link in enumerate(links, start=1)
    ]
    both = [one for one in made if one is not None]
    for one, link in zip(both, links, strict=False):
        page = bench.bots(meeting_url=link, deduplication_key=str(one.json["deduplication_key"]))
        shows(bench, "bot-filter", "meeting_url", both, page, [id_of(one)])
    yield


@deeper("bot-filter", cost=3, after=(creation, filters))
def filtered_fractions(bench: BotBench) -> Steps:
    """A bot that joins at a fraction of a second, asked for by times next to it."""
    for query, name, found in (
        ("join_at_after", ".499999Z", True),
        ("join_at_after", ".500000Z", False),
        ("join_at_before", ".500001Z", True),
        ("join_at_before", ".5Z", False),
        ("join_at_after", "Z", True),
        ("join_at_after", ".499999+00:00", True),
        ("join_at_before", ".500001-00:00", True),
        ("join_at_before", ".499999Z", False),
    ):
        link = bench.link()
        made = bench.create(meeting_url=link, join_at=bench.at().replace("Z", ".5Z"))
        if made is None or bench.is_broken("bot-create-accepted", "bot-field-accepted"):
            return
        page = bench.bots(meeting_url=link, **{query: bench.at().replace("Z", name)})
        shows(bench, "bot-filter", query, [made], page, [id_of(made)] if found else [])
        yield


@deeper("bot-field-accepted", cost=1, after=(creation, accepted))
def more_accepted(bench: BotBench) -> Steps:
    """Values at their limits, large ones, and those of other scripts, for a new bot and for one that is there."""
    for method in ("POST", "PATCH"):
        for field, given, shown in _accepted(bench, new=method == "POST"):
            if bench.is_broken("bot-create-accepted", "bot-changed") or bench.is_broken(
                "bot-field-accepted", field=field
            ):
                continue
            _take(bench, method, field, given, shown)
            yield


def _take(bench: BotBench, method: str, field: str, given: dict[str, Any], shown: dict[str, Any]) -> None:
    if method == "POST":
        asked = bot_case("bot-field-accepted", "createBot", field, method, BOTS, 201, Holding(shown))
        bench.took(bench.ask(asked._replace(json=bench.bot_fields(**given))))
        return
    made = bench.create()
    if made is not None:
        path = f"{BOTS}/{id_of(made)}"
        asked = bot_case("bot-field-accepted", "updateBot", field, method, path, 200, Holding(shown))
        bench.ask(asked._replace(json=given), [made])


def _accepted(bench: BotBench, *, new: bool) -> Iterator[_Taken]:
    """What is taken of a new bot, or of a change."""
    yield from _accepted_metadata(bench)
    yield from _accepted_times(bench)
    yield from _accepted_texts(bench)
    if new:
        yield from _accepted_of_new(bench)
    for name in SETTINGS if new else ("recording_settings",):
        value = _large_value()
        if name == "rtmp_settings":
            value |= {"destination_url": "", "stream_key": "\U0001f600"}
        if name != "external_media_storage_settings":
            yield name, {name: value}, {}


def _accepted_metadata(bench: BotBench) -> Iterator[_Taken]:
    mark = {MARK: bench.target.tag()}
    odd = {"\U0001f600": "\u2028", "null": "null", "a" * 300: "", "1": "0", **mark}
    whole = (_filled(mark, letter, _LONGEST_METADATA) for letter in ("v", "\u00e9", "\U0001f600"))
    for metadata in (*whole, odd):
        yield "metadata", {"metadata": metadata}, {"metadata": metadata}


def _accepted_times(bench: BotBench) -> Iterator[_Taken]:
    at = bench.at()
    for zone, seconds in (("+05:45", -20_700), ("-09:30", 34_200), ("+00:00", 0), ("-00:00", 0), ("+14:00", -50_400)):
        yield "join_at", {"join_at": at.replace("Z", zone)}, {"join_at": bench.at(seconds=seconds)}
    for written, kept in (
        (".000001Z", ".000001Z"),
        (".1Z", ".100000Z"),
        (".000000Z", "Z"),
        (".123456789Z", ".123456Z"),
    ):
        yield "join_at", {"join_at": at.replace("Z", written)}, {"join_at": at.replace("Z", kept)}
    # Where it could still be there at such a time, none is made for one that is near.
    for moment in () if bench.live else (_moment() + timedelta(hours=1), _in_years(-timedelta(hours=1))):
        text = f"{moment:%Y-%m-%dT%H:%M:%SZ}"
        yield "join_at", {"join_at": text}, {"join_at": text}


def _accepted_texts(bench: BotBench) -> Iterator[_Taken]:
    link = bench.link()
    long = f"{link}?authuser=".ljust(_LONGEST_LINK, "1")
    for written in (f"{_SPACES}{link}\n", long, f"{link}/", f"{link}#top", link.replace("https://", "http://")):
        yield "meeting_url", {"meeting_url": written}, {"meeting_url": link}
    for name in ("\u540d" * _LONGEST_NAME, f"{_SPACES}{'n' * _LONGEST_NAME} ", "\uffff\u0001<b>&"):
        yield "bot_name", {"bot_name": name}, {}
    image = {"type": "image/png", "data": "iVBORw0KGgo=" * 2000}
    yield "bot_image", {"bot_image": image}, {}


def _accepted_of_new(bench: BotBench) -> Iterator[_Taken]:
    tag = bench.target.tag()
    for key in (
        f"{tag}1".ljust(_LONGEST_KEY, "k"),
        f"{tag}2".ljust(_LONGEST_KEY, "\u540d"),
        f"{tag}3\U0001f600",
        f"{tag}  4",
        f"{tag}5\u200b",
    ):
        yield "deduplication_key", {"deduplication_key": f"{_SPACES}{key}{_SPACES}"}, {"deduplication_key": key}
    yield "webhooks", {"webhooks": [{"url": "https://x.invalid", "triggers": ["bot.state_change"]}, None, "x", []]}, {}
    for message in ("\U0001f600", "m" * 4000):
        yield "bot_chat_message", {"bot_chat_message": {"message": message, "to": None}}, {}


def _large_value() -> dict[str, Any]:
    """An object that is nested deeply, with numbers beyond 64 bits and a long text."""
    deep: dict[str, Any] = {}
    for _ in range(60):
        deep = {"a": [deep]}
    return {"deep": deep, "large": [2**63, -(2**64) - 1, 2**70, 1e300, 0.1], "\U0001f600": "\u00e9" * 5000}


def _filled(metadata: dict[str, str], letter: str, length: int) -> dict[str, str]:
    """Metadata of this length as JSON text in ASCII, as much of it as can be of one letter."""
    size = len(json.dumps(letter)) - 2
    rest = length - len(json.dumps({**metadata, "v": ""}))
    return {**metadata, "v": letter * (rest // size) + "x" * (rest % size)}


def _moment() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def _in_years(more: timedelta) -> datetime:
    """A time three years ahead, and as much more; a day is left out where the year has no such day."""
    now = _moment()
    day = now if (now.month, now.day) != (2, 29) else now.replace(day=28)
    return day.replace(year=day.year + _YEARS) + more


@deeper(
    "bot-field-refused",
    "bot-join-time",
    cost=2,
    after=(creation, refused, join_times),
)
def beyond_limits(bench: BotBench) -> Steps:
    """Values that are just beyond a limit, for a new bot and for one that is there."""
    for method, operation in (("POST", "createBot"), ("PATCH", "updateBot")):
        for rule, field, value, body in _beyond(bench, new=method == "POST"):
            path = BOTS if method == "POST" else bench.bot
            if path == NO_BOT or bench.is_broken("bot-create-accepted"):
                return
            if bench.is_broken(rule, field=field) or (bench.live and field == "join_at"):
                continue
            sent = bench.bot_fields(**{field: value}) if method == "POST" else {field: value}
            asked = bot_case(rule, operation, field, method, path, 400, body)
            bench.took(bench.ask(asked._replace(json=sent)))
            yield


def _beyond(bench: BotBench, *, new: bool) -> Iterator[tuple[str, str, Any, Any]]:
    """Rule, field, value and refusal; what is too long for its column is refused without its field's name."""
    past, far = ["join_at cannot be in the past"], ["join_at cannot be more than 3 years in the future"]
    hour = timedelta(hours=1)
    for moment, problem in ((_in_years(hour), far), (_moment() - hour, past)):
        for text in (f"{moment:%Y-%m-%dT%H:%M:%SZ}", f"{moment - 9 * hour:%Y-%m-%dT%H:%M:%S}.5-09:00"):
            yield "bot-join-time", "join_at", text, {"join_at": problem}
    for letter in ("v", "\u00e9", "\U0001f600"):
        beyond = _filled({MARK: bench.target.tag()}, letter, _LONGEST_METADATA + 1)
        yield "bot-field-refused", "metadata", beyond, _TOO_LONG
    yield "bot-field-refused", "bot_name", "n" * (_LONGEST_NAME + 1), None
    yield "bot-field-refused", "bot_name", "\u540d" * (_LONGEST_NAME + 1), None
    if new:
        for letter in ("k", "\u540d"):
            long = bench.target.tag().ljust(_LONGEST_KEY + 1, letter)
            yield "bot-field-refused", "deduplication_key", long, None


CHECKS = (filtered_values, filtered_fractions, more_accepted, beyond_limits)
