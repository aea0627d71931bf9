"""What journeys find, what they leave alone, and that they take down what they made."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from mockserver.conformance.checks import lifecycle
from mockserver.conformance.checks.lifecycle import machine, opening
from tests.clients import ACME, EMPTY, GLOBEX, TIES
from tests.conformance.judging import calendars, judged_alone, mutant_of, told
from tests.mutants import pagination, state, taken, tenants, timing

_CREATE, _PATCH, _DELETE, _LIST = "createCalendar", "updateCalendar", "deleteCalendar", "listCalendars"
_FOUND = {
    "patch-answers-metadata-unstored": ("patch-stored", _PATCH, ""),
    "patch-merges-metadata": ("patch-replaces-metadata", _PATCH, "metadata"),
    "deleted-calendar-still-listed": ("delete-unlisted", _LIST, ""),
    "refused-create-stored": ("refused-create-nothing", _CREATE, ""),
    "patch-sets-state": ("read-only-fields", _PATCH, "state"),
    "deleted-calendar-keeps-its-key": ("dedup-freed", _CREATE, ""),
    "key-uniqueness-ignores-case": ("dedup-exact", _CREATE, ""),
    "delete-deletes-nothing": ("delete-gone", _DELETE, ""),
    "list-shows-calendars-unchanged": ("list-fresh", _LIST, ""),
    "delete-takes-next-calendar-along": ("delete-others-stay", _DELETE, ""),
    "keys-compared-unstripped": ("dedup-stripped", _CREATE, ""),
    "new-calendar-already-synced": ("create-defaults", _CREATE, "last_attempted_sync_at"),
    "delete-removes-foreign-calendar": ("tenant-writes", _DELETE, ""),
    "dedup-keys-unique-across-projects": ("dedup-per-project", _CREATE, ""),
    "first-reads-miss-new-calendar": ("create-stored", _CREATE, ""),
    "created-at-one-hour-ahead": ("time-plausible", _CREATE, "created_at"),
    "next-lists-miss-new-calendar": ("listed-at-once", _LIST, ""),
}
_OPENING = SimpleNamespace(RULES=lifecycle.RULES, CHECKS=opening.CHECKS)
_EXPLORED = SimpleNamespace(RULES=lifecycle.RULES, CHECKS=(machine.explored,))
_MUTANTS = (*state.MUTANTS, *tenants.MUTANTS, *timing.MUTANTS, *pagination.MUTANTS, *taken.MUTANTS)


@pytest.mark.parametrize(("key", "other"), [(ACME, GLOBEX), (EMPTY, ACME), (TIES, None)])
def test_nothing_is_found_in_the_unchanged_mock_and_nothing_is_left_behind(key: str, other: str | None) -> None:
    run, mock, _ = judged_alone(lifecycle, key=key, other=other, requests=2000)
    left = calendars(mock)
    mock.reset()
    assert told(run) == []
    assert left == calendars(mock)


@pytest.mark.parametrize("name", _FOUND)
def test_a_wrong_state_is_one_finding_of_the_right_rule_within_the_opening(name: str) -> None:
    run, _, target = judged_alone(_OPENING, mutant_of(_MUTANTS, name))
    assert told(run) == [_FOUND[name]]
    assert len(target.journal) < 400


def test_cursors_that_count_rows_are_found_by_disturbing_a_walk() -> None:
    run, _, _ = judged_alone(_OPENING, mutant_of(_MUTANTS, "inserts-repeat-rows"))
    assert told(run) == sorted((f"walk-stable-{what}", _LIST, "") for what in ("insert", "delete"))


def test_drawn_steps_find_what_the_opening_finds() -> None:
    run, _, _ = judged_alone(_EXPLORED, mutant_of(_MUTANTS, "patch-merges-metadata"), requests=2000)
    assert told(run) == [("patch-replaces-metadata", _PATCH, "metadata")]
    (finding,) = run.findings.broken.values()
    assert [exchange.request.method for exchange in finding.exchanges][0] == "POST"
    assert len(finding.exchanges) <= 3


def test_a_run_that_may_not_write_says_so() -> None:
    run, _, target = judged_alone(lifecycle, writes=False)
    assert target.journal == []
    assert set(run.findings.unobservable) == {rule.id for rule in lifecycle.RULES}
