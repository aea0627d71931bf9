"""Pages in a row: what is wrong between them, told apart by the kind of link that was followed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from mockserver.conformance.checks.laws import Trial
from mockserver.conformance.checks.notation import sort_key
from mockserver.conformance.exchange import Exchange
from mockserver.conformance.list_pages import Page, Row

Crossing: TypeAlias = Literal["next", "previous", "again"]
"""How one gets from one page to its neighbour; again: by the `next` of a page that a `previous` led to."""


@dataclass
class Chain:
    """Neighbouring pages in the listing's order, and how each edge between two of them was crossed."""

    pages: list[Page]
    crossings: list[Crossing]
    starts: bool
    """Whether nothing comes before the first page."""
    ends: bool
    """Whether nothing comes after the last page."""

    @property
    def ordering(self) -> str:
        """The order that the rows should have."""
        return self.pages[0].ordering

    def exchanges(self) -> list[Exchange]:
        """Of all its pages, in the order in which they were read."""
        return sorted((page.exchange for page in self.pages), key=lambda exchange: exchange.number)

    def up_to(self, *pages: Page) -> list[Exchange]:
        """The exchanges up to the later of the pages."""
        last = max(page.exchange.number for page in pages)
        return [exchange for exchange in self.exchanges() if exchange.number <= last]

    def among(self, exchanges: Sequence[Exchange]) -> list[Exchange]:
        """Those of the exchanges that are its pages, in the listing's order."""
        numbers = {exchange.number for exchange in exchanges}
        return [page.exchange for page in self.pages if page.exchange.number in numbers]


class Fault(NamedTuple):
    """A row that a chain shows twice or not at all."""

    kind: Literal["twice", "lost", "astray"]
    """astray: lost from within a page, so no link is to blame."""
    crossing: Crossing
    tied: bool
    row: Row
    exchanges: Sequence[Exchange]
    ordering: str


def forward(trial: Trial, first: Page, most: int) -> Chain:
    """The chain of at most so many pages from a page on, by `next`. Raises Unreadable."""
    pages = [first]
    while pages[-1].next and len(pages) < most:
        pages.append(trial.follow(pages[-1], pages[-1].next))
        if not pages[-1].rows:
            break
    return Chain(pages, ["next"] * (len(pages) - 1), first.previous is None, pages[-1].next is None)


def backward(trial: Trial, last: Page, most: int) -> Chain:
    """The chain of at most so many pages up to a page, by `previous`. Raises Unreadable."""
    pages = [last]
    while pages[-1].previous and len(pages) < most:
        pages.append(trial.follow(pages[-1], pages[-1].previous))
        if not pages[-1].rows:
            break
    whole = pages[-1].previous is None
    return Chain(pages[::-1], ["previous"] * (len(pages) - 1), whole, last.next is None)


def both_ways(trial: Trial, start: Page, most: int, *, reverse: bool) -> Chain:
    """The chain of pages before and after a page; `reverse`: the page was read backwards."""
    before, after = backward(trial, start, most), forward(trial, start, most)
    if reverse and after.crossings:
        after.crossings[0] = "again"
    return Chain([*before.pages, *after.pages[1:]], [*before.crossings, *after.crossings], before.starts, after.ends)


def misplaced(chain: Chain) -> tuple[Page, Row, Row] | None:
    """The first row that comes after one that it should come before, with its page and that other row."""
    latest: tuple[Row, int] | None = None
    for page in chain.pages:
        for row in page.rows:
            key = sort_key(row, chain.ordering)
            if key is None:
                continue
            if latest is not None and key < latest[1]:
                return page, latest[0], row
            latest = row, key
    return None


def fault_of(chain: Chain, expected: Iterable[Row]) -> Fault | None:
    """The first row shown twice, else the first of the expected rows that is not shown where it has to be."""
    rows = [row for page in chain.pages for row in page.rows]
    shared = Counter(sort_key(row, chain.ordering) for row in {r["id"]: r for r in [*expected, *rows]}.values())
    return _twice(chain, shared) or _lost(chain, expected, shared)


def _twice(chain: Chain, shared: Counter[int | None]) -> Fault | None:
    shown: dict[str, tuple[int, Row]] = {}
    for number, page in enumerate(chain.pages):
        for row in page.rows:
            earlier = shown.get(row["id"])
            key = sort_key(row, chain.ordering)
            if earlier and sort_key(earlier[1], chain.ordering) == key:
                crossing = chain.crossings[max(number - 1, 0)] if chain.crossings else "next"
                pages = chain.pages[earlier[0]], page
                return Fault("twice", crossing, shared[key] > 1, row, chain.up_to(*pages), chain.ordering)
            shown[row["id"]] = number, row
    return None


def _lost(chain: Chain, expected: Iterable[Row], shared: Counter[int | None]) -> Fault | None:
    shown = {row["id"] for page in chain.pages for row in page.rows}
    edges = [_edges(page, chain.ordering) for page in chain.pages]
    for row in expected:
        key = sort_key(row, chain.ordering)
        if row["id"] in shown or key is None:
            continue
        fault = _place(chain, edges, row, key, tied=shared[key] > 1)
        if fault is not None:
            return fault
    return None


def _place(chain: Chain, edges: list[tuple[int, int] | None], row: Row, key: int, *, tied: bool) -> Fault | None:
    """Where a row that is not shown should have been; None when that is beyond a chain that goes on."""
    first, last = edges[0], edges[-1]
    if not first or not last or (not chain.starts and key <= first[0]) or (not chain.ends and key >= last[1]):
        return None
    for number, crossing in enumerate(chain.crossings):
        before, after = edges[number], edges[number + 1]
        if before and after and before[1] <= key <= after[0]:
            exchanges = chain.up_to(*chain.pages[number : number + 2])
            return Fault("lost", crossing, tied, row, exchanges, chain.ordering)
    if key <= first[0]:
        return Fault("lost", "previous", tied, row, chain.exchanges(), chain.ordering)
    kind: Literal["lost", "astray"] = "lost" if key >= last[1] else "astray"
    return Fault(kind, "next", tied, row, chain.exchanges(), chain.ordering)


def _edges(page: Page, ordering: str) -> tuple[int, int] | None:
    """The sort keys of a page's first and last row."""
    keys = [key for row in page.rows if (key := sort_key(row, ordering)) is not None]
    return (keys[0], keys[-1]) if keys else None
