"""Laws between two projects: what one has is not there for the other."""

from __future__ import annotations

from collections.abc import Sequence

from mockserver.conformance.checks import IF_SHORT, Steps
from mockserver.conformance.exchange import Exchange, Key
from mockserver.conformance.expectations import apart, never_so, status
from mockserver.conformance.list_pages import CALENDARS, EVENTS, Listing, Page, Row, link_path, page_of
from mockserver.conformance.list_properties.bench import Bench
from mockserver.conformance.list_properties.laws import law
from mockserver.conformance.list_properties.pages import all_calendars, all_events
from mockserver.conformance.origins import in_order

_SOME, _KEYED = 2, 3


@law("tenant-lists", cost=4, least=2, needs=("other-key",), after=(all_calendars, all_events))
def separate_lists(bench: Bench) -> None:
    """Whether the two projects' lists have nothing in common."""
    theirs = _lists(bench, "other")
    for operation, page in _lists(bench, "main").items():
        _disjoint(bench, page.listing, page, theirs[operation])


@law(
    "tenant-get",
    "tenant-filters",
    "tenant-cursor",
    cost=9,
    least=5,
    needs=("other-key",),
    after=(all_calendars, all_events, separate_lists),
)
def strangers(bench: Bench) -> Steps:
    """Whether what one project has can be read or filtered with the other's key."""
    if bench.is_broken("tenant-lists"):
        return
    yield from _strangers(bench, "other", _lists(bench, "main"))
    yield from _strangers(bench, "main", _lists(bench, "other"))


def _lists(bench: Bench, key: Key) -> dict[str, Page]:
    """The first pages of a project's lists, by operation."""
    return {listing.operation: bench.page(listing, key=key) for listing in (CALENDARS, EVENTS)}


def _disjoint(bench: Bench, listing: Listing, ours: Page, theirs: Page) -> None:
    if not ours.rows or not theirs.rows:
        bench.unobservable("tenant-lists", f"one of the two projects has nothing in {listing.operation}")
        return
    known = {row["id"] for row in bench.survey.known(listing)}
    both = [name for name in theirs.ids if name in known]
    if not both:
        bench.keep("tenant-lists")
        return
    sources = in_order([ours.exchange, bench.survey.seen[both[0]]])
    bench.check("tenant-lists", apart(sources), operation=listing.operation, exchanges=[*sources, theirs.exchange])


def _strangers(bench: Bench, key: Key, owner: dict[str, Page]) -> Steps:
    """Asks with one project's key for what the other has: one of each first."""
    calendars, events = owner[CALENDARS.operation], owner[EVENTS.operation]
    read, found = (bench.random.sample(page.rows, min(_SOME, len(page.rows))) for page in (calendars, events))
    keyed = [row for row in calendars.rows if isinstance(row.get("deduplication_key"), str)]
    busy = {row.get("calendar_id") for row in events.rows}
    keyed.sort(key=lambda row: row["id"] not in busy)
    sources = in_order([calendars.exchange, events.exchange])
    _read(bench, key, calendars, read[:1])
    _filter(bench, key, sources, found[:1], [])
    _cursors(bench, key, owner)
    yield IF_SHORT
    _filter(bench, key, sources, [], keyed[:1])
    yield
    _read(bench, key, calendars, read[1:])
    _filter(bench, key, sources, found[1:], keyed[1:_KEYED])
    yield


def _read(bench: Bench, key: Key, calendars: Page, rows: Sequence[Row]) -> None:
    for row in rows:
        exchange = bench.get(f"{CALENDARS.path}/{row['id']}", key=key)
        bench.check(
            "tenant-get",
            never_so(status(200)),
            operation="getCalendar",
            exchanges=[calendars.exchange, exchange],
        )


def _filter(bench: Bench, key: Key, sources: list[Exchange], events: Sequence[Row], calendars: Sequence[Row]) -> None:
    for row in events:
        for name, value in (("event_id", row["id"]), ("calendar_id", row.get("calendar_id"))):
            _hidden(bench, bench.unnoted(EVENTS, ((name, str(value)),), key=key), name, sources)
    for row in calendars:
        value = row["deduplication_key"]
        for listing, name in ((CALENDARS, "deduplication_key"), (EVENTS, "calendar_deduplication_key")):
            page = bench.unnoted(listing, ((name, value),), key=key)
            _hidden(bench, page, name, sources)


def _hidden(bench: Bench, page: Page, name: str, sources: list[Exchange]) -> None:
    bench.check(
        "tenant-filters",
        apart(sources),
        operation=page.listing.operation,
        field=name,
        exchanges=[*sources, page.exchange],
    )


def _cursors(bench: Bench, key: Key, owner: dict[str, Page]) -> None:
    """A cursor that the other project was given shows nothing of that project."""
    for page in owner.values():
        link = page.next or page.previous
        if link is None:
            bench.unobservable("tenant-cursor", "neither project has a list of more than one page")
            continue
        beyond = bench.follow(page, link)
        shown = page_of(page.listing, (), bench.get(link_path(link), key=key))
        sources = in_order([page.exchange, beyond.exchange])
        bench.check(
            "tenant-cursor",
            apart(sources),
            operation=page.listing.operation,
            exchanges=[*sources, shown.exchange],
        )
