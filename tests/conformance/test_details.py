"""The judge's rules off the usual path: kept by the mock, and broken by mutants that are right elsewhere."""

from __future__ import annotations

import pytest

from mockserver.conformance.registry import DETAILS
from tests.conformance.judging import judged, of, told
from tests.conformance.staging import state_of
from tests.mutants import corners, html, narrow_calendars, narrow_lists
from tests.mutants.table import new_mock

EVENTS = "listCalendarEvents"
MUTANTS = (*corners.MUTANTS, *html.MUTANTS, *narrow_calendars.MUTANTS, *narrow_lists.MUTANTS)


@pytest.mark.parametrize("writes", [True, False])
def test_the_mock_keeps_every_rule_of_details(*, writes: bool) -> None:
    mock = new_mock()
    before = state_of(mock)
    run = judged(mock.asgi, DETAILS, writes=writes)
    assert told(run) == []
    testable = {rule.id for rule in DETAILS.RULES if writes or "write" not in rule.needs}
    assert testable - run.findings.exercised.keys() == set()
    assert writes or state_of(mock) == before


FOUND = {
    "html-shows-client-secret": ("secrets-not-echoed", "createCalendar", "client_secret"),
    "later-pages-lack-attendees": ("page-rows-whole", EVENTS, ""),
    "calendar-dedup-key-ignored-with-updated-after": ("filter-pairs", EVENTS, "calendar_deduplication_key"),
    "every-other-create-two-seconds-behind": ("write-times-ordered", "createCalendar", "created_at"),
    "html-of-404-answers-200": ("html-answer", "getCalendar", "Accept"),
    "second-filtered-page-is-last": ("filter-walk", EVENTS, ""),
    "updated-at-gte-ignored-by-end-time": ("filter-every-order", EVENTS, "updated_at_gte"),
    "platform-uuid-cut-at-512": ("value-large", "createCalendar", "platform_uuid"),
    "metadata-in-alphabetical-order": ("metadata-name-order", "listCalendars", "metadata"),
    "create-header-shows-end-of-token": ("secrets-not-echoed", "createCalendar", "refresh_token"),
    "raw-shows-foreign-id": ("tenant-ids-hidden", EVENTS, ""),
    "foreign-404-has-other-headers": ("tenant-404-alike", "getCalendar", "headers"),
    "zero-fraction-written": ("time-fraction", EVENTS, ""),
    "same-metadata-keeps-updated-at": ("patch-moves-updated-at", "updateCalendar", "updated_at"),
    "foreign-empty-patch-touches": ("tenant-writes", "updateCalendar", ""),
    "key-freed-once": ("dedup-freed", "createCalendar", ""),
    "full-event-page-has-next": ("page-ends", EVENTS, ""),
    "full-calendar-page-has-next": ("page-ends", "listCalendars", ""),
    "updated-names-in-utf-16-order": ("metadata-name-order", "updateCalendar", "metadata"),
    "quotes-in-metadata-count-twice": ("metadata-limit", "updateCalendar", "metadata"),
    "rows-by-end-time-lack-ical-uid": ("page-rows-whole", EVENTS, ""),
    "dedup-keys-unique-by-900-characters": ("dedup-exact", "createCalendar", ""),
    "filter-by-key-finds-both-projects": ("tenant-filters", "listCalendars", "deduplication_key"),
}


@pytest.mark.parametrize("name", list(FOUND)[:4])
def test_a_mutant_breaks_one_rule(name: str) -> None:
    assert told(judged(of(MUTANTS, name), DETAILS)) == [FOUND[name]]


@pytest.mark.long
@pytest.mark.parametrize("name", list(FOUND)[4:])
def test_another_mutant_breaks_one_rule(name: str) -> None:
    assert told(judged(of(MUTANTS, name), DETAILS)) == [FOUND[name]]
