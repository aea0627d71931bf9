"""What has to hold of the rows that pages show: standard library alone, for pytest files carry it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import Any

from mockserver.conformance.player import Answer, at

Node = Mapping[str, Any]
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)  # noqa: UP017 -- runs anywhere
_MICROSECOND = timedelta(microseconds=1)


class Facts:
    """The answers that an expectation is held against, by the numbers of their steps."""

    def __init__(self, answers: Mapping[int, Answer], values: Mapping[str, str]) -> None:
        """`values` are those of the variables in steps and expectations, by name."""
        self.answers, self.values = answers, values
        self._read: dict[int, Any] = {}

    def json(self, step: int) -> Any:
        """The JSON of an answer, read once."""
        if step not in self._read:
            self._read[step] = self.answers[step].json
        return self._read[step]

    def seen(self, step: int, most: int = 300) -> str:
        """An answer in a few words."""
        answer = self.answers[step]
        return f"{answer.status} {answer.text[:most]}".rstrip() if answer.status else "no answer"

    def is_page(self, step: int) -> bool:
        """Whether an answer is a page of a list."""
        return self.answers[step].status == 200 and results_of(self.json(step)) is not None

    def rows(self, step: int) -> list[Any]:
        """The rows of a page: those with an id. None where the answer is no page."""
        return rows_of(self.json(step))

    def documents(self, step: int) -> dict[str, Any]:
        """The rows of a page, or the one document of an answer, by id."""
        body = self.json(step)
        if not isinstance(body, dict) or not 200 <= self.answers[step].status < 300:
            return {}
        found = rows_of(body) if results_of(body) is not None else [body]
        return {row["id"]: row for row in found if isinstance(row.get("id"), str)}


def results_of(body: Any) -> list[Any] | None:
    """What stands in the list of a page's JSON; None for what is no page."""
    found = body.get("results") if isinstance(body, dict) else None
    return found if isinstance(found, list) else None


def rows_of(body: Any) -> list[Any]:
    """The rows in a page's JSON: those with an id. None where it is no page."""
    return [row for row in results_of(body) or [] if isinstance(row, dict) and isinstance(row.get("id"), str)]


def instant(text: Any) -> int | None:
    """Microseconds since 1970; None for what is no time with a zone."""
    return _instant(text) if isinstance(text, str) else None


@lru_cache(maxsize=50_000)
def _instant(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(f"{text[:-1]}+00:00" if text.endswith("Z") else text)
    except ValueError:
        return None
    return None if moment.tzinfo is None else (moment - _EPOCH) // _MICROSECOND


def place_of(row: Mapping[str, Any], ordering: str) -> int | None:
    """What a row is sorted by; smaller comes first under any ordering. None where the row has no such time."""
    found = instant(row.get(ordering.removeprefix("-")))
    return -found if found is not None and ordering.startswith("-") else found


def not_pages(steps: Sequence[int], facts: Facts) -> str:
    """Which of the answers is no page, in words."""
    return next((f"{facts.seen(step)} where a page was expected" for step in steps if not facts.is_page(step)), "")


def same_rows(node: Node, facts: Facts) -> str:
    """Two pages show the same rows in the same order; says nothing where the first is none."""
    one, other = node["steps"]
    if not facts.is_page(one):
        return ""
    before, after = ([row["id"] for row in facts.rows(step)] for step in (one, other))
    if not facts.is_page(other) or before == after:
        return not_pages([other], facts)
    changed = sorted(set(before) ^ set(after))
    difference = f"{', '.join(changed[:3])} came or went" if changed else "in another order"
    return f"{len(before)} rows, and then {len(after)}: {difference}"


def in_order(node: Node, facts: Facts) -> str:
    """The rows of the pages, in the listing's order, are sorted."""
    ordering, latest = node["ordering"], None
    for step in node["steps"]:
        for row in facts.rows(step):
            place = place_of(row, ordering)
            if place is None:
                continue
            if latest is not None and place < latest[1]:
                name = ordering.removeprefix("-")
                return f"{row['id']} ({row[name]}) after {latest[0]['id']} ({latest[0][name]})"
            latest = row, place
    return not_pages(node["steps"], facts)


def each_once(node: Node, facts: Facts) -> str:
    """No row is on two of the pages, or on one of them twice; one whose time has moved may be."""
    shown: dict[str, int | None] = {}
    for step in node["steps"]:
        for row in facts.rows(step):
            place = place_of(row, node["ordering"])
            if row["id"] in shown and shown[row["id"]] == place:
                return f"{_row(row, node['ordering'])} is twice, sorted by {node['ordering']}"
            shown[row["id"]] = place
    return not_pages(node["steps"], facts)


def complete(node: Node, facts: Facts) -> str:
    """The pages show each row that the sources show and the filters leave, unless its place is beyond the pages."""
    pages, ordering, unreadable = node["steps"], node["ordering"], not_pages(node["steps"], facts)
    if unreadable:
        return unreadable
    rows = [row for step in pages for row in facts.rows(step)]
    shown = {row["id"] for row in rows}
    places = [place for row in rows if (place := place_of(row, ordering)) is not None]
    first = None if facts.json(pages[0]).get("previous") is None else places[:1]
    open_end = facts.json(pages[-1]).get("next") is not None or len(facts.rows(pages[-1])) >= node.get("size", 10**9)
    last = places[-1:] if open_end else None
    for source in node["sources"]:
        for row in facts.documents(source).values():
            place = place_of(row, ordering)
            if row["id"] in shown or place is None or not _lies(place, first, last):
                continue
            if all(meets(row, condition, node, facts) for condition in node["where"]):
                where = "not shown" if len(pages) == 1 else "on no page"
                return f"{_row(row, ordering)} is {where}, sorted by {ordering}"
    return ""


def _lies(place: int, first: list[int] | None, last: list[int] | None) -> bool:
    """Whether a place is between the first and the last that the pages show; None: nothing bounds them there."""
    return (first is None or place > (first or [place])[0]) and (last is None or place < (last or [place])[0])


def _row(row: Mapping[str, Any], ordering: str) -> str:
    name = ordering.removeprefix("-")
    return f"{row['id']} ({name} {row.get(name)})"


def meets(row: Mapping[str, Any], condition: Sequence[Any], node: Node, facts: Facts) -> bool:
    """Whether a row meets a condition: [member, operator, value]."""
    member, operator, wanted = condition
    have = row.get(member)
    if operator == "key":
        step = node["calendars"].get(str(have))
        if step is None:  # of a calendar that nobody asked for: a source's row is then none of those expected
            return bool(node["what"] != "complete")
        return bool(facts.documents(step).get(str(have), {}).get("deduplication_key") == wanted)
    if operator == "=":
        return bool(have == wanted)
    if operator == "beyond":
        place = place_of(row, node["ordering"])
        return bool((place or 0) > (-wanted if node["ordering"].startswith("-") else wanted))
    found_at = instant(have)
    return found_at is None or (found_at <= wanted if operator == "at most" else found_at >= wanted)


def each_row(node: Node, facts: Facts) -> str:
    """Every row of the pages meets the conditions, and there are no more than `most` of them."""
    for step in node["steps"]:
        for row in facts.rows(step):
            for condition in node["where"]:
                if not meets(row, condition, node, facts):
                    return f"{row['id']} is shown, whose {condition[0]} is {row.get(condition[0])!r}"
        if len(facts.rows(step)) > node.get("most", 10**9):
            return f"{len(facts.rows(step))} rows"
    return not_pages(node["steps"], facts)


def no_row(node: Node, facts: Facts) -> str:
    """No row of the answer has these members."""
    found = [row for row in facts.rows(node["step"]) if all(row.get(k) == v for k, v in node["members"].items())]
    return f"{len(found)} of them, {found[0]['id']} first" if found else ""


def shows(node: Node, facts: Facts) -> str:
    """The page shows a row; says nothing where the row was never made."""
    listed = {row["id"] for row in facts.rows(node["step"])}
    return not_pages([node["step"]], facts) or (
        f"{node['id']} is not among {len(listed)} rows" if node["id"] and node["id"] not in listed else ""
    )


def apart(node: Node, facts: Facts) -> str:
    """No row of the page is one that the sources show, and none is of a calendar that they show."""
    strange = {name for source in node["sources"] for name in facts.documents(source)}
    found = [row for row in facts.rows(node["step"]) if row["id"] in strange or str(row.get("calendar_id")) in strange]
    return f"{found[0]['id']} is shown" if found else ""


def some_rows(node: Node, facts: Facts) -> str:
    """A page that a link led to has rows."""
    return "a link to a page without rows" if facts.is_page(node["step"]) and not facts.rows(node["step"]) else ""


def full(node: Node, facts: Facts) -> str:
    """A page has the full number of rows where more follow, and never more than that."""
    count, page = len(facts.rows(node["step"])), facts.json(node["step"])
    if not facts.is_page(node["step"]):
        return not_pages([node["step"]], facts)
    more = all(page.get(name) is not None for name in node["links"])
    return f"{count} rows" if count > node["size"] or (more and count < node["size"]) else ""


def count_is(node: Node, facts: Facts) -> str:
    """The page has a number of rows."""
    count = len(facts.rows(node["step"]))
    return not_pages([node["step"]], facts) or ("" if count == node["count"] else f"{count} rows")


def same_document(node: Node, facts: Facts) -> str:
    """What both answers show has the same members in both; says nothing where the first was refused."""
    one, other = (facts.documents(step) for step in node["steps"])
    pairs = [({**document, **node["instead"]}, other[name]) for name, document in one.items() if name in other]
    last = node["steps"][1]
    if one and not other and 200 <= facts.answers[last].status < 300:
        return facts.seen(last)
    if len(one) == len(other) == 1 and not pairs:
        return f"id {next(iter(other))}, not {next(iter(one))}"
    for before, after in pairs:
        names = [*before, *(name for name in after if name not in before and node.get("both"))]
        passed_over = [*node["but"], *(node.get("synced", ()) if shows_sync(before, after) else ())]
        for name in names:
            if name not in passed_over and (before.get(name) != after.get(name) or name not in after):
                return f"{name} {after.get(name)!r}, not {before.get(name)!r}"
    return ""


def same_member(node: Node, facts: Facts) -> str:
    """What a pointer leads to is the same in both answers."""
    before, after = (at(facts.json(step), node["pointer"]) for step in node["steps"])
    return "" if before == after else f"{node['pointer'][1:]} {after!r}, not {before!r}"


def shows_sync(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether a sync has come between two answers: its times moved on, or it ended in an authentication failure."""
    for name in ("last_attempted_sync_at", "last_successful_sync_at"):
        old, new = before.get(name), after.get(name)
        if isinstance(new, str) and (old is None or (isinstance(old, str) and old < new)):
            return True
    failure = after.get("connection_failure_data")
    return (
        after.get("state") == "disconnected"
        and isinstance(failure, dict)
        and failure != before.get("connection_failure_data")
    )


def later(node: Node, facts: Facts) -> str:
    """A time in the second answer is later than another one in the first; says nothing where one is no time."""
    (one, first), (other, second) = zip(node["steps"], node["pointers"], strict=True)
    before, after = at(facts.json(one), first), at(facts.json(other), second)
    early, late = instant(before), instant(after)
    if early is None or late is None or early < late or (early == late and node.get("or_same")):
        return ""
    return f"{second[1:]} {after}, with {first[1:]} {before}"


def distinct(node: Node, facts: Facts) -> str:
    """The answers that are 200 differ in a member."""
    found = [at(facts.json(step), node["pointer"]) for step in node["steps"] if facts.answers[step].status == 200]
    return f"{node['pointer'][1:]} {', '.join(map(str, found))}" if len(set(map(str, found))) < len(found) else ""
