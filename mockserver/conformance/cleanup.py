"""Takes away what a run made: at its end, when it is interrupted, and after it was killed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from mockserver.conformance import guard
from mockserver.conformance.exchange import Exchange
from mockserver.conformance.ledger import read_ledger
from mockserver.conformance.transport import Transport

_PAGES = 200
_TRIES = 3
Sleep = Callable[[float], None]


def clean_up(target: Transport, *, sleep: Sleep = time.sleep) -> list[str]:
    """Deletes what the run made and sees that it is gone; gives the ids, or keys, of what is left.

    Only what certainly is ours is deleted: ids that the ledger has from our own POSTs, and calendars that carry the
    run's mark.
    """
    if not target.writes:
        return []
    unknown = _adopt_lost(target, sleep)
    left = [calendar_id for calendar_id in sorted(target.ledger.left) if not _gone(target, calendar_id, sleep)]
    return [*left, *unknown]


def _gone(target: Transport, calendar_id: str, sleep: Sleep) -> bool:
    """Deletes a calendar, and asks whether it is there still."""
    path = f"{guard.CALENDARS}/{calendar_id}"
    for _ in range(_TRIES):
        _patiently(target, "DELETE", path, sleep)
        if _patiently(target, "GET", path, sleep).status == 404:
            target.ledger.dropped(calendar_id)
            return True
    return False


def _adopt_lost(target: Transport, sleep: Sleep) -> list[str]:
    """Finds what POSTs made whose outcome is not known; gives the keys that could not be looked up."""
    intents = dict(target.ledger.intents)
    unknown: list[str] = []
    for number, key in intents.items():
        if key is not None:
            exchange = _patiently(target, "GET", f"{guard.CALENDARS}?deduplication_key={quote(key, safe='')}", sleep)
            if exchange.status != 200:
                unknown.append(f"whatever has the deduplication key {key}")
                continue
            _adopt(target, exchange)
        target.ledger.made(number, None, refused=True)
    if any(key is None for key in intents.values()):
        for page in _pages(target, sleep):
            _adopt(target, page)
    return unknown


def _adopt(target: Transport, page: Exchange) -> None:
    for calendar in _rows(page):
        if target.is_ours(calendar):
            target.ledger.adopt(str(calendar["id"]))


def _pages(target: Transport, sleep: Sleep) -> Iterator[Exchange]:
    path: str | None = guard.CALENDARS
    for _ in range(_PAGES):
        if path is None:
            return
        page = _patiently(target, "GET", path, sleep)
        yield page
        following = page.json.get("next") if isinstance(page.json, dict) else None
        parts = urlsplit(following) if isinstance(following, str) else None
        path = f"{parts.path}?{parts.query}" if parts else None


def _rows(page: Exchange) -> list[Mapping[str, Any]]:
    rows = page.json.get("results") if isinstance(page.json, dict) else None
    return [row for row in rows if isinstance(row, dict) and "id" in row] if isinstance(rows, list) else []


def _patiently(target: Transport, method: str, path: str, sleep: Sleep) -> Exchange:
    """The exchange, after the waits that a 429 asks for, and another try when nothing came back."""
    for _ in range(_TRIES):
        exchange = target.clean(method, path)
        if exchange.status == 429:
            sleep(min(float(exchange.headers.get("retry-after", "1")), 60.0))
        elif exchange.status != 0 and exchange.status < 500:
            break
    return exchange


def ledgers(folder: Path, url: str) -> list[Path]:
    """The ledgers that runs on this URL left in a folder."""
    found = sorted(folder.glob("*.jsonl")) if folder.is_dir() else []
    return [path for path in found if read_ledger(path).url.rstrip("/") == url.rstrip("/")]
