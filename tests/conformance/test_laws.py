"""What the laws of lists find, what they leave alone, and what they cost."""

from __future__ import annotations

from itertools import count

import pytest

from mockserver.conformance.registry import LAWS
from tests.clients import ACME, EMPTY, GLOBEX, TIES
from tests.conformance.judging import judged_alone, mutant_of, sampled, told
from tests.mutants import filters, narrow_lists, pagination, state, tenants
from tests.mutants.mutant import Mutant
from tests.mutants.wrapped import ONE, Call, Reply, after

EXACT = "exct760qqXkvJoxVaKmwKEQpl84VMc91"
_EVENTS, _CALENDARS = "listCalendarEvents", "listCalendars"
_FOUND = {
    "updated-at-gte-excludes-equal": ("filter-boundary", _EVENTS, "updated_at_gte"),
    "end-time-lte-ignored-with-start-time-gte": ("filter-combined", _EVENTS, "end_time_lte"),
    "calendar-dedup-key-matches-prefix": ("filter-spelling", _EVENTS, "calendar_deduplication_key"),
    "deleted-events-hidden-without-calendar-id": ("parts-make-whole", _EVENTS, "is_deleted"),
    "filter-ignores-utc-offset": ("filter-zone", _EVENTS, "time filters"),
    "created-at-descending-ignores-filters": ("filter-with-order", _EVENTS, "-created_at"),
    "calendar-lost-between-pages": ("page-none-lost", _CALENDARS, ""),
    "calendar-repeated-on-next-page": ("page-each-once", _CALENDARS, ""),
    "equal-start-times-lost-between-pages": ("page-ties", _EVENTS, ""),
    "equal-end-times-lost-on-way-back": ("page-back-ties", _EVENTS, ""),
    "cursor-with-other-ordering-restarts": ("cursor-position", _EVENTS, ""),
    "calendar-id-shows-foreign-events": ("tenant-filters", _EVENTS, "calendar_id"),
    "cursor-leads-to-its-project": ("tenant-cursor", _EVENTS, ""),
    "delete-keeps-events": ("event-has-calendar", _EVENTS, "calendar_id"),
    "start-time-ignored-on-later-pages-by-end-time": ("filter-with-order", _EVENTS, "start_time_gte"),
    "end-time-ignored-on-way-back": ("filter-with-order", _EVENTS, "end_time_lte"),
    "updated-after-in-local-time": ("filter-alias", _EVENTS, "updated_after"),
    "deleted-event-not-found-by-id": ("filter-text", _EVENTS, "event_id"),
    "two-digits-read-as-microseconds": ("filter-fraction", _EVENTS, "start_time_gte"),
}
_IN_BOTH = {
    "previous-leads-to-first-page": "page-back",
    "first-page-has-previous": "page-first",
    "last-page-has-next": "page-ends",
    "row-lost-on-next-after-previous": "page-next-after-previous",
    "links-have-broken-cursor": "page-link-leads",
}
_MUTANTS = (*filters.MUTANTS, *pagination.MUTANTS, *tenants.MUTANTS, *state.MUTANTS, *narrow_lists.MUTANTS)


@pytest.mark.parametrize(
    ("key", "other"),
    sampled([(ACME, GLOBEX), (ACME, None), (TIES, ACME), (EXACT, ACME), (EMPTY, ACME), (GLOBEX, EMPTY)]),
)
def test_nothing_is_found_in_any_project_of_the_unchanged_mock(key: str, other: str | None) -> None:
    run, _, target = judged_alone(LAWS, key=key, other=other, writes=False)
    assert told(run) == []
    assert len(target.journal) < 1000


@pytest.mark.parametrize("name", sampled(_FOUND, step=3))
def test_a_wrong_list_is_one_finding_of_the_right_rule(name: str) -> None:
    run, _, target = judged_alone(LAWS, mutant_of(_MUTANTS, name), writes=False)
    assert told(run) == [_FOUND[name]]
    assert len(target.journal) < 1000


@pytest.mark.parametrize("name", sampled(_IN_BOTH))
def test_what_is_wrong_in_both_lists_is_told_of_both(name: str) -> None:
    run, _, _ = judged_alone(LAWS, mutant_of(_MUTANTS, name), writes=False)
    assert told(run) == sorted((_IN_BOTH[name], operation, "") for operation in (_CALENDARS, _EVENTS))


def test_each_rule_is_either_tried_or_has_a_reason_why_not() -> None:
    for key in (ACME, EMPTY):
        run, _, _ = judged_alone(LAWS, key=key, other=None, writes=False)
        for rule in LAWS.RULES:
            assert (rule.id in run.findings.exercised) is not (rule.id in run.findings.unobservable), rule.id


@pytest.mark.parametrize("synced", [True, False])
def test_a_sync_between_two_reads_of_a_calendar_is_no_change_by_reading(synced: bool) -> None:
    reads = count()

    def moved(call: Call, reply: Reply) -> Reply | None:
        if not call.is_on(ONE, methods="GET") or reply.status != 200 or not reply.body.startswith(b"{"):
            return None
        now = f"2027-01-01T00:00:00.{next(reads):06}Z"
        names = ("updated_at", *(("last_attempted_sync_at", "last_successful_sync_at") if synced else ()))
        return reply.write({**reply.json, **dict.fromkeys(names, now)})

    moving = Mutant("moving", "state", "a calendar moves whenever it is read", after(moved))
    run, _, _ = judged_alone(LAWS, moving, writes=False)
    assert (("read-changes-nothing", "getCalendar", "updated_at") in told(run)) is not synced


def test_a_finding_shows_answers_up_to_the_one_that_is_wrong() -> None:
    run, _, _ = judged_alone(LAWS, mutant_of(_MUTANTS, "updated-at-gte-excludes-equal"), writes=False)
    (finding,) = run.findings.broken.values()
    assert "updated_at_gte=" in finding.exchanges[-1].request.path
    assert "is not shown" in finding.actual


def test_no_time_is_no_finding() -> None:
    run, _, target = judged_alone(LAWS, requests=0, writes=False)
    assert target.journal == []
    assert set(run.findings.unobservable.values()) == {"the time budget ran out (raise --time-budget)"}
