"""An event of any shape behind a calendar is refused, or fails the sync as in the service, or is listed on contract."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mockserver.app import Mock
from mockserver.contracts import data_path
from mockserver.domain.clock import FixedClock
from mockserver.domain.timestamps import render
from mockserver.fixtures_io import read_project, write_project
from mockserver.settings import Settings
from tests.clients import NEW_CALENDAR, Client
from tests.conftest import NOW
from tests.control.client import new_project

DAY = 86_400_000_000
ABSENT: Any = object()
LINK = "https://meet.google.com/abc-defg-hij"

texts = st.sampled_from(
    ["", " ", "x", "é" * 1024, "x" * 1025, "x" * 1024 + "  ", "😀", "\u2028", "x" * 8001]
    + [LINK, f"Join <{LINK}>", f"{LINK}?{'x' * 2011}", f"{LINK}?{'x' * 2012}", "https://zoom.us/j/1", "http://["]
)
odd = st.sampled_from(
    [ABSENT, None, "", 0, -1, 1.5, True, False, [], {}, [None], {"": None}, [[]], 1 << 70, "x", "a\0b", "\ud800"]
)
"""Values that the platforms do not write in this place, or write seldom."""


def mostly(usual: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """The usual values, now and then none or null, and seldom an odd one."""
    gap = st.sampled_from([ABSENT, None])
    return st.integers(0, 39).flatmap(lambda drawn: odd if drawn == 39 else gap if drawn > 36 else usual)


def items(usual: st.SearchStrategy[Any], most: int = 3) -> st.SearchStrategy[list[Any]]:
    """Lists of the usual values, and now and then an odd one."""
    return st.lists(mostly(usual).filter(lambda value: value is not ABSENT), max_size=most)


def members(**strategies: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with these members, each of which may be absent."""
    return st.fixed_dictionaries(strategies).map(
        lambda drawn: {name: value for name, value in drawn.items() if value is not ABSENT}
    )


optional = st.just(ABSENT) | texts
instants = st.sampled_from([0, 1, -DAY, -DAY - 1, -3 * DAY, 3 * DAY, 28 * DAY, 40 * DAY]).map(
    lambda by: render(NOW + by)
)
clock_times = st.one_of(
    instants,
    instants.map(str.lower),
    instants.map(lambda text: text.removesuffix("Z")),
    instants.map(lambda text: text[:10]),
    instants.map(lambda text: f"{text[:10]}T24:00:00+01:00"),
    instants.map(lambda text: text.replace("-", "").replace(":", "")),
    st.sampled_from(["", "soon", "0001-01-01T00:00:00+01:00", "0001-01-01", "9999-12-31T24:00:00Z", "9999-12-31"]),
    st.sampled_from(["2027-W03", "2027-015T09,5-0530", "2027-01-15T09:00:00.1234567", "2027-01-15T09:00:60Z"]),
)
zones = st.just(ABSENT) | st.sampled_from(["UTC", "Europe/Berlin", "Nowhere", "Europe", "../etc", "", "x" * 300, "é"])
times = mostly(
    members(
        dateTime=mostly(st.just(ABSENT) | clock_times),
        date=mostly(st.just(ABSENT) | clock_times),
        timeZone=mostly(zones),
    )
    | members(dateTime=clock_times, timeZone=zones)
    | members(date=instants.map(lambda text: text[:10]))
)
good_start = st.sampled_from([-3 * DAY, -DAY, 0, DAY]).map(lambda by: {"dateTime": render(NOW + by)})
good_end = st.sampled_from([2 * DAY, 30 * DAY]).map(lambda by: {"dateTime": render(NOW + by)})
identifiers = st.sampled_from(["a", "b", "c", "a b", "é/?#", " ", "x" * 1024])

google_people = mostly(items(members(email=mostly(optional), displayName=mostly(optional))))
ways_in = mostly(items(members(entryPointType=mostly(st.just("video")), uri=mostly(optional)), 2))
google = members(
    id=mostly(identifiers),
    status=mostly(st.sampled_from(["confirmed", "cancelled", "tentative"])),
    start=good_start | times,
    end=good_end | times,
    originalStartTime=st.just(ABSENT) | times,
    summary=mostly(optional),
    description=mostly(optional),
    location=mostly(optional),
    hangoutLink=mostly(optional),
    iCalUID=mostly(optional),
    attendees=st.just(ABSENT) | google_people,
    conferenceData=st.just(ABSENT) | mostly(members(entryPoints=ways_in)),
    recurrence=mostly(st.just(ABSENT)),
    note=odd,
)
microsoft_person = members(
    emailAddress=mostly(members(address=mostly(optional), name=mostly(optional))), status=odd, type=odd
)
microsoft = members(
    id=mostly(identifiers),
    isCancelled=mostly(st.booleans()),
    start=good_start | times,
    end=good_end | times,
    subject=mostly(optional),
    iCalUId=mostly(optional),
    body=st.just(ABSENT) | mostly(members(content=mostly(optional), contentType=odd)),
    onlineMeeting=st.just(ABSENT) | mostly(members(joinUrl=mostly(optional))),
    onlineMeetingUrl=mostly(optional),
    attendees=st.just(ABSENT) | mostly(items(microsoft_person)),
    location=odd,
    note=odd,
)


class Pair:
    """A project with a Google and a Microsoft calendar, made anew for each example."""

    def __init__(self, mock: Mock) -> None:
        self.controls = new_project(mock)
        self.client = Client(mock, self.controls.key or "")
        self.project = mock.store.by_key[self.controls.key or ""]

    def begin(self, platform: str) -> str:
        for calendar in self.client("GET", "/calendars").body["results"]:
            self.client("DELETE", f"/calendars/{calendar['id']}")
        return str(self.client("POST", "/calendars", {**NEW_CALENDAR, "platform": platform}).body["id"])

    def sync(self, calendar: str) -> dict[str, Any]:
        answered = self.controls("POST", f"calendars/{calendar}/sync")
        assert answered.status == 200, answered.text
        happened: dict[str, Any] = answered.body
        return happened

    def rows(self) -> list[dict[str, Any]]:
        """The events as the API lists them; the mock answers 500 when one of them breaks the contract."""
        answered = self.client("GET", "/calendar_events")
        assert answered.status == 200, answered.text
        rows: list[dict[str, Any]] = answered.body["results"]
        return rows


@pytest.fixture(scope="module")
def pair() -> Pair:
    return Pair(Mock(Settings(fixtures=data_path("fixtures/empty.yaml"), sync="manual"), clock=FixedClock(NOW)))


def hold(pair: Pair, platform: str, events: list[dict[str, Any]]) -> None:
    """Puts the events behind a calendar and syncs it, twice."""
    calendar = pair.begin(platform)
    added = [pair.controls("POST", f"calendars/{calendar}/upstream/events", event) for event in events]
    for answered in added:
        assert answered.status in (201, 400), answered.text
        if answered.status == 400:
            assert answered.body["field"]
            assert answered.body["error"]
    first = pair.sync(calendar)
    rows = pair.rows()
    if first["outcome"] == "failed":
        assert first["detail"]["error"]
        assert first["detail"]["webhook"] is None
        assert rows == []
    else:
        assert first["outcome"] == "synced"
        assert (first["detail"]["webhook"] is None) == (not rows)
        assert len(rows) == first["detail"]["created_count"] <= len(added)
    shown = pair.client("GET", f"/calendars/{calendar}").body
    assert shown["state"] == "connected"
    assert (shown["last_successful_sync_at"] is None) == (first["outcome"] == "failed")
    second = pair.sync(calendar)
    assert second["outcome"] == first["outcome"]
    assert second["detail"].get("error") == first["detail"].get("error")
    assert second["detail"]["webhook"] is None
    assert pair.rows() == rows
    assert pair.controls("GET", f"calendars/{calendar}/upstream").status == 200
    written = write_project(pair.project, secrets=True)
    assert write_project(read_project(json.loads(json.dumps(written)), NOW), secrets=True) == written


shapes = settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])


@shapes
@given(st.lists(google, min_size=1, max_size=3))
@example(
    [{"id": "a", "start": {"date": "2027-01-12"}, "end": {"date": "2027-01-16"}, "attendees": [{"displayName": "R"}]}]
)
@example([{"id": "a", "status": "cancelled"}, {"id": "b", "status": "cancelled", "start": {"date": "2027-01-15"}}])
def test_a_google_event_of_any_shape_keeps_the_contract(pair: Pair, events: list[dict[str, Any]]) -> None:
    hold(pair, "google", events)


@shapes
@given(st.lists(microsoft, min_size=1, max_size=3))
@example([{"id": "a", "start": {"dateTime": "2027-01-15"}, "end": {"dateTime": "2027-01-16"}, "body": None}])
@example(
    [{"id": "a", "start": {"dateTime": "2027-01-15"}, "end": {"dateTime": "2027-01-16"}, "attendees": [{"status": {}}]}]
)
def test_a_microsoft_event_of_any_shape_keeps_the_contract(pair: Pair, events: list[dict[str, Any]]) -> None:
    hold(pair, "microsoft", events)


@pytest.mark.parametrize("platform", ["google", "microsoft"])
def test_the_usual_events_are_synced(pair: Pair, platform: str) -> None:
    """So that the tests above do not hold because everything is refused."""
    event = {"id": "a", "start": {"dateTime": render(NOW)}, "end": {"dateTime": render(NOW + DAY)}}
    hold(pair, platform, [event, {**event, "id": "b"}])
    assert len(pair.rows()) == 2
