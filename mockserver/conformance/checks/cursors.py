"""Cursors: used elsewhere, written in other ways, damaged, and made up."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from itertools import chain
from urllib.parse import quote

from mockserver.conformance.checks import Steps, check
from mockserver.conformance.checks.cases import ANYTHING, Bench, Case, Holding, odd_check
from mockserver.conformance.checks.filters import TIMES, Filter, conditions, query_of
from mockserver.conformance.checks.laws import Trial, law
from mockserver.conformance.checks.notation import Cursor, encoded, is_known_cursor, read, tokens_of
from mockserver.conformance.checks.orderings import orders
from mockserver.conformance.checks.pages import all_events
from mockserver.conformance.evaluation import broken
from mockserver.conformance.expectations import each_row, facts_of, same_rows
from mockserver.conformance.guard import CALENDARS, EVENTS
from mockserver.conformance.list_pages import EVENT_LIST, Page, Unreadable, cursor_of, ids_in, link_of
from mockserver.conformance.rules import Rule

RULES: tuple[Rule, ...] = (
    Rule(
        "cursor-position",
        "laws",
        "low",
        "A cursor points to the same position when the request has other parameters.",
        "cursors.json",
    ),
    Rule(
        "cursor-forged",
        "hostile",
        "medium",
        "A damaged or invented cursor is rejected, or shows a page.",
        "openapi.yaml: Cursor; recordings: list-events-cursor-made",
    ),
    Rule(
        "cursor-encoding",
        "hostile",
        "low",
        "A cursor with the same content in another encoding shows the same page.",
        "recordings: list-events-cursor-made",
    ),
    Rule(
        "cursor-refused",
        "probes",
        "medium",
        "An invalid cursor is answered with 404, an empty cursor with the first page.",
        "recordings: list-events-cursor-made, list-events-error-order",
    ),
)


@law("cursor-position", cost=3, after=(all_events, orders))
def cursors_elsewhere(trial: Trial) -> None:
    """A cursor of one listing, used with another ordering or a filter, still means its position."""
    rows = trial.survey.known(EVENT_LIST)
    instants = sorted({i for row in rows for name in set(TIMES.values()) if (i := read(row.get(name))) is not None})
    page = trial.page(EVENT_LIST)
    link = page.next or page.previous
    if len(instants) < 4 or (link and not is_known_cursor(link)) or trial.is_broken("events-order"):
        trial.unobservable("cursor-position", "too few events, or cursors of another form")
        return
    calendar = Filter("calendar_id", str(trial.random.choice(rows).get("calendar_id")))
    for ordering, filters in (("start_time", []), ("-end_time", []), ("start_time", [calendar])):
        values = sorted({i for row in rows if (i := read(row.get(ordering.removeprefix("-")))) is not None})
        at = values[len(values) // 2]
        try:
            page = trial.page(EVENT_LIST, query_of(filters, ordering), cursor=Cursor(0, False, at).text())
        except Unreadable:
            trial.unobservable("cursor-position", "the cursors are of another form")
            return
        if not _beyond(trial, page, filters, at):
            return


def _beyond(trial: Trial, page: Page, filters: list[Filter], at: int) -> bool:
    beyond = [[page.ordering.removeprefix("-"), "beyond", at], *conditions(filters)]
    return trial.check(
        "cursor-position",
        each_row([None], beyond, ordering=page.ordering),
        operation=EVENT_LIST.operation,
        exchanges=[page.exchange],
    )


_FIRST = 2
"""So many texts of a table are enough for a first look."""
BAD_CURSOR = {"detail": "Invalid cursor"}
_NO_CURSORS = ("bad", "x", "bz14", "bz0tMQ==", "cj14", "%C3%A9", "bz0xMg")


@check("cursor-refused", context=Bench, cost=4)
def invalid_cursors(bench: Bench) -> Steps:
    """What is no cursor."""
    for path, operation in ((CALENDARS, "listCalendars"), (EVENTS, "listCalendarEvents")):
        case = Case("cursor-refused", operation, "cursor", "GET", path, 404, BAD_CURSOR)
        for text in _NO_CURSORS[:_FIRST]:
            bench.ask(case._replace(path=f"{path}?cursor={text}"))
    yield
    for path, operation in ((CALENDARS, "listCalendars"), (EVENTS, "listCalendarEvents")):
        case = Case("cursor-refused", operation, "cursor", "GET", path, 404, BAD_CURSOR)
        for text in _NO_CURSORS[_FIRST:]:
            bench.ask(case._replace(path=f"{path}?cursor={text}"))
        bench.ask(case._replace(path=f"{path}?cursor=", status=200, body=Holding()))
    path = f"{CALENDARS}?deduplication_key=nothing-has-this&cursor=bad"
    bench.ask(Case("cursor-refused", "listCalendars", "cursor", "GET", path, 404, BAD_CURSOR))
    yield
    for path, operation in ((CALENDARS, "listCalendars"), (EVENTS, "listCalendarEvents")):
        case = Case("cursor-refused", operation, "cursor", "GET", path, 404, BAD_CURSOR)
        bench.ask(case._replace(method="HEAD", path=f"{path}?cursor=bad", body=ANYTHING))
        for query in ("cursor=bad&format=json", "foo=x&cursor=bad"):
            bench.ask(case._replace(path=f"{path}?{query}"))
    for ordering in ("start_time", "-end_time", "created_at"):
        case = Case("cursor-refused", "listCalendarEvents", "cursor", "GET", EVENTS, 404, BAD_CURSOR)
        bench.ask(case._replace(path=f"{EVENTS}?ordering={ordering}&cursor=bad"))
        bench.ask(case._replace(path=f"{EVENTS}?ordering={ordering}&cursor=", status=200, body=Holding()))


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


def _made_up() -> Iterator[Case]:
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


def _damaged(bench: Bench) -> Iterator[Case]:
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
        tokens = tokens_of(text) if text is not None else None
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
                "cursor-encoding", same_page, operation=operation, field="cursor", exchanges=[first, plain, answer]
            )
            yield


def _spellings(text: str, tokens: dict[str, str]) -> Iterator[str]:
    yield text + "===="
    yield f" {text[:4]}\n{text[4:]}"
    yield encoded({"o": tokens.get("o", "0"), "r": tokens.get("r", "0"), "p": tokens["p"]})
    yield encoded({**tokens, "x": "y"})
    yield encoded(dict(reversed(tokens.items())))


forged_cursors = odd_check("cursor-forged", lambda bench: chain(_made_up(), _damaged(bench)))
