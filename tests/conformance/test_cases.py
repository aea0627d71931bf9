"""Recorded and odd cases find nothing in the mock, and the right thing in its mutants."""

from __future__ import annotations

import pytest

from mockserver.conformance.blame import grouped
from mockserver.conformance.registry import HOSTILE, PROBES
from tests.conformance.judging import judged, of, sampled, told
from tests.mutants import auth, headers, narrow_calendars, narrow_lists, robustness, status
from tests.mutants.mutant import Mutant
from tests.mutants.table import new_mock


@pytest.mark.parametrize("writes", [True, False])
def test_the_mock_is_without_findings(writes: bool) -> None:
    run = judged(new_mock().asgi, PROBES, writes=writes)
    assert told(run) == []
    tested = run.findings.exercised.keys() | run.findings.unobservable.keys()
    assert {rule.id for rule in PROBES.RULES} <= tested


def test_a_run_that_only_reads_sends_nothing_else() -> None:
    run = judged(new_mock().asgi, PROBES, writes=False)
    assert run.findings.exercised["answer-arrives"] < 1200


@pytest.mark.parametrize(
    ("mutants", "name", "rule", "operation", "field"),
    sampled(
        [
            (auth.MUTANTS, "get-needs-no-key", "key-required", "getCalendar", "Authorization"),
            (auth.MUTANTS, "key-prefix-accepted", "key-exact", "listCalendars", "Authorization"),
            (auth.MUTANTS, "malformed-body-checked-before-key", "key-first", "createCalendar", "Authorization"),
            (auth.MUTANTS, "delete-needs-no-key", "key-required", "deleteCalendar", "Authorization"),
            (headers.MUTANTS, "accept-q-zero-counts", "accept-taken", "listCalendars", "Accept"),
            (headers.MUTANTS, "options-lacks-actions", "options-describe", "listCalendars", "OPTIONS"),
            (headers.MUTANTS, "method-override-deletes-silently", "method-override", "getCalendar", "method"),
            (status.MUTANTS, "delete-of-unknown-id-answers-200", "id-gone", "deleteCalendar", "object_id"),
            (status.MUTANTS, "parameter-limit-known", "parameter-unknown", "listCalendars", "limit"),
            (status.MUTANTS, "platform-ignores-case", "field-choice", "createCalendar", "platform"),
            (status.MUTANTS, "create-refused-for-unknown-field-stored", "refusal-stores-nothing", "createCalendar", ""),
            (status.MUTANTS, "empty-dedup-key-filter-ignored", "filter-empty", "listCalendars", "deduplication_key"),
            (status.MUTANTS, "dedup-key-filter-matches-any-case", "filter-exact", "listCalendars", "deduplication_key"),
        ],
        step=3,
    ),
)
def test_a_mutant_is_found_by_its_rule_alone(
    mutants: tuple[Mutant, ...], name: str, rule: str, operation: str, field: str
) -> None:
    run = judged(of(mutants, name), PROBES)
    assert len(grouped(run.findings.broken.values())) == 1
    assert (rule, operation, field) in told(run)


_NARROW = {
    "refused-format-deletes": ("refusal-stores-nothing", "deleteCalendar", ""),
    "patch-takes-false": ("body-no-object", "updateCalendar", "body"),
    "first-dedup-key-counts": ("parameter-last-wins", "listCalendars", "deduplication_key"),
    "calendars-know-ordering": ("parameter-unknown", "listCalendars", "ordering"),
    "put-of-unknown-id-answers-404": ("method-text", "getCalendar", "PUT"),
    "client-id-counted-in-utf-16": ("field-length", "createCalendar", "client_id"),
    "word-joiner-stripped": ("field-stripped", "createCalendar", "platform_uuid"),
    "end-time-told-before-start-time": ("filter-first", "listCalendarEvents", "start_time_gte"),
    "delete-looks-up-before-missing-key": ("key-first", "deleteCalendar", "Authorization"),
    "events-token-alone-is-missing-key": ("key-form", "listCalendarEvents", "Authorization"),
}


@pytest.mark.parametrize("name", sampled(_NARROW, step=4))
def test_what_is_wrong_in_a_narrow_way_is_found_by_its_rule_alone(name: str) -> None:
    assert told(judged(of((*narrow_calendars.MUTANTS, *narrow_lists.MUTANTS), name), PROBES)) == [_NARROW[name]]


@pytest.mark.parametrize("writes", [True, False])
def test_the_mock_is_without_findings_over_odd_cases(writes: bool) -> None:
    run = judged(new_mock().asgi, HOSTILE, writes=writes)
    assert told(run) == []
    tested = run.findings.exercised.keys() | run.findings.unobservable.keys()
    assert {rule.id for rule in HOSTILE.RULES} <= tested


@pytest.mark.parametrize(
    ("name", "rules"),
    sampled(
        [
            ("deep-nesting-crashes", {"no-server-error"}),
            ("nul-in-id-crashes", {"no-server-error"}),
            ("request-after-deep-body-crashes", {"still-answers"}),
            ("texts-normalised", {"text-kept"}),
            ("re-encoded-cursor-refused", {"cursor-encoding"}),
            ("lone-surrogates-replaced", {"text-unholdable"}),
            ("infinite-number-stored-as-text", {"number-odd"}),
            ("2000-unknown-fields-ignored", {"size-odd"}),
            ("charset-utf-16-ignored", {"type-odd"}),
            ("nul-in-event-id-lists-everything", {"query-odd"}),
            ("year-10000-finds-nothing", {"time-odd"}),
            ("percent-id-is-first-calendar", {"id-odd"}),
            ("odd-indent-answers-406", {"header-odd"}),
            ("very-long-id-never-answered", {"answer-arrives"}),
            ("invalid-cursor-position-is-first-page", {"cursor-forged"}),
        ],
        step=3,
    ),
)
def test_a_mutant_that_odd_cases_find_is_found_by_its_rule(name: str, rules: set[str]) -> None:
    assert {rule for rule, _, _ in told(judged(of(robustness.MUTANTS, name), HOSTILE))} == rules
