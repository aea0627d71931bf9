"""Laws of walking through a list: complete, each row once, full pages, there and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mockserver.conformance.checks import IF_SHORT, Steps
from mockserver.conformance.exchange import Exchange
from mockserver.conformance.expectations import (
    Expectation,
    complete,
    each_once,
    every,
    full,
    in_order,
    member,
    some_rows,
)
from mockserver.conformance.list_pages import CALENDARS, EVENTS, Listing, Page, Query, Row, Unreadable, link_query
from mockserver.conformance.list_properties.bench import Bench
from mockserver.conformance.list_properties.chains import (
    Chain,
    Fault,
    backward,
    fault_of,
    forward,
    misplaced,
)
from mockserver.conformance.list_properties.cursors import ORDERINGS, Cursor, sort_key
from mockserver.conformance.list_properties.instants import read
from mockserver.conformance.list_properties.laws import law
from mockserver.conformance.origins import in_order as earliest_first

MOST_PAGES = 10
SHORT = 5
PAGE_RULES = ("links-preserve-query", "page-link-leads", "page-none-lost", "page-each-once", "tenant-lists")


WALKED = (
    "page-none-lost",
    "page-each-once",
    "page-ties",
    "page-back",
    "page-back-ties",
    "page-full",
    "page-ends",
    "page-first",
    "page-link-leads",
)
"""The rules that a walk through a list tests."""


@law(*WALKED, "calendars-newest-first", cost=5)
def all_calendars(bench: Bench) -> Steps:
    """The list of calendars."""
    return _whole_list(bench, CALENDARS)


@law(*WALKED, cost=5, least=2)
def all_events(bench: Bench) -> Steps:
    """The list of events."""
    return _whole_list(bench, EVENTS)


def _whole_list(bench: Bench, listing: Listing) -> Steps:
    """The list as it comes, there and back; what follows is narrowed down where it is long."""
    chain = forward(bench, bench.page(listing), MOST_PAGES)
    bench.survey.whole[listing.operation] = chain.ends
    if listing is EVENTS and not (chain.ends and len(chain.pages) <= SHORT):
        middle = chain.pages[min(2, len(chain.pages) - 1)].rows
        if middle:
            bench.survey.window[listing.operation] = (("updated_at_gte", str(middle[-1].get("updated_at"))),)
    if listing is CALENDARS and not judge_order(bench, "calendars-newest-first", "", chain):
        return
    holds = judge_chain(bench, chain)
    yield IF_SHORT
    if holds and len(chain.pages) > 1:
        judge_chain(bench, backward(bench, chain.pages[-1], MOST_PAGES))
    yield


@law("events-order", "events-default-order", cost=9, least=2, after=(all_events,))
def orders(bench: Bench) -> Steps:
    """All eight orderings and the default one: first whether they are orders, then whether they show the same."""
    firsts = {ordering: _ordered(bench, ordering, 1) for ordering in ("", ORDERINGS[2])}
    if not any(map(misplaced, firsts.values())):
        _judge_orders(bench, firsts)
        yield IF_SHORT
    firsts = {ordering: _ordered(bench, ordering, 1) for ordering in ("", *ORDERINGS)}
    if not any(map(misplaced, firsts.values())):
        _judge_orders(bench, firsts)
        yield
    chains = {ordering: _ordered(bench, ordering, 3) for ordering in ("", *ORDERINGS)}
    wrong = [ordering for ordering, chain in chains.items() if misplaced(chain)]
    _judge_orders(bench, {ordering: chain for ordering, chain in chains.items() if ordering not in wrong})
    _tell_orders(bench, chains, wrong)
    for ordering in ORDERINGS:
        fault = None if wrong else fault_of(chains[ordering], expected_rows(bench, chains[ordering]))
        if fault is not None and fault.kind == "astray":
            tell(bench, chains[ordering], fault)


def _ordered(bench: Bench, ordering: str, most: int) -> Chain:
    query: Query = (("ordering", ordering),) if ordering else ()
    return forward(bench, bench.page(EVENTS, query), most)


def _judge_orders(bench: Bench, chains: Mapping[str, Chain]) -> None:
    for ordering, chain in chains.items():
        if _distinct(chain):
            judge_order(bench, "events-order" if ordering else "events-default-order", ordering, chain)


def _tell_orders(bench: Bench, chains: Mapping[str, Chain], wrong: Sequence[str]) -> None:
    """One suspicion where several orderings are wrong, and none about the default where one of them is the same."""
    if wrong == [""]:
        judge_order(bench, "events-default-order", "", chains[""])
    else:
        for ordering in [name for name in wrong if name][:1]:
            several = len(wrong) - ("" in wrong and "-updated_at" in wrong) > 1
            judge_order(bench, "events-order", "ordering" if several else ordering, chains[ordering])


def _distinct(chain: Chain) -> bool:
    """Whether the chain has rows with different times, so that one can see whether it is in order."""
    return len({sort_key(row, chain.ordering) for page in chain.pages for row in page.rows}) > 1


def judge_order(bench: Bench, rule: str, field: str, chain: Chain) -> bool:
    """Tests whether the rows of a chain are in order; False also where it cannot be tested."""
    if not keeps_links(chain):
        return False
    found = misplaced(chain)
    if found is None:
        return bench.keep(rule)
    exchanges = chain.up_to(found[0])
    return bench.check(
        rule,
        in_order(chain.among(exchanges), chain.ordering),
        operation=found[0].listing.operation,
        field=field,
        exchanges=exchanges,
    )


def keeps_links(chain: Chain) -> bool:
    """Whether every link keeps the path and the parameters of its page; one that does not is told elsewhere."""
    for page in chain.pages:
        for link in (page.next, page.previous):
            if link is None:
                continue
            kept = sorted(pair for pair in link_query(link) if pair[0] != "cursor")
            if kept != sorted(page.query) or page.listing.path not in link:
                return False
    return True


def judge_chain(bench: Bench, chain: Chain) -> bool:
    """Tests whether the pages of a chain are full and show every row that they should, once; False where not."""
    operation = chain.pages[0].listing.operation
    if bench.is_broken(*PAGE_RULES, operation=operation) or not keeps_links(chain):
        return False
    if misplaced(chain):
        return _judge_turned(bench, chain)
    if len(chain.pages) > 1 and any(not page.rows for page in chain.pages):
        return _judge_end(bench, chain)
    _judge_sizes(bench, chain)
    fault = fault_of(chain, expected_rows(bench, chain))
    for rule in _exercised(chain):
        bench.keep(rule)
    if fault is not None:
        tell(bench, chain, fault)
    return fault is None


def _judge_turned(bench: Bench, chain: Chain) -> bool:
    """Blames a wrong order on the links backwards where the way there was in order."""
    if "previous" not in chain.crossings or bench.is_broken("events-order", "calendars-newest-first"):
        return False
    exchanges = chain.exchanges()
    return bench.check(
        "page-back",
        in_order(chain.among(exchanges), chain.ordering),
        operation=chain.pages[0].listing.operation,
        exchanges=exchanges,
    )


def _judge_end(bench: Bench, chain: Chain) -> bool:
    empty = next(page for page in chain.pages if not page.rows)
    return bench.check(
        "page-ends",
        some_rows(of=empty.exchange),
        operation=empty.listing.operation,
        exchanges=chain.up_to(empty),
    )


def _judge_sizes(bench: Bench, chain: Chain) -> None:
    for number, page in enumerate(chain.pages):
        asked = dict(link_query(page.exchange.request.path))
        if "cursor" not in asked:
            bench.check(
                "page-first",
                member("/previous", None),
                operation=page.listing.operation,
                exchanges=[page.exchange],
            )
        bench.check(
            "page-full",
            full(page.listing.size, *_onwards(chain, number)),
            operation=page.listing.operation,
            exchanges=[page.exchange],
        )


def _onwards(chain: Chain, number: int) -> tuple[str, ...]:
    """The links that say that rows follow a page in the direction in which it was read."""
    if number < len(chain.crossings) and chain.crossings[number] == "previous":
        return ("previous",)
    if number or "cursor" not in dict(link_query(chain.pages[number].exchange.request.path)):
        return ("next",)
    return ("next", "previous")


def expected_rows(bench: Bench, chain: Chain) -> list[Row]:
    """The known rows that the chain's filters leave; in a second trial only those known before the chain was read."""
    page = chain.pages[0]
    since = read(dict(page.query).get("updated_at_gte"))
    before = chain.exchanges()[0].number
    rows = bench.survey.known(page.listing)
    if bench.confirming:
        rows = [row for row in rows if bench.survey.first_seen[row["id"]] < before]
    return [row for row in rows if since is None or (read(row.get("updated_at")) or 0) >= since]


def _exercised(chain: Chain) -> list[str]:
    rules = ["page-ends"]
    if chain.starts and chain.ends and "ordering" in dict(chain.pages[0].query):
        rules.append("order-same-set")
    if "next" in chain.crossings:
        rules += ["page-none-lost", "page-each-once"]
    if "previous" in chain.crossings:
        rules.append("page-back")
    if "again" in chain.crossings:
        rules.append("page-next-after-previous")
    keys = [[sort_key(row, chain.ordering) for row in page.rows] for page in chain.pages]
    for before, after, crossing in zip(keys, keys[1:], chain.crossings, strict=False):
        if before and after and before[-1] == after[0]:
            rules.append("page-back-ties" if crossing == "previous" else "page-ties")
    return rules


def _rule_of(fault: Fault) -> str:
    if fault.kind == "astray":
        return "order-same-set"
    if fault.crossing == "again" and not fault.tied:
        return "page-next-after-previous"
    if fault.crossing == "previous":
        return "page-back-ties" if fault.tied else "page-back"
    if fault.tied:
        return "page-ties"
    return "page-each-once" if fault.kind == "twice" else "page-none-lost"


_CAUSES = {
    "page-next-after-previous": ("page-back", "page-back-ties", "page-ties"),
    "page-back-ties": ("page-back", "page-next-after-previous", "page-ties"),
    "page-back": ("page-back-ties",),
    "page-ties": (),
    "order-same-set": (),
}


def tell(bench: Bench, chain: Chain, fault: Fault) -> None:
    """Makes a fault a suspicion, unless it follows from one that is known or the row may just be gone."""
    rule, operation = _rule_of(fault), chain.pages[0].listing.operation
    if bench.is_broken(*_CAUSES.get(rule, ()), operation=operation):
        return
    first_shown = bench.survey.seen.get(fault.row["id"])
    shown = still_there(bench, chain.pages[0].listing, fault.row) if fault.kind != "twice" else None
    if bench.confirming and fault.kind != "twice" and shown is None:
        return
    pages = chain.among(fault.exchanges)
    numbers = {exchange.number for exchange in pages}
    sources = [one for one in (first_shown, shown.exchange if shown else None) if one and one.number not in numbers]
    bench.check(
        rule,
        walked(chain, pages, sources),
        operation=operation,
        exchanges=[*earliest_first(sources), *fault.exchanges],
    )


def walked(chain: Chain, pages: list[Exchange], sources: list[Exchange]) -> Expectation:
    """Every row, those that the sources show included, is on exactly one of the pages, in order."""
    since = read(dict(chain.pages[0].query).get("updated_at_gte"))
    where = [] if since is None else [["updated_at", "at least", since]]
    return every(
        each_once(pages, chain.ordering),
        complete(pages, chain.ordering, sources, where=where),
        in_order(pages, chain.ordering),
    )


def still_there(bench: Bench, listing: Listing, row: Row) -> Page | None:
    """The page that shows that a row is there and has the times that it had; None where it is not so."""
    name = "event_id" if listing is EVENTS else "deduplication_key"
    value = row.get("id") if listing is EVENTS else row.get("deduplication_key")
    if value is None:
        return _on_list(bench, listing, row)
    page = bench.page(listing, ((name, str(value)),))
    return page if any(_same_times(found, row) for found in page.rows) else _on_list(bench, listing, row)


def _on_list(bench: Bench, listing: Listing, row: Row) -> Page | None:
    """The page just before which a row stands, asked for by a cursor; None where no such page shows it."""
    key = sort_key(row, listing.default)
    if key is None:
        return None
    cursor = Cursor(0, False, -key + 1).text()
    try:
        page = bench.page(listing, cursor=cursor)
    except Unreadable:
        return None
    return page if any(_same_times(found, row) for found in page.rows) else None


def _same_times(found: Row, row: Row) -> bool:
    names = ("id", *{ordering.removeprefix("-") for ordering in ORDERINGS})
    return all(found.get(name) == row.get(name) for name in names if name != "updated_at" or "calendar_id" in row)
