"""Google's and Microsoft's events as the service reads them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mockserver.domain.timestamps import render
from mockserver.domain.upstream_mapping import CannotBeRead, event_fields

MEET, TEAMS, ZOOM = (
    "https://meet.google.com/abc-defg-hij",
    "https://teams.microsoft.com/meet/2345678901?p=xyz",
    "https://acme.zoom.us/j/1234567890?pwd=abc",
)
OTHER = "https://example.com/not-a-meeting"
GOOGLE: dict[str, Any] = {
    "id": "g",
    "start": {"dateTime": "2026-11-21T10:00:00+01:00"},
    "end": {"dateTime": "2026-11-21T10:30:00.5Z"},
}
MICROSOFT: dict[str, Any] = {
    "id": "m",
    "start": {"dateTime": "2026-11-21T09:00:00.0000000", "timeZone": "UTC"},
    "end": {"dateTime": "2026-11-21T10:30:00.1234567", "timeZone": "UTC"},
}


def video(uri: str) -> dict[str, Any]:
    phone = {"entryPointType": "phone", "uri": "tel:1"}
    return {"entryPoints": [phone, {"entryPointType": "video", "uri": uri}, {"entryPointType": "video", "uri": OTHER}]}


@pytest.mark.parametrize(
    ("members", "link"),
    [
        ({"conferenceData": video(TEAMS), "hangoutLink": MEET}, TEAMS),
        ({"conferenceData": video(OTHER), "hangoutLink": MEET, "location": ZOOM}, MEET),
        ({"conferenceData": {}, "location": f"{ZOOM}, room 5", "description": MEET}, ZOOM),
        ({"location": OTHER, "description": f"{OTHER} or <{MEET}>.", "summary": ZOOM}, MEET),
        ({"description": None, "summary": f"Talk ({ZOOM})"}, ZOOM),
        ({"hangoutLink": OTHER, "htmlLink": MEET}, None),
        ({}, None),
    ],
)
def test_google_links_are_looked_for_in_one_field_after_the_other(members: dict[str, Any], link: str | None) -> None:
    assert event_fields("google", {**GOOGLE, **members}).meeting_url == link


@pytest.mark.parametrize(
    ("members", "link"),
    [
        ({"onlineMeeting": {"joinUrl": TEAMS}, "onlineMeetingUrl": ZOOM}, TEAMS),
        ({"onlineMeeting": None, "onlineMeetingUrl": ZOOM, "subject": MEET}, ZOOM),
        ({"onlineMeeting": {"joinUrl": OTHER}, "subject": f"Talk: {MEET}", "body": {"content": ZOOM}}, MEET),
        ({"subject": None, "body": {"content": f'<a href="{ZOOM}">join</a>'}}, ZOOM),
        ({"body": None, "onlineMeetingUrl": MEET}, MEET),
        ({"body": None, "subject": MEET}, MEET),
        ({"body": {}, "location": {"displayName": MEET}}, None),
        ({"body": {"content": None}}, None),
    ],
)
def test_microsoft_links_are_looked_for_in_one_field_after_the_other(members: dict[str, Any], link: str | None) -> None:
    assert event_fields("microsoft", {**MICROSOFT, **members}).meeting_url == link


@pytest.mark.parametrize(
    ("start", "instant"),
    [
        ({"dateTime": "2026-11-21T10:00:00+01:00", "timeZone": "America/New_York"}, "2026-11-21T09:00:00Z"),
        ({"dateTime": "2026-11-21T10:00:00", "timeZone": "Europe/Berlin"}, "2026-11-21T09:00:00Z"),
        ({"dateTime": "2026-11-21T10:00:00"}, "2026-11-21T10:00:00Z"),
        ({"date": "2026-11-20"}, "2026-11-20T00:00:00Z"),
        ({"date": "2026-11-20", "timeZone": "Europe/Berlin"}, "2026-11-19T23:00:00Z"),
    ],
)
def test_google_times_are_in_their_own_zone(start: Any, instant: str) -> None:
    fields = event_fields("google", {**GOOGLE, "start": start})
    assert render(fields.start_time) == instant
    assert render(fields.end_time) == "2026-11-21T10:30:00.500000Z"


@pytest.mark.parametrize(
    ("zone", "instant"),
    [("UTC", "2026-11-21T09:00:00Z"), (None, "2026-11-21T09:00:00Z"), ("Tuesday Standard Time", "2026-11-21T09:00:00Z")]
    + [
        ("Europe/Berlin", "2026-11-21T08:00:00Z"),
        ("../etc", "2026-11-21T09:00:00Z"),
        ("Europe", "2026-11-21T09:00:00Z"),
    ],
)
def test_microsoft_times_are_in_their_own_zone_and_utc_when_it_is_unknown(zone: str | None, instant: str) -> None:
    fields = event_fields("microsoft", {**MICROSOFT, "start": {"dateTime": "2026-11-21T09:00:00", "timeZone": zone}})
    assert render(fields.start_time) == instant
    assert render(fields.end_time) == "2026-11-21T10:30:00.123456Z"


def test_raw_is_the_whole_object_in_the_order_of_the_database() -> None:
    event = {**GOOGLE, "zz": {"bbb": 1, "é": 2, "a": [{"bb": 1, "a": 2}]}, "attendees": [{"email": "a", "self": True}]}
    fields = event_fields("google", event)
    assert fields.raw == event
    assert isinstance(fields.raw, dict)
    assert list(fields.raw) == ["id", "zz", "end", "start", "attendees"]
    assert json.dumps(fields.raw["zz"], ensure_ascii=False) == '{"a": [{"a": 2, "bb": 1}], "é": 2, "bbb": 1}'


def test_long_texts_are_cut_in_raw_and_still_searched_for_links() -> None:
    text = "x" * 9000 + " " + MEET
    google = event_fields("google", {**GOOGLE, "description": text, "summary": text})
    microsoft = event_fields("microsoft", {**MICROSOFT, "body": {"content": text, "contentType": "html"}})
    assert google.raw == {**GOOGLE, "description": text[:8000], "summary": text[:8000]}
    assert google.name == text
    assert microsoft.raw == {**MICROSOFT, "body": {"content": text[:8000], "contentType": "html"}}
    assert google.meeting_url == microsoft.meeting_url == MEET


@pytest.mark.parametrize("name", ["start", "end"])
def test_a_google_event_without_a_time_cannot_be_read(name: str) -> None:
    event = {key: value for key, value in GOOGLE.items() if key != name}
    with pytest.raises(CannotBeRead, match=f"^'{name}'$"):
        event_fields("google", event)


def test_a_microsoft_event_without_a_body_and_without_a_link_cannot_be_read() -> None:
    with pytest.raises(CannotBeRead, match="^'NoneType' object has no attribute 'get'$"):
        event_fields("microsoft", {**MICROSOFT, "body": None, "location": {"displayName": MEET}})


def test_attendees_without_a_name_or_an_address_are_kept() -> None:
    people: Any = [{"displayName": "Ann"}, {"email": "b@example.com"}, {}]
    assert event_fields("google", {**GOOGLE, "attendees": people}).attendees == [
        {"name": "Ann", "email": None},
        {"name": None, "email": "b@example.com"},
        {"name": None, "email": None},
    ]
    assert event_fields("microsoft", {**MICROSOFT, "attendees": [{"emailAddress": None}]}).attendees == [
        {"name": None, "email": None}
    ]
    assert event_fields("microsoft", {**MICROSOFT, "attendees": None}).attendees == []
