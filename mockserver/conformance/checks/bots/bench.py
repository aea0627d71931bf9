"""What the checks of bots work with: bots of this run, each for the run's own meeting, far ahead."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final
from urllib.parse import urlencode

from mockserver.conformance.calendar_bodies import MARK, created_id
from mockserver.conformance.checks import Check, Steps, check
from mockserver.conformance.checks.cases import Bench, Case, Holding
from mockserver.conformance.exchange import Exchange
from mockserver.conformance.expectations import Expectation, body, has
from mockserver.conformance.guard import BOTS, EVENTS, path_of
from mockserver.conformance.list_pages import rows_in
from mockserver.conformance.ownership import link_of_run
from mockserver.conformance.rules import Need
from mockserver.conformance.run import Run

NO_BOT: Final = f"{BOTS}/bot_0000000000000000"
"""The path of a bot that nobody has."""
NOT_FOUND: Final = {"error": "Bot not found"}
NAME: Final = "Conformance"
_AHEAD = 400
"""Days to the time at which bots are to join: they are deleted long before."""
_SOON = 3600.0
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.(?!0{6})\d{6})?Z")
_FAR = 2 * 365 * 86_400.0


class BotBench(Bench):
    """A run as the cases of bots see it: what they share, and the bots that they make."""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self._started: float | None = None
        self._links = 0
        self._bot: str | None = None
        self.made: Exchange | None = None
        """The creation of `bot`."""
        self.cleared = 0
        """How often everything was deleted: a check that went on after a yield may have to make its bots again."""
        self.live = bool(getattr(run.target, "live", False))
        """Whether the deployment is somebody's: its events are left alone."""

    @property
    def states(self) -> list[str]:
        """Every state that a bot may be in, in the contract's order."""
        return list(self.answers.resolve({"$ref": "#/components/schemas/Bots.BotState"})["enum"])

    @property
    def bot(self) -> str:
        """The path of a bot of this run, made when first asked for; NO_BOT where there can be none."""
        if self._bot is None:
            made = self.create(deduplication_key=self.target.tag()) if self.target.writes else None
            if made is not None:
                self.work_with(made)
            elif self._bot is None:
                self._bot = NO_BOT
        return self._bot or NO_BOT

    def work_with(self, made: Exchange) -> None:
        """Takes a bot that was made for `bot`, unless there is one: another check may have made it meanwhile."""
        if self._bot is None:
            self.made, self._bot = made, path_of(made.json["id"])

    @property
    def shown(self) -> Exchange | None:
        """The creation of a bot of this run that is there; None where there can be none."""
        return self.made if self.bot != NO_BOT else None

    @property
    def writes(self) -> bool:
        """Whether the run may make bots, and the service makes them."""
        return self.bot != NO_BOT

    def link(self) -> str:
        """A link to a meeting of which no other bot is."""
        self._links += 1
        return link_of_run(str(getattr(self.target, "run_id", "")), self._links)

    def link_with_a_query(self, end: str) -> str:
        """A link whose normal form has a query with this end, to a meeting of which no other bot is."""
        self._links += 1
        number = 2_000_000_000 + self._links
        return f"https://teams.microsoft.com/meet/{number}?p={getattr(self.target, 'run_id', '')}{end}"

    def at(self, *, days: float = 0, seconds: float = 0) -> str:
        """A time that a bot may join at, or as long after it, as answers write it."""
        if self._started is None:
            started = self.get(f"{BOTS}?deduplication_key=none").started
            # Another check may have asked meanwhile: what one sends has to be what it looks for afterwards.
            self._started = self._started or started
        moment = datetime.fromtimestamp(self._started, UTC).replace(microsecond=0)
        return f"{moment + timedelta(days=_AHEAD + days, seconds=seconds):%Y-%m-%dT%H:%M:%SZ}"

    def bot_fields(self, *without: str, **given: Any) -> dict[str, Any]:
        """The body of a new bot of this run, with these fields and without some."""
        name = f"{NAME} {getattr(self.target, 'run_id', '')}".strip()
        fields: dict[str, Any] = {"bot_name": name, "metadata": {MARK: self.target.tag()}}
        if "calendar_event_id" not in given:
            fields |= {"meeting_url": self.link(), "join_at": self.at()}
        return {name: value for name, value in {**fields, **given}.items() if name not in without}

    def create(self, **given: Any) -> Exchange | None:
        """Makes a bot; None where the service does not."""
        exchange = self.target.send("POST", BOTS, json=self.bot_fields(**given))
        return exchange if self.took(exchange) else None

    def undo(self, exchange: Exchange) -> None:
        """Deletes at once what should not have been made: an event would go on to show it."""
        if self.took(exchange):
            gone = self.target.send("DELETE", path_of(id_of(exchange)))
            if gone.status == 200:
                self.forget(id_of(exchange))

    def renew(self) -> None:
        """Sees whether the run's bot is still there: somebody may have been let in to delete it."""
        if self._bot not in (None, NO_BOT) and self.get(self.bot).status != 200:
            self._bot = None

    def bots(self, **filters: str) -> Exchange:
        """The first page of the bots that match."""
        return self.get(listed(**filters))

    def free_event(self) -> dict[str, Any] | None:
        """An event that a bot can be made for and that has none yet; None on somebody's deployment."""
        if self.live:
            return None
        page = self.get(f"{EVENTS}?ordering=-start_time&start_time_gte={self._soon()}")
        for row in rows_in(page):
            link, start = row.get("meeting_url"), instant(row.get("start_time"))
            near = start is not None and _SOON < start - page.started < _FAR
            if (
                near
                and row.get("bots") == []
                and isinstance(link, str)
                and "zoom" not in link
                and not row["is_deleted"]
            ):
                return row
        return None

    def clear(self) -> None:
        """Deletes what the checks made."""
        self.cleared += 1
        self._bot = self._ours = self.made = None
        made, self._made = self._made, []
        self.run.at_once([partial(self.target.send, "DELETE", path_of(name)) for name in reversed(made)])

    def _soon(self) -> str:
        self.at()
        assert self._started is not None
        return f"{datetime.fromtimestamp(self._started + _SOON, UTC):%Y-%m-%dT%H:%M:%SZ}"


def deeper(
    *rules: str,
    cost: int,
    after: tuple[Check, ...],
    needs: tuple[Need, ...] = ("write",),
    stage: str = "",
) -> Callable[[Callable[[BotBench], Steps]], Check]:
    """Makes a function a check of rules at which those that it comes after have the first look: it has none itself.

    `cost` is what its first step takes.
    """

    def registered(tried: Callable[[BotBench], Steps]) -> Check:
        def steps(bench: BotBench) -> Steps:
            yield
            yield from tried(bench)

        return check(*rules, context=BotBench, cost=cost, needs=needs, after=after, apart=True, stage=stage)(steps)

    return registered


def listed(**filters: str) -> str:
    """The path of the list of bots with these filters."""
    return f"{BOTS}?{urlencode(filters)}" if filters else BOTS


def these_rows(ids: Sequence[str]) -> Expectation:
    """The page shows the rows of these ids, in this order."""
    return body(has({"results": [has({"id": name}) for name in ids]}))


def id_of(exchange: Exchange) -> str:
    """The id of what an answer says was made."""
    made = created_id(exchange)
    assert made is not None
    return made


def bot_case(rule: str, operation: str, field: str, method: str, path: str, status: int, body: Any = None) -> Case:
    """A case of bots; without a `body` the answer has to be an object."""
    return Case(rule, operation, field, method, path, status, Holding() if body is None else body)


def instant(text: object) -> float | None:
    """A time in seconds since 1970; None where it is none as answers write them."""
    if _TIME.fullmatch(str(text)) is None:
        return None
    try:
        return datetime.fromisoformat(str(text)).timestamp()
    except ValueError:
        return None
