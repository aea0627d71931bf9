"""Checks of what an API key can do to bots: schedule, read, change and delete them, alone and for events."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any
from urllib.parse import quote, urlencode

from mockserver.conformance.checks import Steps, check
from mockserver.conformance.checks.bots.bench import NO_BOT, NOT_FOUND, BotBench, bot_case, id_of
from mockserver.conformance.checks.bots.lists import creation, filters, made_of
from mockserver.conformance.checks.cases import MISSING_KEY, Holding, header
from mockserver.conformance.exchange import Exchange
from mockserver.conformance.expectations import body as like
from mockserver.conformance.expectations import count, every, has, no_row, same_document, same_headers, status
from mockserver.conformance.guard import BOTS, EVENTS, path_of
from mockserver.conformance.list_pages import rows_in
from mockserver.conformance.run import Forbidden

_FORM = header("Content-Type", "application/x-www-form-urlencoded")
_LISTS, _ONE = "GET, POST, HEAD, OPTIONS", "GET, PATCH, DELETE, HEAD, OPTIONS"
IN_USE = {
    "error": "Deduplication key already in use. A bot in a non-terminal state with this deduplication key already "
    "exists. Please use a different deduplication key or wait for that bot to terminate."
}
_DECIDED = (
    "{0} should not be provided when calendar_event_id is specified. The {1} will be taken from the calendar event."
)
_SHOWN = ("id", "metadata", "deduplication_key", "state", "join_at", "meeting_url")
"""Members of a bot that an event shows as well."""
_ODD_IDS = ("bot_0000000000000000", "nope", "0", "%25", "bot_" + "0" * 500, "null", "BOT_0000000000000000")


@check("bot-key-required", context=BotBench, cost=2)
def keys(bench: BotBench) -> Steps:
    """Every operation without a key."""
    places = (
        ("GET", BOTS, "listBots"),
        ("GET", NO_BOT, "getBot"),
        ("HEAD", BOTS, "listBots"),
        ("OPTIONS", BOTS, "listBots"),
    )
    changes = (("POST", BOTS, "createBot"), ("PATCH", NO_BOT, "updateBot"), ("DELETE", NO_BOT, "deleteBot"))
    for method, path, operation in (*places, *(changes if bench.target.writes and not bench.live else ())):
        bench.ask(
            bot_case("bot-key-required", operation, "Authorization", method, path, 401, MISSING_KEY)._replace(key=None)
        )
        yield


@check("bot-id-unknown", context=BotBench, cost=3)
def unknown_ids(bench: BotBench) -> Steps:
    """Ids that no bot has."""
    for name in _ODD_IDS:
        bench.ask(bot_case("bot-id-unknown", "getBot", "object_id", "GET", f"{BOTS}/{name}", 404, NOT_FOUND))
        yield
    if bench.target.writes and not bench.live:
        for method, operation in (("PATCH", "updateBot"), ("DELETE", "deleteBot")):
            bench.ask(bot_case("bot-id-unknown", operation, "object_id", method, NO_BOT, 404, NOT_FOUND))
        bench.ask(
            bot_case("bot-id-unknown", "updateBot", "object_id", "PATCH", NO_BOT, 404, NOT_FOUND)._replace(raw=b"{")
        )
    yield
    made = bench.shown if bench.target.writes else None
    own = id_of(made) if made is not None else ""
    for name in (own.swapcase(), f"{own}%20", own[4:], own[:-1]) if own else ():
        bench.ask(bot_case("bot-id-unknown", "getBot", "object_id", "GET", f"{BOTS}/{name}", 404, NOT_FOUND))
        yield


@check("bot-methods", context=BotBench, cost=4)
def methods(bench: BotBench) -> Steps:
    """HEAD, OPTIONS and methods that bots do not have."""
    for path, operation, title in ((BOTS, "listBots", "Bot List Create"), (NO_BOT, "getBot", "Bot Detail")):
        _head(bench, path, operation)
        described = bot_case("bot-methods", operation, "OPTIONS", "OPTIONS", path, 200, Holding(name=title))
        bench.ask(described)
        yield
    if not bench.live and bench.target.writes:
        yield from _undeclared(bench, NO_BOT)
    for query in ("?states=asleep", "?cursor=bad", "?meeting_url=none&states=scheduled&states=ended"):
        _head(bench, f"{BOTS}{query}", "listBots")
        yield
    if bench.target.writes and not bench.live:
        yield from _undeclared(bench, bench.bot)
        path = bench.bot
        bench.ask(bot_case("bot-methods", "getBot", "OPTIONS", "OPTIONS", path, 200, Holding(name="Bot Detail")))
        _head(bench, path, "getBot")
        yield
        for method in ("PUT", "PATCH", "DELETE"):
            # A deployment on this machine is sent no change to the whole list.
            with suppress(Forbidden):
                _not_allowed(bench, method, BOTS, "listBots")
            yield


def _head(bench: BotBench, path: str, operation: str) -> None:
    get, head = bench.get(path), bench.target.send("HEAD", path)
    if not bench.is_told(head, right_status=True):
        alike = same_headers(get, head, ["allow", "content-type", "vary"])
        bench.check("bot-methods", alike, operation, [*bench.origins(get), get, head], field="HEAD")


def _undeclared(bench: BotBench, path: str) -> Steps:
    """Methods that a bot does not have, whether or not there is one: the method is looked at before the id."""
    for method in ("PUT", "POST"):
        _not_allowed(bench, method, path, "getBot")
        yield


def _not_allowed(bench: BotBench, method: str, path: str, operation: str) -> None:
    refused = {"detail": f'Method "{method}" not allowed.'}
    bench.ask(bot_case("bot-methods", operation, method, method, path, 405, refused)._replace(json={}))


@check("bot-changed", context=BotBench, cost=3, needs=("write",), after=(creation,), apart=True)
def changes(bench: BotBench) -> Steps:
    """Changes of each field alone, and of none."""
    later = {"join_at": bench.at(days=3)}
    if bench.shown is not None:
        _changed(bench, bench.shown, bench.shown, later, later)
    yield
    made = before = bench.create()
    if made is None or before is None:
        return
    mark = made.json["metadata"] or {}
    for sent, shown in (
        ({"meeting_url": (link := bench.link())}, {"meeting_url": link}),
        ({"metadata": {"b": "2", **mark}}, {"metadata": {"b": "2", **mark}}),
        ({"metadata": {**mark, "a": ""}}, {"metadata": {**mark, "a": ""}}),
        ({"bot_name": "Minutes"}, {}),
        ({"recording_settings": {"format": "mp3"}}, {}),
        ({}, {}),
    ):
        before = _changed(bench, made, before, sent, shown)


@check("bot-unknown-ignored", context=BotBench, cost=2, needs=("write",), after=(changes,))
def ignored_changes(bench: BotBench) -> None:
    """A change of what a bot does not have, and of what cannot be changed."""
    if bench.is_broken("bot-changed", "bot-stored") or (made := bench.create()) is None:
        return
    ignored = {"foo": 1, "deduplication_key": "other", "state": "ended", "calendar_event_id": None}
    answer = bench.target.send("PATCH", path_of(id_of(made)), json=ignored)
    if not bench.is_told(answer, right_status=answer.status == 200):
        same = every(status(200), same_document(made, answer))
        bench.check("bot-unknown-ignored", same, "updateBot", [made, answer])


@check("bot-refusal-changes-nothing", context=BotBench, cost=3, needs=("write",), after=(changes,), apart=True)
def refused_changes(bench: BotBench) -> Steps:
    """Changes of which one part is right."""
    for refused in ({"bot_name": None, "join_at": bench.at(days=9)}, {"metadata": [], "meeting_url": bench.link()}):
        if bench.is_broken("bot-changed", "bot-stored") or (made := bench.create()) is None:
            return
        path = path_of(id_of(made))
        answer = bench.target.send("PATCH", path, json=refused)
        after = bench.get(path)
        if answer.status == 400 and after.status == 200:
            steps = [made, answer, after]
            bench.check("bot-refusal-changes-nothing", same_document(made, after), "updateBot", steps)
        yield


def _once(*exchanges: Exchange) -> list[Exchange]:
    return [one for one in exchanges[1:] if one.number != exchanges[0].number]


def _changed(
    bench: BotBench, made: Exchange, before: Exchange, sent: dict[str, Any], shown: dict[str, Any]
) -> Exchange:
    """Changes a bot: the answer and what is read after it show the change, and else what was there before."""
    path = path_of(id_of(made))
    answer = bench.target.send("PATCH", path, json=sent)
    field = next(iter(sent), "body")
    known = bench.is_broken("bot-changed", "bot-stored") or bench.is_told(answer, right_status=answer.status == 200)
    if answer.status == 429 or known:
        return before
    same = same_document(before, answer, but=list(shown))
    whole = every(status(200), same, like(has(shown))) if shown else every(status(200), same)
    steps = [made, *_once(made, before)]
    if bench.check("bot-changed", whole, "updateBot", [*steps, answer], field=field):
        again = bench.get(path)
        bench.check("bot-stored", same_document(answer, again), "getBot", [*steps, answer, again], field=field)
        return answer
    return before


@check(
    "bot-deleted", "bot-delete-body", context=BotBench, cost=9, needs=("write",), after=(creation, filters), apart=True
)
def deletion(bench: BotBench) -> Steps:
    """A bot that is deleted is not read, changed, listed or deleted again."""
    link = bench.link()
    made = bench.create(meeting_url=link)
    if made is None:
        return
    path = path_of(id_of(made))
    gone = bench.ask(bot_case("bot-deleted", "deleteBot", "status", "DELETE", path, 200)._replace(body=None), [made])
    if gone.status >= 300:
        return
    for method, operation in (("GET", "getBot"), ("PATCH", "updateBot"), ("DELETE", "deleteBot")):
        if not bench.is_broken("bot-deleted"):
            again = bot_case("bot-deleted", operation, "object_id", method, path, 404, NOT_FOUND)
            bench.ask(again, [made, gone])
    page = bench.bots(meeting_url=link)
    if not bench.is_broken("bot-filter", "bot-deleted"):
        bench.check("bot-deleted", every(no_row({"id": id_of(made)}), count(0)), "listBots", [made, gone, page])
    bench.forget(id_of(made))
    yield
    other = bench.create()
    if other is not None:
        bodies = bot_case("bot-delete-body", "deleteBot", "body", "DELETE", path_of(id_of(other)), 200)
        bench.ask(bodies._replace(body=None, raw=b"{", headers=header("Content-Type", "application/json")), [other])


@check("bot-key-taken", context=BotBench, cost=1, needs=("write",), after=(creation, changes), apart=True)
def taken_keys(bench: BotBench) -> Steps:
    """A key that is in use, as it is and in another case."""
    if bench.shown is None or bench.is_broken("bot-changed"):
        return
    key = bench.shown.json["deduplication_key"]
    taken = bot_case("bot-key-taken", "createBot", "deduplication_key", "POST", BOTS, 400, IN_USE)
    bench.took(bench.ask(taken._replace(json=bench.bot_fields(deduplication_key=f" {key} ")), [bench.shown]))
    yield
    bench.create(deduplication_key=f"{key}".upper())


@check("bot-key-freed", context=BotBench, cost=3, needs=("write",), after=(taken_keys, deletion))
def freed_keys(bench: BotBench) -> None:
    """A key whose bot is deleted."""
    key = bench.target.tag()
    first = bench.create(deduplication_key=key)
    if first is None or bench.is_broken("bot-key-taken", "bot-deleted"):
        return
    gone = bench.target.send("DELETE", path_of(id_of(first)))
    if gone.status == 200:
        bench.forget(id_of(first))
        freed = bot_case(
            "bot-key-freed", "createBot", "deduplication_key", "POST", BOTS, 201, Holding(deduplication_key=key)
        )
        bench.took(bench.ask(freed._replace(json=bench.bot_fields(deduplication_key=key)), [first, gone]))


@check(
    "bot-in-event",
    "bot-event-decides",
    "bot-event-unknown",
    context=BotBench,
    cost=10,
    needs=("write",),
    after=(creation, deletion),
    apart=True,
    stage="events",
)
def events(bench: BotBench) -> Steps:
    """A bot for an event of the project: what it takes from it, and where it shows."""
    unknown = "evt_0000000000000000"
    if not bench.live:
        error = {"error": f"Calendar event with id {unknown} does not exist in this project."}
        for field, sent in (("calendar_event_id", {}), ("bot_name", {"bot_name": None}), ("foo", {"foo": 1})):
            fields = bench.bot_fields(calendar_event_id=unknown, **sent)
            asked = bot_case("bot-event-unknown", "createBot", field, "POST", BOTS, 400, error)._replace(json=fields)
            bench.took(bench.ask(asked))
        yield
    event = bench.free_event()
    if event is None:
        for rule in ("bot-in-event", "bot-event-decides"):
            bench.unobservable(rule, "the project has no event to come with a link to a meeting, or is somebody's")
        return
    _of_event(bench, event)
    yield


def _of_event(bench: BotBench, event: dict[str, Any]) -> None:
    path = f"{EVENTS}?event_id={quote(event['id'])}"
    before = bench.get(path)
    for name, what in (("meeting_url", "meeting URL"), ("join_at", "join time")):
        given = {"meeting_url": bench.link(), "join_at": bench.at()}[name]
        fields = bench.bot_fields(calendar_event_id=event["id"], **{name: given})
        error = {"error": _DECIDED.format(name, what)}
        asked = bot_case("bot-event-decides", "createBot", name, "POST", BOTS, 400, error)._replace(json=fields)
        bench.undo(bench.ask(asked, [before]))
    if bench.is_broken("bot-create-accepted"):
        return
    fields = bench.bot_fields(calendar_event_id=event["id"])
    taken = {"meeting_url": event["meeting_url"], "join_at": event["start_time"]}
    made = made_of(bench, "bot-in-event", "calendar_event_id", fields, taken)
    if made is None:
        return
    bot = {name: made.json[name] for name in _SHOWN if name in made.json}
    after = bench.get(path)
    shown = every(same_document(before, after, but=["bots"]), like(has({"results": [has({"bots": [has(bot)]})]})))
    if len(rows_in(after)) == 1 and bench.check(
        "bot-in-event", shown, "listCalendarEvents", [before, made, after], field="bots"
    ):
        changed = bench.target.send("PATCH", path_of(id_of(made)), json={"metadata": {**fields["metadata"], "b": "2"}})
        again = bench.get(path)
        if changed.status == 200:
            one = {"id": bot["id"], "metadata": {**fields["metadata"], "b": "2"}}
            now = like(has({"results": [has({"bots": [has(one)]})]}))
            bench.check("bot-in-event", now, "listCalendarEvents", [made, changed, again], field="metadata")
        gone = bench.target.send("DELETE", path_of(id_of(made)))
        without = bench.get(path)
        if gone.status == 200 and not bench.is_broken("bot-deleted"):
            none = like(has({"results": [has({"bots": []})]}))
            bench.check("bot-in-event", none, "listCalendarEvents", [made, gone, without], field="deleted")
            bench.forget(id_of(made))


@check("bot-forms", context=BotBench, cost=4, needs=("write",), after=(creation,), apart=True)
def forms(bench: BotBench) -> Steps:
    """A bot from a form; a live deployment gets none, for nobody can see what a form makes before it is sent."""
    if bench.live or bench.is_broken("bot-create-accepted"):
        return
    link, at = bench.link(), bench.at()
    fields = {"bot_name": "Conformance", "meeting_url": link, "join_at": at, "deduplication_key": bench.target.tag()}
    sent = urlencode({**fields, "metadata": '{"a": "b"}'}).encode()
    shown = Holding(meeting_url=link, join_at=at, metadata={"a": "b"})
    asked = bot_case("bot-forms", "createBot", "Content-Type", "POST", BOTS, 201, shown)
    bench.took(bench.ask(asked._replace(raw=sent, headers=_FORM)))
    yield
    if bench.is_broken("bot-forms", "bot-create-accepted"):
        return
    wrong = urlencode({**fields, "zoom_settings": ""}).encode()
    refused = {"zoom_settings": ["Value must be valid JSON."]}
    bench.took(bench.ask(asked._replace(raw=wrong, headers=_FORM, status=400, body=refused, field="zoom_settings")))
    yield
    made = None if bench.is_broken("bot-forms", "bot-changed") else bench.create()
    if made is not None:
        change = {"meeting_url": bench.link(), "metadata": {"\u00e9": "\U0001f600 + &"}}
        raw = urlencode({**change, "metadata": json.dumps(change["metadata"])}).encode()
        changed = bot_case(
            "bot-forms", "updateBot", "Content-Type", "PATCH", path_of(id_of(made)), 200, Holding(change)
        )
        bench.ask(changed._replace(raw=raw, headers=_FORM), [made])
    yield
    parts = {**fields, "deduplication_key": bench.target.tag(), "metadata": '{"a": "b"}'}
    texts = [f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{part}\r\n' for name, part in parts.items()]
    shown = Holding(meeting_url=link, join_at=at, metadata={"a": "b"})
    kind = header("Content-Type", "multipart/form-data; boundary=x")
    if not bench.is_broken("bot-forms", "bot-create-accepted"):
        raw = "".join([*texts, "--x--\r\n"]).encode()
        bench.took(bench.ask(asked._replace(raw=raw, headers=kind, body=shown)))


@check("bot-tenants", context=BotBench, cost=1, needs=("write", "other-key"), after=(creation,), apart=True)
def tenants(bench: BotBench) -> Steps:
    """A bot of one project, asked for with the key of another."""
    for method, operation in (("GET", "getBot"), ("PATCH", "updateBot"), ("DELETE", "deleteBot")):
        if bench.shown is None:
            return
        asked = bot_case("bot-tenants", operation, "object_id", method, bench.bot, 404, NOT_FOUND)._replace(key="other")
        bench.ask(asked, [bench.shown])
        if method == "DELETE":
            still = bench.get(bench.bot)
            there = every(status(200), like(has({"id": id_of(bench.shown)})))
            if not bench.is_told(still, right_status=still.status == 200):
                bench.check("bot-tenants", there, operation, [bench.shown, still], field="object_id")
            bench.renew()
        yield
    for name in ("deduplication_key", "meeting_url"):
        if bench.shown is None:
            return
        bot = bench.get(bench.bot)
        query = {name: str(bot.json[name] if isinstance(bot.json, dict) else "")}
        page = bench.target.send("GET", f"{BOTS}?{urlencode(query)}", key="other")
        if not bench.is_told(page, right_status=page.status == 200):
            hidden = no_row({"id": id_of(bench.shown)})
            bench.check("bot-tenants", hidden, "listBots", [bench.shown, page], field=name)
        yield


CHECKS = (
    keys,
    unknown_ids,
    methods,
    changes,
    ignored_changes,
    refused_changes,
    deletion,
    taken_keys,
    freed_keys,
    events,
    forms,
    tenants,
)
