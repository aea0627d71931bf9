"""The rules on all answers fire on what is wrong, on nothing else, and once for each cause."""

from __future__ import annotations

import pytest

from mockserver.conformance import recorded_cases
from mockserver.conformance import robustness as robustness_part
from tests.conformance.judging import judged, of, sampled, told
from tests.mutants import headers, robustness, schema, status
from tests.mutants.mutant import Mutant


@pytest.mark.parametrize(
    ("mutants", "name", "rule", "operation", "field"),
    sampled(
        [
            (schema.MUTANTS, "is-deleted-as-number", "answer-schema", "listCalendarEvents", "results.is_deleted"),
            (schema.MUTANTS, "create-answer-lacks-metadata", "answer-schema", "createCalendar", "metadata"),
            (schema.MUTANTS, "field-errors-as-texts", "error-family", "createCalendar", "400"),
            (schema.MUTANTS, "201-body-written-twice", "answer-json", "createCalendar", "body"),
            (status.MUTANTS, "duplicate-key-answers-409", "status-documented", "createCalendar", "409"),
            (status.MUTANTS, "put-works-as-patch", "method-undeclared", "getCalendar", "PUT"),
            (headers.MUTANTS, "vary-missing", "vary", "listCalendarEvents", "Vary"),
            (headers.MUTANTS, "delete-sends-content-type", "content-type", "deleteCalendar", "Content-Type"),
            (headers.MUTANTS, "unknown-path-needs-key", "path-unknown", "listCalendars", "path"),
            (headers.MUTANTS, "event-links-show-internal-host", "links-preserve-query", "listCalendarEvents", "host"),
            (headers.MUTANTS, "allow-of-events-has-post", "allow", "listCalendarEvents", "Allow"),
        ],
        step=2,
    ),
)
def test_a_wrong_answer_is_one_finding(
    mutants: tuple[Mutant, ...], name: str, rule: str, operation: str, field: str
) -> None:
    assert told(judged(of(mutants, name), recorded_cases)) == [(rule, operation, field)]


@pytest.mark.parametrize(
    ("name", "field"),
    sampled(
        [
            ("zone-of-16-hours-crashes", "updated_at_gte"),
            ("time-past-year-9999-crashes", "start_time_gte"),
            ("nul-in-time-crashes", "updated_at_gte"),
        ],
        step=2,
    ),
)
def test_a_server_error_over_one_kind_of_input_is_one_finding(name: str, field: str) -> None:
    run = judged(of(robustness.MUTANTS, name), robustness_part, writes=False)
    assert told(run) == [("no-server-error", "listCalendarEvents", field)]


def test_a_finding_starts_with_what_made_its_values() -> None:
    run = judged(of(schema.MUTANTS, "patch-answers-status-ok"), recorded_cases)
    finding = run.findings.broken["answer-schema", "updateCalendar", "id"]
    assert [exchange.request.method for exchange in finding.exchanges] == ["POST", "PATCH"]
