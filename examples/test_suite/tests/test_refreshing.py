"""Our copy follows what happens in the users' calendars."""

import pytest
from notetaker.client import Client
from notetaker.meetings import Meetings

pytestmark = pytest.mark.usefixtures("attendee_env")


@pytest.fixture
def ada(attendee_project):
    return attendee_project.calendar("ada")


@pytest.fixture
def meetings(attendee_env):
    return Meetings(Client(lambda seconds: None))


def refreshed(meetings, calendar):
    calendar.sync()
    meetings.refresh(calendar.id)
    return meetings.names()


def test_a_new_meeting_is_copied(meetings, ada):
    ada.add_event("Planning", start="2h", url="https://meet.google.com/abc-defg-hij")
    assert refreshed(meetings, ada) == ["Planning"]


def test_a_meeting_that_was_moved_changes_its_place(meetings, ada):
    ada.add_event("Lunch", start="3h")
    planning = ada.add_event("Planning", start="2h")
    assert refreshed(meetings, ada) == ["Planning", "Lunch"]
    ada.move(planning, start="4h")
    assert refreshed(meetings, ada) == ["Lunch", "Planning"]


@pytest.mark.parametrize("end", ["cancel", "vanish"])
def test_a_meeting_that_does_not_take_place_is_removed(meetings, ada, end):
    planning = ada.add_event("Planning", start="2h")
    assert refreshed(meetings, ada) == ["Planning"]
    getattr(ada, end)(planning)
    assert refreshed(meetings, ada) == []


def test_every_page_is_read(meetings, ada):
    ada.add_event("Standup", start="1h", times=205, every="1h")
    assert len(refreshed(meetings, ada)) == 205


def test_the_second_walk_asks_only_for_changes(meetings, ada, attendee_project):
    ada.add_event("Planning", start="2h")
    refreshed(meetings, ada)
    attendee_project.requests.clear()
    refreshed(meetings, ada)
    walk = attendee_project.requests.assert_called("listCalendarEvents", query={"calendar_id": ada.id}, times=1)
    assert "updated_at_gte" in walk.query


def test_a_walk_that_breaks_off_is_repeated_from_its_beginning(meetings, ada, attendee_project):
    ada.add_event("Standup", start="1h", times=150, every="1h")
    ada.sync()
    attendee_project.faults.add(kind="page-dies", operation="listCalendarEvents", page=2, status=500)
    with pytest.raises(Exception, match="500"):
        meetings.refresh(ada.id)
    attendee_project.faults.clear()
    meetings.refresh(ada.id)
    assert len(meetings.names()) == 150


@pytest.mark.attendee(now="2027-01-15T08:00:00Z", frozen=True, fixtures="two_meetings.yaml")
def test_meetings_of_a_fixture_file_are_copied(meetings, attendee_project):
    meetings.refresh(attendee_project.calendar("user-1").id)
    assert [event["start_time"] for event in meetings.events.values()] == [
        "2027-01-15T09:00:00Z",
        "2027-01-15T11:00:00Z",
    ]


def test_a_meeting_gets_one_bot(meetings, ada, attendee_project):
    ada.add_event("Planning", start="2h", url="https://meet.google.com/abc-defg-hij")
    refreshed(meetings, ada)
    (event_id,) = meetings.events
    Client().schedule_bot(event_id)
    (bot,) = attendee_project.bots
    assert bot["deduplication_key"] == f"notes-{event_id}"
