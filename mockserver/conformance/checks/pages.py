"""Walking through a list: complete, each row once, full pages, there and back."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from mockserver.conformance.checks import IF_SHORT, Steps, check, counting
from mockserver.conformance.checks.cases import Bench
from mockserver.conformance.checks.chains import Chain, Fault, backward, fault_of, forward, misplaced
from mockserver.conformance.checks.laws import Trial, law
from mockserver.conformance.checks.notation import ORDERINGS, Cursor, read, sort_key
from mockserver.conformance.exchange import Exchange
from mockserver.conformance.expectations import (
    Expectation,
    complete,
    count,
    each_once,
    every,
    full,
    in_order,
    member,
    same_rows,
    some_rows,
)
from mockserver.conformance.guard import CALENDARS, EVENTS
from mockserver.conformance.list_pages import (
    CALENDAR_LIST,
    EVENT_LIST,
    Listing,
    Page,
    Row,
    Unreadable,
    ids_in,
    is_page,
    link_of,
    link_path,
    link_query,
    rows_in,
)
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


_MOST_READ = 12
"""Pages that are read of a list at most."""
_BOUNDS = (
    ("start_time_gte", "start_time", "-start_time"),
    ("end_time_lte", "end_time", "end_time"),
    ("updated_at_gte", "updated_at", "-updated_at"),
    ("updated_after", "updated_at", "-updated_at"),
)
_PAGE_FAULTS = (
    "page-full",
    "page-ends",
    "page-none-lost",
    "page-ties",
    "page-each-once",
    "events-order",
    "filter-time",
)


@check("page-ends", "page-full", context=Bench, cost=1)
def full_pages(bench: Bench) -> Steps:
    """Events between bounds that leave exactly one page, and exactly one more than a page."""
    for name, field, ordering in _BOUNDS:
        first = bench.get(f"{EVENTS}?ordering={ordering}")
        yield
        link = link_of(first.json)
        rows = rows_in(first)
        beyond = rows_in(bench.get(link_path(link)))[:2] if link else []
        for number, row in enumerate([*rows[-1:], *beyond[:1]]):
            after = beyond[number] if number < len(beyond) else None
            if len(rows) != EVENT_LIST.size or after is None or row.get(field) == after.get(field):
                continue  # another event has the same time, and the bound would leave it as well
            path = f"{EVENTS}?{name}={quote(str(row.get(field)), safe='')}&ordering={ordering}"
            _judge_full(bench, path, first, more=number)
            yield


def _judge_full(bench: Bench, path: str, source: Exchange, *, more: int) -> None:
    """That a page is full and followed by so many rows: none or one."""
    page = bench.get(path)
    if not is_page(page) or bench.is_broken(*_PAGE_FAULTS, operation="listCalendarEvents"):
        return
    link = link_of(page.json)
    right = ids_in(page) == ids_in(source) and (link is not None) == bool(more)
    if not right and ids_in(bench.get(source.request.path)) != ids_in(source):
        return  # somebody's events change meanwhile
    full = every(count(EVENT_LIST.size), same_rows(source))
    rule = "page-full" if more or ids_in(page) != ids_in(source) else "page-ends"
    last = every(full, member("/next", None)) if not more else full
    if bench.check(rule, last, operation="listCalendarEvents", exchanges=[source, page]) and more and link is not None:
        _judge_last(bench, [source, page], bench.get(link_path(link)), more)


def _judge_last(bench: Bench, before: Sequence[Exchange], page: Exchange, rows: int) -> None:
    if is_page(page):
        ends = every(count(rows), member("/next", None))
        bench.check("page-ends", ends, operation="listCalendarEvents", exchanges=[*before, page])


@counting
@check("page-ends", context=Bench, cost=1, needs=("write",))
def full_lists(bench: Bench) -> Steps:
    """As many calendars as fill their pages, then one more."""
    if not is_page(bench.get(CALENDARS)):
        return
    yield
    pages = _walked(bench)
    rows = sum(len(ids_in(page)) for page in pages)
    if not pages or link_of(pages[-1].json) is not None:
        return
    made: list[Exchange] = []
    for _ in range(-rows % CALENDAR_LIST.size):
        if (one := bench.create()) is None:
            return
        made.append(one)
    for _ in range(2):
        if not _ends(bench, made, _walked(bench)) or (one := bench.create()) is None:
            return
        made.append(one)


def _ends(bench: Bench, made: Sequence[Exchange], pages: Sequence[Exchange]) -> bool:
    """That no empty page follows the last of a list: whatever others have made or deleted, a last page has rows."""
    if not pages or bench.is_broken(*_PAGE_FAULTS, operation="listCalendars"):
        return False
    if len(pages) == 1 or ids_in(pages[-1]):
        return bench.keep("page-ends")
    if [ids_in(page) for page in _walked(bench)] != [ids_in(page) for page in pages]:
        return False
    ends = member("/next", None, of=pages[-2])
    return bench.check("page-ends", ends, operation="listCalendars", exchanges=[*made, *pages])


def _walked(bench: Bench) -> list[Exchange]:
    """The pages of all calendars, as far as they can be read."""
    pages = [bench.get(CALENDARS)]
    while is_page(pages[-1]) and len(pages) < _MOST_READ and ids_in(pages[-1]):
        link = link_of(pages[-1].json)
        if link is None:
            break
        pages.append(bench.get(link_path(link)))
    return pages if all(map(is_page, pages)) else []


_ODD = "x=%C3%A9%20%26%2B%3D%23&y=&z=a%2Fb%3Fc"
_ODD_TIME = "start_time_gte=1990-01-01T00:00:00%2B02:00"


@check("links-preserve-query", "page-link-leads", "page-back", context=Bench, cost=1)
def kept_parameters(bench: Bench) -> Steps:
    """Two pages and the way back, with parameters that have to be escaped; the rows are those without them."""
    for path, query in (
        (EVENTS, f"{_ODD_TIME}&{_ODD}&ordering=-start_time&format=json"),
        (CALENDARS, f"{_ODD}&format=json"),
        (EVENTS, "updated_after=1990-01-01T00:00:00.5-03:30&end_time_lte=9999-01-01+00:00:00&ordering=end_time"),
        (EVENTS, "x=1&x=2&ordering=bad&ordering=created_at"),
    ):
        yield from _there_and_back(bench, path, query)
        yield


def _there_and_back(bench: Bench, path: str, query: str) -> Steps:
    """The links of the first page, of the second and of the first again are held against what was asked as well."""
    operation = bench.answers.place("GET", path).operation
    first = bench.get(f"{path}?{query}")
    yield
    pages = [first]
    for name in ("next", "previous"):
        link = link_of(pages[-1].json, name)
        if link is None or bench.is_broken("links-preserve-query", "page-link-leads", operation=operation):
            return
        pages.append(bench.get(link_path(link)))
        if not is_page(pages[-1]):
            return
    yield
    if ids_in(pages[2]) != ids_in(first) and ids_in(bench.get(first.request.path)) != ids_in(first):
        return  # somebody's rows change meanwhile
    if not bench.is_broken("page-back", "page-back-ties", "page-ties", operation=operation):
        bench.check("page-back", same_rows(first), operation=operation, exchanges=pages)
