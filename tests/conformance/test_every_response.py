"""The rules on all answers fire on what is wrong, on nothing else, and once for each cause."""

from __future__ import annotations

import pytest

from mockserver.conformance import recorded_cases
from mockserver.conformance import robustness as robustness_part
from tests.conformance.single import judged, of, told
from tests.mutants import headers, robustness, schema, status
from tests.mutants.mutant import Mutant


@pytest.mark.parametrize(
    ("mutants", "name", "rule", "operation", "field"),
    [
        (schema.MUTANTS, "S7", "answer-schema", "listCalendarEvents", "results.is_deleted"),
        (schema.MUTANTS, "S18", "answer-schema", "createCalendar", "metadata"),
        (schema.MUTANTS, "S21", "error-family", "createCalendar", "400"),
        (schema.MUTANTS, "S23", "answer-json", "createCalendar", "body"),
        (status.MUTANTS, "T2", "status-documented", "createCalendar", "409"),
        (status.MUTANTS, "T9", "method-undeclared", "getCalendar", "PUT"),
        (headers.MUTANTS, "H9", "vary", "listCalendarEvents", "Vary"),
        (headers.MUTANTS, "H16", "content-type", "deleteCalendar", "Content-Type"),
        (headers.MUTANTS, "H29", "path-unknown", "listCalendars", "path"),
        (headers.MUTANTS, "H32", "links-preserve-query", "listCalendarEvents", "host"),
        (headers.MUTANTS, "H34", "allow", "listCalendarEvents", "Allow"),
    ],
)
def test_a_wrong_answer_is_one_finding(
    mutants: tuple[Mutant, ...], name: str, rule: str, operation: str, field: str
) -> None:
    assert told(judged(of(mutants, name), recorded_cases)) == [(rule, operation, field)]


@pytest.mark.parametrize(
    ("name", "field"), [("R7", "updated_at_gte"), ("R17", "start_time_gte"), ("R24", "updated_at_gte")]
)
def test_a_server_error_over_one_kind_of_input_is_one_finding(name: str, field: str) -> None:
    run = judged(of(robustness.MUTANTS, name), robustness_part, writes=False)
    assert told(run) == [("no-server-error", "listCalendarEvents", field)]


def test_a_finding_starts_with_what_made_its_values() -> None:
    run = judged(of(schema.MUTANTS, "S19"), recorded_cases)
    finding = run.findings.broken["answer-schema", "updateCalendar", "id"]
    assert [exchange.request.method for exchange in finding.exchanges] == ["POST", "PATCH"]
