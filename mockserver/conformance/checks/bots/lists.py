"""Checks of bots as they are made, read and listed: their order, pages and filters, and what is refused."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from mockserver.conformance.checks import IF_SHORT, Steps, check
from mockserver.conformance.checks.bots.bench import BotBench, bot_case, id_of, listed, these_rows
from mockserver.conformance.checks.cases import Holding
from mockserver.conformance.exchange import Exchange
from mockserver.conformance.expectations import body as like
from mockserver.conformance.expectations import every, has, member, same_document
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
    ("meeting_url=%00", "meeting_url", 400, {"error": _NUL.format("meeting_url")}),
    ("deduplication_key=%00", "deduplication_key", 400, {"error": _NUL.format("deduplication_key")}),
    ("format=yaml", "format", 404, {"detail": "Not found."}),
)
_EMPTY = ("deduplication_key", "join_at_after", "join_at_before", "cursor")
_UNKNOWN_STATES = ("states=asleep", "states=scheduled&states=Scheduled", "join_at_after=x&states=", "states=%00")


@check("bot-create-accepted", "bot-stored", context=BotBench, cost=6, least=2, needs=("write",))
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


def made_of(bench: BotBench, rule: str, field: str, sent: dict[str, Any], shown: dict[str, Any]) -> Exchange | None:
    """Makes a bot, and holds the answer against what it has to show; None where no bot was made."""
    exchange = bench.ask(bot_case(rule, "createBot", field, "POST", BOTS, 201, Holding(shown))._replace(json=sent))
    return exchange if bench.took(exchange) else None


@check("bot-filter-refused", context=BotBench, cost=3)
def refused_filters(bench: BotBench) -> Steps:
    """Filters that are wrong, alone and together."""
    for query, name, status, body in _REFUSED:
        bench.ask(bot_case("bot-filter-refused", "listBots", name, "GET", f"{BOTS}?{query}", status, body))
        yield
    valid = ", ".join(bench.answers.resolve({"$ref": "#/components/schemas/Bots.BotState"})["enum"])
    for query in _UNKNOWN_STATES:
        text = query.rpartition("=")[2].replace("%00", "\0")
        body = {"error": f"Invalid state: {text}. Valid states are: {valid}"}
        bench.ask(bot_case("bot-filter-refused", "listBots", "states", "GET", f"{BOTS}?{query}", 400, body))


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

    def cases(self, bench: BotBench, rule: str) -> list[tuple[str, dict[str, str], str, list[int]]]:
        """Field, filters beside the link, what follows them in the query, and which of the three are found."""
        first, second, third = self.times
        key = self.key
        if rule == "bot-filter-empty":
            return [
                *((name, {name: ""}, "", [0, 1, 2]) for name in _EMPTY),
                ("meeting_url", {"meeting_url": "", "deduplication_key": f"{key}-0"}, "", [0]),
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
            page = bench.get(listed(**{"meeting_url": trio.link, **given}) + more)
            _shows(bench, rule, field, trio.made, page, [trio.ids[one] for one in found])
        yield


def _trio_of(run: Run) -> Trio:
    return Trio(run.shared(BotBench))


def _shows(bench: BotBench, rule: str, field: str, before: list[Exchange], page: Exchange, ids: list[str]) -> bool:
    if bench.is_told(page, right_status=page.status == 200):
        return False
    exactly = every(these_rows(ids), member("/next", None))
    return bench.check(rule, exactly, "listBots", [*before, page], field=field)


@check("bots-oldest-first", "bots-pages", context=BotBench, cost=_MANY + 3, needs=("write",), after=(filters,))
def pages(bench: BotBench) -> Steps:
    """More bots of one meeting than a page has."""
    link = bench.link()
    pair = [bench.create(meeting_url=link) for _ in range(2)]
    both = [one for one in pair if one is not None]
    if len(both) < len(pair) or bench.is_broken("bot-create-accepted", "bot-filter"):
        return
    page = bench.bots(meeting_url=link)
    bench.check("bots-oldest-first", these_rows([id_of(one) for one in both]), "listBots", [*both, page])
    yield
    link = bench.link()
    made = [one for one in (bench.create(meeting_url=link) for _ in range(_MANY)) if one is not None]
    if len(made) < _MANY or bench.is_broken("bots-oldest-first", "bots-pages"):
        return
    ids = [id_of(one) for one in made]
    first = bench.bots(meeting_url=link)
    whole = every(these_rows(ids[:_PAGE]), member("/previous", None), like(has({"next": {"$matches": "(?s).+"}})))
    if not bench.check("bots-pages", whole, "listBots", [*made, first]):
        return
    second = _followed(bench, first, "next")
    rest = every(these_rows(ids[_PAGE:]), member("/next", None), like(has({"previous": {"$matches": "(?s).+"}})))
    if bench.check("bots-pages", rest, "listBots", [*made, first, second], field="next"):
        back = _followed(bench, second, "previous")
        bench.check("bots-pages", these_rows(ids[:_PAGE]), "listBots", [*made, first, second, back], field="previous")


def _followed(bench: BotBench, page: Exchange, name: str) -> Exchange:
    link = link_of(page.json, name)
    assert link is not None
    return bench.get(link_path(link))


CHECKS = (refused_filters, filters, empty_filters, pages)
