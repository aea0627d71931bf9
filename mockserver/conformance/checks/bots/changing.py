"""Checks of changes to bots: what each of them changes and keeps, what is ignored in one, and what is refused."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from mockserver.conformance.calendar_bodies import MARK
from mockserver.conformance.checks import Steps, check
from mockserver.conformance.checks.bots.bench import BotBench, bot_case, deeper, id_of, these_rows
from mockserver.conformance.checks.bots.lists import creation, shows, stored
from mockserver.conformance.checks.bots.operations import changes, ignored_changes, refused_changes
from mockserver.conformance.checks.cases import header
from mockserver.conformance.exchange import Exchange
from mockserver.conformance.expectations import body as like
from mockserver.conformance.expectations import count, every, has, same_document, status
from mockserver.conformance.guard import BOTS, path_of

_JSON = header("Content-Type", "application/json")
_KNOWN = ("bot-create-accepted", "bot-changed", "bot-stored")
_SETTINGS_OF_NEW = ("webhooks", "zoom_settings", "rtmp_settings", "callback_settings", "kubernetes_settings")


class _Change(NamedTuple):
    """A change, and what it shows instead of what was there; None for `sent`: no body."""

    name: str
    sent: dict[str, Any] | None
    shown: dict[str, Any]


def _changes(bench: BotBench) -> list[_Change]:
    link, other, mark = bench.link(), bench.link(), {MARK: bench.target.tag()}
    at, later = bench.at(days=5), bench.at(days=-5)
    scripts = {**mark, "\u00e9": "\U0001f600", "a": "2"}
    image = {"type": "image/png", "data": "iVBORw0KGgo="}
    return [
        _Change("join_at", {"join_at": at}, {"join_at": at}),
        _Change("meeting_url", {"meeting_url": link}, {"meeting_url": link}),
        _Change("metadata", {"metadata": mark}, {"metadata": mark}),
        _Change("bot_name", {"bot_name": "\u540d"}, {}),
        _Change("bot_image", {"bot_image": image}, {}),
        _Change("recording_settings", {"recording_settings": {}}, {}),
        _Change("join_at", {"join_at": later, "meeting_url": other}, {"join_at": later, "meeting_url": other}),
        _Change("metadata", {"metadata": scripts, "join_at": at}, {"metadata": scripts, "join_at": at}),
        _Change(
            "meeting_url",
            {"bot_name": "x", "meeting_url": f" {link}?authuser=1", "metadata": scripts},
            {"meeting_url": link, "metadata": scripts},
        ),
        _Change("body", None, {}),
        _Change("body", {}, {}),
    ]


@deeper("bot-changed", "bot-stored", cost=6, after=(creation, changes))
def each_change(bench: BotBench) -> Steps:
    """Each field alone and with others, of a bot with everything that shows and of one with as little as may be."""
    for full in (True, False):
        for number in range(len(_changes(bench))):
            if bench.is_broken(*_KNOWN):
                return
            _change(bench, _changes(bench)[number], full=full)
            yield


def _change(bench: BotBench, change: _Change, *, full: bool) -> None:
    key = bench.target.tag()
    given = {"metadata": {MARK: key, "a": "1", "b": "\u00e9"}} if full else {}
    sent = bench.bot_fields(*(() if full else ("metadata",)), deduplication_key=key, **given)
    made = bench.target.send("POST", BOTS, json=sent)
    if not bench.took(made):
        return
    path = path_of(id_of(made))
    before, listed = bench.get(path), bench.bots(deduplication_key=key)
    changed = _patch(bench, path, change.sent)
    if bench.is_told(changed, right_status=changed.status == 200):
        return
    whole = [status(200), same_document(made, changed, but=list(change.shown))]
    whole += [like(has(change.shown))] if change.shown else []
    if bench.check("bot-changed", every(*whole), "updateBot", [made, before, listed, changed], field=change.name):
        again = bench.get(path), bench.bots(deduplication_key=key)
        stored(bench, made, changed, *again, field=change.name)


def _patch(bench: BotBench, path: str, sent: Any) -> Exchange:
    return bench.target.send("PATCH", path) if sent is None else bench.target.send("PATCH", path, json=sent)


@deeper("bot-filter", cost=4, after=(creation, changes))
def filters_after_changes(bench: BotBench) -> Steps:
    """A bot is found by what it has now, and not by what it had before."""
    for number in range(8):
        old, link, key = bench.link(), bench.link(), bench.target.tag()
        made = bench.create(meeting_url=old, deduplication_key=key)
        if made is None or bench.is_broken(*_KNOWN, "bot-filter"):
            return
        change = {"meeting_url": link, "join_at": bench.at(days=5)}
        changed = bench.target.send("PATCH", path_of(id_of(made)), json=change)
        queries: tuple[tuple[dict[str, str], bool], ...] = (
            ({"meeting_url": old}, False),
            ({"meeting_url": link}, True),
            ({"deduplication_key": key, "join_at_after": bench.at(days=4)}, True),
            ({"deduplication_key": key, "join_at_before": bench.at(days=4)}, False),
            ({"deduplication_key": key, "meeting_url": link, "states": "scheduled"}, True),
            ({"deduplication_key": key, "meeting_url": old}, False),
            ({"meeting_url": link, "join_at_before": bench.at(days=6), "join_at_after": bench.at()}, True),
            ({"meeting_url": link, "join_at_before": bench.at(days=5)}, False),
        )
        query, found = queries[number]
        if changed.status == 200:
            page = bench.bots(**query)
            ids = [id_of(made)] if found else []
            shows(bench, "bot-filter", list(query)[-1], [made, changed], page, ids)
        yield


@deeper("bot-changed", "bots-oldest-first", cost=6, after=(creation, changes))
def changed_again(bench: BotBench) -> Steps:
    """A change that is made twice, one back to what was, and two bots of which the older one is changed."""
    link, moved = bench.link(), bench.link()
    made = bench.create(meeting_url=link)
    if made is None or bench.is_broken(*_KNOWN):
        return
    path, steps = path_of(id_of(made)), [made]
    for shown in (moved, moved, link):
        answer = bench.target.send("PATCH", path, json={"meeting_url": shown})
        whole = every(status(200), same_document(made, answer, but=["meeting_url"]), like(has({"meeting_url": shown})))
        steps.append(answer)
        if not bench.check("bot-changed", whole, "updateBot", steps, field="meeting_url"):
            return
    yield
    link = bench.link()
    pair = [one for one in (bench.create(meeting_url=link) for _ in range(2)) if one is not None]
    if len(pair) < 2 or bench.is_broken(*_KNOWN, "bots-oldest-first", "bot-filter"):
        return
    metadata = {MARK: bench.target.tag(), "z": ""}
    changed = bench.target.send("PATCH", path_of(id_of(pair[0])), json={"metadata": metadata})
    page = bench.bots(meeting_url=link)
    if changed.status == 200:
        ids = [id_of(one) for one in pair]
        bench.check("bots-oldest-first", these_rows(ids), "listBots", [*pair, changed, page], field="changed")


@deeper("bot-unknown-ignored", cost=2, after=(creation, changes, ignored_changes))
def each_ignored(bench: BotBench) -> Steps:
    """Each field that a change does not have, with a value that none may have or that would change something."""
    ignored: list[dict[str, Any]] = [
        *({name: None} for name in _SETTINGS_OF_NEW),
        {"deduplication_key": None},
        {"deduplication_key": bench.target.tag()},
        {"bot_chat_message": {}},
        {"calendar_event_id": None},
        {"id": "bot_0000000000000000"},
        {"events": [1], "transcription_state": "complete", "recording_state": "complete"},
        {"state": "ended"},
        {"": "", "\u00e9": {}, "created_at": "x"},
    ]
    for given in ignored:
        made = bench.create(deduplication_key=bench.target.tag())
        if made is None or bench.is_broken(*_KNOWN, "bot-unknown-ignored"):
            return
        at = bench.at(days=2)
        answer = bench.target.send("PATCH", path_of(id_of(made)), json={**given, "join_at": at})
        if not bench.is_told(answer, right_status=answer.status == 200):
            same = every(status(200), same_document(made, answer, but=["join_at"]), like(has({"join_at": at})))
            field = next(iter(given))
            if bench.check("bot-unknown-ignored", same, "updateBot", [made, answer], field=field):
                stored(bench, made, answer, bench.get(path_of(id_of(made))), field=field)
        yield


@deeper(
    "bot-refusal-changes-nothing",
    cost=4,
    after=(creation, changes, refused_changes),
)
def nothing_of_refused(bench: BotBench) -> Steps:
    """Changes of which only the last part is wrong, each of a bot of its own."""
    wrong_parts: tuple[dict[str, Any] | None, ...] = (
        {"recording_settings": []},
        {"bot_image": {"type": "image/gif", "data": "x"}},
        {"bot_name": "n" * 256},
        {"metadata": {"a": "x" * 1000}},
        {"metadata": {"a": 1}},
        {"meeting_url": "https://example.com/x"},
        {"join_at": "soon"},
        None,
    )
    for wrong in wrong_parts:
        made = bench.create()
        if made is None or bench.is_broken(*_KNOWN, "bot-refusal-changes-nothing"):
            return
        if wrong is not None or not bench.live:
            _refuse(bench, made, wrong)
        yield


def _refuse(bench: BotBench, made: Exchange, wrong: dict[str, Any] | None) -> None:
    """Sends a change with a wrong part behind the right ones, or one that breaks off."""
    path, link = path_of(id_of(made)), bench.link()
    right = {"join_at": bench.at(days=9), "meeting_url": link, "metadata": {MARK: "x"}, "bot_name": "x"}
    text = json.dumps({**right, **(wrong or {})})
    if wrong is None or "join_at" not in wrong or not bench.live:
        refused = bench.target.send("PATCH", path, body=text[: None if wrong else -1].encode(), headers=_JSON)
        after, page = bench.get(path), bench.bots(meeting_url=link)
        if refused.status == 400 and not bench.is_told(after, right_status=True):
            field = next(iter(wrong or {"body": ""}))
            same = every(status(200), same_document(made, after))
            steps = [made, refused, after]
            if bench.check("bot-refusal-changes-nothing", same, "updateBot", steps, field=field):
                steps = [made, refused, page]
                bench.check("bot-refusal-changes-nothing", count(0), "updateBot", steps, field=field)


@check("bot-refusal-makes-nothing", context=BotBench, cost=4, needs=("write",), after=(creation,), apart=True)
def nothing_made(bench: BotBench) -> Steps:
    """A refused bot is not listed, and its key is free."""
    for number in range(6):
        key, link = bench.target.tag(), bench.link()
        wrong: tuple[dict[str, Any], ...] = (
            {"zeta": 1},
            {"zoom_settings": []},
            {"bot_name": "n" * 256},
            {"metadata": {MARK: key, "a": None}},
            {"bot_image": {"type": "image/png"}},
            {"join_at": "soon"} if not bench.live else {"webhooks": 1},
        )
        sent = {"meeting_url": link, "deduplication_key": key}
        refused = bench.target.send("POST", BOTS, json=bench.bot_fields(**sent, **wrong[number]))
        if bench.took(refused) or bench.is_broken("bot-create-accepted", "bot-refusal-makes-nothing"):
            return
        pages = bench.bots(meeting_url=link), bench.bots(deduplication_key=key)
        if refused.status == 400:
            field = next(iter(wrong[number]))
            for page in pages:
                if not bench.is_told(page, right_status=page.status == 200):
                    steps = [refused, page]
                    bench.check("bot-refusal-makes-nothing", count(0), "createBot", steps, field=field)
            free = bot_case("bot-refusal-makes-nothing", "createBot", "deduplication_key", "POST", BOTS, 201)
            if not bench.is_broken("bot-refusal-makes-nothing"):
                bench.took(bench.ask(free._replace(json=bench.bot_fields(**sent)), [refused]))
        yield


CHECKS = (
    each_change,
    filters_after_changes,
    changed_again,
    each_ignored,
    nothing_of_refused,
    nothing_made,
)
