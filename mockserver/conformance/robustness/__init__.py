"""Input that crashes services of this kind: it has to be refused in the service's own words, or handled right."""

from __future__ import annotations

from mockserver.conformance.recorded_cases.bench import CALENDARS, Bench
from mockserver.conformance.robustness import bodies, broken, cursors, queries
from mockserver.conformance.robustness.odd import throw
from mockserver.conformance.rules import Need, Rule
from mockserver.conformance.run import Run

_WRITE: frozenset[Need] = frozenset({"read", "write"})

RULES: tuple[Rule, ...] = (
    Rule(
        "query-odd",
        "hostile",
        "medium",
        "Odd text in a query (NUL, broken UTF-8, very long, very many) is refused as a filter, or finds nothing.",
        "recordings: query-bad-utf8, query-long",
    ),
    Rule(
        "time-odd",
        "hostile",
        "medium",
        "A time filter at the edge of years, zones and digits is taken or refused by name.",
        "recordings: list-events-timestamps-*",
    ),
    Rule("id-odd", "hostile", "medium", "An odd id names nothing.", "openapi.yaml: ObjectId"),
    Rule(
        "header-odd",
        "hostile",
        "medium",
        "Odd headers are refused as what they are, or change nothing.",
        "recordings: accept-*, auth-odd-headers, headers-ignored",
    ),
    Rule(
        "cursor-forged",
        "hostile",
        "medium",
        "A cursor that is damaged or made up is refused, or shows a page.",
        "openapi.yaml: Cursor; recordings: list-events-cursor-made",
    ),
    Rule(
        "cursor-encoding",
        "hostile",
        "low",
        "A cursor that says the same in another spelling shows the same page.",
        "recordings: list-events-cursor-made",
    ),
    Rule(
        "still-answers",
        "hostile",
        "high",
        "After odd input the service still answers a plain request.",
        "openapi.yaml: responses",
    ),
    broken.RULE,
    Rule("body-odd", "hostile", "medium", "A body that cannot be read is a 400.", "recordings: body-*", _WRITE),
    Rule(
        "text-unholdable",
        "hostile",
        "medium",
        "A NUL or a lone surrogate is refused wherever it stands.",
        "recordings: create-nul-characters, create-surrogates",
        _WRITE,
    ),
    Rule(
        "number-odd",
        "hostile",
        "medium",
        "Numbers that are too large are refused or taken as their text.",
        "recordings: create-huge-integer, create-number-text",
        _WRITE,
    ),
    Rule("size-odd", "hostile", "medium", "What is far too large is refused.", "recordings: create-*-length", _WRITE),
    Rule(
        "type-odd",
        "hostile",
        "medium",
        "A Content-Type that makes no sense is refused, with its body or by itself.",
        "recordings: ctype-*",
        _WRITE,
    ),
    Rule(
        "text-kept",
        "hostile",
        "medium",
        "Text that is odd but good is stored and given back as it is.",
        "recordings: create-control-characters, patch-metadata-accepted",
        _WRITE,
    ),
)


def run(run: Run) -> None:
    """Sends everything that the target lets through, what only reads first."""
    bench = Bench(run)
    throw(bench, queries.odd_queries(thorough=bench.target.writes))
    throw(bench, cursors.odd_cursors())
    throw(bench, cursors.damaged(bench))
    cursors.compare_spellings(bench)
    throw(bench, queries.odd_ids())
    throw(bench, queries.odd_headers())
    broken.send_broken(bench)
    if not run.target.writes:
        for rule in RULES:
            if "write" in rule.needs:
                run.findings.unobservable.setdefault(rule.id, "the run does not write")
        return
    throw(bench, bodies.odd_creates(bench))
    made = bench.create()
    if made is not None and run.target.send("GET", f"{CALENDARS}/{made.json['id']}").status == 200:
        throw(bench, bodies.odd_updates(bench, f"{CALENDARS}/{made.json['id']}"), [made])
    bench.clear()
