"""Checks of what shows through between two projects: ids in any text, and how a 404 differs."""

from __future__ import annotations

from urllib.parse import quote

from mockserver.conformance.checks import Steps, check
from mockserver.conformance.exchange import Exchange
from mockserver.conformance.expectations import no_ids_of, same_headers
from mockserver.conformance.guard import CALENDARS, EVENTS
from mockserver.conformance.list_pages import ids_in
from mockserver.conformance.recorded_cases.bench import NOBODY, Bench

_CHANGES = frozenset({"date", "content-length"})
_COMPARED = ("allow", "content-type", "vary")


@check("tenant-ids-hidden", context=Bench, cost=6, least=3, needs=("other-key",))
def ids(bench: Bench) -> Steps:
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
def refusals(bench: Bench) -> Steps:
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


CHECKS = (ids, refusals)
