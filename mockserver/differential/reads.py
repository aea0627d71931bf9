"""Draws requests that only read: lists with filters, pages, single calendars, keys, methods, headers, paths."""

from __future__ import annotations

import base64
from random import Random
from typing import Final
from urllib.parse import quote, urlencode

from mockserver.differential.inventory import CALENDARS, EVENTS, Inventory
from mockserver.differential.steps import Step

ORDERINGS: Final = ("updated_at", "start_time", "end_time", "created_at")
_FILTERS: Final = ("updated_at_gte", "updated_after", "start_time_gte", "end_time_lte")
_BAD_TIMES: Final = (
    *("", "yesterday", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-01-01T25:00:00Z", "1767225600"),
    *("2026-01-01T00:00:00+16:00", "2026-01-01T00:00:00+02:60", "10000-01-01T00:00:00Z", "9999-12-31T23:59:59-01:00"),
    *("2026-01-01", "2026-01-01T00", "2026-01-01 00:00", "20260101T000000Z", "2026-W01-1", "2026-01-01T00:00:00,5Z"),
    *("\u0662026-01-01T00:00:00Z", "2026-01-01T00:00:00Z\0"),
)
_BAD_ORDERINGS: Final = ("", "newest", "-", "Start_time", "start_time ", "--start_time", "name", "start_time,end_time")
_BAD_IDS: Final = ("", "nope", "CAL_0000000000000000", "cal_0000000000000000", "0", "%", "*", "é😀", "a\0b", "x" * 300)
_CURSORS: Final = (
    *("bad", "", "p=", "r=1", "o=1", "o=-1", "o=25&r=1", "p=2026-01-01", "p=2026-01-01+00:00:00+00:00", "p=never"),
    *("r=1&p=2026-01-01+00:00:00+00:00", "o=x", "p=2026-01-01T00:00:00Z&r=0", "p=9999-12-31T23:59:59-01:00", "\xff"),
)
ACCEPTS: Final = (
    *("*/*", "application/json", "application/*", "APPLICATION/JSON", "application/json; indent=4", "text/plain", ""),
    *(
        "application/xml",
        "application/json;q=0",
        "text/plain, */*;q=0.1",
        "application/json;version=1",
        "a/b/c",
        "json",
    ),
    *('application/json; a="b', "application/vnd.api+json", "*/json", "application/json; indent=x"),
)
_ODD_HEADERS: Final = (
    *(("If-None-Match", "*"), ("Range", "bytes=0-9"), ("Accept-Language", "de"), ("Accept-Charset", "utf-16")),
    *(
        ("Cookie", "a=b; ;="),
        ("X-HTTP-Method-Override", "OPTIONS"),
        ("X-Forwarded-Proto", "https"),
        ("Origin", "http://x"),
    ),
    *(
        ("X-Forwarded-Host", "other.example"),
        ("If-Modified-Since", "Wed, 21 Oct 2099 07:28:00 GMT"),
        ("X-API-Key", "${key}"),
    ),
)
_AUTHORIZATIONS: Final = (
    *("", "Token", "Token ", "Token a b", "Bearer ${key}", "Basic eDp5", "token ${key}", 'Token "${key}"', "Token x"),
    *("Token ${key_swapped}", "Token ${key_cut}", "Token  ${key}", "Token\t${key}", "Token ${key} x", "${key}"),
)
_PATHS: Final = (
    *("/api/v1/nope", "/api/v1/calendars/", "/api/v1/Calendars", "/api/v1/calendar_events/", "/api/v1/", "/api/v1"),
    *("/api/v1/calendars//", "/api/v1/calendar_events/evt_0000000000000000", "/api/v1/calendar", "/api/v1/%63alendars"),
)


class Reads:
    """Draws the reading steps of one sequence."""

    def __init__(self, random: Random, inventory: Inventory) -> None:
        self._random = random
        self._inventory = inventory
        self._links = 0

    def draw(self) -> list[Step]:
        """One request, or a list with a walk along its links."""
        kinds = (
            *[self._events] * 7,
            self._wrong_filters,
            *[self._calendars] * 4,
            *[self._walk] * 4,
            *[self._calendar] * 3,
            self._cursor,
            self._authorization,
            self._accept,
            self._method,
            self._header,
            self._path,
        )
        return self._random.choice(kinds)()

    def _calendars(self) -> list[Step]:
        return [Step("GET", self._calendars_path())]

    def _calendars_path(self) -> str:
        pairs: list[tuple[str, str]] = []
        if self._random.random() < 0.6:
            pairs.append(("deduplication_key", self._key()))
        return _with_query(CALENDARS, [*pairs, *self._noise(pairs)])

    def _events(self) -> list[Step]:
        return [Step("GET", self._events_path())]

    def _events_path(self, most: int = 3) -> str:
        random, pairs = self._random, list[tuple[str, str]]()
        for name in random.sample(
            (*_FILTERS, *_FILTERS, "calendar_id", "key", "event_id", "ordering"), random.randint(0, most)
        ):
            match name:
                case "calendar_id":
                    pairs.append((name, self._id(self._inventory.calendars)))
                case "event_id":
                    pairs.append((name, self._id(self._inventory.events)))
                case "key":
                    pairs.append(("calendar_deduplication_key", self._key()))
                case "ordering":
                    pairs.append((name, self._ordering()))
                case _:
                    pairs.append((name, self._time()))
        return _with_query(EVENTS, [*pairs, *self._noise(pairs)])

    def _wrong_filters(self) -> list[Step]:
        """Several filters that are not valid: which one is reported?"""
        names = self._random.sample((*_FILTERS, "ordering", "cursor"), self._random.randint(2, 4))
        return [Step("GET", _with_query(EVENTS, [(name, "bad") for name in names]))]

    def _walk(self) -> list[Step]:
        """A list, some links forward, some back."""
        random = self._random
        path = self._calendars_path() if random.random() < 0.3 else self._events_path(most=1)
        if path == EVENTS or random.random() < 0.5:
            path = f"{EVENTS}?{urlencode({'ordering': random.choice(('', '-')) + random.choice(ORDERINGS)})}"
        steps = [Step("GET", path)]
        directions = (
            ["next"] * random.randint(1, 3) + ["previous"] * random.randint(0, 3) + ["next"] * random.randint(0, 1)
        )
        for direction in directions:
            self._links += 1
            name = f"link{self._links}"
            steps[-1] = steps[-1]._replace(captures=((name, f"/{direction}"),))
            steps.append(Step("GET", f"${{{name}}}"))
        return steps

    def _calendar(self) -> list[Step]:
        name = self._id(self._inventory.calendars)
        return [Step("GET", f"{CALENDARS}/{name if name.startswith('${') else quote(name, safe='')}")]

    def _cursor(self) -> list[Step]:
        written = self._random.choice(_CURSORS)
        cursor = written
        if "=" in written:
            cursor = base64.b64encode(written.replace(":", "%3A").replace("+00%3A", "%2B00%3A").encode()).decode()
        path = self._random.choice((CALENDARS, EVENTS, f"{EVENTS}?ordering=start_time"))
        return [Step("GET", f"{path}{'&' if '?' in path else '?'}cursor={quote(cursor, safe='', encoding='latin-1')}")]

    def _authorization(self) -> list[Step]:
        step = self._some_read()
        if self._random.random() < 0.3:
            return [step._replace(key=False)]
        if self._random.random() < 0.15:
            return [step._replace(key=False, headers=(("X-API-Key", "${key}"),))]
        value = self._random.choice(_AUTHORIZATIONS)
        return [step._replace(key=False, headers=(("Authorization", value),))]

    def _accept(self) -> list[Step]:
        return [self._some_read()._replace(headers=(("Accept", self._random.choice(ACCEPTS)),))]

    def _header(self) -> list[Step]:
        return [self._some_read()._replace(headers=(self._random.choice(_ODD_HEADERS),))]

    def _method(self) -> list[Step]:
        step = self._some_read()
        return [step._replace(method=self._random.choice(("HEAD", "OPTIONS")), key=self._random.random() < 0.8)]

    def _path(self) -> list[Step]:
        return [Step("GET", self._random.choice(_PATHS), key=self._random.random() < 0.7)]

    def _some_read(self) -> Step:
        kind = self._random.choice((self._calendars, self._events, self._calendar))
        return kind()[0]

    def _id(self, known: tuple[str, ...]) -> str:
        """The id of something, or one of nothing."""
        if known and self._random.random() < 0.7:
            return f"${{{self._random.choice(known)}}}"
        return self._random.choice(_BAD_IDS)

    def _key(self) -> str:
        known = self._inventory.keys
        if known and self._random.random() < 0.6:
            key = f"${{{self._random.choice(known)}}}"
            return self._random.choice((key, key, key, f" {key}", f"{key}x"))
        return self._random.choice(_BAD_IDS)

    def _ordering(self) -> str:
        if self._random.random() < 0.75:
            return self._random.choice(("", "-")) + self._random.choice(ORDERINGS)
        return self._random.choice(_BAD_ORDERINGS)

    def _time(self) -> str:
        known = self._inventory.times
        if known and self._random.random() < 0.8:
            return f"${{{self._random.choice(known)}}}"
        return self._random.choice(_BAD_TIMES)

    def _noise(self, pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """Now and then a parameter twice, an unknown one, or a format."""
        drawn = self._random.random()
        if drawn < 0.05 and pairs:
            return [(self._random.choice(pairs)[0], "nope")]
        if drawn < 0.1:
            return [
                self._random.choice(
                    (("page_size", "2"), ("limit", "1"), ("format", "json"), ("format", "xml"), ("x", "\xe9"))
                )
            ]
        return []


def _with_query(path: str, pairs: list[tuple[str, str]]) -> str:
    """A path with these parameters. Variables stay as they are; their values are escaped when they are filled in."""
    if not pairs:
        return path
    return f"{path}?" + "&".join(f"{name}={quote(value, safe='${}')}" for name, value in pairs)
