"""The rules of journeys, and every step once, as it is written down: what is wrong in a simple way shows here."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from mockserver.conformance.checks import IF_SHORT, Check, Steps, check
from mockserver.conformance.checks.lifecycle import keys, listing, writing
from mockserver.conformance.checks.lifecycle.stage import Stage, Throttled
from mockserver.conformance.checks.lifecycle.writing import BAD_CHANGES, BAD_CREATES, CHANGES, CREATES, READ_ONLY
from mockserver.conformance.rules import Need, Rule, Severity

_CREATE = "openapi.yaml, createCalendar; recorded: create-*"
_PATCH = "openapi.yaml, updateCalendar; recorded: patch-*"
_DELETE = "openapi.yaml, deleteCalendar; recorded: delete-*"
_DEDUP = "openapi.yaml, CalendarCreate.deduplication_key; recorded: create-dedup-*"
_KEYS = "openapi.yaml, Projects and keys; recorded: isolation"


def _rule(name: str, severity: Severity, sentence: str, source: str, *needs: Need) -> Rule:
    return Rule(name, "journeys", severity, sentence, source, frozenset({"write", *needs}))


RULES: tuple[Rule, ...] = (
    _rule("create-accepted", "high", "A valid calendar is created, with status 201.", _CREATE),
    _rule(
        "create-echo",
        "high",
        "A new calendar has the fields that were sent, without white space at both ends where the contract says so.",
        _CREATE,
    ),
    _rule("create-defaults", "medium", "A new calendar is connected, and has no failures and no syncs.", _CREATE),
    _rule(
        "create-stored",
        "high",
        "A new calendar can be read at once, and is the same as in the response to its creation.",
        _CREATE,
    ),
    _rule("time-plausible", "medium", "created_at and updated_at are the time of the request.", _CREATE),
    _rule("time-ordered", "medium", "updated_at is never before created_at.", _CREATE),
    _rule(
        "listed-at-once", "high", "A new calendar is in the list at once, and its deduplication key finds it.", _CREATE
    ),
    _rule("list-fresh", "high", "The list shows the latest state of every calendar.", "openapi.yaml, listCalendars"),
    _rule("patch-accepted", "high", "A valid change is accepted, with status 200.", _PATCH),
    _rule("patch-replaces-metadata", "high", "PATCH replaces metadata as a whole.", _PATCH),
    _rule("patch-partial", "high", "Fields that a PATCH leaves out keep their value.", _PATCH),
    _rule("patch-moves-updated-at", "medium", "Every accepted PATCH increases updated_at.", _PATCH),
    _rule(
        "patch-stored", "high", "A change can be read at once, and is the same as in the response to the PATCH.", _PATCH
    ),
    _rule("read-only-fields", "high", "Read-only fields cannot be changed.", _PATCH),
    _rule("refused-create-nothing", "high", "A rejected create creates nothing.", _CREATE),
    _rule("refused-patch-nothing", "high", "A rejected PATCH changes nothing.", _PATCH),
    _rule("stays-as-written", "high", "A calendar stays the same while no request changes it.", "openapi.yaml"),
    _rule("dedup-refused", "high", "A deduplication key in use is rejected.", _DEDUP),
    _rule(
        "dedup-stripped",
        "medium",
        "White space at both ends of a deduplication key is removed before keys are compared.",
        _DEDUP,
    ),
    _rule(
        "dedup-exact",
        "medium",
        "Deduplication keys that differ in case, accents or inner spaces are different.",
        _DEDUP,
    ),
    _rule("dedup-freed", "high", "The deduplication key of a deleted calendar can be used again.", _DEDUP),
    _rule("dedup-per-project", "high", "Two projects can use the same deduplication key.", _DEDUP, "other-key"),
    _rule("delete-accepted", "high", "An existing calendar can be deleted, with status 200.", _DELETE),
    _rule("delete-gone", "high", "A deleted calendar can no longer be read.", _DELETE),
    _rule(
        "delete-unlisted",
        "high",
        "A deleted calendar is not in the list, and its deduplication key does not find it.",
        _DELETE,
    ),
    _rule("delete-others-stay", "high", "Deleting a calendar does not change other calendars.", _DELETE),
    _rule("walk-stable-insert", "high", "Creating a calendar between two pages shifts no rows.", "cursors.json"),
    _rule("walk-stable-delete", "high", "Deleting a calendar between two pages shifts no rows.", "cursors.json"),
    _rule("tenant-writes", "high", "A key of another project cannot change or delete a calendar.", _KEYS, "other-key"),
)

_Act: TypeAlias = Callable[[Stage], Steps]
_USED_UP = "the project has used up its POSTs of this minute"
_PLAIN, _KEYED, _CAFE = 0, 2, 3
_ODD_KEYS = (3, 4, 5, 11, 12)
"""Shapes of new calendars: without a key, with one, and with one that has an accent."""


def _step(
    *rules: str,
    cost: int,
    needs: tuple[Need, ...] = (),
    after: tuple[Check, ...] = (),
    least: int = 0,
    apart: bool = True,
) -> Callable[[_Act], Check]:
    """Makes a function that plays on the shared stage a check."""

    def registered(act: _Act) -> Check:
        @check(
            *rules,
            context=Stage,
            cost=cost,
            needs=("write", *needs),
            after=after,
            least=least,
            apart=apart,
            stage="journeys",
        )
        def acted(stage: Stage) -> Steps:
            steps = act(stage)
            try:
                while not isinstance(mark := next(steps, stage), Stage):
                    yield mark
                    # What there was may have been deleted meanwhile.
                    _two(stage)
            except Throttled:
                for rule in rules:
                    stage.unobservable(rule, _USED_UP)

        return acted

    return registered


def _one(stage: Stage) -> None:
    """Sees to it that there is a calendar with a key."""
    if stage.pick(0) is None:
        writing.create(stage, _KEYED)


def _two(stage: Stage) -> None:
    """Sees to it that there are two calendars, one of them with a key."""
    _one(stage)
    if len(stage.model.calendars) < 2:
        writing.create(stage, _PLAIN)


@_step(
    "create-accepted",
    "create-echo",
    "create-defaults",
    "create-stored",
    "time-plausible",
    "time-ordered",
    cost=2,
)
def creates(stage: Stage) -> Steps:
    """All shapes of new calendars."""
    for shape in (_KEYED, *(shape for shape in range(len(CREATES)) if shape != _KEYED)):
        writing.create(stage, shape)
        yield


@_step("listed-at-once", "list-fresh", cost=2, after=(creates,))
def lists(stage: Stage) -> Steps:
    """New calendars in the list, and by their keys."""
    _one(stage)
    listing.listed(stage)
    listing.found_by_key(stage, 0)
    yield
    for shape in _ODD_KEYS:
        writing.create(stage, shape)
        listing.found_by_key(stage, -1)
        yield


@_step(
    "patch-accepted",
    "patch-replaces-metadata",
    "patch-partial",
    "patch-moves-updated-at",
    "patch-stored",
    "stays-as-written",
    "time-plausible",
    "time-ordered",
    "list-fresh",
    cost=8,
    least=2,
    after=(creates,),
)
def changes(stage: Stage) -> Steps:
    """All shapes of changes, of one calendar and of several."""
    _one(stage)
    # The second has not the keys of the first: it shows whether metadata is replaced.
    writing.change(stage, 0, 1)
    yield IF_SHORT
    writing.change(stage, 0, 2)
    yield
    for shape in (0, 3, 0):
        writing.change(stage, 0, shape)
        yield
    listing.listed(stage)
    listing.found_by_key(stage, 0)
    yield
    for shape in range(len(CHANGES)):
        writing.change(stage, shape, shape)
        yield
    listing.listed(stage)
    yield


@_step("tenant-writes", cost=3, needs=("other-key",), after=(creates,))
def strangers(stage: Stage) -> Steps:
    """The other project's key on calendars of ours."""
    _one(stage)
    for what in (0, 1):
        keys.stranger(stage, 0, what)
        yield


@_step("dedup-refused", "dedup-stripped", "refused-create-nothing", cost=4, least=2, after=(creates,))
def duplicates(stage: Stage) -> Steps:
    """Keys that are taken."""
    for padding, mark in ((0, IF_SHORT), (1, None), (3, None)):
        keys.duplicate(stage, 0, padding)
        yield mark


@_step("dedup-exact", cost=4, after=(creates, duplicates))
def spellings(stage: Stage) -> Steps:
    """Keys that only look taken."""
    made = None
    for how in range(len(keys.SPELLINGS)):
        if made is None or made.id not in stage.model.calendars:
            made = writing.create(stage, _CAFE)
        if made is not None:
            keys.spelling(stage, keys.keyed(stage).index(made), how)
        yield


@_step("dedup-per-project", "stays-as-written", cost=3, needs=("other-key",), after=(creates,))
def elsewhere(stage: Stage) -> Steps:
    """A key of ours in the other project."""
    keys.same_key_elsewhere(stage, 0)
    yield


@_step("walk-stable-insert", "walk-stable-delete", cost=7, after=(creates,), apart=False)
def walks(stage: Stage) -> Steps:
    """A list that changes between two pages."""
    listing.walk_while_deleting(stage, listing.walk_while_inserting(stage))
    yield


@_step("refused-create-nothing", cost=2, after=(creates,))
def refused_creates(stage: Stage) -> Steps:
    """New calendars that are refused."""
    for kind in range(len(BAD_CREATES)):
        writing.refused_create(stage, kind)
        yield


@_step("refused-patch-nothing", cost=2, after=(creates,))
def refused_changes(stage: Stage) -> Steps:
    """Changes that are refused."""
    _one(stage)
    for kind in range(len(BAD_CHANGES)):
        writing.refused_change(stage, 0, kind)
        yield


@_step("read-only-fields", "refused-patch-nothing", cost=2, after=(creates,))
def read_only(stage: Stage) -> Steps:
    """Changes of what can only be read."""
    _one(stage)
    for kind in range(len(READ_ONLY)):
        writing.read_only(stage, 0, kind)
        yield
    listing.listed(stage)


@_step(
    "delete-accepted",
    "delete-gone",
    "delete-unlisted",
    "delete-others-stay",
    "dedup-freed",
    cost=9,
    after=(creates, changes),
)
def deletes(stage: Stage) -> Steps:
    """One calendar of several goes: first one that the first page shows, with a key, then the oldest."""
    _one(stage)
    made = writing.create(stage, _KEYED)
    if made is not None:
        writing.delete(stage, list(stage.model.calendars).index(made.id))
    yield
    writing.delete(stage, 0)
    listing.listed(stage)


CHECKS = (
    creates,
    lists,
    changes,
    strangers,
    duplicates,
    spellings,
    elsewhere,
    walks,
    refused_creates,
    refused_changes,
    read_only,
    deletes,
)
