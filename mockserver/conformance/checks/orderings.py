"""Orderings: the order of rows, the walk through each ordering, and which orderings there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from mockserver.conformance.checks import IF_SHORT, Steps, check
from mockserver.conformance.checks.cases import EMPTY_PAGE, Bench, of_events
from mockserver.conformance.checks.chains import Chain, backward, both_ways, fault_of, forward, misplaced
from mockserver.conformance.checks.laws import Trial, law
from mockserver.conformance.checks.notation import ORDERINGS, Cursor, is_known_cursor, sort_key
from mockserver.conformance.checks.pages import (
    MOST_PAGES,
    PAGE_RULES,
    SHORT,
    WALKED,
    all_calendars,
    all_events,
    expected_rows,
    judge_chain,
    judge_order,
    tell,
)
from mockserver.conformance.list_pages import CALENDAR_LIST, EVENT_LIST, Listing, Query, Row, Unreadable
from mockserver.conformance.rules import WITH_EVENTS, Rule

_FILTERS = "openapi.yaml, listCalendarEvents.parameters; recorded: list-events-filter"

RULES: tuple[Rule, ...] = (
    Rule(
        "calendars-newest-first",
        "laws",
        "high",
        "Calendars are listed by created_at, the newest first.",
        "openapi.yaml, listCalendars",
    ),
    Rule(
        "events-order",
        "laws",
        "high",
        "Events are in the requested order, within a page and across pages.",
        _FILTERS,
        WITH_EVENTS,
    ),
    Rule(
        "events-default-order",
        "laws",
        "high",
        "By default, events are listed by updated_at, the latest first.",
        _FILTERS,
        WITH_EVENTS,
    ),
    Rule("order-same-set", "laws", "high", "Every ordering shows the same rows.", _FILTERS, WITH_EVENTS),
    Rule(
        "ordering-refused",
        "probes",
        "medium",
        "An unknown ordering is rejected, and the error lists the eight orderings.",
        "recordings: list-events-ordering-bad",
    ),
    Rule("ordering-taken", "probes", "medium", "Each of the eight orderings is accepted.", "openapi.yaml: Ordering"),
)


@law("events-order", "events-default-order", cost=9, least=2, after=(all_events,))
def orders(trial: Trial) -> Steps:
    """All eight orderings and the default one: first whether they are orders, then whether they show the same."""
    firsts = {ordering: _ordered(trial, ordering, 1) for ordering in ("", ORDERINGS[2])}
    if not any(map(misplaced, firsts.values())):
        _judge_orders(trial, firsts)
        yield IF_SHORT
    firsts = {ordering: _ordered(trial, ordering, 1) for ordering in ("", *ORDERINGS)}
    if not any(map(misplaced, firsts.values())):
        _judge_orders(trial, firsts)
        yield
    chains = {ordering: _ordered(trial, ordering, 3) for ordering in ("", *ORDERINGS)}
    wrong = [ordering for ordering, chain in chains.items() if misplaced(chain)]
    _judge_orders(trial, {ordering: chain for ordering, chain in chains.items() if ordering not in wrong})
    _tell_orders(trial, chains, wrong)
    for ordering in ORDERINGS:
        fault = None if wrong else fault_of(chains[ordering], expected_rows(trial, chains[ordering]))
        if fault is not None and fault.kind == "astray":
            tell(trial, chains[ordering], fault)


def _ordered(trial: Trial, ordering: str, most: int) -> Chain:
    query: Query = (("ordering", ordering),) if ordering else ()
    return forward(trial, trial.page(EVENT_LIST, query), most)


def _judge_orders(trial: Trial, chains: Mapping[str, Chain]) -> None:
    for ordering, chain in chains.items():
        if _distinct(chain):
            judge_order(trial, "events-order" if ordering else "events-default-order", ordering, chain)


def _tell_orders(trial: Trial, chains: Mapping[str, Chain], wrong: Sequence[str]) -> None:
    """One suspicion where several orderings are wrong, and none about the default where one of them is the same."""
    if wrong == [""]:
        judge_order(trial, "events-default-order", "", chains[""])
    else:
        for ordering in [name for name in wrong if name][:1]:
            several = len(wrong) - ("" in wrong and "-updated_at" in wrong) > 1
            judge_order(trial, "events-order", "ordering" if several else ordering, chains[ordering])


def _distinct(chain: Chain) -> bool:
    """Whether the chain has rows with different times, so that one can see whether it is in order."""
    return len({sort_key(row, chain.ordering) for page in chain.pages for row in page.rows}) > 1


_BOTH_WAYS = (*WALKED, "page-next-after-previous")


@law(*_BOTH_WAYS, cost=4, after=(all_calendars,))
def calendars_both_ways(trial: Trial) -> Steps:
    """The list of calendars, there and back, with page edges of our own."""
    return _one_ordering(trial, CALENDAR_LIST)


@law(*_BOTH_WAYS, "order-same-set", cost=5, least=2, after=(all_events, orders))
def events_both_ways(trial: Trial) -> Steps:
    """Every ordering: the one with the fewest equal times, for what it loses is not lost over these; then the most."""
    events = trial.survey.known(EVENT_LIST)
    ranked = sorted(ORDERINGS, key=lambda ordering: -len({event.get(ordering.removeprefix("-")) for event in events}))
    for ordering in (*ranked[:1], *ranked[:0:-1]):
        yield from _one_ordering(trial, EVENT_LIST, ordering)
        yield


def _one_ordering(trial: Trial, listing: Listing, ordering: str | None = None) -> Steps:
    """A short list in one ordering: there, back, back from the middle and forth again."""
    query: Query = trial.survey.window.get(listing.operation, ())
    if ordering is not None:
        query = (*query, ("ordering", ordering))
    if any(trial.is_broken("events-order", field=name) for name in ("ordering", ordering) if listing is EVENT_LIST):
        return
    chain = forward(trial, trial.page(listing, query), MOST_PAGES)
    if misplaced(chain) or not judge_chain(trial, chain):
        return
    yield IF_SHORT
    back = backward(trial, chain.pages[-1], MOST_PAGES)
    if not judge_chain(trial, back):
        return
    for page in chain.pages[1:-1][:1]:
        judge_chain(trial, backward(trial, page, 2))
    for page, link in [(page, page.next) for page in back.pages[:-1] if page.next][:2]:
        judge_chain(trial, Chain([page, trial.follow(page, link)], ["again"], starts=False, ends=False))
    yield
    _made_by_hand(trial, chain, query)


def _made_by_hand(trial: Trial, chain: Chain, query: Query) -> None:
    """Page edges put where it hurts, by cursors like the service's own: inside groups of rows with equal keys."""
    listing = chain.pages[0].listing
    rows = [row for page in chain.pages for row in page.rows]
    if not chain.ends or len(rows) < 3 or trial.is_broken(*PAGE_RULES, operation=listing.operation):
        return
    links = [link for page in chain.pages for link in (page.next, page.previous) if link]
    if not all(is_known_cursor(link) for link in links):
        trial.unobservable("cursor-position", "the cursors are of another form")
        return
    for cursor in _starts(trial, rows, chain.ordering, listing.size):
        try:
            start = trial.page(listing, query, cursor=cursor.text())
        except Unreadable:
            return
        if start.rows:
            judge_chain(trial, both_ways(trial, start, SHORT + 1, reverse=cursor.reverse))


def _starts(trial: Trial, rows: list[Row], ordering: str, size: int) -> list[Cursor]:
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
        at = trial.random.randrange(1, count - 1)
        place = sort_key(rows[at], ordering.removeprefix("-"))
        return [Cursor(0, False, place), Cursor(0, True, place)]
    largest = max(groups, key=lambda group: group[1] - group[0])
    found = []
    for begin, end in {largest, trial.random.choice(groups)}:
        inside = trial.random.randrange(begin + 1, end)
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


_FIRST = 2
"""So many texts of a table are enough for a first look."""
_LISTED = "-updated_at, updated_at, start_time, -start_time, end_time, -end_time, created_at, -created_at"
BAD_ORDERING = {"error": f"Invalid ordering. Allowed values: {_LISTED}"}

_NO_ORDERINGS = (
    "",
    "id",
    "-id",
    "name",
    "Start_time",
    "start_time,end_time",
    "--start_time",
    "start_time%20",
    "asc",
    "-",
    "START_TIME",
    "-Updated_at",
    "-created_at,start_time",
    "start_time,",
    "%20start_time",
    "+start_time",
    "%2Bstart_time",
    "-%20start_time",
    "is_deleted",
    "-name",
    "calendar_id",
    "updated",
    "start_time__date",
    "?",
    "random",
    "null",
)


@check("ordering-refused", context=Bench, cost=2)
def unknown_orderings(bench: Bench) -> Steps:
    """What is no ordering."""
    for number, text in enumerate(_NO_ORDERINGS, 1):
        bench.ask(of_events("ordering-refused", "ordering", f"ordering={text}", 400, BAD_ORDERING))
        if number == _FIRST:
            yield


@check("ordering-taken", context=Bench, cost=2)
def known_orderings(bench: Bench) -> Steps:
    """The eight orderings."""
    for number, text in enumerate(_LISTED.split(", "), 1):
        bench.ask(of_events("ordering-taken", "ordering", f"ordering={text}&event_id=evt_nothing", 200, EMPTY_PAGE))
        if number == _FIRST:
            yield
