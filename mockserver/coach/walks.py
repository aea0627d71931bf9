"""Finds mistakes in walks, which are the requests for the pages of one list, from the first to the last."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from mockserver.coach.history import LISTS, ApiCall, History
from mockserver.coach.remark import Remark, numbers

_WATERMARKS = ("updated_at_gte", "updated_after")


@dataclass
class Walk:
    """The pages of one list that were read one after the other."""

    pages: list[ApiCall]
    has_start: bool = True
    """False where the journal no longer has the first page."""
    strayed: list[ApiCall] = field(default_factory=list)
    """Pages whose filters are not those of the link that led to them."""

    @property
    def first(self) -> ApiCall:
        """The first page."""
        return self.pages[0]

    @property
    def last(self) -> ApiCall:
        """The last page that was read."""
        return self.pages[-1]

    @property
    def complete(self) -> bool:
        """Whether the last page of the list was read."""
        return self.last.next_params is None

    @property
    def since(self) -> datetime | None:
        """The watermark: the earliest updated_at that was asked for."""
        return read_watermark(self.first)

    @property
    def scope(self) -> frozenset[tuple[str, str]]:
        """The filters without the watermark and the order: what the list is about."""
        left_out = (*_WATERMARKS, "ordering")
        return frozenset((name, value) for name, value in self.first.filters.items() if name not in left_out)


def read_watermark(call: ApiCall) -> datetime | None:
    """The watermark in a call's filters; None where there is none that can be read."""
    text = next((call.params[name] for name in _WATERMARKS if call.params.get(name)), "")
    try:
        read = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        return None
    return read if read.tzinfo is not None else read.replace(tzinfo=UTC)


def find_walks(calls: list[ApiCall]) -> list[Walk]:
    """The walks in the calls of one list, by their first pages."""
    walks: list[Walk] = []
    expected: dict[str, tuple[Walk, dict[str, str]]] = {}
    for call in calls:
        if call.status != 200:
            continue
        cursor = call.params.get("cursor")
        if cursor is None:
            walk = Walk([call])
            walks.append(walk)
        elif cursor in expected:
            walk, params = expected[cursor]
            if call.params != params:
                walk.strayed.append(call)
            if walk.last.next_params is None or walk.last.next_params.get("cursor") != cursor:
                continue  # a page that was read before: the response was damaged, or did not arrive
            walk.pages.append(call)
        else:
            walk = Walk([call], has_start=False)
            walks.append(walk)
        if call.next_params is not None:
            expected[call.next_params.get("cursor", "")] = walk, call.next_params
    return walks


def walk_remarks(history: History) -> Iterator[Remark]:
    """Mistakes with pages and watermarks, for each of the lists."""
    for operation in LISTS:
        walks = find_walks(history.of(operation))
        yield from _unfinished(walks)
        yield from _strayed(walks)
        yield from _watermarks(walks)
    old = [call for call in history.of("listCalendarEvents") if "updated_after" in call.params]
    if old:
        what = f"{len(old)} request{'s' if len(old) > 1 else ''} of listCalendarEvents used updated_after."
        yield Remark("updated-after", tuple(call.number for call in old), what)


def _unfinished(walks: list[Walk]) -> Iterator[Remark]:
    seen: set[tuple[str, str]] = set()
    for number, walk in enumerate(walks):
        known, rows = seen.copy(), _versions(walk.last)
        for page in walk.pages:
            seen |= _versions(page)
        repeated = any(_covers(later, walk) for later in walks[number + 1 :])
        # A walk from the newest to the oldest may end where it arrives at what is known already.
        caught_up = walk.first.params.get("ordering", "") == "-updated_at" and bool(rows & known)
        if walk.complete or repeated or caught_up or walk.strayed:
            continue
        read = "page" if len(walk.pages) == 1 else f"{len(walk.pages)} pages"
        rule = "first-page-only" if len(walk.pages) == 1 and walk.has_start else "walk-abandoned"
        what = f"{walk.first.operation}: after the first {read} there was a `next`, and nobody requested it."
        yield Remark(rule, tuple(page.number for page in walk.pages), what)


def _covers(later: Walk, earlier: Walk) -> bool:
    """Whether a later walk read everything that the earlier one left out."""
    if later.scope != earlier.scope or not later.complete:
        return False
    return later.since is None or (earlier.since is not None and later.since <= earlier.since)


def _versions(page: ApiCall) -> set[tuple[str, str]]:
    return {(str(row.get("id")), str(row.get("updated_at"))) for row in page.rows}


def _strayed(walks: list[Walk]) -> Iterator[Remark]:
    for walk in walks:
        for page in walk.strayed:
            before = next(one for one in reversed(walk.pages) if one.number < page.number)
            wanted, given = before.next_params or {}, page.filters
            names = {name for name in {*wanted, *given} - {"cursor"} if wanted.get(name) != given.get(name)}
            what = f"{page.operation}: the request for the next page changed {', '.join(sorted(names))}."
            yield Remark("filters-changed", (before.number, page.number), what)


def _watermarks(walks: list[Walk]) -> Iterator[Remark]:
    for number, walk in enumerate(walks):
        before = next((one for one in reversed(walks[:number]) if one.scope == walk.scope and one.has_start), None)
        if before is None or walk.since is None or walk.since <= before.first.begun:
            continue
        pages = [page for one in walks[:number] if one.scope == walk.scope for page in one.pages]
        newest = max((_updated(page) for page in pages), default=None)
        if newest is not None and walk.since <= newest:
            continue
        if any(page.cut for page in pages) and walk.since <= before.last.time:
            continue  # the newest row may be one that the journal did not keep
        what = (
            f"The walk that began with {numbers([walk.first.number])} asks only for what changed since "
            f"{walk.since.isoformat()}; the walk before it began at {before.first.begun.isoformat()}."
        )
        yield Remark("watermark-late", (before.first.number, walk.first.number), what)


def _updated(page: ApiCall) -> datetime:
    """The newest updated_at of a page."""
    times = (datetime.fromisoformat(str(row["updated_at"])) for row in page.rows if row.get("updated_at"))
    return max(times, default=datetime.min.replace(tzinfo=UTC))
