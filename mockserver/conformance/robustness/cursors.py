"""Cursors that are damaged, cut, written anew or made up."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from urllib.parse import parse_qs, quote, urlencode

from mockserver.conformance.checks import Steps, check
from mockserver.conformance.checks.cases import Bench, Case
from mockserver.conformance.evaluation import broken
from mockserver.conformance.expectations import facts_of, same_rows
from mockserver.conformance.guard import CALENDARS, EVENTS
from mockserver.conformance.list_pages import cursor_of, ids_in, link_of

_PLACES = (("listCalendars", CALENDARS), ("listCalendarEvents", EVENTS))
_GONE, _FOUND = frozenset({404}), frozenset({200})
_ANY = frozenset({200, 400, 404})
"""What a cursor that happens to be readable shows is the service's own business."""
_UNHELD = frozenset({400, 404})
_MADE = (
    ("o=abc", _GONE),
    ("o=-1", _GONE),
    ("o=1.5", _GONE),
    ("o=", _GONE),
    ("r=abc", _GONE),
    ("r=true", _GONE),
    ("o=" + "9" * 5000, _GONE),
    ("o=999999999999999", _FOUND),
    ("o=1000000", _FOUND),
    ("r=1", _FOUND),
    ("r=1&o=2000", _FOUND),
    ("p=2026-01-01+00:00:00%2B00:00", _FOUND),
    ("p=2026-01-01+00:00:00+00:00", _GONE),
    ("p=9999-12-31+23:59:59%2B00:00", _FOUND),
    ("p=0001-01-01+00:00:00%2B00:00", _FOUND),
    ("unknown=1&&;", _FOUND),
    ("p=garbage", _UNHELD),
    ("p=", _UNHELD),
    ("p=2026-13-01+00:00:00%2B00:00", _UNHELD),
    ("p=1", _UNHELD),
    ("p=%00", _UNHELD),
    ("p=2026-01-01+00:00:00%2B23:59", _ANY),
    ("p=%FF%FE", _UNHELD),
    ("p=None", _UNHELD),
    ("p=" + "9" * 300, _UNHELD),
)
_TEXTS = (
    ("%00", _ANY),
    ("%FF", _GONE),
    ("%F0%9F%98%80", _GONE),
    ("a", _GONE),
    ("abc", _ANY),
    ("====", _ANY),
    ("!!!!", _ANY),
    ("-_-_", _ANY),
    ("A" * 2000, _ANY),
    ("gICA", _GONE),
)


def odd_cursors() -> Iterator[Case]:
    """Cursors that were never in a link; every other one for the list that cannot be sorted, as it is read alike.

    First for the list that can be: what reads a cursor wrongly shows there with fewer requests.
    """
    for operation, path in reversed(_PLACES):
        for tokens, statuses in _MADE if path == EVENTS else _MADE[::2]:
            yield _odd(operation, path, quote(base64.b64encode(tokens.encode()).decode()), statuses)
        for text, statuses in _TEXTS:
            yield _odd(operation, path, text, statuses)


def _odd(operation: str, path: str, text: str, statuses: frozenset[int]) -> Case:
    mark = "&" if "?" in path else "?"
    return Case("cursor-forged", operation, "cursor", "GET", f"{path}{mark}cursor={text}", statuses, odd=True)


def damaged(bench: Bench) -> Iterator[Case]:
    """A cursor of the service's own, cut and bent; nothing where no list has a second page."""
    for operation, path in _PLACES:
        text = cursor_of(link_of(bench.get(path).json))
        if text is None:
            continue
        bent = (text[:-1], text[:-4], text[1:], text[: len(text) // 2], text + "A", text + "AAAA", text[::-1], text * 3)
        for text in bent if path == EVENTS else bent[::2]:
            yield _odd(operation, path, quote(text), _ANY)


@check("cursor-encoding", context=Bench, cost=4)
def spellings(bench: Bench) -> Steps:
    """The same position written in another way shows the same page."""
    why = "no list has a second page, or the cursors are of another form"
    bench.unobservable("cursor-encoding", why)
    for operation, path in _PLACES:
        first = bench.get(path)
        text = cursor_of(link_of(first.json))
        tokens = _tokens(text) if text is not None else None
        if text is None or tokens is None or "p" not in tokens:
            continue
        plain = bench.get(f"{path}?cursor={quote(text, safe='')}")
        for spelt in _spellings(text, tokens):
            answer = bench.get(f"{path}?cursor={quote(spelt, safe='')}")
            same_page = same_rows(plain)
            holds = not broken(same_page, facts_of([plain, answer]))
            # Twice, for a list that is another one every other time.
            again = [] if holds else [bench.get(plain.request.path) for _ in range(2)]
            changed = any(ids_in(plain) != ids_in(after) for after in again)
            if plain.status != 200 or changed or answer.status >= 500 or not answer.status:
                return
            bench.check(
                "cursor-encoding",
                same_page,
                operation=operation,
                field="cursor",
                exchanges=[first, plain, answer],
            )
            yield


def _spellings(text: str, tokens: dict[str, str]) -> Iterator[str]:
    yield text + "===="
    yield f" {text[:4]}\n{text[4:]}"
    yield _written({"o": tokens.get("o", "0"), "r": tokens.get("r", "0"), "p": tokens["p"]})
    yield _written({**tokens, "x": "y"})
    yield _written(dict(reversed(tokens.items())))


def _written(tokens: dict[str, str]) -> str:
    return base64.b64encode(urlencode(tokens).encode()).decode()


def _tokens(text: str) -> dict[str, str] | None:
    """What the cursor says, if it is written as the service was seen to."""
    try:
        plain = base64.b64decode(text, validate=True).decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        return None
    tokens = {name: values[0] for name, values in parse_qs(plain, keep_blank_values=True).items()}
    return tokens if set(tokens) <= {"o", "r", "p"} else None
