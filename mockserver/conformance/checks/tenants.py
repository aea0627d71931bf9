"""Two projects: what one has is not there for the other, and shows nowhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from mockserver.conformance.calendar_bodies import VOLATILE, created_id, marked
from mockserver.conformance.checks import IF_SHORT, Steps, check
from mockserver.conformance.checks.cases import NOBODY, Bench, header
from mockserver.conformance.checks.laws import Trial, law
from mockserver.conformance.checks.pages import all_calendars, all_events
from mockserver.conformance.exchange import Exchange, Key
from mockserver.conformance.expectations import (
    apart,
    complete,
    count,
    every,
    lacks,
    never_so,
    no_ids_of,
    same_document,
    same_headers,
    shows,
    status,
)
from mockserver.conformance.guard import CALENDARS, EVENTS
from mockserver.conformance.list_pages import (
    CALENDAR_LIST,
    EVENT_LIST,
    Listing,
    Page,
    Row,
    ids_in,
    is_page,
    link_path,
    page_of,
)
from mockserver.conformance.origins import in_order
from mockserver.conformance.rules import WITH_OTHER_KEY, Rule
from mockserver.conformance.run import Forbidden

_ISOLATION = "openapi.yaml, Projects and keys; recorded: isolation"

RULES: tuple[Rule, ...] = (
    Rule(
        "tenant-lists", "laws", "high", "No calendar or event is listed for two projects.", _ISOLATION, WITH_OTHER_KEY
    ),
    Rule("tenant-get", "laws", "high", "A key of another project cannot read a calendar.", _ISOLATION, WITH_OTHER_KEY),
    Rule("tenant-filters", "laws", "high", "No filter shows rows of another project.", _ISOLATION, WITH_OTHER_KEY),
    Rule(
        "tenant-cursor",
        "laws",
        "high",
        "With a key of another project, a cursor shows only rows of that other project.",
        _ISOLATION,
        WITH_OTHER_KEY,
    ),
    Rule(
        "tenant-ids-hidden",
        "details",
        "high",
        "No response contains an id of another project's calendar or event.",
        "openapi.yaml: info, Projects and keys",
        WITH_OTHER_KEY,
    ),
    Rule(
        "tenant-404-alike",
        "details",
        "medium",
        "The 404 for another project's calendar is that of one that does not exist, headers included.",
        "openapi.yaml: info, Projects and keys",
        WITH_OTHER_KEY,
    ),
)

_SOME, _KEYED = 2, 3


@law("tenant-lists", cost=4, least=2, needs=("other-key",), after=(all_calendars, all_events))
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
    least=5,
    needs=("other-key",),
    after=(all_calendars, all_events, separate_lists),
)
def strangers(trial: Trial) -> Steps:
    """Whether what one project has can be read or filtered with the other's key."""
    if trial.is_broken("tenant-lists"):
        return
    yield from _strangers(trial, "other", _lists(trial, "main"))
    yield from _strangers(trial, "main", _lists(trial, "other"))


@law("filter-text", cost=2, needs=("other-key",), after=(separate_lists,))
def keys_of_the_other(trial: Trial) -> Steps:
    """The other project's events by its calendars' keys, first by those that a calendar of this project has as well."""
    ours = {str(row.get("deduplication_key")) for row in trial.survey.known(CALENDAR_LIST)}
    lists = _lists(trial, "other")
    listed = lists[EVENT_LIST.operation]
    busy = {row.get("calendar_id") for row in listed.rows}
    keyed = [row for row in lists[CALENDAR_LIST.operation].rows if row["id"] in busy and row.get("deduplication_key")]
    for row in sorted(keyed, key=lambda row: row["deduplication_key"] not in ours)[:_KEYED]:
        if trial.is_broken("filter-text", "filter-taken", "tenant-filters", field="calendar_deduplication_key"):
            return
        query = (("calendar_deduplication_key", str(row["deduplication_key"])),)
        page = trial.unnoted(EVENT_LIST, query, key="other")
        shown = [page.exchange]
        whole = complete(
            shown, page.ordering, [listed.exchange], where=[["calendar_id", "=", row["id"]]], size=EVENT_LIST.size
        )
        trial.check(
            "filter-text",
            whole,
            operation=EVENT_LIST.operation,
            field="calendar_deduplication_key",
            exchanges=[listed.exchange, *shown],
        )
        yield


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
    _filter(trial, key, sources, found[:1], [])
    _cursors(trial, key, owner)
    yield IF_SHORT
    _filter(trial, key, sources, [], keyed[:1])
    yield
    _read(trial, key, calendars, read[1:])
    _filter(trial, key, sources, found[1:], keyed[1:_KEYED])
    yield


def _read(trial: Trial, key: Key, calendars: Page, rows: Sequence[Row]) -> None:
    for row in rows:
        exchange = trial.get(f"{CALENDAR_LIST.path}/{row['id']}", key=key)
        trial.check(
            "tenant-get", never_so(status(200)), operation="getCalendar", exchanges=[calendars.exchange, exchange]
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
            "tenant-cursor", apart(sources), operation=page.listing.operation, exchanges=[*sources, shown.exchange]
        )


@check(
    "tenant-get",
    "tenant-writes",
    "tenant-filters",
    "tenant-lists",
    "dedup-per-project",
    context=Bench,
    cost=4,
    needs=("write", "other-key"),
    apart=True,
)
def foreign_calendars(bench: Bench) -> Steps:
    """Two calendars with one key, one of each project: neither project finds the other's or leaves a trace on it."""
    key = f"{bench.target.tag()} \u00e9"
    ours = bench.create(deduplication_key=key)
    if ours is None:
        return
    try:
        theirs = bench.target.send("POST", CALENDARS, json=bench.fields(deduplication_key=key), key="other")
    except Forbidden:
        bench.unobservable("tenant-writes", "the run may not write with the other key")
        return
    if theirs.status != 429 and not bench.is_broken("dedup-per-project"):
        bench.check("dedup-per-project", status(201), operation="createCalendar", exchanges=[ours, theirs])
    calendar_id = created_id(theirs)
    if calendar_id is None:
        return
    path = f"{CALENDARS}/{calendar_id}"
    _found_by_its_own(bench, f"deduplication_key={quote(key, safe='')}", ours, theirs)
    yield
    _found_by_its_own(bench, "", ours, theirs)
    yield
    yield from _untouched(bench, path, theirs)
    bench.target.send("DELETE", path, key="other")


def _found_by_its_own(bench: Bench, query: str, ours: Exchange, theirs: Exchange) -> None:
    """That a list of one project shows its own calendar and not the other's."""
    rule = "tenant-filters" if query else "tenant-lists"
    keys: tuple[tuple[Key, Exchange, Exchange], ...] = (("main", ours, theirs), ("other", theirs, ours))
    for key, own, foreign in keys:
        page = bench.target.send("GET", f"{CALENDARS}?{query}", key=key)
        if not is_page(page) or bench.is_broken("tenant-lists", "tenant-filters", "listed-at-once"):
            return
        apart_from = lacks(foreign.json["id"])
        wanted = every(apart_from, count(1), shows(own.json["id"])) if query else apart_from
        field = "deduplication_key" if query else ""
        bench.check(rule, wanted, operation="listCalendars", field=field, exchanges=[ours, theirs, page])


def _untouched(bench: Bench, path: str, theirs: Exchange) -> Steps:
    """Whatever is asked of another project's calendar is answered with 404 and leaves it as it was."""
    json_type = header("Content-Type", "application/json")
    tries: tuple[tuple[str, dict[str, Any]], ...] = (
        ("PATCH", {"json": {}}),
        ("DELETE", {}),
        ("PATCH", {"json": marked(bench.target.tag())}),
        ("GET", {}),
        ("HEAD", {}),
        ("PATCH", {"json": {"metadata": None}}),
        ("PATCH", {"json": {"client_secret": bench.target.secret("client_secret")}}),
        ("PATCH", {"body": b"{", "headers": json_type}),
        ("DELETE", {"body": b"{}", "headers": json_type}),
        ("PATCH", {"json": {"state": "disconnected", "foo": 1}}),
    )
    for number, (method, sent) in enumerate(tries):
        before = bench.target.send("GET", path, key="other")
        if before.status != 200:
            return  # deleted meanwhile, with all that the run had made
        answer = bench.target.send(method, path, **sent)
        operation = bench.answers.place("GET" if method == "HEAD" else method, path).operation
        after = bench.target.send("GET", path, key="other")
        if answer.status == 0 or answer.status >= 500 or bench.is_broken("tenant-writes"):
            return
        rule = "tenant-get" if method in ("GET", "HEAD") else "tenant-writes"
        untouched = every(status(200), same_document(before, synced=VOLATILE, both=True))
        refused = status(404, of=answer)
        if not bench.is_broken(rule):
            steps = [theirs, before, answer, after]
            bench.check(rule, every(refused, untouched), operation=operation, exchanges=steps)
        if number % 2:
            yield


_CHANGES = frozenset({"date", "content-length"})
_COMPARED = ("allow", "content-type", "vary")


@check("tenant-ids-hidden", context=Bench, cost=6, least=3, needs=("other-key",))
def foreign_ids(bench: Bench) -> Steps:
    """Pages, details and errors of one project, searched for the ids of another."""
    others = [bench.target.send("GET", path, key="other") for path in (CALENDARS, EVENTS)]
    if not any(ids_in(page) for page in others):
        bench.unobservable("tenant-ids-hidden", "the other project has no calendar")
        return
    for place in (EVENTS, CALENDARS, "", f"{EVENTS}?ordering=bad", f"{CALENDARS}?cursor=bad", NOBODY):
        _search(bench, others, bench.get(place or bench.calendar))
        yield
    if bench.target.writes and bench.writes:
        key = bench.target.tag()
        made = bench.create(deduplication_key=key)
        taken = bench.target.send("POST", CALENDARS, json=bench.fields(deduplication_key=key))
        bench.took(taken)
        for exchange in (*([made] if made is not None else []), taken, bench.target.send("PATCH", bench.ours, json={})):
            _search(bench, others, exchange)


def _search(bench: Bench, others: list[Exchange], exchange: Exchange) -> None:
    operation = bench.answers.place(exchange.request.method, exchange.request.path).operation
    known = ("tenant-lists", "tenant-filters", "tenant-ids-hidden")
    if not bench.is_broken(*known, operation=operation) and exchange.status != 429:
        steps = [*others, *bench.origins(exchange), exchange]
        bench.check("tenant-ids-hidden", no_ids_of(others), operation=operation, exchanges=steps)


@check("tenant-404-alike", context=Bench, cost=6, needs=("other-key",))
def foreign_404s(bench: Bench) -> Steps:
    """The 404 for a calendar of another project beside that for one that nobody has."""
    page = bench.target.send("GET", CALENDARS, key="other")
    shown = ids_in(page)[:1]
    if not shown:
        bench.unobservable("tenant-404-alike", "the other project has no calendar")
        return
    nobody, again = bench.get(NOBODY), bench.get(NOBODY)
    theirs = bench.get(f"{CALENDARS}/{quote(shown[0])}")
    if [one.status for one in (nobody, again, theirs)] != [404] * 3:
        return
    # A header that comes and goes by itself says nothing of whose calendar it is.
    steady = {
        name
        for name in nobody.headers.keys() | again.headers.keys()
        if nobody.headers.get(name) == again.headers.get(name)
    }
    moving = nobody.headers.keys() ^ again.headers.keys()
    differing = (theirs.headers.keys() ^ nobody.headers.keys()) - moving - _CHANGES
    names = sorted({*_COMPARED, *differing, *(steady - _CHANGES)})
    bench.check(
        "tenant-404-alike",
        same_headers(nobody, theirs, names),
        operation="getCalendar",
        field="headers",
        exchanges=[page, nobody, theirs],
    )
    yield
