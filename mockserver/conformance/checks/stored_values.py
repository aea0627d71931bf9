"""What is stored: the order of its times, large values, metadata to its limit and in its order."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from mockserver.conformance.calendar_bodies import MARK, VOLATILE
from mockserver.conformance.checks import Steps, check
from mockserver.conformance.checks.cases import Bench, Case, Holding
from mockserver.conformance.evaluation import broken
from mockserver.conformance.exchange import Exchange
from mockserver.conformance.expectations import (
    Expectation,
    count,
    every,
    facts_of,
    later,
    names,
    same_document,
    shows,
    status,
    unless_throttled,
)
from mockserver.conformance.guard import CALENDARS, EVENTS
from mockserver.conformance.rules import WRITE, Rule

RULES: tuple[Rule, ...] = (
    Rule(
        "write-times-ordered",
        "details",
        "medium",
        "The times of writes have the order of the writes.",
        "openapi.yaml: createCalendar, updateCalendar",
        WRITE,
    ),
    Rule(
        "value-large",
        "details",
        "medium",
        "A value as large as the contract allows is accepted and stored whole.",
        "openapi.yaml: CalendarCreate, CalendarUpdate",
        WRITE,
    ),
    Rule(
        "filter-large",
        "details",
        "medium",
        "A filter finds a value as large as the contract allows.",
        "openapi.yaml: DeduplicationKey, CalendarDeduplicationKey",
        WRITE,
    ),
    Rule(
        "metadata-limit",
        "details",
        "medium",
        "The limit of metadata counts the characters of its JSON text in ASCII.",
        "openapi.yaml: Metadata; recordings: create-metadata-size",
        WRITE,
    ),
    Rule(
        "metadata-name-order",
        "details",
        "low",
        "Names of metadata are sorted by their length, and those of one length by their bytes.",
        "openapi.yaml: StoredMetadata",
        WRITE,
    ),
)

_LIMIT = 1000
_LONG = 1000
"""Characters of a long key: its run has a longer mark when the steps of a finding are taken again elsewhere."""
_TOO_LONG = {"metadata": ["Metadata must be less than 1000 characters"]}


@check("write-times-ordered", context=Bench, cost=11, needs=("write",), apart=True)
def times(bench: Bench) -> Steps:
    """Calendars created and changed in turn."""
    made = [bench.create() for _ in range(2)]
    before: Exchange | None = None
    for number in range(4):
        calendar = made[number % 2]
        if calendar is None:
            return
        if before is None:
            _in_order(bench, "createCalendar", "/created_at", calendar, made[1], "/created_at")
            before = made[1]
        pointer = "/created_at" if before in made else "/updated_at"
        changed = bench.target.send("PATCH", f"{CALENDARS}/{calendar.json['id']}", json={})
        if changed.status != 200 or before is None:
            return
        if _is_early(changed, before, pointer):
            pointer, before, changed = _changed_anew(bench) or (pointer, before, changed)
        _in_order(bench, "updateCalendar", pointer, before, changed, "/updated_at")
        fresh = bench.create()
        if fresh is None:
            return
        _in_order(bench, "createCalendar", "/updated_at", changed, fresh, "/created_at")
        before = changed
    yield


def _is_early(changed: Exchange, before: Exchange, pointer: str) -> bool:
    """Whether a change has an earlier time than what was written before it."""
    return bool(broken(later(pointer, "/updated_at", before, or_same=True), facts_of([before, changed])))


def _changed_anew(bench: Bench) -> tuple[str, Exchange, Exchange] | None:
    """The change of a new calendar that has an earlier time than the one created after it; None where it has not.

    In what was written before, syncs may have moved the times: whoever takes the steps again has other ones.
    """
    first, second = bench.create(), bench.create()
    if first is None or second is None:
        return None
    changed = bench.target.send("PATCH", f"{CALENDARS}/{first.json['id']}", json={})
    wrong = changed.status == 200 and _is_early(changed, second, "/created_at")
    return ("/created_at", second, changed) if wrong else None


def _in_order(bench: Bench, operation: str, early: str, before: Exchange, after: Exchange | None, late: str) -> None:
    if after is not None and not bench.is_broken("write-times-ordered", operation=operation):
        exchanges = [*bench.origins(after, before), after]
        ordered = later(early, late, before, or_same=True)
        bench.check("write-times-ordered", ordered, operation=operation, field=late[1:], exchanges=exchanges)


def _metadata(bench: Bench, **more: str) -> dict[str, str]:
    return {MARK: bench.target.tag(), **more}


@check("value-large", context=Bench, cost=2, needs=("write",), apart=True)
def large_values(bench: Bench) -> Steps:
    """Values of the greatest length and number."""
    long = bench.target.tag()
    cases: tuple[tuple[str, dict[str, Any], bool], ...] = (
        ("metadata", {"metadata": _metadata(bench, **{f"n{number}": "v" for number in range(60)})}, True),
        ("metadata", {"metadata": _metadata(bench, long="v" * 880)}, True),
        ("metadata", {"metadata": _metadata(bench, **{"n" * 850: "v"})}, True),
        ("platform_uuid", {"platform_uuid": "p" * 1024}, True),
        ("deduplication_key", {"deduplication_key": long + "k" * (_LONG - len(long))}, True),
        ("client_id", {"client_id": "c" * 255}, True),
        ("client_secret", {"client_secret": bench.target.secret("client_secret") + "s" * 5000}, False),
        ("refresh_token", {"refresh_token": bench.target.secret("refresh_token") + "t" * 5000}, False),
    )
    for field, given, shown in cases:
        asked = Case("value-large", "createCalendar", field, "POST", CALENDARS, 201, Holding(given if shown else {}))
        fields = {"deduplication_key": bench.target.tag(), **given}
        bench.took(bench.ask(asked._replace(json=bench.fields(**fields), unless=("field-length", "field-metadata"))))
        yield
        known = bench.is_broken("value-large", field=field)
        if field in ("metadata", "client_secret", "refresh_token") and bench.writes and not known:
            changed = Case("value-large", "updateCalendar", field, "PATCH", bench.ours, 200, asked.body)
            bench.ask(changed._replace(json=given, unless=("field-metadata",)))


@check(
    "filter-large",
    "page-rows-whole",
    "dedup-exact",
    context=Bench,
    cost=4,
    needs=("write",),
    after=(large_values,),
    apart=True,
)
def large_filters(bench: Bench) -> Steps:
    """A deduplication key of the greatest length, asked for."""
    tag = bench.target.tag()
    key = tag + "\u00e9" * (_LONG - len(tag))
    made = bench.create(deduplication_key=key, platform_uuid="conformance")
    if made is None or made.json.get("deduplication_key") != key:
        return
    row = bench.get(f"{CALENDARS}?{urlencode({'deduplication_key': key})}")
    if not any(bench.is_told(one, right_status=one.status < 400) for one in (made, row)):
        same = same_document(made, row, but=VOLATILE)
        bench.check("page-rows-whole", same, operation="listCalendars", exchanges=[made, row])
    for path, name, rows in (
        (CALENDARS, "deduplication_key", 1),
        (EVENTS, "calendar_deduplication_key", 0),
    ):
        page = bench.get(f"{path}?{urlencode({name: key})}")
        operation = bench.answers.place("GET", path).operation
        if not bench.is_told(page, right_status=page.status == 200):
            found = every(status(200), count(rows))
            bench.check("filter-large", found, operation=operation, field=name, exchanges=[made, page])
    yield
    yield from _keys_alike(bench)


def _keys_alike(bench: Bench) -> Steps:
    """Keys, long and short, that differ in their last character, each with what its filter finds."""
    tag = bench.target.tag()
    for start in (tag + "k" * (_LONG - 1 - len(tag)), tag):
        story: list[Exchange] = []
        for end in ("a", "b", "A", "\u00e4"):
            made = bench.target.send("POST", CALENDARS, json=bench.fields(deduplication_key=start + end))
            story.append(made)
            if not bench.took(made):
                if made.status != 429 and not bench.is_broken("dedup-exact", "value-large", "field-length"):
                    bench.check("dedup-exact", status(201), operation="createCalendar", exchanges=story)
                return
            page = bench.get(f"{CALENDARS}?{urlencode({'deduplication_key': start + end})}")
            if not bench.is_told(page, right_status=page.status == 200) and not bench.is_broken("filter-exact"):
                found = every(status(200), count(1), shows(made.json["id"]))
                steps = [*story, page]
                bench.check(
                    "filter-large", found, operation="listCalendars", field="deduplication_key", exchanges=steps
                )
        yield


@check("metadata-limit", context=Bench, cost=2, needs=("write",), apart=True)
def limits(bench: Bench) -> Steps:
    """Metadata of exactly the limit, and beyond it, in ASCII and in what takes six characters each."""
    for letter in ("v", "\u00e9", "\U0001f600"):
        whole = _filled(_metadata(bench), letter, _LIMIT)
        beyond = _filled(_metadata(bench), letter, _LIMIT + 1)
        for metadata, code, body in ((whole, 201, Holding(metadata=whole)), (beyond, 400, _TOO_LONG)):
            asked = Case("metadata-limit", "createCalendar", "metadata", "POST", CALENDARS, code, body)
            bench.took(
                bench.ask(
                    asked._replace(json=bench.fields(metadata=metadata), unless=("field-metadata", "value-large"))
                )
            )
        yield
    for letter in ("v", "\u00e9", "\U0001f600", '"', "\\", "\n", "\x01", "\x7f", "/", "\u2028", "<", "\uffff"):
        if bench.writes:
            _limit_of(bench, letter)
        yield
    for more in (
        {f"n{number:02}": "" for number in range(60)},
        {"\u00e9" * 9: "\u00e9", "\U0001f600" * 5: "", "": "x"},
    ):
        if bench.writes:
            _limit_of(bench, "x", more)
        yield


def _limit_of(bench: Bench, letter: str, more: Mapping[str, str] | None = None) -> None:
    """The limit, from both sides, of what an update stores."""
    known = ("field-metadata", "value-large")
    for length, code in ((_LIMIT, 200), (_LIMIT + 1, 400), (_LIMIT - 1, 200)):
        metadata = _filled({**_metadata(bench), **(more or {})}, letter, length)
        body = Holding(metadata=metadata) if code == 200 else _TOO_LONG
        asked = Case("metadata-limit", "updateCalendar", "metadata", "PATCH", bench.ours, code, body, unless=known)
        bench.ask(asked._replace(json={"metadata": metadata}))


def _filled(metadata: dict[str, str], letter: str, length: int) -> dict[str, str]:
    """Metadata of this length as JSON text in ASCII, as much of it as can be of one letter."""
    size = len(json.dumps(letter)) - 2
    rest = length - len(json.dumps({**metadata, "v": ""}))
    return {**metadata, "v": letter * (rest // size) + "x" * (rest % size)}


@check("metadata-name-order", context=Bench, cost=4, needs=("write",), apart=True)
def name_order(bench: Bench) -> Steps:
    """Metadata whose names were sent in another order."""
    given = {"zz": "1", "b": "2", "aaa": "3", "B": "4", "\u00e9": "5", "a": "6", "": "7", MARK: bench.target.tag()}
    wanted = sorted(given, key=lambda name: (len(name.encode()), name.encode()))
    key = bench.target.tag()
    made = bench.create(metadata=given, deduplication_key=key)
    if made is None:
        return
    path = f"{CALENDARS}/{made.json['id']}"
    read, page = bench.get(path), bench.get(f"{CALENDARS}?deduplication_key={key}")
    changed = bench.target.send("PATCH", path, json={"metadata": dict(reversed(given.items()))})
    for exchange, operation, pointer in (
        (made, "createCalendar", "/metadata"),
        (read, "getCalendar", "/metadata"),
        (page, "listCalendars", "/results/0/metadata"),
        (changed, "updateCalendar", "/metadata"),
    ):
        _named(bench, "metadata-name-order", operation, names(pointer, wanted), [made, exchange])
    yield
    given = {
        "\U0001f600": "",
        "\uffffa": "1",
        "abcd": "2",
        "abc": "3",
        "zzz": "4",
        "\uffff": "5",
        "\u00ff": "6",
        "ab": "7",
    }
    given |= {"Z": "", " ": "8", "_": "9", "10": "a", "9": "b", MARK: bench.target.tag()}
    wanted = sorted(given, key=lambda name: (len(name.encode()), name.encode()))
    made = bench.create(metadata=given)
    if made is None:
        return
    path = f"{CALENDARS}/{made.json['id']}"
    _named(bench, "metadata-name-order", "createCalendar", names("/metadata", wanted), [made])
    changed = bench.target.send("PATCH", path, json={"metadata": dict(reversed(given.items()))})
    _named(bench, "metadata-name-order", "updateCalendar", names("/metadata", wanted), [made, changed])
    _named(bench, "metadata-name-order", "getCalendar", names("/metadata", wanted), [made, bench.get(path)])
    touched = bench.target.send("PATCH", path, json={})
    _named(bench, "metadata-name-order", "updateCalendar", names("/metadata", wanted), [made, touched])


@check("patch-moves-updated-at", "patch-stored", "patch-partial", context=Bench, cost=4, needs=("write",), apart=True)
def changed_to_the_same(bench: Bench) -> Steps:
    """Changes to what is there already: each sets updated_at, and nothing else."""
    metadata = {MARK: bench.target.tag(), "": "", "\u00e9": " \U0001f600 "}
    secrets = {name: bench.target.secret(name) for name in ("client_secret", "refresh_token")}
    made = bench.create(metadata=metadata, platform_uuid="\u00e9", deduplication_key=bench.target.tag(), **secrets)
    if made is None:
        return
    path = f"{CALENDARS}/{made.json['id']}"
    # The first sync comes right after the creation, and moves updated_at as well.
    before = bench.get(path)
    if before.status != 200:
        return
    bodies: tuple[dict[str, Any], ...] = (
        {"metadata": metadata},
        {"client_secret": secrets["client_secret"]},
        {"refresh_token": secrets["refresh_token"]},
        {"metadata": metadata},
        {},
        {},
        {"metadata": metadata, **secrets},
    )
    for number, body in enumerate(bodies):
        changed = bench.target.send("PATCH", path, json=body)
        if changed.status != 200 or bench.is_told(changed, right_status=True):
            return
        field = next(iter(body), "")
        _moved(bench, field, [*bench.origins(changed, made, before), changed], before)
        before = changed
        if number % 2 == 0:
            found = bench.get(path)
            if not bench.is_broken("patch-stored", "read-changes-nothing"):
                stored = every(status(200), same_document(changed, found, synced=VOLATILE, both=True))
                steps = [*bench.origins(changed, made), changed, found]
                bench.check("patch-stored", stored, operation="updateCalendar", exchanges=steps, field=field)
            yield
            if bench.get(path).status != 200:
                return  # deleted meanwhile, with all that the run had made


def _moved(bench: Bench, field: str, exchanges: list[Exchange], before: Exchange) -> None:
    if not bench.is_broken("patch-moves-updated-at"):
        moved = later("/updated_at", "/updated_at", before)
        bench.check(
            "patch-moves-updated-at", moved, operation="updateCalendar", exchanges=exchanges, field="updated_at"
        )
    if not bench.is_broken("patch-partial", "patch-replaces-metadata", "create-echo"):
        same = same_document(before, but=("updated_at",), synced=VOLATILE, both=True)
        bench.check("patch-partial", same, operation="updateCalendar", exchanges=exchanges, field=field)


@check(
    "dedup-freed",
    "delete-unlisted",
    "listed-at-once",
    "filter-unknown",
    context=Bench,
    cost=4,
    needs=("write",),
    apart=True,
)
def freed_keys(bench: Bench) -> Steps:
    """A key that is used, freed and used again, more than once; its filter finds only who has it now."""
    key = f"{bench.target.tag()} \u00e9+"
    story: list[Exchange] = []
    for _ in range(3):
        made = bench.target.send("POST", CALENDARS, json=bench.fields(deduplication_key=key))
        if not bench.took(made):
            if story and made.status != 429 and not bench.is_broken("dedup-freed", "key-taken"):
                bench.check("dedup-freed", status(201), operation="createCalendar", exchanges=[*story, made])
            return
        bench.keep("dedup-freed")
        _finds(bench, "listed-at-once", key, every(count(1), shows(made.json["id"])), [*story, made])
        if story:
            _finds_no_events(bench, key, made.json["id"], [*story, made])
        gone = bench.target.send("DELETE", f"{CALENDARS}/{made.json['id']}")
        if gone.status != 200:
            return
        bench.forget(made.json["id"])
        story = [*story, made, gone]
        _finds(bench, "delete-unlisted", key, count(0), story)
        yield
    _finds_no_events(bench, key, made.json["id"], story)


def _finds(bench: Bench, rule: str, key: str, wanted: Expectation, story: list[Exchange]) -> None:
    """What the filter for a key shows after what was done with it."""
    listed = bench.get(f"{CALENDARS}?{urlencode({'deduplication_key': key})}")
    if not bench.is_told(listed, right_status=listed.status == 200) and not bench.is_broken(rule):
        field = "deduplication_key" if rule == "listed-at-once" else ""
        bench.check(rule, wanted, operation="listCalendars", field=field, exchanges=[*story, listed])


def _finds_no_events(bench: Bench, key: str, calendar_id: str, story: list[Exchange]) -> None:
    """That a calendar that has no events, or is gone, has none by its id and by its key."""
    for name, text in (("calendar_id", calendar_id), ("calendar_deduplication_key", key)):
        page = bench.get(f"{EVENTS}?{urlencode({name: text})}")
        known = bench.is_broken("filter-unknown", "filter-empty", "filter-text", field=name)
        if not known and not bench.is_told(page, right_status=page.status == 200):
            bench.check(
                "filter-unknown",
                every(status(200), count(0)),
                operation="listCalendarEvents",
                field=name,
                exchanges=[*story, page],
            )


def _named(bench: Bench, rule: str, operation: str, wanted: Expectation, exchanges: list[Exchange]) -> None:
    last = exchanges[-1]
    steps = exchanges if last.number != exchanges[0].number else [last]
    if not bench.is_told(last, right_status=last.status < 400) and not bench.is_broken(rule):
        bench.check(rule, unless_throttled(wanted), operation=operation, field="metadata", exchanges=steps)
