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
    _rule("create-accepted", "high", "A good calendar is created, with 201.", _CREATE),
    _rule("create-echo", "high", "A new calendar has the fields that were sent, stripped where it is said.", _CREATE),
    _rule("create-defaults", "medium", "A new calendar is connected, without failures or syncs.", _CREATE),
    _rule("create-stored", "high", "A new calendar can be read at once, as it was answered.", _CREATE),
    _rule("time-plausible", "medium", "created_at and updated_at are the time of the request.", _CREATE),
    _rule("time-ordered", "medium", "updated_at is never before created_at.", _CREATE),
    _rule("listed-at-once", "high", "A new calendar is in the list at once, and found by its key.", _CREATE),
    _rule("list-fresh", "high", "The list shows calendars as they were last written.", "openapi.yaml, listCalendars"),
    _rule("patch-accepted", "high", "A good change is taken, with 200.", _PATCH),
    _rule("patch-replaces-metadata", "high", "Metadata is replaced as a whole by what is sent.", _PATCH),
    _rule("patch-partial", "high", "What a change leaves out stays as it is.", _PATCH),
    _rule("patch-moves-updated-at", "medium", "Each change that is taken moves updated_at on.", _PATCH),
    _rule("patch-stored", "high", "A change can be read at once, as it was answered.", _PATCH),
    _rule("read-only-fields", "high", "Fields that can only be read cannot be changed.", _PATCH),
    _rule("refused-create-nothing", "high", "A refused create leaves nothing behind.", _CREATE),
    _rule("refused-patch-nothing", "high", "A refused change changes nothing.", _PATCH),
    _rule("stays-as-written", "high", "A calendar stays as it is while nothing is done to it.", "openapi.yaml"),
    _rule("dedup-refused", "high", "A deduplication key that is taken is refused.", _DEDUP),
    _rule("dedup-stripped", "medium", "Keys are stripped before they are compared.", _DEDUP),
    _rule("dedup-exact", "medium", "Keys that differ in case, accents or inner blanks are different.", _DEDUP),
    _rule("dedup-freed", "high", "A deleted calendar's key is free again.", _DEDUP),
    _rule("dedup-per-project", "high", "Two projects can use the same key.", _DEDUP, "other-key"),
    _rule("delete-accepted", "high", "A calendar that is there can be deleted, with 200.", _DELETE),
    _rule("delete-gone", "high", "A deleted calendar can no longer be read.", _DELETE),
    _rule("delete-unlisted", "high", "A deleted calendar is neither listed nor found by its key.", _DELETE),
    _rule("delete-others-stay", "high", "Deleting a calendar leaves the others alone.", _DELETE),
    _rule("walk-stable-insert", "high", "A calendar created between two pages shifts no rows.", "cursors.json"),
    _rule("walk-stable-delete", "high", "A calendar deleted between two pages shifts no rows.", "cursors.json"),
    _rule("tenant-writes", "high", "Another project's key cannot change or delete a calendar.", _KEYS, "other-key"),
)
