"""Input that crashes services of this kind: it has to be refused in the service's own words, or handled right."""

from __future__ import annotations

from itertools import chain

from mockserver.conformance.checks import Check, cases
from mockserver.conformance.checks.cases import odd_check
from mockserver.conformance.robustness import bodies, broken, cursors, queries
from mockserver.conformance.rules import Need, Rule

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
    *cases.RULES,
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


CHECKS: tuple[Check, ...] = (
    odd_check("query-odd", lambda bench: queries.odd_queries(thorough=bench.target.writes)),
    odd_check("time-odd", lambda bench: queries.odd_times(thorough=bench.target.writes)),
    odd_check("cursor-forged", lambda bench: chain(cursors.odd_cursors(), cursors.damaged(bench))),
    cursors.spellings,
    odd_check("id-odd", lambda bench: queries.odd_ids()),
    odd_check("header-odd", lambda bench: queries.odd_headers()),
    broken.send_broken,
    *(odd_check(rule, odds, needs=("write",)) for rule, odds in bodies.ODD.items()),
)
