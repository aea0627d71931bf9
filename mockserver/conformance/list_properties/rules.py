"""The rules that the laws test."""

from __future__ import annotations

from mockserver.conformance.rules import Need, Rule, Severity

_CURSORS = "openapi.yaml, Cursors; recorded: list-calendars-walk, list-events-walk, cursors.json"
_FILTERS = "openapi.yaml, listCalendarEvents.parameters; recorded: list-events-filter"
_TIMES = "openapi.yaml, FilterTime; recorded: timestamps.json, list-events-timestamps"
_KEYS = "openapi.yaml, Projects and keys; recorded: isolation"


def _rule(
    name: str, severity: Severity, sentence: str, source: str, needs: frozenset[Need] = frozenset({"read"})
) -> Rule:
    return Rule(name, "laws", severity, sentence, source, needs)


_EVENTS: frozenset[Need] = frozenset({"read", "events"})
_OTHER: frozenset[Need] = frozenset({"read", "other-key"})

RULES: tuple[Rule, ...] = (
    _rule("page-none-lost", "high", "Following `next` to the end skips no row.", _CURSORS),
    _rule("page-each-once", "high", "Following `next` to the end shows no row twice.", _CURSORS),
    _rule(
        "page-ties",
        "high",
        "Rows with equal times are neither skipped nor repeated at the boundary of two pages.",
        _CURSORS,
    ),
    _rule(
        "page-back", "high", "Following `previous` shows the same rows, each once, back to the first page.", _CURSORS
    ),
    _rule("page-back-ties", "high", "Following `previous` neither skips nor repeats rows with equal times.", _CURSORS),
    _rule(
        "page-next-after-previous",
        "medium",
        "After `previous`, `next` leads back to the page from which `previous` was followed.",
        _CURSORS,
    ),
    _rule(
        "page-full", "medium", "Every page but the last has 25 calendars or 100 events, and no page has more.", _CURSORS
    ),
    _rule("page-ends", "medium", "A link is null if no rows follow.", _CURSORS),
    _rule("page-first", "medium", "The first page has no `previous`.", _CURSORS),
    _rule("page-link-leads", "high", "The service accepts the page links that it returned.", _CURSORS),
    _rule(
        "cursor-position",
        "low",
        "A cursor points to the same position when the request has other parameters.",
        "cursors.json",
    ),
    _rule(
        "calendars-newest-first",
        "high",
        "Calendars are listed by created_at, the newest first.",
        "openapi.yaml, listCalendars",
    ),
    _rule(
        "events-order", "high", "Events are in the requested order, within a page and across pages.", _FILTERS, _EVENTS
    ),
    _rule(
        "events-default-order",
        "high",
        "By default, events are listed by updated_at, the latest first.",
        _FILTERS,
        _EVENTS,
    ),
    _rule("order-same-set", "high", "Every ordering shows the same rows.", _FILTERS, _EVENTS),
    _rule("filter-taken", "medium", "Filter values that the contract allows are accepted.", _FILTERS),
    _rule("filter-time", "high", "A time filter shows every event in its range and no other.", _FILTERS, _EVENTS),
    _rule("filter-boundary", "high", "The limits of a time filter are inclusive, to the microsecond.", _TIMES, _EVENTS),
    _rule(
        "filter-fraction",
        "medium",
        "A time may have one to twelve digits after the second; the first six count.",
        _TIMES,
        _EVENTS,
    ),
    _rule("filter-zone", "high", "The UTC offset of a time filter is applied.", _TIMES, _EVENTS),
    _rule("filter-loose-time", "medium", "A time without a zone is UTC, and a date is its midnight.", _TIMES, _EVENTS),
    _rule(
        "filter-alias",
        "medium",
        "updated_after means updated_at_gte, and is ignored if both are given.",
        _FILTERS,
        _EVENTS,
    ),
    _rule("filter-text", "high", "A text filter shows every row with this text and no other.", _FILTERS),
    _rule(
        "filter-unknown", "high", "A filter for a text that no row has, or for the empty text, finds nothing.", _FILTERS
    ),
    _rule("filter-spelling", "high", "A text filter compares exactly: case, spaces, accents, wildcards.", _FILTERS),
    _rule("filter-combined", "high", "If a request has several filters, all of them apply.", _FILTERS, _EVENTS),
    _rule("filter-with-order", "high", "Filters apply in every ordering and on every page.", _FILTERS, _EVENTS),
    _rule(
        "parts-make-whole",
        "high",
        "Every event that a filter shows is also in the whole list, deleted or not.",
        _FILTERS,
        _EVENTS,
    ),
    _rule(
        "event-has-calendar", "medium", "Every event's calendar can be read.", "openapi.yaml, deleteCalendar", _EVENTS
    ),
    _rule(
        "list-is-detail",
        "high",
        "A calendar is the same in the list and when it is read by its id.",
        "recorded: get-calendar",
    ),
    _rule("list-repeats", "medium", "A list read twice shows the same rows in the same order.", _CURSORS),
    _rule("read-changes-nothing", "high", "Reading changes nothing.", "openapi.yaml; recorded: get-calendar"),
    _rule("tenant-lists", "high", "No calendar or event is listed for two projects.", _KEYS, _OTHER),
    _rule("tenant-get", "high", "A key of another project cannot read a calendar.", _KEYS, _OTHER),
    _rule("tenant-filters", "high", "No filter shows rows of another project.", _KEYS, _OTHER),
    _rule(
        "tenant-cursor",
        "high",
        "With a key of another project, a cursor shows only rows of that other project.",
        _KEYS,
        _OTHER,
    ),
)
