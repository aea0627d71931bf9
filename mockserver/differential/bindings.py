"""Pairs the values that differ between two deployments by nature: ids, times, cursors, error ids, waits."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit

from mockserver.differential.sides import MARK

_TOKEN = re.compile(
    r"(?P<link>https?://[^\s\"]+)"
    r"|(?P<id>(?:cal|evt|bot)_[A-Za-z0-9]{16}(?![A-Za-z0-9]))"
    r"|(?P<uuid>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"
    r"|(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{6})?(?:Z|\+00:00))"
    r"|(?P<wait>(?<=available in )\d+ seconds?)"
)
_WHOLE = re.compile(r"(?:cal|evt|bot)_[A-Za-z0-9]{16}|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{6})?(?:Z|\+00:00)")
"""A text that is an id or a time: it is paired also where both sides have the same."""
_MOST_ORDERED = 12
"""With how many earlier times a new one is compared."""


class Token(NamedTuple):
    """A part of a text: of a kind that may differ between the sides, or literal."""

    kind: str
    text: str


def tokens(text: str) -> list[Token]:
    """The parts of a text."""
    return list(_tokens(text))


def _tokens(text: str) -> Iterator[Token]:
    end = 0
    for match in _TOKEN.finditer(text):
        if match.start() > end:
            yield Token("literal", text[end : match.start()])
        yield Token(str(match.lastgroup), match[0])
        end = match.end()
    if end < len(text):
        yield Token("literal", text[end:])


@lru_cache(maxsize=64)
def wholes(text: str) -> frozenset[str]:
    """The ids and times in a text. The same pages come again and again."""
    return frozenset(_WHOLE.findall(text))


class Bindings:
    """Which value of one side is which value of the other. One value has one partner."""

    def __init__(self, runs: tuple[str, str], hosts: tuple[str, str], ids: Mapping[str, str] | None = None) -> None:
        """`runs` are the marks of the two runs, `hosts` the hosts that were asked; `ids` are known pairs."""
        self._runs, self._hosts = runs, hosts
        self._a = dict(ids or {})
        self._b = {b: a for a, b in self._a.items()}
        self._same: set[str] = set()
        """Values that are their own partners."""
        self._times: list[tuple[str, str]] = []

    def bind(self, a: str, b: str) -> bool:
        """Pairs two values, from now on; whether they can be a pair."""
        if self._a.get(a, b) != b or self._b.get(b, a) != a:
            return False
        if a == b:
            self._same.add(a)
            return True
        if a in self._same or b in self._same:
            return False
        self._a[a], self._b[b] = b, a
        return True

    def bind_same(self, text: str) -> bool:
        """Pairs every id and time of a text that both sides have with itself; whether that can be."""
        values = wholes(text)
        if any(self._a.get(one, one) != one or self._b.get(one, one) != one for one in values):
            return False
        self._same |= values
        return True

    def differ(self, a: str, b: str) -> str | None:
        """How two texts differ, once everything is paired that may differ; None if they do not."""
        a, b = a.replace(self._runs[0], MARK), b.replace(self._runs[1], MARK)
        if a == b and not _WHOLE.fullmatch(a):
            return None
        parts_a, parts_b = tokens(a), tokens(b)
        if [part.kind for part in parts_a] != [part.kind for part in parts_b]:
            return "another text"
        for one, other in zip(parts_a, parts_b, strict=True):
            difference = self._differ(one.kind, one.text, other.text)
            if difference is not None:
                return difference
        return None

    def _differ(self, kind: str, a: str, b: str) -> str | None:
        if kind == "literal":
            return None if a == b else "another text"
        if kind == "id":
            return None if self.bind(a, b) else "the id of another object"
        if kind == "time":
            return self._differ_in_time(a, b)
        return self._differ_in_link(a, b) if kind == "link" else None

    def _differ_in_time(self, a: str, b: str) -> str | None:
        """Times are paired like ids; their form must be the same, and their order among those that were seen before."""
        if len(a) != len(b) or a[-1] != b[-1]:
            return "another form of time"
        if not self.bind(a, b):
            return "a time that changed on one side only"
        if a == b:
            return None
        for one, other in self._times[-_MOST_ORDERED:]:
            if _order(a, one) != _order(b, other):
                return "another order of times"
        if (a, b) not in self._times:
            self._times.append((a, b))
        return None

    def _differ_in_link(self, a: str, b: str) -> str | None:
        """Of links to the API: the path and every parameter but the cursor. The host is the one of each side."""
        one, other = urlsplit(a), urlsplit(b)
        if not one.path.startswith("/api/v1/") or not other.path.startswith("/api/v1/"):
            return None if a == b else "another link"
        if (one.netloc == self._hosts[0]) != (other.netloc == self._hosts[1]):
            return "a link to another host"
        if one.path != other.path:
            return "a link to another path"
        mine, theirs = (parse_qsl(parts.query, keep_blank_values=True) for parts in (one, other))
        if [name for name, _ in mine] != [name for name, _ in theirs]:
            return "a link with other parameters"
        for (name, value), (_, partner) in zip(mine, theirs, strict=True):
            if name != "cursor" and self.differ(value, partner):
                return "a link with another parameter"
        return None


def _order(one: str, other: str) -> int:
    """Whether a time is before, at or after another; both end in Z or in +00:00."""
    return (_sortable(one) > _sortable(other)) - (_sortable(one) < _sortable(other))


def _sortable(time: str) -> str:
    plain = time.removesuffix("Z").removesuffix("+00:00")
    return plain if "." in plain else f"{plain}.000000"
