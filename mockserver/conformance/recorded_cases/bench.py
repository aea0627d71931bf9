"""Sends one probe at a time and holds its answer against what the probe wants."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from mockserver.conformance import expectations
from mockserver.conformance.answers import answers_of
from mockserver.conformance.calendar_bodies import Credentials, calendar_body, created_id, fresh_credentials
from mockserver.conformance.check_context import CheckContext
from mockserver.conformance.checks import every_response
from mockserver.conformance.evaluation import broken
from mockserver.conformance.exchange import Exchange, Key
from mockserver.conformance.expectations import Expectation, facts_of
from mockserver.conformance.guard import CALENDARS, EVENTS
from mockserver.conformance.list_pages import ids_in
from mockserver.conformance.origins import in_order
from mockserver.conformance.run import Run

NOBODY: Final = f"{CALENDARS}/cal_0000000000000000"
"""The path of a calendar that nobody has."""
NOT_FOUND: Final = {"error": "Calendar not found"}
MISSING_KEY: Final = {"detail": "Missing Authorization header"}
_OF_STATUS = frozenset({"answer-arrives", "no-server-error", "status-documented", "method-undeclared", "path-unknown"})
_OF_BODY = frozenset({"content-type", "answer-json", "answer-schema", "error-family"})


class Anything:
    """Stands for any body at all."""


ANYTHING: Final = Anything()


class Holding(dict[str, Any]):
    """An object with at least these members."""


class Probe(NamedTuple):
    """A request and the answer that it has to get. `raw` is a body as it is sent, `json` one that is written."""

    rule: str
    operation: str
    field: str
    method: str
    path: str
    status: int
    body: Any = ANYTHING
    headers: Sequence[tuple[str, str]] = ()
    json: Any = None
    raw: bytes | None = None
    key: Key = "main"
    unless: tuple[str, ...] = ()
    """Rules that this probe follows from: where one of them is broken for the operation, it says nothing new."""


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


def expected_by(probe: Probe) -> Expectation:
    """What a probe expects of its answer; a project that has used up its POSTs for now is no fault."""
    whole = [expectations.status(probe.status)]
    if probe.body is not ANYTHING and probe.method != "HEAD":
        whole.append(expectations.body(wanted(probe.body)))
    return expectations.unless_throttled(expectations.every(*whole))


class Bench(CheckContext):
    """A run's probes: what they share, and the calendars that they make."""

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
            self._ours = self._found(f"{CALENDARS}/{made.json['id']}" if made is not None else None)
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

    def ask(self, probe: Probe, before: Sequence[Exchange] = ()) -> Exchange:
        """Sends a probe and checks its answer; `before` are the exchanges that it rests on."""
        exchange = self.target.send(
            probe.method, probe.path, json=probe.json, body=probe.raw, headers=probe.headers, key=probe.key
        )
        self.check_answer(probe, exchange, before)
        return exchange

    def check_answer(self, probe: Probe, exchange: Exchange, before: Sequence[Exchange] = ()) -> bool:
        """Holds an answer against its probe, unless a rule on all answers has told what is wrong with it."""
        if exchange.status == 429 or self.is_broken(*probe.unless, operation=probe.operation):
            return False
        expectation = expected_by(probe)
        right_status = exchange.status == probe.status
        holds = not broken(expectation, facts_of([exchange]))
        if not holds and self.is_told(exchange, right_status=right_status):
            return False
        return self.check(
            probe.rule,
            expectation,
            operation=probe.operation,
            field=probe.field,
            exchanges=[exchange] if holds else [*self.origins(exchange, *before), exchange],
        )

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
        """The calendar was deleted by its probe."""
        self._made = [made for made in self._made if made != calendar_id]

    def clear(self) -> None:
        """Deletes what the probes made."""
        self._ours = self._there = None
        while self._made:
            self.target.send("DELETE", f"{CALENDARS}/{self._made.pop()}")


def header(name: str, value: str) -> tuple[tuple[str, str], ...]:
    """One header."""
    return ((name, value),)
