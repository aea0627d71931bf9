"""Walking through a list: complete, each row once, full pages, there and back."""

from __future__ import annotations

from mockserver.conformance.checks import IF_SHORT, Steps
from mockserver.conformance.checks.chains import Chain, Fault, backward, fault_of, forward, misplaced
from mockserver.conformance.checks.laws import Trial, law
from mockserver.conformance.checks.notation import ORDERINGS, Cursor, read, sort_key
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
from mockserver.conformance.list_pages import CALENDAR_LIST, EVENT_LIST, Listing, Page, Row, Unreadable, link_query
from mockserver.conformance.origins import in_order as earliest_first
from mockserver.conformance.rules import Rule

_CURSORS = "openapi.yaml, Cursors; recorded: list-calendars-walk, list-events-walk, cursors.json"

RULES: tuple[Rule, ...] = (
    Rule("page-none-lost", "laws", "high", "Following `next` to the end skips no row.", _CURSORS),
    Rule("page-each-once", "laws", "high", "Following `next` to the end shows no row twice.", _CURSORS),
    Rule(
        "page-ties",
        "laws",
        "high",
        "Rows with equal times are neither skipped nor repeated at the boundary of two pages.",
        _CURSORS,
    ),
    Rule(
        "page-back",
        "laws",
        "high",
        "Following `previous` shows the same rows, each once, back to the first page.",
        _CURSORS,
    ),
    Rule(
        "page-back-ties",
        "laws",
        "high",
        "Following `previous` neither skips nor repeats rows with equal times.",
        _CURSORS,
    ),
    Rule(
        "page-next-after-previous",
        "laws",
        "medium",
        "After `previous`, `next` leads back to the page from which `previous` was followed.",
        _CURSORS,
    ),
    Rule(
        "page-full",
        "laws",
        "medium",
        "Every page but the last has 25 calendars or 100 events, and no page has more.",
        _CURSORS,
    ),
    Rule("page-ends", "laws", "medium", "A link is null if no rows follow.", _CURSORS),
    Rule("page-first", "laws", "medium", "The first page has no `previous`.", _CURSORS),
    Rule("page-link-leads", "laws", "high", "The service accepts the page links that it returned.", _CURSORS),
)

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
def all_calendars(trial: Trial) -> Steps:
    """The list of calendars."""
    return _whole_list(trial, CALENDAR_LIST)


@law(*WALKED, cost=5, least=2)
def all_events(trial: Trial) -> Steps:
    """The list of events."""
    return _whole_list(trial, EVENT_LIST)


def _whole_list(trial: Trial, listing: Listing) -> Steps:
    """The list as it comes, there and back; what follows is narrowed down where it is long."""
    chain = forward(trial, trial.page(listing), MOST_PAGES)
    trial.survey.whole[listing.operation] = chain.ends
    if listing is EVENT_LIST and not (chain.ends and len(chain.pages) <= SHORT):
        middle = chain.pages[min(2, len(chain.pages) - 1)].rows
        if middle:
            trial.survey.window[listing.operation] = (("updated_at_gte", str(middle[-1].get("updated_at"))),)
    if listing is CALENDAR_LIST and not judge_order(trial, "calendars-newest-first", "", chain):
        return
    holds = judge_chain(trial, chain)
    yield IF_SHORT
    if holds and len(chain.pages) > 1:
        judge_chain(trial, backward(trial, chain.pages[-1], MOST_PAGES))
    yield


def judge_order(trial: Trial, rule: str, field: str, chain: Chain) -> bool:
    """Tests whether the rows of a chain are in order; False also where it cannot be tested."""
    if not keeps_links(chain):
        return False
    found = misplaced(chain)
    if found is None:
        return trial.keep(rule)
    exchanges = chain.up_to(found[0])
    return trial.check(
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


def judge_chain(trial: Trial, chain: Chain) -> bool:
    """Tests whether the pages of a chain are full and show every row that they should, once; False where not."""
    operation = chain.pages[0].listing.operation
    if trial.is_broken(*PAGE_RULES, operation=operation) or not keeps_links(chain):
        return False
    if misplaced(chain):
        return _judge_turned(trial, chain)
    if len(chain.pages) > 1 and any(not page.rows for page in chain.pages):
        return _judge_end(trial, chain)
    _judge_sizes(trial, chain)
    fault = fault_of(chain, expected_rows(trial, chain))
    for rule in _exercised(chain):
        trial.keep(rule)
    if fault is not None:
        tell(trial, chain, fault)
    return fault is None


def _judge_turned(trial: Trial, chain: Chain) -> bool:
    """Blames a wrong order on the links backwards where the way there was in order."""
    if "previous" not in chain.crossings or trial.is_broken("events-order", "calendars-newest-first"):
        return False
    exchanges = chain.exchanges()
    return trial.check(
        "page-back",
        in_order(chain.among(exchanges), chain.ordering),
        operation=chain.pages[0].listing.operation,
        exchanges=exchanges,
    )


def _judge_end(trial: Trial, chain: Chain) -> bool:
    empty = next(page for page in chain.pages if not page.rows)
    return trial.check(
        "page-ends", some_rows(of=empty.exchange), operation=empty.listing.operation, exchanges=chain.up_to(empty)
    )


def _judge_sizes(trial: Trial, chain: Chain) -> None:
    for number, page in enumerate(chain.pages):
        asked = dict(link_query(page.exchange.request.path))
        if "cursor" not in asked:
            trial.check(
                "page-first", member("/previous", None), operation=page.listing.operation, exchanges=[page.exchange]
            )
        trial.check(
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


def expected_rows(trial: Trial, chain: Chain) -> list[Row]:
    """The known rows that the chain's filters leave; in a second trial only those known before the chain was read."""
    page = chain.pages[0]
    since = read(dict(page.query).get("updated_at_gte"))
    before = chain.exchanges()[0].number
    rows = trial.survey.known(page.listing)
    if trial.confirming:
        rows = [row for row in rows if trial.survey.first_seen[row["id"]] < before]
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


def tell(trial: Trial, chain: Chain, fault: Fault) -> None:
    """Makes a fault a suspicion, unless it follows from one that is known or the row may just be gone."""
    rule, operation = _rule_of(fault), chain.pages[0].listing.operation
    if trial.is_broken(*_CAUSES.get(rule, ()), operation=operation):
        return
    first_shown = trial.survey.seen.get(fault.row["id"])
    shown = still_there(trial, chain.pages[0].listing, fault.row) if fault.kind != "twice" else None
    if trial.confirming and fault.kind != "twice" and shown is None:
        return
    pages = chain.among(fault.exchanges)
    numbers = {exchange.number for exchange in pages}
    sources = [one for one in (first_shown, shown.exchange if shown else None) if one and one.number not in numbers]
    trial.check(
        rule, walked(chain, pages, sources), operation=operation, exchanges=[*earliest_first(sources), *fault.exchanges]
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


def still_there(trial: Trial, listing: Listing, row: Row) -> Page | None:
    """The page that shows that a row is there and has the times that it had; None where it is not so."""
    name = "event_id" if listing is EVENT_LIST else "deduplication_key"
    value = row.get("id") if listing is EVENT_LIST else row.get("deduplication_key")
    if value is None:
        return _on_list(trial, listing, row)
    page = trial.page(listing, ((name, str(value)),))
    return page if any(_same_times(found, row) for found in page.rows) else _on_list(trial, listing, row)


def _on_list(trial: Trial, listing: Listing, row: Row) -> Page | None:
    """The page just before which a row stands, asked for by a cursor; None where no such page shows it."""
    key = sort_key(row, listing.default)
    if key is None:
        return None
    cursor = Cursor(0, False, -key + 1).text()
    try:
        page = trial.page(listing, cursor=cursor)
    except Unreadable:
        return None
    return page if any(_same_times(found, row) for found in page.rows) else None


def _same_times(found: Row, row: Row) -> bool:
    names = ("id", *{ordering.removeprefix("-") for ordering in ORDERINGS})
    return all(found.get(name) == row.get(name) for name in names if name != "updated_at" or "calendar_id" in row)
