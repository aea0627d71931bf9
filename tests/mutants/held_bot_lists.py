"""Mutants of the list of bots, unknown to the judge's author; above each what contracts/bots.yaml says."""

from __future__ import annotations

from operator import attrgetter
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from mockserver.api.request import App
from mockserver.app import Mock
from mockserver.domain.bot_service import BotQuery, NewBot
from mockserver.domain.model import Bot, Micros
from mockserver.domain.pagination import Cursor, Listing, Page, paginate
from mockserver.domain.sorted_index import SortedIndex
from mockserver.domain.store import Project
from tests.mutants.altering_bots import ListBots, asks, held_mutant, is_list, lists
from tests.mutants.mutant import Mutant
from tests.mutants.wrapped import Call, Reply, after, before, refused_cursor

_SIZE = 25


def _pairs(query: str) -> list[tuple[str, str]]:
    return parse_qsl(query, keep_blank_values=True)


def _is_page(call: Call, reply: Reply) -> bool:
    return is_list(call, "GET") and reply.status == 200 and reply.body.startswith(b"{")


def _links_keep_last_state(call: Call, reply: Reply) -> Reply | None:
    if not _is_page(call, reply):
        return None
    body = reply.json
    for name in ("next", "previous"):
        if body[name] is not None:
            parts = urlsplit(body[name])
            # As dict() of a framework's parameters.
            body[name] = parts._replace(query=urlencode(dict(_pairs(parts.query)))).geturl()
    return reply.write(body)


def _full_page_has_next(real: ListBots, project: Project, query: BotQuery, cursor: Cursor) -> Page[Bot]:
    page = real(project, query, cursor)
    if page.next is not None or len(page.rows) < _SIZE:
        return page
    return page._replace(next=Cursor(position=page.rows[-1].created_at))


def _by_updated_at(real: ListBots, project: Project, query: BotQuery, cursor: Cursor) -> Page[Bot]:
    index = SortedIndex(lambda bot: (bot.updated_at, bot.seq), project.state.bots.listed)
    return paginate(Listing(index, attrgetter("updated_at"), ascending=True, keep=query.asks_for), cursor, _SIZE)


def _unquoted_key(query: BotQuery) -> BotQuery:
    key = query.deduplication_key
    return query if key is None else query._replace(deduplication_key=unquote(key))


def _states_by_comma(call: Call) -> None:
    if is_list(call, "GET") and "states=" in call.query:
        pairs = _pairs(call.query)
        split = [(name, part) for name, value in pairs for part in (value.split(",") if name == "states" else [value])]
        if split != pairs:
            call.query = urlencode(split)


def _cursor_before_times(call: Call, reply: Reply) -> Reply | None:
    if not is_list(call, "GET") or reply.status != 400 or "Invalid join_at_" not in str(reply.json.get("error")):
        return None
    return refused_cursor(call, reply)


def _after_lost_beside_before(query: BotQuery) -> BotQuery:
    return query if query.join_at_before is None else query._replace(join_at_after=None)


def _filters_by_old_join_at(mock: Mock) -> App:
    create = mock.bot_service.create_bot
    first: dict[str, Micros] = {}

    def created(project: Project, fields: NewBot) -> Bot:
        bot = create(project, fields)
        first[bot.id] = bot.join_at
        return bot

    def list_bots(project: Project, query: BotQuery, cursor: Cursor) -> Page[Bot]:
        def keep(bot: Bot) -> bool:
            return query.asks_for(bot._replace(join_at=first.get(bot.id, bot.join_at)))

        listing = Listing(project.state.bots.listed, attrgetter("created_at"), ascending=True, keep=keep)
        return paginate(listing, cursor, _SIZE)

    mock.bot_service.create_bot = created  # type: ignore[method-assign]
    mock.bot_service.list_bots = list_bots  # type: ignore[method-assign]
    return mock.asgi


MUTANTS: tuple[Mutant, ...] = (
    # openapi.yaml: "`next` and `previous` are complete URLs that keep every parameter of the request".
    held_mutant(
        "links-keep-last-state",
        "links to other pages keep only the last of several states",
        after(_links_keep_last_state),
    ),
    # openapi.yaml: "`next` is null on the last page".
    held_mutant(
        "full-last-page-has-next", "a last page of just 25 bots has a next, which is empty", lists(_full_page_has_next)
    ),
    # "Lists the project's bots, the oldest first".
    held_mutant("patched-goes-last", "a bot that was changed goes to the end of the list", lists(_by_updated_at)),
    # "Only the bot with exactly this key."
    held_mutant(
        "key-filter-decoded-twice",
        "the filter deduplication_key is percent-decoded twice",
        asks(_unquoted_key),
    ),
    # "Repeat the parameter for several states." and 400: "A state is unknown".
    held_mutant("states-by-comma", "states takes several states with commas between them", before(_states_by_comma)),
    # "When several parameters are invalid, the service reports the first of these: states, join_at_after,
    # join_at_before, cursor."
    held_mutant(
        "cursor-checked-before-times",
        "an invalid cursor is told before an invalid join_at_after or join_at_before",
        after(_cursor_before_times),
    ),
    # "A bot is listed when it matches every filter."
    held_mutant(
        "join-at-after-lost-beside-before",
        "join_at_after is ignored beside join_at_before",
        asks(_after_lost_beside_before),
    ),
    # "Only bots that join later than this time." and "... earlier than this time."
    held_mutant(
        "filters-by-old-join-at",
        "join_at_after and join_at_before look at the time that a bot was created with",
        _filters_by_old_join_at,
    ),
)
