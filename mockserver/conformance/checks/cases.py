"""Cases: requests, each with what its answer has to be; the tables of most subjects consist of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

from mockserver.conformance import expectations
from mockserver.conformance.answers import answers_of
from mockserver.conformance.calendar_bodies import Credentials, calendar_body, created_id, fresh_credentials
from mockserver.conformance.checks import Check, CheckContext, Steps, check, every_response
from mockserver.conformance.evaluation import broken
from mockserver.conformance.exchange import Exchange, Key
from mockserver.conformance.expectations import Expectation, facts_of
from mockserver.conformance.guard import CALENDARS, EVENTS
from mockserver.conformance.list_pages import ids_in
from mockserver.conformance.origins import in_order
from mockserver.conformance.rules import Need, Rule
from mockserver.conformance.run import Run

RULES: tuple[Rule, ...] = (
    Rule(
        "still-answers",
        "hostile",
        "high",
        "After unusual input, the service still answers a normal request.",
        "openapi.yaml: responses",
    ),
)

NOBODY: Final = f"{CALENDARS}/cal_0000000000000000"
"""The path of a calendar that nobody has."""
NOT_FOUND: Final = {"error": "Calendar not found"}
MISSING_KEY: Final = {"detail": "Missing Authorization header"}
EMPTY_PAGE: Final[dict[str, Any]] = {"next": None, "previous": None, "results": []}
OURS: Final = "ours"
"""Stands for the path of a calendar of this run, in a case."""
_PROOF: Final = f"{CALENDARS}?deduplication_key=conformance-still-there"
_FIRST, _PAUSE = 2, 24
"""So many odd requests of a kind are enough for a first look, and so many go between two plain ones after that."""
_OF_STATUS = frozenset({"answer-arrives", "no-server-error", "status-documented", "method-undeclared", "path-unknown"})
_OF_BODY = frozenset({"content-type", "answer-json", "answer-schema", "error-family"})


class Anything:
    """Stands for any body at all."""


ANYTHING: Final = Anything()


class Holding(dict[str, Any]):
    """An object with at least these members."""


class Case(NamedTuple):
    """A request and the answer that it has to get. `raw` is a body as it is sent, `json` one that is written."""

    rule: str
    operation: str
    field: str
    method: str
    path: str
    status: int | frozenset[int]
    """The status, or those of which it has to be one."""
    body: Any = ANYTHING
    headers: Sequence[tuple[str, str]] = ()
    json: Any = None
    raw: bytes | None = None
    key: Key = "main"
    unless: tuple[str, ...] = ()
    """Rules that this case follows from: where one of them is broken for the operation, it says nothing new."""
    odd: bool = False
    """Whether the request is not as requests should be.

    What stands in front of the service may refuse an extreme one, and only an answer that is no refusal has to have
    the body. A field that takes too much takes odd things as well: where another rule is broken at the same operation
    and field, the case says nothing new.
    """

    @property
    def statuses(self) -> frozenset[int]:
        """The statuses that the answer may have."""
        return self.status if isinstance(self.status, frozenset) else frozenset({self.status})


def of_events(rule: str, field: str, query: str, status: int = 200, body: Any = None) -> Case:
    """A case of the list of events; without a `body` the answer has to be an object."""
    wanted_body = Holding() if body is None else body
    return Case(rule, "listCalendarEvents", field, "GET", f"{EVENTS}?{query}", status, wanted_body)


def odd_get(rule: str, operation: str, field: str, path: str, statuses: frozenset[int]) -> Case:
    """A GET that is not as requests should be."""
    return Case(rule, operation, field, "GET", path, statuses, odd=True)


def wanted(body: Any) -> Any:
    """A body as expectations write it: what ANYTHING, Holding and patterns leave open is left open."""
    if body is ANYTHING:
        return expectations.ANY
    if isinstance(body, re.Pattern):
        return expectations.matches(body.pattern)
    if isinstance(body, dict):
        members = {name: wanted(part) for name, part in body.items()}
        return expectations.has(members) if isinstance(body, Holding) else members
    if isinstance(body, list):
        return [wanted(part) for part in body]
    return body


def expected_by(case: Case, exchange: Exchange) -> Expectation:
    """What a case expects of its answer; a project that has used up its POSTs for now is no fault."""
    in_front = ((400, 499),) if case.odd and not every_response.is_ordinary(exchange.request) else ()
    whole = [expectations.status(*sorted(case.statuses), *in_front)]
    if case.body is not ANYTHING and case.method != "HEAD":
        body = expectations.body(wanted(case.body))
        whole.append(expectations.where(expectations.status((1, 399)), body) if case.odd else body)
    return expectations.unless_throttled(expectations.every(*whole))


class Bench(CheckContext):
    """A run as cases see it: what they share, and the calendars that they make."""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.answers = answers_of(run.contract)
        self._memory = run.memory
        self._made: list[str] = []
        self._ours: str | None = None
        self._there: str | None = None
        self._credentials: Credentials | None = None

    @property
    def ours(self) -> str:
        """The path of a calendar of this run, made when first asked for; NOBODY where there can be none."""
        if self._ours is None:
            made = self.create() if self.target.writes else None
            found = self._found(f"{CALENDARS}/{made.json['id']}" if made is not None else None)
            # Another check may have made it meanwhile.
            self._ours = self._ours or found
        return self._ours

    @property
    def calendar(self) -> str:
        """The path of a calendar that is there, which others may have made; NOBODY where there is none."""
        if self._ours not in (None, NOBODY):
            return self.ours
        if self._there is None:
            shown = ids_in(self.get(CALENDARS))
            self._there = self._found(f"{CALENDARS}/{shown[0]}" if shown else None)
        return self._there if self._there != NOBODY else self.ours

    def places(self) -> Iterator[str]:
        """The paths that can be read: of the two lists, and of a calendar that is there."""
        yield CALENDARS
        yield EVENTS
        yield self.calendar

    @property
    def writes(self) -> bool:
        """Whether there is anything of this run's own to write to."""
        return self.ours != NOBODY

    def renew(self) -> None:
        """Sees whether the run's calendar is still there: somebody without a key may have been let in to delete it."""
        if self._ours not in (None, NOBODY) and self.get(self.ours).status != 200:
            self._ours = None

    def _found(self, path: str | None) -> str:
        """The path if a calendar is there, else NOBODY: when ids are wrong, all else would be wrong after them."""
        return path if path is not None and self.get(path).status == 200 else NOBODY

    def ask(self, case: Case, before: Sequence[Exchange] = ()) -> Exchange:
        """Sends the request of a case and checks its answer; `before` are the exchanges that it rests on."""
        path = self.ours if case.path == OURS else case.path
        exchange = self.target.send(
            case.method, path, json=case.json, body=case.raw, headers=case.headers, key=case.key
        )
        self.check_answer(case, exchange, before)
        return exchange

    def check_answer(self, case: Case, exchange: Exchange, before: Sequence[Exchange] = ()) -> bool:
        """Holds an answer against its case, unless a rule on all answers has told what is wrong with it."""
        if exchange.status == 429 or self._follows(case):
            return False
        expectation = expected_by(case, exchange)
        holds = not broken(expectation, facts_of([exchange]))
        right_status = exchange.status in case.statuses or (case.odd and _is_in_front(exchange))
        if not holds and self.is_told(exchange, right_status=right_status):
            return False
        return self.check(
            case.rule,
            expectation,
            operation=case.operation,
            field=case.field,
            exchanges=[exchange] if holds else [*self.origins(exchange, *before), exchange],
        )

    def _follows(self, case: Case) -> bool:
        """Whether a case says nothing new, for what it follows from is known to be broken."""
        if not case.odd:
            return self.is_broken(*case.unless, operation=case.operation)
        if case.field == "body" and self.is_broken("field-unknown", operation=case.operation):
            return True
        here = case.operation, case.field
        return any((operation, field) == here and rule != case.rule for rule, operation, field in self.known_broken())

    def try_odd(self, cases: Iterable[Case], *, first: int = _PAUSE) -> Steps:
        """Sends odd requests, and sees that the service is still there: after the first few, then now and then."""
        sent: list[Exchange] = []
        pause = first
        for case in cases:
            exchange = self.ask(case)
            self.took(exchange)
            sent.append(exchange)
            if exchange.status == 0 or len(sent) >= pause:
                self._prove(sent)
                sent, pause = [], _PAUSE
                yield
        if sent:
            self._prove(sent)

    def _prove(self, sent: Sequence[Exchange]) -> None:
        request, proof = sent[-1].request, self.get(_PROOF)
        operation = self.answers.place(request.method, request.path).operation
        self.check("still-answers", expectations.status(200), operation, [*sent, proof])

    def origins(self, exchange: Exchange, *before: Exchange) -> list[Exchange]:
        """What came before an exchange and has to come before it again, and where its values are from."""
        found = [*before, *(origin for one in (*before, exchange) for origin in self._memory.before(one))]
        return [one for one in in_order(found) if one.number != exchange.number]

    def is_told(self, exchange: Exchange, *, right_status: bool) -> bool:
        """Whether a rule on all answers has told already why this one is not as it should be."""
        wrong = every_response.broken(self.answers, exchange)
        operation = self.answers.place(exchange.request.method, exchange.request.path).operation
        if right_status and self.is_broken("secrets-not-echoed", operation=operation):
            return True
        if not right_status and exchange.status < 400:
            return bool(wrong & _OF_STATUS)
        return bool(wrong & (_OF_STATUS | _OF_BODY))

    def fields(self, **given: Any) -> dict[str, Any]:
        """The body of a new calendar of this run, with these fields; None leaves one out."""
        self._credentials = self._credentials or fresh_credentials(self.target)
        fields = calendar_body(self.target, given, credentials=self._credentials)
        if "metadata" in given:
            # It has to be found again also when nobody sees the answer.
            fields.setdefault("deduplication_key", self.target.tag())
        return {name: value for name, value in fields.items() if value is not None}

    def create(self, **given: Any) -> Exchange | None:
        """Makes a calendar; None where the service does not."""
        exchange = self.target.send("POST", CALENDARS, json=self.fields(**given))
        return exchange if self.took(exchange) else None

    def took(self, exchange: Exchange) -> bool:
        """Whether the answer is that of a new calendar; it is deleted in the end."""
        made = created_id(exchange)
        if made is not None:
            self._made.append(made)
        return made is not None

    def forget(self, calendar_id: str) -> None:
        """The calendar was deleted by its case."""
        self._made = [made for made in self._made if made != calendar_id]

    def clear(self) -> None:
        """Deletes what the cases made."""
        self._ours = self._there = None
        made, self._made = self._made, []
        self.run.at_once([partial(self.target.send, "DELETE", f"{CALENDARS}/{name}") for name in reversed(made)])


def header(name: str, value: str) -> tuple[tuple[str, str], ...]:
    """One header."""
    return ((name, value),)


def _is_in_front(exchange: Exchange) -> bool:
    """Whether an extreme request may have been refused by what stands before the service."""
    return 400 <= exchange.status < 500 and not every_response.is_ordinary(exchange.request)


def odd_check(rule: str, cases: Callable[[Bench], Iterable[Case]], *, needs: tuple[Need, ...] = ()) -> Check:
    """The check that sends what is odd in one way: some first, then all."""

    @check(rule, "still-answers", context=Bench, cost=_FIRST + 1, needs=needs, apart=True)
    def tried(bench: Bench) -> Steps:
        return bench.try_odd(cases(bench), first=_FIRST)

    return tried
