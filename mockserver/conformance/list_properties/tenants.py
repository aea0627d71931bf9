"""Laws between two projects: what one has is not there for the other."""

from __future__ import annotations

from mockserver.conformance.exchange import Exchange, Key
from mockserver.conformance.expectations import apart, never_so, status
from mockserver.conformance.list_pages import CALENDARS, EVENTS, Listing, Page, link_path, page_of
from mockserver.conformance.list_properties.bench import Bench
from mockserver.conformance.origins import in_order

_SOME, _KEYED = 2, 3
_RULES = ("tenant-lists", "tenant-get", "tenant-filters")


def tenants(bench: Bench) -> None:
    """Whether either project's calendars and events can be listed, read or filtered with the other's key."""
    if not bench.run.target.other_key:
        for rule in (*_RULES, "tenant-cursor"):
            bench.unobservable(rule, "no key of a second project was given")
        return
    sides: dict[Key, dict[str, Page]] = {
        key: {listing.operation: bench.page(listing, key=key) for listing in (CALENDARS, EVENTS)}
        for key in ("main", "other")
    }
    shared = False
    for listing in (CALENDARS, EVENTS):
        ours, theirs = sides["main"][listing.operation], sides["other"][listing.operation]
        shared |= not _disjoint(bench, listing, ours, theirs)
    if shared:
        return
    _strangers(bench, "main", sides["other"])
    _strangers(bench, "other", sides["main"])


def _disjoint(bench: Bench, listing: Listing, ours: Page, theirs: Page) -> bool:
    if not ours.rows or not theirs.rows:
        bench.unobservable("tenant-lists", f"one of the two projects has nothing in {listing.operation}")
        return True
    known = {row["id"] for row in bench.survey.known(listing)}
    both = [name for name in theirs.ids if name in known]
    if not both:
        return bench.keep("tenant-lists")
    sources = in_order([ours.exchange, bench.survey.seen[both[0]]])
    return bench.check(
        "tenant-lists", apart(sources), operation=listing.operation, exchanges=[*sources, theirs.exchange]
    )


def _strangers(bench: Bench, key: Key, owner: dict[str, Page]) -> None:
    """Asks with one project's key for what the other has."""
    calendars, events = owner[CALENDARS.operation], owner[EVENTS.operation]
    for row in bench.random.sample(calendars.rows, min(_SOME, len(calendars.rows))):
        exchange = bench.get(f"{CALENDARS.path}/{row['id']}", key=key)
        bench.check(
            "tenant-get",
            never_so(status(200)),
            operation="getCalendar",
            exchanges=[calendars.exchange, exchange],
        )
    _filters(bench, key, calendars, events)
    _cursors(bench, key, owner)


def _filters(bench: Bench, key: Key, calendars: Page, events: Page) -> None:
    sources = in_order([calendars.exchange, events.exchange])
    for row in bench.random.sample(events.rows, min(_SOME, len(events.rows))):
        for name, value in (("event_id", row["id"]), ("calendar_id", row.get("calendar_id"))):
            _hidden(bench, bench.unnoted(EVENTS, ((name, str(value)),), key=key), name, sources)
    keyed = [row for row in calendars.rows if isinstance(row.get("deduplication_key"), str)]
    busy = {row.get("calendar_id") for row in events.rows}
    keyed.sort(key=lambda row: row["id"] not in busy)
    for row in keyed[:_KEYED]:
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
