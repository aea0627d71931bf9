"""Fixtures out of a project and into it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mockserver.app import Mock
from mockserver.domain.model import Failure
from mockserver.domain.upstream import Create, objects
from mockserver.settings import Settings
from tests.clients import ACME, Client
from tests.control.controls import Controls, new_world


def everything(mock: Mock, key: str) -> list[str]:
    return [Client(mock, key)("GET", path).text for path in ("/calendars", "/calendar_events")]


def test_what_is_written_can_be_read_in_again_and_is_the_same(mock: Mock) -> None:
    for project in mock.store.projects:
        if not project.api_keys:
            continue
        controls, key = Controls(mock, project.api_keys[0]), project.api_keys[0]
        before, written = everything(mock, key), controls("GET", "fixtures?secrets=true").body
        assert controls("PUT", "fixtures", written).status == 200
        assert controls("GET", "fixtures?secrets=true").body == written
        assert everything(mock, key) == before


def test_what_is_written_with_secrets_is_a_fixture_file(tmp_path: Path) -> None:
    mock = Mock()
    written = [Controls(mock, p.api_keys[0])("GET", "fixtures?secrets=true").body for p in mock.store.projects]
    path = tmp_path / "fixtures.json"
    path.write_text(json.dumps({"projects": written}), "utf-8")
    again = Mock(Settings(fixtures=path))
    for project in mock.store.projects:
        assert everything(again, project.api_keys[0]) == everything(mock, project.api_keys[0])


def test_secrets_are_left_out_unless_they_are_asked_for(mock: Mock) -> None:
    controls = Controls(mock, ACME)
    plain = controls("GET", "fixtures")
    for word in ("api_keys", "webhook_secret", "client_secret", "refresh_token", ACME):
        assert word not in plain.text
        assert word in controls("GET", "fixtures?secrets=true").text
    assert controls("GET", "fixtures?secrets=yes").body["field"] == "secrets"


def test_an_edited_remote_calendar_is_written_as_it_is_now() -> None:
    mock = Mock(Settings(sync="manual"))
    controls = Controls(mock, "YOUR_API_KEY_HERE")
    (project, *_) = mock.store.projects
    calendar = next(one for one in project.state.calendars if one.state == "connected")
    now = project.clock.now()
    mock.world.edit(project, calendar.id, Create(now, now + 60_000_000, "Planted"))
    mock.world.fail(project, calendar.id, Failure("revoked"))
    before = len(objects(project.state, calendar))
    written = controls("GET", "fixtures").body
    assert "Planted" in json.dumps(written)
    assert controls("PUT", "fixtures", written).status == 200
    assert len(objects(project.state, calendar)) == before
    assert mock.world.sync_now(project, calendar.id).outcome == "disconnected"


def test_broken_fixtures_change_nothing_and_say_where(mock: Mock) -> None:
    controls = Controls(mock, ACME)
    before = everything(mock, ACME)
    answered = controls("PUT", "fixtures", {"calendars": [{"platform": "google"}, {"platform": "x"}]})
    assert (answered.status, answered.body["field"]) == (400, "calendars[1].platform")
    assert everything(mock, ACME) == before


def test_every_problem_of_broken_fixtures_is_told_at_once(mock: Mock) -> None:
    event = {"start_time": "now", "end_time": "never"}
    broken = {"calendars": [{"platform": "google", "events": [event] * 30}, {"platform": "gogle"}]}
    told = Controls(mock, ACME)("PUT", "fixtures", broken).body
    assert told["error"].startswith("31 problems; the first: calendars[0].events[0].end_time: ")
    assert told["field"] == "calendars[0].events[0].end_time"
    assert [one["field"] for one in told["problems"]] == [f"calendars[0].events[{at}].end_time" for at in range(20)]
    assert (set(told["problems"][0]), told["more"]) == ({"field", "error"}, 11)
    named = Controls(mock)("POST", "projects", {"sync": "never", "fixtures": broken}).body
    assert [one["field"] for one in named["problems"]][:2] == ["sync", "fixtures.calendars[0].events[0].end_time"]


@pytest.mark.parametrize("field", ["name", "api_keys", "disabled_api_keys"])
def test_a_project_keeps_its_name_and_its_keys(field: str, mock: Mock) -> None:
    answered = Controls(mock, ACME)("PUT", "fixtures", {"calendars": [], field: ["other"]})
    assert (answered.status, answered.body["field"]) == (409, field)


def test_new_fixtures_are_what_a_reset_brings_back_and_the_clock_stays(mock: Mock) -> None:
    world = new_world(mock, webhooks=[{"url": "http://127.0.0.1:1/"}])
    world("POST", "clock/freeze")
    world("POST", "clock/set", {"to": "2030-01-01T00:00:00Z"})
    secret = mock.store.by_key[world.key or ""].webhook_secret
    event = {"start_time": "now+1h", "end_time": "now+2h"}
    assert world("PUT", "fixtures", {"calendars": [{"platform": "google", "events": [event]}]}).status == 200
    shown = world("GET", "project").body
    assert (shown["events"], len(shown["webhooks"]), shown["clock"]["now"]) == (1, 1, "2030-01-01T00:00:00Z")
    assert world("GET", "fixtures").body["calendars"][0]["events"][0]["start_time"] == "2030-01-01T01:00:00Z"
    assert mock.store.by_key[world.key or ""].webhook_secret == secret
    assert world("POST", "project/reset").body["events"] == 1


def test_secrets_are_not_shown_where_others_can_reach_the_mock(mock: Mock) -> None:
    mock.guard.listens_on("0.0.0.0")
    controls, token = Controls(mock, ACME), mock.guard.token or ""
    assert controls("GET", "fixtures", x_control_token=token).status == 200
    assert controls("GET", "fixtures?secrets=true", x_control_token=token).status == 403


def test_zoom_credentials_are_of_the_fixtures_and_stay_unless_others_are_given(mock: Mock) -> None:
    control = Controls(mock, ACME)
    assert control("PUT", "fixtures", {"zoom_credentials": True, "calendars": []}).status == 200
    assert control("GET", "fixtures").body["zoom_credentials"] is True
    control("PUT", "fixtures", {"calendars": []})
    assert control("GET", "fixtures").body["zoom_credentials"] is True
    made = control("POST", "projects", {"fixtures": {"zoom_credentials": True, "calendars": []}})
    assert made.status == 201
