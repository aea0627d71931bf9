"""What a run remembers of its exchanges: where ids, keys and links in requests come from, and how long answers took."""

from __future__ import annotations

import json
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from mockserver.conformance.answers import Verdict
from mockserver.conformance.evaluation import broken
from mockserver.conformance.exchange import Exchange, Request
from mockserver.conformance.expectations import facts_of, prompt
from mockserver.conformance.listed import rows_of

_MOST_LINKS = 200
_LONGEST_CHAIN = 12
_LISTS = ("/api/v1/calendars", "/api/v1/bots")


class Memory:
    """Which exchange gave which value; what is deleted is forgotten."""

    def __init__(self) -> None:
        self._ids: dict[str, Exchange] = {}
        self._keys: dict[str, Exchange] = {}
        self._links: dict[str, Exchange] = {}

    def remember(self, exchange: Exchange) -> None:
        """Takes up what later requests may use."""
        request = exchange.request
        if exchange.status == 201 and request.method == "POST":
            self._remember_created(exchange)
        elif exchange.status == 200 and request.method == "DELETE":
            self._ids.pop(_id_in(request), None)
        elif exchange.status == 200 and request.method == "GET" and b'"next"' in exchange.body[:20]:
            self._remember_page(exchange)

    def _remember_created(self, exchange: Exchange) -> None:
        made = exchange.json
        if not isinstance(made, dict) or not isinstance(made.get("id"), str):
            return
        self._ids[made["id"]] = exchange
        if isinstance(made.get("deduplication_key"), str):
            self._keys[made["deduplication_key"]] = exchange

    def _remember_page(self, exchange: Exchange) -> None:
        page = exchange.json
        if not isinstance(page, dict):
            return
        for name in ("next", "previous"):
            cursor = _cursor_in(str(page.get(name)))
            if cursor and cursor not in self._links:
                self._links[cursor] = exchange
        while len(self._links) > _MOST_LINKS:
            del self._links[next(iter(self._links))]
        if urlsplit(exchange.request.path).path in _LISTS:
            for row in rows_of(page)[:1]:
                self._ids.setdefault(row["id"], exchange)

    def before(self, exchange: Exchange) -> list[Exchange]:
        """The exchanges that the request's values come from, in order."""
        request = exchange.request
        found = [self._ids.get(_id_in(request)), self._keys.get(_key_in(request)), *self._chain(request)]
        return in_order(origin for origin in found if origin is not None and origin.number != exchange.number)

    def _chain(self, request: Request) -> Iterator[Exchange]:
        cursor = _cursor_in(request.path)
        for _ in range(_LONGEST_CHAIN):
            origin = self._links.get(cursor) if cursor else None
            if origin is None:
                return
            yield origin
            cursor = _cursor_in(origin.request.path)


def in_order(exchanges: Iterable[Exchange]) -> list[Exchange]:
    """The exchanges as they were sent, each once."""
    return [exchange for _, exchange in sorted({exchange.number: exchange for exchange in exchanges}.items())]


def _id_in(request: Request) -> str:
    path, _, query = request.path.partition("?")
    named = next((unquote(path).removeprefix(f"{one}/") for one in _LISTS if path.startswith(f"{one}/")), "")
    return named or parse_qs(query).get("calendar_id", [""])[-1]


def _key_in(request: Request) -> str:
    if request.method != "POST" or b"deduplication_key" not in (request.body or b""):
        return ""
    try:
        fields: Any = json.loads(request.body or b"")
    except (ValueError, RecursionError):
        return ""
    key = fields.get("deduplication_key") if isinstance(fields, dict) else None
    return key.strip() if isinstance(key, str) else ""


def _cursor_in(url: str) -> str:
    return parse_qs(urlsplit(url).query).get("cursor", [""])[-1]


_SLOW, _SLOW_ELSEWHERE = 1.0, 5.0
"""Seconds; a shared staging server is busy at times."""
_ENOUGH = 10


class Patience:
    """How long the operations of one run took."""

    def __init__(self) -> None:
        self._taken: defaultdict[str, deque[Exchange]] = defaultdict(lambda: deque(maxlen=_ENOUGH))

    def judge(self, operation: str, exchange: Exchange, *, live: bool) -> Iterator[Verdict]:
        """The test of one answer, once there are enough of its operation."""
        if not operation or not 200 <= exchange.status < 300:
            return
        taken = self._taken[operation]
        taken.append(exchange)
        if len(taken) < _ENOUGH:
            return
        expectation = prompt(taken, _SLOW_ELSEWHERE if live else _SLOW)
        yield Verdict("response-time", broken(expectation, facts_of(taken)), expectation, exchanges=tuple(taken))
