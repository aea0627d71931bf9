"""Laws between two projects: what one has is not there for the other."""

from __future__ import annotations

from collections.abc import Sequence

from mockserver.conformance.checks import Steps
from mockserver.conformance.exchange import Exchange, Key
from mockserver.conformance.expectations import apart, never_so, status
from mockserver.conformance.list_pages import CALENDAR_LIST, EVENT_LIST, Listing, Page, Row, link_path, page_of
from mockserver.conformance.list_properties.bench import Trial
from mockserver.conformance.list_properties.laws import law
from mockserver.conformance.list_properties.pages import all_calendars, all_events
from mockserver.conformance.origins import in_order

_SOME, _KEYED = 2, 3


@law("tenant-lists", cost=4, needs=("other-key",), after=(all_calendars, all_events))
def separate_lists(trial: Trial) -> None:
    """Whether the two projects' lists have nothing in common."""
    theirs = _lists(trial, "other")
    for operation, page in _lists(trial, "main").items():
        _disjoint(trial, page.listing, page, theirs[operation])


@law(
    "tenant-get",
    "tenant-filters",
    "tenant-cursor",
    cost=9,
    needs=("other-key",),
    after=(all_calendars, all_events, separate_lists),
)
def strangers(trial: Trial) -> Steps:
    """Whether what one project has can be read or filtered with the other's key."""
    if trial.is_broken("tenant-lists"):
        return
    yield from _strangers(trial, "other", _lists(trial, "main"))
    yield from _strangers(trial, "main", _lists(trial, "other"))


def _lists(trial: Trial, key: Key) -> dict[str, Page]:
    """The first pages of a project's lists, by operation."""
    return {listing.operation: trial.page(listing, key=key) for listing in (CALENDAR_LIST, EVENT_LIST)}


def _disjoint(trial: Trial, listing: Listing, ours: Page, theirs: Page) -> None:
    if not ours.rows or not theirs.rows:
        trial.unobservable("tenant-lists", f"one of the two projects has nothing in {listing.operation}")
        return
    known = {row["id"] for row in trial.survey.known(listing)}
    both = [name for name in theirs.ids if name in known]
    if not both:
        trial.keep("tenant-lists")
        return
    sources = in_order([ours.exchange, trial.survey.seen[both[0]]])
    trial.check("tenant-lists", apart(sources), operation=listing.operation, exchanges=[*sources, theirs.exchange])


def _strangers(trial: Trial, key: Key, owner: dict[str, Page]) -> Steps:
    """Asks with one project's key for what the other has: one of each first."""
    calendars, events = owner[CALENDAR_LIST.operation], owner[EVENT_LIST.operation]
    read, found = (trial.random.sample(page.rows, min(_SOME, len(page.rows))) for page in (calendars, events))
    keyed = [row for row in calendars.rows if isinstance(row.get("deduplication_key"), str)]
    busy = {row.get("calendar_id") for row in events.rows}
    keyed.sort(key=lambda row: row["id"] not in busy)
    sources = in_order([calendars.exchange, events.exchange])
    _read(trial, key, calendars, read[:1])
    _filter(trial, key, sources, found[:1], keyed[:1])
    _cursors(trial, key, owner)
    yield
    _read(trial, key, calendars, read[1:])
    _filter(trial, key, sources, found[1:], keyed[1:_KEYED])
    yield


def _read(trial: Trial, key: Key, calendars: Page, rows: Sequence[Row]) -> None:
    for row in rows:
        exchange = trial.get(f"{CALENDAR_LIST.path}/{row['id']}", key=key)
        trial.check(
            "tenant-get",
            never_so(status(200)),
            operation="getCalendar",
            exchanges=[calendars.exchange, exchange],
        )


def _filter(trial: Trial, key: Key, sources: list[Exchange], events: Sequence[Row], calendars: Sequence[Row]) -> None:
    for row in events:
        for name, value in (("event_id", row["id"]), ("calendar_id", row.get("calendar_id"))):
            _hidden(trial, trial.unnoted(EVENT_LIST, ((name, str(value)),), key=key), name, sources)
    for row in calendars:
        value = row["deduplication_key"]
        for listing, name in ((CALENDAR_LIST, "deduplication_key"), (EVENT_LIST, "calendar_deduplication_key")):
            page = trial.unnoted(listing, ((name, value),), key=key)
            _hidden(trial, page, name, sources)


def _hidden(trial: Trial, page: Page, name: str, sources: list[Exchange]) -> None:
    trial.check(
        "tenant-filters",
        apart(sources),
        operation=page.listing.operation,
        field=name,
        exchanges=[*sources, page.exchange],
    )


def _cursors(trial: Trial, key: Key, owner: dict[str, Page]) -> None:
    """A cursor that the other project was given shows nothing of that project."""
    for page in owner.values():
        link = page.next or page.previous
        if link is None:
            trial.unobservable("tenant-cursor", "neither project has a list of more than one page")
            continue
        beyond = trial.follow(page, link)
        shown = page_of(page.listing, (), trial.get(link_path(link), key=key))
        sources = in_order([page.exchange, beyond.exchange])
        trial.check(
            "tenant-cursor",
            apart(sources),
            operation=page.listing.operation,
            exchanges=[*sources, shown.exchange],
        )
