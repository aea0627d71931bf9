"""What the laws of lists find, what they leave alone, and what they cost."""

from __future__ import annotations

import pytest

from mockserver.conformance import list_properties
from tests.clients import ACME, EMPTY, GLOBEX, TIES
from tests.conformance.sequences import judged, mutant_of, told
from tests.mutants import filters, pagination, state, tenants

EXACT = "exct760qqXkvJoxVaKmwKEQpl84VMc91"
_EVENTS, _CALENDARS = "listCalendarEvents", "listCalendars"
_FOUND = {
    "F1": ("filter-boundary", _EVENTS, "updated_at_gte"),
    "F3": ("filter-combined", _EVENTS, "end_time_lte"),
    "F4": ("filter-spelling", _EVENTS, "calendar_deduplication_key"),
    "F7": ("parts-make-whole", _EVENTS, "is_deleted"),
    "F8": ("filter-zone", _EVENTS, "time filters"),
    "F21": ("filter-with-order", _EVENTS, "-created_at"),
    "G1b": ("page-none-lost", _CALENDARS, ""),
    "G2b": ("page-each-once", _CALENDARS, ""),
    "G7c": ("page-ties", _EVENTS, ""),
    "G7f": ("page-back-ties", _EVENTS, ""),
    "G21": ("cursor-position", _EVENTS, ""),
    "A6": ("tenant-filters", _EVENTS, "calendar_id"),
    "C6": ("tenant-cursor", _EVENTS, ""),
    "P7": ("event-has-calendar", _EVENTS, "calendar_id"),
}
_IN_BOTH = {
    "G5": "page-back",
    "G12": "page-first",
    "G13": "page-ends",
    "G17": "page-next-after-previous",
    "G22": "page-link-leads",
}
_MUTANTS = (*filters.MUTANTS, *pagination.MUTANTS, *tenants.MUTANTS, *state.MUTANTS)


@pytest.mark.parametrize(
    ("key", "other"), [(ACME, GLOBEX), (ACME, None), (TIES, ACME), (EXACT, ACME), (EMPTY, ACME), (GLOBEX, EMPTY)]
)
def test_nothing_is_found_in_any_project_of_the_unchanged_mock(key: str, other: str | None) -> None:
    run, _, target = judged(list_properties.run, key=key, other=other, writes=False)
    assert told(run) == set()
    assert len(target.journal) < 1000


@pytest.mark.parametrize("name", _FOUND)
def test_a_wrong_list_is_one_finding_of_the_right_rule(name: str) -> None:
    run, _, target = judged(list_properties.run, mutant_of(_MUTANTS, name), writes=False)
    assert told(run) == {_FOUND[name]}
    assert len(target.journal) < 1000


@pytest.mark.parametrize("name", _IN_BOTH)
def test_what_is_wrong_in_both_lists_is_told_of_both(name: str) -> None:
    run, _, _ = judged(list_properties.run, mutant_of(_MUTANTS, name), writes=False)
    assert told(run) == {(_IN_BOTH[name], operation, "") for operation in (_CALENDARS, _EVENTS)}


def test_each_rule_is_either_tried_or_has_a_reason_why_not() -> None:
    for key in (ACME, EMPTY):
        run, _, _ = judged(list_properties.run, key=key, other=None, writes=False)
        for rule in list_properties.RULES:
            assert (rule.id in run.findings.exercised) is not (rule.id in run.findings.unobservable), rule.id


def test_a_finding_shows_answers_up_to_the_one_that_is_wrong() -> None:
    run, _, _ = judged(list_properties.run, mutant_of(_MUTANTS, "F1"), writes=False)
    (finding,) = run.findings.broken.values()
    assert "updated_at_gte=" in finding.exchanges[-1].request.path
    assert "is not shown" in finding.actual


def test_no_time_is_no_finding() -> None:
    run, _, target = judged(list_properties.run, requests=0, writes=False)
    assert target.journal == []
    assert set(run.findings.unobservable.values()) == {"the time budget ran out (raise --time-budget)"}
