"""Laws: checks of lists whose suspicions are confirmed before they are told, for the data may change meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain, islice
from random import Random
from typing import Any, NamedTuple, TypeAlias

from mockserver.conformance.checks import Check, CheckContext, Steps
from mockserver.conformance.exchange import Exchange, Key
from mockserver.conformance.expectations import Expectation, never_so, status
from mockserver.conformance.list_pages import Listing, Page, Query, Row, Unreadable, address, link_path, page_of
from mockserver.conformance.rules import Need
from mockserver.conformance.run import Run

_REFUSED = (400, 404, 422)
_TAKEN = never_so(status(*_REFUSED))
_STRICT = "The service tolerates this"


class Suspicion(NamedTuple):
    """A broken rule as it was seen once."""

    rule: str
    operation: str
    field: str
    expectation: Expectation
    seen: str
    exchanges: tuple[Exchange, ...]

    @property
    def identity(self) -> tuple[str, str, str]:
        """As of the finding that it may become."""
        return self.rule, self.operation, self.field


@dataclass
class Survey:
    """What is known about the data so far: shared by all laws of a run."""

    rows: dict[str, dict[str, Row]] = field(default_factory=dict)
    """By operation, then by id: each row as it was last seen with the main key."""
    seen: dict[str, Exchange] = field(default_factory=dict)
    """By id: an answer that showed the row."""
    first_seen: dict[str, int] = field(default_factory=dict)
    """By id: the number of the first exchange that showed the row."""
    whole: dict[str, bool] = field(default_factory=dict)
    """By operation: whether the unfiltered list was read to its end."""
    hidden: set[str] = field(default_factory=set)
    """Ids of rows that the whole list does not show although they are there."""
    hides_deleted: bool = False
    """Whether the whole list does not show deleted events."""
    gone: set[str] = field(default_factory=set)
    """Ids of calendars that events name and that could not be read."""
    pages: dict[str, Page] = field(default_factory=dict)
    """By path, as far as they were read with the main key: what one law has read another need not read again."""
    window: dict[str, Query] = field(default_factory=dict)
    """By operation: filters that leave few enough rows to be read to their end; none where the whole list is short."""

    changes: int = 0
    """How many requests of the run may have changed the lists when the pages were read."""

    def renew(self, changes: int) -> None:
        """Forgets the pages that were read before the run changed something."""
        if changes != self.changes:
            self.pages.clear()
            self.changes = changes

    def note(self, page: Page) -> None:
        """Remembers the rows of a page."""
        rows = self.rows.setdefault(page.listing.operation, {})
        for row in page.rows:
            rows[row["id"]] = row
            self.seen[row["id"]] = page.exchange
            self.first_seen.setdefault(row["id"], page.exchange.number)

    def known(self, listing: Listing) -> list[Row]:
        """The rows of a list seen so far."""
        rows = self.rows.get(listing.operation, {}).values()
        there = [row for row in rows if row["id"] not in self.hidden]
        return [row for row in there if row.get("is_deleted") is not True] if self.hides_deleted else there


class Trial(CheckContext):
    """One trial of one law."""

    def __init__(self, run: Run, survey: Survey, *, seed: int, confirming: bool) -> None:
        super().__init__(run, random=Random(seed))
        self.survey = survey
        self.confirming = confirming
        """Whether the law is tried a second time, because the first time it did not hold."""
        self.suspicions: dict[tuple[str, str, str], Suspicion] = {}
        self.told: set[tuple[str, str, str]] = set()
        """What was suspected in earlier steps and confirmed: another trial has to come to it as this one did."""
        self.held: list[str] = []
        """The rules that held, once for each test."""

    def record(
        self,
        rule: str,
        seen: str,
        expectation: Expectation,
        *,
        operation: str,
        exchanges: Sequence[Exchange],
        field: str = "",
    ) -> bool:
        """Holds back what was found until it is confirmed. True where the rule holds."""
        if not seen:
            return self.keep(rule)
        suspicion = Suspicion(rule, operation, field, expectation, seen, tuple(exchanges))
        self.suspicions.setdefault(suspicion.identity, suspicion)
        return False

    def keep(self, rule: str) -> bool:
        """Takes note of a test in which nothing was found."""
        self.held.append(rule)
        return True

    def known_broken(self) -> Iterator[tuple[str, str, str]]:
        """Also what is suspected in this trial."""
        return chain((name for name in super().known_broken() if name not in self.told), self.suspicions)

    def page(
        self,
        listing: Listing,
        query: Query = (),
        *,
        cursor: str | None = None,
        key: Key = "main",
        again: bool = False,
    ) -> Page:
        """Reads a page by parameters, and remembers its rows; one that was read before only to confirm, or `again`.

        Raises Unreadable.
        """
        known = self._known(address(listing, query if cursor is None else (*query, ("cursor", cursor))), key)
        if known is not None and not again:
            return known
        page = self.unnoted(listing, query, cursor=cursor, key=key)
        if key == "main":
            self._note(page)
        return page

    def _known(self, path: str, key: Key) -> Page | None:
        return self.survey.pages.get(path) if key == "main" and not self.confirming else None

    def _note(self, page: Page) -> None:
        self.survey.note(page)
        self.survey.pages[page.exchange.request.path] = page

    def unnoted(self, listing: Listing, query: Query = (), *, cursor: str | None = None, key: Key = "main") -> Page:
        """Reads a page by parameters, and does not believe that its rows are the project's. Raises Unreadable."""
        asked = query if cursor is None else (*query, ("cursor", cursor))
        exchange = self.get(address(listing, asked), key=key)
        if query and cursor is None and not is_strict(exchange) and not self.is_broken("time-taken", "ordering-taken"):
            names = "+".join(name for name, _ in query)
            self.check("filter-taken", _TAKEN, operation=listing.operation, field=names, exchanges=[exchange])
        return page_of(listing, query, exchange)

    def follow(self, page: Page, link: str) -> Page:
        """Reads the page that a link of a page leads to. Raises Unreadable."""
        known = self._known(link_path(link), page.key)
        if known is not None and known.query == page.query:
            return known
        exchange = self.get(link_path(link), key=page.key)
        leads = exchange.status not in _REFUSED
        if leads or not is_strict(exchange):
            self.check("page-link-leads", _TAKEN, operation=page.listing.operation, exchanges=[page.exchange, exchange])
        found = page_of(page.listing, page.query, exchange)
        if page.key == "main":
            self._note(found)
        return found


def is_strict(exchange: Exchange) -> bool:
    """Whether the answer is a strict stand-in's, which refuses what the service itself takes."""
    body: Any = exchange.json
    return isinstance(body, dict) and str(body.get("detail", "")).startswith(_STRICT)


Law: TypeAlias = Callable[[Trial], Steps | None]


def law(
    *rules: str, cost: int, needs: tuple[Need, ...] = (), after: tuple[Check, ...] = (), least: int = 0
) -> Callable[[Law], Check]:
    """Makes a function that tests these rules on lists a check."""

    def registered(tried: Law) -> Check:
        def begin(run: Run) -> Steps:
            return _tried(run, tried)

        return Check(rules, begin, cost, frozenset(needs), after, draws=False, least=least or cost)

    return registered


def _survey(run: Run) -> Survey:
    return Survey()


def _tried(run: Run, tried: Law) -> Steps:
    seed = run.random.getrandbits(32)
    trial = Trial(run, run.shared(_survey), seed=seed, confirming=False)
    steps = _steps(trial, tried)
    seen: set[tuple[str, str, str]] = set()
    for number, mark in enumerate(_until_over(trial, steps), 1):
        new = trial.suspicions.keys() - seen
        seen |= new
        confirmed = _again(trial, tried, seed, number) if new else {}
        for rule in trial.held:
            run.findings.kept(rule)
        trial.held.clear()
        for one in (one for name, one in confirmed.items() if name in new):
            trial.told.add(one.identity)
            run.record(
                one.rule, one.seen, one.expectation, operation=one.operation, field=one.field, exchanges=one.exchanges
            )
        yield mark


def _again(trial: Trial, tried: Law, seed: int, steps: int) -> dict[tuple[str, str, str], Suspicion]:
    """What is suspected when the same steps are taken again: what a law draws and knows depends on those before."""
    again = Trial(trial.run, trial.survey, seed=seed, confirming=True)
    again.told = trial.told
    for _ in islice(_until_over(again, _steps(again, tried)), steps):
        pass
    return again.suspicions


def _steps(trial: Trial, tried: Law) -> Steps:
    steps = tried(trial)
    if steps is not None:
        yield from steps


def _until_over(trial: Trial, steps: Steps) -> Steps:
    """A turn for each step of a law, the one that ends it included."""
    mark: str | Trial | None = None
    while not isinstance(mark, Trial):
        trial.survey.renew(getattr(trial.target, "changes", 0))
        mark = trial
        # Whoever looks at every answer tells what is wrong with one that is no page; the law cannot be tried on it.
        with suppress(Unreadable):
            mark = next(steps, trial)
        yield None if isinstance(mark, Trial) else mark
