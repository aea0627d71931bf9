"""One odd request, and the statuses with which a service that stays upright answers it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from mockserver.conformance.checks import Steps, every_response
from mockserver.conformance.evaluation import broken
from mockserver.conformance.exchange import Exchange, Key
from mockserver.conformance.expectations import Expectation, body, every, facts_of, status, unless_throttled, where
from mockserver.conformance.guard import CALENDARS
from mockserver.conformance.recorded_cases.bench import ANYTHING, Bench, wanted

_PROOF = f"{CALENDARS}?deduplication_key=conformance-still-there"
_PAUSE = 24
OURS: Final = "ours"
"""Stands for the path of a calendar of this run, in an odd request."""


class Odd(NamedTuple):
    """A request that is not as it should be. `body` is what an answer of status 200 or 201 has to hold."""

    rule: str
    operation: str
    field: str
    method: str
    path: str
    statuses: frozenset[int]
    headers: Sequence[tuple[str, str]] = ()
    raw: bytes | None = None
    body: Any = ANYTHING
    key: Key = "main"


def throw(bench: Bench, odds: Iterable[Odd], *, first: int = _PAUSE) -> Steps:
    """Sends odd requests, and sees that the service is still there: after the first few, then now and then."""
    thrown: list[Exchange] = []
    pause = first
    for odd in odds:
        path = bench.ours if odd.path == OURS else odd.path
        exchange = bench.target.send(odd.method, path, body=odd.raw, headers=odd.headers, key=odd.key)
        bench.took(exchange)
        judge(bench, odd, exchange)
        thrown.append(exchange)
        if exchange.status == 0 or len(thrown) >= pause:
            _prove(bench, thrown)
            thrown, pause = [], _PAUSE
            yield
    if thrown:
        _prove(bench, thrown)


def judge(bench: Bench, odd: Odd, exchange: Exchange) -> None:
    """Holds the answer to an odd request against what it may be, unless it was told already."""
    if exchange.status == 429 or _is_known(bench, odd):
        return
    right_status = _is_in_front(exchange) or exchange.status in odd.statuses
    expectation = _expected_by(odd, exchange)
    if broken(expectation, facts_of([exchange])):
        if bench.is_told(exchange, right_status=right_status):
            return
        led_to = bench.origins(exchange)
    else:
        led_to = []
    bench.check(odd.rule, expectation, operation=odd.operation, field=odd.field, exchanges=[*led_to, exchange])


def _is_in_front(exchange: Exchange) -> bool:
    return 400 <= exchange.status < 500 and not every_response.is_ordinary(exchange.request)


def _expected_by(odd: Odd, exchange: Exchange) -> Expectation:
    """One of its statuses, or any refusal of an extreme request; what is no refusal is like its body."""
    refusals = () if every_response.is_ordinary(exchange.request) else ((400, 499),)
    right = status(*sorted(odd.statuses), *refusals)
    if odd.body is not ANYTHING:
        right = every(right, where(status((1, 399)), body(wanted(odd.body))))
    return unless_throttled(right)


def _is_known(bench: Bench, odd: Odd) -> bool:
    """Whether another rule is broken there already: a field that takes too much takes odd things as well."""
    here = odd.operation, odd.field
    if odd.field == "body" and bench.is_broken("field-unknown", operation=odd.operation):
        return True
    return any((operation, field) == here and rule != odd.rule for rule, operation, field in bench.known_broken())


def _prove(bench: Bench, thrown: Sequence[Exchange]) -> None:
    proof = bench.get(_PROOF)
    bench.check(
        "still-answers",
        status(200),
        operation=bench.answers.place(thrown[-1].request.method, thrown[-1].request.path).operation,
        exchanges=[*thrown, proof],
    )
