"""Checks of bots as they are made, read and listed: their order, pages and filters, and what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from mockserver.conformance.checks import IF_SHORT, Steps, check
from mockserver.conformance.checks.bots.bench import NO_BOT, NOT_FOUND, BotBench, bot_case, id_of, listed, these_rows
from mockserver.conformance.checks.cases import Holding
from mockserver.conformance.exchange import Exchange
from mockserver.conformance.expectations import body as like
from mockserver.conformance.expectations import every, has, member, same_document, same_headers, status
from mockserver.conformance.guard import BOTS, path_of
from mockserver.conformance.list_pages import link_of, link_path
from mockserver.conformance.run import Run

_PAGE = 25
_MANY = 27
_TIME = "Invalid {} format. Use ISO 8601 format (e.g., 2024-01-18T12:34:56Z)"
_NUL = "Null characters are not allowed in {}."
_REFUSED: tuple[tuple[str, str, int, Any], ...] = (
    ("join_at_after=soon", "join_at_after", 400, {"error": _TIME.format("join_at_after")}),
    ("join_at_before=2028-13-01", "join_at_before", 400, {"error": _TIME.format("join_at_before")}),
    ("join_at_before=x&join_at_after=y", "join_at_after", 400, {"error": _TIME.format("join_at_after")}),
    ("join_at_before=x&cursor=bad", "join_at_before", 400, {"error": _TIME.format("join_at_before")}),
    ("cursor=bad", "cursor", 404, {"detail": "Invalid cursor"}),
    ("cursor=bad&join_at_after=x", "join_at_after", 400, {"error": _TIME.format("join_at_after")}),
    ("join_at_after=2028-02-30T00:00:00Z", "join_at_after", 400, {"error": _TIME.format("join_at_after")}),
    ("join_at_after=1830000000", "join_at_after", 400, {"error": _TIME.format("join_at_after")}),
    ("join_at_before=2028-01-01T24:00:00Z", "join_at_before", 400, {"error": _TIME.format("join_at_before")}),
    ("join_at_before=null", "join_at_before", 400, {"error": _TIME.format("join_at_before")}),
    ("states=scheduled&cursor=bad", "cursor", 404, {"detail": "Invalid cursor"}),
    ("join_at_after=&meeting_url=none&cursor=bad", "cursor", 404, {"detail": "Invalid cursor"}),
    ("cursor=cursor&deduplication_key=none", "cursor", 404, {"detail": "Invalid cursor"}),
    ("meeting_url=%00", "meeting_url", 400, {"error": _NUL.format("meeting_url")}),
    ("deduplication_key=%00", "deduplication_key", 400, {"error": _NUL.format("deduplication_key")}),
    ("format=yaml", "format", 404, {"detail": "Not found."}),
    ("meeting_url=none&format=JSON", "format", 404, {"detail": "Not found."}),
)
_EMPTY = ("deduplication_key", "join_at_after", "join_at_before", "cursor")
_UNKNOWN_STATES = (
    ("states=asleep", "asleep"),
    ("states=scheduled&states=Scheduled", "Scheduled"),
    ("join_at_after=x&states=", ""),
    ("states=%00", "\0"),
    ("cursor=bad&join_at_before=x&states=SCHEDULED", "SCHEDULED"),
    ("states=asleep&cursor=bad", "asleep"),
    ("states=scheduled,ended", "scheduled,ended"),
    ("states=scheduled&states=asleep&states=ended", "asleep"),
    ("states=%20scheduled", " scheduled"),
    ("states=ended%20", "ended "),
)
"""Queries with an unknown state, and the state."""


@check("bot-create-accepted", "bot-stored", context=BotBench, cost=6, least=2, needs=("write",), apart=True)
def creation(bench: BotBench) -> Steps:
    """A bot with every field that shows, and one with the fewest, as they are answered, read and listed."""
    key, link, at = bench.target.tag(), bench.link(), bench.at()
    sent = bench.bot_fields(meeting_url=link, join_at=at, deduplication_key=key)
    shown = {"meeting_url": link, "join_at": at, "deduplication_key": key, "metadata": sent["metadata"]}
    made = made_of(bench, "bot-create-accepted", "body", sent, {"state": "scheduled", "events": [], **shown})
    if made is None or bench.is_broken("bot-create-accepted"):
        return
    bench.work_with(made)
    changes = getattr(bench.target, "changes", 0)
    yield IF_SHORT
    if getattr(bench.target, "changes", 0) != changes:
        # Others may have changed or deleted it: what is read has to be as it was made.
        made = bench.create() or made
    for path in (path_of(id_of(made)), f"{BOTS}?{urlencode({'meeting_url': made.json.get('meeting_url', link)})}"):
        again = bench.get(path)
        if not bench.is_told(again, right_status=True):
            one = (
                same_document(made, again) if path != path.partition("?")[0] else same_document(made, again, both=True)
            )
            bench.check("bot-stored", one, "getBot" if "?" not in path else "listBots", [made, again])
    yield
    # A run has to find again what it made: its mark is in the link where metadata are left out.
    least = bench.bot_fields("metadata", deduplication_key=bench.target.tag())
    made_of(bench, "bot-create-accepted", "metadata", least, {"metadata": None})
    yield
    keyless = made_of(
        bench, "bot-create-accepted", "deduplication_key", bench.bot_fields(), {"deduplication_key": None}
    )
    if keyless is not None and not bench.is_broken("bot-create-accepted", "bot-stored"):
        stored(bench, keyless, keyless, bench.bots(meeting_url=str(keyless.json.get("meeting_url"))))


def stored(bench: BotBench, made: Exchange, shown: Exchange, *again: Exchange, field: str = "") -> None:
    """What an answer showed of a bot is what is read and listed of it afterwards."""
    for one in again:
        if not bench.is_told(one, right_status=True) and not bench.is_broken("bot-stored"):
            operation = "listBots" if "?" in one.request.path else "getBot"
            steps = [made, *([] if shown is made else [shown]), one]
            whole = same_document(shown, one, both=operation == "getBot")
            bench.check("bot-stored", every(status(200), whole), operation, steps, field=field)


def made_of(bench: BotBench, rule: str, field: str, sent: dict[str, Any], shown: dict[str, Any]) -> Exchange | None:
    """Makes a bot, and holds the answer against what it has to show; None where no bot was made."""
    exchange = bench.ask(bot_case(rule, "createBot", field, "POST", BOTS, 201, Holding(shown))._replace(json=sent))
    return exchange if bench.took(exchange) else None


@check("bot-filter-refused", context=BotBench, cost=3)
def refused_filters(bench: BotBench) -> Steps:
    """Filters that are wrong, alone and together."""
    for query, name, code, body in _REFUSED:
        bench.ask(bot_case("bot-filter-refused", "listBots", name, "GET", f"{BOTS}?{query}", code, body))
        yield
    valid = ", ".join(bench.states)
    for query, text in _UNKNOWN_STATES:
        body = {"error": f"Invalid state: {text}. Valid states are: {valid}"}
        bench.ask(bot_case("bot-filter-refused", "listBots", "states", "GET", f"{BOTS}?{query}", 400, body))
        yield
    no_format = bot_case("bot-filter-refused", "getBot", "format", "GET", NO_BOT, 404, {"detail": "Not found."})
    bench.ask(no_format._replace(path=f"{NO_BOT}?format=yaml"))


class Trio:
    """Three bots of one meeting, each with a key, that join a day after another."""

    def __init__(self, bench: BotBench) -> None:
        self.link, self.key, self.cleared = bench.link(), bench.target.tag(), bench.cleared
        self.times = [bench.at(days=days) for days in range(3)]
        made = [
            bench.create(meeting_url=self.link, join_at=at, deduplication_key=f"{self.key}-{number}")
            for number, at in enumerate(self.times)
        ]
        self.made = [one for one in made if one is not None]
        self.ids = [id_of(one) for one in self.made]

    def cases(self, bench: BotBench, rule: str) -> list[tuple[str, dict[str, str | None], str, list[int]]]:
        """Field, filters beside the link or without it, what follows in the query, and which of the three are found."""
        first, second, third = self.times
        key = self.key
        nowhere: dict[str, str | None] = {"meeting_url": None}
        states = bench.states
        if rule == "bot-filter-empty":
            return [
                *_each_empty(),
                ("meeting_url", {"meeting_url": "", "deduplication_key": f"{key}-0"}, "", [0]),
                ("join_at_after", {name: "" for name in _EMPTY}, "", [0, 1, 2]),
                ("join_at_after", {"join_at_after": "", "join_at_before": second}, "", [0]),
                ("deduplication_key", {"deduplication_key": "", "states": "ended"}, "", []),
            ]
        return [
            ("meeting_url", {}, "", [0, 1, 2]),
            ("meeting_url", {"meeting_url": self.link[:-1]}, "", []),
            ("meeting_url", {"meeting_url": self.link.upper()}, "", []),
            ("deduplication_key", {"deduplication_key": f"{key}-1"}, "", [1]),
            ("deduplication_key", {"deduplication_key": f"{key}-1", "meeting_url": bench.link()}, "", []),
            ("deduplication_key", {"deduplication_key": f"{key}-1".upper()}, "", []),
            ("deduplication_key", {"deduplication_key": f"{key}-"}, "", []),
            ("join_at_after", {"join_at_after": first}, "", [1, 2]),
            ("join_at_after", {"join_at_after": bench.at(seconds=-1)}, "", [0, 1, 2]),
            ("join_at_before", {"join_at_before": third}, "", [0, 1]),
            ("join_at_before", {"join_at_before": bench.at(days=2, seconds=1)}, "", [0, 1, 2]),
            ("join_at_before", {"join_at_after": first, "join_at_before": third}, "", [1]),
            ("states", {"states": "scheduled"}, "", [0, 1, 2]),
            ("states", {"states": "ended"}, "", []),
            ("states", {"states": "ended", "join_at_after": second}, "", []),
            ("states", {}, "&states=scheduled&states=ended", [0, 1, 2]),
            ("states", {}, "&states=fatal_error&states=ended", []),
            ("states", {}, "&states=ended&states=scheduled", [0, 1, 2]),
            ("states", {}, "&states=scheduled&states=scheduled", [0, 1, 2]),
            ("states", {"states": "joining", "deduplication_key": f"{key}-2"}, "&states=scheduled", [2]),
            ("states", {"states": "scheduled", "meeting_url": bench.link()}, "&states=ended", []),
            ("states", {}, "".join(f"&states={name}" for name in states if name != "scheduled"), []),
            ("states", {}, "".join(f"&states={name}" for name in states), [0, 1, 2]),
            ("states", {"states": "ended", "deduplication_key": f"{key}-1", "meeting_url": None}, "", []),
            ("states", {"states": "ended", "join_at_before": third}, "", []),
            ("deduplication_key", {"deduplication_key": f"{key}-2", "meeting_url": None}, "", [2]),
            ("deduplication_key", {"deduplication_key": f" {key}-2 "}, "", []),
            ("deduplication_key", {"deduplication_key": f"{key}-1", "join_at_after": first}, "", [1]),
            ("deduplication_key", {"deduplication_key": f"{key}-1", "join_at_after": second}, "", []),
            ("deduplication_key", {"deduplication_key": f"{key}-1", "join_at_before": second}, "", []),
            ("deduplication_key", {"deduplication_key": f"{key}-0", "join_at_before": third, **nowhere}, "", [0]),
            ("join_at_after", {"join_at_after": third}, "", []),
            ("join_at_after", {"join_at_after": first, "deduplication_key": f"{key}-2", **nowhere}, "", [2]),
            ("join_at_after", {"join_at_after": third, "deduplication_key": f"{key}-2", **nowhere}, "", []),
            ("join_at_before", {"join_at_before": first}, "", []),
            ("join_at_before", {"join_at_before": third, "join_at_after": second}, "", []),
            ("join_at_before", {"join_at_before": third, "deduplication_key": f"{key}-2", **nowhere}, "", []),
            ("join_at_after", {"join_at_after": _in_zone(second, "+02:00", hours=2)}, "", [2]),
            ("join_at_before", {"join_at_before": _in_zone(second, "-09:30", hours=-9.5)}, "", [0]),
            ("meeting_url", {"meeting_url": self.link.removeprefix("https://")}, "", []),
            ("meeting_url", {"meeting_url": f"{self.link}?authuser=1"}, "", []),
            ("meeting_url", {"meeting_url": f" {self.link}"}, "", []),
        ]


@check("bot-filter", context=BotBench, cost=5, needs=("write",), after=(creation,), apart=True)
def filters(bench: BotBench) -> Steps:
    """Three bots of one meeting, asked for by every filter, alone and with others."""
    yield from _asked(bench, "bot-filter")


@check("bot-filter-empty", context=BotBench, cost=5, needs=("write",), after=(creation,), apart=True)
def empty_filters(bench: BotBench) -> Steps:
    """The same three bots, asked for by filters without a value."""
    yield from _asked(bench, "bot-filter-empty")


def _asked(bench: BotBench, rule: str) -> Steps:
    trio = bench.run.shared(_trio_of)
    for number in range(len(trio.cases(bench, rule))):
        if trio.cleared != bench.cleared:
            trio = Trio(bench)
        if len(trio.ids) < len(trio.times) or bench.is_broken("bot-create-accepted"):
            return
        field, given, more, found = trio.cases(bench, rule)[number]
        if not any(bench.is_broken("bot-filter", field=name) for name in (field, "meeting_url", *given)):
            filters = {name: value for name, value in {"meeting_url": trio.link, **given}.items() if value is not None}
            page = bench.get(listed(**filters) + more)
            shows(bench, rule, field, trio.made, page, [trio.ids[one] for one in found])
        yield


def _each_empty() -> list[tuple[str, dict[str, str | None], str, list[int]]]:
    return [(name, {name: ""}, "", [0, 1, 2]) for name in _EMPTY]


def _in_zone(time: str, zone: str, *, hours: float) -> str:
    """The same moment as another zone writes it."""
    moment = datetime.fromisoformat(time) + timedelta(hours=hours)
    return f"{moment:%Y-%m-%dT%H:%M:%S}{zone}"


def _trio_of(run: Run) -> Trio:
    return Trio(run.shared(BotBench))


def shows(bench: BotBench, rule: str, field: str, before: list[Exchange], page: Exchange, ids: list[str]) -> bool:
    """Whether a page shows exactly these bots, and no other page follows."""
    if bench.is_told(page, right_status=page.status == 200):
        return False
    exactly = every(these_rows(ids), member("/next", None))
    return bench.check(rule, exactly, "listBots", [*before, page], field=field)


@check(
    "bots-oldest-first", "bots-pages", context=BotBench, cost=_MANY + 3, needs=("write",), after=(filters,), apart=True
)
def pages(bench: BotBench) -> Steps:
    """More bots of one meeting than a page has; each joins before the one that was made before it."""
    link = bench.link()
    pair = [bench.create(meeting_url=link, join_at=bench.at(seconds=-number)) for number in range(2)]
    both = [one for one in pair if one is not None]
    if len(both) < len(pair) or bench.is_broken("bot-create-accepted", "bot-filter"):
        return
    page = bench.bots(meeting_url=link)
    bench.check("bots-oldest-first", these_rows([id_of(one) for one in both]), "listBots", [*both, page])
    yield
    many = Many(bench)
    for step in _STEPS:
        if many.cleared != bench.cleared:
            many = Many(bench)
        if len(many.made) < _MANY - 1 or bench.is_broken("bots-oldest-first", "bots-pages"):
            return
        step(bench, many)
        yield


class Many:
    """More bots of one meeting than a page has, each to join a minute before the one that was made before it."""

    def __init__(self, bench: BotBench) -> None:
        self.link, self.cleared = _link_with_a_query(bench), bench.cleared
        made = [bench.create(meeting_url=self.link, join_at=self.at(bench, number)) for number in range(_MANY)]
        self.made = [one for one in made if one is not None]
        self.ids = [id_of(one) for one in self.made]

    def add(self, bench: BotBench, number: int) -> None:
        """Makes more of them, each to join a minute before the one that was made before it."""
        for later in range(len(self.ids), len(self.ids) + number):
            made = bench.create(meeting_url=self.link, join_at=self.at(bench, later))
            if made is not None:
                self.made.append(made)
                self.ids.append(id_of(made))

    def at(self, bench: BotBench, number: int) -> str:
        """When the bot of this number joins."""
        return bench.at(seconds=-60 * number)


def _both_ways(bench: BotBench, many: Many) -> None:
    first = bench.bots(meeting_url=many.link)
    if not _is_page(bench, many, [first], many.ids[:_PAGE], "next"):
        return
    second = _followed(bench, first, "next")
    if _is_page(bench, many, [first, second], many.ids[_PAGE:], "previous", field="next"):
        back = _followed(bench, second, "previous")
        if _is_page(bench, many, [first, second, back], many.ids[:_PAGE], "next", field="previous"):
            forth = _followed(bench, back, "next")
            _is_page(bench, many, [first, second, back, forth], many.ids[_PAGE:], "previous", field="previous")


def _three_pages(bench: BotBench, many: Many) -> None:
    """A page between two others leads to both of them."""
    many.add(bench, 2 * _PAGE + 1 - len(many.ids))
    first = bench.bots(meeting_url=many.link)
    second = _followed(bench, first, "next")
    third = _followed(bench, second, "next")
    if _is_page(bench, many, [first, second, third], many.ids[2 * _PAGE :], "previous", field="third"):
        back = _followed(bench, third, "previous")
        between = every(
            these_rows(many.ids[_PAGE : 2 * _PAGE]),
            like(has({name: {"$matches": "(?s).+"} for name in ("next", "previous")})),
        )
        steps = [*many.made, first, second, third, back]
        if bench.check("bots-pages", between, "listBots", steps, field="third"):
            again = _followed(bench, back, "previous")
            _is_page(bench, many, [first, second, third, back, again], many.ids[:_PAGE], "next", field="third")


def _link_with_a_query(bench: BotBench) -> str:
    """A link that page links have to write in other characters; on somebody's deployment a plain one."""
    return bench.link() if bench.live else bench.link_with_a_query("a1B2")


def _is_page(
    bench: BotBench, many: Many, pages: Sequence[Exchange], ids: list[str], link: str, field: str = ""
) -> bool:
    """Whether the last of the pages shows these bots, and this link alone."""
    other = {"next": "previous", "previous": "next"}[link]
    whole = every(these_rows(ids), member(f"/{other}", None), like(has({link: {"$matches": "(?s).+"}})))
    return bench.check("bots-pages", whole, "listBots", [*many.made, *pages], field=field)


def _exactly_full(bench: BotBench, many: Many) -> None:
    """As many bots as a page has, and one more."""
    full = bench.bots(meeting_url=many.link, join_at_after=many.at(bench, _PAGE))
    ends = every(these_rows(many.ids[:_PAGE]), member("/next", None), member("/previous", None))
    if not bench.check("bots-pages", ends, "listBots", [*many.made, full], field="full"):
        return
    more = bench.bots(meeting_url=many.link, join_at_after=many.at(bench, _PAGE + 1))
    if _is_page(bench, many, [more], many.ids[:_PAGE], "next", field="full"):
        last = _followed(bench, more, "next")
        _is_page(bench, many, [more, last], many.ids[_PAGE : _PAGE + 1], "previous", field="full")


def _pages_of_filters(bench: BotBench, many: Many) -> None:
    """Links keep each filter, also one that is there twice or empty."""
    before = _in_zone(many.at(bench, 0), "+05:45", hours=5.75)
    query = {"meeting_url": many.link, "join_at_before": before, "deduplication_key": ""}
    first = bench.get(f"{listed(**query)}&states=ended&states=scheduled")
    if not _is_page(bench, many, [first], many.ids[1 : _PAGE + 1], "next", field="filters"):
        return
    second = _followed(bench, first, "next")
    if _is_page(bench, many, [first, second], many.ids[_PAGE + 1 :], "previous", field="filters"):
        back = _followed(bench, second, "previous")
        _is_page(bench, many, [first, second, back], many.ids[1 : _PAGE + 1], "next", field="filters")


def _head_of_page(bench: BotBench, many: Many) -> None:
    second = _followed(bench, bench.bots(meeting_url=many.link), "next")
    head = bench.target.send("HEAD", second.request.path)
    if not bench.is_told(head, right_status=True):
        alike = same_headers(second, head, ["allow", "content-type", "vary"])
        bench.check("bot-methods", alike, "listBots", [second, head], field="HEAD")


def _after_a_change(bench: BotBench, many: Many) -> None:
    """Who was made first stays first, whatever is changed."""
    changed = bench.target.send(
        "PATCH", path_of(many.ids[0]), json={"join_at": bench.at(days=1), "bot_name": "Minutes"}
    )
    page = bench.bots(meeting_url=many.link)
    if changed.status == 200 and not bench.is_broken("bot-changed", "bot-stored"):
        steps = [*many.made, changed, page]
        bench.check("bots-oldest-first", these_rows(many.ids[:_PAGE]), "listBots", steps, field="changed")


def _after_a_deletion(bench: BotBench, many: Many) -> None:
    """A link leads on to the bots that come after its page, also where one of the page is gone."""
    first = bench.bots(meeting_url=many.link)
    gone = bench.target.send("DELETE", path_of(many.ids[1]))
    if gone.status != 200:
        return
    bench.forget(many.ids[1])
    is_gone = bot_case("bot-deleted", "getBot", "object_id", "GET", path_of(many.ids[1]), 404, NOT_FOUND)
    bench.ask(is_gone, [many.made[1], gone])
    beside = bench.get(path_of(many.ids[2]))
    there = every(status(200), same_document(many.made[2], beside))
    if bench.is_broken("bot-changed", "bot-stored", "bot-deleted") or not bench.check(
        "bot-deleted", there, "deleteBot", [many.made[1], many.made[2], gone, beside], field="others"
    ):
        return
    second, anew = _followed(bench, first, "next"), bench.bots(meeting_url=many.link)
    left = [name for name in many.ids if name != many.ids[1]]
    if _is_page(bench, many, [first, gone, second], many.ids[_PAGE:], "previous", field="deleted"):
        _is_page(bench, many, [gone, anew], left[:_PAGE], "next", field="deleted")
    many.made.pop(1)
    many.ids = left


_STEPS = (
    _both_ways,
    _exactly_full,
    _pages_of_filters,
    _head_of_page,
    _after_a_change,
    _after_a_deletion,
    _three_pages,
)
"""What is tried with them, one after the other."""


def _followed(bench: BotBench, page: Exchange, name: str) -> Exchange:
    link = link_of(page.json, name)
    assert link is not None
    return bench.get(link_path(link))


CHECKS = (refused_filters, filters, empty_filters, pages)
