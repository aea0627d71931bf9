"""Steps about deduplication keys and about other projects' keys."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

from mockserver.conformance.calendar_bodies import created_id, marked
from mockserver.conformance.checks.lifecycle.stage import Calendar, Stage
from mockserver.conformance.checks.lifecycle.writing import create, create_body
from mockserver.conformance.exchange import Exchange
from mockserver.conformance.expectations import every, never_so, same_member, status, where
from mockserver.conformance.run import Forbidden

_CREATE = "createCalendar"
SPELLINGS: tuple[Callable[[str], str], ...] = (
    lambda key: key.swapcase(),
    lambda key: key.upper(),
    lambda key: unicodedata.normalize("NFD", key),
    lambda key: f"{key}\u200b",
    lambda key: key.replace("-", "_"),
    lambda key: f"{key[:8]} {key[8:]}",
    lambda key: key[:-1],
    lambda key: f"\ufeff{key}",
    lambda key: key.replace("\u00e9", "e"),
    lambda key: key.replace("\u00e9", "\u00c9"),
    lambda key: key.replace("-", "\uff0d"),
    lambda key: f"\u2060{key}\u2060",
    lambda key: f"{key}\u0301",
    lambda key: key.replace("\U0001f600", "\U0001f601"),
)


def keyed(stage: Stage) -> list[Calendar]:
    """The calendars with a key that is not too long for more to be put to it."""
    return [c for c in stage.model.calendars.values() if c.key is not None and len(c.key) < 1000]


def _keyed(stage: Stage, number: int) -> Calendar | None:
    """One of the calendars with a key; one is made where there is none."""
    there = keyed(stage)
    return there[number % len(there)] if there else create(stage, 2 + number % 2)


def duplicate(stage: Stage, number: int, padding: int) -> None:
    """A second calendar with a key that is taken, as it is or with blanks around it."""
    calendar = _keyed(stage, number)
    if calendar is None or calendar.key is None:
        return
    pad = ("", " ", "\t", "\u3000", "\n")[padding % 5]
    if pad and stage.is_broken("dedup-refused"):
        return
    answer = stage.post(stage.body({"deduplication_key": f"{pad}{calendar.key}{pad}"}))
    stage.check(
        "dedup-stripped" if pad else "dedup-refused", never_so(status(200, 201)), _CREATE, [calendar.made, answer]
    )
    stage.strays = [stray for stray in stage.strays if stray[0] != calendar.id] + [(calendar.id, "main")]
    stage.as_written(calendar, "refused-create-nothing", _CREATE, [answer])


def spelling(stage: Stage, number: int, how: int) -> None:
    """A second calendar with a key that is spelt a little differently."""
    calendar = _keyed(stage, number)
    if calendar is None or calendar.key is None:
        return
    if stage.is_broken("create-echo", operation=_CREATE, field="deduplication_key"):
        return
    key = SPELLINGS[how % len(SPELLINGS)](calendar.key)
    if key.strip() and key.strip() != calendar.key and stage.model.by_key(key.strip()) is None:
        create_body(stage, stage.body({"deduplication_key": key}), "dedup-exact", [calendar.made])


def stranger(stage: Stage, number: int, what: int) -> None:
    """The other project's key on a calendar of ours: it is not there."""
    calendar = stage.pick(number)
    if calendar is None or not stage.target.other_key:
        return
    method = ("PATCH", "DELETE")[what % 2]
    body = marked(stage.target.tag()) if method == "PATCH" else None
    before = stage.read(calendar.id)
    try:
        answer = stage.write(method, calendar.id, body, key="other")
    except Forbidden:
        stage.unobservable("tenant-writes", "the run may not write with the other key")
        return
    found = stage.read(calendar.id)
    operation = "updateCalendar" if method == "PATCH" else "deleteCalendar"
    refused = never_so(status(200, 204, of=answer))
    if answer.status in (200, 204):
        stage.check("tenant-writes", refused, operation, calendar.story(answer))
    else:
        untouched = where(status(200, of=before), every(status(200), same_member("/metadata", before)))
        stage.check("tenant-writes", every(refused, untouched), operation, calendar.story(before, answer, found))
    stage.resume(calendar, found)


def same_key_elsewhere(stage: Stage, number: int) -> None:
    """The other project makes a calendar with a key of ours, and takes it down again."""
    calendar = _keyed(stage, number)
    if calendar is None or calendar.key is None or not stage.target.other_key:
        return
    try:
        answer: Exchange = stage.post(stage.body({"deduplication_key": calendar.key}), key="other")
    except Forbidden:
        stage.unobservable("dedup-per-project", "the run may not write with the other key")
        return
    stage.check("dedup-per-project", status(201), _CREATE, [calendar.made, answer])
    stage.as_written(calendar, "stays-as-written", _CREATE, [answer])
    made = created_id(answer)
    if made is not None:
        stage.write("DELETE", made, key="other")
        stage.strays = [stray for stray in stage.strays if stray[0] != made]
