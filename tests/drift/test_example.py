"""The example document is wrong in 25 ways; each is found once, alone and with a recording of the mock."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mockserver.app import Mock
from mockserver.drift.document import load, openapi_document
from mockserver.drift.har import recorded
from mockserver.drift.run import Report, Subjects, drift
from tests.clients import ACME, MAIN_CALENDAR, NEW_CALENDAR, Client
from tests.control.client import Controls
from tests.drift.documents import TODAY

TRAFFIC = Path("traffic.har")
EXAMPLE = Path(__file__).parents[2] / "examples/drift/published.yaml"
_DISCONNECTED = "cal_ulm3IHVJrH38h9aZ"
FOUND = {
    "body-missing:deleteCalendar 200": "error",
    "key-undocumented:security": "error",
    "request-required:NewCalendar.refresh_token": "error",
    "request-unexpected:updateCalendar request.name": "error",
    "response-enum:Calendar.state": "error",
    "response-format:Calendar.client_id": "error",
    "response-null:Calendar.metadata": "error",
    "response-required:Calendar.color": "error",
    "response-type:Calendar.connection_failure_data": "error",
    "body-undocumented:404": "warning",
    "parameter-ignored:query.page_size": "warning",
    "parameter-needless:header.Content-Type": "warning",
    "request-enum:NewCalendar.platform": "warning",
    "request-enum:query.ordering": "warning",
    "request-format:query.updated_at_gte": "warning",
    "request-length:NewCalendar.client_id": "warning",
    "request-null:NewCalendar.deduplication_key": "warning",
    "response-count:CalendarList.results": "warning",
    "response-length:Calendar.deduplication_key": "warning",
    "response-unexpected:Guest.name": "warning",
    "status-undocumented:401": "warning",
    "status-undocumented:429": "warning",
    "accepted-required:NewCalendar.platform_uuid": "info",
    "request-closed:NewCalendar": "info",
}
SAID_LESS = {"response-format:Calendar.client_id", "response-length:Calendar.deduplication_key"}
"""The contract has no limits there, so that only a recording shows that the document's are wrong."""
ONLY_RECORDED = {"response-pattern:Event.id": "warning"}
"""A document cannot show it: both patterns are right for some text."""
NEVER_RECORDED = {"parameter-ignored:query.page_size"}
"""A response does not show that a parameter was ignored."""


def published() -> Subjects:
    return Subjects(openapi_document(EXAMPLE, load(EXAMPLE)))


def talk(client: Client) -> None:
    """Requests whose responses show the mistakes of the document."""
    client("GET", "/calendars")
    client("GET", "/calendar_events")
    client("GET", f"/calendars/{_DISCONNECTED}")
    client("GET", "/calendars", authorization=None)
    client("GET", "/calendar_events", authorization=None)
    client("GET", "/calendars/cal_0000000000000000")
    client("GET", "/calendar_events?updated_at_gte=yesterday")
    client("GET", "/calendar_events?ordering=name")
    for change in (
        {"platform": "apple"},
        {"client_id": "x" * 256},
        {"deduplication_key": None},
        {"color": "red"},
        {"refresh_token": ...},
        {"deduplication_key": "a key with more than twenty characters"},
    ):
        body = {name: value for name, value in (NEW_CALENDAR | change).items() if value is not ...}
        made = client("POST", "/calendars", body)
    client("PATCH", f"/calendars/{MAIN_CALENDAR}", {"name": "Mine"})
    client("DELETE", f"/calendars/{made.body['id']}")


def by_level(report: Report) -> dict[str, str]:
    assert len({one.id for one in report.new}) == len(report.new)
    return {one.id: one.level for one in report.new}


@pytest.fixture
def recording(make_mock: Callable[..., Mock]) -> Subjects:
    """The journal of a mock that answers 429 to the seventh POST of a minute."""
    mock = make_mock(post_rate="6/min")
    client = Client(mock)
    talk(client)
    client("POST", "/calendars", NEW_CALENDAR)
    archives = Controls(mock, ACME)("GET", "requests.har"), Controls(mock, ACME)("GET", "requests.har?keyless=true")
    entries = [entry for archive in archives for entry in archive.body["log"]["entries"]]
    return Subjects(None, TRAFFIC, recorded(TRAFFIC, {"log": {"entries": entries}}))


def test_the_document_alone() -> None:
    assert len(FOUND) + len(ONLY_RECORDED) == 25
    assert by_level(drift(published(), [], TODAY)) == FOUND | dict.fromkeys(SAID_LESS, "info")


def test_the_document_and_a_recording(recording: Subjects) -> None:
    report = drift(Subjects(published().published, TRAFFIC, recording.exchanges), [], TODAY)
    unseen = {id: "info" for id in NEVER_RECORDED}
    assert by_level(report) == FOUND | ONLY_RECORDED | unseen
    assert {one.id for one in report.new if one.is_unconfirmed} == NEVER_RECORDED
    assert all(one.wrong == {"published"} for one in report.new)


def test_the_recording_alone_has_nothing_that_the_contract_does_not_say(recording: Subjects) -> None:
    report = drift(recording, [], TODAY)
    assert not by_level(report)
    assert report.coverage is not None
    assert (report.coverage.operations, report.coverage.of_operations, report.coverage.unobserved) == (6, 6, [])
