"""Checks of deleted bots and of deduplication keys: which are in use, which are free, and what is told first."""

from __future__ import annotations

import re
from typing import Any

from mockserver.conformance.checks import Steps
from mockserver.conformance.checks.bots.bench import NOT_FOUND, BotBench, bot_case, deeper, id_of, these_rows
from mockserver.conformance.checks.bots.fields import order
from mockserver.conformance.checks.bots.lists import creation, filters, shows, stored
from mockserver.conformance.checks.bots.operations import IN_USE, deletion, freed_keys, taken_keys, tenants
from mockserver.conformance.checks.cases import Case, Holding, header
from mockserver.conformance.exchange import Exchange, Key
from mockserver.conformance.expectations import count, every, names, no_row, same_document, status
from mockserver.conformance.guard import BOTS, path_of

_KNOWN = ("bot-create-accepted", "bot-key-taken", "bot-deleted", "bot-changed", "bot-stored")
_ENDS = ("\u540d\U0001f600", " a b", "%2B+,&", "", "\u00df")
_LONGEST = 1024
_SPACES = "\t\u00a0\u3000\n"
_NULL, _BLANK, _MISSING = "This field may not be null.", "This field may not be blank.", "This field is required."


def _asked(key: str, status: int, body: Any) -> Case:
    """A bot is asked for with a key; how it is answered."""
    return bot_case("bot-key-taken", "createBot", "deduplication_key", "POST", BOTS, status, body)


def _is_taken(bench: BotBench, key: str, before: list[Exchange]) -> None:
    bench.took(bench.ask(_asked(key, 400, IN_USE)._replace(json=bench.bot_fields(deduplication_key=key)), before))


def _is_free(bench: BotBench, key: str, before: list[Exchange], rule: str = "bot-key-taken") -> Exchange:
    shown = Holding(deduplication_key=key)
    asked = _asked(key, 201, shown)._replace(rule=rule, json=bench.bot_fields(deduplication_key=key))
    answer = bench.ask(asked, before)
    bench.took(answer)
    return answer


@deeper("bot-key-taken", cost=3, after=(creation, taken_keys))
def exact_keys(bench: BotBench) -> Steps:
    """Keys of every kind are in use as they are, and those that are nearly the same are not."""
    for end in (*_ENDS, "k"):
        tag = bench.target.tag()
        key = f"{tag}{end}" if end != "k" else tag.ljust(_LONGEST, "k")
        made = bench.create(deduplication_key=key)
        if made is None or bench.is_broken(*_KNOWN):
            return
        _is_taken(bench, f"{_SPACES}{key}{_SPACES}", [made])
        _is_taken(bench, key, [made])
        yield
        longer = f"{key[: _LONGEST - 1]}K"
        for near in (longer, key[:-1].strip(), key.replace("conformance", "Conformance", 1)):
            if bench.is_broken(*_KNOWN):
                return
            _is_free(bench, near, [made])
            yield


@deeper("bot-key-taken", cost=3, after=(creation, taken_keys))
def keys_stay_taken(bench: BotBench) -> Steps:
    """A key stays in use whatever is changed of its bot, and while bots without a key or with others come and go."""
    for number in range(4):
        key, link = bench.target.tag(), bench.link()
        made = bench.create(deduplication_key=key)
        if made is None or bench.is_broken(*_KNOWN):
            return
        steps = [made]
        if number == 0:
            change = {
                "meeting_url": link,
                "join_at": bench.at(days=1),
                "bot_name": "x",
                "deduplication_key": f"{key}-2",
            }
            steps.append(bench.target.send("PATCH", path_of(id_of(made)), json=change))
        elif number == 1:
            other = bench.create(meeting_url=str(made.json["meeting_url"]))
            if other is not None:
                steps += [other, bench.target.send("DELETE", path_of(id_of(other)))]
                bench.forget(id_of(other))
        elif number == 2:
            steps.append(bench.target.send("POST", BOTS, json=bench.bot_fields(deduplication_key=key)))
            bench.took(steps[-1])
        else:
            steps.append(bench.bots(deduplication_key=key, states="ended"))
        _is_taken(bench, key, steps)
        page = bench.bots(deduplication_key=key)
        if not bench.is_broken(*_KNOWN):
            shows(bench, "bot-filter", "deduplication_key", steps, page, [id_of(made)])
        yield


@deeper("bot-key-freed", cost=6, after=(creation, freed_keys, deletion))
def freed_again(bench: BotBench) -> Steps:
    """A key that was freed is in use again with the next bot, and free again without it."""
    key = bench.target.tag()
    steps: list[Exchange] = []
    for number in range(3):
        if bench.is_broken(*_KNOWN, "bot-key-freed"):
            return
        made = _is_free(bench, key, steps, "bot-key-freed" if number else "bot-create-accepted")
        if made.status != 201:
            return
        steps.append(made)
        if number == 1:
            _is_taken(bench, key, steps)
            steps.append(bench.target.send("PATCH", path_of(id_of(made)), json={"meeting_url": bench.link()}))
        steps.append(bench.target.send("DELETE", path_of(id_of(made))))
        bench.forget(id_of(made))
    page = bench.bots(deduplication_key=key)
    if not bench.is_broken(*_KNOWN, "bot-filter"):
        bench.check("bot-deleted", count(0), "listBots", [*steps, page], field="deduplication_key")
    yield


@deeper("bot-deleted", cost=7, after=(creation, deletion, filters))
def one_of_two(bench: BotBench) -> Steps:
    """Of two bots for one meeting that were read and listed, one is deleted, then the other."""
    for first in (0, 1):
        link = bench.link()
        pair = [bench.create(meeting_url=link, deduplication_key=bench.target.tag()) for _ in range(2)]
        both = [one for one in pair if one is not None]
        if len(both) < len(pair) or bench.is_broken(*_KNOWN, "bot-filter"):
            return
        gone, stays = both[first], both[1 - first]
        before = [bench.get(path_of(id_of(gone))), bench.bots(meeting_url=link)]
        steps = [*both, *before, bench.target.send("DELETE", path_of(id_of(gone)))]
        bench.forget(id_of(gone))
        _is_gone(bench, gone, steps)
        page = bench.bots(meeting_url=link)
        if not bench.is_broken("bot-deleted"):
            bench.check("bot-deleted", these_rows([id_of(stays)]), "listBots", [*steps, page])
            stored(bench, stays, stays, bench.get(path_of(id_of(stays))))
        yield


def _is_gone(bench: BotBench, gone: Exchange, steps: list[Exchange]) -> None:
    """It is neither read nor changed nor deleted again, however often and with whatever body."""
    path = path_of(id_of(gone))
    for method, operation, sent in (
        ("GET", "getBot", None),
        ("DELETE", "deleteBot", None),
        ("PATCH", "updateBot", {"bot_name": None}),
        ("PATCH", "updateBot", {"join_at": bench.at(days=1)}),
        ("DELETE", "deleteBot", {}),
        ("HEAD", "getBot", None),
        ("GET", "getBot", None),
    ):
        if not bench.is_broken("bot-deleted", *(("bot-methods",) if method == "HEAD" else ())):
            again = bot_case("bot-deleted", operation, "object_id", method, path, 404, NOT_FOUND)
            bench.ask(again._replace(json=sent), steps)
    page = bench.bots(deduplication_key=str(gone.json["deduplication_key"]))
    if not bench.is_broken("bot-deleted"):
        bench.check("bot-deleted", every(count(0), no_row({"id": id_of(gone)})), "listBots", [*steps, page])


@deeper("bot-delete-body", cost=2, after=(creation, deletion))
def bodies_of_deletion(bench: BotBench) -> Steps:
    """Bodies that no other operation takes, and what comes of the bot."""
    for kind, raw in (
        ("text/plain", b"x"),
        ("application/json", b"[]"),
        ("application/json", b'{"bot_name": null, "zeta": 1}'),
        ("multipart/form-data", b"--"),
    ):
        made = bench.create()
        if made is None or bench.is_broken(*_KNOWN, "bot-delete-body"):
            return
        path = path_of(id_of(made))
        asked = bot_case("bot-delete-body", "deleteBot", "body", "DELETE", path, 200)
        gone = bench.ask(asked._replace(body=None, raw=raw, headers=header("Content-Type", kind)), [made])
        if gone.status == 200:
            bench.forget(id_of(made))
            bench.ask(bot_case("bot-deleted", "getBot", "object_id", "GET", path, 404, NOT_FOUND), [made, gone])
        yield


@deeper("bot-field-order", cost=2, after=(creation, order))
def orders(bench: BotBench) -> Steps:
    """Several problems at once, told in the order of the fields; a key in use comes last of all."""
    new: dict[str, Any] = {
        "kubernetes_settings": 1,
        "webhooks": None,
        "deduplication_key": " ",
        "bot_chat_message": {},
        "metadata": {},
        "bot_image": {},
        "bot_name": "",
        "meeting_url": "",
        "zeta": 1,
    }
    change = {"recording_settings": 1, "bot_image": {}, "bot_name": "", "metadata": {}, "meeting_url": "", "zeta": 1}
    told = [name for name in reversed(new) if name != "zeta"]
    told_of_change = ["meeting_url", "metadata", "bot_name", "bot_image", "recording_settings"]
    for method, operation, sent, wanted in (
        ("POST", "createBot", new, told),
        ("PATCH", "updateBot", change, told_of_change),
    ):
        if bench.shown is None or bench.is_broken("bot-field-order", "bot-field-refused", "bot-unknown-ignored"):
            continue
        path = BOTS if method == "POST" else bench.bot
        given = {"join_at": bench.at(), **sent} if method == "POST" else sent
        answer = bench.target.send(method, path, json=given)
        bench.took(answer)
        if not bench.is_told(answer, right_status=answer.status == 400):
            whole = every(status(400), names("", wanted))
            bench.check("bot-field-order", whole, operation, [*bench.origins(answer), answer], field="body")
        yield
    if not bench.live:
        required = {"meeting_url": [_MISSING], "bot_name": [_MISSING]}
        asked = bot_case("bot-field-order", "createBot", "body", "POST", BOTS, 400, required)
        bench.took(bench.ask(asked._replace(json={"join_at": bench.at()})))
        yield
    last: tuple[tuple[dict[str, Any], Any], ...] = (
        ({"zoom_settings": None}, {"zoom_settings": [_NULL]}),
        ({"bot_chat_message": {}, "zeta": 1}, {"bot_chat_message": {"message": [_MISSING]}}),
        ({"metadata": {}}, {"metadata": ["Metadata must have at least one key"]}),
        ({"alpha": 1}, {"non_field_errors": [re.compile(r"Unexpected field\(s\): alpha\. Allowed fields are: .*")]}),
    )
    for given, body in last:
        made = bench.create(deduplication_key=bench.target.tag())
        if made is None or bench.is_broken("bot-field-order", "bot-field-refused", "bot-key-taken"):
            return
        sent = bench.bot_fields(**{"deduplication_key": made.json["deduplication_key"], **given})
        asked = bot_case("bot-field-order", "createBot", next(iter(given)), "POST", BOTS, 400, body)
        bench.took(bench.ask(asked._replace(json=sent), [made]))
        yield


@deeper("bot-tenants", cost=3, needs=("write", "other-key"), after=(creation, tenants))
def keys_of_projects(bench: BotBench) -> Steps:
    """Two projects have bots with one key; what comes of one of them says nothing of the other."""
    for number in range(2):
        key = bench.target.tag()
        made = bench.create(deduplication_key=key)
        if made is None or bench.is_broken(*_KNOWN, "bot-tenants", "bot-filter"):
            return
        theirs = bench.ask(
            bot_case("bot-tenants", "createBot", "deduplication_key", "POST", BOTS, 201)._replace(
                json=bench.bot_fields(deduplication_key=key, meeting_url=made.json["meeting_url"]), key="other"
            ),
            [made],
        )
        if theirs.status != 201:
            return
        _each_sees_its_own(bench, key, made, theirs)
        gone = bench.target.send("DELETE", path_of(id_of(theirs)), key="other")
        if number and gone.status == 200 and not bench.is_broken("bot-tenants"):
            steps = [made, theirs, gone]
            bench.took(
                bench.ask(
                    _asked(key, 400, IN_USE)._replace(rule="bot-tenants", json=bench.bot_fields(deduplication_key=key)),
                    steps,
                )
            )
        yield
    yield from _foreign_changes(bench)


def _each_sees_its_own(bench: BotBench, key: str, made: Exchange, theirs: Exchange) -> None:
    owners: tuple[tuple[Key, Exchange], ...] = (("main", made), ("other", theirs))
    for owner, own in owners:
        for query in (f"deduplication_key={key}", f"meeting_url={made.json['meeting_url']}"):
            page = bench.get(f"{BOTS}?{query}", key=owner)
            if not bench.is_told(page, right_status=page.status == 200):
                steps = [made, theirs, page]
                bench.check("bot-tenants", these_rows([id_of(own)]), "listBots", steps, field=query.partition("=")[0])


def _foreign_changes(bench: BotBench) -> Steps:
    """A bot is as it was after everything that another project asked for."""
    for method, operation, raw in (
        ("HEAD", "getBot", None),
        ("PATCH", "updateBot", b'{"bot_name": "x", "metadata": {"a": "b"}}'),
        ("PATCH", "updateBot", b'{"bot_name": null}'),
        ("DELETE", "deleteBot", None),
    ):
        made = bench.create()
        if made is None or bench.is_broken(*_KNOWN, "bot-tenants"):
            return
        path = path_of(id_of(made))
        asked = bot_case("bot-tenants", operation, "object_id", method, path, 404, NOT_FOUND)
        kind = header("Content-Type", "application/json") if raw else ()
        answer = bench.ask(asked._replace(key="other", raw=raw, headers=kind), [made])
        after = bench.get(path)
        if answer.status == 404 and not bench.is_told(after, right_status=after.status == 200):
            same = every(status(200), same_document(made, after))
            bench.check("bot-tenants", same, operation, [made, answer, after], field="object_id")
        yield
    link = bench.link()
    made = bench.create(meeting_url=link, join_at=bench.at(days=20))
    if made is None:
        return
    for query in ("", f"?join_at_after={bench.at(days=19)}", "?states=scheduled&states=ended"):
        page = bench.get(f"{BOTS}{query}", key="other")
        if not bench.is_told(page, right_status=page.status == 200) and not bench.is_broken("bot-tenants"):
            bench.check("bot-tenants", no_row({"id": id_of(made)}), "listBots", [made, page], field="page")
    yield


CHECKS = (
    exact_keys,
    keys_stay_taken,
    freed_again,
    one_of_two,
    bodies_of_deletion,
    orders,
    keys_of_projects,
)
