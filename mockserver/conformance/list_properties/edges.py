"""Laws of one ordering at a time: there, back, forth again, and with page edges put where it hurts."""

from __future__ import annotations

from itertools import groupby

from mockserver.conformance.list_pages import EVENTS, Listing, Query, Row, Unreadable
from mockserver.conformance.list_properties.bench import Bench
from mockserver.conformance.list_properties.chains import Chain, backward, both_ways, forward, misplaced
from mockserver.conformance.list_properties.cursors import Cursor, is_known_cursor, sort_key
from mockserver.conformance.list_properties.pages import MOST_PAGES, PAGE_RULES, SHORT, judge_chain


def one_ordering(bench: Bench, listing: Listing, ordering: str | None = None) -> None:
    """A short list in one ordering: there, back, back from the middle and forth again."""
    query: Query = bench.survey.window.get(listing.operation, ())
    if ordering is not None:
        query = (*query, ("ordering", ordering))
    if any(bench.is_broken("events-order", field=name) for name in ("ordering", ordering) if listing is EVENTS):
        return
    chain = forward(bench, bench.page(listing, query), MOST_PAGES)
    if misplaced(chain) or not judge_chain(bench, chain):
        return
    back = backward(bench, chain.pages[-1], MOST_PAGES)
    if not judge_chain(bench, back):
        return
    for page in chain.pages[1:-1][:1]:
        judge_chain(bench, backward(bench, page, 2))
    for page, link in [(page, page.next) for page in back.pages[:-1] if page.next][:2]:
        judge_chain(bench, Chain([page, bench.follow(page, link)], ["again"], starts=False, ends=False))
    made_by_hand(bench, chain, query)


def made_by_hand(bench: Bench, chain: Chain, query: Query) -> None:
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
        found += [Cursor(inside), Cursor(count - inside, reverse=True)]
        if inside > size:
            found.append(Cursor(inside - size))
    return [cursor for cursor in found if cursor.offset <= 1000]
