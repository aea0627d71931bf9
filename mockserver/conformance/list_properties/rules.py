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
    _rule("page-none-lost", "high", "Following `next` to the end leaves no row out.", _CURSORS),
    _rule("page-each-once", "high", "Following `next` to the end shows no row twice.", _CURSORS),
    _rule("page-ties", "high", "Rows with equal times are neither lost nor shown twice where pages meet.", _CURSORS),
    _rule("page-back", "high", "Following `previous` leads over the same rows, each once, to the start.", _CURSORS),
    _rule(
        "page-back-ties", "high", "Following `previous`, rows with equal times are neither lost nor repeated.", _CURSORS
    ),
    _rule(
        "page-next-after-previous",
        "medium",
        "`next` of a page that `previous` led to leads on to where one was.",
        _CURSORS,
    ),
    _rule(
        "page-full", "medium", "A page that more rows follow has 25 calendars or 100 events, none has more.", _CURSORS
    ),
    _rule("page-ends", "medium", "A link is null where no rows follow.", _CURSORS),
    _rule("page-first", "medium", "The first page has no `previous`.", _CURSORS),
    _rule("page-link-leads", "high", "The service takes the links that it gave.", _CURSORS),
    _rule("cursor-position", "low", "A cursor's position means the same beside other parameters.", "cursors.json"),
    _rule("calendars-newest-first", "high", "Calendars come latest created first.", "openapi.yaml, listCalendars"),
    _rule("events-order", "high", "Events come in the order asked for, within and across pages.", _FILTERS, _EVENTS),
    _rule("events-default-order", "high", "Events come latest updated first by default.", _FILTERS, _EVENTS),
    _rule("order-same-set", "high", "Every ordering shows the same rows.", _FILTERS, _EVENTS),
    _rule("filter-taken", "medium", "Values that the contract allows are taken.", _FILTERS),
    _rule("filter-time", "high", "A time filter shows every event in its range and no other.", _FILTERS, _EVENTS),
    _rule("filter-boundary", "high", "Bounds are included, to the microsecond.", _TIMES, _EVENTS),
    _rule("filter-fraction", "medium", "A fraction may have one to twelve digits; six count.", _TIMES, _EVENTS),
    _rule("filter-zone", "high", "A filter's offset from UTC counts.", _TIMES, _EVENTS),
    _rule("filter-loose-time", "medium", "A time without a zone is UTC, a date its midnight.", _TIMES, _EVENTS),
    _rule("filter-alias", "medium", "updated_after means updated_at_gte and yields to it.", _FILTERS, _EVENTS),
    _rule("filter-text", "high", "A text filter shows all that has the text and nothing else.", _FILTERS),
    _rule("filter-unknown", "high", "A text that nothing has, and the empty text, find nothing.", _FILTERS),
    _rule("filter-spelling", "high", "A text filter compares exactly: case, blanks, accents, patterns.", _FILTERS),
    _rule("filter-combined", "high", "Of several filters every one counts.", _FILTERS, _EVENTS),
    _rule("filter-with-order", "high", "Filters count in every ordering and on every page.", _FILTERS, _EVENTS),
    _rule(
        "parts-make-whole",
        "high",
        "What a filter shows, the whole list shows too, if deleted or not.",
        _FILTERS,
        _EVENTS,
    ),
    _rule(
        "event-has-calendar", "medium", "Every event's calendar can be read.", "openapi.yaml, deleteCalendar", _EVENTS
    ),
    _rule("list-is-detail", "high", "A calendar in the list is as it is when read alone.", "recorded: get-calendar"),
    _rule("list-repeats", "medium", "A list read twice shows the same rows in the same order.", _CURSORS),
    _rule("read-changes-nothing", "high", "Reading changes nothing.", "openapi.yaml; recorded: get-calendar"),
    _rule("tenant-lists", "high", "No calendar or event is listed for two projects.", _KEYS, _OTHER),
    _rule("tenant-get", "high", "A project's calendar cannot be read with another's key.", _KEYS, _OTHER),
    _rule("tenant-filters", "high", "No filter shows what another project has.", _KEYS, _OTHER),
    _rule("tenant-cursor", "high", "A cursor shows nothing of the project that it was given to.", _KEYS, _OTHER),
)
