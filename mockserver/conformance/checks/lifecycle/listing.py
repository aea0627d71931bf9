"""Steps that hold the list of calendars against the model, also while it changes between two pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from mockserver.conformance.checks.lifecycle.stage import Calendar, Stage
from mockserver.conformance.checks.lifecycle.writing import create
from mockserver.conformance.checks.notation import read
from mockserver.conformance.exchange import Exchange
from mockserver.conformance.expectations import same_rows, shows
from mockserver.conformance.list_pages import CALENDAR_LIST, Page, Row, Unreadable, address, link_path, page_of

_LIST = "listCalendars"
_FEW = 20
NO_SECOND_PAGE = "the project has no more than 25 calendars, or its newest were all created at one instant"
_CAUSES = ("list-is-detail", "patch-stored", "create-stored", "stays-as-written")


def _page(stage: Stage, path: str) -> Page:
    return page_of(CALENDAR_LIST, (), stage.get(path))


def has_place(page: Page) -> bool:
    """Whether the next page begins beyond a time; it does not where all rows have the same: then rows are counted."""
    return len({row.get("created_at") for row in page.rows}) > 1


def listed(stage: Stage) -> None:
    """The first page shows the calendars of ours as they are; the newest of them cannot be missing."""
    try:
        page = _page(stage, CALENDAR_LIST.path)
    except Unreadable:
        return
    rows = {row["id"]: row for row in page.rows}
    # What other checks have made since may have moved those of this stage to the next page.
    oldest = page.rows[-1].get("created_at") if page.next is not None else None
    newest = [one for one in stage.model.calendars.values() if oldest is None or _is_after(one, oldest)]
    for calendar in newest[-_FEW:]:
        if not _shown(stage, calendar, rows, page.exchange):
            return


def _is_after(calendar: Calendar, instant: object) -> bool:
    made, other = read(calendar.document.get("created_at")), read(instant)
    return made is not None and other is not None and made > other


def _shown(stage: Stage, calendar: Calendar, rows: Mapping[str, Row], exchange: Exchange) -> bool:
    row = rows.get(calendar.id)
    if row is None:
        may_be_gone = stage.live or len(rows) < CALENDAR_LIST.size
        if may_be_gone and stage.read(calendar.id).status != 200:
            return stage.keep("listed-at-once")
        return stage.check("listed-at-once", shows(calendar.id), _LIST, [calendar.made, exchange])
    stage.keep("listed-at-once")
    if stage.is_broken(*_CAUSES):
        return True
    return stage.check("list-fresh", stage.like(calendar), _LIST, calendar.story(exchange))


def found_by_key(stage: Stage, number: int) -> None:
    """A calendar's key finds it, as it is, and nothing else."""
    keyed = [calendar for calendar in stage.model.calendars.values() if calendar.key is not None]
    if not keyed or stage.is_broken("dedup-refused", "dedup-stripped"):
        return
    calendar = keyed[number % len(keyed)]
    try:
        page = _page(stage, address(CALENDAR_LIST, (("deduplication_key", calendar.key or ""),)))
    except Unreadable:
        return
    found = stage.check(
        "listed-at-once", shows(calendar.id), _LIST, [calendar.made, page.exchange], field="deduplication_key"
    )
    if found and not stage.is_broken(*_CAUSES):
        stage.check("list-fresh", stage.like(calendar), _LIST, calendar.story(page.exchange))


class Walk(NamedTuple):
    """What came of reading a page before and after something was done."""

    done: Calendar | None = None
    pages: tuple[Page, Page] | None = None
    """The first page and the second, where that stayed as it was."""


def walk_while_inserting(stage: Stage) -> Walk:
    """The second page is the same after a calendar was created, for it belongs on the first."""
    return _walk(stage, "walk-stable-insert", lambda: create(stage, 1))


def walk_while_deleting(stage: Stage, earlier: Walk | None = None) -> None:
    """The second page is the same after a calendar of the first was deleted: a new one, or that of an earlier walk."""
    calendar = (earlier and earlier.done) or create(stage, 0)
    if calendar is not None:
        _walk(stage, "walk-stable-delete", lambda: _delete(stage, calendar), earlier and earlier.pages)


def _delete(stage: Stage, calendar: Calendar) -> Calendar:
    answer = stage.write("DELETE", calendar.id)
    stage.drop(calendar)
    return Calendar(calendar.document, answer)


def _walk(stage: Stage, rule: str, act: Callable[[], Calendar | None], pages: tuple[Page, Page] | None = None) -> Walk:
    done = None
    try:
        first = pages[0] if pages else _page(stage, CALENDAR_LIST.path)
        if first.next is None or not has_place(first):
            stage.unobservable(rule, NO_SECOND_PAGE)
            return Walk()
        before = pages[1] if pages else _page(stage, link_path(first.next))
        done = act()
        after = _page(stage, link_path(first.next))
        again = after if after.ids == before.ids else _page(stage, link_path(first.next))
    except Unreadable:
        return Walk(done)
    if after.ids != before.ids and (again.ids == before.ids or set(before.ids) & _gone(stage, before, again)):
        stage.keep(rule)
        return Walk(done)
    exchanges = [first.exchange, before.exchange, *([done.made] if done else []), after.exchange]
    holds = stage.check(rule, same_rows(before.exchange), _LIST, exchanges)
    return Walk(done, (first, before) if holds else None)


def _gone(stage: Stage, before: Page, after: Page) -> set[str]:
    """The rows of the page that somebody else has deleted meanwhile."""
    missing = [name for name in before.ids if name not in after.ids]
    return {name for name in missing if stage.read(name).status == 404}
