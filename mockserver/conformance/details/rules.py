"""The rules of what only shows off the usual path."""

from __future__ import annotations

from typing import Final

from mockserver.conformance.rules import Need, Rule, Severity

_READ: Final[frozenset[Need]] = frozenset({"read"})
_WRITE: Final[frozenset[Need]] = frozenset({"read", "write"})
_BETWEEN: Final[frozenset[Need]] = frozenset({"read", "other-key"})


def _rule(
    rule_id: str, sentence: str, source: str, severity: Severity = "medium", needs: frozenset[Need] = _READ
) -> Rule:
    return Rule(rule_id, "details", severity, sentence, source, needs)


RULES: tuple[Rule, ...] = (
    _rule(
        "html-answer",
        "A response in HTML has the status that it would have in JSON, and the type text/html; charset=utf-8.",
        "recordings: accept-errors",
    ),
    _rule(
        "page-rows-whole",
        "A row of a list, also on a later page, is the same as when it is read alone.",
        "openapi.yaml: CalendarPage, CalendarEventPage",
        "medium",
    ),
    _rule(
        "filter-walk",
        "A filter that every event matches leaves the pages as they are without it.",
        "openapi.yaml: listCalendarEvents",
        "medium",
    ),
    _rule(
        "filter-every-order",
        "A filter finds the same events in every ordering, sorted by it.",
        "openapi.yaml: EventOrdering",
        "medium",
    ),
    _rule(
        "filter-pairs",
        "Two filters find the events that each of them finds.",
        "openapi.yaml: listCalendarEvents",
        "medium",
    ),
    _rule(
        "write-times-ordered",
        "The times of writes have the order of the writes.",
        "openapi.yaml: createCalendar, updateCalendar",
        "medium",
        _WRITE,
    ),
    _rule(
        "value-large",
        "A value as large as the contract allows is accepted and stored whole.",
        "openapi.yaml: CalendarCreate, CalendarUpdate",
        "medium",
        _WRITE,
    ),
    _rule(
        "filter-large",
        "A filter finds a value as large as the contract allows.",
        "openapi.yaml: DeduplicationKey, CalendarDeduplicationKey",
        "medium",
        _WRITE,
    ),
    _rule(
        "metadata-limit",
        "The limit of metadata counts the characters of its JSON text in ASCII.",
        "openapi.yaml: Metadata; recordings: create-metadata-size",
        "medium",
        _WRITE,
    ),
    _rule(
        "metadata-name-order",
        "Names of metadata are sorted by their length, and those of one length by their bytes.",
        "openapi.yaml: StoredMetadata",
        "low",
        _WRITE,
    ),
    _rule(
        "field-error-order",
        "Invalid fields are reported in the order of the contract.",
        "openapi.yaml: createCalendar, updateCalendar",
        "low",
        _WRITE,
    ),
    _rule(
        "tenant-ids-hidden",
        "No response contains an id of another project's calendar or event.",
        "openapi.yaml: info, Projects and keys",
        "high",
        _BETWEEN,
    ),
    _rule(
        "tenant-404-alike",
        "The 404 for another project's calendar is that of one that does not exist, headers included.",
        "openapi.yaml: info, Projects and keys",
        "medium",
        _BETWEEN,
    ),
)
