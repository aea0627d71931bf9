"""Input that crashes services of this kind: it has to be refused in the service's own words, or handled right."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import chain

from mockserver.conformance.checks import Check, Steps, check
from mockserver.conformance.recorded_cases.bench import Bench
from mockserver.conformance.robustness import bodies, broken, cursors, queries
from mockserver.conformance.robustness.odd import Odd, throw
from mockserver.conformance.rules import Need, Rule

_FIRST = 2
"""So many odd requests of a kind are enough for a first look."""
_WRITE: frozenset[Need] = frozenset({"read", "write"})

RULES: tuple[Rule, ...] = (
    Rule(
        "query-odd",
        "hostile",
        "medium",
        "Unusual text in the query (NUL, invalid UTF-8, very long, very many) is rejected, or finds nothing.",
        "recordings: query-bad-utf8, query-long",
    ),
    Rule(
        "time-odd",
        "hostile",
        "medium",
        "A time filter with an extreme year, zone or number of digits is accepted, or rejected by its name.",
        "recordings: list-events-timestamps-*",
    ),
    Rule("id-odd", "hostile", "medium", "An unusual id names no calendar.", "openapi.yaml: ObjectId"),
    Rule(
        "header-odd",
        "hostile",
        "medium",
        "Unusual headers are rejected with the error text for them, or have no effect.",
        "recordings: accept-*, auth-odd-headers, headers-ignored",
    ),
    Rule(
        "cursor-forged",
        "hostile",
        "medium",
        "A damaged or invented cursor is rejected, or shows a page.",
        "openapi.yaml: Cursor; recordings: list-events-cursor-made",
    ),
    Rule(
        "cursor-encoding",
        "hostile",
        "low",
        "A cursor with the same content in another encoding shows the same page.",
        "recordings: list-events-cursor-made",
    ),
    Rule(
        "still-answers",
        "hostile",
        "high",
        "After unusual input, the service still answers a normal request.",
        "openapi.yaml: responses",
    ),
    broken.RULE,
    Rule(
        "body-odd",
        "hostile",
        "medium",
        "A body that cannot be parsed is answered with 400.",
        "recordings: body-*",
        _WRITE,
    ),
    Rule(
        "text-unholdable",
        "hostile",
        "medium",
        "A NUL or a lone surrogate is rejected wherever the request contains it.",
        "recordings: create-nul-characters, create-surrogates",
        _WRITE,
    ),
    Rule(
        "number-odd",
        "hostile",
        "medium",
        "A number that is too large is rejected, or stored as its text.",
        "recordings: create-huge-integer, create-number-text",
        _WRITE,
    ),
    Rule(
        "size-odd",
        "hostile",
        "medium",
        "A value that is far too long is rejected.",
        "recordings: create-*-length",
        _WRITE,
    ),
    Rule(
        "type-odd",
        "hostile",
        "medium",
        "An invalid Content-Type is rejected, with or without a body.",
        "recordings: ctype-*",
        _WRITE,
    ),
    Rule(
        "text-kept",
        "hostile",
        "medium",
        "Unusual but valid text is stored and returned unchanged.",
        "recordings: create-control-characters, patch-metadata-accepted",
        _WRITE,
    ),
)


def _thrown(rule: str, odds: Callable[[Bench], Iterable[Odd]], *, needs: tuple[Need, ...] = ()) -> Check:
    """The check that sends what is odd in one way: some first, then all."""

    @check(rule, "still-answers", context=Bench, cost=_FIRST + 1, needs=needs)
    def thrown(bench: Bench) -> Steps:
        return throw(bench, odds(bench), first=_FIRST)

    return thrown


CHECKS: tuple[Check, ...] = (
    _thrown("query-odd", lambda bench: queries.odd_queries(thorough=bench.target.writes)),
    _thrown("time-odd", lambda bench: queries.odd_times(thorough=bench.target.writes)),
    _thrown("cursor-forged", lambda bench: chain(cursors.odd_cursors(), cursors.damaged(bench))),
    cursors.spellings,
    _thrown("id-odd", lambda bench: queries.odd_ids()),
    _thrown("header-odd", lambda bench: queries.odd_headers()),
    broken.send_broken,
    *(_thrown(rule, odds, needs=("write",)) for rule, odds in bodies.ODD.items()),
)
