"""Users connect their calendars."""

import pytest
from notetaker.client import Client, Refused

pytestmark = pytest.mark.usefixtures("attendee_env")


def test_a_calendar_is_connected_with_the_token_of_its_user(attendee_project):
    calendar = Client().connect("ada", "1//token-of-ada")
    assert calendar["state"] == "connected"
    attendee_project.requests.assert_called(
        "createCalendar", body={"deduplication_key": "ada", "platform": "google"}, status=201, times=1
    )


def test_a_user_who_connects_twice_has_one_calendar(attendee_project):
    client = Client()
    assert client.connect("ada", "1//token")["id"] == client.connect("ada", "1//token")["id"]
    attendee_project.requests.assert_called("createCalendar", times=1)


def test_a_token_that_is_blank_is_refused():
    with pytest.raises(Refused, match="refresh_token"):
        Client().connect("ada", "")


@pytest.mark.attendee(faults=[{"kind": "status", "status": 503, "operation": "createCalendar", "first": 2}])
def test_an_outage_is_waited_for_a_little_longer_each_time():
    waits = []
    assert Client(waits.append).connect("ada", "1//token")["state"] == "connected"
    assert waits == [2, 4]


@pytest.mark.attendee(post_rate="1/min", frozen=True)
def test_after_too_many_posts_the_client_waits_as_long_as_it_is_told(attendee_project):
    waits = []
    client = Client(lambda seconds: (waits.append(seconds), attendee_project.clock.advance(f"{seconds:.0f}s")))
    client.connect("ada", "1//token")
    client.connect("bob", "1//token")
    assert waits == [60]
    attendee_project.requests.assert_called("createCalendar", status=429, times=1)


def test_a_lost_response_makes_no_second_calendar(attendee_project):
    attendee_project.faults.add(kind="status", status=502, operation="createCalendar", after=True, first=1)
    calendar = Client(lambda seconds: None).connect("ada", "1//token")
    assert calendar["id"] == attendee_project.calendar("ada").id
