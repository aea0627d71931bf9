"""The rules that journeys test."""

from __future__ import annotations

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
