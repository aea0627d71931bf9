"""One odd request, and the statuses with which a service that stays upright answers it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from mockserver.conformance import always
from mockserver.conformance.exchange import Exchange, Key
from mockserver.conformance.probes.bench import ANYTHING, CALENDARS, Bench, fits

_PROOF = f"{CALENDARS}?deduplication_key=conformance-still-there"
_PAUSE = 24


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


def throw(bench: Bench, odds: Iterable[Odd], before: Sequence[Exchange] = ()) -> None:
    """Sends odd requests, and sees in between that the service is still there."""
    thrown: list[Exchange] = []
    for odd in odds:
        exchange = bench.target.send(odd.method, odd.path, body=odd.raw, headers=odd.headers, key=odd.key)
        bench.took(exchange)
        check(bench, odd, exchange, before)
        thrown.append(exchange)
        if exchange.status == 0 or len(thrown) >= _PAUSE:
            _prove(bench, thrown)
            thrown = []
    if thrown:
        _prove(bench, thrown)


def check(bench: Bench, odd: Odd, exchange: Exchange, before: Sequence[Exchange] = ()) -> None:
    """Holds the answer to an odd request against what it may be, unless it was told already."""
    if exchange.status == 429 or _is_known(bench, odd):
        return
    in_front = 400 <= exchange.status < 500 and not always.is_ordinary(exchange.request)
    right_status = holds = in_front or exchange.status in odd.statuses
    if exchange.status < 400 and holds:
        holds = fits(odd.body, exchange.json)
    if not holds and bench.is_told(exchange, right_status=right_status):
        return
    bench.run.check(
        odd.rule,
        holds,
        operation=odd.operation,
        field=odd.field,
        expected=f"one of {sorted(odd.statuses)}" + ("" if odd.body is ANYTHING else f", with {odd.body}"),
        actual=f"{exchange.status} {exchange.text[:300]}",
        exchanges=[exchange] if holds else [*bench.origins(exchange, *before), exchange],
    )


def _is_known(bench: Bench, odd: Odd) -> bool:
    """Whether another rule is broken there already: a field that takes too much takes odd things as well."""
    broken = bench.run.findings.broken
    here = odd.operation, odd.field
    if odd.field == "body" and bench.is_broken("field-unknown", odd.operation):
        return True
    return any((operation, field) == here and rule != odd.rule for rule, operation, field in broken)


def _prove(bench: Bench, thrown: Sequence[Exchange]) -> None:
    proof = bench.target.send("GET", _PROOF)
    bench.run.check(
        "still-answers",
        proof.status == 200,
        operation=bench.answers.place(thrown[-1].request.method, thrown[-1].request.path).operation,
        expected="200 for a plain request afterwards",
        actual=proof.failure or f"{proof.status} {proof.text[:200]}",
        exchanges=[*thrown, proof],
    )
