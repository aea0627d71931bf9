"""What an object of a remote calendar has to look like, and objects that are made from the fields of an event."""

from __future__ import annotations

from typing import Any

import pytest

from mockserver.domain.model import EventFields, Platform
from mockserver.domain.upstream_mapping import event_fields
from mockserver.domain.upstream_schema import BadInput, check_remote, compose
from tests.domain.lab import NOW

GOOD: dict[Platform, dict[str, Any]] = {
    "google": {"id": "a", "start": {"date": "2026-11-21"}, "end": {"dateTime": "2026-11-21T09:00:00Z"}},
    "microsoft": {
        "id": "a",
        "start": {"dateTime": "2026-11-21T08:00:00"},
        "end": {"dateTime": "2026-11-21T09:00:00", "timeZone": "UTC"},
    },
}
DEEP: Any = 1
for _ in range(101):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    ("platform", "members", "field"),
    [
        ("google", {"id": None}, "event.id"),
        ("google", {"id": ""}, "event.id"),
        ("microsoft", {"id": "x" * 1025}, "event.id"),
        ("google", {"summary": 1}, "event.summary"),
        ("google", {"status": None}, "event.status"),
        ("google", {"attendees": None}, "event.attendees"),
        ("google", {"attendees": [{}, 7]}, "event.attendees[1]"),
        ("google", {"attendees": [{"email": 7}]}, "event.attendees[0].email"),
        ("google", {"conferenceData": {"entryPoints": {}}}, "event.conferenceData.entryPoints"),
        ("google", {"conferenceData": {"entryPoints": [{"uri": 1}]}}, "event.conferenceData.entryPoints[0].uri"),
        ("google", {"recurrence": ["RRULE:FREQ=DAILY"]}, "event.recurrence"),
        ("google", {"start": None}, "event.start"),
        ("google", {"start": {"dateTime": None}}, "event.start.dateTime"),
        ("google", {"start": {"date": "2026-02-30"}}, "event.start"),
        ("google", {"start": {"dateTime": "2026-11-21T08:00:00", "timeZone": "Nowhere/At_All"}}, "event.start"),
        ("google", {"start": {"dateTime": "2026-11-21T08:00:00", "timeZone": 1}}, "event.start"),
        ("google", {"end": {"date": "2026-11-20"}}, "event.end"),
        ("google", {"start": {"dateTime": "0001-01-01T00:00:00+10:00"}}, "event.start"),
        ("google", {"note": "\0"}, "event.note"),
        ("google", {"note": {"\ud800": 1}}, "event.note"),
        ("google", {"note": [float("nan")]}, "event.note[0]"),
        ("google", {"note": {1: 2}}, "event.note"),
        ("google", {"note": 1 << 10_001}, "event.note"),
        ("microsoft", {"start": {"date": "2026-11-21"}}, "event.start.dateTime"),
        ("microsoft", {"start": {}, "isCancelled": True}, "event.start.dateTime"),
        ("microsoft", {"isCancelled": "yes"}, "event.isCancelled"),
        ("microsoft", {"body": "text"}, "event.body"),
        ("microsoft", {"onlineMeeting": {"joinUrl": 1}}, "event.onlineMeeting.joinUrl"),
        ("microsoft", {"attendees": [{"emailAddress": {"name": 1}}]}, "event.attendees[0].emailAddress.name"),
        ("microsoft", {"recurrence": {"pattern": {}}}, "event.recurrence"),
    ],
)
def test_what_no_platform_would_list_is_refused_with_its_field_and_a_fix(
    platform: Platform, members: dict[str, Any], field: str
) -> None:
    with pytest.raises(BadInput) as caught:
        check_remote(platform, {**GOOD[platform], **members})
    assert caught.value.field == field
    assert caught.value.problem
    assert caught.value.fix
    assert str(caught.value).startswith(f"{field}: ")


def test_what_is_no_object_or_too_deep_is_refused() -> None:
    documents: list[Any] = [[], None, {**GOOD["google"], "note": DEEP}]
    for document in documents:
        with pytest.raises(BadInput):
            check_remote("google", document)


def test_members_that_nobody_knows_may_be_there() -> None:
    for platform, document in GOOD.items():
        check_remote(platform, {**document, "etag": '"1"', "extendedProperties": {"private": {}}, "recurrence": None})
    check_remote("google", {"id": "a", "status": "cancelled"})
    check_remote("microsoft", {**GOOD["microsoft"], "body": None, "onlineMeeting": None, "attendees": None})


@pytest.mark.parametrize("platform", ["google", "microsoft"])
@pytest.mark.parametrize("start", [NOW, NOW - NOW % 86_400_000_000])
@pytest.mark.parametrize("link", ["https://meet.google.com/abc", "https://zoom.us/j/1", None])
def test_a_composed_object_says_what_it_was_made_from(platform: Platform, start: int, link: str | None) -> None:
    fields = EventFields(
        platform_uuid="a",
        meeting_url=link,
        name="Talk",
        start_time=start,
        end_time=start + 86_400_000_000,
        attendees=[{"name": None, "email": "a@example.com"}, {"name": "B", "email": "b@example.com"}],
        raw=None,
        is_deleted=link is None,
        ical_uid="uid",
    )
    document = compose(platform, fields, NOW, NOW)
    check_remote(platform, document)
    assert event_fields(platform, document)._replace(raw=None) == fields
