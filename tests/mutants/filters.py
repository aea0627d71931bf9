"""Mutants whose filters or orders are wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mockserver.api.request import App
from mockserver.app import Mock
from mockserver.domain.model import CalendarEvent
from mockserver.domain.pagination import Cursor, Listing, paginate
from mockserver.domain.queries import EventQuery, event_listing
from mockserver.domain.store import Project
from mockserver.domain.timestamps import SECOND, parse
from tests.mutants.altering import CalendarPage, EventPage, ListCalendars, ListEvents, asked, calendar_pages
from tests.mutants.altering import event_pages as _event_pages
from tests.mutants.altering import events as _events
from tests.mutants.mutant import Mutant

_DAY = 86_400 * SECOND
_TIMES = ("updated_at_gte", "start_time_gte", "end_time_lte")
Change = Callable[[EventQuery], EventQuery]


def _query(change: Change) -> Callable[[Mock], App]:
    return lambda mock: _events(mock, lambda query, project: change(query))


def _shifted(**by: int) -> Change:
    """Bounds moved by so many microseconds."""

    def change(query: EventQuery) -> EventQuery:
        moved = {name: getattr(query, name) + micros for name, micros in by.items() if getattr(query, name) is not None}
        return query._replace(**moved)

    return change


def _floored(to: int, *names: str) -> Change:
    def change(query: EventQuery) -> EventQuery:
        floored: dict[str, Any] = {name: at // to * to for name in names if (at := getattr(query, name)) is not None}
        return query._replace(**floored)

    return change


def _without(names: str, beside: str, *, least: int = 1) -> Change:
    """Filters that do not count when another is given; `least`: how many others have to be."""

    def change(query: EventQuery) -> EventQuery:
        given = [name for name in (*_TIMES, "event_id", "calendar_id") if getattr(query, name) is not None]
        if getattr(query, beside) is None or len(given) <= least:
            return query
        cleared: dict[str, Any] = dict.fromkeys(names.split())
        return query._replace(**cleared)

    return change


def _read_anew(reread: Callable[[str], str], *names: str) -> Change:
    """Time filters whose text is taken for another one."""

    def change(query: EventQuery) -> EventQuery:
        texts = {name: asked().get(name) for name in names}
        read: dict[str, Any] = {name: parse(reread(text)) for name, text in texts.items() if text}
        return query._replace(**read)

    return change


def _no_offset(text: str) -> str:
    return text[:-6] + "Z" if text[-6:-5] in ("+", "-") and ":" in text[-3:] else text


def _turned_offset(text: str) -> str:
    return (
        text[:-6] + {"+": "-", "-": "+"}[text[-6]] + text[-5:] if text[-6:-5] in ("+", "-") and len(text) > 16 else text
    )


def _naive_as_local(text: str) -> str:
    return text + "+02:00" if len(text) > 10 and not text.endswith("Z") and text[-6] not in "+-" else text


def _date_as_evening(text: str) -> str:
    return text + "T23:59:59.999999Z" if len(text) == 10 else text


def _short_fraction(text: str) -> str:
    whole, dot, rest = text.partition(".")
    digits = rest.rstrip("Z")
    return f"{whole}.{digits.rjust(6, '0')}Z" if dot and rest.endswith("Z") and len(digits) < 6 else text


def _rounded(text: str) -> str:
    whole, dot, rest = text.partition(".")
    if not dot or len(rest) < 8 or not rest.endswith("Z"):
        return text
    return f"{whole}.{min(int(rest[:6]) + (rest[6] >= '5'), 999_999):06}Z"


def _other_text(name: str, take: Callable[[Project, str], str | None]) -> Callable[[Mock], App]:
    """A text filter that takes the text for another one; None: is ignored."""

    def change(query: EventQuery, project: Project) -> EventQuery:
        text = getattr(query, name)
        taken: dict[str, Any] = {name: None if text is None else take(project, text)}
        return query._replace(**taken)

    return lambda mock: _events(mock, change)


def _key_like(test: Callable[[str, str], bool]) -> Callable[[Project, str], str | None]:
    def take(project: Project, text: str) -> str | None:
        keys = [c.deduplication_key for c in project.state.calendars if c.deduplication_key]
        return next((key for key in keys if key == text), next((key for key in keys if test(key, text)), text))

    return take


def _id_like(test: Callable[[str, str], bool]) -> Callable[[Project, str], str | None]:
    def take(project: Project, text: str) -> str | None:
        return next((c.id for c in project.state.calendars if test(c.id, text)), text)

    return take


def _calendar_key(take: Callable[[Project, str], str | None]) -> Callable[[Mock], App]:
    def change(real: ListCalendars, project: Project, cursor: Cursor, key: str | None) -> CalendarPage:
        return real(project, cursor, key if key is None else take(project, key))

    return lambda mock: calendar_pages(mock, change)


def _hiding(hides: Callable[[EventQuery, CalendarEvent], bool]) -> Callable[[Mock], App]:
    """Events that are not found although they belong there."""

    def change(real: ListEvents, project: Project, query: EventQuery, cursor: Cursor) -> EventPage:
        listing = event_listing(project.state, query, 100)
        rows = [event for event in listing.walk(Cursor()) if not hides(query, event)]
        index = project.state.events_by[query.order].of(rows)
        return paginate(Listing(index, listing.position, ascending=query.ascending), cursor, 100)

    return lambda mock: _event_pages(mock, change)


def _is_plain(query: EventQuery) -> bool:
    return not any((query.event_id, query.calendar_id, query.calendar_deduplication_key))


def _default_order(query: EventQuery) -> EventQuery:
    return query if "ordering" in asked() else query._replace(order="created_at")


def _wrong_way(order: str, *, ascending: bool) -> Change:
    def change(query: EventQuery) -> EventQuery:
        hit = query.order == order and query.ascending is ascending
        return query._replace(ascending=not ascending) if hit else query

    return change


def _compares(name: str, own: str, other: str) -> Callable[[Mock], App]:
    """A filter that looks at another time of the event than it should."""

    def apply(mock: Mock) -> App:
        def change(query: EventQuery, project: Project) -> EventQuery:
            bound = getattr(query, name)
            if bound is None or query.event_id is not None:
                return query
            lower = name.endswith("gte")
            hits = [
                e for e in project.state.events if (getattr(e, other) >= bound if lower else getattr(e, other) <= bound)
            ]
            edge = (min if lower else max)((getattr(e, own) for e in hits), default=bound)
            return query._replace(**{name: edge})

        return _events(mock, change)

    return apply


def _old_name(query: EventQuery) -> EventQuery:
    text = asked().get("updated_after")
    at = parse(text) if text else None
    return query if at is None else query._replace(updated_at_gte=at)


def _mutant(slug: str, defect: str, apply: Callable[[Mock], App]) -> Mutant:
    return Mutant(slug, "filters", defect, apply)


MUTANTS: tuple[Mutant, ...] = (
    _mutant("updated-at-gte-excludes-equal", "updated_at_gte excludes equality", _query(_shifted(updated_at_gte=1))),
    _mutant("end-time-lte-excludes-equal", "end_time_lte excludes equality", _query(_shifted(end_time_lte=-1))),
    _mutant("start-time-gte-excludes-equal", "start_time_gte excludes equality", _query(_shifted(start_time_gte=1))),
    _mutant(
        "start-time-gte-includes-microsecond-before",
        "start_time_gte is a microsecond too generous",
        _query(_shifted(start_time_gte=-1)),
    ),
    _mutant(
        "start-time-gte-compares-dates", "start_time_gte compares dates only", _query(_floored(_DAY, "start_time_gte"))
    ),
    _mutant(
        "end-time-lte-ignored-with-start-time-gte",
        "end_time_lte is ignored beside start_time_gte",
        _query(_without("end_time_lte", "start_time_gte")),
    ),
    _mutant(
        "calendar-id-ignored-with-start-time-gte",
        "calendar_id is ignored beside start_time_gte",
        _query(_without("calendar_id", "start_time_gte")),
    ),
    _mutant(
        "updated-at-gte-ignored-with-two-filters",
        "of three filters updated_at_gte is ignored",
        _query(_without("updated_at_gte", "end_time_lte", least=2)),
    ),
    _mutant(
        "calendar-id-ignored-with-event-id",
        "event_id makes calendar_id not count",
        _query(_without("calendar_id", "event_id")),
    ),
    _mutant(
        "calendar-dedup-key-matches-prefix",
        "calendar_deduplication_key matches prefixes",
        _other_text("calendar_deduplication_key", _key_like(lambda key, text: bool(text) and key.startswith(text))),
    ),
    _mutant(
        "calendar-dedup-key-ignores-case",
        "calendar_deduplication_key ignores case",
        _other_text("calendar_deduplication_key", _key_like(lambda key, text: key.lower() == text.lower())),
    ),
    _mutant(
        "calendar-dedup-key-stripped",
        "calendar_deduplication_key is stripped",
        _other_text("calendar_deduplication_key", lambda project, text: text.strip()),
    ),
    _mutant("event-id-ignored", "event_id is ignored", _other_text("event_id", lambda project, text: None)),
    _mutant(
        "unknown-calendar-id-lists-everything",
        "an unknown calendar_id returns everything",
        _other_text("calendar_id", lambda project, text: text if text in project.state.calendars else None),
    ),
    _mutant(
        "calendar-id-ignores-case",
        "calendar_id ignores case",
        _other_text("calendar_id", _id_like(lambda name, text: name.lower() == text.lower())),
    ),
    _mutant(
        "empty-event-id-lists-everything",
        "an empty event_id returns everything",
        _other_text("event_id", lambda project, text: text or None),
    ),
    _mutant(
        "deleted-events-hidden-without-calendar-id",
        "deleted events are hidden, unless their calendar is asked for",
        _hiding(lambda query, event: event.is_deleted and _is_plain(query)),
    ),
    _mutant(
        "deleted-events-hidden-with-updated-at-gte",
        "deleted events are hidden when updated_at_gte is given",
        _hiding(lambda query, event: event.is_deleted and query.updated_at_gte is not None),
    ),
    _mutant(
        "filter-ignores-utc-offset", "the UTC offset in a filter is ignored", _query(_read_anew(_no_offset, *_TIMES))
    ),
    _mutant(
        "end-time-lte-ignores-utc-offset",
        "the UTC offset in end_time_lte is ignored",
        _query(_read_anew(_no_offset, "end_time_lte")),
    ),
    _mutant(
        "filter-negates-utc-offset",
        "the UTC offset in a filter counts the wrong way",
        _query(_read_anew(_turned_offset, *_TIMES)),
    ),
    _mutant(
        "updated-after-ignored",
        "updated_after is ignored",
        _query(lambda query: query if asked().get("updated_at_gte") else query._replace(updated_at_gte=None)),
    ),
    _mutant(
        "updated-after-excludes-equal",
        "updated_after excludes equality",
        _query(lambda query: query if asked().get("updated_at_gte") else _shifted(updated_at_gte=1)(query)),
    ),
    _mutant("updated-after-wins-over-updated-at-gte", "updated_after wins over updated_at_gte", _query(_old_name)),
    _mutant(
        "dedup-key-filter-ignores-case",
        "deduplication_key ignores case",
        _calendar_key(_key_like(lambda key, text: key.lower() == text.lower())),
    ),
    _mutant(
        "empty-dedup-key-lists-all",
        "an empty deduplication_key returns all",
        _calendar_key(lambda project, text: text or None),
    ),
    _mutant(
        "unknown-dedup-key-lists-all",
        "an unknown deduplication_key returns all",
        _calendar_key(lambda project, text: text if text in project.state.calendar_ids or not text else None),
    ),
    _mutant(
        "start-time-descending-sorts-ascending",
        "-start_time sorts ascending",
        _query(_wrong_way("start_time", ascending=False)),
    ),
    _mutant(
        "created-at-sorts-descending", "created_at sorts descending", _query(_wrong_way("created_at", ascending=True))
    ),
    _mutant("default-order-is-created-at", "the default order is created_at", _query(_default_order)),
    _mutant("filter-ignores-microseconds", "microseconds in a filter are ignored", _query(_floored(SECOND, *_TIMES))),
    _mutant(
        "updated-at-gte-cut-to-milliseconds",
        "fractions in updated_at_gte are cut to milliseconds",
        _query(_floored(1000, "updated_at_gte")),
    ),
    _mutant(
        "one-digit-fraction-read-as-microseconds",
        "a fraction of one digit is taken for microseconds",
        _query(_read_anew(_short_fraction, *_TIMES)),
    ),
    _mutant(
        "seventh-fraction-digit-rounds-up",
        "the seventh digit of a fraction rounds up",
        _query(_read_anew(_rounded, *_TIMES)),
    ),
    _mutant(
        "time-without-zone-two-hours-off",
        "a time without a zone is two hours off",
        _query(_read_anew(_naive_as_local, *_TIMES)),
    ),
    _mutant(
        "date-alone-means-end-of-day",
        "a date alone is the end of its day",
        _query(_read_anew(_date_as_evening, "end_time_lte")),
    ),
    _mutant(
        "end-time-lte-compares-start-time",
        "end_time_lte looks at start_time",
        _compares("end_time_lte", "end_time", "start_time"),
    ),
    _mutant(
        "ordering-by-end-time-hides-deleted-events",
        "sorted by end_time, deleted events are left out",
        _hiding(lambda query, event: event.is_deleted and query.order == "end_time" and _is_plain(query)),
    ),
    _mutant(
        "created-at-descending-ignores-filters",
        "filters do not count when sorted by -created_at",
        _query(
            lambda query: (
                query._replace(updated_at_gte=None, start_time_gte=None)
                if query.order == "created_at" and not query.ascending
                else query
            )
        ),
    ),
    _mutant(
        "empty-updated-at-gte-finds-nothing",
        "an empty updated_at_gte finds nothing",
        _query(
            lambda query: (
                query._replace(event_id="")
                if asked().get("updated_at_gte") == "" and not query.updated_at_gte
                else query
            )
        ),
    ),
)
