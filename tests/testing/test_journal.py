"""Assertions about the requests of a client, and what they show when they fail."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mockserver.testing import AttendeeProject, ControlError
from tests.clients import NEW_CALENDAR, over_http


def ask(project: AttendeeProject, method: str, path: str, body: Any = None) -> int:
    headers = {**project.headers, **({} if body is None else {"Content-Type": "application/json"})}
    data = None if body is None else json.dumps(body).encode()
    return over_http(project.base_url)(method, f"/api/v1{path}", headers, data).status


def create(project: AttendeeProject, key: str, **fields: Any) -> int:
    return ask(project, "POST", "/calendars", {**NEW_CALENDAR, "deduplication_key": key, **fields})


def failure(call: Any, *arguments: Any, **named: Any) -> list[str]:
    with pytest.raises(AssertionError) as raised:
        call(*arguments, **named)
    return str(raised.value).splitlines()


def test_a_request_is_found_by_operation_body_query_path_and_status(attendee_project: AttendeeProject) -> None:
    create(attendee_project, "ada", metadata={"team": "a"})
    ask(attendee_project, "GET", "/calendar_events?ordering=start_time&calendar_id=a%26b")
    requests = attendee_project.requests
    found = requests.assert_called("createCalendar", body={"deduplication_key": "ada", "metadata": {"team": "a"}})
    assert (found.method, found.path, found.status, found.operation) == (
        "POST",
        "/api/v1/calendars",
        201,
        "createCalendar",
    )
    assert found.response["deduplication_key"] == "ada"
    assert found.body["client_secret"] == "***"
    requests.assert_called(body={"client_secret": "not compared"})
    requests.assert_called(method="get", path="/api/v1/calendar_*", status="2xx", query={"calendar_id": "a&b"}, times=1)
    requests.assert_not_called("deleteCalendar")
    assert [one.operation for one in requests] == ["createCalendar", "listCalendarEvents"]
    assert (requests[0].id, len(requests[:1]), len(requests)) == (found.id, 1, 2)


def test_a_missing_request_is_shown_with_the_most_similar_ones(attendee_project: AttendeeProject) -> None:
    create(attendee_project, "bob", platform="gogle")
    create(attendee_project, "bob")
    lines = failure(
        attendee_project.requests.assert_called, "createCalendar", body={"deduplication_key": "ada"}, query={"x": 1}
    )
    first, second = (one.id for one in attendee_project.requests)
    assert lines[:5] == [
        "no request matches operation='createCalendar', query={'x': 1}, body={'deduplication_key': 'ada'}",
        "The project got 2 requests; the most similar:",
        f"  #{second} POST /api/v1/calendars 201",
        "      body field deduplication_key was 'bob', wanted 'ada'",
        "      parameter x is missing, wanted '1'",
    ]
    assert lines[5] == f"  #{first} POST /api/v1/calendars 400"
    assert lines[-1].startswith("      this would be accepted: curl -sS -X POST ")


def test_a_wrong_parameter_is_a_difference(attendee_project: AttendeeProject) -> None:
    ask(attendee_project, "GET", "/calendars?deduplication_key=bob")
    lines = failure(attendee_project.requests.assert_called, "listCalendars", query={"deduplication_key": "ada"})
    assert lines[-1] == "      parameter deduplication_key was 'bob', wanted 'ada'"


def test_a_project_that_was_not_asked_says_so(attendee_project: AttendeeProject) -> None:
    assert failure(attendee_project.requests.assert_called) == [
        "no request matches anything: the project was not asked at all"
    ]


def test_too_many_and_unwanted_requests_are_listed(attendee_project: AttendeeProject) -> None:
    ask(attendee_project, "GET", "/calendars")
    ask(attendee_project, "GET", "/calendars?page=2")
    numbers = [one.id for one in attendee_project.requests]
    listed = [f"  #{numbers[0]} GET /api/v1/calendars 200", f"  #{numbers[1]} GET /api/v1/calendars?page=2 200"]
    assert failure(attendee_project.requests.assert_called, "listCalendars", times=1) == [
        "2 requests matched operation='listCalendars'; expected 1:",
        *listed,
    ]
    assert failure(attendee_project.requests.assert_not_called, "listCalendars") == [
        "no request should match operation='listCalendars', but 2 did:",
        *listed,
    ]


def test_cleared_requests_are_not_looked_at_again(attendee_project: AttendeeProject) -> None:
    ask(attendee_project, "GET", "/calendars")
    attendee_project.requests.clear()
    attendee_project.requests.assert_not_called()
    ask(attendee_project, "GET", "/calendars")
    assert len(attendee_project.requests) == 1
    assert len(attendee_project.requests.har()["log"]["entries"]) == 2


def test_an_operation_that_does_not_exist_is_refused(attendee_project: AttendeeProject) -> None:
    with pytest.raises(ControlError, match="createCalender"):
        attendee_project.requests.assert_not_called("createCalender")


def test_a_refusal_is_explained(attendee_project: AttendeeProject) -> None:
    create(attendee_project, "ada", platform="gogle")
    explained = attendee_project.requests.explain(attendee_project.requests[0])
    assert explained["fields"][0]["field"] == "platform"
    assert attendee_project.requests.explain(attendee_project.requests[0].id) == explained
