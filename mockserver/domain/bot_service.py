"""What an API key can do to scheduled bots: create, get, list, update and delete them."""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter
from random import Random
from typing import Literal, NamedTuple, TypedDict

from mockserver.domain.bots import refresh_event
from mockserver.domain.jsonb import as_stored
from mockserver.domain.meeting_urls import find_meeting
from mockserver.domain.model import Bot, CalendarEvent, Micros
from mockserver.domain.pagination import Cursor, Listing, Page, paginate
from mockserver.domain.postgres_limits import NotStorable, check_storable
from mockserver.domain.store import Project, new_id, write_time

BOTS_A_PAGE = 25


class SchedulingError(Exception):
    """A rule of bots said no."""


class BotNotFound(SchedulingError):
    """The project has no bot of this id."""


class UnreadableBotId(SchedulingError):
    """The service's database cannot look for an id with a NUL in it."""


class EventNotFound(SchedulingError):
    """The project has no event of this id."""

    def __init__(self, event_id: str) -> None:
        super().__init__(event_id)
        self.event_id = event_id


class BotKeyTaken(SchedulingError):
    """Another bot of the project, in a state that is not terminal, has the deduplication key."""


class CredentialsMissing(SchedulingError):
    """The bot needs credentials of another service that the project does not have."""

    def __init__(self, needed_for: Literal["zoom", "external media storage"], project_id: str) -> None:
        super().__init__(needed_for)
        self.needed_for = needed_for
        self.project_id = project_id


class BotNotStorable(SchedulingError):
    """The service's database cannot hold a field of the bot."""

    def __init__(self, problem: NotStorable) -> None:
        super().__init__(str(problem))
        self.problem = problem


class NewBot(TypedDict, total=False):
    """The fields of a new bot after validation. `event_id` is there when meeting_url and join_at are an event's."""

    bot_name: str
    meeting_url: str
    join_at: Micros
    metadata: Mapping[str, str] | None
    deduplication_key: str
    external_media_storage_settings: Mapping[str, object]
    event_id: str


class BotChanges(TypedDict, total=False):
    """The fields of an update request after validation; what is not there stays as it is."""

    bot_name: str
    meeting_url: str
    join_at: Micros
    metadata: Mapping[str, str] | None


class BotQuery(NamedTuple):
    """What of a project's bots is asked for; None asks for everything. Bounds of join_at are excluded."""

    meeting_url: str | None = None
    deduplication_key: str | None = None
    states: frozenset[str] | None = None
    join_at_after: Micros | None = None
    join_at_before: Micros | None = None

    def asks_for(self, bot: Bot) -> bool:
        """Whether the bot meets every filter."""
        return (
            self.meeting_url in (None, bot.meeting_url)
            and self.deduplication_key in (None, bot.deduplication_key)
            and (self.states is None or bot.state in self.states)
            and (self.join_at_after is None or bot.join_at > self.join_at_after)
            and (self.join_at_before is None or bot.join_at < self.join_at_before)
        )


class BotService:
    """The rules of scheduled bots, over the project that it is given. Every method is one atomic step."""

    def __init__(self, *, longest: Mapping[str, int]) -> None:
        """`longest` holds the most characters of a field that the service's database takes, by the field's name."""
        self._longest = longest

    def find_event(self, project: Project, event_id: str) -> CalendarEvent:
        """The event that a bot is asked for; one that was cancelled is found too.

        Raises EventNotFound, also when another project has it (bot-unknown-event).
        """
        event = project.state.events.get(event_id)
        if event is None:
            raise EventNotFound(event_id)
        return event

    def create_bot(self, project: Project, fields: NewBot) -> Bot:
        """A new scheduled bot, last of the list, and in its event's `bots`.

        Raises CredentialsMissing, BotNotStorable and BotKeyTaken; each leaves nothing behind.
        """
        state = project.state
        self._check_credentials(project, fields)
        self._check_storable(project, fields)
        key = fields.get("deduplication_key")
        if key is not None and state.bots.is_taken(key):
            raise BotKeyTaken
        bot_id = new_id("bot", project.random)
        while bot_id in state.bots:
            bot_id = new_id("bot", project.random)
        now = write_time(project)
        bot = Bot(
            id=bot_id,
            seq=state.take_seq(),
            event_id=fields.get("event_id"),
            name=fields["bot_name"],
            meeting_url=fields["meeting_url"],
            join_at=fields["join_at"],
            state="scheduled",
            metadata=as_stored(fields.get("metadata")),
            deduplication_key=key,
            created_at=now,
            updated_at=now,
        )
        self._keep(project, bot)
        return bot

    def get_bot(self, project: Project, bot_id: str) -> Bot:
        """The bot of this id.

        Raises BotNotFound, also when another project has it (bot-isolation), and UnreadableBotId.
        """
        if "\0" in bot_id:
            raise UnreadableBotId
        bot = project.state.bots.get(bot_id)
        if bot is None:
            raise BotNotFound
        return bot

    def list_bots(self, project: Project, query: BotQuery, cursor: Cursor) -> Page[Bot]:
        """A page of the project's bots, oldest first, as the query says."""
        keep = None if query == BotQuery() else query.asks_for
        listing = Listing(project.state.bots.listed, attrgetter("created_at"), ascending=True, keep=keep)
        return paginate(listing, cursor, BOTS_A_PAGE)

    def update_bot(self, project: Project, bot_id: str, changes: BotChanges) -> Bot:
        """The bot with the changes made. Its event stays its event, whatever meeting it now joins, and when.

        Raises BotNotFound, UnreadableBotId and BotNotStorable.
        """
        bot = self.get_bot(project, bot_id)
        self._check_storable(project, changes)
        bot = bot._replace(
            name=changes.get("bot_name", bot.name),
            meeting_url=changes.get("meeting_url", bot.meeting_url),
            join_at=changes.get("join_at", bot.join_at),
            metadata=as_stored(changes["metadata"]) if "metadata" in changes else bot.metadata,
            updated_at=write_time(project),
        )
        self._keep(project, bot)
        return bot

    def delete_bot(self, project: Project, bot_id: str) -> None:
        """Takes the bot away, out of its event too; its deduplication key is free again (bot-delete-scheduled).

        Raises BotNotFound and UnreadableBotId.
        """
        bot = self.get_bot(project, bot_id)
        project.state.bots.drop(bot.id)
        if bot.event_id is not None:
            refresh_event(project.state, bot.event_id)

    def _keep(self, project: Project, bot: Bot) -> None:
        project.state.bots.put(bot.id, bot)
        if bot.event_id is not None:
            refresh_event(project.state, bot.event_id)

    def _check_credentials(self, project: Project, fields: NewBot) -> None:
        meeting = find_meeting(fields["meeting_url"])
        project_id = new_id("proj", Random(project.name))
        if meeting is not None and meeting.platform == "zoom" and not project.zoom_credentials:
            raise CredentialsMissing("zoom", project_id)
        if fields.get("external_media_storage_settings"):
            raise CredentialsMissing("external media storage", project_id)

    def _check_storable(self, project: Project, fields: NewBot | BotChanges) -> None:
        try:
            check_storable(fields, self._longest, project.random)
        except NotStorable as problem:
            raise BotNotStorable(problem) from None
