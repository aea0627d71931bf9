"""A fixed table of requests, each with the answer that the service was recorded to give; nothing is drawn."""

from __future__ import annotations

from mockserver.conformance.probes import auth, bodies, fields, filters, ids, methods, negotiation
from mockserver.conformance.probes.bench import CALENDARS, NOBODY, Bench
from mockserver.conformance.rules import Rule
from mockserver.conformance.run import Run

RULES: tuple[Rule, ...] = (
    *auth.RULES,
    *methods.RULES,
    *negotiation.RULES,
    *ids.RULES,
    *filters.RULES,
    *bodies.RULES,
    *fields.RULES,
)


def run(run: Run) -> None:
    """Sends every probe that the target lets through, those that only read first."""
    bench = Bench(run)
    there = filters.first_calendar(bench) or NOBODY
    negotiation.run(bench, there)
    filters.run(bench)
    if not run.target.writes:
        _read(bench, there)
        return
    try:
        made = bench.create()
        if made is None:
            _read(bench, there)
            return
        ours = f"{CALENDARS}/{made.json['id']}"
        for part in (auth.run, methods.run, ids.run, bodies.run, fields.run, fields.taken):
            part(bench, ours)
    finally:
        bench.clear()


def _read(bench: Bench, there: str) -> None:
    for part in (auth.run, methods.run, ids.run):
        part(bench, there)
    for rule in RULES:
        if "write" in rule.needs:
            bench.run.findings.unobservable.setdefault(rule.id, "the run does not write, or could make no calendar")
