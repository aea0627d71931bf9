"""A record's JSON has the contract's fields in the contract's order, and nothing of what is secret."""

from __future__ import annotations

from typing import Any

from mockserver.api.serializers import CALENDAR_CHANGES, calendar_changes, calendar_document, event_document
from mockserver.contracts import load_contract
from mockserver.domain.timestamps import render
from tests.projects import NOW, make_calendar, make_event

SCHEMAS: dict[str, Any] = load_contract()["components"]["schemas"]


def test_a_calendar_has_the_contracts_fields_in_their_order() -> None:
    assert list(calendar_document(make_calendar())) == list(SCHEMAS["Calendar"]["properties"])


def test_an_event_has_the_contracts_fields_in_their_order() -> None:
    assert list(event_document(make_event())) == list(SCHEMAS["CalendarEvent"]["properties"])


def test_no_credential_is_in_a_calendars_answer() -> None:
    calendar = make_calendar()
    text = str(calendar_document(calendar))
    assert [secret for secret in calendar.credentials if secret in text] == []


def test_every_time_is_written_by_the_given_writer() -> None:
    def write(instant: int) -> str:
        return f"at {instant - NOW}"

    calendar = calendar_document(make_calendar(last_successful_sync_at=None), write)
    assert calendar["created_at"] == calendar["updated_at"] == calendar["last_attempted_sync_at"] == "at 0"
    assert calendar["last_successful_sync_at"] is None
    event = event_document(make_event(start_time=NOW + 5), write)
    assert (event["start_time"], event["created_at"], event["updated_at"]) == ("at 5", "at 0", "at 0")


def test_what_changes_all_the_time_is_as_in_the_whole_answer() -> None:
    calendar = make_calendar(metadata={"a": "b"}, updated_at=NOW + 1, last_attempted_sync_at=None)
    whole = calendar_document(calendar)
    assert calendar_changes(calendar) == {name: whole[name] for name in CALENDAR_CHANGES}
    assert list(calendar_changes(calendar)) == list(CALENDAR_CHANGES)
    assert whole["updated_at"] == render(NOW + 1)


def test_what_the_platform_sent_is_passed_on_as_it_is() -> None:
    raw = {"id": "x", "z": [None, 1.5, {"ü": "\u2028"}]}
    event = event_document(make_event(raw=raw, attendees=None, bots=[{"id": "bot"}]))
    assert event["raw"] is raw
    assert (event["attendees"], event["bots"]) == (None, [{"id": "bot"}])
