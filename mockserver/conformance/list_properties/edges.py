"""Laws of one ordering at a time: there, back, forth again, and with page edges put where it hurts."""

from __future__ import annotations

from itertools import groupby

from mockserver.conformance.checks import IF_SHORT, Steps
from mockserver.conformance.list_pages import CALENDARS, EVENTS, Listing, Query, Row, Unreadable
from mockserver.conformance.list_properties.bench import Bench
from mockserver.conformance.list_properties.chains import Chain, backward, both_ways, forward, misplaced
from mockserver.conformance.list_properties.cursors import ORDERINGS, Cursor, is_known_cursor, sort_key
from mockserver.conformance.list_properties.laws import law
from mockserver.conformance.list_properties.pages import (
    MOST_PAGES,
    PAGE_RULES,
    SHORT,
    WALKED,
    all_calendars,
    all_events,
    judge_chain,
    orders,
)

_BOTH_WAYS = (*WALKED, "page-next-after-previous")


@law(*_BOTH_WAYS, cost=4, after=(all_calendars,))
def calendars_both_ways(bench: Bench) -> Steps:
    """The list of calendars, there and back, with page edges of our own."""
    return _one_ordering(bench, CALENDARS)


@law(*_BOTH_WAYS, "order-same-set", cost=5, least=2, after=(all_events, orders))
def events_both_ways(bench: Bench) -> Steps:
    """Every ordering: the one with the fewest equal times, for what it loses is not lost over these; then the most."""
    events = bench.survey.known(EVENTS)
    ranked = sorted(ORDERINGS, key=lambda ordering: -len({event.get(ordering.removeprefix("-")) for event in events}))
    for ordering in (*ranked[:1], *ranked[:0:-1]):
        yield from _one_ordering(bench, EVENTS, ordering)
        yield


def _one_ordering(bench: Bench, listing: Listing, ordering: str | None = None) -> Steps:
    """A short list in one ordering: there, back, back from the middle and forth again."""
    query: Query = bench.survey.window.get(listing.operation, ())
    if ordering is not None:
        query = (*query, ("ordering", ordering))
    if any(bench.is_broken("events-order", field=name) for name in ("ordering", ordering) if listing is EVENTS):
        return
    chain = forward(bench, bench.page(listing, query), MOST_PAGES)
    if misplaced(chain) or not judge_chain(bench, chain):
        return
    yield IF_SHORT
    back = backward(bench, chain.pages[-1], MOST_PAGES)
    if not judge_chain(bench, back):
        return
    for page in chain.pages[1:-1][:1]:
        judge_chain(bench, backward(bench, page, 2))
    for page, link in [(page, page.next) for page in back.pages[:-1] if page.next][:2]:
        judge_chain(bench, Chain([page, bench.follow(page, link)], ["again"], starts=False, ends=False))
    yield
    _made_by_hand(bench, chain, query)


def _made_by_hand(bench: Bench, chain: Chain, query: Query) -> None:
    """Page edges put where it hurts, by cursors like the service's own: inside groups of rows with equal keys."""
    listing = chain.pages[0].listing
    rows = [row for page in chain.pages for row in page.rows]
    if not chain.ends or len(rows) < 3 or bench.is_broken(*PAGE_RULES, operation=listing.operation):
        return
    links = [link for page in chain.pages for link in (page.next, page.previous) if link]
    if not all(is_known_cursor(link) for link in links):
        bench.unobservable("cursor-position", "the cursors are of another form")
        return
    for cursor in _starts(bench, rows, chain.ordering, listing.size):
        try:
            start = bench.page(listing, query, cursor=cursor.text())
        except Unreadable:
            return
        if start.rows:
            judge_chain(bench, both_ways(bench, start, SHORT + 1, reverse=cursor.reverse))


def _starts(bench: Bench, rows: list[Row], ordering: str, size: int) -> list[Cursor]:
    """Cursors whose pages start or end inside groups of equal keys, or anywhere where there are no such groups."""
    count = len(rows)
    groups: list[tuple[int, int]] = []
    at = 0
    for _, group in groupby(rows, key=lambda row: sort_key(row, ordering)):
        length = len(list(group))
        if length > 1:
            groups.append((at, at + length))
        at += length
    if not groups:
        at = bench.random.randrange(1, count - 1)
        place = sort_key(rows[at], ordering.removeprefix("-"))
        return [Cursor(0, False, place), Cursor(0, True, place)]
    largest = max(groups, key=lambda group: group[1] - group[0])
    found = []
    for begin, end in {largest, bench.random.choice(groups)}:
        inside = bench.random.randrange(begin + 1, end)
        found += inside_group(rows, ordering, begin, end, inside, size)
        if inside - size > begin:
            found += inside_group(rows, ordering, begin, end, inside - size, size)[:1]
    return [cursor for cursor in found if cursor.offset <= 1000]


def inside_group(rows: list[Row], ordering: str, begin: int, end: int, inside: int, size: int) -> list[Cursor]:
    """Cursors to a row within a group of equal keys, from either side, as a walk through the list may be given them.

    A walk counts the rows of the group that it has shown beyond the row before the group. At the ends of the list,
    where there is no such row, it has shown whole pages.
    """
    plain = ordering.removeprefix("-")
    found = []
    if begin:
        found.append(Cursor(inside - begin, False, sort_key(rows[begin - 1], plain)))
    elif size < end:
        found.append(Cursor(size))
    if end < len(rows):
        found.append(Cursor(end - inside, True, sort_key(rows[end], plain)))
    elif size < end - begin:
        found.append(Cursor(size, True))
    return found
