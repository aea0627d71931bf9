"""Odd queries, ids and headers: nothing here needs to write."""

from __future__ import annotations

from collections.abc import Iterator

from mockserver.conformance.checks.cases import ANYTHING, Case, Holding, header
from mockserver.conformance.guard import CALENDARS, EVENTS

_OK, _REFUSED, _EITHER = frozenset({200}), frozenset({400}), frozenset({200, 400})
_NOTHING = Holding(results=[])
_TEXT_FILTERS = (
    ("listCalendars", CALENDARS, "deduplication_key"),
    ("listCalendarEvents", EVENTS, "event_id"),
    ("listCalendarEvents", EVENTS, "calendar_id"),
    ("listCalendarEvents", EVENTS, "calendar_deduplication_key"),
)
_TIMES = ("updated_at_gte", "updated_after", "start_time_gte", "end_time_lte")
_TEXTS = ("%FF", "%ED%A0%80", "%C0%80", "%F0%9F%98%80", "%E2%80%A8", "%zz", "%01%1F%7F", "%27%22%3B--", "%5C%25_")
_NO_TIMES = (
    "%00",
    "%FF",
    "2026-05-10T00:00:00Z%00",
    "0000-01-01T00:00:00Z",
    "10000-01-01T00:00:00Z",
    "-2026-05-10T00:00:00Z",
    "2026-05-10T00:00:00%2B24:00",
    "2026-05-10T00:00:00%2B99:99",
    "2026-05-10T00:00:00[UTC]",
    "2026-00-10T00:00:00Z",
    "2026-05-10T25:00:00Z",
    "Infinity",
    "NaN",
    "1e400",
    "9" * 1000,
    "2026-05-10T00:00:00." + "9" * 500 + "Z",
)
_EDGE_TIMES = (
    "2026-05-10T00:00:00%2B16:00",
    "2026-05-10T00:00:00-16:00",
    "2026-05-10T00:00:00%2B23:59",
    "2026-05-10T00:00:00-23:59",
    "2026-05-10T00:00:00%2B00:00:00.000001",
    "0001-01-01T00:00:00%2B05:00",
    "0001-01-01T00:00:00%2B15:59",
    "9999-12-31T23:59:59-05:00",
    "9999-12-31T23:59:59.999999-15:59",
    "2026-05-10T00:00:00Z%0A",
    "2026-05-10%00T00:00:00",
    "%D9%A2%D9%A0%D9%A2%D9%A6-05-10T00:00:00Z",
    "2026-05-10%E2%80%A800:00:00",
)
_GOOD_TIMES = (
    "2026-05-10T00:00:00%2B15:59",
    "2026-05-10T00:00:00-15:59",
    "2024-02-29T00:00:00Z",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999Z",
    "1969-12-31T23:59:59.999999Z",
    "2026-05-10T00:00:00.123456789012Z",
)


def _odd(rule: str, operation: str, field: str, path: str, statuses: frozenset[int]) -> Case:
    return Case(rule, operation, field, "GET", path, statuses, odd=True)


def odd_queries(*, thorough: bool) -> Iterator[Case]:
    """Filters with what a database or a parser chokes on.

    Unless it is to be thorough, filters that the service reads with the same code share what is tried on them.
    """
    for operation, path, name in _TEXT_FILTERS:
        rule = "query-odd"
        # Done right, a NUL is in no id and no key; the stand-in refuses it, for the real service breaks off.
        yield _odd(rule, operation, name, f"{path}?{name}=%00", _EITHER)._replace(body=_NOTHING)
        yield _odd(rule, operation, name, f"{path}?{name}=a%00b", _EITHER)._replace(body=_NOTHING)
        every = thorough or name in ("deduplication_key", "event_id")
        for text in (*_TEXTS, "x" * 2000) if every else _TEXTS[:3]:
            yield _odd(rule, operation, name, f"{path}?{name}={text}", _OK)._replace(body=Holding(results=ANYTHING))
    for text in ("%00", "%FF", "x" * 2000, "start_time%00", "%F0%9F%98%80", "start_time;drop"):
        yield _odd("query-odd", "listCalendarEvents", "ordering", f"{EVENTS}?ordering={text}", _REFUSED)
    yield from _odd_parameters(thorough=thorough)


def odd_times(*, thorough: bool) -> Iterator[Case]:
    """Time filters with what is no time, and with extreme times."""
    for name in _TIMES:
        every = thorough or name == "start_time_gte"
        for texts, statuses in ((_NO_TIMES, _REFUSED), (_EDGE_TIMES, _EITHER), (_GOOD_TIMES, _OK)):
            for text in texts if every else texts[:3]:
                yield _odd("time-odd", "listCalendarEvents", name, f"{EVENTS}?{name}={text}", statuses)


def _odd_parameters(*, thorough: bool) -> Iterator[Case]:
    for operation, path in (("listCalendars", CALENDARS), ("listCalendarEvents", EVENTS)):
        many = "&".join(f"a{number}=1" for number in range(400))
        queries = (many, "%00=%00", "%FF=%FF", "=", "%zz=%", "&&&", "=x", "?", ";;", "a=b;c=d", "+=+")
        for query in queries if thorough or path == EVENTS else queries[:5]:
            yield _odd("query-odd", operation, "query", f"{path}?{query}", _OK)
        far_too_many = "&".join(f"a{number}=1" for number in range(1100))
        statuses = frozenset({200, 400, 414, 431})
        yield _odd("query-odd", operation, "query", f"{path}?{far_too_many}", statuses)


def odd_ids() -> Iterator[Case]:
    """Ids with what a database or a router chokes on."""
    missing = frozenset({404})
    for text in ("%FF", "%ED%A0%80", "%0A", "%F0%9F%98%80", "cal_%27%20OR%20%271%27=%271", "x" * 2000, "%7B%7D", "%25"):
        yield _odd("id-odd", "getCalendar", "object_id", f"{CALENDARS}/{text}", missing)
    for text in ("%00", "cal_%00", "cal_0000000000000000%00"):
        yield _odd("id-odd", "getCalendar", "object_id", f"{CALENDARS}/{text}", frozenset({404, 400}))


def odd_headers() -> Iterator[Case]:
    """Headers that are too long, not in ASCII, or make no sense."""
    refused = frozenset({406})
    for text, statuses in (
        ("\xe9", refused),
        (";", refused),
        (",,,", refused),
        ("application/json;" * 200, _OK),
        (", ".join(["text/x"] * 400), refused),
        (", ".join(["application/json;q=0.1"] * 150), _OK),
        ("application/json; q=x; q=\xff", _OK),
        ('application/json; a="b', _OK),
        ("application/json; indent=99999999999", _OK),
        ("application/json; indent=-1", _OK),
        ("application/json; indent=x", _OK),
    ):
        yield _odd("header-odd", "listCalendars", "Accept", CALENDARS, statuses)._replace(
            headers=header("Accept", text)
        )
    refused = frozenset({401})
    for text in ("Token \xff\xfe", "Token " + "k" * 3000, "\xa0", "Token\x0bx y z", "Token \xe9 \xe8", "," * 500):
        headers = header("Authorization", text)
        case = _odd("header-odd", "listCalendars", "Authorization", CALENDARS, refused)
        yield case._replace(headers=headers, key=None)
    for name, text in (
        ("Cookie", "sessionid=x; csrftoken=y; =; ;;"),
        ("Cookie", 'a="b; \xff=\xff'),
        ("Content-Type", "multipart/form-data"),
        ("Content-Type", "application/json; charset=\xff"),
        ("X-Forwarded-Host", "evil.example, other.example"),
        ("X-Forwarded-For", "::1, not an address"),
        ("Referer", "\xff" * 100),
    ):
        yield _odd("header-odd", "listCalendars", name, CALENDARS, _OK)._replace(headers=header(name, text))
