"""What races find, what they leave alone, and that they take down what they made."""

from __future__ import annotations

import pytest

from mockserver.conformance.checks import races
from tests.clients import ACME, EMPTY, TIES
from tests.conformance.judging import calendars, judged_alone, mutant_of, sampled, told
from tests.mutants.concurrency import MUTANTS

_FOUND = {
    "race-every-create-wins": ("race-one-winner", "createCalendar", ""),
    "race-no-create-wins": ("race-one-winner", "createCalendar", ""),
    "race-patch-loses-metadata": ("race-no-lost-update", "updateCalendar", ""),
    "race-patch-restores-deleted-calendar": ("race-no-resurrection", "updateCalendar", ""),
    "race-every-delete-answers-200": ("race-one-delete", "deleteCalendar", ""),
    "race-changes-share-updated-at": ("race-no-lost-update", "updateCalendar", ""),
    "race-create-shifts-pages": ("race-walk", "listCalendars", ""),
}


@pytest.mark.parametrize("key", [ACME, EMPTY, TIES])
def test_nothing_is_found_in_the_unchanged_mock_and_nothing_is_left_behind(key: str) -> None:
    run, mock, _ = judged_alone(races, key=key)
    left = calendars(mock)
    mock.reset()
    assert told(run) == []
    assert left == calendars(mock)


@pytest.mark.parametrize("name", sampled(_FOUND))
def test_requests_that_get_in_each_others_way_are_one_finding(name: str) -> None:
    run, _, _ = judged_alone(races, mutant_of(MUTANTS, name))
    assert told(run) == [_FOUND[name]]


def test_a_run_that_sends_one_request_at_a_time_says_so() -> None:
    run, _, target = judged_alone(races, writes=False)
    assert target.journal == []
    assert set(run.findings.unobservable) == {rule.id for rule in races.RULES}
