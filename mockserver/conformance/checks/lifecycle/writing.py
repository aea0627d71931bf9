"""Steps that create, change and delete, each with what has to be so afterwards, and the bodies that they send."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeAlias

from mockserver.conformance.calendar_bodies import CLIENT, MARK, Body, marked
from mockserver.conformance.checks.lifecycle.stage import DEFAULTS, SENT, Calendar, Stage, changed, created, difference
from mockserver.conformance.checks.notation import SECOND, read
from mockserver.conformance.evaluation import broken
from mockserver.conformance.exchange import Exchange
from mockserver.conformance.expectations import (
    Expectation,
    about_now,
    every,
    facts_of,
    has,
    lacks,
    later,
    may_have,
    member,
    never_so,
    no_row,
    status,
    where,
)
from mockserver.conformance.expectations import body as body_is
from mockserver.conformance.guard import CALENDARS
from mockserver.conformance.list_pages import CALENDAR_LIST, address, is_page, rows_in

_PATIENCE = 600 * SECOND
_CREATE, _PATCH, _DELETE, _GET, _LIST = (
    "createCalendar",
    "updateCalendar",
    "deleteCalendar",
    "getCalendar",
    "listCalendars",
)


Shape: TypeAlias = Callable[[str], Body]
"""Given a fresh text, the fields of a body."""


def _full_metadata(tag: str) -> Body:
    room = 1000 - len(json.dumps({MARK: tag, "full": ""}))
    return marked(tag, full="x" * room)


CREATES: tuple[Shape, ...] = (
    lambda tag: {},
    lambda tag: {"deduplication_key": tag},
    lambda tag: {"deduplication_key": f"{tag}-K"},
    lambda tag: {"deduplication_key": f"{tag} Caf\u00e9 \U0001f600"},
    lambda tag: {"deduplication_key": f"{tag} a+b&c=d/e?f#g%20h"},
    lambda tag: {"deduplication_key": f" \u3000{tag}\t", "platform_uuid": f"\n {tag} "},
    lambda tag: {"client_id": CLIENT + "x" * (255 - len(CLIENT))},
    lambda tag: marked(
        tag, **{" padded ": "  value ", "empty": "", "\u00e9": "\U0001f600\u2028", "Case": "A", "case": "a"}
    ),
    lambda tag: marked(tag, json='{"a": {"b": [1, null]}}', number="007", null="null", long="x" * 300),
    lambda tag: {"platform": "microsoft", "platform_uuid": f"{tag}=="},
    _full_metadata,
    lambda tag: {"deduplication_key": tag + "k" * (1024 - len(tag)), "platform_uuid": "u" * 1024},
    lambda tag: {
        **marked(tag, plan="team", tenant_id="1234567890"),
        "platform": "microsoft",
        "platform_uuid": "AAMkAGI2TGuLAAA=\U0001f600",
        "client_id": "01234567-89ab-4cde-8f01-23456789abcd",
        "deduplication_key": f"{tag}'\"\\%_",
    },
)
"""Good calendars, to be laid over the required fields."""

CHANGES: tuple[Shape, ...] = (
    lambda tag: {},
    lambda tag: marked(tag, first="1", second="2"),
    lambda tag: marked(tag, third="3"),
    lambda tag: {"client_secret": "secret"},
    lambda tag: {"refresh_token": "secret"},
    lambda tag: {**marked(tag, all="yes"), "client_secret": "secret", "refresh_token": "secret"},
    lambda tag: marked(tag, **{" padded ": " value ", "empty": "", "Second": "case"}),
    _full_metadata,
    lambda tag: marked(tag, **{"": "", "\u00e9\U0001f600": "\u2028\x01", "quote": "'\"\\/", "null": "null"}),
)
"""Good changes; where there is a credential a fresh one is put in."""

BAD_CREATES: dict[str, Shape] = {
    "unknown field": lambda tag: {"conformance": tag},
    "read-only field": lambda tag: {"state": "disconnected"},
    "empty metadata": lambda tag: {"metadata": {}},
    "metadata value": lambda tag: {"metadata": {MARK: tag, "number": 1}},
    "long metadata": lambda tag: {"metadata": {MARK: tag, "long": "x" * 1000}},
    "platform": lambda tag: {"platform": "conformance"},
    "blank client_id": lambda tag: {"client_id": " "},
    "null refresh_token": lambda tag: {"refresh_token": None},
    "long client_id": lambda tag: {"client_id": "x" * 256},
}
"""Laid over a good calendar with a key of its own, each makes it one that is refused."""

BAD_CHANGES: dict[str, Shape] = {
    "unknown field": lambda tag: {**marked(tag, bad="1"), "conformance": tag},
    "metadata value": lambda tag: {"metadata": {MARK: tag, "number": 1}, "client_secret": "secret"},
    "blank client_secret": lambda tag: {**marked(tag, bad="2"), "client_secret": " "},
    "null refresh_token": lambda tag: {**marked(tag, bad="3"), "refresh_token": None},
    "long metadata": lambda tag: {"metadata": {MARK: tag, "long": "x" * 1000}},
    "empty metadata": lambda tag: {"metadata": {}, "client_secret": "secret"},
}
"""Changes that are refused as a whole although parts of them are good."""

READ_ONLY: dict[str, Any] = {
    "id": "cal_0000000000000000",
    "platform": "microsoft",
    "client_id": "conformance.invalid.other",
    "platform_uuid": "other",
    "deduplication_key": "other",
    "state": "disconnected",
    "connection_failure_data": {"error": "x", "timestamp": "2026-01-01T00:00:00+00:00"},
    "created_at": "2026-01-01T00:00:00Z",
    "updated_at": "2026-01-01T00:00:00Z",
    "last_successful_sync_at": "2026-01-01T00:00:00Z",
    "last_attempted_sync_at": "2026-01-01T00:00:00Z",
}
"""Fields that a change must not touch, with values that no calendar of ours has."""


def create(stage: Stage, shape: int) -> Calendar | None:
    """A good calendar."""
    tag = stage.target.tag()
    return create_body(stage, stage.body(CREATES[shape % len(CREATES)](tag), tag=tag), "create-accepted")


def create_body(stage: Stage, body: Body, rule: str, before: list[Exchange] | None = None) -> Calendar | None:
    """A calendar that has to be taken, by the rule given; None when it was not."""
    answer = stage.post(body)
    taken = stage.check(rule, every(status(200, 201), body_is(has({}))), _CREATE, [*(before or []), answer])
    if not taken or not isinstance(answer.json.get("id"), str):
        return None
    calendar = Calendar(dict(answer.json), answer)
    stage.model.calendars[calendar.id] = calendar
    _judge_new(stage, calendar, body)
    _judge_times(stage, calendar, answer)
    stage.as_written(calendar, "create-stored", _CREATE)
    return calendar


def _judge_new(stage: Stage, calendar: Calendar, body: Body) -> None:
    wanted = created(body)
    name = difference(wanted, calendar.document, live=False)
    stage.check("create-echo", body_is(has(wanted)), _CREATE, [calendar.made], field=name or "")
    # No sync can have come before the answer to the creation itself.
    name = next((name for name, value in DEFAULTS.items() if calendar.document.get(name, value) != value), None)
    stage.check("create-defaults", body_is(may_have(DEFAULTS)), _CREATE, [calendar.made], field=name or "")
    if name:
        # That a reading says otherwise is the same fault once more.
        calendar.document = {**calendar.document, name: DEFAULTS[name]}


def _judge_times(stage: Stage, calendar: Calendar, answer: Exchange) -> None:
    """Whether a calendar's times are about now, which a write has just made them, and in order."""
    operation = _CREATE if answer is calendar.made else _PATCH
    made, moved = (read(calendar.document.get(name)) for name in ("created_at", "updated_at"))
    if made is None or moved is None:
        return
    now = answer.started * SECOND
    names = (("created_at", made), ("updated_at", moved)) if operation == _CREATE else (("updated_at", moved),)
    off = next((name for name, at in names if not now - _PATIENCE < at < now + _PATIENCE + answer.seconds * SECOND), "")
    plausible = stage.check(
        "time-plausible",
        about_now(*(f"/{name}" for name, _ in names), near=_PATIENCE // SECOND),
        operation,
        calendar.story() if operation == _PATCH else [answer],
        field=off,
    )
    if plausible and not stage.is_broken("patch-moves-updated-at", "time-plausible"):
        stage.check(
            "time-ordered",
            later("/created_at", "/updated_at", or_same=True),
            operation,
            calendar.story(),
            field="updated_at",
        )


def change(stage: Stage, number: int, shape: int) -> None:
    """A good change to one of the calendars, and that it changes no other."""
    calendar = stage.pick(number)
    if calendar is None:
        return
    body = stage.change(CHANGES[shape % len(CHANGES)](stage.target.tag()))
    answer = _patched(stage, calendar, body)
    found = answer.json
    story = calendar.story(answer)
    if not stage.check("patch-accepted", every(status(200), body_is(has({}))), _PATCH, story):
        stage.resume(calendar, stage.read(calendar.id))
        return
    before = stage.like(calendar, without=("updated_at", *(("metadata",) if "metadata" in body else ())))
    earlier, calendar.document, calendar.changed = calendar.copy(), dict(found), answer
    _judge_change(stage, earlier, before, body, found, story)
    _judge_times(stage, calendar, answer)
    stage.as_written(calendar, "patch-stored", _PATCH)
    other = stage.pick(number + 1)
    if other is not None and other is not calendar:
        stage.as_written(other, "stays-as-written", _PATCH, [answer])
    if stage.is_broken("stays-as-written", operation=_PATCH):
        for there in list(stage.model.calendars.values()):
            stage.resume(there, stage.read(there.id))


def _patched(stage: Stage, calendar: Calendar, body: Body) -> Exchange:
    """Changes a calendar, and again after a read where updated_at did not move.

    A sync moves it as well: between a creation and a change one would hide the defect from whoever takes the steps
    again, and hardly between a read and a change.
    """
    answer = stage.write("PATCH", calendar.id, body)
    story, moved = calendar.story(answer), later("/updated_at", "/updated_at", calendar.written)
    known = stage.is_broken("patch-moves-updated-at")
    if answer.status != 200 or known or not broken(moved, facts_of(story)):
        return answer
    stage.resume(calendar, stage.read(calendar.id))
    again = stage.write("PATCH", calendar.id, body)
    if again.status != 200 or not broken(
        later("/updated_at", "/updated_at", calendar.written), facts_of(calendar.story(again))
    ):
        stage.check("patch-moves-updated-at", moved, _PATCH, story, field="updated_at")
    return again


def _judge_change(
    stage: Stage, earlier: Calendar, as_before: Expectation, body: Body, found: Body, story: list[Exchange]
) -> None:
    before = earlier.document
    if "metadata" in body:
        stage.check("patch-replaces-metadata", member("/metadata", body["metadata"]), _PATCH, story, field="metadata")
    if read(before.get("updated_at")) is not None and read(found.get("updated_at")) is not None:
        moved = later("/updated_at", "/updated_at", earlier.written)
        stage.check("patch-moves-updated-at", moved, _PATCH, story, field="updated_at")
    if stage.is_broken("patch-stored", "patch-replaces-metadata"):
        return
    without = ("updated_at", *(("metadata",) if "metadata" in body else ()))
    name = difference(changed(before, body), found, live=stage.live, without=without)
    stage.check("patch-partial", as_before, _PATCH, story, field=name or "")


def refused_create(stage: Stage, kind: int) -> None:
    """A bad calendar, and that nothing of it stays: its key is neither found nor taken."""
    tag = stage.target.tag()
    name = sorted(BAD_CREATES)[kind % len(BAD_CREATES)]
    body = stage.body({"deduplication_key": tag}, BAD_CREATES[name](tag), tag=tag)
    answer = stage.post(body)
    if answer.status != 400:
        return
    shown = _rows(stage, tag)
    stage.check(
        "refused-create-nothing",
        where(status(400, of=answer), no_row({"deduplication_key": tag})),
        _CREATE,
        [answer, shown[0]],
    )
    for row in shown[1]:
        if row.get("deduplication_key") == tag:
            stage.strays.append((row["id"], "main"))
            return
    if kind % 3 == 0:
        create_body(stage, stage.body({"deduplication_key": tag}), "refused-create-nothing", [answer])


def _rows(stage: Stage, key: str) -> tuple[Exchange, list[Any]]:
    exchange = stage.get(address(CALENDAR_LIST, (("deduplication_key", key),)))
    return exchange, rows_in(exchange) if is_page(exchange) else []


def refused_change(stage: Stage, number: int, kind: int) -> None:
    """A change that is bad in part, and that no part of it is made."""
    calendar = stage.pick(number)
    if calendar is None:
        return
    name = sorted(BAD_CHANGES)[kind % len(BAD_CHANGES)]
    answer = stage.write("PATCH", calendar.id, stage.change(BAD_CHANGES[name](stage.target.tag())))
    if answer.status == 400:
        stage.as_written(calendar, "refused-patch-nothing", _PATCH, [answer])
    else:
        stage.resume(calendar, stage.read(calendar.id))


def read_only(stage: Stage, number: int, kind: int) -> None:
    """A change of a field that can only be read."""
    calendar = stage.pick(number)
    if calendar is None:
        return
    name = list(READ_ONLY)[kind % len(READ_ONLY)]
    value = "google" if calendar.document.get(name) == READ_ONLY[name] else READ_ONLY[name]
    answer = stage.write("PATCH", calendar.id, {name: value, **marked(stage.target.tag())})
    found = stage.read(calendar.id)
    set_to = (where(status(200, of=seen), never_so(member(f"/{name}", value, of=seen))) for seen in (answer, found))
    held = stage.check("read-only-fields", every(*set_to), _PATCH, calendar.story(answer, found), field=name)
    if held and answer.status == 400:
        stage.as_written(calendar, "refused-patch-nothing", _PATCH, [answer], found)
    else:
        stage.resume(calendar, found)


def delete(stage: Stage, number: int) -> None:
    """One calendar deleted: gone, unlisted, its key free again, and the others untouched."""
    calendar = stage.pick(number)
    if calendar is None:
        return
    answer = stage.write("DELETE", calendar.id)
    story = calendar.story(answer)
    if not stage.check("delete-accepted", status(200, 204), _DELETE, story):
        stage.resume(calendar, stage.read(calendar.id))
        return
    found = stage.read(calendar.id)
    gone = stage.check("delete-gone", never_so(status(200)), _DELETE, [*story, found])
    stage.drop(calendar)
    if not gone:
        stage.strays.append((calendar.id, "main"))
        return
    # Before anything new is created: only a calendar that was there at the deletion can show what it did to others.
    other = stage.pick(number)
    if other is not None:
        stage.as_written(other, "delete-others-stay", _DELETE, [answer])
    _judge_gone(stage, calendar, story)


def _judge_gone(stage: Stage, calendar: Calendar, story: list[Exchange]) -> None:
    listed = stage.get(CALENDARS)
    by_key = _rows(stage, calendar.key)[0] if calendar.key else listed
    for exchange in (listed, by_key):
        if not stage.check("delete-unlisted", lacks(calendar.id), _LIST, [*story, exchange]):
            return
    if calendar.key is not None:
        create_body(stage, stage.body({"deduplication_key": calendar.key}), "dedup-freed", story)


__all__ = ["SENT", "change", "create", "create_body", "delete", "read_only", "refused_change", "refused_create"]
