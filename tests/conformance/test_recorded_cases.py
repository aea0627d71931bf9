"""The recorded cases find nothing in the mock, and the right thing in its mutants."""

from __future__ import annotations

import pytest

from mockserver.conformance import recorded_cases
from tests.conformance.single import judged, of, recorded, told
from tests.mutants import auth, headers, status
from tests.mutants.mutant import Mutant


@pytest.mark.parametrize("writes", [True, False])
def test_the_mock_is_without_findings(writes: bool) -> None:
    run = judged(recorded().asgi, recorded_cases, writes=writes)
    assert told(run) == []
    tested = run.findings.exercised.keys() | run.findings.unobservable.keys()
    assert {rule.id for rule in recorded_cases.RULES} <= tested


def test_a_run_that_only_reads_sends_nothing_else() -> None:
    run = judged(recorded().asgi, recorded_cases, writes=False)
    assert run.findings.exercised["answer-arrives"] < 400


@pytest.mark.parametrize(
    ("mutants", "name", "rule", "operation", "field"),
    [
        (auth.MUTANTS, "A1", "key-required", "getCalendar", "Authorization"),
        (auth.MUTANTS, "A14", "key-exact", "listCalendars", "Authorization"),
        (auth.MUTANTS, "A19", "key-first", "createCalendar", "Authorization"),
        (auth.MUTANTS, "A24", "key-required", "deleteCalendar", "Authorization"),
        (headers.MUTANTS, "H19", "accept-taken", "listCalendars", "Accept"),
        (headers.MUTANTS, "H23", "options-describe", "listCalendars", "OPTIONS"),
        (headers.MUTANTS, "H36", "method-override", "getCalendar", "method"),
        (status.MUTANTS, "T6", "id-gone", "deleteCalendar", "object_id"),
        (status.MUTANTS, "T33", "parameter-unknown", "listCalendars", "limit"),
        (status.MUTANTS, "T35", "field-choice", "createCalendar", "platform"),
        (status.MUTANTS, "T38", "refusal-stores-nothing", "createCalendar", ""),
        (status.MUTANTS, "T44", "filter-empty", "listCalendars", "deduplication_key"),
        (status.MUTANTS, "T48", "filter-exact", "listCalendars", "deduplication_key"),
    ],
)
def test_a_mutant_is_found_by_its_rule_alone(
    mutants: tuple[Mutant, ...], name: str, rule: str, operation: str, field: str
) -> None:
    assert told(judged(of(mutants, name), recorded_cases)) == [(rule, operation, field)]
