"""Compares the responses of the two sides to one request."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Set
from typing import Any, Final, NamedTuple, TypeAlias

from mockserver.differential.bindings import Bindings
from mockserver.differential.steps import Answer, Step

HEADERS: Final = ("content-type", "allow", "vary", "www-authenticate", "retry-after", "location")
_LISTS: Final = ("allow", "vary")
_SYNCED: Final = frozenset({"state", "connection_failure_data", "last_attempted_sync_at", "last_successful_sync_at"})
"""What syncs write. When they come is chance: of a calendar that the run created, only the response to POST counts."""
_MOVED: Final = _SYNCED | {"updated_at"}
"""What syncs write, and writes: of a calendar that the run created, only the response to the write itself counts."""
_LONGEST = 160


Cause: TypeAlias = tuple[str, str, str]
"""What differences have in common that probably have one cause: the kind of request, the place, the way."""


class Difference(NamedTuple):
    """One difference between two responses."""

    where: str
    """status, a header, or a JSON pointer in the body, in which * is any index."""
    what: str
    a: str
    b: str


class Comparison:
    """What two responses are compared with: the pairs that are known, and what the run has written to."""

    def __init__(self, bindings: Bindings, *, shapes: bool) -> None:
        """With `shapes` the projects have different data: of what the run did not create, only the names of members."""
        self._bindings = bindings
        self._shapes = shapes
        self.written: set[str] = set()
        """The ids of A's calendars that the run created."""
        self._seen: tuple[dict[str, Any], dict[str, Any]] = ({}, {})
        """On each side, when a calendar was updated as far as was seen last, and what syncs wrote there."""

    def differences(self, step: Step, a: Answer, b: Answer) -> list[Difference]:
        """How the responses differ, the most telling first; none after a difference in the status."""
        if 0 in (a.status, b.status):
            shown = [one.failure or f"status {one.status}" for one in (a, b)]
            return [] if a.status == b.status else [Difference("status", "no response", *shown)]
        if a.status != b.status:
            return [Difference("status", f"{a.status} and {b.status}", _shown(a), _shown(b))]
        return [*self._of_headers(a, b), *self._of_bodies(step, a, b)]

    def _of_headers(self, a: Answer, b: Answer) -> Iterator[Difference]:
        for name in HEADERS:
            one, other = a.headers.get(name), b.headers.get(name)
            if name in _LISTS and one is not None and other is not None:
                one, other = (", ".join(sorted(part.strip() for part in text.split(","))) for text in (one, other))
            if one == other or (name == "retry-after" and one is not None and other is not None):
                continue
            if one is None or other is None:
                yield Difference(f"header {name}", "missing on one side", str(one), str(other))
            elif self._bindings.differ(one, other) is not None:
                yield Difference(f"header {name}", "another value", one, other)

    def _of_bodies(self, step: Step, a: Answer, b: Answer) -> Iterator[Difference]:
        if a.body == b.body and self._bindings.bind_same(a.text):
            return
        one, other = a.json, b.json
        if one is None or other is None:
            if (one is None) != (other is None) and a.body.strip() != b"null" != b.body.strip():
                yield Difference("body", "JSON on one side only", _short(a.text), _short(b.text))
            elif (difference := self._bindings.differ(a.text, b.text)) is not None:
                yield Difference("body", difference, _short(a.text), _short(b.text))
            return
        skipped = {"POST": frozenset[str](), "PATCH": _SYNCED}.get(step.method, _MOVED)
        yield from self._of_values(one, other, "", skipped)

    def _of_values(self, a: Any, b: Any, where: str, skipped: Set[str]) -> Iterator[Difference]:
        if isinstance(a, dict) and isinstance(b, dict):
            yield from self._of_objects(a, b, where, skipped)
        elif isinstance(a, list) and isinstance(b, list):
            yield from self._of_lists(a, b, where, skipped)
        elif isinstance(a, str) and isinstance(b, str):
            difference = self._bindings.differ(a, b)
            if difference is not None:
                yield Difference(where, difference, _short(a), _short(b))
        elif type(a) is not type(b):
            yield Difference(where, f"{_kind(a)} and {_kind(b)}", _short(a), _short(b))
        elif a != b:
            yield Difference(where, "another value", _short(a), _short(b))

    def _of_objects(self, a: dict[str, Any], b: dict[str, Any], where: str, skipped: Set[str]) -> Iterator[Difference]:
        for name in sorted(a.keys() ^ b.keys()):
            side = "A" if name in a else "B"
            yield Difference(f"{where}/{name}", f"only on {side}", _short(a.get(name)), _short(b.get(name)))
        name_of = a.get("id")
        written = isinstance(name_of, str) and name_of in self.written
        if self._shapes and isinstance(name_of, str) and not written:
            return
        if self._shapes and "results" in a and "results" in b:
            yield from self._of_values(a["results"], b["results"], f"{where}/results", skipped)
            return
        if written and self._moved(0, a) != self._moved(1, b) and "updated_at" in skipped:
            yield Difference(f"{where}/updated_at", "moved on one side only", _short(a), _short(b))
        for name in a:
            if name in b and not (written and name in skipped):
                yield from self._of_values(a[name], b[name], f"{where}/{name}", skipped)

    def _moved(self, side: int, row: dict[str, Any]) -> bool:
        """Whether a calendar's `updated_at` has changed since it was seen last on this side, without a sync."""
        synced = [row.get(name) for name in sorted(_SYNCED)]
        before = self._seen[side].get(str(row.get("id")))
        self._seen[side][str(row.get("id"))] = (row.get("updated_at"), synced)
        return before is not None and before[1] == synced and before[0] != row.get("updated_at")

    def _of_lists(self, a: list[Any], b: list[Any], where: str, skipped: Set[str]) -> Iterator[Difference]:
        if len(a) != len(b) and not self._shapes:
            yield Difference(where, "another number of items", f"{len(a)} items", f"{len(b)} items")
            return
        for one, other in zip(a, b, strict=False):
            yield from self._of_values(one, other, f"{where}/*", skipped)


def _kind(value: Any) -> str:
    names = {"dict": "object", "list": "list", "str": "text", "bool": "boolean", "NoneType": "null"}
    return names.get(type(value).__name__, "number")


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _shown(answer: Answer) -> str:
    return f"{answer.status} {_short(answer.text)}".strip()


def cause_of(step: Step, difference: Difference) -> Cause:
    """The cause under which a difference is counted."""
    where, what = difference.where, difference.what
    if where == "status" or what == "another text":
        what = f"{what}: {_words(difference.a)}: {_words(difference.b)}"
    return step.operation, where, what


def _words(text: str) -> str:
    """The beginning of an error's text without numbers and quoted values; nothing for a response that is no error."""
    if text[:1] == "2":
        return text[:3]
    plain = re.sub(r"\\\".*?\\\"|'[^']*'|(?:cal|evt|bot)_\w+|[0-9]+", "…", text)
    return plain[:60]
