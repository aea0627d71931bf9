"""A fixed table of requests, each with the answer that the service was recorded to give; nothing is drawn."""

from __future__ import annotations

from mockserver.conformance.guard import CALENDARS
from mockserver.conformance.recorded_cases import auth, bodies, fields, filters, ids, methods, negotiation
from mockserver.conformance.recorded_cases.bench import NOBODY, Bench
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
    there = _found(bench, filters.first_calendar(bench))
    negotiation.run(bench, there)
    filters.run(bench)
    ours = _made(bench)
    bench.writes = ours != NOBODY
    auth.run(bench, ours if bench.writes else there)
    if bench.writes and run.target.send("GET", ours).status != 200:
        # Somebody without a key was let in to delete it.
        ours = _made(bench)
        bench.writes = ours != NOBODY
    for part in (methods.run, ids.run):
        part(bench, ours if bench.writes else there)
    if bench.writes:
        for part in (bodies.run, fields.run, fields.taken):
            part(bench, ours)
        bench.clear()
        return
    for rule in RULES:
        if "write" in rule.needs:
            run.findings.unobservable.setdefault(rule.id, "the run does not write, or could make no calendar")


def _made(bench: Bench) -> str:
    made = bench.create() if bench.target.writes else None
    return _found(bench, f"{CALENDARS}/{made.json['id']}" if made is not None else None)


def _found(bench: Bench, path: str | None) -> str:
    """The path if a calendar is there, else NOBODY: when ids are wrong, all else would be wrong after them."""
    return path if path is not None and bench.get(path).status == 200 else NOBODY
