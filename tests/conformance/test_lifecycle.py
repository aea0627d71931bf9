"""What journeys find, what they leave alone, and that they take down what they made."""

from __future__ import annotations

import pytest

from mockserver.conformance import lifecycle
from mockserver.conformance.lifecycle import machine, opening
from mockserver.conformance.lifecycle.stage import Stage
from mockserver.conformance.run import Run
from tests.clients import ACME, EMPTY, GLOBEX, TIES
from tests.conformance.sequences import calendars, judged, mutant_of, told
from tests.mutants import pagination, state, taken, tenants, timing

_CREATE, _PATCH, _DELETE, _LIST = "createCalendar", "updateCalendar", "deleteCalendar", "listCalendars"
_FOUND = {
    "P2": ("patch-stored", _PATCH, ""),
    "P3": ("patch-replaces-metadata", _PATCH, "metadata"),
    "P6": ("delete-unlisted", _LIST, ""),
    "P8": ("refused-create-nothing", _CREATE, ""),
    "P10": ("read-only-fields", _PATCH, "state"),
    "P12": ("dedup-freed", _CREATE, ""),
    "P17": ("dedup-exact", _CREATE, ""),
    "P21": ("delete-gone", _DELETE, ""),
    "P23": ("list-fresh", _LIST, ""),
    "P25": ("delete-others-stay", _DELETE, ""),
    "P26": ("dedup-stripped", _CREATE, ""),
    "K5": ("create-defaults", _CREATE, "last_attempted_sync_at"),
    "A4": ("tenant-writes", _DELETE, ""),
    "A7": ("dedup-per-project", _CREATE, ""),
    "M2": ("create-stored", _CREATE, ""),
    "M3": ("time-plausible", _CREATE, "created_at"),
    "M4": ("listed-at-once", _LIST, ""),
}
_MUTANTS = (*state.MUTANTS, *tenants.MUTANTS, *timing.MUTANTS, *pagination.MUTANTS, *taken.MUTANTS)


def _opening(run: Run) -> None:
    opening.play(Stage(run))


@pytest.mark.parametrize(("key", "other"), [(ACME, GLOBEX), (EMPTY, ACME), (TIES, None)])
def test_nothing_is_found_in_the_unchanged_mock_and_nothing_is_left_behind(key: str, other: str | None) -> None:
    run, mock, _ = judged(lifecycle.run, key=key, other=other, requests=2000)
    left = calendars(mock)
    mock.reset()
    assert told(run) == set()
    assert left == calendars(mock)


@pytest.mark.parametrize("name", _FOUND)
def test_a_wrong_state_is_one_finding_of_the_right_rule_within_the_opening(name: str) -> None:
    run, _, target = judged(_opening, mutant_of(_MUTANTS, name))
    assert told(run) == {_FOUND[name]}
    assert len(target.journal) < 400


def test_cursors_that_count_rows_are_found_by_disturbing_a_walk() -> None:
    run, _, _ = judged(_opening, mutant_of(_MUTANTS, "G9"))
    assert told(run) == {(f"walk-stable-{what}", _LIST, "") for what in ("insert", "delete")}


def test_drawn_steps_find_what_the_opening_finds() -> None:
    run, _, _ = judged(machine.explore, mutant_of(_MUTANTS, "P3"), requests=2000)
    assert told(run) == {("patch-replaces-metadata", _PATCH, "metadata")}
    (finding,) = run.findings.broken.values()
    assert [exchange.request.method for exchange in finding.exchanges][0] == "POST"
    assert len(finding.exchanges) <= 3


def test_a_run_that_may_not_write_says_so() -> None:
    run, _, target = judged(lifecycle.run, writes=False)
    assert target.journal == []
    assert set(run.findings.unobservable) == {rule.id for rule in lifecycle.RULES}
