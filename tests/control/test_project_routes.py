"""Throw-away projects: each has a key of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from mockserver.app import Mock
from mockserver.domain.model import Failure
from mockserver.domain.upstream import Create, objects
from mockserver.server import running
from mockserver.settings import Settings
from tests.clients import ACME, NEW_CALENDAR, Client, over_http
from tests.control.client import Controls, new_project

URL = "http://127.0.0.1:9000/webhooks"


@pytest.fixture
def controls(mock: Mock) -> Controls:
    return Controls(mock)


def test_one_call_makes_a_project_with_a_key_that_works_at_once(mock: Mock, controls: Controls) -> None:
    made = controls("POST", "projects", {"name": "mine", "webhooks": [{"url": URL}]})
    assert made.status == 201
    assert made.body["name"] == "mine"
    assert [webhook["url"] for webhook in made.body["webhooks"]] == [URL]
    client = Client(mock, made.body["api_key"])
    assert client("GET", "/calendars").body["results"] == []
    assert client("POST", "/calendars", NEW_CALENDAR).status == 201
    assert controls("GET", "project?project=mine").body["calendars"] == 1


def test_secrets_are_shown_only_by_the_answer_that_creates_them(controls: Controls) -> None:
    made = controls("POST", "projects", {"name": "mine"}).body
    for path in ("projects", "project?project=mine", "fixtures?project=mine"):
        text = controls("GET", path).text
        assert made["api_key"] not in text
        assert made["webhook_secret"] not in text
    assert made["api_key"] not in controls("POST", "project/reset?project=mine").text


def test_the_same_calls_give_the_same_names_and_keys_and_no_key_is_given_twice(
    make_mock: Callable[..., Mock],
) -> None:
    def make(mock: Mock) -> list[tuple[str, str, str]]:
        answers = [Controls(mock)("POST", "projects").body for _ in range(20)]
        return [(made["name"], made["api_key"], made["webhook_secret"]) for made in answers]

    mock = make_mock()
    first = make(mock)
    assert make(make_mock()) == first
    assert len({key for _, key, _ in [*first, *make(mock)]}) == 40
    mock.reset()
    assert make(mock) == first
    assert make(make_mock(random_seed=2)) != first


def test_a_project_can_begin_with_fixtures(mock: Mock, controls: Controls) -> None:
    event = {"start_time": "now+1h", "end_time": "now+2h"}
    fixtures = {"calendars": [{"platform": "google", "events": [event, event]}], "sync": "auto", "name": "old"}
    made = controls("POST", "projects", {"fixtures": fixtures, "name": "new"}).body
    assert (made["name"], made["calendars"], made["events"], made["sync"]) == ("new", 1, 2, "auto")
    copied = controls("GET", "fixtures?project=new").body
    again = controls("POST", "projects", {"fixtures": copied, "sync": "manual"}).body
    assert (again["calendars"], again["events"], again["sync"]) == (1, 2, "manual")


@pytest.mark.parametrize(
    ("body", "status", "field", "words"),
    [
        ({"nmae": "x"}, 400, "body", "did you mean name?"),
        ({"name": ""}, 400, "name", "1 to 100 characters"),
        ({"name": " x"}, 400, "name", "spaces"),
        ({"name": "x" * 101}, 400, "name", "1 to 100 characters"),
        ({"name": "Acme"}, 409, "name", "already"),
        ({"sync": "often"}, 400, "sync", "auto or manual"),
        ({"webhooks": [{"url": "ftp://x"}]}, 400, "webhooks[0].url", "http or https"),
        ({"webhooks": [{"url": f"{URL}/{n}"} for n in range(3)]}, 400, "webhooks", "at most 2"),
        ({"fixtures": []}, 400, "fixtures", "must be an object"),
        ({"fixtures": {"api_keys": ["k"]}}, 400, "fixtures.api_keys", "part of a new project"),
        (
            {"fixtures": {"calendars": [{"platform": "x"}]}},
            400,
            "fixtures.calendars[0].platform",
            "google or microsoft",
        ),
    ],
)
def test_a_project_that_cannot_be_is_refused_and_nothing_is_made(
    body: Any, status: int, field: str, words: str, mock: Mock, controls: Controls
) -> None:
    if status == 409:
        body = {"name": mock.store.projects[0].name}
    before = len(mock.store.projects)
    answered = controls("POST", "projects", body)
    assert (answered.status, answered.body["field"]) == (status, field)
    assert words in answered.text
    assert len(mock.store.projects) == len(mock.store.by_name) == before


def test_new_webhooks_keep_the_rules_that_are_set(make_mock: Callable[..., Mock]) -> None:
    answered = Controls(make_mock(https_webhooks=True))("POST", "projects", {"webhooks": [{"url": URL}]})
    assert answered.status == 400
    assert answered.body["field"] == "webhooks[0].url"


def test_a_deleted_project_is_gone_with_its_key_its_journal_and_its_snapshots(mock: Mock, controls: Controls) -> None:
    project = new_project(mock, name="mine")
    assert project.key is not None
    Client(mock, project.key)("GET", "/calendars")
    project("POST", "snapshots")
    mock.faults.add("mine", {"kind": "delay"})
    assert project("DELETE", "project").status == 204
    assert Client(mock, project.key)("GET", "/calendars").status == 401
    assert project("GET", "project").status == 404
    assert controls("GET", "project?project=mine").status == 404
    assert not mock.faults.list("mine")
    again = new_project(mock, name="mine")
    assert again("GET", "snapshots").body == {"snapshots": []}
    assert again.key != project.key


def test_a_project_of_the_fixtures_stays(mock: Mock) -> None:
    answered = Controls(mock, ACME)("DELETE", "project")
    assert answered.status == 409
    assert "reset it" in answered.body["fix"]


def test_a_reset_of_one_project_leaves_the_others_and_ends_its_faults(mock: Mock) -> None:
    one, other = new_project(mock, name="one"), new_project(mock, name="other")
    for project in (one, other):
        assert project.key is not None
        Client(mock, project.key)("POST", "/calendars", NEW_CALENDAR)
        project("POST", "clock/freeze")
        project("POST", "project/sync-mode", {"sync": "auto"})
    for name in ("one", "other"):
        mock.faults.add(name, {"kind": "delay"})
    assert one("POST", "project/reset").status == 200
    shown, kept = one("GET", "project").body, other("GET", "project").body
    assert (shown["calendars"], shown["clock"]["frozen"], shown["sync"]) == (0, False, "manual")
    assert (kept["calendars"], kept["clock"]["frozen"], kept["sync"]) == (1, True, "auto")
    assert not mock.faults.list("one")
    assert mock.faults.list("other")


def test_a_reset_of_everything_ends_the_throwaway_projects(mock: Mock, controls: Controls) -> None:
    project, before = new_project(mock), len(mock.store.projects) - 1
    assert controls("POST", "reset").status == 200
    assert project("GET", "project").status == 404
    assert len(mock.store.projects) == before


def test_the_sync_mode_says_what_is_done_by_itself(mock: Mock) -> None:
    project = new_project(mock, fixtures={"calendars": [{"platform": "google"}]})
    assert project("GET", "agenda").body["count"] == 0
    assert project("POST", "project/sync-mode", {"sync": "auto"}).body["sync"] == "auto"
    assert [task["kind"] for task in project("GET", "agenda").body["tasks"]] == ["sync"]
    assert project("POST", "project/sync-mode", {"sync": "manual"}).body["sync"] == "manual"
    assert project("GET", "agenda").body == {"tasks": [], "count": 0}
    assert project("POST", "project/sync-mode", {"sync": "often"}).body["field"] == "sync"


def test_projects_in_use_by_many_at_once_do_not_see_one_another(mock: Mock) -> None:
    with running(mock=mock) as server:

        def use(number: int) -> tuple[int, list[str]]:
            send = over_http(server.url)
            key = Controls(mock)
            key._send = send
            made = key("POST", "projects", {"name": f"w{number}"}).body["api_key"]
            client = Client(mock, made)
            client._send = send
            for turn in range(3):
                client("POST", "/calendars", {**NEW_CALENDAR, "deduplication_key": f"{number}-{turn}"})
            return number, [found["deduplication_key"] for found in client("GET", "/calendars").body["results"]]

        with ThreadPoolExecutor(8) as pool:
            for number, found in pool.map(use, range(60)):
                assert sorted(found) == [f"{number}-{turn}" for turn in range(3)]


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
    mock.sync_scheduler.edit(project, calendar.id, Create(now, now + 60_000_000, "Planted"))
    mock.sync_scheduler.fail(project, calendar.id, Failure("revoked"))
    before = len(objects(project.state, calendar))
    written = controls("GET", "fixtures").body
    assert "Planted" in json.dumps(written)
    assert controls("PUT", "fixtures", written).status == 200
    assert len(objects(project.state, calendar)) == before
    assert mock.sync_scheduler.sync_now(project, calendar.id).outcome == "disconnected"


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
    project = new_project(mock, webhooks=[{"url": "http://127.0.0.1:1/"}])
    project("POST", "clock/freeze")
    project("POST", "clock/set", {"to": "2030-01-01T00:00:00Z"})
    secret = mock.store.by_key[project.key or ""].webhook_secret
    event = {"start_time": "now+1h", "end_time": "now+2h"}
    assert project("PUT", "fixtures", {"calendars": [{"platform": "google", "events": [event]}]}).status == 200
    shown = project("GET", "project").body
    assert (shown["events"], len(shown["webhooks"]), shown["clock"]["now"]) == (1, 1, "2030-01-01T00:00:00Z")
    assert project("GET", "fixtures").body["calendars"][0]["events"][0]["start_time"] == "2030-01-01T01:00:00Z"
    assert mock.store.by_key[project.key or ""].webhook_secret == secret
    assert project("POST", "project/reset").body["events"] == 1


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
